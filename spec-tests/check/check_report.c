/*
 * check_report.c - what is counted, and how it is shown.
 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec-tests/report.h"

static struct spec_report report;

static void
clear_report(void)
{
    memset(&report, 0, sizeof report);
}

START_TEST(only_assertions_count_as_passed_but_anything_can_fail)
{
    struct spec_counts sum;

    report.counts[SPEC_MODULE].passed = 5;
    report.counts[SPEC_ASSERT_RETURN].passed = 7;
    report.counts[SPEC_ASSERT_TRAP].passed = 1;
    report.counts[SPEC_ASSERT_TRAP].skipped = 2;
    report.counts[SPEC_ASSERT_MALFORMED].not_applicable = 3;
    spec_report_fail(&report, SPEC_MODULE, 1, "a");
    spec_report_fail(&report, SPEC_ASSERT_TRAP, 2, "b");
    spec_report_fail(&report, SPEC_SCRIPT, 3, "c");
    spec_report_sum(&report, &sum);
    ck_assert_uint_eq(sum.passed, 8);
    ck_assert_uint_eq(sum.failed, 3);
    ck_assert_uint_eq(sum.skipped, 2);
    ck_assert_uint_eq(sum.not_applicable, 3);
}
END_TEST

/* A script has 10 assertions; some had their results when it broke. */
static const struct broken {
    uint32_t passed, failed, skipped, not_applicable;
    uint32_t failed_after;
} broken_rows[] = {
    {0, 0, 0, 0, 10},
    {3, 1, 0, 0, 1 + 6},
    {3, 1, 2, 2, 1 + 2},
    {9, 0, 0, 0, 1},
    {10, 0, 0, 0, 1}, /* it broke while cleaning up: still a failure */
};

START_TEST(assertions_that_a_broken_script_did_not_reach_have_failed)
{
    const struct broken *row = &broken_rows[_i];
    struct spec_counts *counts = &report.counts[SPEC_ASSERT_RETURN];
    struct spec_counts sum;

    report.assertion_count = 10;
    report.counts[SPEC_MODULE].passed = 4;
    counts->passed = row->passed;
    counts->skipped = row->skipped;
    counts->not_applicable = row->not_applicable;
    for (uint32_t i = 0; i < row->failed; i++)
        spec_report_fail(&report, SPEC_ASSERT_RETURN, 1, "wrong");
    spec_report_break(&report, "ended by signal SIGSEGV");
    spec_report_sum(&report, &sum);
    ck_assert_uint_eq(sum.failed, row->failed_after);
    ck_assert_uint_eq(sum.passed, row->passed);
}
END_TEST

START_TEST(a_script_that_is_no_script_is_one_failure_when_it_breaks)
{
    struct spec_counts sum;

    spec_report_break(&report, "exited with 1");
    spec_report_sum(&report, &sum);
    ck_assert_uint_eq(sum.failed, 1);
}
END_TEST

START_TEST(failures_beyond_the_limit_are_counted_but_not_kept)
{
    struct spec_counts sum;

    for (uint32_t i = 0; i < SPEC_FAILURES_MAX; i++)
        spec_report_fail(&report, SPEC_ACTION, i, "kept");
    ck_assert_uint_eq(report.failure_count, SPEC_FAILURES_MAX);
    spec_report_fail(&report, SPEC_ACTION, 99, "dropped");
    ck_assert_uint_eq(report.failure_count, SPEC_FAILURES_MAX);
    ck_assert_str_eq(report.failures[SPEC_FAILURES_MAX - 1].message, "kept");
    spec_report_sum(&report, &sum);
    ck_assert_uint_eq(sum.failed, SPEC_FAILURES_MAX + 1);
}
END_TEST

START_TEST(the_print_names_lines_and_says_how_many_more_there_are)
{
    char text[400] = "";
    FILE *file = fmemopen(text, sizeof text, "w");

    spec_report_print(&report, "good", 2, file);
    fflush(file);
    ck_assert_str_eq(text, "");
    report.counts[SPEC_ASSERT_RETURN].passed = 4;
    spec_report_fail(&report, SPEC_ASSERT_RETURN, 12, "not \x01\xc3\xa9");
    spec_report_fail(&report, SPEC_MODULE, 13, "second");
    spec_report_fail(&report, SPEC_MODULE, 14, "third");
    spec_report_print(&report, "bad", 2, file);
    fclose(file);
    ck_assert_str_eq(text, "bad: 3 failed, 4 passed\n"
                           "    line 12: assert_return: not ???\n"
                           "    line 13: module: second\n"
                           "    and 1 more\n");
}
END_TEST

START_TEST(every_command_is_found_by_its_name)
{
    for (unsigned kind = 0; kind < SPEC_SCRIPT; kind++) {
        const char *name = spec_kind_name((enum spec_kind)kind);

        ck_assert_uint_eq(spec_kind_find(name), kind);
        ck_assert_int_eq(spec_kind_is_assertion((enum spec_kind)kind),
                         strncmp(name, "assert_", 7) == 0);
    }
    ck_assert_uint_eq(spec_kind_find("script"), SPEC_KINDS);
    ck_assert_uint_eq(spec_kind_find(""), SPEC_KINDS);
}
END_TEST

int
main(void)
{
    TCase *cases = tcase_create("report");
    Suite *suite = suite_create("spec-tests/report");
    SRunner *runner = srunner_create(suite);
    int failures;

    tcase_add_checked_fixture(cases, clear_report, NULL);
    tcase_add_test(cases,
                   only_assertions_count_as_passed_but_anything_can_fail);
    tcase_add_loop_test(
        cases, assertions_that_a_broken_script_did_not_reach_have_failed, 0,
        (int)(sizeof broken_rows / sizeof broken_rows[0]));
    tcase_add_test(cases,
                   a_script_that_is_no_script_is_one_failure_when_it_breaks);
    tcase_add_test(cases,
                   failures_beyond_the_limit_are_counted_but_not_kept);
    tcase_add_test(cases,
                   the_print_names_lines_and_says_how_many_more_there_are);
    tcase_add_test(cases, every_command_is_found_by_its_name);
    suite_add_tcase(suite, cases);
    srunner_run_all(runner, CK_ENV);
    failures = srunner_ntests_failed(runner);
    srunner_free(runner);
    return failures == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
