/* For tests: the main function of an executable with one case of tests. */
#ifndef GLASS_TESTS_STATE_SUITE_H
#define GLASS_TESTS_STATE_SUITE_H

#include "tests/support/suite.h"

/*
 * Runs a list of tests that ends with null, each between `begin` and `end`,
 * which may be null; returns the exit status.
 */
static inline int
run_suite_between(const char *name, const TTest *const *tests,
                  void (*begin)(void), void (*end)(void))
{
    Suite *suite = suite_create(name);
    TCase *tcase = tcase_create(name);

    tcase_add_checked_fixture(tcase, begin, end);
    for (; *tests != NULL; tests++)
        tcase_add_test(tcase, *tests);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}

static inline int
run_suite(const char *name, const TTest *const *tests)
{
    return run_suite_between(name, tests, NULL, NULL);
}

#endif
