/*
 * Watching: who wants to know of changes to the keys of a namespace.
 *
 * A namespace that was never watched costs its writers one load. From its
 * first WATCH on its changes go into a ring. Versions are then given out
 * under the ring's lock, so that the order in the ring is theirs: who has
 * been told of a version will never see an earlier one.
 *
 * A writer only marks who waits for its key; a thread of the hub's collects
 * the changes and completes the operations, and ends those whose time is up.
 *
 * Locks: a shard's, then a namespace's watch. Any thread may call these,
 * unless they say otherwise.
 */
#ifndef GLASS_STATE_WATCH_H
#define GLASS_STATE_WATCH_H

#include "state/namespace.h"
#include "state/timer.h"

#include <stdatomic.h>

struct state__shard;
struct state__watch;

struct state__watch_hub {
    const struct state__clock *clock;
    struct state__shard *shards;
    unsigned shard_count;
    struct state__timer timer;

    /* Guards adding to what follows. What is there stays there. */
    pthread_mutex_t lock;
    atomic_uint watch_count;
    struct state__watch *watches[STATE_WATCHED_NAMESPACES_MAX];
    atomic_bool closing;
};

/* The clock and the shards, which are ready, stay the caller's. */
void
state__watch_hub_init(struct state__watch_hub *hub,
                      const struct state__clock *clock,
                      struct state__shard *shards, unsigned shard_count);

/* Ends all that waits with STATE_CLOSED, and frees what was watched. */
void
state__watch_hub_deinit(struct state__watch_hub *hub);

/* WATCH. */
enum state_status
state__watch_submit(struct state__watch_hub *hub,
                    struct state__namespace *namespace_,
                    struct state_operation *operation);

/* Ends a WATCH that waits with STATE_CLOSED. */
void
state__watch_cancel(struct state__watch_hub *hub,
                    struct state__namespace *namespace_,
                    const struct state_operation *operation);

/* ---- For whoever changes items, under the shard's lock ---- */

/* The namespace's watch, or null: nobody has ever watched it. */
static inline struct state__watch *
state__watch_of(const struct state__namespace *namespace_)
{
    return atomic_load_explicit(&namespace_->watch, memory_order_acquire);
}

/*
 * The two halves of a change in a namespace that is watched: its version is
 * given out between them.
 */
void
state__watch_begin(struct state__watch *watch);
void
state__watch_end(struct state__watch *watch, uint64_t version,
                 struct state_bytes key, enum state_change change,
                 uint64_t size_bytes);

/* A key vanishes by itself. */
void
state__watch_vanish(struct state__namespace *namespace_,
                    struct state_bytes key);

#endif
