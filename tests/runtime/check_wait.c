/* check_wait.c - tests of runtime/wait.c. */
#include "runtime/wait.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

/* A key that the record keeps. */
static void
set_key(struct runtime__wait *wait, const char *key)
{
    memcpy(wait->key, key, strlen(key));
    wait->operation.key = (struct state_bytes){wait->key, strlen(key)};
}

START_TEST(an_operation_that_ends_at_once_is_not_waited_for)
{
    struct world world;
    struct runtime__wait *wait = runtime__wait_create("default");

    world_open(&world, NULL);
    runtime__wait_clear(wait, STATE_INCREMENT);
    set_key(wait, "n");
    wait->operation.delta = 5;
    /* A deadline that has passed is of no matter then. */
    ck_assert(runtime__wait_submit(&wait, world.store, 0));
    ck_assert_int_eq(wait->operation.status, STATE_OK);
    ck_assert_int_eq(wait->operation.number, 5);

    runtime__wait_clear(wait, STATE_GET);
    set_key(wait, "n");
    ck_assert(runtime__wait_submit(&wait, world.store, 0));
    ck_assert_mem_eq(wait->operation.result.bytes, "5", 1);
    runtime__wait_destroy(wait);
    world_close(&world);
}
END_TEST

START_TEST(waiting_for_a_time_ends_when_it_has_come)
{
    struct runtime__wait *wait = runtime__wait_create("default");
    uint64_t until_ns = runtime__wait_now_ns() + 2000000;

    runtime__wait_until(wait, until_ns);
    ck_assert_uint_ge(runtime__wait_now_ns(), until_ns);
    runtime__wait_until(wait, 0);
    runtime__wait_destroy(wait);
    runtime__wait_destroy(NULL);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, an_operation_that_ends_at_once_is_not_waited_for);
    tcase_add_test(tests, waiting_for_a_time_ends_when_it_has_come);
}

WORLD_MAIN("wait", add_tests)
