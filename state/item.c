/* A key with its value: see item.h. */
#include "state/item.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(STATE_KEY_BYTES_MAX <= UINT16_MAX, "item.key_length holds it");
static_assert(STATE_NAMESPACES_MAX - 1 <= UINT16_MAX,
              "item.namespace_index holds it");
static_assert(STATE_VALUE_BYTES_CEILING <= UINT32_MAX,
              "item.value_length holds it");
static_assert(STATE__NUMBER_BYTES_MAX <= STATE_VALUE_INLINE_MAX,
              "numbers never need a block");

/*
 * The heap hands out sizes of 16k - 8 bytes; taking the whole of one costs
 * nothing and lets a value grow a little in place.
 */
#define HEAP_STEP 16
#define HEAP_HEADER 8
static_assert(STATE_VALUE_INLINE_MAX <= UINT8_MAX,
              "item.inline_capacity holds it");

struct state__item *
state__item_create(uint32_t namespace_index, struct state_bytes key,
                   size_t value_length)
{
    struct state__item *item;
    size_t fixed = sizeof *item + key.length_bytes;
    size_t size, capacity;

    if (value_length > STATE_VALUE_INLINE_MAX ||
        value_length < sizeof(struct state__value *))
        value_length = sizeof(struct state__value *);
    size = fixed + value_length + HEAP_HEADER + HEAP_STEP - 1;
    size = size / HEAP_STEP * HEAP_STEP - HEAP_HEADER;
    item = malloc(size);
    if (item == NULL)
        return NULL;
    /* What is inside is copied under the lock: not more than the limit. */
    capacity = size - fixed;
    if (capacity > STATE_VALUE_INLINE_MAX)
        capacity = STATE_VALUE_INLINE_MAX;
    *item = (struct state__item){
        .namespace_index = (uint16_t)namespace_index,
        .key_length = (uint16_t)key.length_bytes,
        .inline_capacity = (uint8_t)capacity,
    };
    memcpy(item->bytes, key.bytes, key.length_bytes);
    return item;
}

void
state__item_destroy(struct state__item *item)
{
    if (item == NULL)
        return;
    state__value_release(state__item_block(item));
    free(item);
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

/* The area behind the key. */
static uint8_t *
value_area(struct state__item *item)
{
    return item->bytes + item->key_length;
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
        if (length > 0)
            memcpy(value_area(item), value.bytes, length);
        item->is_large = false;
        item->value_length = (uint32_t)length;
        if (block != NULL)
            *garbage = block;
        return true;
    }
    if (block != NULL && can_overwrite_block(block, length)) {
        memcpy(block->bytes, value.bytes, length);
        item->value_length = (uint32_t)length;
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
    memcpy(value_area(item), &block, sizeof block);
    item->is_large = true;
    item->value_length = (uint32_t)length_bytes;
}

bool
state__item_splice(struct state__item *item, size_t offset,
                   struct state_bytes bytes)
{
    struct state__value *block = state__item_block(item);
    size_t capacity = item->inline_capacity;
    size_t length = item->value_length, end = offset + bytes.length_bytes;
    uint8_t *area = value_area(item);

    if (block != NULL) {
        capacity = block->capacity_bytes;
        area = block->bytes;
        /* Behind the value's end there is nothing that anybody reads. */
        if (offset < length && !state__value_is_private(block))
            return false;
    }
    if (end > capacity)
        return false;
    if (offset > length)
        memset(area + length, 0, offset - length);
    if (bytes.length_bytes > 0)
        memcpy(area + offset, bytes.bytes, bytes.length_bytes);
    if (end > length)
        item->value_length = (uint32_t)end;
    return true;
}
