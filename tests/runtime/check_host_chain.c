/* check_host_chain.c - tests of runtime/host_chain.c, by guests/chain.c. */
#include "runtime/calls.h"
#include "tests/runtime/chain_world.h"

#include <check.h>
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

/* Each checks itself. */
static const char *const exports[] = {
    "a_result_is_read_by_its_handle",
    "a_handle_that_was_given_up_is_none",
    "what_is_no_handle_is_invalid",
    "what_makes_no_sense_is_invalid",
    "what_is_not_granted_is_denied",
    "an_end_says_how_it_was",
    "a_child_has_its_own_deadline",
    "a_wait_has_an_end_of_its_own",
    "the_first_in_the_list_that_has_ended_is_told",
    "a_call_has_so_many_handles_and_no_more",
    "inputs_are_so_long_and_no_longer",
    "results_are_so_long_and_no_longer",
};

START_TEST(a_guest_finds_what_it_expects)
{
    world_ask(&world, "chain", exports[_i], "", RUNTIME_OK);
}
END_TEST

START_TEST(what_is_refused_is_logged_and_denials_are_counted)
{
    struct runtime_statistics statistics;
    struct runtime_call *call = world_call(&world, "chain", "");

    runtime_call_set_export(call, "what_is_not_granted_is_denied", NULL, 0,
                            NULL);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    char *log = strndup(result->log, result->log_bytes);
    ck_assert_str_eq(log, "warning: denied: to call 'other'\n"
                          "warning: denied: to call 'chai'\n");
    free(log);
    runtime_call_destroy(call);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.denied_count, 2);

    call = world_call(&world, "chain", "");
    runtime_call_set_export(call, "what_makes_no_sense_is_invalid", NULL, 0,
                            NULL);
    result = world_start(call, RUNTIME_OK);
    log = strndup(result->log, result->log_bytes);
    ck_assert_ptr_nonnull(
        strstr(log, "warning: 'plain' not called: the function has plain"));
    free(log);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(children_have_no_more_time_than_their_parent)
{
    struct runtime_call *call = world_call(&world, "chain", "");

    runtime_call_set_export(call, "a_child_has_no_more_time_than_its_parent",
                            NULL, 0, NULL);
    runtime_call_set_timeout_ms(call, 60000);
    world_start(call, RUNTIME_OK);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_input_has_the_limit_of_every_call)
{
    struct world small;

    chain_world_open(&small,
                     &(struct runtime_options){.input_bytes_max = 1024});
    world_ask(&small, "chain", "an_input_can_be_too_big", "", RUNTIME_OK);
    world_close(&small);
}
END_TEST

/* glass_init calls, and expects to be denied. */
START_TEST(who_is_initialised_calls_nobody)
{
    struct module_builder *builder = module_builder_create();
    uint32_t call = module_builder_import_func(builder, "glass", "call",
                                               "iiiil:i");
    uint32_t init = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 5, 0x41, 0, 0x41, 0, 0x42, 0, 0x10,
              (uint8_t)call, 0x41, 4, 0x6a, 0x0b)); /* + 4 is 0 */
    uint32_t handle = module_builder_func(
        builder, ":i", "",
        BYTES(0x41, 0, 0x41, 5, 0x41, 0, 0x41, 0, 0x42, 0, 0x10,
              (uint8_t)call, 0x41, 0, 0x4c, 0x0b)); /* <= 0 */

    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, init);
    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, handle);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "chain", 5);
    chain_world_deploy_built(&world, "early", builder, 0, 0);
    struct runtime_call *called = world_call(&world, "early", "");
    world_start(called, RUNTIME_OK);
    runtime_call_destroy(called);
}
END_TEST

/* 16,384 handles of one place, 2^32 bytes of them, and what wraps. */
START_TEST(a_list_of_handles_is_inside_the_memory)
{
    static const struct {
        uint32_t handles, count;
        bool inside;
    } lists[] = {
        {0, 16384, true},           {0, 16385, false},
        {65532, 1, true},           {65533, 1, false},
        {65536, 0, true},           {65537, 0, false},
        {0, 0x40000000, false},     {0, 0x40000001, false},
        {0, 0x80000001, false},     {0, UINT32_MAX, false},
        {UINT32_MAX, 1, false},     {UINT32_MAX, UINT32_MAX, false},
    };
    struct module_builder *builder = module_builder_create();
    uint32_t await_any = module_builder_import_func(builder, "glass",
                                                    "await_any", "iil:i");
    uint32_t pass = module_builder_func(
        builder, "ii:i", "",
        BYTES(0x20, 0, 0x20, 1, 0x42, 0, 0x10, (uint8_t)await_any, 0x0b));

    module_builder_export(builder, "pass", GVM_EXTERN_FUNC, pass);
    module_builder_memory(builder, 1, 1);
    world_deploy_built(&world, "passing", builder);
    for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
        char arguments[32];
        snprintf(arguments, sizeof(arguments), "%u %u", lists[i].handles,
                 lists[i].count);
        const char *answer =
            world_ask(&world, "passing", "pass", arguments,
                      lists[i].inside ? RUNTIME_OK : RUNTIME_TRAP);
        if (lists[i].inside)
            ck_assert_str_eq(answer, lists[i].count > 1024 ? "-5" : "-3");
    }
}
END_TEST

/* ---- Faasm -------------------------------------------------------------- */

static const struct {
    const char *input, *answer, *message;
} faasm_calls[] = {
    {"", "", NULL},
    {"ehello e e12 f x", "00 hell;00 ;00 12;11 as t;22 unre;", NULL},
    {"nobody", NULL, "__faasm_chain_name: it is not granted"},
    {"nothing", NULL, "__faasm_await_call: an argument makes no sense"},
};

START_TEST(functions_for_faasm_call_as_well)
{
    chain_world_deploy(&world, "faasm", "faasm_chain");
    struct runtime_call *call =
        world_call(&world, "faasm", faasm_calls[_i].input);
    const char *answer = faasm_calls[_i].answer;
    const struct runtime_result *result =
        world_start(call, answer ? RUNTIME_OK : RUNTIME_TRAP);

    if (answer) {
        ck_assert_uint_eq(result->output_bytes, strlen(answer));
        ck_assert_mem_eq(result->output, answer, strlen(answer));
    } else {
        ck_assert_ptr_nonnull(
            strstr(result->error.message, faasm_calls[_i].message));
    }
    runtime_call_destroy(call);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_set_timeout(tests, 600);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        (int)(sizeof(exports) / sizeof(*exports)));
    tcase_add_test(tests, what_is_refused_is_logged_and_denials_are_counted);
    tcase_add_test(tests, children_have_no_more_time_than_their_parent);
    tcase_add_test(tests, an_input_has_the_limit_of_every_call);
    tcase_add_test(tests, who_is_initialised_calls_nobody);
    tcase_add_test(tests, a_list_of_handles_is_inside_the_memory);
    tcase_add_loop_test(tests, functions_for_faasm_call_as_well, 0,
                        sizeof(faasm_calls) / sizeof(faasm_calls[0]));
}

WORLD_MAIN("host_chain", add_tests)
