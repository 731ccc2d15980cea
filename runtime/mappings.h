/*
 * mappings.h - how many sandboxes the system lets there be.
 *
 * A process may have so many mappings (Linux: vm.max_map_count), and a
 * sandbox takes a few. Nothing here has a state; any thread may call it.
 */
#ifndef GLASS_RUNTIME_MAPPINGS_H
#define GLASS_RUNTIME_MAPPINGS_H

#include "runtime/runtime.h"

/* What one sandbox takes at most: the parts of its memory and its stack. */
#define RUNTIME__SANDBOX_MAPPINGS 5

/* The system's limit, or UINT64_MAX where there is none to be found. */
uint64_t
runtime__mappings_max(void);

/*
 * Lowers `calls_max` and `idle_max` until so many sandboxes fit, in calls and
 * waiting, beside a snapshot of each function and a twentieth that is left
 * to others. Neither becomes 0. False: nothing had to be lowered.
 */
bool
runtime__mappings_fit(uint64_t mappings_max, unsigned *calls_max,
                      unsigned *idle_max);

#endif
