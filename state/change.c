/* A write on its way through a shard: see change.h. */
#include "state/change.h"

#include "state/eviction.h"
#include "state/operation.h"
#include "state/region.h"
#include "state/splice.h"
#include "state/watch.h"

#include <string.h>

/* How often a write prepares a copy that another one makes worthless. */
#define ATTEMPTS_MAX 8

/* Whether the lock whose token a write carries is held. */
static bool
lock_is_held(const struct state__change *change)
{
    struct state_operation *operation = change->operation;

    if (operation->lock_token == 0 ||
        state__locks_permit(&change->shard->locks, change->target,
                            operation->lock_token,
                            state__shard_now_ms(change->shard)))
        return true;
    operation->version = change->item != NULL ? change->item->version : 0;
    operation->lock_lost = true;
    return false;
}

/* Whether the condition holds; otherwise the version says what is there. */
static bool
condition_holds(const struct state__change *change)
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

/* Charges what the key will have to its namespace. */
static bool
charge(struct state__change *change, size_t value_length)
{
    const struct state__item *item = change->item;
    size_t item_length = change->target->key.length_bytes + value_length;
    int64_t keys = item == NULL;
    int64_t bytes = (int64_t)item_length;

    if (item != NULL)
        bytes = (int64_t)value_length - (int64_t)item->value_length;
    change->bound = state__quota_charge(change->target->namespace_, keys,
                                        bytes, item_length, value_length);
    if (change->bound != STATE__BOUND_NONE)
        return false;
    change->charged_keys = keys;
    change->charged_bytes = bytes;
    return true;
}

void
state__change_refund(struct state__change *change)
{
    state__quota_count(change->target->namespace_, -change->charged_keys,
                       -change->charged_bytes);
    change->charged_keys = 0;
    change->charged_bytes = 0;
}

enum state_status
state__change_obtain(struct state__change *change, size_t value_length)
{
    struct state__shard *shard = change->shard;
    struct state__namespace *namespace_ = change->target->namespace_;

    if (!charge(change, value_length))
        return STATE_QUOTA;
    if (change->operation->ttl_ms > 0 &&
        !state__expiry_reserve(&shard->expiry))
        return STATE_NO_MEMORY;
    if (change->item != NULL)
        return STATE_OK;
    if (!state__shard_reserve(shard, namespace_))
        return STATE_NO_MEMORY;
    /* A number that begins short will not move when it grows. */
    if (change->operation->kind == STATE_INCREMENT)
        value_length = STATE__NUMBER_BYTES_MAX;
    change->item = state__item_create(&shard->slab, namespace_->index,
                                      change->target->key, value_length);
    if (change->item == NULL)
        return STATE_NO_MEMORY;
    state__shard_link(shard, change->target, change->item);
    change->is_new = true;
    return STATE_OK;
}

enum state_status
state__change_withdraw(struct state__change *change, enum state_status status)
{
    if (change->is_new)
        state__shard_unlink(change->shard, change->target, change->item,
                            &change->dead);
    return status;
}

/*
 * Queues the change for the disk if its namespace is durable; returns whether
 * it is, and then sets the version that the journal has given to it. `item`
 * is null for a removal, and keeps its version if the `expiry_only` is new.
 */
static bool
queue(struct state__change *change, const struct state__item *item,
      bool expiry_only, uint64_t *version)
{
    struct state__shard *shard = change->shard;
    struct state__journal_entry *entry = change->entry;
    uint64_t hash = change->target->hash, rest_ms = UINT64_MAX;

    if (entry == NULL)
        return false;
    change->entry = NULL;
    change->is_queued = true;
    if (item == NULL) {
        *version = state__journal_remove(shard->journal, entry, hash);
        return true;
    }
    if (item->expiry_place > 0) {
        uint64_t at = state__expiry_deadline_ms(&shard->expiry, item);
        uint64_t now = state__shard_now_ms(shard);

        rest_ms = at > now ? at - now : 0;
    }
    if (expiry_only)
        state__journal_touch(shard->journal, entry, item, hash, rest_ms);
    else
        *version =
            state__journal_put(shard->journal, entry, item, hash, rest_ms);
    return true;
}

/* Gives out the version of a change: that of the item, or of its removal. */
static uint64_t
give_out(struct state__change *change, const struct state__item *item)
{
    uint64_t version;

    if (queue(change, item, false, &version))
        return version;
    return state__namespace_next_version(change->target->namespace_);
}

/* The same, and tells who watches. */
static uint64_t
next_version(struct state__change *change, const struct state__item *item)
{
    struct state__watch *watch = state__watch_of(change->target->namespace_);
    uint64_t version;

    if (watch == NULL)
        return give_out(change, item);
    state__watch_begin(watch);
    version = give_out(change, item);
    state__watch_end(watch, version, change->target->key,
                     item != NULL ? STATE_KEY_WRITTEN : STATE_KEY_DELETED,
                     item != NULL ? item->value_length : 0);
    return version;
}

enum state_status
state__change_commit(struct state__change *change)
{
    struct state_operation *operation = change->operation;
    struct state__expiry *expiry = &change->shard->expiry;
    struct state__item *item = change->item;
    bool replaces = operation->kind == STATE_PUT ||
                    operation->kind == STATE_COMPARE_AND_SWAP;

    if (operation->ttl_ms > 0)
        state__expiry_set(expiry, item,
                          state__shard_now_ms(change->shard) +
                              operation->ttl_ms);
    else if (replaces && !operation->keep_expiry)
        state__expiry_clear(expiry, item);
    STATE__SET(item->version, next_version(change, item));
    operation->version = item->version;
    operation->size_bytes = item->value_length;
    state__eviction_touch(change->target->namespace_, item);
    state__eviction_tick(change->target->namespace_, item->version);
    return STATE_OK;
}

static enum state_status
put(struct state__change *change)
{
    struct state_bytes value = change->operation->value;
    enum state_status status = state__change_obtain(change, value.length_bytes);

    if (status)
        return status;
    if (change->prepared != NULL) {
        state__item_adopt(change->item, change->prepared,
                          value.length_bytes, &change->garbage);
        change->prepared = NULL;
    } else if (!state__item_set(change->item, value, &change->garbage)) {
        return state__change_withdraw(change, STATE_NO_MEMORY);
    }
    return state__change_commit(change);
}

static enum state_status
increment(struct state__change *change)
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
    value.length_bytes = state__number_format(number, digits);
    status = state__change_obtain(change, value.length_bytes);
    if (status)
        return status;
    if (!state__item_set(change->item, value, &change->garbage))
        return state__change_withdraw(change, STATE_NO_MEMORY);
    operation->number = number;
    return state__change_commit(change);
}

static enum state_status
delete(struct state__change *change)
{
    if (change->item == NULL)
        return STATE_NOT_FOUND;
    state__shard_remove(change->shard, change->item, &change->dead);
    change->item = NULL;
    change->operation->version = next_version(change, NULL);
    return STATE_OK;
}

/* EXPIRE and PERSIST: the value and its version stay as they are. */
static enum state_status
change_expiry(struct state__change *change)
{
    struct state__shard *shard = change->shard;
    struct state_operation *operation = change->operation;
    struct state__item *item = change->item;

    if (item == NULL)
        return STATE_NOT_FOUND;
    if (operation->kind == STATE_PERSIST) {
        state__expiry_clear(&shard->expiry, item);
    } else {
        if (!state__expiry_reserve(&shard->expiry))
            return STATE_NO_MEMORY;
        state__expiry_set(&shard->expiry, item,
                          state__shard_now_ms(shard) + operation->ttl_ms);
    }
    queue(change, item, true, NULL);
    operation->version = item->version;
    return STATE_OK;
}

/* Whether the operation gives the key another value. */
static bool
sets_value(const struct state_operation *operation)
{
    return operation->kind != STATE_DELETE &&
           operation->kind != STATE_EXPIRE &&
           operation->kind != STATE_PERSIST;
}

static enum state_status
apply(struct state__change *change)
{
    bool is_mapped;

    change->item = state__shard_find(change->shard, change->target,
                                     &change->dead);
    is_mapped = state__region_is_mapped(change->item) &&
                sets_value(change->operation);
    if (change->is_laid) {
        if (is_mapped &&
            state__item_block(change->item) == change->region)
            return state__region_write(change);
        /* It was taken away from under the write, which begins anew. */
        change->is_laid = false;
        state__change_refund(change);
    }
    if (!lock_is_held(change) || !condition_holds(change))
        return STATE_CONFLICT;
    if (is_mapped)
        return state__region_write(change);
    switch (change->operation->kind) {
    case STATE_INCREMENT:
        return increment(change);
    case STATE_DELETE:
        return delete(change);
    case STATE_APPEND:
    case STATE_PUT_RANGE:
        return state__splice_apply(change);
    case STATE_EXPIRE:
    case STATE_PERSIST:
        return change_expiry(change);
    default:
        return put(change);
    }
}

enum state_status
state__change_apply(struct state__change *change)
{
    enum state_status status = apply(change);

    /* What is about to be laid into a region stays charged. */
    if (status != STATE_OK && status != STATE_PENDING)
        state__change_refund(change);
    return status;
}

void
state__change_clean_up(struct state__change *change)
{
    state__region_leave(change);
    state__journal_discard(change->shard->journal, change->entry);
    state__value_release(change->prepared);
    state__value_release(change->garbage);
    state__item_destroy_chain(change->dead);
}

enum state_status
state__change_prepare(struct state__change *change)
{
    struct state_bytes value = change->operation->value;
    bool is_put = change->operation->kind == STATE_PUT ||
                  change->operation->kind == STATE_COMPARE_AND_SWAP;

    if (!is_put || value.length_bytes <= STATE_VALUE_INLINE_MAX)
        return STATE_OK;
    change->prepared = state__value_create(value.length_bytes);
    if (change->prepared == NULL)
        return STATE_NO_MEMORY;
    memcpy(change->prepared->bytes, value.bytes, value.length_bytes);
    return STATE_OK;
}

/*
 * Attempts under the lock, and without it what the next one needs. Ends the
 * operation; if that waits for the disk the record is no longer ours.
 */
static enum state_status
attempt(struct state__change *change)
{
    enum state_status status;
    int count = 0;

    for (;;) {
        state__shard_lock(change->shard);
        status = state__change_apply(change);
        if (status != STATE_PENDING) {
            status = state__journal_end(
                change->shard->journal, change->target->namespace_,
                change->target->hash, change->item, change->is_queued,
                change->operation, status);
            state__shard_unlock(change->shard);
            return status;
        }
        if (state__region_is_mapped(change->item)) {
            state__region_prepare(change);
            continue;
        }
        status = state__splice_prepare(change);
        if (status)
            return state__operation_end(change->operation, status);
        if (++count == ATTEMPTS_MAX) {
            change->is_last_attempt = true;
            state__value_release(change->prepared);
            change->prepared = NULL;
        }
    }
}

/* Any write, step by step. */
static enum state_status
run(struct state__shard *shard, const struct state__target *target,
    struct state_operation *operation, size_t value_bytes_max)
{
    struct state__change change = {
        .shard = shard,
        .target = target,
        .operation = operation,
        .value_bytes_max = value_bytes_max,
    };
    enum state_status status;

    status = state__journal_prepare(shard->journal, target->namespace_,
                                    operation, &change.entry);
    if (status)
        return status;
    status = state__change_prepare(&change);
    if (status == STATE_OK)
        status = attempt(&change);
    else
        state__operation_end(operation, status);
    if (status == STATE_QUOTA)
        state__quota_fail(target->namespace_, change.bound, operation);
    state__change_clean_up(&change);
    return status;
}

/* ---- The way of most increments ---- */

/*
 * Under the lock: whether nobody but the caller has to hear of a write to the
 * item, which is there, and whose value may be changed where it is.
 */
static bool
is_plain(const struct state__shard *shard,
         const struct state__namespace *namespace_,
         const struct state__item *item)
{
    return item != NULL && item->expiry_place == 0 && !item->is_large &&
           shard->journal == NULL && namespace_->samples == NULL &&
           state__watch_of(namespace_) == NULL;
}

/* Adds where only the last of a few digits changes; false: it does not. */
static bool
add_to_digit(struct state__item *item, int64_t delta, int64_t *number)
{
    uint64_t *area = (uint64_t *)(void *)state__item_room(item);
    uint64_t word = *area;
    int64_t digit;

    if (delta < -9 || delta > 9 ||
        !state__number_parse_word(word, item->value_length, number))
        return false;
    digit = *number % 10 + delta;
    if (digit < 0 || digit > 9)
        return false;
    word += (uint64_t)delta << 8 * (item->value_length - 1);
    STATE__SET(*area, word);
    *number += delta;
    return true;
}

/* Adds to a number of whatever length, which it keeps; false: it does not. */
static bool
add_to_all(struct state__item *item, int64_t delta, int64_t *number)
{
    uint8_t digits[STATE__NUMBER_BYTES_MAX];
    size_t length;

    if (!state__number_parse(state__item_value(item), item->value_length,
                             number) ||
        __builtin_add_overflow(*number, delta, number))
        return false;
    length = state__number_format(*number, digits);
    /* A bound may forbid another length. */
    if (length != item->value_length)
        return false;
    state__item_set(item, (struct state_bytes){digits, length}, NULL);
    return true;
}

/* Adds to a plain number; false, with nothing changed, if it is none. */
static bool
add_in_place(struct state__shard *shard, const struct state__target *target,
             struct state_operation *operation)
{
    struct state__namespace *namespace_ = target->namespace_;
    struct state__item *item = state__table_find(
        &shard->table, target->hash, namespace_->index, target->key);
    int64_t number;

    if (!is_plain(shard, namespace_, item) ||
        (!add_to_digit(item, operation->delta, &number) &&
         !add_to_all(item, operation->delta, &number)))
        return false;
    STATE__SET(item->version, state__namespace_next_version(namespace_));
    operation->number = number;
    operation->version = item->version;
    operation->size_bytes = item->value_length;
    return true;
}

/*
 * An increment of a number that is there and stays as long as it is, which is
 * what most are: all in one step. False: it is another, or fails, and nothing
 * has happened.
 */
static bool
increment_at_once(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation)
{
    bool done;

    if (operation->condition != STATE_ALWAYS || operation->ttl_ms > 0 ||
        operation->lock_token != 0)
        return false;
    state__shard_lock(shard);
    done = add_in_place(shard, target, operation);
    state__shard_unlock(shard);
    if (done)
        state__operation_end(operation, STATE_OK);
    return done;
}

enum state_status
state__change_run(struct state__shard *shard,
                  const struct state__target *target,
                  struct state_operation *operation, size_t value_bytes_max)
{
    if (operation->kind == STATE_INCREMENT &&
        increment_at_once(shard, target, operation))
        return STATE_OK;
    return run(shard, target, operation, value_bytes_max);
}
