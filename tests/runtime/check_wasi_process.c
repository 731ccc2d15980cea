/*
 * check_wasi_process.c - tests of runtime/wasi_process.c, whose functions are
 * called as a guest would, but with a memory of the test's own.
 */
#include "runtime/wasi.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

enum { page = 65536 };

static struct gvm_engine *engine;
static struct gvm_store *vm_store;
static struct runtime__wasi wasi;
static struct runtime__texts texts;
static uint8_t *memory;

static void
set_up(void)
{
    struct gvm_limits limits = {.min = 1, .max = 1, .has_max = true};

    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    ck_assert_int_eq(gvm_store_create(engine, NULL, &vm_store), GVM_OK);
    ck_assert_int_eq(gvm_memory_create(vm_store, &limits, &wasi.memory),
                     GVM_OK);
    memory = gvm_memory_data(wasi.memory);
    ck_assert(runtime__texts_append(&texts, "one", NULL, NULL));
    ck_assert(runtime__texts_append(&texts, "", NULL, NULL));
    ck_assert(runtime__texts_append(&texts, "A", "=", "b"));
}

static void
tear_down(void)
{
    runtime__texts_deinit(&texts);
    gvm_store_destroy(vm_store);
    gvm_engine_destroy(engine);
}

static uint32_t
ask(gvm_host_function *function, uint64_t a, uint64_t b, uint64_t c)
{
    union gvm_value slots[3] = {{.slot = a}, {.slot = b}, {.slot = c}};

    ck_assert_int_eq(function(NULL, &wasi, slots), GVM_OK);
    ck_assert_uint_eq(slots[0].slot >> 32, 0);
    return slots[0].i32;
}

static uint32_t
get_u32(uint32_t at)
{
    uint32_t value;

    memcpy(&value, memory + at, 4);
    return value;
}

static uint64_t
get_u64(uint32_t at)
{
    uint64_t value;

    memcpy(&value, memory + at, 8);
    return value;
}

/* Arguments and environment are alike. */
static const struct {
    gvm_host_function *sizes, *get;
    bool is_environment;
} lists[] = {
    {runtime__wasi_args_sizes_get, runtime__wasi_args_get, false},
    {runtime__wasi_environ_sizes_get, runtime__wasi_environ_get, true},
};

START_TEST(texts_are_copied_with_their_addresses)
{
    if (lists[_i].is_environment)
        wasi.environment = &texts;
    else
        wasi.arguments = &texts;
    ck_assert_uint_eq(ask(lists[_i].sizes, 0, 4, 0), 0);
    ck_assert_uint_eq(get_u32(0), 3);
    ck_assert_uint_eq(get_u32(4), 9);
    memset(memory + 100, 0xa5, 100);
    ck_assert_uint_eq(ask(lists[_i].get, 8, 100, 0), 0);
    ck_assert_uint_eq(get_u32(8), 100);
    ck_assert_uint_eq(get_u32(12), 104);
    ck_assert_uint_eq(get_u32(16), 105);
    ck_assert_mem_eq(memory + 100, "one\0\0A=b\0\xa5", 10);
}
END_TEST

START_TEST(texts_that_do_not_fit_are_a_fault)
{
    if (lists[_i].is_environment)
        wasi.environment = &texts;
    else
        wasi.arguments = &texts;
    ck_assert_uint_eq(ask(lists[_i].get, page - 12, 100, 0), 0);
    ck_assert_uint_eq(ask(lists[_i].get, page - 11, 100, 0),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(lists[_i].get, 8, page - 9, 0), 0);
    ck_assert_uint_eq(ask(lists[_i].get, 8, page - 8, 0),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(lists[_i].get, UINT32_MAX, 100, 0),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(lists[_i].sizes, 0, page - 3, 0),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(lists[_i].sizes, page - 3, 0, 0),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(no_texts_are_none)
{
    memset(memory, 0xa5, 8);
    ck_assert_uint_eq(ask(lists[_i].sizes, 0, 4, 0), 0);
    ck_assert_uint_eq(get_u64(0), 0);
    ck_assert_uint_eq(ask(lists[_i].get, 0, 4, 0), 0);
}
END_TEST

START_TEST(there_are_four_clocks)
{
    for (uint32_t clock = 0; clock < 4; clock++) {
        memset(memory, 0, 16);
        ck_assert_uint_eq(ask(runtime__wasi_clock_res_get, clock, 0, 0), 0);
        ck_assert_uint_gt(get_u64(0), 0);
        ck_assert_uint_eq(ask(runtime__wasi_clock_time_get, clock, 0, 8), 0);
        uint64_t first = get_u64(8);
        ck_assert_uint_gt(first, 0);
        ck_assert_uint_eq(ask(runtime__wasi_clock_time_get, clock, 0, 8), 0);
        ck_assert_uint_ge(get_u64(8), first);
    }
    ck_assert_uint_eq(ask(runtime__wasi_clock_res_get, 4, 0, 0),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(ask(runtime__wasi_clock_time_get, 4, 0, 8),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(ask(runtime__wasi_clock_time_get, 0, 0, page - 7),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(runtime__wasi_clock_res_get, 0, page - 7, 0),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(random_bytes_fill_their_range_and_no_more)
{
    int zeros = 0;

    ck_assert_uint_eq(ask(runtime__wasi_random_get, 100, 1000, 0), 0);
    for (uint32_t i = 100; i < 1100; i++)
        zeros += memory[i] == 0;
    ck_assert_int_lt(zeros, 100);
    ck_assert_uint_eq(memory[99], 0);
    ck_assert_uint_eq(memory[1100], 0);
    ck_assert_uint_eq(ask(runtime__wasi_random_get, page, 0, 0), 0);
    ck_assert_uint_eq(ask(runtime__wasi_random_get, page - 1, 2, 0),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(ask(runtime__wasi_random_get, 0, UINT32_MAX, 0),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(randomness_ends_at_the_deadline)
{
    union gvm_value slots[2] = {{.slot = 0}, {.slot = page}};

    wasi.deadline_ns = 1;
    ck_assert_int_eq(runtime__wasi_random_get(NULL, &wasi, slots),
                     GVM_EXITED);
    ck_assert(wasi.timed_out);
    wasi.deadline_ns = UINT64_MAX;
    ck_assert_uint_eq(ask(runtime__wasi_random_get, 0, page, 0), 0);
}
END_TEST

START_TEST(an_exit_ends_the_call_and_is_kept)
{
    union gvm_value slots[1] = {{.slot = 0xffffffff}};

    ck_assert_int_eq(runtime__wasi_proc_exit(NULL, &wasi, slots), GVM_EXITED);
    ck_assert(wasi.exited);
    ck_assert_int_eq(wasi.exit_code, -1);
}
END_TEST

/* WASI's numbers of signals: what becomes of a program that handles none. */
static const uint32_t ignored[] = {0, 13, 16, 17, 22, 27};
static const uint32_t stopping[] = {18, 19, 20, 21};
static const uint32_t unknown[] = {31, 32, 255, UINT32_MAX};

START_TEST(a_signal_is_ignored_or_ends_the_program)
{
    for (uint32_t number = 0; number <= 30; number++) {
        union gvm_value slots[1] = {{.slot = number}};
        bool goes_on = false;
        for (size_t i = 0; i < 6; i++)
            goes_on |= number == ignored[i];
        for (size_t i = 0; i < 4; i++)
            goes_on |= number == stopping[i];
        wasi.exited = false;
        ck_assert_int_eq(runtime__wasi_proc_raise(NULL, &wasi, slots),
                         goes_on ? GVM_OK : GVM_EXITED);
        ck_assert_int_eq(wasi.exited, !goes_on);
        if (!goes_on)
            ck_assert_int_eq(wasi.exit_code, 128 + (int)number);
    }
    for (size_t i = 0; i < 6; i++)
        ck_assert_uint_eq(ask(runtime__wasi_proc_raise, ignored[i], 0, 0),
                          0);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(ask(runtime__wasi_proc_raise, stopping[i], 0, 0),
                          RUNTIME__WASI_ENOTSUP);
    for (size_t i = 0; i < 4; i++)
        ck_assert_uint_eq(ask(runtime__wasi_proc_raise, unknown[i], 0, 0),
                          RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(yielding_does_nothing)
{
    ck_assert_uint_eq(ask(runtime__wasi_sched_yield, 0, 0, 0), 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, texts_are_copied_with_their_addresses, 0, 2);
    tcase_add_loop_test(tests, texts_that_do_not_fit_are_a_fault, 0, 2);
    tcase_add_loop_test(tests, no_texts_are_none, 0, 2);
    tcase_add_test(tests, there_are_four_clocks);
    tcase_add_test(tests, random_bytes_fill_their_range_and_no_more);
    tcase_add_test(tests, randomness_ends_at_the_deadline);
    tcase_add_test(tests, an_exit_ends_the_call_and_is_kept);
    tcase_add_test(tests, a_signal_is_ignored_or_ends_the_program);
    tcase_add_test(tests, yielding_does_nothing);
}

WORLD_MAIN("wasi_process", add_tests)
