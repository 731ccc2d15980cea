/*
 * What a namespace may have and what it has: plain data of state.h, which
 * includes this.
 */
#ifndef GLASS_STATE_BOUNDS_H
#define GLASS_STATE_BOUNDS_H

#include <stdint.h>

/* What happens to a write for which there is no room. */
enum state_policy {
    STATE_POLICY_REJECT, /* it fails with STATE_QUOTA */
    STATE_POLICY_LRU,    /* keys that were not used for long go */
};

/* How much a namespace may have; zero means as much as there is. */
struct state_quota {
    uint64_t keys_max;
    uint64_t bytes_max;       /* of all keys and values together */
    uint64_t value_bytes_max; /* of one value, within the store's bound */

    /* On average, and so many at once after a pause; then STATE_LIMIT. */
    uint64_t operations_per_second;

    enum state_policy policy;
};

/* What a namespace has. */
struct state_stats {
    uint64_t key_count;     /* expired ones included until they are met */
    uint64_t bytes;         /* of keys and values, without our own */
    uint64_t evicted_count; /* keys that went to make room, */
    uint64_t expired_count; /* and whose time had come, since the opening */
    uint64_t version;       /* of its last write */
    struct state_quota quota;
};

#endif
