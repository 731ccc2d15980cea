/* check_queue.c - tests of runtime/queue.c. */
#include "runtime/queue.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { groups = 4, leaves = 8 };

/* Two levels below the root: groups 0 and 1 of the one, 2 and 3 of the other,
 * with leaves in each; their letters are a..h, i..p and so on. */
static struct runtime__queue_node root, tenants[2], middle[groups];
static struct runtime__queue_node leaf[groups][leaves];

static void
set_up(void)
{
    for (int i = 0; i < 2; i++)
        tenants[i].parent = &root;
    for (int i = 0; i < groups; i++) {
        middle[i].parent = &tenants[i / 2];
        for (int j = 0; j < leaves; j++)
            leaf[i][j].parent = &middle[i];
    }
}

static void
push(const char *letters)
{
    for (; *letters; letters++)
        runtime__queue_push(
            &leaf[(*letters - 'a') / leaves][(*letters - 'a') % leaves]);
}

static struct runtime__queue_node *
find(char letter)
{
    return &leaf[(letter - 'a') / leaves][(letter - 'a') % leaves];
}

/* Takes all that there are; which those were. */
static const char *
pop_all(void)
{
    static char letters[groups * leaves + 1];
    size_t count = 0;
    struct runtime__queue_node *node;

    while ((node = runtime__queue_pop(&root)))
        letters[count++] = (char)('a' + (node - &leaf[0][0]));
    letters[count] = '\0';
    return letters;
}

static const struct {
    const char *in;
    const char *out;
} orders[] = {
    {"", ""},
    {"a", "a"},
    {"abc", "abc"},
    /* Functions of one tenant in turns, whoever came first. */
    {"abcdi", "aibcd"},
    {"abij", "aibj"},
    /* Tenants before functions: q is the other's only one. */
    {"abcijkq", "aqibjck"},
    {"qabcijk", "qaibjck"},
    {"abqryz", "aqbyrz"},
};

START_TEST(levels_take_turns)
{
    push(orders[_i].in);
    ck_assert_str_eq(pop_all(), orders[_i].out);
    ck_assert_ptr_null(root.first);
}
END_TEST

START_TEST(who_comes_back_is_behind_the_others)
{
    push("aiq");
    ck_assert_ptr_eq(runtime__queue_pop(&root), find('a'));
    push("a");
    /* Tenant 1 has its turn, then function 1 of tenant 0. */
    ck_assert_str_eq(pop_all(), "qia");
}
END_TEST

START_TEST(one_can_be_taken_out_of_turn)
{
    push("abciq");
    runtime__queue_remove(find('b'));
    ck_assert(!runtime__queue_is_queued(find('b')));
    runtime__queue_remove(find('q'));
    ck_assert(!runtime__queue_is_queued(&tenants[1]));
    ck_assert_str_eq(pop_all(), "aic");
    push("b");
    runtime__queue_remove(find('b'));
    ck_assert_ptr_null(runtime__queue_pop(&root));
    ck_assert_ptr_null(root.first);
}
END_TEST

/* Whatever is done, who is in is who was put in, and everybody has a turn
 * before anybody of his level has two. */
START_TEST(random_steps_lose_nobody)
{
    bool is_in[groups][leaves] = {{false}};
    unsigned in_count = 0;

    srand((unsigned)_i + 1);
    for (int step = 0; step < 20000; step++) {
        int i = rand() % groups;
        int j = rand() % leaves;
        if (rand() % 3 == 0) {
            struct runtime__queue_node *node = runtime__queue_pop(&root);
            ck_assert_int_eq(node != NULL, in_count > 0);
            if (!node)
                continue;
            size_t index = (size_t)(node - &leaf[0][0]);
            ck_assert(is_in[index / leaves][index % leaves]);
            is_in[index / leaves][index % leaves] = false;
            in_count--;
        } else if (is_in[i][j]) {
            runtime__queue_remove(&leaf[i][j]);
            is_in[i][j] = false;
            in_count--;
        } else {
            runtime__queue_push(&leaf[i][j]);
            is_in[i][j] = true;
            in_count++;
        }
    }
    ck_assert_uint_eq(strlen(pop_all()), in_count);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, NULL);
    tcase_add_loop_test(tests, levels_take_turns, 0,
                        sizeof(orders) / sizeof(orders[0]));
    tcase_add_test(tests, who_comes_back_is_behind_the_others);
    tcase_add_test(tests, one_can_be_taken_out_of_turn);
    tcase_add_loop_test(tests, random_steps_lose_nobody, 0, 5);
}

WORLD_MAIN("queue", add_tests)
