/* A key with its value: see item.h. */
#include "state/item.h"

#include <assert.h>
#include <string.h>

static_assert(STATE_KEY_BYTES_MAX <= UINT16_MAX, "item.key_length holds it");
static_assert(STATE_NAMESPACES_MAX - 1 <= UINT16_MAX,
              "item.namespace_index holds it");
static_assert(STATE_VALUE_BYTES_CEILING <= UINT32_MAX,
              "item.value_length holds it");
static_assert(STATE__NUMBER_BYTES_MAX <= STATE_VALUE_INLINE_MAX,
              "numbers never need a block");

static_assert(STATE_VALUE_INLINE_MAX <= UINT8_MAX,
              "item.inline_capacity holds it");
static_assert(offsetof(struct state__item, bytes) % sizeof(uint64_t) == 0,
              "keys and values lie at words");
static_assert(sizeof(struct state__item) + STATE_KEY_BYTES_MAX +
                      STATE_VALUE_INLINE_MAX <=
                  STATE__SLAB_SLOT_MAX,
              "what a reader believes is long lies in the slab");
static_assert(STATE_KEY_BYTES_MAX % sizeof(uint64_t) == 0 &&
                  STATE_VALUE_INLINE_MAX % sizeof(uint64_t) == 0,
              "so do whole words");

/* Writes a new item's fixed part, which somebody may still be reading. */
static void
begin(struct state__item *item, uint32_t namespace_index, size_t key_length,
      size_t capacity)
{
    STATE__SET(item->version, 0);
    item->left = NULL;
    item->right = NULL;
    STATE__SET(item->namespace_index, (uint16_t)namespace_index);
    item->used_at = 0;
    STATE__SET(item->expiry_place, 0);
    STATE__SET(item->value_length, 0);
    STATE__SET(item->key_length, (uint16_t)key_length);
    item->inline_capacity = (uint8_t)capacity;
    STATE__SET(item->is_large, false);
}

struct state__item *
state__item_create(struct state__slab *slab, uint32_t namespace_index,
                   struct state_bytes key, size_t value_length)
{
    struct state__item *item;
    size_t fixed = sizeof *item + (key.length_bytes + 7) / 8 * 8;
    size_t size, capacity;

    if (value_length > STATE_VALUE_INLINE_MAX ||
        value_length < sizeof(struct state__value *))
        value_length = sizeof(struct state__value *);
    /* All of a slot: it lets a value grow a little in place. */
    size = (fixed + value_length + STATE__SLAB_STEP - 1) / STATE__SLAB_STEP *
           STATE__SLAB_STEP;
    item = state__slab_take(slab, size);
    if (item == NULL)
        return NULL;
    /* What is inside is copied under the lock: not more than the limit. */
    capacity = size - fixed;
    if (capacity > STATE_VALUE_INLINE_MAX)
        capacity = STATE_VALUE_INLINE_MAX;
    begin(item, namespace_index, key.length_bytes, capacity);
    state__sequence_write(item->bytes, key.bytes, key.length_bytes);
    return item;
}

void
state__item_destroy(struct state__item *item)
{
    if (item == NULL)
        return;
    state__value_release(state__item_block(item));
    state__slab_give(item);
}

void
state__item_destroy_chain(struct state__item *dead)
{
    while (dead != NULL) {
        struct state__item *next = dead->left;

        state__item_destroy(dead);
        dead = next;
    }
}

int
state__item_compare(const struct state__item *item, uint32_t namespace_index,
                    struct state_bytes key)
{
    size_t length_a = item->key_length, length_b = key.length_bytes;
    size_t length = length_a < length_b ? length_a : length_b;
    int order;

    if (item->namespace_index != namespace_index)
        return item->namespace_index < namespace_index ? -1 : 1;
    /* A cursor may be empty and then need not point anywhere. */
    order = length > 0 ? memcmp(item->bytes, key.bytes, length) : 0;
    if (order != 0)
        return order;
    return (length_a > length_b) - (length_a < length_b);
}

/*
 * Whether a short value may go over the old one in the item's block: nobody
 * reads that, it fits, and it does not leave most of a large block unused.
 */
static bool
can_overwrite_block(struct state__value *block, size_t length_bytes)
{
    return block->capacity_bytes >= length_bytes &&
           block->capacity_bytes <= 2 * STATE_VALUE_INLINE_MAX &&
           state__value_is_private(block);
}

bool
state__item_set(struct state__item *item, struct state_bytes value,
                struct state__value **garbage)
{
    struct state__value *block = state__item_block(item);
    size_t length = value.length_bytes;

    assert(length <= STATE_VALUE_INLINE_MAX);
    if (length <= item->inline_capacity) {
        state__sequence_write(state__item_room(item), value.bytes, length);
        STATE__SET(item->is_large, false);
        STATE__SET(item->value_length, (uint32_t)length);
        if (block != NULL)
            *garbage = block;
        return true;
    }
    if (block != NULL && can_overwrite_block(block, length)) {
        memcpy(block->bytes, value.bytes, length);
        STATE__SET(item->value_length, (uint32_t)length);
        return true;
    }
    block = state__value_create(length);
    if (block == NULL)
        return false;
    memcpy(block->bytes, value.bytes, length);
    state__item_adopt(item, block, length, garbage);
    return true;
}

void
state__item_adopt(struct state__item *item, struct state__value *block,
                  size_t length_bytes, struct state__value **garbage)
{
    if (item->is_large)
        *garbage = state__item_block(item);
    state__sequence_write(state__item_room(item), &block, sizeof block);
    STATE__SET(item->is_large, true);
    STATE__SET(item->value_length, (uint32_t)length_bytes);
}

bool
state__item_splice(struct state__item *item, size_t offset,
                   struct state_bytes bytes)
{
    struct state__value *block = state__item_block(item);
    size_t capacity = item->inline_capacity;
    size_t length = item->value_length, end = offset + bytes.length_bytes;
    uint8_t copy[STATE_VALUE_INLINE_MAX], *area = copy;

    if (block != NULL) {
        capacity = block->capacity_bytes;
        area = block->bytes;
        /* Behind the value's end there is nothing that anybody reads. */
        if (offset < length && !state__value_is_private(block))
            return false;
    }
    if (end > capacity)
        return false;
    if (block == NULL)
        memcpy(copy, state__item_room(item), length);
    if (offset > length)
        memset(area + length, 0, offset - length);
    if (bytes.length_bytes > 0)
        memcpy(area + offset, bytes.bytes, bytes.length_bytes);
    if (end < length)
        end = length;
    if (block == NULL)
        state__sequence_write(state__item_room(item), copy, end);
    STATE__SET(item->value_length, (uint32_t)end);
    return true;
}
