/* check_tree.c - tests of runtime/tree.c. */
#include "runtime/tree.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct runtime__tree *tree;

static void
set_up(void)
{
    tree = runtime__tree_create();
    ck_assert_ptr_nonnull(tree);
}

static void
tear_down(void)
{
    runtime__tree_put(tree);
}

/* Enters one whose identity is sixteen times its number. */
static enum runtime_status
enter(uint8_t number, const char *function, uint32_t parent,
      uint64_t begun_ns, uint32_t *entry, struct runtime_error *err)
{
    uint8_t id_bytes[16];

    memset(id_bytes, number, sizeof(id_bytes));
    return runtime__tree_enter(tree, id_bytes, function, parent, begun_ns,
                               entry, err);
}

static uint32_t
must_enter(uint8_t number, const char *function, uint32_t parent)
{
    uint32_t entry = UINT32_MAX;

    ck_assert_int_eq(
        enter(number, function, parent, 1000u + number, &entry, NULL),
        RUNTIME_OK);
    return entry;
}

/*
 * 1 +- 2 --- 4
 *   +- 3 +- 5
 *        +- 6
 */
static void
plant(uint32_t entries[7])
{
    entries[1] = must_enter(1, "root", RUNTIME_NO_PARENT);
    entries[2] = must_enter(2, "left", entries[1]);
    entries[3] = must_enter(3, "right", entries[1]);
    entries[4] = must_enter(4, "leaf", entries[2]);
    entries[5] = must_enter(5, "leaf", entries[3]);
    entries[6] = must_enter(6, "root", entries[3]);
}

START_TEST(a_graph_has_who_called_whom)
{
    static const uint32_t parents[] = {RUNTIME_NO_PARENT, 0, 0, 1, 2, 2};
    static const char *const names[] = {"root", "left", "right",
                                        "leaf", "leaf", "root"};
    struct runtime_graph graph;
    uint32_t entries[7];

    plant(entries);
    ck_assert_int_eq(runtime__tree_graph(tree, entries[1], &graph, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 6);
    for (size_t i = 0; i < 6; i++) {
        char id[RUNTIME_CALL_ID_SIZE];
        for (size_t j = 0; j < 16; j++)
            sprintf(id + 2 * j, "%02zx", i + 1);
        ck_assert_str_eq(graph.calls[i].id, id);
        ck_assert_str_eq(graph.calls[i].function, names[i]);
        ck_assert_uint_eq(graph.calls[i].parent, parents[i]);
        ck_assert_int_eq(graph.calls[i].status, RUNTIME_PENDING);
        ck_assert_uint_eq(graph.calls[i].begun_ns, i);
        ck_assert_uint_eq(graph.calls[i].ended_ns, 0);
    }
    runtime_graph_deinit(&graph);
    ck_assert_ptr_null(graph.calls);
}
END_TEST

START_TEST(a_part_of_a_tree_is_a_graph_of_its_own)
{
    struct runtime_graph graph;
    uint32_t entries[7];

    plant(entries);
    ck_assert_int_eq(runtime__tree_graph(tree, entries[3], &graph, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 3);
    ck_assert_str_eq(graph.calls[0].function, "right");
    ck_assert_uint_eq(graph.calls[0].parent, RUNTIME_NO_PARENT);
    ck_assert_uint_eq(graph.calls[0].begun_ns, 0);
    ck_assert_str_eq(graph.calls[2].function, "root");
    ck_assert_uint_eq(graph.calls[2].parent, 0);
    ck_assert_uint_eq(graph.calls[2].begun_ns, 3);
    runtime_graph_deinit(&graph);
    ck_assert_int_eq(runtime__tree_graph(tree, entries[2], &graph, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(graph.count, 2);
    ck_assert_str_eq(graph.calls[1].function, "leaf");
    runtime_graph_deinit(&graph);
}
END_TEST

START_TEST(an_end_is_taken_down)
{
    struct runtime_graph graph;
    uint32_t entries[7];

    plant(entries);
    pthread_mutex_lock(&tree->lock);
    runtime__tree_end(tree, entries[2], RUNTIME_TRAP, 1500);
    pthread_mutex_unlock(&tree->lock);
    ck_assert_int_eq(runtime__tree_graph(tree, entries[1], &graph, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(graph.calls[1].status, RUNTIME_TRAP);
    ck_assert_uint_eq(graph.calls[1].ended_ns, 499);
    ck_assert_int_eq(graph.calls[2].status, RUNTIME_PENDING);
    runtime_graph_deinit(&graph);
}
END_TEST

START_TEST(a_tree_has_so_many_calls_and_no_more)
{
    struct runtime_graph graph;
    struct runtime_error err;
    uint32_t entry = 0;
    char name[16];

    for (uint32_t i = 0; i < RUNTIME_TREE_CALLS_MAX; i++) {
        sprintf(name, "f%u", i % 300);
        ck_assert_int_eq(enter(1, name, i ? entry : RUNTIME_NO_PARENT, i,
                               &entry, NULL),
                         RUNTIME_OK);
        ck_assert_uint_eq(entry, i);
    }
    ck_assert_int_eq(enter(1, "one", entry, 0, &entry, &err), RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "16384 calls"));
    ck_assert_uint_eq(entry, RUNTIME_TREE_CALLS_MAX - 1);
    ck_assert_int_eq(runtime__tree_graph(tree, 0, &graph, NULL), RUNTIME_OK);
    ck_assert_uint_eq(graph.count, RUNTIME_TREE_CALLS_MAX);
    ck_assert_str_eq(graph.calls[RUNTIME_TREE_CALLS_MAX - 1].function,
                     "f183");
    runtime_graph_deinit(&graph);
}
END_TEST

START_TEST(who_shares_a_tree_keeps_it)
{
    uint32_t entries[7];

    plant(entries);
    struct runtime__tree *other = runtime__tree_share(tree);
    runtime__tree_put(tree);
    tree = other;
    must_enter(7, "late", entries[6]);
    runtime__tree_put(NULL);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, a_graph_has_who_called_whom);
    tcase_add_test(tests, a_part_of_a_tree_is_a_graph_of_its_own);
    tcase_add_test(tests, an_end_is_taken_down);
    tcase_add_test(tests, a_tree_has_so_many_calls_and_no_more);
    tcase_add_test(tests, who_shares_a_tree_keeps_it);
}

WORLD_MAIN("tree", add_tests)
