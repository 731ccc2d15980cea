/*
 * Tests of state/backend_redis.c beyond the contract: a Redis that is away,
 * that is silent, that comes back, or that is not ours; and what is said about
 * operations that were under way.
 *
 * Every test has a server of its own.
 */
#include "tests/state/await.h"
#include "tests/state/fake_redis.h"
#include "tests/state/redis_server.h"
#include "tests/support/suite.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* For what must end by a timeout: short, so that the tests are. */
#define TIMEOUT_MS 200

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

static struct state_store *
open_impatient(const char *url)
{
    struct state_options options = {.url = url, .timeout_ms = TIMEOUT_MS};
    struct state_store *store = NULL;

    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    return store;
}

START_TEST(a_redis_that_is_away_is_said_at_once_and_found_later)
{
    struct state_store *store = open_store(server.url);
    struct state_operation operation = {0};
    struct state_health health;

    state_store_health(store, &health);
    ck_assert(!health.up);
    ck_assert_ptr_nonnull(strstr(health.message, server.socket));
    ck_assert_ptr_nonnull(strstr(health.message, "No such file"));
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation),
                     STATE_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(operation.message, "No such file"));

    redis_server_start(&server, NULL);
    wait_for_health(store, true);
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation), STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_redis_that_dies_is_away_until_it_is_back)
{
    struct state_store *store;
    struct state_operation operation = {0};

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation), STATE_OK);
    redis_server_kill(&server);
    wait_for_health(store, false);
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation),
                     STATE_UNAVAILABLE);
    redis_server_start(&server, NULL);
    wait_for_health(store, true);
    ck_assert_int_eq(await_increment(store, "a", "key", 1, &operation),
                     STATE_OK);
    ck_assert_int_eq(operation.number, 1);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_silent_redis_is_a_timeout_then_away_and_then_found)
{
    struct state_store *store;
    struct state_operation operation = {0};
    struct state_health health;

    redis_server_start(&server, NULL);
    store = open_impatient(server.url);
    redis_server_freeze(&server);
    ck_assert_int_eq(await_increment(store, "a", "key", 1, &operation),
                     STATE_TIMEOUT);
    ck_assert_ptr_nonnull(strstr(operation.message, "outcome unknown"));
    /* From now on nobody waits any more. */
    wait_for_health(store, false);
    ck_assert_int_eq(await_increment(store, "a", "key", 1, &operation),
                     STATE_UNAVAILABLE);
    state_store_health(store, &health);
    ck_assert_ptr_nonnull(strstr(health.message, server.socket));
    redis_server_thaw(&server);
    wait_for_health(store, true);
    /* As impatient as it is, it may need more than one attempt. */
    while (await_increment(store, "a", "other", 1, &operation) != STATE_OK)
        doze();
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(an_idle_connection_notices_that_redis_is_silent)
{
    struct state_store *store;

    redis_server_start(&server, NULL);
    store = open_impatient(server.url);
    redis_server_freeze(&server);
    wait_for_health(store, false);
    redis_server_thaw(&server);
    wait_for_health(store, true);
    state_store_close(store);
}
END_TEST

/* ---- What may have happened ---- */

/* Operations that are on their way at the same time. */
struct crowd {
    atomic_uint end_count;
    struct state_operation operations[8];
};

static void
count_end(struct state_operation *operation)
{
    struct crowd *crowd = operation->data;

    atomic_fetch_add(&crowd->end_count, 1);
}

static enum state_status
submit(struct state_store *store, struct crowd *crowd, size_t i,
       enum state_kind kind)
{
    crowd->operations[i] = (struct state_operation){
        .kind = kind,
        .namespace_ = "crowd",
        .key = {"key", 3},
        .delta = 1,
        .complete = count_end,
        .data = crowd,
    };
    return state_store_submit(store, &crowd->operations[i]);
}

static void
wait_for_ends(struct crowd *crowd, unsigned count)
{
    while (atomic_load(&crowd->end_count) < count)
        doze();
}

START_TEST(of_a_lost_connection_only_writes_have_an_unknown_outcome)
{
    static const char *const answers[] = {FAKE_REDIS_SILENCE,
                                          FAKE_REDIS_CLOSE, NULL};
    struct fake_redis fake = {.answers = answers};
    struct crowd crowd = {0};
    struct state_store *store;

    fake_redis_start(&fake);
    store = open_store(fake.url);
    ck_assert_int_eq(submit(store, &crowd, 0, STATE_GET), STATE_PENDING);
    ck_assert_int_eq(submit(store, &crowd, 1, STATE_PUT), STATE_PENDING);
    wait_for_ends(&crowd, 2);
    ck_assert_int_eq(crowd.operations[0].status, STATE_UNAVAILABLE);
    ck_assert_int_eq(crowd.operations[1].status, STATE_TIMEOUT);
    ck_assert_ptr_nonnull(
        strstr(crowd.operations[1].message, "outcome unknown"));
    state_store_close(store);
    ck_assert_uint_eq(atomic_load(&crowd.end_count), 2);
    fake_redis_end(&fake);
}
END_TEST

/*
 * The first of two gets is late: of its answer only the beginning is there.
 * Then comes the second one, and all the rest. Returns whether the second was
 * answered, which it need not be if this process was stopped for a while.
 */
static bool
second_is_answered(void)
{
    static const char *const answers[] = {
        "*2\r\n",
        "$1\r\n7\r\n$4\r\nlate\r\n*2\r\n$1\r\n8\r\n$4\r\ntime\r\n",
        NULL,
    };
    struct fake_redis fake = {.answers = answers};
    struct crowd crowd = {0};
    struct state_store *store;
    bool is_answered;

    fake_redis_start(&fake);
    store = open_impatient(fake.url);
    ck_assert_int_eq(submit(store, &crowd, 0, STATE_GET), STATE_PENDING);
    wait_for_ends(&crowd, 1);
    ck_assert_int_eq(crowd.operations[0].status, STATE_TIMEOUT);
    if (submit(store, &crowd, 1, STATE_GET) == STATE_PENDING)
        wait_for_ends(&crowd, 2);
    is_answered = crowd.operations[1].status == STATE_OK;
    ck_assert(!is_answered || result_is(&crowd.operations[1], "time"));
    ck_assert_int_eq(crowd.operations[0].status, STATE_TIMEOUT);
    state_operation_deinit(&crowd.operations[1]);
    state_store_close(store);
    fake_redis_end(&fake);
    return is_answered;
}

START_TEST(a_late_answer_is_dropped_and_not_mistaken_for_the_next)
{
    while (!second_is_answered())
        doze();
}
END_TEST

START_TEST(operations_under_way_are_limited_in_number)
{
    struct fake_redis fake = {0};
    struct crowd crowd = {0};
    struct state_options options = {.timeout_ms = 60000,
                                    .in_flight_max = 3};
    struct state_store *store;

    fake_redis_start(&fake);
    options.url = fake.url;
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    for (size_t i = 0; i < 3; i++)
        ck_assert_int_eq(submit(store, &crowd, i, STATE_GET), STATE_PENDING);
    ck_assert_int_eq(submit(store, &crowd, 3, STATE_GET), STATE_LIMIT);
    ck_assert_ptr_nonnull(strstr(crowd.operations[3].message, "3"));
    fake_redis_hang_up(&fake);
    wait_for_ends(&crowd, 3);
    state_store_close(store);
    fake_redis_end(&fake);
}
END_TEST

START_TEST(bytes_under_way_are_limited)
{
    static const size_t value_sizes[] = {1000, 474, 0};
    static const char bytes[1000];
    struct fake_redis fake = {0};
    struct crowd crowd = {0};
    struct state_options options = {
        .timeout_ms = 60000,
        .value_bytes_max = 1000,
        .in_flight_bytes_max = 1000 + STATE_KEY_BYTES_MAX,
    };
    struct state_store *store;

    fake_redis_start(&fake);
    options.url = fake.url;
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    /* Two values and keys of three bytes fill it to the last byte. */
    for (size_t i = 0; i < 3; i++) {
        crowd.operations[i] = (struct state_operation){
            .kind = STATE_PUT,
            .namespace_ = "crowd",
            .key = {"key", i < 2 ? 3 : 1},
            .value = {bytes, value_sizes[i]},
            .complete = count_end,
            .data = &crowd,
        };
        ck_assert_int_eq(state_store_submit(store, &crowd.operations[i]),
                         i < 2 ? STATE_PENDING : STATE_LIMIT);
    }
    ck_assert_ptr_nonnull(strstr(crowd.operations[2].message, "1480 bytes"));
    fake_redis_hang_up(&fake);
    wait_for_ends(&crowd, 2);
    state_store_close(store);
    fake_redis_end(&fake);
}
END_TEST

START_TEST(a_long_value_that_redis_does_not_take_is_given_back_in_time)
{
    size_t size = 16u << 20; /* more than any socket holds */
    char *bytes = calloc(1, size);
    struct crowd crowd = {0};
    struct state_operation *put = &crowd.operations[0];
    struct state_store *store;

    redis_server_start(&server, NULL);
    store = open_impatient(server.url);
    redis_server_freeze(&server);
    *put = (struct state_operation){
        .kind = STATE_PUT,
        .namespace_ = "crowd",
        .key = {"key", 3},
        .value = {bytes, size},
        .complete = count_end,
        .data = &crowd,
    };
    ck_assert_int_eq(state_store_submit(store, put), STATE_PENDING);
    /* What waits behind it has not been sent, and that is certain. */
    ck_assert_int_eq(submit(store, &crowd, 1, STATE_INCREMENT),
                     STATE_PENDING);
    wait_for_ends(&crowd, 2);
    /* The sanitizers see it if anybody still reads the bytes. */
    memset(bytes, 'x', size);
    free(bytes);
    ck_assert_int_eq(put->status, STATE_TIMEOUT);
    ck_assert_int_eq(crowd.operations[1].status, STATE_UNAVAILABLE);
    redis_server_thaw(&server);
    wait_for_health(store, true);
    ck_assert_int_eq(redis_server_ask_number(&server, "DBSIZE"), 1);
    state_store_close(store);
}
END_TEST

START_TEST(a_close_gives_every_operation_under_way_its_end)
{
    struct crowd crowd = {0};
    struct state_store *store;

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    for (size_t i = 0; i < 8; i++)
        ck_assert_int_eq(submit(store, &crowd, i, STATE_INCREMENT),
                         STATE_PENDING);
    state_store_close(store);
    ck_assert_uint_eq(atomic_load(&crowd.end_count), 8);
    for (size_t i = 0; i < 8; i++) {
        ck_assert_int_eq(crowd.operations[i].status, STATE_OK);
        ck_assert_int_eq(crowd.operations[i].number, (int)i + 1);
    }
}
END_TEST

START_TEST(a_close_waits_no_longer_than_the_timeout)
{
    struct crowd crowd = {0};
    struct state_store *store;

    redis_server_start(&server, NULL);
    store = open_impatient(server.url);
    redis_server_freeze(&server);
    ck_assert_int_eq(submit(store, &crowd, 0, STATE_PUT), STATE_PENDING);
    state_store_close(store);
    ck_assert_int_eq(crowd.operations[0].status, STATE_TIMEOUT);
}
END_TEST

START_TEST(an_operation_without_completion_is_refused)
{
    struct state_store *store;
    struct state_operation get = {
        .kind = STATE_GET, .namespace_ = "a", .key = {"key", 3}};

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    ck_assert_int_eq(state_store_submit(store, &get), STATE_INVALID);
    get.complete = count_end;
    get.namespace_ = "No Name";
    ck_assert_int_eq(state_store_submit(store, &get), STATE_INVALID);
    state_store_close(store);
}
END_TEST

/* ---- What Redis knows ---- */

START_TEST(the_password_and_the_database_of_the_url_are_used)
{
    static const char *const arguments[] = {"--requirepass", "s:ec/ret",
                                            NULL};
    char url[256];
    struct state_store *store;
    struct state_operation operation = {0};
    struct state_health health;
    redisContext *context;
    redisReply *reply;

    redis_server_start(&server, arguments);
    snprintf(url, sizeof url, "redis+unix://:s%%3aec%%2Fret@%s?db=3",
             server.socket);
    store = open_store(url);
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation), STATE_OK);
    state_store_close(store);
    context = redisConnectUnix(server.socket);
    freeReplyObject(redisCommand(context, "AUTH %s", "s:ec/ret"));
    freeReplyObject(redisCommand(context, "SELECT 3"));
    reply = redisCommand(context, "EXISTS {a}:k:key");
    ck_assert_int_eq(reply->integer, 1);
    freeReplyObject(reply);
    redisFree(context);

    snprintf(url, sizeof url, "redis+unix://:wrong@%s", server.socket);
    store = open_store(url);
    state_store_health(store, &health);
    ck_assert(!health.up);
    ck_assert_ptr_nonnull(strstr(health.message, "WRONGPASS"));
    ck_assert_ptr_null(strstr(health.message, "wrong@"));
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_database_with_another_layout_is_left_alone)
{
    struct state_store *store;
    struct state_operation operation = {0};
    struct state_health health;

    redis_server_start(&server, NULL);
    freeReplyObject(redis_server_ask(&server, "SET glass:state:layout 2"));
    store = open_store(server.url);
    state_store_health(store, &health);
    ck_assert(!health.up);
    ck_assert_ptr_nonnull(strstr(health.message, "layout"));
    ck_assert_int_eq(await_put(store, "a", "key", "1", &operation),
                     STATE_UNAVAILABLE);
    ck_assert_int_eq(redis_server_ask_number(&server, "DBSIZE"), 1);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

START_TEST(a_redis_that_has_become_a_replica_is_away)
{
    struct state_store *store;
    struct state_operation operation = {0};
    struct state_health health;

    redis_server_start(&server, NULL);
    store = open_store(server.url);
    await_put(store, "a", "key", "1", &operation);
    freeReplyObject(redis_server_ask(&server, "REPLICAOF 127.0.0.1 1"));
    ck_assert_int_eq(await_put(store, "a", "key", "2", &operation),
                     STATE_UNAVAILABLE);
    ck_assert_ptr_nonnull(strstr(operation.message, "READONLY"));
    wait_for_health(store, false);
    state_store_health(store, &health);
    ck_assert_ptr_nonnull(strstr(health.message, "READONLY"));
    freeReplyObject(redis_server_ask(&server, "REPLICAOF NO ONE"));
    wait_for_health(store, true);
    ck_assert_int_eq(await_put(store, "a", "key", "2", &operation), STATE_OK);
    state_operation_deinit(&operation);
    state_store_close(store);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("redis backend");
    TCase *tcase = tcase_create("redis backend");

    tcase_add_checked_fixture(tcase, make_server, end_server);
    tcase_add_test(tcase, a_redis_that_is_away_is_said_at_once_and_found_later);
    tcase_add_test(tcase, a_redis_that_dies_is_away_until_it_is_back);
    tcase_add_test(tcase, a_silent_redis_is_a_timeout_then_away_and_then_found);
    tcase_add_test(tcase, an_idle_connection_notices_that_redis_is_silent);
    tcase_add_test(tcase,
                   of_a_lost_connection_only_writes_have_an_unknown_outcome);
    tcase_add_test(tcase,
                   a_late_answer_is_dropped_and_not_mistaken_for_the_next);
    tcase_add_test(tcase, operations_under_way_are_limited_in_number);
    tcase_add_test(tcase, bytes_under_way_are_limited);
    tcase_add_test(tcase,
                   a_long_value_that_redis_does_not_take_is_given_back_in_time);
    tcase_add_test(tcase, a_close_gives_every_operation_under_way_its_end);
    tcase_add_test(tcase, a_close_waits_no_longer_than_the_timeout);
    tcase_add_test(tcase, an_operation_without_completion_is_refused);
    tcase_add_test(tcase, the_password_and_the_database_of_the_url_are_used);
    tcase_add_test(tcase, a_database_with_another_layout_is_left_alone);
    tcase_add_test(tcase, a_redis_that_has_become_a_replica_is_away);
    suite_add_tcase(suite, tcase);
    return suite_run(suite);
}
