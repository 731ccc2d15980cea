/*
 * tenant.h - what the functions of a namespace have in common while they run:
 * their turn, and how many calls there may be.
 *
 * A tenant is there as long as a function of its namespace is. Any thread may
 * call what is here.
 */
#ifndef GLASS_RUNTIME_TENANT_H
#define GLASS_RUNTIME_TENANT_H

#include "runtime/queue.h"
#include "runtime/runtime.h"

#include <pthread.h>
#include <stdatomic.h>

struct runtime__tenants;

struct runtime__tenant {
    struct runtime__queue_node node; /* its functions' parent */
    struct runtime__tenants *tenants;
    struct runtime__tenant *next;
    size_t references;
    atomic_uint call_count; /* of its functions, that exist */
    char namespace_[RUNTIME_NAME_BYTES_MAX + 1];
};

enum { runtime__tenants_buckets = 256 };

/* All of a runtime, by name. */
struct runtime__tenants {
    pthread_mutex_t lock;
    struct runtime__queue_node *root;
    struct runtime__tenant *buckets[runtime__tenants_buckets];
};

/* `root` is what the tenants queue for. */
void
runtime__tenants_init(struct runtime__tenants *tenants,
                      struct runtime__queue_node *root);
/* All tenants have been put back. */
void
runtime__tenants_deinit(struct runtime__tenants *tenants);

/* The namespace's, which is new if need be. NULL when out of memory. */
struct runtime__tenant *
runtime__tenant_get(struct runtime__tenants *tenants,
                    const char *namespace_);
/* NULL is fine. */
void
runtime__tenant_put(struct runtime__tenant *tenant);

#endif
