/*
 * check_decode_items.c - tests of vm/decode_items.c: types, imports and the
 * definitions of all index spaces.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0
#define NO_MAX MODULE_BUILDER_NO_MAX

enum {
    TYPE = 1,
    IMPORT = 2,
    FUNCTION = 3,
    TABLE = 4,
    MEMORY = 5,
    GLOBAL = 6,
    START = 8,
    CODE = 10,
};

/* A module of one section with this content. */
struct section_case {
    uint8_t id;
    uint32_t features;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t content[24];
};

static void
check_section(const struct section_case *row)
{
    struct module_builder *builder = module_builder_create();

    module_builder_set_content(builder, row->id, row->content,
                               row->length_bytes);
    load_case_builder(builder, row->features, row->status, row->message);
}

/* A section of `count` times the same item. */
static void
set_repeated(struct module_builder *builder, uint8_t id, uint32_t count,
             const uint8_t *item, size_t item_bytes)
{
    struct byte_buffer content = {0};

    byte_buffer_put_unsigned(&content, count);
    for (uint32_t i = 0; i < count; i++) {
        byte_buffer_put(&content, item, item_bytes);
    }
    module_builder_set_content(builder, id, content.bytes,
                               content.length_bytes);
    byte_buffer_deinit(&content);
}

/* ---- Types ----------------------------------------------------------- */

static const struct section_case types[] = {
    {TYPE, MVP, GVM_OK, "", 4, {1, 0x60, 0, 0}},
    {TYPE, MVP, GVM_OK, "", 8,
     {1, 0x60, 4, 0x7f, 0x7e, 0x7d, 0x7c, 0}},
    {TYPE, MVP, GVM_OK, "", 5, {1, 0x60, 0, 1, 0x7f}},
    {TYPE, MVP, GVM_MALFORMED, "malformed type: form 0x40", 4,
     {1, 0x40, 0, 0}},
    {TYPE, MVP, GVM_MALFORMED, "malformed value type 0x40", 5,
     {1, 0x60, 1, 0x40, 0}},
    {TYPE, ALL, GVM_MALFORMED, "malformed value type 0x7b", 5,
     {1, 0x60, 1, 0x7b, 0}},
    {TYPE, ALL, GVM_MALFORMED, "malformed value type 0x00", 5,
     {1, 0x60, 0, 1, 0x00}},
    {TYPE, ALL, GVM_OK, "", 6, {1, 0x60, 1, 0x70, 1, 0x6f}},
    {TYPE, MVP, GVM_MALFORMED,
     "malformed value type: needs the feature reference-types", 5,
     {1, 0x60, 1, 0x70, 0}},
    {TYPE, MVP, GVM_MALFORMED,
     "malformed value type: needs the feature reference-types", 5,
     {1, 0x60, 0, 1, 0x6f}},
    {TYPE, ALL, GVM_OK, "", 6, {1, 0x60, 0, 2, 0x7f, 0x7f}},
    {TYPE, MVP, GVM_INVALID, "invalid result arity: 2 results", 6,
     {1, 0x60, 0, 2, 0x7f, 0x7f}},
    {TYPE, MVP, GVM_MALFORMED, "length out of bounds", 3, {1, 0x60, 0}},
    {TYPE, MVP, GVM_MALFORMED, "length out of bounds", 4,
     {1, 0x60, 2, 0x7f}},
};

START_TEST(types_are_functions_of_value_types)
{
    check_section(&types[_i]);
}
END_TEST

START_TEST(a_thousand_parameters_or_results_are_the_most)
{
    static const struct {
        uint32_t parameter_count, result_count;
        enum gvm_status status;
        const char *message;
    } rows[] = {
        {GVM_PARAMETERS_MAX, GVM_RESULTS_MAX, GVM_OK, ""},
        {GVM_PARAMETERS_MAX + 1, 0, GVM_LIMIT,
         "a vector of 1001 items, GVM_PARAMETERS_MAX is 1000"},
        {0, GVM_RESULTS_MAX + 1, GVM_LIMIT,
         "a vector of 1001 items, GVM_RESULTS_MAX is 1000"},
    };
    uint8_t codes[GVM_PARAMETERS_MAX + 1];

    memset(codes, GVM_I64, sizeof(codes));
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct module_builder *builder = module_builder_create();
        struct byte_buffer content = {0};

        byte_buffer_put(&content, BYTES(1, 0x60));
        byte_buffer_put_vector(&content, codes, rows[i].parameter_count);
        byte_buffer_put_vector(&content, codes, rows[i].result_count);
        module_builder_set_content(builder, TYPE, content.bytes,
                                   content.length_bytes);
        byte_buffer_deinit(&content);
        load_case_builder(builder, ALL, rows[i].status, rows[i].message);
    }
}
END_TEST

/* ---- Imports --------------------------------------------------------- */

static const struct section_case imports[] = {
    {IMPORT, MVP, GVM_OK, "", 1, {0}},
    {IMPORT, MVP, GVM_INVALID, "unknown type 0", 7,
     {1, 1, 'm', 1, 'n', 0, 0}},
    {IMPORT, MVP, GVM_OK, "", 9,
     {1, 1, 'm', 1, 'n', 1, 0x70, 0, 0}},
    {IMPORT, MVP, GVM_OK, "", 8, {1, 1, 'm', 1, 'n', 2, 0, 0}},
    {IMPORT, MVP, GVM_OK, "", 8, {1, 1, 'm', 1, 'n', 3, 0x7c, 0}},
    {IMPORT, MVP, GVM_OK, "", 8, {1, 1, 'm', 1, 'n', 3, 0x7c, 1}},
    {IMPORT, MVP, GVM_MALFORMED, "malformed mutability 0x02", 8,
     {1, 1, 'm', 1, 'n', 3, 0x7c, 2}},
    {IMPORT, MVP, GVM_MALFORMED, "malformed import kind 0x04", 8,
     {1, 1, 'm', 1, 'n', 4, 0, 0}},
    {IMPORT, ALL, GVM_MALFORMED, "malformed import kind 0xff", 8,
     {1, 1, 'm', 1, 'n', 0xff, 0, 0}},
    {IMPORT, ALL, GVM_MALFORMED, "malformed UTF-8 encoding", 8,
     {1, 1, 0xff, 1, 'n', 2, 0, 0}},
    {IMPORT, ALL, GVM_MALFORMED, "malformed UTF-8 encoding", 8,
     {1, 1, 'm', 1, 0xff, 2, 0, 0}},
};

START_TEST(imports_have_a_known_kind_and_type)
{
    check_section(&imports[_i]);
}
END_TEST

/* ---- Tables and memories --------------------------------------------- */

static const struct section_case tables_and_memories[] = {
    {TABLE, MVP, GVM_OK, "", 4, {1, 0x70, 0, 5}},
    {TABLE, MVP, GVM_OK, "", 5, {1, 0x70, 1, 5, 5}},
    {TABLE, MVP, GVM_INVALID,
     "size minimum must not be greater than maximum", 5,
     {1, 0x70, 1, 6, 5}},
    {TABLE, MVP, GVM_MALFORMED, "malformed limits flags 0x02", 5,
     {1, 0x70, 2, 0, 0}},
    {TABLE, MVP, GVM_MALFORMED, "unexpected end", 4, {1, 0x70, 1, 5}},
    {TABLE, MVP, GVM_MALFORMED, "malformed reference type 0x7f", 4,
     {1, 0x7f, 0, 0}},
    {TABLE, ALL, GVM_OK, "", 4, {1, 0x6f, 0, 0}},
    {TABLE, MVP, GVM_MALFORMED,
     "malformed reference type: needs the feature reference-types", 4,
     {1, 0x6f, 0, 0}},
    {TABLE, ALL, GVM_OK, "", 7, {2, 0x70, 0, 0, 0x6f, 0, 0}},
    {TABLE, MVP, GVM_INVALID, "multiple tables", 7,
     {2, 0x70, 0, 0, 0x70, 0, 0}},
    {TABLE, MVP, GVM_OK, "", 8,
     {1, 0x70, 0, 0xff, 0xff, 0xff, 0xff, 0x0f}},
    {MEMORY, MVP, GVM_OK, "", 3, {1, 0, 1}},
    {MEMORY, MVP, GVM_OK, "", 5, {1, 0, 0x80, 0x80, 4}},
    {MEMORY, MVP, GVM_INVALID,
     "memory size must be at most 65536 pages (4GiB)", 5,
     {1, 0, 0x81, 0x80, 4}},
    {MEMORY, MVP, GVM_OK, "", 6, {1, 1, 0, 0x80, 0x80, 4}},
    {MEMORY, MVP, GVM_INVALID,
     "memory size must be at most 65536 pages (4GiB)", 6,
     {1, 1, 0, 0x81, 0x80, 4}},
    {MEMORY, MVP, GVM_INVALID,
     "size minimum must not be greater than maximum", 4, {1, 1, 1, 0}},
    {MEMORY, ALL, GVM_INVALID, "multiple memories", 5, {2, 0, 0, 0, 0}},
    {MEMORY, ALL, GVM_MALFORMED, "malformed limits flags 0x03", 4,
     {1, 3, 0, 1}}, /* shared */
};

START_TEST(tables_and_memories_have_limits)
{
    check_section(&tables_and_memories[_i]);
}
END_TEST

START_TEST(imported_tables_and_memories_count_too)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_table(builder, "m", "t", 'r', 0, NO_MAX);
    module_builder_table(builder, 'r', 0, NO_MAX);
    load_case_builder(builder, MVP, GVM_INVALID, "multiple tables");
    builder = module_builder_create();
    module_builder_import_memory(builder, "m", "m", 0, 1);
    module_builder_memory(builder, 0, 1);
    load_case_builder(builder, MVP, GVM_INVALID, "multiple memories");
}
END_TEST

START_TEST(a_hundred_tables_are_the_most)
{
    for (uint32_t extra = 0; extra < 2; extra++) {
        struct module_builder *builder = module_builder_create();

        /* One of them is imported. */
        module_builder_import_table(builder, "m", "t", 'r', 0, NO_MAX);
        for (uint32_t i = 1; i < GVM_TABLES_MAX + extra; i++) {
            module_builder_table(builder, 'x', 0, NO_MAX);
        }
        if (extra == 0) {
            load_case_builder(builder, ALL, GVM_OK, "");
        } else {
            load_case_builder(builder, ALL, GVM_LIMIT,
                              "too many tables, GVM_TABLES_MAX is 100");
        }
    }
}
END_TEST

/* ---- Functions, globals, start --------------------------------------- */

static const struct section_case definitions[] = {
    {FUNCTION, MVP, GVM_INVALID, "unknown type 0", 2, {1, 0}},
    {GLOBAL, MVP, GVM_OK, "", 6, {1, 0x7f, 0, 0x41, 0, 0x0b}},
    {GLOBAL, MVP, GVM_MALFORMED, "malformed mutability 0x02", 6,
     {1, 0x7f, 2, 0x41, 0, 0x0b}},
    {GLOBAL, MVP, GVM_INVALID, "type mismatch", 6,
     {1, 0x7e, 0, 0x41, 0, 0x0b}},
    {GLOBAL, MVP, GVM_MALFORMED, "unexpected end", 5,
     {1, 0x7f, 0, 0x41, 0}},
    {START, MVP, GVM_INVALID, "unknown function 0", 1, {0}},
    {CODE, MVP, GVM_MALFORMED,
     "function and code section have inconsistent lengths", 4,
     {1, 2, 0, 0x0b}},
};

START_TEST(definitions_refer_to_what_is_there)
{
    check_section(&definitions[_i]);
}
END_TEST

START_TEST(the_start_function_takes_and_gives_nothing)
{
    static const struct {
        const char *signature;
        enum gvm_status status;
    } rows[] = {
        {":", GVM_OK},
        {"i:", GVM_INVALID},
        {":i", GVM_INVALID},
    };

    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        struct module_builder *builder = module_builder_create();

        module_builder_func(builder, rows[i].signature, "",
                            BYTES(0x00, 0x0b));
        module_builder_start(builder, 0);
        load_case_builder(builder, MVP, rows[i].status, "start function");
    }
}
END_TEST

START_TEST(a_body_lies_inside_its_section)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_error err;

    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_set_content(builder, CODE, BYTES(1, 3, 0, 0x0b));
    err = load_case_builder(builder, MVP, GVM_MALFORMED,
                            "length out of bounds");
    ck_assert_uint_eq(err.function, GVM_NO_FUNCTION);
}
END_TEST

/* ---- Limits ---------------------------------------------------------- */

START_TEST(a_million_items_of_each_are_the_most)
{
    static const struct {
        uint8_t id;
        uint8_t length_bytes;
        uint8_t item[8];
    } rows[] = {
        {TYPE, 3, {0x60, 0, 0}},
        {IMPORT, 4, {0, 0, 0, 0}},
        {GLOBAL, 5, {0x7f, 0, 0x41, 0, 0x0b}},
        {FUNCTION, 1, {0}},
    };
    struct module_builder *builder = module_builder_create();
    uint32_t count = GVM_ITEMS_MAX + (uint32_t)(_i / 4);

    module_builder_type(builder, ":");
    set_repeated(builder, rows[_i % 4].id, count, rows[_i % 4].item,
                 rows[_i % 4].length_bytes);
    if (rows[_i % 4].id == FUNCTION) {
        set_repeated(builder, CODE, count, BYTES(2, 0, 0x0b));
    }
    if (_i / 4 == 0) {
        load_case_builder(builder, MVP, GVM_OK, "");
    } else {
        load_case_builder(builder, MVP, GVM_LIMIT,
                          "a vector of 1000001 items, GVM_ITEMS_MAX is "
                          "1000000");
    }
}
END_TEST

START_TEST(imported_ones_count_among_the_million)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, "m", "f", ":");
    set_repeated(builder, FUNCTION, GVM_ITEMS_MAX, BYTES(0));
    load_case_builder(builder, MVP, GVM_LIMIT,
                      "too many functions with the imported ones");
    builder = module_builder_create();
    module_builder_import_global(builder, "m", "g", 'i', false);
    set_repeated(builder, GLOBAL, GVM_ITEMS_MAX,
                 BYTES(0x7f, 0, 0x41, 0, 0x0b));
    load_case_builder(builder, MVP, GVM_LIMIT,
                      "too many globals with the imported ones");
}
END_TEST

START_TEST(a_body_may_have_so_many_bytes)
{
    struct module_builder *builder = module_builder_create();
    size_t body_bytes = GVM_BODY_BYTES_MAX + (unsigned)_i;
    uint8_t *body = malloc(body_bytes);

    ck_assert_ptr_nonnull(body);
    memset(body, 0x01, body_bytes); /* nop */
    body[0] = 0;                    /* no locals */
    body[body_bytes - 1] = 0x0b;
    module_builder_func_raw(builder, ":", body, body_bytes);
    free(body);
    if (_i == 0) {
        load_case_builder(builder, MVP, GVM_OK, "");
    } else {
        load_case_builder(builder, MVP, GVM_LIMIT,
                          "a function body of 7654322 bytes, "
                          "GVM_BODY_BYTES_MAX is 7654321");
    }
}
END_TEST

static Suite *
decode_items_suite(void)
{
    Suite *suite = suite_create("vm/decode_items");
    TCase *tests = tcase_create("decode_items");

    tcase_add_loop_test(tests, types_are_functions_of_value_types, 0,
                        (int)COUNT_OF(types));
    tcase_add_test(tests, a_thousand_parameters_or_results_are_the_most);
    tcase_add_loop_test(tests, imports_have_a_known_kind_and_type, 0,
                        (int)COUNT_OF(imports));
    tcase_add_loop_test(tests, tables_and_memories_have_limits, 0,
                        (int)COUNT_OF(tables_and_memories));
    tcase_add_test(tests, imported_tables_and_memories_count_too);
    tcase_add_test(tests, a_hundred_tables_are_the_most);
    tcase_add_loop_test(tests, definitions_refer_to_what_is_there, 0,
                        (int)COUNT_OF(definitions));
    tcase_add_test(tests, the_start_function_takes_and_gives_nothing);
    tcase_add_test(tests, a_body_lies_inside_its_section);
    tcase_add_loop_test(tests, a_million_items_of_each_are_the_most, 0, 8);
    tcase_add_test(tests, imported_ones_count_among_the_million);
    tcase_add_loop_test(tests, a_body_may_have_so_many_bytes, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(decode_items_suite());
}
