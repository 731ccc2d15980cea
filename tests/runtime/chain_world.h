/*
 * chain_world.h - for tests: a world whose functions may call each other.
 */
#ifndef GLASS_TESTS_RUNTIME_CHAIN_WORLD_H
#define GLASS_TESTS_RUNTIME_CHAIN_WORLD_H

#include "tests/runtime/world.h"

/*
 * Opens it, with a lot of time for calls unless the options say otherwise, and
 * with the guest "chain", and with "printing", which prints "!",
 * "plain", of plain exports, and "other", which nobody may call.
 */
void
chain_world_open(struct world *world, const struct runtime_options *options);

/* Deploys under a name, with these bounds of the configuration and grants to
 * call all those but "other", and some more. The builder goes. */
void
chain_world_deploy_built(struct world *world, const char *name,
                         struct module_builder *builder,
                         uint64_t concurrency, uint64_t queue);
/* The same for a guest in C, without bounds. */
void
chain_world_deploy(struct world *world, const char *name, const char *guest);

/* Waits until there is no call in the runtime. */
void
chain_world_settle(struct world *world);

#endif
