/*
 * The memory of items: slots of a few sizes, which lie in chunks of one size
 * each, which lie in regions that are taken from the heap. Each shard has a
 * slab, with chunks that have room; the store's slab pool has the regions.
 *
 * Regions stay until the end, so that a slot which was given back can still be
 * read, with whatever is there then: see sequence.h. Chunks without items
 * serve whatever size and shard needs one next. A store that has many items
 * has them in huge pages, if the system gives them: with small ones, finding
 * where a page lies costs as much as the item.
 *
 * Any thread may call these: slabs and pools have locks of their own.
 */
#ifndef GLASS_STATE_SLAB_H
#define GLASS_STATE_SLAB_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Slots have multiples of this. */
#define STATE__SLAB_STEP 16

/* The largest slot, and what may be read behind the start of any. */
#define STATE__SLAB_SLOT_MAX 656

struct state__slab_pool {
    pthread_mutex_t lock;
    struct state__chunk *empty;
    struct state__region *regions; /* the newest first */
    unsigned carved_count;         /* chunks of that one */
    unsigned region_count;
};

struct state__slab {
    struct state__slab_pool *pool;
    pthread_mutex_t lock;

    /* Chunks with room, by the size of their slots. */
    struct state__chunk *with_room[STATE__SLAB_SLOT_MAX / STATE__SLAB_STEP +
                                   1];
};

void
state__slab_pool_init(struct state__slab_pool *pool);

/* Frees all memory; nobody may look at it any more. */
void
state__slab_pool_deinit(struct state__slab_pool *pool);

/* A slab with memory of a pool, which stays the caller's. */
void
state__slab_init(struct state__slab *slab, struct state__slab_pool *pool);

/* What it has had stays the pool's, and is of no use to anybody else. */
void
state__slab_deinit(struct state__slab *slab);

/* A slot of so many bytes, up to STATE__SLAB_SLOT_MAX; null without memory. */
void *
state__slab_take(struct state__slab *slab, size_t size_bytes);

/* Gives a slot back to the slab that it is from. */
void
state__slab_give(void *slot);

#endif
