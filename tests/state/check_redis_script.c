/*
 * Tests of state/redis_script.lua: what it leaves in Redis, since other
 * programs may read that, and that it is there when it is needed.
 *
 * Every test has a server of its own.
 */
#include "tests/state/await.h"
#include "tests/state/redis_server.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static struct redis_server server;

static void
make_server(void)
{
    redis_server_init(&server);
}

static void
end_server(void)
{
    redis_server_deinit(&server);
}

START_TEST(functions_that_redis_has_lost_are_loaded_again)
{
    struct state_store *store;
    struct state_operation operation = {0};
    static const char *const forbidden[] = {"--rename-command", "FUNCTION",
                                            "", NULL};

    redis_server_start(&server, _i ? forbidden : NULL);
    store = open_store(server.url);
    await_increment(store, "a", "key", 1, &operation);
    freeReplyObject(redis_server_ask(&server, _i ? "SCRIPT FLUSH"
                                                 : "FUNCTION FLUSH"));
    ck_assert_int_eq(await_increment(store, "a", "key", 1, &operation),
                     STATE_OK);
    ck_assert_int_eq(operation.number, 2);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(the_layout_is_the_documented_one)
{
    struct state_store *store;
    struct state_operation operation = {.ttl_ms = 100000};
    redisReply *reply;

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    await_put(store, "a", "stays", "the value", &operation);
    operation.ttl_ms = 0;
    await_put(store, "a", "stays", "the value", &operation);
    operation.ttl_ms = 100000;
    await_put(store, "a", "goes", "", &operation);
    reply = redis_server_ask(&server, "HMGET {a}:k:stays n v");
    ck_assert_str_eq(reply->element[0]->str, "2");
    ck_assert_str_eq(reply->element[1]->str, "the value");
    freeReplyObject(reply);
    reply = redis_server_ask(&server, "GET {a}:seq");
    ck_assert_str_eq(reply->str, "3");
    freeReplyObject(reply);
    reply = redis_server_ask(&server, "ZRANGE {a}:index 0 -1");
    ck_assert_uint_eq(reply->elements, 2);
    ck_assert_str_eq(reply->element[0]->str, "goes");
    freeReplyObject(reply);
    reply = redis_server_ask(&server, "ZRANGE {a}:expiry 0 -1");
    ck_assert_uint_eq(reply->elements, 1);
    ck_assert_str_eq(reply->element[0]->str, "goes");
    freeReplyObject(reply);
    ck_assert_int_eq(redis_server_ask_number(&server, "PTTL {a}:k:stays"),
                     -1);
    ck_assert_int_gt(redis_server_ask_number(&server, "PTTL {a}:k:goes"), 0);
    operation.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_int_eq(redis_server_ask_number(&server, "ZCARD {a}:index"), 1);
    ck_assert_int_eq(redis_server_ask_number(&server, "ZCARD {a}:expiry"), 0);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

/* Makes keys that expire at once, and waits until Redis has dropped them. */
static void
leave_dead_keys(struct state_store *store, int count)
{
    struct state_operation operation = {.ttl_ms = 1};
    char key[32];

    for (int i = 0; i < count; i++) {
        snprintf(key, sizeof key, "dead %d", i);
        await_put(store, "a", key, "1", &operation);
    }
    for (int i = 0; i < count; i++)
        while (redis_server_ask_number(&server, "EXISTS {a}:k:dead%b%d", " ",
                                       (size_t)1, i))
            doze();
    state_operation_deinit(&operation);
}

START_TEST(expired_keys_leave_the_index_by_lists_and_by_other_writes)
{
    struct state_store *store;
    struct state_operation operation = {0};

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    leave_dead_keys(store, 8);
    operation.kind = STATE_LIST;
    operation.namespace_ = "a";
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 0);
    ck_assert_int_eq(redis_server_ask_number(&server, "ZCARD {a}:index"), 0);
    leave_dead_keys(store, 20);
    for (int i = 0; i < 32; i++)
        await_put(store, "a", "other", "1", &operation);
    ck_assert_int_eq(redis_server_ask_number(&server, "ZCARD {a}:index"), 1);
    ck_assert_int_eq(redis_server_ask_number(&server, "ZCARD {a}:expiry"), 0);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(deleting_works_when_redis_is_out_of_memory)
{
    struct state_store *store;
    struct state_operation operation = {0};
    static const char *const forbidden[] = {"--rename-command", "FUNCTION",
                                            "", NULL};

    redis_server_start(&server, _i ? forbidden : NULL);
    store = open_store(server.url);
    await_put(store, "a", "key", "1", &operation);
    freeReplyObject(redis_server_ask(&server, "CONFIG SET maxmemory 1"));
    ck_assert_int_eq(await_put(store, "a", "other", "1", &operation),
                     STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(operation.message, "OOM"));
    operation.key = text("key");
    operation.kind = STATE_STAT;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    operation.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    operation.kind = STATE_LIST;
    ck_assert_int_eq(await(store, &operation), STATE_OK);
    ck_assert_uint_eq(operation.entry_count, 0);
    state_operation_deinit(&operation);
    state_store_close(store);

    /* A new connection is not kept out by the lack of memory either. */
    store = open_store(server.url);
    operation.kind = STATE_DELETE;
    ck_assert_int_eq(await(store, &operation), STATE_NOT_FOUND);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(two_stores_on_one_redis_see_each_other)
{
    struct state_store *a, *b;
    struct state_operation operation = {0};

    redis_server_start(&server, NULL);
    a = open_store(server.url);
    b = open_store(server.url);
    for (int i = 0; i < 10; i++) {
        ck_assert_int_eq(
            await_increment(i % 2 ? a : b, "a", "key", 1, &operation),
            STATE_OK);
        ck_assert_int_eq(operation.number, i + 1);
    }
    state_operation_deinit(&operation);
    state_store_close(a);
    state_store_close(b);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis script");
    TCase *tcase = tcase_create("redis script");

    tcase_add_checked_fixture(tcase, make_server, end_server);
    tcase_add_loop_test(tcase, functions_that_redis_has_lost_are_loaded_again,
                        0, 2);
    tcase_add_test(tcase, the_layout_is_the_documented_one);
    tcase_add_test(tcase,
                   expired_keys_leave_the_index_by_lists_and_by_other_writes);
    tcase_add_loop_test(tcase, deleting_works_when_redis_is_out_of_memory, 0,
                        2);
    tcase_add_test(tcase, two_stores_on_one_redis_see_each_other);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
