/*
 * check_call_run.c - tests of runtime/call_run.c: calls that do not end where
 * they were started.
 */
#include "runtime/call.h"
#include "tests/runtime/one_world.h"
#include "tests/support/idle_guest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define MS UINT64_C(1000000)

/* `sleep` for as many nanoseconds as it is given, `loop` for ever, and `count`
 * down to 0. */
static struct module_builder *
guest(void)
{
    struct module_builder *builder = module_builder_create();

    idle_guest_sleep(builder, idle_guest_import(builder));
    idle_guest_loop(builder, ":");
    idle_guest_count(builder);
    return builder;
}

static struct runtime_call *
create(const char *export_name, const char *argument)
{
    struct runtime_call *call = world_call(&world, "f", "");
    enum runtime_status status = runtime_call_set_export(
        call, export_name, &argument, argument ? 1 : 0, &world.err);

    ck_assert_msg(status == RUNTIME_OK, "%s", world.err.message);
    return call;
}

START_TEST(who_sleeps_is_parked_and_wakes)
{
    atomic_uint ends = 0;
    struct runtime_statistics statistics;

    world_deploy_built(&world, "f", guest());
    struct runtime_call *call = create("sleep", "20000000");
    uint64_t begun_ns = runtime__wait_now_ns();
    ck_assert_int_eq(runtime_call_start(call, count_end, &ends),
                     RUNTIME_PENDING);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_le(statistics.parked_count, 1);
    wait_for(&ends, 1);
    ck_assert_uint_ge(runtime__wait_now_ns() - begun_ns, 20 * MS);
    const struct runtime_result *result = runtime_call_result(call);
    ck_assert_int_eq(result->status, RUNTIME_OK);
    ck_assert_str_eq(result->values[0].text, "0");
    ck_assert_uint_ge(result->run_ns, 20 * MS);
    runtime_call_destroy(call);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.parked_count, 0);
}
END_TEST

static const struct {
    const char *name, *argument;
} endless[] = {{"sleep", "1000000000000"}, {"loop", NULL}};

START_TEST(a_deadline_ends_what_sleeps_and_what_runs)
{
    atomic_uint ends = 0;

    world_deploy_built(&world, "f", guest());
    struct runtime_call *call =
        create(endless[_i].name, endless[_i].argument);
    runtime_call_set_timeout_ms(call, 20);
    uint64_t begun_ns = runtime__wait_now_ns();
    /* On a slow machine the deadline may come in the first slice. */
    if (runtime_call_start(call, count_end, &ends) == RUNTIME_PENDING)
        wait_for(&ends, 1);
    ck_assert_uint_ge(runtime__wait_now_ns() - begun_ns, 20 * MS);
    ck_assert_int_eq(runtime_call_result(call)->status, RUNTIME_TIMEOUT);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(what_is_cancelled_ends_as_that)
{
    atomic_uint ends = 0;

    world_deploy_built(&world, "f", guest());
    struct runtime_call *call =
        create(endless[_i].name, endless[_i].argument);
    ck_assert_int_eq(runtime_call_start(call, count_end, &ends),
                     RUNTIME_PENDING);
    runtime_call_cancel(call);
    wait_for(&ends, 1);
    const struct runtime_result *result = runtime_call_result(call);
    ck_assert_int_eq(result->status, RUNTIME_CANCELLED);
    ck_assert_str_eq(result->error.message, "the call was cancelled");
    runtime_call_destroy(call);
    /* The next one gets a sandbox as if nothing had been. */
    ck_assert_str_eq(world_ask(&world, "f", "count", "3", RUNTIME_OK), "0");
}
END_TEST

START_TEST(a_call_that_was_deferred_begins_later)
{
    atomic_uint ends = 0;

    world_deploy_built(&world, "f", guest());
    struct runtime_call *call = create("count", "3");
    runtime_call_set_deferred(call);
    ck_assert_int_eq(runtime_call_start(call, count_end, &ends),
                     RUNTIME_PENDING);
    wait_for(&ends, 1);
    const struct runtime_result *result = runtime_call_result(call);
    ck_assert_int_eq(result->status, RUNTIME_OK);
    ck_assert_uint_gt(result->queue_ns, 0);
    runtime_call_destroy(call);
}
END_TEST

/* How a call is started after others. */
static enum runtime_status
start(const char *argument)
{
    atomic_uint ends = 0;
    struct runtime_call *call = create("count", argument);
    enum runtime_status status = runtime_call_start(call, count_end, &ends);

    if (status == RUNTIME_PENDING)
        wait_for(&ends, 1);
    runtime_call_destroy(call);
    return status;
}

START_TEST(after_a_long_call_some_are_queued_at_once)
{
    world_deploy_built(&world, "f", guest());
    /* Of the first one nobody knows. */
    ck_assert_int_eq(start("1"), RUNTIME_PENDING);
    ck_assert_int_eq(start("1"), RUNTIME_OK);
    ck_assert_int_eq(start("1000000"), RUNTIME_PENDING);
    for (int i = 0; i < RUNTIME_SHORT_CALLS_MIN; i++)
        ck_assert_int_eq(start("1"), RUNTIME_PENDING);
    ck_assert_int_eq(start("1"), RUNTIME_OK);
}
END_TEST

/* What every one of many calls writes is its own, on whatever threads. */
START_TEST(many_calls_sleep_at_once_and_all_end)
{
    enum { count = 300 };
    static struct runtime_call *calls[count];
    atomic_uint ends = 0;

    world_deploy_built(&world, "f", guest());
    for (int i = 0; i < count; i++) {
        calls[i] = create("sleep", i % 2 ? "10000000" : "10000");
        ck_assert_int_eq(runtime_call_start(calls[i], count_end, &ends),
                         RUNTIME_PENDING);
    }
    wait_for(&ends, count);
    for (int i = 0; i < count; i++) {
        ck_assert_int_eq(runtime_call_result(calls[i])->status, RUNTIME_OK);
        runtime_call_destroy(calls[i]);
    }
}
END_TEST

static void
destroy_call(struct runtime_call *call, void *data)
{
    runtime_call_destroy(call);
    atomic_fetch_add((atomic_uint *)data, 1);
}

START_TEST(its_completion_may_destroy_a_call)
{
    atomic_uint ends = 0;

    world_deploy_built(&world, "f", guest());
    for (int i = 0; i < 50; i++) {
        struct runtime_call *call =
            create(i % 2 ? "sleep" : "loop", i % 2 ? "100000" : NULL);
        runtime_call_set_timeout_ms(call, 5);
        /* On a slow machine the deadline may come in the first slice. */
        if (runtime_call_start(call, destroy_call, &ends) != RUNTIME_PENDING)
            destroy_call(call, &ends);
    }
    wait_for(&ends, 50);
}
END_TEST

/* ---- One of several ------------------------------------------------------ */

static void
deploy_with(const struct runtime_config *config)
{
    world_deploy_as(&world, "default", "f", config, guest());
}

START_TEST(calls_beyond_the_limits_of_their_function_are_refused_at_once)
{
    const struct runtime_config config = {.concurrency = 2, .queue = 1};
    struct runtime_call *calls[4];
    atomic_uint ends = 0;

    deploy_with(&config);
    for (int i = 0; i < 4; i++) {
        calls[i] = create("sleep", "30000000");
        ck_assert_int_eq(runtime_call_start(calls[i], count_end, &ends),
                         i < 3 ? RUNTIME_PENDING : RUNTIME_BUSY);
    }
    ck_assert_str_eq(runtime_call_result(calls[3])->error.limit, "queue");
    ck_assert_str_eq(runtime_call_result(calls[3])->error.message,
                     "the function's limit 'queue' of 1 is reached");
    wait_for(&ends, 3);
    /* The third began when one of the others had ended. */
    ck_assert_uint_ge(runtime_call_result(calls[2])->queue_ns, 25 * MS);
    for (int i = 0; i < 4; i++) {
        if (i < 3)
            ck_assert_int_eq(runtime_call_result(calls[i])->status,
                             RUNTIME_OK);
        runtime_call_destroy(calls[i]);
    }
    /* Who ends where he began gives up his place as well. */
    for (int i = 0; i < 5; i++)
        ck_assert_int_eq(start("1"), RUNTIME_OK);
}
END_TEST

static const struct {
    struct runtime_config config;
    uint64_t timeout_ms;
    enum runtime_status status;
    const char *limit;
    const char *message;
} queues[] = {
    {{.concurrency = 1, .queue = 1, .queue_ms = 10}, 0, RUNTIME_BUSY,
     "queue_ms", "the function's limit 'queue_ms' of 10 is reached"},
    {{.concurrency = 1, .queue = 1}, 10, RUNTIME_TIMEOUT,
     "deadline", "the call's deadline has passed"},
    {{.concurrency = 1}, 0, RUNTIME_BUSY, "concurrency",
     "the function's limit 'concurrency' of 1 is reached"},
};

START_TEST(who_waits_for_his_turn_gives_up_in_the_end)
{
    atomic_uint ends = 0;

    deploy_with(&queues[_i].config);
    struct runtime_call *first = create("loop", NULL);
    ck_assert_int_eq(runtime_call_start(first, count_end, &ends),
                     RUNTIME_PENDING);
    struct runtime_call *second = create("sleep", "1");
    runtime_call_set_timeout_ms(second, queues[_i].timeout_ms);
    if (runtime_call_start(second, count_end, &ends) == RUNTIME_PENDING)
        wait_for(&ends, 1);
    const struct runtime_result *result = runtime_call_result(second);
    ck_assert_int_eq(result->status, queues[_i].status);
    ck_assert_str_eq(result->error.limit, queues[_i].limit);
    ck_assert_str_eq(result->error.message, queues[_i].message);
    runtime_call_destroy(second);
    /* And a place that is free is had again. */
    unsigned before = atomic_load(&ends);
    runtime_call_cancel(first);
    wait_for(&ends, before + 1);
    runtime_call_destroy(first);
    ck_assert_str_eq(world_ask(&world, "f", "count", "3", RUNTIME_OK), "0");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, who_sleeps_is_parked_and_wakes);
    tcase_add_loop_test(tests, a_deadline_ends_what_sleeps_and_what_runs, 0,
                        2);
    tcase_add_loop_test(tests, what_is_cancelled_ends_as_that, 0, 2);
    tcase_add_test(tests, a_call_that_was_deferred_begins_later);
    tcase_add_test(tests, after_a_long_call_some_are_queued_at_once);
    tcase_add_test(tests, many_calls_sleep_at_once_and_all_end);
    tcase_add_test(tests, its_completion_may_destroy_a_call);
    tcase_add_test(
        tests,
        calls_beyond_the_limits_of_their_function_are_refused_at_once);
    tcase_add_loop_test(tests, who_waits_for_his_turn_gives_up_in_the_end, 0,
                        3);
}

WORLD_MAIN("call_run", add_tests)
