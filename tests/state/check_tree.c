/* Tests of state/tree.c. */
#include "state/tree.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <string.h>

/* Where the items lie. */
static struct state__slab_pool slab_pool;
static struct state__slab slab;

#define ITEMS 1000

static struct state__item *items[ITEMS]; /* in order */
static bool is_in[ITEMS];

static void
make_items(void)
{
    for (size_t i = 0; i < ITEMS; i++) {
        char key[16];

        /* Two namespaces with the same keys. */
        snprintf(key, sizeof key, "%04zu", i % (ITEMS / 2));
        items[i] = state__item_create(&slab, i < ITEMS / 2 ? 4 : 9,
                                      (struct state_bytes){key, 4}, 0);
    }
}

/* Whether children outrank nobody; returns the depth. */
static unsigned
check_ranks(const struct state__item *item)
{
    const struct state__item *children[2];
    unsigned depth = 0;

    if (item == NULL)
        return 0;
    children[0] = item->left;
    children[1] = item->right;
    for (int i = 0; i < 2; i++) {
        unsigned below = check_ranks(children[i]);

        if (children[i] != NULL &&
            state__tree_rank(children[i]) > state__tree_rank(item))
            ck_abort_msg("a child outranks its parent");
        depth = below > depth ? below : depth;
    }
    return depth + 1;
}

/* Walks through the tree and compares it with what should be there. */
static void
check_order(struct state__item *root)
{
    struct state__item *at =
        state__tree_after(root, 0, (struct state_bytes){NULL, 0}, true);

    for (size_t i = 0; i < ITEMS; i++) {
        if (!is_in[i])
            continue;
        if (at != items[i])
            ck_abort_msg("item %zu is missing", i);
        at = state__tree_after(root, at->namespace_index,
                               state__item_key(at), false);
    }
    ck_assert_ptr_null(at);
}

START_TEST(the_tree_is_in_order_and_shallow_after_any_changes)
{
    struct state__item *root = NULL;
    unsigned random = 7;

    make_items();
    /* In order first: what would degrade a tree without ranks. */
    for (size_t i = 0; i < ITEMS; i++) {
        state__tree_insert(&root, items[i]);
        is_in[i] = true;
    }
    check_order(root);
    ck_assert_uint_lt(check_ranks(root), 60);
    for (int step = 0; step < 50000; step++) {
        size_t i = (random = random * 1664525 + 1013904223) / 65536 % ITEMS;

        if (is_in[i])
            state__tree_remove(&root, items[i]);
        else
            state__tree_insert(&root, items[i]);
        is_in[i] = !is_in[i];
        if (step % 1009 == 0) {
            check_order(root);
            ck_assert_uint_lt(check_ranks(root), 60);
        }
    }
    for (size_t i = 0; i < ITEMS; i++) {
        if (is_in[i])
            state__tree_remove(&root, items[i]);
        state__item_destroy(items[i]);
    }
    ck_assert_ptr_null(root);
}
END_TEST

START_TEST(a_search_finds_the_next_key_whether_or_not_its_own_is_there)
{
    struct state__item *root = NULL, *found;
    struct state_bytes keys[] = {{"b", 1}, {"d", 1}, {"f", 1}};
    struct state__item *of[3];

    for (int i = 0; i < 3; i++) {
        of[i] = state__item_create(&slab, 1, keys[i], 0);
        state__tree_insert(&root, of[i]);
    }
    found = state__tree_after(root, 1, (struct state_bytes){"d", 1}, true);
    ck_assert_ptr_eq(found, of[1]);
    found = state__tree_after(root, 1, (struct state_bytes){"d", 1}, false);
    ck_assert_ptr_eq(found, of[2]);
    found = state__tree_after(root, 1, (struct state_bytes){"c", 1}, true);
    ck_assert_ptr_eq(found, of[1]);
    found = state__tree_after(root, 1, (struct state_bytes){"c", 1}, false);
    ck_assert_ptr_eq(found, of[1]);
    found = state__tree_after(root, 1, (struct state_bytes){"f", 1}, false);
    ck_assert_ptr_null(found);
    found = state__tree_after(root, 0, (struct state_bytes){"z", 1}, false);
    ck_assert_ptr_eq(found, of[0]);
    for (int i = 0; i < 3; i++)
        state__item_destroy(of[i]);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        the_tree_is_in_order_and_shallow_after_any_changes,
        a_search_finds_the_next_key_whether_or_not_its_own_is_there,
        NULL,
    };

    state__slab_pool_init(&slab_pool);
    state__slab_init(&slab, &slab_pool);
    return run_suite("tree", tests);
}
