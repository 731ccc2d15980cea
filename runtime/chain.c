/*
 * chain.c - calls that a call makes. See chain.h.
 *
 * A child and its handle have two sides that end in any order: the call, which
 * ends on any thread, and the parent, which gives the handle up. Under the
 * tree's lock each forgets the other, and who comes second frees what is left.
 * The parent is woken with the lock held, so that he cannot be gone meanwhile.
 */
#include "runtime/chain.h"

#include "runtime/call.h"
#include "runtime/error.h"
#include "runtime/internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* A handle is a place, and in the bits above how often that was used. */
#define PLACES RUNTIME_CHILDREN_MAX
#define TURNS (INT32_MAX / PLACES)

_Static_assert((PLACES & (PLACES - 1)) == 0, "a place is some of the bits");

struct runtime__child {
    struct runtime_call *parent; /* NULL: the handle was given up */
    struct runtime_call *call;   /* NULL: it has ended */
    uint64_t held_bytes;         /* of its parent's */
    uint32_t await;              /* it is awaited when this is the parent's */
    enum runtime_status status;
    struct runtime__buffer result;
};

/* ---- Of a runtime ------------------------------------------------------- */

void
runtime__children_init(struct runtime__children *children)
{
    pthread_mutex_init(&children->lock, NULL);
    pthread_cond_init(&children->none, NULL);
    children->count = 0;
}

void
runtime__children_deinit(struct runtime__children *children)
{
    pthread_mutex_lock(&children->lock);
    while (children->count > 0)
        pthread_cond_wait(&children->none, &children->lock);
    pthread_mutex_unlock(&children->lock);
    pthread_cond_destroy(&children->none);
    pthread_mutex_destroy(&children->lock);
}

static void
count_child(struct runtime__children *children)
{
    pthread_mutex_lock(&children->lock);
    children->count++;
    pthread_mutex_unlock(&children->lock);
}

/* The last thing that a child does. */
static void
uncount_child(struct runtime__children *children)
{
    pthread_mutex_lock(&children->lock);
    /* With the lock: who waits destroys it as soon as he gets that. */
    if (--children->count == 0)
        pthread_cond_signal(&children->none);
    pthread_mutex_unlock(&children->lock);
}

/* ---- Handles, with the tree's lock held --------------------------------- */

static struct runtime__handle *
find(const struct runtime__chain *chain, int32_t handle)
{
    size_t place = (size_t)(handle % PLACES);

    if (!chain || handle <= 0 || place >= chain->handle_count)
        return NULL;
    struct runtime__handle *found = &chain->handles[place];
    return found->child && found->turn == (uint32_t)(handle / PLACES)
               ? found
               : NULL;
}

/* A free place, or NULL when out of memory: there are fewer than PLACES. */
static struct runtime__handle *
find_free(struct runtime__chain *chain)
{
    size_t count = chain->handle_count;

    assert(chain->child_count < PLACES);
    if (chain->child_count == count) {
        size_t more = count ? 2 * count : 8;
        struct runtime__handle *handles =
            realloc(chain->handles, more * sizeof(*handles));
        if (!handles)
            return NULL;
        memset(handles + count, 0, (more - count) * sizeof(*handles));
        chain->handles = handles;
        chain->handle_count = more;
    }
    size_t place = 0;
    while (chain->handles[place].child)
        place++;
    return &chain->handles[place];
}

/* Puts a child in a place of its own; returns the handle, 0 for no memory. */
static int32_t
enter(struct runtime__chain *chain, struct runtime__child *child)
{
    struct runtime__handle *handle = find_free(chain);

    if (!handle)
        return 0;
    handle->turn = handle->turn % (TURNS - 1) + 1;
    handle->child = child;
    chain->child_count++;
    chain->held_bytes += child->held_bytes;
    return (int32_t)(handle->turn * PLACES +
                     (uint32_t)(handle - chain->handles));
}

static void
destroy(struct runtime__child *child)
{
    runtime__buffer_deinit(&child->result);
    free(child);
}

/* Gives a handle up. */
static void
leave(struct runtime__chain *chain, struct runtime__handle *handle)
{
    struct runtime__child *child = handle->child;

    handle->child = NULL;
    chain->child_count--;
    chain->held_bytes -= child->held_bytes;
    child->parent = NULL;
    if (child->call)
        runtime_call_cancel(child->call);
    else
        destroy(child);
}

/* ---- The end of a child ------------------------------------------------- */

/* Lets the handle have the child's message instead of an output. */
static void
keep_message(struct runtime__child *child, const char *message)
{
    /* Without memory it is empty: how it ended is enough of an answer. */
    runtime__buffer_append(&child->result, message, strlen(message));
}

/* Moves what the call leaves behind to the handle, under the lock. */
static void
keep_result(struct runtime__child *child, struct runtime_call *call)
{
    struct runtime__chain *chain = child->parent->chain;
    uint64_t left_bytes = RUNTIME_CHILDREN_BYTES_MAX - chain->held_bytes +
                          child->held_bytes;

    child->status = call->result.status;
    if (child->status != RUNTIME_OK) {
        keep_message(child, call->result.error.message);
    } else if (call->output.length_bytes > left_bytes) {
        child->status = RUNTIME_LIMIT;
        keep_message(child, "the results of the caller's calls are longer "
                            "than they may be at once");
    } else {
        child->result = call->output;
        call->output = (struct runtime__buffer){0};
    }
    /* Messages do not count: handles are few enough. */
    chain->held_bytes -= child->held_bytes;
    child->held_bytes =
        child->status == RUNTIME_OK ? child->result.length_bytes : 0;
    chain->held_bytes += child->held_bytes;
}

/* A child has ended, on any thread. */
static void
complete(struct runtime_call *call, void *data)
{
    struct runtime__child *child = data;
    struct runtime__children *children = &call->runtime->children;
    struct runtime__tree *tree = call->chain->tree;
    uint64_t now_ns = runtime__wait_now_ns();

    pthread_mutex_lock(&tree->lock);
    struct runtime_call *parent = child->parent;
    runtime__tree_end(tree, call->chain->entry, call->result.status, now_ns);
    child->call = NULL;
    if (parent) {
        keep_result(child, call);
        if (parent->chain->awaits && child->await == parent->chain->await)
            runtime__call_wake(parent);
    }
    pthread_mutex_unlock(&tree->lock);
    if (!parent)
        destroy(child);
    runtime_call_destroy(call);
    uncount_child(children);
}

/* ---- Calling ------------------------------------------------------------ */

/* The chain of a call that is, with it, at `depth` of the tree. */
static struct runtime__chain *
create(struct runtime__tree *tree, uint32_t depth)
{
    struct runtime__chain *chain = calloc(1, sizeof(*chain));

    if (!chain)
        return NULL;
    chain->tree = tree;
    chain->depth = depth;
    chain->deadline_ns_max = UINT64_MAX;
    return chain;
}

enum runtime_status
runtime__chain_begin(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime__tree *tree = runtime__tree_create();
    struct runtime__chain *chain = tree ? create(tree, 0) : NULL;
    enum runtime_status status = RUNTIME_NO_MEMORY;
    uint64_t begun_ns =
        call->started ? call->begun_ns : runtime__wait_now_ns();

    if (chain)
        status = runtime__tree_enter(
            tree, call->id_bytes, call->function->name, RUNTIME_NO_PARENT,
            begun_ns, &chain->entry, err);
    else
        runtime__error_set(err, status, "out of memory for a tree of calls");
    if (status == RUNTIME_OK) {
        call->chain = chain;
        return RUNTIME_OK;
    }
    free(chain);
    runtime__tree_put(tree);
    return status;
}

/* Whether the caller may have one more, with an input of so many bytes. */
static enum runtime_status
check_limits(const struct runtime__chain *chain, size_t input_bytes,
             struct runtime_error *err)
{
    if (chain->depth == RUNTIME_CHAIN_DEPTH_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "calls of calls are at most %d deep",
                                  RUNTIME_CHAIN_DEPTH_MAX);
    pthread_mutex_lock(&chain->tree->lock);
    size_t child_count = chain->child_count;
    uint64_t held_bytes = chain->held_bytes;
    pthread_mutex_unlock(&chain->tree->lock);
    if (child_count == RUNTIME_CHILDREN_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "the caller has %d handles already",
                                  RUNTIME_CHILDREN_MAX);
    if (input_bytes > RUNTIME_CHILDREN_BYTES_MAX - held_bytes)
        return runtime__error_set(
            err, RUNTIME_LIMIT,
            "inputs and results of the caller's calls are more than %u bytes",
            RUNTIME_CHILDREN_BYTES_MAX);
    return RUNTIME_OK;
}

/* Makes the child's call, which is not in the tree yet. */
static enum runtime_status
make_call(struct runtime_call *parent,
          const struct runtime__chain_order *order,
          struct runtime_call **call, struct runtime_error *err)
{
    const struct runtime__chain *chain = parent->chain;
    struct runtime_call *made;
    enum runtime_status status =
        runtime_call_create(parent->runtime, parent->function->namespace_,
                            order->name, &made, err);

    if (status != RUNTIME_OK)
        return status;
    if (made->function->module->kind == RUNTIME_EXPORTS)
        status = runtime__error_set(err, RUNTIME_INVALID,
                                    "the function has plain exports");
    if (status == RUNTIME_OK)
        status = runtime_call_input_append(made, order->input,
                                           order->input_bytes, err);
    if (status == RUNTIME_OK) {
        made->chain =
            create(runtime__tree_share(chain->tree), chain->depth + 1);
        if (!made->chain) {
            runtime__tree_put(chain->tree);
            status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                        "out of memory for a call");
        }
    }
    if (status != RUNTIME_OK) {
        runtime_call_destroy(made);
        return status;
    }
    made->chain->is_below_gate =
        chain->is_below_gate || parent->function->config->concurrency > 0;
    made->chain->deadline_ns_max = parent->limits.deadline_ns;
    runtime_call_set_timeout_ms(made, order->timeout_ms);
    runtime_call_set_deferred(made);
    *call = made;
    return RUNTIME_OK;
}

/* Lets the parent have a handle for the call, and starts it. */
static enum runtime_status
start(struct runtime_call *parent, struct runtime_call *call,
      struct runtime__child *child, int32_t *handle,
      struct runtime_error *err)
{
    struct runtime__chain *chain = parent->chain;
    struct runtime__tree *tree = chain->tree;

    pthread_mutex_lock(&tree->lock);
    *handle = enter(chain, child);
    pthread_mutex_unlock(&tree->lock);
    if (*handle == 0) {
        destroy(child);
        runtime_call_destroy(call);
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a handle");
    }
    count_child(&parent->runtime->children);
    enum runtime_status status = runtime_call_start(call, complete, child);
    if (status == RUNTIME_PENDING)
        return RUNTIME_OK;
    /* It was not let in. */
    if (err)
        *err = call->result.error;
    pthread_mutex_lock(&tree->lock);
    child->call = NULL;
    leave(chain, find(chain, *handle));
    runtime__tree_end(tree, call->chain->entry, status, call->begun_ns);
    pthread_mutex_unlock(&tree->lock);
    runtime_call_destroy(call);
    uncount_child(&parent->runtime->children);
    return status;
}

enum runtime_status
runtime__chain_call(struct runtime_call *parent,
                    const struct runtime__chain_order *order,
                    int32_t *handle, struct runtime_error *err)
{
    struct runtime_call *call = NULL;
    enum runtime_status status = RUNTIME_OK;

    if (!parent->chain)
        status = runtime__chain_begin(parent, err);
    if (status == RUNTIME_OK)
        status = check_limits(parent->chain, order->input_bytes, err);
    if (status == RUNTIME_OK)
        status = make_call(parent, order, &call, err);
    if (status == RUNTIME_OK)
        status = runtime__tree_enter(
            parent->chain->tree, call->id_bytes, call->function->name,
            parent->chain->entry, runtime__wait_now_ns(),
            &call->chain->entry, err);
    struct runtime__child *child =
        status == RUNTIME_OK ? calloc(1, sizeof(*child)) : NULL;
    if (status == RUNTIME_OK && !child)
        status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                    "out of memory for a call");
    if (status != RUNTIME_OK) {
        runtime_call_destroy(call);
        return status;
    }
    child->parent = parent;
    child->call = call;
    child->held_bytes = order->input_bytes;
    return start(parent, call, child, handle, err);
}

/* ---- Waiting ------------------------------------------------------------ */

int32_t
runtime__chain_await(struct runtime_call *parent, const int32_t *handles,
                     size_t count)
{
    struct runtime__chain *chain = parent->chain;
    int32_t answer = RUNTIME__CHAIN_NONE;

    if (!chain)
        return RUNTIME__CHAIN_UNKNOWN;
    pthread_mutex_lock(&chain->tree->lock);
    chain->await++;
    for (size_t i = 0; i < count; i++) {
        struct runtime__handle *handle = find(chain, handles[i]);
        if (!handle) {
            answer = RUNTIME__CHAIN_UNKNOWN;
            break;
        }
        handle->child->await = chain->await;
        if (!handle->child->call && answer == RUNTIME__CHAIN_NONE)
            answer = (int32_t)i;
    }
    chain->awaits = answer == RUNTIME__CHAIN_NONE;
    pthread_mutex_unlock(&chain->tree->lock);
    return answer;
}

bool
runtime__chain_result(struct runtime_call *parent, int32_t handle,
                      struct runtime__chain_result *result)
{
    struct runtime__chain *chain = parent->chain;

    if (!chain)
        return false;
    pthread_mutex_lock(&chain->tree->lock);
    const struct runtime__handle *found = find(chain, handle);
    if (found && found->child->call)
        *result = (struct runtime__chain_result){.status = RUNTIME_PENDING};
    else if (found)
        *result = (struct runtime__chain_result){
            .status = found->child->status,
            .bytes = found->child->result.bytes,
            .length_bytes = found->child->result.length_bytes,
        };
    pthread_mutex_unlock(&chain->tree->lock);
    return found != NULL;
}

bool
runtime__chain_cancel(struct runtime_call *parent, int32_t handle)
{
    struct runtime__chain *chain = parent->chain;

    if (!chain)
        return false;
    pthread_mutex_lock(&chain->tree->lock);
    struct runtime__handle *found = find(chain, handle);
    if (found)
        leave(chain, found);
    pthread_mutex_unlock(&chain->tree->lock);
    return found != NULL;
}

/* ---- The end of a parent ------------------------------------------------ */

void
runtime__chain_end(struct runtime_call *call)
{
    struct runtime__chain *chain = call->chain;

    if (!chain)
        return;
    pthread_mutex_lock(&chain->tree->lock);
    chain->awaits = false;
    for (size_t i = 0; i < chain->handle_count; i++)
        if (chain->handles[i].child)
            leave(chain, &chain->handles[i]);
    /* Who is a child itself is entered as ended when its parent hears. */
    if (chain->depth == 0)
        runtime__tree_end(chain->tree, chain->entry, call->result.status,
                          runtime__wait_now_ns());
    pthread_mutex_unlock(&chain->tree->lock);
}

void
runtime__chain_destroy(struct runtime__chain *chain)
{
    if (!chain)
        return;
    assert(chain->child_count == 0);
    runtime__tree_put(chain->tree);
    free(chain->handles);
    free(chain);
}

/* ---- The graph ---------------------------------------------------------- */

enum runtime_status
runtime_call_graph(const struct runtime_call *call,
                   struct runtime_graph *graph, struct runtime_error *err)
{
    const struct runtime__chain *chain = call->chain;
    struct runtime_graph_call *calls;

    if (chain)
        return runtime__tree_graph(chain->tree, chain->entry, graph, err);
    calls = calloc(1, sizeof(*calls));
    if (!calls)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a graph");
    calls->parent = RUNTIME_NO_PARENT;
    calls->status = call->result.status;
    calls->ended_ns = call->result.queue_ns + call->result.init_ns +
                      call->result.run_ns;
    strcpy(calls->id, call->id);
    strcpy(calls->function, call->function->name);
    *graph = (struct runtime_graph){calls, 1};
    return RUNTIME_OK;
}
