/*
 * check_call_start.c - tests of runtime/call.c: what a call begins with, and
 * when a function is initialised.
 */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* An initialiser that adds 100 to global 0, `next` that adds 1 and returns
 * it, `trap` that adds 1 and traps, and what `restored` says. */
static struct module_builder *
counter(const char *initialiser, bool restored)
{
    struct module_builder *builder = module_builder_create();
    uint32_t index = module_builder_func(
        builder, ":", "", BYTES(0x23, 0, 0x41, 0xe4, 0, 0x6a, 0x24, 0, 0x0b));

    module_builder_export(builder, initialiser, GVM_EXTERN_FUNC, index);
    index = module_builder_func(
        builder, ":i", "",
        BYTES(0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x23, 0, 0x0b));
    module_builder_export(builder, "next", GVM_EXTERN_FUNC, index);
    index = module_builder_func(
        builder, ":i", "",
        BYTES(0x23, 0, 0x41, 1, 0x6a, 0x24, 0, 0x00, 0x0b));
    module_builder_export(builder, "trap", GVM_EXTERN_FUNC, index);
    if (restored) {
        index = module_builder_func(
            builder, ":", "",
            BYTES(0x23, 0, 0x41, 10, 0x6a, 0x24, 0, 0x0b));
        module_builder_export(builder, "glass_restored", GVM_EXTERN_FUNC,
                              index);
    }
    module_builder_global(builder, 'i', true, BYTES(0x41, 0, 0x0b));
    return builder;
}

static enum runtime_status
deploy(struct module_builder *builder, const struct runtime_config *config)
{
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "f",
        .config = config,
    };

    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, &world.err);
    module_builder_destroy(builder);
    return status;
}

/* Calls an export; how the call began. */
static enum runtime_start
start_of(const char *name, enum runtime_status expected, const char *answer)
{
    struct runtime_call *call = world_call(&world, "f", "");

    ck_assert_int_eq(runtime_call_set_export(call, name, NULL, 0, NULL),
                     RUNTIME_OK);
    const struct runtime_result *result = world_start(call, expected);
    if (answer)
        ck_assert_str_eq(result->values[0].text, answer);
    enum runtime_start start = result->start;
    runtime_call_destroy(call);
    return start;
}

static const char *const initialisers[] = {"_initialize", "glass_init",
                                           "_faasm_zygote"};

START_TEST(every_call_begins_after_one_initialisation)
{
    ck_assert_int_eq(deploy(counter(initialisers[_i], false), NULL),
                     RUNTIME_OK);
    for (int times = 0; times < 3; times++) {
        ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                         RUNTIME_START_SNAPSHOT);
        start_of("trap", RUNTIME_TRAP, NULL);
    }
}
END_TEST

START_TEST(glass_restored_runs_at_each_start)
{
    ck_assert_int_eq(deploy(counter("glass_init", true), NULL), RUNTIME_OK);
    for (int times = 0; times < 3; times++)
        start_of("next", RUNTIME_OK, "111");
}
END_TEST

START_TEST(glass_restored_may_fail_and_then_nothing_runs)
{
    struct module_builder *builder = counter("glass_init", false);
    uint32_t index =
        module_builder_func(builder, ":", "", BYTES(0x00, 0x0b));

    module_builder_export(builder, "glass_restored", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(deploy(builder, NULL), RUNTIME_OK);
    start_of("next", RUNTIME_TRAP, NULL);
}
END_TEST

START_TEST(glass_restored_has_a_type)
{
    struct module_builder *builder = counter("glass_init", false);
    uint32_t index =
        module_builder_func(builder, ":i", "", BYTES(0x41, 0, 0x0b));

    module_builder_export(builder, "glass_restored", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(deploy(builder, NULL), RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(world.err.message, "glass_restored"));
}
END_TEST

START_TEST(a_warm_function_goes_on_until_a_call_fails)
{
    struct runtime_config config = {.reuse = RUNTIME_REUSE_WARM};

    ck_assert_int_eq(deploy(counter("glass_init", false), &config),
                     RUNTIME_OK);
    ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                     RUNTIME_START_SNAPSHOT);
    ck_assert_int_eq(start_of("next", RUNTIME_OK, "102"),
                     RUNTIME_START_WARM);
    ck_assert_int_eq(start_of("trap", RUNTIME_TRAP, NULL),
                     RUNTIME_START_WARM);
    ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                     RUNTIME_START_SNAPSHOT);
    ck_assert_int_eq(start_of("next", RUNTIME_OK, "102"),
                     RUNTIME_START_WARM);
    /* Another deployment begins anew, also of the same module. */
    config.fuel = 1000000;
    ck_assert_int_eq(deploy(counter("glass_init", false), &config),
                     RUNTIME_OK);
    start_of("next", RUNTIME_OK, "101");
}
END_TEST

START_TEST(after_a_restart_without_snapshots_the_first_call_initialises)
{
    struct runtime_options options = {0};
    char path[64];
    char file[128];

    world_directory_make(path);
    snprintf(file, sizeof(file), "%s/snapshots/default.f", path);
    options.data_dir = path;
    /* The initialising call is none that a limit would refuse. */
    options.calls_max = 1;
    world_close(&world);
    world_open(&world, &options);
    ck_assert_int_eq(deploy(counter("glass_init", false), NULL), RUNTIME_OK);
    ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                     RUNTIME_START_SNAPSHOT);
    for (int times = 0; times < 2; times++) {
        world_close(&world);
        ck_assert_int_eq(unlink(file), 0);
        world_open(&world, &options);
        ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                         RUNTIME_START_COLD);
        ck_assert_int_eq(start_of("next", RUNTIME_OK, "101"),
                         RUNTIME_START_SNAPSHOT);
    }
    world_close(&world);
    world_directory_remove(path);
    world_open(&world, NULL);
}
END_TEST

/* What initialising writes goes nowhere, at whatever call it happens. */
START_TEST(what_initialising_writes_and_spends_is_no_calls)
{
    struct module_builder *builder = module_builder_create();
    uint32_t write = module_builder_import_func(builder, "glass",
                                                "output_write", "ii:i");
    uint32_t index = module_builder_func(
        builder, ":", "i",
        BYTES(0x41, 0, 0x41, 4, 0x10, (uint8_t)write, 0x1a, 0x03, 0x40, 0x20,
              0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 0xe8, 7, 0x48, 0x0d, 0, 0x0b,
              0x0b));

    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    index = module_builder_func(builder, ":i", "", BYTES(0x41, 0, 0x0b));
    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, index);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "init", 4);
    ck_assert_int_eq(deploy(builder, NULL), RUNTIME_OK);
    struct runtime_call *call = world_call(&world, "f", "");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_uint_eq(result->output_bytes, 0);
    ck_assert_uint_lt(result->fuel_used, 100);
    ck_assert_uint_eq(result->memory_bytes, 65536);
    runtime_call_destroy(call);
}
END_TEST

/* glass_init keeps the value of MODE, glass_handle writes it. */
static struct module_builder *
mode_guest(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t get = module_builder_import_func(builder, "glass", "config_get",
                                              "iiii:i");
    uint32_t write = module_builder_import_func(builder, "glass",
                                                "output_write", "ii:i");
    uint32_t index = module_builder_func(
        builder, ":", "",
        BYTES(0x41, 0, 0x41, 4, 0x41, 16, 0x41, 4, 0x10, (uint8_t)get, 0x1a,
              0x0b));

    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    index = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 16, 0x41, 4, 0x10, (uint8_t)write, 0x1a, 0x41, 0, 0x0b));
    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, index);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "MODE", 4);
    return builder;
}

static void
expect_mode(const char *mode)
{
    struct runtime_call *call = world_call(&world, "f", "");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);

    ck_assert_uint_eq(result->output_bytes, 4);
    ck_assert_mem_eq(result->output, mode, 4);
    runtime_call_destroy(call);
}

START_TEST(initialising_sees_the_configuration_that_calls_will_have)
{
    struct runtime_variable variable = {"MODE", "slow"};
    struct runtime_config config = {.variables = &variable,
                                    .variable_count = 1};

    ck_assert_int_eq(deploy(mode_guest(), &config), RUNTIME_OK);
    expect_mode("slow");
    /* Another module without a configuration has that of the last. */
    struct module_builder *builder = mode_guest();
    module_builder_custom(builder, 0, "other", NULL, 0);
    ck_assert_int_eq(deploy(builder, NULL), RUNTIME_OK);
    expect_mode("slow");
    variable.value = "fast";
    ck_assert_int_eq(deploy(mode_guest(), &config), RUNTIME_OK);
    expect_mode("fast");
}
END_TEST

START_TEST(a_start_has_a_name)
{
    ck_assert_str_eq(runtime_start_name(RUNTIME_START_NONE), "none");
    ck_assert_str_eq(runtime_start_name(RUNTIME_START_COLD), "cold");
    ck_assert_str_eq(runtime_start_name(RUNTIME_START_SNAPSHOT), "snapshot");
    ck_assert_str_eq(runtime_start_name(RUNTIME_START_WARM), "warm");
    ck_assert_str_eq(runtime_start_name((enum runtime_start)99), "unknown");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, every_call_begins_after_one_initialisation, 0,
                        3);
    tcase_add_test(tests, glass_restored_runs_at_each_start);
    tcase_add_test(tests, glass_restored_may_fail_and_then_nothing_runs);
    tcase_add_test(tests, glass_restored_has_a_type);
    tcase_add_test(tests, a_warm_function_goes_on_until_a_call_fails);
    tcase_add_test(
        tests, after_a_restart_without_snapshots_the_first_call_initialises);
    tcase_add_test(tests, what_initialising_writes_and_spends_is_no_calls);
    tcase_add_test(tests,
                   initialising_sees_the_configuration_that_calls_will_have);
    tcase_add_test(tests, a_start_has_a_name);
}

WORLD_MAIN("call_start", add_tests)
