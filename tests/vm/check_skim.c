/*
 * check_skim.c - tests of vm/skim.c: malformed comes before invalid.
 *
 * Every body here begins with an instruction that breaks a rule. What comes
 * behind it decides whether the module is invalid or malformed.
 */
#include <check.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"
#include "vm/insns.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP
#define ALL GVM_FEATURES_2_0

static const uint32_t codes[] = {
#define INSN(code, name, text, immediate, signature, feature) code,
#include "vm/insns.inc"
#undef INSN
};

/* What may follow an opcode, by enum gvm__immediate. */
static const struct {
    uint8_t length_bytes;
    uint8_t bytes[10];
} immediates[] = {
    [GVM__IMMEDIATE_NONE] = {0, {0}},
    [GVM__IMMEDIATE_BLOCK] = {1, {0x40}},
    [GVM__IMMEDIATE_LABEL] = {2, {0x80, 0x01}},
    [GVM__IMMEDIATE_BR_TABLE] = {5, {3, 1, 2, 0x0b, 0x0b}},
    [GVM__IMMEDIATE_FUNC] = {2, {0xff, 0x01}},
    [GVM__IMMEDIATE_CALL_INDIRECT] = {3, {0xff, 0x01, 0x0b}},
    [GVM__IMMEDIATE_SELECT] = {3, {2, 0x7f, 0x0b}},
    [GVM__IMMEDIATE_LOCAL] = {1, {0x0b}},
    [GVM__IMMEDIATE_GLOBAL] = {1, {0x0b}},
    [GVM__IMMEDIATE_TABLE] = {1, {0x0b}},
    [GVM__IMMEDIATE_MEMORY] = {2, {2, 0x0b}},
    [GVM__IMMEDIATE_MEMORY_INDEX] = {1, {0}},
    [GVM__IMMEDIATE_I32] = {2, {0xff, 0x0b}},
    [GVM__IMMEDIATE_I64] = {2, {0xff, 0x0b}},
    [GVM__IMMEDIATE_F32] = {4, {0x0b, 0x0b, 0x0b, 0x0b}},
    [GVM__IMMEDIATE_F64] = {8, {1, 2, 3, 4, 5, 6, 7, 0x0b}},
    [GVM__IMMEDIATE_REF_TYPE] = {1, {0x70}},
    [GVM__IMMEDIATE_MEMORY_INIT] = {2, {0x0b, 0}},
    [GVM__IMMEDIATE_DATA] = {1, {0x0b}},
    [GVM__IMMEDIATE_MEMORY_COPY] = {2, {0, 0}},
    [GVM__IMMEDIATE_TABLE_INIT] = {2, {0x0b, 0x0b}},
    [GVM__IMMEDIATE_ELEMENT] = {1, {0x0b}},
    [GVM__IMMEDIATE_TABLE_COPY] = {2, {0x0b, 0x0b}},
};

/* The opcode, then `immediate_bytes` of what follows it. */
static void
put_insn(struct byte_buffer *body, uint32_t code, size_t immediate_bytes)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);

    if (code > 0xff) {
        byte_buffer_put_byte(body, (uint8_t)(code >> 8));
    }
    byte_buffer_put_byte(body, (uint8_t)code);
    byte_buffer_put(body, immediates[info->immediate].bytes,
                    immediate_bytes);
}

static void
check_body(const struct byte_buffer *body, uint32_t features,
           enum gvm_status status)
{
    load_case_body(NULL, ":", "", body->bytes, body->length_bytes, features,
                   status, "");
}

static void
check_whole(uint32_t code)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);
    struct byte_buffer body = {0};

    byte_buffer_put_byte(&body, 0x1a); /* drop of nothing */
    if (code == GVM__INSN_ELSE) {
        byte_buffer_put(&body, BYTES(0x04, 0x40));
    }
    put_insn(&body, code, immediates[info->immediate].length_bytes);
    if (info->immediate == GVM__IMMEDIATE_BLOCK || code == GVM__INSN_ELSE) {
        byte_buffer_put_byte(&body, 0x0b);
    }
    if (code != GVM__INSN_END) {
        byte_buffer_put_byte(&body, 0x0b);
    }
    check_body(&body, ALL, GVM_INVALID);
    byte_buffer_deinit(&body);
}

START_TEST(an_instruction_in_its_form_leaves_the_body_invalid)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        check_whole(codes[i]);
    }
}
END_TEST

static void
check_cut(uint32_t code)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);
    size_t whole_bytes = immediates[info->immediate].length_bytes;
    struct byte_buffer body = {0};

    if (whole_bytes > 0) {
        byte_buffer_put_byte(&body, 0x1a);
        put_insn(&body, code, whole_bytes - 1);
        check_body(&body, ALL, GVM_MALFORMED);
        byte_buffer_deinit(&body);
    }
}

START_TEST(an_instruction_cut_short_makes_the_body_malformed)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        check_cut(codes[i]);
    }
}
END_TEST

static void
check_missing_feature(uint32_t code)
{
    const struct gvm__insn_info *info = gvm__insn_info(code);
    struct byte_buffer body = {0};

    byte_buffer_put_byte(&body, 0x1a);
    put_insn(&body, code, immediates[info->immediate].length_bytes);
    byte_buffer_put_byte(&body, 0x0b);
    if (info->feature != 0) {
        check_body(&body, ALL & ~(uint32_t)info->feature, GVM_MALFORMED);
    }
    byte_buffer_deinit(&body);
}

START_TEST(an_instruction_of_a_missing_feature_makes_the_body_malformed)
{
    for (size_t i = 0; i < COUNT_OF(codes); i++) {
        check_missing_feature(codes[i]);
    }
}
END_TEST

static const struct body_case {
    enum gvm_status status;
    const char *message;
    uint64_t offset; /* in the body, behind the locals */
    uint8_t length_bytes;
    uint8_t bytes[16];
} bodies[] = {
    {GVM_INVALID, "type mismatch", 0, 2, {0x1a, 0x0b}},
    {GVM_MALFORMED, "unexpected end", 1, 1, {0x1a}},
    {GVM_MALFORMED, "section size mismatch", 2, 3, {0x1a, 0x0b, 0x01}},
    {GVM_MALFORMED, "illegal opcode 0xff", 1, 3, {0x1a, 0xff, 0x0b}},
    {GVM_MALFORMED, "illegal opcode 0xfc 300", 1, 5,
     {0x1a, 0xfc, 0xac, 0x02, 0x0b}},
    /* The broken rule lies inside blocks: their ends are counted. */
    {GVM_INVALID, "type mismatch", 4, 8,
     {0x02, 0x40, 0x03, 0x40, 0x1a, 0x0b, 0x0b, 0x0b}},
    {GVM_MALFORMED, "unexpected end", 7, 7,
     {0x02, 0x40, 0x03, 0x40, 0x1a, 0x0b, 0x0b}},
    {GVM_MALFORMED, "section size mismatch", 8, 9,
     {0x02, 0x40, 0x03, 0x40, 0x1a, 0x0b, 0x0b, 0x0b, 0x0b}},
    /* The end of a block breaks it. */
    {GVM_INVALID, "type mismatch", 2, 4, {0x02, 0x7f, 0x0b, 0x0b}},
    {GVM_MALFORMED, "unexpected end", 3, 3, {0x02, 0x7f, 0x0b}},
    {GVM_MALFORMED, "length out of bounds", 2, 6,
     {0x1a, 0x0e, 0x63, 0x00, 0x00, 0x0b}},
};

START_TEST(the_first_fault_of_form_is_told_or_else_the_broken_rule)
{
    const struct body_case *row = &bodies[_i];
    struct gvm_error err =
        load_case_body(NULL, ":", "", row->bytes, row->length_bytes, ALL,
                       row->status, row->message);

    /* Header 8, types 6, functions 4, the code's head 4, no locals 1. */
    ck_assert_uint_eq(err.offset, 8 + 6 + 4 + 4 + 1 + row->offset);
    ck_assert_uint_eq(err.function, 0);
}
END_TEST

static Suite *
skim_suite(void)
{
    Suite *suite = suite_create("vm/skim");
    TCase *tests = tcase_create("skim");

    tcase_add_test(tests,
                   an_instruction_in_its_form_leaves_the_body_invalid);
    tcase_add_test(tests,
                   an_instruction_cut_short_makes_the_body_malformed);
    tcase_add_test(
        tests, an_instruction_of_a_missing_feature_makes_the_body_malformed);
    tcase_add_loop_test(
        tests, the_first_fault_of_form_is_told_or_else_the_broken_rule, 0,
        (int)COUNT_OF(bodies));
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(skim_suite());
}
