/*
 * What becomes of a batch that could not be written: see journal.h.
 *
 * Each unit (an entry, or the entries of a group) is tried alone, so that one
 * that is too large does not take others with it. In the lane behind, units
 * that fail stay and are tried again, and nobody may pass them. In the lane
 * sync they fail, and so does all that builds upon them: what was queued for
 * the same keys meanwhile. Those keys then get back in memory what they have
 * on the disk. Nobody has seen any of it, since whoever did was waiting; who
 * was waiting without having changed anything does it all over again.
 */
#include "state/journal.h"

#include "state/operation.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Keys whose changes have failed: their entries, by hash. */
#define BUCKETS 1024

struct repair {
    struct state__journal *journal;
    const struct state__journal_mender *mender;
    struct state__journal_entry *buckets[BUCKETS];
    struct state__journal_chain retained;
    size_t failed_count;
    size_t written_count;
    enum state_status status; /* of the last unit that failed */
};

static bool
has_key_failed(const struct repair *repair,
               const struct state__journal_entry *entry)
{
    struct state__journal_entry *other;

    for (other = repair->buckets[entry->hash % BUCKETS]; other != NULL;
         other = other->next)
        if (other->hash == entry->hash &&
            other->namespace_index == entry->namespace_index &&
            other->key_length == entry->key_length &&
            memcmp(other->bytes, entry->bytes, entry->key_length) == 0)
            return true;
    return false;
}

/* Fails an entry, which stays as the sign that its key has failed. */
static void
fail_entry(struct repair *repair, struct state__journal_entry *entry)
{
    struct state__journal_entry **bucket =
        &repair->buckets[entry->hash % BUCKETS];

    if (entry->operation != NULL)
        entry->operation->private_.failure = repair->status;
    entry->next = *bucket;
    *bucket = entry;
    repair->failed_count++;
}

/* The entry after a unit's last one. */
static struct state__journal_entry *
unit_end(struct state__journal_entry *entry)
{
    while (entry->is_joined && entry->next != NULL)
        entry = entry->next;
    return entry->next;
}

static bool
has_unit_failed(const struct repair *repair,
                const struct state__journal_entry *entry,
                const struct state__journal_entry *end)
{
    for (; entry != end; entry = entry->next)
        if (has_key_failed(repair, entry))
            return true;
    return false;
}

/* Whether a unit is in the lane sync; what went by itself is in any. */
static bool
is_unit_sync(const struct state__journal_entry *entry,
             const struct state__journal_entry *end)
{
    for (; entry != end; entry = entry->next)
        if (entry->lane == STATE__LANE_SYNC)
            return true;
    return false;
}

/*
 * Does with each entry of a unit what its lane asks for. A key that went by
 * itself is on the disk for a while longer.
 */
static void
give_up_unit(struct repair *repair, struct state__journal_entry *entry,
             const struct state__journal_entry *end)
{
    while (entry != end) {
        struct state__journal_entry *next = entry->next;

        if (entry->namespace_ == NULL)
            state__journal_discard(repair->journal, entry);
        else if (entry->lane == STATE__LANE_BEHIND)
            state__journal_append(&repair->retained, entry);
        else
            fail_entry(repair, entry);
        entry = next;
    }
}

/* Tries one unit of the batch. False when the disk is gone for good. */
static bool
try_unit(struct repair *repair, struct state__journal_entry *entry,
         struct state__journal_entry *end)
{
    const struct state__journal_mender *mender = repair->mender;
    enum state_status status = repair->status;
    bool is_hopeless = is_unit_sync(entry, end)
                           ? has_unit_failed(repair, entry, end)
                           : repair->retained.first != NULL;

    if (!is_hopeless)
        status = mender->write(mender->data, entry, end);
    if (!is_hopeless && status == STATE_OK) {
        while (entry != end) {
            struct state__journal_entry *next = entry->next;

            state__journal_settle(entry);
            state__journal_discard(repair->journal, entry);
            entry = next;
        }
        repair->written_count++;
        return true;
    }
    if (status == STATE_SYSTEM)
        return false;
    repair->status = status;
    give_up_unit(repair, entry, end);
    return true;
}

/* Under all locks: fails what is queued for keys that have failed. */
static void
fail_queued(struct repair *repair)
{
    struct state__journal *journal = repair->journal;
    struct state__journal_chain queue = journal->queue;
    struct state__journal_entry *entry = queue.first;

    journal->queue = (struct state__journal_chain){NULL, NULL};
    while (entry != NULL) {
        struct state__journal_entry *end = unit_end(entry);
        bool has_failed = has_unit_failed(repair, entry, end);

        while (entry != end) {
            struct state__journal_entry *next = entry->next;

            if (!has_failed) {
                state__journal_append(&journal->queue, entry);
            } else {
                journal->lane_counts[entry->lane]--;
                journal->queue_bytes -= entry->cost_bytes;
                fail_entry(repair, entry);
            }
            entry = next;
        }
    }
}

/* Puts what is to be tried again before what is queued. */
static void
requeue(struct repair *repair)
{
    struct state__journal *journal = repair->journal;
    struct state__journal_entry *entry;

    for (entry = repair->retained.first; entry != NULL; entry = entry->next) {
        journal->lane_counts[entry->lane]++;
        journal->queue_bytes += entry->cost_bytes;
    }
    if (repair->retained.first == NULL)
        return;
    repair->retained.last->next = journal->queue.first;
    if (journal->queue.first == NULL)
        journal->queue.last = repair->retained.last;
    journal->queue.first = repair->retained.first;
}

/* Resolves in each lane what comes before its first entry in the queue. */
static void
resolve_lanes(struct state__journal *journal)
{
    uint64_t resolved[STATE__LANE_COUNT];
    bool is_known[STATE__LANE_COUNT] = {false};
    struct state__journal_entry *entry;

    memcpy(resolved, journal->tails, sizeof resolved);
    for (entry = journal->queue.first; entry != NULL; entry = entry->next) {
        if (!is_known[entry->lane])
            resolved[entry->lane] = entry->sequence - 1;
        is_known[entry->lane] = true;
    }
    for (int lane = 0; lane < STATE__LANE_COUNT; lane++)
        atomic_store_explicit(&journal->resolved[lane], resolved[lane],
                              memory_order_release);
}

/*
 * Takes out those who have failed, those whose wait is over, and, if
 * anything has failed, those who have only seen something.
 */
static struct state_operation *
release_waiters(struct state__journal *journal, bool has_failures)
{
    struct state_operation *released = NULL, **end = &released;

    for (int lane = 0; lane < STATE__LANE_COUNT; lane++) {
        struct state_operation *waiter = journal->waiters[lane].first, *next;

        journal->waiters[lane] = (struct state__journal_waiters){NULL, NULL};
        for (; waiter != NULL; waiter = next) {
            bool again = has_failures && !waiter->private_.has_changed;

            next = waiter->private_.next;
            if (again)
                waiter->private_.outcome = STATE_PENDING;
            if (!again && waiter->private_.failure == STATE_OK &&
                waiter->private_.wait_for >
                    atomic_load(&journal->resolved[lane])) {
                state__journal_enlist(journal, waiter);
                continue;
            }
            *end = waiter;
            end = &waiter->private_.next;
            *end = NULL;
        }
    }
    return released;
}

/* Gives the keys that have failed what they have on the disk. */
static void
restore_failed(struct repair *repair)
{
    const struct state__journal_mender *mender = repair->mender;

    for (size_t i = 0; i < BUCKETS; i++)
        while (repair->buckets[i] != NULL) {
            struct state__journal_entry *entry = repair->buckets[i];

            repair->buckets[i] = entry->next;
            mender->restore(mender->data, entry);
            state__journal_discard(repair->journal, entry);
        }
}

static struct state_operation *
finish(struct repair *repair)
{
    struct state__journal *journal = repair->journal;
    const struct state__journal_mender *mender = repair->mender;
    bool has_failures = repair->failed_count > 0;
    struct state_operation *released;

    if (has_failures)
        mender->lock(mender->data);
    pthread_mutex_lock(&journal->lock);
    if (has_failures) {
        atomic_fetch_add(&journal->repair_count, 1);
        fail_queued(repair);
        restore_failed(repair);
    }
    requeue(repair);
    resolve_lanes(journal);
    released = release_waiters(journal, has_failures);
    journal->writing_since_ms = 0;
    pthread_mutex_unlock(&journal->lock);
    if (has_failures)
        mender->unlock(mender->data);
    if (repair->retained.first == NULL && repair->written_count > 0)
        state__journal_set_condition(journal, STATE_OK, NULL);
    return released;
}

/*
 * The disk is gone for good. What the batch had may be on it or not; nothing
 * else will be. Memory keeps what is not known to be on the disk, but shows
 * it to nobody: it is never resolved.
 */
static struct state_operation *
give_up(struct repair *repair, struct state__journal_chain *batch)
{
    struct state__journal *journal = repair->journal;
    struct state_operation *released = NULL, **end = &released, *waiter;
    struct state__journal_entry *entry;

    for (entry = batch->first; entry != NULL; entry = entry->next)
        if (entry->operation != NULL)
            entry->operation->private_.failure = STATE_TIMEOUT;
    state__journal_set_condition(journal, STATE_SYSTEM, NULL);
    pthread_mutex_lock(&journal->lock);
    for (int lane = 0; lane < STATE__LANE_COUNT; lane++) {
        for (waiter = journal->waiters[lane].first; waiter != NULL;
             waiter = waiter->private_.next) {
            if (waiter->private_.failure == STATE_OK)
                waiter->private_.failure = STATE_UNAVAILABLE;
            *end = waiter;
            end = &waiter->private_.next;
        }
        journal->waiters[lane] = (struct state__journal_waiters){NULL, NULL};
        journal->lane_counts[lane] = 0;
    }
    *end = NULL;
    state__journal_free(journal, &journal->queue);
    journal->queue_bytes = 0;
    journal->writing_since_ms = 0;
    pthread_mutex_unlock(&journal->lock);
    state__journal_free(journal, batch);
    return released;
}

struct state_operation *
state__journal_repair(struct state__journal *journal,
                      const struct state__journal_mender *mender,
                      struct state__journal_chain *batch,
                      enum state_status status)
{
    struct repair repair = {
        .journal = journal, .mender = mender, .status = status};

    while (batch->first != NULL && status != STATE_SYSTEM) {
        struct state__journal_entry *end = unit_end(batch->first);

        if (!try_unit(&repair, batch->first, end))
            status = STATE_SYSTEM;
        else
            batch->first = end;
    }
    if (status == STATE_SYSTEM)
        return give_up(&repair, batch);
    return finish(&repair);
}
