/*
 * A key with its value: one allocation, which stays where it is for as long
 * as the key exists, whatever its values are.
 *
 * Behind the fixed part lie the key's bytes and then `inline_capacity` bytes
 * for the value: either its bytes, or (`is_large`) a pointer to a block of
 * value.h. So the area is never smaller than a pointer. At 16-byte keys and
 * 64-byte values an item takes 128 bytes of the heap.
 *
 * An item belongs to one shard and is touched only under that shard's lock.
 */
#ifndef GLASS_STATE_ITEM_H
#define GLASS_STATE_ITEM_H

#include "state/state.h"
#include "state/value.h"

#include <string.h>

struct state__item {
    uint64_t version;

    /* Its children in the shard's ordered tree; `left` chains dead items. */
    struct state__item *left;
    struct state__item *right;

    uint16_t namespace_index;

    /* When it was last used, where that is noted: see eviction.h. */
    uint16_t used_at;

    /* Its index in the shard's expiry heap, plus one; 0: it stays. */
    uint32_t expiry_place;

    uint32_t value_length;
    uint16_t key_length;
    uint8_t inline_capacity;
    bool is_large;
    uint8_t bytes[];
};

/*
 * An item of version 0 with the empty value, in neither table nor tree.
 * Values of up to `value_length` bytes will fit inside if they are short
 * enough to be there at all. Null without memory.
 */
struct state__item *
state__item_create(uint32_t namespace_index, struct state_bytes key,
                   size_t value_length);

/* Frees the item and drops its reference to a block. Null does nothing. */
void
state__item_destroy(struct state__item *item);

/* The same for all items of a chain. */
void
state__item_destroy_chain(struct state__item *dead);

/* Orders an item against a namespace and key: below, at or above zero. */
int
state__item_compare(const struct state__item *item, uint32_t namespace_index,
                    struct state_bytes key);

/* The item's key, in the item. */
static inline struct state_bytes
state__item_key(const struct state__item *item)
{
    return (struct state_bytes){item->bytes, item->key_length};
}

/* The block that holds the value, or null while it is inside the item. */
static inline struct state__value *
state__item_block(const struct state__item *item)
{
    struct state__value *block = NULL;

    /* The pointer lies behind the key and so need not be aligned. */
    if (item->is_large)
        memcpy(&block, item->bytes + item->key_length, sizeof block);
    return block;
}

/* The value's bytes, wherever they are. */
static inline const uint8_t *
state__item_value(const struct state__item *item)
{
    if (item->is_large)
        return state__item_block(item)->bytes;
    return item->bytes + item->key_length;
}

/*
 * Gives the item a short value, at most STATE_VALUE_INLINE_MAX bytes, not
 * bytes of its own. A block that is no longer needed is put into `garbage`,
 * for the caller to release once the lock is gone. Returns false, with the
 * value unchanged, without memory.
 */
bool
state__item_set(struct state__item *item, struct state_bytes value,
                struct state__value **garbage);

/* Gives the item a block, which it adopts; `garbage` as above. */
void
state__item_adopt(struct state__item *item, struct state__value *block,
                  size_t length_bytes, struct state__value **garbage);

/*
 * Lays bytes over the value where it lies, from `offset` on, with zeros
 * before them if that is behind its end. Returns false, with nothing changed,
 * when there is no room or when readers would see it.
 */
bool
state__item_splice(struct state__item *item, size_t offset,
                   struct state_bytes bytes);

#endif
