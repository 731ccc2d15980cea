/* check_wait.c - tests of runtime/wait.c. What answers later is the test
 * itself: see check_redis.c for a real backend. */
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

static void
count_wake(void *data)
{
    (*(int *)data)++;
}

/* An operation that is under way; the test ends it by its `complete`. */
static struct runtime__wait *
begin(int *wake_count)
{
    struct runtime__wait *wait = runtime__wait_create("default");

    ck_assert_ptr_nonnull(wait);
    wait->wake = count_wake;
    wait->wake_data = wake_count;
    runtime__wait_clear(wait, STATE_GET);
    wait->is_under_way = true;
    return wait;
}

START_TEST(an_operation_that_ends_at_once_is_not_waited_for)
{
    struct world world;
    struct runtime__wait *wait = runtime__wait_create("default");

    world_open(&world, NULL);
    runtime__wait_clear(wait, STATE_INCREMENT);
    set_key(wait, "n");
    wait->operation.delta = 5;
    ck_assert(runtime__wait_submit(wait, world.store));
    ck_assert(!runtime__wait_is_pending(wait));
    ck_assert_int_eq(wait->operation.status, STATE_OK);
    ck_assert_int_eq(wait->operation.number, 5);

    runtime__wait_clear(wait, STATE_GET);
    set_key(wait, "n");
    ck_assert(runtime__wait_submit(wait, world.store));
    ck_assert_mem_eq(wait->operation.result.bytes, "5", 1);
    runtime__wait_destroy(wait);
    runtime__wait_destroy(NULL);
    world_close(&world);
}
END_TEST

START_TEST(what_is_under_way_is_not_submitted_again_and_wakes_once)
{
    int wake_count = 0;
    struct runtime__wait *wait = begin(&wake_count);

    /* There is no store that could be asked. */
    ck_assert(!runtime__wait_submit(wait, NULL));
    ck_assert(runtime__wait_is_pending(wait));
    ck_assert(!runtime__wait_submit(wait, NULL));
    ck_assert_int_eq(wake_count, 0);
    wait->operation.complete(&wait->operation);
    ck_assert_int_eq(wake_count, 1);
    ck_assert(!runtime__wait_is_pending(wait));
    ck_assert(runtime__wait_submit(wait, NULL));
    ck_assert(!wait->is_under_way);
    runtime__wait_destroy(wait);
}
END_TEST

START_TEST(what_was_abandoned_wakes_nobody_and_frees_itself)
{
    int wake_count = 0;
    struct runtime__wait *wait = begin(&wake_count);

    ck_assert_ptr_null(runtime__wait_abandon(wait));
    wait->operation.complete(&wait->operation);
    ck_assert_int_eq(wake_count, 0);
}
END_TEST

START_TEST(an_answer_that_nobody_looked_at_is_no_reason_to_abandon)
{
    int wake_count = 0;
    struct runtime__wait *wait = begin(&wake_count);

    wait->operation.complete(&wait->operation);
    ck_assert_ptr_eq(runtime__wait_abandon(wait), wait);
    ck_assert(!wait->is_under_way);
    /* And one that is idle is not abandoned. */
    ck_assert_ptr_eq(runtime__wait_abandon(wait), wait);
    runtime__wait_destroy(wait);
}
END_TEST

/* Locks the key as somebody else; 0: it is not to be had. */
static uint64_t
take(struct world *world)
{
    struct state_operation lock = {.kind = STATE_LOCK,
                                   .namespace_ = "default",
                                   .key = {"k", 1}};

    state_store_submit(world->store, &lock);
    return lock.token;
}

START_TEST(a_lock_that_is_granted_to_nobody_is_given_back)
{
    bool is_abandoned_first = _i == 0;
    struct world world;
    int wake_count = 0;
    struct runtime__wait *wait = begin(&wake_count);

    world_open(&world, NULL);
    struct state_operation unlock = {.kind = STATE_UNLOCK,
                                     .namespace_ = "default",
                                     .key = {"k", 1},
                                     .lock_token = take(&world)};
    runtime__wait_clear(wait, STATE_LOCK);
    set_key(wait, "k");
    wait->operation.timeout_ms = 60000;
    ck_assert(!runtime__wait_submit(wait, world.store));
    if (is_abandoned_first)
        ck_assert_ptr_null(runtime__wait_abandon(wait));
    ck_assert_int_eq(state_store_submit(world.store, &unlock), STATE_OK);
    ck_assert_int_eq(wake_count, !is_abandoned_first);
    if (!is_abandoned_first) {
        ck_assert_uint_eq(take(&world), 0);
        ck_assert_ptr_eq(runtime__wait_abandon(wait), wait);
        runtime__wait_destroy(wait);
    }
    ck_assert_uint_gt(take(&world), 0);
    world_close(&world);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests,
                        a_lock_that_is_granted_to_nobody_is_given_back, 0,
                        2);
    tcase_add_test(tests, an_operation_that_ends_at_once_is_not_waited_for);
    tcase_add_test(tests,
                   what_is_under_way_is_not_submitted_again_and_wakes_once);
    tcase_add_test(tests, what_was_abandoned_wakes_nobody_and_frees_itself);
    tcase_add_test(tests,
                   an_answer_that_nobody_looked_at_is_no_reason_to_abandon);
}

WORLD_MAIN("wait", add_tests)
