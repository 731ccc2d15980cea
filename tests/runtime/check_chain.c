/* check_chain.c - tests of runtime/chain.c: calls of guests/chain.c that call
 * each other, seen from outside. */
#include "runtime/chain.h"
#include "tests/runtime/chain_world.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* Calls with that input; what it prints, or its message, is in `answer`. */
static struct runtime_call *
ask(const char *name, const char *input, enum runtime_status expected,
    char answer[RUNTIME_MESSAGE_SIZE])
{
    struct runtime_call *call = world_call(&world, name, input);
    const struct runtime_result *result = world_start(call, expected);

    if (expected == RUNTIME_OK)
        snprintf(answer, RUNTIME_MESSAGE_SIZE, "%.*s",
                 (int)result->output_bytes, (const char *)result->output);
    else
        strcpy(answer, result->error.message);
    return call;
}

/* ---- Deep and wide ------------------------------------------------------ */

START_TEST(a_chain_is_so_deep_and_no_deeper)
{
    char answer[RUNTIME_MESSAGE_SIZE];
    struct runtime_graph graph;
    struct runtime_call *call = ask("chain", "d1024", RUNTIME_OK, answer);

    ck_assert_str_eq(answer, "1024");
    ck_assert_int_eq(runtime_call_graph(call, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 1025);
    for (uint32_t i = 0; i < 1025; i++) {
        ck_assert_int_eq(graph.calls[i].status, RUNTIME_OK);
        ck_assert_uint_eq(graph.calls[i].parent,
                          i ? i - 1 : RUNTIME_NO_PARENT);
    }
    runtime_graph_deinit(&graph);
    runtime_call_destroy(call);
    /* One more is refused where it would begin, and all hear of it: so ends a
     * function that calls itself for ever. */
    call = ask("chain", "d1025", RUNTIME_FAILED, answer);
    ck_assert_str_eq(answer, "refused: -5");
    runtime_call_destroy(call);
    chain_world_settle(&world);
}
END_TEST

START_TEST(a_thousand_at_once_are_all_answered)
{
    char answer[RUNTIME_MESSAGE_SIZE];
    struct runtime_call *call = ask("chain", "w1000", RUNTIME_OK, answer);

    ck_assert_str_eq(answer, "499500");
    runtime_call_destroy(call);
    chain_world_settle(&world);
}
END_TEST

START_TEST(children_count_as_calls)
{
    struct world small;
    char answer[RUNTIME_MESSAGE_SIZE];

    chain_world_open(&small, &(struct runtime_options){
                                 .calls_max = 8, .namespace_calls_max = 6});
    struct world kept = world;
    world = small;
    runtime_call_destroy(ask("chain", "d5", RUNTIME_OK, answer));
    ck_assert_str_eq(answer, "5");
    runtime_call_destroy(ask("chain", "d6", RUNTIME_FAILED, answer));
    ck_assert_str_eq(answer, "refused: -5");
    chain_world_settle(&world);
    world_close(&world);
    world = kept;
}
END_TEST

/* ---- Ends --------------------------------------------------------------- */

/* All in the graph of a call have ended. */
static void
expect_ended(struct runtime_call *call, size_t count,
             enum runtime_status expected)
{
    struct runtime_graph graph;

    ck_assert_int_eq(runtime_call_graph(call, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, count);
    for (size_t i = 0; i < count; i++)
        ck_assert_uint_ge(graph.calls[i].ended_ns, graph.calls[i].begun_ns);
    ck_assert_int_eq(graph.calls[count - 1].status, expected);
    runtime_graph_deinit(&graph);
}

/* Waits until the call, which has ended, is the only one there is. */
static void
wait_until_alone(void)
{
    struct runtime_statistics statistics;

    do
        runtime_statistics(world.runtime, &statistics);
    while (statistics.call_count > 1);
}

START_TEST(children_end_with_their_parent)
{
    char answer[RUNTIME_MESSAGE_SIZE];
    struct runtime_call *call = ask("chain", "p", RUNTIME_OK, answer);

    wait_until_alone();
    expect_ended(call, 3, RUNTIME_CANCELLED);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(children_have_no_more_time_than_their_parent)
{
    struct runtime_call *call = world_call(&world, "chain", "a");

    runtime_call_set_timeout_ms(call, 30);
    world_start(call, RUNTIME_TIMEOUT);
    wait_until_alone();
    struct runtime_graph graph;
    ck_assert_int_eq(runtime_call_graph(call, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 2);
    /* By the deadline that it has from its parent, or by his end. */
    ck_assert(graph.calls[1].status == RUNTIME_TIMEOUT ||
              graph.calls[1].status == RUNTIME_CANCELLED);
    runtime_graph_deinit(&graph);
    runtime_call_destroy(call);
}
END_TEST

static atomic_bool has_ended;

static void
note_end(struct runtime_call *call, void *data)
{
    (void)call;
    (void)data;
    atomic_store(&has_ended, true);
}

START_TEST(who_is_cancelled_takes_all_below_along)
{
    struct runtime_statistics statistics;
    struct runtime_call *call = world_call(&world, "chain", "a");

    ck_assert_int_eq(runtime_call_start(call, note_end, NULL),
                     RUNTIME_PENDING);
    do
        runtime_statistics(world.runtime, &statistics);
    while (statistics.call_count < 2);
    runtime_call_cancel(call);
    while (!atomic_load(&has_ended))
        ;
    ck_assert_int_eq(runtime_call_result(call)->status, RUNTIME_CANCELLED);
    wait_until_alone();
    expect_ended(call, 2, RUNTIME_CANCELLED);
    runtime_call_destroy(call);
}
END_TEST

/* The end of the world waits for what the calls have left behind. */
START_TEST(a_runtime_ends_with_children_under_way)
{
    char answer[RUNTIME_MESSAGE_SIZE];

    for (int i = 0; i < 20; i++)
        runtime_call_destroy(ask("chain", "p", RUNTIME_OK, answer));
}
END_TEST

/* ---- The graph ---------------------------------------------------------- */

START_TEST(a_graph_has_the_shape_of_the_calls)
{
    char answer[RUNTIME_MESSAGE_SIZE];
    struct runtime_call *call = ask("chain", "t", RUNTIME_OK, answer);
    size_t of_root = 0;
    struct runtime_graph graph;

    ck_assert_int_eq(runtime_call_graph(call, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 5);
    ck_assert_str_eq(graph.calls[0].id, runtime_call_id(call));
    for (size_t i = 1; i < 5; i++) {
        const struct runtime_graph_call *one = &graph.calls[i];
        ck_assert_uint_lt(one->parent, i);
        ck_assert_uint_ge(one->begun_ns, graph.calls[one->parent].begun_ns);
        ck_assert_uint_le(one->ended_ns, graph.calls[one->parent].ended_ns);
        of_root += one->parent == 0;
    }
    ck_assert_uint_eq(of_root, 2);
    runtime_graph_deinit(&graph);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_call_that_made_none_is_a_graph_of_one)
{
    char answer[RUNTIME_MESSAGE_SIZE];
    struct runtime_call *call = ask("chain", "s10", RUNTIME_OK, answer);
    struct runtime_graph graph;

    ck_assert_int_eq(runtime_call_graph(call, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 1);
    ck_assert_str_eq(graph.calls[0].id, runtime_call_id(call));
    ck_assert_str_eq(graph.calls[0].function, "chain");
    ck_assert_uint_eq(graph.calls[0].parent, RUNTIME_NO_PARENT);
    ck_assert_int_eq(graph.calls[0].status, RUNTIME_OK);
    ck_assert_uint_ge(graph.calls[0].ended_ns, 10000000);
    runtime_graph_deinit(&graph);
    runtime_call_destroy(call);
}
END_TEST

/* ---- Gates -------------------------------------------------------------- */

/*
 * A handler that calls `other` with no input and awaits it: it fails with 1
 * when that was refused, and else ends as the other does.
 */
static void
deploy_caller(const char *name, const char *other, uint64_t concurrency)
{
    struct module_builder *builder = module_builder_create();
    uint32_t call = module_builder_import_func(builder, "glass", "call",
                                               "iiiil:i");
    uint32_t await = module_builder_import_func(builder, "glass", "await",
                                                "il:i");
    uint32_t handle = module_builder_func(
        builder, ":i", "i",
        BYTES(0x41, 0, 0x41, 3, 0x41, 0, 0x41, 0, 0x42, 0, 0x10,
              (uint8_t)call, 0x22, 0, 0x41, 0, 0x4c, /* <= 0 */
              0x04, 0x40, 0x41, 1, 0x0f, 0x0b,       /* return 1 */
              0x20, 0, 0x42, 0x7f, 0x10, (uint8_t)await, 0x0b));

    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, handle);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, other, 3);
    chain_world_deploy_built(&world, name, builder, concurrency, 100);
}

/* It would wait for itself until its deadline. */
START_TEST(who_holds_the_only_place_is_refused_a_second_one)
{
    deploy_caller("one", "one", 1);
    struct runtime_call *call = world_call(&world, "one", "");
    const struct runtime_result *result = world_start(call, RUNTIME_FAILED);

    ck_assert_int_eq(result->code, 1);
    char *log = strndup(result->log, result->log_bytes);
    ck_assert_str_eq(log, "warning: 'one' not called: the function's limit "
                          "'concurrency' of 1 is reached\n");
    free(log);
    runtime_call_destroy(call);
    chain_world_settle(&world);
}
END_TEST

#define THREADS 3
#define ROUNDS 50

static atomic_int refused_count, wrong_count;

static void *
call_some(void *argument)
{
    for (int i = 0; i < ROUNDS; i++) {
        struct runtime_call *call;
        if (runtime_call_create(world.runtime, "default", argument, &call,
                                NULL) != RUNTIME_OK) {
            atomic_fetch_add(&wrong_count, 1);
            continue;
        }
        enum runtime_status status = runtime_call_run(call);
        if (status == RUNTIME_FAILED)
            atomic_fetch_add(&refused_count, 1);
        else if (status != RUNTIME_OK)
            atomic_fetch_add(&wrong_count, 1);
        runtime_call_destroy(call);
    }
    return NULL;
}

/*
 * Each of "one" and "two" runs once at a time, and each calls the other. Who
 * calls waits in the queue; who is called from there does not.
 */
START_TEST(two_that_call_each_other_never_wait_for_each_other)
{
    pthread_t threads[2 * THREADS];

    deploy_caller("one", "two", 1);
    deploy_caller("two", "one", 1);
    for (int i = 0; i < 2 * THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, call_some,
                                        i % 2 ? "one" : "two"),
                         0);
    for (int i = 0; i < 2 * THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    /* Every call is refused somewhere: one, two, and one again at last. */
    ck_assert_int_eq(atomic_load(&refused_count), 2 * THREADS * ROUNDS);
    chain_world_settle(&world);
}
END_TEST

/* Below no gate, a child waits for its turn as every call does. */
START_TEST(who_holds_no_place_may_wait_for_one)
{
    pthread_t threads[2 * THREADS];
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = module_builder_import_func(builder, "glass", "sleep_ns",
                                                "l:i");

    /* A tenth of a millisecond. */
    module_builder_export(
        builder, "glass_handle", GVM_EXTERN_FUNC,
        module_builder_func(builder, ":i", "",
                            BYTES(0x42, 0xa0, 0x8d, 6, 0x10, (uint8_t)sleep,
                                  0x0b)));
    chain_world_deploy_built(&world, "one", builder, 1, 100);
    deploy_caller("two", "one", 0);
    for (int i = 0; i < 2 * THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, call_some, "two"), 0);
    for (int i = 0; i < 2 * THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    ck_assert_int_eq(atomic_load(&refused_count), 0);
    chain_world_settle(&world);
}
END_TEST

/* ---- An example --------------------------------------------------------- */

/* 1 MB of words that are cut anywhere, and what is less than one piece. */
START_TEST(pieces_count_as_much_as_the_whole)
{
    static const size_t lengths[] = {0, 1, 65536, 65537, 1000000};
    static char text[1000001];
    char whole[RUNTIME_MESSAGE_SIZE], parts[RUNTIME_MESSAGE_SIZE];

    chain_world_deploy(&world, "wordcount", "wordcount");
    chain_world_deploy(&world, "mapreduce", "mapreduce");
    for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
        for (size_t j = 0; j < lengths[i]; j++)
            text[j] = j % 7 == 3 ? ' ' : j % 97 == 0 ? '\n' : 'x';
        text[lengths[i]] = '\0';
        runtime_call_destroy(ask("wordcount", text, RUNTIME_OK, whole));
        runtime_call_destroy(ask("mapreduce", text, RUNTIME_OK, parts));
        ck_assert_str_eq(parts, whole);
    }
    memset(text, 'x', 65537);
    text[65537] = '\0';
    runtime_call_destroy(ask("mapreduce", text, RUNTIME_FAILED, parts));
    ck_assert_str_eq(parts, "the input has a word that is too long");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_set_timeout(tests, 600);
    tcase_add_test(tests, a_chain_is_so_deep_and_no_deeper);
    tcase_add_test(tests, a_thousand_at_once_are_all_answered);
    tcase_add_test(tests, children_count_as_calls);
    tcase_add_test(tests, children_end_with_their_parent);
    tcase_add_test(tests, children_have_no_more_time_than_their_parent);
    tcase_add_test(tests, who_is_cancelled_takes_all_below_along);
    tcase_add_test(tests, a_runtime_ends_with_children_under_way);
    tcase_add_test(tests, a_graph_has_the_shape_of_the_calls);
    tcase_add_test(tests, a_call_that_made_none_is_a_graph_of_one);
    tcase_add_test(tests, who_holds_the_only_place_is_refused_a_second_one);
    tcase_add_test(tests,
                   two_that_call_each_other_never_wait_for_each_other);
    tcase_add_test(tests, who_holds_no_place_may_wait_for_one);
    tcase_add_test(tests, pieces_count_as_much_as_the_whole);
}

WORLD_MAIN("chain", add_tests)
