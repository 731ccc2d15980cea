/*
 * internal.h - the runtime itself: what its files share.
 *
 * Everything but the counters and what the registry's lock guards is set when
 * the runtime is created and does not change.
 */
#ifndef GLASS_RUNTIME_INTERNAL_H
#define GLASS_RUNTIME_INTERNAL_H

#include "runtime/chain.h"
#include "runtime/keep.h"
#include "runtime/kept.h"
#include "runtime/random.h"
#include "runtime/registry.h"
#include "runtime/runtime.h"
#include "runtime/scheduler.h"
#include "runtime/tenant.h"
#include "runtime/vault.h"
#include "runtime/wasi.h"

#include <pthread.h>
#include <stdatomic.h>

struct runtime {
    struct runtime_options options; /* no field of it is zero by default */
    struct gvm_engine *engine;
    bool guard;
    unsigned groups; /* of host functions that there are */
    struct runtime__registry registry;
    struct runtime__scheduler scheduler;
    struct runtime__tenants tenants; /* of its queue */
    struct runtime__idle idle;
    pthread_mutex_t reclaim_lock; /* one at a time is enough */
    struct runtime__random random;
    int files_root; /* of `files_dir`, or -1 */
    struct runtime__wasi_budget descriptors;
    struct runtime__vault *vault; /* NULL: no secrets */

    /* Held while functions are written down and published. */
    pthread_mutex_t deploy_lock;
    struct runtime__keep *keep; /* NULL: they are forgotten */

    struct runtime__children children;
    struct runtime__kept_calls kept;

    atomic_uint call_count;
    atomic_ullong started_count;
    atomic_ullong denied_count; /* accesses that were not granted */
};

/*
 * call_wait.c: makes a sandbox of the function, initialises it, and freezes it
 * for the calls to come. It counts as a call.
 */
enum runtime_status
runtime__call_initialise(struct runtime *runtime,
                         struct runtime_function *function,
                         struct runtime_error *err);

/*
 * deploy.c: keeps the snapshot that a function has been given after its
 * deployment, if that is still the one in force. Without it, the function is
 * initialised again after a restart.
 */
void
runtime__deploy_keep_snapshot(struct runtime *runtime,
                              struct runtime_function *function);

/* runtime.c: what the memories of one sandbox may take. */
uint64_t
runtime__memory_bytes(const struct runtime *runtime,
                      const struct runtime_config *config);

/*
 * What a configuration says of what the runtime bounds to `max`: that, or less.
 * One that was kept may be from a time when it was allowed more.
 */
static inline uint64_t
runtime__lower(uint64_t of_function, uint64_t max)
{
    return of_function && of_function < max ? of_function : max;
}

/* RUNTIME_LIMIT when the configuration wants more than it may have. */
enum runtime_status
runtime__deploy_check_config(const struct runtime *runtime,
                             const struct runtime_config *config,
                             struct runtime_error *err);

#endif
