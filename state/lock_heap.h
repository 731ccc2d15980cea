/*
 * When the claims of a shard's locks end: a binary heap by time, the first
 * one first. Every claim is in it, from when it is made until it ends: a
 * claim that waits with the end of its waiting, one that holds with the end
 * of its lease.
 *
 * Only under the shard's lock.
 */
#ifndef GLASS_STATE_LOCK_HEAP_H
#define GLASS_STATE_LOCK_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A claim's part of it. */
struct state__lock_end {
    uint64_t due_ms;
    size_t place; /* its index in the heap, plus one; 0: it is not there */
};

struct state__lock_heap {
    struct state__lock_end **ends;
    size_t count;
    size_t capacity;
};

/* A heap of zeros is empty and ready. Frees the heap, not the claims. */
void
state__lock_heap_deinit(struct state__lock_heap *heap);

/* The first end, or null. */
static inline struct state__lock_end *
state__lock_heap_first(const struct state__lock_heap *heap)
{
    return heap->count > 0 ? heap->ends[0] : NULL;
}

/* Adds an end that is not there; false without memory. */
bool
state__lock_heap_add(struct state__lock_heap *heap,
                     struct state__lock_end *end, uint64_t due_ms);

/* Changes when it is due. */
void
state__lock_heap_change(struct state__lock_heap *heap,
                        struct state__lock_end *end, uint64_t due_ms);

/* Takes it out. */
void
state__lock_heap_remove(struct state__lock_heap *heap,
                        struct state__lock_end *end);

#endif
