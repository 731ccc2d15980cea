/*
 * The order of a shard's items, by namespace and then by the bytes of the
 * key: a treap, that is a binary search tree whose shape is that of random
 * insertions, since every item has a pseudo-random rank and no child outranks
 * its parent. Chosen because its links lie in the items (16 bytes each, no
 * allocation, so nothing here can fail) and because inserting and removing
 * are two short loops. The expected depth of n items is about 1.4 log2(n).
 *
 * The rank is computed from the item's address, which stays.
 *
 * Only under the shard's lock.
 */
#ifndef GLASS_STATE_TREE_H
#define GLASS_STATE_TREE_H

#include "state/item.h"

/* A null root is the empty tree. */
void
state__tree_insert(struct state__item **root, struct state__item *item);

/* The item must be there. */
void
state__tree_remove(struct state__item **root,
                   const struct state__item *item);

/*
 * The first item at (`inclusive`) or after a namespace and key, of whatever
 * namespace; null when there is none.
 */
struct state__item *
state__tree_after(struct state__item *root, uint32_t namespace_index,
                  struct state_bytes key, bool inclusive);

/* What orders parents before children; for the tests. */
uint64_t
state__tree_rank(const struct state__item *item);

#endif
