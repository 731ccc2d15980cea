/*
 * A shard of the memory backend: the keys whose hashes end in its number, of
 * all namespaces, under one lock. Every item is in the table (found by hash)
 * and in the tree (found in order), and in the expiry heap if it expires.
 *
 * The lock is held for short and bounded work: a search, a copy of at most
 * STATE_VALUE_INLINE_MAX bytes or, for appends, a few KiB. Large values are
 * allocated and filled before it, swapped under it, and freed after it. What
 * most reads want needs no lock: see sequence.h.
 *
 * Any thread may call these.
 */
#ifndef GLASS_STATE_SHARD_H
#define GLASS_STATE_SHARD_H

#include "state/expiry.h"
#include "state/lock.h"
#include "state/namespace.h"
#include "state/sequence.h"
#include "state/slab.h"
#include "state/table.h"
#include "state/timer.h"
#include "state/tree.h"

struct state__shard {
    alignas(64) pthread_mutex_t lock;
    struct state__sequence sequence; /* of what happens under it */
    struct state__journal *journal;  /* hears of every change; or null */
    struct state__table table; /* its first word is in the line of all these */
    struct state__slab slab; /* of its items */
    struct state__item *root;
    struct state__expiry expiry;
    struct state__locks locks;
    const struct state__clock *clock;
    uint64_t hash_seed;

    /* Whose the items are, and the shard's number among its like. */
    const struct state__namespaces *namespaces;
    unsigned index;
};

/* A key on its way to an item. */
struct state__target {
    struct state__namespace *namespace_;
    struct state_bytes key;
    uint64_t hash;
};

/*
 * The hash of a key, whose lower half says which shard has it. All shards of
 * a store have the same seed, which should be unknown to the clients.
 */
uint64_t
state__shard_hash(uint64_t hash_seed, uint32_t namespace_index,
                  struct state_bytes key);

/*
 * The clock and the pool stay the caller's, who has to set `namespaces` and
 * `index` before the first operation.
 */
void
state__shard_init(struct state__shard *shard,
                  const struct state__clock *clock,
                  struct state__slab_pool *slab_pool, uint64_t hash_seed);

/* Frees all items. */
void
state__shard_deinit(struct state__shard *shard);

/* GET, GET_RANGE and STAT. Ends the operation. Writes: change.h. */
enum state_status
state__shard_read(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation);

/*
 * Removes keys whose time has come. Returns the milliseconds until the next
 * one expires, or UINT64_MAX when none will.
 */
uint64_t
state__shard_sweep(struct state__shard *shard);

/* ---- For the files of the shard itself ---- */

/* Takes the lock, for whatever reason, and gives it back. */
static inline void
state__shard_lock(struct state__shard *shard)
{
    pthread_mutex_lock(&shard->lock);
    state__sequence_begin(&shard->sequence);
}

static inline void
state__shard_unlock(struct state__shard *shard)
{
    state__sequence_end(&shard->sequence);
    pthread_mutex_unlock(&shard->lock);
}

/* ---- The same; under the lock ---- */

/* The shard's time. */
uint64_t
state__shard_now_ms(const struct state__shard *shard);

/*
 * The item of a key, or null. One that has expired goes out of the shard and
 * onto the chain `dead`, to be destroyed when the lock is gone.
 */
struct state__item *
state__shard_find(struct state__shard *shard,
                  const struct state__target *target,
                  struct state__item **dead);

/*
 * What state__shard_read does, under the lock; does not end the operation.
 * Sets `item` to the key's, or null.
 */
enum state_status
state__shard_read_locked(struct state__shard *shard,
                         const struct state__target *target,
                         struct state_operation *operation,
                         struct state__item **item,
                         struct state__item **dead);

/* Makes room for one more item of a namespace; false without memory. */
bool
state__shard_reserve(struct state__shard *shard,
                     struct state__namespace *namespace_);

/*
 * Puts an item into the shard, after a reserve, and takes it out and onto the
 * chain. It is counted neither in nor out: see quota.h.
 */
void
state__shard_link(struct state__shard *shard,
                  const struct state__target *target,
                  struct state__item *item);

void
state__shard_unlink(struct state__shard *shard,
                    const struct state__target *target,
                    struct state__item *item, struct state__item **dead);

/* Takes an item out of the shard and onto the chain, and counts it out. */
void
state__shard_remove(struct state__shard *shard, struct state__item *item,
                    struct state__item **dead);

/*
 * The same for one that no operation removes, since it has expired or must
 * make room: the journal hears of it.
 */
void
state__shard_expel(struct state__shard *shard, struct state__item *item,
                   struct state__item **dead);

/* Whether the item has expired. */
bool
state__shard_is_expired(struct state__shard *shard,
                        const struct state__item *item);

#endif
