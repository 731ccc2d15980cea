/* Tests of state/change.c: what a write does to the expiry, and does not. */
#include "tests/state/one_shard.h"

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

int
main(void)
{
    const TTest *tests[] = {
        a_write_to_an_expired_key_makes_a_new_one,
        what_keeps_an_expiry_keeps_the_very_time,
        a_refused_write_leaves_no_trace_of_its_key,
        NULL,
    };

    return one_shard_run("change", tests);
}
