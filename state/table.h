/*
 * A shard's hash table: open addressing in groups, each a cache line. A slot
 * has a 32-bit tag, taken from the key's hash, and a pointer: a search reads
 * the five tags of a group and looks at an item only when its tag agrees;
 * growing reads no item at all. What finds no room in its group goes to the
 * next that has some, and each group counts what has passed it on the way, so
 * a search knows where to end and nothing moves when an item leaves.
 *
 * Changes only under the shard's lock. A search may do without (sequence.h):
 * so the groups of former sizes are kept, empty, and serve again when the
 * table has that size once more. The system has most of their memory back.
 */
#ifndef GLASS_STATE_TABLE_H
#define GLASS_STATE_TABLE_H

#include "state/item.h"

#define STATE__GROUP_SLOTS 5

struct state__group {
    uint32_t tags[STATE__GROUP_SLOTS]; /* 0: the slot is free */
    uint32_t passed_count;
    struct state__item *items[STATE__GROUP_SLOTS];
};

/* The groups of one size: a power of two, 4 at least. */
#define STATE__TABLE_SIZES 30

struct state__groups {
    uint64_t mask;
    unsigned size; /* the logarithm of how many there are */
    _Alignas(64) struct state__group at[];
};

struct state__table {
    struct state__groups *groups;
    size_t count;
    bool keeps_room; /* and does not shrink meanwhile */
    struct state__groups *kept[STATE__TABLE_SIZES];
};

/* A table of zeros is empty and ready. Frees the table, not the items. */
void
state__table_deinit(struct state__table *table);

/* How many slots there are, and what is in one: null, when it is free. */
size_t
state__table_capacity(const struct state__table *table);
struct state__item *
state__table_at(const struct state__table *table, size_t slot);

/* The lower half of the hash chooses the shard, so the tag is the upper. */
static inline uint32_t
state__table_tag(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    return tag != 0 ? tag : 1;
}

/*
 * A bit for each slot whose tag agrees. Without a branch for each: which one it
 * is cannot be foretold, and a wrong guess costs more than all five.
 */
static inline unsigned
state__group_agree(const struct state__group *group, uint32_t tag)
{
    unsigned agree = 0;

#pragma GCC unroll 5
    for (unsigned k = 0; k < STATE__GROUP_SLOTS; k++)
        agree |= (unsigned)(STATE__SEE(group->tags[k]) == tag) << k;
    return agree;
}

/* The item of a namespace and key with this hash, or null. */
static inline struct state__item *
state__table_find(const struct state__table *table, uint64_t hash,
                  uint32_t namespace_index, struct state_bytes key)
{
    const struct state__groups *groups = STATE__SEE(table->groups);
    uint32_t tag = state__table_tag(hash);
    uint64_t i = tag;

    if (groups == NULL)
        return NULL;
    /* Who has no lock may see no end: at the latest it is all around. */
    for (uint64_t left = groups->mask + 1; left > 0; left--, i++) {
        const struct state__group *group = &groups->at[i & groups->mask];

        for (unsigned agree = state__group_agree(group, tag); agree != 0;
             agree &= agree - 1) {
            struct state__item *item =
                STATE__SEE(group->items[__builtin_ctz(agree)]);

            if (item != NULL &&
                state__item_is_for(item, namespace_index, key))
                return item;
        }
        if (STATE__SEE(group->passed_count) == 0)
            return NULL;
    }
    return NULL;
}

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
