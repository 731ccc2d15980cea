/*
 * check_validate_control.c - tests of vm/validate_control.c: blocks,
 * branches and calls.
 */
#include <check.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0

/*
 * Bodies of a function of type `signature`, in a module with
 *   types 0 ":", 1 "i:i", 2 ":il", 3 "il:" (2 not in 1.0)
 *   function 0 imported, "il:"; function 1 is the one with the body
 *   table 0 of funcref, in 2.0 table 1 of externref.
 */
struct body_case {
    uint32_t features;
    const char *signature;
    enum gvm_status status;
    const char *message;
    uint8_t length_bytes;
    uint8_t bytes[24];
};

static void
check_body(const struct body_case *row)
{
    struct module_builder *builder = module_builder_create();

    module_builder_type(builder, ":");
    module_builder_type(builder, "i:i");
    module_builder_type(builder, row->features == ALL ? ":il" : ":l");
    module_builder_import_func(builder, "m", "f", "il:");
    module_builder_table(builder, 'r', 1, 1);
    if (row->features == ALL) {
        module_builder_table(builder, 'x', 1, 1);
    }
    load_case_body(builder, row->signature, "", row->bytes,
                   row->length_bytes, row->features, row->status,
                   row->message);
}

/* ---- Blocks ---------------------------------------------------------- */

static const struct body_case blocks[] = {
    {MVP, ":", GVM_OK, "", 4, {0x02, 0x40, 0x0b, 0x0b}},
    {MVP, ":i", GVM_OK, "", 6, {0x02, 0x7f, 0x41, 0, 0x0b, 0x0b}},
    {MVP, ":l", GVM_INVALID, "type mismatch: end expects i64, found i32", 6,
     {0x02, 0x7f, 0x41, 0, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: end expects i64, found i32", 6,
     {0x02, 0x7e, 0x41, 0, 0x0b, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: end expects i32, found nothing",
     5, {0x02, 0x7f, 0x0b, 0x1a, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: 1 values too many", 6,
     {0x02, 0x40, 0x41, 0, 0x0b, 0x0b}},
    /* A block sees nothing of what lies below it. */
    {MVP, ":", GVM_INVALID, "type mismatch: drop expects a value", 7,
     {0x41, 0, 0x02, 0x40, 0x1a, 0x0b, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: drop expects a value", 8,
     {0x41, 0, 0x03, 0x40, 0x1a, 0x0b, 0x1a, 0x0b}},
    /* What follows unreachable code in a block is reachable again. */
    {MVP, ":", GVM_INVALID, "type mismatch: drop expects a value", 6,
     {0x02, 0x40, 0x00, 0x0b, 0x1a, 0x0b}},
    {MVP, ":", GVM_OK, "", 6, {0x02, 0x7f, 0x00, 0x0b, 0x1a, 0x0b}},
    /* Parameters, by the index of a type. */
    {ALL, ":i", GVM_OK, "", 6, {0x41, 0, 0x02, 1, 0x0b, 0x0b}},
    {ALL, ":i", GVM_OK, "", 7, {0x41, 0, 0x03, 1, 0x45, 0x0b, 0x0b}},
    {ALL, ":i", GVM_INVALID, "type mismatch: block expects i32, found i64",
     6, {0x42, 0, 0x02, 1, 0x0b, 0x0b}},
    {ALL, ":i", GVM_INVALID, "type mismatch: block expects i32, found "
     "nothing", 4, {0x02, 1, 0x0b, 0x0b}},
    {ALL, ":i", GVM_OK, "", 5, {0x00, 0x02, 1, 0x0b, 0x0b}},
    {ALL, ":il", GVM_OK, "", 8, {0x02, 2, 0x41, 0, 0x42, 0, 0x0b, 0x0b}},
    {ALL, ":", GVM_INVALID, "unknown type 4", 4, {0x02, 4, 0x0b, 0x0b}},
    {MVP, ":", GVM_MALFORMED,
     "malformed block type: needs the feature multi-value", 4,
     {0x02, 0, 0x0b, 0x0b}},
    {ALL, ":x", GVM_OK, "", 6, {0x02, 0x6f, 0xd0, 0x6f, 0x0b, 0x0b}},
    {MVP, ":", GVM_MALFORMED,
     "malformed block type: needs the feature reference-types", 5,
     {0x02, 0x6f, 0x00, 0x0b, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "malformed block type 0x7b", 5,
     {0x02, 0x7b, 0x00, 0x0b, 0x0b}},
    /* 0x40 in two bytes is not an empty type. */
    {ALL, ":", GVM_MALFORMED, "malformed block type 0xc0", 5,
     {0x02, 0xc0, 0x7f, 0x0b, 0x0b}},
    {ALL, ":", GVM_OK, "", 5, {0x02, 0x80, 0, 0x0b, 0x0b}},
};

START_TEST(a_block_takes_and_gives_what_its_type_says)
{
    check_body(&blocks[_i]);
}
END_TEST

static const struct body_case ifs[] = {
    {MVP, ":", GVM_OK, "", 6, {0x41, 0, 0x04, 0x40, 0x0b, 0x0b}},
    {MVP, ":", GVM_OK, "", 7, {0x41, 0, 0x04, 0x40, 0x05, 0x0b, 0x0b}},
    {MVP, ":i", GVM_OK, "", 11,
     {0x41, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: if expects i32, found nothing",
     4, {0x04, 0x40, 0x0b, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: if expects i32, found i64", 6,
     {0x42, 0, 0x04, 0x40, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: an if without else", 8,
     {0x41, 0, 0x04, 0x7f, 0x41, 1, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: end expects i32, found "
     "nothing", 9, {0x41, 0, 0x04, 0x7f, 0x41, 1, 0x05, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: else expects i32, found "
     "nothing", 9, {0x41, 0, 0x04, 0x7f, 0x05, 0x41, 1, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: 1 values too many", 13,
     {0x41, 0, 0x04, 0x7f, 0x41, 1, 0x41, 1, 0x05, 0x41, 2, 0x0b, 0x0b}},
    /* The parameters are there in both branches. */
    {ALL, ":i", GVM_OK, "", 11,
     {0x41, 0, 0x41, 1, 0x04, 1, 0x45, 0x05, 0x45, 0x0b, 0x0b}},
    {ALL, ":i", GVM_OK, "", 8, {0x41, 0, 0x41, 1, 0x04, 1, 0x0b, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: an if without else", 12,
     {0x41, 0, 0x04, 2, 0x41, 0, 0x42, 0, 0x0b, 0x1a, 0x1a, 0x0b}},
    /* The same number of other types (type 4 is the function's own). */
    {ALL, "i:l", GVM_INVALID, "type mismatch: an if without else", 9,
     {0x20, 0, 0x20, 0, 0x04, 4, 0xac, 0x0b, 0x0b}},
    /* Unreachable in one branch says nothing of the other. */
    {MVP, ":i", GVM_OK, "", 9,
     {0x41, 0, 0x04, 0x7f, 0x00, 0x05, 0x00, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: end expects i32, found "
     "nothing", 8, {0x41, 0, 0x04, 0x7f, 0x00, 0x05, 0x0b, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "END opcode expected: else without if", 5,
     {0x02, 0x40, 0x05, 0x0b, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "END opcode expected: else without if", 2,
     {0x05, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "END opcode expected: else without if", 8,
     {0x41, 0, 0x04, 0x40, 0x05, 0x05, 0x0b, 0x0b}},
};

START_TEST(both_branches_of_an_if_give_its_results)
{
    check_body(&ifs[_i]);
}
END_TEST

START_TEST(blocks_nest_ten_thousand_deep)
{
    struct byte_buffer body = {0};
    uint32_t depth = GVM_NESTING_MAX + (uint32_t)_i;

    for (uint32_t i = 0; i < depth; i++) {
        byte_buffer_put(&body, BYTES(0x02, 0x40));
    }
    for (uint32_t i = 0; i <= depth; i++) {
        byte_buffer_put_byte(&body, 0x0b);
    }
    if (_i == 0) {
        load_case_body(NULL, ":", "", body.bytes, body.length_bytes, MVP,
                       GVM_OK, "");
    } else {
        load_case_body(NULL, ":", "", body.bytes, body.length_bytes, MVP,
                       GVM_LIMIT, "blocks are nested too deeply, "
                       "GVM_NESTING_MAX is 10000");
    }
    byte_buffer_deinit(&body);
}
END_TEST

/* ---- Branches -------------------------------------------------------- */

static const struct body_case branches[] = {
    {MVP, ":", GVM_OK, "", 3, {0x0c, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown label 1", 3, {0x0c, 1, 0x0b}},
    {MVP, ":", GVM_OK, "", 6, {0x02, 0x40, 0x0c, 1, 0x0b, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown label 2", 6,
     {0x02, 0x40, 0x0c, 2, 0x0b, 0x0b}},
    {MVP, ":i", GVM_OK, "", 5, {0x41, 0, 0x0c, 0, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: br expects i32, found nothing",
     3, {0x0c, 0, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: br expects i32, found i64", 5,
     {0x42, 0, 0x0c, 0, 0x0b}},
    /* A branch to a loop needs its parameters, not its results. */
    {MVP, ":i", GVM_OK, "", 6, {0x03, 0x7f, 0x0c, 0, 0x0b, 0x0b}},
    {ALL, ":i", GVM_INVALID, "type mismatch: br expects i32", 9,
     {0x41, 0, 0x03, 1, 0x1a, 0x0c, 0, 0x0b, 0x0b}},
    /* Operands below those that a branch takes are left alone. */
    {MVP, ":i", GVM_OK, "", 7, {0x42, 0, 0x41, 0, 0x0c, 0, 0x0b}},
    {MVP, ":", GVM_OK, "", 5, {0x41, 0, 0x0d, 0, 0x0b}},
    {MVP, ":i", GVM_OK, "", 7, {0x41, 0, 0x41, 0, 0x0d, 0, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: br_if expects i32, found "
     "nothing", 7, {0x41, 0, 0x0d, 0, 0x41, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: br_if expects i32, found i64", 5,
     {0x42, 0, 0x0d, 0, 0x0b}},
    /* br_if gives its operands back, now of the label's types. */
    {MVP, ":i", GVM_INVALID, "type mismatch: i64.eqz expects i64, found i32",
     5, {0x00, 0x0d, 0, 0x50, 0x0b}},
    {MVP, ":i", GVM_OK, "", 4, {0x00, 0x0d, 0, 0x0b}},
    {MVP, ":", GVM_OK, "", 2, {0x0f, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: return expects i32, found "
     "nothing", 2, {0x0f, 0x0b}},
    {MVP, ":i", GVM_OK, "", 8,
     {0x02, 0x40, 0x41, 0, 0x0f, 0x0b, 0x00, 0x0b}},
};

START_TEST(a_branch_brings_what_its_label_needs)
{
    check_body(&branches[_i]);
}
END_TEST

static const struct body_case tables[] = {
    {MVP, ":", GVM_OK, "", 6, {0x41, 0, 0x0e, 0, 0, 0x0b}},
    {MVP, ":", GVM_OK, "", 9, {0x41, 0, 0x0e, 3, 0, 0, 0, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: br_table expects i32", 4,
     {0x0e, 0, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown label 1", 7,
     {0x41, 0, 0x0e, 1, 1, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown label 1", 7,
     {0x41, 0, 0x0e, 1, 0, 1, 0x0b}},
    {MVP, ":i", GVM_OK, "", 9,
     {0x02, 0x7f, 0x00, 0x0e, 1, 0, 1, 0x0b, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: br_table expects i32, found "
     "i64", 8, {0x42, 0, 0x41, 0, 0x0e, 0, 0, 0x0b}},
    /* Labels of different numbers of operands. */
    {ALL, ":i", GVM_INVALID, "type mismatch: labels of br_table differ", 13,
     {0x02, 0x40, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0x00, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: labels of br_table differ", 13,
     {0x02, 0x40, 0x00, 0x01, 0x01, 0x01, 0x0e, 1, 0, 1, 0x0b, 0x00,
      0x0b}},
    /* Of different types: only where the operands are unknown, since 2.0. */
    {ALL, ":i", GVM_OK, "", 10,
     {0x02, 0x7e, 0x00, 0x0e, 1, 0, 1, 0x0b, 0xa7, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: labels of br_table differ", 10,
     {0x02, 0x7e, 0x00, 0x0e, 1, 0, 1, 0x0b, 0xa7, 0x0b}},
    {ALL, ":i", GVM_INVALID, "type mismatch: br_table expects", 13,
     {0x02, 0x7e, 0x41, 0, 0x41, 0, 0x0e, 1, 0, 1, 0x0b, 0xa7, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "length out of bounds", 5,
     {0x41, 0, 0x0e, 9, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "unexpected end", 7,
     {0x41, 0, 0x0e, 3, 0, 0, 0}},
};

START_TEST(all_labels_of_a_br_table_fit_the_operands)
{
    check_body(&tables[_i]);
}
END_TEST

START_TEST(a_br_table_has_65520_labels_at_most)
{
    struct byte_buffer body = {0};
    uint32_t count = GVM_BR_TABLE_MAX + (uint32_t)_i;

    byte_buffer_put(&body, BYTES(0x41, 0, 0x0e));
    byte_buffer_put_unsigned(&body, count);
    for (uint32_t i = 0; i <= count; i++) {
        byte_buffer_put_byte(&body, 0);
    }
    byte_buffer_put_byte(&body, 0x0b);
    if (_i == 0) {
        load_case_body(NULL, ":", "", body.bytes, body.length_bytes, MVP,
                       GVM_OK, "");
    } else {
        load_case_body(NULL, ":", "", body.bytes, body.length_bytes, MVP,
                       GVM_LIMIT, "a vector of 65521 items, "
                       "GVM_BR_TABLE_MAX is 65520");
    }
    byte_buffer_deinit(&body);
}
END_TEST

/* ---- Calls ----------------------------------------------------------- */

static const struct body_case calls[] = {
    {MVP, ":", GVM_OK, "", 7, {0x41, 0, 0x42, 0, 0x10, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: call expects i64, found i32", 7,
     {0x42, 0, 0x41, 0, 0x10, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "type mismatch: call expects i32, found nothing",
     5, {0x42, 0, 0x10, 0, 0x0b}},
    {MVP, ":", GVM_OK, "", 3, {0x10, 1, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown function 2", 3, {0x10, 2, 0x0b}},
    {MVP, ":i", GVM_OK, "", 8, {0x41, 0, 0x41, 0, 0x11, 1, 0, 0x0b}},
    {MVP, ":i", GVM_INVALID, "type mismatch: call_indirect expects i32, "
     "found nothing", 6, {0x41, 0, 0x11, 1, 0, 0x0b}},
    {MVP, ":", GVM_INVALID, "unknown type 9", 6, {0x41, 0, 0x11, 9, 0, 0x0b}},
    {ALL, ":", GVM_INVALID, "unknown table 2", 6,
     {0x41, 0, 0x11, 0, 2, 0x0b}},
    {ALL, ":", GVM_INVALID, "type mismatch: call_indirect needs a table of "
     "funcref", 6, {0x41, 0, 0x11, 0, 1, 0x0b}},
    /* In 1.0 one zero byte, later an index as long as linkers like. */
    {MVP, ":", GVM_MALFORMED, "zero byte expected", 6,
     {0x41, 0, 0x11, 0, 1, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "zero byte expected", 10,
     {0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}},
    {ALL, ":", GVM_OK, "", 10,
     {0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}},
    {ALL, ":", GVM_MALFORMED, "integer representation too long", 11,
     {0x41, 0, 0x11, 0, 0x80, 0x80, 0x80, 0x80, 0x80, 0, 0x0b}},
    {MVP, ":", GVM_MALFORMED, "unexpected end", 4, {0x41, 0, 0x11, 0}},
};

START_TEST(a_call_takes_parameters_and_gives_results)
{
    check_body(&calls[_i]);
}
END_TEST

START_TEST(call_indirect_needs_a_table)
{
    load_case_body(NULL, ":", "", BYTES(0x41, 0, 0x11, 0, 0, 0x0b), MVP,
                   GVM_INVALID, "unknown table 0");
}
END_TEST

static Suite *
validate_control_suite(void)
{
    Suite *suite = suite_create("vm/validate_control");
    TCase *tests = tcase_create("validate_control");

    tcase_add_loop_test(tests, a_block_takes_and_gives_what_its_type_says,
                        0, (int)COUNT_OF(blocks));
    tcase_add_loop_test(tests, both_branches_of_an_if_give_its_results, 0,
                        (int)COUNT_OF(ifs));
    tcase_add_loop_test(tests, blocks_nest_ten_thousand_deep, 0, 2);
    tcase_add_loop_test(tests, a_branch_brings_what_its_label_needs, 0,
                        (int)COUNT_OF(branches));
    tcase_add_loop_test(tests, all_labels_of_a_br_table_fit_the_operands, 0,
                        (int)COUNT_OF(tables));
    tcase_add_loop_test(tests, a_br_table_has_65520_labels_at_most, 0, 2);
    tcase_add_loop_test(tests, a_call_takes_parameters_and_gives_results, 0,
                        (int)COUNT_OF(calls));
    tcase_add_test(tests, call_indirect_needs_a_table);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(validate_control_suite());
}
