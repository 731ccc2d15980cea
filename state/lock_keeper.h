/*
 * What keeps the locks of all shards of a store: it takes their operations,
 * ends what is due with a timer's thread, and completes those who waited.
 *
 * Completions come one after the other, whatever threads make them: each
 * thread that has some adds them to the queue, and one that finds nobody at
 * it completes until the queue is empty. So a `complete` that unlocks does
 * not run the next one's inside of itself, and chains of them need no stack.
 *
 * Any thread may call these, unless they say otherwise, under no lock.
 */
#ifndef GLASS_STATE_LOCK_KEEPER_H
#define GLASS_STATE_LOCK_KEEPER_H

#include "state/shard.h"
#include "state/timer.h"

struct state__lock_keeper {
    struct state__shard *shards;
    unsigned shard_count;
    const struct state__clock *clock;
    struct state__timer timer;
    atomic_uint_fast64_t token_last;
    atomic_bool closing;

    pthread_mutex_t queue_lock;
    pthread_cond_t queue_empty;
    struct state__ended queue;
    bool is_completing;
};

/* The clock and the shards, which are ready, stay the caller's. */
void
state__lock_keeper_init(struct state__lock_keeper *keeper,
                        const struct state__clock *clock,
                        struct state__shard *shards, unsigned shard_count);

/*
 * Ends all that waits with STATE_CLOSED, and lets nothing wait any more. All
 * has been completed when it returns. Before the shards are given up.
 */
void
state__lock_keeper_deinit(struct state__lock_keeper *keeper);

/* LOCK, UNLOCK and EXTEND, in the shard of the key. */
enum state_status
state__lock_keeper_submit(struct state__lock_keeper *keeper,
                          struct state__shard *shard,
                          const struct state__target *target,
                          struct state_operation *operation);

/* Ends an operation's waiting with STATE_CLOSED, if it waits. */
void
state__lock_keeper_cancel(struct state__lock_keeper *keeper,
                          struct state__shard *shard,
                          const struct state__target *target,
                          const struct state_operation *operation);

/* Ends what is due in all shards; returns when the next claim ends. */
uint64_t
state__lock_keeper_pass(struct state__lock_keeper *keeper);

#endif
