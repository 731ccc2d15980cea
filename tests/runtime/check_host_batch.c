/*
 * check_host_batch.c - tests of runtime/host_batch.c, by guests/batch.c; on a
 * disk as well, where a batch is waited for.
 */
#include "runtime/config.h"
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state_store *store;
static char directory[64];

static void
open_state(bool on_disk, const char *configuration)
{
    char url[96];
    struct state_options state = {0};
    struct runtime_options options = {0};
    struct runtime_config *config;
    size_t length_bytes;

    directory[0] = '\0';
    if (on_disk) {
        strcpy(directory, "batch.XXXXXX");
        ck_assert_ptr_nonnull(mkdtemp(directory));
        snprintf(url, sizeof(url), "lmdb:%s", directory);
        state.url = url;
    }
    ck_assert_int_eq(state_store_open(&state, &store, NULL), STATE_OK);
    options.store = store;
    world_open(&world, &options);
    ck_assert_int_eq(runtime_config_parse(configuration, strlen(configuration),
                                          &config, NULL),
                     RUNTIME_OK);
    uint8_t *bytes = world_guest("batch", &length_bytes);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "batch",
        .module = bytes,
        .module_bytes = length_bytes,
        .config = config,
    };
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    free(bytes);
    free(config);
}

static void
close_state(void)
{
    char command[96];

    world_close(&world);
    state_store_close(store);
    if (!directory[0])
        return;
    snprintf(command, sizeof(command), "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

/* Each checks itself, on an empty state. */
static const char *const exports[] = {
    "each_kind_has_its_answer",
    "conditions_are_each_operations_own",
    "all_or_nothing_is_either",
    "an_operation_that_fails_leaves_the_others",
    "what_does_not_fit_is_told_by_the_length",
    "what_is_no_batch_is_invalid",
    "a_batch_has_a_length",
    "writes_carry_the_tokens_of_the_locks",
    "operations_and_bytes_cost_fuel",
};

#define EXPORT_COUNT ((int)(sizeof(exports) / sizeof(*exports)))

START_TEST(a_guest_finds_what_it_expects)
{
    open_state(_i >= EXPORT_COUNT, "{}");
    world_ask(&world, "batch", exports[_i % EXPORT_COUNT], "", RUNTIME_OK);
    close_state();
}
END_TEST

START_TEST(each_operation_needs_its_grant)
{
    struct runtime_statistics statistics;

    open_state(false, "{\"grants\": {\"state_write\": [\"mine/\"]}}");
    world_ask(&world, "batch", "what_is_denied", "", RUNTIME_OK);
    /* Two of one batch, and the first of the other. */
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.denied_count, 3);
    close_state();
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        2 * EXPORT_COUNT);
    tcase_add_test(tests, each_operation_needs_its_grant);
}

WORLD_MAIN("host_batch", add_tests)
