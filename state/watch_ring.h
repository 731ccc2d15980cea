/*
 * The last changes of a namespace: a ring of their versions, kinds and keys,
 * in the order of versions. When it is full the oldest ones go, and the ring
 * remembers up to which version it has forgotten.
 *
 * Not synchronised: watch.h has the lock.
 */
#ifndef GLASS_STATE_WATCH_RING_H
#define GLASS_STATE_WATCH_RING_H

#include "state/state.h"

struct state__watch_event {
    uint64_t version;
    uint64_t key_at; /* how many bytes of keys came before */
    uint64_t size_bytes;
    uint16_t key_length;
    uint8_t change; /* enum state_change */
};

struct state__watch_ring {
    /* All later than this are there. */
    uint64_t forgotten;

    /* Events and bytes of keys, counted since the beginning. */
    uint64_t first, end;
    uint64_t keys_end;

    struct state__watch_event events[STATE_WATCH_EVENTS_MAX];
    uint8_t keys[STATE_WATCH_KEY_BYTES_MAX];
};

/* Adds a change that is later than all before. */
void
state__watch_ring_add(struct state__watch_ring *ring, uint64_t version,
                      struct state_bytes key, enum state_change change,
                      uint64_t size_bytes);

/* The last version that it knows of, forgotten or not. */
uint64_t
state__watch_ring_last(const struct state__watch_ring *ring);

/* The number of the first event after a version, `end` if there is none. */
uint64_t
state__watch_ring_find(const struct state__watch_ring *ring,
                       uint64_t version);

/* The event of a number from `first` to before `end`, and its key. */
const struct state__watch_event *
state__watch_ring_at(const struct state__watch_ring *ring, uint64_t number,
                     struct state_bytes *key);

/* Whether a key begins so. */
bool
state__watch_ring_fits(struct state_bytes key, struct state_bytes prefix);

#endif
