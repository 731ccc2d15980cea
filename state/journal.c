/*
 * The journal of a durable store: see journal.h.
 *
 * Entries are numbered in their lane. An operation waits for a number: a
 * writer for its own, one that saw a value whose commit is under way for the
 * last one given out, which is that commit or one right after it. So those
 * who wait form queues that are in order but for a few neighbours, and
 * resolving a number is popping from the front. A number is resolved once its
 * entry and all before it in the lane are on the disk, or were taken back.
 */
#include "state/journal.h"

#include "state/operation.h"

#include <stdlib.h>
#include <string.h>

void
state__journal_init(struct state__journal *journal, size_t entry_count_max,
                    size_t entry_bytes_max)
{
    pthread_mutexattr_t recursive;
    pthread_condattr_t monotonic;

    memset(journal, 0, sizeof *journal);
    pthread_mutexattr_init(&recursive);
    pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_init(&journal->lock, &recursive);
    pthread_mutexattr_destroy(&recursive);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&journal->wake, &monotonic);
    pthread_condattr_destroy(&monotonic);
    journal->entry_count_max = entry_count_max;
    journal->entry_bytes_max = entry_bytes_max;
}

void
state__journal_deinit(struct state__journal *journal)
{
    state__journal_free(journal, &journal->queue);
    pthread_cond_destroy(&journal->wake);
    pthread_mutex_destroy(&journal->lock);
}

/* ---- Changes ---- */

/* Counts an entry that is made, unless there are too many. */
static bool
count_in(struct state__journal *journal, size_t bytes)
{
    size_t count = atomic_fetch_add(&journal->entry_count, 1) + 1;
    size_t sum = atomic_fetch_add(&journal->entry_bytes, bytes) + bytes;

    if (count <= journal->entry_count_max && sum <= journal->entry_bytes_max)
        return true;
    atomic_fetch_sub(&journal->entry_count, 1);
    atomic_fetch_sub(&journal->entry_bytes, bytes);
    return false;
}

void
state__journal_discard(struct state__journal *journal,
                       struct state__journal_entry *entry)
{
    if (entry == NULL)
        return;
    atomic_fetch_sub(&journal->entry_count, 1);
    atomic_fetch_sub(&journal->entry_bytes, entry->cost_bytes);
    state__value_release(entry->block);
    free(entry);
}

/* An entry for a key, counted in; null without memory. */
static struct state__journal_entry *
create_entry(struct state_bytes key, size_t cost_bytes)
{
    struct state__journal_entry *entry;

    entry = malloc(sizeof *entry + key.length_bytes + STATE_VALUE_INLINE_MAX);
    if (entry == NULL)
        return NULL;
    *entry = (struct state__journal_entry){
        .cost_bytes = cost_bytes,
        .key_length = (uint16_t)key.length_bytes,
    };
    memcpy(entry->bytes, key.bytes, key.length_bytes);
    return entry;
}

/* Refuses an operation in the words of the trouble that there is. */
static enum state_status
refuse(struct state__journal *journal, struct state_operation *operation,
       enum state_status status)
{
    pthread_mutex_lock(&journal->lock);
    state__operation_fail(operation, status, "%s", journal->trouble);
    pthread_mutex_unlock(&journal->lock);
    return status;
}

enum state_status
state__journal_prepare(struct state__journal *journal,
                       struct state__namespace *namespace_,
                       struct state_operation *operation,
                       struct state__journal_entry **entry)
{
    enum state_durability durability;
    enum state_status condition;
    size_t cost;

    *entry = NULL;
    operation->private_.failure = STATE_OK;
    if (journal == NULL)
        return STATE_OK;
    durability = atomic_load(&namespace_->durability);
    if (durability == STATE_DURABILITY_NONE)
        return STATE_OK;
    /* While the disk is full a put in `sync` is tried: it tells by itself. */
    condition = atomic_load(&journal->condition);
    if (condition == STATE_SYSTEM || condition == STATE_UNAVAILABLE)
        return refuse(journal, operation, STATE_UNAVAILABLE);
    if (condition != STATE_OK && durability == STATE_DURABILITY_BEHIND)
        return refuse(journal, operation, condition);
    cost = sizeof **entry + operation->key.length_bytes +
           STATE_VALUE_INLINE_MAX + operation->value.length_bytes;
    if (!count_in(journal, cost))
        return state__operation_fail(operation, STATE_LIMIT,
                                     "at most %zu changes, of %zu bytes, may "
                                     "be on their way to the disk",
                                     journal->entry_count_max,
                                     journal->entry_bytes_max);
    *entry = create_entry(operation->key, cost);
    if (*entry == NULL) {
        atomic_fetch_sub(&journal->entry_count, 1);
        atomic_fetch_sub(&journal->entry_bytes, cost);
        return state__operation_end(operation, STATE_NO_MEMORY);
    }
    (*entry)->namespace_ = namespace_;
    (*entry)->namespace_index = namespace_->index;
    (*entry)->operation = operation;
    (*entry)->lane = durability == STATE_DURABILITY_SYNC ? STATE__LANE_SYNC
                                                         : STATE__LANE_BEHIND;
    return STATE_OK;
}

/* When the oldest entry under way was queued; 0: there is none. */
static uint64_t
oldest_ms(const struct state__journal *journal)
{
    if (journal->writing_since_ms > 0)
        return journal->writing_since_ms;
    return journal->queue.first != NULL ? journal->queue.first->queued_ms : 0;
}

/* Whether a change in the lane behind has to wait for the disk after all. */
static bool
is_late(const struct state__journal *journal,
        const struct state__journal_entry *entry)
{
    uint64_t oldest = oldest_ms(journal);

    return (oldest > 0 && entry->queued_ms > oldest + STATE_BEHIND_MS) ||
           atomic_load(&journal->entry_count) >
               journal->entry_count_max / 2 ||
           atomic_load(&journal->entry_bytes) > journal->entry_bytes_max / 2;
}

/*
 * Puts an entry at the end of the queue and returns its version: what the
 * change gives its key, unless the entry has one already.
 */
static uint64_t
enqueue(struct state__journal *journal, struct state__journal_entry *entry)
{
    struct state_operation *operation = entry->operation;
    uint64_t version;

    entry->queued_ms = state__journal_clock_ms(CLOCK_MONOTONIC_COARSE);
    pthread_mutex_lock(&journal->lock);
    if (entry->namespace_ != NULL && entry->version == 0)
        entry->version = state__namespace_next_version(entry->namespace_);
    version = entry->version;
    entry->sequence = ++journal->tails[entry->lane];
    entry->is_joined = journal->is_grouping;
    if (entry->is_marked && entry->lane == STATE__LANE_SYNC)
        atomic_store_explicit(
            &journal->marks[entry->hash % STATE__JOURNAL_MARKS],
            entry->sequence, memory_order_relaxed);
    if (operation != NULL) {
        operation->private_.wait_for = entry->sequence;
        operation->private_.lane = entry->lane;
        operation->private_.must_wait =
            entry->lane == STATE__LANE_SYNC || is_late(journal, entry);
        journal->is_pressed |= entry->lane == STATE__LANE_BEHIND &&
                               operation->private_.must_wait;
        /* Who does not wait will hear of nothing any more. */
        if (!operation->private_.must_wait ||
            atomic_load(&journal->condition) == STATE_SYSTEM)
            entry->operation = NULL;
    }
    state__journal_append(&journal->queue, entry);
    journal->lane_counts[entry->lane]++;
    journal->queue_bytes += entry->cost_bytes;
    state__journal_wake(journal);
    pthread_mutex_unlock(&journal->lock);
    return version;
}

/* Gives an entry what the item has: a copy of a short value, or a share. */
static void
describe(struct state__journal_entry *entry, const struct state__item *item,
         uint64_t hash, uint64_t expires_in_ms)
{
    struct state__value *block = state__item_block(item);

    entry->hash = hash;
    entry->value_length = item->value_length;
    if (item->value_length <= STATE_VALUE_INLINE_MAX) {
        memcpy(entry->bytes + entry->key_length, state__item_value(item),
               item->value_length);
    } else {
        state__value_acquire(block);
        entry->block = block;
    }
    if (expires_in_ms != UINT64_MAX)
        entry->expires_ms =
            state__journal_clock_ms(CLOCK_REALTIME) + expires_in_ms;
}

uint64_t
state__journal_put(struct state__journal *journal,
                   struct state__journal_entry *entry,
                   const struct state__item *item, uint64_t hash,
                   uint64_t expires_in_ms)
{
    describe(entry, item, hash, expires_in_ms);
    return enqueue(journal, entry);
}

void
state__journal_touch(struct state__journal *journal,
                     struct state__journal_entry *entry,
                     const struct state__item *item, uint64_t hash,
                     uint64_t expires_in_ms)
{
    describe(entry, item, hash, expires_in_ms);
    entry->version = item->version;
    entry->is_marked = true;
    enqueue(journal, entry);
}

uint64_t
state__journal_remove(struct state__journal *journal,
                      struct state__journal_entry *entry, uint64_t hash)
{
    entry->hash = hash;
    entry->is_removal = true;
    entry->is_marked = true;
    return enqueue(journal, entry);
}

void
state__journal_expel(struct state__journal *journal,
                     const struct state__item *item, uint64_t hash)
{
    struct state_bytes key = state__item_key(item);
    struct state__journal_entry *entry;
    size_t cost = sizeof *entry + key.length_bytes + STATE_VALUE_INLINE_MAX;

    if (journal == NULL)
        return;
    entry = create_entry(key, cost);
    if (entry == NULL)
        return;
    /* It is counted, but not bounded: it makes no values wait. */
    atomic_fetch_add(&journal->entry_count, 1);
    atomic_fetch_add(&journal->entry_bytes, cost);
    entry->namespace_index = item->namespace_index;
    entry->hash = hash;
    entry->lane = STATE__LANE_BEHIND;
    entry->is_removal = true;
    enqueue(journal, entry);
}

void
state__journal_begin_group(struct state__journal *journal)
{
    if (journal == NULL)
        return;
    pthread_mutex_lock(&journal->lock);
    journal->is_grouping = true;
    journal->group_before =
        journal->queue.first != NULL ? journal->queue.last : NULL;
    memcpy(journal->group_tails, journal->tails, sizeof journal->tails);
}

/* Takes the entries of the group out of the queue again. */
static void
drop_group(struct state__journal *journal)
{
    struct state__journal_chain dropped = {journal->queue.first, NULL};
    struct state__journal_entry *entry;

    if (journal->group_before != NULL) {
        dropped.first = journal->group_before->next;
        journal->group_before->next = NULL;
        journal->queue.last = journal->group_before;
    } else {
        journal->queue.first = NULL;
    }
    for (entry = dropped.first; entry != NULL; entry = entry->next) {
        journal->lane_counts[entry->lane]--;
        journal->queue_bytes -= entry->cost_bytes;
    }
    memcpy(journal->tails, journal->group_tails, sizeof journal->tails);
    state__journal_free(journal, &dropped);
}

void
state__journal_end_group(struct state__journal *journal, bool is_kept)
{
    if (journal == NULL)
        return;
    journal->is_grouping = false;
    /* The writer can have taken nothing of it: it needs the lock. */
    if (!is_kept)
        drop_group(journal);
    else if (journal->queue.first != NULL)
        journal->queue.last->is_joined = false;
    pthread_mutex_unlock(&journal->lock);
}

/* ---- Waiting ---- */

void
state__journal_enlist(struct state__journal *journal,
                      struct state_operation *operation)
{
    struct state__journal_waiters *waiters =
        &journal->waiters[operation->private_.lane];

    operation->private_.next = NULL;
    if (waiters->first == NULL)
        waiters->first = operation;
    else
        waiters->last->private_.next = operation;
    waiters->last = operation;
}

/*
 * Leaves an operation to the writer, or ends it: if what it waits for is
 * done, or nobody will ever know.
 */
static enum state_status
wait_in_lane(struct state__journal *journal,
             struct state_operation *operation, enum state_status status)
{
    unsigned lane = operation->private_.lane;
    enum state_status result = STATE_PENDING;

    pthread_mutex_lock(&journal->lock);
    if (!operation->private_.has_changed) {
        operation->private_.wait_for = journal->tails[lane];
        operation->private_.failure = STATE_OK;
    }
    if (operation->private_.wait_for <=
        atomic_load_explicit(&journal->resolved[lane],
                             memory_order_relaxed)) {
        result = state__operation_end_said(operation, status);
    } else if (atomic_load(&journal->condition) == STATE_SYSTEM) {
        result = operation->private_.failure == STATE_TIMEOUT
                     ? STATE_TIMEOUT
                     : STATE_UNAVAILABLE;
        state__operation_begin(operation);
        state__operation_fail(operation, result, "%s", journal->trouble);
    } else {
        operation->private_.outcome = status;
        operation->status = STATE_PENDING;
        state__journal_enlist(journal, operation);
    }
    pthread_mutex_unlock(&journal->lock);
    return result;
}

/* Whether what an operation has seen is not yet on the disk. */
static bool
is_under_way(struct state__journal *journal,
             struct state__namespace *namespace_, uint64_t hash,
             const struct state__item *item)
{
    if (item != NULL &&
        item->version > atomic_load_explicit(&namespace_->resolved,
                                             memory_order_acquire))
        return true;
    return atomic_load_explicit(&journal->marks[hash % STATE__JOURNAL_MARKS],
                                memory_order_relaxed) >
           atomic_load_explicit(&journal->resolved[STATE__LANE_SYNC],
                                memory_order_acquire);
}

enum state_status
state__journal_end(struct state__journal *journal,
                   struct state__namespace *namespace_, uint64_t hash,
                   const struct state__item *item, bool has_changed,
                   struct state_operation *operation,
                   enum state_status status)
{
    bool waits;

    if (journal == NULL)
        return state__operation_end(operation, status);
    operation->private_.has_changed = has_changed;
    if (has_changed) {
        waits = operation->private_.must_wait;
    } else {
        operation->private_.lane = STATE__LANE_SYNC;
        waits = atomic_load_explicit(&namespace_->durability,
                                     memory_order_relaxed) ==
                    STATE_DURABILITY_SYNC &&
                is_under_way(journal, namespace_, hash, item);
    }
    return waits ? wait_in_lane(journal, operation, status)
                 : state__operation_end(operation, status);
}

enum state_status
state__journal_note(struct state__journal *journal,
                    struct state__namespace *namespace_,
                    struct state_operation *operation)
{
    struct state_bytes no_key = {"", 0};
    struct state__journal_entry *entry = create_entry(no_key, sizeof *entry);

    operation->private_.failure = STATE_OK;
    if (entry == NULL)
        return state__operation_end(operation, STATE_NO_MEMORY);
    atomic_fetch_add(&journal->entry_count, 1);
    atomic_fetch_add(&journal->entry_bytes, entry->cost_bytes);
    entry->namespace_ = namespace_;
    entry->namespace_index = namespace_->index;
    entry->operation = operation;
    entry->lane = STATE__LANE_SYNC;
    entry->is_note = true;
    operation->private_.has_changed = true;
    enqueue(journal, entry);
    return wait_in_lane(journal, operation, STATE_OK);
}

enum state_status
state__journal_end_batch(struct state__journal *journal,
                         struct state_operation *batch, bool has_changed,
                         bool has_seen)
{
    if (journal == NULL || !(has_changed || has_seen))
        return batch->status;
    batch->private_.has_changed = has_changed;
    /* What it has seen is told apart no further: it waits for all. */
    if (!has_changed)
        batch->private_.lane = STATE__LANE_SYNC;
    else if (!batch->private_.must_wait)
        return batch->status;
    return wait_in_lane(journal, batch, batch->status);
}

bool
state__journal_end_list(struct state__journal *journal,
                        struct state__namespace *namespace_,
                        uint64_t repair_count,
                        struct state_operation *operation,
                        enum state_status *status)
{
    bool is_whole;

    *status = state__operation_end(operation, STATE_OK);
    if (atomic_load(&namespace_->durability) != STATE_DURABILITY_SYNC)
        return true;
    pthread_mutex_lock(&journal->lock);
    is_whole = atomic_load(&journal->repair_count) == repair_count;
    if (is_whole && atomic_load(&namespace_->version) >
                        atomic_load(&namespace_->resolved)) {
        operation->private_.has_changed = false;
        operation->private_.lane = STATE__LANE_SYNC;
        *status = wait_in_lane(journal, operation, STATE_OK);
    }
    pthread_mutex_unlock(&journal->lock);
    return is_whole;
}
