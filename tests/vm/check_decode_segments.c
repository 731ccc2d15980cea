/*
 * check_decode_segments.c - tests of vm/decode_segments.c: constant
 * expressions, element and data segments.
 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"
#include "vm/module.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0
#define BULK ((uint32_t)GVM_FEATURE_BULK_MEMORY)
#define NO_MAX MODULE_BUILDER_NO_MAX

/* ---- Constant expressions -------------------------------------------- */

/* An initialiser of a global of `type`, behind these imported globals:
 * 0 immutable i32, 1 mutable i32, 2 immutable externref (2.0 only); global 3
 * (2 in 1.0) is defined in front of it, immutable i32. One function. */
static const struct expr_case {
    char type;
    uint32_t features;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[12];
} exprs[] = {
    {'i', MVP, GVM_OK, "", 3, {0x41, 0x7f, 0x0b}},
    {'l', MVP, GVM_OK, "", 3, {0x42, 0x7f, 0x0b}},
    {'f', MVP, GVM_OK, "", 6, {0x43, 1, 2, 3, 4, 0x0b}},
    {'d', MVP, GVM_OK, "", 10, {0x44, 1, 2, 3, 4, 5, 6, 7, 8, 0x0b}},
    {'i', MVP, GVM_OK, "", 3, {0x23, 0, 0x0b}},
    {'i', MVP, GVM_INVALID, "constant expression required", 3,
     {0x23, 1, 0x0b}},
    {'i', MVP, GVM_INVALID, "unknown global 2", 3, {0x23, 2, 0x0b}},
    {'i', ALL, GVM_INVALID, "unknown global 3", 3, {0x23, 3, 0x0b}},
    {'i', MVP, GVM_INVALID, "unknown global 9", 3, {0x23, 9, 0x0b}},
    {'l', MVP, GVM_INVALID,
     "type mismatch: a constant expression gives i32 instead of i64", 3,
     {0x23, 0, 0x0b}},
    {'i', MVP, GVM_INVALID,
     "type mismatch: a constant expression gives 0 values", 1, {0x0b}},
    {'i', MVP, GVM_INVALID,
     "type mismatch: a constant expression gives 2 values", 5,
     {0x41, 0, 0x41, 0, 0x0b}},
    {'i', MVP, GVM_INVALID, "constant expression required", 4,
     {0x41, 0, 0x45, 0x0b}},
    {'i', MVP, GVM_INVALID, "constant expression required", 4,
     {0x41, 0, 0x01, 0x0b}},
    {'i', ALL, GVM_INVALID, "constant expression required", 6,
     {0x41, 0, 0xfc, 0, 0x1a, 0x0b}},
    {'i', MVP, GVM_MALFORMED, "illegal opcode 0xff", 4,
     {0x41, 0, 0xff, 0x0b}},
    {'i', MVP, GVM_MALFORMED, "integer too large", 7,
     {0x41, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b}},
    {'r', ALL, GVM_OK, "", 3, {0xd0, 0x70, 0x0b}},
    {'x', ALL, GVM_OK, "", 3, {0xd0, 0x6f, 0x0b}},
    {'x', ALL, GVM_OK, "", 3, {0x23, 2, 0x0b}},
    {'r', ALL, GVM_INVALID, "type mismatch", 3, {0x23, 2, 0x0b}},
    {'r', ALL, GVM_INVALID, "type mismatch", 3, {0xd0, 0x6f, 0x0b}},
    {'r', ALL, GVM_MALFORMED, "malformed reference type 0x7f", 3,
     {0xd0, 0x7f, 0x0b}},
    {'r', ALL, GVM_OK, "", 3, {0xd2, 0, 0x0b}},
    {'r', ALL, GVM_INVALID, "unknown function 1", 3, {0xd2, 1, 0x0b}},
    {'x', ALL, GVM_INVALID, "type mismatch", 3, {0xd2, 0, 0x0b}},
    {'i', MVP, GVM_MALFORMED, "ref.null: needs the feature reference-types",
     3, {0xd0, 0x70, 0x0b}},
    {'i', MVP, GVM_MALFORMED, "ref.func: needs the feature reference-types",
     3, {0xd2, 0, 0x0b}},
};

START_TEST(a_constant_expression_gives_one_value_of_the_type_asked)
{
    const struct expr_case *row = &exprs[_i];
    struct module_builder *builder = module_builder_create();

    module_builder_import_global(builder, "m", "a", 'i', false);
    module_builder_import_global(builder, "m", "b", 'i', true);
    if (row->features == ALL) {
        module_builder_import_global(builder, "m", "c", 'x', false);
    }
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_global(builder, 'i', false, BYTES(0x41, 0, 0x0b));
    module_builder_global(builder, row->type, false, row->bytes,
                          row->length_bytes);
    load_case_builder(builder, row->features, row->status, row->message);
}
END_TEST

/* ---- Element segments ------------------------------------------------ */

/* In a module with tables 0 (funcref) and, in 2.0, 1 (externref), function
 * 0, and imported immutable globals 0 (i32), 1 (funcref, in 2.0). */
static const struct segment_case {
    uint32_t features;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[16];
} elements[] = {
    /* All the eight kinds. */
    {ALL, GVM_OK, "", 6, {0, 0x41, 0, 0x0b, 1, 0}},
    {ALL, GVM_OK, "", 4, {1, 0, 1, 0}},
    {ALL, GVM_OK, "", 8, {2, 0, 0x41, 0, 0x0b, 0, 1, 0}},
    {ALL, GVM_OK, "", 4, {3, 0, 1, 0}},
    {ALL, GVM_OK, "", 8, {4, 0x41, 0, 0x0b, 1, 0xd2, 0, 0x0b}},
    {ALL, GVM_OK, "", 6, {5, 0x70, 1, 0xd2, 0, 0x0b}},
    {ALL, GVM_OK, "", 10, {6, 1, 0x41, 0, 0x0b, 0x6f, 1, 0xd0, 0x6f, 0x0b}},
    {ALL, GVM_OK, "", 6, {7, 0x6f, 1, 0xd0, 0x6f, 0x0b}},
    {ALL, GVM_MALFORMED, "malformed elements segment kind 8", 4,
     {8, 0, 1, 0}},
    /* What each may be made of. */
    {ALL, GVM_OK, "", 12,
     {5, 0x70, 3, 0xd2, 0, 0x0b, 0xd0, 0x70, 0x0b, 0x23, 1, 0x0b}},
    {ALL, GVM_OK, "", 9, {5, 0x70, 2, 0x23, 1, 0x0b, 0xd2, 0, 0x0b}},
    {ALL, GVM_INVALID, "type mismatch", 6, {5, 0x6f, 1, 0x23, 1, 0x0b}},
    {ALL, GVM_INVALID, "type mismatch", 6, {5, 0x70, 1, 0x23, 0, 0x0b}},
    {ALL, GVM_INVALID, "unknown function 1", 4, {1, 0, 1, 1}},
    {ALL, GVM_INVALID, "unknown function 1", 6, {5, 0x70, 1, 0xd2, 1, 0x0b}},
    {ALL, GVM_INVALID, "unknown function 4294967295", 10,
     {5, 0x70, 1, 0xd2, 0xff, 0xff, 0xff, 0xff, 0x0f, 0x0b}},
    {ALL, GVM_MALFORMED, "malformed element kind 0x70", 4, {1, 0x70, 1, 0}},
    {ALL, GVM_MALFORMED, "malformed reference type 0x00", 6,
     {5, 0, 1, 0xd2, 0, 0x0b}},
    {ALL, GVM_INVALID, "unknown table 2", 8,
     {2, 2, 0x41, 0, 0x0b, 0, 1, 0}},
    {ALL, GVM_INVALID,
     "type mismatch: a segment of funcref for a table of externref", 8,
     {2, 1, 0x41, 0, 0x0b, 0, 1, 0}},
    {ALL, GVM_INVALID, "type mismatch", 7, {0, 0x42, 0, 0x0b, 1, 0}},
    {ALL, GVM_MALFORMED, "length out of bounds", 6,
     {0, 0x41, 0, 0x0b, 2, 0}},
    /* In 1.0 the table's index stands where the kind came to be. */
    {MVP, GVM_OK, "", 6, {0, 0x41, 0, 0x0b, 1, 0}},
    {MVP, GVM_OK, "", 7, {0x80, 0, 0x41, 0, 0x0b, 1, 0}},
    {MVP, GVM_INVALID, "unknown table 1", 6, {1, 0x41, 0, 0x0b, 1, 0}},
    {MVP, GVM_INVALID, "unknown table 4", 6, {4, 0x41, 0, 0x0b, 1, 0}},
    /* Bulk memory alone brought the passive kinds. */
    {BULK, GVM_OK, "", 4, {1, 0, 1, 0}},
    {BULK, GVM_MALFORMED,
     "malformed elements segment kind: needs the feature reference-types",
     4, {3, 0, 1, 0}},
    {BULK, GVM_MALFORMED, "ref.func: needs the feature", 6,
     {5, 0x70, 1, 0xd2, 0, 0x0b}},
};

START_TEST(element_segments_have_kinds)
{
    const struct segment_case *row = &elements[_i];
    struct module_builder *builder = module_builder_create();

    module_builder_import_global(builder, "m", "a", 'i', false);
    module_builder_table(builder, 'r', 4, NO_MAX);
    if (row->features == ALL) {
        module_builder_import_global(builder, "m", "b", 'r', false);
        module_builder_table(builder, 'x', 4, NO_MAX);
    }
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_elements_raw(builder, row->bytes, row->length_bytes);
    load_case_builder(builder, row->features, row->status, row->message);
}
END_TEST

START_TEST(an_active_element_segment_needs_a_table)
{
    struct module_builder *builder = module_builder_create();

    module_builder_elements_raw(builder, BYTES(0, 0x41, 0, 0x0b, 0));
    load_case_builder(builder, ALL, GVM_INVALID, "unknown table 0");
    builder = module_builder_create();
    module_builder_elements_raw(builder, BYTES(0, 0x41, 0, 0x0b, 0));
    load_case_builder(builder, MVP, GVM_INVALID, "unknown table 0");
    builder = module_builder_create();
    module_builder_elements_raw(builder, BYTES(1, 0, 0));
    load_case_builder(builder, ALL, GVM_OK, "");
}
END_TEST

/* ---- Data segments --------------------------------------------------- */

static const struct segment_case datas[] = {
    {ALL, GVM_OK, "", 6, {0, 0x41, 0, 0x0b, 1, 'd'}},
    {ALL, GVM_OK, "", 3, {1, 1, 'd'}},
    {ALL, GVM_OK, "", 7, {2, 0, 0x41, 0, 0x0b, 1, 'd'}},
    {ALL, GVM_INVALID, "unknown memory 1", 7,
     {2, 1, 0x41, 0, 0x0b, 1, 'd'}},
    {ALL, GVM_MALFORMED, "malformed data segment kind 3", 3, {3, 1, 'd'}},
    {ALL, GVM_INVALID, "type mismatch", 6, {0, 0x42, 0, 0x0b, 1, 'd'}},
    {ALL, GVM_MALFORMED, "length out of bounds", 6,
     {0, 0x41, 0, 0x0b, 2, 'd'}},
    /* In 1.0 the memory's index stands where the kind came to be. */
    {MVP, GVM_OK, "", 6, {0, 0x41, 0, 0x0b, 1, 'd'}},
    {MVP, GVM_INVALID, "unknown memory 1", 3, {1, 1, 'd'}},
    {MVP, GVM_INVALID, "unknown memory 2", 7,
     {2, 0, 0x41, 0, 0x0b, 1, 'd'}},
};

START_TEST(data_segments_have_kinds)
{
    const struct segment_case *row = &datas[_i];
    struct module_builder *builder = module_builder_create();

    module_builder_memory(builder, 1, NO_MAX);
    module_builder_data_raw(builder, row->bytes, row->length_bytes);
    load_case_builder(builder, row->features, row->status, row->message);
}
END_TEST

START_TEST(an_active_data_segment_needs_a_memory)
{
    struct module_builder *builder = module_builder_create();

    module_builder_data(builder, 0, "d", 1);
    load_case_builder(builder, ALL, GVM_INVALID, "unknown memory 0");
    builder = module_builder_create();
    module_builder_data(builder, 0, "d", 1);
    load_case_builder(builder, MVP, GVM_INVALID, "unknown memory 0");
    builder = module_builder_create();
    module_builder_data_passive(builder, "d", 1);
    load_case_builder(builder, ALL, GVM_OK, "");
}
END_TEST

/* ---- What is kept ---------------------------------------------------- */

static struct gvm_engine *engine;

static void
open_engine(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
}

static void
close_engine(void)
{
    gvm_engine_destroy(engine);
}

/* Destroys the builder. */
static struct gvm_module *
load(struct module_builder *builder)
{
    struct gvm_module_options options = {.copy_bytes = true};
    struct gvm_module *module = NULL;
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    ck_assert_int_eq(gvm_module_load(engine, &options, bytes, length_bytes,
                                     &module, NULL),
                     GVM_OK);
    module_builder_destroy(builder);
    return module;
}

START_TEST(constants_are_slots_with_the_upper_half_zero)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_module *module;

    module_builder_import_global(builder, "m", "a", 'i', false);
    module_builder_global(builder, 'i', false, BYTES(0x41, 0x7f, 0x0b));
    module_builder_global(builder, 'l', false, BYTES(0x42, 0x7e, 0x0b));
    module_builder_global(builder, 'f', false,
                          BYTES(0x43, 1, 2, 3, 0x84, 0x0b));
    module_builder_global(builder, 'd', false,
                          BYTES(0x44, 1, 2, 3, 4, 5, 6, 7, 0x88, 0x0b));
    module_builder_global(builder, 'i', false, BYTES(0x23, 0, 0x0b));
    module = load(builder);
    ck_assert_uint_eq(module->global_inits[0].value.slot, UINT32_MAX);
    ck_assert_uint_eq(module->global_inits[1].value.slot, UINT64_MAX - 1);
    ck_assert_uint_eq(module->global_inits[2].value.slot, 0x84030201);
    ck_assert_uint_eq(module->global_inits[3].value.slot,
                      0x8807060504030201);
    ck_assert_int_eq(module->global_inits[4].insn, GVM__INSN_GLOBAL_GET);
    ck_assert_uint_eq(module->global_inits[4].index, 0);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(entries_are_indexes_unless_one_is_a_global)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm__element_segment *segments;
    struct gvm_module *module;

    module_builder_import_global(builder, "m", "a", 'r', false);
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_elements_raw(
        builder, BYTES(5, 0x70, 2, 0xd2, 1, 0x0b, 0xd0, 0x70, 0x0b));
    module_builder_elements_raw(
        builder, BYTES(5, 0x70, 4, 0xd2, 1, 0x0b, 0xd0, 0x70, 0x0b, 0x23, 0,
                       0x0b, 0xd2, 0, 0x0b));
    module = load(builder);
    segments = module->elements;
    ck_assert_int_eq(segments[0].mode, GVM__SEGMENT_PASSIVE);
    ck_assert_ptr_null(segments[0].exprs);
    ck_assert_uint_eq(segments[0].functions[0], 1);
    ck_assert_uint_eq(segments[0].functions[1], GVM__NULL_FUNCTION);
    ck_assert_ptr_null(segments[1].functions);
    ck_assert_int_eq(segments[1].exprs[0].insn, GVM__INSN_REF_FUNC);
    ck_assert_uint_eq(segments[1].exprs[0].index, 1);
    ck_assert_int_eq(segments[1].exprs[1].insn, GVM__INSN_REF_NULL);
    ck_assert_int_eq(segments[1].exprs[2].insn, GVM__INSN_GLOBAL_GET);
    ck_assert_int_eq(segments[1].exprs[3].insn, GVM__INSN_REF_FUNC);
    ck_assert_uint_eq(segments[1].exprs[3].index, 0);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(segments_know_their_target_offset_and_bytes)
{
    struct module_builder *builder = module_builder_create();
    const struct gvm__data_segment *data;
    struct gvm_module *module;

    module_builder_table(builder, 'r', 1, NO_MAX);
    module_builder_table(builder, 'r', 1, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_elements_raw(builder,
                                BYTES(2, 1, 0x41, 0x70, 0x0b, 0, 0));
    module_builder_data(builder, -1, "data", 4);
    module_builder_data_passive(builder, "more", 4);
    module = load(builder);
    ck_assert_int_eq(module->elements[0].mode, GVM__SEGMENT_ACTIVE);
    ck_assert_uint_eq(module->elements[0].table, 1);
    ck_assert_uint_eq(module->elements[0].offset.value.slot, 0xfffffff0);
    data = module->datas;
    ck_assert_int_eq(data[0].mode, GVM__SEGMENT_ACTIVE);
    ck_assert_uint_eq(data[0].offset.value.slot, UINT32_MAX);
    ck_assert_uint_eq(data[0].length_bytes, 4);
    ck_assert(memcmp(data[0].bytes, "data", 4) == 0);
    ck_assert_int_eq(data[1].mode, GVM__SEGMENT_PASSIVE);
    ck_assert(memcmp(data[1].bytes, "more", 4) == 0);
    gvm_module_destroy(module);
}
END_TEST

/* ---- Limits ---------------------------------------------------------- */

START_TEST(a_hundred_thousand_segments_are_the_most)
{
    uint32_t count = GVM_SEGMENTS_MAX + (uint32_t)(_i / 2);
    struct module_builder *builder = module_builder_create();

    for (uint32_t i = 0; i < count; i++) {
        if (_i % 2 == 0) {
            module_builder_elements_raw(builder, BYTES(1, 0, 0));
        } else {
            module_builder_data_raw(builder, BYTES(1, 0));
        }
    }
    if (_i / 2 == 0) {
        load_case_builder(builder, ALL, GVM_OK, "");
    } else {
        load_case_builder(builder, ALL, GVM_LIMIT,
                          "a vector of 100001 items, GVM_SEGMENTS_MAX is "
                          "100000");
    }
}
END_TEST

START_TEST(ten_million_element_entries_are_the_most)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer segment = {0};
    uint8_t *zeros = calloc(GVM_ELEMENT_ENTRIES_MAX, 1);
    uint32_t half = GVM_ELEMENT_ENTRIES_MAX / 2;

    ck_assert_ptr_nonnull(zeros);
    module_builder_func(builder, ":", "", BYTES(0x0b));
    /* Two halves, the second with one more when it is to fail. */
    for (uint32_t i = 0; i < 2; i++) {
        uint32_t count = half + (i == 1 ? (uint32_t)_i : 0);

        segment.length_bytes = 0;
        byte_buffer_put(&segment, BYTES(1, 0));
        byte_buffer_put_vector(&segment, zeros, count);
        module_builder_elements_raw(builder, segment.bytes,
                                    segment.length_bytes);
    }
    free(zeros);
    byte_buffer_deinit(&segment);
    if (_i == 0) {
        load_case_builder(builder, ALL, GVM_OK, "");
    } else {
        load_case_builder(builder, ALL, GVM_LIMIT,
                          "too many entries of element segments, "
                          "GVM_ELEMENT_ENTRIES_MAX is 10000000");
    }
}
END_TEST

static Suite *
decode_segments_suite(void)
{
    Suite *suite = suite_create("vm/decode_segments");
    TCase *tests = tcase_create("decode_segments");

    tcase_add_checked_fixture(tests, open_engine, close_engine);
    tcase_add_test(tests, constants_are_slots_with_the_upper_half_zero);
    tcase_add_test(tests, entries_are_indexes_unless_one_is_a_global);
    tcase_add_test(tests, segments_know_their_target_offset_and_bytes);
    tcase_add_loop_test(
        tests, a_constant_expression_gives_one_value_of_the_type_asked, 0,
        (int)COUNT_OF(exprs));
    tcase_add_loop_test(tests, element_segments_have_kinds, 0,
                        (int)COUNT_OF(elements));
    tcase_add_test(tests, an_active_element_segment_needs_a_table);
    tcase_add_loop_test(tests, data_segments_have_kinds, 0,
                        (int)COUNT_OF(datas));
    tcase_add_test(tests, an_active_data_segment_needs_a_memory);
    tcase_add_loop_test(tests, a_hundred_thousand_segments_are_the_most, 0,
                        4);
    tcase_add_loop_test(tests, ten_million_element_entries_are_the_most, 0,
                        2);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(decode_segments_suite());
}
