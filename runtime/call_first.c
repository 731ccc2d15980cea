/*
 * call_first.c - the calls of a function that is not initialised.
 *
 * Initialising is a call as well, which nobody else sees: what the guest writes
 * in it is lost, and its sandbox is frozen (call_run.c). It happens at the
 * deployment, or when a function is called after a restart that found no
 * snapshot. Then all its calls wait for the one, each under its own deadline.
 */
#include "runtime/call.h"

#include "runtime/internal.h"

/* The call that initialised `function` has ended: tells those who wait. */
static void
end_first(struct runtime_function *function, enum runtime_status status,
          const struct runtime_error *err)
{
    struct runtime_call *call;

    pthread_mutex_lock(&function->first_lock);
    function->is_initialising = false;
    while ((call = function->first_waiting)) {
        function->first_waiting = call->next_first;
        call->is_first_waiting = false;
        call->is_first_ended = true;
        call->result.status = status;
        call->result.error = *err;
        /* It cannot end before it gets the lock (runtime__call_leave_first). */
        runtime__call_wake(call);
    }
    pthread_mutex_unlock(&function->first_lock);
}

static void
complete_first(struct runtime_call *first, void *data)
{
    (void)data;
    end_first(first->function, first->result.status, &first->result.error);
    if (first->result.status == RUNTIME_OK)
        runtime__deploy_keep_snapshot(first->runtime, first->function);
    runtime_call_destroy(first);
}

/* Starts the call that initialises the function. */
static void
start_first(struct runtime_call *call)
{
    struct runtime_function *function = call->function;
    struct runtime_call *first;
    struct runtime_error err;
    enum runtime_status status =
        runtime__call_create(call->runtime, runtime__function_share(function),
                             false, &first, &err);

    if (status != RUNTIME_OK) {
        end_first(function, status, &err);
        return;
    }
    first->initialises = true;
    /* It may be long, and writes a file in the end: that is for a worker. */
    first->is_deferred = true;
    runtime_call_start(first, complete_first, NULL);
}

enum runtime__step
runtime__call_initialised(struct runtime_call *call)
{
    struct runtime_function *function = call->function;
    enum runtime__step step = RUNTIME__STEP_SLICE;
    bool starts = false;

    /* Who has asked for it waits until he is told, and no shorter. */
    if (call->initialises || (!call->has_asked_first &&
                              runtime__pool_snapshot(&function->pool)))
        return RUNTIME__STEP_SLICE;
    call->has_asked_first = true;
    pthread_mutex_lock(&function->first_lock);
    if (call->is_first_ended) {
        if (call->result.status != RUNTIME_OK)
            step = RUNTIME__STEP_ENDED;
    } else if (!call->is_first_waiting &&
               !runtime__pool_snapshot(&function->pool)) {
        starts = !function->is_initialising;
        function->is_initialising = true;
        call->is_first_waiting = true;
        call->next_first = function->first_waiting;
        function->first_waiting = call;
    }
    if (call->is_first_waiting) {
        call->task.until_ns = UINT64_MAX;
        step = RUNTIME__STEP_WAIT;
    }
    pthread_mutex_unlock(&function->first_lock);
    if (!starts)
        return step;
    start_first(call);
    return runtime__call_initialised(call);
}

void
runtime__call_leave_first(struct runtime_call *call)
{
    struct runtime_call **link = &call->function->first_waiting;

    pthread_mutex_lock(&call->function->first_lock);
    if (call->is_first_waiting) {
        while (*link != call)
            link = &(*link)->next_first;
        *link = call->next_first;
        call->is_first_waiting = false;
    }
    pthread_mutex_unlock(&call->function->first_lock);
}
