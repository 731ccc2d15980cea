/*
 * listing.h - the lists of keys that a guest asks for in parts: how entries
 * lie in its memory, and where an unfinished list goes on.
 *
 * The guest's cursor is a number and not a key, so that it fits eight bytes
 * whatever the key; the keys are kept in the faaslet, a few of them, and are
 * gone with its call. The thread that runs the call calls this.
 */
#ifndef GLASS_RUNTIME_LISTING_H
#define GLASS_RUNTIME_LISTING_H

#include "runtime/faaslet.h"

/* What an entry takes besides its key: version, value length, key length. */
#define RUNTIME__ENTRY_BYTES (8u + 8 + 4)

/* The unfinished list of that number; 0 is a new one. NULL: there is none of
 * that number, none is free, or no memory. */
struct runtime__listing *
runtime__listing_find(struct runtime__faaslet *faaslet, uint64_t number);

/*
 * Writes as many of the operation's entries as fit; returns how many, and in
 * `written_bytes` how long they are.
 */
size_t
runtime__listing_write(const struct state_operation *operation,
                       uint8_t *target, uint32_t capacity_bytes,
                       uint32_t *written_bytes);

/* Keeps where a list goes on, or frees its place when it does not. Returns
 * its number, or 0. */
uint64_t
runtime__listing_keep(struct runtime__faaslet *faaslet,
                      struct runtime__listing *listing,
                      const struct state_operation *operation,
                      size_t written_count);

#endif
