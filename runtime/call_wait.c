/*
 * call_wait.c - calls for those who have nothing else to do: their thread
 * waits for the end.
 */
#include "runtime/call.h"
#include "runtime/internal.h"

#include <pthread.h>

struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t ended;
    bool has_ended;
};

static void
tell(struct runtime_call *call, void *data)
{
    struct waiter *waiter = data;

    (void)call;
    pthread_mutex_lock(&waiter->lock);
    waiter->has_ended = true;
    /* With the lock: the waiter is gone as soon as he gets it. */
    pthread_cond_signal(&waiter->ended);
    pthread_mutex_unlock(&waiter->lock);
}

enum runtime_status
runtime_call_run(struct runtime_call *call)
{
    struct waiter waiter = {.lock = PTHREAD_MUTEX_INITIALIZER,
                            .ended = PTHREAD_COND_INITIALIZER};
    enum runtime_status status = runtime_call_start(call, tell, &waiter);

    if (status == RUNTIME_PENDING) {
        pthread_mutex_lock(&waiter.lock);
        while (!waiter.has_ended)
            pthread_cond_wait(&waiter.ended, &waiter.lock);
        pthread_mutex_unlock(&waiter.lock);
        status = call->result.status;
    }
    pthread_cond_destroy(&waiter.ended);
    pthread_mutex_destroy(&waiter.lock);
    return status;
}

enum runtime_status
runtime__call_initialise(struct runtime *runtime,
                         struct runtime_function *function,
                         struct runtime_error *err)
{
    struct runtime_call *call;
    enum runtime_status status = runtime__call_create(
        runtime, runtime__function_share(function), true, &call, err);

    if (status != RUNTIME_OK)
        return status;
    call->initialises = true;
    status = runtime_call_run(call);
    if (status != RUNTIME_OK && err)
        *err = call->result.error;
    runtime_call_destroy(call);
    return status;
}
