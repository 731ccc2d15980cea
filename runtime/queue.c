/*
 * queue.c - who is next, in turns at every level. See queue.h.
 *
 * The invariant: a node is in its parent's ring exactly when it has children
 * or is a leaf that waits. So the way down from the root always ends at a
 * leaf.
 */
#include "runtime/queue.h"

#include <assert.h>

/* Behind all others of the parent's ring. */
static void
link_last(struct runtime__queue_node *node)
{
    struct runtime__queue_node *first = node->parent->first;

    if (!first) {
        node->next = node->previous = node;
        node->parent->first = node;
        return;
    }
    node->next = first;
    node->previous = first->previous;
    first->previous->next = node;
    first->previous = node;
}

static void
unlink_node(struct runtime__queue_node *node)
{
    struct runtime__queue_node *parent = node->parent;

    if (parent->first == node)
        parent->first = node->next == node ? NULL : node->next;
    node->next->previous = node->previous;
    node->previous->next = node->next;
    node->next = node->previous = NULL;
}

void
runtime__queue_push(struct runtime__queue_node *leaf)
{
    assert(!runtime__queue_is_queued(leaf));
    /* Whoever is queued already has his place, and so have those above. */
    for (struct runtime__queue_node *node = leaf;
         node->parent && !runtime__queue_is_queued(node);
         node = node->parent)
        link_last(node);
}

void
runtime__queue_remove(struct runtime__queue_node *leaf)
{
    assert(runtime__queue_is_queued(leaf));
    for (struct runtime__queue_node *node = leaf;
         node->parent && !node->first; node = node->parent)
        unlink_node(node);
}

struct runtime__queue_node *
runtime__queue_pop(struct runtime__queue_node *root)
{
    struct runtime__queue_node *leaf = root;

    while (leaf->first)
        leaf = leaf->first;
    if (leaf == root)
        return NULL;
    unlink_node(leaf);
    /* Those that had their turn go behind the others, or away. */
    for (struct runtime__queue_node *node = leaf->parent; node->parent;
         node = node->parent) {
        unlink_node(node);
        if (node->first)
            link_last(node);
    }
    return leaf;
}
