/*
 * Tests of state/listing.c: that what a listing finds does not depend on how
 * the keys are spread over shards and pages. The rest is in the contract.
 */
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define KEYS 300

/* Keys of all lengths, so that pages end for either reason. */
static size_t
make_key(char *key, unsigned i)
{
    size_t length = i % 9 == 0 ? STATE_KEY_BYTES_MAX : 4 + i % 50;

    memset(key, 'k', STATE_KEY_BYTES_MAX);
    snprintf(key, 5, "%04u", i);
    key[4] = 'k';
    return length;
}

static void
put_keys(struct state_store *store)
{
    char key[STATE_KEY_BYTES_MAX];
    struct state_operation put = {.kind = STATE_PUT, .namespace_ = "a"};

    for (unsigned i = 0; i < KEYS; i++) {
        put.key = (struct state_bytes){key, make_key(key, i * 37 % KEYS)};
        ck_assert_int_eq(await(store, &put), STATE_OK);
    }
    state_operation_deinit(&put);
}

static void
check_pages(struct state_store *store, unsigned limit)
{
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "a", .limit_count = limit};
    char key[STATE_KEY_BYTES_MAX], cursor[STATE_KEY_BYTES_MAX];
    unsigned seen = 0;

    do {
        ck_assert_int_eq(await(store, &list), STATE_OK);
        for (size_t i = 0; i < list.entry_count; i++) {
            size_t length = make_key(key, seen++);

            if (list.entries[i].key.length_bytes != length ||
                memcmp(list.entries[i].key.bytes, key, length) != 0)
                ck_abort_msg("key %u at limit %u", seen - 1, limit);
        }
        /* A page of this backend is full, or the last. */
        ck_assert_int_eq(list.more, seen < KEYS);
        ck_assert(!list.more || list.entry_count == limit);
        memcpy(cursor, list.cursor_next.bytes, list.cursor_next.length_bytes);
        list.cursor =
            (struct state_bytes){cursor, list.cursor_next.length_bytes};
    } while (list.more);
    ck_assert_uint_eq(seen, KEYS);
    state_operation_deinit(&list);
}

START_TEST(a_listing_is_the_same_over_any_number_of_shards)
{
    static const unsigned limits[] = {1, 2, 7, 100, KEYS - 1, KEYS, 1000};

    for (unsigned shards = 1; shards <= STATE_SHARDS_MAX; shards *= 4) {
        struct state_options options = {.shard_count = shards};
        struct state_store *store;

        ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
        put_keys(store);
        for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
            check_pages(store, limits[i]);
        state_store_close(store);
    }
}
END_TEST

static uint64_t
look_at_clock(void *data)
{
    return atomic_load((_Atomic uint64_t *)data);
}

START_TEST(expired_keys_are_not_listed_however_many_they_are)
{
    _Atomic uint64_t now_ms = 1000;
    struct state_options options = {.now_ms = look_at_clock,
                                    .now_data = &now_ms,
                                    .shard_count = 1};
    struct state_operation put = {0};
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "a", .limit_count = 60};
    struct state_store *store;
    char key[16];

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    for (unsigned i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%03u", i);
        put.ttl_ms = i % 10 == 9 ? 0 : 1;
        ck_assert_int_eq(await_put(store, "a", key, "", &put), STATE_OK);
    }
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert(memcmp(list.entries[0].key.bytes, "000", 3) == 0);
    atomic_store(&now_ms, 1001);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 50);
    for (unsigned i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "%03u", i * 10 + 9);
        ck_assert(memcmp(list.entries[i].key.bytes, key, 3) == 0);
    }
    state_operation_deinit(&put);
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

/* A clock that this thread sees go on after its first look. */
struct going_clock {
    pthread_t owner;
    unsigned looks;
};

static uint64_t
look_at_going_clock(void *data)
{
    struct going_clock *clock = data;

    /* The sweeper shall find nothing to do. */
    if (!pthread_equal(pthread_self(), clock->owner))
        return 1000;
    return clock->looks++ == 0 ? 1000 : 1001;
}

START_TEST(keys_that_expire_during_the_listing_are_passed_over)
{
    struct going_clock clock = {.owner = pthread_self()};
    struct state_options options = {.now_ms = look_at_going_clock,
                                    .now_data = &clock,
                                    .shard_count = 1};
    struct state_operation put = {.ttl_ms = 1};
    struct state_operation list = {.kind = STATE_LIST, .namespace_ = "a"};
    struct state_store *store;

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    ck_assert_int_eq(await_put(store, "a", "goes", "", &put), STATE_OK);
    put.ttl_ms = 0;
    ck_assert_int_eq(await_put(store, "a", "stays", "", &put), STATE_OK);
    /* The first look is the sweep's, which lets the key be. */
    clock.looks = 0;
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_gt(clock.looks, 1);
    ck_assert_uint_eq(list.entry_count, 1);
    ck_assert(memcmp(list.entries[0].key.bytes, "stays", 5) == 0);
    state_operation_deinit(&put);
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_listing_is_the_same_over_any_number_of_shards,
        expired_keys_are_not_listed_however_many_they_are,
        keys_that_expire_during_the_listing_are_passed_over,
        NULL,
    };

    return run_suite("listing", tests);
}
