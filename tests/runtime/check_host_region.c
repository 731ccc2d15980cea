/* check_host_region.c - tests of runtime/host_region.c, by guests/region.c. */
#include "runtime/host_region.h"

#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static void
open_region(void)
{
    world_open(&world, NULL);
    world_deploy_guest(&world, "region");
}

static void
ask(const char *export_name, enum runtime_status expected)
{
    world_ask(&world, "region", export_name, "", expected);
}

/* Each checks itself. */
static const char *const exports[] = {
    "the_value_and_the_memory_are_the_same",
    "parts_are_mapped",
    "what_makes_no_sense_is_refused",
    "a_call_has_so_many_regions_and_no_more",
    "words_are_waited_for",
};

START_TEST(a_guest_finds_what_it_expects)
{
    ask(exports[_i], RUNTIME_OK);
}
END_TEST

static const struct {
    const char *name;
    enum runtime_status end;
} reading[] = {
    {"read_it", RUNTIME_OK},
    {"store_into_it", RUNTIME_TRAP},
    {"have_the_host_store_into_it", RUNTIME_TRAP},
    {"wasi_stores_nothing_into_it", RUNTIME_OK},
};

START_TEST(what_is_only_for_reading_is_not_written)
{
    ask(reading[_i].name, reading[_i].end);
}
END_TEST

START_TEST(without_guard_pages_nothing_is_only_for_reading)
{
    struct runtime_options options = {.bounds = RUNTIME_BOUNDS_EXPLICIT};

    close_world();
    world_open(&world, &options);
    world_deploy_guest(&world, "region");
    ask("read_it", RUNTIME_FAILED);
    ask("the_value_and_the_memory_are_the_same", RUNTIME_OK);
}
END_TEST

/* ---- Between calls ----------------------------------------------------- */

static uint64_t
version(void)
{
    struct state_operation stat = {.kind = STATE_STAT,
                                   .namespace_ = "default",
                                   .key = {"key", 3}};

    state_store_submit(world.store, &stat);
    return stat.version;
}

START_TEST(nothing_of_a_region_is_in_the_next_call)
{
    static const enum runtime_status ends[] = {RUNTIME_OK, RUNTIME_TRAP};
    static const char *const names[] = {"map_and_leave", "map_and_trap"};

    for (int times = 0; times < 4; times++) {
        uint64_t before = version();

        ask(names[times % 2], ends[times % 2]);
        /* Whoever hears of the end finds that it was a write. */
        ck_assert_uint_gt(version(), before);
        ask("find_nothing_of_it", RUNTIME_OK);
    }
}
END_TEST

/* Deploys the guest under another name, and with a configuration in JSON. */
static void
deploy(const char *name, const char *json)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest("region", &length_bytes);
    struct runtime_config *config;

    ck_assert_int_eq(runtime_config_parse(json, strlen(json), &config,
                                          &world.err),
                     RUNTIME_OK);
    struct runtime_deployment deployment = {
        "default", name, bytes, length_bytes, config, RUNTIME_ALWAYS, NULL};
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    free(config);
    free(bytes);
}

START_TEST(a_sandbox_that_is_kept_warm_keeps_no_region)
{
    deploy("warm", "{\"reuse\": \"warm\"}");
    for (int times = 0; times < 3; times++) {
        world_ask(&world, "warm", "map_and_leave", "", RUNTIME_OK);
        world_ask(&world, "warm", "find_nothing_of_it", "", RUNTIME_OK);
    }
}
END_TEST

START_TEST(a_function_maps_as_much_as_its_memory_may_be)
{
    deploy("small", "{\"memory_bytes\": 1048576}");
    world_ask(&world, "small", "map_too_much", "", RUNTIME_OK);
}
END_TEST

START_TEST(long_regions_are_made_and_forgotten_by_workers)
{
    for (int times = 0; times < 3; times++) {
        ask("map_much", RUNTIME_OK);
        ask("map_and_leave", RUNTIME_OK);
    }
}
END_TEST

START_TEST(a_function_maps_what_it_has_been_granted)
{
    ask("map_and_leave", RUNTIME_OK);
    deploy("granted", "{\"grants\": {\"state_read\": [\"key\"], "
                      "\"state_write\": []}}");
    world_ask(&world, "granted", "may_only_read", "", RUNTIME_OK);
}
END_TEST

/* ---- Waiting ----------------------------------------------------------- */

START_TEST(a_call_that_ends_while_it_waits_is_not_there_any_more)
{
    atomic_uint ended = 0;

    for (int times = 0; times < 2; times++) {
        struct runtime_call *call = world_call(&world, "region", "");

        runtime_call_set_export(call, "wait_for_ever", NULL, 0, NULL);
        if (times == 0)
            runtime_call_set_timeout_ms(call, 20);
        ck_assert_int_eq(runtime_call_start(call, count_end, &ended),
                         RUNTIME_PENDING);
        if (times == 1)
            runtime_call_cancel(call);
        wait_for(&ended, (unsigned)times + 1);
        ck_assert_int_eq(runtime_call_result(call)->status,
                         times == 0 ? RUNTIME_TIMEOUT : RUNTIME_CANCELLED);
        runtime_call_destroy(call);
        ask("find_nobody_waiting", RUNTIME_OK);
    }
}
END_TEST

#define CALLS 3
#define TURNS 100

START_TEST(calls_take_turns_by_a_word_that_they_share)
{
    struct runtime_call *calls[CALLS];
    atomic_uint ended = 0;
    unsigned pending = 0;
    uint32_t sum = 0;

    for (uint32_t i = 0; i < CALLS; i++) {
        uint32_t turns[] = {i, CALLS, TURNS};

        calls[i] = world_call(&world, "region", "");
        ck_assert_int_eq(runtime_call_input_append(calls[i], turns,
                                                   sizeof(turns), &world.err),
                         RUNTIME_OK);
    }
    for (int i = 0; i < CALLS; i++)
        pending += runtime_call_start(calls[i], count_end, &ended) ==
                   RUNTIME_PENDING;
    wait_for(&ended, pending);
    for (int i = 0; i < CALLS; i++) {
        const struct runtime_result *result = runtime_call_result(calls[i]);

        ck_assert_msg(result->status == RUNTIME_OK, "%s",
                      result->error.message);
        runtime_call_destroy(calls[i]);
    }
    struct state_operation get = {.kind = STATE_GET,
                                  .namespace_ = "default",
                                  .key = {"key", 3}};
    ck_assert_int_eq(state_store_submit(world.store, &get), STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes, sizeof(sum));
    memcpy(&sum, get.result.bytes, sizeof(sum));
    ck_assert_uint_eq(sum, CALLS * TURNS);
    state_operation_deinit(&get);
}
END_TEST

static void
add_tests(TCase *tests)
{
    int guards = gvm_guard_install() == GVM_OK;

    tcase_add_checked_fixture(tests, open_region, close_world);
    tcase_set_timeout(tests, 60);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_loop_test(tests, what_is_only_for_reading_is_not_written, 0,
                        guards ? sizeof(reading) / sizeof(reading[0]) : 0);
    tcase_add_test(tests, without_guard_pages_nothing_is_only_for_reading);
    tcase_add_test(tests, nothing_of_a_region_is_in_the_next_call);
    tcase_add_test(tests, a_sandbox_that_is_kept_warm_keeps_no_region);
    tcase_add_test(tests, a_function_maps_as_much_as_its_memory_may_be);
    tcase_add_test(tests, long_regions_are_made_and_forgotten_by_workers);
    tcase_add_loop_test(tests, a_function_maps_what_it_has_been_granted, 0,
                        guards);
    tcase_add_test(tests,
                   a_call_that_ends_while_it_waits_is_not_there_any_more);
    tcase_add_test(tests, calls_take_turns_by_a_word_that_they_share);
}

WORLD_MAIN("host_region", add_tests)
