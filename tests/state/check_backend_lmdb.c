/*
 * Tests of state/backend_lmdb.c: what a store on a disk has when it is opened
 * again, and which directories it opens. What every backend does is in
 * check_backend_contract, and a disk that is full in check_backend_lmdb_full.
 */
#include "tests/state/await.h"
#include "tests/state/durable.h"
#include "tests/state/suite.h"

#include <lmdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- Opening again ---- */

static const size_t sizes[] = {0, 1, 127, 128, 129, 4000, 4100, 300000};
#define SIZE_COUNT (sizeof sizes / sizeof *sizes)

START_TEST(values_and_versions_are_there_when_it_is_opened_again)
{
    struct state_store *store = open_durable(0, 0);
    struct state_operation operation = {.namespace_ = "a"}, get = {0};
    uint64_t versions[SIZE_COUNT];
    char key[2] = "0", *bytes = malloc(300000);

    memset(bytes, 'b', 300000);
    for (size_t i = 0; i < SIZE_COUNT; i++) {
        key[0] = (char)('0' + i);
        operation.kind = STATE_PUT;
        operation.key = text(key);
        operation.value = (struct state_bytes){bytes, sizes[i]};
        ck_assert_int_eq(await(store, &operation), STATE_OK);
        versions[i] = operation.version;
    }
    await_put(store, "a", "gone", "x", &operation);
    operation.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_int_eq(await_increment(store, "b", "n", 7, &operation),
                     STATE_OK);
    state_operation_deinit(&operation);

    for (int round = 0; round < 2; round++) {
        state_store_close(store);
        store = open_durable(0, 0);
        for (size_t i = 0; i < SIZE_COUNT; i++) {
            key[0] = (char)('0' + i);
            ck_assert_int_eq(await_get(store, "a", key, &get), STATE_OK);
            ck_assert_uint_eq(get.version, versions[i]);
            ck_assert_uint_eq(get.result.length_bytes, sizes[i]);
            ck_assert(memcmp(get.result.bytes, bytes, sizes[i]) == 0);
        }
        ck_assert_int_eq(await_get(store, "a", "gone", &get),
                         STATE_NOT_FOUND);
        ck_assert_int_eq(await_get(store, "b", "n", &get), STATE_OK);
        ck_assert(result_is(&get, "7"));
    }
    /* The deletion had a version as well: the next one is above it. */
    await_put(store, "a", "gone", "x", &operation);
    ck_assert_uint_eq(operation.version, SIZE_COUNT + 3);
    state_operation_deinit(&operation);
    state_operation_deinit(&get);
    state_store_close(store);
    free(bytes);
}
END_TEST

START_TEST(an_expiry_goes_on_while_the_store_is_closed)
{
    struct state_store *store = open_durable(0, 0);
    struct state_operation put = {.ttl_ms = 60}, later = {.ttl_ms = 60000};

    await_put(store, "a", "soon", "1", &put);
    await_put(store, "a", "later", "1", &later);
    /* And one whose expiry alone was changed. */
    later.ttl_ms = 0;
    await_put(store, "a", "changed", "1", &later);
    later.kind = STATE_EXPIRE;
    later.ttl_ms = 60000;
    ck_assert_int_eq(await(store, &later), STATE_OK);
    state_store_close(store);
    for (int i = 0; i < 13; i++)
        doze();
    store = open_durable(0, 0);
    ck_assert_uint_eq(version_of(store, "a", "soon"), 0);
    later.kind = STATE_STAT;
    for (int i = 0; i < 2; i++) {
        later.key = text(i ? "changed" : "later");
        later.ttl_ms = 0;
        ck_assert_int_eq(await(store, &later), STATE_OK);
        ck_assert_uint_gt(later.expires_in_ms, 0);
        ck_assert_uint_lt(later.expires_in_ms, 60000);
    }
    state_operation_deinit(&put);
    state_operation_deinit(&later);
    state_store_close(store);
}
END_TEST

START_TEST(a_namespace_that_is_not_durable_is_gone_but_its_versions_are_not)
{
    static const enum state_durability all[] = {STATE_DURABILITY_NONE,
                                                STATE_DURABILITY_BEHIND};
    struct state_operation operation = {0};

    for (int i = 0; i < 2; i++) {
        bool is_durable = all[i] == STATE_DURABILITY_BEHIND;
        const char *name = is_durable ? "behind" : "none";
        struct state_store *store = open_durable(all[i], 0);
        uint64_t version;

        ck_assert_int_eq(await_put(store, name, "key", "1", &operation),
                         STATE_OK);
        version = operation.version;
        state_store_close(store);
        store = open_durable(all[i], 0);
        ck_assert_int_eq(version_of(store, name, "key") > 0, is_durable);
        await_put(store, name, "key", "2", &operation);
        if (is_durable)
            ck_assert_uint_gt(operation.version, version);
        state_store_close(store);
    }
    state_operation_deinit(&operation);
}
END_TEST

START_TEST(what_is_behind_is_written_within_its_window)
{
    pid_t child = fork();
    struct state_store *store;
    int status;

    ck_assert_int_ge(child, 0);
    if (child == 0) {
        struct state_operation put = {0};

        store = open_durable(STATE_DURABILITY_BEHIND, 0);
        await_put(store, "a", "key", "1", &put);
        /* Ten windows: a busy machine is late as well. */
        usleep(10 * STATE_BEHIND_MS * 1000);
        kill(getpid(), SIGKILL);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    store = open_durable(STATE_DURABILITY_BEHIND, 0);
    ck_assert_uint_eq(version_of(store, "a", "key"), 1);
    state_store_close(store);
}
END_TEST

START_TEST(a_namespace_keeps_the_durability_that_it_was_given)
{
    struct state_store *store = open_durable(0, 0);
    struct state_operation operation = {0};
    struct state_error err;

    ck_assert_int_eq(state_store_set_durability(store, "a",
                                                STATE_DURABILITY_NONE, &err),
                     STATE_OK);
    await_put(store, "a", "key", "1", &operation);
    ck_assert_int_eq(state_store_set_durability(store, "a",
                                                STATE_DURABILITY_SYNC, &err),
                     STATE_CONFLICT);
    ck_assert_ptr_nonnull(strstr(err.message, "has keys"));
    state_store_close(store);
    /* It is remembered: nothing is there, and no version is given again. */
    store = open_durable(0, 0);
    ck_assert_uint_eq(version_of(store, "a", "key"), 0);
    await_put(store, "a", "key", "1", &operation);
    ck_assert_uint_gt(operation.version, UINT64_C(1) << 32);
    state_store_close(store);
    /* Empty again, it can become durable, and then keeps its keys. */
    store = open_durable(0, 0);
    ck_assert_int_eq(state_store_set_durability(store, "a",
                                                STATE_DURABILITY_BEHIND, &err),
                     STATE_OK);
    await_put(store, "a", "key", "1", &operation);
    ck_assert_int_eq(state_store_set_durability(store, "a",
                                                STATE_DURABILITY_SYNC, &err),
                     STATE_OK);
    ck_assert_int_eq(await_get(store, "a", "key", &operation), STATE_OK);
    await_put(store, "a", "other", "1", &operation);
    state_store_close(store);
    store = open_durable(0, 0);
    ck_assert_uint_gt(version_of(store, "a", "key"), 0);
    ck_assert_uint_gt(version_of(store, "a", "other"), 0);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_durability_must_make_sense)
{
    static const struct {
        const char *url;
        const char *namespace_;
        int durability;
        enum state_status status;
    } cases[] = {
        {NULL, "a", STATE_DURABILITY_DEFAULT, STATE_INVALID},
        {NULL, "a", STATE_DURABILITY_SYNC + 1, STATE_INVALID},
        {NULL, "-", STATE_DURABILITY_SYNC, STATE_INVALID},
        {NULL, NULL, STATE_DURABILITY_SYNC, STATE_INVALID},
        {"memory", "a", STATE_DURABILITY_SYNC, STATE_UNSUPPORTED},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct state_store *store =
            open_store(cases[i].url ? cases[i].url : disk.url);
        struct state_error err = {""};

        ck_assert_int_eq(
            state_store_set_durability(
                store, cases[i].namespace_,
                (enum state_durability)cases[i].durability, &err),
            cases[i].status);
        ck_assert_str_ne(err.message, "");
        state_store_close(store);
    }
}
END_TEST

/* ---- Directories ---- */

START_TEST(a_directory_is_open_once)
{
    struct state_store *store = open_durable(0, 0), *other;
    struct state_error err;

    ck_assert_int_eq(try_open((struct state_options){0}, &other, &err),
                     STATE_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(err.message, "another process"));
    state_store_close(store);
    state_store_close(open_durable(0, 0));
}
END_TEST

static void
make_foreign_environment(void)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi database;
    MDB_val row = {3, (void *)(uintptr_t) "abc"};

    mdb_env_create(&env);
    ck_assert_int_eq(mdb_env_open(env, disk.path, 0, 0600), 0);
    ck_assert_int_eq(mdb_txn_begin(env, NULL, 0, &txn), 0);
    ck_assert_int_eq(mdb_dbi_open(txn, NULL, 0, &database), 0);
    ck_assert_int_eq(mdb_put(txn, database, &row, &row, 0), 0);
    ck_assert_int_eq(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

START_TEST(a_directory_that_is_not_a_stores_is_refused_and_left_alone)
{
    static const char text_file[] = "not a database, but quite some text";
    struct state_store *store;
    struct state_error err;
    uint8_t *bytes;
    size_t length;

    disk_write(&disk, "letter.txt", text_file, sizeof text_file);
    ck_assert_int_eq(try_open((struct state_options){0}, &store, &err),
                     STATE_BACKEND);
    ck_assert_ptr_nonnull(strstr(err.message, "other files"));
    disk_write(&disk, "data.mdb", text_file, sizeof text_file);
    ck_assert_int_eq(try_open((struct state_options){0}, &store, &err),
                     STATE_BACKEND);
    ck_assert_ptr_nonnull(strstr(err.message, "data.mdb"));
    bytes = disk_read(&disk, "data.mdb", &length);
    ck_assert_uint_eq(length, sizeof text_file);
    free(bytes);
    disk_write(&disk, "data.mdb", "", 0);
    make_foreign_environment();
    ck_assert_int_eq(try_open((struct state_options){0}, &store, &err),
                     STATE_BACKEND);
    ck_assert_ptr_nonnull(strstr(err.message, "another program"));
}
END_TEST

START_TEST(a_directory_that_can_not_be_is_a_systems_error)
{
    static const char *const urls[] = {"lmdb:/dev/null", "lmdb:/dev/null/a",
                                       "lmdb:", "lmdb:no/such/parent"};

    for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
        struct state_options options = {.url = urls[i]};
        struct state_store *store = NULL;
        struct state_error err = {""};

        ck_assert_int_eq(state_store_open(&options, &store, &err),
                         STATE_SYSTEM);
        ck_assert_str_ne(err.message, "");
        ck_assert_ptr_null(store);
    }
}
END_TEST

/* ---- Room ---- */

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

START_TEST(the_files_grow_as_far_as_they_may)
{
    struct state_store *store = open_durable(0, 32u << 20);
    struct state_operation operation = {0};
    enum state_status status = STATE_OK;
    char key[2] = "a";
    int count = 0;

    /* 16 MiB is where the map begins. */
    for (; count < 26; count++) {
        key[0] = (char)('a' + count);
        status = put_bytes(store, key, 2u << 20, 'x', &operation);
        if (status)
            break;
    }
    ck_assert_int_eq(status, STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "disk_bytes_max"));
    ck_assert_uint_eq(operation.version, 0);
    ck_assert_int_ge(count, 10);
    /* What failed is not there; the rest is, and there is room for less. */
    ck_assert_uint_eq(version_of(store, "a", key), 0);
    ck_assert_int_eq(put_bytes(store, "small", 100, 's', &operation),
                     STATE_OK);
    operation.kind = STATE_DELETE;
    operation.key = text("a");
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    /* Pages are free once a further commit has passed. */
    put_bytes(store, "small", 100, 's', &operation);
    ck_assert_int_eq(put_bytes(store, key, 1u << 20, 'y', &operation),
                     STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
    store = open_durable(0, 32u << 20);
    ck_assert_uint_gt(version_of(store, "a", "b"), 0);
    ck_assert_uint_gt(version_of(store, "a", key), 0);
    state_store_close(store);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        values_and_versions_are_there_when_it_is_opened_again,
        an_expiry_goes_on_while_the_store_is_closed,
        a_namespace_that_is_not_durable_is_gone_but_its_versions_are_not,
        what_is_behind_is_written_within_its_window,
        a_namespace_keeps_the_durability_that_it_was_given,
        a_durability_must_make_sense,
        a_directory_is_open_once,
        a_directory_that_is_not_a_stores_is_refused_and_left_alone,
        a_directory_that_can_not_be_is_a_systems_error,
        the_files_grow_as_far_as_they_may,
        NULL,
    };

    return run_suite_between("backend lmdb", tests, make_disk, remove_disk);
}
