/*
 * bench-commits DIR [SECONDS]: how many writes a second 64 clients make in a
 * `sync` namespace of a store on the disk that has DIR, beside LMDB alone
 * that commits 64 such writes at a time. In many short turns of SECONDS (0.4)
 * each, since disks have moods; what counts is the sum of all turns. 16-byte
 * keys, 64-byte values, 10,000 keys, which are all there before.
 *
 *   callbacks  a client's next write is submitted when the last one completes
 *   threads    a client is a thread that waits for each write
 */
#include "state/state.h"

#include <lmdb.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#define CLIENTS 64
#define KEYS 10000
#define ROUNDS 15

struct client {
    struct state_operation operation;
    struct state_store *store;
    uint64_t random;
    uint64_t count;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
    bool is_thread;
    char key[17];
    char value[64];
};

static struct client clients[CLIENTS];
static atomic_bool is_over;

static double
now_s(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void
fail(const char *what)
{
    fprintf(stderr, "bench-commits: %s\n", what);
    exit(1);
}

static void
next_key(uint64_t *random, char key[17])
{
    *random = *random * UINT64_C(6364136223846793005) + 1442695040888963407;
    snprintf(key, 17, "key-%012u", (unsigned)((*random >> 33) % KEYS));
}

/* ---- LMDB alone ---- */

static double
commit_for(MDB_env *env, MDB_dbi database, double seconds)
{
    double begin = now_s();
    uint64_t random = (uint64_t)(begin * 1e6), count = 0;
    char key[17], value[64] = "value";

    while (now_s() - begin < seconds) {
        MDB_txn *txn;

        if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
            fail("no transaction");
        for (int i = 0; i < CLIENTS; i++) {
            MDB_val key_row = {16, key}, value_row = {64, value};

            next_key(&random, key);
            if (mdb_put(txn, database, &key_row, &value_row, 0) != 0)
                fail("no put");
        }
        if (mdb_txn_commit(txn) != 0)
            fail("no commit");
        count += CLIENTS;
    }
    return (double)count / (now_s() - begin);
}

/* ---- The store ---- */

static enum state_status
submit(struct client *client)
{
    next_key(&client->random, client->key);
    return state_store_submit(client->store, &client->operation);
}

/* Submits until one has to wait: a commit may be quicker than the return. */
static void
submit_one_that_waits(struct client *client)
{
    enum state_status status;

    while ((status = submit(client)) == STATE_OK)
        client->count++;
    if (status != STATE_PENDING)
        fail(client->operation.message);
}

static void
completed(struct state_operation *operation)
{
    struct client *client = operation->data;

    if (operation->status != STATE_OK)
        fail(operation->message);
    client->count++;
    if (!client->is_thread && !atomic_load(&is_over)) {
        submit_one_that_waits(client);
        return;
    }
    pthread_mutex_lock(&client->lock);
    client->is_done = true;
    pthread_cond_signal(&client->wake);
    pthread_mutex_unlock(&client->lock);
}

static void
wait_until_done(struct client *client)
{
    pthread_mutex_lock(&client->lock);
    while (!client->is_done)
        pthread_cond_wait(&client->wake, &client->lock);
    client->is_done = false;
    pthread_mutex_unlock(&client->lock);
}

static void *
run_client(void *argument)
{
    struct client *client = argument;

    while (!atomic_load(&is_over)) {
        enum state_status status = submit(client);

        if (status == STATE_PENDING)
            wait_until_done(client);
        else if (status == STATE_OK)
            client->count++;
        else
            fail(client->operation.message);
    }
    return NULL;
}

static double
write_for(struct state_store *store, bool with_threads, double seconds)
{
    pthread_t threads[CLIENTS];
    struct timespec pause = {(time_t)seconds,
                             (long)((seconds - (long)seconds) * 1e9)};
    double begin = now_s();
    uint64_t count = 0;

    atomic_store(&is_over, false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *client = &clients[i];

        *client = (struct client){.store = store,
                                  .random = (uint64_t)(begin * 1e6) + i * 7919,
                                  .is_thread = with_threads,
                                  .lock = PTHREAD_MUTEX_INITIALIZER,
                                  .wake = PTHREAD_COND_INITIALIZER};
        client->operation = (struct state_operation){
            .kind = STATE_PUT,
            .namespace_ = "bench",
            .key = {client->key, 16},
            .value = {client->value, 64},
            .complete = completed,
            .data = client,
        };
        if (!with_threads)
            submit_one_that_waits(client);
        else if (pthread_create(&threads[i], NULL, run_client, client) != 0)
            fail("no thread");
    }
    nanosleep(&pause, NULL);
    atomic_store(&is_over, true);
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (with_threads)
            pthread_join(threads[i], NULL);
        else
            wait_until_done(&clients[i]);
        count += clients[i].count;
    }
    return (double)count / (now_s() - begin);
}

/* Puts every key into both, so that what is measured is no growth. */
static void
fill(MDB_env *env, MDB_dbi database, struct state_store *store)
{
    MDB_txn *txn;

    if (mdb_txn_begin(env, NULL, 0, &txn) != 0)
        fail("no transaction");
    for (unsigned i = 0; i < KEYS; i++) {
        char key[17], value[64] = "value";
        MDB_val key_row = {16, key}, value_row = {64, value};

        snprintf(key, sizeof key, "key-%012u", i);
        mdb_put(txn, database, &key_row, &value_row, 0);
    }
    if (mdb_txn_commit(txn) != 0)
        fail("no commit");
    /* 64 clients come across almost every key in this time. */
    write_for(store, false, 4);
}

int
main(int argc, char **argv)
{
    double seconds = argc > 2 ? atof(argv[2]) : 0.4;
    char raw_path[256], url[256];
    struct state_options options = {.url = url};
    struct state_store *store;
    double raw = 0, callbacks = 0, threads = 0;
    struct state_error err;
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi database;

    if (argc < 2)
        fail("DIR [SECONDS]");
    mkdir(argv[1], 0755);
    snprintf(raw_path, sizeof raw_path, "%s/raw", argv[1]);
    snprintf(url, sizeof url, "lmdb:%s/store", argv[1]);
    mkdir(raw_path, 0755);
    if (mdb_env_create(&env) != 0 || mdb_env_set_mapsize(env, 1u << 30) ||
        mdb_env_open(env, raw_path, 0, 0644) != 0 ||
        mdb_txn_begin(env, NULL, 0, &txn) != 0 ||
        mdb_dbi_open(txn, NULL, 0, &database) != 0 ||
        mdb_txn_commit(txn) != 0)
        fail("no LMDB");
    if (state_store_open(&options, &store, &err) != STATE_OK)
        fail(err.message);
    fill(env, database, store);
    printf("writes a second:  %10s %10s %6s %10s %6s\n", "LMDB", "callbacks",
           "ratio", "threads", "ratio");
    for (int round = 0; round < ROUNDS; round++) {
        raw += commit_for(env, database, seconds) / ROUNDS;
        callbacks += write_for(store, false, seconds) / ROUNDS;
        threads += write_for(store, true, seconds) / ROUNDS;
    }
    printf("%-18s%10.0f %10.0f %6.2f %10.0f %6.2f\n", "", raw, callbacks,
           callbacks / raw, threads, threads / raw);
    state_store_close(store);
    mdb_env_close(env);
    return 0;
}
