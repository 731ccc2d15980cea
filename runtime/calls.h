/*
 * Calls that come of others, and calls that are kept by their identity. What
 * holds for every function of runtime/runtime.h holds here.
 */
#ifndef GLASS_RUNTIME_CALLS_H
#define GLASS_RUNTIME_CALLS_H

#include "runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/* ---- Graphs ----------------------------------------------------------- */

/* The parent of a call that nobody called from within. */
#define RUNTIME_NO_PARENT UINT32_MAX

/* One call of a graph. */
struct runtime_graph_call {
    char id[RUNTIME_CALL_ID_SIZE];
    char function[RUNTIME_NAME_BYTES_MAX + 1];

    /* Who called it, by its place in the graph; the first has
     * RUNTIME_NO_PARENT. */
    uint32_t parent;

    /* RUNTIME_PENDING: it has not ended. */
    enum runtime_status status;

    /* Since the first one began; `ended_ns` is 0 while it is pending. */
    uint64_t begun_ns;
    uint64_t ended_ns;
};

/* Who called whom: a call, and then all that came of it, in the order in
 * which they were made. */
struct runtime_graph {
    struct runtime_graph_call *calls;
    size_t count;
};

/*
 * The graph of a call that has ended. What it left behind is cancelled, and
 * may show as pending for a moment. Returns RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_call_graph(const struct runtime_call *call,
                   struct runtime_graph *graph, struct runtime_error *err);

/* A graph of zeros is fine. */
void
runtime_graph_deinit(struct runtime_graph *graph);

/* ---- Calls that are kept ---------------------------------------------- */

/*
 * A call that runs without anybody who has it. Whoever knows its identity can
 * ask how it stands and, when it has ended, what came of it, for a while:
 * results are kept for `kept_ms`, RUNTIME_KEPT_CALLS_MAX of them and
 * RUNTIME_KEPT_BYTES_MAX at most, of which the last one may be longer; the
 * oldest go first. Nothing of it survives the runtime.
 */
struct runtime_kept;

/*
 * Starts a call that was not started, on a worker, and takes it over. It is
 * known by its identity then: copy that before. Returns RUNTIME_BUSY or
 * RUNTIME_NO_MEMORY; the call is still the caller's then, to be destroyed.
 */
enum runtime_status
runtime_call_keep(struct runtime_call *call, struct runtime_error *err);

/* Finds one, until it is put back. Returns RUNTIME_NOT_FOUND. */
enum runtime_status
runtime_kept_get(struct runtime *runtime, const char *namespace_,
                 const char *id, struct runtime_kept **kept,
                 struct runtime_error *err);

/* NULL is fine. */
void
runtime_kept_put(struct runtime_kept *kept);

struct runtime_kept_info {
    const char *id;
    const char *function;
    bool calls_export; /* by name: its values are the answer */

    /* Milliseconds since 1970 (UTC); `ended_ms` is 0 while it is pending. */
    uint64_t begun_ms;
    uint64_t ended_ms;

    /* Null: it is pending. */
    const struct runtime_result *result;
};

/* All of it lives until the call is put back. */
void
runtime_kept_info(struct runtime_kept *kept, struct runtime_kept_info *info);

/* As runtime_call_graph, also while it is pending. */
enum runtime_status
runtime_kept_graph(struct runtime_kept *kept, struct runtime_graph *graph,
                   struct runtime_error *err);

/* Ends a pending call soon, as RUNTIME_CANCELLED; forgets one that ended. */
void
runtime_kept_delete(struct runtime_kept *kept);

/* Somebody who waits for a kept call. */
struct runtime_kept_wait;

/*
 * Waits until the call has ended, for `timeout_ms` at most, and then calls
 * `complete` once, on any thread, under no lock; it must not block. Destroy
 * the wait afterwards. Returns RUNTIME_PENDING; or RUNTIME_OK, since the call
 * has ended, RUNTIME_BUSY (RUNTIME_KEPT_WAITS_MAX), RUNTIME_SYSTEM (no thread
 * to keep the time) or RUNTIME_NO_MEMORY: then there is no wait.
 */
enum runtime_status
runtime_kept_wait(struct runtime_kept *kept, uint64_t timeout_ms,
                  void (*complete)(void *data), void *data,
                  struct runtime_kept_wait **wait);

/* Ends a wait before its time: `complete` is called, unless it was. */
void
runtime_kept_wait_end(struct runtime_kept_wait *wait);

/* Once `complete` was called. NULL is fine. */
void
runtime_kept_wait_destroy(struct runtime_kept_wait *wait);

/* Every call that was kept is one of these. */
struct runtime_kept_statistics {
    uint64_t accepted_count;  /* ever */
    uint64_t pending_count;   /* now */
    uint64_t ended_count;     /* that can be asked for now */
    uint64_t forgotten_count; /* ever */
    uint64_t ended_bytes;     /* of the results */
};

void
runtime_kept_statistics(struct runtime *runtime,
                        struct runtime_kept_statistics *statistics);

/* Ends all that are pending, as runtime_kept_delete does. */
void
runtime_kept_cancel_all(struct runtime *runtime);

#ifdef __cplusplus
}
#endif

#endif
