/*
 * check_redis.c - tests of the runtime with its state in a real redis-server:
 * operations that are pending, and what a call does when no answer comes.
 */
#include "tests/runtime/world.h"
#include "tests/state/redis_server.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct redis_server server;
static struct state_store *store;
static struct world world;

static void
set_up(void)
{
    struct state_options state_options = {0};
    struct runtime_options options = {0};

    redis_server_init(&server);
    redis_server_start(&server, NULL);
    state_options.url = server.url;
    state_options.timeout_ms = 60000;
    ck_assert_int_eq(state_store_open(&state_options, &store, NULL),
                     STATE_OK);
    options.store = store;
    world_open(&world, &options);
}

static void
tear_down(void)
{
    world_close(&world);
    state_store_close(store);
    redis_server_deinit(&server);
}

/* The same that check_host_state.c runs in memory. */
static const char *const exports[] = {
    "a_value_is_put_and_got",
    "a_range_is_got",
    "length_and_version_are_told",
    "a_put_may_have_a_condition",
    "flags_and_times_that_make_no_sense_are_invalid",
    "keys_have_1_to_480_bytes",
    "appending_tells_the_length",
    "numbers_are_added",
    "a_value_is_swapped_by_its_version",
    "a_key_is_deleted_by_its_version_or_in_any",
    "a_list_comes_in_key_order",
    "a_list_goes_on_where_the_buffer_ended",
    "an_entry_that_does_not_fit_is_too_big",
    "unfinished_lists_are_few",
};

START_TEST(a_guest_finds_what_it_expects)
{
    world_deploy_guest(&world, "state");
    world_ask(&world, "state", exports[_i], "", RUNTIME_OK);
}
END_TEST

enum { threads_count = 8, increments = 100 };

static atomic_int wrong_count;

static void *
count(void *unused)
{
    for (int i = 0; i < increments; i++) {
        struct runtime_call *call;
        if (runtime_call_create(world.runtime, "default", "counter", &call,
                                NULL) != RUNTIME_OK) {
            atomic_fetch_add(&wrong_count, 1);
            continue;
        }
        runtime_call_input_append(call, "3", 1, NULL);
        if (runtime_call_run(call) != RUNTIME_OK)
            atomic_fetch_add(&wrong_count, 1);
        runtime_call_destroy(call);
    }
    return unused;
}

START_TEST(no_increment_is_lost)
{
    pthread_t threads[threads_count];
    char expected[32];

    world_deploy_guest(&world, "counter");
    for (size_t i = 0; i < threads_count; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, count, NULL), 0);
    for (size_t i = 0; i < threads_count; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    struct runtime_call *call = world_call(&world, "counter", "0");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    snprintf(expected, sizeof(expected), "%d",
             3 * increments * threads_count);
    ck_assert_uint_ge(result->output_bytes, strlen(expected));
    ck_assert_mem_eq(result->output, expected, strlen(expected));
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_deadline_ends_a_call_that_waits_for_an_answer)
{
    world_deploy_guest(&world, "counter");
    redis_server_freeze(&server);
    struct runtime_call *call = world_call(&world, "counter", "1");
    runtime_call_set_timeout_ms(call, 50);
    const struct runtime_result *result = world_start(call, RUNTIME_TIMEOUT);
    ck_assert_uint_ge(
        result->queue_ns + result->init_ns + result->run_ns, 50000000);
    runtime_call_destroy(call);
    /* The answer comes when the call is long gone: it frees itself. */
    redis_server_thaw(&server);
    call = world_call(&world, "counter", "1");
    world_start(call, RUNTIME_OK);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_guest_is_told_that_the_state_is_away)
{
    world_deploy_guest(&world, "counter");
    redis_server_kill(&server);
    struct state_health health;
    do
        state_store_health(store, &health);
    while (health.up);
    struct runtime_call *call = world_call(&world, "counter", "1");
    /* The example fails with the code 3 when the state refuses. */
    ck_assert_int_eq(world_start(call, RUNTIME_FAILED)->code, 3);
    runtime_call_destroy(call);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_test(tests, no_increment_is_lost);
    tcase_add_test(tests, a_deadline_ends_a_call_that_waits_for_an_answer);
    tcase_add_test(tests, a_guest_is_told_that_the_state_is_away);
}

WORLD_MAIN("redis", add_tests)
