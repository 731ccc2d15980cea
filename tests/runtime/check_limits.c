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

/* A command that copies its input to stdout. */
START_TEST(the_output_of_a_command_has_a_limit_that_is_named)
{
    struct runtime_options options = {.output_bytes_max = 6};
    struct runtime_call *call;

    world_open(&world, &options);
    world_deploy_guest(&world, "wordcount");
    call = world_call(&world, "wordcount", "a b");
    ck_assert_uint_eq(world_start(call, RUNTIME_OK)->output_bytes, 6);
    runtime_call_destroy(call);
    call = world_call(&world, "wordcount", "a b c d e f");
    const struct runtime_result *result = world_start(call, RUNTIME_LIMIT);
    ck_assert_str_eq(result->error.message,
                     "the output is longer than 6 bytes");
    runtime_call_destroy(call);
}
END_TEST

/* ---- The log ------------------------------------------------------------ */

/* say(length) logs so many zeros, as one line: "info: ", they, and its end. */
static void
deploy_log(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t log =
        module_builder_import_func(builder, "glass", "log", "iii:");
    uint32_t index = module_builder_func(
        builder, "i:", "",
        BYTES(0x41, 1, 0x41, 0, 0x20, 0, 0x10, (uint8_t)log, 0x0b));

    module_builder_memory(builder, 1, 1);
    module_builder_export(builder, "say", GVM_EXTERN_FUNC, index);
    world_deploy_built(&world, "f", builder);
    world_deploy_guest(&world, "hello");
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
    struct runtime_options options = {.log_bytes_per_s = per_s};
    time_t begun = time(NULL);
    unsigned kept_count = 0;

    world_open(&world, &options);
    deploy_log();
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
    deploy_log();
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
    tcase_add_test(tests, the_output_of_a_command_has_a_limit_that_is_named);
    tcase_add_test(tests, a_function_logs_as_much_as_a_second_gives);
    tcase_add_test(tests,
                   what_one_call_cannot_keep_is_not_taken_from_the_others);
}

WORLD_MAIN("limits", add_tests)
