/* Eviction by sampling: see eviction.h. */
#include "state/eviction.h"

#include "state/quota.h"

#include <stdlib.h>
#include <string.h>

/* How many items are drawn for each that goes, and how many of one shard. */
#define DRAWN_MAX 10
#define DRAWN_PER_SHARD 2

/* The clock ticks so often while as many writes happen as there are keys. */
#define TICKS_PER_ROUND 64

/* So many attempts may meet items that others change; then it is enough. */
#define MISSES_MAX 64

/* The item to go, as far as we know without a lock. */
struct candidate {
    unsigned shard;
    uint16_t age;
    uint64_t version; /* 0: there is none */
    size_t key_length;
    uint8_t key[STATE_KEY_BYTES_MAX];
};

void
state__eviction_tick(struct state__namespace *namespace_, uint64_t version)
{
    struct state__samples *samples = namespace_->samples;
    uint64_t every, keys;

    if (samples == NULL)
        return;
    keys = (uint64_t)atomic_load_explicit(&namespace_->key_count,
                                          memory_order_relaxed);
    /* The power of two at or below: no division in a write. */
    every = keys < 2 * TICKS_PER_ROUND
                ? 1
                : UINT64_C(1) << (63 - __builtin_clzll(keys /
                                                       TICKS_PER_ROUND));
    if ((version & (every - 1)) == 0)
        atomic_fetch_add_explicit(&samples->tick, 1, memory_order_relaxed);
}

bool
state__eviction_reserve(struct state__shard *shard,
                        struct state__namespace *namespace_)
{
    struct state__samples *samples = namespace_->samples;

    return samples == NULL || !samples->shards[shard->index].is_kept ||
           state__table_reserve(&samples->shards[shard->index].table);
}

void
state__eviction_add(struct state__shard *shard,
                    struct state__namespace *namespace_, uint64_t hash,
                    struct state__item *item)
{
    struct state__samples *samples = namespace_->samples;

    if (samples != NULL && samples->shards[shard->index].is_kept) {
        state__table_insert(&samples->shards[shard->index].table, hash, item);
        state__eviction_touch(namespace_, item);
    }
}

void
state__eviction_remove(struct state__shard *shard,
                       struct state__namespace *namespace_, uint64_t hash,
                       struct state__item *item)
{
    struct state__samples *samples = namespace_->samples;

    if (samples != NULL && samples->shards[shard->index].is_kept)
        state__table_remove(&samples->shards[shard->index].table, hash, item);
}

/* ---- Beginning and end ---- */

/* Notes what a shard has of the namespace; false without memory. */
static bool
begin_in_shard(struct state__shard *shard,
               struct state__namespace *namespace_)
{
    struct state__samples *samples = namespace_->samples;
    struct state__table *table = &samples->shards[shard->index].table;
    static const struct state_bytes none = {"", 0};
    struct state__item *item;
    bool done = true;

    state__shard_lock(shard);
    item = state__tree_after(shard->root, namespace_->index, none, true);
    /* A batch that fails puts items back without asking for room. */
    table->keeps_room = true;
    while (done && item != NULL &&
           item->namespace_index == namespace_->index) {
        done = state__table_reserve(table);
        if (done)
            state__table_insert(
                table,
                state__shard_hash(shard->hash_seed, namespace_->index,
                                  state__item_key(item)),
                item);
        state__eviction_touch(namespace_, item);
        item = state__tree_after(shard->root, namespace_->index,
                                 state__item_key(item), false);
    }
    samples->shards[shard->index].is_kept = true;
    state__shard_unlock(shard);
    return done;
}

enum state_status
state__eviction_begin(struct state__shard *shards, unsigned shard_count,
                      struct state__namespace *namespace_)
{
    struct state__samples *samples = namespace_->samples;
    bool done = true;

    if (samples == NULL) {
        samples = calloc(1, sizeof *samples +
                                shard_count * sizeof *samples->shards);
        if (samples == NULL)
            return STATE_NO_MEMORY;
        atomic_init(&samples->random, shards->hash_seed);
        namespace_->samples = samples;
    } else if (samples->shards->is_kept) {
        return STATE_OK;
    }
    for (unsigned i = 0; i < shard_count && done; i++)
        done = begin_in_shard(&shards[i], namespace_);
    if (done)
        return STATE_OK;
    state__eviction_end(shards, shard_count, namespace_);
    return STATE_NO_MEMORY;
}

void
state__eviction_end(struct state__shard *shards, unsigned shard_count,
                    struct state__namespace *namespace_)
{
    struct state__samples *samples = namespace_->samples;

    /* The samples themselves stay: others may be looking at them. */
    for (unsigned i = 0; i < shard_count && samples != NULL; i++) {
        state__shard_lock(&shards[i]);
        samples->shards[i].is_kept = false;
        state__table_deinit(&samples->shards[i].table);
        state__shard_unlock(&shards[i]);
    }
}

void
state__eviction_deinit(struct state__namespace *namespace_,
                       unsigned shard_count)
{
    struct state__samples *samples = namespace_->samples;

    if (samples == NULL)
        return;
    for (unsigned i = 0; i < shard_count; i++)
        state__table_deinit(&samples->shards[i].table);
    free(samples);
    namespace_->samples = NULL;
}

/* ---- Evicting ---- */

/* The next number of the samples' own sequence (splitmix64). */
static uint64_t
next_random(struct state__samples *samples)
{
    uint64_t x = atomic_fetch_add_explicit(&samples->random,
                                           UINT64_C(0x9e3779b97f4a7c15),
                                           memory_order_relaxed);

    x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
    return x ^ x >> 31;
}

/* Makes an item the candidate if it was used longer ago. */
static void
consider(struct candidate *best, unsigned shard, uint16_t tick,
         const struct state__item *item)
{
    uint16_t age = (uint16_t)(tick - item->used_at);

    if (best->version != 0 &&
        (age < best->age ||
         (age == best->age && item->version > best->version)))
        return;
    best->shard = shard;
    best->age = age;
    best->version = item->version;
    best->key_length = item->key_length;
    memcpy(best->key, item->bytes, item->key_length);
}

/* Draws neighbours from a random slot on; returns how many there were. */
static unsigned
draw(struct state__shard *shard, struct state__samples *samples,
     struct candidate *best)
{
    uint16_t tick = (uint16_t)atomic_load(&samples->tick);
    uint64_t random = next_random(samples);
    struct state__table *table = &samples->shards[shard->index].table;
    size_t capacity;
    unsigned drawn = 0;

    state__shard_lock(shard);
    /* What has become sparse takes long to look through. */
    state__table_fit(table);
    capacity = state__table_capacity(table);
    for (size_t i = 0; drawn < DRAWN_PER_SHARD && drawn < table->count &&
                       i < capacity;
         i++) {
        struct state__item *item =
            state__table_at(table, (random + i) % capacity);

        if (item == NULL)
            continue;
        consider(best, shard->index, tick, item);
        drawn++;
    }
    state__shard_unlock(shard);
    return drawn;
}

/* Evicts the candidate, unless it has been used or changed since. */
static bool
evict(struct state__shard *shard, struct state__namespace *namespace_,
      const struct candidate *best)
{
    struct state_bytes key = {best->key, best->key_length};
    uint64_t hash =
        state__shard_hash(shard->hash_seed, namespace_->index, key);
    struct state__item *dead = NULL, *item;
    bool done;

    state__shard_lock(shard);
    item = state__table_find(&shard->table, hash, namespace_->index, key);
    done = item != NULL && item->version == best->version;
    if (done) {
        state__shard_expel(shard, item, &dead);
        atomic_fetch_add_explicit(&namespace_->evicted_count, 1,
                                  memory_order_relaxed);
    }
    state__shard_unlock(shard);
    state__item_destroy_chain(dead);
    return done;
}

void
state__eviction_run(struct state__shard *shards, unsigned shard_count,
                    struct state__namespace *namespace_)
{
    struct state__samples *samples = namespace_->samples;
    unsigned misses = 0;

    while (misses < MISSES_MAX && state__quota_is_passed(namespace_)) {
        struct candidate best;
        unsigned drawn = 0;
        uint64_t first = next_random(samples);

        best.version = 0;
        for (unsigned i = 0; i < shard_count && drawn < DRAWN_MAX; i++)
            drawn += draw(&shards[(first + i) & (shard_count - 1)], samples,
                          &best);
        if (best.version == 0)
            return;
        if (!evict(&shards[best.shard], namespace_, &best))
            misses++;
    }
}
