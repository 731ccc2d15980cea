/*
 * scheduler.c - who runs the calls that do not end at once. See scheduler.h.
 *
 * The idea: one lock guards who queues and who waits, and it is held for a few
 * list operations per slice of a fifth of a millisecond. Workers take whose
 * turn it is, run him without the lock, and put him back. They run at a lower
 * priority than the threads that talk to clients.
 *
 * A thread of its own keeps the time, and it runs no guest: whatever the
 * workers are doing, a deadline or a cancellation ends a call that queues or
 * waits at once. A call that runs looks itself, after each slice. To end a
 * call is to tell whoever waits for it; what it leaves behind is waste, which
 * the workers clear away between slices, since it can be a lot.
 *
 * A timer is set for every task that queues or waits: for its deadline, or for
 * the end of its wait if that is before. While a task runs, its timer stays;
 * when it comes then, it counts after the step.
 */
#define _GNU_SOURCE 1 /* gettid */

#include "runtime/scheduler.h"

#include "runtime/limits.h"
#include "runtime/wait.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The structures that are part of a task, back to the task. */
#define TASK_OF(pointer, member)                                              \
    ((struct runtime__task *)(void *)((char *)(pointer) -                     \
                                      offsetof(struct runtime__task, member)))

/* ---- With the lock held ------------------------------------------------- */

static void
set_timer(struct runtime__scheduler *scheduler, struct runtime__task *task,
          uint64_t at_ns)
{
    struct runtime__timer *timer = &task->timer;

    if (timer->place != 0 && timer->at_ns == at_ns)
        return;
    runtime__timers_set(&scheduler->timers, timer, at_ns);
    if (at_ns < scheduler->wakes_at_ns) {
        scheduler->wakes_at_ns = at_ns;
        pthread_cond_signal(&scheduler->has_timer);
    }
}

static void
wake_worker(struct runtime__scheduler *scheduler)
{
    if (scheduler->idle_count > 0)
        pthread_cond_signal(&scheduler->has_work);
}

static void
queue(struct runtime__scheduler *scheduler, struct runtime__task *task)
{
    task->state = RUNTIME__TASK_QUEUED;
    set_timer(scheduler, task, task->deadline_ns);
    runtime__queue_push(&task->node);
    wake_worker(scheduler);
}

static void
queue_to_block(struct runtime__scheduler *scheduler,
               struct runtime__task *task)
{
    task->state = RUNTIME__TASK_BLOCKS;
    task->blocking.parent = &scheduler->blocking_root;
    set_timer(scheduler, task, task->deadline_ns);
    runtime__queue_push(&task->blocking);
    pthread_cond_signal(&scheduler->has_blocking);
}

/* Takes a task out of everything, to be finished. */
static void
take_out(struct runtime__scheduler *scheduler, struct runtime__task *task,
         enum runtime__end end)
{
    if (task->state == RUNTIME__TASK_QUEUED)
        runtime__queue_remove(&task->node);
    if (task->state == RUNTIME__TASK_BLOCKS)
        runtime__queue_remove(&task->blocking);
    runtime__timers_clear(&scheduler->timers, &task->timer);
    task->state = RUNTIME__TASK_ENDS;
    task->end = end;
    scheduler->task_count--;
}

/* The same, and leaves it for the timekeeper to find. */
static void
end(struct runtime__scheduler *scheduler, struct runtime__task *task,
    enum runtime__end why)
{
    take_out(scheduler, task, why);
    task->next_over = scheduler->over;
    scheduler->over = task;
    pthread_cond_signal(&scheduler->has_timer);
}

static void
cancel(struct runtime__scheduler *scheduler, struct runtime__task *task)
{
    task->is_cancelled = true;
    if (task->state == RUNTIME__TASK_QUEUED ||
        task->state == RUNTIME__TASK_BLOCKS ||
        task->state == RUNTIME__TASK_WAITS)
        end(scheduler, task, RUNTIME__END_CANCELLED);
}

/* Where a task goes whose step did not end it. */
static void
settle(struct runtime__scheduler *scheduler, struct runtime__task *task,
       enum runtime__step step)
{
    assert(step != RUNTIME__STEP_ENDED);
    if (task->is_cancelled) {
        end(scheduler, task, RUNTIME__END_CANCELLED);
    } else if (task->is_late) {
        end(scheduler, task, RUNTIME__END_DEADLINE);
    } else if (step == RUNTIME__STEP_BLOCK) {
        queue_to_block(scheduler, task);
    } else if (step == RUNTIME__STEP_SLICE || task->is_woken) {
        queue(scheduler, task);
    } else {
        uint64_t until_ns = task->until_ns;
        task->state = RUNTIME__TASK_WAITS;
        set_timer(scheduler, task,
                  until_ns < task->deadline_ns ? until_ns
                                               : task->deadline_ns);
    }
}

/* ---- Whoever has a task ------------------------------------------------- */

void
runtime__scheduler_adopt(struct runtime__scheduler *scheduler,
                         struct runtime__task *task, enum runtime__step step)
{
    pthread_mutex_lock(&scheduler->lock);
    scheduler->task_count++;
    settle(scheduler, task, step);
    pthread_mutex_unlock(&scheduler->lock);
}

void
runtime__scheduler_wake(struct runtime__scheduler *scheduler,
                        struct runtime__task *task)
{
    pthread_mutex_lock(&scheduler->lock);
    task->is_woken = true;
    if (task->state == RUNTIME__TASK_WAITS)
        queue(scheduler, task);
    pthread_mutex_unlock(&scheduler->lock);
}

void
runtime__scheduler_cancel(struct runtime__scheduler *scheduler,
                          struct runtime__task *task)
{
    pthread_mutex_lock(&scheduler->lock);
    cancel(scheduler, task);
    pthread_mutex_unlock(&scheduler->lock);
}

void
runtime__scheduler_cancel_all(struct runtime__scheduler *scheduler)
{
    struct runtime__timers *timers = &scheduler->timers;
    size_t place = 1;

    pthread_mutex_lock(&scheduler->lock);
    /* Whoever runs stays in the heap, and whoever does not leaves it: then
     * another timer is in its place, which has not been looked at. One that
     * moved up has been, or it is after the next that goes. */
    while (place <= timers->count) {
        struct runtime__task *task = TASK_OF(timers->heap[place], timer);
        cancel(scheduler, task);
        if (task->state == RUNTIME__TASK_ENDS)
            place = 1;
        else
            place++;
    }
    pthread_mutex_unlock(&scheduler->lock);
}

void
runtime__scheduler_discard(struct runtime__scheduler *scheduler,
                           struct runtime__waste *waste)
{
    /* Whoever finishes looks for waste afterwards, and has somebody woken. */
    waste->next = atomic_load_explicit(&scheduler->waste,
                                       memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &scheduler->waste, &waste->next, waste, memory_order_release,
        memory_order_relaxed))
        ;
}

void
runtime__scheduler_clear(struct runtime__scheduler *scheduler,
                         struct runtime__waste *waste)
{
    runtime__scheduler_discard(scheduler, waste);
    pthread_mutex_lock(&scheduler->lock);
    wake_worker(scheduler);
    pthread_mutex_unlock(&scheduler->lock);
}

size_t
runtime__scheduler_count(struct runtime__scheduler *scheduler)
{
    pthread_mutex_lock(&scheduler->lock);
    size_t count = scheduler->task_count;
    pthread_mutex_unlock(&scheduler->lock);
    return count;
}

/* ---- Workers ------------------------------------------------------------ */

/* Runs a task for a slice. The lock is held before and afterwards. */
static void
run(struct runtime__scheduler *scheduler, struct runtime__task *task,
    bool may_block)
{
    task->state = RUNTIME__TASK_RUNS;
    task->may_block = may_block;
    task->is_woken = false;
    pthread_mutex_unlock(&scheduler->lock);
    enum runtime__step step = scheduler->callbacks.advance(task);
    pthread_mutex_lock(&scheduler->lock);
    if (step != RUNTIME__STEP_ENDED) {
        settle(scheduler, task, step);
        return;
    }
    take_out(scheduler, task, RUNTIME__END_OWN);
    pthread_mutex_unlock(&scheduler->lock);
    scheduler->callbacks.finish(task, RUNTIME__END_OWN);
    pthread_mutex_lock(&scheduler->lock);
}

/* Clears one thing away; false when there is none. */
static bool
clear_one(struct runtime__scheduler *scheduler)
{
    struct runtime__waste *waste =
        atomic_load_explicit(&scheduler->waste, memory_order_acquire);

    /* With the lock nobody else takes one out: the next one stays that. */
    while (waste && !atomic_compare_exchange_weak_explicit(
                        &scheduler->waste, &waste, waste->next,
                        memory_order_acquire, memory_order_acquire))
        ;
    if (!waste)
        return false;
    pthread_mutex_unlock(&scheduler->lock);
    scheduler->callbacks.clear(waste);
    pthread_mutex_lock(&scheduler->lock);
    return true;
}

/* Lowers the priority of this thread alone. It goes without, where that is
 * refused. */
static void
stand_back(void)
{
    int nice = getpriority(PRIO_PROCESS, 0);

    setpriority(PRIO_PROCESS, (id_t)gettid(), nice + RUNTIME_WORKER_NICE);
}

static void *
work(void *data)
{
    struct runtime__scheduler *scheduler = data;

    stand_back();
    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        bool cleared = clear_one(scheduler);
        struct runtime__queue_node *node =
            runtime__queue_pop(&scheduler->root);
        if (node) {
            run(scheduler, TASK_OF(node, node), false);
        } else if (!cleared && scheduler->stops) {
            break;
        } else if (!cleared) {
            scheduler->idle_count++;
            pthread_cond_wait(&scheduler->has_work, &scheduler->lock);
            scheduler->idle_count--;
        }
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* A thread that may be blocked. */
static void *
block(void *data)
{
    struct runtime__scheduler *scheduler = data;

    stand_back();
    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        struct runtime__queue_node *node =
            runtime__queue_pop(&scheduler->blocking_root);
        if (node)
            run(scheduler, TASK_OF(node, blocking), true);
        else if (scheduler->stops)
            break;
        else
            pthread_cond_wait(&scheduler->has_blocking, &scheduler->lock);
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* ---- The timekeeper ----------------------------------------------------- */

/* The timer has come; true when the task is to be finished for that. */
static bool
is_over(struct runtime__scheduler *scheduler, struct runtime__task *task)
{
    if (task->state == RUNTIME__TASK_RUNS) {
        task->is_late = task->timer.at_ns >= task->deadline_ns;
        runtime__timers_clear(&scheduler->timers, &task->timer);
        return false;
    }
    if (task->state == RUNTIME__TASK_WAITS &&
        task->timer.at_ns < task->deadline_ns) {
        queue(scheduler, task);
        return false;
    }
    take_out(scheduler, task, RUNTIME__END_DEADLINE);
    return true;
}

/* All that are to be finished now. */
static struct runtime__task *
collect_over(struct runtime__scheduler *scheduler)
{
    struct runtime__task *over = scheduler->over;
    uint64_t now_ns = runtime__wait_now_ns();
    struct runtime__timer *timer;

    scheduler->over = NULL;
    while ((timer = runtime__timers_first(&scheduler->timers)) &&
           timer->at_ns <= now_ns) {
        struct runtime__task *task = TASK_OF(timer, timer);
        if (is_over(scheduler, task)) {
            task->next_over = over;
            over = task;
        }
    }
    return over;
}

/* Waits for the next timer, or for one that is set before it. */
static void
wait_for_timer(struct runtime__scheduler *scheduler)
{
    const struct runtime__timer *timer =
        runtime__timers_first(&scheduler->timers);

    scheduler->wakes_at_ns = timer ? timer->at_ns : UINT64_MAX;
    if (!timer) {
        pthread_cond_wait(&scheduler->has_timer, &scheduler->lock);
        return;
    }
    struct timespec at = {
        .tv_sec = (time_t)(timer->at_ns / 1000000000u),
        .tv_nsec = (long)(timer->at_ns % 1000000000u),
    };
    pthread_cond_timedwait(&scheduler->has_timer, &scheduler->lock, &at);
}

/* Without the lock, which a worker may hold that does not get to run. */
static void
finish_all(struct runtime__scheduler *scheduler, struct runtime__task *task)
{
    while (task) {
        struct runtime__task *next = task->next_over;
        scheduler->callbacks.finish(task, task->end);
        task = next;
    }
}

static void *
keep_time(void *data)
{
    struct runtime__scheduler *scheduler = data;

    pthread_mutex_lock(&scheduler->lock);
    for (;;) {
        struct runtime__task *task = collect_over(scheduler);
        if (task) {
            pthread_mutex_unlock(&scheduler->lock);
            finish_all(scheduler, task);
            pthread_mutex_lock(&scheduler->lock);
            wake_worker(scheduler);
        } else if (scheduler->stops) {
            break;
        } else {
            wait_for_timer(scheduler);
        }
    }
    pthread_mutex_unlock(&scheduler->lock);
    return NULL;
}

/* ---- Beginning and end -------------------------------------------------- */

/* Signals are for the threads of the embedder, but for those that a fault
 * raises (gvm_guard_install). */
static void
block_signals(sigset_t *before)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    sigset_t blocked;

    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof(faults) / sizeof(faults[0]); i++)
        sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, before);
}

/* What the thread of that number does. */
static void *(*role_of(const struct runtime__scheduler *scheduler,
                       unsigned number))(void *)
{
    if (number == 0)
        return keep_time;
    return number <= scheduler->worker_count ? work : block;
}

static bool
start_threads(struct runtime__scheduler *scheduler, unsigned count)
{
    sigset_t before;

    scheduler->threads = calloc(count, sizeof(*scheduler->threads));
    if (!scheduler->threads)
        return false;
    block_signals(&before);
    while (scheduler->thread_count < count &&
           pthread_create(&scheduler->threads[scheduler->thread_count], NULL,
                          role_of(scheduler, scheduler->thread_count),
                          scheduler) == 0)
        scheduler->thread_count++;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    return scheduler->thread_count == count;
}

bool
runtime__scheduler_init(struct runtime__scheduler *scheduler,
                        const struct runtime__scheduler_callbacks *callbacks,
                        unsigned worker_count, unsigned blocking_count,
                        size_t task_count_max)
{
    pthread_condattr_t attributes;

    memset(scheduler, 0, sizeof(*scheduler));
    scheduler->callbacks = *callbacks;
    if (!runtime__timers_init(&scheduler->timers, task_count_max))
        return false;
    pthread_mutex_init(&scheduler->lock, NULL);
    pthread_cond_init(&scheduler->has_work, NULL);
    pthread_cond_init(&scheduler->has_blocking, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&scheduler->has_timer, &attributes);
    pthread_condattr_destroy(&attributes);
    scheduler->locks_made = true;
    scheduler->worker_count = worker_count;
    if (start_threads(scheduler, 1 + worker_count + blocking_count))
        return true;
    runtime__scheduler_deinit(scheduler);
    return false;
}

void
runtime__scheduler_deinit(struct runtime__scheduler *scheduler)
{
    if (scheduler->locks_made) {
        pthread_mutex_lock(&scheduler->lock);
        assert(scheduler->task_count == 0);
        scheduler->stops = true;
        pthread_cond_broadcast(&scheduler->has_work);
        pthread_cond_broadcast(&scheduler->has_blocking);
        pthread_cond_broadcast(&scheduler->has_timer);
        pthread_mutex_unlock(&scheduler->lock);
        for (unsigned i = 0; i < scheduler->thread_count; i++)
            pthread_join(scheduler->threads[i], NULL);
        /* The timekeeper may have been the last to leave something. */
        pthread_mutex_lock(&scheduler->lock);
        while (clear_one(scheduler))
            ;
        pthread_mutex_unlock(&scheduler->lock);
        pthread_cond_destroy(&scheduler->has_timer);
        pthread_cond_destroy(&scheduler->has_blocking);
        pthread_cond_destroy(&scheduler->has_work);
        pthread_mutex_destroy(&scheduler->lock);
    }
    free(scheduler->threads);
    runtime__timers_deinit(&scheduler->timers);
    memset(scheduler, 0, sizeof(*scheduler));
}
