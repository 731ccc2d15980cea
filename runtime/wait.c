/*
 * wait.c - how a call waits for an operation of the state. See wait.h.
 *
 * A completion comes on any thread. Who waits and who completes agree by the
 * two flags under the lock: when the waiter has abandoned the record, the
 * completion frees it; else it wakes the waiter, still with the lock held, so
 * that he cannot be gone meanwhile.
 */
#include "runtime/wait.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

struct runtime__wait *
runtime__wait_create(const char *namespace_)
{
    struct runtime__wait *wait = calloc(1, sizeof(*wait));

    if (!wait)
        return NULL;
    wait->destroy = runtime__wait_destroy;
    wait->abandon = runtime__wait_abandon;
    strncpy(wait->namespace_, namespace_, sizeof(wait->namespace_) - 1);
    pthread_mutex_init(&wait->lock, NULL);
    return wait;
}

/* Frees what the last operation, or each of a batch, has left. */
static void
free_answers(struct state_operation *operation)
{
    state_operation_deinit(operation);
    if (operation->kind != STATE_BATCH)
        return;
    for (size_t i = 0; i < operation->operation_count; i++)
        state_operation_deinit(&operation->operations[i]);
    free(operation->operations);
}

void
runtime__wait_destroy(struct runtime__wait *wait)
{
    if (!wait)
        return;
    free_answers(&wait->operation);
    runtime__buffer_deinit(&wait->value);
    pthread_mutex_destroy(&wait->lock);
    free(wait);
}

/* A lock that is granted to a call which is gone is given back. */
static void
give_back(struct runtime__wait *wait)
{
    struct state_operation *operation = &wait->operation;

    if (operation->kind != STATE_LOCK || operation->status != STATE_OK)
        return;
    operation->lock_token = operation->token;
    operation->kind = STATE_UNLOCK;
    operation->complete = NULL;
    state_store_submit(wait->store, operation);
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
        wait->wake(wait->wake_data);
    pthread_mutex_unlock(&wait->lock);
    if (abandoned) {
        give_back(wait);
        runtime__wait_destroy(wait);
    }
}

/*
 * Clears the inputs, which come first. The rest is the state's, who remembers
 * where it has found the namespace. In lines: for all at once the compiler
 * takes an instruction that costs more than everything else here.
 */
static void
clear_inputs(struct state_operation *operation)
{
    enum { bytes = offsetof(struct state_operation, status), line = 64 };
    char *inputs = (char *)operation;

    for (size_t i = 0; i < bytes / line; i++)
        memset(inputs + i * line, 0, line);
    memset(inputs + bytes - line, 0, line);
}

void
runtime__wait_clear(struct runtime__wait *wait, enum state_kind kind)
{
    struct state_operation *operation = &wait->operation;

    free_answers(operation);
    clear_inputs(operation);
    operation->kind = kind;
    operation->namespace_ = wait->namespace_;
    operation->complete = complete;
    operation->data = wait;
    wait->value.length_bytes = 0;
    wait->is_under_way = false;
    wait->completed = false;
}

bool
runtime__wait_is_pending(struct runtime__wait *wait)
{
    if (!wait->is_under_way)
        return false;
    pthread_mutex_lock(&wait->lock);
    bool completed = wait->completed;
    pthread_mutex_unlock(&wait->lock);
    return !completed;
}

bool
runtime__wait_submit(struct runtime__wait *wait, struct state_store *store)
{
    if (!wait->is_under_way) {
        wait->store = store;
        if (state_store_submit(store, &wait->operation) != STATE_PENDING)
            return true;
        wait->is_under_way = true;
    }
    wait->is_under_way = runtime__wait_is_pending(wait);
    return !wait->is_under_way;
}

struct runtime__wait *
runtime__wait_abandon(struct runtime__wait *wait)
{
    pthread_mutex_lock(&wait->lock);
    wait->abandoned = wait->is_under_way && !wait->completed;
    bool abandoned = wait->abandoned;
    pthread_mutex_unlock(&wait->lock);
    if (abandoned)
        return NULL;
    if (wait->is_under_way)
        give_back(wait);
    wait->is_under_way = false;
    return wait;
}
