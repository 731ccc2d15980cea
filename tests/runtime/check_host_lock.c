/* check_host_lock.c - tests of runtime/host_lock.c, by guests/lock.c. */
#include "runtime/host_lock.h"

#include "tests/runtime/one_world.h"

#include <check.h>
#include <pthread.h>
#include <string.h>

static void
open_lock(void)
{
    world_open(&world, NULL);
    world_deploy_guest(&world, "lock");
}

/* Each checks itself. */
static const char *const exports[] = {
    "a_key_is_locked_once",
    "writes_carry_the_token",
    "a_shared_lock_is_for_reading",
    "what_makes_no_sense_is_invalid",
    "a_call_has_so_many_locks_and_no_more",
    "oversleep",
};

START_TEST(a_guest_finds_what_it_expects)
{
    world_ask(&world, "lock", exports[_i], "", RUNTIME_OK);
}
END_TEST

/* Locks the key as somebody else; 0: it is not to be had. */
static uint64_t
take(void)
{
    struct state_operation lock = {.kind = STATE_LOCK,
                                   .namespace_ = "default",
                                   .key = {"key", 3}};

    state_store_submit(world.store, &lock);
    return lock.token;
}

static void
give_back(uint64_t token)
{
    struct state_operation unlock = {.kind = STATE_UNLOCK,
                                     .namespace_ = "default",
                                     .key = {"key", 3},
                                     .lock_token = token};

    ck_assert_int_eq(state_store_submit(world.store, &unlock), STATE_OK);
}

START_TEST(the_end_of_a_call_gives_its_locks_back)
{
    static const struct {
        const char *name;
        enum runtime_status end;
    } ends[] = {
        {"take_the_lock", RUNTIME_OK},
        {"take_the_lock_and_trap", RUNTIME_TRAP},
    };

    for (int i = 0; i < 2; i++) {
        world_ask(&world, "lock", ends[i].name, "", ends[i].end);
        uint64_t token = take();
        ck_assert_uint_gt(token, 0);
        world_ask(&world, "lock", "find_it_locked", "", RUNTIME_OK);
        give_back(token);
    }
}
END_TEST

START_TEST(a_call_that_ends_while_it_waits_gets_no_lock)
{
    struct runtime_call *call;
    uint64_t token = take();

    ck_assert_uint_gt(token, 0);
    call = world_call(&world, "lock", "");
    runtime_call_set_export(call, "wait_for_ever", NULL, 0, NULL);
    runtime_call_set_timeout_ms(call, 30);
    /* Either end: told in time that it is locked, or stopped just before. */
    ck_assert_int_ne(runtime_call_run(call), RUNTIME_OK);
    runtime_call_destroy(call);
    give_back(token);
    while ((token = take()) == 0)
        ;
    give_back(token);
}
END_TEST

#define THREADS 3
#define CALLS 3

static void *
call_some(void *argument)
{
    (void)argument;
    for (int i = 0; i < CALLS; i++) {
        struct runtime_call *call;

        ck_assert_int_eq(runtime_call_create(world.runtime, "default",
                                             "lock", &call, NULL),
                         RUNTIME_OK);
        world_start(call, RUNTIME_OK);
        runtime_call_destroy(call);
    }
    return NULL;
}

START_TEST(calls_come_one_after_the_other)
{
    struct state_operation get = {.kind = STATE_GET,
                                  .namespace_ = "default",
                                  .key = {"key", 3}};
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, call_some, NULL), 0);
    for (int i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(state_store_submit(world.store, &get), STATE_OK);
    ck_assert_int_eq(*(const char *)get.result.bytes, '0' + THREADS * CALLS);
    state_operation_deinit(&get);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_lock, close_world);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        (int)(sizeof(exports) / sizeof(*exports)));
    tcase_add_test(tests, the_end_of_a_call_gives_its_locks_back);
    tcase_add_test(tests, a_call_that_ends_while_it_waits_gets_no_lock);
    tcase_add_test(tests, calls_come_one_after_the_other);
}

WORLD_MAIN("host_lock", add_tests)
