/*
 * check_condition.c - tests of http/condition.c.
 */
#include "http/condition.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *text;
    bool valid;
    bool strong; /* holds for "7" by the strong comparison */
    bool weak;   /* and by the weak one */
} lists[] = {
    {"*", true, true, true},
    {" * ", true, true, true},
    {"\"7\"", true, true, true},
    {"W/\"7\"", true, false, true},
    {"\"6\", \"7\"", true, true, true},
    {"\"6\",W/\"7\" ", true, false, true},
    {"\"77\"", true, false, false},
    {"\"\"", true, false, false},
    {"7", false, false, false},
    {"\"7", false, false, false},
    {"w/\"7\"", false, false, false},
    {"\"7\",", false, false, false},
    {"\"7\" \"8\"", false, false, false},
    {"*, \"7\"", false, false, false},
    {"", false, false, false},
};

START_TEST(lists_of_tags_are_parsed_and_compared)
{
    struct http__etags etags;

    ck_assert_int_eq(http__condition_parse(lists[_i].text, &etags),
                     lists[_i].valid);
    if (!lists[_i].valid)
        return;
    ck_assert_int_eq(http__condition_holds(&etags, "7", true),
                     lists[_i].strong);
    ck_assert_int_eq(http__condition_holds(&etags, "7", false),
                     lists[_i].weak);
}
END_TEST

START_TEST(a_list_has_as_many_tags_as_the_limit_says)
{
    struct http__etags etags;
    char text[HTTP_ETAGS_MAX * 5 + 8] = "\"0\"";

    for (int count = 1; count < HTTP_ETAGS_MAX; count++)
        strcat(text, ",\"0\"");
    ck_assert(http__condition_parse(text, &etags));
    ck_assert_uint_eq(etags.count, HTTP_ETAGS_MAX);
    strcat(text, ",\"0\"");
    ck_assert(!http__condition_parse(text, &etags));
}
END_TEST

static const struct {
    const char *if_match;
    const char *if_none_match;
    enum http__write write;
} writes[] = {
    {NULL, NULL, HTTP__WRITE_ALWAYS},
    {NULL, "*", HTTP__WRITE_IF_ABSENT},
    {"*", NULL, HTTP__WRITE_IF_PRESENT},
    {"\"12\"", NULL, HTTP__WRITE_IF_ETAG},
    {"W/\"12\"", NULL, HTTP__WRITE_NEVER},
    {"\"1\",\"2\"", NULL, HTTP__WRITE_BAD},
    {"12", NULL, HTTP__WRITE_BAD},
    {NULL, "\"12\"", HTTP__WRITE_BAD},
    {"*", "*", HTTP__WRITE_BAD},
};

START_TEST(a_write_takes_the_conditions_that_can_be_atomic)
{
    struct http__span etag = {NULL, 0};

    ck_assert_int_eq(http__condition_of_write(writes[_i].if_match,
                                              writes[_i].if_none_match,
                                              &etag),
                     writes[_i].write);
    if (writes[_i].write == HTTP__WRITE_IF_ETAG) {
        ck_assert_uint_eq(etag.length, 2);
        ck_assert_mem_eq(etag.bytes, "12", 2);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/condition");
    TCase *tests = tcase_create("condition");

    tcase_add_loop_test(tests, lists_of_tags_are_parsed_and_compared, 0,
                        sizeof(lists) / sizeof(*lists));
    tcase_add_test(tests, a_list_has_as_many_tags_as_the_limit_says);
    tcase_add_loop_test(tests, a_write_takes_the_conditions_that_can_be_atomic,
                        0, sizeof(writes) / sizeof(*writes));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
