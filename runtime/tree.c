/*
 * tree.c - the calls that came of one. See tree.h.
 *
 * The idea: entries are only ever added, a parent's before its children's, so
 * one pass from the front finds all that came of a call. Functions' names are
 * kept once, which makes an entry forty bytes.
 *
 * Any thread may use a tree.
 */
#include "runtime/tree.h"

#include "runtime/digest.h"
#include "runtime/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { id_bytes_count = (RUNTIME_CALL_ID_SIZE - 1) / 2 };

struct runtime__tree_entry {
    uint8_t id_bytes[id_bytes_count];
    uint32_t parent;
    uint16_t name;
    uint8_t status; /* RUNTIME_PENDING: it has not ended */
    uint64_t begun_ns;
    uint64_t ended_ns;
};

_Static_assert(RUNTIME_TREE_CALLS_MAX <= UINT16_MAX, "as many have names");

struct runtime__tree *
runtime__tree_create(void)
{
    struct runtime__tree *tree = calloc(1, sizeof(*tree));

    if (!tree)
        return NULL;
    tree->references = 1;
    pthread_mutex_init(&tree->lock, NULL);
    return tree;
}

struct runtime__tree *
runtime__tree_share(struct runtime__tree *tree)
{
    pthread_mutex_lock(&tree->lock);
    tree->references++;
    pthread_mutex_unlock(&tree->lock);
    return tree;
}

void
runtime__tree_put(struct runtime__tree *tree)
{
    if (!tree)
        return;
    pthread_mutex_lock(&tree->lock);
    bool is_last = --tree->references == 0;
    pthread_mutex_unlock(&tree->lock);
    if (!is_last)
        return;
    pthread_mutex_destroy(&tree->lock);
    free(tree->entries);
    free(tree->names);
    free(tree);
}

/* Room for one more item of so many bytes; NULL when out of memory. */
static void *
reserve(void *items, size_t count, size_t *capacity, size_t item_bytes)
{
    size_t more = *capacity ? 2 * *capacity : 8;

    if (count < *capacity)
        return items;
    void *grown = realloc(items, more * item_bytes);
    if (grown)
        *capacity = more;
    return grown;
}

/* The name's place; false when out of memory. */
static bool
enter_name(struct runtime__tree *tree, const char *name, uint16_t *place)
{
    size_t i = 0;

    while (i < tree->name_count && strcmp(tree->names[i], name) != 0)
        i++;
    if (i == tree->name_count) {
        void *names = reserve(tree->names, i, &tree->name_capacity,
                              sizeof(*tree->names));
        if (!names)
            return false;
        tree->names = names;
        strcpy(tree->names[tree->name_count++], name);
    }
    *place = (uint16_t)i;
    return true;
}

/* With the lock held. */
static enum runtime_status
enter(struct runtime__tree *tree, const struct runtime__tree_entry *entry,
      const char *function, struct runtime_error *err)
{
    uint16_t name;

    if (tree->count == RUNTIME_TREE_CALLS_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "%d calls came of one, which is the most "
                                  "there may be",
                                  RUNTIME_TREE_CALLS_MAX);
    void *entries = reserve(tree->entries, tree->count, &tree->capacity,
                            sizeof(*tree->entries));
    if (entries)
        tree->entries = entries;
    if (!entries || !enter_name(tree, function, &name))
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a tree of calls");
    tree->entries[tree->count] = *entry;
    tree->entries[tree->count++].name = name;
    return RUNTIME_OK;
}

enum runtime_status
runtime__tree_enter(struct runtime__tree *tree, const uint8_t *id_bytes,
                    const char *function, uint32_t parent, uint64_t begun_ns,
                    uint32_t *entry, struct runtime_error *err)
{
    struct runtime__tree_entry entered = {
        .parent = parent,
        .status = RUNTIME_PENDING,
        .begun_ns = begun_ns,
    };

    memcpy(entered.id_bytes, id_bytes, sizeof(entered.id_bytes));
    pthread_mutex_lock(&tree->lock);
    assert(parent == RUNTIME_NO_PARENT || parent < tree->count);
    enum runtime_status status = enter(tree, &entered, function, err);
    if (status == RUNTIME_OK)
        *entry = (uint32_t)tree->count - 1;
    pthread_mutex_unlock(&tree->lock);
    return status;
}

void
runtime__tree_end(struct runtime__tree *tree, uint32_t entry,
                  enum runtime_status status, uint64_t ended_ns)
{
    assert(entry < tree->count);
    tree->entries[entry].status = (uint8_t)status;
    tree->entries[entry].ended_ns = ended_ns;
}

/* ---- The graph ---------------------------------------------------------- */

/* What is known of one; times count from the first. */
static void
describe(const struct runtime__tree *tree,
         const struct runtime__tree_entry *entry, uint64_t first_ns,
         uint32_t parent, struct runtime_graph_call *call)
{
    *call = (struct runtime_graph_call){
        .parent = parent,
        .status = (enum runtime_status)entry->status,
        .begun_ns = entry->begun_ns - first_ns,
    };
    if (call->status != RUNTIME_PENDING)
        call->ended_ns = entry->ended_ns - first_ns;
    runtime__digest_to_hex(entry->id_bytes, sizeof(entry->id_bytes),
                           call->id);
    strcpy(call->function, tree->names[entry->name]);
}

/*
 * With the lock held. `places` has room for what comes after `first`: where
 * each one is in the graph.
 */
static void
collect(const struct runtime__tree *tree, uint32_t first, uint32_t *places,
        struct runtime_graph *graph)
{
    const struct runtime__tree_entry *entries = tree->entries;

    for (size_t i = first; i < tree->count; i++) {
        uint32_t parent = RUNTIME_NO_PARENT;
        if (i > first && entries[i].parent != RUNTIME_NO_PARENT &&
            entries[i].parent >= first)
            parent = places[entries[i].parent - first];
        places[i - first] = RUNTIME_NO_PARENT;
        if (i > first && parent == RUNTIME_NO_PARENT)
            continue;
        places[i - first] = (uint32_t)graph->count;
        describe(tree, &entries[i], entries[first].begun_ns, parent,
                 &graph->calls[graph->count++]);
    }
}

enum runtime_status
runtime__tree_graph(struct runtime__tree *tree, uint32_t first,
                    struct runtime_graph *graph, struct runtime_error *err)
{
    struct runtime_graph made = {0};

    pthread_mutex_lock(&tree->lock);
    assert(first < tree->count);
    size_t count_max = tree->count - first;
    uint32_t *places = calloc(count_max, sizeof(*places));
    made.calls = calloc(count_max, sizeof(*made.calls));
    bool has_room = places && made.calls;
    if (has_room)
        collect(tree, first, places, &made);
    pthread_mutex_unlock(&tree->lock);
    free(places);
    if (has_room) {
        *graph = made;
        return RUNTIME_OK;
    }
    runtime_graph_deinit(&made);
    return runtime__error_set(err, RUNTIME_NO_MEMORY,
                              "out of memory for a graph");
}

void
runtime_graph_deinit(struct runtime_graph *graph)
{
    free(graph->calls);
    *graph = (struct runtime_graph){0};
}
