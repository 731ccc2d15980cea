/*
 * check_target.c - tests of http/target.c.
 */
#include "http/target.h"

#include "http/limits.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *raw;
    enum http__target_status status;
    const char *path;
    const char *query;
    const char *authority;
} targets[] = {
    {"/", HTTP__TARGET_OK, "/", "", NULL},
    {"/a/b?c=d&e", HTTP__TARGET_OK, "/a/b", "c=d&e", NULL},
    {"/a%00b%3Fc", HTTP__TARGET_OK, "/a%00b%3Fc", "", NULL},
    {"/a?b?c", HTTP__TARGET_OK, "/a", "b?c", NULL},
    {"/a?", HTTP__TARGET_OK, "/a", "", NULL},
    {"//a", HTTP__TARGET_OK, "//a", "", NULL},
    {"http://h:1/a?b", HTTP__TARGET_OK, "/a", "b", "h:1"},
    {"HTTP://h/a", HTTP__TARGET_OK, "/a", "", "h"},
    {"http://h", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"http:///a", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"http://h?/a", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"https://h/a", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"*", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"h:1", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"/a#b", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"/a?b#c", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {"", HTTP__TARGET_BAD, NULL, NULL, NULL},
    {NULL, HTTP__TARGET_BAD, NULL, NULL, NULL},
};

static void
assert_span(struct http__span span, const char *text)
{
    ck_assert_uint_eq(span.length, strlen(text));
    ck_assert_mem_eq(span.bytes, text, span.length);
}

START_TEST(a_target_has_a_path_and_a_query)
{
    struct http__target target;

    ck_assert_int_eq(http__target_init(&target, targets[_i].raw),
                     targets[_i].status);
    if (targets[_i].status == HTTP__TARGET_OK) {
        assert_span(target.path, targets[_i].path);
        assert_span(target.query, targets[_i].query);
        ck_assert_int_eq(target.authority.bytes != NULL,
                         targets[_i].authority != NULL);
        if (targets[_i].authority)
            assert_span(target.authority, targets[_i].authority);
    }
    http__target_deinit(&target);
}
END_TEST

START_TEST(a_target_may_be_as_long_as_the_limit)
{
    static const size_t lengths[] = {1, 255, 256, 257,
                                     HTTP_TARGET_BYTES_MAX,
                                     HTTP_TARGET_BYTES_MAX + 1};
    static char raw[HTTP_TARGET_BYTES_MAX + 2];
    struct http__target target;
    size_t length = lengths[_i];

    memset(raw, 'a', length);
    raw[0] = '/';
    raw[length] = '\0';
    enum http__target_status status = http__target_init(&target, raw);
    if (length > HTTP_TARGET_BYTES_MAX) {
        ck_assert_int_eq(status, HTTP__TARGET_TOO_LONG);
    } else {
        ck_assert_int_eq(status, HTTP__TARGET_OK);
        assert_span(target.path, raw);
    }
    http__target_deinit(&target);
}
END_TEST

static const struct {
    const char *encoded;
    const char *decoded; /* null: a bad escape */
    size_t length;
} escapes[] = {
    {"", "", 0},
    {"abc", "abc", 3},
    {"a%20b", "a b", 3},
    {"%00", "\0", 1},
    {"a%00b", "a\0b", 3},
    {"%fF", "\xff", 1},
    {"%2F%3a", "/:", 2},
    {"%2525", "%25", 3},
    {"a+b", "a+b", 3},
    {"%", NULL, 0},
    {"%4", NULL, 0},
    {"%zz", NULL, 0},
    {"%4g", NULL, 0},
    {"ok%", NULL, 0},
    {"% 41", NULL, 0},
};

START_TEST(escapes_stand_for_any_byte)
{
    struct http__span encoded = {escapes[_i].encoded,
                                 strlen(escapes[_i].encoded)};
    char decoded[16];
    size_t length = 0;

    ck_assert_int_eq(http__target_decode(encoded, decoded, &length),
                     escapes[_i].decoded != NULL);
    if (escapes[_i].decoded) {
        ck_assert_uint_eq(length, escapes[_i].length);
        ck_assert_mem_eq(decoded, escapes[_i].decoded, length);
    }
}
END_TEST

static const struct {
    const char *query;
    enum http__target_status status;
    const char *value;
} parameters[] = {
    {"/?key=5", HTTP__TARGET_OK, "5"},
    {"/?a=1&key=5&b=2", HTTP__TARGET_OK, "5"},
    {"/?&&key=5&", HTTP__TARGET_OK, "5"},
    {"/?key=a%26b", HTTP__TARGET_OK, "a&b"},
    {"/?key=a=b", HTTP__TARGET_OK, "a=b"},
    {"/?key", HTTP__TARGET_OK, ""},
    {"/?key=", HTTP__TARGET_OK, ""},
    {"/?key=1234567", HTTP__TARGET_OK, "1234567"},
    {"/?key=12345678", HTTP__TARGET_TOO_LONG, NULL},
    {"/?key=%3", HTTP__TARGET_BAD, NULL},
    {"/?key=1&key=1", HTTP__TARGET_REPEATED, NULL},
    {"/?keys=1", HTTP__TARGET_ABSENT, NULL},
    {"/?ke=1", HTTP__TARGET_ABSENT, NULL},
    {"/?a=key", HTTP__TARGET_ABSENT, NULL},
    {"/?", HTTP__TARGET_ABSENT, NULL},
    {"/key=1", HTTP__TARGET_ABSENT, NULL},
};

START_TEST(parameters_are_found_by_name_and_decoded)
{
    struct http__target target;
    char value[8];
    size_t length;

    ck_assert_int_eq(http__target_init(&target, parameters[_i].query),
                     HTTP__TARGET_OK);
    ck_assert_int_eq(http__target_parameter_decoded(&target, "key", value,
                                                    sizeof(value), &length),
                     parameters[_i].status);
    if (parameters[_i].value) {
        ck_assert_str_eq(value, parameters[_i].value);
        ck_assert_uint_eq(length, strlen(parameters[_i].value));
    }
    http__target_deinit(&target);
}
END_TEST

static const struct {
    const char *raw;
    const char *known;
    const char *unknown;
} strangers[] = {
    {"/?a=1&b=2", "a b", NULL}, {"/?a=1&c=2", "a b", "c"},
    {"/?ab=1", "a b", "ab"},    {"/?a", "", "a"},
    {"/", "", NULL},            {"/?anything", "*", NULL},
    {"/?=5", "a", ""},
};

START_TEST(unknown_parameters_are_found)
{
    struct http__target target;
    struct http__span name;

    http__target_init(&target, strangers[_i].raw);
    ck_assert_int_eq(http__target_unknown_parameter(
                         &target, strangers[_i].known, &name),
                     strangers[_i].unknown != NULL);
    if (strangers[_i].unknown)
        assert_span(name, strangers[_i].unknown);
    http__target_deinit(&target);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/target");
    TCase *tests = tcase_create("target");

    tcase_add_loop_test(tests, a_target_has_a_path_and_a_query, 0,
                        COUNT(targets));
    tcase_add_loop_test(tests, a_target_may_be_as_long_as_the_limit, 0, 6);
    tcase_add_loop_test(tests, escapes_stand_for_any_byte, 0, COUNT(escapes));
    tcase_add_loop_test(tests, parameters_are_found_by_name_and_decoded, 0,
                        COUNT(parameters));
    tcase_add_loop_test(tests, unknown_parameters_are_found, 0,
                        COUNT(strangers));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
