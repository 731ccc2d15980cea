/*
 * check_skip.c - the list of assertions that are known to fail.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "spec-tests/skip.h"

static const struct line {
    const char *text;
    bool is_accepted;
    size_t count;
} lines[] = {
    {"mvp/const:12 the reason", true, 1},
    {"  2.0/a-b_c:4294967295\tthe reason  \n", true, 1},
    {"", true, 0},
    {"   \n", true, 0},
    {"# mvp/const:12 the reason", true, 0},
    /* A skip needs a reason, */
    {"mvp/const:12", false, 0},
    {"mvp/const:12   \n", false, 0},
    /* a level, a script and a line. */
    {"const:12 the reason", false, 0},
    {"/const:12 the reason", false, 0},
    {"mvp/:12 the reason", false, 0},
    {"mvp/const the reason", false, 0},
    {"mvp/const: the reason", false, 0},
    {"mvp/const:0 the reason", false, 0},
    {"mvp/const:-1 the reason", false, 0},
    {"mvp/const:12x the reason", false, 0},
    {"mvp/const:4294967296 the reason", false, 0},
};

START_TEST(an_entry_is_a_level_a_script_a_line_and_a_reason)
{
    const struct line *row = &lines[_i];
    char error[SPEC_SKIP_ERROR_BYTES] = "";
    struct spec_skip_list list;

    spec_skip_list_init(&list);
    ck_assert_msg(spec_skip_list_add(&list, row->text, error) ==
                      row->is_accepted,
                  "%s", row->text);
    ck_assert_uint_eq(list.count, row->count);
    ck_assert((error[0] == '\0') == row->is_accepted);
    if (row->count == 1)
        ck_assert_str_eq(list.skips[0].reason, "the reason");
    spec_skip_list_deinit(&list);
}
END_TEST

START_TEST(an_entry_is_found_by_all_three_of_its_parts)
{
    char error[SPEC_SKIP_ERROR_BYTES];
    struct spec_skip_list list;

    spec_skip_list_init(&list);
    ck_assert(spec_skip_list_add(&list, "mvp/const:12 one", error));
    ck_assert(spec_skip_list_add(&list, "2.0/const:12 two", error));
    ck_assert_ptr_eq(spec_skip_list_find(&list, "2.0", "const", 12),
                     &list.skips[1]);
    ck_assert_ptr_null(spec_skip_list_find(&list, "3.0", "const", 12));
    ck_assert_ptr_null(spec_skip_list_find(&list, "mvp", "cons", 12));
    ck_assert_ptr_null(spec_skip_list_find(&list, "mvp", "const", 1));
    spec_skip_list_deinit(&list);
}
END_TEST

START_TEST(an_entry_that_nothing_fails_for_is_complained_about)
{
    struct spec_skip skip = {.passed = 0, .failed = 0};

    ck_assert_str_eq(spec_skip_complaint(&skip),
                     "listed in skip.txt but there is no assertion");
    skip.passed = 1;
    ck_assert_str_eq(spec_skip_complaint(&skip),
                     "listed in skip.txt but passes");
    /* Several assertions may share a line: one that fails is enough. */
    skip.failed = 1;
    ck_assert_ptr_null(spec_skip_complaint(&skip));
}
END_TEST

START_TEST(a_file_is_read_until_its_first_mistake)
{
    char path[] = "skip.XXXXXX";
    char error[SPEC_SKIP_ERROR_BYTES] = "";
    struct spec_skip_list list;
    int fd = mkstemp(path);
    FILE *file = fdopen(fd, "w");

    ck_assert_ptr_nonnull(file);
    fputs("# why\n\nmvp/a:1 first\nmvp/b:2 second\n", file);
    fflush(file);
    spec_skip_list_init(&list);
    ck_assert(spec_skip_list_read(&list, path, error));
    ck_assert_uint_eq(list.count, 2);
    fputs("nonsense\nmvp/c:3 third\n", file);
    fclose(file);
    ck_assert(!spec_skip_list_read(&list, path, error));
    ck_assert_uint_eq(list.count, 4);
    ck_assert(error[0] != '\0');
    unlink(path);
    ck_assert(!spec_skip_list_read(&list, path, error));
    ck_assert_uint_eq(list.count, 4);
    spec_skip_list_deinit(&list);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("skip");
    Suite *suite = suite_create("spec-tests/skip");
    SRunner *runner = srunner_create(suite);
    int failures;

    tcase_add_loop_test(cases,
                        an_entry_is_a_level_a_script_a_line_and_a_reason, 0,
                        (int)(sizeof lines / sizeof lines[0]));
    tcase_add_test(cases, an_entry_is_found_by_all_three_of_its_parts);
    tcase_add_test(cases, an_entry_that_nothing_fails_for_is_complained_about);
    tcase_add_test(cases, a_file_is_read_until_its_first_mistake);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
