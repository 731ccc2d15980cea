/*
 * What the engine did, for builds that count it (GLASS_VM_COUNT_DISPATCHES).
 */
#ifndef GLASS_CLI_DISPATCHES_H
#define GLASS_CLI_DISPATCHES_H

#include <stddef.h>
#include <stdint.h>

#ifdef GVM_COUNT_DISPATCHES
#define DISPATCHES_OPTIONS(X, H)                                              \
    X(H, NUMBER, dispatches, "dispatches", "COUNT",                           \
      "say at the end which COUNT operations were done most")
#else
#define DISPATCHES_OPTIONS(X, H)
#endif

/*
 * Prints to stderr how many operations were done since the process began and
 * the fuel that they took, then the `count` most frequent handlers and pairs.
 */
void
dispatches_print(uint64_t fuel_used, size_t count);

#endif
