/*
 * A write on its way through a shard of the memory backend. It has three
 * parts: what can be prepared without the lock (a block with a large value);
 * the change under the lock, where everything that can fail comes before the
 * first thing that is visible; and what is left to be freed when the lock is
 * gone. struct state__change carries a write through them.
 *
 * To add a kind of write: a function as those of change.c, which finds out
 * whether it can be done, calls state__change_obtain, sets the item's value
 * and ends with state__change_commit; and a line in state__change_apply.
 *
 * Any thread may run a change; one that has begun belongs to its thread.
 */
#ifndef GLASS_STATE_CHANGE_H
#define GLASS_STATE_CHANGE_H

#include "state/journal.h"
#include "state/quota.h"
#include "state/shard.h"

/* Bytes over the value of a key that is mapped: see region.h. */
struct state__over {
    struct state_bytes bytes;
    size_t offset;
    size_t length_before;
    size_t length; /* of the value then */
    uint8_t digits[STATE__NUMBER_BYTES_MAX];
};

struct state__change {
    struct state__shard *shard;
    const struct state__target *target;
    struct state_operation *operation;
    size_t value_bytes_max;
    struct state__item *item;      /* the key's; null: absent */
    bool is_new;                   /* the item was made by this change */
    bool is_last_attempt;          /* nothing may be left for another one */
    struct state__value *prepared; /* a block filled before the lock */
    uint64_t prepared_for;         /* the version that it continues */
    struct state__value *garbage;  /* a block to release after the lock */
    struct state__item *dead;      /* items to destroy after the lock */
    enum state__bound bound;            /* why it is STATE_QUOTA */
    int64_t charged_keys;               /* to the namespace's quota */
    int64_t charged_bytes;
    struct state__value *region; /* whose lock is held; null: none is */
    struct state__over over;     /* and what is to be laid there; */
    bool is_laid;                /* it has been */
    struct state__journal_entry *entry; /* for the journal; null: for nobody */
    bool is_queued;                     /* the journal has it */
};

/*
 * All writes of one key, from the lock to the operation's end, or until it
 * waits for the disk (STATE_PENDING; see journal.h).
 */
enum state_status
state__change_run(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation, size_t value_bytes_max);

/* ---- For the files of the changes themselves ---- */

/*
 * The part before the lock: fills a block with the value of a put, unless it
 * will be inside the item. STATE_NO_MEMORY.
 */
enum state_status
state__change_prepare(struct state__change *change);

/*
 * The part of a write under the lock: finds the item, looks at the condition
 * and changes what is to be changed. Sets the outputs but the status. Returns
 * STATE_PENDING when something should first be prepared without the lock, by
 * state__splice_prepare; never on the last attempt. Or by
 * state__region_prepare, when the key is mapped.
 */
enum state_status
state__change_apply(struct state__change *change);

/*
 * Sees to it that there is an item and room for its expiry, and that its
 * namespace may have a value of that length. A new item is already in the
 * shard when this returns, with the empty value: whoever cannot go on must
 * call withdraw.
 */
enum state_status
state__change_obtain(struct state__change *change, size_t value_length);

/* Gives back what obtain has charged, when the change is not made after all. */
void
state__change_refund(struct state__change *change);

/* Takes back an item that obtain has made, and returns the status. */
enum state_status
state__change_withdraw(struct state__change *change,
                       enum state_status status);

/* The last step of every change of a value; it cannot fail. */
enum state_status
state__change_commit(struct state__change *change);

/* Frees what a write has left; not under the lock. */
void
state__change_clean_up(struct state__change *change);

#endif
