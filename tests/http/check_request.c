/*
 * check_request.c - tests of http/request.c: bodies, and requests that wait
 * for a store that is far away.
 */
#include "tests/http/one_world.h"
#include "tests/state/redis_server.h"
#include "http/server.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static struct redis_server redis;

static void
open_small_world(void)
{
    const struct http_world_options options = {
        .http = {.value_bytes_max = 1000, .input_bytes_max = 1000},
        .runtime = {.input_bytes_max = 1000},
    };

    http_world_open(&world, &options);
}

/* The state in a redis-server, which makes every operation wait. */
static void
open_remote(unsigned timeout_ms)
{
    const struct http_world_options options = {
        .state = {.url = redis.url, .timeout_ms = timeout_ms},
        .http = {.thread_count = 1},
    };

    redis_server_start(&redis, NULL);
    http_world_open(&world, &options);
}

static void
init_redis(void)
{
    redis_server_init(&redis);
}

static void
close_all(void)
{
    close_world();
    if (redis.directory[0])
        redis_server_deinit(&redis);
}

static int
next_status(int fd)
{
    struct http_answer answer;

    http_client_receive(fd, false, &answer);
    http_answer_deinit(&answer);
    return answer.status;
}

#define HEALTH "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
#define CHUNKED(target)                                                       \
    " " target " HTTP/1.1\r\nHost: localhost\r\n"                             \
    "Transfer-Encoding: chunked\r\n\r\n"

/* ---- Bodies ----------------------------------------------------------- */

/* Refused requests with a body: it is read, and the connection goes on. */
static const struct {
    const char *head;
    int status;
    int length;
} refused[] = {
    {"PUT /nothing HTTP/1.1\r\nHost: localhost\r\n", 404, 100000},
    {"POST /healthz HTTP/1.1\r\nHost: localhost\r\n", 405, 100000},
    {"PUT /v1/state/a HTTP/1.1\r\nHost: x.example\r\n", 421, 100000},
    {"PUT /v1/state/a?x HTTP/1.1\r\nHost: localhost\r\n", 400, 100000},
    {"PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n", 413, 100000},
    {"POST /v1/functions/nobody/invoke HTTP/1.1\r\nHost: localhost\r\n", 404,
     900},
};

START_TEST(a_refused_request_leaves_the_connection_in_order)
{
    static char body[100001];
    int fd = http_client_connect(world.port);
    char length[64];

    memset(body, 'x', (size_t)refused[_i].length);
    snprintf(length, sizeof(length), "Content-Length: %d\r\n\r\n",
             refused[_i].length);
    http_client_send_text(fd, refused[_i].head);
    http_client_send_text(fd, length);
    http_client_send_text(fd, body);
    http_client_send_text(fd, HEALTH);
    ck_assert_int_eq(next_status(fd), refused[_i].status);
    ck_assert_int_eq(next_status(fd), 200);
    http_client_close(fd);
}
END_TEST

/* Sends `count` chunks of 100 bytes, and the last one. */
static void
send_chunks(int fd, int count)
{
    static char chunk[128];

    strcpy(chunk, "64\r\n");
    memset(chunk + 4, 'x', 100);
    strcpy(chunk + 104, "\r\n");
    for (int index = 0; index < count; index++)
        http_client_send_text(fd, chunk);
    http_client_send_text(fd, "0\r\n\r\n");
}

static const struct {
    const char *head;
    int status; /* within the limit */
} streamed[] = {
    {"PUT" CHUNKED("/v1/state/a"), 204},
    {"POST" CHUNKED("/v1/functions/echo/invoke"), 200},
};

START_TEST(a_body_in_chunks_has_the_same_limit)
{
    int fd = http_client_connect(world.port);

    http_world_deploy_example(&world, "echo");
    http_client_send_text(fd, streamed[_i].head);
    send_chunks(fd, 10);
    ck_assert_int_eq(next_status(fd), streamed[_i].status);
    http_client_send_text(fd, streamed[_i].head);
    send_chunks(fd, 11);
    ck_assert_int_eq(next_status(fd), 413);
    http_client_send_text(fd, HEALTH);
    ck_assert_int_eq(next_status(fd), 200);
    http_client_close(fd);
}
END_TEST

START_TEST(a_body_without_an_end_is_cut_off)
{
    /* Enough for what is thrown away, and for all buffers between. */
    int count = (HTTP_DISCARD_BYTES_MAX + (16 << 20)) / 100;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, streamed[0].head);
    send_chunks(fd, count);
    ck_assert(http_client_is_closed(fd));
    http_client_close(fd);
    ck_assert_int_eq(
        http_client_status(world.port, "GET", "/healthz", "", NULL), 200);
}
END_TEST

/* How many requests are under way. */
static unsigned
count_requests(void)
{
    unsigned count = 0;

    for (unsigned loop = 0; loop < world.server->loop_count; loop++)
        count += atomic_load(&world.server->loops[loop].request_count);
    return count;
}

START_TEST(a_client_that_goes_away_leaves_nothing)
{
    static const char *const halves[] = {
        "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 5\r\n\r\nhel",
        "POST /v1/functions/echo/invoke HTTP/1.1\r\nHost: localhost\r\n"
        "Content-Length: 5\r\n\r\nhel",
        "PUT /v1/state/a HTTP/1.1\r\nHost: local",
    };
    struct runtime_statistics statistics;

    http_world_deploy_example(&world, "echo");
    for (int index = 0; index < 3; index++) {
        int fd = http_client_connect(world.port);
        http_client_send_text(fd, halves[index]);
        /*
         * An end that comes together with the last bytes is not seen by
         * libmicrohttpd before its timeout: see docs/http.md.
         */
        while (count_requests() == 0)
            sched_yield();
        http_client_close(fd);
        while (count_requests() > 0)
            sched_yield();
    }
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.call_count, 0);
}
END_TEST

/* ---- Waiting ---------------------------------------------------------- */

START_TEST(every_route_of_the_state_can_wait)
{
    static const struct {
        const char *method;
        const char *target;
        const char *body;
        int status;
    } steps[] = {
        {"PUT", "/v1/state/a", "hello", 204},
        {"GET", "/v1/state/a", NULL, 200},
        {"HEAD", "/v1/state/a", NULL, 200},
        {"POST", "/v1/state/a:append", "!", 200},
        {"POST", "/v1/state/n:incr", "5", 200},
        {"POST", "/v1/state/a:incr", "5", 409},
        {"GET", "/v1/state", NULL, 200},
        {"GET", "/v1/state/b", NULL, 404},
        {"DELETE", "/v1/state/a", NULL, 204},
        {"GET", "/v1/state/a", NULL, 404},
    };

    open_remote(0);
    for (size_t step = 0; step < sizeof(steps) / sizeof(*steps); step++)
        ck_assert_int_eq(http_client_status(world.port, steps[step].method,
                                            steps[step].target, "",
                                            steps[step].body),
                         steps[step].status);
}
END_TEST

/* How many requests wait for their operation. */
static unsigned
count_parked(void)
{
    return atomic_load(&world.server->loops[0].parked_count);
}

START_TEST(a_request_that_waits_lets_the_others_pass)
{
    open_remote(30000);
    int waiting = http_client_connect(world.port);
    int passing = http_client_connect(world.port);

    redis_server_freeze(&redis);
    http_client_send_text(waiting, "GET /v1/state/a HTTP/1.1\r\n"
                                   "Host: localhost\r\n\r\n");
    while (count_parked() == 0)
        sched_yield();
    /* One loop has them both. */
    http_client_send_text(passing, HEALTH);
    ck_assert_int_eq(next_status(passing), 200);
    ck_assert_uint_eq(count_parked(), 1);
    redis_server_thaw(&redis);
    ck_assert_int_eq(next_status(waiting), 404);
    http_client_send_text(waiting, HEALTH);
    ck_assert_int_eq(next_status(waiting), 200);
    http_client_close(waiting);
    http_client_close(passing);
}
END_TEST

START_TEST(a_store_that_does_not_answer_ends_in_504_and_503)
{
    open_remote(200);
    redis_server_freeze(&redis);
    ck_assert_int_eq(
        http_client_status(world.port, "GET", "/v1/state/a", "", NULL), 504);
    redis_server_thaw(&redis);
    redis_server_kill(&redis);
    int status = 0;
    for (int tries = 0; tries < 100 && status != 503; tries++)
        status =
            http_client_status(world.port, "GET", "/v1/state/a", "", NULL);
    ck_assert_int_eq(status, 503);
}
END_TEST

START_TEST(a_server_ends_while_requests_wait)
{
    enum { CONNECTIONS = 8 };
    int fds[CONNECTIONS];

    open_remote(300);
    redis_server_freeze(&redis);
    for (int index = 0; index < CONNECTIONS; index++) {
        fds[index] = http_client_connect(world.port);
        http_client_send_text(fds[index], "GET /v1/state/a HTTP/1.1\r\n"
                                          "Host: localhost\r\n\r\n");
    }
    while (count_parked() < CONNECTIONS)
        sched_yield();
    /* Half of the clients do not wait for it. */
    for (int index = 0; index < CONNECTIONS; index += 2)
        http_client_close(fds[index]);
    http_server_destroy(world.server);
    world.server = NULL;
    for (int index = 1; index < CONNECTIONS; index += 2)
        http_client_close(fds[index]);
    redis_server_thaw(&redis);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/request");
    TCase *bodies = tcase_create("bodies");
    TCase *waiting = tcase_create("waiting");

    tcase_add_checked_fixture(bodies, open_small_world, close_all);
    tcase_add_loop_test(bodies,
                        a_refused_request_leaves_the_connection_in_order, 0,
                        sizeof(refused) / sizeof(*refused));
    tcase_add_loop_test(bodies, a_body_in_chunks_has_the_same_limit, 0, 2);
    tcase_add_test(bodies, a_body_without_an_end_is_cut_off);
    tcase_add_test(bodies, a_client_that_goes_away_leaves_nothing);
    suite_add_tcase(suite, bodies);
    tcase_add_checked_fixture(waiting, init_redis, close_all);
    tcase_add_test(waiting, every_route_of_the_state_can_wait);
    tcase_add_test(waiting, a_request_that_waits_lets_the_others_pass);
    tcase_add_test(waiting, a_store_that_does_not_answer_ends_in_504_and_503);
    tcase_add_test(waiting, a_server_ends_while_requests_wait);
    suite_add_tcase(suite, waiting);
    return suite_run(suite);
}
