/*
 * wait.h - how a call waits: for an operation of the state, or for a time.
 *
 * Today the thread of the call waits itself, in one function (wait.c). When
 * calls can be parked, the scheduler takes that function's place, and nothing
 * else changes.
 */
#ifndef GLASS_RUNTIME_WAIT_H
#define GLASS_RUNTIME_WAIT_H

#include "runtime/buffer.h"
#include "runtime/runtime.h"

#include "state/state.h"

#include <pthread.h>

/*
 * An operation together with all that it points to. So it may be left behind
 * when a deadline passes before its answer comes: the completion frees it.
 */
struct runtime__wait {
    struct state_operation operation;
    char namespace_[STATE_NAMESPACE_BYTES_MAX + 1];
    uint8_t key[STATE_KEY_BYTES_MAX];
    uint8_t cursor[STATE_KEY_BYTES_MAX];
    struct runtime__buffer value;

    /* runtime__wait_destroy: who never made a wait need not link it, and what
     * it takes of the state. */
    void (*destroy)(struct runtime__wait *wait);

    /* What follows is under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool completed;
    bool abandoned;
};

/* NULL when out of memory. The namespace's name has to be a valid one. */
struct runtime__wait *
runtime__wait_create(const char *namespace_);

/* Not while an operation is under way. */
void
runtime__wait_destroy(struct runtime__wait *wait);

/* Frees the last answer and clears the inputs, for the next operation. */
void
runtime__wait_clear(struct runtime__wait *wait, enum state_kind kind);

/*
 * Submits the operation and waits for its end, but not past `deadline_ns` of
 * the monotonic clock. False when that came first: `*wait` is NULL then and
 * what it was is gone, and whether the operation happens is unknown.
 */
bool
runtime__wait_submit(struct runtime__wait **wait, struct state_store *store,
                     uint64_t deadline_ns);

/* Waits until `until_ns` of the monotonic clock. */
void
runtime__wait_until(struct runtime__wait *wait, uint64_t until_ns);

/* The monotonic clock, in nanoseconds (wait_clock.c). */
uint64_t
runtime__wait_now_ns(void);

#endif
