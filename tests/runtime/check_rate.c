/* check_rate.c - tests of runtime/rate.c, by a clock of their own. */
#include "runtime/rate.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <pthread.h>

#define SECOND_NS UINT64_C(1000000000)

static struct runtime__rate rate;

static void
begin(void)
{
    atomic_init(&rate.used_until_ns, 0);
}

START_TEST(a_second_gives_so_much_and_no_more)
{
    uint64_t now_ns = 5 * SECOND_NS;

    ck_assert(!runtime__rate_take(&rate, 100, 101, now_ns));
    ck_assert(runtime__rate_take(&rate, 100, 60, now_ns));
    ck_assert(runtime__rate_take(&rate, 100, 40, now_ns));
    ck_assert(!runtime__rate_take(&rate, 100, 1, now_ns));
    ck_assert(runtime__rate_take(&rate, 100, 0, now_ns));
    /* A hundredth of a second gives one. */
    ck_assert(!runtime__rate_take(&rate, 100, 1, now_ns + 9999999));
    ck_assert(runtime__rate_take(&rate, 100, 1, now_ns + 10000000));
    ck_assert(!runtime__rate_take(&rate, 100, 1, now_ns + 10000000));
}
END_TEST

START_TEST(a_pause_does_not_save_up)
{
    uint64_t now_ns = SECOND_NS;

    ck_assert(runtime__rate_take(&rate, 10, 10, now_ns));
    now_ns += 100 * SECOND_NS;
    ck_assert(runtime__rate_take(&rate, 10, 10, now_ns));
    ck_assert(!runtime__rate_take(&rate, 10, 1, now_ns));
}
END_TEST

START_TEST(large_rates_and_amounts_do_not_overflow)
{
    uint64_t now_ns = SECOND_NS;

    ck_assert(runtime__rate_take(&rate, UINT32_MAX, UINT32_MAX, now_ns));
    ck_assert(!runtime__rate_take(&rate, 1, UINT32_MAX, now_ns));
    /* What is more than one for each nanosecond is rounded up. */
    begin();
    ck_assert(runtime__rate_take(&rate, 4 * SECOND_NS, 1, 0));
    ck_assert_uint_eq(atomic_load(&rate.used_until_ns), 1);
}
END_TEST

enum { thread_count = 4, rounds = 20000, per_s = 30000 };

static void *
take_many(void *data)
{
    unsigned *taken = data;

    for (int i = 0; i < rounds; i++)
        *taken += runtime__rate_take(&rate, per_s, 1, SECOND_NS);
    return NULL;
}

/* At one and the same time, whoever takes it. */
START_TEST(threads_together_get_as_much_as_one)
{
    pthread_t threads[thread_count];
    unsigned taken[thread_count] = {0};
    unsigned sum = 0;

    for (int i = 0; i < thread_count; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_many, &taken[i]), 0);
    for (int i = 0; i < thread_count; i++) {
        ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
        sum += taken[i];
    }
    /* One costs 33,334 ns and not 33,333.3. */
    ck_assert_uint_eq(sum, SECOND_NS / ((SECOND_NS + per_s - 1) / per_s));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, begin, NULL);
    tcase_add_test(tests, a_second_gives_so_much_and_no_more);
    tcase_add_test(tests, a_pause_does_not_save_up);
    tcase_add_test(tests, large_rates_and_amounts_do_not_overflow);
    tcase_add_test(tests, threads_together_get_as_much_as_one);
}

WORLD_MAIN("rate", add_tests)
