/*
 * one_world.h - for tests: the world that each test of a suite has to itself.
 * Its fixture is open_world, or one of the suite's own, and close_world.
 */
#ifndef GLASS_TESTS_RUNTIME_ONE_WORLD_H
#define GLASS_TESTS_RUNTIME_ONE_WORLD_H

#include "tests/runtime/world.h"

#include <stdatomic.h>

extern struct world world;

/* Opens it without options. */
void
open_world(void);
void
close_world(void);

/* What a call's `complete` is given: counts the ends in an atomic_uint. */
void
count_end(struct runtime_call *call, void *data);

/* Sleeps until so many have ended. */
void
wait_for(atomic_uint *count, unsigned value);

#endif
