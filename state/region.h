/*
 * Values that are mapped: see state_region.h.
 *
 * A region is a block of value.h whose bytes lie in a file in memory, with
 * what there is to know about it in front of them. Where nobody maps it, it is
 * a block like any other. While somebody does, its bytes change under
 * everybody's eyes, so nobody may share it: reads copy. And it must stay the
 * key's, so no write may put another in its place: writes go through it.
 *
 * Locks: a region's, then a shard's. Who finds a mapped key under the shard's
 * lock lets go of it, takes the region's, and looks again. Whoever has both
 * knows that no other operation reads or writes the bytes; so he may let go of
 * the shard's again while he copies.
 *
 * Any thread may call these.
 */
#ifndef GLASS_STATE_REGION_H
#define GLASS_STATE_REGION_H

#include "state/change.h"

/* How many files the regions of a store have; it lives as long as they. */
struct state__region_files {
    atomic_uint reference_count;
    atomic_uint open_count;
};

struct state__region_waiters {
    struct state_region_waiter *first;
    struct state_region_waiter **end; /* where the next one goes */
};

struct state__region {
    pthread_mutex_t lock;      /* of operations, while it is mapped */
    pthread_mutex_t wait_lock; /* of what follows */
    struct state__region_waiters waiters;
    atomic_uint mapping_count; /* under the shard's lock, or read */
    int file;                  /* -1: it cannot be mapped any more */
    struct state__region_files *files;
};

/* Null without memory. */
struct state__region_files *
state__region_files_create(void);

/* Drops a reference; the last one frees them. Null does nothing. */
void
state__region_files_release(struct state__region_files *files);

/* The region that the block is; null: it is an ordinary one, or null. */
struct state__region *
state__region_of(struct state__value *block);

/*
 * A block that is a region of whole pages, all zero, with one reference.
 * STATE_LIMIT, STATE_NO_MEMORY or STATE_SYSTEM.
 */
enum state_status
state__region_create(struct state__region_files *files, size_t length_bytes,
                     struct state__value **block);

/* For value.c: frees the block, which is a region. */
void
state__region_destroy(struct state__value *block);

/* Whether an item with a block of its own has a mapped value. */
bool
state__region_is_used(const struct state__item *item);

/* Under the shard's lock: whether the item (or null) has a mapped value. */
static inline bool
state__region_is_mapped(const struct state__item *item)
{
    return item != NULL && item->is_large && state__region_is_used(item);
}

/* ---- Mapping: region_map.c ---- */

struct state_mapping {
    struct state__value *block; /* a reference */
    struct state_store *store;  /* set by it */
    struct state__shard *shard;
    struct state__target target; /* whose key is `operation`'s */
    uint64_t offset_bytes;
    uint64_t length_bytes;
    struct state_operation operation; /* the write that its end is */
    uint8_t key[STATE_KEY_BYTES_MAX];
};

/* The contract of state_store_map, with a namespace that is there. */
enum state_status
state__region_map(struct state__shard *shard,
                  const struct state__target *target,
                  const struct state_mapping_options *options,
                  struct state__region_files *files,
                  struct state_mapping **mapping);

/* ---- Operations on a mapped key: region_access.c ---- */

/*
 * Ends a read that has found, under the shard's lock, an item with a mapped
 * value; gives up the lock.
 */
enum state_status
state__region_read(struct state__shard *shard,
                   const struct state__target *target,
                   struct state_operation *operation,
                   struct state__item *item);

/*
 * Copies the first bytes of a block, which may be mapped: then not while an
 * operation writes them. Under no lock.
 */
void
state__region_copy(struct state__value *block, uint8_t *target,
                   size_t length_bytes);

/*
 * The part of a write under the shard's lock, when the item's value is mapped;
 * as state__change_apply. STATE_PENDING: state__region_prepare, and again.
 */
enum state_status
state__region_write(struct state__change *change);

/* Gives up the shard's lock, and does what has to be done without it. */
void
state__region_prepare(struct state__change *change);

/* The write has ended: gives up the region's lock, if it has one. */
void
state__region_leave(struct state__change *change);

/* Whether an operation of a batch that is all or nothing can go on. */
bool
state__region_permits(struct state__shard *shard,
                      const struct state__target *target,
                      const struct state_operation *operation,
                      struct state__item **dead);

#endif
