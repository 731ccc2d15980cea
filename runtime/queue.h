/*
 * queue.h - who is next, in turns at every level of a tree.
 *
 * The leaves are tasks; each queues for its function, functions for their
 * namespace, and namespaces for the root. Taking one takes the first of the
 * first of the first, and each on the way goes behind the others of its
 * level. So a namespace with a thousand tasks gets no more turns than one
 * with a single task, and within a namespace a function does not either.
 *
 * Nodes are part of what they stand for, and nothing is allocated. One thread
 * at a time uses a tree: the scheduler's lock guards it.
 */
#ifndef GLASS_RUNTIME_QUEUE_H
#define GLASS_RUNTIME_QUEUE_H

#include <stdbool.h>
#include <stddef.h>

/* All zero but for `parent`: it waits for nothing, and nothing for it. */
struct runtime__queue_node {
    struct runtime__queue_node *parent; /* NULL: the root */
    struct runtime__queue_node *first;  /* whose turn is next; NULL: none */
    /* Those of the same level, in a ring; NULL: it is not queued. */
    struct runtime__queue_node *next;
    struct runtime__queue_node *previous;
};

/* Puts a leaf behind all others of its level. It must not be queued. */
void
runtime__queue_push(struct runtime__queue_node *leaf);

/* Takes the leaf whose turn it is, or NULL. `root` has no children that are
 * leaves of another depth; the depth itself is of no matter. */
struct runtime__queue_node *
runtime__queue_pop(struct runtime__queue_node *root);

/* Takes a leaf out of turn. It must be queued. */
void
runtime__queue_remove(struct runtime__queue_node *leaf);

static inline bool
runtime__queue_is_queued(const struct runtime__queue_node *node)
{
    return node->next != NULL;
}

#endif
