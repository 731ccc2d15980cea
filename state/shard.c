/*
 * A shard of the memory backend: see shard.h.
 *
 * A write has three parts: what can be prepared without the lock (a block
 * with a large value); the change under the lock, where everything that can
 * fail comes before the first thing that is visible; and what is left to be
 * freed. struct change carries a write through them.
 */
#include "state/shard.h"

#include "state/operation.h"

#include <assert.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

/* One sweep removes this many keys before it lets others have the lock. */
#define SWEEP_ITEMS_MAX 64

/* Sums of an append up to this length are copied under the lock. */
#define APPEND_LOCKED_MAX 4096

/* How often an append prepares a copy that another write makes worthless. */
#define APPEND_ATTEMPTS_MAX 8

struct change {
    struct state__shard *shard;
    const struct state__target *target;
    struct state_operation *operation;
    size_t value_bytes_max;
    struct state__item *item;      /* the key's; null: absent */
    bool is_new;                   /* the item was made by this change */
    struct state__value *prepared; /* a block filled before the lock */
    uint64_t prepared_for;         /* APPEND: the version it continues */
    struct state__value *garbage;  /* a block to release after the lock */
    struct state__item *dead;      /* items to destroy after the lock */
};

uint64_t
state__shard_hash(uint64_t hash_seed, uint32_t namespace_index,
                  struct state_bytes key)
{
    /* The same key in two namespaces is in unrelated shards and slots. */
    return XXH3_64bits_withSeed(
        key.bytes, key.length_bytes,
        hash_seed + namespace_index * UINT64_C(0x9e3779b97f4a7c15));
}

void
state__shard_init(struct state__shard *shard,
                  const struct state__clock *clock, uint64_t hash_seed)
{
    *shard = (struct state__shard){.clock = clock, .hash_seed = hash_seed};
    pthread_mutex_init(&shard->lock, NULL);
}

void
state__shard_deinit(struct state__shard *shard)
{
    for (size_t i = 0; i < shard->table.capacity; i++)
        if (shard->table.tags[i] != 0)
            state__item_destroy(shard->table.items[i]);
    state__table_deinit(&shard->table);
    state__expiry_deinit(&shard->expiry);
    pthread_mutex_destroy(&shard->lock);
}

static uint64_t
now_ms(const struct state__shard *shard)
{
    return shard->clock->now_ms(shard->clock->data);
}

bool
state__shard_is_expired(struct state__shard *shard,
                        const struct state__item *item)
{
    return item->expiry_place > 0 &&
           state__expiry_deadline_ms(&shard->expiry, item) <= now_ms(shard);
}

void
state__shard_remove(struct state__shard *shard, struct state__item *item,
                    struct state__item **dead)
{
    uint64_t hash = state__shard_hash(
        shard->hash_seed, item->namespace_index, state__item_key(item));

    state__table_remove(&shard->table, hash, item);
    state__tree_remove(&shard->root, item);
    state__expiry_clear(&shard->expiry, item);
    item->left = *dead;
    *dead = item;
}

struct state__item *
state__shard_find(struct state__shard *shard,
                  const struct state__target *target,
                  struct state__item **dead)
{
    struct state__item *item;

    item = state__table_find(&shard->table, target->hash,
                             target->namespace_->index, target->key);
    if (item == NULL || !state__shard_is_expired(shard, item))
        return item;
    state__shard_remove(shard, item, dead);
    return NULL;
}

/* ---- Reads ---- */

/* Takes what a GET answers: a copy of a short value, a share of a long one. */
static void
take_value(struct state__item *item, struct state_operation *operation)
{
    struct state__value *block = state__item_block(item);

    if (block == NULL || item->value_length <= STATE_VALUE_INLINE_MAX) {
        state__operation_copy_result(operation, state__item_value(item),
                                     item->value_length);
        return;
    }
    state__value_acquire(block);
    operation->private_.owned = block;
    operation->private_.release = state__value_release;
    operation->result.bytes = block->bytes;
    operation->result.length_bytes = item->value_length;
}

enum state_status
state__shard_read(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation)
{
    enum state_status status = STATE_NOT_FOUND;
    struct state__item *dead = NULL, *item;

    pthread_mutex_lock(&shard->lock);
    item = state__shard_find(shard, target, &dead);
    if (item != NULL) {
        operation->version = item->version;
        operation->size_bytes = item->value_length;
        if (operation->kind == STATE_GET)
            take_value(item, operation);
        status = STATE_OK;
    }
    pthread_mutex_unlock(&shard->lock);
    state__item_destroy_chain(dead);
    return state__operation_end(operation, status);
}

/* ---- Writes ---- */

/* Whether the condition holds; otherwise the version says what is there. */
static bool
condition_holds(const struct change *change)
{
    struct state_operation *operation = change->operation;
    uint64_t version = change->item != NULL ? change->item->version : 0;

    switch (state__operation_condition(operation)) {
    case STATE_ALWAYS:
        return true;
    case STATE_IF_ABSENT:
        if (version == 0)
            return true;
        break;
    case STATE_IF_PRESENT:
        if (version != 0)
            return true;
        break;
    case STATE_IF_VERSION:
        if (version == operation->version_expected)
            return true;
        break;
    }
    operation->version = version;
    return false;
}

/*
 * Sees to it that there is an item and room for its expiry. A new item is
 * already in the shard when this returns, with the empty value: whoever
 * cannot go on must call withdraw.
 */
static enum state_status
obtain_item(struct change *change, size_t value_length)
{
    struct state__shard *shard = change->shard;

    if (change->operation->ttl_ms > 0 &&
        !state__expiry_reserve(&shard->expiry))
        return STATE_NO_MEMORY;
    if (change->item != NULL)
        return STATE_OK;
    if (!state__table_reserve(&shard->table))
        return STATE_NO_MEMORY;
    change->item = state__item_create(change->target->namespace_->index,
                                      change->target->key, value_length);
    if (change->item == NULL)
        return STATE_NO_MEMORY;
    state__table_insert(&shard->table, change->target->hash, change->item);
    state__tree_insert(&shard->root, change->item);
    change->is_new = true;
    return STATE_OK;
}

/* Takes back an item that obtain_item has made. */
static enum state_status
withdraw(struct change *change, enum state_status status)
{
    if (change->is_new)
        state__shard_remove(change->shard, change->item, &change->dead);
    return status;
}

/* The last step of every change but a deletion; it cannot fail. */
static enum state_status
commit(struct change *change)
{
    struct state_operation *operation = change->operation;
    struct state__expiry *expiry = &change->shard->expiry;
    struct state__item *item = change->item;
    bool replaces = operation->kind == STATE_PUT ||
                    operation->kind == STATE_COMPARE_AND_SWAP;

    if (operation->ttl_ms > 0)
        state__expiry_set(expiry, item,
                          now_ms(change->shard) + operation->ttl_ms);
    else if (replaces && !operation->keep_expiry)
        state__expiry_clear(expiry, item);
    item->version = state__namespace_next_version(change->target->namespace_);
    operation->version = item->version;
    operation->size_bytes = item->value_length;
    return STATE_OK;
}

static enum state_status
change_put(struct change *change)
{
    struct state_bytes value = change->operation->value;
    enum state_status status = obtain_item(change, value.length_bytes);

    if (status)
        return status;
    if (change->prepared != NULL) {
        state__item_adopt(change->item, change->prepared,
                          value.length_bytes, &change->garbage);
        change->prepared = NULL;
    } else if (!state__item_set(change->item, value, &change->garbage)) {
        return withdraw(change, STATE_NO_MEMORY);
    }
    return commit(change);
}

static enum state_status
change_increment(struct change *change)
{
    struct state_operation *operation = change->operation;
    uint8_t digits[STATE__NUMBER_BYTES_MAX];
    struct state_bytes value = {digits, 0};
    int64_t number = 0;
    enum state_status status;

    if (change->item != NULL &&
        !state__number_parse(state__item_value(change->item),
                             change->item->value_length, &number))
        return STATE_NOT_A_NUMBER;
    if (__builtin_add_overflow(number, operation->delta, &number))
        return STATE_OVERFLOW;
    status = obtain_item(change, sizeof digits);
    if (status)
        return status;
    value.length_bytes = state__number_format(number, digits);
    if (!state__item_set(change->item, value, &change->garbage))
        return withdraw(change, STATE_NO_MEMORY);
    operation->number = number;
    return commit(change);
}

static enum state_status
change_delete(struct change *change)
{
    if (change->item == NULL)
        return STATE_NOT_FOUND;
    state__shard_remove(change->shard, change->item, &change->dead);
    change->operation->version =
        state__namespace_next_version(change->target->namespace_);
    return STATE_OK;
}

/*
 * A block with `old` and what the operation appends, and room for half as
 * much again, so that many appends copy each byte only a few times. Null
 * without memory.
 */
static struct state__value *
prepare_append(const struct change *change, struct state_bytes old)
{
    struct state_bytes more = change->operation->value;
    size_t length = old.length_bytes + more.length_bytes;
    size_t capacity = length + length / 2;
    struct state__value *block;

    if (capacity > change->value_bytes_max)
        capacity = change->value_bytes_max;
    block = state__value_create(capacity);
    if (block == NULL)
        return NULL;
    if (old.length_bytes > 0)
        memcpy(block->bytes, old.bytes, old.length_bytes);
    if (more.length_bytes > 0)
        memcpy(block->bytes + old.length_bytes, more.bytes,
               more.length_bytes);
    return block;
}

/* The value that an append continues: empty when the key is absent. */
static struct state_bytes
old_value(const struct change *change)
{
    if (change->item == NULL)
        return (struct state_bytes){"", 0};
    return (struct state_bytes){state__item_value(change->item),
                                change->item->value_length};
}

/* Appends when the sum is short enough to be inside the item. */
static enum state_status
append_short(struct change *change, struct state_bytes old)
{
    struct state_bytes more = change->operation->value;
    uint8_t bytes[STATE_VALUE_INLINE_MAX];
    struct state_bytes sum = {bytes, old.length_bytes + more.length_bytes};
    enum state_status status;

    memcpy(bytes, old.bytes, old.length_bytes);
    if (more.length_bytes > 0)
        memcpy(bytes + old.length_bytes, more.bytes, more.length_bytes);
    status = obtain_item(change, sum.length_bytes);
    if (status)
        return status;
    if (!state__item_set(change->item, sum, &change->garbage))
        return withdraw(change, STATE_NO_MEMORY);
    return commit(change);
}

/* Appends by giving the item the prepared block. */
static enum state_status
append_prepared(struct change *change, size_t length_bytes)
{
    enum state_status status = obtain_item(change, length_bytes);

    if (status)
        return status;
    state__item_adopt(change->item, change->prepared, length_bytes,
                      &change->garbage);
    change->prepared = NULL;
    return commit(change);
}

/*
 * One attempt to append. Returns STATE_PENDING when a block should first be
 * prepared without the lock; `is_last` does it with the lock instead.
 */
static enum state_status
change_append(struct change *change, bool is_last)
{
    struct state_bytes old = old_value(change);
    size_t more = change->operation->value.length_bytes;
    size_t length = old.length_bytes + more;
    enum state_status status;

    if (length > change->value_bytes_max)
        return STATE_TOO_BIG;
    if (length <= STATE_VALUE_INLINE_MAX)
        return append_short(change, old);
    if (change->item != NULL && more <= APPEND_LOCKED_MAX) {
        status = obtain_item(change, length);
        if (status)
            return status;
        if (state__item_append(change->item, change->operation->value))
            return commit(change);
    }
    if (change->prepared == NULL && (is_last || length <= APPEND_LOCKED_MAX)) {
        change->prepared = prepare_append(change, old);
        if (change->prepared == NULL)
            return STATE_NO_MEMORY;
        return append_prepared(change, length);
    }
    if (change->prepared != NULL &&
        change->prepared_for == (change->item ? change->item->version : 0))
        return append_prepared(change, length);
    return STATE_PENDING;
}

/* The part of a write under the lock. */
static enum state_status
change_locked(struct change *change, bool is_last)
{
    change->item = state__shard_find(change->shard, change->target,
                                     &change->dead);
    if (!condition_holds(change))
        return STATE_CONFLICT;
    switch (change->operation->kind) {
    case STATE_INCREMENT:
        return change_increment(change);
    case STATE_DELETE:
        return change_delete(change);
    case STATE_APPEND:
        return change_append(change, is_last);
    default:
        return change_put(change);
    }
}

/*
 * Before an append's next attempt: makes the block that the last one missed.
 * It holds a share of the old block meanwhile, which is what lets it read
 * without the lock. Called under the lock, which it gives up.
 */
static enum state_status
prepare_without_lock(struct change *change)
{
    uint8_t copy[STATE_VALUE_INLINE_MAX];
    struct state__item *item = change->item;
    struct state_bytes old = old_value(change);
    struct state__value *shared = NULL;
    enum state_status status = STATE_OK;

    if (item != NULL && item->is_large) {
        shared = state__item_block(item);
        state__value_acquire(shared);
    } else {
        memcpy(copy, old.bytes, old.length_bytes);
        old.bytes = copy;
    }
    change->prepared_for = item != NULL ? item->version : 0;
    pthread_mutex_unlock(&change->shard->lock);

    state__value_release(change->prepared);
    change->prepared = prepare_append(change, old);
    if (change->prepared == NULL)
        status = STATE_NO_MEMORY;
    state__value_release(shared);
    return status;
}

/* Frees what a write has left. */
static void
clean_up(struct change *change)
{
    state__value_release(change->prepared);
    state__value_release(change->garbage);
    state__item_destroy_chain(change->dead);
}

static enum state_status
append(struct change *change)
{
    enum state_status status;

    for (int attempt = 0;; attempt++) {
        bool is_last = attempt == APPEND_ATTEMPTS_MAX;

        if (is_last) {
            state__value_release(change->prepared);
            change->prepared = NULL;
        }
        pthread_mutex_lock(&change->shard->lock);
        status = change_locked(change, is_last);
        if (status != STATE_PENDING) {
            pthread_mutex_unlock(&change->shard->lock);
            return status;
        }
        status = prepare_without_lock(change);
        if (status)
            return status;
    }
}

/* A put: the value's block is filled before the lock. */
static enum state_status
write_at_once(struct change *change)
{
    struct state_bytes value = change->operation->value;
    bool has_value = change->operation->kind == STATE_PUT ||
                     change->operation->kind == STATE_COMPARE_AND_SWAP;
    enum state_status status;

    if (has_value && value.length_bytes > STATE_VALUE_INLINE_MAX) {
        change->prepared = state__value_create(value.length_bytes);
        if (change->prepared == NULL)
            return STATE_NO_MEMORY;
        memcpy(change->prepared->bytes, value.bytes, value.length_bytes);
    }
    pthread_mutex_lock(&change->shard->lock);
    status = change_locked(change, false);
    pthread_mutex_unlock(&change->shard->lock);
    return status;
}

enum state_status
state__shard_write(struct state__shard *shard,
                   const struct state__target *target,
                   struct state_operation *operation,
                   size_t value_bytes_max)
{
    struct change change = {
        .shard = shard,
        .target = target,
        .operation = operation,
        .value_bytes_max = value_bytes_max,
    };
    enum state_status status;

    if (operation->kind == STATE_APPEND)
        status = append(&change);
    else
        status = write_at_once(&change);
    clean_up(&change);
    return state__operation_end(operation, status);
}

/* Removes a few; returns as state__shard_sweep, 0 when there are more. */
static uint64_t
sweep_some(struct state__shard *shard)
{
    struct state__item *dead = NULL;
    uint64_t wait_ms = UINT64_MAX, now = 0;
    unsigned removed = 0;

    pthread_mutex_lock(&shard->lock);
    if (shard->expiry.count > 0)
        now = now_ms(shard);
    while (shard->expiry.count > 0) {
        struct state__expiry_entry first = shard->expiry.entries[0];

        if (first.deadline_ms > now || removed++ == SWEEP_ITEMS_MAX) {
            wait_ms = first.deadline_ms > now ? first.deadline_ms - now : 0;
            break;
        }
        state__shard_remove(shard, first.item, &dead);
    }
    pthread_mutex_unlock(&shard->lock);
    state__item_destroy_chain(dead);
    return wait_ms;
}

uint64_t
state__shard_sweep(struct state__shard *shard)
{
    uint64_t wait_ms;

    do {
        wait_ms = sweep_some(shard);
    } while (wait_ms == 0);
    return wait_ms;
}
