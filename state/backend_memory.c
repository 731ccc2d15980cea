/*
 * The memory backend: values in this process, in shards (shard.h).
 *
 * Every operation ends at once but a lock that waits. Expiry is lazy: a key
 * whose time has come is never seen again, and its memory is given back by
 * whoever comes across it, or else by the sweeper, a thread that starts with
 * the first expiry and sleeps while there is none.
 */
#include "state/backend.h"
#include "state/batch.h"
#include "state/change.h"
#include "state/error.h"
#include "state/eviction.h"
#include "state/listing.h"
#include "state/lock_keeper.h"
#include "state/memory.h"
#include "state/operation.h"
#include "state/quota.h"
#include "state/region.h"
#include "state/transaction.h"
#include "state/watch.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

/*
 * The sweeper rests at least so long between two rounds, so that many
 * expiries cost few wake-ups, and at most so long, since an expiry set while
 * it rests may be earlier than all it has seen and does not wake it.
 */
#define SWEEP_REST_MS_MIN 100
#define SWEEP_REST_MS_MAX 1000

struct memory {
    struct state__backend backend;
    struct state__clock clock;
    struct state__namespaces namespaces;
    struct state__lock_keeper lock_keeper;
    struct state__watch_hub watch_hub;
    struct state__slab_pool slab_pool; /* of all items */
    struct state__shard *shards;
    unsigned shard_count;
    uint64_t hash_seed;
    size_t value_bytes_max;
    pthread_mutex_t quota_lock; /* for setting one */
    struct state__region_files *region_files;

    struct state__timer sweeper;
};

static uint64_t
monotonic_ms(void *data)
{
    struct timespec now;

    (void)data;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* The sweeper's round: sweeps every shard. */
static uint64_t
sweep_all(void *data)
{
    struct memory *memory = data;
    uint64_t rest_ms = UINT64_MAX;

    for (unsigned i = 0; i < memory->shard_count; i++) {
        uint64_t wait_ms = state__shard_sweep(&memory->shards[i]);

        if (wait_ms < rest_ms)
            rest_ms = wait_ms;
    }
    if (rest_ms == UINT64_MAX)
        return UINT64_MAX;
    if (rest_ms < SWEEP_REST_MS_MIN)
        rest_ms = SWEEP_REST_MS_MIN;
    if (rest_ms > SWEEP_REST_MS_MAX)
        rest_ms = SWEEP_REST_MS_MAX;
    return memory->clock.now_ms(memory->clock.data) + rest_ms;
}

/*
 * Called after a key got an expiry. What is already under way is left alone:
 * it comes round soon enough. Without a thread to be had keys still expire,
 * only their memory stays until somebody comes across them.
 */
static void
wake_sweeper(struct memory *memory)
{
    if (atomic_load(&memory->sweeper.due_ms) == UINT64_MAX)
        state__timer_ask(&memory->sweeper, 0);
}

/*
 * The namespace that the record was used in before, if it still has the same
 * name. The store is told by its random seed: another one at the same address
 * has another.
 */
static struct state__namespace *
recall(const struct memory *memory, const struct state_operation *operation)
{
    struct state__namespace *found =
        (struct state__namespace *)operation->private_.found;

    if (found == NULL || operation->private_.found_by != memory->hash_seed ||
        operation->namespace_ == NULL ||
        strcmp(found->name, operation->namespace_) != 0)
        return NULL;
    return found;
}

/*
 * Looks a namespace up; adds it for a write, a lock or a watch. Returns
 * STATE_OK with null when there is no such namespace.
 */
static enum state_status
find_namespace(struct memory *memory, struct state_operation *operation,
               struct state__namespace **found)
{
    enum state_status status;

    /* A record that serves again mostly does so in the same namespace. */
    *found = recall(memory, operation);
    if (*found != NULL)
        return STATE_OK;
    /* What is in the table is valid, so the check is for misses only. */
    if (operation->namespace_ != NULL)
        *found = state__namespaces_find(&memory->namespaces,
                                        operation->namespace_);
    if (*found != NULL) {
        operation->private_.found = *found;
        operation->private_.found_by = memory->hash_seed;
        return STATE_OK;
    }
    status = state__operation_check_namespace(operation);
    if (status || (!state__operation_is_write(operation->kind) &&
                   operation->kind != STATE_LOCK &&
                   operation->kind != STATE_WATCH))
        return status;
    status = state__namespaces_obtain(&memory->namespaces,
                                      operation->namespace_, found);
    if (status == STATE_LIMIT)
        return state__operation_fail(operation, status,
                                     "a store has at most %d namespaces",
                                     STATE_NAMESPACES_MAX);
    return status ? state__operation_end(operation, status) : STATE_OK;
}

/* What there is to say of a namespace that was never written. */
static void
end_without_namespace(struct state_operation *operation)
{
    enum state_status status = STATE_NOT_FOUND;

    if (operation->kind == STATE_LIST)
        status = STATE_OK;
    operation->lock_lost = state__operation_is_lock(operation->kind);
    if (operation->lock_lost)
        status = STATE_CONFLICT;
    state__operation_end(operation, status);
}

/* Finds the shard that has a namespace's key, by the hash. */
static struct state__shard *
find_shard(struct memory *memory, struct state__target *target)
{
    target->hash = state__shard_hash(memory->hash_seed,
                                     target->namespace_->index, target->key);
    return &memory->shards[target->hash & (memory->shard_count - 1)];
}

/* Evicts what is too much, if the namespace does that. */
static void
make_room(struct memory *memory, struct state__namespace *namespace_)
{
    if (atomic_load_explicit(&namespace_->evicts, memory_order_relaxed) &&
        state__quota_is_passed(namespace_))
        state__eviction_run(memory->shards, memory->shard_count, namespace_);
}

/* Counts an operation against its namespace's rate; false: it has ended. */
static bool
admit(struct memory *memory, struct state__namespace *namespace_,
      struct state_operation *operation)
{
    return atomic_load_explicit(&namespace_->operations_per_second,
                                memory_order_relaxed) == 0 ||
           state__quota_admit(namespace_,
                              memory->clock.now_ms(memory->clock.data),
                              operation) == STATE_OK;
}

/* Finds where each operation of a batch goes; false: one cannot go on. */
static bool
aim(struct memory *memory, struct state__transaction *transaction,
    struct state_operation *batch, size_t *failed)
{
    for (size_t i = 0; i < batch->operation_count; i++) {
        struct state_operation *operation = &batch->operations[i];
        struct state__namespace *namespace_;

        *failed = i;
        state__operation_begin(operation);
        if (state__operation_check(operation, memory->value_bytes_max) ||
            find_namespace(memory, operation, &namespace_))
            return false;
        if (namespace_ == NULL)
            state__operation_end(operation, STATE_NOT_FOUND);
        else if (!admit(memory, namespace_, operation))
            return false;
        else
            state__transaction_set_target(
                transaction, i, namespace_,
                state__shard_hash(memory->hash_seed, namespace_->index,
                                  operation->key));
    }
    return true;
}

/* Whether an operation of the batch may have given a key an expiry. */
static bool
has_expiry(const struct state_operation *batch)
{
    for (size_t i = 0; i < batch->operation_count; i++)
        if (batch->operations[i].ttl_ms > 0)
            return true;
    return false;
}

static enum state_status
submit_batch(struct memory *memory, struct state_operation *batch)
{
    struct state__transaction *transaction = state__transaction_create(
        memory->shards, memory->shard_count, batch, memory->value_bytes_max);
    bool expires = has_expiry(batch);
    size_t count = batch->operation_count, failed;
    enum state_status status;

    if (transaction == NULL)
        return state__operation_end(batch, STATE_NO_MEMORY);
    if (aim(memory, transaction, batch, &failed))
        status = state__transaction_run(transaction);
    else
        status = state__batch_abort(batch, failed);
    /* The batch is no longer ours if it is pending. */
    if (expires && (status == STATE_OK || status == STATE_PENDING))
        wake_sweeper(memory);
    for (size_t i = 0; i < count; i++) {
        struct state__namespace *namespace_ =
            state__transaction_namespace(transaction, i);

        if (namespace_ != NULL)
            make_room(memory, namespace_);
    }
    state__transaction_destroy(transaction);
    return status;
}

/* Finds an operation's namespace and lets it in; false: it has ended. */
static inline bool
enter(struct memory *memory, struct state_operation *operation,
      struct state__target *target)
{
    if (find_namespace(memory, operation, &target->namespace_))
        return false;
    if (target->namespace_ == NULL) {
        end_without_namespace(operation);
        return false;
    }
    return admit(memory, target->namespace_, operation);
}

/* GET, GET_RANGE and STAT. */
static enum state_status
read_key(struct memory *memory, struct state_operation *operation)
{
    struct state__target target = {.key = operation->key};

    if (!enter(memory, operation, &target))
        return operation->status;
    return state__shard_read(find_shard(memory, &target), &target, operation);
}

/* LIST, WATCH and what is about a key's lock. */
static enum state_status
submit_other(struct memory *memory, struct state_operation *operation)
{
    struct state__target target = {.key = operation->key};

    if (!enter(memory, operation, &target))
        return operation->status;
    if (operation->kind == STATE_LIST)
        return state__listing_run(memory->shards, memory->shard_count,
                                  target.namespace_, operation);
    if (operation->kind == STATE_WATCH)
        return state__watch_submit(&memory->watch_hub, target.namespace_,
                                   operation);
    return state__lock_keeper_submit(&memory->lock_keeper,
                                     find_shard(memory, &target), &target,
                                     operation);
}

static enum state_status
write_key(struct memory *memory, struct state_operation *operation)
{
    struct state__target target = {.key = operation->key};
    bool expires = operation->ttl_ms > 0;
    enum state_status status;

    if (!enter(memory, operation, &target))
        return operation->status;
    status = state__change_run(find_shard(memory, &target), &target,
                               operation, memory->value_bytes_max);
    make_room(memory, target.namespace_);
    /* The record is no longer ours if it is pending. */
    if (expires && (status == STATE_OK || status == STATE_PENDING))
        wake_sweeper(memory);
    return status;
}

static enum state_status
submit(struct state__backend *backend, struct state_operation *operation)
{
    struct memory *memory = (struct memory *)backend;

    switch (operation->kind) {
    case STATE_GET:
    case STATE_STAT:
    case STATE_GET_RANGE:
        return read_key(memory, operation);
    case STATE_BATCH:
        return submit_batch(memory, operation);
    case STATE_LIST:
    case STATE_WATCH:
    case STATE_LOCK:
    case STATE_UNLOCK:
    case STATE_EXTEND:
        return submit_other(memory, operation);
    default:
        return write_key(memory, operation);
    }
}

struct state__memory
state__memory_parts(struct state__backend *backend)
{
    struct memory *memory = (struct memory *)backend;

    return (struct state__memory){
        .shards = memory->shards,
        .shard_count = memory->shard_count,
        .namespaces = &memory->namespaces,
        .hash_seed = memory->hash_seed,
    };
}

void
state__memory_expects_expiry(struct state__backend *backend)
{
    wake_sweeper((struct memory *)backend);
}

static enum state_status
set_quota(struct state__backend *backend, const char *name,
          const struct state_quota *quota)
{
    struct memory *memory = (struct memory *)backend;
    struct state__namespace *namespace_;
    bool evicts = quota->policy == STATE_POLICY_LRU;
    enum state_status status;

    status = state__namespaces_obtain(&memory->namespaces, name, &namespace_);
    if (status)
        return status;
    pthread_mutex_lock(&memory->quota_lock);
    if (evicts)
        status = state__eviction_begin(memory->shards, memory->shard_count,
                                       namespace_);
    if (status == STATE_OK)
        state__quota_set(namespace_, quota);
    if (!evicts)
        state__eviction_end(memory->shards, memory->shard_count, namespace_);
    pthread_mutex_unlock(&memory->quota_lock);
    if (status == STATE_OK)
        make_room(memory, namespace_);
    return status;
}

static enum state_status
stats(struct state__backend *backend, const char *name,
      struct state_stats *figures)
{
    struct memory *memory = (struct memory *)backend;
    struct state__namespace *namespace_ =
        state__namespaces_find(&memory->namespaces, name);

    if (namespace_ == NULL)
        return STATE_NOT_FOUND;
    state__quota_stats(namespace_, figures);
    return STATE_OK;
}

static enum state_status
map(struct state__backend *backend,
    const struct state_mapping_options *options,
    struct state_mapping **mapping)
{
    struct memory *memory = (struct memory *)backend;
    struct state__target target = {.key = options->key};

    target.namespace_ = state__namespaces_find(&memory->namespaces,
                                               options->namespace_);
    if (target.namespace_ == NULL)
        return STATE_NOT_FOUND;
    return state__region_map(find_shard(memory, &target), &target, options,
                             memory->region_files, mapping);
}

static void
cancel(struct state__backend *backend, struct state_operation *operation)
{
    struct memory *memory = (struct memory *)backend;
    struct state__target target = {.key = operation->key};

    if (operation->kind != STATE_LOCK && operation->kind != STATE_WATCH)
        return;
    target.namespace_ = state__namespaces_find(&memory->namespaces,
                                               operation->namespace_);
    if (target.namespace_ == NULL)
        return;
    if (operation->kind == STATE_WATCH)
        state__watch_cancel(&memory->watch_hub, target.namespace_, operation);
    else
        state__lock_keeper_cancel(&memory->lock_keeper,
                                  find_shard(memory, &target), &target,
                                  operation);
}

static void
health(struct state__backend *backend, struct state_health *health)
{
    (void)backend;
    health->up = true;
    strcpy(health->message, "ready");
}

static void
close_memory(struct state__backend *backend)
{
    struct memory *memory = (struct memory *)backend;

    state__timer_deinit(&memory->sweeper);
    if (memory->shards != NULL) {
        state__lock_keeper_deinit(&memory->lock_keeper);
        state__watch_hub_deinit(&memory->watch_hub);
    }
    for (unsigned i = 0; i < memory->shard_count; i++)
        state__shard_deinit(&memory->shards[i]);
    free(memory->shards);
    state__slab_pool_deinit(&memory->slab_pool);
    for (uint32_t i = 0; i < memory->namespaces.count; i++)
        state__eviction_deinit(state__namespaces_at(&memory->namespaces, i),
                               memory->shard_count);
    state__namespaces_deinit(&memory->namespaces);
    state__region_files_release(memory->region_files);
    pthread_mutex_destroy(&memory->quota_lock);
    free(memory);
}

static const struct state__backend_class memory_class = {
    .name = "memory",
    .has_locks = true,
    .submit = submit,
    .cancel = cancel,
    .health = health,
    .set_quota = set_quota,
    .stats = stats,
    .map = map,
    .close = close_memory,
};

static struct memory *
create_memory(const struct state_options *options)
{
    struct memory *memory = calloc(1, sizeof *memory);

    if (memory == NULL)
        return NULL;
    memory->backend.class = &memory_class;
    memory->value_bytes_max = options->value_bytes_max;
    memory->clock.now_ms = options->now_ms ? options->now_ms : monotonic_ms;
    memory->clock.data = options->now_data;
    pthread_mutex_init(&memory->quota_lock, NULL);
    state__slab_pool_init(&memory->slab_pool);
    state__timer_init(&memory->sweeper, &memory->clock, sweep_all, memory);
    return memory;
}

enum state_status
state__memory_open(const struct state_options *options,
                   struct state__backend **backend, struct state_error *err)
{
    struct memory *memory = create_memory(options);
    uint64_t seeds[2];
    enum state_status status = STATE_NO_MEMORY;

    if (memory == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    /* Clients who knew the seed could put all their keys into one slot. */
    if (getrandom(seeds, sizeof seeds, 0) != sizeof seeds) {
        status = state__error_set(err, STATE_SYSTEM,
                                  "no random bytes for the hash's seed");
        goto fail;
    }
    memory->hash_seed = seeds[0];
    memory->region_files = state__region_files_create();
    if (!state__namespaces_init(&memory->namespaces, seeds[1]) ||
        memory->region_files == NULL)
        goto out_of_memory;
    memory->shards = aligned_alloc(alignof(struct state__shard),
                                   options->shard_count *
                                       sizeof *memory->shards);
    if (memory->shards == NULL)
        goto out_of_memory;
    memory->shard_count = options->shard_count;
    for (unsigned i = 0; i < memory->shard_count; i++) {
        state__shard_init(&memory->shards[i], &memory->clock,
                          &memory->slab_pool, memory->hash_seed);
        memory->shards[i].namespaces = &memory->namespaces;
        memory->shards[i].index = i;
    }
    state__lock_keeper_init(&memory->lock_keeper, &memory->clock,
                            memory->shards, memory->shard_count);
    state__watch_hub_init(&memory->watch_hub, &memory->clock, memory->shards,
                          memory->shard_count);
    *backend = &memory->backend;
    return STATE_OK;
out_of_memory:
    state__error_set(err, STATE_NO_MEMORY, "out of memory");
fail:
    close_memory(&memory->backend);
    return status;
}
