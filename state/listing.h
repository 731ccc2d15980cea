/*
 * Listing keys in order over all shards of a memory backend.
 *
 * Each shard has its own tree, so a listing merges them: it takes a few keys
 * at a time from each, copies them under that shard's lock alone, and hands
 * out the smallest. It is no snapshot: state.h says what it promises.
 *
 * Any thread may call these.
 */
#ifndef GLASS_STATE_LISTING_H
#define GLASS_STATE_LISTING_H

#include "state/shard.h"

/* Carries out and ends a LIST whose inputs have been checked. */
enum state_status
state__listing_run(struct state__shard *shards, unsigned shard_count,
                   const struct state__namespace *namespace_,
                   struct state_operation *operation);

#endif
