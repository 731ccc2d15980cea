/* A shard's hash table: see table.h. */
#include "state/table.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define CAPACITY_MIN 16

/* The lower half of the hash chooses the shard, so the tag is the upper. */
static uint32_t
tag_of(uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    return tag != 0 ? tag : 1;
}

void
state__table_deinit(struct state__table *table)
{
    free(table->items);
    *table = (struct state__table){0};
}

struct state__item *
state__table_find(const struct state__table *table, uint64_t hash,
                  uint32_t namespace_index, struct state_bytes key)
{
    uint32_t tag = tag_of(hash);
    size_t mask = table->capacity - 1, i;

    if (table->count == 0)
        return NULL;
    /* There is always a free slot, so this ends. */
    for (i = tag & mask; table->tags[i] != 0; i = (i + 1) & mask) {
        struct state__item *item = table->items[i];

        if (table->tags[i] == tag && item->key_length == key.length_bytes &&
            item->namespace_index == namespace_index &&
            memcmp(item->bytes, key.bytes, key.length_bytes) == 0)
            return item;
    }
    return NULL;
}

static void
put(struct state__table *table, uint32_t tag, struct state__item *item)
{
    size_t mask = table->capacity - 1, i = tag & mask;

    while (table->tags[i] != 0)
        i = (i + 1) & mask;
    table->tags[i] = tag;
    table->items[i] = item;
}

/* Moves everything to new arrays; false, and no change, without memory. */
static bool
resize(struct state__table *table, size_t capacity)
{
    struct state__table old = *table;
    size_t slot_size = sizeof *old.items + sizeof *old.tags;
    void *memory = malloc(capacity * slot_size);

    if (memory == NULL)
        return false;
    table->items = memory;
    table->tags = (uint32_t *)(table->items + capacity);
    table->capacity = capacity;
    memset(table->tags, 0, capacity * sizeof *table->tags);
    for (size_t i = 0; i < old.capacity; i++)
        if (old.tags[i] != 0)
            put(table, old.tags[i], old.items[i]);
    free(old.items);
    return true;
}

bool
state__table_reserve(struct state__table *table)
{
    size_t capacity = table->capacity;

    /* At most three quarters full: longer runs cost more than the memory. */
    if (table->count + 1 <= capacity / 4 * 3)
        return true;
    return resize(table, capacity > 0 ? capacity * 2 : CAPACITY_MIN);
}

void
state__table_insert(struct state__table *table, uint64_t hash,
                    struct state__item *item)
{
    assert(table->count < table->capacity);
    put(table, tag_of(hash), item);
    table->count++;
}

void
state__table_fit(struct state__table *table)
{
    /* Without memory for the smaller table the larger one serves on. */
    if (table->capacity > CAPACITY_MIN && table->count < table->capacity / 8)
        resize(table, table->capacity / 4 > CAPACITY_MIN
                          ? table->capacity / 4
                          : CAPACITY_MIN);
}

void
state__table_remove(struct state__table *table, uint64_t hash,
                    const struct state__item *item)
{
    size_t mask = table->capacity - 1, hole = tag_of(hash) & mask, i;

    while (table->items[hole] != item) {
        assert(table->tags[hole] != 0);
        hole = (hole + 1) & mask;
    }
    /*
     * Close the gap: whatever follows in the run and may lie at the hole (its
     * home is not after it) moves there and leaves the next hole. Distances
     * are counted backwards from i, around the end.
     */
    for (i = (hole + 1) & mask; table->tags[i] != 0; i = (i + 1) & mask) {
        size_t home = table->tags[i] & mask;

        if (((i - home) & mask) < ((i - hole) & mask))
            continue;
        table->tags[hole] = table->tags[i];
        table->items[hole] = table->items[i];
        hole = i;
    }
    table->tags[hole] = 0;
    table->items[hole] = NULL;
    table->count--;
    if (!table->keeps_room)
        state__table_fit(table);
}
