/* Writes that leave a part of the old value: see splice.h. */
#include "state/splice.h"

#include <assert.h>
#include <string.h>

/* So many bytes are copied under the lock, and no more. */
#define LOCKED_BYTES_MAX 4096

/* New bytes over an old value. */
struct splice {
    struct state_bytes old;
    size_t offset;
    struct state_bytes bytes;
    size_t length; /* of the sum of both */
};

/* Where the operation's bytes go; STATE_TOO_BIG when they do not fit. */
static enum state_status
plan(const struct state__change *change, struct splice *splice)
{
    const struct state_operation *operation = change->operation;
    size_t length = operation->value.length_bytes;
    uint64_t offset = operation->range_offset_bytes;

    splice->old = (struct state_bytes){"", 0};
    if (change->item != NULL)
        splice->old = (struct state_bytes){state__item_value(change->item),
                                           change->item->value_length};
    if (operation->kind == STATE_APPEND)
        offset = splice->old.length_bytes;
    if (length > change->value_bytes_max ||
        offset > change->value_bytes_max - length)
        return STATE_TOO_BIG;
    splice->offset = (size_t)offset;
    splice->bytes = operation->value;
    splice->length = splice->offset + length;
    if (splice->length < splice->old.length_bytes)
        splice->length = splice->old.length_bytes;
    return STATE_OK;
}

/* Lays the whole sum into `target`, which has room for it. */
static void
lay(const struct splice *splice, uint8_t *target)
{
    size_t kept = splice->old.length_bytes;

    if (kept > 0)
        memcpy(target, splice->old.bytes, kept);
    if (kept < splice->offset)
        memset(target + kept, 0, splice->offset - kept);
    if (splice->bytes.length_bytes > 0)
        memcpy(target + splice->offset, splice->bytes.bytes,
               splice->bytes.length_bytes);
}

/*
 * A block with the sum, and where it has grown with room for half as much
 * again, so that many appends copy each byte only a few times. Null without
 * memory.
 */
static struct state__value *
create_sum(const struct splice *splice, size_t value_bytes_max)
{
    size_t capacity = splice->length;
    struct state__value *block;

    if (capacity > splice->old.length_bytes)
        capacity += capacity / 2;
    if (capacity > value_bytes_max)
        capacity = value_bytes_max;
    block = state__value_create(capacity);
    if (block != NULL)
        lay(splice, block->bytes);
    return block;
}

/* When the sum is short enough to be inside the item. */
static enum state_status
apply_short(struct state__change *change, const struct splice *splice)
{
    uint8_t bytes[STATE_VALUE_INLINE_MAX];
    struct state_bytes sum = {bytes, splice->length};
    enum state_status status;

    lay(splice, bytes);
    status = state__change_obtain(change, sum.length_bytes);
    if (status)
        return status;
    if (!state__item_set(change->item, sum, &change->garbage))
        return state__change_withdraw(change, STATE_NO_MEMORY);
    return state__change_commit(change);
}

/* Gives the item the prepared block. */
static enum state_status
apply_prepared(struct state__change *change, size_t length_bytes)
{
    enum state_status status = state__change_obtain(change, length_bytes);

    if (status)
        return status;
    state__item_adopt(change->item, change->prepared, length_bytes,
                      &change->garbage);
    change->prepared = NULL;
    return state__change_commit(change);
}

/*
 * Where the value lies, if that is possible; otherwise STATE_PENDING. The
 * item is there, so nothing has to be withdrawn.
 */
static enum state_status
apply_in_place(struct state__change *change, const struct splice *splice)
{
    size_t end = splice->offset + splice->bytes.length_bytes;
    size_t start = splice->offset < splice->old.length_bytes
                       ? splice->offset
                       : splice->old.length_bytes;
    enum state_status status;

    if (change->item == NULL || end - start > LOCKED_BYTES_MAX)
        return STATE_PENDING;
    status = state__change_obtain(change, splice->length);
    if (status)
        return status;
    if (!state__item_splice(change->item, splice->offset, splice->bytes)) {
        state__change_refund(change);
        return STATE_PENDING;
    }
    return state__change_commit(change);
}

static uint64_t
version_of(const struct state__change *change)
{
    return change->item != NULL ? change->item->version : 0;
}

enum state_status
state__splice_apply(struct state__change *change)
{
    struct splice splice;
    enum state_status status = plan(change, &splice);

    if (status)
        return status;
    if (splice.length <= STATE_VALUE_INLINE_MAX)
        return apply_short(change, &splice);
    status = apply_in_place(change, &splice);
    if (status != STATE_PENDING)
        return status;
    if (change->prepared == NULL &&
        (change->is_last_attempt || splice.length <= LOCKED_BYTES_MAX)) {
        change->prepared = create_sum(&splice, change->value_bytes_max);
        if (change->prepared == NULL)
            return STATE_NO_MEMORY;
        return apply_prepared(change, splice.length);
    }
    if (change->prepared != NULL &&
        change->prepared_for == version_of(change))
        return apply_prepared(change, splice.length);
    return STATE_PENDING;
}

enum state_status
state__splice_prepare(struct state__change *change)
{
    uint8_t copy[STATE_VALUE_INLINE_MAX];
    struct state__item *item = change->item;
    struct state__value *shared = NULL;
    struct splice splice;
    enum state_status status = plan(change, &splice);

    /* It was all right when the attempt was made, under the same lock. */
    assert(status == STATE_OK);
    if (item != NULL && item->is_large) {
        shared = state__item_block(item);
        state__value_acquire(shared);
    } else {
        memcpy(copy, splice.old.bytes, splice.old.length_bytes);
        splice.old.bytes = copy;
    }
    change->prepared_for = version_of(change);
    state__shard_unlock(change->shard);

    state__value_release(change->prepared);
    change->prepared = create_sum(&splice, change->value_bytes_max);
    if (change->prepared == NULL)
        status = STATE_NO_MEMORY;
    state__value_release(shared);
    return status;
}

enum state_status
state__splice_plan(const struct state__change *change, size_t *offset,
                   size_t *length)
{
    struct splice splice;
    enum state_status status = plan(change, &splice);

    if (status)
        return status;
    *offset = splice.offset;
    *length = splice.length;
    return STATE_OK;
}
