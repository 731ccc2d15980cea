/* check_mappings.c - tests of runtime/mappings.c. */
#include "runtime/mappings.h"
#include "tests/runtime/world.h"

#include <check.h>

/* Debian's own limit of mappings; then that of each bound, and one less. */
static const struct {
    uint64_t mappings;
    unsigned calls, idle;
    unsigned calls_fit, idle_fit;
    bool lowered;
} rows[] = {
    {UINT64_MAX, 16384, 4096, 16384, 4096, false},
    {65530, 4096, 4096, 4096, 4096, false},
    {65530, 10000, 4096, 10000, 450, true},
    {65530, 16384, 4096, 10124, 326, true},
    /* 19/20 of it less 10,000 are 40,960: 8,192 sandboxes. */
    {53643, 4096, 4096, 4096, 4096, false},
    {53642, 4096, 4096, 4096, 4096, false},
    {53641, 4096, 4096, 4096, 4095, true},
    {10531, 4096, 4096, 1, 1, true},
    {10540, 10, 10, 2, 1, true},
    {1, 4096, 4096, 1, 1, true},
    {0, 1, 1, 1, 1, true},
};

START_TEST(calls_and_what_waits_fit_the_systems_mappings)
{
    unsigned calls = rows[_i].calls;
    unsigned idle = rows[_i].idle;

    ck_assert_int_eq(
        runtime__mappings_fit(rows[_i].mappings, &calls, &idle),
        rows[_i].lowered);
    ck_assert_uint_eq(calls, rows[_i].calls_fit);
    ck_assert_uint_eq(idle, rows[_i].idle_fit);
}
END_TEST

START_TEST(the_systems_limit_is_a_number)
{
    ck_assert_uint_gt(runtime__mappings_max(), 1000);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, calls_and_what_waits_fit_the_systems_mappings,
                        0, (int)(sizeof(rows) / sizeof(rows[0])));
    tcase_add_test(tests, the_systems_limit_is_a_number);
}

WORLD_MAIN("mappings", add_tests)
