/* The ordered index of a shard: see tree.h. */
#include "state/tree.h"

uint64_t
state__tree_rank(const struct state__item *item)
{
    /*
     * Two rounds of multiply and shift: neighbours in memory, often
     * neighbours in the order of keys too, get ranks that have nothing to do
     * with each other.
     */
    uint64_t rank = (uint64_t)(uintptr_t)item >> 4;

    rank = (rank ^ rank >> 31) * UINT64_C(0x9e3779b97f4a7c15);
    rank = (rank ^ rank >> 29) * UINT64_C(0xd6e8feb86659fd93);
    return rank ^ rank >> 32;
}

static int
compare(const struct state__item *a, const struct state__item *b)
{
    return state__item_compare(a, b->namespace_index, state__item_key(b));
}

void
state__tree_insert(struct state__item **root, struct state__item *item)
{
    uint64_t rank = state__tree_rank(item);
    struct state__item **link = root, *rest;
    struct state__item **less = &item->left, **more = &item->right;

    while (*link != NULL && state__tree_rank(*link) >= rank)
        link = compare(*link, item) < 0 ? &(*link)->right : &(*link)->left;
    /*
     * The item goes here. The subtree that was here falls into what is less
     * and what is more, along one path: each node keeps the side that is on
     * its far side, and the path goes on in the other.
     */
    rest = *link;
    *link = item;
    while (rest != NULL) {
        if (compare(rest, item) < 0) {
            *less = rest;
            less = &rest->right;
            rest = rest->right;
        } else {
            *more = rest;
            more = &rest->left;
            rest = rest->left;
        }
    }
    *less = NULL;
    *more = NULL;
}

void
state__tree_remove(struct state__item **root, const struct state__item *item)
{
    struct state__item **link = root;
    struct state__item *left = item->left, *right = item->right;

    while (*link != item)
        link = compare(*link, item) < 0 ? &(*link)->right : &(*link)->left;
    /* The opposite of the above: its two subtrees are laced into one. */
    while (left != NULL && right != NULL) {
        if (state__tree_rank(left) >= state__tree_rank(right)) {
            *link = left;
            link = &left->right;
            left = left->right;
        } else {
            *link = right;
            link = &right->left;
            right = right->left;
        }
    }
    *link = left != NULL ? left : right;
}

struct state__item *
state__tree_after(struct state__item *root, uint32_t namespace_index,
                  struct state_bytes key, bool inclusive)
{
    struct state__item *found = NULL;

    while (root != NULL) {
        int order = state__item_compare(root, namespace_index, key);

        if (order > 0 || (order == 0 && inclusive)) {
            found = root;
            root = root->left;
        } else {
            root = root->right;
        }
    }
    return found;
}
