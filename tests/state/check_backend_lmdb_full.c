/*
 * Tests of state/backend_lmdb.c and state/journal_repair.c: a store on a disk
 * that is full now and then. The disk is full when the files that this
 * process may write are bounded.
 */
#define _GNU_SOURCE /* unshare */
#include "tests/state/await.h"
#include "tests/state/durable.h"
#include "tests/state/suite.h"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

/* Puts a value of so many bytes, all the same. */
static enum state_status
put_bytes(struct state_store *store, const char *key, size_t length, char byte,
          struct state_operation *operation)
{
    char *bytes = malloc(length + 1);
    enum state_status status;

    memset(bytes, byte, length);
    operation->kind = STATE_PUT;
    operation->namespace_ = "a";
    operation->key = text(key);
    operation->value = (struct state_bytes){bytes, length};
    status = await(store, operation);
    free(bytes);
    return status;
}

/* Bounds the files that this process writes, as a disk that is full does. */
static void
set_room(rlim_t bytes)
{
    struct rlimit limit;

    signal(SIGXFSZ, SIG_IGN);
    ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

START_TEST(a_full_disk_fails_puts_and_shows_what_it_had)
{
    struct state_store *store = open_durable(0, 0);
    struct state_operation operation = {0}, get = {0};

    ck_assert_int_eq(put_bytes(store, "key", 1000, 'o', &operation),
                     STATE_OK);
    set_room(1u << 20);
    ck_assert_int_eq(put_bytes(store, "key", 4u << 20, 'n', &operation),
                     STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "the disk is full"));
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes, 1000);
    ck_assert_uint_eq(get.version, 1);
    ck_assert_int_eq(put_bytes(store, "new", 4u << 20, 'n', &operation),
                     STATE_LIMIT);
    ck_assert_uint_eq(version_of(store, "a", "new"), 0);
    set_room(RLIM_INFINITY);
    ck_assert_int_eq(put_bytes(store, "key", 4u << 20, 'n', &operation),
                     STATE_OK);
    ck_assert_uint_gt(operation.version, 1);
    wait_for_health(store, true);
    state_operation_deinit(&operation);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

START_TEST(a_full_disk_fails_a_batch_as_a_whole)
{
    static char large[4u << 20];
    struct state_store *store = open_durable(0, 0);
    struct state_operation put = {0};
    struct state_operation operations[] = {
        {.kind = STATE_PUT, .key = {"small", 5}, .value = {"1", 1}},
        {.kind = STATE_INCREMENT, .key = {"count", 5}, .delta = 1},
        {.kind = STATE_PUT, .key = {"large", 5}, .value = {large, 4u << 20}},
    };
    struct state_operation batch = {.kind = STATE_BATCH,
                                    .operations = operations,
                                    .operation_count = 3,
                                    .all_or_nothing = true};

    await_put(store, "a", "count", "5", &put);
    for (int i = 0; i < 3; i++)
        operations[i].namespace_ = "a";
    set_room(1u << 20);
    ck_assert_int_eq(await(store, &batch), STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(batch.message, "the disk is full"));
    for (int i = 0; i < 3; i++)
        ck_assert_int_eq(operations[i].status, STATE_ABORTED);
    ck_assert_uint_eq(version_of(store, "a", "small"), 0);
    ck_assert_uint_eq(version_of(store, "a", "count"), 1);
    set_room(RLIM_INFINITY);
    ck_assert_int_eq(await(store, &batch), STATE_OK);
    ck_assert_int_eq(operations[1].number, 6);
    state_store_close(store);
    store = open_durable(0, 0);
    ck_assert_uint_gt(version_of(store, "a", "small"), 0);
    ck_assert_uint_gt(version_of(store, "a", "large"), 0);
    for (int i = 0; i < 3; i++)
        state_operation_deinit(&operations[i]);
    state_operation_deinit(&batch);
    state_operation_deinit(&put);
    state_store_close(store);
}
END_TEST

START_TEST(a_full_disk_loses_nothing_that_is_behind)
{
    struct state_store *store = open_durable(STATE_DURABILITY_BEHIND, 0);
    struct state_operation operation = {0}, get = {0};

    set_room(1u << 20);
    ck_assert_int_eq(put_bytes(store, "key", 4u << 20, 'n', &operation),
                     STATE_OK);
    wait_for_health(store, false);
    /* It can still be seen, but nothing more is taken. */
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes, 4u << 20);
    ck_assert_int_eq(put_bytes(store, "more", 10, 'n', &operation),
                     STATE_LIMIT);
    set_room(RLIM_INFINITY);
    wait_for_health(store, true);
    ck_assert_int_eq(put_bytes(store, "more", 10, 'n', &operation),
                     STATE_OK);
    state_store_close(store);
    store = open_durable(STATE_DURABILITY_BEHIND, 0);
    ck_assert_int_eq(await_get(store, "a", "key", &get), STATE_OK);
    ck_assert_uint_eq(get.result.length_bytes, 4u << 20);
    ck_assert_uint_gt(version_of(store, "a", "more"), 0);
    state_operation_deinit(&operation);
    state_operation_deinit(&get);
    state_store_close(store);
}
END_TEST

/* ---- A small disk ---- */

static bool
write_text(const char *path, const char *line)
{
    FILE *file = fopen(path, "w");
    bool done = file != NULL && fputs(line, file) >= 0;

    return file != NULL && fclose(file) == 0 && done;
}

/* Has this process see mounts of its own, as root or as its own root. */
static bool
leave_mounts(void)
{
    char user[40], group[40];

    snprintf(user, sizeof user, "0 %u 1", (unsigned)getuid());
    snprintf(group, sizeof group, "0 %u 1", (unsigned)getgid());
    if (unshare(CLONE_NEWNS) != 0 &&
        (unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
         !write_text("/proc/self/setgroups", "deny") ||
         !write_text("/proc/self/uid_map", user) ||
         !write_text("/proc/self/gid_map", group)))
        return false;
    return mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

/*
 * Mounts a small file system of this process's own on the directory; false
 * where that is not permitted.
 */
static bool
mount_small(const char *options)
{
    static bool is_alone;

    if (!is_alone && !leave_mounts())
        return false;
    if (mount("glass", disk.path, "tmpfs", is_alone ? MS_REMOUNT : 0,
              options) != 0)
        return false;
    is_alone = true;
    return true;
}

START_TEST(a_small_disk_fails_puts_and_goes_on_when_it_grows)
{
    struct state_operation operation = {0}, get = {0};
    struct state_store *store;
    char key[2] = "a";
    int count = 0;

    if (!mount_small("size=4m")) {
        printf("no file system may be mounted: only bounds were tested\n");
        return;
    }
    store = open_durable(0, 0);
    while (put_bytes(store, key, 100000, 'x', &operation) == STATE_OK) {
        key[0]++;
        ck_assert_int_lt(++count, 60);
    }
    ck_assert_int_gt(count, 20);
    ck_assert_int_eq(operation.status, STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "the disk is full"));
    /* Nothing is lost, in memory or when it is opened again. */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i <= count; i++) {
            char name[2] = {(char)('a' + i), '\0'};

            ck_assert_int_eq(await_get(store, "a", name, &get),
                             i < count ? STATE_OK : STATE_NOT_FOUND);
        }
        state_store_close(store);
        store = open_durable(0, 0);
    }
    ck_assert_int_eq(put_bytes(store, key, 100000, 'x', &operation),
                     STATE_LIMIT);
    ck_assert(mount_small("size=64m"));
    ck_assert_int_eq(put_bytes(store, key, 100000, 'x', &operation),
                     STATE_OK);
    wait_for_health(store, true);
    state_operation_deinit(&operation);
    state_operation_deinit(&get);
    state_store_close(store);
    ck_assert_int_eq(umount2(disk.path, MNT_DETACH), 0);
}
END_TEST

/* ---- Many at once while the disk is full now and then ---- */

#define CLIENTS 48
#define KEYS 6
#define ROUNDS 400

/* A client that increments, or puts, reads, or lists, once after another. */
struct client {
    struct state_operation operation;
    struct crowd *crowd;
    unsigned index;
    unsigned left;
    bool is_idle; /* for the test's own thread to go on with */
};

struct crowd {
    struct state_store *store;
    pthread_mutex_t lock;
    pthread_cond_t done;
    unsigned running;
    uint64_t added[KEYS];    /* by increments that were acknowledged */
    uint64_t shown[KEYS];    /* the largest number that was read */
    uint64_t refused;
    struct client clients[CLIENTS];
};

static char key_names[KEYS][2] = {"0", "1", "2", "3", "4", "5"};
static char filling[300000];

static void
account(struct client *client)
{
    struct crowd *crowd = client->crowd;
    struct state_operation *operation = &client->operation;
    unsigned key = client->index % KEYS;
    char digits[24] = "";
    uint64_t number;

    pthread_mutex_lock(&crowd->lock);
    /* When the room came back before it was looked at, it is a failure. */
    if (operation->status == STATE_LIMIT ||
        operation->status == STATE_UNAVAILABLE) {
        if (operation->message[0] == '\0')
            ck_abort_msg("a refusal that does not say why");
        crowd->refused++;
    }
    else if (operation->status != STATE_OK &&
             operation->status != STATE_NOT_FOUND) {
        ck_abort_msg("%s", operation->message);
    }
    if (operation->kind == STATE_INCREMENT && operation->status == STATE_OK)
        crowd->added[key]++;
    if (operation->kind == STATE_GET && operation->status == STATE_OK) {
        memcpy(digits, operation->result.bytes,
               operation->result.length_bytes);
        number = strtoull(digits, NULL, 10);
        if (number > crowd->shown[key])
            crowd->shown[key] = number;
    }
    pthread_mutex_unlock(&crowd->lock);
}

static void
finish(struct client *client)
{
    struct crowd *crowd = client->crowd;

    pthread_mutex_lock(&crowd->lock);
    if (--crowd->running == 0)
        pthread_cond_signal(&crowd->done);
    pthread_mutex_unlock(&crowd->lock);
}

/* Submits the client's next operation, until one is pending or none is left. */
static void
go_on(struct client *client)
{
    struct state_operation *operation = &client->operation;

    while (client->left-- > 0) {
        operation->namespace_ = "a";
        operation->key = text(key_names[client->index % KEYS]);
        operation->delta = 1;
        operation->kind = client->left % 3 ? STATE_INCREMENT : STATE_GET;
        if (client->index % 8 == 7) {
            operation->kind = STATE_PUT;
            operation->namespace_ = "large";
            operation->value =
                (struct state_bytes){filling, client->left * 97 % 300000};
        }
        if (state_store_submit(client->crowd->store, operation) ==
            STATE_PENDING)
            return;
        account(client);
    }
    finish(client);
}

static void
completed(struct state_operation *operation)
{
    struct client *client = operation->data;

    account(client);
    if (client->index / KEYS % 2 == 0) {
        go_on(client);
        return;
    }
    pthread_mutex_lock(&client->crowd->lock);
    client->is_idle = true;
    pthread_mutex_unlock(&client->crowd->lock);
}

/* Goes on, for a while, with clients that come at any time of a commit. */
static void
hurry(struct crowd *crowd)
{
    for (int round = 0; round < 100; round++) {
        for (unsigned i = 0; i < CLIENTS; i++) {
            bool is_idle;

            pthread_mutex_lock(&crowd->lock);
            is_idle = crowd->clients[i].is_idle;
            crowd->clients[i].is_idle = false;
            pthread_mutex_unlock(&crowd->lock);
            if (is_idle)
                go_on(&crowd->clients[i]);
        }
        usleep(50);
    }
}

static void
run_crowd(struct crowd *crowd)
{
    crowd->running = CLIENTS;
    for (unsigned i = 0; i < CLIENTS; i++) {
        crowd->clients[i].crowd = crowd;
        crowd->clients[i].index = i;
        crowd->clients[i].left = ROUNDS;
        crowd->clients[i].operation.complete = completed;
        crowd->clients[i].operation.data = &crowd->clients[i];
    }
    for (unsigned i = 0; i < CLIENTS; i++)
        go_on(&crowd->clients[i]);
    pthread_mutex_lock(&crowd->lock);
    while (crowd->running > 0) {
        pthread_mutex_unlock(&crowd->lock);
        set_room(40000);
        hurry(crowd);
        set_room(RLIM_INFINITY);
        hurry(crowd);
        pthread_mutex_lock(&crowd->lock);
    }
    pthread_mutex_unlock(&crowd->lock);
    for (unsigned i = 0; i < CLIENTS; i++)
        state_operation_deinit(&crowd->clients[i].operation);
}

START_TEST(what_is_counted_while_the_disk_fills_is_what_was_acknowledged)
{
    static struct crowd crowd = {.lock = PTHREAD_MUTEX_INITIALIZER,
                                 .done = PTHREAD_COND_INITIALIZER};
    struct state_operation get = {0};

    crowd.store = open_durable(0, 0);
    run_crowd(&crowd);
    ck_assert_uint_gt(crowd.refused, 0);
    /* In memory, and then on the disk. */
    for (int round = 0; round < 2; round++) {
        struct state_stats stats;
        uint64_t bytes = 0;

        for (int i = 0; i < KEYS; i++) {
            char digits[24];

            snprintf(digits, sizeof digits, "%llu",
                     (unsigned long long)crowd.added[i]);
            ck_assert_int_eq(await_get(crowd.store, "a", key_names[i], &get),
                             STATE_OK);
            ck_assert(result_is(&get, digits));
            ck_assert_uint_le(crowd.shown[i], crowd.added[i]);
            bytes += 1 + strlen(digits);
        }
        /* What was taken back was counted back. */
        ck_assert_int_eq(state_store_stats(crowd.store, "a", &stats),
                         STATE_OK);
        ck_assert_uint_eq(stats.key_count, KEYS);
        ck_assert_uint_eq(stats.bytes, bytes);
        state_store_close(crowd.store);
        crowd.store = open_durable(0, 0);
    }
    state_operation_deinit(&get);
    state_store_close(crowd.store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_full_disk_fails_puts_and_shows_what_it_had,
        a_full_disk_fails_a_batch_as_a_whole,
        a_full_disk_loses_nothing_that_is_behind,
        a_small_disk_fails_puts_and_goes_on_when_it_grows,
        what_is_counted_while_the_disk_fills_is_what_was_acknowledged,
        NULL,
    };

    return run_suite_between("backend lmdb full", tests, make_disk,
                             remove_disk);
}
