/* The memory of items: see slab.h. */
#include "state/slab.h"

#include "state/sequence.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/mman.h>

#define CHUNK_BYTES ((size_t)32 << 10)
#define REGION_BYTES ((size_t)2 << 20)
#define CHUNKS_PER_REGION (REGION_BYTES / CHUNK_BYTES)

/* So many have small pages: what is small is to stay small. */
#define SMALL_REGIONS 8

/* The beginning of a chunk, which lies at a multiple of its size. */
struct state__chunk {
    struct state__slab *slab;
    struct state__chunk *next; /* with room for slots of the same size */
    struct state__chunk *previous;
    void *given_back; /* a list through the first words */
    uint32_t slot_bytes;
    uint32_t used_count;
    uint32_t fresh_at; /* from there on no slot has been taken */
};

/* Slots of whole cache lines begin with one. */
#define FIRST_SLOT_AT 64
static_assert(sizeof(struct state__chunk) <= FIRST_SLOT_AT, "it fits");
static_assert(STATE__SLAB_SLOT_MAX % STATE__SLAB_STEP == 0, "a size");

struct state__region {
    struct state__region *next;
    void *chunks;
};

void
state__slab_pool_init(struct state__slab_pool *pool)
{
    *pool = (struct state__slab_pool){.carved_count = CHUNKS_PER_REGION};
    pthread_mutex_init(&pool->lock, NULL);
}

void
state__slab_pool_deinit(struct state__slab_pool *pool)
{
    while (pool->regions != NULL) {
        struct state__region *region = pool->regions;

        pool->regions = region->next;
        free(region->chunks);
        free(region);
    }
    pthread_mutex_destroy(&pool->lock);
}

void
state__slab_init(struct state__slab *slab, struct state__slab_pool *pool)
{
    *slab = (struct state__slab){.pool = pool};
    pthread_mutex_init(&slab->lock, NULL);
}

void
state__slab_deinit(struct state__slab *slab)
{
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

/* ---- The pool ---- */

/* Under its lock: another region; false without memory. */
static bool
add_region(struct state__slab_pool *pool)
{
    struct state__region *region = malloc(sizeof *region);

    if (region == NULL)
        return false;
    region->chunks = aligned_alloc(REGION_BYTES, REGION_BYTES);
    if (region->chunks == NULL) {
        free(region);
        return false;
    }
    /* It may fail, and then there is nothing to be done. */
    if (pool->region_count++ >= SMALL_REGIONS)
        (void)madvise(region->chunks, REGION_BYTES, MADV_HUGEPAGE);
    region->next = pool->regions;
    pool->regions = region;
    pool->carved_count = 0;
    return true;
}

/* A chunk that nobody has; null without memory. */
static struct state__chunk *
take_chunk(struct state__slab_pool *pool)
{
    struct state__chunk *chunk;

    pthread_mutex_lock(&pool->lock);
    chunk = pool->empty;
    if (chunk != NULL)
        pool->empty = chunk->next;
    else if (pool->carved_count < CHUNKS_PER_REGION || add_region(pool))
        chunk = (struct state__chunk *)((char *)pool->regions->chunks +
                                        pool->carved_count++ * CHUNK_BYTES);
    pthread_mutex_unlock(&pool->lock);
    return chunk;
}

static void
give_chunk(struct state__slab_pool *pool, struct state__chunk *chunk)
{
    pthread_mutex_lock(&pool->lock);
    chunk->next = pool->empty;
    pool->empty = chunk;
    pthread_mutex_unlock(&pool->lock);
}

/* ---- The slab; under its lock ---- */

/* A chunk for slots of a size, in its list; null without memory. */
static struct state__chunk *
obtain_chunk(struct state__slab *slab, uint32_t slot_bytes)
{
    struct state__chunk *chunk = take_chunk(slab->pool);

    if (chunk == NULL)
        return NULL;
    *chunk = (struct state__chunk){
        .slab = slab,
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
        give_chunk(slab->pool, chunk);
    }
    pthread_mutex_unlock(&slab->lock);
}
