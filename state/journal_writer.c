/*
 * The writer's side of a journal: see journal.h. It sleeps until enough has
 * gathered, takes a batch, and resolves it.
 */
#include "state/journal.h"

#include "state/operation.h"

#include <stdio.h>

/* Entries of the lane `behind` are taken when they are this old, */
#define BEHIND_REST_MS (STATE_BEHIND_MS / 2)

/* or when there are so many bytes of them. */
#define BEHIND_BYTES_MAX (8u << 20)

/* How often a full disk is tried again while nobody writes. */
#define PROBE_MS 250

/*
 * Those whom a round has answered mostly come back at once. The next round
 * waits for as many for up to an eighth of what the last one took, bounded:
 * two rounds of half the size would cost far more.
 */
#define GATHER_SHARE 8
#define GATHER_NS_MAX UINT64_C(2000000)

void
state__journal_free(struct state__journal *journal,
                    struct state__journal_chain *chain)
{
    struct state__journal_entry *entry = chain->first;

    while (entry != NULL) {
        struct state__journal_entry *next = entry->next;

        state__journal_discard(journal, entry);
        entry = next;
    }
    *chain = (struct state__journal_chain){NULL, NULL};
}

void
state__journal_wake(struct state__journal *journal)
{
    if (!journal->is_asleep)
        return;
    if (journal->lane_counts[STATE__LANE_SYNC] < journal->wake_count &&
        !(journal->lane_counts[STATE__LANE_BEHIND] > 0 &&
          (journal->wakes_for_behind || journal->is_pressed)) &&
        journal->queue_bytes <= BEHIND_BYTES_MAX)
        return;
    journal->is_asleep = false;
    pthread_cond_signal(&journal->wake);
}

/* Takes those off a lane who wait for nothing that is still to come. */
static struct state_operation **
release_waiters(struct state__journal *journal, enum state__lane lane,
                struct state_operation **released_end)
{
    struct state__journal_waiters *waiters = &journal->waiters[lane];
    uint64_t resolved = atomic_load(&journal->resolved[lane]);

    while (waiters->first != NULL &&
           waiters->first->private_.wait_for <= resolved) {
        *released_end = waiters->first;
        released_end = &(*released_end)->private_.next;
        waiters->first = waiters->first->private_.next;
    }
    *released_end = NULL;
    return released_end;
}

/* Ends an operation in the words of what happened to the disk. */
static void
fail(const struct state__journal *journal, struct state_operation *operation)
{
    enum state_status status = operation->private_.failure;

    state__operation_begin(operation);
    if (operation->kind == STATE_BATCH) {
        operation->failed_index = operation->operation_count;
        for (size_t i = 0; i < operation->operation_count; i++) {
            state__operation_begin(&operation->operations[i]);
            state__operation_end(&operation->operations[i], STATE_ABORTED);
        }
    }
    /* The caller is the writer, who alone changes the text. */
    if (status == STATE_CLOSED)
        state__operation_end(operation, status);
    else if (status == STATE_TIMEOUT)
        state__operation_fail(operation, status,
                              "%s; the outcome is unknown",
                              journal->trouble);
    else
        state__operation_fail(operation, status, "%s", journal->trouble);
}

void
state__journal_complete(struct state__journal *journal,
                        struct state_operation *operation,
                        enum state_status (*submit)(
                            void *data, struct state_operation *operation),
                        void *data)
{
    while (operation != NULL) {
        struct state_operation *next = operation->private_.next;

        if (operation->private_.failure != STATE_OK) {
            fail(journal, operation);
            operation->complete(operation);
        } else if (operation->private_.outcome != STATE_PENDING) {
            state__operation_end_said(operation,
                                      operation->private_.outcome);
            operation->complete(operation);
        } else {
            state__operation_begin(operation);
            if (submit(data, operation) != STATE_PENDING)
                operation->complete(operation);
        }
        operation = next;
    }
}

struct state_operation *
state__journal_dismiss(struct state__journal *journal)
{
    struct state_operation *dismissed = NULL, **end = &dismissed, *waiter;

    pthread_mutex_lock(&journal->lock);
    for (int lane = 0; lane < STATE__LANE_COUNT; lane++) {
        for (waiter = journal->waiters[lane].first; waiter != NULL;
             waiter = waiter->private_.next) {
            waiter->private_.failure = STATE_CLOSED;
            *end = waiter;
            end = &waiter->private_.next;
        }
        journal->waiters[lane] = (struct state__journal_waiters){NULL, NULL};
    }
    *end = NULL;
    pthread_mutex_unlock(&journal->lock);
    return dismissed;
}

void
state__journal_set_condition(struct state__journal *journal,
                             enum state_status condition,
                             const char *trouble)
{
    pthread_mutex_lock(&journal->lock);
    if (trouble != NULL)
        snprintf(journal->trouble, sizeof journal->trouble, "%s", trouble);
    atomic_store(&journal->condition, condition);
    pthread_mutex_unlock(&journal->lock);
}

void
state__journal_settle(const struct state__journal_entry *entry)
{
    /* The change of an expiry has the version of an earlier one. */
    if (entry->namespace_ != NULL &&
        entry->version > atomic_load(&entry->namespace_->resolved))
        atomic_store_explicit(&entry->namespace_->resolved, entry->version,
                              memory_order_release);
}

/* Sleeps under the lock until woken or so many nanoseconds; 0: for good. */
static void
sleep_ns(struct state__journal *journal, uint64_t ns)
{
    struct timespec until;

    journal->is_asleep = true;
    if (ns == 0) {
        pthread_cond_wait(&journal->wake, &journal->lock);
    } else {
        clock_gettime(CLOCK_MONOTONIC, &until);
        ns += (uint64_t)until.tv_nsec;
        until.tv_sec += (time_t)(ns / 1000000000);
        until.tv_nsec = (long)(ns % 1000000000);
        pthread_cond_timedwait(&journal->wake, &journal->lock, &until);
    }
    journal->is_asleep = false;
}

/* Waits a moment for those who are about to come; see GATHER_SHARE. */
static void
gather(struct state__journal *journal)
{
    uint64_t ns = journal->round_ns / GATHER_SHARE;

    if (ns > GATHER_NS_MAX)
        ns = GATHER_NS_MAX;
    journal->wakes_for_behind = false;
    journal->wake_count = journal->round_count;
    if (ns > 0 && !journal->is_closing &&
        journal->lane_counts[STATE__LANE_SYNC] < journal->round_count)
        sleep_ns(journal, ns);
    journal->round_count = 0;
}

/*
 * Waits until there is something to take. Returns false when there is nothing
 * but the time for a probe, or the end.
 */
static bool
wait_for_entries(struct state__journal *journal)
{
    bool is_stuck = atomic_load(&journal->condition) != STATE_OK;
    uint64_t age_ms, rest_ms = is_stuck ? STATE_BEHIND_MS : BEHIND_REST_MS;

    while (journal->lane_counts[STATE__LANE_SYNC] == 0) {
        if (journal->queue.first == NULL) {
            if (journal->is_closing)
                return false;
            journal->wake_count = 1;
            journal->wakes_for_behind = true;
            sleep_ns(journal, is_stuck ? PROBE_MS * UINT64_C(1000000) : 0);
            if (is_stuck && journal->queue.first == NULL)
                return false;
            continue;
        }
        age_ms = state__journal_clock_ms(CLOCK_MONOTONIC_COARSE) -
                 journal->queue.first->queued_ms;
        if (is_stuck)
            age_ms = 0; /* one rest between two attempts */
        else if (journal->is_closing || journal->is_pressed ||
                 age_ms >= rest_ms || journal->queue_bytes > BEHIND_BYTES_MAX)
            return true;
        journal->wake_count = 1;
        journal->wakes_for_behind = false;
        sleep_ns(journal, (rest_ms - age_ms) * 1000000);
        if (is_stuck)
            return true;
    }
    gather(journal);
    return true;
}

enum state__journal_work
state__journal_take(struct state__journal *journal, size_t bytes_max,
                    struct state__journal_chain *batch)
{
    size_t bytes = 0;
    bool is_open = false;

    *batch = (struct state__journal_chain){NULL, NULL};
    pthread_mutex_lock(&journal->lock);
    if (!wait_for_entries(journal)) {
        bool is_closed = journal->is_closing;

        pthread_mutex_unlock(&journal->lock);
        return is_closed ? STATE__JOURNAL_CLOSED : STATE__JOURNAL_PROBE;
    }
    journal->writing_since_ms = journal->queue.first->queued_ms;
    while (journal->queue.first != NULL && (is_open || bytes < bytes_max)) {
        struct state__journal_entry *entry = journal->queue.first;

        journal->queue.first = entry->next;
        journal->lane_counts[entry->lane]--;
        journal->queue_bytes -= entry->cost_bytes;
        bytes += entry->cost_bytes;
        is_open = entry->is_joined;
        state__journal_append(batch, entry);
    }
    journal->is_pressed &= journal->queue.first != NULL;
    pthread_mutex_unlock(&journal->lock);
    return STATE__JOURNAL_BATCH;
}

struct state_operation *
state__journal_resolve(struct state__journal *journal,
                       struct state__journal_chain *batch, uint64_t round_ns)
{
    struct state_operation *released = NULL, **end = &released;
    uint64_t sequences[STATE__LANE_COUNT] = {0};
    size_t sync_count = 0;

    for (struct state__journal_entry *entry = batch->first; entry != NULL;
         entry = entry->next) {
        sequences[entry->lane] = entry->sequence;
        sync_count += entry->lane == STATE__LANE_SYNC;
        state__journal_settle(entry);
    }
    pthread_mutex_lock(&journal->lock);
    for (int lane = 0; lane < STATE__LANE_COUNT; lane++) {
        if (sequences[lane] > 0)
            atomic_store_explicit(&journal->resolved[lane], sequences[lane],
                                  memory_order_release);
        end = release_waiters(journal, (enum state__lane)lane, end);
    }
    journal->writing_since_ms = 0;
    journal->round_count = sync_count;
    journal->round_ns = round_ns;
    pthread_mutex_unlock(&journal->lock);
    state__journal_free(journal, batch);
    return released;
}

bool
state__journal_is_closing(struct state__journal *journal)
{
    bool is_closing;

    pthread_mutex_lock(&journal->lock);
    is_closing = journal->is_closing;
    pthread_mutex_unlock(&journal->lock);
    return is_closing;
}

void
state__journal_close(struct state__journal *journal)
{
    pthread_mutex_lock(&journal->lock);
    journal->is_closing = true;
    pthread_cond_signal(&journal->wake);
    pthread_mutex_unlock(&journal->lock);
}
