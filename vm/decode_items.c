/*
 * decode_items.c - types, imports and the definitions of all index spaces.
 *
 * An index space begins with what is imported; the import section makes
 * room for as many items of each kind as there are imports, the sections
 * behind it resize that to what is needed. Tables and memories are few, so
 * their arrays grow one by one.
 *
 * A count in the module is raised only when the item that it counts is
 * whole: after a failure gvm_module_destroy releases exactly those.
 */
#include "vm/decode.h"

/* ---- Types ----------------------------------------------------------- */

/* Types are kept where they stand: the binary's bytes are their codes. */
static enum gvm_status
decode_type_list(struct gvm__decoder *decoder, uint32_t max,
                 const char *limit, const uint8_t **types, uint32_t *count)
{
    struct gvm__reader *reader = &decoder->reader;
    enum gvm_value_type type;

    GVM__TRY(gvm__read_count(reader, 1, max, limit, count));
    *types = reader->at;
    for (uint32_t i = 0; i < *count; i++) {
        GVM__TRY(gvm__decode_value_type(decoder, &type));
    }
    return GVM_OK;
}

/* The byte 0x60, parameters, results. In 1.0 a function with more than one
 * result is well formed, yet invalid. */
static enum gvm_status
decode_func_type(struct gvm__decoder *decoder, struct gvm_func_type *type)
{
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at = reader->at;
    uint8_t form;

    GVM__TRY(gvm__read_byte(reader, &form));
    if (form != 0x60) {
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "malformed type: form 0x%02x", form);
    }
    GVM__TRY(decode_type_list(decoder, GVM_PARAMETERS_MAX,
                              "GVM_PARAMETERS_MAX", &type->parameters,
                              &type->parameter_count));
    at = reader->at;
    GVM__TRY(decode_type_list(decoder, GVM_RESULTS_MAX, "GVM_RESULTS_MAX",
                              &type->results, &type->result_count));
    if (type->result_count > 1) {
        if (!(decoder->module->features & GVM_FEATURE_MULTI_VALUE)) {
            return gvm__read_fail(reader, GVM_INVALID, at,
                                  "invalid result arity: %u results need "
                                  "the feature multi-value",
                                  type->result_count);
        }
        decoder->module->features_used |= GVM_FEATURE_MULTI_VALUE;
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode_types(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t count;

    /* A type takes three bytes at least: its form and two counts. */
    GVM__TRY(gvm__read_count(&decoder->reader, 3, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    GVM__TRY(gvm__decode_resize(decoder, &module->types,
                                sizeof(module->types[0]), 0, count));
    while (module->type_count < count) {
        struct gvm__type *type = &module->types[module->type_count];
        enum gvm_status status;

        GVM__TRY(decode_func_type(decoder, &type->func));
        status = gvm__engine_type_acquire(module->engine, &type->func,
                                          &type->id);
        if (status != GVM_OK) {
            return gvm__error_set(decoder->reader.err, status,
                                  GVM_NO_OFFSET, "no memory for a type");
        }
        /* Only types that count are released. */
        module->type_count++;
    }
    return GVM_OK;
}

/* ---- What imports and definitions have in common --------------------- */

/* A minimum and perhaps a maximum; the unit is the caller's. */
static enum gvm_status
decode_limits(struct gvm__decoder *decoder, struct gvm_limits *limits)
{
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at = reader->at;
    uint8_t flags;
    uint32_t min;
    uint32_t max = 0;

    GVM__TRY(gvm__read_byte(reader, &flags));
    if (flags > 1) {
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "malformed limits flags 0x%02x", flags);
    }
    GVM__TRY(gvm__read_u32(reader, &min));
    if (flags == 1) {
        GVM__TRY(gvm__read_u32(reader, &max));
        if (min > max) {
            return gvm__read_fail(reader, GVM_INVALID, at,
                                  "size minimum must not be greater than "
                                  "maximum");
        }
    }
    *limits = (struct gvm_limits){min, max, flags == 1};
    return GVM_OK;
}

/* Imported or defined. That a table's entries fit into memory is a matter
 * of the store that has to make it. */
static enum gvm_status
decode_table(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;
    struct gvm__table_type type;

    if (module->table_count == 1 &&
        !(module->features & GVM_FEATURE_REFERENCE_TYPES)) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "multiple tables need the feature "
                              "reference-types");
    }
    if (module->table_count == GVM_TABLES_MAX) {
        return gvm__read_fail(&decoder->reader, GVM_LIMIT, at,
                              "too many tables, GVM_TABLES_MAX is %u",
                              GVM_TABLES_MAX);
    }
    GVM__TRY(gvm__decode_ref_type(decoder, &type.element_type));
    GVM__TRY(decode_limits(decoder, &type.limits));
    /* The second one is what needs the feature. */
    if (module->table_count == 1) {
        module->features_used |= GVM_FEATURE_REFERENCE_TYPES;
    }
    GVM__TRY(gvm__decode_resize(decoder, &module->tables,
                                sizeof(module->tables[0]),
                                module->table_count,
                                module->table_count + 1));
    module->tables[module->table_count++] = type;
    return GVM_OK;
}

/* Imported or defined. The bound of 65,536 pages is the format's own. */
static enum gvm_status
decode_memory(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;
    struct gvm_limits limits;

    if (module->memory_count == GVM_MEMORIES_MAX) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "multiple memories");
    }
    GVM__TRY(decode_limits(decoder, &limits));
    if (limits.min > GVM_MEMORY_PAGES_MAX ||
        (limits.has_max && limits.max > GVM_MEMORY_PAGES_MAX)) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "memory size must be at most 65536 pages "
                              "(4GiB)");
    }
    GVM__TRY(gvm__decode_resize(decoder, &module->memories,
                                sizeof(module->memories[0]),
                                module->memory_count,
                                module->memory_count + 1));
    module->memories[module->memory_count++] = limits;
    return GVM_OK;
}

/* Appends to the globals; there is room for it. */
static enum gvm_status
decode_global_type(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    struct gvm__global_type type;
    uint8_t mutability;
    const uint8_t *at;

    GVM__TRY(gvm__decode_value_type(decoder, &type.type));
    at = decoder->reader.at;
    GVM__TRY(gvm__read_byte(&decoder->reader, &mutability));
    if (mutability > 1) {
        return gvm__read_fail(&decoder->reader, GVM_MALFORMED, at,
                              "malformed mutability 0x%02x", mutability);
    }
    type.mutable_ = mutability == 1;
    module->globals[module->global_count++] = type;
    return GVM_OK;
}

/* Appends to the functions; there is room for it. */
static enum gvm_status
decode_function_type(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;

    GVM__TRY(gvm__decode_index(
        decoder, module->type_count, "type",
        &module->function_types[module->function_count]));
    module->function_count++;
    return GVM_OK;
}

/* GVM_LIMIT when imports and definitions together are too many. */
static enum gvm_status
check_total(struct gvm__decoder *decoder, uint32_t imported, uint32_t count,
            const char *what)
{
    if (imported > GVM_ITEMS_MAX - count) {
        return gvm__read_fail(&decoder->reader, GVM_LIMIT,
                              decoder->reader.at,
                              "too many %s with the imported ones, "
                              "GVM_ITEMS_MAX is %u", what, GVM_ITEMS_MAX);
    }
    return GVM_OK;
}

/* ---- Imports --------------------------------------------------------- */

/* One import. Its item goes to the end of the index space of its kind. */
static enum gvm_status
decode_import(struct gvm__decoder *decoder, struct gvm__import *import)
{
    struct gvm_module *module = decoder->module;
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at;
    uint8_t kind;

    GVM__TRY(gvm__read_name(reader, &import->module,
                            &import->module_bytes));
    GVM__TRY(gvm__read_name(reader, &import->name, &import->name_bytes));
    at = reader->at;
    GVM__TRY(gvm__read_byte(reader, &kind));
    switch (kind) {
    case GVM_EXTERN_FUNC:
        import->index = module->function_count;
        GVM__TRY(decode_function_type(decoder));
        break;
    case GVM_EXTERN_TABLE:
        import->index = module->table_count;
        GVM__TRY(decode_table(decoder));
        break;
    case GVM_EXTERN_MEMORY:
        import->index = module->memory_count;
        GVM__TRY(decode_memory(decoder));
        break;
    case GVM_EXTERN_GLOBAL:
        import->index = module->global_count;
        GVM__TRY(decode_global_type(decoder));
        break;
    default:
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "malformed import kind 0x%02x", kind);
    }
    import->kind = (enum gvm_extern_kind)kind;
    return GVM_OK;
}

enum gvm_status
gvm__decode_imports(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t count;

    /* Two empty names, a kind and the shortest type. */
    GVM__TRY(gvm__read_count(&decoder->reader, 4, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    GVM__TRY(gvm__decode_resize(decoder, &module->imports,
                                sizeof(module->imports[0]), 0, count));
    GVM__TRY(gvm__decode_resize(decoder, &module->function_types,
                                sizeof(module->function_types[0]), 0,
                                count));
    GVM__TRY(gvm__decode_resize(decoder, &module->globals,
                                sizeof(module->globals[0]), 0, count));
    for (; module->import_count < count; module->import_count++) {
        GVM__TRY(decode_import(decoder,
                               &module->imports[module->import_count]));
    }
    module->imported_function_count = module->function_count;
    module->imported_table_count = module->table_count;
    module->imported_memory_count = module->memory_count;
    module->imported_global_count = module->global_count;
    return GVM_OK;
}

/* ---- Definitions ----------------------------------------------------- */

enum gvm_status
gvm__decode_functions(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t imported = module->imported_function_count;
    uint32_t count;

    /* Only their types: the bodies come in the code section. */
    GVM__TRY(gvm__read_count(&decoder->reader, 1, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    GVM__TRY(check_total(decoder, imported, count, "functions"));
    GVM__TRY(gvm__decode_resize(decoder, &module->function_types,
                                sizeof(module->function_types[0]), imported,
                                imported + count));
    while (module->function_count < imported + count) {
        GVM__TRY(decode_function_type(decoder));
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode_tables(struct gvm__decoder *decoder)
{
    uint32_t count;

    GVM__TRY(gvm__read_count(&decoder->reader, 3, GVM_TABLES_MAX,
                             "GVM_TABLES_MAX", &count));
    for (uint32_t i = 0; i < count; i++) {
        GVM__TRY(decode_table(decoder));
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode_memories(struct gvm__decoder *decoder)
{
    uint32_t count;

    /* A second one is invalid rather than over a limit of ours. */
    GVM__TRY(gvm__read_count(&decoder->reader, 2, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    for (uint32_t i = 0; i < count; i++) {
        GVM__TRY(decode_memory(decoder));
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode_globals(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t imported = module->imported_global_count;
    uint32_t count;

    /* A type, the mutability, and an expression of one byte at least. */
    GVM__TRY(gvm__read_count(&decoder->reader, 3, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    GVM__TRY(check_total(decoder, imported, count, "globals"));
    GVM__TRY(gvm__decode_resize(decoder, &module->globals,
                                sizeof(module->globals[0]), imported,
                                imported + count));
    GVM__TRY(gvm__decode_resize(decoder, &module->global_inits,
                                sizeof(module->global_inits[0]), 0, count));
    for (uint32_t i = 0; i < count; i++) {
        GVM__TRY(decode_global_type(decoder));
        GVM__TRY(gvm__decode_const_expr(decoder,
                                        module->globals[imported + i].type,
                                        &module->global_inits[i]));
    }
    return GVM_OK;
}

enum gvm_status
gvm__decode_start(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    const uint8_t *at = decoder->reader.at;
    const struct gvm__type *type;
    uint32_t function;

    GVM__TRY(gvm__decode_index(decoder, module->function_count, "function",
                               &function));
    type = gvm__module_function_type(module, function);
    if (type->func.parameter_count > 0 || type->func.result_count > 0) {
        return gvm__read_fail(&decoder->reader, GVM_INVALID, at,
                              "start function must take and give nothing");
    }
    module->start_function = function;
    return GVM_OK;
}

/* ---- Code ------------------------------------------------------------ */

/* Bodies are located, not read: gvm__validate reads them. */
enum gvm_status
gvm__decode_code(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    struct gvm__reader *reader = &decoder->reader;
    uint32_t imported = module->imported_function_count;
    const uint8_t *at = reader->at;

    GVM__TRY(gvm__read_count(reader, 2, GVM_ITEMS_MAX, "GVM_ITEMS_MAX",
                             &decoder->code_count));
    if (decoder->code_count != module->function_count - imported) {
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "function and code section have inconsistent "
                              "lengths");
    }
    GVM__TRY(gvm__decode_resize(decoder, &module->functions,
                                sizeof(module->functions[0]), 0,
                                decoder->code_count));
    for (uint32_t i = 0; i < decoder->code_count; i++) {
        struct gvm__function *function = &module->functions[i];
        struct gvm__reader body;
        uint32_t body_bytes;

        at = reader->at;
        GVM__TRY(gvm__read_u32(reader, &body_bytes));
        GVM__TRY(gvm__read_part(reader, body_bytes, &body));
        if (body_bytes > GVM_BODY_BYTES_MAX) {
            return gvm__read_fail(reader, GVM_LIMIT, at,
                                  "a function body of %u bytes, "
                                  "GVM_BODY_BYTES_MAX is %u", body_bytes,
                                  GVM_BODY_BYTES_MAX);
        }
        function->module = module;
        function->index = imported + i;
        function->type = module->function_types[imported + i];
        function->body_offset = (uint32_t)(body.at - body.start);
        function->body_bytes = body_bytes;
    }
    return GVM_OK;
}
