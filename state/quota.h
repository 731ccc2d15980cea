/*
 * What a namespace of a memory backend has and may have: keys, bytes, the
 * size of a value, operations per second. Everything is counted exactly,
 * whether or not there is a bound; a bound costs those a comparison that have
 * one.
 *
 * A write that makes a namespace larger is charged before it is made, under
 * its shard's lock, so that writers in several shards cannot pass a bound
 * together; one that fails gets its charge back. Where the namespace evicts,
 * the charge may pass the bound, and the writer makes room once it has no
 * lock any more (eviction.h).
 *
 * Any thread may call these.
 */
#ifndef GLASS_STATE_QUOTA_H
#define GLASS_STATE_QUOTA_H

#include "state/namespace.h"

/* The names of the bounds, for messages. */
enum state__bound {
    STATE__BOUND_NONE,
    STATE__BOUND_KEYS,
    STATE__BOUND_BYTES,
    STATE__BOUND_VALUE,
};

/* Counts keys and bytes in, or out with numbers below zero. */
static inline void
state__quota_count(struct state__namespace *namespace_, int64_t keys,
                   int64_t bytes)
{
    if (keys != 0)
        atomic_fetch_add_explicit(&namespace_->key_count, keys,
                                  memory_order_relaxed);
    if (bytes != 0)
        atomic_fetch_add_explicit(&namespace_->bytes, bytes,
                                  memory_order_relaxed);
}

/*
 * Charges a change of an item, which then has `item_bytes` with a value of
 * `value_bytes`. Returns the bound that would be passed, and has then charged
 * nothing.
 */
enum state__bound
state__quota_charge(struct state__namespace *namespace_, int64_t keys,
                    int64_t bytes, uint64_t item_bytes, uint64_t value_bytes);

/* Whether the namespace evicts and has more than it may. */
bool
state__quota_is_passed(struct state__namespace *namespace_);

/* Ends an operation that would have passed a bound. */
enum state_status
state__quota_fail(struct state__namespace *namespace_,
                  enum state__bound bound, struct state_operation *operation);

/*
 * Counts an operation against the rate, if there is one. Ends it with
 * STATE_LIMIT when there were too many. `now_ms` is the time.
 */
enum state_status
state__quota_admit(struct state__namespace *namespace_, uint64_t now_ms,
                   struct state_operation *operation);

/* Sets the bounds; those of the options must have been checked. */
void
state__quota_set(struct state__namespace *namespace_,
                 const struct state_quota *quota);

/* Fills the figures of a namespace. */
void
state__quota_stats(struct state__namespace *namespace_,
                   struct state_stats *stats);

#endif
