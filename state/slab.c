/* The memory of a shard's items: see slab.h. */
#include "state/slab.h"

#include "state/sequence.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_BYTES ((size_t)64 << 10)
#define REGION_BYTES ((size_t)2 << 20)
#define CHUNKS_PER_REGION (REGION_BYTES / CHUNK_BYTES)

/* The beginning of a chunk, which lies at a multiple of its size. */
struct state__chunk {
    struct state__slab *slab;
    struct state__chunk *next; /* with room for slots of the same size */
    struct state__chunk *previous;
    struct state__chunk *next_region;
    void *given_back; /* a list through the first words */
    uint32_t slot_bytes;
    uint32_t used_count;
    uint32_t fresh_at; /* from there on no slot has been taken */
};

/* Slots of whole cache lines begin with one. */
#define FIRST_SLOT_AT 64
static_assert(sizeof(struct state__chunk) <= FIRST_SLOT_AT, "it fits");
static_assert(STATE__SLAB_SLOT_MAX % STATE__SLAB_STEP == 0, "a size");

void
state__slab_init(struct state__slab *slab)
{
    *slab = (struct state__slab){.carved_count = CHUNKS_PER_REGION};
    pthread_mutex_init(&slab->lock, NULL);
}

void
state__slab_deinit(struct state__slab *slab)
{
    while (slab->regions != NULL) {
        struct state__chunk *region = slab->regions;

        slab->regions = region->next_region;
        free(region);
    }
    pthread_mutex_destroy(&slab->lock);
}

/* Whether there is room for one more slot. */
static bool
has_room(const struct state__chunk *chunk)
{
    /* The end stays free: a slot may be read beyond its size. */
    return chunk->given_back != NULL ||
           chunk->fresh_at + STATE__SLAB_SLOT_MAX <= CHUNK_BYTES;
}

static void
link_chunk(struct state__slab *slab, struct state__chunk *chunk)
{
    struct state__chunk **list =
        &slab->with_room[chunk->slot_bytes / STATE__SLAB_STEP];

    chunk->previous = NULL;
    chunk->next = *list;
    if (*list != NULL)
        (*list)->previous = chunk;
    *list = chunk;
}

static void
unlink_chunk(struct state__slab *slab, struct state__chunk *chunk)
{
    if (chunk->previous != NULL)
        chunk->previous->next = chunk->next;
    else
        slab->with_room[chunk->slot_bytes / STATE__SLAB_STEP] = chunk->next;
    if (chunk->next != NULL)
        chunk->next->previous = chunk->previous;
}

/* Another region; false without memory. */
static bool
add_region(struct state__slab *slab)
{
    struct state__chunk *region = aligned_alloc(REGION_BYTES, REGION_BYTES);

    if (region == NULL)
        return false;
    /* Not the first: what is small is to stay small. It may fail. */
    if (slab->regions != NULL)
        (void)madvise(region, REGION_BYTES, MADV_HUGEPAGE);
    region->next_region = slab->regions;
    slab->regions = region;
    slab->carved_count = 0;
    return true;
}

/*
 * The next chunk of the newest region. Each slab begins at another one: pages
 * at the same place of many regions would drive each other out of the caches.
 */
static struct state__chunk *
carve(struct state__slab *slab)
{
    size_t first = (uintptr_t)slab / sizeof *slab;
    size_t number = (first + slab->carved_count++) % CHUNKS_PER_REGION;

    return (struct state__chunk *)((char *)slab->regions +
                                   number * CHUNK_BYTES);
}

/* A chunk for slots of a size, in its list; null without memory. */
static struct state__chunk *
obtain_chunk(struct state__slab *slab, uint32_t slot_bytes)
{
    struct state__chunk *chunk = slab->empty, *next_region = NULL;

    if (chunk != NULL) {
        slab->empty = chunk->next;
        next_region = chunk->next_region;
    } else if (slab->carved_count < CHUNKS_PER_REGION || add_region(slab)) {
        chunk = carve(slab);
        if (chunk == slab->regions)
            next_region = chunk->next_region;
    } else {
        return NULL;
    }
    *chunk = (struct state__chunk){
        .slab = slab,
        .next_region = next_region,
        .slot_bytes = slot_bytes,
        .fresh_at = FIRST_SLOT_AT,
    };
    link_chunk(slab, chunk);
    return chunk;
}

/* Takes a slot of a chunk that has room. */
static void *
take(struct state__slab *slab, struct state__chunk *chunk)
{
    void *slot = chunk->given_back;

    if (slot != NULL) {
        chunk->given_back = *(void **)slot;
    } else {
        slot = (char *)chunk + chunk->fresh_at;
        chunk->fresh_at += chunk->slot_bytes;
    }
    chunk->used_count++;
    if (!has_room(chunk))
        unlink_chunk(slab, chunk);
    return slot;
}

void *
state__slab_take(struct state__slab *slab, size_t size_bytes)
{
    size_t size = (size_bytes + STATE__SLAB_STEP - 1) / STATE__SLAB_STEP;
    struct state__chunk *chunk;
    void *slot = NULL;

    assert(size_bytes > 0 && size_bytes <= STATE__SLAB_SLOT_MAX);
    pthread_mutex_lock(&slab->lock);
    chunk = slab->with_room[size];
    if (chunk == NULL)
        chunk = obtain_chunk(slab, (uint32_t)(size * STATE__SLAB_STEP));
    if (chunk != NULL)
        slot = take(slab, chunk);
    pthread_mutex_unlock(&slab->lock);
    return slot;
}

void
state__slab_give(void *slot)
{
    struct state__chunk *chunk =
        (struct state__chunk *)((uintptr_t)slot & ~(CHUNK_BYTES - 1));
    struct state__slab *slab = chunk->slab;

    pthread_mutex_lock(&slab->lock);
    if (!has_room(chunk))
        link_chunk(slab, chunk);
    /* Somebody may still be reading what was there. */
    STATE__SET(*(void **)slot, chunk->given_back);
    chunk->given_back = slot;
    /* The last of its size stays: the next item may want it. */
    if (--chunk->used_count == 0 &&
        (chunk->next != NULL || chunk->previous != NULL)) {
        unlink_chunk(slab, chunk);
        chunk->next = slab->empty;
        slab->empty = chunk;
    }
    pthread_mutex_unlock(&slab->lock);
}
