/*
 * one_world.h - the world that each test of a suite has to itself: its fixture
 * is open_world, or one of the suite's own, and close_world.
 */
#ifndef GLASS_TESTS_HTTP_ONE_WORLD_H
#define GLASS_TESTS_HTTP_ONE_WORLD_H

#include "tests/support/http_world.h"

extern struct http_world world;

/* Opens it without options. */
void
open_world(void);

void
close_world(void);

#endif
