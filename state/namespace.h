/*
 * The namespaces of a memory backend: found by name without a lock, added
 * under one, never removed before the backend closes. Each has the counter
 * that its versions come from.
 */
#ifndef GLASS_STATE_NAMESPACE_H
#define GLASS_STATE_NAMESPACE_H

#include "state/state.h"

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>

struct state__samples;
struct state__watch;

struct state__namespace {
    uint32_t index; /* its number in the order of creation */

    /* Its quota (quota.h); all zeros: none. */
    atomic_bool is_bounded; /* in keys, bytes or the size of values */
    atomic_bool evicts;
    atomic_uint_fast64_t keys_max;
    atomic_uint_fast64_t bytes_max;
    atomic_uint_fast64_t value_bytes_max;
    atomic_uint_fast64_t operations_per_second;
    _Atomic(struct state__samples *) samples; /* see eviction.h */
    char name[STATE_NAMESPACE_BYTES_MAX + 1];

    /*
     * The last version given out, on a cache line of its own: it is written
     * at every write, the rest is only read.
     */
    alignas(64) atomic_uint_fast64_t version;

    /* Who watches it; null: nobody ever has. See watch.h. */
    _Atomic(struct state__watch *) watch;

    /* What it has, and what it lost. */
    atomic_int_fast64_t key_count;
    atomic_int_fast64_t bytes; /* of keys and values */
    atomic_uint_fast64_t evicted_count;
    atomic_uint_fast64_t expired_count;
    atomic_uint_fast64_t due_ns; /* of the rate: see quota.c */

    /* Of a durable store: how, and the last version that is on the disk. */
    _Atomic enum state_durability durability;
    atomic_uint_fast64_t resolved;

    /* Its locks, held and waited for. */
    alignas(64) atomic_uint lock_count;
};

/* Twice the limit, so that the table of names is never more than half full. */
#define STATE__NAMESPACE_SLOTS (2 * STATE_NAMESPACES_MAX)

struct state__namespaces {
    pthread_mutex_t lock; /* for adding */
    uint64_t hash_seed;
    uint32_t count;
    enum state_durability durability; /* that of a new namespace */
    _Atomic(struct state__namespace *) *slots;
    _Atomic(struct state__namespace *) *by_index;
};

/* False without memory. The seed should be unknown to the clients. */
bool
state__namespaces_init(struct state__namespaces *namespaces,
                       uint64_t hash_seed);

/* Frees all namespaces. No other thread may be in here. */
void
state__namespaces_deinit(struct state__namespaces *namespaces);

/* The namespace of that name, or null. */
struct state__namespace *
state__namespaces_find(struct state__namespaces *namespaces,
                       const char *name);

/*
 * The namespace of that name, added if it is not there. The name must be
 * valid. Returns STATE_LIMIT or STATE_NO_MEMORY.
 */
enum state_status
state__namespaces_obtain(struct state__namespaces *namespaces,
                         const char *name, struct state__namespace **found);

/* The namespace with that number, which somebody must have from it. */
static inline struct state__namespace *
state__namespaces_at(const struct state__namespaces *namespaces,
                     uint32_t index)
{
    return atomic_load_explicit(&namespaces->by_index[index],
                                memory_order_acquire);
}

/* The next version of a namespace; under the lock of the key's shard. */
static inline uint64_t
state__namespace_next_version(struct state__namespace *namespace_)
{
    return atomic_fetch_add_explicit(&namespace_->version, 1,
                                     memory_order_relaxed) +
           1;
}

#endif
