/*
 * What state.h promises, held against every backend: memory, LMDB, Redis with
 * functions, and Redis with a script, as older servers have it. Each test has
 * a namespace of its own and knows nothing of the backend.
 */
#include "tests/state/contract.h"

#include "tests/state/await.h"
#include "tests/state/disk.h"
#include "tests/state/redis_server.h"
#include "tests/support/suite.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct disk disk;
static struct redis_server server;
static const char *url;

const char *
contract_url(void)
{
    return url;
}

/* ---- Values and versions ---- */

START_TEST(an_absent_key_is_not_found_and_can_not_be_deleted)
{
    static const enum state_kind kinds[] = {STATE_GET, STATE_STAT,
                                            STATE_DELETE};
    struct state_store *store = open_store(url);
    struct state_operation other = {0};

    /* In a namespace that nobody has used, and in one that there is. */
    for (int used = 0; used < 2; used++) {
        for (size_t i = 0; i < 3; i++) {
            struct state_operation operation = {
                .kind = kinds[i],
                .namespace_ = "absent",
                .key = {"key", 3},
            };

            ck_assert_int_eq(await(store, &operation), STATE_NOT_FOUND);
            ck_assert_uint_eq(operation.version, 0);
            ck_assert_ptr_null(operation.result.bytes);
            state_operation_deinit(&operation);
        }
        ck_assert_int_eq(await_put(store, "absent", "other", "", &other),
                         STATE_OK);
    }
    state_operation_deinit(&other);
    state_store_close(store);
}
END_TEST

/* Sizes around those at which values are kept in another way. */
static const size_t sizes[] = {0,   1,   7,   8,   9,    23,    24,   127,
                               128, 129, 255, 256, 4096, 70000, 131071,
                               131072, 131073, 3 << 20};

START_TEST(a_value_comes_back_with_its_size_and_version)
{
    struct state_store *store = open_store(url);
    uint8_t *bytes = malloc(3 << 20);
    struct state_operation put = {
        .kind = STATE_PUT, .namespace_ = "values", .key = {"key", 3}};
    struct state_operation get = {
        .kind = STATE_GET, .namespace_ = "values", .key = {"key", 3}};
    size_t count = sizeof sizes / sizeof *sizes;

    for (size_t i = 0; i < 3 << 20; i++)
        bytes[i] = (uint8_t)(i * 7 + i / 256);
    /* Upwards and then downwards, so that each follows a larger one too. */
    for (size_t i = 0; i < 2 * count; i++) {
        size_t size = sizes[i < count ? i : 2 * count - 1 - i];

        put.value = (struct state_bytes){bytes, size};
        ck_assert_int_eq(await(store, &put), STATE_OK);
        ck_assert_uint_eq(put.size_bytes, size);
        get.kind = STATE_STAT;
        ck_assert_int_eq(await(store, &get), STATE_OK);
        ck_assert_uint_eq(get.size_bytes, size);
        ck_assert_uint_eq(get.version, put.version);
        get.kind = STATE_GET;
        ck_assert_int_eq(await(store, &get), STATE_OK);
        ck_assert_uint_eq(get.size_bytes, size);
        ck_assert_uint_eq(get.version, put.version);
        ck_assert_uint_eq(get.result.length_bytes, size);
        ck_assert_ptr_nonnull(get.result.bytes);
        ck_assert(memcmp(get.result.bytes, bytes, size) == 0);
    }
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    free(bytes);
    state_store_close(store);
}
END_TEST

START_TEST(a_result_stays_when_the_key_changes)
{
    struct state_store *store = open_store(url);
    struct state_operation get = {0}, put = {0};
    char old[1001], new[1001];

    memset(old, 'o', 1000);
    memset(new, 'n', 1000);
    old[1000] = new[1000] = '\0';
    await_put(store, "stays", "key", old, &put);
    ck_assert_int_eq(await_get(store, "stays", "key", &get), STATE_OK);
    await_put(store, "stays", "key", new, &put);
    put.kind = STATE_APPEND;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    put.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    ck_assert(result_is(&get, old));
    state_operation_deinit(&get);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

START_TEST(versions_grow_with_every_write_of_a_namespace)
{
    static const enum state_kind kinds[] = {
        STATE_PUT,       STATE_APPEND, STATE_DELETE, STATE_INCREMENT,
        STATE_INCREMENT, STATE_PUT,    STATE_DELETE, STATE_PUT,
    };
    struct state_store *store = open_store(url);
    struct state_operation operation = {.namespace_ = "versions", .delta = 1};
    uint64_t last = 0;

    for (size_t i = 0; i < 2 * sizeof kinds / sizeof *kinds; i++) {
        operation.kind = kinds[i / 2];
        operation.key = text(i % 2 ? "a" : "b");
        operation.value = text("1");
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        ck_assert_uint_gt(operation.version, last);
        last = operation.version;
    }
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_namespace_sees_nothing_of_another)
{
    struct state_store *store = open_store(url);
    struct state_operation a = {0}, b = {0};

    await_put(store, "apart-a", "key", "of a", &a);
    await_put(store, "apart-b", "key", "of b", &b);
    ck_assert_uint_eq(a.version, 1);
    ck_assert_uint_eq(b.version, 1);
    ck_assert_int_eq(await_get(store, "apart-a", "key", &a), STATE_OK);
    ck_assert(result_is(&a, "of a"));
    b.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &b), STATE_OK);
    ck_assert_int_eq(await_get(store, "apart-a", "key", &a), STATE_OK);
    state_operation_deinit(&a);
    state_operation_deinit(&b);
    state_store_close(store);
}
END_TEST

/* ---- Conditions ---- */

static const struct condition_case {
    enum state_kind kind;
    enum state_condition condition;
    int expected; /* the version expected: 0, 1: the key's, 2: another */
    bool is_present;
    enum state_status status;
} condition_cases[] = {
    {STATE_PUT, STATE_ALWAYS, 0, false, STATE_OK},
    {STATE_PUT, STATE_ALWAYS, 0, true, STATE_OK},
    {STATE_PUT, STATE_IF_ABSENT, 0, false, STATE_OK},
    {STATE_PUT, STATE_IF_ABSENT, 0, true, STATE_CONFLICT},
    {STATE_PUT, STATE_IF_PRESENT, 0, false, STATE_CONFLICT},
    {STATE_PUT, STATE_IF_PRESENT, 0, true, STATE_OK},
    {STATE_PUT, STATE_IF_VERSION, 0, false, STATE_OK},
    {STATE_PUT, STATE_IF_VERSION, 0, true, STATE_CONFLICT},
    {STATE_PUT, STATE_IF_VERSION, 1, true, STATE_OK},
    {STATE_PUT, STATE_IF_VERSION, 2, true, STATE_CONFLICT},
    {STATE_PUT, STATE_IF_VERSION, 2, false, STATE_CONFLICT},
    {STATE_COMPARE_AND_SWAP, STATE_ALWAYS, 0, false, STATE_OK},
    {STATE_COMPARE_AND_SWAP, STATE_ALWAYS, 0, true, STATE_CONFLICT},
    {STATE_COMPARE_AND_SWAP, STATE_ALWAYS, 1, true, STATE_OK},
    {STATE_COMPARE_AND_SWAP, STATE_IF_ABSENT, 1, true, STATE_OK},
    {STATE_COMPARE_AND_SWAP, STATE_ALWAYS, 2, true, STATE_CONFLICT},
    {STATE_DELETE, STATE_IF_ABSENT, 0, false, STATE_NOT_FOUND},
    {STATE_DELETE, STATE_IF_ABSENT, 0, true, STATE_CONFLICT},
    {STATE_DELETE, STATE_IF_PRESENT, 0, false, STATE_CONFLICT},
    {STATE_DELETE, STATE_IF_PRESENT, 0, true, STATE_OK},
    {STATE_DELETE, STATE_IF_VERSION, 0, false, STATE_NOT_FOUND},
    {STATE_DELETE, STATE_IF_VERSION, 1, true, STATE_OK},
    {STATE_DELETE, STATE_IF_VERSION, 2, true, STATE_CONFLICT},
    {STATE_DELETE, STATE_IF_VERSION, 2, false, STATE_CONFLICT},
    {STATE_INCREMENT, STATE_IF_ABSENT, 0, true, STATE_CONFLICT},
    {STATE_INCREMENT, STATE_IF_PRESENT, 0, false, STATE_CONFLICT},
    {STATE_INCREMENT, STATE_IF_VERSION, 1, true, STATE_OK},
    {STATE_APPEND, STATE_IF_ABSENT, 0, true, STATE_CONFLICT},
    {STATE_APPEND, STATE_IF_ABSENT, 0, false, STATE_OK},
    {STATE_APPEND, STATE_IF_VERSION, 2, true, STATE_CONFLICT},
};

START_TEST(a_condition_decides_and_a_conflict_changes_nothing)
{
    struct state_store *store = open_store(url);

    for (size_t i = 0; i < sizeof condition_cases / sizeof *condition_cases;
         i++) {
        const struct condition_case *row = &condition_cases[i];
        struct state_operation put = {0}, get = {0};
        struct state_operation operation = {
            .kind = row->kind,
            .condition = row->condition,
            .namespace_ = "conditions",
            .delta = 1,
        };
        char key[16];

        snprintf(key, sizeof key, "key %zu", i);
        if (row->is_present)
            await_put(store, "conditions", key, "70", &put);
        operation.key = text(key);
        operation.value = text("new");
        if (row->expected == 1)
            operation.version_expected = put.version;
        else if (row->expected == 2)
            operation.version_expected = put.version + 1000;
        ck_assert_msg(await(store, &operation) == row->status, "row %zu", i);
        if (row->status == STATE_CONFLICT) {
            ck_assert_uint_eq(operation.version, put.version);
            ck_assert_int_eq(await_get(store, "conditions", key, &get),
                             row->is_present ? STATE_OK : STATE_NOT_FOUND);
            ck_assert(!row->is_present || result_is(&get, "70"));
        }
        state_operation_deinit(&put);
        state_operation_deinit(&get);
        state_operation_deinit(&operation);
    }
    state_store_close(store);
}
END_TEST

/* ---- Numbers ---- */

static const struct increment_case {
    const char *old; /* null: absent */
    int64_t delta;
    enum state_status status;
    const char *new;
} increment_cases[] = {
    {NULL, 5, STATE_OK, "5"},
    {NULL, 0, STATE_OK, "0"},
    {NULL, INT64_MIN, STATE_OK, "-9223372036854775808"},
    {"0", -1, STATE_OK, "-1"},
    {"-1", 1, STATE_OK, "0"},
    {"99", 1, STATE_OK, "100"},
    {"-10", 1, STATE_OK, "-9"},
    {"9007199254740993", 2, STATE_OK, "9007199254740995"}, /* 53 bits */
    {"9223372036854775806", 1, STATE_OK, "9223372036854775807"},
    {"9223372036854775807", 1, STATE_OVERFLOW, NULL},
    {"9223372036854775807", -1, STATE_OK, "9223372036854775806"},
    {"-9223372036854775808", -1, STATE_OVERFLOW, NULL},
    {"-9223372036854775808", INT64_MAX, STATE_OK, "-1"},
    {"9223372036854775808", 0, STATE_NOT_A_NUMBER, NULL},
    {"-9223372036854775809", 1, STATE_NOT_A_NUMBER, NULL},
    {"99999999999999999999", 1, STATE_NOT_A_NUMBER, NULL},
    {"", 1, STATE_NOT_A_NUMBER, NULL},
    {"-", 1, STATE_NOT_A_NUMBER, NULL},
    {"-0", 1, STATE_NOT_A_NUMBER, NULL},
    {"+1", 1, STATE_NOT_A_NUMBER, NULL},
    {"01", 1, STATE_NOT_A_NUMBER, NULL},
    {" 1", 1, STATE_NOT_A_NUMBER, NULL},
    {"1 ", 1, STATE_NOT_A_NUMBER, NULL},
    {"1x", 1, STATE_NOT_A_NUMBER, NULL},
    {"1.5", 1, STATE_NOT_A_NUMBER, NULL},
    {"twelve", 1, STATE_NOT_A_NUMBER, NULL},
};

START_TEST(an_increment_adds_or_changes_nothing)
{
    struct state_store *store = open_store(url);

    for (size_t i = 0; i < sizeof increment_cases / sizeof *increment_cases;
         i++) {
        const struct increment_case *row = &increment_cases[i];
        struct state_operation operation = {0}, get = {0}, put = {0};
        const char *after = row->new ? row->new : row->old;
        char key[16];

        snprintf(key, sizeof key, "key %zu", i);
        if (row->old != NULL)
            await_put(store, "numbers", key, row->old, &put);
        ck_assert_msg(await_increment(store, "numbers", key, row->delta,
                                      &operation) == row->status,
                      "row %zu", i);
        ck_assert_int_eq(await_get(store, "numbers", key, &get), STATE_OK);
        ck_assert_msg(result_is(&get, after), "row %zu", i);
        if (row->status == STATE_OK) {
            ck_assert_int_eq(operation.number, strtoll(row->new, NULL, 10));
            ck_assert_uint_eq(get.version, operation.version);
            ck_assert_uint_eq(get.size_bytes, operation.size_bytes);
        } else {
            ck_assert_uint_eq(get.version, put.version);
        }
        state_operation_deinit(&operation);
        state_operation_deinit(&get);
        state_operation_deinit(&put);
    }
    state_store_close(store);
}
END_TEST

/* ---- Appending ---- */

START_TEST(appends_add_up_whatever_their_lengths)
{
    struct state_store *store = open_store(url);
    uint8_t *sum = malloc(1 << 20);
    struct state_operation operation = {
        .kind = STATE_APPEND, .namespace_ = "appends", .key = {"key", 3}};
    size_t length = 0, more = 0;

    for (unsigned i = 0; length + more < 1 << 20; i++) {
        memset(sum + length, (int)('a' + i % 26), more);
        operation.value = (struct state_bytes){sum + length, more};
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        length += more;
        ck_assert_uint_eq(operation.size_bytes, length);
        more = (more * 5 + 3) % 9973;
        if (i % 16 == 15)
            more += 70000; /* beyond what is copied under a lock */
    }
    operation.kind = STATE_GET;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_uint_eq(operation.result.length_bytes, length);
    ck_assert(memcmp(operation.result.bytes, sum, length) == 0);
    state_operation_deinit(&operation);
    free(sum);
    state_store_close(store);
}
END_TEST

/* ---- Limits ---- */

START_TEST(a_value_may_reach_the_limit_of_the_store_and_not_pass_it)
{
    struct state_options options = {.url = url, .value_bytes_max = 1000};
    struct state_store *store;
    char bytes[1001] = {0};
    struct state_operation operation = {
        .kind = STATE_PUT, .namespace_ = "sizes", .key = {"key", 3}};

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    operation.value = (struct state_bytes){bytes, 1001};
    ck_assert_int_eq(await(store, &operation), STATE_TOO_BIG);
    operation.value.length_bytes = 1000;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    operation.kind = STATE_APPEND;
    operation.value.length_bytes = 1;
    ck_assert_int_eq(await(store, &operation), STATE_TOO_BIG);
    operation.value.length_bytes = 0;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_uint_eq(operation.size_bytes, 1000);
    operation.key = text("other");
    operation.value.length_bytes = 1000;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    operation.value.length_bytes = 1;
    ck_assert_int_eq(await(store, &operation), STATE_TOO_BIG);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_key_may_be_as_long_as_the_limit_and_hold_any_byte)
{
    struct state_store *store = open_store(url);
    uint8_t key[STATE_KEY_BYTES_MAX + 1];
    struct state_operation operation = {
        .kind = STATE_PUT, .namespace_ = "keys", .value = {"v", 1}};

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)(i * 3);
    operation.key = (struct state_bytes){key, sizeof key};
    ck_assert_int_eq(await(store, &operation), STATE_TOO_BIG);
    for (size_t length = 1; length <= STATE_KEY_BYTES_MAX; length += 479) {
        operation.kind = STATE_PUT;
        operation.key.length_bytes = length;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        operation.kind = STATE_GET;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        ck_assert(result_is(&operation, "v"));
    }
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(the_backend_says_that_it_is_ready)
{
    struct state_store *store = open_store(url);
    struct state_health health;

    state_store_health(store, &health);
    ck_assert(health.up);
    ck_assert_str_eq(health.message, "ready");
    ck_assert_str_eq(health.backend, strstr(url, "unix:")   ? "redis"
                                     : strstr(url, "lmdb:") ? "lmdb"
                                                            : "memory");
    state_store_close(store);
}
END_TEST

/* ---- The backends ---- */

static void
use_memory(void)
{
    url = "memory";
}

static void
use_disk(void)
{
    disk_init(&disk);
    url = disk.url;
}

static void
end_disk(void)
{
    disk_deinit(&disk);
}

static void
use_redis(void)
{
    redis_server_init(&server);
    redis_server_start(&server, NULL);
    url = server.url;
}

static void
use_redis_without_functions(void)
{
    static const char *const arguments[] = {"--rename-command", "FUNCTION",
                                            "", NULL};

    redis_server_init(&server);
    redis_server_start(&server, arguments);
    url = server.url;
}

static void
end_redis(void)
{
    redis_server_deinit(&server);
}

static void
add_case(Suite *suite, const char *name, void (*setup)(void),
         void (*teardown)(void))
{
    TCase *tcase = tcase_create(name);

    tcase_add_unchecked_fixture(tcase, setup, teardown);
    tcase_add_test(tcase,
                   an_absent_key_is_not_found_and_can_not_be_deleted);
    tcase_add_test(tcase, a_value_comes_back_with_its_size_and_version);
    tcase_add_test(tcase, a_result_stays_when_the_key_changes);
    tcase_add_test(tcase, versions_grow_with_every_write_of_a_namespace);
    tcase_add_test(tcase, a_namespace_sees_nothing_of_another);
    tcase_add_test(tcase, a_condition_decides_and_a_conflict_changes_nothing);
    tcase_add_test(tcase, an_increment_adds_or_changes_nothing);
    tcase_add_test(tcase, appends_add_up_whatever_their_lengths);
    tcase_add_test(tcase,
                   a_value_may_reach_the_limit_of_the_store_and_not_pass_it);
    tcase_add_test(tcase, a_key_may_be_as_long_as_the_limit_and_hold_any_byte);
    tcase_add_test(tcase, the_backend_says_that_it_is_ready);
    contract_add_batches(tcase);
    contract_add_expiry(tcase);
    contract_add_lists(tcase);
    contract_add_ranges(tcase);
    contract_add_threads(tcase);
    suite_add_tcase(suite, tcase);
}

int
main(void)
{
    Suite *suite = suite_create("backend contract");

    add_case(suite, "memory", use_memory, NULL);
    add_case(suite, "lmdb", use_disk, end_disk);
    add_case(suite, "redis", use_redis, end_redis);
    add_case(suite, "redis without functions", use_redis_without_functions,
             end_redis);
    return suite_run(suite);
}
