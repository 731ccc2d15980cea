/* Setting what a shard has from outside: see restore.h. */
#include "state/restore.h"

#include "state/quota.h"

#include <string.h>

/*
 * The key's item, made if it is not there, which is not counted yet; null
 * without memory.
 */
static struct state__item *
obtain(struct state__shard *shard, const struct state__target *target,
       size_t value_length)
{
    struct state__item *item;

    item = state__table_find(&shard->table, target->hash,
                             target->namespace_->index, target->key);
    if (item != NULL)
        return item;
    if (!state__shard_reserve(shard, target->namespace_))
        return NULL;
    item = state__item_create(&shard->slab, target->namespace_->index,
                              target->key, value_length);
    if (item != NULL)
        state__shard_link(shard, target, item);
    return item;
}

/* Makes the block of a long value; sets null for a short one. */
static bool
make_block(struct state_bytes value, struct state__value **block)
{
    *block = NULL;
    if (value.length_bytes <= STATE_VALUE_INLINE_MAX)
        return true;
    *block = state__value_create(value.length_bytes);
    if (*block == NULL)
        return false;
    memcpy((*block)->bytes, value.bytes, value.length_bytes);
    return true;
}

static void
remove_key(struct state__shard *shard, const struct state__target *target)
{
    struct state__item *dead = NULL, *item;

    item = state__table_find(&shard->table, target->hash,
                             target->namespace_->index, target->key);
    if (item == NULL)
        return;
    state__shard_remove(shard, item, &dead);
    state__item_destroy_chain(dead);
}

enum state_status
state__restore(struct state__shard *shard, const struct state__target *target,
               const struct state__restored *restored)
{
    struct state__value *block, *garbage = NULL;
    struct state__item *item, *dead = NULL;
    int64_t keys, bytes = (int64_t)restored->value.length_bytes;

    if (restored->version == 0) {
        remove_key(shard, target);
        return STATE_OK;
    }
    if (restored->expires_in_ms != UINT64_MAX &&
        !state__expiry_reserve(&shard->expiry))
        return STATE_NO_MEMORY;
    if (!make_block(restored->value, &block))
        return STATE_NO_MEMORY;
    item = obtain(shard, target, restored->value.length_bytes);
    if (item == NULL) {
        state__value_release(block);
        return STATE_NO_MEMORY;
    }
    keys = item->version == 0;
    bytes += keys > 0 ? item->key_length : -(int64_t)item->value_length;
    if (block != NULL) {
        state__item_adopt(item, block, restored->value.length_bytes, &garbage);
    } else if (!state__item_set(item, restored->value, &garbage)) {
        if (item->version == 0)
            state__shard_unlink(shard, target, item, &dead);
        state__item_destroy_chain(dead);
        return STATE_NO_MEMORY;
    }
    state__quota_count(target->namespace_, keys, bytes);
    state__value_release(garbage);
    STATE__SET(item->version, restored->version);
    if (restored->expires_in_ms == UINT64_MAX)
        state__expiry_clear(&shard->expiry, item);
    else
        state__expiry_set(&shard->expiry, item,
                          state__shard_now_ms(shard) + restored->expires_in_ms);
    return STATE_OK;
}
