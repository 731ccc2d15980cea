/*
 * export.c - the exports of a module: decoding, order, search.
 *
 * Names are sorted by length, then by bytes. Sorting merges runs of the
 * array, so it takes at most log2(count) passes over the bytes of all names
 * whatever they are, and searching at most log2(count) comparisons.
 *
 * Decoding is single-threaded; any thread may search a finished module.
 */
#include <stdlib.h>
#include <string.h>

#include "vm/decode.h"

/* Less than, equal to or greater than zero, as memcmp. */
static int
compare_names(const char *a, size_t a_bytes, const char *b, size_t b_bytes)
{
    if (a_bytes != b_bytes) {
        return a_bytes < b_bytes ? -1 : 1;
    }
    return memcmp(a, b, a_bytes);
}

static int
compare_exports(const struct gvm__export *a, const struct gvm__export *b)
{
    return compare_names(a->name, a->name_bytes, b->name, b->name_bytes);
}

/* Merges the sorted runs [from, middle) and [middle, to). */
static void
merge_runs(const struct gvm__export *exports, const uint32_t *source,
           uint32_t *target, size_t from, size_t middle, size_t to)
{
    size_t left = from;
    size_t right = middle;

    for (size_t at = from; at < to; at++) {
        if (right == to ||
            (left < middle && compare_exports(&exports[source[left]],
                                              &exports[source[right]]) <=
                                  0)) {
            target[at] = source[left++];
        } else {
            target[at] = source[right++];
        }
    }
}

/* Sorts `order` with `spare` as room; gives the one that is sorted. */
static uint32_t *
sort_exports(const struct gvm__export *exports, uint32_t *order,
             uint32_t *spare, size_t count)
{
    for (size_t run = 1; run < count; run *= 2) {
        uint32_t *sorted = spare;

        for (size_t from = 0; from < count; from += 2 * run) {
            size_t middle = from + run < count ? from + run : count;
            size_t to = middle + run < count ? middle + run : count;

            merge_runs(exports, order, spare, from, middle, to);
        }
        spare = order;
        order = sorted;
    }
    return order;
}

/* Sorts the exports and refuses names that are there twice. */
static enum gvm_status
order_exports(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    const struct gvm__export *exports = module->exports;
    uint32_t count = module->export_count;
    uint32_t *spare = NULL;
    uint32_t *sorted;

    GVM__TRY(gvm__decode_resize(decoder, &module->exports_by_name,
                                sizeof(uint32_t), 0, count));
    GVM__TRY(gvm__decode_resize(decoder, &spare, sizeof(uint32_t), 0,
                                count));
    for (uint32_t i = 0; i < count; i++) {
        module->exports_by_name[i] = i;
    }
    /* The passes alternate between the two arrays; the module keeps the one
     * that came out sorted. */
    sorted = sort_exports(exports, module->exports_by_name, spare, count);
    if (sorted == spare) {
        spare = module->exports_by_name;
        module->exports_by_name = sorted;
    }
    free(spare);

    /* Names that are equal have become neighbours, in their old order. */
    for (uint32_t i = 1; i < count; i++) {
        const struct gvm__export *export = &exports[sorted[i]];

        if (compare_exports(&exports[sorted[i - 1]], export) == 0) {
            return gvm__read_fail(&decoder->reader, GVM_INVALID,
                                  (const uint8_t *)export->name,
                                  "duplicate export name");
        }
    }
    return GVM_OK;
}

/* One export; a function that is exported may be referred to. */
static enum gvm_status
decode_export(struct gvm__decoder *decoder, struct gvm__export *export)
{
    const struct gvm_module *module = decoder->module;
    const struct {
        uint32_t count;
        const char *what;
    } spaces[] = {
        [GVM_EXTERN_FUNC] = {module->function_count, "function"},
        [GVM_EXTERN_TABLE] = {module->table_count, "table"},
        [GVM_EXTERN_MEMORY] = {module->memory_count, "memory"},
        [GVM_EXTERN_GLOBAL] = {module->global_count, "global"},
    };
    struct gvm__reader *reader = &decoder->reader;
    const uint8_t *at;
    uint8_t kind;

    GVM__TRY(gvm__read_name(reader, &export->name, &export->name_bytes));
    at = reader->at;
    GVM__TRY(gvm__read_byte(reader, &kind));
    if (kind >= sizeof(spaces) / sizeof(spaces[0])) {
        return gvm__read_fail(reader, GVM_MALFORMED, at,
                              "malformed export kind 0x%02x", kind);
    }
    export->kind = (enum gvm_extern_kind)kind;
    GVM__TRY(gvm__decode_index(decoder, spaces[kind].count,
                               spaces[kind].what, &export->index));
    return kind == GVM_EXTERN_FUNC
               ? gvm__decode_declare(decoder, export->index)
               : GVM_OK;
}

enum gvm_status
gvm__decode_exports(struct gvm__decoder *decoder)
{
    struct gvm_module *module = decoder->module;
    uint32_t count;

    GVM__TRY(gvm__read_count(&decoder->reader, 3, GVM_ITEMS_MAX,
                             "GVM_ITEMS_MAX", &count));
    GVM__TRY(gvm__decode_resize(decoder, &module->exports,
                                sizeof(module->exports[0]), 0, count));
    for (; module->export_count < count; module->export_count++) {
        GVM__TRY(decode_export(decoder,
                               &module->exports[module->export_count]));
    }
    return order_exports(decoder);
}

const struct gvm__export *
gvm__module_export_find(const struct gvm_module *module, const char *name,
                        size_t name_bytes)
{
    uint32_t low = 0;
    uint32_t high = module->export_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct gvm__export *export =
            &module->exports[module->exports_by_name[middle]];
        int order = compare_names(name, name_bytes, export->name,
                                  export->name_bytes);

        if (order == 0) {
            return export;
        }
        if (order < 0) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    return NULL;
}
