/*
 * From a value to a region, and back: see region.h.
 *
 * A value is copied into a region once, when it is first mapped after it was
 * put; then it stays there, also when nobody maps it any more, so that the
 * next one who does pays two calls of the system. A region costs a file: when
 * half of those that there may be are open, one that nobody maps loses its
 * own, and is copied when it is mapped again.
 */
#define _GNU_SOURCE 1 /* see region.c */

#include "state/region.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How often a value that is always put anew is copied, at most. */
#define ATTEMPTS_MAX 8

static uint64_t
to_pages(uint64_t length_bytes)
{
    return (length_bytes + STATE_REGION_PAGE_BYTES - 1) /
           STATE_REGION_PAGE_BYTES * STATE_REGION_PAGE_BYTES;
}

/* Finds out which part of a value is meant; STATE_INVALID: none. */
static enum state_status
choose_part(const struct state_mapping_options *options,
            uint64_t value_length, struct state_mapping *mapping)
{
    uint64_t offset = options->offset_bytes;
    uint64_t length = options->length_bytes;

    if (offset % STATE_REGION_PAGE_BYTES != 0 || offset >= value_length)
        return STATE_INVALID;
    if (length == 0)
        length = value_length - offset;
    if (length > value_length - offset)
        return STATE_INVALID;
    mapping->offset_bytes = offset;
    mapping->length_bytes = to_pages(length);
    return STATE_OK;
}

/*
 * Whether the item's block is a region that can be mapped: it is, or nobody
 * who has read it relies on its bytes.
 */
static bool
is_ready(const struct state__item *item)
{
    struct state__value *block = state__item_block(item);
    struct state__region *region = state__region_of(block);

    return region != NULL && region->file >= 0 &&
           (state__region_is_mapped(item) || state__value_is_private(block));
}

/* Maps the item's block, which is ready. */
static enum state_status
join(const struct state__item *item, struct state_mapping *mapping)
{
    struct state__value *block = state__item_block(item);
    struct state__region *region = state__region_of(block);

    if (atomic_load(&region->mapping_count) >= STATE_MAPPINGS_MAX)
        return STATE_LIMIT;
    atomic_fetch_add(&region->mapping_count, 1);
    state__value_acquire(block);
    mapping->block = block;
    return STATE_OK;
}

/* A value as it was found, to be copied without the lock. */
struct copy {
    struct state__value *shared; /* a reference; null: it is in `bytes` */
    uint8_t bytes[STATE_VALUE_INLINE_MAX];
    size_t length;
    uint64_t version;
    struct state__value *block; /* the region; null: there is none yet */
    bool is_last;               /* it will not be copied again */
};

/* Under the shard's lock: takes hold of the value. */
static void
hold(struct copy *copy, const struct state__item *item)
{
    copy->length = item->value_length;
    copy->version = item->version;
    copy->shared = state__item_block(item);
    if (copy->shared != NULL)
        state__value_acquire(copy->shared);
    else
        memcpy(copy->bytes, state__item_value(item), copy->length);
}

/*
 * Writes the value into the region's file: through our own addresses every
 * page would be a fault first.
 */
static bool
write_value(const struct copy *copy)
{
    const uint8_t *bytes =
        copy->shared != NULL ? copy->shared->bytes : copy->bytes;
    int file = state__region_of(copy->block)->file;
    size_t done = 0;

    while (done < copy->length) {
        ssize_t count =
            pwrite(file, bytes + done, copy->length - done, (off_t)done);

        if (count <= 0)
            return false;
        done += (size_t)count;
    }
    return true;
}

/* Without the lock: makes a region with the value. */
static enum state_status
fill(struct copy *copy, struct state__region_files *files)
{
    enum state_status status;

    state__value_release(copy->block);
    copy->block = NULL;
    status = state__region_create(files, to_pages(copy->length),
                                  &copy->block);
    if (status == STATE_OK && !write_value(copy))
        status = STATE_NO_MEMORY;
    state__value_release(copy->shared);
    copy->shared = NULL;
    return status;
}

/*
 * Under the shard's lock: has the region hold the value that the item has
 * now. Only at the end, since others wait, and where it takes no time.
 */
static bool
catch_up(const struct copy *copy, const struct state__item *item)
{
    size_t length = item->value_length;

    if (copy->version == item->version)
        return true;
    if (!copy->is_last || length > STATE_REGION_COPY_BYTES ||
        to_pages(length) != to_pages(copy->length))
        return false;
    memcpy(copy->block->bytes, state__item_value(item), length);
    if (length < copy->length)
        memset(copy->block->bytes + length, 0, copy->length - length);
    return true;
}

/*
 * One look at the key under the shard's lock. STATE_PENDING: `copy` holds its
 * value, to be filled before the next one.
 */
static enum state_status
attempt(struct state_mapping *mapping,
        const struct state_mapping_options *options, struct copy *copy)
{
    struct state__item *dead = NULL, *item;
    struct state__value *garbage = NULL;
    enum state_status status = STATE_NOT_FOUND;

    state__shard_lock(mapping->shard);
    item = state__shard_find(mapping->shard, &mapping->target, &dead);
    if (item != NULL)
        status = choose_part(options, item->value_length, mapping);
    if (status == STATE_OK && !is_ready(item)) {
        if (copy->block != NULL && catch_up(copy, item)) {
            state__item_adopt(item, copy->block, item->value_length,
                              &garbage);
            copy->block = NULL;
        } else {
            hold(copy, item);
            status = STATE_PENDING;
        }
    }
    if (status == STATE_OK)
        status = join(item, mapping);
    state__shard_unlock(mapping->shard);
    state__value_release(garbage);
    state__item_destroy_chain(dead);
    return status;
}

static enum state_status
map(struct state_mapping *mapping, const struct state_mapping_options *options,
    struct state__region_files *files)
{
    struct copy copy = {0};
    enum state_status status;
    int count = 0;

    while ((status = attempt(mapping, options, &copy)) == STATE_PENDING) {
        if (!options->may_copy && copy.length > STATE_REGION_COPY_BYTES) {
            state__value_release(copy.shared);
            break;
        }
        status = fill(&copy, files);
        /* Others put it again and again, and it is large or its length
         * changes. */
        if (status == STATE_OK && ++count == ATTEMPTS_MAX)
            status = STATE_LIMIT;
        if (status)
            break;
        copy.is_last = count == ATTEMPTS_MAX - 1;
    }
    state__value_release(copy.block);
    return status;
}

static void
discard(struct state_operation *operation)
{
    struct state_mapping *mapping = operation->data;

    state_operation_deinit(operation);
    free(mapping);
}

enum state_status
state__region_map(struct state__shard *shard,
                  const struct state__target *target,
                  const struct state_mapping_options *options,
                  struct state__region_files *files,
                  struct state_mapping **mapping)
{
    struct state_mapping *created = calloc(1, sizeof *created);
    enum state_status status;

    if (created == NULL)
        return STATE_NO_MEMORY;
    memcpy(created->key, options->key.bytes, options->key.length_bytes);
    created->shard = shard;
    created->target = *target;
    created->target.key.bytes = created->key;
    created->operation = (struct state_operation){
        .kind = STATE_PUT_RANGE,
        .condition = STATE_IF_PRESENT,
        .namespace_ = target->namespace_->name,
        .key = created->target.key,
        .complete = discard,
        .data = created,
    };
    status = map(created, options, files);
    if (status) {
        free(created);
        return status;
    }
    *mapping = created;
    return STATE_OK;
}

int
state_mapping_file(const struct state_mapping *mapping)
{
    return state__region_of(mapping->block)->file;
}

uint64_t
state_mapping_offset_bytes(const struct state_mapping *mapping)
{
    return mapping->offset_bytes;
}

uint64_t
state_mapping_length_bytes(const struct state_mapping *mapping)
{
    return mapping->length_bytes;
}

/* Ends the use; returns whether the region is still the key's value. */
static bool
leave(struct state_mapping *mapping)
{
    struct state__region *region = state__region_of(mapping->block);
    struct state__item *dead = NULL, *item;
    bool is_current;
    int file = -1;

    state__shard_lock(mapping->shard);
    item = state__shard_find(mapping->shard, &mapping->target, &dead);
    is_current = item != NULL && state__item_block(item) == mapping->block;
    if (atomic_fetch_sub(&region->mapping_count, 1) == 1 &&
        atomic_load(&region->files->open_count) > STATE_REGIONS_MAX / 2) {
        file = region->file;
        region->file = -1;
        atomic_fetch_sub(&region->files->open_count, 1);
    }
    state__shard_unlock(mapping->shard);
    if (file >= 0)
        close(file);
    state__item_destroy_chain(dead);
    return is_current;
}

void
state_mapping_end(struct state_mapping *mapping, bool may_have_written)
{
    bool is_current;

    if (mapping == NULL)
        return;
    is_current = leave(mapping);
    /* Before the write, which then need not make a block of its own. */
    state__value_release(mapping->block);
    if (is_current && may_have_written &&
        state_store_submit(mapping->store, &mapping->operation) ==
            STATE_PENDING)
        return;
    discard(&mapping->operation);
}
