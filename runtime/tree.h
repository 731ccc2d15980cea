/*
 * tree.h - the calls that came of one: who called whom, when, and how it
 * ended.
 *
 * A tree begins with a call that nobody called from within, and has one entry
 * for each call that was made in it, also after that has ended: how many those
 * may be is a limit. It stays as long as somebody has a reference.
 *
 * Its lock also guards the children of all its calls (chain.h). Whoever holds
 * it may take the scheduler's, and no other; guest memory is not touched
 * meanwhile.
 */
#ifndef GLASS_RUNTIME_TREE_H
#define GLASS_RUNTIME_TREE_H

#include "runtime/calls.h"

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

struct runtime__tree_entry;

struct runtime__tree {
    pthread_mutex_t lock;
    /* The rest is under it. */
    size_t references;
    struct runtime__tree_entry *entries; /* who called before whom he called */
    size_t count;
    size_t capacity;
    /* Of their functions, each once. */
    char (*names)[RUNTIME_NAME_BYTES_MAX + 1];
    size_t name_count;
    size_t name_capacity;
};

/* One reference, no entries. NULL when out of memory. */
struct runtime__tree *
runtime__tree_create(void);

struct runtime__tree *
runtime__tree_share(struct runtime__tree *tree);
/* NULL is fine. Not with the lock held. */
void
runtime__tree_put(struct runtime__tree *tree);

/*
 * Enters a call, by the 16 bytes of its identity, that began at `begun_ns` of
 * the monotonic clock. `parent` is who called it, or RUNTIME_NO_PARENT.
 * Returns RUNTIME_LIMIT when there are RUNTIME_TREE_CALLS_MAX, or
 * RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__tree_enter(struct runtime__tree *tree, const uint8_t *id_bytes,
                    const char *function, uint32_t parent, uint64_t begun_ns,
                    uint32_t *entry, struct runtime_error *err);

/* With the lock held: takes down that a call has ended, and how. */
void
runtime__tree_end(struct runtime__tree *tree, uint32_t entry,
                  enum runtime_status status, uint64_t ended_ns);

/*
 * Copies `first` and all that came of it, in the order in which they were
 * made. Returns RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__tree_graph(struct runtime__tree *tree, uint32_t first,
                    struct runtime_graph *graph, struct runtime_error *err);

#endif
