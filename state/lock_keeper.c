/*
 * What keeps the locks of a store: see lock_keeper.h.
 *
 * Tokens are numbers of the whole store that begin with the wall clock's
 * microseconds when the store is opened. So they grow within each key, and
 * go on growing when a process that kept locks is followed by another, as
 * long as the clock is not set back; and JSON's numbers hold them.
 */
#include "state/lock_keeper.h"

#include "state/operation.h"

#include <time.h>

static uint64_t
pass_all(void *data)
{
    return state__lock_keeper_pass(data);
}

void
state__lock_keeper_init(struct state__lock_keeper *keeper,
                        const struct state__clock *clock,
                        struct state__shard *shards, unsigned shard_count)
{
    struct timespec now;

    *keeper = (struct state__lock_keeper){
        .shards = shards, .shard_count = shard_count, .clock = clock};
    clock_gettime(CLOCK_REALTIME, &now);
    atomic_init(&keeper->token_last, (uint64_t)now.tv_sec * 1000000 +
                                         (uint64_t)now.tv_nsec / 1000);
    for (unsigned i = 0; i < shard_count; i++)
        shards[i].locks.token_last = &keeper->token_last;
    atomic_init(&keeper->closing, false);
    pthread_mutex_init(&keeper->queue_lock, NULL);
    pthread_cond_init(&keeper->queue_empty, NULL);
    state__timer_init(&keeper->timer, clock, pass_all, keeper);
}

/* Completes what has ended, or leaves it to the thread that is at it. */
static void
complete(struct state__lock_keeper *keeper, struct state__ended *ended)
{
    if (ended->first == NULL)
        return;
    pthread_mutex_lock(&keeper->queue_lock);
    if (keeper->queue.first == NULL)
        keeper->queue.first = ended->first;
    else
        keeper->queue.last->private_.next = ended->first;
    keeper->queue.last = ended->last;
    if (keeper->is_completing) {
        pthread_mutex_unlock(&keeper->queue_lock);
        return;
    }
    keeper->is_completing = true;
    while (keeper->queue.first != NULL) {
        struct state_operation *operation = keeper->queue.first;

        keeper->queue.first = operation->private_.next;
        pthread_mutex_unlock(&keeper->queue_lock);
        operation->private_.next = NULL;
        /* It may be gone when this returns. */
        operation->complete(operation);
        pthread_mutex_lock(&keeper->queue_lock);
    }
    keeper->is_completing = false;
    pthread_cond_broadcast(&keeper->queue_empty);
    pthread_mutex_unlock(&keeper->queue_lock);
}

/* Waits until another thread has completed what it is at. */
static void
await_completions(struct state__lock_keeper *keeper)
{
    pthread_mutex_lock(&keeper->queue_lock);
    while (keeper->is_completing)
        pthread_cond_wait(&keeper->queue_empty, &keeper->queue_lock);
    pthread_mutex_unlock(&keeper->queue_lock);
}

void
state__lock_keeper_deinit(struct state__lock_keeper *keeper)
{
    atomic_store(&keeper->closing, true);
    state__timer_stop(&keeper->timer);
    for (unsigned i = 0; i < keeper->shard_count; i++) {
        struct state__shard *shard = &keeper->shards[i];
        struct state__ended ended = {0};

        state__shard_lock(shard);
        state__locks_close(&shard->locks, &ended);
        state__shard_unlock(shard);
        complete(keeper, &ended);
    }
    await_completions(keeper);
    state__timer_deinit(&keeper->timer);
    pthread_cond_destroy(&keeper->queue_empty);
    pthread_mutex_destroy(&keeper->queue_lock);
}

uint64_t
state__lock_keeper_pass(struct state__lock_keeper *keeper)
{
    uint64_t now_ms = keeper->clock->now_ms(keeper->clock->data);
    uint64_t next_ms = UINT64_MAX;

    for (unsigned i = 0; i < keeper->shard_count; i++) {
        struct state__shard *shard = &keeper->shards[i];
        struct state__ended ended = {0};
        uint64_t due_ms;

        state__shard_lock(shard);
        due_ms = state__locks_pass(&shard->locks, now_ms, &ended);
        state__shard_unlock(shard);
        complete(keeper, &ended);
        if (due_ms < next_ms)
            next_ms = due_ms;
    }
    return next_ms;
}

/* Says that it was the lock, not a condition, that did not hold. */
static enum state_status
lose(struct state_operation *operation, enum state_status status)
{
    operation->lock_lost = status == STATE_CONFLICT;
    return state__operation_end(operation, status);
}

/* The part under the shard's lock. */
static enum state_status
submit_locked(struct state__lock_keeper *keeper, struct state__shard *shard,
              const struct state__target *target,
              struct state_operation *operation, struct state__ended *ended,
              uint64_t *due_ms)
{
    uint64_t now_ms = keeper->clock->now_ms(keeper->clock->data);
    struct state__locks *locks = &shard->locks;

    state__locks_pass(locks, now_ms, ended);
    if (operation->kind == STATE_LOCK)
        return state__locks_take(locks, target, operation, now_ms, due_ms);
    if (operation->kind == STATE_EXTEND)
        return lose(operation,
                    state__locks_extend(locks, target, operation->lock_token,
                                        operation->lease_ms, now_ms));
    return lose(operation,
                state__locks_release(locks, target, operation->lock_token,
                                     now_ms, ended));
}

enum state_status
state__lock_keeper_submit(struct state__lock_keeper *keeper,
                          struct state__shard *shard,
                          const struct state__target *target,
                          struct state_operation *operation)
{
    struct state__ended ended = {0};
    uint64_t due_ms = UINT64_MAX;
    bool may_wait =
        operation->kind == STATE_LOCK && operation->timeout_ms > 0;
    enum state_status status;

    if (operation->kind == STATE_LOCK && atomic_load(&keeper->closing))
        return state__operation_end(operation, STATE_CLOSED);
    if (may_wait && operation->complete == NULL)
        return state__operation_fail(operation, STATE_INVALID,
                                     "waiting for a lock needs a `complete`");
    /* Without the thread nobody would end the waiting. */
    if (may_wait && !state__timer_start(&keeper->timer))
        return state__operation_fail(operation, STATE_SYSTEM,
                                     "no thread to watch over locks");
    state__shard_lock(shard);
    status = submit_locked(keeper, shard, target, operation, &ended, &due_ms);
    state__shard_unlock(shard);
    /* From here on the record of an operation that waits may be gone. */
    if (due_ms != UINT64_MAX)
        state__timer_ask(&keeper->timer, due_ms);
    complete(keeper, &ended);
    return status;
}

void
state__lock_keeper_cancel(struct state__lock_keeper *keeper,
                          struct state__shard *shard,
                          const struct state__target *target,
                          const struct state_operation *operation)
{
    uint64_t now_ms = keeper->clock->now_ms(keeper->clock->data);
    struct state__ended ended = {0};

    state__shard_lock(shard);
    state__locks_cancel(&shard->locks, target, operation, now_ms, &ended);
    state__shard_unlock(shard);
    complete(keeper, &ended);
}
