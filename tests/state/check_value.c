/* Tests of state/value.c. */
#include "state/value.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t numbers[] = {
    0,         1,          -1,        9,
    10,        -10,        99,        100,
    INT32_MAX, INT32_MIN,  INT64_MAX, INT64_MIN,
    INT64_MAX - 1, INT64_MIN + 1, 1000000000000000000, -1000000000000000000,
};

START_TEST(a_number_is_written_in_decimal_and_read_back)
{
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        uint8_t bytes[STATE__NUMBER_BYTES_MAX];
        size_t length = state__number_format(numbers[i], bytes);
        char expected[32];
        int64_t number = 42;

        snprintf(expected, sizeof expected, "%lld", (long long)numbers[i]);
        ck_assert_uint_eq(length, strlen(expected));
        ck_assert(memcmp(bytes, expected, length) == 0);
        ck_assert(state__number_parse(bytes, length, &number));
        ck_assert_int_eq(number, numbers[i]);
    }
}
END_TEST

static const char *const no_numbers[] = {
    "",     "-",    "+1",  "--1", "-0",   "00", "01", "-01", " 1", "1 ",
    "1a",   "a",    "1.0", "1e3", "0x10", "/",  ":",  "-:",  "1/",
    "9223372036854775808", "-9223372036854775809", "9999999999999999999",
    "10000000000000000000", "18446744073709551616",
    "100000000000000000000000",
};

START_TEST(anything_else_is_no_number)
{
    for (size_t i = 0; i < sizeof no_numbers / sizeof *no_numbers; i++) {
        int64_t number = 42;

        ck_assert_msg(!state__number_parse((const uint8_t *)no_numbers[i],
                                           strlen(no_numbers[i]), &number),
                      "%s", no_numbers[i]);
        ck_assert_int_eq(number, 42);
    }
    ck_assert(!state__number_parse((const uint8_t *)"1\0", 2,
                                   &(int64_t){0}));
}
END_TEST

START_TEST(a_word_is_read_as_its_bytes_are)
{
    /* Bytes around and among the digits, at each place of each length. */
    static const uint8_t odd[] = {0,   1,   '-', '.', '/', '0', '1',
                                  '8', '9', ':', ';', '?', '@', 0xb5};

    for (size_t length = 0; length <= 9; length++)
        for (size_t place = 0; place < 9; place++)
            for (size_t i = 0; i < sizeof odd; i++) {
                uint8_t bytes[16] = "739105284";
                int64_t number = 42, expected = 42;
                uint64_t word;
                bool is_number;

                bytes[place] = odd[i];
                memcpy(&word, bytes, sizeof word);
                is_number = state__number_parse(bytes, length, &expected);
                if (length > sizeof word || bytes[0] == '-') {
                    is_number = false;
                    expected = 42;
                }
                ck_assert(state__number_parse_word(word, length, &number) ==
                          is_number);
                ck_assert_int_eq(number, expected);
            }
}
END_TEST

START_TEST(a_block_lives_until_its_last_reference_goes)
{
    struct state__value *value = state__value_create(100);

    ck_assert_uint_eq(value->capacity_bytes, 100);
    ck_assert(state__value_is_private(value));
    state__value_acquire(value);
    ck_assert(!state__value_is_private(value));
    memset(value->bytes, 'x', 100);
    state__value_release(value);
    /* The sanitizers see whether it was freed too early or not at all. */
    ck_assert_int_eq(value->bytes[99], 'x');
    ck_assert(state__value_is_private(value));
    state__value_release(value);
    state__value_release(NULL);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_number_is_written_in_decimal_and_read_back,
        anything_else_is_no_number,
        a_word_is_read_as_its_bytes_are,
        a_block_lives_until_its_last_reference_goes,
        NULL,
    };

    return run_suite("value", tests);
}
