/*
 * registry.h - the functions that are deployed now, in the order of their
 * names.
 *
 * Readers take a lock only to find a function and to count one reference;
 * whoever has a function needs no lock for it. Any thread may call anything
 * here, but changes are made by one at a time (runtime.deploy_lock).
 */
#ifndef GLASS_RUNTIME_REGISTRY_H
#define GLASS_RUNTIME_REGISTRY_H

#include "runtime/function.h"

#include <pthread.h>

struct runtime__registry {
    pthread_rwlock_t lock;
    struct runtime_function **functions; /* sorted */
    size_t count;
    size_t capacity;
};

void
runtime__registry_init(struct runtime__registry *registry);
/* Puts all functions back. */
void
runtime__registry_deinit(struct runtime__registry *registry);

/* A new reference to the function of that name, or NULL. */
struct runtime_function *
runtime__registry_find(struct runtime__registry *registry,
                       const char *namespace_, const char *name);

/* A new reference to a module that some function has, or NULL. */
struct runtime__module *
runtime__registry_find_module(struct runtime__registry *registry,
                              const char *digest);

/*
 * Makes sure that the next publication cannot fail. RUNTIME_LIMIT when there
 * are RUNTIME_FUNCTIONS_MAX functions, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__registry_reserve(struct runtime__registry *registry,
                          struct runtime_error *err);

/*
 * Puts a function where everybody finds it, in place of the one of its name,
 * and takes over the caller's reference. Room has been reserved.
 */
void
runtime__registry_publish(struct runtime__registry *registry,
                          struct runtime_function *function);

/* Removes the function of that name, if there is one. */
void
runtime__registry_remove(struct runtime__registry *registry,
                         const char *namespace_, const char *name);

/* Calls `visit` for each function, in order; nobody deploys meanwhile. */
void
runtime__registry_each(struct runtime__registry *registry,
                       void (*visit)(struct runtime_function *function,
                                     void *data),
                       void *data);

size_t
runtime__registry_count(struct runtime__registry *registry);

/*
 * New references to the functions of a namespace that begin with `prefix` and
 * come after `cursor`, at most `count_max`; returns how many. `more` says
 * whether there are others.
 */
size_t
runtime__registry_list(struct runtime__registry *registry,
                       const char *namespace_, const char *prefix,
                       const char *cursor,
                       struct runtime_function **functions, size_t count_max,
                       bool *more);

#endif
