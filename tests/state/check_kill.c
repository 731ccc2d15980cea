/*
 * What a store on a disk has after kill -9 at any moment, under load: a
 * process writes and notes, in memory that it shares with the test, what it
 * has submitted and what was acknowledged; the test kills it, opens the
 * directory and compares. GLASS_KILL_ROUNDS says how often (12),
 * GLASS_TEST_SEED where the moments come from, GLASS_TEST_DISK where the
 * directory is.
 *
 * With `behind` what may be lost is what was acknowledged within one window.
 * That is exact: a write is acknowledged at once only while the oldest that
 * is not on the disk was queued at most a window ago.
 */
#include "tests/state/await.h"
#include "tests/state/disk.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CLIENTS 24
#define VALUE_MAX 30000

/* The times of the last acknowledgements, by number; must span a window. */
#define TIMES (1u << 20)

/* The store's clock is coarse: a tick of the kernel's, and rounding. */
#define TICK_MS 12

/* What a client has done; each does it to a key of its own. */
struct notes {
    _Atomic uint64_t submitted;
    _Atomic uint64_t acknowledged;
};

struct shared {
    atomic_bool is_open;
    struct notes counts[CLIENTS]; /* increments */
    struct notes values[CLIENTS]; /* puts of whole values */
    struct notes toggles[CLIENTS]; /* puts (odd) and deletions (even) */
    struct notes pairs[CLIENTS]; /* batches that increment two keys */
    struct notes behind;
    _Atomic uint64_t behind_began_ms; /* the last that was acknowledged */
    _Atomic uint64_t behind_ended_ms[TIMES];
};

static struct shared *shared;
static struct disk disk;

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static void
name_key(char key[16], char kind, unsigned index)
{
    snprintf(key, 16, "%c%u", kind, index);
}

/* The value of a number: its digits, and then so many of one byte. */
static size_t
make_value(char *bytes, uint64_t number)
{
    size_t length = 20 + number * number % (number % 7 ? 200 : VALUE_MAX - 20);

    memset(bytes, 'a' + (int)(number % 26), length);
    snprintf(bytes, 20, "%019llu", (unsigned long long)number);
    return length;
}

/* ---- The process that is killed ---- */

static void
give_up(const char *why)
{
    fprintf(stderr, "the process to be killed: %s\n", why);
    abort();
}

struct client {
    struct state_operation operation;
    struct state_store *store;
    struct notes *notes;
    unsigned index;
    char kind;
    char key[16];
    char *value;
    struct state_operation both[2]; /* of a batch */
    char other[16];
};

/* Makes the client's operation a batch that increments two keys. */
static void
make_pair(struct client *client)
{
    struct state_operation *operation = &client->operation;

    name_key(client->other, 'q', client->index);
    for (int i = 0; i < 2; i++) {
        client->both[i].kind = STATE_INCREMENT;
        client->both[i].namespace_ = "sync";
        client->both[i].key = text(i ? client->other : client->key);
        client->both[i].delta = 1;
    }
    operation->kind = STATE_BATCH;
    operation->operations = client->both;
    operation->operation_count = 2;
    operation->all_or_nothing = true;
}

static void
go_on(struct client *client)
{
    struct state_operation *operation = &client->operation;
    uint64_t number;

    for (;;) {
        number = atomic_fetch_add(&client->notes->submitted, 1) + 1;
        operation->kind = client->kind == 'n' ? STATE_INCREMENT : STATE_PUT;
        if (client->kind == 't' && number % 2 == 0)
            operation->kind = STATE_DELETE;
        operation->delta = 1;
        operation->value.bytes = client->value;
        operation->value.length_bytes =
            operation->kind == STATE_PUT ? make_value(client->value, number)
                                         : 0;
        if (client->kind == 'p')
            make_pair(client);
        if (state_store_submit(client->store, operation) == STATE_PENDING)
            return;
        if (operation->status != STATE_OK)
            give_up(operation->message);
        atomic_store(&client->notes->acknowledged, number);
    }
}

static void
completed(struct state_operation *operation)
{
    struct client *client = operation->data;

    if (operation->status != STATE_OK)
        give_up(operation->message);
    atomic_store(&client->notes->acknowledged,
                 atomic_load(&client->notes->submitted));
    go_on(client);
}

static void
start_clients(struct state_store *store, char kind, struct notes *notes)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = calloc(1, sizeof *client);

        client->store = store;
        client->notes = &notes[i];
        client->kind = kind;
        client->index = i;
        client->value = malloc(VALUE_MAX);
        name_key(client->key, kind, i);
        client->operation.namespace_ = "sync";
        client->operation.key = text(client->key);
        client->operation.complete = completed;
        client->operation.data = client;
        go_on(client);
    }
}

/* Increments in the namespace `behind`, until the end. */
static void
run_behind(struct state_store *store)
{
    struct state_operation operation = {0};
    uint64_t number, began_ms;

    for (;;) {
        began_ms = now_ms();
        number = atomic_fetch_add(&shared->behind.submitted, 1) + 1;
        if (await_increment(store, "behind", "n", 1, &operation) != STATE_OK)
            give_up(operation.message);
        atomic_store(&shared->behind_ended_ms[number % TIMES], now_ms());
        atomic_store(&shared->behind_began_ms, began_ms);
        atomic_store(&shared->behind.acknowledged, number);
        if (number % 512 == 0)
            usleep(1000);
    }
}

static void
run_until_killed(void)
{
    struct state_options options = {.url = disk.url};
    struct state_store *store = NULL;
    struct state_error err;

    /* Whatever happens, it ends. */
    alarm(60);
    if (state_store_open(&options, &store, &err) != STATE_OK ||
        state_store_set_durability(store, "behind", STATE_DURABILITY_BEHIND,
                                   &err) != STATE_OK)
        give_up(err.message);
    atomic_store(&shared->is_open, true);
    start_clients(store, 'n', shared->counts);
    start_clients(store, 'v', shared->values);
    start_clients(store, 't', shared->toggles);
    start_clients(store, 'p', shared->pairs);
    run_behind(store);
}

/* ---- What there is afterwards ---- */

/* What a key has as a number; 0 when it is absent. */
static uint64_t
read_number(struct state_store *store, const char *namespace_, char kind,
            unsigned index)
{
    struct state_operation get = {0};
    char key[16], digits[21] = "", *expected;
    uint64_t number = 0;

    name_key(key, kind, index);
    if (strcmp(namespace_, "behind") == 0)
        key[1] = '\0';
    if (await_get(store, namespace_, key, &get) == STATE_OK) {
        memcpy(digits, get.result.bytes,
               get.result.length_bytes < 20 ? get.result.length_bytes : 20);
        number = strtoull(digits, NULL, 10);
        expected = malloc(VALUE_MAX);
        if (kind == 'v' || kind == 't') {
            /* Values are whole: the one of a number, or none. */
            ck_assert_uint_eq(make_value(expected, number),
                              get.result.length_bytes);
            ck_assert(memcmp(expected, get.result.bytes,
                             get.result.length_bytes) == 0);
        }
        free(expected);
    }
    state_operation_deinit(&get);
    return number;
}

/* Notes that the last number is `number`, for the next process. */
static void
settle(struct notes *notes, uint64_t number)
{
    atomic_store(&notes->submitted, number);
    atomic_store(&notes->acknowledged, number);
}

static void
check_notes(struct state_store *store, char kind, struct notes *notes,
            int round)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        uint64_t number = read_number(store, "sync", kind, i);
        uint64_t least = atomic_load(&notes[i].acknowledged);
        uint64_t most = atomic_load(&notes[i].submitted);

        /* An absent key: the last deletion that can have been. */
        if (kind == 't' && number == 0)
            number = most - most % 2;
        ck_assert_msg(number >= least && number <= most,
                      "round %d, key %c%u: %llu of %llu to %llu", round, kind,
                      i, (unsigned long long)number,
                      (unsigned long long)least, (unsigned long long)most);
        if (kind == 'p')
            ck_assert_uint_eq(read_number(store, "sync", 'q', i), number);
        settle(&notes[i], number);
    }
}

static void
check_behind(struct state_store *store, int round)
{
    uint64_t number = read_number(store, "behind", 'n', 0);
    uint64_t last = atomic_load(&shared->behind.acknowledged);

    ck_assert_uint_le(number, atomic_load(&shared->behind.submitted));
    if (number < last) {
        uint64_t lost_ms =
            atomic_load(&shared->behind_ended_ms[(number + 1) % TIMES]);
        uint64_t last_ms = atomic_load(&shared->behind_began_ms);

        ck_assert_msg(last - number < TIMES &&
                          last_ms <= lost_ms + STATE_BEHIND_MS + TICK_MS,
                      "round %d: %llu to %llu are lost, of %llu ms", round,
                      (unsigned long long)number, (unsigned long long)last,
                      (unsigned long long)(last_ms - lost_ms));
    }
    settle(&shared->behind, number);
}

/* The sum of what was acknowledged, to see that there was a load. */
static uint64_t
sum(void)
{
    uint64_t total = 0;

    for (unsigned i = 0; i < CLIENTS; i++)
        total += atomic_load(&shared->counts[i].acknowledged);
    return total;
}

START_TEST(what_was_acknowledged_survives_kill_at_any_moment)
{
    const char *rounds = getenv("GLASS_KILL_ROUNDS");
    const char *seed = getenv("GLASS_TEST_SEED");
    unsigned number = seed ? (unsigned)atoi(seed) : (unsigned)time(NULL);
    int count = rounds ? atoi(rounds) : 12;

    printf("GLASS_TEST_SEED=%u\n", number);
    fflush(stdout);
    disk_init(&disk);
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    ck_assert(shared != MAP_FAILED);
    for (int round = 0; round < count; round++) {
        struct state_store *store;
        int status;
        pid_t child;

        atomic_store(&shared->is_open, false);
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            run_until_killed();
        /* Every fourth is killed while it opens, or soon after. */
        while (round % 4 != 0 && !atomic_load(&shared->is_open) &&
               waitpid(child, &status, WNOHANG) == 0)
            usleep(100);
        usleep((unsigned)rand_r(&number) % (round % 4 ? 250000 : 10000));
        kill(child, SIGKILL);
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        store = open_store(disk.url);
        check_notes(store, 'n', shared->counts, round);
        check_notes(store, 'v', shared->values, round);
        check_notes(store, 't', shared->toggles, round);
        check_notes(store, 'p', shared->pairs, round);
        check_behind(store, round);
        state_store_close(store);
    }
    ck_assert_uint_gt(sum(), (unsigned)count);
    printf("%d rounds, %llu increments in sync and %llu behind\n", count,
           (unsigned long long)sum(),
           (unsigned long long)atomic_load(&shared->behind.acknowledged));
    munmap(shared, sizeof *shared);
    disk_deinit(&disk);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        what_was_acknowledged_survives_kill_at_any_moment,
        NULL,
    };

    return run_suite("kill", tests);
}
