/* check_range.c - tests of http/range.c: the two headers of parts. */
#include "http/range.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stddef.h>

static const struct {
    const char *text;
    uint64_t size;
    bool is_range; /* it is one, and otherwise as if it were not there */
    bool fits;
    uint64_t offset, count;
} ranges[] = {
    {"bytes=0-0", 10, true, true, 0, 1},
    {"bytes=0-9", 10, true, true, 0, 10},
    {"bytes=0-10", 10, true, true, 0, 10},
    {"bytes=9-", 10, true, true, 9, 1},
    {"bytes=10-", 10, true, false, 0, 0},
    {"bytes=10-10", 10, true, false, 0, 0},
    {"bytes=2-5", 10, true, true, 2, 4},
    {"Bytes=2-5", 10, true, true, 2, 4},
    {"bytes=-1", 10, true, true, 9, 1},
    {"bytes=-10", 10, true, true, 0, 10},
    {"bytes=-11", 10, true, true, 0, 10},
    {"bytes=-0", 10, true, false, 0, 0},
    {"bytes=0-", 0, true, false, 0, 0},
    {"bytes=-5", 0, true, false, 0, 0},
    {"bytes=0-18446744073709551615", 10, true, true, 0, 10},
    {"bytes=1-99999999999999999999999", 10, true, true, 1, 9},
    {"bytes=99999999999999999999999-", 10, true, false, 0, 0},
    {"bytes=-99999999999999999999999", 10, true, true, 0, 10},
    {"bytes=3-2", 10, false, false, 0, 0},
    {"bytes=", 10, false, false, 0, 0},
    {"bytes=-", 10, false, false, 0, 0},
    {"bytes=1", 10, false, false, 0, 0},
    {"bytes=--1", 10, false, false, 0, 0},
    {"bytes=1-2,4-5", 10, false, false, 0, 0},
    {"bytes=1-2 ", 10, false, false, 0, 0},
    {"bytes= 1-2", 10, false, false, 0, 0},
    {"bytes=+1-2", 10, false, false, 0, 0},
    {"bytes 1-2", 10, false, false, 0, 0},
    {"items=1-2", 10, false, false, 0, 0},
    {"byte", 10, false, false, 0, 0},
    {"", 10, false, false, 0, 0},
};

START_TEST(a_range_is_cut_to_what_there_is)
{
    struct http__range range;

    ck_assert_int_eq(http__range_parse(ranges[_i].text, &range),
                     ranges[_i].is_range);
    if (!ranges[_i].is_range)
        return;
    ck_assert_int_eq(http__range_fit(&range, ranges[_i].size),
                     ranges[_i].fits);
    if (!ranges[_i].fits)
        return;
    ck_assert_uint_eq(range.offset, ranges[_i].offset);
    ck_assert_uint_eq(range.count, ranges[_i].count);
}
END_TEST

static const struct {
    const char *text;
    bool is_range;
    uint64_t offset, count;
} contents[] = {
    {"bytes 0-0/*", true, 0, 1},
    {"bytes 5-9/*", true, 5, 5},
    {"BYTES 5-9/*", true, 5, 5},
    {"bytes 18446744073709551614-18446744073709551614/*", true,
     UINT64_MAX - 1, 1},
    {"bytes 5-/*", false, 0, 0},
    {"bytes -5/*", false, 0, 0},
    {"bytes 6-5/*", false, 0, 0},
    {"bytes 5-9", false, 0, 0},
    {"bytes 5-9/", false, 0, 0},
    {"bytes 5-9/10", false, 0, 0},
    {"bytes 5-9/* ", false, 0, 0},
    {"bytes */10", false, 0, 0},
    {"bytes=5-9/*", false, 0, 0},
    {"", false, 0, 0},
};

START_TEST(the_place_of_a_body_has_two_ends)
{
    struct http__range range;

    ck_assert_int_eq(http__range_parse_content(contents[_i].text, &range),
                     contents[_i].is_range);
    if (!contents[_i].is_range)
        return;
    ck_assert(!range.is_suffix);
    ck_assert_uint_eq(range.offset, contents[_i].offset);
    ck_assert_uint_eq(range.count, contents[_i].count);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
    Suite *suite = suite_create("http/range");
    TCase *tests = tcase_create("range");

    tcase_add_loop_test(tests, a_range_is_cut_to_what_there_is, 0,
                        COUNT(ranges));
    tcase_add_loop_test(tests, the_place_of_a_body_has_two_ends, 0,
                        COUNT(contents));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
