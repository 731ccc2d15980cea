/*
 * pool.h - the faaslets of one function that wait for a call.
 *
 * A faaslet is reset when its call has ended, not when the next begins: what
 * waits here is as the snapshot, and whoever takes one can begin at once.
 * Only faaslets that keep their memory (`reuse` is warm) are as they were
 * left.
 *
 * How many wait is bounded for the function and, by a count that all pools
 * share, for the runtime: each takes five mappings and some pages. Any thread
 * may use a pool; whoever uses one has a reference to the function.
 */
#ifndef GLASS_RUNTIME_POOL_H
#define GLASS_RUNTIME_POOL_H

#include "runtime/faaslet.h"
#include "runtime/stripe.h"

/* What the pools of a runtime have in common. */
struct runtime__idle {
    atomic_uint count;
    unsigned max;
    /*
     * Makes others give up faaslets that wait: called when there are too
     * many, and when the system has no more to give.
     */
    void (*reclaim)(void *data);
    void *data;
};

struct runtime__pool {
    struct runtime__idle *idle; /* NULL: none ever waits */
    atomic_uint count;
    atomic_bool is_used; /* since the last runtime__pool_trim */
    /* Set once, and then read by everybody. */
    struct gvm_snapshot *_Atomic snapshot;
    struct {
        _Alignas(RUNTIME__STRIPE_BYTES) pthread_mutex_t lock;
        struct runtime__faaslet *first; /* the last one that was put */
    } stripes[RUNTIME__STRIPES];
};

void
runtime__pool_init(struct runtime__pool *pool);
/* Destroys what waits, and the snapshot. */
void
runtime__pool_deinit(struct runtime__pool *pool);

/* Takes over a snapshot; one that comes second is destroyed. */
void
runtime__pool_set_snapshot(struct runtime__pool *pool,
                           struct gvm_snapshot *snapshot);
/* NULL: nobody has initialised the function yet. */
const struct gvm_snapshot *
runtime__pool_snapshot(const struct runtime__pool *pool);
/* Destroys the snapshot. Only while nobody else knows of the pool. */
void
runtime__pool_forget(struct runtime__pool *pool);

/*
 * A faaslet for a call under these limits, of which `memory_bytes` is the
 * same for all of the function's: one that waited, or a new one. There is a
 * snapshot. Returns as runtime__faaslet_create does.
 */
enum runtime_status
runtime__pool_get(struct runtime__pool *pool, struct gvm_engine *engine,
                  struct runtime__module *module,
                  const struct runtime__limits *limits,
                  struct runtime__faaslet **faaslet,
                  struct runtime_error *err);

/*
 * Puts one back whose call has ended, reset or (`keeps_memory`) as it is; or
 * destroys it. NULL is fine.
 */
void
runtime__pool_put(struct runtime__pool *pool,
                  struct runtime__faaslet *faaslet, bool keeps_memory);

/*
 * Destroys what waits, unless one was taken since this was asked the last
 * time. Returns how many those were.
 */
unsigned
runtime__pool_trim(struct runtime__pool *pool);

#endif
