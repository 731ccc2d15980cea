/* The heap of a shard's locks: see lock_heap.h. */
#include "state/lock_heap.h"

#include <assert.h>
#include <stdlib.h>

#define CAPACITY_MIN 16

void
state__lock_heap_deinit(struct state__lock_heap *heap)
{
    free(heap->ends);
    *heap = (struct state__lock_heap){0};
}

/* Every change of an end's place goes through here. */
static void
place(struct state__lock_heap *heap, size_t i, struct state__lock_end *end)
{
    heap->ends[i] = end;
    end->place = i + 1;
}

/* Puts an end that belongs at index i, or wherever it has to go from there. */
static void
settle(struct state__lock_heap *heap, size_t i, struct state__lock_end *end)
{
    size_t child;

    for (; i > 0 && heap->ends[(i - 1) / 2]->due_ms > end->due_ms;
         i = (i - 1) / 2)
        place(heap, i, heap->ends[(i - 1) / 2]);
    for (; (child = 2 * i + 1) < heap->count; i = child) {
        if (child + 1 < heap->count &&
            heap->ends[child + 1]->due_ms < heap->ends[child]->due_ms)
            child++;
        if (end->due_ms <= heap->ends[child]->due_ms)
            break;
        place(heap, i, heap->ends[child]);
    }
    place(heap, i, end);
}

bool
state__lock_heap_add(struct state__lock_heap *heap,
                     struct state__lock_end *end, uint64_t due_ms)
{
    assert(end->place == 0);
    if (heap->count == heap->capacity) {
        size_t capacity = heap->capacity * 2;
        struct state__lock_end **ends;

        if (capacity == 0)
            capacity = CAPACITY_MIN;
        ends = realloc(heap->ends, capacity * sizeof(*ends));
        if (ends == NULL)
            return false;
        heap->ends = ends;
        heap->capacity = capacity;
    }
    end->due_ms = due_ms;
    settle(heap, heap->count++, end);
    return true;
}

void
state__lock_heap_change(struct state__lock_heap *heap,
                        struct state__lock_end *end, uint64_t due_ms)
{
    assert(end->place > 0);
    end->due_ms = due_ms;
    settle(heap, end->place - 1, end);
}

void
state__lock_heap_remove(struct state__lock_heap *heap,
                        struct state__lock_end *end)
{
    size_t i = end->place;

    assert(i > 0);
    end->place = 0;
    heap->count--;
    /* The last one takes the place, unless it was the one that left. */
    if (i - 1 < heap->count)
        settle(heap, i - 1, heap->ends[heap->count]);
}
