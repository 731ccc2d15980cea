/*
 * check_json.c - tests of http/json.c.
 */
#include "http/json.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *bytes;
    size_t length;
    const char *name; /* the member that it becomes */
    const char *text;
    size_t text_length;
} keys[] = {
    {"abc", 3, "key", "abc", 3},
    {"", 0, "key", "", 0},
    {"a\0b", 3, "key", "a\0b", 3},
    {"\xc3\xa4", 2, "key", "\xc3\xa4", 2},
    {"\xff", 1, "key_base64", "/w==", 4},
    {"\xff\xfe", 2, "key_base64", "//4=", 4},
    {"a\xff" "b", 3, "key_base64", "Yf9i", 4},
    {"\xc3", 1, "key_base64", "ww==", 4},
    {"\xed\xa0\x80", 3, "key_base64", "7aCA", 4}, /* a lone surrogate */
};

START_TEST(bytes_are_text_where_they_are_utf8)
{
    json_t *object = json_object();

    ck_assert(http__json_set_bytes(object, "key", keys[_i].bytes,
                                   keys[_i].length));
    ck_assert_uint_eq(json_object_size(object), 1);
    json_t *string = json_object_get(object, keys[_i].name);
    ck_assert_ptr_nonnull(string);
    ck_assert_uint_eq(json_string_length(string), keys[_i].text_length);
    ck_assert_mem_eq(json_string_value(string), keys[_i].text,
                     keys[_i].text_length);
    json_decref(object);
}
END_TEST

START_TEST(text_from_elsewhere_loses_what_is_not_utf8)
{
    json_t *string = http__json_text("a\xff" "b", 3);

    ck_assert_str_eq(json_string_value(string), "a?b");
    json_decref(string);
}
END_TEST

START_TEST(cursors_come_back_as_they_went)
{
    unsigned char bytes[64];
    unsigned char back[64];
    char text[HTTP__BASE64_LENGTH(64) + 1];
    size_t length = (size_t)_i;
    size_t back_length = 99;

    for (size_t index = 0; index < length; index++)
        bytes[index] = (unsigned char)(index * 37 + 251);
    http__json_base64url(bytes, length, text);
    ck_assert_uint_eq(strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789-_"),
                      strlen(text));
    ck_assert(http__json_from_base64url(text, strlen(text), back, length,
                                        &back_length));
    ck_assert_uint_eq(back_length, length);
    ck_assert_mem_eq(back, bytes, length);
    if (length > 0)
        ck_assert(!http__json_from_base64url(text, strlen(text), back,
                                             length - 1, &back_length));
}
END_TEST

static const char *const bad_cursors[] = {
    "A", "AAAAA", "AA==", "A+", "/w", "AB ", "AB", /* bits are left over */
};

START_TEST(what_is_no_cursor_is_refused)
{
    char bytes[16];
    size_t length;

    ck_assert(!http__json_from_base64url(bad_cursors[_i],
                                         strlen(bad_cursors[_i]), bytes,
                                         sizeof(bytes), &length));
}
END_TEST

static const struct {
    const char *text;
    const char *bytes; /* null: it is none */
    size_t length;
} base64s[] = {
    {"", "", 0},          {"AA==", "\0", 1},   {"/w==", "\xff", 1},
    {"//4=", "\xff\xfe", 2}, {"Yf9i", "a\xff" "b", 3},
    {"+/+/", "\xfb\xff\xbf", 3},
    {"=", NULL, 0},       {"==", NULL, 0},     {"====", NULL, 0},
    {"A===", NULL, 0},    {"AA=", NULL, 0},    {"AA", NULL, 0},
    {"AAA", NULL, 0},     {"AB==", NULL, 0},   {"AAB=", NULL, 0},
    {"-_-_", NULL, 0},    {"AA==AAAA", NULL, 0}, {"AA= ", NULL, 0},
    {"AA\n=", NULL, 0},   {"=AAA", NULL, 0},
};

START_TEST(base64_has_one_text_for_each_sequence_of_bytes)
{
    char bytes[16];
    size_t length = 99;
    bool is_base64 = http__json_from_base64(
        base64s[_i].text, strlen(base64s[_i].text), bytes, &length);

    ck_assert_int_eq(is_base64, base64s[_i].bytes != NULL);
    if (!is_base64)
        return;
    ck_assert_uint_eq(length, base64s[_i].length);
    ck_assert_mem_eq(bytes, base64s[_i].bytes, length);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/json");
    TCase *tests = tcase_create("json");

    tcase_add_loop_test(tests, bytes_are_text_where_they_are_utf8, 0,
                        sizeof(keys) / sizeof(*keys));
    tcase_add_test(tests, text_from_elsewhere_loses_what_is_not_utf8);
    tcase_add_loop_test(tests, cursors_come_back_as_they_went, 0, 64);
    tcase_add_loop_test(tests, what_is_no_cursor_is_refused, 0,
                        sizeof(bad_cursors) / sizeof(*bad_cursors));
    tcase_add_loop_test(tests,
                        base64_has_one_text_for_each_sequence_of_bytes, 0,
                        sizeof(base64s) / sizeof(*base64s));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
