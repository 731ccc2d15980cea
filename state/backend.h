/*
 * What a backend is to the store. The store has checked an operation's inputs
 * except the namespace's name before a backend sees it.
 *
 * To add a backend: a file backend_<name>.c with a state__<name>_open, and a
 * line in the table of store.c.
 */
#ifndef GLASS_STATE_BACKEND_H
#define GLASS_STATE_BACKEND_H

#include "state/state.h"

struct state__backend;

struct state__backend_class {
    const char *name;

    /* Whether it has locks and watches; they are refused otherwise. */
    bool has_locks;

    /* The contract of state_store_submit. */
    enum state_status (*submit)(struct state__backend *backend,
                                struct state_operation *operation);

    /* The contract of state_store_cancel; null where nothing can be. */
    void (*cancel)(struct state__backend *backend,
                   struct state_operation *operation);

    /* Sets `up` and `message`; the store has set the rest. */
    void (*health)(struct state__backend *backend,
                   struct state_health *health);

    /* The contract of state_store_set_durability; null where none is. */
    enum state_status (*set_durability)(struct state__backend *backend,
                                        const char *namespace_,
                                        enum state_durability durability,
                                        struct state_error *err);

    /*
     * The contracts of state_store_set_quota and state_store_stats, with
     * inputs that have been checked; null: unsupported.
     */
    enum state_status (*set_quota)(struct state__backend *backend,
                                   const char *namespace_,
                                   const struct state_quota *quota);
    enum state_status (*stats)(struct state__backend *backend,
                               const char *namespace_,
                               struct state_stats *stats);

    /* The contract of state_store_map, with a key that has been checked. */
    enum state_status (*map)(struct state__backend *backend,
                             const struct state_mapping_options *options,
                             struct state_mapping **mapping);

    /* Ends what is under way, then frees the backend. */
    void (*close)(struct state__backend *backend);
};

/* The first member of every backend's struct. */
struct state__backend {
    const struct state__backend_class *class;
};

/*
 * Open a backend. `options` are complete: every field that the backend looks
 * at has its value or default, and the URL is the backend's.
 */
enum state_status
state__memory_open(const struct state_options *options,
                   struct state__backend **backend, struct state_error *err);

enum state_status
state__lmdb_open(const struct state_options *options,
                 struct state__backend **backend, struct state_error *err);

enum state_status
state__redis_open(const struct state_options *options,
                  struct state__backend **backend, struct state_error *err);

#endif
