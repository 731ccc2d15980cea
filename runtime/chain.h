/*
 * chain.h - calls that a call makes: its children.
 *
 * A child is a call like any other: it is counted, it queues, and it has a
 * sandbox of its own. Its parent knows it by a handle, which holds its result
 * when it has ended: the buffer that the child wrote its output to. A child
 * ends when its parent does, by being cancelled, and never has more time than
 * he.
 *
 * A call that waits for its children keeps its place at its function's gate
 * (`concurrency`). So whatever is called below such a place never queues for
 * another one: it is let in at once or refused. Nobody holds a place and waits
 * for one, and so no circle of calls can wait for itself.
 *
 * What a parent does is on its call's thread. Children end on any thread.
 */
#ifndef GLASS_RUNTIME_CHAIN_H
#define GLASS_RUNTIME_CHAIN_H

#include "runtime/tree.h"

#include <stdbool.h>

struct runtime__child;

/* A handle's place: `child` NULL is a free one. */
struct runtime__handle {
    struct runtime__child *child;
    uint32_t turn; /* how often the place was used */
};

/* What a call has that is a child or has children. */
struct runtime__chain {
    struct runtime__tree *tree; /* counted */
    uint32_t entry;             /* in the tree */
    uint32_t depth;             /* of how many it is a descendant */
    bool is_below_gate;         /* one of those holds a place at a gate */
    uint64_t deadline_ns_max;   /* its parent's; UINT64_MAX: it has none */

    /* The call's own: when what it awaits is over; 0: it awaits nothing. */
    uint64_t awaits_until_ns;

    /* Under the tree's lock. */
    struct runtime__handle *handles;
    size_t handle_count; /* places, also free ones */
    size_t child_count;
    uint64_t held_bytes; /* inputs of who runs, results of who has ended */
    uint32_t await;      /* a number for each time that it awaits */
    bool awaits;
};

/*
 * Has a call begin a tree before it needs one; its graph can be read then while
 * it runs. Nobody called it from within. Returns RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__chain_begin(struct runtime_call *call, struct runtime_error *err);

/* What to call. */
struct runtime__chain_order {
    const char *name; /* of a function in the caller's namespace */
    const void *input;
    size_t input_bytes;
    uint64_t timeout_ms; /* 0: the function's own */
};

/*
 * Starts a child, on a worker. `handle` is above zero.
 *
 * Returns RUNTIME_LIMIT (depth, children, bytes, the tree's calls), or as
 * runtime_call_create does, or RUNTIME_BUSY also where the function's
 * `concurrency` is used up, or RUNTIME_INVALID for plain exports; err says
 * which.
 */
enum runtime_status
runtime__chain_call(struct runtime_call *parent,
                    const struct runtime__chain_order *order,
                    int32_t *handle, struct runtime_error *err);

/* The answers of runtime__chain_await that are no index. */
enum {
    RUNTIME__CHAIN_UNKNOWN = -1, /* one of them is no handle */
    RUNTIME__CHAIN_NONE = -2,    /* none has ended; the call will be woken */
};

/* The place of the first of the handles whose child has ended. */
int32_t
runtime__chain_await(struct runtime_call *parent, const int32_t *handles,
                     size_t count);

/* What an ended child left behind: its output, or its message when it did not
 * end with RUNTIME_OK. */
struct runtime__chain_result {
    enum runtime_status status; /* RUNTIME_PENDING: it has not ended */
    const uint8_t *bytes;       /* until the handle is given up */
    size_t length_bytes;
};

/* False when it is no handle. */
bool
runtime__chain_result(struct runtime_call *parent, int32_t handle,
                      struct runtime__chain_result *result);

/* Gives up a handle, and ends its child if need be. False when it is none. */
bool
runtime__chain_cancel(struct runtime_call *parent, int32_t handle);

/* The call has ended: so do its children. Afterwards nothing wakes it. */
void
runtime__chain_end(struct runtime_call *call);

/* Frees what the call has; NULL is fine. */
void
runtime__chain_destroy(struct runtime__chain *chain);

/* ---- Of a runtime ------------------------------------------------------- */

/* Children that have not ended: their parents may be gone. */
struct runtime__children {
    pthread_mutex_t lock;
    pthread_cond_t none;
    size_t count;
};

void
runtime__children_init(struct runtime__children *children);
/* Waits until there are none: all other calls have ended. */
void
runtime__children_deinit(struct runtime__children *children);

#endif
