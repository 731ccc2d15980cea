/* A shard of the memory backend: see shard.h. Its writes: change.h. */
#include "state/shard.h"

#include "state/journal.h"
#include "state/eviction.h"
#include "state/operation.h"
#include "state/quota.h"
#include "state/region.h"
#include "state/watch.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* One sweep removes this many keys before it lets others have the lock. */
#define SWEEP_ITEMS_MAX 64

uint64_t
state__shard_hash(uint64_t hash_seed, uint32_t namespace_index,
                  struct state_bytes key)
{
    /* The same key in two namespaces is in unrelated shards and slots. */
    return XXH3_64bits_withSeed(
        key.bytes, key.length_bytes,
        hash_seed + namespace_index * UINT64_C(0x9e3779b97f4a7c15));
}

void
state__shard_init(struct state__shard *shard,
                  const struct state__clock *clock,
                  struct state__slab_pool *slab_pool, uint64_t hash_seed)
{
    *shard = (struct state__shard){.clock = clock, .hash_seed = hash_seed};
    pthread_mutex_init(&shard->lock, NULL);
    state__slab_init(&shard->slab, slab_pool);
}

void
state__shard_deinit(struct state__shard *shard)
{
    for (size_t i = 0; i < state__table_capacity(&shard->table); i++)
        state__item_destroy(state__table_at(&shard->table, i));
    state__table_deinit(&shard->table);
    state__slab_deinit(&shard->slab);
    state__expiry_deinit(&shard->expiry);
    state__locks_deinit(&shard->locks);
    pthread_mutex_destroy(&shard->lock);
}

uint64_t
state__shard_now_ms(const struct state__shard *shard)
{
    return shard->clock->now_ms(shard->clock->data);
}

bool
state__shard_is_expired(struct state__shard *shard,
                        const struct state__item *item)
{
    return item->expiry_place > 0 &&
           state__expiry_deadline_ms(&shard->expiry, item) <=
               state__shard_now_ms(shard);
}

bool
state__shard_reserve(struct state__shard *shard,
                     struct state__namespace *namespace_)
{
    return state__table_reserve(&shard->table) &&
           state__eviction_reserve(shard, namespace_);
}

void
state__shard_link(struct state__shard *shard,
                  const struct state__target *target,
                  struct state__item *item)
{
    state__table_insert(&shard->table, target->hash, item);
    state__tree_insert(&shard->root, item);
    state__eviction_add(shard, target->namespace_, target->hash, item);
}

void
state__shard_unlink(struct state__shard *shard,
                    const struct state__target *target,
                    struct state__item *item, struct state__item **dead)
{
    state__eviction_remove(shard, target->namespace_, target->hash, item);
    state__table_remove(&shard->table, target->hash, item);
    state__tree_remove(&shard->root, item);
    state__expiry_clear(&shard->expiry, item);
    item->left = *dead;
    *dead = item;
}

/* The way to an item that is there. */
static struct state__target
target_of(const struct state__shard *shard, const struct state__item *item)
{
    struct state_bytes key = state__item_key(item);

    return (struct state__target){
        .namespace_ =
            state__namespaces_at(shard->namespaces, item->namespace_index),
        .key = key,
        .hash = state__shard_hash(shard->hash_seed, item->namespace_index,
                                  key),
    };
}

void
state__shard_remove(struct state__shard *shard, struct state__item *item,
                    struct state__item **dead)
{
    struct state__target target = target_of(shard, item);

    state__quota_count(target.namespace_, -1,
                       -(int64_t)item->key_length -
                           (int64_t)item->value_length);
    state__shard_unlink(shard, &target, item, dead);
}

void
state__shard_expel(struct state__shard *shard, struct state__item *item,
                   struct state__item **dead)
{
    struct state__namespace *namespace_ =
        state__namespaces_at(shard->namespaces, item->namespace_index);

    if (shard->journal != NULL)
        state__journal_expel(shard->journal, item,
                             target_of(shard, item).hash);
    state__watch_vanish(namespace_, state__item_key(item));
    state__shard_remove(shard, item, dead);
}

/* Expels an item that has expired, and counts that. */
static void
expire(struct state__shard *shard, struct state__item *item,
       struct state__item **dead)
{
    struct state__namespace *namespace_ =
        state__namespaces_at(shard->namespaces, item->namespace_index);

    state__shard_expel(shard, item, dead);
    atomic_fetch_add_explicit(&namespace_->expired_count, 1,
                              memory_order_relaxed);
}

struct state__item *
state__shard_find(struct state__shard *shard,
                  const struct state__target *target,
                  struct state__item **dead)
{
    struct state__item *item;

    item = state__table_find(&shard->table, target->hash,
                             target->namespace_->index, target->key);
    if (item == NULL || !state__shard_is_expired(shard, item))
        return item;
    expire(shard, item, dead);
    return NULL;
}

/* ---- Reads ---- */

/*
 * Takes what a GET answers: a copy of a short value or part, a share of a
 * long one.
 */
static void
take_value(struct state__item *item, size_t offset, size_t length,
           struct state_operation *operation)
{
    struct state__value *block = state__item_block(item);

    if (block == NULL || length <= STATE_VALUE_INLINE_MAX) {
        state__operation_copy_result(
            operation, state__item_value(item) + offset, length);
        return;
    }
    state__value_acquire(block);
    operation->private_.owned = block;
    operation->private_.release = state__value_release;
    operation->result.bytes = block->bytes + offset;
    operation->result.length_bytes = length;
}

static void
take_range(struct state__item *item, struct state_operation *operation)
{
    uint64_t offset = operation->range_offset_bytes;
    uint64_t length = operation->range_length_bytes;

    if (offset > item->value_length)
        offset = item->value_length;
    if (length > item->value_length - offset)
        length = item->value_length - offset;
    take_value(item, (size_t)offset, (size_t)length, operation);
}

/* How long the item, which has not expired, will be there; 0: it stays. */
static uint64_t
time_left_ms(const struct state__shard *shard, const struct state__item *item)
{
    uint64_t deadline_ms, now;

    if (item->expiry_place == 0)
        return 0;
    deadline_ms = state__expiry_deadline_ms(&shard->expiry, item);
    now = state__shard_now_ms(shard);
    return deadline_ms > now ? deadline_ms - now : 1;
}

/* What a read answers about the item that it has found. */
static void
take(struct state__shard *shard, struct state__item *item,
     struct state_operation *operation)
{
    operation->version = item->version;
    operation->size_bytes = item->value_length;
    if (operation->kind == STATE_GET)
        take_value(item, 0, item->value_length, operation);
    else if (operation->kind == STATE_GET_RANGE)
        take_range(item, operation);
    else
        operation->expires_in_ms = time_left_ms(shard, item);
}

enum state_status
state__shard_read_locked(struct state__shard *shard,
                         const struct state__target *target,
                         struct state_operation *operation,
                         struct state__item **item,
                         struct state__item **dead)
{
    *item = state__shard_find(shard, target, dead);
    if (*item == NULL)
        return STATE_NOT_FOUND;
    state__eviction_touch(target->namespace_, *item);
    take(shard, *item, operation);
    return STATE_OK;
}

/*
 * A read without the lock, of what has neither a block nor an expiry. False:
 * it has, or somebody has changed something meanwhile. Then nothing is said.
 */
static bool
glance(const struct state__shard *shard, const struct state__target *target,
       struct state_operation *operation)
{
    const struct state__item *item;
    uint64_t version = 0;
    size_t length = 0;
    unsigned noted;

    if (!state__sequence_note(&shard->sequence, &noted))
        return false;
    item = state__table_find(&shard->table, target->hash,
                             target->namespace_->index, target->key);
    if (item != NULL) {
        length = STATE__SEE(item->value_length);
        version = STATE__SEE(item->version);
        if (length > STATE_VALUE_INLINE_MAX || STATE__SEE(item->is_large) ||
            STATE__SEE(item->expiry_place) != 0)
            return false;
        state__sequence_read(
            operation->private_.small,
            state__item_area(item, target->key.length_bytes), length);
    }
    if (!state__sequence_holds(&shard->sequence, noted))
        return false;
    operation->version = version;
    operation->size_bytes = length;
    if (item != NULL && operation->kind == STATE_GET)
        operation->result =
            (struct state_bytes){operation->private_.small, length};
    state__operation_end(operation, item != NULL ? STATE_OK : STATE_NOT_FOUND);
    return true;
}

/* Whether a read may pass the lock by: nobody else wants to know of it. */
static bool
may_glance(const struct state__shard *shard,
           const struct state__target *target,
           const struct state_operation *operation)
{
    return operation->kind != STATE_GET_RANGE && shard->journal == NULL &&
           atomic_load_explicit(&target->namespace_->samples,
                                memory_order_relaxed) == NULL;
}

enum state_status
state__shard_read(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation)
{
    struct state__item *dead = NULL, *item;
    enum state_status status;

    if (may_glance(shard, target, operation) &&
        glance(shard, target, operation))
        return operation->status;
    state__shard_lock(shard);
    status = state__shard_read_locked(shard, target, operation, &item, &dead);
    if (state__region_is_mapped(item) && operation->kind != STATE_STAT)
        return state__region_read(shard, target, operation, item);
    status = state__journal_end(shard->journal, target->namespace_,
                                target->hash, item, false, operation, status);
    state__shard_unlock(shard);
    state__item_destroy_chain(dead);
    return status;
}

/* ---- Expiry ---- */

/* Removes a few; returns as state__shard_sweep, 0 when there are more. */
static uint64_t
sweep_some(struct state__shard *shard)
{
    struct state__item *dead = NULL;
    uint64_t wait_ms = UINT64_MAX, now = 0;
    unsigned removed = 0;

    state__shard_lock(shard);
    if (shard->expiry.count > 0)
        now = state__shard_now_ms(shard);
    while (shard->expiry.count > 0) {
        struct state__expiry_entry first = shard->expiry.entries[0];

        if (first.deadline_ms > now || removed++ == SWEEP_ITEMS_MAX) {
            wait_ms = first.deadline_ms > now ? first.deadline_ms - now : 0;
            break;
        }
        expire(shard, first.item, &dead);
    }
    state__shard_unlock(shard);
    state__item_destroy_chain(dead);
    return wait_ms;
}

uint64_t
state__shard_sweep(struct state__shard *shard)
{
    uint64_t wait_ms;

    do {
        wait_ms = sweep_some(shard);
    } while (wait_ms == 0);
    return wait_ms;
}
