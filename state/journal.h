/*
 * The journal: what has changed in the memory of a durable store and is on
 * its way to the disk, in order.
 *
 * The shards hold the values and make every change; the journal hears of each
 * one under the shard's lock, so that its order is the order of the versions
 * of each key, and even of each namespace: versions of durable namespaces are
 * given out under the journal's own lock. A writer (backend_lmdb.c) takes
 * what has gathered, writes it as one transaction and resolves it. Nothing
 * waits for the disk under a lock.
 *
 * Namespaces are in one of two lanes:
 *   sync    An operation ends when what it wrote, or saw, is on the disk: a
 *           value whose commit is under way is shown to nobody, nor is the
 *           conflict with one. So what anybody has learned survives.
 *   behind  An operation ends at once, unless the disk has fallen behind the
 *           window or half of what may be under way is: then as in the other
 *           lane, which is the back-pressure.
 *
 * Locks: a shard's lock, or all of them, then the journal's.
 */
#ifndef GLASS_STATE_JOURNAL_H
#define GLASS_STATE_JOURNAL_H

#include "state/item.h"
#include "state/namespace.h"

#include <time.h>

enum state__lane {
    STATE__LANE_SYNC,
    STATE__LANE_BEHIND,
    STATE__LANE_COUNT,
};

/* One change: a key's new value, or that the key is gone. */
struct state__journal_entry {
    struct state__journal_entry *next;
    struct state__namespace *namespace_; /* null: it went by itself */
    struct state_operation *operation;   /* sync: who hears of a failure */
    struct state__value *block;          /* a long value; null: it is inside */
    uint64_t version;                    /* 0: the key went by itself */
    uint64_t expires_ms;                 /* since 1970; 0: it stays */
    uint64_t sequence;                   /* its number in its lane */
    uint64_t queued_ms;                  /* by the monotonic clock */
    size_t cost_bytes;                   /* what it counts for */
    uint64_t hash;
    uint32_t namespace_index;
    uint32_t value_length;
    uint16_t key_length;
    uint8_t lane;
    bool is_removal;
    bool is_note; /* about the namespace only; it has no key */
    bool is_marked; /* in `marks`, since no version shows it */
    bool is_joined; /* to the next one: both or neither */
    bool has_failed;
    uint8_t bytes[]; /* the key, then a short value */
};

/* A chain of entries, first to last. */
struct state__journal_chain {
    struct state__journal_entry *first;
    struct state__journal_entry *last;
};

/* Operations that wait, in the order of what they wait for. */
struct state__journal_waiters {
    struct state_operation *first;
    struct state_operation *last;
};

/* Changes without a version are marked by so many classes of hashes. */
#define STATE__JOURNAL_MARKS 1024

struct state__journal {
    pthread_mutex_t lock; /* recursive, for groups */
    pthread_cond_t wake;  /* the writer's */
    struct state__journal_chain queue;
    size_t lane_counts[STATE__LANE_COUNT]; /* entries in the queue */
    size_t queue_bytes;
    bool is_grouping;
    struct state__journal_entry *group_before; /* the last one before it */
    uint64_t group_tails[STATE__LANE_COUNT];
    bool is_closing;

    /* What wakes the sleeping writer: so many sync entries, or any other. */
    bool is_asleep;
    size_t wake_count;
    bool wakes_for_behind;
    bool is_pressed; /* somebody in the lane behind waits */

    /* The last round, from which the next one learns whom to wait for. */
    size_t round_count;
    uint64_t round_ns;
    uint64_t writing_since_ms; /* the oldest entry taken; 0: none is taken */

    /* Numbers given out and resolved, and who waits for them. */
    uint64_t tails[STATE__LANE_COUNT];
    atomic_uint_fast64_t resolved[STATE__LANE_COUNT];
    struct state__journal_waiters waiters[STATE__LANE_COUNT];

    /*
     * What the version of an item cannot tell: the last removal, or change of
     * an expiry alone, of each class of hashes, by its number in the lane
     * sync.
     */
    atomic_uint_fast64_t marks[STATE__JOURNAL_MARKS];

    /* What is under way: entries prepared, queued, or being written. */
    atomic_size_t entry_count;
    atomic_size_t entry_bytes;
    size_t entry_count_max;
    size_t entry_bytes_max;

    /*
     * How the disk is: STATE_OK; STATE_LIMIT or STATE_NO_MEMORY, so that what
     * is queued cannot be written now, and nothing more may be acknowledged
     * before it is; STATE_UNAVAILABLE when it failed; STATE_SYSTEM when it
     * failed for good. `trouble` says why, under the lock.
     */
    _Atomic enum state_status condition;
    atomic_uint_fast64_t repair_count; /* that took something back */
    char trouble[STATE_MESSAGE_SIZE];
};

/* ---- For whoever changes items ---- */

/*
 * Before the lock: makes the entry of a change of the operation's key that
 * may follow. Sets it to null where the namespace is not durable and without
 * a journal. Otherwise ends the operation and returns STATE_LIMIT (too much
 * is under way), STATE_UNAVAILABLE (the disk failed) or STATE_NO_MEMORY.
 */
enum state_status
state__journal_prepare(struct state__journal *journal,
                       struct state__namespace *namespace_,
                       struct state_operation *operation,
                       struct state__journal_entry **entry);

/* Drops an entry that was not needed; null does nothing. */
void
state__journal_discard(struct state__journal *journal,
                       struct state__journal_entry *entry);

/*
 * Under the shard's lock, when the item has its value and nothing can fail
 * any more: queues the change and returns its version, for the item to have.
 * `expires_in_ms` is UINT64_MAX for an item that stays. Adopts the entry.
 */
uint64_t
state__journal_put(struct state__journal *journal,
                   struct state__journal_entry *entry,
                   const struct state__item *item, uint64_t hash,
                   uint64_t expires_in_ms);

/* The same for an item that has a new expiry only: its version stays. */
void
state__journal_touch(struct state__journal *journal,
                     struct state__journal_entry *entry,
                     const struct state__item *item, uint64_t hash,
                     uint64_t expires_in_ms);

/* The same for an item that an operation has taken out of the shard. */
uint64_t
state__journal_remove(struct state__journal *journal,
                      struct state__journal_entry *entry, uint64_t hash);

/*
 * The same for an item that went by itself: expired or evicted. There is no
 * entry made before, no version, and nobody who waits. Without memory for it
 * the disk keeps the key until it is written again or, if it has expired,
 * until the store is next opened.
 */
void
state__journal_expel(struct state__journal *journal,
                     const struct state__item *item, uint64_t hash);

/*
 * Queues that the namespace has a new durability, for the operation to wait
 * for; it is no other's and has no key. Returns STATE_PENDING, or ends it with
 * STATE_NO_MEMORY or STATE_UNAVAILABLE.
 */
enum state_status
state__journal_note(struct state__journal *journal,
                    struct state__namespace *namespace_,
                    struct state_operation *operation);

/*
 * The last thing under the shard's lock: ends an operation that has found
 * `item` (null: nothing) or, `has_changed`, has queued a change. Or leaves
 * that to the writer and returns STATE_PENDING; the record is then no longer
 * the caller's. Without a journal it just ends the operation.
 */
enum state_status
state__journal_end(struct state__journal *journal,
                   struct state__namespace *namespace_, uint64_t hash,
                   const struct state__item *item, bool has_changed,
                   struct state_operation *operation,
                   enum state_status status);

/*
 * Ends a LIST of a namespace that has been made without a lock, or leaves it
 * to the writer. Returns false when something that it may have seen has been
 * taken back meanwhile: the repair count was `repair_count` before it.
 */
bool
state__journal_end_list(struct state__journal *journal,
                        struct state__namespace *namespace_,
                        uint64_t repair_count,
                        struct state_operation *operation,
                        enum state_status *status);

/*
 * Between these two no other change gets in, and what is put or removed is
 * written as one: all of it or nothing. Under the locks of all its shards.
 */
void
state__journal_begin_group(struct state__journal *journal);

/* Unless it is kept, the group is as if it had never been begun. */
void
state__journal_end_group(struct state__journal *journal, bool is_kept);

/*
 * Under the locks of its shards: leaves a batch that has ended to the writer,
 * if it has to wait for what it has changed, or seen in a namespace that is
 * `sync`; returns its status.
 */
enum state_status
state__journal_end_batch(struct state__journal *journal,
                         struct state_operation *batch, bool has_changed,
                         bool has_seen);

/* ---- For the store and its writer ---- */

/* The bounds are on what is under way at once. */
void
state__journal_init(struct state__journal *journal, size_t entry_count_max,
                    size_t entry_bytes_max);

/* Frees what is still there; nobody else may use it any more. */
void
state__journal_deinit(struct state__journal *journal);

enum state__journal_work {
    STATE__JOURNAL_BATCH, /* entries to write */
    STATE__JOURNAL_PROBE, /* nothing to write: see whether the disk is back */
    STATE__JOURNAL_CLOSED /* nothing to write, nor will there be */
};

/*
 * Waits until there is work: sync entries, or entries of the other lane that
 * have waited for half of their window. Takes from the front of the queue,
 * up to about `bytes_max` and never a part of a group.
 */
enum state__journal_work
state__journal_take(struct state__journal *journal, size_t bytes_max,
                    struct state__journal_chain *batch);

/*
 * A batch is on the disk: frees it, and returns the operations whose wait is
 * over, for state__journal_complete. `round_ns` is how long it took.
 */
struct state_operation *
state__journal_resolve(struct state__journal *journal,
                       struct state__journal_chain *batch,
                       uint64_t round_ns);

/* What a batch that failed needs to be done; called by the writer. */
struct state__journal_mender {
    /* Writes entries as one, as state__lmdb_file_write. */
    enum state_status (*write)(void *data, struct state__journal_entry *first,
                               const struct state__journal_entry *end);

    /* Locks and unlocks all shards. */
    void (*lock)(void *data);
    void (*unlock)(void *data);

    /* Under these locks: gives an entry's key what the disk has for it. */
    void (*restore)(void *data, const struct state__journal_entry *entry);
    void *data;
};

/*
 * A batch could not be written, for the reason `status`: saves what can be
 * saved, takes back the rest; see journal_repair.c. Frees the batch and
 * returns those whose wait is over.
 */
struct state_operation *
state__journal_repair(struct state__journal *journal,
                      const struct state__journal_mender *mender,
                      struct state__journal_chain *batch,
                      enum state_status status);

/*
 * Sets the condition, and the reason in a few words; null leaves that as it
 * is, for those who are still to be told of the last one. The writer's.
 */
void
state__journal_set_condition(struct state__journal *journal,
                             enum state_status condition,
                             const char *trouble);

/*
 * Ends and completes each operation of a chain, under no lock. Those that
 * have to be done again are given to `submit`.
 */
void
state__journal_complete(struct state__journal *journal,
                        struct state_operation *operations,
                        enum state_status (*submit)(
                            void *data, struct state_operation *operation),
                        void *data);

/*
 * Takes out all who wait, for state__journal_complete, since the writer has
 * ended: their status is STATE_CLOSED.
 */
struct state_operation *
state__journal_dismiss(struct state__journal *journal);

/* Frees a chain and counts its entries out. */
void
state__journal_free(struct state__journal *journal,
                    struct state__journal_chain *chain);

/* Its namespace's changes are on the disk up to this entry's. */
void
state__journal_settle(const struct state__journal_entry *entry);

/* Adds to those who wait in its lane, under the lock. */
void
state__journal_enlist(struct state__journal *journal,
                      struct state_operation *operation);

/* Wakes the writer, under the lock, if it sleeps for what is queued now. */
void
state__journal_wake(struct state__journal *journal);

/* Adds an entry to the end of a chain. */
static inline void
state__journal_append(struct state__journal_chain *chain,
                      struct state__journal_entry *entry)
{
    entry->next = NULL;
    if (chain->first == NULL)
        chain->first = entry;
    else
        chain->last->next = entry;
    chain->last = entry;
}

/* The time of a clock of the system in milliseconds. */
static inline uint64_t
state__journal_clock_ms(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* Whether it has been told to end. */
bool
state__journal_is_closing(struct state__journal *journal);

/* Tells the journal to end once it is empty; wakes the writer. */
void
state__journal_close(struct state__journal *journal);

#endif
