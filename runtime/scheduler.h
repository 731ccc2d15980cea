/*
 * scheduler.h - who runs the calls that do not end at once.
 *
 * A *task* is what is left to do of a call. It begins on a thread of the
 * caller's; what did not end there is adopted, and from then on workers run
 * it, a step at a time, with all others in turns (queue.h). A task that waits
 * takes no thread: it comes back when it is woken, or when its time has come.
 * One that is about to block its thread, because it asks the kernel for files,
 * goes on for a step on threads of their own, of which there are few: those
 * who wait for one are served in order.
 *
 * A task that was adopted is finished exactly once: by its own last step, by
 * its deadline or because it was cancelled. No lock is held while one runs or
 * is finished, and nothing here knows what a call is.
 *
 * Any thread may call what is here.
 */
#ifndef GLASS_RUNTIME_SCHEDULER_H
#define GLASS_RUNTIME_SCHEDULER_H

#include "runtime/queue.h"
#include "runtime/step.h"
#include "runtime/timer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Why a task ends. */
enum runtime__end {
    RUNTIME__END_OWN, /* its last step said so */
    RUNTIME__END_DEADLINE,
    RUNTIME__END_CANCELLED,
};

enum runtime__task_state {
    RUNTIME__TASK_RUNS, /* on some thread, also before it is adopted */
    RUNTIME__TASK_QUEUED,
    RUNTIME__TASK_BLOCKS, /* queues for a thread that may be blocked */
    RUNTIME__TASK_WAITS,
    RUNTIME__TASK_ENDS, /* out of all of it, about to be finished */
};

/* What is left to do of a call, and part of it. All zero but where the
 * comments say that the owner sets it. */
struct runtime__task {
    struct runtime__queue_node node; /* the owner sets `parent` */

    /* By the monotonic clock. The owner sets the first before it is adopted,
     * and the second in a step that returns RUNTIME__STEP_WAIT: when it goes
     * on even if nobody wakes it, or UINT64_MAX. */
    uint64_t deadline_ns;
    uint64_t until_ns;

    /* Whether the step that begins may block its thread. */
    bool may_block;

    /* Under the scheduler's lock. */
    enum runtime__task_state state;
    enum runtime__end end;
    bool is_woken; /* since its last step began */
    bool is_late;  /* its deadline came while it ran */
    bool is_cancelled;
    struct runtime__queue_node blocking;
    struct runtime__timer timer;
    struct runtime__task *next_over;
};

struct runtime__scheduler_callbacks {
    /* Runs the task for a slice. */
    enum runtime__step (*advance)(struct runtime__task *task);
    /* It is over, and nobody here knows the task any more. Must not block. */
    void (*finish)(struct runtime__task *task, enum runtime__end end);
    void (*clear)(struct runtime__waste *waste);
};

struct runtime__scheduler {
    struct runtime__scheduler_callbacks callbacks;
    pthread_mutex_t lock;
    pthread_cond_t has_work;  /* for the workers */
    pthread_cond_t has_blocking; /* for the threads that may be blocked */
    pthread_cond_t has_timer; /* for the timekeeper */
    bool locks_made;

    /* Put in by anybody, taken out under the lock. */
    struct runtime__waste *_Atomic waste;

    /* The rest is under the lock. */
    struct runtime__queue_node root; /* of all that queues */
    struct runtime__queue_node blocking_root;
    struct runtime__timers timers;
    struct runtime__task *over; /* to be finished by the timekeeper */
    size_t task_count;    /* adopted and not finished */
    unsigned idle_count;  /* workers that wait for work */
    uint64_t wakes_at_ns; /* when the timekeeper looks again by itself */
    bool stops;

    /* The timekeeper, the workers, those that may be blocked. */
    pthread_t *threads;
    unsigned thread_count;
    unsigned worker_count;
};

/*
 * Starts the threads: one that keeps the time, `worker_count` that run tasks,
 * of which there are never more than `task_count_max`, and `blocking_count` for
 * those that block: when it is 0 none may. False when the system has no
 * threads or no memory for it.
 */
bool
runtime__scheduler_init(struct runtime__scheduler *scheduler,
                        const struct runtime__scheduler_callbacks *callbacks,
                        unsigned worker_count, unsigned blocking_count,
                        size_t task_count_max);

/*
 * Ends the threads, once there is no waste any more. All tasks have been
 * finished. Also for a structure of zeros, or one that init failed on.
 */
void
runtime__scheduler_deinit(struct runtime__scheduler *scheduler);

/*
 * Takes over a task of which a step has ended with `step`: not with
 * RUNTIME__STEP_ENDED. One that has not begun comes with RUNTIME__STEP_SLICE.
 * It may have been finished when this returns.
 */
void
runtime__scheduler_adopt(struct runtime__scheduler *scheduler,
                         struct runtime__task *task,
                         enum runtime__step step);

/* What the task waits for has come, or is about to be waited for. */
void
runtime__scheduler_wake(struct runtime__scheduler *scheduler,
                        struct runtime__task *task);

/*
 * Ends the task soon: at once when it waits or queues, after its step when it
 * runs. Does nothing to one that is about to be finished; it must not have
 * been.
 */
void
runtime__scheduler_cancel(struct runtime__scheduler *scheduler,
                          struct runtime__task *task);

/* The same for all that there are. */
void
runtime__scheduler_cancel_all(struct runtime__scheduler *scheduler);

/* Has a worker clear this away. Only inside `finish`. */
void
runtime__scheduler_discard(struct runtime__scheduler *scheduler,
                           struct runtime__waste *waste);

/* The same from anywhere else. */
void
runtime__scheduler_clear(struct runtime__scheduler *scheduler,
                         struct runtime__waste *waste);

/* Tasks that were adopted and not finished yet. */
size_t
runtime__scheduler_count(struct runtime__scheduler *scheduler);

#endif
