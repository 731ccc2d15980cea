/* check_text.c - tests of runtime/text.c. */
#include "runtime/text.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *from, *printable;
    bool is_utf8;
} texts[] = {
    {"", "", true},
    {"plain", "plain", true},
    {"\x7f\x01", "??", true},
    {"a\nb\tc\rd\x1b" "e", "a b c?d?e", true},
    {"\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80",
     "\xc3\xa4 \xe2\x82\xac \xf0\x9f\x98\x80", true},
    {"\xf4\x8f\xbf\xbf", "\xf4\x8f\xbf\xbf", true},
    {"\xed\x9f\xbf", "\xed\x9f\xbf", true},
    {"\xff", "?", false},
    {"\xc3", "?", false}, /* cut */
    {"\xc3x", "?x", false},
    {"\xe2\x82", "??", false},
    {"\xf0\x9f\x98", "???", false},
    {"\xf0\x9f\x98x", "???x", false},
    {"\x80", "?", false},
    {"\xc0\x80", "??", false},         /* longer than needed */
    {"\xe0\x9f\xbf", "???", false},
    {"\xf0\x8f\xbf\xbf", "????", false},
    {"\xed\xa0\x80", "???", false},     /* a surrogate */
    {"\xf4\x90\x80\x80", "????", false}, /* past the last code point */
    {"\xf5\x80\x80\x80", "????", false},
};

START_TEST(a_text_is_utf_8_or_is_made_so)
{
    char text[32];

    ck_assert_int_eq(runtime__text_is_utf8(texts[_i].from),
                     texts[_i].is_utf8);
    strcpy(text, texts[_i].from);
    runtime__text_make_printable(text);
    ck_assert_str_eq(text, texts[_i].printable);
    ck_assert(runtime__text_is_utf8(text));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_text_is_utf_8_or_is_made_so, 0,
                        sizeof(texts) / sizeof(texts[0]));
}

WORLD_MAIN("text", add_tests)
