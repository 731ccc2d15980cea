/* Tests of state/restore.c. */
#include "state/restore.h"
#include "tests/state/one_shard.h"

#include <stdlib.h>
#include <string.h>

static struct state__target
target_of(const char *key)
{
    struct state_bytes bytes = {key, strlen(key)};

    return (struct state__target){
        .namespace_ = one_shard_namespace,
        .key = bytes,
        .hash = state__shard_hash(2, one_shard_namespace->index, bytes),
    };
}

static enum state_status
restore(const char *key, uint64_t version, struct state_bytes value,
        uint64_t expires_in_ms)
{
    struct state__target target = target_of(key);
    struct state__restored restored = {version, value, expires_in_ms};

    return state__restore(&one_shard, &target, &restored);
}

START_TEST(a_key_gets_the_value_and_version_that_it_had)
{
    static const size_t lengths[] = {0, 100, 128, 129, 5000, 3};
    struct state_operation get = {.kind = STATE_GET, .key = {"a", 1}};
    char *bytes = malloc(5000);

    memset(bytes, 'v', 5000);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        ck_assert_int_eq(restore("a", 70 - i,
                                 (struct state_bytes){bytes, lengths[i]},
                                 UINT64_MAX),
                         STATE_OK);
        ck_assert_int_eq(one_shard_submit(&get), STATE_OK);
        ck_assert_uint_eq(get.version, 70 - i);
        ck_assert_uint_eq(get.result.length_bytes, lengths[i]);
        ck_assert(memcmp(get.result.bytes, bytes, lengths[i]) == 0);
    }
    /* No version was given out. */
    ck_assert_uint_eq(atomic_load(&one_shard_namespace->version), 0);
    ck_assert_uint_eq(one_shard.table.count, 1);
    state_operation_deinit(&get);
    free(bytes);
}
END_TEST

START_TEST(a_key_that_was_absent_is_absent)
{
    one_shard_put("a", 0);
    ck_assert_int_eq(
        restore("a", 0, (struct state_bytes){"", 0}, UINT64_MAX), STATE_OK);
    ck_assert_int_eq(one_shard_stat("a"), STATE_NOT_FOUND);
    ck_assert_uint_eq(one_shard.table.count, 0);
    ck_assert_int_eq(
        restore("a", 0, (struct state_bytes){"", 0}, UINT64_MAX), STATE_OK);
}
END_TEST

START_TEST(an_expiry_is_set_or_dropped)
{
    one_shard_put("a", 0);
    ck_assert_int_eq(restore("a", 1, (struct state_bytes){"1", 1}, 50),
                     STATE_OK);
    ck_assert_int_eq(restore("b", 2, (struct state_bytes){"1", 1}, 50),
                     STATE_OK);
    ck_assert_int_eq(
        restore("b", 2, (struct state_bytes){"1", 1}, UINT64_MAX), STATE_OK);
    atomic_fetch_add(&one_shard_time_ms, 49);
    ck_assert_int_eq(one_shard_stat("a"), STATE_OK);
    atomic_fetch_add(&one_shard_time_ms, 1);
    ck_assert_int_eq(one_shard_stat("a"), STATE_NOT_FOUND);
    ck_assert_int_eq(one_shard_stat("b"), STATE_OK);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_key_gets_the_value_and_version_that_it_had,
        a_key_that_was_absent_is_absent,
        an_expiry_is_set_or_dropped,
        NULL,
    };

    return one_shard_run("restore", tests);
}
