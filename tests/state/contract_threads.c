/* The contract between threads: see check_backend_contract.c. */
#include "tests/state/contract.h"

#include "tests/state/await.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#define THREADS 4
#define ROUNDS 1500

struct team {
    struct state_store *store;
    void (*work)(struct state_store *store, unsigned number);
    atomic_uint started;
};

static void *
run_member(void *argument)
{
    struct team *team = argument;

    team->work(team->store, atomic_fetch_add(&team->started, 1));
    return NULL;
}

static void
run_team(struct state_store *store,
         void (*work)(struct state_store *store, unsigned number))
{
    struct team team = {.store = store, .work = work};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, run_member, &team), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
}

/* ---- Sums ---- */

static void
increment(struct state_store *store, unsigned number)
{
    struct state_operation operation = {0};

    for (int i = 0; i < ROUNDS; i++)
        ck_assert_int_eq(await_increment(store, "threads", "sum",
                                         (int)number + 1, &operation),
                         STATE_OK);
    state_operation_deinit(&operation);
}

START_TEST(increments_of_many_threads_add_up)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation operation = {0};

    run_team(store, increment);
    ck_assert_int_eq(
        await_increment(store, "threads", "sum", 0, &operation), STATE_OK);
    ck_assert_int_eq(operation.number, ROUNDS * (1 + 2 + 3 + 4));
    ck_assert_uint_eq(operation.version, THREADS * ROUNDS + 1);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

/* ---- Compare and swap ---- */

static void
swap(struct state_store *store, unsigned number)
{
    struct state_operation get = {0};
    struct state_operation set = {.kind = STATE_COMPARE_AND_SWAP,
                                  .namespace_ = "threads",
                                  .key = {"swapped", 7}};
    char value[16];

    (void)number;
    for (int done = 0; done < ROUNDS / 8;) {
        unsigned old = 0;
        enum state_status status =
            await_get(store, "threads", "swapped", &get);

        if (status == STATE_OK) {
            ck_assert_uint_lt(get.result.length_bytes, sizeof value);
            memcpy(value, get.result.bytes, get.result.length_bytes);
            value[get.result.length_bytes] = '\0';
            ck_assert_int_eq(sscanf(value, "%u", &old), 1);
        }
        snprintf(value, sizeof value, "%u", old + 1);
        set.value = text(value);
        set.version_expected = get.version;
        status = await(store, &set);
        ck_assert(status == STATE_OK || status == STATE_CONFLICT);
        done += status == STATE_OK;
    }
    state_operation_deinit(&get);
    state_operation_deinit(&set);
}

START_TEST(of_several_swaps_from_one_version_only_one_succeeds)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation get = {0};
    char sum[16];

    run_team(store, swap);
    snprintf(sum, sizeof sum, "%d", ROUNDS / 8 * THREADS);
    ck_assert_int_eq(await_get(store, "threads", "swapped", &get), STATE_OK);
    ck_assert(result_is(&get, sum));
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

/* ---- Whole values ---- */

/* Whether there is at least one byte and all are the same. */
static bool
is_uniform(const char *bytes, size_t length)
{
    return length > 0 && memcmp(bytes, bytes + 1, length - 1) == 0;
}

#define WHOLE_MAX 3000

/* Threads put values of one letter each and never see a mixture. */
static void
mix(struct state_store *store, unsigned number)
{
    struct state_operation operation = {.namespace_ = "threads",
                                        .key = {"mixed", 5}};
    char value[WHOLE_MAX];

    memset(value, (int)('a' + number), sizeof value);
    for (unsigned i = 0; i < ROUNDS / 2; i++) {
        const char *bytes;

        operation.kind = STATE_PUT;
        operation.value =
            (struct state_bytes){value, 1 + i * 37 % WHOLE_MAX};
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        operation.kind = STATE_GET;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        bytes = operation.result.bytes;
        ck_assert(is_uniform(bytes, operation.result.length_bytes));
    }
    state_operation_deinit(&operation);
}

START_TEST(a_value_is_never_seen_half_written)
{
    struct state_store *store = open_store(contract_url());

    run_team(store, mix);
    state_store_close(store);
}
END_TEST

/* ---- Appends ---- */

/* Each thread appends records of its own, long enough to be copied apart. */
#define RECORD_BYTES 200
#define RECORDS 150

static void
append(struct state_store *store, unsigned number)
{
    struct state_operation operation = {.kind = STATE_APPEND,
                                        .namespace_ = "threads",
                                        .key = {"appended", 8}};
    char record[RECORD_BYTES];

    memset(record, (int)('a' + number), sizeof record);
    operation.value = (struct state_bytes){record, sizeof record};
    for (int i = 0; i < RECORDS; i++)
        ck_assert_int_eq(await(store, &operation), STATE_OK);
    state_operation_deinit(&operation);
}

START_TEST(appends_of_many_threads_are_all_there_and_whole)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation get = {0};
    size_t counts[THREADS] = {0};
    const char *bytes;

    run_team(store, append);
    ck_assert_int_eq(await_get(store, "threads", "appended", &get),
                     STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes,
                      RECORD_BYTES * RECORDS * THREADS);
    bytes = get.result.bytes;
    for (size_t i = 0; i < RECORDS * THREADS; i++) {
        ck_assert(is_uniform(bytes + i * RECORD_BYTES, RECORD_BYTES));
        counts[bytes[i * RECORD_BYTES] - 'a']++;
    }
    for (int i = 0; i < THREADS; i++)
        ck_assert_uint_eq(counts[i], RECORDS);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

/* ---- Lists while keys come and go ---- */

static void
churn(struct state_store *store, unsigned number)
{
    struct state_operation operation = {0};
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "churn",
                                   .limit_count = STATE_LIST_ITEMS_MAX,
                                   .prefix = {"stays", 5}};
    char key[32];

    for (unsigned i = 0; i < 300; i++) {
        snprintf(key, sizeof key, "stays goes %u %u", number, i % 20);
        await_put(store, "churn", key, "1", &operation);
        if (i % 10 == 9) {
            ck_assert_int_eq(await(store, &list), STATE_OK);
            ck_assert_uint_ge(list.entry_count, 50);
            for (int j = 0; j < 50; j++) {
                snprintf(key, sizeof key, "stays %03d", j);
                ck_assert_uint_eq(list.entries[j].key.length_bytes, 9);
                ck_assert(memcmp(list.entries[j].key.bytes, key, 9) == 0);
            }
        }
        snprintf(key, sizeof key, "stays goes %u %u", number, i % 20);
        operation.key = text(key);
        operation.kind = STATE_DELETE;
        ck_assert_int_eq(await(store, &operation), STATE_OK);
    }
    state_operation_deinit(&operation);
    state_operation_deinit(&list);
}

START_TEST(a_list_has_every_key_that_is_there_all_the_time)
{
    struct state_store *store = open_store(contract_url());
    struct state_operation put = {0};
    char key[32];

    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "stays %03d", i);
        await_put(store, "churn", key, "", &put);
    }
    state_operation_deinit(&put);
    run_team(store, churn);
    state_store_close(store);
}
END_TEST

void
contract_add_threads(TCase *tcase)
{
    tcase_add_test(tcase, increments_of_many_threads_add_up);
    tcase_add_test(tcase, of_several_swaps_from_one_version_only_one_succeeds);
    tcase_add_test(tcase, a_value_is_never_seen_half_written);
    tcase_add_test(tcase, appends_of_many_threads_are_all_there_and_whole);
    tcase_add_test(tcase, a_list_has_every_key_that_is_there_all_the_time);
}
