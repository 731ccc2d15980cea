/* check_stripe.c - tests of runtime/stripe.c. */
#define _GNU_SOURCE 1 /* sched_setaffinity */

#include "runtime/stripe.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <sched.h>

START_TEST(a_thread_that_stays_on_a_processor_keeps_its_stripe)
{
    int processor = sched_getcpu();
    cpu_set_t processors;

    ck_assert_int_ge(processor, 0);
    CPU_ZERO(&processors);
    CPU_SET((size_t)processor, &processors);
    ck_assert_int_eq(sched_setaffinity(0, sizeof(processors), &processors),
                     0);
    for (int i = 0; i < 100; i++)
        ck_assert_uint_eq(runtime__stripe(),
                          (unsigned)processor % RUNTIME__STRIPES);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests,
                   a_thread_that_stays_on_a_processor_keeps_its_stripe);
}

WORLD_MAIN("stripe", add_tests)
