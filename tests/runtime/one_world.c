/* one_world.c - for tests: see one_world.h. */
#include "tests/runtime/one_world.h"

#include <time.h>

struct world world;

void
open_world(void)
{
    world_open(&world, NULL);
}

void
close_world(void)
{
    world_close(&world);
}

void
count_end(struct runtime_call *call, void *data)
{
    (void)call;
    atomic_fetch_add((atomic_uint *)data, 1);
}

void
wait_for(atomic_uint *count, unsigned value)
{
    static const struct timespec step = {.tv_nsec = 100000};

    while (atomic_load(count) < value)
        nanosleep(&step, NULL);
}
