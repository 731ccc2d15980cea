/*
 * Calls that come of others. What holds for every function of
 * runtime/runtime.h holds here.
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

    /* RUNTIME_PENDING: it has not ended. One that ended in another way after
     * its parent is CANCELLED or whatever came first. */
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

#ifdef __cplusplus
}
#endif

#endif
