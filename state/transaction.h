/*
 * All-or-nothing batches of the memory backend, across shards. The locks of
 * all the shards that a batch needs are taken, in the order of the shards, so
 * that two batches cannot wait for each other. Then its operations are
 * carried out one after the other; each sees what those before it did. When
 * one fails, what was done is undone from the end, and nobody has seen it.
 *
 * Before an operation the transaction remembers what the item is like. The
 * memory that going back takes is there in advance: a removed item is kept, a
 * replaced value has a reference, and tables keep their room meanwhile. So
 * undoing cannot fail.
 *
 * Any thread may call these.
 */
#ifndef GLASS_STATE_TRANSACTION_H
#define GLASS_STATE_TRANSACTION_H

#include "state/change.h"

struct state__transaction;

/*
 * A transaction for a checked batch, whose operations have been begun and
 * checked. Null without memory.
 */
struct state__transaction *
state__transaction_create(struct state__shard *shards, unsigned shard_count,
                          struct state_operation *batch,
                          size_t value_bytes_max);

/* Says where the batch's operation `index` goes; its key becomes the target's.
 */
void
state__transaction_set_target(struct state__transaction *transaction,
                              size_t index,
                              struct state__namespace *namespace_,
                              uint64_t hash);

/* The namespace of that operation; null: it has no target. */
struct state__namespace *
state__transaction_namespace(const struct state__transaction *transaction,
                             size_t index);

/*
 * Carries it out and ends the batch with all its operations. One without a
 * target finds nothing; only reads may have none.
 */
enum state_status
state__transaction_run(struct state__transaction *transaction);

/* Frees it; not the batch. Null does nothing. */
void
state__transaction_destroy(struct state__transaction *transaction);

#endif
