/*
 * check_server.c - tests of http/server.c: a server's life, and many
 * connections at once.
 */
#include "http/server.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

static const struct {
    struct http_options options; /* runtime and store are filled in */
    enum http_status status;
} options_list[] = {
    {{.thread_count = 1}, HTTP_OK},
    {{.thread_count = HTTP_THREADS_MAX}, HTTP_OK},
    {{.thread_count = HTTP_THREADS_MAX + 1}, HTTP_INVALID},
    {{.connection_count_max = HTTP_CONNECTIONS_MAX}, HTTP_OK},
    {{.connection_count_max = HTTP_CONNECTIONS_MAX + 1}, HTTP_INVALID},
    {{.idle_timeout_ms = 1}, HTTP_OK},
    {{.idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS_MAX}, HTTP_OK},
    {{.idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS_MAX + 1}, HTTP_INVALID},
    {{.watcher_count_max = HTTP_WATCHERS_MAX}, HTTP_OK},
    {{.watcher_count_max = HTTP_WATCHERS_MAX + 1}, HTTP_INVALID},
    {{.heartbeat_ms = HTTP_HEARTBEAT_MS_MAX}, HTTP_OK},
    {{.heartbeat_ms = HTTP_HEARTBEAT_MS_MAX + 1}, HTTP_INVALID},
};

START_TEST(options_may_go_to_their_limits)
{
    struct http_options options = options_list[_i].options;
    struct http_server *server = NULL;
    struct http_error err = {""};

    http_world_open(&world, NULL);
    options.runtime = world.runtime;
    options.store = world.store;
    ck_assert_int_eq(http_server_create(&options, &server, &err),
                     options_list[_i].status);
    ck_assert_int_eq(server != NULL, options_list[_i].status == HTTP_OK);
    http_server_destroy(server);
}
END_TEST

START_TEST(a_server_needs_a_runtime_and_a_store)
{
    struct http_server *server = NULL;
    struct http_options options = {0};

    http_world_open(&world, NULL);
    options.runtime = world.runtime;
    ck_assert_int_eq(http_server_create(&options, &server, NULL),
                     HTTP_INVALID);
    options.runtime = NULL;
    options.store = world.store;
    ck_assert_int_eq(http_server_create(&options, &server, NULL),
                     HTTP_INVALID);
    http_server_destroy(NULL);
}
END_TEST

static int
ask(int fd, const char *target, struct http_answer *answer)
{
    char text[512];

    snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n",
             target);
    http_client_send_text(fd, text);
    http_client_receive(fd, false, answer);
    return answer->status;
}

START_TEST(a_server_that_drains_says_so_and_ends_its_connections)
{
    struct http_answer answer;

    http_world_open(&world, NULL);
    int ready = http_client_connect(world.port);
    int state = http_client_connect(world.port);
    int alive = http_client_connect(world.port);
    /* They have to be accepted, not just in the queue. */
    ck_assert_int_eq(ask(ready, "/readyz", &answer), 200);
    http_answer_deinit(&answer);
    ck_assert_int_eq(ask(state, "/readyz", &answer), 200);
    http_answer_deinit(&answer);
    ck_assert_int_eq(ask(alive, "/readyz", &answer), 200);
    http_answer_deinit(&answer);

    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    ck_assert_int_eq(ask(ready, "/readyz", &answer), 503);
    ck_assert(http_client_is_closed(ready));
    http_answer_deinit(&answer);
    ck_assert_int_eq(ask(state, "/v1/state", &answer), 503);
    ck_assert_msg(strstr(answer.body, "urn:glass:problem:draining") != NULL,
                  "%s", answer.body);
    ck_assert(http_client_is_closed(state));
    http_answer_deinit(&answer);
    ck_assert_int_eq(ask(alive, "/healthz", &answer), 200);
    ck_assert(http_client_is_closed(alive));
    http_answer_deinit(&answer);
    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    http_client_close(ready);
    http_client_close(state);
    http_client_close(alive);
}
END_TEST

/* Waits until so many requests are under way. */
static void
wait_for_requests(unsigned wanted)
{
    for (;;) {
        unsigned count = 0;
        for (unsigned loop = 0; loop < world.server->loop_count; loop++)
            count += atomic_load(&world.server->loops[loop].request_count);
        if (count == wanted)
            return;
        sched_yield();
    }
}

START_TEST(a_drain_waits_for_what_is_under_way)
{
    struct http_answer answer;

    http_world_open(&world, NULL);
    int fd = http_client_connect(world.port);
    http_client_send_text(fd, "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
                              "Expect: 100-continue\r\n"
                              "Content-Length: 5\r\n\r\n");
    /* Told to go on, it has been let in; before, a drain would refuse it. */
    http_client_receive(fd, true, &answer);
    ck_assert_int_eq(answer.status, 100);
    http_answer_deinit(&answer);
    ck_assert_int_eq(http_server_drain(world.server, 20), HTTP_TIMEOUT);
    http_client_send_text(fd, "hello");
    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 204);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

START_TEST(a_server_ends_with_requests_half_received)
{
    static const char *const halves[] = {
        "G", "GET /healthz HTTP/1.1\r\nHost", "PUT /v1/state/a HTTP/1.1\r\n"
        "Host: localhost\r\nContent-Length: 5\r\n\r\nhel",
        "POST /v1/functions/echo/invoke HTTP/1.1\r\nHost: localhost\r\n"
        "Transfer-Encoding: chunked\r\n\r\n5\r\nhe",
    };
    int fds[4];

    http_world_open(&world, NULL);
    http_world_deploy_example(&world, "echo");
    for (int index = 0; index < 4; index++) {
        fds[index] = http_client_connect(world.port);
        http_client_send_text(fds[index], halves[index]);
    }
    /* The first one has no first line yet, so nobody knows of it. */
    wait_for_requests(3);
    http_world_close(&world);
    for (int index = 0; index < 4; index++) {
        char rest[2048];

        /* One that is let in just as the server begins to end is refused. */
        http_client_receive_rest(fds[index], rest, sizeof(rest));
        ck_assert_msg(rest[0] == '\0' ||
                          strncmp(rest, "HTTP/1.1 503", 12) == 0,
                      "request %d: %s", index, rest);
        http_client_close(fds[index]);
    }
    http_world_open(&world, NULL);
}
END_TEST

/* ---- Many at once ----------------------------------------------------- */

enum { CONNECTIONS = 64, THREADS = 4, CALLS = 20 };

struct crowd {
    unsigned failed;
    const char *target;
};

/* Each thread has its connections call in turn, all of them open at once. */
static void *
call_often(void *data)
{
    struct crowd *crowd = data;
    struct http_answer answer;
    int fds[CONNECTIONS / THREADS];
    char text[256];

    snprintf(text, sizeof(text),
             "POST %s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n"
             "\r\n2",
             crowd->target);
    for (int index = 0; index < CONNECTIONS / THREADS; index++)
        fds[index] = http_client_connect(world.port);
    for (int call = 0; call < CALLS; call++) {
        for (int index = 0; index < CONNECTIONS / THREADS; index++)
            http_client_send_text(fds[index], text);
        for (int index = 0; index < CONNECTIONS / THREADS; index++) {
            http_client_receive(fds[index], false, &answer);
            crowd->failed += answer.status != 200;
            http_answer_deinit(&answer);
        }
    }
    for (int index = 0; index < CONNECTIONS / THREADS; index++)
        http_client_close(fds[index]);
    return NULL;
}

static const char *const crowd_targets[] = {
    "/v1/functions/counter/invoke",
    "/v1/state/counter:incr",
};

START_TEST(no_call_of_many_is_lost)
{
    struct crowd crowds[THREADS];
    pthread_t threads[THREADS];
    struct http_answer answer;
    char sum[32];

    http_world_open(&world, NULL);
    http_world_deploy_example(&world, "counter");
    for (int index = 0; index < THREADS; index++) {
        crowds[index] = (struct crowd){0, crowd_targets[_i]};
        ck_assert_int_eq(pthread_create(&threads[index], NULL, call_often,
                                        &crowds[index]),
                         0);
    }
    for (int index = 0; index < THREADS; index++) {
        pthread_join(threads[index], NULL);
        ck_assert_uint_eq(crowds[index].failed, 0);
    }
    http_client_ask(world.port, "GET", "/v1/state/counter", "", NULL, 0,
                    &answer);
    snprintf(sum, sizeof(sum), "%d", CONNECTIONS * CALLS * 2);
    ck_assert_msg(http_answer_is(&answer, sum), "%s, not %s", answer.body,
                  sum);
    http_answer_deinit(&answer);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/server");
    TCase *tests = tcase_create("server");

    tcase_add_checked_fixture(tests, NULL, close_world);
    tcase_add_loop_test(tests, options_may_go_to_their_limits, 0,
                        sizeof(options_list) / sizeof(*options_list));
    tcase_add_test(tests, a_server_needs_a_runtime_and_a_store);
    tcase_add_test(tests,
                   a_server_that_drains_says_so_and_ends_its_connections);
    tcase_add_test(tests, a_drain_waits_for_what_is_under_way);
    tcase_add_test(tests, a_server_ends_with_requests_half_received);
    tcase_add_loop_test(tests, no_call_of_many_is_lost, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
