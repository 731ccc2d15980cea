/*
 * check_limits.c - what one sandbox or one function may use: each limit holds
 * at the limit and not one past it, and says its name. Those of options and
 * configurations are in check_runtime.c and check_deploy.c.
 */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Memory and tables -------------------------------------------------- */

/* A table of 10 entries and a memory of 2 pages; both can grow. */
static enum runtime_status
deploy_sizes(void)
{
    struct module_builder *builder = module_builder_create();
    size_t length_bytes;
    uint32_t index;

    module_builder_table(builder, 'r', 6, MODULE_BUILDER_NO_MAX);
    module_builder_table(builder, 'r', 4, MODULE_BUILDER_NO_MAX);
    module_builder_memory(builder, 2, 100);
    index = module_builder_func(
        builder, "i:i", "",
        BYTES(0xd0, 0x70, 0x20, 0, 0xfc, 15, 1, 0x0b));
    module_builder_export(builder, "extend", GVM_EXTERN_FUNC, index);
    index = module_builder_func(builder, "i:i", "",
                                BYTES(0x20, 0, 0x40, 0, 0x0b));
    module_builder_export(builder, "grow", GVM_EXTERN_FUNC, index);
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    enum runtime_status status =
        world_deploy(&world, "f", bytes, length_bytes);
    module_builder_destroy(builder);
    return status;
}

static const struct {
    uint64_t table_entries, memory_bytes;
    enum runtime_status status;
    const char *message; /* a part of it */
} sizes[] = {
    {10, 2 << 16, RUNTIME_OK, NULL},
    {9, 2 << 16, RUNTIME_OUT_OF_MEMORY,
     "table 1 of 4 entries (one may have 10000000, the store 9)"},
    {5, 2 << 16, RUNTIME_OUT_OF_MEMORY,
     "table 0 of 6 entries (one may have 10000000, the store 5)"},
    {10, (2 << 16) - 1, RUNTIME_OUT_OF_MEMORY,
     "memory 0 of 2 pages (the store may have 131071 bytes)"},
};

START_TEST(what_a_module_declares_is_held_against_the_limits)
{
    struct runtime_options options = {
        .table_entries_max = sizes[_i].table_entries,
        .memory_bytes_max = sizes[_i].memory_bytes,
    };

    world_open(&world, &options);
    ck_assert_int_eq(deploy_sizes(), sizes[_i].status);
    if (sizes[_i].message)
        ck_assert_msg(strstr(world.err.message, sizes[_i].message) != NULL,
                      "%s", world.err.message);
}
END_TEST

/* The same, less than the server allows, for one function. */
START_TEST(a_function_may_have_less_of_tables_and_memory)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.table_entries = 9};
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "f", .config = &config};

    world_open(&world, NULL);
    module_builder_table(builder, 'r', 10, MODULE_BUILDER_NO_MAX);
    module_builder_export(builder, "nothing", GVM_EXTERN_FUNC,
                          module_builder_func(builder, ":", "", BYTES(0x0b)));
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OUT_OF_MEMORY);
    ck_assert_str_eq(world.err.limit, "memory");
    config.table_entries = 10;
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    module_builder_destroy(builder);
}
END_TEST

static const struct {
    struct runtime_options options;
    struct runtime_config config;
    enum runtime_status status;
} configs[] = {
    {{0}, {.stack_bytes = RUNTIME_STACK_BYTES_MAX}, RUNTIME_OK},
    {{0}, {.stack_bytes = RUNTIME_STACK_BYTES_MAX + 1}, RUNTIME_LIMIT},
    {{.table_entries_max = 5}, {.table_entries = 5}, RUNTIME_OK},
    {{.table_entries_max = 5}, {.table_entries = 6}, RUNTIME_LIMIT},
    {{.output_bytes_max = 5}, {.output_bytes = 5}, RUNTIME_OK},
    {{.output_bytes_max = 5}, {.output_bytes = 6}, RUNTIME_LIMIT},
    {{.log_bytes_per_s = 5}, {.log_bytes_per_s = 5}, RUNTIME_OK},
    {{.log_bytes_per_s = 5}, {.log_bytes_per_s = 6}, RUNTIME_LIMIT},
};

static enum runtime_status
deploy_guest(const char *name, const struct runtime_config *config)
{
    size_t length_bytes;
    uint8_t *module = world_guest(name, &length_bytes);
    const struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = name,
        .module = module,
        .module_bytes = length_bytes,
        .config = config,
    };
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, &world.err);

    free(module);
    return status;
}

START_TEST(a_function_may_have_no_more_than_the_server_allows)
{
    world_open(&world, &configs[_i].options);
    ck_assert_int_eq(deploy_guest("hello", &configs[_i].config),
                     configs[_i].status);
}
END_TEST

/* Frames of `deep` take some slots each, whatever the stack. */
START_TEST(a_function_may_have_less_of_a_stack)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.stack_bytes = 65536};
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "f", .config = &config};

    world_open(&world, NULL);
    /* deep(n) calls itself n times. */
    module_builder_export(
        builder, "deep", GVM_EXTERN_FUNC,
        module_builder_func(builder, "i:", "",
                            BYTES(0x20, 0, 0x04, 0x40, 0x20, 0, 0x41, 1,
                                  0x6b, 0x10, 0, 0x0b, 0x0b)));
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment,
                                                 NULL, NULL, &world.err),
                         RUNTIME_OK);
        world_ask(&world, "f", "deep", "500", RUNTIME_OK);
        world_ask(&world, "f", "deep", "9000",
                  i == 0 ? RUNTIME_EXHAUSTED : RUNTIME_OK);
        config.stack_bytes = 0;
    }
    module_builder_destroy(builder);
}
END_TEST

START_TEST(what_grows_grows_to_the_limits_and_no_further)
{
    struct runtime_options options = {.table_entries_max = 15,
                                      .memory_bytes_max = 5 << 16};

    world_open(&world, &options);
    ck_assert_int_eq(deploy_sizes(), RUNTIME_OK);
    /* In a sandbox of its own each time. */
    ck_assert_str_eq(world_ask(&world, "f", "extend", "6", RUNTIME_OK), "-1");
    ck_assert_str_eq(world_ask(&world, "f", "extend", "5", RUNTIME_OK), "4");
    ck_assert_str_eq(world_ask(&world, "f", "grow", "4", RUNTIME_OK), "-1");
    ck_assert_str_eq(world_ask(&world, "f", "grow", "3", RUNTIME_OK), "2");
}
END_TEST

/* ---- The output --------------------------------------------------------- */

/* A command that copies its input to stdout; the server's limit, and one of
 * the function's own. */
START_TEST(the_output_of_a_command_has_a_limit_that_is_named)
{
    struct runtime_options options = {.output_bytes_max = _i ? 7 : 6};
    struct runtime_config config = {.output_bytes = _i ? 6 : 0};
    struct runtime_call *call;

    world_open(&world, &options);
    ck_assert_int_eq(deploy_guest("wordcount", &config), RUNTIME_OK);
    call = world_call(&world, "wordcount", "a b");
    ck_assert_uint_eq(world_start(call, RUNTIME_OK)->output_bytes, 6);
    runtime_call_destroy(call);
    call = world_call(&world, "wordcount", "a b c d e f");
    const struct runtime_result *result = world_start(call, RUNTIME_LIMIT);
    ck_assert_str_eq(result->error.limit, "output");
    ck_assert_str_eq(result->error.message,
                     "the output is longer than 6 bytes");
    runtime_call_destroy(call);
}
END_TEST

/* ---- The log ------------------------------------------------------------ */

/* say(length) logs so many zeros, as one line: "info: ", they, and its end. */
static void
deploy_log(const struct runtime_config *config)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "f", .config = config};
    uint32_t log =
        module_builder_import_func(builder, "glass", "log", "iii:");
    uint32_t index = module_builder_func(
        builder, "i:", "",
        BYTES(0x41, 1, 0x41, 0, 0x20, 0, 0x10, (uint8_t)log, 0x0b));

    module_builder_memory(builder, 1, 1);
    module_builder_export(builder, "say", GVM_EXTERN_FUNC, index);
    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    module_builder_destroy(builder);
}

enum { around = 6 + 1 };

/* How many bytes of the line were kept; the others count as dropped. */
static size_t
say(unsigned length)
{
    struct runtime_call *call = world_call(&world, "f", "");
    char text[16];
    const char *argument = text;

    snprintf(text, sizeof(text), "%u", length);
    ck_assert_int_eq(
        runtime_call_set_export(call, "say", &argument, 1, &world.err),
        RUNTIME_OK);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    size_t kept_bytes = result->log_bytes;
    ck_assert_uint_eq(kept_bytes + result->log_bytes_dropped,
                      length + around);
    runtime_call_destroy(call);
    return kept_bytes;
}

START_TEST(a_function_logs_as_much_as_a_second_gives)
{
    enum { per_s = 50 };
    /* The server's limit, or one of the function's own. */
    struct runtime_options options = {.log_bytes_per_s = _i ? 0 : per_s};
    struct runtime_config config = {.log_bytes_per_s = _i ? per_s : 0};
    time_t begun = time(NULL);
    unsigned kept_count = 0;

    world_open(&world, &options);
    deploy_log(&config);
    /* One more is never to be had, so nothing of it is there. */
    ck_assert_uint_eq(say(per_s - around + 1), 0);
    ck_assert_uint_eq(say(per_s - around), per_s);
    for (int i = 0; i < 20; i++)
        kept_count += say(per_s - around) > 0;
    ck_assert_uint_le(kept_count, (unsigned)(time(NULL) - begun) + 1);
}
END_TEST

START_TEST(what_one_call_cannot_keep_is_not_taken_from_the_others)
{
    struct runtime_options options = {.log_bytes_per_s =
                                          RUNTIME_LOG_BYTES_MAX};

    /* By the limit of a call a line is cut; it takes no more than it keeps. */
    world_open(&world, &options);
    deploy_log(NULL);
    ck_assert_uint_eq(say(65536), RUNTIME_LOG_BYTES_MAX);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, NULL, close_world);
    tcase_add_loop_test(tests,
                        what_a_module_declares_is_held_against_the_limits, 0,
                        sizeof(sizes) / sizeof(sizes[0]));
    tcase_add_test(tests, what_grows_grows_to_the_limits_and_no_further);
    tcase_add_test(tests, a_function_may_have_less_of_tables_and_memory);
    tcase_add_loop_test(tests,
                        a_function_may_have_no_more_than_the_server_allows, 0,
                        sizeof(configs) / sizeof(configs[0]));
    tcase_add_test(tests, a_function_may_have_less_of_a_stack);
    tcase_add_loop_test(
        tests, the_output_of_a_command_has_a_limit_that_is_named, 0, 2);
    tcase_add_loop_test(tests, a_function_logs_as_much_as_a_second_gives, 0,
                        2);
    tcase_add_test(tests,
                   what_one_call_cannot_keep_is_not_taken_from_the_others);
}

WORLD_MAIN("limits", add_tests)
