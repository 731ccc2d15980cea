/*
 * check_units.c - tests of http/units.c.
 */
#include "http/units.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *text;
    bool valid;
    int64_t number;
} signed_numbers[] = {
    {"0", true, 0},
    {"-1", true, -1},
    {"+7", true, 7},
    {" \t42\r\n", true, 42},
    {"9223372036854775807", true, INT64_MAX},
    {"9223372036854775808", false, 0},
    {"-9223372036854775808", true, INT64_MIN},
    {"-9223372036854775809", false, 0},
    {"18446744073709551616", false, 0},
    {"", false, 0},
    {"-", false, 0},
    {"--1", false, 0},
    {"1 2", false, 0},
    {"0x10", false, 0},
    {"1.5", false, 0},
};

START_TEST(signed_numbers_are_64_bits_with_spaces_around)
{
    const char *text = signed_numbers[_i].text;
    int64_t number = 0;

    ck_assert_int_eq(http__units_signed(text, strlen(text), &number),
                     signed_numbers[_i].valid);
    if (signed_numbers[_i].valid)
        ck_assert_int_eq(number, signed_numbers[_i].number);
}
END_TEST

static const struct {
    const char *text;
    bool valid;
    uint64_t ms;
} durations[] = {
    {"250ms", true, 250},
    {"30", true, 30000},
    {"5s", true, 5000},
    {"2m", true, 120000},
    {"1h", true, 3600000},
    {"1d", true, 86400000},
    {"0ms", true, 0},
    {"18446744073709551615ms", true, UINT64_MAX},
    {"18446744073709551615s", false, 0},
    {"ms", false, 0},
    {"5 s", false, 0},
    {"-5s", false, 0},
    {"5sec", false, 0},
    {"5S", false, 0},
    {"1.5s", false, 0},
    {"", false, 0},
};

START_TEST(durations_are_a_number_and_a_unit)
{
    const char *text = durations[_i].text;
    uint64_t ms = 0;

    ck_assert_int_eq(http__units_duration_ms(text, strlen(text), &ms),
                     durations[_i].valid);
    if (durations[_i].valid)
        ck_assert_uint_eq(ms, durations[_i].ms);
}
END_TEST

START_TEST(a_number_ends_where_its_length_says)
{
    uint64_t number = 0;

    ck_assert(http__units_number("123456", 3, &number));
    ck_assert_uint_eq(number, 123);
    ck_assert(!http__units_number("123", 0, &number));
    ck_assert(http__units_number("18446744073709551615", 20, &number));
    ck_assert_uint_eq(number, UINT64_MAX);
    ck_assert(!http__units_number("18446744073709551616", 20, &number));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/units");
    TCase *tests = tcase_create("units");

    tcase_add_loop_test(tests, signed_numbers_are_64_bits_with_spaces_around,
                        0, sizeof(signed_numbers) / sizeof(*signed_numbers));
    tcase_add_loop_test(tests, durations_are_a_number_and_a_unit, 0,
                        sizeof(durations) / sizeof(*durations));
    tcase_add_test(tests, a_number_ends_where_its_length_says);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
