/* check_timer.c - tests of runtime/timer.c. */
#include "runtime/timer.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>

enum { count_max = 500 };

static struct runtime__timers timers;
static struct runtime__timer all[count_max];

static void
set_up(void)
{
    ck_assert(runtime__timers_init(&timers, count_max));
}

static void
tear_down(void)
{
    runtime__timers_deinit(&timers);
}

START_TEST(the_earliest_is_first_whatever_happens)
{
    srand((unsigned)_i + 1);
    for (int step = 0; step < 10000; step++) {
        struct runtime__timer *timer = &all[rand() % count_max];
        uint64_t earliest = UINT64_MAX;

        /* Times that are the same are many. */
        if (rand() % 3 == 0)
            runtime__timers_clear(&timers, timer);
        else
            runtime__timers_set(&timers, timer, (uint64_t)rand() % 300);
        for (int i = 0; i < count_max; i++)
            if (all[i].place && all[i].at_ns < earliest)
                earliest = all[i].at_ns;
        struct runtime__timer *first = runtime__timers_first(&timers);
        ck_assert_int_eq(first == NULL, earliest == UINT64_MAX);
        if (first)
            ck_assert_uint_eq(first->at_ns, earliest);
    }
}
END_TEST

START_TEST(as_many_fit_as_were_asked_for)
{
    for (int i = 0; i < count_max; i++)
        runtime__timers_set(&timers, &all[i], (uint64_t)(count_max - i));
    for (int i = count_max - 1; i >= 0; i--) {
        ck_assert_ptr_eq(runtime__timers_first(&timers), &all[i]);
        runtime__timers_clear(&timers, &all[i]);
    }
    ck_assert_ptr_null(runtime__timers_first(&timers));
}
END_TEST

START_TEST(clearing_twice_is_clearing_once)
{
    runtime__timers_set(&timers, &all[0], 1);
    runtime__timers_clear(&timers, &all[0]);
    runtime__timers_clear(&timers, &all[0]);
    ck_assert_ptr_null(runtime__timers_first(&timers));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, the_earliest_is_first_whatever_happens, 0, 3);
    tcase_add_test(tests, as_many_fit_as_were_asked_for);
    tcase_add_test(tests, clearing_twice_is_clearing_once);
}

WORLD_MAIN("timer", add_tests)
