/*
 * What happens without memory. The linker gives us the library's allocations
 * (--wrap); a script of operations is run again and again, and each time one
 * allocation more succeeds before one fails. An operation that fails says so
 * and has changed nothing, the others go on, and nothing leaks.
 */
#include "state/operation.h"
#include "tests/state/await.h"
#include "tests/state/disk.h"
#include "tests/state/suite.h"

#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__real_realloc(void *memory, size_t size);
void *__real_aligned_alloc(size_t alignment, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__wrap_realloc(void *memory, size_t size);
void *__wrap_aligned_alloc(size_t alignment, size_t size);

/* How many allocations succeed before one fails; below zero: all do. */
static long successes_left = -1;

static bool
fails(void)
{
    return successes_left >= 0 && successes_left-- == 0;
}

void *
__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return fails() ? NULL : __real_calloc(count, size);
}

void *
__wrap_realloc(void *memory, size_t size)
{
    return fails() ? NULL : __real_realloc(memory, size);
}

void *
__wrap_aligned_alloc(size_t alignment, size_t size)
{
    return fails() ? NULL : __real_aligned_alloc(alignment, size);
}

static char bytes[20000];

/* Every way in which an operation allocates something, or comes near it. */
static const struct step {
    enum state_kind kind;
    const char *key;
    size_t length;
    uint64_t ttl_ms;
    int repeats;
} steps[] = {
    {STATE_PUT, "a", 10, 0, 1},         /* a namespace, a table, an item */
    {STATE_PUT, "a", 100, 0, 1},        /* a block for a short value */
    {STATE_PUT, "a", 5000, 0, 1},       /* a block for a long one */
    {STATE_PUT, "b", 5000, 1000000, 1}, /* the expiry heap */
    {STATE_APPEND, "a", 3000, 0, 1},    /* a copy without the lock */
    {STATE_APPEND, "c", 90, 0, 4},      /* short, then copied under it */
    {STATE_APPEND, "d", 9000, 0, 2},
    {STATE_INCREMENT, "e", 0, 0, 1},
    {STATE_INCREMENT, "e", 0, 1000000, 1},
    {STATE_GET, "a", 0, 0, 1},
    {STATE_LIST, "", 0, 0, 1},
    {STATE_PUT, "0123456789", 1, 1000000, 10}, /* a larger table */
    {STATE_PUT, "ABCDEFGHIJ", 1, 1000000, 10}, /* and heap */
    {STATE_LOCK, "a", 0, 0, 1}, /* buckets, a lock, a claim, a heap */
    {STATE_LOCK, "ghijklmnopqrstuvwxyz", 0, 0, 20}, /* more of them */
    {STATE_DELETE, "d", 0, 0, 1},
    {STATE_LIST, "", 0, 0, 1},
};

/* The operation of a step; step-and-repeat chooses among several keys. */
static struct state_operation
make_operation(const struct step *step, int repeat)
{
    bool is_list = step->kind == STATE_LIST;
    size_t key = strlen(step->key) > 1 ? (size_t)repeat : 0;

    return (struct state_operation){
        .kind = step->kind,
        .namespace_ = "memory",
        .key = {step->key + key, is_list ? 0 : 1},
        .value = {bytes, step->length},
        .ttl_ms = step->ttl_ms,
        .delta = 7,
    };
}

/* What a key is like: version and size, or zeros. */
static void
look(struct state_store *store, struct state_bytes key, uint64_t seen[2])
{
    struct state_operation stat = {
        .kind = STATE_STAT, .namespace_ = "memory", .key = key};

    state_store_submit(store, &stat);
    seen[0] = stat.version;
    seen[1] = stat.size_bytes;
}

/* Runs an operation, which may fail once, and then again, until it is done. */
static unsigned
run_step(struct state_store *store, struct state_operation *operation)
{
    uint64_t before[2] = {0}, after[2] = {0};
    long left = successes_left;
    enum state_status status;

    successes_left = -1;
    if (operation->kind != STATE_LIST)
        look(store, operation->key, before);
    successes_left = left;
    status = state_store_submit(store, operation);
    left = successes_left;
    successes_left = -1;
    if (status == STATE_NO_MEMORY) {
        if (operation->kind != STATE_LIST)
            look(store, operation->key, after);
        ck_assert_uint_eq(before[0], after[0]);
        ck_assert_uint_eq(before[1], after[1]);
        ck_assert_ptr_null(operation->result.bytes);
        ck_assert_ptr_null(operation->entries);
        status = state_store_submit(store, operation);
        ck_assert_int_eq(status, STATE_OK);
        state_operation_deinit(operation);
        successes_left = left;
        return 1;
    }
    ck_assert_int_eq(status, STATE_OK);
    state_operation_deinit(operation);
    successes_left = left;
    return 0;
}

/* What is there after all steps, whatever has failed on the way. */
static void
check_end(struct state_store *store)
{
    static const struct {
        const char *key;
        uint64_t size_bytes;
    } ends[] = {{"a", 8000}, {"b", 5000}, {"c", 360}, {"d", 0},
                {"e", 2},    {"0", 1},    {"9", 1},   {"J", 1}};
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "memory"};
    struct state_stats stats;
    uint64_t seen[2], bytes_there = 0;

    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        look(store, (struct state_bytes){ends[i].key, 1}, seen);
        ck_assert_uint_eq(seen[1], ends[i].size_bytes);
    }
    ck_assert_int_eq(state_store_submit(store, &list), STATE_OK);
    ck_assert_uint_eq(list.entry_count, 24);
    /* What failed was not counted. */
    for (size_t i = 0; i < list.entry_count; i++)
        bytes_there += list.entries[i].key.length_bytes +
                       list.entries[i].size_bytes;
    ck_assert_int_eq(state_store_stats(store, "memory", &stats), STATE_OK);
    ck_assert_uint_eq(stats.key_count, 24);
    ck_assert_uint_eq(stats.bytes, bytes_there);
    state_operation_deinit(&list);
}

/* One run; returns whether anything failed. */
static unsigned
run_script(long successes)
{
    struct state_options options = {.shard_count = 1};
    struct state_store *store = NULL;
    struct state_error err;
    unsigned failures = 0;

    successes_left = successes;
    if (state_store_open(&options, &store, &err) != STATE_OK) {
        successes_left = -1;
        ck_assert_str_eq(err.message, "out of memory");
        ck_assert_ptr_null(store);
        return 1;
    }
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        for (int repeat = 0; repeat < steps[i].repeats; repeat++) {
            struct state_operation operation =
                make_operation(&steps[i], repeat);

            failures += run_step(store, &operation);
        }
    successes_left = -1;
    check_end(store);
    state_store_close(store);
    return failures;
}

START_TEST(each_allocation_may_fail_and_nothing_is_lost_or_half_done)
{
    long successes = 0;
    unsigned failed_runs = 0;

    /* A failure may also be made up for, so only the number of runs ends it. */
    for (; successes < 200; successes++)
        failed_runs += run_script(successes);
    ck_assert_uint_ge(failed_runs, 40);
    ck_assert_uint_eq(run_script(100000), 0);
}
END_TEST

/* ---- All or nothing ---- */

#define BATCHED 8

/* Changes three keys in all ways that need memory, and makes two. */
static const struct state_operation batched[BATCHED] = {
    {.kind = STATE_DELETE, .key = {"a", 1}},
    {.kind = STATE_PUT, .key = {"a", 1}, .value = {bytes, 400}},
    {.kind = STATE_APPEND, .key = {"b", 1}, .value = {bytes, 90}},
    {.kind = STATE_PUT_RANGE,
     .key = {"b", 1},
     .value = {bytes, 5000},
     .range_offset_bytes = 50},
    {.kind = STATE_EXPIRE, .key = {"c", 1}, .ttl_ms = 1000000},
    {.kind = STATE_PUT, .key = {"c", 1}, .value = {bytes, 5}},
    {.kind = STATE_PUT, .key = {"d", 1}, .ttl_ms = 1000000},
    {.kind = STATE_INCREMENT, .key = {"e", 1}},
};

/* Makes a, b and c; tells what the five keys are like. */
static void
prepare_keys(struct state_store *store, uint64_t seen[5][2])
{
    for (size_t i = 0; i < 3; i++) {
        struct state_operation put = {.kind = STATE_PUT,
                                      .namespace_ = "memory",
                                      .key = {&"abc"[i], 1},
                                      .value = {bytes, 100 + i},
                                      .ttl_ms = i == 0 ? 1000000 : 0};

        ck_assert_int_eq(state_store_submit(store, &put), STATE_OK);
    }
    for (size_t i = 0; i < 5; i++)
        look(store, (struct state_bytes){&"abcde"[i], 1}, seen[i]);
}

/* One run; returns whether the batch had the memory that it needed. */
static bool
run_batch(long successes)
{
    struct state_options options = {.shard_count = 1};
    struct state_operation operations[BATCHED];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = BATCHED,
                                    .all_or_nothing = true};
    struct state_store *store = NULL;
    uint64_t before[5][2], after[2];
    enum state_status status;

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    prepare_keys(store, before);
    memcpy(operations, batched, sizeof operations);
    for (int i = 0; i < BATCHED; i++)
        operations[i].namespace_ = "memory";
    successes_left = successes;
    status = state_store_submit(store, &batch);
    successes_left = -1;
    for (size_t i = 0; i < 5; i++) {
        look(store, (struct state_bytes){&"abcde"[i], 1}, after);
        ck_assert((memcmp(before[i], after, sizeof after) == 0) ==
                  (status != STATE_OK));
    }
    ck_assert(status == STATE_OK || status == STATE_NO_MEMORY);
    for (int i = 0; i < BATCHED; i++)
        state_operation_deinit(&operations[i]);
    state_store_close(store);
    return status == STATE_OK;
}

START_TEST(a_batch_without_memory_is_none)
{
    long successes = 0;

    while (!run_batch(successes))
        successes++;
    ck_assert_int_ge(successes, 4);
}
END_TEST

/* Puts values of all sorts into a store on a disk. */
static void
fill_disk(struct state_store *store)
{
    for (int i = 0; i < 40; i++) {
        char key = (char)('A' + i);
        struct state_operation put = {
            .kind = STATE_PUT,
            .namespace_ = i % 2 ? "one" : "other",
            .key = {&key, 1},
            .value = {bytes, (size_t)i * 300},
            .ttl_ms = i % 3 ? 0 : 1000000,
        };

        ck_assert_int_eq(await(store, &put), STATE_OK);
        state_operation_deinit(&put);
    }
}

START_TEST(an_open_of_a_directory_fails_at_any_allocation_and_can_be_repeated)
{
    struct state_options options = {.durability = STATE_DURABILITY_SYNC};
    struct state_store *store = NULL;
    struct disk disk;
    long count = 0;

    disk_init(&disk);
    options.url = disk.url;
    for (int is_filled = 0; is_filled < 2; is_filled++) {
        for (count = 0;; count++) {
            struct state_error err = {""};
            enum state_status status;

            successes_left = count;
            status = state_store_open(&options, &store, &err);
            /* What was not needed must not fail what comes. */
            if (status == STATE_OK)
                successes_left = -1;
            if (status == STATE_OK)
                break;
            ck_assert_int_eq(successes_left, -1);
            ck_assert_int_eq(status, STATE_NO_MEMORY);
            ck_assert_str_ne(err.message, "");
        }
        fill_disk(store);
        state_store_close(store);
    }
    ck_assert_int_gt(count, 40);
    disk_deinit(&disk);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        each_allocation_may_fail_and_nothing_is_lost_or_half_done,
        a_batch_without_memory_is_none,
        an_open_of_a_directory_fails_at_any_allocation_and_can_be_repeated,
        NULL,
    };

    return run_suite("no memory", tests);
}
