/*
 * snapshot_file.c - snapshots as bytes: saving them, and loading what may
 * have been saved.
 *
 * The bytes are little-endian numbers of 4 bytes, unless said otherwise:
 *
 *     "gvms", the format (1), the bytes of a page of the system
 *     how many memories, tables, mutable globals, element segments and data
 *         segments the module has of its own
 *     a bit for each element segment, then for each data segment (dropped)
 *     each mutable global: 8 bytes
 *     each table: its size (8 bytes), then its entries
 *     each memory: its pages (8 bytes), how many runs of pages of the system
 *         are not all zero, each run's first page and their count, and then
 *         the runs' bytes, one behind the other
 *
 * References are frozen as in snapshot.h, and those of the host's are null.
 *
 * Nothing that is loaded is trusted. A number that is out of its range, or a
 * byte too few or too many, is malformed; so is a size that is smaller than
 * the module says, since code may rely on that, or a reference to a function
 * that has no object.
 *
 * Any thread may call.
 */
#include "vm/reader.h"
#include "vm/snapshot.h"

#include <stdlib.h>
#include <string.h>

#define FORMAT 1u
static const char magic[4] = {'g', 'v', 'm', 's'};

/* ---- Saving ---------------------------------------------------------- */

struct sink {
    bool (*write)(void *data, const void *bytes, size_t length_bytes);
    void *data;
    bool refused;
    size_t used_bytes;
    uint8_t buffer[4096];
};

static void
flush(struct sink *sink)
{
    if (sink->used_bytes > 0 && !sink->refused)
        sink->refused =
            !sink->write(sink->data, sink->buffer, sink->used_bytes);
    sink->used_bytes = 0;
}

static void
put_bytes(struct sink *sink, const void *bytes, size_t length_bytes)
{
    if (length_bytes > sizeof(sink->buffer) - sink->used_bytes)
        flush(sink);
    if (length_bytes > sizeof(sink->buffer)) {
        if (!sink->refused)
            sink->refused = !sink->write(sink->data, bytes, length_bytes);
        return;
    }
    if (length_bytes > 0)
        memcpy(sink->buffer + sink->used_bytes, bytes, length_bytes);
    sink->used_bytes += length_bytes;
}

static void
put_number(struct sink *sink, uint64_t number, size_t length_bytes)
{
    uint8_t bytes[8];
    size_t i;

    for (i = 0; i < length_bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
    put_bytes(sink, bytes, length_bytes);
}

static void
save_memory(struct sink *sink, const struct gvm__image *image)
{
    uint64_t page_bytes = gvm__pages_size();
    uint32_t i;

    put_number(sink, image->pages, 8);
    put_number(sink, image->content.run_count, 4);
    for (i = 0; i < image->content.run_count; i++) {
        put_number(sink, image->content.runs[i].first, 4);
        put_number(sink, image->content.runs[i].count, 4);
    }
    for (i = 0; i < image->content.run_count && !sink->refused; i++) {
        struct gvm__page_run run = image->content.runs[i];

        put_bytes(sink,
                  image->bytes + (run.first * page_bytes -
                                  image->start_bytes),
                  (size_t)(run.count * page_bytes));
    }
}

static enum gvm_status
check_reference(unsigned type, union gvm_value frozen, struct gvm_error *err)
{
    if (type != GVM_EXTERNREF || frozen.externref == NULL)
        return GVM_OK;
    return gvm__error_set(err, GVM_BAD_ARGUMENT, GVM_NO_OFFSET,
                          "references of the host's cannot be saved");
}

static enum gvm_status
save_globals_and_tables(struct sink *sink,
                        const struct gvm_snapshot *snapshot,
                        struct gvm_error *err)
{
    const struct gvm_module *module = snapshot->module;
    uint32_t i;
    uint64_t j;

    for (i = 0; i < snapshot->global_count; i++) {
        const struct gvm__frozen_global *global = &snapshot->globals[i];
        uint32_t index = module->imported_global_count + global->index;

        GVM__TRY(check_reference(module->globals[index].type, global->value,
                            err));
        put_number(sink, global->value.slot, 8);
    }
    for (i = 0; i < module->table_count; i++) {
        const struct gvm__frozen_table *table = &snapshot->tables[i];

        put_number(sink, table->size, 8);
        for (j = 0; j < table->size && !sink->refused; j++) {
            GVM__TRY(check_reference(module->tables[i].element_type,
                                table->entries[j], err));
            put_number(sink, table->entries[j].slot, 4);
        }
    }
    return GVM_OK;
}

enum gvm_status
gvm_snapshot_save(const struct gvm_snapshot *snapshot,
                  bool (*write)(void *data, const void *bytes,
                                size_t length_bytes),
                  void *data, struct gvm_error *err)
{
    const struct gvm_module *module = snapshot->module;
    struct sink sink = {.write = write, .data = data};
    uint32_t i;

    put_bytes(&sink, magic, sizeof(magic));
    put_number(&sink, FORMAT, 4);
    put_number(&sink, gvm__pages_size(), 4);
    put_number(&sink, module->memory_count, 4);
    put_number(&sink, module->table_count, 4);
    put_number(&sink, snapshot->global_count, 4);
    put_number(&sink, module->element_count, 4);
    put_number(&sink, module->data_count, 4);
    put_bytes(&sink, snapshot->elements_dropped,
              gvm__bits_bytes(module->element_count));
    put_bytes(&sink, snapshot->datas_dropped,
              gvm__bits_bytes(module->data_count));
    GVM__TRY(save_globals_and_tables(&sink, snapshot, err));
    for (i = 0; i < module->memory_count; i++)
        save_memory(&sink, &snapshot->memories[i]);
    flush(&sink);
    if (sink.refused)
        return gvm__error_set(err, GVM_LIMIT, GVM_NO_OFFSET,
                              "no room for the whole snapshot");
    return GVM_OK;
}

/* ---- Loading --------------------------------------------------------- */

/* What is left of the bytes, and what of the totals. */
struct source {
    const uint8_t *start;
    const uint8_t *at;
    const uint8_t *end;
    uint64_t table_entries_left;
    uint64_t memory_bytes_left;
    struct gvm_error *err;
};

static enum gvm_status
malformed(const struct source *source, const char *what)
{
    return gvm__error_set(source->err, GVM_MALFORMED,
                          (uint64_t)(source->at - source->start),
                          "malformed snapshot: %s", what);
}

static enum gvm_status
past_limit(const struct source *source, const char *what)
{
    return gvm__error_set(source->err, GVM_LIMIT,
                          (uint64_t)(source->at - source->start),
                          "a snapshot of more %s than the store may have",
                          what);
}

static enum gvm_status
no_memory(const struct source *source)
{
    return gvm__error_set(source->err, GVM_NO_MEMORY, GVM_NO_OFFSET,
                          "no memory for a snapshot");
}

static uint64_t
left_bytes(const struct source *source)
{
    return (uint64_t)(source->end - source->at);
}

/* Points `bytes` at the next `length_bytes` bytes. */
static enum gvm_status
take_bytes(struct source *source, uint64_t length_bytes,
           const uint8_t **bytes)
{
    if (length_bytes > left_bytes(source)) {
        malformed(source, "it is too short");
        return GVM_MALFORMED; /* known not to be GVM_OK when inlined */
    }
    *bytes = source->at;
    source->at += length_bytes;
    return GVM_OK;
}

static enum gvm_status
take_number(struct source *source, unsigned length_bytes, uint64_t *number)
{
    const uint8_t *bytes;
    uint64_t value = 0;
    unsigned i;

    GVM__TRY(take_bytes(source, length_bytes, &bytes));
    for (i = 0; i < length_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    *number = value;
    return GVM_OK;
}

/* A number that can only be this one. */
static enum gvm_status
expect(struct source *source, uint64_t wanted, const char *what)
{
    uint64_t number;

    GVM__TRY(take_number(source, 4, &number));
    return number == wanted ? GVM_OK : malformed(source, what);
}

static uint32_t
mutable_globals(const struct gvm_module *module)
{
    uint32_t count = 0;
    uint32_t i;

    for (i = module->imported_global_count; i < module->global_count; i++)
        count += module->globals[i].mutable_;
    return count;
}

static enum gvm_status
load_head(struct source *source, const struct gvm_module *module)
{
    static const char other[] = "it is another module's";
    const uint8_t *bytes;

    GVM__TRY(take_bytes(source, sizeof(magic), &bytes));
    if (memcmp(bytes, magic, sizeof(magic)) != 0)
        return malformed(source, "it is none");
    GVM__TRY(expect(source, FORMAT, "its format is another version's"));
    GVM__TRY(expect(source, gvm__pages_size(),
               "it was made where pages have another size"));
    GVM__TRY(expect(source, module->memory_count, other));
    GVM__TRY(expect(source, module->table_count, other));
    GVM__TRY(expect(source, mutable_globals(module), other));
    GVM__TRY(expect(source, module->element_count, other));
    return expect(source, module->data_count, other);
}

/* One bit for each of `count` segments, and no others. */
static enum gvm_status
load_bits(struct source *source, uint32_t count, uint8_t *bits)
{
    size_t length_bytes = gvm__bits_bytes(count);
    const uint8_t *bytes;

    GVM__TRY(take_bytes(source, length_bytes, &bytes));
    if (count % 8 != 0 && bytes[length_bytes - 1] >> (count % 8) != 0)
        return malformed(source, "bits of segments that there are not");
    if (length_bytes > 0)
        memcpy(bits, bytes, length_bytes);
    return GVM_OK;
}

/* Whether a value of that type can be frozen as this number. */
static bool
is_value(const struct gvm_module *module, unsigned type, uint64_t number)
{
    switch (type) {
    case GVM_I32:
    case GVM_F32:
        return number <= UINT32_MAX;
    case GVM_FUNCREF:
        return number == 0 ||
               (number <= module->function_count &&
                gvm__module_has_object(module, (uint32_t)number - 1));
    case GVM_EXTERNREF:
        return number == 0;
    default:
        return true;
    }
}

static enum gvm_status
load_globals(struct source *source, struct gvm_snapshot *snapshot)
{
    const struct gvm_module *module = snapshot->module;
    uint32_t i;

    for (i = module->imported_global_count; i < module->global_count; i++) {
        struct gvm__frozen_global *frozen =
            &snapshot->globals[snapshot->global_count];

        if (!module->globals[i].mutable_)
            continue;
        frozen->index = i - module->imported_global_count;
        GVM__TRY(take_number(source, 8, &frozen->value.slot));
        if (!is_value(module, module->globals[i].type,
                      frozen->value.slot))
            return malformed(source, "a global cannot have its value");
        snapshot->global_count++;
    }
    return GVM_OK;
}

static bool
is_inside(const struct gvm_limits *limits, uint64_t size)
{
    return size >= limits->min && (!limits->has_max || size <= limits->max);
}

static enum gvm_status
load_table(struct source *source, const struct gvm_snapshot *snapshot,
           uint32_t index)
{
    const struct gvm_module *module = snapshot->module;
    struct gvm__frozen_table *table = &snapshot->tables[index];
    uint64_t size, i;

    GVM__TRY(take_number(source, 8, &size));
    if (size > GVM_TABLE_ENTRIES_MAX ||
        !is_inside(&module->tables[index].limits, size))
        return malformed(source, "a table cannot be so long");
    if (size > left_bytes(source) / 4)
        return malformed(source, "it is too short");
    if (size > source->table_entries_left)
        return past_limit(source, "table entries");
    source->table_entries_left -= size;
    table->entries = calloc((size_t)size + 1, sizeof(*table->entries));
    if (table->entries == NULL)
        return no_memory(source);
    table->size = size;
    for (i = 0; i < size; i++) {
        GVM__TRY(take_number(source, 4, &table->entries[i].slot));
        if (!is_value(module, module->tables[index].element_type,
                      table->entries[i].slot))
            return malformed(source, "a table cannot hold such a reference");
    }
    return GVM_OK;
}

/* Runs of pages below `page_count`, ascending with gaps between them. */
static enum gvm_status
load_runs(struct source *source, uint64_t page_count,
          struct gvm__page_list *content)
{
    uint64_t run_count, first, count, i;
    uint64_t behind = 0; /* the run before, and the gap */

    GVM__TRY(take_number(source, 4, &run_count));
    for (i = 0; i < run_count; i++) {
        GVM__TRY(take_number(source, 4, &first));
        GVM__TRY(take_number(source, 4, &count));
        if (count == 0 || first < behind || first + count > page_count)
            return malformed(source, "its pages are none of the memory's");
        behind = first + count + 1;
        if (gvm__pages_append(content, first, count) != GVM_OK)
            return no_memory(source);
    }
    return GVM_OK;
}

static enum gvm_status
load_memory(struct source *source, const struct gvm_snapshot *snapshot,
            uint32_t index, struct gvm__page_list *content)
{
    const struct gvm_module *module = snapshot->module;
    uint64_t page_bytes = gvm__pages_size();
    const uint8_t *bytes;
    uint64_t pages;

    GVM__TRY(take_number(source, 8, &pages));
    if (pages > GVM_MEMORY_PAGES_MAX ||
        !is_inside(&module->memories[index], pages))
        return malformed(source, "a memory cannot be so long");
    if (pages * GVM__PAGE_BYTES > source->memory_bytes_left)
        return past_limit(source, "memory");
    source->memory_bytes_left -= pages * GVM__PAGE_BYTES;
    GVM__TRY(load_runs(source, pages * GVM__PAGE_BYTES / page_bytes, content));
    GVM__TRY(take_bytes(source, content->page_count * page_bytes, &bytes));
    if (gvm__image_load(gvm__engine_images(module->engine), pages, content,
                        bytes, &snapshot->memories[index]) != GVM_OK)
        return no_memory(source);
    return GVM_OK;
}

static enum gvm_status
load(struct source *source, struct gvm_snapshot *snapshot)
{
    const struct gvm_module *module = snapshot->module;
    uint32_t i;

    GVM__TRY(load_head(source, module));
    GVM__TRY(load_bits(source, module->element_count,
                  snapshot->elements_dropped));
    GVM__TRY(load_bits(source, module->data_count, snapshot->datas_dropped));
    GVM__TRY(load_globals(source, snapshot));
    for (i = 0; i < module->table_count; i++)
        GVM__TRY(load_table(source, snapshot, i));
    for (i = 0; i < module->memory_count; i++) {
        struct gvm__page_list content = {0};
        enum gvm_status status =
            load_memory(source, snapshot, i, &content);

        gvm__pages_deinit(&content);
        GVM__TRY(status);
    }
    return source->at == source->end ? GVM_OK
                                     : malformed(source, "it is too long");
}

enum gvm_status
gvm_snapshot_load(struct gvm_module *module,
                  const struct gvm_store_options *options,
                  const uint8_t *bytes, size_t length_bytes,
                  struct gvm_snapshot **snapshot, struct gvm_error *err)
{
    struct gvm_store_options complete = gvm__store_options(options);
    struct source source = {
        .start = bytes,
        .at = bytes,
        .end = bytes + length_bytes,
        .table_entries_left = complete.table_entries_max,
        .memory_bytes_left = complete.memory_bytes_max,
        .err = err,
    };
    struct gvm_snapshot *loaded;
    enum gvm_status status;

    /* Nothing can have been saved. */
    if (gvm__snapshot_hindrance(module) != NULL)
        return malformed(&source, "it is another module's");
    loaded = gvm__snapshot_allocate(module);
    status = loaded != NULL ? load(&source, loaded) : no_memory(&source);
    if (status != GVM_OK) {
        gvm_snapshot_destroy(loaded);
        return status;
    }
    *snapshot = loaded;
    return GVM_OK;
}
