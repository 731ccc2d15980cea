/*
 * check_concurrency.c - tests of the runtime under many threads: calls,
 * deployments and deletions at once.
 */
#include "tests/runtime/world.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum { threads_count = 8 };

static struct world world;
static atomic_bool stop;

/* What the threads have seen; a failed check in them would not be heard. */
static atomic_int wrong_count;

static void
expect(bool right)
{
    if (!right)
        atomic_fetch_add(&wrong_count, 1);
}

static void
run_threads(void *(*body)(void *), void *first)
{
    pthread_t threads[threads_count];
    bool started[threads_count];

    for (size_t i = 0; i < threads_count; i++)
        started[i] = pthread_create(&threads[i], NULL,
                                    first && i == 0
                                        ? (void *(*)(void *))first
                                        : body,
                                    NULL) == 0;
    for (size_t i = 0; i < threads_count; i++) {
        ck_assert(started[i]);
        pthread_join(threads[i], NULL);
    }
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
}

/* Runs a call of a function in "default" to its end. */
static enum runtime_status
call_once(const char *name, const char *input, char *output, size_t size)
{
    struct runtime_call *call;
    enum runtime_status status =
        runtime_call_create(world.runtime, "default", name, &call, NULL);

    if (status != RUNTIME_OK)
        return status;
    runtime_call_input_append(call, input, strlen(input), NULL);
    status = runtime_call_run(call);
    const struct runtime_result *result = runtime_call_result(call);
    if (result->output_bytes < size) {
        if (result->output_bytes > 0)
            memcpy(output, result->output, result->output_bytes);
        output[result->output_bytes] = '\0';
    }
    runtime_call_destroy(call);
    return status;
}

/* ---- Counting ----------------------------------------------------------- */

enum { increments = 250 };

static void *
count(void *unused)
{
    char output[64];

    for (int i = 0; i < increments; i++)
        expect(call_once("counter", "3", output, sizeof(output)) ==
               RUNTIME_OK);
    return unused;
}

START_TEST(no_increment_is_lost)
{
    char output[64];

    world_open(&world, NULL);
    world_deploy_guest(&world, "counter");
    run_threads(count, NULL);
    ck_assert_int_eq(call_once("counter", "0", output, sizeof(output)),
                     RUNTIME_OK);
    ck_assert_int_eq(atoi(output), 3 * increments * threads_count);
    world_close(&world);
}
END_TEST

/* ---- Deploying during calls --------------------------------------------- */

static void *
deploy_in_turns(void *unused)
{
    static const char *const guests[] = {"hello", "echo"};
    uint8_t *modules[2];
    size_t lengths[2];

    for (size_t i = 0; i < 2; i++)
        modules[i] = world_guest(guests[i], &lengths[i]);
    for (size_t i = 1; i <= 60; i++) {
        struct runtime_deployment deployment = {
            .namespace_ = "default",
            .name = "f",
            .module = modules[i % 2],
            .module_bytes = lengths[i % 2],
        };
        expect(runtime_function_deploy(world.runtime, &deployment, NULL, NULL,
                                       NULL) == RUNTIME_OK);
    }
    atomic_store(&stop, true);
    free(modules[0]);
    free(modules[1]);
    return unused;
}

static void *
call_until_stopped(void *unused)
{
    char output[64];

    while (!atomic_load(&stop)) {
        expect(call_once("f", "same", output, sizeof(output)) == RUNTIME_OK);
        /* One version or the other, never a mixture. */
        expect(!strcmp(output, "same") || !strncmp(output, "Hello", 5));
    }
    return unused;
}

START_TEST(calls_go_on_while_versions_are_replaced)
{
    char path[64];
    struct runtime_options options = {.data_dir = path};

    world_directory_make(path);
    world_open(&world, &options);
    size_t length_bytes;
    uint8_t *hello = world_guest("hello", &length_bytes);
    ck_assert_int_eq(world_deploy(&world, "f", hello, length_bytes),
                     RUNTIME_OK);
    run_threads(call_until_stopped, (void *)deploy_in_turns);
    struct runtime_function *function;
    struct runtime_function_info info;
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "f",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &info);
    ck_assert_uint_eq(info.version, 61);
    runtime_function_put(function);
    free(hello);
    world_close(&world);
    world_directory_remove(path);
}
END_TEST

/* ---- Deploying at once ------------------------------------------------- */

enum { deployments = 15 };

static atomic_uint deployment_number;

static void *
deploy_the_same_name(void *unused)
{
    size_t length_bytes;
    uint8_t *module = world_guest("hello", &length_bytes);

    for (int i = 0; i < deployments; i++) {
        /* Each has a configuration of its own, so each is a version. */
        struct runtime_config config = {
            .fuel = 1000000 + atomic_fetch_add(&deployment_number, 1)};
        struct runtime_deployment deployment = {
            "default", "h", module, length_bytes, &config, RUNTIME_ALWAYS,
            NULL};
        expect(runtime_function_deploy(world.runtime, &deployment, NULL, NULL,
                                       NULL) == RUNTIME_OK);
    }
    free(module);
    return unused;
}

START_TEST(no_deployment_is_lost)
{
    char path[64];
    struct runtime_options options = {.data_dir = path};
    struct runtime_function *function;
    struct runtime_function_info before, after;

    world_directory_make(path);
    world_open(&world, &options);
    run_threads(deploy_the_same_name, NULL);
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "h",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &before);
    ck_assert_uint_eq(before.version, deployments * threads_count);
    uint64_t fuel = before.config->fuel;
    runtime_function_put(function);
    world_close(&world);
    /* What is on the disk is what was published last. */
    world_open(&world, &options);
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "h",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &after);
    ck_assert_uint_eq(after.version, deployments * threads_count);
    ck_assert_uint_eq(after.config->fuel, fuel);
    runtime_function_put(function);
    world_close(&world);
    world_directory_remove(path);
}
END_TEST

/* ---- All at once -------------------------------------------------------- */

static void *
do_everything(void *unused)
{
    size_t length_bytes;
    uint8_t *module = world_guest("echo", &length_bytes);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "g",
        .module = module,
        .module_bytes = length_bytes,
    };
    struct runtime_function_page page;
    char output[64];

    for (int i = 0; i < 20; i++) {
        enum runtime_status status = runtime_function_deploy(
            world.runtime, &deployment, NULL, NULL, NULL);
        expect(status == RUNTIME_OK);
        status = call_once("g", "x", output, sizeof(output));
        expect(status == RUNTIME_OK || status == RUNTIME_NOT_FOUND);
        status = runtime_function_list(world.runtime, "default", NULL, NULL,
                                       0, &page, NULL);
        expect(status == RUNTIME_OK && page.count <= 1);
        runtime_function_page_deinit(&page);
        status = runtime_function_delete(world.runtime, "default", "g", NULL,
                                         NULL);
        expect(status == RUNTIME_OK || status == RUNTIME_NOT_FOUND);
    }
    free(module);
    return unused;
}

START_TEST(deploying_listing_calling_and_deleting_do_not_disturb_each_other)
{
    struct runtime_statistics statistics;

    world_open(&world, NULL);
    run_threads(do_everything, NULL);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_le(statistics.function_count, 1);
    ck_assert_uint_eq(statistics.call_count, 0);
    world_close(&world);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, no_increment_is_lost);
    tcase_add_test(tests, no_deployment_is_lost);
    tcase_add_test(tests, calls_go_on_while_versions_are_replaced);
    tcase_add_test(
        tests,
        deploying_listing_calling_and_deleting_do_not_disturb_each_other);
}

WORLD_MAIN("concurrency", add_tests)
