/* check_host_core.c - tests of runtime/host_core.c, by guests/core.c. */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Deploys the guest with the configuration that it expects, and begins a call
 * of one of its exports. */
static struct runtime_call *
call_export(const char *export_name)
{
    static const struct runtime_variable variables[] = {
        {"A", "1"}, {"EMPTY", ""}, {"LONG", "0123456789"}};
    static const struct runtime_config config = {
        .timeout_ms = RUNTIME_TIMEOUT_MS_CEILING,
        .variables = variables,
        .variable_count = 3,
    };
    size_t length_bytes;
    uint8_t *bytes = world_guest("core", &length_bytes);
    struct runtime_deployment deployment = {
        "default", "core", bytes, length_bytes, &config, RUNTIME_ALWAYS, NULL};
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, &world.err);

    ck_assert_msg(status == RUNTIME_OK, "%s", world.err.message);
    free(bytes);
    struct runtime_call *call = world_call(&world, "core", "the input");
    ck_assert_int_eq(
        runtime_call_set_export(call, export_name, NULL, 0, &world.err),
        RUNTIME_OK);
    return call;
}

/* Those that check themselves. */
static const char *const exports[] = {
    "the_constructors_have_run_once",
    "the_version_is_one",
    "the_input_is_read_in_pieces",
    "the_clock_goes_on_towards_the_deadline",
    "fuel_becomes_less",
    "the_configuration_is_read",
};

START_TEST(a_guest_finds_what_it_expects)
{
    struct runtime_call *call = call_export(exports[_i]);

    world_start(call, RUNTIME_OK);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(the_output_is_appended_and_reset)
{
    struct runtime_call *call = call_export("the_output_is_appended_and_reset");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);

    ck_assert_uint_eq(result->output_bytes, 7);
    ck_assert_mem_eq(result->output, "one two", 7);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(the_output_has_a_limit)
{
    struct runtime_options options = {.output_bytes_max = 8};

    world_close(&world);
    world_open(&world, &options);
    struct runtime_call *call = call_export("the_output_has_a_limit");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_uint_eq(result->output_bytes, 8);
    ck_assert_mem_eq(result->output, "12345678", 8);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(the_log_has_a_line_for_each_with_its_level)
{
    static const char expected[] = "debug: a\ninfo: b\nwarning: \nerror: c\n"
                                   "error: d\nerror: e\n";
    struct runtime_call *call = call_export("the_log_has_levels");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);

    ck_assert_uint_eq(result->log_bytes, strlen(expected));
    ck_assert_mem_eq(result->log, expected, strlen(expected));
    ck_assert_uint_eq(result->log_bytes_dropped, 0);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(the_log_holds_as_much_as_its_limit_and_counts_the_rest)
{
    struct runtime_call *call = call_export("the_log_fills_up");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);

    ck_assert_uint_eq(result->log_bytes, RUNTIME_LOG_BYTES_MAX);
    ck_assert_uint_eq(result->log_bytes_dropped,
                      100 * (7 + 1000 + 1) - RUNTIME_LOG_BYTES_MAX);
    runtime_call_destroy(call);
}
END_TEST

static const struct {
    const char *export_name;
    enum runtime_status status;
    int32_t code;
    const char *message;
} failures[] = {
    {"the_last_failure_counts", RUNTIME_FAILED, -7, "second"},
    {"a_failure_may_be_silent", RUNTIME_FAILED, 3, ""},
    {"a_failure_may_not_be_zero", RUNTIME_TRAP, 0, NULL},
};

START_TEST(a_failure_has_its_code_and_text)
{
    struct runtime_call *call = call_export(failures[_i].export_name);
    const struct runtime_result *result =
        world_start(call, failures[_i].status);

    ck_assert_int_eq(result->code, failures[_i].code);
    if (failures[_i].message)
        ck_assert_str_eq(result->error.message, failures[_i].message);
    else
        ck_assert_ptr_nonnull(strstr(result->error.message, "fail()"));
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_failure_that_is_too_long_is_cut)
{
    struct runtime_call *call = call_export("a_failure_is_cut");
    const struct runtime_result *result = world_start(call, RUNTIME_FAILED);

    ck_assert_uint_eq(strlen(result->error.message),
                      RUNTIME_FAILURE_BYTES_MAX);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_guest_has_the_id_of_its_call)
{
    struct runtime_call *call = call_export("the_id_is_written");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    char text[RUNTIME_CALL_ID_SIZE] = "";

    ck_assert_uint_eq(result->output_bytes, 16);
    for (size_t i = 0; i < 16; i++)
        snprintf(text + 2 * i, 3, "%02x", result->output[i]);
    ck_assert_str_eq(text, runtime_call_id(call));
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_sleep_past_the_deadline_is_a_timeout)
{
    struct runtime_call *call =
        call_export("sleeping_past_the_deadline_ends_the_call");

    runtime_call_set_timeout_ms(call, 10);
    ck_assert_uint_eq(world_start(call, RUNTIME_TIMEOUT)->output_bytes, 0);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_module_without_a_memory_has_no_range_at_all)
{
    struct module_builder *builder = module_builder_create();
    uint32_t write =
        module_builder_import_func(builder, "glass", "output_write", "ii:i");
    /* output_write(0, 0) */
    uint32_t handle = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 0, 0x10, (uint8_t)write, 0x0b));

    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, handle);
    world_deploy_built(&world, "f", builder);
    struct runtime_call *call = world_call(&world, "f", "");
    const struct runtime_result *result = world_start(call, RUNTIME_TRAP);
    ck_assert_str_eq(result->error.trap, "out of bounds memory access");
    ck_assert_uint_eq(result->memory_bytes, 0);
    runtime_call_destroy(call);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_test(tests, the_output_is_appended_and_reset);
    tcase_add_test(tests, the_output_has_a_limit);
    tcase_add_test(tests, the_log_has_a_line_for_each_with_its_level);
    tcase_add_test(tests,
                   the_log_holds_as_much_as_its_limit_and_counts_the_rest);
    tcase_add_loop_test(tests, a_failure_has_its_code_and_text, 0,
                        sizeof(failures) / sizeof(failures[0]));
    tcase_add_test(tests, a_failure_that_is_too_long_is_cut);
    tcase_add_test(tests, a_guest_has_the_id_of_its_call);
    tcase_add_test(tests, a_sleep_past_the_deadline_is_a_timeout);
    tcase_add_test(tests, a_module_without_a_memory_has_no_range_at_all);
}

WORLD_MAIN("host_core", add_tests)
