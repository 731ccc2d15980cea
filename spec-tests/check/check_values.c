/*
 * check_values.c - which results the suite's expectations admit.
 */
#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "spec-tests/values.h"

#define V128(LANE_TYPE, LANES)                                           \
    "{\"type\":\"v128\",\"lane_type\":\"" LANE_TYPE "\",\"value\":[" LANES "]}"
#define EITHER(A, B) "{\"type\":\"either\",\"values\":[" A "," B "]}"
#define F32(BITS) "{\"type\":\"f32\",\"value\":\"" BITS "\"}"
#define F64(BITS) "{\"type\":\"f64\",\"value\":\"" BITS "\"}"
#define I32(NUMBER) "{\"type\":\"i32\",\"value\":\"" NUMBER "\"}"
#define I64(NUMBER) "{\"type\":\"i64\",\"value\":\"" NUMBER "\"}"

static const struct admission {
    const char *expected;
    enum gvm_value_type type;
    uint64_t slot;
    bool is_match;
} admissions[] = {
    /* A canonical NaN: the top bit of the payload and no other; any sign. */
    {F32("nan:canonical"), GVM_F32, 0x7fc00000, true},
    {F32("nan:canonical"), GVM_F32, 0xffc00000, true},
    {F32("nan:canonical"), GVM_F32, 0x7fc00001, false},
    {F32("nan:canonical"), GVM_F32, 0x7fa00000, false},
    {F32("nan:canonical"), GVM_F32, 0x7f800000, false}, /* infinity */
    {F32("nan:canonical"), GVM_F32, 0x3f800000, false},
    {F64("nan:canonical"), GVM_F64, 0x7ff8000000000000, true},
    {F64("nan:canonical"), GVM_F64, 0xfff8000000000000, true},
    {F64("nan:canonical"), GVM_F64, 0x7ff8000000000001, false},
    {F64("nan:canonical"), GVM_F64, 0x7ff4000000000000, false},
    {F64("nan:canonical"), GVM_F64, 0x7ff0000000000000, false},
    /* An arithmetic one: at least that bit. */
    {F32("nan:arithmetic"), GVM_F32, 0x7fc00000, true},
    {F32("nan:arithmetic"), GVM_F32, 0xffe00001, true},
    {F32("nan:arithmetic"), GVM_F32, 0x7fa00000, false}, /* signalling */
    {F32("nan:arithmetic"), GVM_F32, 0x7f800001, false},
    {F32("nan:arithmetic"), GVM_F32, 0xff800000, false},
    {F64("nan:arithmetic"), GVM_F64, 0xfff8000000000000, true},
    {F64("nan:arithmetic"), GVM_F64, 0x7fffffffffffffff, true},
    {F64("nan:arithmetic"), GVM_F64, 0x7ff7ffffffffffff, false},
    {F64("nan:arithmetic"), GVM_F64, 0x7fc0000000000000, false},
    /* No integer is a NaN, and there are only the two names. */
    {I32("nan:canonical"), GVM_I32, 0x7fc00000, false},
    {F32("nan:0x200000"), GVM_F32, 0x7fa00000, false},
    /* Floats are compared as bits: the zeros differ, a NaN equals itself. */
    {F32("0"), GVM_F32, 0, true},
    {F32("2147483648"), GVM_F32, 0, false},
    {F32("2141192192"), GVM_F32, 0x7fa00000, true},
    {F64("9223372036854775808"), GVM_F64, 0x8000000000000000, true},
    {F64("0"), GVM_F64, 0x8000000000000000, false},
    /* The upper half of the slot: free for f32, zero for i32. */
    {F32("1065353216"), GVM_F32, 0xdead00003f800000, true},
    {I32("1"), GVM_I32, 0xdead000000000001, false},
    {I32("4294967295"), GVM_I32, 0xffffffff, true},
    {I64("4294967295"), GVM_I64, 0xffffffffffffffff, false},
    {I64("18446744073709551615"), GVM_I64, 0xffffffffffffffff, true},
    /* Types must agree, though the bits do. */
    {I32("7"), GVM_I64, 7, false},
    {I32("7"), GVM_F32, 7, false},
    {F64("7"), GVM_I64, 7, false},
    {"{\"type\":\"funcref\",\"value\":\"null\"}", GVM_EXTERNREF, 0, false},
    {"{\"type\":\"anyref\",\"value\":\"null\"}", GVM_EXTERNREF, 0, false},
    /* References: null, a number n as the pointer n + 1, any but null. */
    {"{\"type\":\"funcref\",\"value\":\"null\"}", GVM_FUNCREF, 0, true},
    {"{\"type\":\"funcref\",\"value\":\"null\"}", GVM_FUNCREF, 8, false},
    {"{\"type\":\"funcref\"}", GVM_FUNCREF, 8, true},
    {"{\"type\":\"funcref\"}", GVM_FUNCREF, 0, false},
    {"{\"type\":\"externref\",\"value\":\"0\"}", GVM_EXTERNREF, 1, true},
    {"{\"type\":\"externref\",\"value\":\"0\"}", GVM_EXTERNREF, 0, false},
    {"{\"type\":\"externref\",\"value\":\"null\"}", GVM_EXTERNREF, 1, false},
    {"{\"type\":\"externref\"}", GVM_EXTERNREF, 1, true},
    {"{\"type\":\"refnull\"}", GVM_EXTERNREF, 0, true},
    {"{\"type\":\"refnull\"}", GVM_FUNCREF, 8, false},
    {"{\"type\":\"refnull\"}", GVM_I32, 0, false},
    /* One of several; never one of none. */
    {EITHER(I32("1"), I32("2")), GVM_I32, 2, true},
    {EITHER(I32("1"), F32("nan:canonical")), GVM_F32, 0x7fc00000, true},
    {EITHER(I32("1"), I32("2")), GVM_I32, 3, false},
    {"{\"type\":\"either\",\"values\":[]}", GVM_I32, 0, false},
    {"{\"type\":\"either\"}", GVM_I32, 0, false},
    /* What is no expectation admits nothing. */
    {"{\"type\":\"i32\"}", GVM_I32, 0, false},
    {"{\"value\":\"0\"}", GVM_I32, 0, false},
    {"{}", GVM_I32, 0, false},
};

START_TEST(expectations_admit_what_the_suite_means)
{
    const struct admission *row = &admissions[_i];
    struct spec_value value = {.type = row->type, .slot.slot = row->slot};
    json_t *expected = json_loads(row->expected, 0, NULL);

    ck_assert_ptr_nonnull(expected);
    ck_assert_msg(spec_values_match(expected, &value) == row->is_match,
                  "%s", row->expected);
    json_decref(expected);
}
END_TEST

/* Bytes are those of memory: little-endian lanes, the first one first. */
static const struct vector_admission {
    const char *expected;
    uint8_t v128[SPEC_V128_BYTES];
    bool is_match;
} vector_admissions[] = {
    {V128("i32", "\"1\",\"2\",\"3\",\"4294967295\""),
     {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 255, 255, 255, 255},
     true},
    {V128("i32", "\"1\",\"2\",\"3\",\"4\""),
     {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 5, 0, 0, 0},
     false},
    {V128("i64", "\"1\",\"256\""), {1, 0, 0, 0, 0, 0, 0, 0, 0, 1}, true},
    {V128("i64", "\"1\""), {1}, false},
    {V128("i16", "\"1\",\"0\",\"0\",\"0\",\"0\",\"0\",\"0\",\"258\""),
     {1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 1},
     true},
    /* Each lane has its own kind of NaN. */
    {V128("f32", "\"nan:canonical\",\"nan:arithmetic\",\"0\",\"0\""),
     {0, 0, 0xc0, 0xff, 1, 0, 0xc0, 0x7f},
     true},
    {V128("f32", "\"nan:canonical\",\"nan:arithmetic\",\"0\",\"0\""),
     {1, 0, 0xc0, 0xff, 1, 0, 0xc0, 0x7f},
     false},
    {V128("f64", "\"0\",\"nan:canonical\""),
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf8, 0x7f},
     true},
    {V128("f64", "\"0\",\"nan:canonical\""),
     {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xf4, 0x7f},
     false},
    {V128("i128", "\"0\""), {0}, false},
};

START_TEST(vectors_are_matched_lane_by_lane)
{
    const struct vector_admission *row = &vector_admissions[_i];
    struct spec_value value = {.type = GVM_V128};
    json_t *expected = json_loads(row->expected, 0, NULL);

    memcpy(value.v128, row->v128, sizeof value.v128);
    ck_assert_ptr_nonnull(expected);
    ck_assert_msg(spec_values_match(expected, &value) == row->is_match,
                  "%s", row->expected);
    value.type = GVM_I64;
    ck_assert(!spec_values_match(expected, &value));
    json_decref(expected);
}
END_TEST

static const struct constant {
    const char *text;
    bool is_constant;
    enum gvm_value_type type;
    uint64_t slot;
} constants[] = {
    {I32("0"), true, GVM_I32, 0},
    {I32("4294967295"), true, GVM_I32, UINT32_MAX},
    {I32("4294967296"), false, 0, 0},
    {I64("18446744073709551615"), true, GVM_I64, UINT64_MAX},
    {I64("18446744073709551616"), false, 0, 0},
    {I64("99999999999999999999"), false, 0, 0},
    {I32("-1"), false, 0, 0},
    {I32(" 1"), false, 0, 0},
    {I32("0x1"), false, 0, 0},
    {I32("1 "), false, 0, 0},
    {I32(""), false, 0, 0},
    {F32("2143289344"), true, GVM_F32, 0x7fc00000},
    /* A set of values is no argument. */
    {F32("nan:canonical"), false, 0, 0},
    {EITHER(I32("1"), I32("2")), false, 0, 0},
    {"{\"type\":\"externref\"}", false, 0, 0},
    {"{\"type\":\"externref\",\"value\":\"null\"}", true, GVM_EXTERNREF, 0},
    {"{\"type\":\"externref\",\"value\":\"0\"}", true, GVM_EXTERNREF, 1},
    {"{\"type\":\"externref\",\"value\":\"42\"}", true, GVM_EXTERNREF, 43},
    {"{\"type\":\"funcref\",\"value\":\"null\"}", true, GVM_FUNCREF, 0},
    {"{\"type\":\"funcref\",\"value\":\"1\"}", false, 0, 0},
    {"{\"type\":\"i8\",\"value\":\"1\"}", false, 0, 0}, /* only a lane */
    {V128("i8", "\"256\",\"0\",\"0\",\"0\",\"0\",\"0\",\"0\",\"0\","
                "\"0\",\"0\",\"0\",\"0\",\"0\",\"0\",\"0\",\"0\""),
     false, 0, 0},
};

START_TEST(constants_are_whole_unsigned_decimals_in_range)
{
    const struct constant *row = &constants[_i];
    struct spec_value value = {.slot.slot = 12345};
    json_t *constant = json_loads(row->text, 0, NULL);
    bool is_constant = spec_values_parse(constant, &value);

    ck_assert_msg(is_constant == row->is_constant, "%s", row->text);
    if (is_constant)
        ck_assert_int_eq(value.type, row->type);
    /* What is refused leaves the value alone. */
    ck_assert_uint_eq(value.slot.slot, is_constant ? row->slot : 12345);
    json_decref(constant);
}
END_TEST

START_TEST(a_constant_matches_itself)
{
    static const char *const texts[] = {
        I32("7"), I64("7"), F32("1065353216"), F64("1"),
        "{\"type\":\"externref\",\"value\":\"9\"}",
        V128("i16", "\"1\",\"2\",\"3\",\"4\",\"5\",\"6\",\"7\",\"65535\""),
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct spec_value value;
        json_t *constant = json_loads(texts[i], 0, NULL);

        ck_assert(spec_values_parse(constant, &value));
        ck_assert_msg(spec_values_match(constant, &value), "%s", texts[i]);
        json_decref(constant);
    }
}
END_TEST

START_TEST(values_and_expectations_have_texts_that_fit)
{
    struct spec_value value = {.type = GVM_F32, .slot.i32 = 0x3fc00000};
    json_t *lanes = json_loads(
        V128("i8", "\"255\",\"255\",\"255\",\"255\",\"255\",\"255\","
                   "\"255\",\"255\",\"255\",\"255\",\"255\",\"255\","
                   "\"255\",\"255\",\"255\",\"255\""),
        0, NULL);
    char text[SPEC_VALUE_TEXT_BYTES];
    char small[8];

    spec_values_format(&value, text, sizeof text);
    ck_assert_str_eq(text, "f32 1069547520 (1.5)");
    spec_values_format_expected(lanes, text, sizeof text);
    ck_assert_str_eq(text, "v128 i8 255 255 255 255 255 255 255 255 255 255 "
                           "255 255 255 255 255 255");
    spec_values_format_expected(lanes, small, sizeof small);
    ck_assert_str_eq(small, "v128 i8");
    json_decref(lanes);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("values");
    Suite *suite = suite_create("spec-tests/values");
    SRunner *runner = srunner_create(suite);
    int failures;

    tcase_add_loop_test(cases, expectations_admit_what_the_suite_means, 0,
                        (int)(sizeof admissions / sizeof admissions[0]));
    tcase_add_loop_test(
        cases, vectors_are_matched_lane_by_lane, 0,
        (int)(sizeof vector_admissions / sizeof vector_admissions[0]));
    tcase_add_loop_test(cases, constants_are_whole_unsigned_decimals_in_range,
                        0, (int)(sizeof constants / sizeof constants[0]));
    tcase_add_test(cases, a_constant_matches_itself);
    tcase_add_test(cases, values_and_expectations_have_texts_that_fit);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
