/*
 * Random operations of all kinds on the memory backend, held against a model
 * that does them one after the other on an array; and operations of eight
 * threads, whose results must fit an order that agrees with the time in which
 * they were made (linearizability, per key).
 *
 *     GLASS_TEST_SEED=N              the same run again
 *     GLASS_MODEL_OPERATIONS=N       more than the usual ones
 */
#include "tests/state/await.h"
#include "tests/state/suite.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t
number_from(const char *variable, uint64_t otherwise)
{
    const char *given = getenv(variable);

    return given ? strtoull(given, NULL, 10) : otherwise;
}

static uint64_t random_state;

/* A random number below `bound`. */
static unsigned
below(unsigned bound)
{
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(random_state >> 33) % bound;
}

/* ---- The model ---- */

#define KEYS 24
#define VALUE_MAX 6000

struct entry {
    bool is_there;
    uint64_t version;
    uint64_t deadline_ms; /* 0: it stays */
    size_t length;
    char value[VALUE_MAX];
};

static struct entry model[KEYS];
static struct entry saved[KEYS]; /* while a batch runs */
static uint64_t last_version;
static uint64_t time_ms = 1000;
static const char key_names[] = "abcdefghijklmnopqrstuvwx";

static uint64_t
look_at_clock(void *data)
{
    (void)data;
    return __atomic_load_n(&time_ms, __ATOMIC_RELAXED);
}

static struct entry *
find(const struct state_operation *operation)
{
    struct entry *entry = &model[*(const char *)operation->key.bytes - 'a'];

    if (entry->is_there && entry->deadline_ms > 0 &&
        entry->deadline_ms <= time_ms)
        entry->is_there = false;
    return entry;
}

static bool
condition_holds(const struct state_operation *operation,
                const struct entry *entry)
{
    uint64_t version = entry->is_there ? entry->version : 0;

    if (operation->kind == STATE_COMPARE_AND_SWAP ||
        operation->condition == STATE_IF_VERSION)
        return version == operation->version_expected;
    return operation->condition == STATE_ALWAYS ||
           (operation->condition == STATE_IF_PRESENT) == entry->is_there;
}

/* Lays the operation's value over the entry's, from an offset on. */
static enum state_status
lay(const struct state_operation *operation, struct entry *entry,
    uint64_t offset)
{
    size_t old = entry->is_there ? entry->length : 0;
    size_t end = (size_t)offset + operation->value.length_bytes;

    if (end > VALUE_MAX)
        return STATE_TOO_BIG;
    if (end > old)
        memset(entry->value + old, 0, end - old);
    memcpy(entry->value + offset, operation->value.bytes,
           operation->value.length_bytes);
    entry->length = end > old ? end : old;
    return STATE_OK;
}

static enum state_status
add(const struct state_operation *operation, struct entry *entry)
{
    char text[32], again[32];
    int64_t number = 0;

    if (entry->is_there) {
        if (entry->length == 0 || entry->length > 20)
            return STATE_NOT_A_NUMBER;
        memcpy(text, entry->value, entry->length);
        text[entry->length] = '\0';
        number = strtoll(text, NULL, 10);
        snprintf(again, sizeof again, "%" PRId64, number);
        if (strlen(again) != entry->length ||
            memcmp(text, again, entry->length) != 0)
            return STATE_NOT_A_NUMBER;
    }
    if (__builtin_add_overflow(number, operation->delta, &number))
        return STATE_OVERFLOW;
    entry->length = (size_t)snprintf(entry->value, VALUE_MAX, "%" PRId64,
                                     number);
    return STATE_OK;
}

static enum state_status
change_expiry(const struct state_operation *operation, struct entry *entry)
{
    if (!entry->is_there)
        return STATE_NOT_FOUND;
    entry->deadline_ms = operation->kind == STATE_EXPIRE
                             ? time_ms + operation->ttl_ms
                             : 0;
    return STATE_OK;
}

/* What a write does, by the book. */
static enum state_status
write_model(const struct state_operation *operation)
{
    struct entry *entry = find(operation);
    bool replaces = operation->kind == STATE_PUT ||
                    operation->kind == STATE_COMPARE_AND_SWAP;
    enum state_status status;

    if (!condition_holds(operation, entry))
        return STATE_CONFLICT;
    if (operation->kind == STATE_EXPIRE || operation->kind == STATE_PERSIST)
        return change_expiry(operation, entry);
    if (operation->kind == STATE_DELETE) {
        status = entry->is_there ? STATE_OK : STATE_NOT_FOUND;
        entry->is_there = false;
        return status;
    }
    if (replaces && entry->is_there)
        entry->length = 0;
    if (operation->kind == STATE_INCREMENT)
        status = add(operation, entry);
    else if (operation->kind == STATE_APPEND)
        status = lay(operation, entry, entry->is_there ? entry->length : 0);
    else
        status = lay(operation, entry,
                     replaces ? 0 : operation->range_offset_bytes);
    if (status != STATE_OK)
        return status;
    if (operation->ttl_ms > 0)
        entry->deadline_ms = time_ms + operation->ttl_ms;
    else if (!entry->is_there || (replaces && !operation->keep_expiry))
        entry->deadline_ms = 0;
    entry->is_there = true;
    return STATE_OK;
}

static bool
is_read(enum state_kind kind)
{
    return kind == STATE_GET || kind == STATE_STAT || kind == STATE_GET_RANGE;
}

/* Holds a read against the model. */
static bool
read_agrees(const struct state_operation *operation)
{
    struct entry *entry = find(operation);
    size_t from = 0, length = entry->length;

    if (!entry->is_there)
        return operation->status == STATE_NOT_FOUND;
    if (operation->status != STATE_OK ||
        operation->version != entry->version ||
        operation->size_bytes != entry->length)
        return false;
    if (operation->kind == STATE_STAT)
        return operation->expires_in_ms ==
               (entry->deadline_ms ? entry->deadline_ms - time_ms : 0);
    if (operation->kind == STATE_GET_RANGE) {
        from = operation->range_offset_bytes < length
                   ? (size_t)operation->range_offset_bytes
                   : length;
        length -= from;
        if (operation->range_length_bytes < length)
            length = (size_t)operation->range_length_bytes;
    }
    return operation->result.length_bytes == length &&
           memcmp(operation->result.bytes, entry->value + from, length) == 0;
}

/* Holds an operation that has ended against the model, which follows it. */
static bool
agrees(const struct state_operation *operation)
{
    struct entry *entry = find(operation);
    enum state_status status;

    if (is_read(operation->kind))
        return read_agrees(operation);
    status = write_model(operation);
    if (status != operation->status)
        return false;
    if (status != STATE_OK)
        return status != STATE_CONFLICT ||
               operation->version ==
                   (entry->is_there ? entry->version : 0);
    if (operation->kind == STATE_EXPIRE || operation->kind == STATE_PERSIST)
        return operation->version == entry->version;
    if (operation->version <= last_version)
        return false;
    last_version = operation->version;
    entry->version = operation->version;
    return true;
}

/* ---- Random operations ---- */

static char bytes[VALUE_MAX + 1];

static void
choose(struct state_operation *operation)
{
    static const enum state_kind kinds[] = {
        STATE_GET,       STATE_STAT,      STATE_PUT,
        STATE_PUT,       STATE_DELETE,    STATE_INCREMENT,
        STATE_INCREMENT, STATE_APPEND,    STATE_COMPARE_AND_SWAP,
        STATE_GET_RANGE, STATE_PUT_RANGE, STATE_EXPIRE,
        STATE_PERSIST,
    };
    static const unsigned lengths[] = {1, 9, 30, 130, 300, 4200, VALUE_MAX};
    enum state_kind kind = kinds[below(13)];
    unsigned length = below(lengths[below(7)] + 1);

    *operation = (struct state_operation){
        .kind = kind,
        .namespace_ = "model",
        .key = {&key_names[below(KEYS)], 1},
        .value = {bytes + below(100), length},
        .delta = below(3) ? (int64_t)below(2000) - 1000
                          : (int64_t)random_state,
        .range_offset_bytes = below(lengths[below(7)] + 1),
        .range_length_bytes = below(2) ? below(5000) : UINT64_MAX,
    };
    if (length > VALUE_MAX - 100)
        operation->value.bytes = bytes;
    if (kind == STATE_PUT && below(2))
        operation->value = text("-17");
    if (is_read(kind))
        return;
    if (kind == STATE_EXPIRE || below(8) == 0)
        operation->ttl_ms = 1 + below(300);
    else
        operation->keep_expiry = below(2);
    if (below(3) == 0)
        operation->condition = (enum state_condition)below(4);
    operation->version_expected =
        below(3) ? model[*(const char *)operation->key.bytes - 'a'].version
                 : below(2);
}

/* A batch; the model follows it only if it was done. */
static bool
batch_agrees(struct state_store *store, unsigned count)
{
    struct state_operation operations[8];
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = count,
                                    .all_or_nothing = below(2)};
    bool agreed = true, failed;

    for (unsigned i = 0; i < count; i++)
        choose(&operations[i]);
    failed = await(store, &batch) != STATE_OK;
    memcpy(saved, model, sizeof model);
    for (unsigned i = 0; i < count && agreed; i++) {
        if (failed && i > batch.failed_index)
            agreed = operations[i].status == STATE_ABORTED;
        else if (failed && i < batch.failed_index)
            agreed = operations[i].status == STATE_ABORTED &&
                     (is_read(operations[i].kind) ||
                      write_model(&operations[i]) != STATE_CONFLICT);
        else if (failed)
            agreed = write_model(&operations[i]) == operations[i].status ||
                     operations[i].condition == STATE_IF_VERSION ||
                     operations[i].kind == STATE_COMPARE_AND_SWAP;
        else
            agreed = agrees(&operations[i]);
    }
    if (failed)
        memcpy(model, saved, sizeof model);
    for (unsigned i = 0; i < count; i++)
        state_operation_deinit(&operations[i]);
    return agreed;
}

/* The list of all keys, and the figures. */
static bool
whole_agrees(struct state_store *store)
{
    struct state_operation list = {
        .kind = STATE_LIST, .namespace_ = "model", .limit_count = KEYS};
    size_t found = 0;
    bool agreed = await(store, &list) == STATE_OK;

    for (size_t i = 0; i < KEYS && agreed; i++) {
        struct state_operation key = {.key = {&key_names[i], 1}};
        const struct state_entry *entry = &list.entries[found];

        if (!find(&key)->is_there)
            continue;
        agreed = found < list.entry_count &&
                 *(const char *)entry->key.bytes == key_names[i] &&
                 entry->version == model[i].version &&
                 entry->size_bytes == model[i].length;
        found++;
    }
    agreed = agreed && found == list.entry_count;
    state_operation_deinit(&list);
    return agreed;
}

START_TEST(random_operations_do_what_the_model_does)
{
    struct state_options options = {.shard_count = 4,
                                    .value_bytes_max = VALUE_MAX,
                                    .now_ms = look_at_clock};
    uint64_t seed = number_from("GLASS_TEST_SEED", (uint64_t)time(NULL));
    uint64_t count = number_from("GLASS_MODEL_OPERATIONS", 60000), done = 0;
    struct state_store *store;

    printf("GLASS_TEST_SEED=%" PRIu64 "\n", seed);
    fflush(stdout);
    random_state = seed;
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (char)below(256);
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    while (done < count) {
        struct state_operation operation;
        unsigned what = below(40);

        if (what == 0) {
            ck_assert_msg(whole_agrees(store), "list, %" PRIu64, done++);
        } else if (what < 6) {
            unsigned length = 1 + below(8);

            ck_assert_msg(batch_agrees(store, length), "batch, %" PRIu64,
                          done);
            done += length;
        } else {
            choose(&operation);
            await(store, &operation);
            ck_assert_msg(agrees(&operation), "%s, %" PRIu64 ": %s",
                          state_kind_name(operation.kind), done,
                          operation.message);
            state_operation_deinit(&operation);
            done++;
        }
        if (below(20) == 0)
            __atomic_add_fetch(&time_ms, below(40), __ATOMIC_RELAXED);
    }
    ck_assert(whole_agrees(store));
    state_store_close(store);
}
END_TEST

/* ---- Linearizability ---- */

#define THREADS 8
#define ROUNDS 4000
#define SHARED_KEYS 3

/*
 * One operation as its thread saw it. All that write make the number one
 * larger, so that the number orders them: a write of n has the place 2n, a
 * read of n any place between it and the next write, 2n + 1.
 */
struct event {
    uint64_t begin;
    uint64_t end;
    int64_t place;
};

static struct event events[SHARED_KEYS][THREADS * ROUNDS];
static atomic_uint event_counts[SHARED_KEYS];
static atomic_uint_fast64_t ticks;
static atomic_uint thread_count;
static struct state_store *shared;

static int64_t
number_in(const struct state_operation *get)
{
    char digits[32] = {0};

    if (get->status == STATE_NOT_FOUND)
        return 0;
    memcpy(digits, get->result.bytes, get->result.length_bytes);
    return strtoll(digits, NULL, 10);
}

static void
note(unsigned key, uint64_t begin, int64_t place)
{
    events[key][atomic_fetch_add(&event_counts[key], 1)] = (struct event){
        .begin = begin,
        .end = atomic_fetch_add(&ticks, 1),
        .place = place,
    };
}

/* Reads the number and swaps it for the next one, if nobody was faster. */
static void
swap(struct state_operation *operation, unsigned key)
{
    char digits[32];
    uint64_t begin = atomic_fetch_add(&ticks, 1);
    int64_t number;

    operation->kind = STATE_GET;
    state_store_submit(shared, operation);
    number = number_in(operation);
    note(key, begin, 2 * number + 1);
    snprintf(digits, sizeof digits, "%" PRId64, number + 1);
    operation->kind = STATE_COMPARE_AND_SWAP;
    operation->version_expected = operation->version;
    operation->value = text(digits);
    begin = atomic_fetch_add(&ticks, 1);
    if (state_store_submit(shared, operation) == STATE_OK)
        note(key, begin, 2 * (number + 1));
    else
        ck_assert_int_eq(operation->status, STATE_CONFLICT);
}

static void *
run_thread(void *argument)
{
    unsigned seed = atomic_fetch_add(&thread_count, 1) + 1;
    struct state_operation operation = {.namespace_ = "shared", .delta = 1};

    (void)argument;
    for (int i = 0; i < ROUNDS / 2; i++) {
        unsigned key = (seed = seed * 1664525 + 1013904223) >> 16;
        uint64_t begin;

        key %= SHARED_KEYS;
        operation.key = (struct state_bytes){&key_names[key], 1};
        if (seed >> 31) {
            swap(&operation, key);
            continue;
        }
        begin = atomic_fetch_add(&ticks, 1);
        operation.kind = STATE_INCREMENT;
        ck_assert_int_eq(state_store_submit(shared, &operation), STATE_OK);
        note(key, begin, 2 * operation.number);
    }
    state_operation_deinit(&operation);
    return NULL;
}

static int
compare_places(const void *left, const void *right)
{
    const struct event *a = left, *b = right;

    return (a->place > b->place) - (a->place < b->place);
}

/*
 * Whether no event ended before one began that has an earlier place, and no
 * two writes have the same.
 */
static bool
is_linearizable(struct event *of_key, unsigned count)
{
    uint64_t latest_begin = 0, group_begin = 0;

    qsort(of_key, count, sizeof *of_key, compare_places);
    for (unsigned i = 0; i < count; i++) {
        bool is_same = i > 0 && of_key[i].place == of_key[i - 1].place;

        if (is_same && of_key[i].place % 2 == 0)
            return false;
        if (!is_same && group_begin > latest_begin)
            latest_begin = group_begin;
        if (of_key[i].end < latest_begin)
            return false;
        if (of_key[i].begin > group_begin)
            group_begin = of_key[i].begin;
    }
    return true;
}

START_TEST(operations_of_many_threads_have_an_order)
{
    pthread_t threads[THREADS];

    shared = open_store("memory");
    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, run_thread, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    for (unsigned key = 0; key < SHARED_KEYS; key++) {
        unsigned count = event_counts[key];

        ck_assert_uint_gt(count, ROUNDS);
        ck_assert(is_linearizable(events[key], count));
        /* The check is no formality: an exchange of two is noticed. */
        events[key][count / 2].begin = UINT64_MAX;
        ck_assert(!is_linearizable(events[key], count));
    }
    state_store_close(shared);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("model");
    TCase *tcase = tcase_create("model");

    /* The soak has a million operations; what hangs is ended by ctest. */
    tcase_set_timeout(tcase, 0);
    tcase_add_test(tcase, random_operations_do_what_the_model_does);
    tcase_add_test(tcase, operations_of_many_threads_have_an_order);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
