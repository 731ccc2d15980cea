/*
 * check_error.c - tests of http/error.c.
 */
#include "http/server.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

START_TEST(every_status_has_a_name_and_a_text_of_its_own)
{
    for (int left = HTTP_OK; left <= HTTP_SYSTEM; left++) {
        const char *name = http_status_name((enum http_status)left);
        ck_assert_str_ne(name, "unknown");
        ck_assert_str_ne(http_status_text((enum http_status)left), "unknown");
        for (int right = left + 1; right <= HTTP_SYSTEM; right++)
            ck_assert_str_ne(name, http_status_name((enum http_status)right));
    }
    ck_assert_str_eq(http_status_name((enum http_status)999), "unknown");
    ck_assert_str_eq(http_status_text((enum http_status)999), "unknown");
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut)
{
    struct http_error err;
    char text[HTTP_MESSAGE_SIZE + 10];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    ck_assert_int_eq(http__error_set(&err, HTTP_IN_USE, "%s", text),
                     HTTP_IN_USE);
    ck_assert_uint_eq(strlen(err.message), HTTP_MESSAGE_SIZE - 1);
    ck_assert_int_eq(http__error_set(NULL, HTTP_INVALID, "%s", text),
                     HTTP_INVALID);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/error");
    TCase *tests = tcase_create("error");

    tcase_add_test(tests, every_status_has_a_name_and_a_text_of_its_own);
    tcase_add_test(tests, a_message_that_is_too_long_is_cut);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
