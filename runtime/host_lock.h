/*
 * host_lock.h - the locks that a call holds: writes to their keys carry the
 * tokens by themselves, and all are given back when the call ends.
 *
 * On the thread of the call.
 */
#ifndef GLASS_RUNTIME_HOST_LOCK_H
#define GLASS_RUNTIME_HOST_LOCK_H

#include "runtime/faaslet.h"

/* One lock: the key and its token. */
struct runtime__lock {
    uint64_t token; /* 0: this one is free */
    size_t key_bytes;
    uint8_t key[STATE_KEY_BYTES_MAX];
};

struct runtime__locks {
    /* Gives back and frees what the faaslet has: who never locked need not
     * link it, and what it takes of the state. */
    void (*release)(struct runtime__faaslet *faaslet);

    struct runtime__lock items[RUNTIME_CALL_LOCKS_MAX];
};

/* The token with which the call has locked a key; 0: it has not. */
uint64_t
runtime__host_lock_token(const struct runtime__faaslet *faaslet,
                         const struct state_bytes *key);

#endif
