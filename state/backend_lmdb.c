/*
 * The backend of a store on a disk: `lmdb:DIR`.
 *
 * The values are in this process, in a memory backend, which answers every
 * read and makes every change. A journal hears of the changes, and one thread
 * here writes them: what has gathered while the last commit was under way is
 * the next one. Everything is read when the store is opened.
 *
 * When a commit fails nothing that was acknowledged is lost, and nothing that
 * was not is shown: see journal_repair.c.
 */
#include "state/backend.h"
#include "state/error.h"
#include "state/journal.h"
#include "state/lmdb_file.h"
#include "state/memory.h"
#include "state/operation.h"
#include "state/restore.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What one commit writes, unless a single change or group has more. */
#define COMMIT_BYTES_MAX (32u << 20)

/*
 * A namespace that is not `sync` gives out versions that a crash forgets. So
 * that none is ever given out twice, opening the store skips this many.
 */
#define VERSIONS_SKIPPED (UINT64_C(1) << 32)

struct lmdb {
    struct state__backend backend;
    struct state__backend *memory_backend;
    struct state__memory memory;
    struct state__journal journal;
    struct state__lmdb_file *file;
    unsigned timeout_ms;

    /* The writer's. */
    pthread_t writer;
    bool has_writer;
    bool is_reading;
    uint64_t closing_since_ms;

    /* Opening: the namespaces by their index, as the values name them. */
    struct state__namespace **by_index;
    uint64_t now_ms; /* since 1970 */
    bool has_expiries;
};

/* ---- Operations ---- */

/*
 * A list is over many keys. It is right to show it once everything that was
 * queued in the namespace when it ended is on the disk.
 */
static enum state_status
submit_list(struct lmdb *lmdb, struct state_operation *operation)
{
    struct state__backend *memory = lmdb->memory_backend;
    struct state__namespace *namespace_;
    enum state_status status;
    uint64_t repairs;

    do {
        repairs = atomic_load(&lmdb->journal.repair_count);
        status = memory->class->submit(memory, operation);
        if (status != STATE_OK)
            return status;
        namespace_ = state__namespaces_find(lmdb->memory.namespaces,
                                            operation->namespace_);
        if (namespace_ == NULL ||
            state__journal_end_list(&lmdb->journal, namespace_, repairs,
                                    operation, &status))
            return status;
        state__operation_begin(operation);
    } while (true);
}

static enum state_status
submit(struct state__backend *backend, struct state_operation *operation)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    if (operation->complete == NULL)
        return state__operation_fail(operation, STATE_INVALID,
                                     "an operation on a disk needs a "
                                     "function to complete it");
    if (operation->kind == STATE_LIST)
        return submit_list(lmdb, operation);
    return lmdb->memory_backend->class->submit(lmdb->memory_backend, operation);
}

static enum state_status
submit_again(void *data, struct state_operation *operation)
{
    return submit(data, operation);
}

static void
cancel(struct state__backend *backend, struct state_operation *operation)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    lmdb->memory_backend->class->cancel(lmdb->memory_backend, operation);
}

static enum state_status
set_quota(struct state__backend *backend, const char *namespace_,
          const struct state_quota *quota)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    return lmdb->memory_backend->class->set_quota(lmdb->memory_backend,
                                                  namespace_, quota);
}

static enum state_status
stats(struct state__backend *backend, const char *namespace_,
      struct state_stats *figures)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    return lmdb->memory_backend->class->stats(lmdb->memory_backend,
                                              namespace_, figures);
}

static enum state_status
map(struct state__backend *backend,
    const struct state_mapping_options *options,
    struct state_mapping **mapping)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    return lmdb->memory_backend->class->map(lmdb->memory_backend, options,
                                            mapping);
}

static void
health(struct state__backend *backend, struct state_health *health)
{
    struct lmdb *lmdb = (struct lmdb *)backend;
    struct state__journal *journal = &lmdb->journal;

    pthread_mutex_lock(&journal->lock);
    health->up = atomic_load(&journal->condition) == STATE_OK;
    snprintf(health->message, sizeof health->message, "%s",
             health->up ? "ready" : journal->trouble);
    pthread_mutex_unlock(&journal->lock);
}

/* ---- Durability ---- */

/* Who waits for a note of the journal. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool is_done;
};

static void
wake(struct state_operation *operation)
{
    struct waiter *waiter = operation->data;

    pthread_mutex_lock(&waiter->lock);
    waiter->is_done = true;
    pthread_cond_signal(&waiter->wake);
    pthread_mutex_unlock(&waiter->lock);
}

/* Whether no shard has a key of the namespace; under all locks. */
static bool
is_empty(const struct lmdb *lmdb, const struct state__namespace *namespace_)
{
    struct state_bytes start = {"", 0};

    for (unsigned i = 0; i < lmdb->memory.shard_count; i++) {
        struct state__item *item = state__tree_after(
            lmdb->memory.shards[i].root, namespace_->index, start, true);

        if (item != NULL && item->namespace_index == namespace_->index)
            return false;
    }
    return true;
}

/* Changes it in memory, if it may be; sets what it was. */
static bool
change_durability(struct lmdb *lmdb, struct state__namespace *namespace_,
                  enum state_durability durability,
                  enum state_durability *before)
{
    bool may;

    for (unsigned i = 0; i < lmdb->memory.shard_count; i++)
        state__shard_lock(&lmdb->memory.shards[i]);
    *before = atomic_load(&namespace_->durability);
    may = (*before == STATE_DURABILITY_NONE) ==
              (durability == STATE_DURABILITY_NONE) ||
          is_empty(lmdb, namespace_);
    if (may)
        atomic_store(&namespace_->durability, durability);
    for (unsigned i = lmdb->memory.shard_count; i-- > 0;)
        state__shard_unlock(&lmdb->memory.shards[i]);
    return may;
}

static enum state_status
set_durability(struct state__backend *backend, const char *name,
               enum state_durability durability, struct state_error *err)
{
    struct lmdb *lmdb = (struct lmdb *)backend;
    struct waiter waiter = {PTHREAD_MUTEX_INITIALIZER,
                            PTHREAD_COND_INITIALIZER, false};
    struct state_operation note = {.complete = wake, .data = &waiter};
    struct state__namespace *namespace_;
    enum state_durability before;
    enum state_status status;

    status =
        state__namespaces_obtain(lmdb->memory.namespaces, name, &namespace_);
    if (status)
        return state__error_set(err, status, "%s", state_status_text(status));
    if (!change_durability(lmdb, namespace_, durability, &before))
        return state__error_set(err, STATE_CONFLICT,
                                "the namespace has keys, in memory only or "
                                "on the disk");
    status = state__journal_note(&lmdb->journal, namespace_, &note);
    if (status == STATE_PENDING) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.is_done)
            pthread_cond_wait(&waiter.wake, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        status = note.status;
    }
    if (status == STATE_OK)
        return STATE_OK;
    change_durability(lmdb, namespace_, before, &durability);
    return state__error_set(err, status, "%s", note.message);
}

/* ---- Repairs ---- */

static enum state_status
write_entries(void *data, struct state__journal_entry *first,
              const struct state__journal_entry *end)
{
    struct lmdb *lmdb = data;
    struct state_error err;
    enum state_status status;

    status = state__lmdb_file_write(lmdb->file, first, end, &err);
    if (status)
        state__journal_set_condition(&lmdb->journal, status, err.message);
    return status;
}

static void
lock_shards(void *data)
{
    struct lmdb *lmdb = data;

    for (unsigned i = 0; i < lmdb->memory.shard_count; i++)
        state__shard_lock(&lmdb->memory.shards[i]);
    lmdb->is_reading = state__lmdb_file_begin_reading(lmdb->file);
}

static void
unlock_shards(void *data)
{
    struct lmdb *lmdb = data;

    if (lmdb->is_reading)
        state__lmdb_file_end_reading(lmdb->file);
    for (unsigned i = lmdb->memory.shard_count; i-- > 0;)
        state__shard_unlock(&lmdb->memory.shards[i]);
}

static uint64_t
rest_ms(uint64_t expires_ms, uint64_t now_ms)
{
    if (expires_ms == 0)
        return UINT64_MAX;
    return expires_ms > now_ms ? expires_ms - now_ms : 0;
}

static struct state__shard *
shard_of(struct lmdb *lmdb, uint64_t hash)
{
    return &lmdb->memory.shards[hash & (lmdb->memory.shard_count - 1)];
}

/*
 * Gives a key what the disk has. Without the memory or the disk for it the
 * key is taken out: it is then not shown, and the store has trouble enough.
 */
static void
restore(void *data, const struct state__journal_entry *entry)
{
    struct lmdb *lmdb = data;
    struct state__lmdb_value value = {0};
    struct state__restored restored = {0};
    struct state__target target = {
        .namespace_ = entry->namespace_,
        .key = {entry->bytes, entry->key_length},
        .hash = entry->hash,
    };
    struct state__shard *shard = shard_of(lmdb, entry->hash);

    if (entry->namespace_ == NULL || entry->is_note)
        return; /* another entry of the key has failed as well */
    if (lmdb->is_reading &&
        state__lmdb_file_find(lmdb->file, entry, &value) == STATE_OK) {
        restored.version = value.version;
        restored.value = value.value;
        restored.expires_in_ms = rest_ms(
            value.expires_ms, state__journal_clock_ms(CLOCK_REALTIME));
    }
    if (state__restore(shard, &target, &restored) == STATE_OK)
        return;
    restored.version = 0;
    state__restore(shard, &target, &restored);
}

/* ---- The writer ---- */

static void
write_batch(struct lmdb *lmdb, struct state__journal_chain *batch)
{
    const struct state__journal_mender mender = {
        .write = write_entries,
        .lock = lock_shards,
        .unlock = unlock_shards,
        .restore = restore,
        .data = lmdb,
    };
    struct state__journal *journal = &lmdb->journal;
    struct state_operation *released;
    struct timespec begin, end;
    enum state_status status;

    clock_gettime(CLOCK_MONOTONIC, &begin);
    status = write_entries(lmdb, batch->first, NULL);
    clock_gettime(CLOCK_MONOTONIC, &end);
    if (status == STATE_OK) {
        if (atomic_load(&journal->condition) != STATE_OK)
            state__journal_set_condition(journal, STATE_OK, NULL);
        released = state__journal_resolve(
            journal, batch,
            (uint64_t)(end.tv_sec - begin.tv_sec) * 1000000000 +
                (uint64_t)(end.tv_nsec - begin.tv_nsec));
    } else {
        released = state__journal_repair(journal, &mender, batch, status);
    }
    state__journal_complete(journal, released, submit_again, lmdb);
}

static void
probe(struct lmdb *lmdb)
{
    if (atomic_load(&lmdb->journal.condition) != STATE_SYSTEM &&
        write_entries(lmdb, NULL, NULL) == STATE_OK)
        state__journal_set_condition(&lmdb->journal, STATE_OK, NULL);
}

/* Whether a store that is being closed has tried for long enough. */
static bool
gives_up(struct lmdb *lmdb)
{
    uint64_t now = state__journal_clock_ms(CLOCK_MONOTONIC);

    if (atomic_load(&lmdb->journal.condition) == STATE_OK ||
        !state__journal_is_closing(&lmdb->journal))
        return false;
    if (lmdb->closing_since_ms == 0)
        lmdb->closing_since_ms = now;
    return now - lmdb->closing_since_ms >= lmdb->timeout_ms;
}

static void *
run_writer(void *argument)
{
    struct lmdb *lmdb = argument;
    struct state__journal_chain batch;
    enum state__journal_work work;

    do {
        work = state__journal_take(&lmdb->journal, COMMIT_BYTES_MAX, &batch);
        if (work == STATE__JOURNAL_BATCH)
            write_batch(lmdb, &batch);
        else if (work == STATE__JOURNAL_PROBE)
            probe(lmdb);
    } while (work != STATE__JOURNAL_CLOSED && !gives_up(lmdb));
    state__journal_complete(&lmdb->journal,
                            state__journal_dismiss(&lmdb->journal), NULL, NULL);
    return NULL;
}

static bool
start_writer(struct lmdb *lmdb)
{
    sigset_t all, old;

    /* The program's signals are no business of the library's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    lmdb->has_writer = pthread_create(&lmdb->writer, NULL, run_writer, lmdb) ==
                       0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return lmdb->has_writer;
}

/* ---- Opening and closing ---- */

static enum state_status
read_namespace(void *data, struct state__lmdb_namespace *row, uint32_t *index,
               struct state_error *err)
{
    struct lmdb *lmdb = data;
    struct state__namespace *namespace_;
    enum state_status status;

    status = state__namespaces_obtain(lmdb->memory.namespaces, row->name,
                                      &namespace_);
    if (status)
        return state__error_set(err, status, "a namespace: %s",
                                state_status_text(status));
    if (row->durability != STATE_DURABILITY_SYNC)
        row->version += VERSIONS_SKIPPED;
    atomic_store(&namespace_->durability, row->durability);
    atomic_store(&namespace_->version, row->version);
    atomic_store(&namespace_->resolved, row->version);
    lmdb->by_index[namespace_->index] = namespace_;
    *index = namespace_->index;
    return STATE_OK;
}

static enum state_status
read_value(void *data, uint32_t index, struct state_bytes key,
           const struct state__lmdb_value *value, struct state_error *err)
{
    struct lmdb *lmdb = data;
    struct state__namespace *namespace_ = lmdb->by_index[index];
    struct state__target target = {
        .namespace_ = namespace_,
        .key = key,
        .hash = state__shard_hash(lmdb->memory.hash_seed, index, key),
    };
    struct state__restored restored = {
        .version = value->version,
        .value = value->value,
        .expires_in_ms = rest_ms(value->expires_ms, lmdb->now_ms),
    };

    if (value->version == 0 ||
        value->version > atomic_load(&namespace_->version))
        return state__error_set(err, STATE_BACKEND,
                                "the directory is damaged: a version that "
                                "was not given out");
    lmdb->has_expiries |= value->expires_ms > 0;
    if (state__restore(shard_of(lmdb, target.hash), &target, &restored) !=
        STATE_OK)
        return state__error_set(err, STATE_NO_MEMORY,
                                "not enough memory for what is on the disk");
    return STATE_OK;
}

static enum state_status
read_all(struct lmdb *lmdb, struct state_error *err)
{
    const struct state__lmdb_reader reader = {
        .read_namespace = read_namespace,
        .read_value = read_value,
        .data = lmdb,
    };
    enum state_status status;

    lmdb->by_index = calloc(STATE_NAMESPACES_MAX,
                            sizeof(struct state__namespace *));
    if (lmdb->by_index == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    lmdb->now_ms = state__journal_clock_ms(CLOCK_REALTIME);
    status = state__lmdb_file_read(lmdb->file, &reader, err);
    free(lmdb->by_index);
    lmdb->by_index = NULL;
    return status;
}

static void
close_lmdb(struct state__backend *backend)
{
    struct lmdb *lmdb = (struct lmdb *)backend;

    if (lmdb->has_writer) {
        state__journal_close(&lmdb->journal);
        pthread_join(lmdb->writer, NULL);
    }
    if (lmdb->memory_backend != NULL)
        lmdb->memory_backend->class->close(lmdb->memory_backend);
    state__lmdb_file_close(lmdb->file);
    state__journal_deinit(&lmdb->journal);
    free(lmdb);
}

static const struct state__backend_class lmdb_class = {
    .name = "lmdb",
    .has_locks = true,
    .submit = submit,
    .cancel = cancel,
    .set_durability = set_durability,
    .health = health,
    .set_quota = set_quota,
    .stats = stats,
    .map = map,
    .close = close_lmdb,
};

enum state_status
state__lmdb_open(const struct state_options *options,
                 struct state__backend **backend, struct state_error *err)
{
    struct lmdb *lmdb = calloc(1, sizeof *lmdb);
    enum state_status status;

    if (lmdb == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    lmdb->backend.class = &lmdb_class;
    lmdb->timeout_ms = options->timeout_ms;
    state__journal_init(&lmdb->journal, options->in_flight_max,
                        options->in_flight_bytes_max);
    status = state__memory_open(options, &lmdb->memory_backend, err);
    if (status)
        goto fail;
    lmdb->memory = state__memory_parts(lmdb->memory_backend);
    lmdb->memory.namespaces->durability = options->durability;
    status = state__lmdb_file_open(options->url + strlen("lmdb:"),
                                   options->disk_bytes_max, &lmdb->file, err);
    if (status)
        goto fail;
    status = read_all(lmdb, err);
    if (status)
        goto fail;
    for (unsigned i = 0; i < lmdb->memory.shard_count; i++)
        lmdb->memory.shards[i].journal = &lmdb->journal;
    if (lmdb->has_expiries)
        state__memory_expects_expiry(lmdb->memory_backend);
    if (!start_writer(lmdb)) {
        status = state__error_set(err, STATE_SYSTEM, "no thread for writing");
        goto fail;
    }
    *backend = &lmdb->backend;
    return STATE_OK;
fail:
    close_lmdb(&lmdb->backend);
    return status;
}
