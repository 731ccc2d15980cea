/*
 * function.h - a module that is deployed under a name, in one version.
 *
 * It never changes once it is published; another deployment makes another
 * one. Functions are counted, so a call keeps the version it began with. Any
 * thread may use one.
 */
#ifndef GLASS_RUNTIME_FUNCTION_H
#define GLASS_RUNTIME_FUNCTION_H

#include "runtime/gate.h"
#include "runtime/module.h"
#include "runtime/pool.h"
#include "runtime/rate.h"
#include "runtime/runtime.h"
#include "runtime/tenant.h"

#include <stdatomic.h>

struct runtime_function {
    atomic_size_t references;
    char namespace_[RUNTIME_NAME_BYTES_MAX + 1];
    char name[RUNTIME_NAME_BYTES_MAX + 1];
    struct runtime__module *module; /* counted */
    struct runtime_config *config;  /* owned */
    uint64_t version;
    uint64_t deployed_ms;
    /* The digest of the file that says all this; empty: there is none. */
    char record[RUNTIME_DIGEST_SIZE];
    struct runtime__pool pool;
    struct runtime__rate log_rate; /* of the logs of its calls */

    /* Its calls queue here, for the tenant (scheduler.h). */
    struct runtime__queue_node node;
    struct runtime__tenant *tenant; /* counted */

    struct runtime__gate gate; /* for what `concurrency` allows */

    /* Not 0: its calls have outlived their first slice of late. */
    atomic_uint outlived;

    /* The first call of a function that was not initialised does that, and
     * the others wait (call_first.c). Under the lock. */
    pthread_mutex_t first_lock;
    bool is_initialising;
    struct runtime_call *first_waiting;
};

/*
 * Makes a function with one reference. Takes over the caller's reference of
 * `module` and the block `config`, also on failure. NULL: out of memory.
 */
struct runtime_function *
runtime__function_create(const char *namespace_, const char *name,
                         struct runtime__module *module,
                         struct runtime_config *config);

/* Has its calls queue for its tenant; false when out of memory. */
bool
runtime__function_join(struct runtime_function *function,
                       struct runtime__tenants *tenants);

/* One more reference; returns the function. */
struct runtime_function *
runtime__function_share(struct runtime_function *function);

/* The order of functions: by namespace, then by name. */
int
runtime__function_compare(const struct runtime_function *function,
                          const char *namespace_, const char *name);

/* RUNTIME_INVALID when one of the two cannot be a name. */
enum runtime_status
runtime__function_check_names(const char *namespace_, const char *name,
                              struct runtime_error *err);

#endif
