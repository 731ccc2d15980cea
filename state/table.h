/*
 * A shard's hash table: open addressing with linear probing and no
 * tombstones. Every slot has a 32-bit tag, taken from the key's hash, in an
 * array of its own: a search reads tags, which lie together, and looks at an
 * item only when its tag agrees; growing reads no item at all.
 *
 * Only under the shard's lock.
 */
#ifndef GLASS_STATE_TABLE_H
#define GLASS_STATE_TABLE_H

#include "state/item.h"

struct state__table {
    struct state__item **items;
    uint32_t *tags; /* 0: the slot is free */
    size_t capacity; /* 0 or a power of two */
    size_t count;
    bool keeps_room; /* and does not shrink meanwhile */
};

/* A table of zeros is empty and ready. Frees the table, not the items. */
void
state__table_deinit(struct state__table *table);

/* The item of a namespace and key with this hash, or null. */
struct state__item *
state__table_find(const struct state__table *table, uint64_t hash,
                  uint32_t namespace_index, struct state_bytes key);

/* Makes room for one more item; false without memory. */
bool
state__table_reserve(struct state__table *table);

/* Adds an item whose key is not there yet, after a reserve. */
void
state__table_insert(struct state__table *table, uint64_t hash,
                    struct state__item *item);

/* Gives memory back when few items are left. */
void
state__table_fit(struct state__table *table);

/* Removes an item that is there. Gives memory back when few are left. */
void
state__table_remove(struct state__table *table, uint64_t hash,
                    const struct state__item *item);

#endif
