/*
 * kept.h - calls that are known by their identity alone: all of a runtime, and
 * who waits for them. See calls.h.
 *
 * Its lock may be held by who takes the scheduler's or a tree's, and not the
 * other way round. Any thread may call what is here.
 */
#ifndef GLASS_RUNTIME_KEPT_H
#define GLASS_RUNTIME_KEPT_H

#include "runtime/calls.h"
#include "runtime/timer.h"

#include <pthread.h>

enum { runtime__kept_buckets = 4096 };

struct runtime__kept_calls {
    pthread_mutex_t lock;
    pthread_cond_t none;      /* is pending */
    pthread_cond_t has_timer; /* for the thread that keeps the time */
    /* The rest is under the lock. */
    struct runtime_kept *buckets[runtime__kept_buckets];
    struct runtime_kept *oldest; /* of those that have ended */
    struct runtime_kept *newest;
    struct runtime_kept_statistics statistics;
    struct runtime__timers timers; /* of those who wait */
    pthread_t thread;              /* started with the first of them */
    bool has_thread;
    bool stops;
};

void
runtime__kept_init(struct runtime__kept_calls *all);

/* Ends what is pending, waits for that, and forgets everything. Nobody waits,
 * and nobody has one that was not put back. */
void
runtime__kept_deinit(struct runtime__kept_calls *all);

#endif
