/*
 * wait.c - how a call waits.
 *
 * The idea: there is exactly one function in which the runtime blocks on
 * behalf of a guest, wait_for. It ends when an operation has completed or a
 * point in time has come, whichever is first. The scheduler will park the
 * call instead.
 *
 * A completion comes on any thread. Who waits and who completes agree by two
 * flags under the lock: `completed`, then the waiter goes on and the record
 * stays its own; or `abandoned`, then the completion frees the record.
 */
#include "runtime/wait.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct runtime__wait *
runtime__wait_create(const char *namespace_)
{
    pthread_condattr_t attributes;
    struct runtime__wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        return NULL;
    wait->destroy = runtime__wait_destroy;
    strncpy(wait->namespace_, namespace_, sizeof(wait->namespace_) - 1);
    pthread_mutex_init(&wait->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&wait->ended, &attributes);
    pthread_condattr_destroy(&attributes);
    return wait;
}

void
runtime__wait_destroy(struct runtime__wait *wait)
{
    if (!wait)
        return;
    state_operation_deinit(&wait->operation);
    runtime__buffer_deinit(&wait->value);
    pthread_cond_destroy(&wait->ended);
    pthread_mutex_destroy(&wait->lock);
    free(wait);
}

/* The state's `complete`: wakes the waiter, or frees what it left behind. */
static void
complete(struct state_operation *operation)
{
    struct runtime__wait *wait = operation->data;

    pthread_mutex_lock(&wait->lock);
    bool abandoned = wait->abandoned;
    wait->completed = true;
    if (!abandoned)
        pthread_cond_signal(&wait->ended);
    pthread_mutex_unlock(&wait->lock);
    if (abandoned)
        runtime__wait_destroy(wait);
}

/*
 * Waits until `completed` or `until_ns`; returns which it was. With the lock
 * held. This is the one place where a thread blocks for a guest.
 */
static bool
wait_for(struct runtime__wait *wait, uint64_t until_ns)
{
    /* The kernel takes seconds as a signed number. */
    struct timespec until = {
        .tv_sec = (time_t)(until_ns / 1000000000u),
        .tv_nsec = (long)(until_ns % 1000000000u),
    };

    while (!wait->completed) {
        if (pthread_cond_timedwait(&wait->ended, &wait->lock, &until) ==
            ETIMEDOUT)
            break;
    }
    return wait->completed;
}

void
runtime__wait_clear(struct runtime__wait *wait, enum state_kind kind)
{
    state_operation_deinit(&wait->operation);
    wait->operation = (struct state_operation){
        .kind = kind,
        .namespace_ = wait->namespace_,
        .complete = complete,
        .data = wait,
    };
    wait->value.length_bytes = 0;
    wait->completed = false;
}

bool
runtime__wait_submit(struct runtime__wait **wait, struct state_store *store,
                     uint64_t deadline_ns)
{
    struct runtime__wait *record = *wait;

    if (state_store_submit(store, &record->operation) != STATE_PENDING)
        return true;
    pthread_mutex_lock(&record->lock);
    bool completed = wait_for(record, deadline_ns);
    record->abandoned = !completed;
    pthread_mutex_unlock(&record->lock);
    if (!completed)
        *wait = NULL;
    return completed;
}

void
runtime__wait_until(struct runtime__wait *wait, uint64_t until_ns)
{
    pthread_mutex_lock(&wait->lock);
    wait->completed = false;
    wait_for(wait, until_ns);
    pthread_mutex_unlock(&wait->lock);
}
