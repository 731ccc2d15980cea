/*
 * What a store on a disk needs of the memory backend, which holds its values:
 * the shards, to tell them of its journal and to set what they hold.
 */
#ifndef GLASS_STATE_MEMORY_H
#define GLASS_STATE_MEMORY_H

#include "state/backend.h"
#include "state/shard.h"

struct state__memory {
    struct state__shard *shards;
    unsigned shard_count;
    struct state__namespaces *namespaces;
    uint64_t hash_seed;
};

/* The parts of a memory backend, which stay its own. */
struct state__memory state__memory_parts(struct state__backend *backend);

/* Tells that a key has an expiry which no operation has set. */
void state__memory_expects_expiry(struct state__backend *backend);

#endif
