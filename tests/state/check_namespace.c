/* Tests of state/namespace.c. */
#include "state/namespace.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <string.h>

START_TEST(a_namespace_is_found_once_it_is_there)
{
    struct state__namespaces namespaces;
    struct state__namespace *a = NULL, *b = NULL, *again = NULL;

    ck_assert(state__namespaces_init(&namespaces, 5));
    ck_assert_ptr_null(state__namespaces_find(&namespaces, "a"));
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "a", &a),
                     STATE_OK);
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "b", &b),
                     STATE_OK);
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "a", &again),
                     STATE_OK);
    ck_assert_ptr_eq(a, again);
    ck_assert_ptr_ne(a, b);
    ck_assert_uint_ne(a->index, b->index);
    ck_assert_str_eq(a->name, "a");
    ck_assert_ptr_eq(state__namespaces_find(&namespaces, "b"), b);
    ck_assert_ptr_null(state__namespaces_find(&namespaces, "ab"));
    ck_assert_uint_eq(state__namespace_next_version(a), 1);
    ck_assert_uint_eq(state__namespace_next_version(a), 2);
    ck_assert_uint_eq(state__namespace_next_version(b), 1);
    state__namespaces_deinit(&namespaces);
}
END_TEST

START_TEST(any_name_may_be_looked_for)
{
    struct state__namespaces namespaces;
    char name[1001];

    memset(name, 'a', 1000);
    name[1000] = '\0';
    ck_assert(state__namespaces_init(&namespaces, 5));
    ck_assert_ptr_null(state__namespaces_find(&namespaces, name));
    ck_assert_ptr_null(state__namespaces_find(&namespaces, ""));
    ck_assert_ptr_null(state__namespaces_find(&namespaces, "{}\xff"));
    state__namespaces_deinit(&namespaces);
}
END_TEST

START_TEST(there_are_as_many_as_the_limit_and_not_one_more)
{
    struct state__namespaces namespaces;
    struct state__namespace *found = NULL;
    char name[16];

    ck_assert(state__namespaces_init(&namespaces, 5));
    for (int i = 0; i < STATE_NAMESPACES_MAX; i++) {
        snprintf(name, sizeof name, "n%d", i);
        if (state__namespaces_obtain(&namespaces, name, &found) != STATE_OK)
            ck_abort_msg("number %d", i);
    }
    found = NULL;
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "one-more", &found),
                     STATE_LIMIT);
    ck_assert_ptr_null(found);
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "n7", &found),
                     STATE_OK);
    ck_assert_str_eq(found->name, "n7");
    state__namespaces_deinit(&namespaces);
}
END_TEST

#define THREADS 4
#define NAMES 300

struct race {
    struct state__namespaces namespaces;
    struct state__namespace *found[THREADS][NAMES];
};

struct runner {
    struct race *race;
    int number;
};

static void *
obtain_all(void *argument)
{
    struct runner *runner = argument;
    char name[16];

    for (int i = 0; i < NAMES; i++) {
        snprintf(name, sizeof name, "n%d", i);
        state__namespaces_obtain(&runner->race->namespaces, name,
                                 &runner->race->found[runner->number][i]);
    }
    return NULL;
}

START_TEST(threads_that_want_the_same_name_get_the_same_namespace)
{
    static struct race race;
    struct runner runners[THREADS];
    pthread_t threads[THREADS];

    ck_assert(state__namespaces_init(&race.namespaces, 5));
    for (int i = 0; i < THREADS; i++) {
        runners[i] = (struct runner){&race, i};
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, obtain_all, &runners[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_uint_eq(race.namespaces.count, NAMES);
    for (int i = 1; i < THREADS; i++)
        ck_assert(memcmp(race.found[0], race.found[i],
                         sizeof race.found[0]) == 0);
    state__namespaces_deinit(&race.namespaces);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_namespace_is_found_once_it_is_there,
        any_name_may_be_looked_for,
        there_are_as_many_as_the_limit_and_not_one_more,
        threads_that_want_the_same_name_get_the_same_namespace,
        NULL,
    };

    return run_suite("namespace", tests);
}
