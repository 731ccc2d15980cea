/*
 * wait.h - how a call waits for an operation of the state.
 *
 * Nobody blocks for it: a host function whose operation is pending says so,
 * and is called again when the call is resumed. It finds here how far it had
 * come.
 */
#ifndef GLASS_RUNTIME_WAIT_H
#define GLASS_RUNTIME_WAIT_H

#include "runtime/buffer.h"
#include "runtime/runtime.h"

#include "state/state.h"

#include <pthread.h>
#include <time.h>

/*
 * An operation together with all that it points to. So it may be left behind
 * when a deadline passes before its answer comes: the completion frees it.
 */
struct runtime__wait {
    struct state_operation operation; /* those of a batch are its own */
    char namespace_[STATE_NAMESPACE_BYTES_MAX + 1];
    uint8_t key[STATE_KEY_BYTES_MAX];
    uint8_t cursor[STATE_KEY_BYTES_MAX];
    struct runtime__buffer value;
    struct state_store *store; /* that it was submitted to */

    /* runtime__wait_destroy and _abandon: who never made a wait need not link
     * them, and what they take of the state. */
    void (*destroy)(struct runtime__wait *wait);
    struct runtime__wait *(*abandon)(struct runtime__wait *wait);

    /* Called on any thread when a pending operation has ended; must not
     * block. Set by who submits. */
    void (*wake)(void *wake_data);
    void *wake_data;

    /* The waiter's: an operation was pending, and its answer has not been
     * looked at. */
    bool is_under_way;

    /* What follows is under the lock. */
    pthread_mutex_t lock;
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
 * Submits the operation, unless one is under way. True: it has ended, and its
 * answer is in the record. False: it is under way, and `wake` will be called;
 * then this is to be asked again. (Now and then it is called without need.)
 */
bool
runtime__wait_submit(struct runtime__wait *wait, struct state_store *store);

/* Whether one is under way and has not ended: its inputs are to be left
 * alone. */
bool
runtime__wait_is_pending(struct runtime__wait *wait);

/*
 * Nobody waits any more. An operation that is under way keeps the record and
 * frees it when it ends: then this returns NULL, and else the record.
 */
struct runtime__wait *
runtime__wait_abandon(struct runtime__wait *wait);

/* What a clock of the system shows, in nanoseconds (wait_clock.c). */
uint64_t
runtime__wait_clock_ns(clockid_t clock);

/* The monotonic one, which deadlines are times of. */
uint64_t
runtime__wait_now_ns(void);

#endif
