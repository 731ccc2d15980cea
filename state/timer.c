/*
 * A thread that comes round when something is due: see timer.h.
 *
 * Before a round `due_ms` says "when asked": an asking that the round may
 * have missed, since it began before what is due was to be seen, sets it
 * anew, and another round follows.
 */
#include "state/timer.h"

#include <signal.h>
#include <time.h>

/* With a clock of a test's the thread looks again after so long. */
#define REST_MS_MAX 3600000

void
state__timer_init(struct state__timer *timer,
                  const struct state__clock *clock,
                  uint64_t (*round)(void *data), void *data)
{
    pthread_condattr_t monotonic;

    *timer = (struct state__timer){
        .clock = clock, .round = round, .data = data};
    atomic_init(&timer->due_ms, UINT64_MAX);
    pthread_mutex_init(&timer->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&timer->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
}

void
state__timer_stop(struct state__timer *timer)
{
    bool has_thread;

    pthread_mutex_lock(&timer->lock);
    timer->closing = true;
    has_thread = timer->has_thread;
    timer->has_thread = false;
    pthread_cond_signal(&timer->wake);
    pthread_mutex_unlock(&timer->lock);
    if (has_thread)
        pthread_join(timer->thread, NULL);
}

void
state__timer_deinit(struct state__timer *timer)
{
    state__timer_stop(timer);
    pthread_cond_destroy(&timer->wake);
    pthread_mutex_destroy(&timer->lock);
}

/* Sleeps under the lock, until signalled or so many milliseconds. */
static void
rest(struct state__timer *timer, uint64_t rest_ms)
{
    struct timespec until;

    if (rest_ms > REST_MS_MAX)
        rest_ms = REST_MS_MAX;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += (time_t)(rest_ms / 1000);
    until.tv_nsec += (long)(rest_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_cond_timedwait(&timer->wake, &timer->lock, &until);
}

/* One round, with the lock given up meanwhile. */
static void
come_round(struct state__timer *timer)
{
    uint64_t next_ms;

    atomic_store(&timer->due_ms, UINT64_MAX);
    pthread_mutex_unlock(&timer->lock);
    next_ms = timer->round(timer->data);
    pthread_mutex_lock(&timer->lock);
    if (next_ms < atomic_load(&timer->due_ms))
        atomic_store(&timer->due_ms, next_ms);
}

static void *
run(void *argument)
{
    struct state__timer *timer = argument;

    pthread_mutex_lock(&timer->lock);
    while (!timer->closing) {
        uint64_t due_ms = atomic_load(&timer->due_ms), now_ms;

        if (due_ms == UINT64_MAX) {
            pthread_cond_wait(&timer->wake, &timer->lock);
            continue;
        }
        now_ms = timer->clock->now_ms(timer->clock->data);
        if (due_ms > now_ms)
            rest(timer, due_ms - now_ms);
        else
            come_round(timer);
    }
    pthread_mutex_unlock(&timer->lock);
    return NULL;
}

/* Under the lock. */
static bool
start(struct state__timer *timer)
{
    sigset_t all, old;

    if (timer->has_thread || timer->closing)
        return timer->has_thread;
    /* The program's signals are no business of the library's thread. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    timer->has_thread =
        pthread_create(&timer->thread, NULL, run, timer) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return timer->has_thread;
}

bool
state__timer_start(struct state__timer *timer)
{
    bool has_thread;

    pthread_mutex_lock(&timer->lock);
    has_thread = start(timer);
    pthread_mutex_unlock(&timer->lock);
    return has_thread;
}

void
state__timer_ask(struct state__timer *timer, uint64_t due_ms)
{
    if (atomic_load(&timer->due_ms) <= due_ms)
        return;
    pthread_mutex_lock(&timer->lock);
    if (start(timer) && due_ms < atomic_load(&timer->due_ms)) {
        atomic_store(&timer->due_ms, due_ms);
        pthread_cond_signal(&timer->wake);
    }
    pthread_mutex_unlock(&timer->lock);
}
