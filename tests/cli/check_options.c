/*
 * check_options.c - tests of cli/options.c.
 */
#include "cli/options.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define TEST_OPTIONS(X, H)                                                    \
    X(H, FLAG, flag, "flag", NULL, "a flag")                                  \
    X(H, TEXT, text, "text", "TEXT", "a text")                                \
    X(H, NUMBER, number, "number", "COUNT", "a number")                       \
    X(H, SIZE, size, "size", "BYTES", "a size")                               \
    X(H, DURATION, duration, "duration", "DURATION", "a duration")            \
    X(H, LIST, list, "list", "WORD", "words")

struct values {
    TEST_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    TEST_OPTIONS(OPTION_ROW, struct values)
};

#define OPTION_COUNT (sizeof(options) / sizeof(*options))

static struct values values;
static struct words words;
static struct words rest;

/* Parses a list of words that a null ends. */
static bool
parse(const char *const *list)
{
    char *arguments[16];
    size_t count = 0;

    do
        arguments[count] = (char *)(uintptr_t)list[count];
    while (list[count++]);
    return options_parse("test", options, OPTION_COUNT, arguments, &values,
                         &words, &rest);
}

#define PARSE(...) parse((const char *const[]){__VA_ARGS__, NULL})

START_TEST(options_stand_anywhere_before_two_hyphens)
{
    ck_assert(PARSE("a", "--flag", "--text", "t", "b", "--number=5", "-1",
                    "-", "-.5", "--list", "x", "--list=y=z", "--", "--flag",
                    "c"));
    ck_assert(values.flag);
    ck_assert_str_eq(values.text, "t");
    ck_assert_uint_eq(values.number, 5);
    ck_assert_uint_eq(words.count, 5);
    ck_assert_str_eq(words.items[2], "-1");
    ck_assert_str_eq(words.items[4], "-.5");
    ck_assert_uint_eq(rest.count, 2);
    ck_assert_str_eq(rest.items[0], "--flag");
    ck_assert_uint_eq(values.list.count, 2);
    ck_assert_str_eq(values.list.items[1], "y=z");
}
END_TEST

static const struct {
    const char *words[3];
    bool valid;
    uint64_t number;
    uint64_t size;
    uint64_t duration;
} forms[] = {
    {{"--number", "0"}, true, 0, 0, 0},
    {{"--number=18446744073709551615"}, true, UINT64_MAX, 0, 0},
    {{"--number=18446744073709551616"}, false, 0, 0, 0},
    {{"--number=-1"}, false, 0, 0, 0},
    {{"--number="}, false, 0, 0, 0},
    {{"--number=1K"}, false, 0, 0, 0},
    {{"--number"}, false, 0, 0, 0},
    {{"--size=64K"}, true, 0, 65536, 0},
    {{"--size=1MiB"}, true, 0, 1 << 20, 0},
    {{"--size=4G"}, true, 0, UINT64_C(4) << 30, 0},
    {{"--size=17179869184G"}, false, 0, 0, 0},
    {{"--size=1T"}, false, 0, 0, 0},
    {{"--duration=250ms"}, true, 0, 0, 250},
    {{"--duration=5"}, true, 0, 0, 5000},
    {{"--duration=1h"}, true, 0, 0, 3600000},
    {{"--duration=5d"}, false, 0, 0, 0},
    {{"--flag=1"}, false, 0, 0, 0},
    {{"--fla"}, false, 0, 0, 0},
    {{"-f"}, false, 0, 0, 0},
    {{"--=x"}, false, 0, 0, 0},
};

START_TEST(values_have_their_forms)
{
    ck_assert_int_eq(parse(forms[_i].words), forms[_i].valid);
    if (!forms[_i].valid)
        return;
    ck_assert_uint_eq(values.number, forms[_i].number);
    ck_assert_uint_eq(values.size, forms[_i].size);
    ck_assert_uint_eq(values.duration, forms[_i].duration);
}
END_TEST

START_TEST(help_is_asked_for_before_two_hyphens)
{
    char *asked[] = {"a", "--help", NULL};
    char *shortly[] = {"-h", NULL};
    char *behind[] = {"a", "--", "--help", NULL};

    ck_assert(options_ask_help(asked));
    ck_assert(options_ask_help(shortly));
    ck_assert(!options_ask_help(behind));
}
END_TEST

static const struct {
    const char *word;
    const char *nearest;
} likes[] = {
    {"prot", "port"},   {"por", "port"},   {"namspace", "namespace"},
    {"nam", "namespace"}, {"data", "data"}, {"xyzzy", NULL},
    {"qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqq", NULL},
    {"", NULL},
};

START_TEST(the_nearest_name_is_alike)
{
    static const char *const names[] = {"port", "namespace", "data"};
    const char *nearest = options_nearest(likes[_i].word, names, 3);

    if (!likes[_i].nearest)
        ck_assert_msg(nearest == NULL, "%s", nearest);
    else
        ck_assert_pstr_eq(nearest, likes[_i].nearest);
}
END_TEST

static const struct {
    const char *word;
    size_t host_bytes;
    const char *guest; /* null: it is none */
} directories[] = {
    {"a", 1, "a"},
    {"a::b", 1, "b"},
    {"a:b", 3, "a:b"},
    {"a::b::c", 4, "c"},
    {"a:::b", 2, "b"},
    {"::b", 0, NULL},
    {"a::", 0, NULL},
    {"::", 0, NULL},
    {"", 0, NULL},
};

START_TEST(a_directory_has_a_name_on_both_sides)
{
    size_t host_bytes;
    const char *guest =
        options_split_directory(directories[_i].word, &host_bytes);

    if (!directories[_i].guest) {
        ck_assert_ptr_null(guest);
        return;
    }
    ck_assert_str_eq(guest, directories[_i].guest);
    ck_assert_uint_eq(host_bytes, directories[_i].host_bytes);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("cli/options");
    TCase *tests = tcase_create("options");

    tcase_add_test(tests, options_stand_anywhere_before_two_hyphens);
    tcase_add_loop_test(tests, values_have_their_forms, 0, COUNT(forms));
    tcase_add_test(tests, help_is_asked_for_before_two_hyphens);
    tcase_add_loop_test(tests, the_nearest_name_is_alike, 0, COUNT(likes));
    tcase_add_loop_test(tests, a_directory_has_a_name_on_both_sides, 0,
                        COUNT(directories));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
