/* Tests of state/change.c: increments, and what a write does to the expiry. */
#include "tests/state/one_shard.h"

#include "state/operation.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

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

        one_shard_put("a", 5);
        atomic_fetch_add(&one_shard_time_ms, 5);
        ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
        operation.kind = STATE_GET;
        ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
        ck_assert_uint_eq(operation.result.length_bytes, 1);
        ck_assert(memcmp(operation.result.bytes, "1", 1) == 0);
        /* And the old expiry is not the new key's. */
        atomic_fetch_add(&one_shard_time_ms, 1000);
        ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
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

    one_shard_put("a", 100);
    atomic_store(&one_shard_time_ms, 1060);
    ck_assert_int_eq(one_shard_submit(&keep), STATE_OK);
    ck_assert_int_eq(one_shard_submit(&increment), STATE_OK);
    ck_assert_int_eq(one_shard_submit(&append), STATE_OK);
    atomic_store(&one_shard_time_ms, 1099);
    ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
    /* An expiry of its own replaces it. */
    increment.ttl_ms = 100;
    ck_assert_int_eq(one_shard_submit(&increment), STATE_OK);
    atomic_store(&one_shard_time_ms, 1198);
    ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
    atomic_store(&one_shard_time_ms, 1199);
    ck_assert_int_eq(one_shard_stat("a"), STATE_NOT_FOUND);
}
END_TEST

START_TEST(a_refused_write_leaves_no_trace_of_its_key)
{
    struct state_operation operation = {
        .kind = STATE_INCREMENT,
        .condition = STATE_IF_PRESENT,
        .key = {"a", 1},
    };

    ck_assert_int_eq(one_shard_submit(&operation), STATE_CONFLICT);
    operation.kind = STATE_APPEND;
    operation.condition = STATE_ALWAYS;
    operation.value = (struct state_bytes){"", ONE_SHARD_VALUE_MAX + 1};
    ck_assert_int_eq(one_shard_submit(&operation), STATE_TOO_BIG);
    ck_assert_uint_eq(one_shard.table.count, 0);
    ck_assert_ptr_null(one_shard.root);
    ck_assert_uint_eq(atomic_load(&one_shard_namespace->version), 0);
}
END_TEST

START_TEST(the_journal_hears_of_every_kind_of_write_that_succeeds)
{
    static struct state__journal journal;
    size_t count = 0;

    state__journal_init(&journal, 1000, 1u << 20);
    one_shard.journal = &journal;
    atomic_store(&one_shard_namespace->durability, STATE_DURABILITY_BEHIND);
    for (int kind = 0; kind < STATE__KIND_COUNT; kind++) {
        struct state_operation operation = {
            .kind = (enum state_kind)kind,
            .key = {"a", 1},
            .value = {"1", 1},
            .ttl_ms = 1000,
        };

        if (!state__operation_is_write(operation.kind))
            continue;
        /* A failure is not heard of, the same write on a key that is is. */
        operation.condition = STATE_IF_VERSION;
        operation.version_expected = 12345;
        ck_assert_int_eq(one_shard_submit(&operation), STATE_CONFLICT);
        ck_assert_uint_eq(atomic_load(&journal.entry_count), count);
        ck_assert_int_eq(one_shard_put("a", 0), STATE_OK);
        operation.version_expected = journal.queue.last->version;
        if (kind == STATE_PERSIST || kind == STATE_DELETE)
            operation.ttl_ms = 0;
        ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
        ck_assert_uint_eq(atomic_load(&journal.entry_count), count += 2);
        ck_assert_uint_eq(journal.queue.last->version, operation.version);
        ck_assert(journal.queue.last->is_removal == (kind == STATE_DELETE));
        ck_assert_int_eq(journal.queue.last->expires_ms > 0,
                         operation.ttl_ms > 0);
        state_operation_deinit(&operation);
    }
    /* And of a key that goes by itself. */
    ck_assert_int_eq(one_shard_put("a", 10), STATE_OK);
    atomic_fetch_add(&one_shard_time_ms, 10);
    ck_assert_int_eq(one_shard_stat("a"), STATE_NOT_FOUND);
    ck_assert_uint_eq(atomic_load(&journal.entry_count), count + 2);
    ck_assert(journal.queue.last->is_removal);
    one_shard.journal = NULL;
    state__journal_deinit(&journal);
}
END_TEST

START_TEST(an_increment_is_right_at_every_carry)
{
    static const int64_t starts[] = {0,      8,        9,         10,
                                     95,     99,       100,       99999995,
                                     99999999, 100000000, -5,     -100,
                                     INT64_MAX - 20, INT64_MIN + 20};

    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        for (int64_t delta = -12; delta <= 12; delta++) {
            char digits[32], expected[32];
            struct state_operation operation = {.kind = STATE_PUT,
                                                .key = {"n", 1}};
            uint64_t version;

            snprintf(digits, sizeof digits, "%" PRId64, starts[i]);
            snprintf(expected, sizeof expected, "%" PRId64,
                     starts[i] + delta);
            operation.value = (struct state_bytes){digits, strlen(digits)};
            ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
            version = operation.version;
            operation.kind = STATE_INCREMENT;
            operation.delta = delta;
            ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
            ck_assert_int_eq(operation.number, starts[i] + delta);
            ck_assert_uint_eq(operation.size_bytes, strlen(expected));
            ck_assert_uint_eq(operation.version, version + 1);
            operation.kind = STATE_GET;
            ck_assert_int_eq(one_shard_submit(&operation), STATE_OK);
            ck_assert_uint_eq(operation.version, version + 1);
            ck_assert_uint_eq(operation.result.length_bytes,
                              strlen(expected));
            ck_assert(memcmp(operation.result.bytes, expected,
                             strlen(expected)) == 0);
            state_operation_deinit(&operation);
        }
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_write_to_an_expired_key_makes_a_new_one,
        what_keeps_an_expiry_keeps_the_very_time,
        a_refused_write_leaves_no_trace_of_its_key,
        the_journal_hears_of_every_kind_of_write_that_succeeds,
        an_increment_is_right_at_every_carry,
        NULL,
    };

    return one_shard_run("change", tests);
}
