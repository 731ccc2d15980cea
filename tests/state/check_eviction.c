/* Tests of state/eviction.c: which keys go when there is no room. */
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

static struct state_store *store;

static void
set_quota(struct state_quota quota)
{
    ck_assert_int_eq(state_store_set_quota(store, "a", &quota, NULL),
                     STATE_OK);
}

static struct state_stats
stats_of(const char *namespace_)
{
    struct state_stats stats;

    ck_assert_int_eq(state_store_stats(store, namespace_, &stats), STATE_OK);
    return stats;
}

static enum state_status
put(const char *namespace_, const char *key, size_t length)
{
    static char bytes[100000];
    struct state_operation operation = {.kind = STATE_PUT,
                                        .namespace_ = namespace_,
                                        .key = text(key),
                                        .value = {bytes, length}};

    return await(store, &operation);
}

static bool
is_there(const char *namespace_, const char *key)
{
    struct state_operation get = {0};
    bool found = await_get(store, namespace_, key, &get) == STATE_OK;

    state_operation_deinit(&get);
    return found;
}

/* As is_there, without using the key: lists do not count as a use. */
static bool
is_listed(const char *key)
{
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "a",
                                   .prefix = text(key)};
    bool found;

    ck_assert_int_eq(await(store, &list), STATE_OK);
    found = list.entry_count > 0;
    state_operation_deinit(&list);
    return found;
}

START_TEST(of_few_keys_the_one_used_longest_ago_goes)
{
    store = open_store("memory");
    set_quota((struct state_quota){.keys_max = 3,
                                   .policy = STATE_POLICY_LRU});
    put("a", "1", 1);
    put("a", "2", 1);
    put("a", "3", 1);
    ck_assert(is_there("a", "1"));
    ck_assert_int_eq(put("a", "4", 1), STATE_OK);
    ck_assert(is_listed("1") && !is_listed("2"));
    ck_assert(is_listed("3") && is_listed("4"));
    ck_assert_int_eq(put("a", "3", 2), STATE_OK);
    ck_assert_int_eq(put("a", "5", 1), STATE_OK);
    ck_assert(!is_listed("1") && is_listed("3"));
    ck_assert_uint_eq(stats_of("a").key_count, 3);
    ck_assert_uint_eq(stats_of("a").evicted_count, 2);
    state_store_close(store);
}
END_TEST

START_TEST(what_is_used_stays_among_many_that_are_not)
{
    char key[32];
    int left = 0;

    store = open_store("memory");
    set_quota((struct state_quota){.keys_max = 2000,
                                   .policy = STATE_POLICY_LRU});
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "hot %d", i);
        put("a", key, 10);
    }
    for (int i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "cold %d", i);
        ck_assert_int_eq(put("a", key, 10), STATE_OK);
        snprintf(key, sizeof key, "hot %d", i % 100);
        is_there("a", key);
        ck_assert_uint_le(stats_of("a").key_count, 2000);
    }
    for (int i = 0; i < 100; i++) {
        snprintf(key, sizeof key, "hot %d", i);
        left += is_listed(key);
    }
    /* Drawn among 2000 of random age, one used in the last 100 goes never. */
    ck_assert_int_ge(left, 99);
    ck_assert_uint_eq(stats_of("a").key_count, 2000);
    ck_assert_uint_eq(stats_of("a").evicted_count, 18100);
    state_store_close(store);
}
END_TEST

START_TEST(a_long_value_makes_as_much_room_as_it_needs)
{
    char key[32];

    store = open_store("memory");
    set_quota((struct state_quota){.bytes_max = 50000,
                                   .policy = STATE_POLICY_LRU});
    for (int i = 0; i < 1000; i++) {
        snprintf(key, sizeof key, "%d", i);
        put("a", key, 100);
    }
    ck_assert_uint_le(stats_of("a").bytes, 50000);
    ck_assert_int_eq(put("a", "long", 49997), STATE_QUOTA);
    ck_assert_uint_gt(stats_of("a").key_count, 400);
    ck_assert_int_eq(put("a", "long", 49996), STATE_OK);
    ck_assert_uint_eq(stats_of("a").bytes, 50000);
    ck_assert_uint_eq(stats_of("a").key_count, 1);
    ck_assert(is_there("a", "long"));
    state_store_close(store);
}
END_TEST

START_TEST(a_new_quota_applies_to_what_is_there_and_only_there)
{
    char key[32];

    store = open_store("memory");
    for (int i = 0; i < 500; i++) {
        snprintf(key, sizeof key, "%d", i);
        put("a", key, 10);
        put("b", key, 10);
    }
    /* On and off and on: what came meanwhile is known as well. */
    for (int round = 0; round < 3; round++) {
        uint64_t keys = 100 - 20 * (uint64_t)round;

        set_quota((struct state_quota){.keys_max = keys,
                                       .policy = STATE_POLICY_LRU});
        ck_assert_uint_eq(stats_of("a").key_count, keys);
        put("a", "another", 10);
        ck_assert_uint_eq(stats_of("a").key_count, keys);
        set_quota((struct state_quota){0});
        for (int i = 0; i < 50; i++) {
            snprintf(key, sizeof key, "later %d", i);
            put("a", key, 10);
        }
    }
    ck_assert_uint_eq(stats_of("b").key_count, 500);
    ck_assert_uint_eq(stats_of("b").evicted_count, 0);
    state_store_close(store);
}
END_TEST

START_TEST(a_failed_batch_leaves_the_samples_as_they_were)
{
    static struct state_operation operations[901];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 901,
                                    .all_or_nothing = true};
    struct state_options options = {.shard_count = 1};
    char keys[900][16];

    /* In one shard its table gets large enough to shrink. */
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    set_quota((struct state_quota){.keys_max = 900,
                                   .policy = STATE_POLICY_LRU});
    for (int i = 0; i < 900; i++) {
        snprintf(keys[i], sizeof keys[i], "key %d", i);
        put("a", keys[i], 1);
        operations[i] = (struct state_operation){
            .kind = STATE_DELETE, .namespace_ = "a", .key = text(keys[i])};
    }
    operations[900] = (struct state_operation){.kind = STATE_DELETE,
                                               .namespace_ = "a",
                                               .key = {"none", 4},
                                               .condition =
                                                   STATE_IF_PRESENT};
    ck_assert_int_eq(await(store, &batch), STATE_CONFLICT);
    ck_assert_uint_eq(stats_of("a").key_count, 900);
    put("a", "one more", 1);
    ck_assert_uint_eq(stats_of("a").key_count, 900);

    /* One that passes the bound makes room afterwards. */
    for (int i = 0; i < 900; i++)
        operations[i].kind = STATE_PUT;
    operations[900].condition = STATE_ALWAYS;
    operations[900].kind = STATE_PUT;
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    ck_assert_uint_eq(stats_of("a").key_count, 900);
    set_quota((struct state_quota){.keys_max = 1,
                                   .policy = STATE_POLICY_LRU});
    ck_assert_uint_eq(stats_of("a").key_count, 1);
    state_store_close(store);
}
END_TEST

/* ---- Many writers ---- */

#define THREADS 4
#define WRITES 3000

static atomic_uint thread_count;

static void *
write_much(void *argument)
{
    unsigned number = atomic_fetch_add(&thread_count, 1);
    struct state_operation operation = {0};
    char key[32];

    (void)argument;
    for (int i = 0; i < WRITES; i++) {
        snprintf(key, sizeof key, "%u %d", number, i);
        ck_assert_int_eq(await_put(store, "a", key, "value", &operation),
                         STATE_OK);
        snprintf(key, sizeof key, "%u %d", number, i / 2);
        operation.kind = STATE_DELETE;
        await(store, &operation);
    }
    state_operation_deinit(&operation);
    return NULL;
}

START_TEST(many_writers_make_room_for_each_other)
{
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "a", .limit_count = 1000};
    pthread_t threads[THREADS];

    store = open_store("memory");
    set_quota((struct state_quota){.keys_max = 300,
                                   .policy = STATE_POLICY_LRU});
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, write_much, NULL),
                         0);
    /* On and off, while they write; at the end it is on. */
    for (int i = 0; i < 20; i++)
        set_quota((struct state_quota){.keys_max = i % 2 ? 300 : 0,
                                       .policy = (enum state_policy)(i % 2)});
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_le(list.entry_count, 300);
    ck_assert_uint_eq(stats_of("a").key_count, list.entry_count);
    state_operation_deinit(&list);
    state_store_close(store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        of_few_keys_the_one_used_longest_ago_goes,
        what_is_used_stays_among_many_that_are_not,
        a_long_value_makes_as_much_room_as_it_needs,
        a_new_quota_applies_to_what_is_there_and_only_there,
        a_failed_batch_leaves_the_samples_as_they_were,
        many_writers_make_room_for_each_other,
        NULL,
    };

    return run_suite("eviction", tests);
}
