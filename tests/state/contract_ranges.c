/*
 * The contract of what touches a part of a value or its expiry alone: see
 * check_backend_contract.c.
 */
#include "tests/state/contract.h"

#include "tests/state/await.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Reading parts ---- */

/* The value is "0123456789", or so many times that. */
static const struct get_case {
    unsigned times;
    uint64_t offset;
    uint64_t length;
    const char *part; /* null: too long to write down */
    size_t part_length;
} get_cases[] = {
    {1, 0, 10, "0123456789", 10},
    {1, 0, 0, "", 0},
    {1, 0, 3, "012", 3},
    {1, 7, 3, "789", 3},
    {1, 7, 4, "789", 3},
    {1, 9, 1, "9", 1},
    {1, 10, 1, "", 0},
    {1, 11, 1, "", 0},
    {1, 3, UINT64_MAX, "3456789", 7},
    {1, UINT64_MAX, 1, "", 0},
    {1, UINT64_MAX, UINT64_MAX, "", 0},
    {0, 0, 1, "", 0},
    {100, 995, 10, "56789", 5},
    {100, 0, 128, NULL, 128},
    {100, 3, 129, NULL, 129},
    {100, 871, 500, NULL, 129},
    {20000, 100001, 70000, NULL, 70000},
    {20000, 199999, UINT64_MAX, "9", 1},
};

START_TEST(a_range_is_the_part_of_the_value_that_it_covers)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {
        .kind = STATE_PUT, .namespace_ = "parts", .key = {"key", 3}};
    char *bytes = malloc(200000);

    for (size_t i = 0; i < 200000; i++)
        bytes[i] = (char)('0' + i % 10);
    for (size_t i = 0; i < sizeof get_cases / sizeof *get_cases; i++) {
        const struct get_case *row = &get_cases[i];
        struct state_operation get = {
            .kind = STATE_GET_RANGE,
            .namespace_ = "parts",
            .key = {"key", 3},
            .range_offset_bytes = row->offset,
            .range_length_bytes = row->length,
        };

        put.value = (struct state_bytes){bytes, (size_t)row->times * 10};
        ck_assert_int_eq(await(store, &put), STATE_OK);
        ck_assert_int_eq(await(store, &get), STATE_OK);
        ck_assert_uint_eq(get.version, put.version);
        ck_assert_uint_eq(get.size_bytes, (size_t)row->times * 10);
        ck_assert_ptr_nonnull(get.result.bytes);
        ck_assert_msg(get.result.length_bytes == row->part_length, "row %zu",
                      i);
        ck_assert(memcmp(get.result.bytes,
                         row->part ? row->part : bytes + row->offset,
                         row->part_length) == 0);
        state_operation_deinit(&get);
    }
    put.kind = STATE_GET_RANGE;
    put.key = text("absent");
    ck_assert_int_eq(await(store, &put), STATE_NOT_FOUND);
    state_operation_deinit(&put);
    free(bytes);
    state_store_close(store);
}
END_TEST

/* ---- Writing parts ---- */

/* Lengths around those at which values are kept in another way. */
static const size_t old_lengths[] = {0, 5, 24, 128, 129, 5000};
static const size_t piece_lengths[] = {0, 1, 127, 129, 4096, 4097, 6000};
static const size_t offsets[] = {0, 1, 5, 6, 100, 128, 4999, 5000, 9000};

#define SUM_MAX 16000

/* What laying a piece over an old value gives, the naive way. */
static size_t
lay(char *sum, size_t old_length, size_t offset, size_t piece_length)
{
    size_t end = offset + piece_length;

    memset(sum, 0, SUM_MAX);
    memset(sum, 'o', old_length);
    memset(sum + offset, 'n', piece_length);
    return end > old_length ? end : old_length;
}

START_TEST(a_part_is_laid_over_the_value_and_gaps_are_zeros)
{
    struct state_store *store = open_store(contract_url());
    static char old[SUM_MAX], new[SUM_MAX], sum[SUM_MAX];
    struct state_operation put = {.namespace_ = "laid", .key = {"key", 3}};
    struct state_operation get = {0};
    uint64_t version = 0;

    memset(old, 'o', sizeof old);
    memset(new, 'n', sizeof new);
    for (size_t i = 0; i < 6 * 7 * 9; i++) {
        size_t old_length = old_lengths[i % 6];
        size_t piece_length = piece_lengths[i / 6 % 7];
        size_t offset = offsets[i / 42];
        size_t length = lay(sum, old_length, offset, piece_length);

        put.kind = STATE_PUT;
        put.value = (struct state_bytes){old, old_length};
        ck_assert_int_eq(await(store, &put), STATE_OK);
        version = put.version;
        put.kind = STATE_PUT_RANGE;
        put.value = (struct state_bytes){new, piece_length};
        put.range_offset_bytes = offset;
        ck_assert_int_eq(await(store, &put), STATE_OK);
        ck_assert_uint_gt(put.version, version);
        ck_assert_uint_eq(put.size_bytes, length);
        await_get(store, "laid", "key", &get);
        ck_assert_uint_eq(get.version, put.version);
        ck_assert_uint_eq(get.result.length_bytes, length);
        ck_assert_msg(memcmp(get.result.bytes, sum, length) == 0,
                      "%zu bytes at %zu over %zu", piece_length, offset,
                      old_length);
    }
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(a_part_makes_an_absent_key_and_obeys_conditions)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {.kind = STATE_PUT_RANGE,
                                  .namespace_ = "fresh",
                                  .key = {"key", 3},
                                  .value = {"ab", 2},
                                  .range_offset_bytes = 3,
                                  .condition = STATE_IF_PRESENT};
    struct state_operation get = {0};

    ck_assert_int_eq(await(store, &put), STATE_CONFLICT);
    put.condition = STATE_IF_ABSENT;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    ck_assert_int_eq(await(store, &put), STATE_CONFLICT);
    put.version_expected = put.version;
    put.condition = STATE_IF_VERSION;
    put.range_offset_bytes = 0;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    await_get(store, "fresh", "key", &get);
    ck_assert_uint_eq(get.result.length_bytes, 5);
    ck_assert(memcmp(get.result.bytes, "ab\0ab", 5) == 0);
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(what_a_reader_has_stays_when_a_part_is_written)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation get = {0}, range = {0}, put = {0};
    char old[1001];

    memset(old, 'o', 1000);
    old[1000] = '\0';
    await_put(store, "held", "key", old, &put);
    await_get(store, "held", "key", &get);
    range = (struct state_operation){.kind = STATE_GET_RANGE,
                                     .namespace_ = "held",
                                     .key = {"key", 3},
                                     .range_offset_bytes = 500,
                                     .range_length_bytes = 300};
    ck_assert_int_eq(await(store, &range), STATE_OK);
    put.kind = STATE_PUT_RANGE;
    put.value = text("new");
    put.range_offset_bytes = 600;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    ck_assert(result_is(&get, old));
    ck_assert(memcmp(range.result.bytes, old, 300) == 0);
    ck_assert_int_eq(await(store, &range), STATE_OK);
    ck_assert(memcmp((const char *)range.result.bytes + 100, "newo", 4) == 0);
    state_operation_deinit(&get);
    state_operation_deinit(&range);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

static const struct limit_case {
    size_t length;
    uint64_t offset;
    enum state_status status;
} limit_cases[] = {
    {1, 999, STATE_OK},          {1, 1000, STATE_TOO_BIG},
    {0, 1000, STATE_OK},         {0, 1001, STATE_TOO_BIG},
    {1000, 0, STATE_OK},         {1000, 1, STATE_TOO_BIG},
    {1001, 0, STATE_TOO_BIG},    {1, UINT64_MAX, STATE_TOO_BIG},
    {0, UINT64_MAX, STATE_TOO_BIG},
};

START_TEST(a_part_may_end_at_the_limit_of_the_store_and_not_past_it)
{
    struct state_options options = {.url = contract_url(),
                                    .value_bytes_max = 1000,
                                    .timeout_ms = 60000};
    struct state_store *store;
    char bytes[1001] = {0};

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    for (size_t i = 0; i < sizeof limit_cases / sizeof *limit_cases; i++) {
        struct state_operation put = {
            .kind = STATE_PUT_RANGE,
            .namespace_ = "edge",
            .key = {"key", 3},
            .value = {bytes, limit_cases[i].length},
            .range_offset_bytes = limit_cases[i].offset,
        };

        ck_assert_msg(await(store, &put) == limit_cases[i].status, "row %zu",
                      i);
        state_operation_deinit(&put);
    }
    state_store_close(store);
}
END_TEST

/* ---- Expiry ---- */

/* How long a key has left, as STAT says. */
static uint64_t
time_left(struct state_store *store, const char *key)
{
    struct state_operation stat = {
        .kind = STATE_STAT, .namespace_ = "times", .key = text(key)};

    ck_assert_int_eq(await(store, &stat), STATE_OK);
    return stat.expires_in_ms;
}

START_TEST(an_expiry_is_given_taken_and_told_without_a_new_version)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {0}, get = {0};
    struct state_operation change = {.namespace_ = "times",
                                     .key = {"key", 3}};
    uint64_t left;

    await_put(store, "times", "key", "value", &put);
    ck_assert_uint_eq(time_left(store, "key"), 0);
    change.kind = STATE_EXPIRE;
    change.ttl_ms = STATE_TTL_MS_MAX;
    change.condition = STATE_IF_VERSION;
    change.version_expected = put.version;
    ck_assert_int_eq(await(store, &change), STATE_OK);
    ck_assert_uint_eq(change.version, put.version);
    left = time_left(store, "key");
    ck_assert(left > STATE_TTL_MS_MAX - 60000 && left <= STATE_TTL_MS_MAX);
    change.kind = STATE_PERSIST;
    change.ttl_ms = 0;
    for (int i = 0; i < 2; i++) {
        ck_assert_int_eq(await(store, &change), STATE_OK);
        ck_assert_uint_eq(change.version, put.version);
        ck_assert_uint_eq(time_left(store, "key"), 0);
    }
    ck_assert_int_eq(await_get(store, "times", "key", &get), STATE_OK);
    ck_assert_uint_eq(get.version, put.version);
    ck_assert(result_is(&get, "value"));

    /* Whoever writes afterwards has a version of their own. */
    await_put(store, "times", "key", "value", &put);
    ck_assert_uint_gt(put.version, get.version);
    ck_assert_int_eq(await(store, &change), STATE_CONFLICT);
    state_operation_deinit(&put);
    state_operation_deinit(&get);
    state_operation_deinit(&change);
    state_store_close(store);
}
END_TEST

START_TEST(a_key_that_was_given_an_expiry_goes_and_is_listed_no_more)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {0}, stat = {0};
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "times",
                                   .prefix = {"goes", 4}};

    await_put(store, "times", "goes", "value", &put);
    put.kind = STATE_EXPIRE;
    put.ttl_ms = 1;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    while (await_get(store, "times", "goes", &stat) == STATE_OK)
        doze();
    ck_assert_int_eq(stat.status, STATE_NOT_FOUND);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 0);
    /* And is absent for both. */
    ck_assert_int_eq(await(store, &put), STATE_NOT_FOUND);
    put.kind = STATE_PERSIST;
    put.ttl_ms = 0;
    ck_assert_int_eq(await(store, &put), STATE_NOT_FOUND);
    put.condition = STATE_IF_PRESENT;
    ck_assert_int_eq(await(store, &put), STATE_CONFLICT);
    state_operation_deinit(&put);
    state_operation_deinit(&stat);
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

START_TEST(writing_a_part_leaves_an_expiry_or_sets_a_new_one)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {.ttl_ms = STATE_TTL_MS_MAX};

    await_put(store, "times", "part", "value", &put);
    put.kind = STATE_PUT_RANGE;
    put.ttl_ms = 0;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    ck_assert_uint_gt(time_left(store, "part"), STATE_TTL_MS_MAX - 60000);
    put.ttl_ms = STATE_TTL_MS_MAX / 2;
    ck_assert_int_eq(await(store, &put), STATE_OK);
    ck_assert_uint_le(time_left(store, "part"), STATE_TTL_MS_MAX / 2);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

void
contract_add_ranges(TCase *tcase)
{
    tcase_add_test(tcase, a_range_is_the_part_of_the_value_that_it_covers);
    tcase_add_test(tcase, a_part_is_laid_over_the_value_and_gaps_are_zeros);
    tcase_add_test(tcase, a_part_makes_an_absent_key_and_obeys_conditions);
    tcase_add_test(tcase, what_a_reader_has_stays_when_a_part_is_written);
    tcase_add_test(tcase,
                   a_part_may_end_at_the_limit_of_the_store_and_not_past_it);
    tcase_add_test(tcase,
                   an_expiry_is_given_taken_and_told_without_a_new_version);
    tcase_add_test(tcase,
                   a_key_that_was_given_an_expiry_goes_and_is_listed_no_more);
    tcase_add_test(tcase,
                   writing_a_part_leaves_an_expiry_or_sets_a_new_one);
}
