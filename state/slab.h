/*
 * The memory of a shard's items: slots of a few sizes, which lie in chunks of
 * one size each, which lie in regions that are taken from the heap.
 *
 * Regions stay until the end, so that a slot which was given back can still be
 * read, with whatever is there then: see sequence.h. Chunks without items
 * serve whatever size is needed next. A shard that has many items has them in
 * huge pages, if the system gives them: with small ones, finding where a page
 * lies costs as much as the item.
 *
 * Any thread may call these: a slab has a lock of its own.
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

struct state__slab {
    pthread_mutex_t lock;
    struct state__chunk *with_room[STATE__SLAB_SLOT_MAX / STATE__SLAB_STEP +
                                   1]; /* lists, by size */
    struct state__chunk *empty;        /* chunks for any size */
    struct state__chunk *regions;      /* the first chunk of each */
    unsigned carved_count;             /* chunks of the newest region */
};

void
state__slab_init(struct state__slab *slab);

/* Frees all memory; nobody may look at it any more. */
void
state__slab_deinit(struct state__slab *slab);

/* A slot of so many bytes, up to STATE__SLAB_SLOT_MAX; null without memory. */
void *
state__slab_take(struct state__slab *slab, size_t size_bytes);

/* Gives a slot back to the slab that it is from. */
void
state__slab_give(void *slot);

#endif
