/*
 * store.c - the world that instances live in, and its memory.
 *
 * Everything that a store holds dies with it, at once. So nothing but
 * mappings (memory.c), grown tables (table.c) and type identities (host.c)
 * is freed one by one: the rest comes from an arena, a list of chunks from
 * which pieces are cut. The first chunk is a part of the store's own
 * allocation: a store with one small instance takes one malloc. It is short,
 * since there may be ten thousand stores, and each further one is twice as
 * long, up to a bound.
 *
 * Builds with GVM_STRESS or the address sanitizer give every piece a chunk
 * of its own, so that running over the end of one is seen.
 *
 * A store is used by one thread at a time.
 */
#include "vm/instance.h"

#include <assert.h>
#include <stdlib.h>

#if defined(__SANITIZE_ADDRESS__) || defined(GVM_STRESS)
#define CHUNK_PER_PIECE 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define CHUNK_PER_PIECE 1
#endif
#endif
#ifndef CHUNK_PER_PIECE
#define CHUNK_PER_PIECE 0
#endif

#define FIRST_CHUNK_BYTES 1024u
#define CHUNK_BYTES_MAX   32768u
#define ALIGNMENT         16u

struct gvm__store_chunk {
    struct gvm__store_chunk *next;
    size_t common_bytes; /* of the newest chunk for several pieces */
    _Alignas(ALIGNMENT) uint8_t bytes[];
};

/* A store and the first chunk of its arena. */
struct store_and_chunk {
    struct gvm_store store;
    _Alignas(ALIGNMENT) uint8_t bytes[FIRST_CHUNK_BYTES];
};

static_assert(_Alignof(max_align_t) <= ALIGNMENT, "pieces fit anything");

/* How long the newest chunk is that is for several pieces. */
static size_t
common_bytes_of(const struct gvm_store *store)
{
    return store->chunks != NULL ? store->chunks->common_bytes
                                 : FIRST_CHUNK_BYTES;
}

/* A new chunk in the list with room for `size_bytes`, zeroed. */
static uint8_t *
add_chunk(struct gvm_store *store, size_t size_bytes, size_t common_bytes)
{
    struct gvm__store_chunk *chunk;

    if (size_bytes > SIZE_MAX - sizeof(*chunk))
        return NULL;
    chunk = calloc(1, sizeof(*chunk) + size_bytes);
    if (chunk == NULL)
        return NULL;
    chunk->next = store->chunks;
    chunk->common_bytes = common_bytes;
    store->chunks = chunk;
    return chunk->bytes;
}

void *
gvm__store_allocate(struct gvm_store *store, size_t size_bytes)
{
    size_t common_bytes = common_bytes_of(store);
    uint8_t *piece;

    if (size_bytes > SIZE_MAX - (ALIGNMENT - 1))
        return NULL;
    if (CHUNK_PER_PIECE)
        return add_chunk(store, size_bytes, common_bytes);
    size_bytes = (size_bytes + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    if (size_bytes > store->arena_left_bytes) {
        size_t next_bytes = 2 * common_bytes < CHUNK_BYTES_MAX
                                ? 2 * common_bytes
                                : CHUNK_BYTES_MAX;
        /* Big pieces do not waste what is left for small ones. */
        if (size_bytes > next_bytes / 4)
            return add_chunk(store, size_bytes, common_bytes);
        piece = add_chunk(store, next_bytes, next_bytes);
        if (piece == NULL)
            return NULL;
        store->arena_next = piece;
        store->arena_left_bytes = next_bytes;
    }
    piece = store->arena_next;
    store->arena_next += size_bytes;
    store->arena_left_bytes -= size_bytes;
    return piece;
}

static uint64_t
value_or_default(uint64_t value, uint64_t default_)
{
    return value != 0 ? value : default_;
}

struct gvm_store_options
gvm__store_options(const struct gvm_store_options *options)
{
    static const struct gvm_store_options defaults;

    if (options == NULL)
        options = &defaults;
    return (struct gvm_store_options){
        .memory_bytes_max = value_or_default(options->memory_bytes_max,
                                             GVM_STORE_MEMORY_BYTES_MAX),
        .table_entries_max = value_or_default(options->table_entries_max,
                                              GVM_STORE_TABLE_ENTRIES_MAX),
        .value_stack_bytes = value_or_default(options->value_stack_bytes,
                                              GVM_VALUE_STACK_BYTES),
    };
}

enum gvm_status
gvm_store_create(struct gvm_engine *engine,
                 const struct gvm_store_options *options,
                 struct gvm_store **store)
{
    struct gvm_store_options complete = gvm__store_options(options);
    struct store_and_chunk *allocation;
    struct gvm_store *created;

    allocation = calloc(1, sizeof(*allocation));
    if (allocation == NULL)
        return GVM_NO_MEMORY;
    created = &allocation->store;
    created->arena_next = allocation->bytes;
    created->arena_left_bytes = FIRST_CHUNK_BYTES;
    created->engine = engine;
    created->memory_bytes_max = complete.memory_bytes_max;
    created->table_entries_max = complete.table_entries_max;
    created->value_stack_bytes = complete.value_stack_bytes;
    created->empty_memory.store = created;
    created->empty_memory.limits.has_max = true;
    created->empty_memory.data = (uint8_t *)&created->empty_words[1];
    *store = created;
    return GVM_OK;
}

void
gvm_store_destroy(struct gvm_store *store)
{
    struct gvm__store_chunk *chunk;

    if (store == NULL)
        return;
    gvm__memories_release(store, NULL);
    gvm__tables_release(store, NULL);
    gvm__host_funcs_release(store);
    while ((chunk = store->chunks) != NULL) {
        store->chunks = chunk->next;
        free(chunk);
    }
    free(store);
}
