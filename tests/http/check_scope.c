/*
 * check_scope.c - tests of http/scope.c: which words are scopes, and what is
 * within one.
 */
#include "http/scope.h"
#include "state/state.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *text;
    unsigned bit; /* 0: it is none */
    const char *prefix;
} words[] = {
    {"functions", HTTP__SCOPE_FUNCTIONS, ""},
    {"invoke", HTTP__SCOPE_INVOKE, ""},
    {"state:r", HTTP__SCOPE_STATE_READ, ""},
    {"state:w", HTTP__SCOPE_STATE_WRITE, ""},
    {"admin", HTTP__SCOPE_ADMIN, ""},
    {"state:r=users/", HTTP__SCOPE_STATE_READ, "users/"},
    {"invoke=a=b", HTTP__SCOPE_INVOKE, "a=b"},
    {"invoke==", HTTP__SCOPE_INVOKE, "="},
    {"invoke=", 0, NULL},
    {"", 0, NULL},
    {"=", 0, NULL},
    {"=users/", 0, NULL},
    {"state", 0, NULL},
    {"state:", 0, NULL},
    {"state:rw", 0, NULL},
    {"state:r ", 0, NULL},
    {"Invoke", 0, NULL},
    {"*", 0, NULL},
};

START_TEST(a_scope_is_a_word_that_is_known_and_perhaps_a_prefix)
{
    struct http__scope scope;

    ck_assert_int_eq(http__scope_parse(words[_i].text, &scope),
                     words[_i].bit != 0);
    if (!words[_i].bit)
        return;
    ck_assert_uint_eq(scope.bit, words[_i].bit);
    ck_assert_str_eq(scope.prefix, words[_i].prefix);
    ck_assert_uint_eq(scope.prefix_bytes, strlen(words[_i].prefix));
}
END_TEST

START_TEST(a_prefix_is_as_long_as_a_key_at_most)
{
    char text[8 + STATE_KEY_BYTES_MAX + 2] = "state:r=";
    struct http__scope scope;

    memset(text + 8, 'k', STATE_KEY_BYTES_MAX);
    ck_assert(http__scope_parse(text, &scope));
    text[8 + STATE_KEY_BYTES_MAX] = 'k';
    ck_assert(!http__scope_parse(text, &scope));
}
END_TEST

#define READ HTTP__SCOPE_STATE_READ
#define WRITE HTTP__SCOPE_STATE_WRITE
#define BOTH HTTP__SCOPE_STATE_BOTH
#define BYTES_OF(text) text, sizeof(text) - 1

static const struct {
    const char *scopes[2];
    unsigned needed;
    const char *name; /* null: everything */
    size_t length;
    bool allowed;
} cases[] = {
    {{"state:r"}, READ, BYTES_OF("k"), true},
    {{"state:r"}, READ, NULL, 0, true},
    {{"state:r"}, WRITE, BYTES_OF("k"), false},
    {{"state:r"}, BOTH, BYTES_OF("k"), false},
    {{"state:r", "state:w"}, BOTH, BYTES_OF("k"), true},
    {{"state:r", "state:w"}, BOTH, NULL, 0, true},
    {{"state:r", "state:w=a"}, BOTH, NULL, 0, false},
    {{"state:r", "state:w=a"}, BOTH, BYTES_OF("ab"), true},
    {{"state:r=a", "state:w=ab"}, BOTH, BYTES_OF("ab"), true},
    {{"state:r=a", "state:w=ab"}, BOTH, BYTES_OF("ac"), false},
    {{"state:r=a", "state:r=b"}, READ, BYTES_OF("b"), true},
    {{"state:r=a", "state:r=b"}, READ, NULL, 0, false},
    {{"state:r=ab"}, READ, BYTES_OF("ab"), true},
    {{"state:r=ab"}, READ, BYTES_OF("a"), false},
    {{"state:r=ab"}, READ, BYTES_OF(""), false},
    {{"state:r=ab"}, READ, BYTES_OF("a\0b"), false},
    {{"state:r=ab"}, READ, BYTES_OF("ab\0"), true},
    {{"admin"}, READ, BYTES_OF("k"), false},
    /* What no route has said that it needs is nobody's. */
    {{"admin", "state:r"}, 0, BYTES_OF("k"), false},
};

START_TEST(scopes_are_enough_for_what_begins_with_their_prefix)
{
    struct http__scope scopes[2];
    size_t count = 0;

    for (; count < 2 && cases[_i].scopes[count]; count++)
        ck_assert(http__scope_parse(cases[_i].scopes[count],
                                    &scopes[count]));
    ck_assert_int_eq(http__scope_allows(scopes, count, cases[_i].needed,
                                        cases[_i].name, cases[_i].length),
                     cases[_i].allowed);
    /* Without a scope nothing goes. */
    ck_assert(!http__scope_allows(scopes, 0, cases[_i].needed,
                                  cases[_i].name, cases[_i].length));
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/scope");
    TCase *tests = tcase_create("scope");

    tcase_add_loop_test(tests,
                        a_scope_is_a_word_that_is_known_and_perhaps_a_prefix,
                        0, COUNT(words));
    tcase_add_test(tests, a_prefix_is_as_long_as_a_key_at_most);
    tcase_add_loop_test(tests,
                        scopes_are_enough_for_what_begins_with_their_prefix,
                        0, COUNT(cases));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
