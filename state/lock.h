/*
 * The locks of a shard: which of its keys are locked, by whom, and who waits.
 *
 * A *claim* is one lock operation: first it waits in its key's queue, then it
 * holds the lock until it is released or its lease ends. Claims get the lock
 * in the order in which they came: a shared one waits behind an exclusive one
 * that waits, so neither kind starves the other.
 *
 * The locks are under the shard's lock, so a write that carries a token
 * happens while the token is good, or not at all. Nothing here calls back:
 * operations that end meanwhile are put into a list, for the caller to
 * complete once the shard's lock is gone (lock_keeper.h).
 */
#ifndef GLASS_STATE_LOCK_H
#define GLASS_STATE_LOCK_H

#include "state/lock_heap.h"
#include "state/state.h"

#include <stdatomic.h>

struct state__lock;
struct state__target;

struct state__locks {
    atomic_uint_fast64_t *token_last; /* of the whole store */
    struct state__lock **buckets;
    size_t bucket_count; /* 0 or a power of two */
    size_t count;
    struct state__lock_heap heap;
};

/* Operations that have ended, in that order. A list of zeros is empty. */
struct state__ended {
    struct state_operation *first;
    struct state_operation *last;
};

/*
 * Locks of zeros that have their `token_last` are ready, and empty. This
 * frees all claims, of which none may be waiting.
 */
void
state__locks_deinit(struct state__locks *locks);

/*
 * LOCK. Returns STATE_OK, with the operation's token; STATE_PENDING: it will
 * be in a list later; STATE_LOCKED, STATE_LIMIT or STATE_NO_MEMORY. `due_ms`
 * is when the claim ends after OK and PENDING.
 */
enum state_status
state__locks_take(struct state__locks *locks,
                  const struct state__target *target,
                  struct state_operation *operation, uint64_t now_ms,
                  uint64_t *due_ms);

/* UNLOCK. Returns STATE_OK, or STATE_CONFLICT: the token is not good. */
enum state_status
state__locks_release(struct state__locks *locks,
                     const struct state__target *target, uint64_t token,
                     uint64_t now_ms, struct state__ended *ended);

/* EXTEND, by a lease from now on; returns as release does. */
enum state_status
state__locks_extend(struct state__locks *locks,
                    const struct state__target *target, uint64_t token,
                    uint64_t lease_ms, uint64_t now_ms);

/* Whether the token lets its owner write: it holds the key exclusively. */
bool
state__locks_permit(const struct state__locks *locks,
                    const struct state__target *target, uint64_t token,
                    uint64_t now_ms);

/*
 * Ends what is due by now, leases and waits. Returns when the next claim
 * ends, UINT64_MAX when there is none.
 */
uint64_t
state__locks_pass(struct state__locks *locks, uint64_t now_ms,
                  struct state__ended *ended);

/* Ends an operation's waiting with STATE_CLOSED, if it waits for the key. */
void
state__locks_cancel(struct state__locks *locks,
                    const struct state__target *target,
                    const struct state_operation *operation, uint64_t now_ms,
                    struct state__ended *ended);

/* Ends all that waits with STATE_CLOSED. */
void
state__locks_close(struct state__locks *locks, struct state__ended *ended);

#endif
