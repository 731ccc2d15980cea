/* Tests of state/watch.c, through a store in memory. */
#include "state/watch.h"

#include "tests/state/await.h"
#include "tests/state/suite.h"
#include "tests/state/test_clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state_store *store;

static enum state_status
watch(struct state_operation *operation, const char *prefix, uint64_t from,
      uint64_t timeout_ms)
{
    operation->kind = STATE_WATCH;
    operation->namespace_ = "w";
    operation->prefix = text(prefix);
    operation->watch_from = from;
    operation->timeout_ms = timeout_ms;
    return await(store, operation);
}

static uint64_t
put(const char *key)
{
    struct state_operation operation = {0};

    ck_assert_int_eq(await_put(store, "w", key, "value", &operation),
                     STATE_OK);
    return operation.version;
}

static void
expect_entry(const struct state_operation *operation, size_t i,
             const char *key, uint64_t version, enum state_change change)
{
    ck_assert_uint_lt(i, operation->entry_count);
    const struct state_entry *entry = &operation->entries[i];

    ck_assert_uint_eq(entry->key.length_bytes, strlen(key));
    ck_assert_mem_eq(entry->key.bytes, key, strlen(key));
    ck_assert_uint_eq(entry->version, version);
    ck_assert_int_eq(entry->change, change);
}

/* The version from which on the namespace is watched. */
static uint64_t
begin(void)
{
    struct state_operation operation = {0};

    store = open_store("memory");
    put("before");
    ck_assert_int_eq(watch(&operation, "", 0, 0), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 0);
    ck_assert_uint_eq(operation.version, 1);
    return operation.version;
}

START_TEST(changes_are_told_in_order_with_their_kinds)
{
    struct state_operation operation = {0}, other = {0};
    uint64_t from = begin();

    put("a1");
    put("b");
    await_increment(store, "w", "a2", 1, &other);
    other.kind = STATE_DELETE;
    other.key = text("a1");
    ck_assert_int_eq(state_store_submit(store, &other), STATE_OK);
    other.kind = STATE_EXPIRE;
    other.key = text("b");
    other.ttl_ms = 1000000;
    ck_assert_int_eq(state_store_submit(store, &other), STATE_OK);

    ck_assert_int_eq(watch(&operation, "", from, 1000), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 4);
    ck_assert_uint_eq(operation.version, from + 4);
    ck_assert(!operation.more);
    expect_entry(&operation, 0, "a1", from + 1, STATE_KEY_WRITTEN);
    ck_assert_uint_eq(operation.entries[0].size_bytes, 5);
    expect_entry(&operation, 1, "b", from + 2, STATE_KEY_WRITTEN);
    expect_entry(&operation, 3, "a1", from + 4, STATE_KEY_DELETED);

    ck_assert_int_eq(watch(&operation, "a", from, 1000), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 3);
    expect_entry(&operation, 1, "a2", from + 3, STATE_KEY_WRITTEN);
    operation.limit_count = 2;
    ck_assert_int_eq(watch(&operation, "a", from, 1000), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 2);
    ck_assert(operation.more);
    ck_assert_uint_eq(operation.version, from + 3);
    ck_assert_int_eq(watch(&operation, "a", operation.version, 0), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 1);
    ck_assert(!operation.more);
    /* Nothing of interest happened, yet it has moved on. */
    ck_assert_int_eq(watch(&operation, "none", from, 0), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 0);
    ck_assert_uint_eq(operation.version, from + 4);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(now_is_a_version_also_where_nothing_was_written)
{
    struct state_operation operation = {0};

    store = open_store("memory");
    ck_assert_int_eq(watch(&operation, "", 0, 0), STATE_OK);
    ck_assert_uint_gt(operation.version, 0);
    uint64_t from = operation.version;
    uint64_t version = put("first");
    ck_assert_int_eq(watch(&operation, "", from, 0), STATE_OK);
    expect_entry(&operation, 0, "first", version, STATE_KEY_WRITTEN);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

/* ---- Waiting ---- */

struct pending {
    struct state_operation operation;
    atomic_int status;
};

static void
remember(struct state_operation *operation)
{
    struct pending *pending = operation->data;

    atomic_store(&pending->status, operation->status);
}

static void
begin_waiting(struct pending *pending, const char *prefix, uint64_t from)
{
    atomic_init(&pending->status, STATE_PENDING);
    pending->operation = (struct state_operation){.kind = STATE_WATCH,
                                                  .namespace_ = "w",
                                                  .prefix = text(prefix),
                                                  .watch_from = from,
                                                  .timeout_ms = 600000,
                                                  .complete = remember,
                                                  .data = pending};
    ck_assert_int_eq(state_store_submit(store, &pending->operation),
                     STATE_PENDING);
}

static enum state_status
end_of(struct pending *pending)
{
    while (atomic_load(&pending->status) == STATE_PENDING)
        doze();
    return (enum state_status)atomic_load(&pending->status);
}

START_TEST(who_waits_is_told_of_what_is_of_interest)
{
    struct pending all, some;
    uint64_t from = begin();

    begin_waiting(&all, "", from);
    begin_waiting(&some, "some", 0);
    put("other");
    ck_assert_int_eq(end_of(&all), STATE_OK);
    expect_entry(&all.operation, 0, "other", from + 1, STATE_KEY_WRITTEN);
    ck_assert_int_eq(atomic_load(&some.status), STATE_PENDING);
    put("something");
    ck_assert_int_eq(end_of(&some), STATE_OK);
    ck_assert_uint_eq(some.operation.entry_count, 1);
    expect_entry(&some.operation, 0, "something", from + 2,
                 STATE_KEY_WRITTEN);
    state_operation_deinit(&all.operation);
    state_operation_deinit(&some.operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_wait_ends_in_time_by_cancelling_and_by_closing)
{
    struct state_operation operation = {0};
    struct pending cancelled, closed;
    uint64_t from = begin();

    ck_assert_int_eq(watch(&operation, "", from, 5), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 0);
    ck_assert_uint_eq(operation.version, from);
    operation.complete = NULL;
    ck_assert_int_eq(state_store_submit(store, &operation), STATE_INVALID);
    begin_waiting(&cancelled, "", from);
    begin_waiting(&closed, "", from);
    state_store_cancel(store, &cancelled.operation);
    ck_assert_int_eq(end_of(&cancelled), STATE_CLOSED);
    ck_assert_int_eq(atomic_load(&closed.status), STATE_PENDING);
    state_store_close(store);
    ck_assert_int_eq(end_of(&closed), STATE_CLOSED);
}
END_TEST

START_TEST(a_key_that_expires_is_told_of)
{
    struct state_operation operation = {0}, key = {0};

    store = open_with_test_clock(0);
    ck_assert_int_eq(watch(&operation, "", 0, 0), STATE_OK);
    uint64_t from = operation.version;
    key.ttl_ms = 10;
    await_put(store, "w", "k", "1", &key);
    atomic_store(&test_now_ms, 1010);
    /* Whoever comes across it. */
    ck_assert_int_eq(await_get(store, "w", "k", &key), STATE_NOT_FOUND);
    ck_assert_int_eq(watch(&operation, "", from, 0), STATE_OK);
    expect_entry(&operation, 0, "k", from + 1, STATE_KEY_WRITTEN);
    expect_entry(&operation, 1, "k", from + 2, STATE_KEY_VANISHED);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

/* ---- Falling behind ---- */

START_TEST(who_fell_behind_is_told_so)
{
    struct state_operation operation = {0};
    uint64_t from = begin();

    for (unsigned i = 0; i < STATE_WATCH_EVENTS_MAX; i++)
        put("key");
    operation.limit_count = 1000;
    ck_assert_int_eq(watch(&operation, "", from, 0), STATE_OK);
    ck_assert(operation.more);
    put("key");
    ck_assert_int_eq(watch(&operation, "", from, 0), STATE_COMPACTED);
    ck_assert_uint_eq(operation.version, from + STATE_WATCH_EVENTS_MAX + 1);
    ck_assert_int_eq(watch(&operation, "", from + 1, 0), STATE_OK);
    expect_entry(&operation, 0, "key", from + 2, STATE_KEY_WRITTEN);
    /* A version from another life of the store is none of this one. */
    ck_assert_int_eq(
        watch(&operation, "", from + STATE_WATCH_EVENTS_MAX + 2, 0),
        STATE_COMPACTED);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(what_was_before_the_first_watch_is_not_kept)
{
    struct state_operation operation = {0};

    begin();
    put("one");
    state_store_close(store);
    store = open_store("memory");
    put("one");
    put("two");
    ck_assert_int_eq(watch(&operation, "", 1, 0), STATE_COMPACTED);
    ck_assert_uint_eq(operation.version, 2);
    state_store_close(store);
}
END_TEST

/* ---- Limits ---- */

START_TEST(so_many_may_wait_and_no_more)
{
    static struct pending waiters[STATE_WATCHERS_MAX];
    struct state_operation operation = {0};
    uint64_t from = begin();

    for (int i = 0; i < STATE_WATCHERS_MAX; i++)
        begin_waiting(&waiters[i], "", from);
    ck_assert_int_eq(watch(&operation, "", from, 1000), STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "1024"));
    put("key");
    for (int i = 0; i < STATE_WATCHERS_MAX; i++) {
        ck_assert_int_eq(end_of(&waiters[i]), STATE_OK);
        state_operation_deinit(&waiters[i].operation);
    }
    ck_assert_int_eq(watch(&operation, "", from, 1000), STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(so_many_namespaces_are_watched_and_no_more)
{
    struct state_operation operation = {.kind = STATE_WATCH};
    char name[16];

    store = open_store("memory");
    operation.namespace_ = name;
    for (int i = 0; i <= STATE_WATCHED_NAMESPACES_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        ck_assert_int_eq(state_store_submit(store, &operation),
                         i < STATE_WATCHED_NAMESPACES_MAX ? STATE_OK
                                                          : STATE_LIMIT);
    }
    ck_assert_ptr_nonnull(strstr(operation.message, "256"));
    snprintf(name, sizeof name, "n0");
    ck_assert_int_eq(state_store_submit(store, &operation), STATE_OK);
    state_store_close(store);
}
END_TEST

/* ---- Threads ---- */

#define THREADS 4
#define WRITES 1500

static atomic_uint started;

static void *
write_many(void *argument)
{
    unsigned number = atomic_fetch_add(&started, 1);
    struct state_operation operation = {0};
    char key[16];

    (void)argument;
    for (int i = 0; i < WRITES; i++) {
        snprintf(key, sizeof key, "%u-%d", number, i % 50);
        await_increment(store, "w", key, 1, &operation);
    }
    state_operation_deinit(&operation);
    return NULL;
}

START_TEST(nobody_is_told_of_a_version_after_a_later_one_or_twice)
{
    struct state_operation operation = {.limit_count = 1000};
    uint64_t told, last = begin();
    pthread_t threads[THREADS];
    unsigned count = 0;

    told = last;
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, write_many, NULL), 0);
    while (count < THREADS * WRITES) {
        enum state_status status = watch(&operation, "", last, 600000);

        if (status == STATE_COMPACTED) {
            /* Told so: what is missing is not skipped in silence. */
            count += (unsigned)(operation.version - last);
            last = told = operation.version;
            continue;
        }
        ck_assert_int_eq(status, STATE_OK);
        for (size_t i = 0; i < operation.entry_count; i++)
            if (operation.entries[i].version != ++told)
                ck_abort_msg("%zu of %zu", i, operation.entry_count);
        count += (unsigned)operation.entry_count;
        last = operation.version;
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(last, 1 + THREADS * WRITES);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        changes_are_told_in_order_with_their_kinds,
        now_is_a_version_also_where_nothing_was_written,
        who_waits_is_told_of_what_is_of_interest,
        a_wait_ends_in_time_by_cancelling_and_by_closing,
        a_key_that_expires_is_told_of,
        who_fell_behind_is_told_so,
        what_was_before_the_first_watch_is_not_kept,
        so_many_may_wait_and_no_more,
        so_many_namespaces_are_watched_and_no_more,
        nobody_is_told_of_a_version_after_a_later_one_or_twice,
        NULL,
    };

    return run_suite("watch", tests);
}
