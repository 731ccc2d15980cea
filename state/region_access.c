/*
 * Reads and writes of a key whose value is mapped: see region.h.
 *
 * A write goes through the shard's lock three times: it finds out that the
 * value is mapped; with the region's lock as well it finds out that it can be
 * made, and is charged for it; and when its bytes are laid, the version grows.
 * Only what takes the key away can come between the last two, since that asks
 * for no region's lock. Then the write is one of the key that is absent.
 */
#include "state/region.h"

#include "state/operation.h"
#include "state/splice.h"

#include <string.h>

/* ---- Reads ---- */

/* Gives a read that shares a region's block a copy instead. */
static enum state_status
copy_result(struct state_operation *operation)
{
    size_t length = operation->result.length_bytes;
    struct state__value *copy = state__value_create(length);

    if (copy == NULL) {
        state__operation_begin(operation);
        return STATE_NO_MEMORY;
    }
    memcpy(copy->bytes, operation->result.bytes, length);
    state__value_release(operation->private_.owned);
    operation->private_.owned = copy;
    operation->result.bytes = copy->bytes;
    return STATE_OK;
}

enum state_status
state__region_read(struct state__shard *shard,
                   const struct state__target *target,
                   struct state_operation *operation,
                   struct state__item *item)
{
    struct state__item *dead = NULL;
    struct state__value *block;
    enum state_status status;

    for (;;) {
        block = state__item_block(item);
        state__value_acquire(block);
        /* What was shared is given back. */
        state__operation_begin(operation);
        state__shard_unlock(shard);
        pthread_mutex_lock(&state__region_of(block)->lock);
        state__shard_lock(shard);
        status = state__shard_read_locked(shard, target, operation, &item,
                                          &dead);
        if (status != STATE_OK || !state__region_is_mapped(item) ||
            state__item_block(item) == block)
            break;
        /* Another region by now, which has another lock. */
        pthread_mutex_unlock(&state__region_of(block)->lock);
        state__value_release(block);
    }
    if (operation->private_.owned == block) {
        state__shard_unlock(shard);
        status = copy_result(operation);
        state__shard_lock(shard);
        item = state__shard_find(shard, target, &dead);
    }
    status = state__journal_end(shard->journal, target->namespace_,
                                target->hash, item, false, operation, status);
    state__shard_unlock(shard);
    pthread_mutex_unlock(&state__region_of(block)->lock);
    state__value_release(block);
    state__item_destroy_chain(dead);
    return status;
}

void
state__region_copy(struct state__value *block, uint8_t *target,
                   size_t length_bytes)
{
    struct state__region *region = state__region_of(block);

    if (region != NULL)
        pthread_mutex_lock(&region->lock);
    memcpy(target, block->bytes, length_bytes);
    if (region != NULL)
        pthread_mutex_unlock(&region->lock);
}

/* ---- Writes ---- */

static enum state_status
plan_increment(struct state__change *change, struct state__over *over)
{
    const struct state__item *item = change->item;
    struct state_operation *operation = change->operation;
    uint8_t digits[STATE__NUMBER_BYTES_MAX];
    int64_t number;

    /* They may change while they are read: not twice. */
    if (item->value_length > sizeof digits)
        return STATE_NOT_A_NUMBER;
    memcpy(digits, state__item_value(item), item->value_length);
    if (!state__number_parse(digits, item->value_length, &number))
        return STATE_NOT_A_NUMBER;
    if (__builtin_add_overflow(number, operation->delta, &number))
        return STATE_OVERFLOW;
    over->length = state__number_format(number, over->digits);
    over->bytes = (struct state_bytes){over->digits, over->length};
    operation->number = number;
    return STATE_OK;
}

/* Finds out what is to be laid where. */
static enum state_status
plan(struct state__change *change)
{
    const struct state_operation *operation = change->operation;
    const struct state__item *item = change->item;
    struct state__over *over = &change->over;
    enum state_status status = STATE_OK;

    *over = (struct state__over){.bytes = operation->value,
                                 .length_before = item->value_length,
                                 .length = operation->value.length_bytes};
    if (operation->kind == STATE_INCREMENT) {
        status = plan_increment(change, over);
    } else if (operation->kind == STATE_APPEND ||
               operation->kind == STATE_PUT_RANGE) {
        status = state__splice_plan(change, &over->offset, &over->length);
    }
    if (status == STATE_OK &&
        over->length > state__item_block(item)->capacity_bytes)
        status = STATE_TOO_BIG;
    return status;
}

/* Lays the bytes of a write, with zeros in front of them or behind. */
static void
lay(const struct state__over *over, struct state__value *block)
{
    size_t end = over->offset + over->bytes.length_bytes;

    if (over->offset > over->length_before)
        memset(block->bytes + over->length_before, 0,
               over->offset - over->length_before);
    if (over->bytes.length_bytes > 0)
        memcpy(block->bytes + over->offset, over->bytes.bytes,
               over->bytes.length_bytes);
    if (over->length < over->length_before)
        memset(block->bytes + end, 0, block->capacity_bytes - end);
}

enum state_status
state__region_write(struct state__change *change)
{
    enum state_status status;

    if (change->region != state__item_block(change->item))
        return STATE_PENDING;
    if (!change->is_laid) {
        status = plan(change);
        if (status == STATE_OK)
            status = state__change_obtain(change, change->over.length);
        return status ? status : STATE_PENDING;
    }
    STATE__SET(change->item->value_length, (uint32_t)change->over.length);
    return state__change_commit(change);
}

void
state__region_prepare(struct state__change *change)
{
    struct state__value *block = state__item_block(change->item);

    if (change->region == block) {
        state__shard_unlock(change->shard);
        lay(&change->over, block);
        change->is_laid = true;
        return;
    }
    /* A use of it, so that nobody shares what is about to be laid. */
    state__value_acquire(block);
    atomic_fetch_add(&state__region_of(block)->mapping_count, 1);
    state__shard_unlock(change->shard);
    state__region_leave(change);
    pthread_mutex_lock(&state__region_of(block)->lock);
    change->region = block;
}

void
state__region_leave(struct state__change *change)
{
    struct state__region *region = state__region_of(change->region);

    if (region == NULL)
        return;
    atomic_fetch_sub_explicit(&region->mapping_count, 1,
                              memory_order_release);
    pthread_mutex_unlock(&region->lock);
    state__value_release(change->region);
    change->region = NULL;
}

/* ---- Batches ---- */

bool
state__region_permits(struct state__shard *shard,
                      const struct state__target *target,
                      const struct state_operation *operation,
                      struct state__item **dead)
{
    return operation->kind == STATE_STAT ||
           !state__region_is_mapped(state__shard_find(shard, target, dead));
}
