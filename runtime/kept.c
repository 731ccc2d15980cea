/*
 * kept.c - calls that are known by their identity alone. See kept.h.
 *
 * The idea: a pending call is the scheduler's, and here is only its name. When
 * it ends, the buffers with its result move here and the call itself is gone,
 * with its place among the runtime's calls. What has ended is a list by age:
 * whatever is too much, too long or too old is at its front. It is looked at
 * whenever a call ends or is asked for, so no thread has to watch it.
 *
 * The time of those who wait is kept by a thread of its own, which is started
 * with the first of them. Who waits is in his call's list, and whoever takes
 * him out of it tells him: the end of the call, of his time, or himself.
 */
#include "runtime/kept.h"

#include "runtime/call.h"
#include "runtime/error.h"
#include "runtime/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct runtime_kept {
    struct runtime__kept_calls *all;
    size_t references; /* one is the table's */
    bool is_listed;    /* in the table */
    struct runtime_kept *next; /* in its bucket; or of those that are gone */
    struct runtime_kept *newer; /* when it has ended */
    struct runtime_kept *older;
    char id[RUNTIME_CALL_ID_SIZE];
    char namespace_[RUNTIME_NAME_BYTES_MAX + 1];
    char function[RUNTIME_NAME_BYTES_MAX + 1];
    bool calls_export;
    struct runtime__tree *tree; /* counted */
    uint64_t begun_ms;
    uint64_t kept_ms;
    struct runtime_kept_wait *waits;

    struct runtime_call *call; /* NULL: it has ended */
    uint64_t ended_ms;
    uint64_t until_ns; /* of the monotonic clock */

    /* What it left behind; the result points to the others. */
    struct runtime_result result;
    struct runtime__buffer output;
    struct runtime__buffer log;
    struct runtime_value *values;
};

struct runtime_kept_wait {
    struct runtime__kept_calls *all;
    struct runtime_kept *kept; /* NULL: he is told, or about to be */
    struct runtime_kept_wait *next;
    struct runtime__timer timer;
    void (*complete)(void *data);
    void *data;
};

static uint64_t
now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- The table, with the lock held -------------------------------------- */

/* Identities are random: their first digits spread well enough. */
static struct runtime_kept **
bucket_of(struct runtime__kept_calls *all, const char *id)
{
    char digits[4] = "";

    memcpy(digits, id, strnlen(id, 3));
    return &all->buckets[strtoul(digits, NULL, 16) % runtime__kept_buckets];
}

static void
enter(struct runtime_kept *kept)
{
    struct runtime_kept **bucket = bucket_of(kept->all, kept->id);

    kept->next = *bucket;
    *bucket = kept;
    kept->is_listed = true;
    kept->references++;
    kept->all->statistics.accepted_count++;
    kept->all->statistics.pending_count++;
}

static struct runtime_kept *
find(struct runtime__kept_calls *all, const char *namespace_, const char *id)
{
    struct runtime_kept *kept = *bucket_of(all, id);

    while (kept && (strcmp(kept->id, id) != 0 ||
                    strcmp(kept->namespace_, namespace_) != 0))
        kept = kept->next;
    return kept;
}

/* Takes it out of the table; true when nobody has it any more. */
static bool
leave(struct runtime_kept *kept)
{
    struct runtime_kept **link = bucket_of(kept->all, kept->id);

    while (*link != kept)
        link = &(*link)->next;
    *link = kept->next;
    kept->is_listed = false;
    return --kept->references == 0;
}

static uint64_t
bytes_of(const struct runtime_kept *kept)
{
    return kept->output.length_bytes + kept->log.length_bytes;
}

/* Forgets one that has ended; it is put in front of `gone` when that was all
 * that held it. */
static void
forget(struct runtime_kept *kept, struct runtime_kept **gone)
{
    struct runtime__kept_calls *all = kept->all;

    *(kept->older ? &kept->older->newer : &all->oldest) = kept->newer;
    *(kept->newer ? &kept->newer->older : &all->newest) = kept->older;
    all->statistics.ended_count--;
    all->statistics.ended_bytes -= bytes_of(kept);
    all->statistics.forgotten_count++;
    if (leave(kept)) {
        kept->next = *gone;
        *gone = kept;
    }
}

/* Forgets what is too much, but for the newest, and what is too old. */
static void
forget_some(struct runtime__kept_calls *all, struct runtime_kept **gone)
{
    const struct runtime_kept_statistics *statistics = &all->statistics;
    uint64_t now_ns = runtime__wait_now_ns();

    while (all->oldest != all->newest &&
           (statistics->ended_count > RUNTIME_KEPT_CALLS_MAX ||
            statistics->ended_bytes > RUNTIME_KEPT_BYTES_MAX))
        forget(all->oldest, gone);
    while (all->oldest && now_ns >= all->oldest->until_ns)
        forget(all->oldest, gone);
}

/* ---- Without it --------------------------------------------------------- */

/* Destroys what is gone, one after the other. */
static void
destroy_all(struct runtime_kept *gone)
{
    while (gone) {
        struct runtime_kept *kept = gone;
        gone = kept->next;
        runtime__tree_put(kept->tree);
        runtime__buffer_deinit(&kept->output);
        runtime__buffer_deinit(&kept->log);
        free(kept->values);
        free(kept);
    }
}

/* Tells those who were taken out of a list. */
static void
tell_all(struct runtime_kept_wait *waits)
{
    while (waits) {
        struct runtime_kept_wait *wait = waits;
        waits = wait->next;
        wait->complete(wait->data);
    }
}

/* ---- The end of a call -------------------------------------------------- */

/* Moves what the call leaves behind. */
static void
take_result(struct runtime_kept *kept, struct runtime_call *call)
{
    kept->result = call->result;
    kept->output = call->output;
    kept->log = call->log;
    kept->values = call->values;
    call->output = call->log = (struct runtime__buffer){0};
    call->values = NULL;
    kept->call = NULL;
    kept->ended_ms = now_ms();
    kept->until_ns = runtime__wait_now_ns() + kept->kept_ms * 1000000u;
}

/* Enters it as the newest of those that have ended. */
static void
enter_ended(struct runtime_kept *kept)
{
    struct runtime__kept_calls *all = kept->all;

    kept->older = all->newest;
    kept->newer = NULL;
    *(all->newest ? &all->newest->newer : &all->oldest) = kept;
    all->newest = kept;
    all->statistics.ended_count++;
    all->statistics.ended_bytes += bytes_of(kept);
}

static void
uncount_pending(struct runtime__kept_calls *all)
{
    pthread_mutex_lock(&all->lock);
    /* With the lock: who waits destroys it as soon as he gets that. */
    if (--all->statistics.pending_count == 0)
        pthread_cond_signal(&all->none);
    pthread_mutex_unlock(&all->lock);
}

static void
complete(struct runtime_call *call, void *data)
{
    struct runtime_kept *kept = data;
    struct runtime__kept_calls *all = kept->all;
    struct runtime_kept *gone = NULL;

    pthread_mutex_lock(&all->lock);
    take_result(kept, call);
    enter_ended(kept);
    struct runtime_kept_wait *waits = kept->waits;
    kept->waits = NULL;
    for (struct runtime_kept_wait *wait = waits; wait; wait = wait->next) {
        wait->kept = NULL;
        runtime__timers_clear(&all->timers, &wait->timer);
    }
    forget_some(all, &gone);
    pthread_mutex_unlock(&all->lock);
    runtime_call_destroy(call);
    tell_all(waits);
    destroy_all(gone);
    uncount_pending(all);
}

/* ---- Keeping ------------------------------------------------------------ */

static struct runtime_kept *
create(struct runtime_call *call)
{
    struct runtime_kept *kept = calloc(1, sizeof(*kept));

    if (!kept)
        return NULL;
    kept->all = &call->runtime->kept;
    kept->references = 1;
    strcpy(kept->id, call->id);
    strcpy(kept->namespace_, call->function->namespace_);
    strcpy(kept->function, call->function->name);
    kept->calls_export = call->export_name != NULL;
    kept->tree = runtime__tree_share(call->chain->tree);
    kept->begun_ms = now_ms();
    kept->kept_ms = call->runtime->options.kept_ms;
    kept->call = call;
    return kept;
}

enum runtime_status
runtime_call_keep(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime__kept_calls *all = &call->runtime->kept;
    enum runtime_status status = runtime__chain_begin(call, err);

    if (status != RUNTIME_OK)
        return status;
    struct runtime_kept *kept = create(call);
    if (!kept)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory to keep a call");
    pthread_mutex_lock(&all->lock);
    enter(kept);
    pthread_mutex_unlock(&all->lock);
    runtime_call_set_deferred(call);
    status = runtime_call_start(call, complete, kept);
    if (status != RUNTIME_PENDING) {
        /* It was not let in. */
        if (err)
            *err = call->result.error;
        pthread_mutex_lock(&all->lock);
        leave(kept);
        all->statistics.accepted_count--;
        pthread_mutex_unlock(&all->lock);
        uncount_pending(all);
    }
    runtime_kept_put(kept);
    return status == RUNTIME_PENDING ? RUNTIME_OK : status;
}

/* ---- Asking ------------------------------------------------------------- */

enum runtime_status
runtime_kept_get(struct runtime *runtime, const char *namespace_,
                 const char *id, struct runtime_kept **kept,
                 struct runtime_error *err)
{
    struct runtime__kept_calls *all = &runtime->kept;
    struct runtime_kept *gone = NULL;

    pthread_mutex_lock(&all->lock);
    forget_some(all, &gone);
    struct runtime_kept *found = find(all, namespace_, id);
    if (found)
        found->references++;
    pthread_mutex_unlock(&all->lock);
    destroy_all(gone);
    if (!found)
        return runtime__error_set(err, RUNTIME_NOT_FOUND,
                                  "there is no such call, or not any more");
    *kept = found;
    return RUNTIME_OK;
}

void
runtime_kept_put(struct runtime_kept *kept)
{
    if (!kept)
        return;
    pthread_mutex_lock(&kept->all->lock);
    bool is_last = --kept->references == 0;
    pthread_mutex_unlock(&kept->all->lock);
    if (!is_last)
        return;
    kept->next = NULL;
    destroy_all(kept);
}

void
runtime_kept_info(struct runtime_kept *kept, struct runtime_kept_info *info)
{
    pthread_mutex_lock(&kept->all->lock);
    *info = (struct runtime_kept_info){
        .id = kept->id,
        .function = kept->function,
        .calls_export = kept->calls_export,
        .begun_ms = kept->begun_ms,
        .ended_ms = kept->ended_ms,
        .result = kept->call ? NULL : &kept->result,
    };
    pthread_mutex_unlock(&kept->all->lock);
}

enum runtime_status
runtime_kept_graph(struct runtime_kept *kept, struct runtime_graph *graph,
                   struct runtime_error *err)
{
    return runtime__tree_graph(kept->tree, 0, graph, err);
}

void
runtime_kept_delete(struct runtime_kept *kept)
{
    struct runtime_kept *gone = NULL;

    pthread_mutex_lock(&kept->all->lock);
    /* The call cannot be destroyed before the lock is given back. */
    if (kept->call)
        runtime_call_cancel(kept->call);
    else if (kept->is_listed)
        forget(kept, &gone);
    pthread_mutex_unlock(&kept->all->lock);
    /* Who asks has it. */
    assert(!gone);
}

void
runtime_kept_statistics(struct runtime *runtime,
                        struct runtime_kept_statistics *statistics)
{
    pthread_mutex_lock(&runtime->kept.lock);
    *statistics = runtime->kept.statistics;
    pthread_mutex_unlock(&runtime->kept.lock);
}

static void
cancel_all(struct runtime__kept_calls *all)
{
    pthread_mutex_lock(&all->lock);
    for (size_t i = 0; i < runtime__kept_buckets; i++)
        for (struct runtime_kept *kept = all->buckets[i]; kept;
             kept = kept->next)
            if (kept->call)
                runtime_call_cancel(kept->call);
    pthread_mutex_unlock(&all->lock);
}

void
runtime_kept_cancel_all(struct runtime *runtime)
{
    cancel_all(&runtime->kept);
}

/* ---- Waiting ------------------------------------------------------------ */

/* Takes him out of his call's list, with the lock held. */
static void
take_out(struct runtime_kept_wait *wait)
{
    struct runtime_kept_wait **link = &wait->kept->waits;

    while (*link != wait)
        link = &(*link)->next;
    *link = wait->next;
    wait->kept = NULL;
    runtime__timers_clear(&wait->all->timers, &wait->timer);
}

/* All whose time is over, in a list of their own, with the lock held. */
static struct runtime_kept_wait *
take_late(struct runtime__kept_calls *all)
{
    uint64_t now_ns = runtime__wait_now_ns();
    struct runtime_kept_wait *late = NULL;
    struct runtime__timer *timer;

    while ((timer = runtime__timers_first(&all->timers)) &&
           timer->at_ns <= now_ns) {
        struct runtime_kept_wait *wait =
            (struct runtime_kept_wait *)(void *)((char *)timer -
                offsetof(struct runtime_kept_wait, timer));
        take_out(wait);
        wait->next = late;
        late = wait;
    }
    return late;
}

static void *
keep_time(void *data)
{
    struct runtime__kept_calls *all = data;

    pthread_mutex_lock(&all->lock);
    while (!all->stops) {
        struct runtime_kept_wait *late = take_late(all);
        struct runtime__timer *timer = runtime__timers_first(&all->timers);
        if (late) {
            pthread_mutex_unlock(&all->lock);
            tell_all(late);
            pthread_mutex_lock(&all->lock);
        } else if (timer) {
            const struct timespec until = {
                .tv_sec = (time_t)(timer->at_ns / 1000000000u),
                .tv_nsec = (long)(timer->at_ns % 1000000000u),
            };
            pthread_cond_timedwait(&all->has_timer, &all->lock, &until);
        } else {
            pthread_cond_wait(&all->has_timer, &all->lock);
        }
    }
    pthread_mutex_unlock(&all->lock);
    return NULL;
}

/* Sees to it that there is somebody who keeps the time. */
static enum runtime_status
need_thread(struct runtime__kept_calls *all)
{
    if (all->has_thread)
        return RUNTIME_OK;
    if (!all->timers.heap &&
        !runtime__timers_init(&all->timers, RUNTIME_KEPT_WAITS_MAX))
        return RUNTIME_NO_MEMORY;
    if (pthread_create(&all->thread, NULL, keep_time, all) != 0)
        return RUNTIME_SYSTEM;
    all->has_thread = true;
    return RUNTIME_OK;
}

/* With the lock held. */
static enum runtime_status
begin_wait(struct runtime_kept *kept, struct runtime_kept_wait *wait,
           uint64_t until_ns)
{
    struct runtime__kept_calls *all = kept->all;
    enum runtime_status status =
        kept->call ? need_thread(all) : RUNTIME_OK;

    if (!kept->call || status != RUNTIME_OK)
        return status;
    if (all->timers.count == RUNTIME_KEPT_WAITS_MAX)
        return RUNTIME_BUSY;
    wait->kept = kept;
    wait->next = kept->waits;
    kept->waits = wait;
    runtime__timers_set(&all->timers, &wait->timer, until_ns);
    pthread_cond_signal(&all->has_timer);
    return RUNTIME_PENDING;
}

enum runtime_status
runtime_kept_wait(struct runtime_kept *kept, uint64_t timeout_ms,
                  void (*complete_wait)(void *data), void *data,
                  struct runtime_kept_wait **wait)
{
    struct runtime_kept_wait *made = calloc(1, sizeof(*made));
    uint64_t until_ns;

    if (!made)
        return RUNTIME_NO_MEMORY;
    made->all = kept->all;
    made->complete = complete_wait;
    made->data = data;
    if (__builtin_mul_overflow(timeout_ms, 1000000u, &until_ns) ||
        __builtin_add_overflow(until_ns, runtime__wait_now_ns(), &until_ns))
        until_ns = UINT64_MAX;
    pthread_mutex_lock(&kept->all->lock);
    /* It may be told as soon as the lock is given back. */
    *wait = made;
    enum runtime_status status = begin_wait(kept, made, until_ns);
    if (status != RUNTIME_PENDING)
        *wait = NULL;
    pthread_mutex_unlock(&kept->all->lock);
    if (status != RUNTIME_PENDING)
        free(made);
    return status;
}

void
runtime_kept_wait_end(struct runtime_kept_wait *wait)
{
    pthread_mutex_lock(&wait->all->lock);
    bool is_mine = wait->kept != NULL;
    if (is_mine)
        take_out(wait);
    pthread_mutex_unlock(&wait->all->lock);
    if (is_mine)
        wait->complete(wait->data);
}

void
runtime_kept_wait_destroy(struct runtime_kept_wait *wait)
{
    assert(!wait || !wait->kept);
    free(wait);
}

/* ---- Of a runtime ------------------------------------------------------- */

void
runtime__kept_init(struct runtime__kept_calls *all)
{
    pthread_condattr_t attributes;

    memset(all, 0, sizeof(*all));
    pthread_mutex_init(&all->lock, NULL);
    pthread_cond_init(&all->none, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&all->has_timer, &attributes);
    pthread_condattr_destroy(&attributes);
}

void
runtime__kept_deinit(struct runtime__kept_calls *all)
{
    struct runtime_kept *gone = NULL;

    cancel_all(all);
    pthread_mutex_lock(&all->lock);
    while (all->statistics.pending_count > 0)
        pthread_cond_wait(&all->none, &all->lock);
    while (all->oldest)
        forget(all->oldest, &gone);
    all->stops = true;
    pthread_cond_signal(&all->has_timer);
    pthread_mutex_unlock(&all->lock);
    destroy_all(gone);
    if (all->has_thread)
        pthread_join(all->thread, NULL);
    runtime__timers_deinit(&all->timers);
    pthread_cond_destroy(&all->has_timer);
    pthread_cond_destroy(&all->none);
    pthread_mutex_destroy(&all->lock);
}
