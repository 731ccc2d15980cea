/* Tests of state/quota.c: what a namespace may have, and what is counted. */
#include "tests/state/await.h"
#include "tests/state/suite.h"
#include "tests/state/test_clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static void
set_quota(struct state_store *store, struct state_quota quota)
{
    ck_assert_int_eq(state_store_set_quota(store, "a", &quota, NULL),
                     STATE_OK);
}

static struct state_stats
stats_of(struct state_store *store, const char *namespace_)
{
    struct state_stats stats;

    ck_assert_int_eq(state_store_stats(store, namespace_, &stats), STATE_OK);
    return stats;
}

static char bytes[1000];

/* Writes so many bytes; for all kinds of writes. */
static enum state_status
write_bytes(struct state_store *store, enum state_kind kind, const char *key,
            size_t length)
{
    struct state_operation operation = {
        .kind = kind,
        .namespace_ = "a",
        .key = text(key),
        .value = {bytes, length},
        .delta = 1,
    };
    enum state_status status = await(store, &operation);

    if (status == STATE_QUOTA)
        ck_assert_ptr_nonnull(strstr(operation.message, "at most"));
    state_operation_deinit(&operation);
    return status;
}

START_TEST(keys_are_refused_past_their_bound_and_not_before)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation put = {0};

    set_quota(store, (struct state_quota){.keys_max = 2});
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 1), STATE_OK);
    ck_assert_int_eq(write_bytes(store, STATE_INCREMENT, "2", 0), STATE_OK);
    ck_assert_int_eq(await_put(store, "a", "3", "", &put), STATE_QUOTA);
    ck_assert_str_eq(put.message, "the namespace has at most 2 keys");
    ck_assert_int_eq(write_bytes(store, STATE_INCREMENT, "3", 0),
                     STATE_QUOTA);
    ck_assert_int_eq(write_bytes(store, STATE_PUT_RANGE, "3", 0),
                     STATE_QUOTA);
    ck_assert_int_eq(write_bytes(store, STATE_APPEND, "3", 500), STATE_QUOTA);
    /* What is there may change, and what goes makes room. */
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 1000), STATE_OK);
    ck_assert_int_eq(await_put(store, "b", "3", "", &put), STATE_OK);
    ck_assert_int_eq(write_bytes(store, STATE_DELETE, "2", 0), STATE_OK);
    ck_assert_int_eq(await_put(store, "a", "3", "", &put), STATE_OK);
    ck_assert_uint_eq(stats_of(store, "a").key_count, 2);
    ck_assert_uint_eq(stats_of(store, "a").bytes, 1 + 1000 + 1);
    state_store_close(store);
}
END_TEST

/* With 100 bytes at most: "key", of 40 bytes, is there. */
static const struct bytes_case {
    enum state_kind kind;
    size_t length;
    const char *key;
    enum state_status status;
} bytes_cases[] = {
    {STATE_PUT, 97, "key", STATE_OK},
    {STATE_PUT, 98, "key", STATE_QUOTA},
    {STATE_PUT, 54, "other", STATE_QUOTA},
    {STATE_PUT, 52, "other", STATE_OK},
    {STATE_PUT, 53, "other", STATE_QUOTA},
    {STATE_APPEND, 57, "key", STATE_OK},
    {STATE_APPEND, 58, "key", STATE_QUOTA},
    {STATE_APPEND, 300, "key", STATE_QUOTA},
    {STATE_PUT_RANGE, 97, "key", STATE_OK},
    {STATE_PUT_RANGE, 98, "key", STATE_QUOTA},
    {STATE_PUT_RANGE, 300, "key", STATE_QUOTA},
    {STATE_COMPARE_AND_SWAP, 52, "other", STATE_OK},
    {STATE_COMPARE_AND_SWAP, 53, "other", STATE_QUOTA},
    /* Keys of 57 and of 56 bytes; the number has one. */
    {STATE_INCREMENT, 0,
     "123456789012345678901234567890123456789012345678901234567",
     STATE_QUOTA},
    {STATE_INCREMENT, 0,
     "12345678901234567890123456789012345678901234567890123456",
     STATE_OK},
};

START_TEST(bytes_are_those_of_keys_and_values_and_are_exact)
{
    for (size_t i = 0; i < sizeof bytes_cases / sizeof *bytes_cases; i++) {
        const struct bytes_case *row = &bytes_cases[i];
        struct state_store *store = open_with_test_clock(0);
        uint64_t before;

        set_quota(store, (struct state_quota){.bytes_max = 100});
        ck_assert_int_eq(write_bytes(store, STATE_PUT, "key", 40), STATE_OK);
        before = stats_of(store, "a").bytes;
        ck_assert_uint_eq(before, 43);
        ck_assert_msg(write_bytes(store, row->kind, row->key, row->length) ==
                          row->status,
                      "row %zu", i);
        if (row->status == STATE_QUOTA)
            ck_assert_uint_eq(stats_of(store, "a").bytes, before);
        else
            ck_assert_uint_eq(stats_of(store, "a").bytes, 100);
        state_store_close(store);
    }
}
END_TEST

START_TEST(who_has_too_much_may_still_make_it_less)
{
    struct state_store *store = open_with_test_clock(0);

    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 500), STATE_OK);
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "2", 500), STATE_OK);
    set_quota(store, (struct state_quota){.keys_max = 1, .bytes_max = 100});
    ck_assert_uint_eq(stats_of(store, "a").key_count, 2);
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 501), STATE_QUOTA);
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 500), STATE_OK);
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 400), STATE_OK);
    ck_assert_int_eq(write_bytes(store, STATE_DELETE, "2", 0), STATE_OK);
    set_quota(store, (struct state_quota){0});
    ck_assert_int_eq(write_bytes(store, STATE_PUT, "3", 1000), STATE_OK);
    state_store_close(store);
}
END_TEST

START_TEST(a_value_has_a_bound_of_its_own_whatever_the_policy)
{
    struct state_store *store = open_with_test_clock(0);

    for (int policy = 0; policy < 2; policy++) {
        set_quota(store, (struct state_quota){
                             .value_bytes_max = 200,
                             .policy = (enum state_policy)policy});
        ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 200), STATE_OK);
        ck_assert_int_eq(write_bytes(store, STATE_PUT, "1", 201),
                         STATE_QUOTA);
        ck_assert_int_eq(write_bytes(store, STATE_APPEND, "1", 1),
                         STATE_QUOTA);
        ck_assert_uint_eq(stats_of(store, "a").bytes, 201);
    }
    state_store_close(store);
}
END_TEST

START_TEST(operations_have_a_burst_of_a_second_and_then_their_rate)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation get = {0};

    await_put(store, "a", "key", "value", &get);
    set_quota(store, (struct state_quota){.operations_per_second = 10});
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_LIMIT);
    ck_assert_str_eq(get.message,
                     "the namespace has at most 10 operations per second");
    ck_assert_int_eq(await_put(store, "b", "key", "value", &get), STATE_OK);
    atomic_store(&test_now_ms, 1099);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_LIMIT);
    atomic_store(&test_now_ms, 1100);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_LIMIT);
    atomic_store(&test_now_ms, 1500);
    for (int i = 0; i < 4; i++)
        ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_LIMIT);
    atomic_store(&test_now_ms, 100000);
    for (int i = 0; i < 10; i++)
        ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_LIMIT);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(each_operation_of_a_batch_counts)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation operations[3];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 3,
                                    .all_or_nothing = true};

    set_quota(store, (struct state_quota){.operations_per_second = 5,
                                          .keys_max = 2});
    for (size_t i = 0; i < 3; i++)
        operations[i] = (struct state_operation){.kind = STATE_PUT,
                                                 .namespace_ = "a",
                                                 .key = {&"123"[i], 1}};
    ck_assert_int_eq(await(store, &batch), STATE_QUOTA);
    ck_assert_str_eq(operations[2].message,
                     "the namespace has at most 2 keys");
    ck_assert_uint_eq(stats_of(store, "a").key_count, 0);
    ck_assert_uint_eq(stats_of(store, "a").bytes, 0);
    ck_assert_int_eq(await(store, &batch), STATE_LIMIT);
    ck_assert_uint_eq(batch.failed_index, 2);
    state_store_close(store);
}
END_TEST

START_TEST(a_failed_batch_gives_back_what_it_was_charged)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation operations[] = {
        {.kind = STATE_PUT, .key = {"1", 1}, .value = {bytes, 700}},
        {.kind = STATE_APPEND, .key = {"2", 1}, .value = {bytes, 30}},
        {.kind = STATE_DELETE, .key = {"2", 1}},
        {.kind = STATE_PUT, .key = {"2", 1}, .value = {bytes, 90}},
        {.kind = STATE_PUT, .key = {"3", 1}, .value = {bytes, 5}},
        {.kind = STATE_DELETE, .key = {"1", 1}},
        {.kind = STATE_PUT, .key = {"1", 1}, .condition = STATE_IF_PRESENT},
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 7,
                                    .all_or_nothing = true};

    write_bytes(store, STATE_PUT, "1", 10);
    write_bytes(store, STATE_PUT, "2", 300);
    for (int i = 0; i < 7; i++)
        operations[i].namespace_ = "a";
    ck_assert_int_eq(await(store, &batch), STATE_CONFLICT);
    ck_assert_uint_eq(stats_of(store, "a").key_count, 2);
    ck_assert_uint_eq(stats_of(store, "a").bytes, 312);
    state_store_close(store);
}
END_TEST

START_TEST(what_expires_is_counted_out)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_operation put = {.ttl_ms = 10};

    await_put(store, "a", "goes", "value", &put);
    await_put(store, "a", "goes too", "value", &put);
    put.ttl_ms = 0;
    await_put(store, "a", "stays", "value", &put);
    ck_assert_uint_eq(stats_of(store, "a").bytes, 32);
    atomic_store(&test_now_ms, 1010);
    await_get(store, "a", "goes", &put);
    await_get(store, "a", "goes too", &put);
    while (stats_of(store, "a").key_count > 1)
        doze();
    ck_assert_uint_eq(stats_of(store, "a").bytes, 10);
    ck_assert_uint_eq(stats_of(store, "a").expired_count, 2);
    ck_assert_uint_eq(stats_of(store, "a").version, 3);
    state_store_close(store);
}
END_TEST

static const struct bad_case {
    const char *namespace_;
    struct state_quota quota;
    enum state_status status;
} bad_cases[] = {
    {"a", {.operations_per_second = STATE_RATE_MAX}, STATE_OK},
    {"a", {.operations_per_second = STATE_RATE_MAX + 1}, STATE_INVALID},
    {"a", {.policy = STATE_POLICY_LRU}, STATE_OK},
    {"a", {.policy = STATE_POLICY_LRU + 1}, STATE_INVALID},
    {"A", {0}, STATE_INVALID},
    {NULL, {0}, STATE_INVALID},
};

START_TEST(a_quota_that_makes_no_sense_is_refused)
{
    struct state_store *store = open_with_test_clock(0);
    struct state_stats stats;

    for (size_t i = 0; i < sizeof bad_cases / sizeof *bad_cases; i++) {
        struct state_error err = {""};

        ck_assert_int_eq(state_store_set_quota(store,
                                               bad_cases[i].namespace_,
                                               &bad_cases[i].quota, &err),
                         bad_cases[i].status);
        ck_assert((err.message[0] == '\0') ==
                  (bad_cases[i].status == STATE_OK));
    }
    ck_assert_int_eq(state_store_stats(store, "b", &stats), STATE_NOT_FOUND);
    ck_assert_int_eq(state_store_stats(store, "B", &stats), STATE_INVALID);
    ck_assert_int_eq(stats_of(store, "a").quota.policy, STATE_POLICY_LRU);
    state_store_close(store);
}
END_TEST

/* ---- Many writers ---- */

#define THREADS 4
#define KEYS_MAX 1000

static struct state_store *shared;
static atomic_uint thread_count;

static void *
fill(void *argument)
{
    unsigned number = atomic_fetch_add(&thread_count, 1);
    struct state_operation put = {0};
    char key[32];

    (void)argument;
    for (int i = 0; i < KEYS_MAX; i++) {
        enum state_status status;

        snprintf(key, sizeof key, "%u %d", number, i);
        status = await_put(shared, "a", key, "1", &put);
        ck_assert(status == STATE_OK || status == STATE_QUOTA);
        ck_assert_uint_le(stats_of(shared, "a").key_count,
                          KEYS_MAX + THREADS);
    }
    return NULL;
}

START_TEST(many_writers_do_not_pass_a_bound_together)
{
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "a", .limit_count = 1000};
    pthread_t threads[THREADS];

    shared = open_with_test_clock(0);
    set_quota(shared, (struct state_quota){.keys_max = KEYS_MAX});
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, fill, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(await(shared, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, KEYS_MAX);
    ck_assert(!list.more);
    ck_assert_uint_eq(stats_of(shared, "a").key_count, KEYS_MAX);
    state_operation_deinit(&list);
    state_store_close(shared);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        keys_are_refused_past_their_bound_and_not_before,
        bytes_are_those_of_keys_and_values_and_are_exact,
        who_has_too_much_may_still_make_it_less,
        a_value_has_a_bound_of_its_own_whatever_the_policy,
        operations_have_a_burst_of_a_second_and_then_their_rate,
        each_operation_of_a_batch_counts,
        a_failed_batch_gives_back_what_it_was_charged,
        what_expires_is_counted_out,
        a_quota_that_makes_no_sense_is_refused,
        many_writers_do_not_pass_a_bound_together,
        NULL,
    };

    return run_suite("quota", tests);
}
