/*
 * check_wasi_calls.c - tests of runtime/wasi_calls.c: what a function of WASI
 * costs.
 */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>

static struct gvm_call *call;

static void
set_up(void)
{
    wasi_world_open();
    ck_assert_int_eq(gvm_call_create(wasi_world.store, &call), GVM_OK);
}

static void
tear_down(void)
{
    gvm_call_destroy(call);
    wasi_world_close();
}

/* What is left of `fuel` after a call with three arguments. */
static uint64_t
left_of(uint64_t fuel, gvm_host_function *function, uint64_t a, uint64_t b,
        uint64_t c, uint64_t d)
{
    union gvm_value slots[9] = {
        {.slot = a}, {.slot = b}, {.slot = c}, {.slot = d}, {.slot = 8}};

    gvm_call_set_fuel(call, fuel);
    ck_assert_int_eq(function(call, &wasi_world.wasi, slots), GVM_OK);
    return gvm_call_fuel(call);
}

START_TEST(what_the_kernel_does_costs_more)
{
    ck_assert_uint_eq(
        left_of(5000, runtime__wasi_call_sched_yield, 0, 0, 0, 0),
        5000 - RUNTIME_WASI_QUICK_FUEL);
    ck_assert_uint_eq(
        left_of(5000, runtime__wasi_call_path_unlink_file, 3, 0, 0, 0),
        5000 - RUNTIME_WASI_SYSTEM_FUEL);
}
END_TEST

START_TEST(bytes_cost_beside_the_call)
{
    wasi_put_u32(0, 100);
    wasi_put_u32(4, 6400);
    ck_assert_uint_eq(left_of(50000, runtime__wasi_call_fd_write, 1, 0, 1, 8),
                      50000 - RUNTIME_WASI_SYSTEM_FUEL - 100);
    ck_assert_uint_eq(
        left_of(50000, runtime__wasi_call_random_get, 0, 4000, 0, 0),
        50000 - RUNTIME_WASI_QUICK_FUEL - 1000);
    uint64_t left =
        left_of(50000, runtime__wasi_call_fd_readdir, 3, 100, 1000, 0);
    ck_assert_uint_eq(50000 - RUNTIME_WASI_SYSTEM_FUEL - left,
                      wasi_get_u32(8));
    /* The next one does not pay for them again. */
    ck_assert_uint_eq(
        left_of(5000, runtime__wasi_call_sched_yield, 0, 0, 0, 0),
        5000 - RUNTIME_WASI_QUICK_FUEL);
}
END_TEST

/* What asks for files of the host, where calls are parked. */
START_TEST(files_are_asked_for_where_that_may_block)
{
    struct runtime__wasi *wasi = &wasi_world.wasi;
    union gvm_value slots[9] = {{.slot = 3}};

    /* Streams are nobody's files, and the price is paid once. */
    wasi->parks = true;
    gvm_call_set_fuel(call, 5000);
    ck_assert_int_eq(runtime__wasi_call_fd_sync(call, wasi, slots),
                     GVM_SUSPENDED);
    ck_assert(wasi->blocks);
    ck_assert_uint_eq(gvm_call_fuel(call), 5000);
    ck_assert_uint_eq(slots[0].slot, 3);
    wasi->blocks = false;
    wasi->may_block = true;
    ck_assert_int_eq(runtime__wasi_call_fd_sync(call, wasi, slots), GVM_OK);
    ck_assert_uint_eq(gvm_call_fuel(call), 5000 - RUNTIME_WASI_SYSTEM_FUEL);
    wasi->may_block = false;
    for (uint32_t fd = 0; fd < 3; fd++)
        left_of(5000, runtime__wasi_call_fd_sync, fd, 0, 0, 0);
    left_of(5000, runtime__wasi_call_fd_sync, 4, 0, 0, 0);
    left_of(5000, runtime__wasi_call_fd_fdstat_get, 3, 0, 0, 0);
    left_of(5000, runtime__wasi_call_fd_sync, UINT32_MAX, 0, 0, 0);
    ck_assert(!wasi->blocks);
}
END_TEST

START_TEST(more_than_there_is_leaves_nothing)
{
    static const uint64_t fuels[] = {0, 1, RUNTIME_WASI_SYSTEM_FUEL - 1,
                                     RUNTIME_WASI_SYSTEM_FUEL};

    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(
            left_of(fuels[i], runtime__wasi_call_path_unlink_file, 3, 0, 0,
                    0),
            0);
    ck_assert_uint_eq(left_of(RUNTIME_WASI_SYSTEM_FUEL + 1,
                              runtime__wasi_call_path_unlink_file, 3, 0, 0,
                              0),
                      1);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_the_kernel_does_costs_more);
    tcase_add_test(tests, bytes_cost_beside_the_call);
    tcase_add_test(tests, files_are_asked_for_where_that_may_block);
    tcase_add_test(tests, more_than_there_is_leaves_nothing);
}

WORLD_MAIN("wasi_calls", add_tests)
