/* Tests of state/store.c: options and the choice of a backend. */
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <string.h>

static char long_url[STATE_URL_SIZE + 1];

static const struct option_case {
    struct state_options options;
    enum state_status status;
} option_cases[] = {
    {{0}, STATE_OK},
    {{.url = "memory"}, STATE_OK},
    {{.url = ""}, STATE_INVALID},
    {{.url = "memory:"}, STATE_INVALID},
    {{.url = "Memory"}, STATE_INVALID},
    {{.url = "lmdb"}, STATE_INVALID},
    {{.url = "lmdb:"}, STATE_SYSTEM},
    {{.url = "redis:"}, STATE_INVALID},
    {{.url = "redis://"}, STATE_INVALID},
    {{.url = "unix:"}, STATE_INVALID},
    {{.url = long_url}, STATE_INVALID},
    {{.shard_count = 1}, STATE_OK},
    {{.shard_count = 3}, STATE_INVALID},
    {{.shard_count = STATE_SHARDS_MAX}, STATE_OK},
    {{.shard_count = 2 * STATE_SHARDS_MAX}, STATE_INVALID},
    {{.value_bytes_max = 1}, STATE_OK},
    {{.value_bytes_max = STATE_VALUE_BYTES_CEILING}, STATE_OK},
    {{.value_bytes_max = STATE_VALUE_BYTES_CEILING + 1}, STATE_INVALID},
    {{.timeout_ms = STATE_TIMEOUT_MS_MAX}, STATE_OK},
    {{.timeout_ms = STATE_TIMEOUT_MS_MAX + 1}, STATE_INVALID},
    {{.in_flight_max = STATE_IN_FLIGHT_MAX}, STATE_OK},
    {{.in_flight_max = STATE_IN_FLIGHT_MAX + 1}, STATE_INVALID},
    {{.in_flight_bytes_max = STATE_IN_FLIGHT_BYTES_MAX}, STATE_OK},
    {{.in_flight_bytes_max = STATE_IN_FLIGHT_BYTES_MAX + 1}, STATE_INVALID},
    {{.value_bytes_max = 9, .in_flight_bytes_max = STATE_KEY_BYTES_MAX + 9},
     STATE_OK},
    {{.value_bytes_max = 9, .in_flight_bytes_max = STATE_KEY_BYTES_MAX + 8},
     STATE_INVALID},
    {{.durability = STATE_DURABILITY_SYNC}, STATE_OK},
    {{.durability = STATE_DURABILITY_SYNC + 1}, STATE_INVALID},
    {{.disk_bytes_max = STATE_DISK_BYTES_MIN}, STATE_OK},
    {{.disk_bytes_max = STATE_DISK_BYTES_MIN - 1}, STATE_INVALID},
    {{.disk_bytes_max = STATE_DISK_BYTES_MAX}, STATE_OK},
    {{.disk_bytes_max = STATE_DISK_BYTES_MAX + 1}, STATE_INVALID},
};

START_TEST(options_are_held_against_their_limits)
{
    memset(long_url, 'x', STATE_URL_SIZE);
    memcpy(long_url, "unix:/", 6);
    for (size_t i = 0; i < sizeof option_cases / sizeof *option_cases; i++) {
        const struct option_case *row = &option_cases[i];
        struct state_store *store = NULL;
        struct state_error err = {""};

        ck_assert_msg(state_store_open(&row->options, &store, &err) ==
                          row->status,
                      "row %zu", i);
        ck_assert_int_eq(store != NULL, row->status == STATE_OK);
        ck_assert_int_eq(err.message[0] != '\0', row->status != STATE_OK);
        state_store_close(store);
        /* Nobody need want to know. */
        ck_assert_int_eq(state_store_open(&row->options, &store, NULL),
                         row->status);
        if (row->status == STATE_OK)
            state_store_close(store);
    }
}
END_TEST

START_TEST(the_longest_url_is_taken)
{
    struct state_options options = {.url = long_url, .timeout_ms = 1};
    struct state_store *store;
    struct state_health health;

    memset(long_url, 'x', STATE_URL_SIZE - 1);
    memcpy(long_url, "unix:/", 6);
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    state_store_health(store, &health);
    ck_assert(!health.up); /* no such path */
    state_store_close(store);
}
END_TEST

START_TEST(without_options_a_store_is_in_memory)
{
    struct state_store *store;
    struct state_operation operation = {0};
    struct state_health health;

    ck_assert_int_eq(state_store_open(NULL, &store, NULL), STATE_OK);
    state_store_health(store, &health);
    ck_assert_str_eq(health.backend, "memory");
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation), STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
    state_store_close(NULL);
}
END_TEST

START_TEST(a_record_serves_for_one_operation_after_another)
{
    struct state_store *store = open_store("memory");
    struct state_operation operation = {0};
    char large[5000];

    memset(large, 'x', sizeof large - 1);
    large[sizeof large - 1] = '\0';
    await_put(store, "a", "large", large, &operation);
    for (int i = 0; i < 3; i++) {
        ck_assert_int_eq(await_get(store, "a", "large", &operation),
                         STATE_OK);
        operation.kind = STATE_LIST;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        ck_assert_uint_eq(operation.entry_count, 1);
        ck_assert_ptr_null(operation.result.bytes);
        ck_assert_int_eq(await_get(store, "a", "absent", &operation),
                         STATE_NOT_FOUND);
        ck_assert_ptr_null(operation.entries);
        ck_assert_uint_eq(operation.version, 0);
        ck_assert_uint_eq(operation.size_bytes, 0);
    }
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_backend_without_locks_and_watches_says_so)
{
    static const enum state_kind kinds[] = {STATE_LOCK, STATE_UNLOCK,
                                            STATE_EXTEND, STATE_PUT};
    struct state_options options = {.url = "unix:/nowhere", .timeout_ms = 1};
    struct state_store *store;

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        struct state_operation operation = {
            .kind = kinds[i],
            .namespace_ = "a",
            .key = {"k", 1},
            .lock_token = kinds[i] != STATE_LOCK,
        };

        ck_assert_int_eq(await(store, &operation), STATE_UNSUPPORTED);
        ck_assert_str_eq(operation.message, "redis has no locks");
    }
    struct state_operation watch = {.kind = STATE_WATCH, .namespace_ = "a"};
    ck_assert_int_eq(await(store, &watch), STATE_UNSUPPORTED);
    ck_assert_str_eq(watch.message, "redis cannot be watched");
    state_store_close(store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        options_are_held_against_their_limits,
        the_longest_url_is_taken,
        without_options_a_store_is_in_memory,
        a_record_serves_for_one_operation_after_another,
        a_backend_without_locks_and_watches_says_so,
        NULL,
    };

    return run_suite("store", tests);
}
