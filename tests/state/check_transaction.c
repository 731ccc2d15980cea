/*
 * Tests of state/transaction.c: batches that are all or nothing, in whatever
 * order their operations are and whichever of them fails.
 */
#include "tests/state/await.h"
#include "tests/state/suite.h"
#include "tests/state/test_clock.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Nothing ---- */

#define KEYS 6
#define OPERATIONS 12

static uint8_t bytes[20000];

/* All that there is to know about a key. */
struct view {
    bool is_there;
    uint64_t version;
    uint64_t expires_in_ms;
    size_t length;
    uint8_t value[60000];
};

static void
look(struct state_store *store, struct view views[KEYS])
{
    for (size_t i = 0; i < KEYS; i++) {
        struct state_operation operation = {.kind = STATE_STAT,
                                            .namespace_ = "a",
                                            .key = {&"012345"[i], 1}};
        struct view *view = &views[i];

        memset(view, 0, sizeof *view);
        if (await(store, &operation) == STATE_OK) {
            view->is_there = true;
            view->version = operation.version;
            view->expires_in_ms = operation.expires_in_ms;
            operation.kind = STATE_GET;
            ck_assert_int_eq(await(store, &operation), STATE_OK);
            ck_assert_uint_le(operation.result.length_bytes,
                              sizeof view->value);
            view->length = operation.result.length_bytes;
            memcpy(view->value, operation.result.bytes, view->length);
        }
        state_operation_deinit(&operation);
    }
}

static const enum state_kind write_kinds[] = {
    STATE_PUT,       STATE_DELETE, STATE_INCREMENT, STATE_APPEND,
    STATE_PUT_RANGE, STATE_EXPIRE, STATE_PERSIST,   STATE_GET,
};

static void
choose(struct state_operation *operation)
{
    static const size_t lengths[] = {0, 1, 7, 100, 128, 129, 300, 9000};

    *operation = (struct state_operation){
        .kind = write_kinds[rand() % 8],
        .namespace_ = "a",
        .key = {&"012345"[rand() % KEYS], 1},
        .value = {bytes + rand() % 100, lengths[rand() % 8]},
        .delta = rand(),
        .range_offset_bytes = lengths[rand() % 8],
    };
    if (operation->kind == STATE_INCREMENT)
        operation->delta = 1;
    if (operation->kind == STATE_EXPIRE || rand() % 4 == 0)
        operation->ttl_ms = 1 + (uint64_t)rand() % 1000;
    if (operation->kind == STATE_PUT && rand() % 3 == 0)
        operation->value = text("41");
}

/* One batch of random operations, the last of which cannot be done. */
static void
fail_once(struct state_store *store, struct state_operation *operations)
{
    size_t count = 1 + (size_t)rand() % OPERATIONS;
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = count,
                                    .all_or_nothing = true};

    for (size_t i = 0; i < count; i++)
        choose(&operations[i]);
    operations[count - 1].kind = STATE_PUT;
    operations[count - 1].ttl_ms = 0;
    operations[count - 1].condition = STATE_IF_VERSION;
    operations[count - 1].version_expected = UINT64_MAX;
    ck_assert_int_ne(await(store, &batch), STATE_OK);
    for (size_t i = 0; i < count; i++)
        ck_assert_int_eq(operations[i].status, i == batch.failed_index
                                                   ? batch.status
                                                   : STATE_ABORTED);
    for (size_t i = 0; i < count; i++)
        state_operation_deinit(&operations[i]);
}

START_TEST(a_failed_batch_leaves_everything_as_it_was)
{
    static const unsigned shard_counts[] = {1, 16, 256};
    struct state_store *store = open_with_test_clock(shard_counts[_i]);
    static struct view before[KEYS], after[KEYS];
    struct state_operation operations[OPERATIONS];
    const char *given = getenv("GLASS_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10)
                          : (unsigned)time(NULL);

    printf("GLASS_TEST_SEED=%u\n", seed);
    srand(seed);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)rand();
    for (int round = 0; round < 400; round++) {
        struct state_operation single;

        /* Something else in between, so that there is something to lose. */
        for (int i = 0; i < 3; i++) {
            choose(&single);
            await(store, &single);
            state_operation_deinit(&single);
        }
        look(store, before);
        fail_once(store, operations);
        look(store, after);
        for (int i = 0; i < KEYS; i++)
            ck_assert_msg(memcmp(&before[i], &after[i], sizeof before[i]) ==
                              0,
                          "key %d, round %d", i, round);
        atomic_fetch_add(&test_now_ms, (uint64_t)rand() % 50);
    }
    state_store_close(store);
}
END_TEST

START_TEST(a_list_is_as_it_was_after_a_failed_batch)
{
    struct state_store *store = open_with_test_clock(2);
    struct state_operation operations[100], put = {0};
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 100,
                                    .all_or_nothing = true};
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "a", .limit_count = 1000};
    char keys[99][8];

    /* Deleting nearly all would shrink the tables and free the heaps. */
    put.ttl_ms = 5000;
    for (int i = 0; i < 99; i++) {
        snprintf(keys[i], sizeof keys[i], "key %02d", i);
        await_put(store, "a", keys[i], "1", &put);
        operations[i] = (struct state_operation){
            .kind = STATE_DELETE, .namespace_ = "a", .key = text(keys[i])};
    }
    operations[99] = (struct state_operation){.kind = STATE_DELETE,
                                              .namespace_ = "a",
                                              .key = {"key", 3},
                                              .condition = STATE_IF_PRESENT};
    ck_assert_int_eq(await(store, &batch), STATE_CONFLICT);
    ck_assert_uint_eq(batch.failed_index, 99);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 99);
    for (uint64_t i = 0; i < 99; i++) {
        ck_assert(memcmp(list.entries[i].key.bytes, keys[i], 6) == 0);
        ck_assert_uint_eq(list.entries[i].version, i + 1);
    }
    /* Everything expires as it would have. */
    atomic_fetch_add(&test_now_ms, 5000);
    ck_assert_int_eq(await(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 0);
    state_operation_deinit(&list);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

/* ---- All ---- */

START_TEST(each_operation_sees_those_before_it)
{
    struct state_store *store = open_with_test_clock(16);
    struct state_operation operations[] = {
        {.kind = STATE_GET, .key = {"a", 1}},
        {.kind = STATE_PUT,
         .key = {"a", 1},
         .value = {"41", 2},
         .condition = STATE_IF_ABSENT},
        {.kind = STATE_INCREMENT, .key = {"a", 1}, .delta = 1},
        {.kind = STATE_GET, .key = {"a", 1}},
        {.kind = STATE_DELETE, .key = {"a", 1}},
        {.kind = STATE_DELETE, .key = {"a", 1}},
        {.kind = STATE_PUT, .key = {"a", 1}, .value = {bytes, 5000}},
        {.kind = STATE_APPEND, .key = {"a", 1}, .value = {bytes, 5000}},
    };
    static const enum state_status statuses[] = {
        STATE_NOT_FOUND, STATE_OK,        STATE_OK, STATE_OK,
        STATE_OK,        STATE_NOT_FOUND, STATE_OK, STATE_OK,
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 8,
                                    .all_or_nothing = true};

    for (int i = 0; i < 8; i++)
        operations[i].namespace_ = i == 0 ? "nobody" : "a";
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    for (int i = 0; i < 8; i++)
        ck_assert_int_eq(operations[i].status, statuses[i]);
    ck_assert(result_is(&operations[3], "42"));
    ck_assert_uint_eq(operations[7].size_bytes, 10000);
    for (int i = 0; i < 8; i++)
        state_operation_deinit(&operations[i]);
    state_store_close(store);
}
END_TEST

START_TEST(a_batch_with_a_bad_operation_fails_before_anything_is_done)
{
    struct state_store *store = open_with_test_clock(16);
    struct state_operation operations[] = {
        {.kind = STATE_PUT, .namespace_ = "a", .key = {"a", 1}},
        {.kind = STATE_PUT, .namespace_ = "A", .key = {"a", 1}},
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 2,
                                    .all_or_nothing = true};
    struct state_operation get = {0};

    ck_assert_int_eq(await(store, &batch), STATE_INVALID);
    ck_assert_uint_eq(batch.failed_index, 1);
    ck_assert_int_eq(operations[0].status, STATE_ABORTED);
    ck_assert_int_eq(await_get(store, "a", "a", &get), STATE_NOT_FOUND);
    state_store_close(store);
}
END_TEST

/* ---- Nobody sees half ---- */

#define THREADS 4
#define ACCOUNTS 10
#define TRANSFERS 1500

static struct state_store *bank;
static atomic_uint thread_count;

/* Moves money between two accounts, if the first one's version is right. */
static void
transfer(struct state_operation get[ACCOUNTS], unsigned *random)
{
    size_t from = (*random = *random * 1664525 + 1013904223) >> 16;
    size_t to = (*random = *random * 1664525 + 1013904223) >> 16;
    struct state_operation moves[2] = {
        {.kind = STATE_INCREMENT,
         .namespace_ = "a",
         .key = get[to % ACCOUNTS].key,
         .delta = 3},
        {.kind = STATE_INCREMENT,
         .namespace_ = "a",
         .key = get[from % ACCOUNTS].key,
         .delta = -3,
         .condition = STATE_IF_VERSION,
         .version_expected = get[from % ACCOUNTS].version},
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = moves,
                                    .operation_count = 2,
                                    .all_or_nothing = true};
    enum state_status status = state_store_submit(bank, &batch);

    ck_assert(status == STATE_OK || status == STATE_CONFLICT);
}

static void *
run_teller(void *argument)
{
    unsigned random = atomic_fetch_add(&thread_count, 1);
    struct state_operation get[ACCOUNTS];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = get,
                                    .operation_count = ACCOUNTS,
                                    .all_or_nothing = true};

    (void)argument;
    for (size_t i = 0; i < ACCOUNTS; i++)
        get[i] = (struct state_operation){.kind = STATE_GET,
                                          .namespace_ = "a",
                                          .key = {&"abcdefghij"[i], 1}};
    for (int round = 0; round < TRANSFERS; round++) {
        long sum = 0;

        ck_assert_int_eq(state_store_submit(bank, &batch), STATE_OK);
        for (int i = 0; i < ACCOUNTS; i++) {
            char number[32] = {0};

            memcpy(number, get[i].result.bytes, get[i].result.length_bytes);
            sum += strtol(number, NULL, 10);
        }
        ck_assert_int_eq(sum, 1000 * ACCOUNTS);
        transfer(get, &random);
    }
    return NULL;
}

START_TEST(no_thread_ever_sees_a_part_of_a_batch)
{
    struct state_operation put = {0};
    pthread_t threads[THREADS];

    bank = open_with_test_clock(16);
    for (size_t i = 0; i < ACCOUNTS; i++) {
        put.kind = STATE_PUT;
        put.namespace_ = "a";
        put.key = (struct state_bytes){&"abcdefghij"[i], 1};
        put.value = text("1000");
        ck_assert_int_eq(await(bank, &put), STATE_OK);
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL, run_teller, NULL),
                         0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    state_operation_deinit(&put);
    state_store_close(bank);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("transaction");
    TCase *tcase = tcase_create("transaction");

    tcase_add_loop_test(tcase, a_failed_batch_leaves_everything_as_it_was, 0,
                        3);
    tcase_add_test(tcase, a_list_is_as_it_was_after_a_failed_batch);
    tcase_add_test(tcase, each_operation_sees_those_before_it);
    tcase_add_test(
        tcase, a_batch_with_a_bad_operation_fails_before_anything_is_done);
    tcase_add_test(tcase, no_thread_ever_sees_a_part_of_a_batch);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
