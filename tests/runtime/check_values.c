/* check_values.c - tests of runtime/values.c. */
#include "runtime/values.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    uint8_t type;
    const char *text;
    bool accepted;
    uint64_t slot;
} arguments[] = {
    {GVM_I32, "0", true, 0},
    {GVM_I32, "-1", true, 0xffffffff},
    {GVM_I32, "+7", true, 7},
    {GVM_I32, "2147483647", true, 0x7fffffff},
    {GVM_I32, "4294967295", true, 0xffffffff},
    {GVM_I32, "4294967296", false, 0},
    {GVM_I32, "-2147483648", true, 0x80000000},
    {GVM_I32, "-2147483649", false, 0},
    {GVM_I32, "0xffffffff", true, 0xffffffff},
    {GVM_I32, "0x100000000", false, 0},
    {GVM_I32, "-0x80000000", true, 0x80000000},
    {GVM_I32, "0XaB", true, 0xab},
    {GVM_I32, "", false, 0},
    {GVM_I32, "-", false, 0},
    {GVM_I32, "0x", false, 0},
    {GVM_I32, " 1", false, 0},
    {GVM_I32, "1 ", false, 0},
    {GVM_I32, "1.0", false, 0},
    {GVM_I32, "ff", false, 0},
    {GVM_I32, "--1", false, 0},
    {GVM_I64, "18446744073709551615", true, UINT64_MAX},
    {GVM_I64, "18446744073709551616", false, 0},
    {GVM_I64, "99999999999999999999999", false, 0},
    {GVM_I64, "-9223372036854775808", true, UINT64_C(1) << 63},
    {GVM_I64, "-9223372036854775809", false, 0},
    {GVM_F32, "1.5", true, 0x3fc00000},
    {GVM_F32, "-0", true, 0x80000000},
    {GVM_F32, "0x1p-149", true, 1},
    {GVM_F32, "inf", true, 0x7f800000},
    {GVM_F32, "1,5", false, 0},
    {GVM_F32, " 1", false, 0},
    {GVM_F32, "", false, 0},
    {GVM_F32, "one", false, 0},
    {GVM_F64, "1.5", true, 0x3ff8000000000000},
    {GVM_F64, "-inf", true, 0xfff0000000000000},
    {GVM_F64, "1e400", true, 0x7ff0000000000000},
    {GVM_F64, "1.5x", false, 0},
};

START_TEST(an_argument_is_read_by_the_type_of_its_parameter)
{
    struct gvm_func_type type = {.parameters = &arguments[_i].type,
                                 .parameter_count = 1};
    union gvm_value *values = NULL;
    struct runtime_error err;
    enum runtime_status status = runtime__values_parse(
        &type, &arguments[_i].text, 1, &values, &err);

    ck_assert_msg((status == RUNTIME_OK) == arguments[_i].accepted, "'%s'",
                  arguments[_i].text);
    if (status == RUNTIME_OK) {
        ck_assert_uint_eq(values[0].slot, arguments[_i].slot);
        free(values);
    } else {
        ck_assert_int_eq(status, RUNTIME_INVALID);
        ck_assert_ptr_nonnull(strstr(err.message, "argument 1"));
        ck_assert_ptr_nonnull(
            strstr(err.message,
                   gvm_value_type_name(
                       (enum gvm_value_type)arguments[_i].type)));
    }
}
END_TEST

START_TEST(the_number_of_arguments_has_to_fit)
{
    static const uint8_t types[] = {GVM_I32, GVM_I32};
    static const char *const texts[] = {"1", "2", "3"};
    struct gvm_func_type type = {.parameters = types, .parameter_count = 2};
    union gvm_value *values;

    for (size_t count = 0; count <= 3; count++) {
        enum runtime_status status =
            runtime__values_parse(&type, texts, count, &values, NULL);
        ck_assert_int_eq(status,
                         count == 2 ? RUNTIME_OK : RUNTIME_INVALID);
        if (status == RUNTIME_OK)
            free(values);
    }
}
END_TEST

START_TEST(references_have_no_form_as_text)
{
    static const uint8_t types[] = {GVM_FUNCREF};
    static const char *const texts[] = {"0"};
    struct gvm_func_type takes = {.parameters = types, .parameter_count = 1};
    struct gvm_func_type gives = {.results = types, .result_count = 1};
    union gvm_value *values = NULL;
    struct runtime_error err;

    ck_assert_int_eq(runtime__values_parse(&takes, texts, 1, &values, &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "funcref"));
    ck_assert_int_eq(runtime__values_parse(&gives, NULL, 0, &values, &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_null(values);
}
END_TEST

static const struct {
    uint8_t type;
    uint64_t slot;
    const char *text;
} results[] = {
    {GVM_I32, 0, "0"},
    {GVM_I32, 0xffffffff, "-1"},
    {GVM_I32, 0x80000000, "-2147483648"},
    {GVM_I64, UINT64_MAX, "-1"},
    {GVM_I64, UINT64_C(1) << 63, "-9223372036854775808"},
    {GVM_F32, 0x3dcccccd, "0.1"},
    {GVM_F32, 0x3fc00000, "1.5"},
    {GVM_F32, 0x80000000, "-0"},
    {GVM_F32, 0x00000001, "1e-45"},
    {GVM_F32, 0x7f7fffff, "3.4028235e+38"},
    {GVM_F32, 0x41216d68, "10.0892105"}, /* needs all 9 */
    {GVM_F32, 0x7f800000, "inf"},
    {GVM_F32, 0xff800000, "-inf"},
    {GVM_F32, 0x7fc00000, "nan"},
    {GVM_F32, 0xffc00001, "nan"},
    {GVM_F64, 0x3fb999999999999a, "0.1"},
    {GVM_F64, 0x3fd3333333333334, "0.30000000000000004"},
    {GVM_F64, 0x0000000000000001, "5e-324"},
    {GVM_F64, 0x7fefffffffffffff, "1.7976931348623157e+308"},
    {GVM_F64, 0xfff0000000000000, "-inf"},
    {GVM_F64, 0x7ff0000000000001, "nan"},
};

START_TEST(a_result_is_written_with_the_fewest_digits)
{
    struct gvm_func_type type = {.results = &results[_i].type,
                                 .result_count = 1};
    union gvm_value value = {.slot = results[_i].slot};
    struct runtime_value *values = runtime__values_format(&type, &value);

    ck_assert_ptr_nonnull(values);
    ck_assert_str_eq(values[0].text, results[_i].text);
    ck_assert_str_eq(values[0].type,
                     gvm_value_type_name(
                         (enum gvm_value_type)results[_i].type));
    free(values);
}
END_TEST

START_TEST(what_is_written_reads_back_as_the_same_number)
{
    static const uint8_t f64 = GVM_F64;
    struct gvm_func_type gives = {.results = &f64, .result_count = 1};
    struct gvm_func_type takes = {.parameters = &f64, .parameter_count = 1};
    uint64_t bits = UINT64_C(0x9e3779b97f4a7c15);

    for (int i = 0; i < 2000; i++) {
        bits = bits * UINT64_C(6364136223846793005) + 1442695040888963407u;
        if ((bits >> 52 & 0x7ff) == 0x7ff)
            continue; /* nan and inf are in the table */
        union gvm_value value = {.slot = bits};
        union gvm_value *read;
        struct runtime_value *text = runtime__values_format(&gives, &value);
        const char *texts[] = {text->text};
        ck_assert_int_eq(
            runtime__values_parse(&takes, texts, 1, &read, NULL),
            RUNTIME_OK);
        ck_assert_uint_eq(read->slot, bits);
        free(read);
        free(text);
    }
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests,
                        an_argument_is_read_by_the_type_of_its_parameter, 0,
                        sizeof(arguments) / sizeof(arguments[0]));
    tcase_add_test(tests, the_number_of_arguments_has_to_fit);
    tcase_add_test(tests, references_have_no_form_as_text);
    tcase_add_loop_test(tests, a_result_is_written_with_the_fewest_digits, 0,
                        sizeof(results) / sizeof(results[0]));
    tcase_add_test(tests, what_is_written_reads_back_as_the_same_number);
}

WORLD_MAIN("values", add_tests)
