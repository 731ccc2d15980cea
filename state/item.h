/*
 * A key with its value: one allocation, which stays where it is for as long
 * as the key exists, whatever its values are.
 *
 * Behind the fixed part lie the key's bytes, zeros up to a whole word, and
 * then `inline_capacity` bytes for the value: either its bytes, or (`is_large`)
 * a pointer to a block of value.h. So the area is never smaller than a
 * pointer. At 16-byte keys and 64-byte values an item takes 128 bytes.
 *
 * An item belongs to one shard and is changed only under that shard's lock.
 * Who reads without the lock looks at the version, the namespace, the place in
 * the heap, the lengths, `is_large` and the bytes: these are written as
 * sequence.h wants it.
 */
#ifndef GLASS_STATE_ITEM_H
#define GLASS_STATE_ITEM_H

#include "state/sequence.h"
#include "state/slab.h"
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
state__item_create(struct state__slab *slab, uint32_t namespace_index,
                   struct state_bytes key, size_t value_length);

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

/* The area of the value, behind a key of that length. */
static inline const uint8_t *
state__item_area(const struct state__item *item, size_t key_length)
{
    return item->bytes + (key_length + 7) / 8 * 8;
}

/* The same, to write there as sequence.h wants it. */
static inline uint8_t *
state__item_room(struct state__item *item)
{
    return item->bytes + (item->key_length + 7u) / 8 * 8;
}

/* Whether the item is that of a key; also without the lock. */
static inline bool
state__item_is_for(const struct state__item *item, uint32_t namespace_index,
                   struct state_bytes key)
{
    const uint64_t *words = (const uint64_t *)(const void *)item->bytes;
    const uint8_t *bytes = key.bytes;
    size_t left = key.length_bytes;
    uint64_t word;

    if (STATE__SEE(item->key_length) != left ||
        STATE__SEE(item->namespace_index) != namespace_index)
        return false;
    for (; left >= sizeof word; left -= sizeof word) {
        memcpy(&word, bytes, sizeof word);
        if (STATE__SEE(*words) != word)
            return false;
        bytes += sizeof word;
        words++;
    }
    if (left == 0)
        return true;
    word = STATE__SEE(*words);
    for (; left > 0; left--, word >>= 8)
        if ((uint8_t)word != *bytes++)
            return false;
    return true;
}

/* The block that holds the value, or null while it is inside the item. */
static inline struct state__value *
state__item_block(const struct state__item *item)
{
    struct state__value *block = NULL;

    if (item->is_large)
        memcpy(&block, state__item_area(item, item->key_length),
               sizeof block);
    return block;
}

/* The value's bytes, wherever they are. */
static inline const uint8_t *
state__item_value(const struct state__item *item)
{
    if (item->is_large)
        return state__item_block(item)->bytes;
    return state__item_area(item, item->key_length);
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
