/*
 * check_insns.c - tests of vm/insns.c and of the table insns.inc.
 */
#include "vm/insns.h"

#include "tests/support/suite.h"

#include <check.h>
#include <stdbool.h>
#include <string.h>

#include "vm/vm.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static const struct row {
    uint32_t code;
    const char *text;
    const char *signature;
    uint8_t immediate;
} rows[] = {
#define INSN(code, name, text, immediate, signature, feature)            \
    {code, text, signature, GVM__IMMEDIATE_##immediate},
#include "vm/insns.inc"
#undef INSN
};

START_TEST(every_row_is_found_by_its_code)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const struct gvm__insn_info *info = gvm__insn_info(rows[i].code);

        ck_assert_ptr_nonnull(info);
        ck_assert_str_eq(info->text, rows[i].text);
        ck_assert_str_eq(info->signature, rows[i].signature);
        ck_assert_uint_eq(info->immediate, rows[i].immediate);
    }
}
END_TEST

START_TEST(nothing_else_is_found)
{
    size_t found_count = 0;

    for (uint32_t code = 0; code < 0x20000; code++) {
        found_count += gvm__insn_info(code) != NULL;
    }
    ck_assert_uint_eq(found_count, COUNT_OF(rows));
    ck_assert_ptr_null(gvm__insn_info(0x06));
    ck_assert_ptr_null(gvm__insn_info(0xfc));
    ck_assert_ptr_null(gvm__insn_info(0xfd00));
    ck_assert_ptr_null(gvm__insn_info(UINT32_MAX));
}
END_TEST

START_TEST(rows_ascend_by_code)
{
    for (size_t i = 1; i < COUNT_OF(rows); i++) {
        ck_assert_uint_lt(rows[i - 1].code, rows[i].code);
    }
}
END_TEST

START_TEST(signatures_are_letters_around_a_colon)
{
    for (size_t i = 0; i < COUNT_OF(rows); i++) {
        const char *signature = rows[i].signature;
        const char *colon = strchr(signature, ':');

        if (strcmp(signature, "*") == 0) {
            continue;
        }
        ck_assert_ptr_nonnull(colon);
        ck_assert_int_le(colon - signature, 3);
        ck_assert_uint_le(strlen(colon + 1), 1);
        ck_assert_uint_eq(strspn(signature, "ilfd") +
                              strspn(colon + 1, "ilfd") + 1,
                          strlen(signature));
    }
}
END_TEST

START_TEST(instructions_beyond_1_0_name_their_feature)
{
    static const struct {
        uint32_t code;
        uint32_t feature;
    } cases[] = {
        {GVM__INSN_I32_ADD, 0},
        {GVM__INSN_I64_EXTEND32_S, GVM_FEATURE_SIGN_EXTENSION},
        {GVM__INSN_I64_TRUNC_SAT_F64_U, GVM_FEATURE_SATURATING_TRUNCATION},
        {GVM__INSN_MEMORY_FILL, GVM_FEATURE_BULK_MEMORY},
        {GVM__INSN_TABLE_GET, GVM_FEATURE_REFERENCE_TYPES},
    };

    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        ck_assert_uint_eq(gvm__insn_info(cases[i].code)->feature,
                          cases[i].feature);
    }
}
END_TEST

static Suite *
insns_suite(void)
{
    Suite *suite = suite_create("vm/insns");
    TCase *tests = tcase_create("insns");

    tcase_add_test(tests, every_row_is_found_by_its_code);
    tcase_add_test(tests, nothing_else_is_found);
    tcase_add_test(tests, rows_ascend_by_code);
    tcase_add_test(tests, signatures_are_letters_around_a_colon);
    tcase_add_test(tests, instructions_beyond_1_0_name_their_feature);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(insns_suite());
}
