/*
 * state.c - what operations on the state cost, and what a million keys take.
 *
 *     bench-state [--no-redis] [MANY_WASM]
 *
 * Keys have 16 bytes, values 64. Each figure is the best of several rounds in
 * this run, and each is printed beside what it is held against: two threads
 * on one store beside two processes with one each, and everything beside a
 * redis-server that is asked one command at a time over a unix socket. With
 * the module that is made of many.c: what they cost from inside a guest, too.
 */
#include "guest.h"
#include "redis.h"
#include "state/state.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KEY_BYTES 16
#define VALUE_BYTES 64
#define MANY 1000000
#define HOT 10000
#define OPERATIONS 1000000
#define ROUNDS 3

static char value[VALUE_BYTES];
static uint32_t *order; /* the keys' numbers, shuffled */

static double
read_clock(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static double
now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

static void
write_key(char key[KEY_BYTES], uint32_t number)
{
    static const char digits[] = "0123456789abcdef";

    memcpy(key, "user:0000:", 10);
    for (int i = 15; i >= 10; i--, number >>= 4)
        key[i] = digits[number & 15];
}

/* The keys in the order in which they are asked for, one after the other. */
static char *
make_keys(uint32_t count)
{
    char *keys = malloc((size_t)count * KEY_BYTES);
    uint64_t random = 1;

    order = malloc(count * sizeof *order);
    for (uint32_t i = 0; i < count; i++)
        order[i] = i;
    for (uint32_t i = count - 1; i > 0; i--) {
        uint32_t other, swapped = order[i];

        random = random * 6364136223846793005u + 1442695040888963407u;
        other = (uint32_t)((random >> 33) % (i + 1));
        order[i] = order[other];
        order[other] = swapped;
    }
    for (uint32_t i = 0; i < count; i++)
        write_key(keys + (size_t)i * KEY_BYTES, order[i]);
    free(order);
    return keys;
}

static void
must(struct state_store *store, struct state_operation *operation)
{
    if (state_store_submit(store, operation) == STATE_OK)
        return;
    fprintf(stderr, "bench-state: %s\n", operation->message);
    exit(1);
}

static struct state_store *
open_memory(void)
{
    struct state_store *store;

    if (state_store_open(NULL, &store, NULL) != STATE_OK)
        exit(1);
    return store;
}

static void
fill(struct state_store *store, uint32_t count, bool numbers)
{
    char key[KEY_BYTES];
    struct state_operation put = {
        .kind = STATE_PUT,
        .namespace_ = "default",
        .key = {key, KEY_BYTES},
        .value = {numbers ? "1000" : value, numbers ? 4 : VALUE_BYTES},
    };

    for (uint32_t i = 0; i < count; i++) {
        write_key(key, i);
        must(store, &put);
    }
    state_operation_deinit(&put);
}

/*
 * Operations over keys in their order; returns the nanoseconds of one, by a
 * clock: the processor's where one thread is measured by itself, so that
 * others on the machine do not count.
 */
static double
run(struct state_store *store, enum state_kind kind, const char *keys,
    uint32_t count, clockid_t clock)
{
    struct state_operation operation = {
        .kind = kind,
        .namespace_ = "default",
        .delta = 1,
    };
    double begin = read_clock(clock);
    uint32_t at = 0;

    for (unsigned i = 0; i < OPERATIONS; i++) {
        operation.key =
            (struct state_bytes){keys + (size_t)at * KEY_BYTES, KEY_BYTES};
        must(store, &operation);
        if (++at == count)
            at = 0;
    }
    begin = read_clock(clock) - begin;
    state_operation_deinit(&operation);
    return begin / OPERATIONS;
}

static double
best_of(struct state_store *store, enum state_kind kind, const char *keys,
        uint32_t count)
{
    double best = 1e9;

    for (int i = 0; i < ROUNDS; i++) {
        double ns = run(store, kind, keys, count, CLOCK_THREAD_CPUTIME_ID);

        if (ns < best)
            best = ns;
    }
    return best;
}

/* ---- Two at once ---- */

/* Where both meet before they begin, in memory that processes share. */
struct start {
    atomic_uint ready;
    double ns[2];
};

struct runner {
    struct start *start;
    int number;
    struct state_store *store;
    enum state_kind kind;
    const char *keys;
};

static void *
run_one(void *argument)
{
    struct runner *runner = argument;

    /* Each begins with another key. */
    atomic_fetch_add(&runner->start->ready, 1);
    while (atomic_load(&runner->start->ready) < 2)
        ;
    runner->start->ns[runner->number] =
        run(runner->store, runner->kind,
            runner->keys + runner->number * (HOT / 2) * KEY_BYTES, HOT / 2,
            CLOCK_MONOTONIC);
    return NULL;
}

/* Operations per second of both together, in one process or in two. */
static double
rate_of_two(enum state_kind kind, const char *keys, bool as_threads)
{
    struct start *start = mmap(NULL, sizeof *start, PROT_READ | PROT_WRITE,
                               MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    struct state_store *store = NULL;
    pthread_t threads[2];
    double rate;

    if (as_threads) {
        store = open_memory();
        fill(store, HOT, kind == STATE_INCREMENT);
    }
    for (int i = 0; i < 2; i++) {
        static struct runner runners[2];

        runners[i] = (struct runner){start, i, store, kind, keys};
        if (as_threads) {
            pthread_create(&threads[i], NULL, run_one, &runners[i]);
        } else if (fork() == 0) {
            runners[i].store = open_memory();
            fill(runners[i].store, HOT, kind == STATE_INCREMENT);
            run_one(&runners[i]);
            _exit(0);
        }
    }
    for (int i = 0; i < 2; i++) {
        if (as_threads)
            pthread_join(threads[i], NULL);
        else
            wait(NULL);
    }
    state_store_close(store);
    rate = 1e9 / start->ns[0] + 1e9 / start->ns[1];
    munmap(start, sizeof *start);
    return rate;
}

static void
compare_two(const char *name, enum state_kind kind, const char *keys)
{
    double threads = 0, processes = 0;

    for (int i = 0; i < ROUNDS; i++) {
        double rate = rate_of_two(kind, keys, true);

        if (rate > threads)
            threads = rate;
        rate = rate_of_two(kind, keys, false);
        if (rate > processes)
            processes = rate;
    }
    printf("%-34s %8.2f of two processes (%.1f and %.1f million/s)\n", name,
           threads / processes, threads / 1e6, processes / 1e6);
}

/* ---- Memory ---- */

/* What a process has in memory, in bytes. */
static double
resident_bytes(int pid)
{
    char path[64], line[256];
    double kib = 0;
    FILE *file;

    snprintf(path, sizeof path, "/proc/%d/status", pid);
    file = fopen(path, "r");
    while (file != NULL && fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "VmRSS: %lf", &kib) == 1)
            break;
    if (file != NULL)
        fclose(file);
    return kib * 1024;
}

/* ---- Redis ---- */

static void
fill_redis(struct redis *redis)
{
    enum { at_once = 100 };
    char commands[at_once * 160], key[KEY_BYTES];

    for (uint32_t i = 0; i < MANY; i += at_once) {
        int length = 0;

        for (uint32_t j = i; j < i + at_once; j++) {
            write_key(key, j);
            length += sprintf(commands + length,
                              "*3\r\n$3\r\nSET\r\n$16\r\n%.16s\r\n$64\r\n"
                              "%.64s\r\n",
                              key, value);
        }
        redis_ask(redis, commands, (size_t)length, at_once, 0);
    }
}

/* Round trips per second. */
static double
redis_rate(struct redis *redis, const char *keys)
{
    enum { count = 20000 };
    char command[64];
    double best = 0;

    for (int round = 0; round < ROUNDS; round++) {
        double begin = now_ns(), rate;

        for (int i = 0; i < count; i++) {
            int length =
                sprintf(command, "*2\r\n$3\r\nGET\r\n$16\r\n%.16s\r\n",
                        keys + (i % HOT) * KEY_BYTES);

            redis_ask(redis, command, (size_t)length, 1, VALUE_BYTES);
        }
        rate = count * 1e9 / (now_ns() - begin);
        if (rate > best)
            best = rate;
    }
    return best;
}

static void
compare_redis(const char *hot, double hot_ns, double bytes)
{
    struct redis redis;
    double empty, full, rate;

    if (!redis_start(&redis)) {
        printf("there is no redis-server to compare with\n");
        return;
    }
    empty = resident_bytes(redis.pid);
    fill_redis(&redis);
    full = resident_bytes(redis.pid) - empty;
    printf("%-34s %8.1f MB (redis-server: %.1f MB)\n",
           "memory of 1,000,000 keys", bytes / 1e6, full / 1e6);
    rate = redis_rate(&redis, hot);
    printf("%-34s %8.0f times its round trips (%.0f/s)\n",
           "get, against redis-server", 1e9 / hot_ns / rate, rate);
    redis_end(&redis);
}

int
main(int count, char **arguments)
{
    bool with_redis = count < 2 || strcmp(arguments[1], "--no-redis") != 0;
    char *many = make_keys(MANY), *hot = make_keys(HOT);
    struct state_store *store = open_memory();
    double bytes, get_hot;

    memset(value, 'v', sizeof value);
    bytes = resident_bytes(getpid());
    fill(store, MANY, false);
    bytes = resident_bytes(getpid()) - bytes;
    printf("%-34s %8.1f ns\n", "get over 1,000,000 keys",
           best_of(store, STATE_GET, many, MANY));
    state_store_close(store);
    store = open_memory();
    fill(store, HOT, false);
    get_hot = best_of(store, STATE_GET, hot, HOT);
    printf("%-34s %8.1f ns\n", "get over 10,000 keys", get_hot);
    state_store_close(store);
    store = open_memory();
    fill(store, HOT, true);
    printf("%-34s %8.1f ns\n", "increment over 10,000 keys",
           best_of(store, STATE_INCREMENT, hot, HOT));
    state_store_close(store);
    if (count > 1 && strcmp(arguments[count - 1], "--no-redis") != 0)
        guest_measure(arguments[count - 1]);
    compare_two("get, two threads", STATE_GET, hot);
    compare_two("increment, two threads", STATE_INCREMENT, hot);
    if (with_redis)
        compare_redis(hot, get_hot, bytes);
    free(many);
    free(hot);
    return 0;
}
