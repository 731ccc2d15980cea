/*
 * Tests of state/shard.c: what needs a clock of the test's own. The
 * operations themselves are in the contract.
 */
#include "tests/state/one_shard.h"

#include <stdio.h>

START_TEST(a_key_expires_in_the_very_millisecond)
{
    one_shard_put("a", 10);
    ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
    atomic_store(&one_shard_time_ms, 1009);
    ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
    atomic_store(&one_shard_time_ms, 1010);
    ck_assert_uint_eq(one_shard.table.count, 1);
    ck_assert_int_eq(one_shard_stat("a"), STATE_NOT_FOUND);
    /* Whoever comes across it takes it out. */
    ck_assert_uint_eq(one_shard.table.count, 0);
    ck_assert_ptr_null(one_shard.root);
    ck_assert_uint_eq(one_shard.expiry.count, 0);
}
END_TEST

START_TEST(nobody_looks_at_the_clock_while_nothing_expires)
{
    one_shard_put("a", 0);
    one_shard_put("b", 50);
    one_shard_put("b", 0);
    atomic_store(&one_shard_look_count, 0);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
        ck_assert_int_eq(one_shard_put("a", 0), STATE_OK);
    }
    ck_assert_uint_eq(state__shard_sweep(&one_shard), UINT64_MAX);
    ck_assert_uint_eq(atomic_load(&one_shard_look_count), 0);
}
END_TEST

START_TEST(a_sweep_removes_what_is_due_and_says_when_to_come_again)
{
    char key[16];

    for (unsigned i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%u", i);
        one_shard_put(key, 1 + i % 100);
    }
    one_shard_put("stays", 0);
    ck_assert_uint_eq(state__shard_sweep(&one_shard), 1);
    atomic_store(&one_shard_time_ms, 1000 + 40);
    ck_assert_uint_eq(state__shard_sweep(&one_shard), 1);
    ck_assert_uint_eq(one_shard.table.count, 601);
    atomic_store(&one_shard_time_ms, 1000 + 1000);
    ck_assert_uint_eq(state__shard_sweep(&one_shard), UINT64_MAX);
    ck_assert_uint_eq(one_shard.table.count, 1);
    ck_assert_int_eq(one_shard_stat("stays"), STATE_OK);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_key_expires_in_the_very_millisecond,
        nobody_looks_at_the_clock_while_nothing_expires,
        a_sweep_removes_what_is_due_and_says_when_to_come_again,
        NULL,
    };

    return one_shard_run("shard", tests);
}
