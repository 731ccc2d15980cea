/*
 * check_pool.c - tests of runtime/pool.c: who waits, how many, and what is
 * left in them.
 */
#include "runtime/pool.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

static struct gvm_engine *engine;
static struct module_builder *builder;
static struct runtime__module *module;
static struct runtime__pool pool;
static struct runtime__idle idle;
static unsigned reclaim_count;
static struct runtime_error err;

static const struct runtime__limits limits = {
    .fuel = 1000000,
    .memory_bytes = 4 * 65536,
    .deadline_ns = UINT64_MAX,
};

static void
count_reclaim(void *data)
{
    ck_assert_ptr_eq(data, &reclaim_count);
    reclaim_count++;
}

/* next() counts in memory: 1, 2, 3... */
static void
set_up(void)
{
    struct runtime__faaslet *faaslet;
    struct gvm_snapshot *snapshot;
    size_t length_bytes;

    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    builder = module_builder_create();
    module_builder_memory(builder, 1, 4);
    uint32_t next = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 0, 0x28, 2, 0, 0x41, 1, 0x6a, 0x36, 2, 0, 0x41,
              0, 0x28, 2, 0, 0x0b));
    module_builder_export(builder, "next", GVM_EXTERN_FUNC, next);
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    ck_assert_int_eq(runtime__module_load(engine, bytes, length_bytes, false,
                                          RUNTIME__GROUP_wasi, NULL, &module,
                                          &err),
                     RUNTIME_OK);
    ck_assert_int_eq(
        runtime__faaslet_create(engine, module, &limits, &faaslet, &err),
        RUNTIME_OK);
    ck_assert_int_eq(runtime__faaslet_freeze(faaslet, &snapshot, &err),
                     RUNTIME_OK);
    runtime__faaslet_destroy(faaslet);
    runtime__pool_init(&pool);
    reclaim_count = 0;
    idle = (struct runtime__idle){
        .max = 1000, .reclaim = count_reclaim, .data = &reclaim_count};
    pool.idle = &idle;
    ck_assert_ptr_null(runtime__pool_snapshot(&pool));
    runtime__pool_set_snapshot(&pool, snapshot);
    ck_assert_ptr_eq(runtime__pool_snapshot(&pool), snapshot);
}

static void
tear_down(void)
{
    runtime__pool_deinit(&pool);
    runtime__module_put(module);
    module_builder_destroy(builder);
    gvm_engine_destroy(engine);
}

static struct runtime__faaslet *
get(void)
{
    struct runtime__faaslet *faaslet;

    ck_assert_int_eq(
        runtime__pool_get(&pool, engine, module, &limits, &faaslet, &err),
        RUNTIME_OK);
    return faaslet;
}

static uint32_t
next(struct runtime__faaslet *faaslet)
{
    const union gvm_value *results;

    ck_assert_int_eq(
        runtime__faaslet_run(faaslet, "next", NULL, &results, &err),
        RUNTIME_OK);
    return results[0].i32;
}

static unsigned
waiting(void)
{
    ck_assert_uint_eq(atomic_load(&idle.count), atomic_load(&pool.count));
    return atomic_load(&pool.count);
}

START_TEST(what_was_put_is_got_again_and_as_new)
{
    struct runtime__faaslet *first = get();

    for (int i = 0; i < 100; i++) {
        ck_assert_uint_eq(next(first), 1);
        ck_assert_uint_eq(next(first), 2);
        ck_assert_uint_gt(runtime__faaslet_fuel_used(first), 0);
        ck_assert_uint_eq(waiting(), 0);
        runtime__pool_put(&pool, first, false);
        ck_assert_uint_eq(waiting(), 1);
        struct runtime__faaslet *again = get();
        ck_assert_ptr_eq(again, first);
        ck_assert(!again->is_warm);
        ck_assert_uint_eq(runtime__faaslet_fuel_used(again), 0);
        ck_assert_uint_eq(runtime__faaslet_fuel_left(again), limits.fuel);
    }
    runtime__pool_put(&pool, first, false);
    runtime__pool_put(&pool, NULL, false);
    ck_assert_uint_eq(waiting(), 1);
}
END_TEST

START_TEST(two_calls_at_once_have_two_of_them)
{
    struct runtime__faaslet *first = get();
    struct runtime__faaslet *second = get();

    ck_assert_ptr_ne(first, second);
    ck_assert_uint_eq(next(first), 1);
    ck_assert_uint_eq(next(first), 2);
    ck_assert_uint_eq(next(second), 1);
    runtime__pool_put(&pool, first, false);
    runtime__pool_put(&pool, second, false);
    ck_assert_uint_eq(waiting(), 2);
}
END_TEST

START_TEST(one_that_keeps_its_memory_goes_on_in_it)
{
    struct runtime__faaslet *faaslet = get();

    ck_assert_uint_eq(next(faaslet), 1);
    runtime__pool_put(&pool, faaslet, true);
    ck_assert_ptr_eq(get(), faaslet);
    ck_assert(faaslet->is_warm);
    ck_assert_uint_eq(next(faaslet), 2);
    /* Until a call does not end well. */
    runtime__pool_put(&pool, faaslet, false);
    ck_assert_ptr_eq(get(), faaslet);
    ck_assert(!faaslet->is_warm);
    ck_assert_uint_eq(next(faaslet), 1);
    runtime__pool_put(&pool, faaslet, false);
}
END_TEST

START_TEST(nothing_of_a_call_is_left_in_the_sandbox)
{
    struct runtime__faaslet *faaslet = get();

    faaslet->call = (struct runtime_call *)(void *)&pool;
    faaslet->namespace_ = "a";
    faaslet->until_ns = faaslet->sleeps_until_ns = 1;
    faaslet->run_count = faaslet->run_next = 1;
    faaslet->suspension = GVM_SUSPENSION_HOST;
    faaslet->wasi.exited = true;
    faaslet->wasi.exit_code = 7;
    faaslet->wasi.streams.data = &pool;
    faaslet->listings = calloc(1, sizeof(*faaslet->listings));
    faaslet->listing_number_last = 5;
    runtime__pool_put(&pool, faaslet, true);
    ck_assert_ptr_eq(get(), faaslet);
    ck_assert_ptr_null(faaslet->call);
    ck_assert_ptr_null(faaslet->namespace_);
    ck_assert_uint_eq(faaslet->until_ns + faaslet->sleeps_until_ns, 0);
    ck_assert_uint_eq(faaslet->run_count + faaslet->run_next, 0);
    ck_assert_int_eq(faaslet->suspension, GVM_SUSPENSION_NONE);
    ck_assert(!faaslet->wasi.exited);
    ck_assert_ptr_null(faaslet->wasi.descriptors);
    ck_assert_int_eq(faaslet->wasi.exit_code, 0);
    ck_assert_ptr_null(faaslet->wasi.streams.data);
    ck_assert_ptr_eq(faaslet->wasi.memory, faaslet->memory);
    ck_assert_ptr_null(faaslet->listings);
    ck_assert_uint_eq(faaslet->listing_number_last, 5);
    runtime__pool_put(&pool, faaslet, false);
}
END_TEST

/* Takes and puts back `count` at once; returns how many wait then. */
static unsigned
flood(unsigned count)
{
    struct runtime__faaslet *all[RUNTIME_IDLE_FAASLETS_MAX + 1];

    for (unsigned i = 0; i < count; i++)
        all[i] = get();
    for (unsigned i = 0; i < count; i++)
        runtime__pool_put(&pool, all[i], false);
    return waiting();
}

START_TEST(as_many_wait_as_the_limit)
{
    ck_assert_uint_eq(flood(RUNTIME_IDLE_FAASLETS_MAX),
                      RUNTIME_IDLE_FAASLETS_MAX);
    ck_assert_uint_eq(flood(RUNTIME_IDLE_FAASLETS_MAX + 1),
                      RUNTIME_IDLE_FAASLETS_MAX);
    ck_assert_uint_eq(reclaim_count, 0);
}
END_TEST

START_TEST(others_are_asked_when_too_many_wait)
{
    idle.max = 3;
    ck_assert_uint_eq(flood(3), 3);
    ck_assert_uint_eq(reclaim_count, 0);
    ck_assert_uint_eq(flood(4), 3);
    ck_assert_uint_eq(reclaim_count, 1);
}
END_TEST

START_TEST(without_a_count_nobody_waits)
{
    pool.idle = NULL;
    struct runtime__faaslet *faaslet = get();
    runtime__pool_put(&pool, faaslet, false);
    ck_assert_uint_eq(waiting(), 0);
}
END_TEST

START_TEST(trimming_leaves_alone_what_was_used_since)
{
    ck_assert_uint_eq(flood(5), 5);
    ck_assert_uint_eq(runtime__pool_trim(&pool), 0);
    ck_assert_uint_eq(waiting(), 5);
    ck_assert_uint_eq(runtime__pool_trim(&pool), 5);
    ck_assert_uint_eq(waiting(), 0);
    ck_assert_uint_eq(runtime__pool_trim(&pool), 0);
    struct runtime__faaslet *faaslet = get();
    ck_assert_uint_eq(next(faaslet), 1);
    runtime__pool_put(&pool, faaslet, false);
}
END_TEST

START_TEST(the_first_snapshot_stays)
{
    const struct gvm_snapshot *first = runtime__pool_snapshot(&pool);
    struct runtime__faaslet *faaslet = get();
    struct gvm_snapshot *second;

    next(faaslet);
    ck_assert_int_eq(runtime__faaslet_freeze(faaslet, &second, &err),
                     RUNTIME_OK);
    runtime__pool_set_snapshot(&pool, second);
    ck_assert_ptr_eq(runtime__pool_snapshot(&pool), first);
    runtime__faaslet_destroy(faaslet);
    runtime__pool_forget(&pool);
    ck_assert_ptr_null(runtime__pool_snapshot(&pool));
    runtime__pool_forget(&pool);
}
END_TEST

static atomic_int wrong_count;

static void *
take_and_put(void *unused)
{
    for (int i = 0; i < 2000; i++) {
        struct runtime__faaslet *faaslet = NULL;
        const union gvm_value *results;

        if (runtime__pool_get(&pool, engine, module, &limits, &faaslet,
                              NULL) != RUNTIME_OK ||
            runtime__faaslet_run(faaslet, "next", NULL, &results, NULL) !=
                RUNTIME_OK ||
            results[0].i32 != 1)
            atomic_fetch_add(&wrong_count, 1);
        runtime__pool_put(&pool, faaslet, false);
        if (i % 100 == 99)
            runtime__pool_trim(&pool);
    }
    return unused;
}

START_TEST(threads_share_a_pool)
{
    pthread_t threads[4];

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, take_and_put, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    ck_assert_uint_le(waiting(), 4);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_was_put_is_got_again_and_as_new);
    tcase_add_test(tests, two_calls_at_once_have_two_of_them);
    tcase_add_test(tests, one_that_keeps_its_memory_goes_on_in_it);
    tcase_add_test(tests, nothing_of_a_call_is_left_in_the_sandbox);
    tcase_add_test(tests, as_many_wait_as_the_limit);
    tcase_add_test(tests, others_are_asked_when_too_many_wait);
    tcase_add_test(tests, without_a_count_nobody_waits);
    tcase_add_test(tests, trimming_leaves_alone_what_was_used_since);
    tcase_add_test(tests, the_first_snapshot_stays);
    tcase_add_test(tests, threads_share_a_pool);
}

WORLD_MAIN("pool", add_tests)
