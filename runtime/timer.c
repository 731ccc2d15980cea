/*
 * timer.c - what is due: a binary heap, whose first is the earliest. Each
 * timer knows its place, so that it can be cleared without a search. See
 * timer.h.
 */
#include "runtime/timer.h"

#include <assert.h>
#include <stdlib.h>

bool
runtime__timers_init(struct runtime__timers *timers, size_t count_max)
{
    /* Not touched before it is used: a large maximum costs nothing. */
    timers->heap = malloc((count_max + 1) * sizeof(*timers->heap));
    timers->count = 0;
    timers->count_max = count_max;
    return timers->heap != NULL;
}

void
runtime__timers_deinit(struct runtime__timers *timers)
{
    free(timers->heap);
    timers->heap = NULL;
}

static void
place(struct runtime__timers *timers, struct runtime__timer *timer,
      size_t where)
{
    timers->heap[where] = timer;
    timer->place = where;
}

/* Moves a timer to where it belongs, up or down from `where`. */
static void
settle(struct runtime__timers *timers, struct runtime__timer *timer,
       size_t where)
{
    struct runtime__timer **heap = timers->heap;

    for (; where > 1 && heap[where / 2]->at_ns > timer->at_ns; where /= 2)
        place(timers, heap[where / 2], where);
    for (;;) {
        size_t child = where * 2;
        if (child < timers->count &&
            heap[child + 1]->at_ns < heap[child]->at_ns)
            child++;
        if (child > timers->count || heap[child]->at_ns >= timer->at_ns)
            break;
        place(timers, heap[child], where);
        where = child;
    }
    place(timers, timer, where);
}

void
runtime__timers_set(struct runtime__timers *timers,
                    struct runtime__timer *timer, uint64_t at_ns)
{
    timer->at_ns = at_ns;
    if (timer->place == 0) {
        assert(timers->count < timers->count_max);
        timer->place = ++timers->count;
    }
    settle(timers, timer, timer->place);
}

void
runtime__timers_clear(struct runtime__timers *timers,
                      struct runtime__timer *timer)
{
    size_t where = timer->place;

    if (where == 0)
        return;
    timer->place = 0;
    struct runtime__timer *last = timers->heap[timers->count--];
    if (last != timer)
        settle(timers, last, where);
}

struct runtime__timer *
runtime__timers_first(const struct runtime__timers *timers)
{
    return timers->count > 0 ? timers->heap[1] : NULL;
}
