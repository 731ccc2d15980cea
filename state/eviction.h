/*
 * Eviction: a namespace that has more than it may, and whose policy is lru,
 * drops keys that have not been used for long. Which ones is found by
 * sampling: of a few keys drawn at random from several shards the one that
 * was used longest ago goes, until there is room.
 *
 * To draw from one namespace among many, whose items lie anywhere in a
 * shard's table, each namespace that evicts has a second table of its own
 * items per shard, the sample table. It is kept only for those, and only they
 * note when an item was used: by a clock of the namespace's own that ticks
 * about 64 times while as many writes happen as there are keys. It has 16
 * bits, so what is not used during a thousand such rounds looks young again.
 *
 * The writer that has passed the bound does this, with one shard's lock at a
 * time and for a few items only; other namespaces do not notice.
 */
#ifndef GLASS_STATE_EVICTION_H
#define GLASS_STATE_EVICTION_H

#include "state/shard.h"

/* A namespace's sample tables. */
struct state__samples {
    atomic_uint_fast16_t tick;
    atomic_uint_fast64_t random;
    struct {
        struct state__table table;
        bool is_kept; /* under the shard's lock, like the table */
    } shards[];
};

/* ---- Under the shard's lock ---- */

/* Notes that an item is used now. */
static inline void
state__eviction_touch(struct state__namespace *namespace_,
                      struct state__item *item)
{
    struct state__samples *samples = namespace_->samples;

    if (samples != NULL)
        item->used_at = (uint16_t)atomic_load_explicit(&samples->tick,
                                                       memory_order_relaxed);
}

/* Lets the clock tick now and then, after a write with this version. */
void
state__eviction_tick(struct state__namespace *namespace_, uint64_t version);

/* Makes room for one more item; false without memory. */
bool
state__eviction_reserve(struct state__shard *shard,
                        struct state__namespace *namespace_);

/* Adds an item to the samples, after a reserve, and removes it. */
void
state__eviction_add(struct state__shard *shard,
                    struct state__namespace *namespace_, uint64_t hash,
                    struct state__item *item);

void
state__eviction_remove(struct state__shard *shard,
                       struct state__namespace *namespace_, uint64_t hash,
                       struct state__item *item);

/* ---- Under no lock ---- */

/*
 * Begins to keep samples of a namespace, and notes what there is. Each shard
 * is locked while its part is noted. STATE_NO_MEMORY, and then no samples
 * are kept. One thread at a time.
 */
enum state_status
state__eviction_begin(struct state__shard *shards, unsigned shard_count,
                      struct state__namespace *namespace_);

/* Ends that. One thread at a time. */
void
state__eviction_end(struct state__shard *shards, unsigned shard_count,
                    struct state__namespace *namespace_);

/* Evicts until the namespace has no more than it may, or has nothing. */
void
state__eviction_run(struct state__shard *shards, unsigned shard_count,
                    struct state__namespace *namespace_);

/* Frees the samples of a namespace that nobody uses any more. */
void
state__eviction_deinit(struct state__namespace *namespace_,
                       unsigned shard_count);

#endif
