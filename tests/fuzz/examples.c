/*
 * examples.c - see examples.h.
 */
#include "tests/fuzz/examples.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/module_builder.h"
#include "tests/support/whole_file.h"

#define NO_MAX MODULE_BUILDER_NO_MAX

static struct example *
add(struct examples *examples, const char *name)
{
    struct example *example = &examples->list[examples->count];

    ck_assert_uint_lt(examples->count, EXAMPLES_MAX);
    examples->count++;
    snprintf(example->name, sizeof(example->name), "%s", name);
    return example;
}

/* Takes what the builder holds, and destroys it. */
static void
add_built(struct examples *examples, const char *name,
          struct module_builder *builder)
{
    struct example *example = add(examples, name);
    const uint8_t *bytes =
        module_builder_finish(builder, &example->length_bytes);

    example->bytes = malloc(example->length_bytes);
    ck_assert_ptr_nonnull(example->bytes);
    memcpy(example->bytes, bytes, example->length_bytes);
    module_builder_destroy(builder);
}

/* ---- Made modules ---------------------------------------------------- */

/* WebAssembly 1.0: all sections, loops, tables, memory, a start function. */
static struct module_builder *
build_first(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sum;
    uint32_t pick;

    module_builder_import_func(builder, "env", "now", ":l");
    module_builder_import_global(builder, "env", "base", 'i', false);
    module_builder_import_memory(builder, "env", "memory", 1, 4);
    /* sum: adds the bytes 0..99 of memory in a loop */
    sum = module_builder_func(
        builder, ":i", "ii",
        BYTES(0x03, 0x40, 0x20, 1, 0x20, 0, 0x2d, 0, 0, 0x6a, 0x21, 1, 0x20,
              0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 0xe4, 0, 0x48, 0x0d, 0, 0x0b,
              0x20, 1, 0x0b));
    /* pick: a br_table over nested blocks */
    pick = module_builder_func(
        builder, ":i", "",
        BYTES(0x02, 0x40, 0x02, 0x40, 0x02, 0x40, 0x10, 0, 0xa7, 0x41, 3,
              0x71, 0x0e, 3, 0, 1, 2, 1, 0x0b, 0x41, 1, 0x0f, 0x0b, 0x41, 2,
              0x0f, 0x0b, 0x41, 3, 0x0b));
    /* stores, floats, an if with results, a call through the table */
    module_builder_func(
        builder, ":", "d",
        BYTES(0x44, 0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 0x22, 0, 0x9f, 0x44, 0, 0,
              0, 0, 0, 0, 0, 0x40, 0x63, 0x04, 0x7f, 0x41, 8, 0x05, 0x41, 16,
              0x0b, 0x20, 0, 0x39, 3, 8, 0x41, 1, 0x11, 1, 0, 0x1a, 0x41, 0,
              0x24, 1, 0x0b));
    /* fac, recursive */
    module_builder_func(builder, "l:l", "",
                        BYTES(0x20, 0, 0x50, 0x04, 0x7e, 0x42, 1, 0x05, 0x20,
                              0, 0x20, 0, 0x42, 1, 0x7d, 0x10, 4, 0x7e, 0x0b,
                              0x0b));
    module_builder_func(builder, ":l", "", BYTES(0x42, 20, 0x10, 4, 0x0b));
    module_builder_table(builder, 'r', 2, 4);
    module_builder_global(builder, 'i', true, BYTES(0x23, 0, 0x0b));
    module_builder_export(builder, "sum", GVM_EXTERN_FUNC, sum);
    module_builder_export(builder, "pick", GVM_EXTERN_FUNC, pick);
    module_builder_export(builder, "fac20", GVM_EXTERN_FUNC, 5);
    module_builder_export(builder, "table", GVM_EXTERN_TABLE, 0);
    module_builder_start(builder, 3);
    module_builder_elements(builder, 0, (const uint32_t[]){sum, pick}, 2);
    module_builder_data(builder, 16, "some bytes to add", 17);
    module_builder_name(builder, sum, "sum");
    module_builder_name(builder, pick, "pick");
    return builder;
}

/* What came later: all kinds of segments, references, bulk operations,
 * several results, saturation, sign extension. */
static struct module_builder *
build_second(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t function;

    module_builder_type(builder, ":ii");
    module_builder_type(builder, "ii:i");
    module_builder_import_func(builder, "env", "pair", ":ii");
    module_builder_import_table(builder, "env", "things", 'x', 4, NO_MAX);
    /* several results, through a block with parameters */
    function = module_builder_func(
        builder, ":i", "",
        BYTES(0x10, 0, 0x02, 1, 0x6a, 0x0b, 0xc0, 0xb2, 0xfc, 0, 0x0b));
    module_builder_export(builder, "several", GVM_EXTERN_FUNC, function);
    /* memory.init, copy, fill, data.drop, grow */
    function = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 0, 0x41, 4, 0xfc, 8, 1, 0, 0x41, 50, 0x41, 0,
              0x41, 8, 0xfc, 10, 0, 0, 0x41, 40, 0x41, 7, 0x41, 33, 0xfc,
              11, 0, 0xfc, 9, 1, 0x41, 1, 0x40, 0, 0x3f, 0, 0x6a, 0x0b));
    module_builder_export(builder, "bulk", GVM_EXTERN_FUNC, function);
    /* table.init, copy, grow, fill, get, set, size, elem.drop, ref.* */
    function = module_builder_func(
        builder, ":i", "x",
        BYTES(0x41, 0, 0x41, 0, 0x41, 2, 0xfc, 12, 1, 1, 0x41, 2, 0x41, 0,
              0x41, 2, 0xfc, 14, 1, 1, 0xfc, 13, 1, 0xd2, 1, 0x41, 3, 0xfc,
              15, 1, 0x1a, 0x41, 0, 0xd0, 0x70, 0x41, 1, 0xfc, 17, 1, 0x41,
              1, 0x20, 0, 0x26, 0, 0x41, 1, 0x25, 0, 0xd1, 0xfc, 16, 1, 0x6a,
              0x0b));
    module_builder_export(builder, "tables", GVM_EXTERN_FUNC, function);
    /* a call through table 1, its index in five bytes; typed select */
    function = module_builder_func(
        builder, ":x", "x",
        BYTES(0x41, 5, 0x11, 0, 0x81, 0x80, 0x80, 0x80, 0, 0x1a, 0x1a, 0x20,
              0, 0x20, 0, 0x41, 1, 0x1c, 1, 0x6f, 0x0b));
    module_builder_export(builder, "through", GVM_EXTERN_FUNC, function);
    module_builder_table(builder, 'r', 6, 20);
    module_builder_memory(builder, 1, 3);
    module_builder_global(builder, 'r', true, BYTES(0xd2, 1, 0x0b));
    module_builder_elements_raw(
        builder, BYTES(6, 1, 0x41, 5, 0x0b, 0x70, 1, 0xd2, 0, 0x0b));
    module_builder_elements_raw(builder, BYTES(1, 0, 2, 1, 2));
    module_builder_elements_raw(builder, BYTES(3, 0, 1, 3));
    module_builder_elements_raw(builder,
                                BYTES(5, 0x6f, 1, 0xd0, 0x6f, 0x0b));
    module_builder_data(builder, 300, "active", 6);
    module_builder_data_passive(builder, "passive", 7);
    module_builder_custom(builder, 7, "producers", BYTES(0));
    return builder;
}

/* ---- Files ----------------------------------------------------------- */

static void
add_file(struct examples *examples, const char *directory, const char *name)
{
    struct example *example = add(examples, name);
    char path[4096];

    snprintf(path, sizeof(path), "%s/%s", directory, name);
    example->bytes = whole_file_read(path, &example->length_bytes);
}

static int
is_module(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);

    return length > 5 && strcmp(entry->d_name + length - 5, ".wasm") == 0;
}

void
examples_init(struct examples *examples, const char *directory)
{
    struct dirent **entries;
    int count;

    examples->count = 0;
    add_built(examples, "first", build_first());
    add_built(examples, "second", build_second());
    count = directory != NULL
                ? scandir(directory, &entries, is_module, alphasort)
                : -1;
    if (count < 0) {
        return; /* the build has no such modules */
    }
    for (int i = 0; i < count; i++) {
        add_file(examples, directory, entries[i]->d_name);
        free(entries[i]);
    }
    free(entries);
}

void
examples_deinit(struct examples *examples)
{
    for (unsigned i = 0; i < examples->count; i++) {
        free(examples->list[i].bytes);
    }
    examples->count = 0;
}
