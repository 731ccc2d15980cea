/*
 * host_region.h - the regions that a call has mapped, and the word that it
 * waits for. All of it ends with the call.
 *
 * On the thread of the call.
 */
#ifndef GLASS_RUNTIME_HOST_REGION_H
#define GLASS_RUNTIME_HOST_REGION_H

#include "runtime/faaslet.h"

#include <stdatomic.h>

struct runtime__region {
    struct state_mapping *mapping; /* NULL: this one is free */
    uint64_t address;              /* of the guest */
    uint64_t length_bytes;
    bool writes;
};

struct runtime__regions {
    /* Ends what the faaslet has and frees it, but for the pages in its memory,
     * which go with its reset: who never mapped need not link it, and what it
     * takes of the state. */
    void (*release)(struct runtime__faaslet *faaslet);

    struct runtime__region items[RUNTIME_CALL_REGIONS_MAX];

    /* How far a state_map has come that has not ended. */
    bool is_mapping;
    bool extends;      /* the value is being made longer, */
    bool has_extended; /* or it has been */
    bool may_copy;     /* it is a worker that does it */

    /* A state_unmap has gone to a worker. */
    bool is_unmapping;

    /* A region_wait that has not ended. */
    struct state_mapping *waits_in; /* NULL: there is none */
    struct state_region_waiter waiter;
    uint64_t waits_until_ns; /* UINT64_MAX: for as long as the call may */
    atomic_bool is_woken;
};

#endif
