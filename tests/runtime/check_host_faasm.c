/* check_host_faasm.c - tests of runtime/host_faasm.c, by guests/faasm.c. */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void
open_faasm(void)
{
    world_open(&world, NULL);
    world_deploy_guest(&world, "faasm");
}

static void
expect_answer(const char *input, const char *answer)
{
    struct runtime_call *call = world_call(&world, "faasm", input);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);

    ck_assert_uint_eq(result->output_bytes, strlen(answer));
    ck_assert_mem_eq(result->output, answer, result->output_bytes);
    runtime_call_destroy(call);
}

static size_t
length_of(const char *key)
{
    struct state_operation stat = {
        .kind = STATE_STAT,
        .namespace_ = "default",
        .key = {key, strlen(key)},
    };

    ck_assert_int_eq(state_store_submit(world.store, &stat), STATE_OK);
    return (size_t)stat.size_bytes;
}

START_TEST(a_function_for_faasm_runs_and_keeps_its_state)
{
    expect_answer("banana", "a 3");
    expect_answer("nnn", "n 5");
    expect_answer("", "n 5");
    ck_assert_uint_eq(length_of("histogram"), 4 * ('n' + 1));
    ck_assert_uint_eq(length_of("lengths"), 3 * 4);
}
END_TEST

static const char *const exports[] = {"values", "parts", "appended", "locks",
                                      "nothing_to_do"};

START_TEST(a_guest_finds_what_it_expects)
{
    for (int times = 0; times < 2; times++) {
        struct state_operation delete = {.kind = STATE_DELETE,
                                         .namespace_ = "default",
                                         .key = {"k", 1}};
        ck_assert_str_eq(
            world_ask(&world, "faasm", exports[_i], "", RUNTIME_OK), "0");
        state_store_submit(world.store, &delete);
        delete.key.bytes = "p";
        state_store_submit(world.store, &delete);
    }
}
END_TEST

START_TEST(the_input_comes_in_parts)
{
    struct runtime_call *call = world_call(&world, "faasm", "input");

    ck_assert_int_eq(runtime_call_set_export(call, "input_in_parts", NULL, 0,
                                             &world.err),
                     RUNTIME_OK);
    ck_assert_str_eq(world_start(call, RUNTIME_OK)->values[0].text, "0");
    runtime_call_destroy(call);
}
END_TEST

static const struct {
    const char *export_name;
    const char *message;
} traps[] = {
    {"an_absent_key", "__faasm_read_state: there is no such thing"},
    {"an_absent_part", "__faasm_read_state_offset: there is no such thing"},
    {"an_absent_list", "__faasm_read_appended_state: there is no such thing"},
    {"a_lock_that_nobody_took",
     "__faasm_unlock_state_write: the lock does not hold"},
    {"a_lock_twice", "__faasm_lock_state_read: the lock does not hold"},
    {"a_write_under_a_read_lock",
     "__faasm_write_state: the lock does not hold"},
    {"an_empty_key", "__faasm_write_state: an argument makes no sense"},
    {"a_long_key", "__faasm_write_state: it is too long"},
    {"a_part_past_the_total",
     "__faasm_write_state_offset: an argument makes no sense"},
    {"a_read_past_the_total",
     "__faasm_read_state_offset: an argument makes no sense"},
};

START_TEST(what_would_be_an_error_is_a_trap)
{
    world_ask(&world, "faasm", traps[_i].export_name, "", RUNTIME_TRAP);
    ck_assert_msg(strstr(world.err.message, traps[_i].message) != NULL, "%s",
                  world.err.message);
}
END_TEST

START_TEST(grants_hold_here_as_well)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest("faasm", &length_bytes);
    static const struct runtime_names none = {NULL, 0};
    const struct runtime_config config = {.grants.state_write = &none};
    struct runtime_deployment deployment = {
        "default", "faasm", bytes, length_bytes, &config, RUNTIME_ALWAYS,
        NULL};

    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    free(bytes);
    world_ask(&world, "faasm", "values", "", RUNTIME_TRAP);
    ck_assert_ptr_nonnull(strstr(world.err.message, "it is not granted"));
}
END_TEST

START_TEST(an_output_that_is_too_long_is_a_trap)
{
    struct runtime_options options = {.output_bytes_max = 2};

    world_close(&world);
    world_open(&world, &options);
    world_deploy_guest(&world, "faasm");
    struct runtime_call *call = world_call(&world, "faasm", "x");
    const struct runtime_result *result = world_start(call, RUNTIME_TRAP);
    ck_assert_ptr_nonnull(strstr(result->error.message,
                                 "__faasm_write_output: it is too long"));
    runtime_call_destroy(call);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_faasm, close_world);
    tcase_add_test(tests, a_function_for_faasm_runs_and_keeps_its_state);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_test(tests, the_input_comes_in_parts);
    tcase_add_loop_test(tests, what_would_be_an_error_is_a_trap, 0,
                        sizeof(traps) / sizeof(traps[0]));
    tcase_add_test(tests, grants_hold_here_as_well);
    tcase_add_test(tests, an_output_that_is_too_long_is_a_trap);
}

WORLD_MAIN("host_faasm", add_tests)
