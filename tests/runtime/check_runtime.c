/* check_runtime.c - tests of runtime/runtime.c. */
#include "runtime/internal.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const struct {
    struct runtime_options options;
    bool accepted;
} options[] = {
    {{.timeout_ms = RUNTIME_TIMEOUT_MS_CEILING}, true},
    {{.timeout_ms = RUNTIME_TIMEOUT_MS_CEILING + 1}, false},
    {{.timeout_ms_max = RUNTIME_TIMEOUT_MS_CEILING + 1}, false},
    {{.timeout_ms = 11, .timeout_ms_max = 10}, false},
    {{.timeout_ms = 10, .timeout_ms_max = 10}, true},
    {{.timeout_ms_max = 10}, true}, /* the default goes down with it */
    {{.fuel = RUNTIME_FUEL_CEILING}, true},
    {{.fuel = RUNTIME_FUEL_CEILING + 1}, false},
    {{.fuel_max = RUNTIME_FUEL_CEILING + 1}, false},
    {{.fuel_max = 10}, true},
    {{.memory_bytes = RUNTIME_MEMORY_BYTES_CEILING}, true},
    {{.memory_bytes = RUNTIME_MEMORY_BYTES_CEILING + 1}, false},
    {{.memory_bytes_max = RUNTIME_MEMORY_BYTES_CEILING + 1}, false},
    {{.memory_bytes_max = 65536}, true},
    {{.module_bytes_max = RUNTIME_MODULE_BYTES_CEILING}, true},
    {{.module_bytes_max = RUNTIME_MODULE_BYTES_CEILING + 1}, false},
    {{.input_bytes_max = RUNTIME_BODY_BYTES_CEILING}, true},
    {{.input_bytes_max = RUNTIME_BODY_BYTES_CEILING + 1}, false},
    {{.output_bytes_max = RUNTIME_BODY_BYTES_CEILING}, true},
    {{.output_bytes_max = RUNTIME_BODY_BYTES_CEILING + 1}, false},
    {{.table_entries_max = RUNTIME_TABLE_ENTRIES_CEILING}, true},
    {{.table_entries_max = RUNTIME_TABLE_ENTRIES_CEILING + 1}, false},
    {{.log_bytes_per_s = RUNTIME_LOG_BYTES_PER_S_CEILING}, true},
    {{.log_bytes_per_s = RUNTIME_LOG_BYTES_PER_S_CEILING + 1}, false},
    {{.calls_max = RUNTIME_CALLS_CEILING}, true},
    {{.calls_max = RUNTIME_CALLS_CEILING + 1}, false},
    {{.calls_max = 10, .namespace_calls_max = 10}, true},
    {{.calls_max = 10, .namespace_calls_max = 11}, false},
    {{.worker_count = RUNTIME_WORKERS_MAX}, true},
    {{.worker_count = RUNTIME_WORKERS_MAX + 1}, false},
    {{.bounds = (enum runtime_bounds)3}, false},
    {{.bounds = RUNTIME_BOUNDS_EXPLICIT}, true},
};

START_TEST(options_hold_at_their_ceiling_and_not_past_it)
{
    struct runtime *runtime = NULL;
    struct runtime_error err;
    enum runtime_status status =
        runtime_create(&options[_i].options, &runtime, &err);

    ck_assert_int_eq(status,
                     options[_i].accepted ? RUNTIME_OK : RUNTIME_INVALID);
    ck_assert_int_eq(runtime != NULL, options[_i].accepted);
    runtime_destroy(runtime);
}
END_TEST

START_TEST(null_options_are_the_defaults)
{
    struct runtime *runtime;
    struct runtime_statistics statistics;

    ck_assert_int_eq(runtime_create(NULL, &runtime, NULL), RUNTIME_OK);
    runtime_statistics(runtime, &statistics);
    ck_assert_uint_eq(statistics.function_count, 0);
    ck_assert_uint_eq(statistics.call_count, 0);
    ck_assert_uint_eq(statistics.started_count, 0);
    runtime_destroy(runtime);
    runtime_destroy(NULL);
}
END_TEST

/* ---- A directory -------------------------------------------------------- */

static char path[64];
static char notices[2048];

static void
make_directory(void)
{
    world_directory_make(path);
    notices[0] = '\0';
}

static void
remove_directory(void)
{
    world_directory_remove(path);
}

static void
hear(void *data, const char *message)
{
    ck_assert_ptr_eq(data, notices);
    strcat(notices, message);
    strcat(notices, "\n");
}

static void
open_kept(struct world *world)
{
    struct runtime_options kept = {
        .data_dir = path,
        .notice = hear,
        .notice_data = notices,
    };

    world_open(world, &kept);
}

static size_t
function_count(struct world *world)
{
    struct runtime_statistics statistics;

    runtime_statistics(world->runtime, &statistics);
    return statistics.function_count;
}

START_TEST(a_restart_finds_the_functions)
{
    struct world world;
    static const struct runtime_variable variables[] = {{"MODE", "exit"}};
    static const struct runtime_config config = {
        .fuel = 123456789, .variables = variables, .variable_count = 1};
    struct runtime_function_info before, after;
    struct runtime_function *function;
    size_t length_bytes;
    uint8_t *bytes = world_guest("wasi", &length_bytes);
    struct runtime_deployment deployment = {
        "tenant", "program", bytes, length_bytes, &config, RUNTIME_ALWAYS,
        NULL};

    open_kept(&world);
    world_deploy_guest(&world, "hello");
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment,
                                             &function, NULL, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &before);
    uint64_t deployed_ms = before.deployed_ms;
    runtime_function_put(function);
    world_close(&world);

    open_kept(&world);
    ck_assert_str_eq(notices, "");
    ck_assert_uint_eq(function_count(&world), 2);
    ck_assert_int_eq(runtime_function_get(world.runtime, "tenant", "program",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &after);
    ck_assert_int_eq(after.kind, RUNTIME_COMMAND);
    ck_assert_uint_eq(after.version, 1);
    ck_assert_uint_eq(after.deployed_ms, deployed_ms);
    ck_assert_uint_eq(after.config->fuel, 123456789);
    ck_assert_uint_eq(after.module_bytes, length_bytes);
    ck_assert_mem_eq(after.module, bytes, length_bytes);
    runtime_function_put(function);

    struct runtime_call *call = world_call(&world, "hello", "");
    ck_assert_uint_gt(world_start(call, RUNTIME_OK)->output_bytes, 0);
    runtime_call_destroy(call);
    ck_assert_int_eq(runtime_call_create(world.runtime, "tenant", "program",
                                         &call, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(world_start(call, RUNTIME_EXITED)->code, 7);
    runtime_call_destroy(call);
    world_close(&world);
    free(bytes);
}
END_TEST

START_TEST(versions_go_on_after_a_restart)
{
    struct world world;
    struct runtime_function_info info;
    struct runtime_function *function;
    size_t length_bytes;

    uint8_t *bytes = world_guest("echo", &length_bytes);
    open_kept(&world);
    ck_assert_int_eq(world_deploy(&world, "hello", bytes, length_bytes),
                     RUNTIME_OK);
    world_deploy_guest(&world, "hello");
    world_close(&world);
    open_kept(&world);
    ck_assert_int_eq(world_deploy(&world, "hello", bytes, length_bytes),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_function_get(world.runtime, "default", "hello",
                                          &function, NULL),
                     RUNTIME_OK);
    runtime_function_info(function, &info);
    ck_assert_uint_eq(info.version, 3);
    runtime_function_put(function);
    world_close(&world);
    free(bytes);
}
END_TEST

/* Writes over the beginning of the only file in that directory. */
static void
damage(const char *command_of_file)
{
    char command[256];

    snprintf(command, sizeof(command), "printf XXXX | dd of=$(ls %s/%s) "
             "conv=notrunc status=none", path, command_of_file);
    ck_assert_int_eq(system(command), 0);
}

static int
count_files(const char *pattern)
{
    char command[256];
    int count = -1;

    snprintf(command, sizeof(command), "ls %s/%s 2>/dev/null | wc -l", path,
             pattern);
    FILE *stream = popen(command, "r");
    ck_assert_int_eq(fscanf(stream, "%d", &count), 1);
    pclose(stream);
    return count;
}

START_TEST(a_damaged_module_is_told_and_skipped_and_can_be_deployed_again)
{
    struct world world;

    open_kept(&world);
    world_deploy_guest(&world, "hello");
    world_close(&world);
    damage("modules/*.wasm");

    open_kept(&world);
    ck_assert_uint_eq(function_count(&world), 0);
    ck_assert_ptr_nonnull(strstr(notices, "functions/default/hello.json"));
    ck_assert_int_eq(count_files("modules/*.wasm"), 1);
    ck_assert_int_eq(count_files("functions/default/*.json"), 1);
    world_deploy_guest(&world, "hello");
    world_close(&world);

    notices[0] = '\0';
    open_kept(&world);
    ck_assert_str_eq(notices, "");
    ck_assert_uint_eq(function_count(&world), 1);
    world_close(&world);
}
END_TEST

START_TEST(a_damaged_function_is_told_and_its_neighbour_stays)
{
    struct world world;

    open_kept(&world);
    world_deploy_guest(&world, "hello");
    world_deploy_guest(&world, "echo");
    world_close(&world);
    damage("functions/default/hello.json");

    open_kept(&world);
    ck_assert_uint_eq(function_count(&world), 1);
    ck_assert_ptr_nonnull(strstr(notices, "hello.json"));
    ck_assert_ptr_null(strstr(notices, "echo"));
    /* Its module is not swept: somebody may repair the file. */
    ck_assert_int_eq(count_files("modules/*.wasm"), 2);
    struct runtime_call *call = world_call(&world, "echo", "still here");
    ck_assert_mem_eq(world_start(call, RUNTIME_OK)->output, "still here", 10);
    runtime_call_destroy(call);
    world_close(&world);
}
END_TEST

START_TEST(a_function_whose_imports_are_gone_is_told)
{
    struct world world;
    struct runtime *runtime;
    struct runtime_options options_without_state = {
        .data_dir = path, .notice = hear, .notice_data = notices};
    struct runtime_statistics statistics;

    open_kept(&world);
    world_deploy_guest(&world, "counter");
    world_close(&world);
    ck_assert_int_eq(runtime_create(&options_without_state, &runtime, NULL),
                     RUNTIME_OK);
    runtime_statistics(runtime, &statistics);
    ck_assert_uint_eq(statistics.function_count, 0);
    ck_assert_ptr_nonnull(strstr(notices, "state_incr"));
    runtime_destroy(runtime);
}
END_TEST

START_TEST(modules_that_a_crash_left_behind_are_swept)
{
    struct world world;

    open_kept(&world);
    world_deploy_guest(&world, "hello");
    world_deploy_guest(&world, "echo");
    ck_assert_int_eq(count_files("modules/*.wasm"), 2);
    world_close(&world);
    char file[128];
    snprintf(file, sizeof(file), "%s/functions/default/echo.json", path);
    ck_assert_int_eq(unlink(file), 0);

    open_kept(&world);
    ck_assert_str_eq(notices, "");
    ck_assert_int_eq(count_files("modules/*.wasm"), 1);
    world_close(&world);
}
END_TEST

/* How many wait, once there are `min`: a call that took longer than a slice
 * has its sandbox go back after it has ended, on another thread. */
static uint64_t
await_idle(struct world *world, uint64_t min)
{
    struct runtime_statistics statistics;

    for (int tries = 0; tries < 20000; tries++) {
        runtime_statistics(world->runtime, &statistics);
        if (statistics.idle_count >= min)
            break;
        usleep(1000);
    }
    return statistics.idle_count;
}

/* More functions than faaslets may wait, called in turn. */
START_TEST(faaslets_wait_up_to_the_bound_of_all)
{
    struct world world;
    char names[6][8];

    world_open(&world, NULL);
    ck_assert_uint_ge(world.runtime->idle.max, 1);
    ck_assert_uint_le(world.runtime->idle.max,
                      RUNTIME_IDLE_FAASLETS_ALL_MAX);
    world.runtime->idle.max = 4;
    for (size_t i = 0; i < 6; i++) {
        snprintf(names[i], sizeof(names[i]), "f%zu", i);
        world_deploy_built(&world, names[i],
                           world_handler("", BYTES(0x41, 0, 0x0b)));
    }
    for (size_t i = 0; i < 60; i++) {
        struct runtime_call *call = world_call(&world, names[i % 6], "");
        world_start(call, RUNTIME_OK);
        runtime_call_destroy(call);
        uint64_t wanted = i < 4 ? i + 1 : 1;
        uint64_t idle_count = await_idle(&world, wanted);
        ck_assert_uint_ge(idle_count, wanted);
        ck_assert_uint_le(idle_count, i < 4 ? wanted : 4);
    }
    world_close(&world);
}
END_TEST

START_TEST(a_second_runtime_on_a_directory_is_busy)
{
    struct world world;
    struct runtime *second = NULL;
    struct runtime_options kept = {.data_dir = path};
    struct runtime_error err;

    open_kept(&world);
    ck_assert_int_eq(runtime_create(&kept, &second, &err), RUNTIME_BUSY);
    ck_assert_ptr_null(second);
    world_close(&world);
    ck_assert_int_eq(runtime_create(&kept, &second, &err), RUNTIME_OK);
    runtime_destroy(second);
}
END_TEST

START_TEST(a_place_that_is_no_directory_is_said)
{
    struct runtime *runtime = NULL;
    struct runtime_options kept = {.data_dir = "no/such/place"};
    struct runtime_error err;

    ck_assert_int_eq(runtime_create(&kept, &runtime, &err), RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "no/such/place"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, make_directory, remove_directory);
    tcase_add_loop_test(tests, options_hold_at_their_ceiling_and_not_past_it,
                        0, sizeof(options) / sizeof(options[0]));
    tcase_add_test(tests, null_options_are_the_defaults);
    tcase_add_test(tests, a_restart_finds_the_functions);
    tcase_add_test(tests, versions_go_on_after_a_restart);
    tcase_add_test(
        tests,
        a_damaged_module_is_told_and_skipped_and_can_be_deployed_again);
    tcase_add_test(tests, a_damaged_function_is_told_and_its_neighbour_stays);
    tcase_add_test(tests, a_function_whose_imports_are_gone_is_told);
    tcase_add_test(tests, modules_that_a_crash_left_behind_are_swept);
    tcase_add_test(tests, faaslets_wait_up_to_the_bound_of_all);
    tcase_add_test(tests, a_second_runtime_on_a_directory_is_busy);
    tcase_add_test(tests, a_place_that_is_no_directory_is_said);
}

WORLD_MAIN("runtime", add_tests)
