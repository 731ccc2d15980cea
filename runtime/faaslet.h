/*
 * faaslet.h - a sandbox: one instance of a module with its memory, the limits
 * under which it runs, and what its imports need.
 *
 * Calls and programs both run in one. A program's is made for it; calls take
 * theirs from a pool (pool.h), whose faaslets are made from a snapshot and
 * reset after each call.
 *
 * A faaslet is used by one thread at a time.
 */
#ifndef GLASS_RUNTIME_FAASLET_H
#define GLASS_RUNTIME_FAASLET_H

#include "runtime/module.h"
#include "runtime/step.h"
#include "runtime/wait.h"
#include "runtime/wasi.h"

struct runtime_call;
struct runtime_function;
struct state_store;

/* What one faaslet may use. */
struct runtime__limits {
    uint64_t fuel;
    uint64_t memory_bytes;
    uint64_t table_entries; /* 0: the engine's own limit */
    uint64_t stack_bytes;   /* the same */
    uint64_t deadline_ns; /* of the monotonic clock; UINT64_MAX: none */
};

/* One unfinished state_list: the key after which it goes on. */
struct runtime__listing {
    uint64_t number; /* what the guest's cursor holds; 0: this one is free */
    size_t cursor_bytes;
    uint8_t cursor[STATE_KEY_BYTES_MAX];
};

/* One export that is to be run, after those before it. */
struct runtime__run {
    struct gvm_func *func;
    const char *name;   /* for messages; not copied */
    bool returns_code;  /* and any but 0 is a failure */
    /* As many as it has parameters; not copied, but before its first step. */
    const union gvm_value *arguments;
};

/* The start function and three that initialise. */
#define RUNTIME__RUNS_MAX 4

/* Unfinished lists that a faaslet may have at once. */
#define RUNTIME__LISTINGS_MAX 8

struct runtime__faaslet {
    struct runtime__module *module; /* not counted: the owner has it */
    struct gvm_store *vm_store;
    struct gvm_instance *instance;
    struct gvm_call *vm_call;
    struct gvm_memory *memory; /* memory 0, or NULL */

    struct runtime__limits limits;
    uint64_t fuel_granted; /* so far; what is left of it, vm_call knows */
    uint64_t slice_fuel;   /* of the next slice; 0: RUNTIME_SLICE_FUEL */

    /* What is to be run, and what is running or runs next. */
    struct runtime__run runs[RUNTIME__RUNS_MAX];
    unsigned run_count;
    unsigned run_next;
    enum gvm_suspension suspension; /* NONE: that has not begun */

    /* By the monotonic clock: when the wait that a step ended with is over by
     * itself (0: it is not), and the end of a sleep that goes on (0: none
     * does). */
    uint64_t until_ns;
    uint64_t sleeps_until_ns;

    struct runtime__wasi wasi;

    /* What the imports of `glass` need; NULL in a program. */
    struct runtime_call *call;
    struct state_store *store;
    const char *namespace_;

    struct runtime__wait *wait; /* made when it is first needed */
    struct runtime__listing *listings;
    uint64_t listing_number_last;
    struct runtime__locks *locks; /* made with the first one */
    struct runtime__regions *regions; /* the same */

    /* Of regions that are still in the memory and will go with its reset. */
    uint64_t mapped_bytes;

    bool is_warm; /* its memory is as another call left it */
    struct runtime__faaslet *next; /* in a pool */

    /* Between the end of a call and its going back (call_run.c). */
    struct runtime__waste waste;
    struct runtime_function *owner; /* counted */
    bool is_pooled;                 /* or it is only destroyed */
    bool keeps_memory;
};

/*
 * Makes an instance of the module. Nothing of it has run yet. The caller
 * fills `wasi` (but for its memory), `call`, `store` and `namespace_` then.
 *
 * Returns RUNTIME_TRAP (a segment does not fit), RUNTIME_OUT_OF_MEMORY (it
 * declares more memory or table than it may have) or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__faaslet_create(struct gvm_engine *engine,
                        struct runtime__module *module,
                        const struct runtime__limits *limits,
                        struct runtime__faaslet **faaslet,
                        struct runtime_error *err);

/*
 * The same, but as the snapshot is, which must outlive it: what initialises
 * has run. Returns RUNTIME_OUT_OF_MEMORY or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__faaslet_create_from(struct gvm_engine *engine,
                             struct runtime__module *module,
                             const struct gvm_snapshot *snapshot,
                             const struct runtime__limits *limits,
                             struct runtime__faaslet **faaslet,
                             struct runtime_error *err);

/* Freezes the instance. Returns RUNTIME_NO_MEMORY. */
enum runtime_status
runtime__faaslet_freeze(const struct runtime__faaslet *faaslet,
                        struct gvm_snapshot **snapshot,
                        struct runtime_error *err);

/* Gets one that has ended ready for another call, under these limits. */
void
runtime__faaslet_begin(struct runtime__faaslet *faaslet,
                       const struct runtime__limits *limits);

/*
 * Ends its call: nothing of it is left, but what the guest has in memory when
 * `keeps_memory`. It was made from a snapshot. False: it is only good to be
 * destroyed.
 */
bool
runtime__faaslet_end(struct runtime__faaslet *faaslet, bool keeps_memory);

void
runtime__faaslet_destroy(struct runtime__faaslet *faaslet);

/*
 * Adds to what is to be run: what comes before everything else (the start
 * function, `_initialize`, and `glass_init` or `_faasm_zygote`), or
 * `glass_restored`, where there is one, or an export that the module is known
 * to have. `name` and `arguments` have to stay until it has ended.
 */
void
runtime__faaslet_add_initialisers(struct runtime__faaslet *faaslet);
void
runtime__faaslet_add_restored(struct runtime__faaslet *faaslet);
void
runtime__faaslet_add(struct runtime__faaslet *faaslet, const char *name,
                     const union gvm_value *arguments);

/*
 * Runs what was added, for a slice of fuel. When it has ended, `*status` says
 * how, and nothing is left to be run:
 *
 * RUNTIME_OK, RUNTIME_TRAP, RUNTIME_EXHAUSTED, RUNTIME_OUT_OF_FUEL,
 * RUNTIME_TIMEOUT, RUNTIME_OUT_OF_MEMORY, RUNTIME_EXITED (proc_exit, with any
 * code: see `wasi`), RUNTIME_FAILED (what initialises returned another number
 * than 0) or RUNTIME_NO_MEMORY.
 *
 * When it waits, `until_ns` is when that ends by itself.
 */
enum runtime__step
runtime__faaslet_step(struct runtime__faaslet *faaslet,
                      enum runtime_status *status,
                      struct runtime_error *err);

/* The last slice took so long of a processor: fits the next ones to that. */
void
runtime__faaslet_fit_slice(struct runtime__faaslet *faaslet,
                           uint64_t slice_ns);

/* The results of what was added last and ended with RUNTIME_OK, until
 * something else is run. */
const union gvm_value *
runtime__faaslet_results(const struct runtime__faaslet *faaslet);

/* Runs what was added to its end, where no host function parks. Returns as
 * runtime__faaslet_step does. */
enum runtime_status
runtime__faaslet_finish(struct runtime__faaslet *faaslet,
                        struct runtime_error *err);

/* Runs an export to its end in the same way; `results` may be NULL. */
enum runtime_status
runtime__faaslet_run(struct runtime__faaslet *faaslet, const char *name,
                     const union gvm_value *arguments,
                     const union gvm_value **results,
                     struct runtime_error *err);

uint64_t
runtime__faaslet_fuel_used(const struct runtime__faaslet *faaslet);
uint64_t
runtime__faaslet_fuel_left(const struct runtime__faaslet *faaslet);
uint64_t
runtime__faaslet_memory_bytes(const struct runtime__faaslet *faaslet);

#endif
