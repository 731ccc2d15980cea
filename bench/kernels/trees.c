/*
 * trees.c - trees of nodes from an arena of its own: perfect binary trees
 * built and walked by recursion, and an AA tree (Andersson's balanced tree)
 * with insertions, searches and deletions.
 */
#include "kernel.h"

enum {
    NODE_COUNT_MAX = 1 << 17,
    KEY_BOUND = 40000,
};

struct node {
    struct node *left, *right;
    uint32_t key;
    uint32_t level;
};

struct arena {
    struct node *free;
    uint32_t used;
};

static struct node nodes[NODE_COUNT_MAX];
/* What stands below a leaf: its own child, of level 0. */
static struct node bottom = {&bottom, &bottom, 0, 0};

static struct node *
take(struct arena *arena)
{
    struct node *node = arena->free;

    if (node == NULL)
        return &nodes[arena->used++];
    arena->free = node->left;
    return node;
}

static void
give(struct arena *arena, struct node *node)
{
    node->left = arena->free;
    arena->free = node;
}

static struct node *
build(struct arena *arena, uint32_t depth)
{
    struct node *node = take(arena);

    node->key = depth;
    node->left = depth ? build(arena, depth - 1) : NULL;
    node->right = depth ? build(arena, depth - 1) : NULL;
    return node;
}

/* Adds up a tree and gives its nodes back. */
static uint32_t
fold(struct arena *arena, struct node *node)
{
    uint32_t total = node->key + 1;

    if (node->left)
        total += fold(arena, node->left) + 2 * fold(arena, node->right);
    give(arena, node);
    return total;
}

/* A left child of the same level goes up. */
static struct node *
skew(struct node *node)
{
    struct node *left = node->left;

    if (node->level == 0 || left->level != node->level)
        return node;
    node->left = left->right;
    left->right = node;
    return left;
}

/* Of two right children of the same level the first goes up one level. */
static struct node *
split(struct node *node)
{
    struct node *right = node->right;

    if (node->level == 0 || right->right->level != node->level)
        return node;
    node->right = right->left;
    right->left = node;
    right->level++;
    return right;
}

static struct node *
insert(struct arena *arena, struct node *node, uint32_t key)
{
    if (node == &bottom) {
        node = take(arena);
        *node = (struct node){&bottom, &bottom, key, 1};
        return node;
    }
    if (key < node->key)
        node->left = insert(arena, node->left, key);
    else if (key > node->key)
        node->right = insert(arena, node->right, key);
    else
        return node;
    return split(skew(node));
}

static struct node *
rebalance(struct node *node)
{
    uint32_t lower = node->left->level < node->right->level
                         ? node->left->level
                         : node->right->level;

    if (lower + 1 >= node->level)
        return node;
    node->level--;
    if (node->right->level > node->level)
        node->right->level = node->level;
    node = skew(node);
    node->right = skew(node->right);
    if (node->right != &bottom)
        node->right->right = skew(node->right->right);
    node = split(node);
    node->right = split(node->right);
    return node;
}

static struct node *
erase(struct arena *arena, struct node *node, uint32_t key)
{
    if (node == &bottom)
        return node;
    if (key < node->key) {
        node->left = erase(arena, node->left, key);
    } else if (key > node->key) {
        node->right = erase(arena, node->right, key);
    } else if (node->left == &bottom && node->right == &bottom) {
        give(arena, node);
        return &bottom;
    } else if (node->left == &bottom) {
        struct node *next = node->right;

        while (next->left != &bottom)
            next = next->left;
        node->key = next->key;
        node->right = erase(arena, node->right, next->key);
    } else {
        struct node *next = node->left;

        while (next->right != &bottom)
            next = next->right;
        node->key = next->key;
        node->left = erase(arena, node->left, next->key);
    }
    return rebalance(node);
}

static bool
contains(const struct node *node, uint32_t key)
{
    while (node != &bottom && node->key != key)
        node = key < node->key ? node->left : node->right;
    return node != &bottom;
}

static uint64_t
use_set(struct arena *arena, uint64_t sum)
{
    struct node *root = &bottom;
    uint64_t random = 2024;
    uint32_t found = 0;

    for (uint32_t i = 0; i < 30000; i++)
        root = insert(arena, root, kernel_below(&random, KEY_BOUND));
    for (uint32_t i = 0; i < 240000; i++)
        found += contains(root, kernel_below(&random, KEY_BOUND));
    sum = kernel_mix(sum, found);
    for (uint32_t i = 0; i < 30000; i++)
        root = erase(arena, root, kernel_below(&random, KEY_BOUND));
    for (uint32_t i = 0; i < KEY_BOUND; i++)
        found += contains(root, i);
    return kernel_mix(sum, (uint64_t)found << 32 | root->level);
}

int
main(void)
{
    struct arena arena = {NULL, 0};
    uint64_t sum = 10;

    for (uint32_t round = kernel_opaque(18); round > 0; round--) {
        for (uint32_t i = 0; i < 24; i++) {
            struct node *tree = build(&arena, 11);

            sum = kernel_mix(sum, fold(&arena, tree));
        }
        sum = kernel_mix(sum, fold(&arena, build(&arena, 14)));
    }
    arena = (struct arena){NULL, 0};
    sum = use_set(&arena, sum);
    return kernel_report("trees", sum);
}
