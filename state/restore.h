/*
 * Setting what a shard has for a key from outside, with the version that it
 * once had: when a store is opened, and when a change is taken back. No
 * journal hears of it, and no version is given out.
 */
#ifndef GLASS_STATE_RESTORE_H
#define GLASS_STATE_RESTORE_H

#include "state/shard.h"

/* What a key has. Version 0: it is absent. */
struct state__restored {
    uint64_t version;
    struct state_bytes value;
    uint64_t expires_in_ms; /* UINT64_MAX: it stays */
};

/*
 * Under the shard's lock, or where nobody else knows the shard. Copies the
 * value. Returns STATE_NO_MEMORY, with the key unchanged or, if it was
 * absent, absent.
 */
enum state_status
state__restore(struct state__shard *shard, const struct state__target *target,
               const struct state__restored *restored);

#endif
