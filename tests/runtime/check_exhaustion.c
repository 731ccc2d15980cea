/*
 * check_exhaustion.c - tests of the runtime when memory runs out: the first
 * allocation fails, then the second, until one pass needs no more of them.
 *
 * The linker sends the allocations of Glass here, and of Glass alone
 * (--wrap): other libraries and the test itself are not disturbed.
 */
#include "runtime/calls.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *block, size_t size);
char *__real_strdup(const char *text);
char *__real_strndup(const char *text, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *block, size_t size);
char *__wrap_strdup(const char *text);
char *__wrap_strndup(const char *text, size_t size);

/* The allocation with this number, from 1, fails; 0: none does. */
static atomic_uint failing;
static atomic_uint allocations;

static bool
fails(void)
{
    unsigned number = atomic_load(&failing);

    return number && atomic_fetch_add(&allocations, 1) + 1 == number;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *block, size_t size)
{
    return fails() ? NULL : __real_realloc(block, size);
}

char *
__wrap_strdup(const char *text)
{
    return fails() ? NULL : __real_strdup(text);
}

char *
__wrap_strndup(const char *text, size_t size)
{
    return fails() ? NULL : __real_strndup(text, size);
}

static uint8_t *module;
static size_t module_bytes;
static char path[64];

/* Deploys and calls, as far as it comes; returns how the last step ended. */
static enum runtime_status
deploy_and_call(struct state_store *store, uint64_t fuel)
{
    static const struct runtime_variable variables[] = {{"MODE", "copy"}};
    struct runtime_options options = {.store = store, .data_dir = path};
    struct runtime_config config = {
        .fuel = fuel, .variables = variables, .variable_count = 1};
    struct runtime_deployment deployment = {
        "default", "f", module, module_bytes, &config, RUNTIME_ALWAYS, NULL};
    struct runtime_function_page page = {0};
    struct runtime_call *call = NULL;
    struct runtime *runtime;

    enum runtime_status status = runtime_create(&options, &runtime, NULL);
    if (status != RUNTIME_OK)
        return status;
    status = runtime_function_deploy(runtime, &deployment, NULL, NULL, NULL);
    if (status == RUNTIME_OK)
        status = runtime_function_list(runtime, "default", NULL, NULL, 0,
                                       &page, NULL);
    runtime_function_page_deinit(&page);
    if (status == RUNTIME_OK)
        status = runtime_call_create(runtime, "default", "f", &call, NULL);
    if (status == RUNTIME_OK)
        status = runtime_call_input_append(call, "20", 2, NULL);
    if (status == RUNTIME_OK)
        status = runtime_call_run(call);
    runtime_call_destroy(call);
    runtime_destroy(runtime);
    return status;
}

static const char *const guests[] = {"counter", "wasi"};

START_TEST(an_allocation_that_fails_is_told_and_leaves_nothing_behind)
{
    struct state_store *store;
    unsigned failed_count = 0;

    module = world_guest(guests[_i], &module_bytes);
    world_directory_make(path);
    for (unsigned number = 1;; number++) {
        ck_assert_int_eq(state_store_open(NULL, &store, NULL), STATE_OK);
        failing = number;
        allocations = 0;
        /* Another configuration each time, so that it is deployed anew. */
        enum runtime_status status =
            deploy_and_call(store, 100000000 + number);
        bool reached = allocations >= number;
        failing = 0;
        state_store_close(store);
        /* A guest that is told so may fail in its own way; and what can be
         * done without is done without. */
        ck_assert_msg(status == RUNTIME_NO_MEMORY || status == RUNTIME_OK ||
                          status == RUNTIME_FAILED ||
                          status == RUNTIME_EXITED,
                      "allocation %u: %s", number,
                      runtime_status_name(status));
        failed_count += status == RUNTIME_NO_MEMORY;
        if (!reached) {
            ck_assert_int_eq(status, RUNTIME_OK);
            break;
        }
    }
    ck_assert_uint_gt(failed_count, 50);
    world_directory_remove(path);
    free(module);
}
END_TEST

START_TEST(a_function_is_loaded_or_the_start_fails)
{
    struct state_store *store;
    struct runtime *runtime;
    struct runtime_statistics statistics;
    struct runtime_options options = {.data_dir = path};
    unsigned failed_count = 0;

    ck_assert_int_eq(state_store_open(NULL, &store, NULL), STATE_OK);
    options.store = store;
    module = world_guest("counter", &module_bytes);
    world_directory_make(path);
    ck_assert_int_eq(deploy_and_call(store, 100000000), RUNTIME_OK);
    for (unsigned number = 1;; number++) {
        failing = number;
        allocations = 0;
        enum runtime_status status = runtime_create(&options, &runtime, NULL);
        bool reached = allocations >= number;
        failing = 0;
        failed_count += status != RUNTIME_OK;
        if (status == RUNTIME_OK) {
            runtime_statistics(runtime, &statistics);
            ck_assert_uint_eq(statistics.function_count, 1);
            runtime_destroy(runtime);
        } else {
            ck_assert_int_eq(status, RUNTIME_NO_MEMORY);
        }
        if (!reached)
            break;
    }
    ck_assert_uint_gt(failed_count, 10);
    state_store_close(store);
    world_directory_remove(path);
    free(module);
}
END_TEST

/* A runtime in which the guest "chain" may call itself. */
static struct runtime *
open_chain(struct state_store *store)
{
    static const char *const names[] = {"chain"};
    const struct runtime_names functions = {names, 1};
    const struct runtime_config config = {.grants.functions = &functions};
    const struct runtime_options options = {.store = store};
    const struct runtime_deployment deployment = {
        "default", "chain", module, module_bytes, &config, RUNTIME_ALWAYS,
        NULL};
    struct runtime *runtime;

    ck_assert_int_eq(runtime_create(&options, &runtime, NULL), RUNTIME_OK);
    ck_assert_int_eq(
        runtime_function_deploy(runtime, &deployment, NULL, NULL, NULL),
        RUNTIME_OK);
    return runtime;
}

START_TEST(calls_of_calls_are_made_or_the_caller_hears)
{
    struct state_store *store;
    unsigned failed_count = 0;

    ck_assert_int_eq(state_store_open(NULL, &store, NULL), STATE_OK);
    module = world_guest("chain", &module_bytes);
    for (unsigned number = 1;; number++) {
        struct runtime *runtime = open_chain(store);
        struct runtime_graph graph = {0};
        struct runtime_call *call;
        ck_assert_int_eq(runtime_call_create(runtime, "default", "chain",
                                             &call, NULL),
                         RUNTIME_OK);
        runtime_call_input_append(call, "d2", 2, NULL);
        failing = number;
        allocations = 0;
        enum runtime_status status = runtime_call_run(call);
        if (runtime_call_graph(call, &graph, NULL) != RUNTIME_OK)
            failed_count++;
        bool reached = allocations >= number;
        failing = 0;
        ck_assert_msg(status == RUNTIME_NO_MEMORY || status == RUNTIME_OK ||
                          status == RUNTIME_FAILED,
                      "allocation %u: %s", number,
                      runtime_status_name(status));
        failed_count += status != RUNTIME_OK;
        runtime_graph_deinit(&graph);
        runtime_call_destroy(call);
        runtime_destroy(runtime);
        if (!reached)
            break;
    }
    ck_assert_uint_gt(failed_count, 20);
    state_store_close(store);
    free(module);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(
        tests, an_allocation_that_fails_is_told_and_leaves_nothing_behind, 0,
        sizeof(guests) / sizeof(guests[0]));
    tcase_add_test(tests, a_function_is_loaded_or_the_start_fails);
    tcase_add_test(tests, calls_of_calls_are_made_or_the_caller_hears);
}

WORLD_MAIN("exhaustion", add_tests)
