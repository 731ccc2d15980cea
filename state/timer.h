/*
 * A thread that comes round when something is due, for what happens without
 * anybody asking for it: waits that end, leases that pass.
 *
 * It sleeps without an end while nothing is due. Asking costs one load when it
 * comes round early enough anyway.
 *
 * Any thread may call these, unless they say otherwise.
 */
#ifndef GLASS_STATE_TIMER_H
#define GLASS_STATE_TIMER_H

#include "state/state.h"

#include <pthread.h>
#include <stdatomic.h>

/* The time, which never goes back; see struct state_options. */
struct state__clock {
    uint64_t (*now_ms)(void *data);
    void *data;
};

struct state__timer {
    const struct state__clock *clock;

    /*
     * Called on the timer's thread, without locks. Does all that is due and
     * returns when it wants to be called again, UINT64_MAX: when asked to.
     */
    uint64_t (*round)(void *data);
    void *data;

    /* When the thread comes round; UINT64_MAX: when it is asked to. */
    atomic_uint_fast64_t due_ms;

    /* Guards what follows, and writing `due_ms`. */
    pthread_mutex_t lock;
    pthread_cond_t wake;
    pthread_t thread;
    bool has_thread;
    bool closing;
};

/* The clock stays the caller's. No thread is started yet. */
void
state__timer_init(struct state__timer *timer,
                  const struct state__clock *clock,
                  uint64_t (*round)(void *data), void *data);

/* Ends the thread, for good: asking does nothing from then on. */
void
state__timer_stop(struct state__timer *timer);

/* Stops it. No other thread may be in here. */
void
state__timer_deinit(struct state__timer *timer);

/* Starts the thread, unless it is there. False: there is none to be had. */
bool
state__timer_start(struct state__timer *timer);

/*
 * Asks for a round at `due_ms` or soon after, and starts the thread if need
 * be. Called after what will be due can be seen by a round.
 */
void
state__timer_ask(struct state__timer *timer, uint64_t due_ms);

#endif
