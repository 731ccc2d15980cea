/*
 * timer.h - what is due, by the monotonic clock: a heap.
 *
 * A timer is part of what it stands for. The heap has room for a number of
 * them from the beginning, so setting one cannot fail. One thread at a time
 * uses a heap: the scheduler's lock guards it.
 */
#ifndef GLASS_RUNTIME_TIMER_H
#define GLASS_RUNTIME_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All zero: not set. */
struct runtime__timer {
    uint64_t at_ns;
    size_t place; /* in the heap, from 1; 0: it is not set */
};

struct runtime__timers {
    struct runtime__timer **heap; /* from 1 */
    size_t count;
    size_t count_max;
};

/* False when out of memory. */
bool
runtime__timers_init(struct runtime__timers *timers, size_t count_max);
/* Also for a structure of zeros. */
void
runtime__timers_deinit(struct runtime__timers *timers);

/* Sets it, or sets it to another time. There are fewer than `count_max`. */
void
runtime__timers_set(struct runtime__timers *timers,
                    struct runtime__timer *timer, uint64_t at_ns);

/* Does nothing for one that is not set. */
void
runtime__timers_clear(struct runtime__timers *timers,
                      struct runtime__timer *timer);

/* The one that is due first, or NULL. It stays set. */
struct runtime__timer *
runtime__timers_first(const struct runtime__timers *timers);

#endif
