/*
 * The items of a shard that will expire: a binary heap by deadline, first
 * one first. Items know their place in it, so that an expiry can be changed
 * or dropped. A shard without expiries has no heap and never asks the time.
 *
 * Only under the shard's lock.
 */
#ifndef GLASS_STATE_EXPIRY_H
#define GLASS_STATE_EXPIRY_H

#include "state/item.h"

struct state__expiry_entry {
    uint64_t deadline_ms;
    struct state__item *item;
};

struct state__expiry {
    struct state__expiry_entry *entries;
    size_t count;
    size_t capacity;
    bool keeps_room; /* and is not freed meanwhile, though it gets empty */
};

/* A heap of zeros is empty and ready. */
void
state__expiry_deinit(struct state__expiry *expiry);

/* Makes room for one more item; false without memory. */
bool
state__expiry_reserve(struct state__expiry *expiry);

/* Sets or changes an item's deadline, after a reserve. */
void
state__expiry_set(struct state__expiry *expiry, struct state__item *item,
                  uint64_t deadline_ms);

/* Drops an item's deadline, if it has one. */
void
state__expiry_clear(struct state__expiry *expiry, struct state__item *item);

/* The item's deadline; it must have one. */
uint64_t
state__expiry_deadline_ms(const struct state__expiry *expiry,
                          const struct state__item *item);

#endif
