/* suite.h - for tests: what main does with a suite. */
#ifndef GLASS_TESTS_SUPPORT_SUITE_H
#define GLASS_TESTS_SUPPORT_SUITE_H

#include <check.h>

/* How many tests a loop over an array is. */
#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

/* Runs a suite and frees it; returns the program's exit status. How much it
 * says is the environment's to choose, by CK_VERBOSITY. */
static inline int
suite_run(Suite *suite)
{
    SRunner *runner = srunner_create(suite);

    srunner_run_all(runner, CK_ENV);

    int failed = srunner_ntests_failed(runner);

    srunner_free(runner);
    return failed > 0;
}

#endif
