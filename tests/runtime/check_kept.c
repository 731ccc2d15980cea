/* check_kept.c - tests of runtime/kept.c, with calls of guests/chain.c. */
#include "runtime/kept.h"
#include "state/state.h"
#include "tests/runtime/chain_world.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static struct world world;

static void
open_world(void)
{
    chain_world_open(&world, NULL);
}

static void
close_world(void)
{
    world_close(&world);
}

/* Keeps a call; it must be let in. */
static void
keep_of(const char *name, const char *input, char id[RUNTIME_CALL_ID_SIZE])
{
    struct runtime_call *call = world_call(&world, name, input);

    strcpy(id, runtime_call_id(call));
    enum runtime_status status = runtime_call_keep(call, &world.err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world.err.message);
}

static void
keep(const char *input, char id[RUNTIME_CALL_ID_SIZE])
{
    keep_of("chain", input, id);
}

static struct runtime_kept *
get(const char *id)
{
    struct runtime_kept *kept = NULL;

    enum runtime_status status =
        runtime_kept_get(world.runtime, "default", id, &kept, &world.err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world.err.message);
    return kept;
}

static bool
is_known(const char *id)
{
    struct runtime_kept *kept = NULL;
    bool is = runtime_kept_get(world.runtime, "default", id, &kept, NULL) ==
              RUNTIME_OK;

    runtime_kept_put(kept);
    return is;
}

/* ---- Waiting ------------------------------------------------------------ */

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t told;
    unsigned told_count;
};

#define WAITER                                                                \
    (struct waiter){PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0}

static void
tell(void *data)
{
    struct waiter *waiter = data;

    pthread_mutex_lock(&waiter->lock);
    waiter->told_count++;
    pthread_cond_signal(&waiter->told);
    pthread_mutex_unlock(&waiter->lock);
}

static void
wait_until_told(struct waiter *waiter, unsigned count)
{
    pthread_mutex_lock(&waiter->lock);
    while (waiter->told_count < count)
        pthread_cond_wait(&waiter->told, &waiter->lock);
    ck_assert_uint_eq(waiter->told_count, count);
    pthread_mutex_unlock(&waiter->lock);
}

/* Waits for the end, and shows how it was. */
static const struct runtime_result *
end_of(struct runtime_kept *kept)
{
    struct waiter waiter = WAITER;
    struct runtime_kept_wait *wait = NULL;
    struct runtime_kept_info info;
    enum runtime_status status =
        runtime_kept_wait(kept, 600000, tell, &waiter, &wait);

    if (status == RUNTIME_PENDING)
        wait_until_told(&waiter, 1);
    else
        ck_assert_int_eq(status, RUNTIME_OK);
    runtime_kept_wait_destroy(wait);
    runtime_kept_info(kept, &info);
    ck_assert_ptr_nonnull(info.result);
    return info.result;
}

static void
wait_for_all(void)
{
    const struct timespec step = {.tv_nsec = 1000000};
    struct runtime_kept_statistics statistics;

    runtime_kept_statistics(world.runtime, &statistics);
    while (statistics.pending_count > 0) {
        nanosleep(&step, NULL);
        runtime_kept_statistics(world.runtime, &statistics);
    }
}

/* ---- Tests -------------------------------------------------------------- */

START_TEST(a_kept_call_is_known_by_its_identity)
{
    char id[RUNTIME_CALL_ID_SIZE];
    struct runtime_kept_info info;
    struct runtime_kept *other = NULL;

    keep("ehello", id);
    struct runtime_kept *kept = get(id);
    const struct runtime_result *result = end_of(kept);
    ck_assert_int_eq(result->status, RUNTIME_OK);
    ck_assert_uint_eq(result->output_bytes, 5);
    ck_assert_mem_eq(result->output, "hello", 5);
    runtime_kept_info(kept, &info);
    ck_assert_str_eq(info.id, id);
    ck_assert_str_eq(info.function, "chain");
    ck_assert(!info.calls_export);
    ck_assert_uint_ge(info.ended_ms, info.begun_ms);
    runtime_kept_put(kept);
    /* In its namespace, and whole. */
    ck_assert_int_eq(
        runtime_kept_get(world.runtime, "else", id, &other, &world.err),
        RUNTIME_NOT_FOUND);
    id[31] ^= 1;
    ck_assert(!is_known(id));
    ck_assert(!is_known(""));
    ck_assert(!is_known("zz"));
}
END_TEST

START_TEST(an_export_keeps_its_values)
{
    struct runtime_call *call = world_call(&world, "plain", "");
    const char *const arguments[] = {"42"};
    char id[RUNTIME_CALL_ID_SIZE];
    struct runtime_kept_info info;

    ck_assert_int_eq(
        runtime_call_set_export(call, "add", arguments, 1, NULL),
        RUNTIME_OK);
    strcpy(id, runtime_call_id(call));
    ck_assert_int_eq(runtime_call_keep(call, NULL), RUNTIME_OK);
    struct runtime_kept *kept = get(id);
    const struct runtime_result *result = end_of(kept);
    ck_assert_uint_eq(result->value_count, 1);
    ck_assert_str_eq(result->values[0].text, "42");
    runtime_kept_info(kept, &info);
    ck_assert(info.calls_export);
    runtime_kept_put(kept);
}
END_TEST

START_TEST(an_ended_call_takes_no_place_of_a_call)
{
    struct runtime_statistics statistics;
    char id[RUNTIME_CALL_ID_SIZE];

    keep("e", id);
    wait_for_all();
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.call_count, 0);
    ck_assert(is_known(id));
}
END_TEST

START_TEST(a_pending_call_is_cancelled_and_an_ended_one_forgotten)
{
    char id[RUNTIME_CALL_ID_SIZE];
    struct runtime_kept_statistics statistics;
    struct runtime_kept_info info;

    keep("s60000", id);
    struct runtime_kept *kept = get(id);
    runtime_kept_info(kept, &info);
    ck_assert_ptr_null(info.result);
    ck_assert_uint_eq(info.ended_ms, 0);
    runtime_kept_delete(kept);
    ck_assert_int_eq(end_of(kept)->status, RUNTIME_CANCELLED);
    ck_assert(is_known(id));
    runtime_kept_delete(kept);
    ck_assert(!is_known(id));
    runtime_kept_delete(kept);
    /* Who has it has it until he puts it back. */
    ck_assert_int_eq(end_of(kept)->status, RUNTIME_CANCELLED);
    runtime_kept_put(kept);
    wait_for_all();
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.accepted_count, 1);
    ck_assert_uint_eq(statistics.ended_count, 0);
    ck_assert_uint_eq(statistics.forgotten_count, 1);
    ck_assert_uint_eq(statistics.ended_bytes, 0);
}
END_TEST

START_TEST(a_graph_can_be_read_while_the_call_runs)
{
    char id[RUNTIME_CALL_ID_SIZE];
    struct runtime_graph graph = {0};

    keep("a", id);
    struct runtime_kept *kept = get(id);
    do {
        runtime_graph_deinit(&graph);
        ck_assert_int_eq(runtime_kept_graph(kept, &graph, NULL), RUNTIME_OK);
    } while (graph.count < 2);
    ck_assert_str_eq(graph.calls[0].id, id);
    ck_assert_int_eq(graph.calls[0].status, RUNTIME_PENDING);
    ck_assert_uint_eq(graph.calls[1].parent, 0);
    runtime_graph_deinit(&graph);
    runtime_kept_delete(kept);
    end_of(kept);
    ck_assert_int_eq(runtime_kept_graph(kept, &graph, NULL), RUNTIME_OK);
    ck_assert_int_eq(graph.calls[0].status, RUNTIME_CANCELLED);
    ck_assert_uint_gt(graph.calls[0].ended_ns, 0);
    runtime_graph_deinit(&graph);
    runtime_kept_put(kept);
}
END_TEST

START_TEST(a_wait_ends_by_its_time_or_when_it_is_ended)
{
    struct waiter waiters[3] = {WAITER, WAITER, WAITER};
    struct runtime_kept_wait *waits[3];
    char id[RUNTIME_CALL_ID_SIZE];

    keep("s60000", id);
    struct runtime_kept *kept = get(id);
    /* The last one has the shortest time. */
    const uint64_t times[] = {UINT64_MAX, 600000, 10};
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(runtime_kept_wait(kept, times[i], tell, &waiters[i],
                                           &waits[i]),
                         RUNTIME_PENDING);
    wait_until_told(&waiters[2], 1);
    runtime_kept_wait_end(waits[1]);
    wait_until_told(&waiters[1], 1);
    /* Once is enough. */
    runtime_kept_wait_end(waits[1]);
    runtime_kept_wait_end(waits[2]);
    wait_until_told(&waiters[0], 0);
    runtime_kept_delete(kept);
    wait_until_told(&waiters[0], 1);
    wait_until_told(&waiters[1], 1);
    wait_until_told(&waiters[2], 1);
    for (int i = 0; i < 3; i++)
        runtime_kept_wait_destroy(waits[i]);
    struct runtime_kept_wait *none;
    ck_assert_int_eq(runtime_kept_wait(kept, 10, tell, &waiters[0], &none),
                     RUNTIME_OK);
    runtime_kept_put(kept);
}
END_TEST

START_TEST(so_many_wait_and_no_more)
{
    static struct runtime_kept_wait *waits[RUNTIME_KEPT_WAITS_MAX];
    struct runtime_kept_wait *one_more;
    struct waiter waiter = WAITER;
    char id[RUNTIME_CALL_ID_SIZE];

    keep("s60000", id);
    struct runtime_kept *kept = get(id);
    for (int i = 0; i < RUNTIME_KEPT_WAITS_MAX; i++)
        ck_assert_int_eq(runtime_kept_wait(kept, 600000, tell, &waiter,
                                           &waits[i]),
                         RUNTIME_PENDING);
    ck_assert_int_eq(
        runtime_kept_wait(kept, 600000, tell, &waiter, &one_more),
        RUNTIME_BUSY);
    runtime_kept_delete(kept);
    wait_until_told(&waiter, RUNTIME_KEPT_WAITS_MAX);
    for (int i = 0; i < RUNTIME_KEPT_WAITS_MAX; i++)
        runtime_kept_wait_destroy(waits[i]);
    runtime_kept_put(kept);
}
END_TEST

/* ---- What is forgotten -------------------------------------------------- */

START_TEST(so_many_are_kept_and_no_more)
{
    char first[RUNTIME_CALL_ID_SIZE], id[RUNTIME_CALL_ID_SIZE];
    struct runtime_kept_statistics statistics;

    /* Of the function with the least memory: resetting it takes long where
     * that is checked. */
    keep_of("printing", "", first);
    wait_for_all();
    for (int i = 1; i < RUNTIME_KEPT_CALLS_MAX; i++) {
        keep_of("printing", "", id);
        /* As many as there are sandboxes that wait for them. */
        if (i % RUNTIME_IDLE_FAASLETS_MAX == 0)
            wait_for_all();
    }
    wait_for_all();
    ck_assert(is_known(first));
    keep_of("printing", "", id);
    wait_for_all();
    ck_assert(!is_known(first));
    ck_assert(is_known(id));
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.ended_count, RUNTIME_KEPT_CALLS_MAX);
    ck_assert_uint_eq(statistics.forgotten_count, 1);
    ck_assert_uint_eq(statistics.accepted_count, RUNTIME_KEPT_CALLS_MAX + 1);
}
END_TEST

START_TEST(results_are_kept_up_to_so_many_bytes)
{
    char ids[5][RUNTIME_CALL_ID_SIZE];
    struct runtime_kept_statistics statistics;
    char input[24];

    sprintf(input, "b%u", RUNTIME_KEPT_BYTES_MAX / 4);
    for (int i = 0; i < 4; i++) {
        keep(input, ids[i]);
        wait_for_all();
    }
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.ended_bytes, RUNTIME_KEPT_BYTES_MAX);
    ck_assert(is_known(ids[0]));
    keep("e1", ids[4]);
    wait_for_all();
    ck_assert(!is_known(ids[0]));
    ck_assert(is_known(ids[1]));
    ck_assert(is_known(ids[4]));
}
END_TEST

START_TEST(results_are_kept_for_so_long)
{
    struct world brief;
    char id[RUNTIME_CALL_ID_SIZE];

    chain_world_open(&brief, &(struct runtime_options){.kept_ms = 5});
    struct world other = world;
    world = brief;
    keep("e", id);
    wait_for_all();
    struct runtime_kept *kept = NULL;
    while (runtime_kept_get(world.runtime, "default", id, &kept, NULL) ==
           RUNTIME_OK)
        runtime_kept_put(kept);
    struct runtime_kept_statistics statistics;
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.forgotten_count, 1);
    ck_assert_uint_eq(statistics.ended_count, 0);
    world_close(&world);
    world = other;
}
END_TEST

START_TEST(what_is_not_let_in_is_not_kept)
{
    struct runtime_kept_statistics statistics;
    char id[RUNTIME_CALL_ID_SIZE];
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = module_builder_import_func(builder, "glass", "sleep_ns",
                                                "l:i");

    module_builder_export(
        builder, "glass_handle", GVM_EXTERN_FUNC,
        module_builder_func(builder, ":i", "",
                            BYTES(0x42, 0x80, 0x80, 0x80, 0x80, 0x80, 0x20,
                                  0x10, (uint8_t)sleep, 0x0b)));
    chain_world_deploy_built(&world, "one", builder, 1, 0);
    ck_assert_int_eq(runtime_call_keep(world_call(&world, "one", ""), NULL),
                     RUNTIME_OK);
    struct runtime_call *call = world_call(&world, "one", "");
    strcpy(id, runtime_call_id(call));
    ck_assert_int_eq(runtime_call_keep(call, &world.err), RUNTIME_BUSY);
    ck_assert_ptr_nonnull(strstr(world.err.message, "'concurrency' of 1"));
    runtime_call_destroy(call);
    ck_assert(!is_known(id));
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.accepted_count, 1);
    ck_assert_uint_eq(statistics.pending_count, 1);
}
END_TEST

/* ---- Many --------------------------------------------------------------- */

/* Half of them await the other half, which sleeps; as many as the variable
 * says, since the full size takes a while. */
START_TEST(so_many_park_at_once_and_all_end_well)
{
    const char *text = getenv("GLASS_PARKED_CALLS");
    size_t kept_count = text ? strtoul(text, NULL, 10) / 2 : 250;
    char (*ids)[RUNTIME_CALL_ID_SIZE] = calloc(kept_count, sizeof(*ids));
    const struct timespec step = {.tv_nsec = 10000000};
    struct runtime_statistics statistics;
    struct state_operation go = {.kind = STATE_PUT,
                                 .namespace_ = "default",
                                 .key = {"go", 2}};
    struct world other = world;

    ck_assert_ptr_nonnull(ids);
    chain_world_open(&world,
                     &(struct runtime_options){
                         .calls_max = RUNTIME_CALLS_CEILING,
                         .namespace_calls_max = RUNTIME_CALLS_CEILING});
    for (size_t i = 0; i < kept_count; i++)
        keep("h", ids[i]);
    do {
        nanosleep(&step, NULL);
        runtime_statistics(world.runtime, &statistics);
    } while (statistics.parked_count < 2 * kept_count);
    state_store_submit(world.store, &go);
    wait_for_all();
    for (size_t i = 0; i < kept_count; i++) {
        struct runtime_kept *kept = get(ids[i]);
        ck_assert_int_eq(end_of(kept)->status, RUNTIME_OK);
        runtime_kept_put(kept);
    }
    free(ids);
    world_close(&world);
    world = other;
}
END_TEST

/* ---- The end ------------------------------------------------------------ */

START_TEST(a_runtime_ends_with_kept_calls_under_way)
{
    char id[RUNTIME_CALL_ID_SIZE];

    for (int i = 0; i < 20; i++)
        keep(i % 2 ? "s60000" : "a", id);
}
END_TEST

enum { threads_count = 3, rounds_count = 60 };

static atomic_int wrong_count;

/* Keeps calls, looks at them, waits for them, cancels some, forgets some. */
static void *
keep_some(void *argument)
{
    unsigned number = (unsigned)(uintptr_t)argument;

    for (unsigned i = 0; i < rounds_count; i++, number += 7) {
        static const char *const inputs[] = {"e", "t", "s1", "s60000", "a"};
        struct runtime_call *call;
        struct runtime_kept *kept = NULL;
        char id[RUNTIME_CALL_ID_SIZE];
        if (runtime_call_create(world.runtime, "default", "chain", &call,
                                NULL) != RUNTIME_OK) {
            atomic_fetch_add(&wrong_count, 1);
            continue;
        }
        const char *input = inputs[number % 5];
        runtime_call_input_append(call, input, strlen(input), NULL);
        strcpy(id, runtime_call_id(call));
        if (runtime_call_keep(call, NULL) != RUNTIME_OK ||
            runtime_kept_get(world.runtime, "default", id, &kept, NULL) !=
                RUNTIME_OK) {
            atomic_fetch_add(&wrong_count, 1);
            continue;
        }
        if (number % 5 >= 3 || number % 3 == 0)
            runtime_kept_delete(kept);
        enum runtime_status status = end_of(kept)->status;
        if (status != RUNTIME_OK && status != RUNTIME_CANCELLED)
            atomic_fetch_add(&wrong_count, 1);
        if (number % 2)
            runtime_kept_delete(kept);
        runtime_kept_put(kept);
    }
    return NULL;
}

START_TEST(all_are_accounted_for)
{
    struct runtime_kept_statistics statistics;
    pthread_t threads[threads_count];

    for (uintptr_t i = 0; i < threads_count; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, keep_some, (void *)i), 0);
    for (int i = 0; i < threads_count; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    wait_for_all();
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.accepted_count,
                      threads_count * rounds_count);
    ck_assert_uint_eq(statistics.ended_count + statistics.forgotten_count,
                      threads_count * rounds_count);
    ck_assert_uint_gt(statistics.forgotten_count, 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, a_kept_call_is_known_by_its_identity);
    tcase_add_test(tests, an_export_keeps_its_values);
    tcase_add_test(tests, an_ended_call_takes_no_place_of_a_call);
    tcase_add_test(tests,
                   a_pending_call_is_cancelled_and_an_ended_one_forgotten);
    tcase_add_test(tests, a_graph_can_be_read_while_the_call_runs);
    tcase_add_test(tests, a_wait_ends_by_its_time_or_when_it_is_ended);
    tcase_add_test(tests, so_many_wait_and_no_more);
    tcase_add_test(tests, so_many_are_kept_and_no_more);
    tcase_add_test(tests, results_are_kept_up_to_so_many_bytes);
    tcase_add_test(tests, results_are_kept_for_so_long);
    tcase_add_test(tests, what_is_not_let_in_is_not_kept);
    tcase_add_test(tests, so_many_park_at_once_and_all_end_well);
    tcase_add_test(tests, a_runtime_ends_with_kept_calls_under_way);
    tcase_add_test(tests, all_are_accounted_for);
}

WORLD_MAIN("kept", add_tests)
