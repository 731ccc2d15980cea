/*
 * Tests of state/shard.c: what needs a clock of the test's own, or threads
 * that meet in one shard. The operations themselves are in the contract.
 */
#include "state/shard.h"
#include "tests/support/suite.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static _Atomic uint64_t time_ms;
static atomic_uint look_count;

static uint64_t
look_at_clock(void *data)
{
    (void)data;
    atomic_fetch_add(&look_count, 1);
    return atomic_load(&time_ms);
}

#define VALUE_MAX (1 << 20)

static const struct state__clock test_clock = {look_at_clock, NULL};
static struct state__shard shard;
static struct state__namespaces namespaces;
static struct state__namespace *namespace_;

static void
open_shard(void)
{
    atomic_store(&time_ms, 1000);
    ck_assert(state__namespaces_init(&namespaces, 1));
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "a", &namespace_),
                     STATE_OK);
    state__shard_init(&shard, &test_clock, 2);
}

static void
close_shard(void)
{
    state__shard_deinit(&shard);
    state__namespaces_deinit(&namespaces);
}

/* Carries out an operation on the one shard. */
static enum state_status
run(struct state_operation *operation)
{
    struct state__target target = {
        .namespace_ = namespace_,
        .key = operation->key,
        .hash = state__shard_hash(2, namespace_->index, operation->key),
    };

    state_operation_deinit(operation);
    if (operation->kind == STATE_GET || operation->kind == STATE_STAT)
        return state__shard_read(&shard, &target, operation);
    return state__shard_write(&shard, &target, operation, VALUE_MAX);
}

static enum state_status
put(const char *key, uint64_t ttl_ms)
{
    struct state_operation operation = {
        .kind = STATE_PUT,
        .key = {key, strlen(key)},
        .value = {"7", 1},
        .ttl_ms = ttl_ms,
    };

    return run(&operation);
}

static enum state_status
stat_key(const char *key)
{
    struct state_operation operation = {.kind = STATE_STAT,
                                        .key = {key, strlen(key)}};

    return run(&operation);
}

START_TEST(a_key_expires_in_the_very_millisecond)
{
    put("a", 10);
    ck_assert_int_eq(stat_key("a"), STATE_OK);
    atomic_store(&time_ms, 1009);
    ck_assert_int_eq(stat_key("a"), STATE_OK);
    atomic_store(&time_ms, 1010);
    ck_assert_uint_eq(shard.table.count, 1);
    ck_assert_int_eq(stat_key("a"), STATE_NOT_FOUND);
    /* Whoever comes across it takes it out. */
    ck_assert_uint_eq(shard.table.count, 0);
    ck_assert_ptr_null(shard.root);
    ck_assert_uint_eq(shard.expiry.count, 0);
}
END_TEST

START_TEST(nobody_looks_at_the_clock_while_nothing_expires)
{
    put("a", 0);
    put("b", 50);
    put("b", 0);
    atomic_store(&look_count, 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(stat_key("a"), STATE_OK);
        ck_assert_int_eq(put("a", 0), STATE_OK);
    }
    ck_assert_uint_eq(state__shard_sweep(&shard), UINT64_MAX);
    ck_assert_uint_eq(atomic_load(&look_count), 0);
}
END_TEST

START_TEST(a_write_to_an_expired_key_makes_a_new_one)
{
    static const enum state_kind kinds[] = {STATE_PUT, STATE_INCREMENT,
                                            STATE_APPEND};

    for (size_t i = 0; i < 3; i++) {
        struct state_operation operation = {
            .kind = kinds[i],
            .condition = STATE_IF_ABSENT,
            .key = {"a", 1},
            .value = {"1", 1},
            .delta = 1,
        };

        put("a", 5);
        atomic_fetch_add(&time_ms, 5);
        ck_assert_int_eq(run(&operation), STATE_OK);
        operation.kind = STATE_GET;
        ck_assert_int_eq(run(&operation), STATE_OK);
        ck_assert_uint_eq(operation.result.length_bytes, 1);
        ck_assert(memcmp(operation.result.bytes, "1", 1) == 0);
        /* And the old expiry is not the new key's. */
        atomic_fetch_add(&time_ms, 1000);
        ck_assert_int_eq(stat_key("a"), STATE_OK);
    }
}
END_TEST

START_TEST(what_keeps_an_expiry_keeps_the_very_time)
{
    struct state_operation keep = {.kind = STATE_PUT,
                                   .key = {"a", 1},
                                   .value = {"1", 1},
                                   .keep_expiry = true};
    struct state_operation increment = {
        .kind = STATE_INCREMENT, .key = {"a", 1}, .delta = 1};
    struct state_operation append = {
        .kind = STATE_APPEND, .key = {"a", 1}, .value = {"1", 1}};

    put("a", 100);
    atomic_store(&time_ms, 1060);
    ck_assert_int_eq(run(&keep), STATE_OK);
    ck_assert_int_eq(run(&increment), STATE_OK);
    ck_assert_int_eq(run(&append), STATE_OK);
    atomic_store(&time_ms, 1099);
    ck_assert_int_eq(stat_key("a"), STATE_OK);
    /* An expiry of its own replaces it. */
    increment.ttl_ms = 100;
    ck_assert_int_eq(run(&increment), STATE_OK);
    atomic_store(&time_ms, 1198);
    ck_assert_int_eq(stat_key("a"), STATE_OK);
    atomic_store(&time_ms, 1199);
    ck_assert_int_eq(stat_key("a"), STATE_NOT_FOUND);
}
END_TEST

START_TEST(a_sweep_removes_what_is_due_and_says_when_to_come_again)
{
    char key[16];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%u", i);
        put(key, 1 + i % 100);
    }
    put("stays", 0);
    ck_assert_uint_eq(state__shard_sweep(&shard), 1);
    atomic_store(&time_ms, 1000 + 40);
    ck_assert_uint_eq(state__shard_sweep(&shard), 1);
    ck_assert_uint_eq(shard.table.count, 601);
    atomic_store(&time_ms, 1000 + 1000);
    ck_assert_uint_eq(state__shard_sweep(&shard), UINT64_MAX);
    ck_assert_uint_eq(shard.table.count, 1);
    ck_assert_int_eq(stat_key("stays"), STATE_OK);
}
END_TEST

START_TEST(a_refused_write_leaves_no_trace_of_its_key)
{
    struct state_operation operation = {
        .kind = STATE_INCREMENT,
        .condition = STATE_IF_PRESENT,
        .key = {"a", 1},
    };

    ck_assert_int_eq(run(&operation), STATE_CONFLICT);
    operation.kind = STATE_APPEND;
    operation.condition = STATE_ALWAYS;
    operation.value = (struct state_bytes){"", VALUE_MAX + 1};
    ck_assert_int_eq(run(&operation), STATE_TOO_BIG);
    ck_assert_uint_eq(shard.table.count, 0);
    ck_assert_ptr_null(shard.root);
    ck_assert_uint_eq(atomic_load(&namespace_->version), 0);
}
END_TEST

/* ---- Appends that get in each other's way ---- */

#define THREADS 4
#define APPENDS 25
#define APPEND_BYTES 8000 /* beyond what is appended in place */

static void *
append_often(void *argument)
{
    struct state_operation operation = {.kind = STATE_APPEND,
                                        .key = {"a", 1}};
    char *bytes = malloc(APPEND_BYTES);

    memset(bytes, *(const char *)argument, APPEND_BYTES);
    operation.value = (struct state_bytes){bytes, APPEND_BYTES};
    for (int i = 0; i < APPENDS; i++)
        ck_assert_int_eq(run(&operation), STATE_OK);
    free(bytes);
    return NULL;
}

START_TEST(appends_prepared_at_the_same_time_lose_nothing)
{
    struct state_operation get = {.kind = STATE_GET, .key = {"a", 1}};
    pthread_t threads[THREADS];
    size_t counts[THREADS] = {0};
    const char *bytes;

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, append_often,
                                        (void *)&"abcd"[i]),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(run(&get), STATE_OK);
    ck_assert_uint_eq(get.size_bytes, THREADS * APPENDS * APPEND_BYTES);
    bytes = get.result.bytes;
    for (size_t i = 0; i < THREADS * APPENDS; i++) {
        const char *record = bytes + i * APPEND_BYTES;

        ck_assert(memcmp(record, record + 1, APPEND_BYTES - 1) == 0);
        counts[record[0] - 'a']++;
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_uint_eq(counts[i], APPENDS);
    state_operation_deinit(&get);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("shard");
    TCase *tcase = tcase_create("shard");

    tcase_add_checked_fixture(tcase, open_shard, close_shard);
    tcase_add_test(tcase, a_key_expires_in_the_very_millisecond);
    tcase_add_test(tcase, nobody_looks_at_the_clock_while_nothing_expires);
    tcase_add_test(tcase, a_write_to_an_expired_key_makes_a_new_one);
    tcase_add_test(tcase, what_keeps_an_expiry_keeps_the_very_time);
    tcase_add_test(tcase,
                   a_sweep_removes_what_is_due_and_says_when_to_come_again);
    tcase_add_test(tcase, a_refused_write_leaves_no_trace_of_its_key);
    tcase_add_test(tcase, appends_prepared_at_the_same_time_lose_nothing);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
