/*
 * module_builder.c - see module_builder.h.
 *
 * Each section is a buffer of its items and their count; finish writes them
 * in the order that the format wants.
 */
#include "tests/support/module_builder.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum section {
    SECTION_CUSTOM = 0,
    SECTION_TYPE = 1,
    SECTION_IMPORT = 2,
    SECTION_FUNCTION = 3,
    SECTION_TABLE = 4,
    SECTION_MEMORY = 5,
    SECTION_GLOBAL = 6,
    SECTION_EXPORT = 7,
    SECTION_START = 8,
    SECTION_ELEMENT = 9,
    SECTION_CODE = 10,
    SECTION_DATA = 11,
    SECTION_DATA_COUNT = 12,
    SECTION_COUNT = 13,
};

struct section_buffer {
    struct byte_buffer items;
    uint32_t count;
    uint32_t count_override;
    bool count_overridden;
    bool content_overridden; /* items hold the whole content */
};

struct custom {
    struct custom *next;
    struct byte_buffer section; /* id and size included */
    uint8_t before;
};

struct module_builder {
    struct section_buffer sections[SECTION_COUNT];
    struct custom *customs;
    struct byte_buffer type_ends; /* a size_t for each type */
    struct byte_buffer names;
    uint32_t name_count;
    uint32_t item_counts[4]; /* by enum gvm_extern_kind */
    bool has_data_count;
    struct byte_buffer binary;
};

/* ---- Pieces ---------------------------------------------------------- */

static void
put_name(struct byte_buffer *buffer, const char *name)
{
    byte_buffer_put_vector(buffer, name, strlen(name));
}

static uint8_t
type_code(char letter)
{
    switch (letter) {
    case 'i':
        return GVM_I32;
    case 'l':
        return GVM_I64;
    case 'f':
        return GVM_F32;
    case 'd':
        return GVM_F64;
    case 'v':
        return GVM_V128;
    case 'r':
        return GVM_FUNCREF;
    case 'x':
        return GVM_EXTERNREF;
    default:
        abort();
    }
}

static void
put_limits(struct byte_buffer *buffer, uint64_t min, uint64_t max)
{
    byte_buffer_put_byte(buffer, max != MODULE_BUILDER_NO_MAX);
    byte_buffer_put_unsigned(buffer, min);
    if (max != MODULE_BUILDER_NO_MAX) {
        byte_buffer_put_unsigned(buffer, max);
    }
}

/* ---- Builders -------------------------------------------------------- */

struct module_builder *
module_builder_create(void)
{
    struct module_builder *builder = calloc(1, sizeof(*builder));

    if (builder == NULL) {
        abort();
    }
    return builder;
}

void
module_builder_destroy(struct module_builder *builder)
{
    if (builder == NULL) {
        return;
    }
    for (unsigned id = 0; id < SECTION_COUNT; id++) {
        byte_buffer_deinit(&builder->sections[id].items);
    }
    while (builder->customs != NULL) {
        struct custom *custom = builder->customs;

        builder->customs = custom->next;
        byte_buffer_deinit(&custom->section);
        free(custom);
    }
    byte_buffer_deinit(&builder->type_ends);
    byte_buffer_deinit(&builder->names);
    byte_buffer_deinit(&builder->binary);
    free(builder);
}

/* The buffer of the section `id`, with one more item counted. */
static struct byte_buffer *
add_item(struct module_builder *builder, enum section id)
{
    builder->sections[id].count++;
    return &builder->sections[id].items;
}

uint32_t
module_builder_type(struct module_builder *builder, const char *signature)
{
    struct byte_buffer *types = &builder->sections[SECTION_TYPE].items;
    const char *colon = strchr(signature, ':');
    uint32_t type_count = builder->sections[SECTION_TYPE].count;
    struct byte_buffer type = {0};
    uint32_t index = 0;

    assert(colon != NULL);
    byte_buffer_put_byte(&type, 0x60);
    byte_buffer_put_unsigned(&type, (uint64_t)(colon - signature));
    for (const char *letter = signature; letter < colon; letter++) {
        byte_buffer_put_byte(&type, type_code(*letter));
    }
    byte_buffer_put_unsigned(&type, strlen(colon + 1));
    for (const char *letter = colon + 1; *letter != '\0'; letter++) {
        byte_buffer_put_byte(&type, type_code(*letter));
    }

    for (size_t start = 0; index < type_count; index++) {
        size_t end;

        memcpy(&end, builder->type_ends.bytes + index * sizeof(end),
               sizeof(end));
        if (end - start == type.length_bytes &&
            memcmp(types->bytes + start, type.bytes, end - start) == 0) {
            byte_buffer_deinit(&type);
            return index;
        }
        start = end;
    }
    byte_buffer_put(add_item(builder, SECTION_TYPE), type.bytes,
                    type.length_bytes);
    byte_buffer_put(&builder->type_ends, &types->length_bytes,
                    sizeof(types->length_bytes));
    byte_buffer_deinit(&type);
    return index;
}

static struct byte_buffer *
add_import(struct module_builder *builder, const char *module,
           const char *name, enum gvm_extern_kind kind, uint32_t *index)
{
    struct byte_buffer *imports = add_item(builder, SECTION_IMPORT);

    *index = builder->item_counts[kind]++;
    put_name(imports, module);
    put_name(imports, name);
    byte_buffer_put_byte(imports, (uint8_t)kind);
    return imports;
}

uint32_t
module_builder_import_func(struct module_builder *builder,
                           const char *module, const char *name,
                           const char *signature)
{
    uint32_t type = module_builder_type(builder, signature);
    uint32_t index;

    assert(builder->sections[SECTION_FUNCTION].count == 0);
    byte_buffer_put_unsigned(
        add_import(builder, module, name, GVM_EXTERN_FUNC, &index), type);
    return index;
}

uint32_t
module_builder_import_table(struct module_builder *builder,
                            const char *module, const char *name, char type,
                            uint64_t min, uint64_t max)
{
    uint32_t index;
    struct byte_buffer *imports =
        add_import(builder, module, name, GVM_EXTERN_TABLE, &index);

    byte_buffer_put_byte(imports, type_code(type));
    put_limits(imports, min, max);
    return index;
}

uint32_t
module_builder_import_memory(struct module_builder *builder,
                             const char *module, const char *name,
                             uint64_t min, uint64_t max)
{
    uint32_t index;

    put_limits(add_import(builder, module, name, GVM_EXTERN_MEMORY, &index),
               min, max);
    return index;
}

uint32_t
module_builder_import_global(struct module_builder *builder,
                             const char *module, const char *name, char type,
                             bool mutable_)
{
    uint32_t index;
    struct byte_buffer *imports =
        add_import(builder, module, name, GVM_EXTERN_GLOBAL, &index);

    byte_buffer_put_byte(imports, type_code(type));
    byte_buffer_put_byte(imports, mutable_);
    return index;
}

uint32_t
module_builder_func_raw(struct module_builder *builder,
                        const char *signature, const uint8_t *body,
                        size_t body_bytes)
{
    uint32_t type = module_builder_type(builder, signature);

    byte_buffer_put_unsigned(add_item(builder, SECTION_FUNCTION), type);
    byte_buffer_put_vector(add_item(builder, SECTION_CODE), body,
                           body_bytes);
    return builder->item_counts[GVM_EXTERN_FUNC]++;
}

uint32_t
module_builder_func(struct module_builder *builder, const char *signature,
                    const char *locals, const uint8_t *body,
                    size_t body_bytes)
{
    struct byte_buffer whole = {0};
    uint32_t index;

    byte_buffer_put_unsigned(&whole, strlen(locals));
    for (; *locals != '\0'; locals++) {
        byte_buffer_put_byte(&whole, 1);
        byte_buffer_put_byte(&whole, type_code(*locals));
    }
    byte_buffer_put(&whole, body, body_bytes);
    index = module_builder_func_raw(builder, signature, whole.bytes,
                                    whole.length_bytes);
    byte_buffer_deinit(&whole);
    return index;
}

uint32_t
module_builder_table(struct module_builder *builder, char type, uint64_t min,
                     uint64_t max)
{
    struct byte_buffer *tables = add_item(builder, SECTION_TABLE);

    byte_buffer_put_byte(tables, type_code(type));
    put_limits(tables, min, max);
    return builder->item_counts[GVM_EXTERN_TABLE]++;
}

uint32_t
module_builder_memory(struct module_builder *builder, uint64_t min,
                      uint64_t max)
{
    put_limits(add_item(builder, SECTION_MEMORY), min, max);
    return builder->item_counts[GVM_EXTERN_MEMORY]++;
}

uint32_t
module_builder_global(struct module_builder *builder, char type,
                      bool mutable_, const uint8_t *init, size_t init_bytes)
{
    struct byte_buffer *globals = add_item(builder, SECTION_GLOBAL);

    byte_buffer_put_byte(globals, type_code(type));
    byte_buffer_put_byte(globals, mutable_);
    byte_buffer_put(globals, init, init_bytes);
    return builder->item_counts[GVM_EXTERN_GLOBAL]++;
}

void
module_builder_export(struct module_builder *builder, const char *name,
                      enum gvm_extern_kind kind, uint32_t index)
{
    struct byte_buffer *exports = add_item(builder, SECTION_EXPORT);

    put_name(exports, name);
    byte_buffer_put_byte(exports, (uint8_t)kind);
    byte_buffer_put_unsigned(exports, index);
}

void
module_builder_start(struct module_builder *builder, uint32_t function)
{
    struct byte_buffer content = {0};

    byte_buffer_put_unsigned(&content, function);
    module_builder_set_content(builder, SECTION_START, content.bytes,
                               content.length_bytes);
    byte_buffer_deinit(&content);
}

/* ---- Segments -------------------------------------------------------- */

static void
put_active_head(struct byte_buffer *segment, int32_t offset)
{
    byte_buffer_put_byte(segment, 0);
    byte_buffer_put_byte(segment, 0x41);
    byte_buffer_put_signed(segment, offset);
    byte_buffer_put_byte(segment, 0x0b);
}

uint32_t
module_builder_elements(struct module_builder *builder, int32_t offset,
                        const uint32_t *functions, uint32_t count)
{
    struct byte_buffer *segment = add_item(builder, SECTION_ELEMENT);

    put_active_head(segment, offset);
    byte_buffer_put_unsigned(segment, count);
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_put_unsigned(segment, functions[i]);
    }
    return builder->sections[SECTION_ELEMENT].count - 1;
}

uint32_t
module_builder_elements_raw(struct module_builder *builder,
                            const uint8_t *bytes, size_t length_bytes)
{
    byte_buffer_put(add_item(builder, SECTION_ELEMENT), bytes, length_bytes);
    return builder->sections[SECTION_ELEMENT].count - 1;
}

uint32_t
module_builder_data(struct module_builder *builder, int32_t offset,
                    const void *bytes, size_t length_bytes)
{
    struct byte_buffer *segment = add_item(builder, SECTION_DATA);

    put_active_head(segment, offset);
    byte_buffer_put_vector(segment, bytes, length_bytes);
    return builder->sections[SECTION_DATA].count - 1;
}

uint32_t
module_builder_data_passive(struct module_builder *builder,
                            const void *bytes, size_t length_bytes)
{
    struct byte_buffer *segment = add_item(builder, SECTION_DATA);

    builder->has_data_count = true;
    byte_buffer_put_byte(segment, 1);
    byte_buffer_put_vector(segment, bytes, length_bytes);
    return builder->sections[SECTION_DATA].count - 1;
}

uint32_t
module_builder_data_raw(struct module_builder *builder, const uint8_t *bytes,
                        size_t length_bytes)
{
    byte_buffer_put(add_item(builder, SECTION_DATA), bytes, length_bytes);
    return builder->sections[SECTION_DATA].count - 1;
}

void
module_builder_data_count(struct module_builder *builder)
{
    builder->has_data_count = true;
}

/* ---- Custom sections and overrides ----------------------------------- */

void
module_builder_custom(struct module_builder *builder, uint8_t before,
                      const char *name, const uint8_t *bytes,
                      size_t length_bytes)
{
    struct custom *custom = calloc(1, sizeof(*custom));
    struct custom **last = &builder->customs;
    struct byte_buffer content = {0};

    if (custom == NULL) {
        abort();
    }
    custom->before = before;
    put_name(&content, name);
    byte_buffer_put(&content, bytes, length_bytes);
    byte_buffer_put_byte(&custom->section, SECTION_CUSTOM);
    byte_buffer_put_vector(&custom->section, content.bytes,
                           content.length_bytes);
    byte_buffer_deinit(&content);
    while (*last != NULL) {
        last = &(*last)->next;
    }
    *last = custom;
}

void
module_builder_name(struct module_builder *builder, uint32_t function,
                    const char *name)
{
    builder->name_count++;
    byte_buffer_put_unsigned(&builder->names, function);
    put_name(&builder->names, name);
}

void
module_builder_set_count(struct module_builder *builder, uint8_t id,
                         uint32_t count)
{
    builder->sections[id].count_override = count;
    builder->sections[id].count_overridden = true;
}

void
module_builder_set_content(struct module_builder *builder, uint8_t id,
                           const uint8_t *bytes, size_t length_bytes)
{
    struct section_buffer *section = &builder->sections[id];

    byte_buffer_deinit(&section->items);
    byte_buffer_put(&section->items, bytes, length_bytes);
    section->content_overridden = true;
}

/* ---- Finishing ------------------------------------------------------- */

static void
put_customs(struct module_builder *builder, uint8_t before)
{
    for (struct custom *custom = builder->customs; custom != NULL;
         custom = custom->next) {
        if (custom->before == before) {
            byte_buffer_put(&builder->binary, custom->section.bytes,
                            custom->section.length_bytes);
        }
    }
}

static void
put_section(struct module_builder *builder, enum section id)
{
    struct section_buffer *section = &builder->sections[id];
    struct byte_buffer content = {0};

    if (id == SECTION_DATA_COUNT && builder->has_data_count &&
        !section->content_overridden) {
        byte_buffer_put_unsigned(&content,
                                 builder->sections[SECTION_DATA].count);
    } else if (section->content_overridden) {
        byte_buffer_put(&content, section->items.bytes,
                        section->items.length_bytes);
    } else if (section->count > 0 || section->count_overridden) {
        byte_buffer_put_unsigned(&content, section->count_overridden
                                               ? section->count_override
                                               : section->count);
        byte_buffer_put(&content, section->items.bytes,
                        section->items.length_bytes);
    } else {
        return;
    }
    byte_buffer_put_byte(&builder->binary, (uint8_t)id);
    byte_buffer_put_vector(&builder->binary, content.bytes,
                           content.length_bytes);
    byte_buffer_deinit(&content);
}

/* The name section with the names of functions (subsection 1). */
static void
put_name_section(struct module_builder *builder)
{
    struct byte_buffer names = {0};
    struct byte_buffer content = {0};

    byte_buffer_put_unsigned(&names, builder->name_count);
    byte_buffer_put(&names, builder->names.bytes,
                    builder->names.length_bytes);
    put_name(&content, "name");
    byte_buffer_put_byte(&content, 1);
    byte_buffer_put_vector(&content, names.bytes, names.length_bytes);
    byte_buffer_put_byte(&builder->binary, SECTION_CUSTOM);
    byte_buffer_put_vector(&builder->binary, content.bytes,
                           content.length_bytes);
    byte_buffer_deinit(&names);
    byte_buffer_deinit(&content);
}

const uint8_t *
module_builder_finish(struct module_builder *builder, size_t *length_bytes)
{
    static const uint8_t order[] = {
        SECTION_TYPE,       SECTION_IMPORT, SECTION_FUNCTION,
        SECTION_TABLE,      SECTION_MEMORY, SECTION_GLOBAL,
        SECTION_EXPORT,     SECTION_START,  SECTION_ELEMENT,
        SECTION_DATA_COUNT, SECTION_CODE,   SECTION_DATA,
    };
    static const uint8_t head[] = {0, 'a', 's', 'm', 1, 0, 0, 0};

    builder->binary.length_bytes = 0;
    byte_buffer_put(&builder->binary, head, sizeof(head));
    for (size_t i = 0; i < sizeof(order); i++) {
        put_customs(builder, order[i]);
        put_section(builder, (enum section)order[i]);
    }
    put_customs(builder, 0);
    if (builder->name_count > 0) {
        put_name_section(builder);
    }
    *length_bytes = builder->binary.length_bytes;
    return builder->binary.bytes;
}
