/*
 * Tests of state/shard.c: what needs a clock of the test's own. The
 * operations themselves are in the contract.
 */
#include "tests/state/one_shard.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

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

/* ---- Reads without the lock ---- */

#define ROUNDS 1500
#define PAIR_READERS 2

static atomic_bool is_written;

/* What a value of a key has in each byte: it tells its length and its key. */
static uint8_t
byte_of(char key, size_t length)
{
    return (uint8_t)(key == 'a' ? length : 255 - length);
}

static void
write_one(char key, size_t length, uint64_t ttl_ms)
{
    char bytes[256];
    struct state_operation operation = {
        .kind = length == 0 ? STATE_DELETE : STATE_PUT,
        .key = {&key, 1},
        .value = {bytes, length},
        .ttl_ms = ttl_ms,
    };

    memset(bytes, byte_of(key, length), sizeof bytes);
    one_shard_submit(&operation);
    state_operation_deinit(&operation);
}

/* Reads both keys until all is written; counts what was there. */
static void *
read_both(void *data)
{
    size_t *found = data;
    uint64_t versions[2] = {0};

    while (!atomic_load(&is_written))
        for (int i = 0; i < 2; i++) {
            char key = (char)('a' + i);
            struct state_operation get = {.kind = STATE_GET,
                                          .key = {&key, 1}};
            enum state_status status = one_shard_submit(&get);
            const uint8_t *bytes = get.result.bytes;

            if (status == STATE_OK) {
                ++*found;
                ck_assert_uint_ge(get.version, versions[i]);
                versions[i] = get.version;
                ck_assert_uint_eq(get.size_bytes, get.result.length_bytes);
                for (size_t j = 0; j < get.size_bytes; j++)
                    if (bytes[j] != byte_of(key, get.size_bytes))
                        ck_abort_msg("%c: byte %zu of %zu is %d", key, j,
                                     (size_t)get.size_bytes, bytes[j]);
            } else {
                ck_assert_int_eq(status, STATE_NOT_FOUND);
            }
            state_operation_deinit(&get);
        }
    return NULL;
}

START_TEST(who_reads_without_the_lock_sees_what_was_there_at_one_moment)
{
    pthread_t readers[PAIR_READERS];
    size_t found[PAIR_READERS] = {0};
    char other[16];

    atomic_store(&is_written, false);
    for (int i = 0; i < PAIR_READERS; i++)
        ck_assert_int_eq(
            pthread_create(&readers[i], NULL, read_both, &found[i]), 0);
    for (unsigned i = 0; i < ROUNDS; i++) {
        /* Short, long, with an expiry, gone; one in the other's place. */
        write_one('a', i % 13 == 0 ? 200 : i % 120 + 1, i % 7 == 0 ? 9 : 0);
        write_one('b', i * 7 % 128 + 1, 0);
        /* As often as can be, for readers to meet a half of it. */
        for (size_t length = 128; length > 96; length--)
            write_one('a', length, 0);
        if (i % 3 == 0)
            write_one(i % 2 ? 'a' : 'b', 0, 0);
        /* And the table grows and shrinks. */
        snprintf(other, sizeof other, "%u", i % 500);
        if (i / 500 % 2 == 0)
            one_shard_put(other, 0);
        else
            one_shard_submit(&(struct state_operation){
                .kind = STATE_DELETE, .key = {other, strlen(other)}});
    }
    atomic_store(&is_written, true);
    for (int i = 0; i < PAIR_READERS; i++) {
        pthread_join(readers[i], NULL);
        ck_assert_uint_gt(found[i], 0);
    }
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_key_expires_in_the_very_millisecond,
        nobody_looks_at_the_clock_while_nothing_expires,
        a_sweep_removes_what_is_due_and_says_when_to_come_again,
        who_reads_without_the_lock_sees_what_was_there_at_one_moment,
        NULL,
    };

    return one_shard_run("shard", tests);
}
