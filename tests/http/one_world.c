/* one_world.c - see one_world.h. */
#include "tests/http/one_world.h"

struct http_world world;

void
open_world(void)
{
    http_world_open(&world, NULL);
}

void
close_world(void)
{
    http_world_close(&world);
}
