/*
 * check_watch.c - tests of http/watch.c, alone with a connection, and with
 * calls whose clients go.
 */
#include "http/server.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/idle_guest.h"
#include "tests/support/suite.h"

#include <check.h>
#include <netinet/in.h>
#include <sched.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- Alone --------------------------------------------------------------- */

static struct http__watch watch;
static int client, server;
static atomic_uint gone_count;

static void
count_gone(struct http__request *request)
{
    (void)request;
    atomic_fetch_add(&gone_count, 1);
}

/* A connection over TCP: that is the one which hides what the other does. */
static void
connect_both(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t length = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(listener, (void *)&address, length), 0);
    ck_assert_int_eq(listen(listener, 1), 0);
    ck_assert_int_eq(getsockname(listener, (void *)&address, &length), 0);
    client = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(connect(client, (void *)&address, length), 0);
    server = accept(listener, NULL, NULL);
    ck_assert_int_ge(server, 0);
    close(listener);
}

static void
open_watch(void)
{
    atomic_store(&gone_count, 0);
    ck_assert(http__watch_init(&watch, count_gone));
    connect_both();
}

static void
close_watch(void)
{
    http__watch_deinit(&watch);
    close(server);
    close(client);
}

/* Any address: nobody looks behind it. */
static void
enter(enum http__half_closed half_closed)
{
    http__watch_enter(&watch, (void *)&watch, server, half_closed);
}

static void
wait_until_gone(void)
{
    while (atomic_load(&gone_count) == 0)
        sched_yield();
}

START_TEST(a_client_that_closes_is_gone)
{
    enter(HTTP__HALF_CLOSED_PROBED);
    close(client);
    wait_until_gone();
    http__watch_leave(&watch, server);
    ck_assert_uint_eq(atomic_load(&gone_count), 1);
    client = -1;
}
END_TEST

START_TEST(a_client_that_resets_is_gone)
{
    const struct linger at_once = {1, 0};

    enter(HTTP__HALF_CLOSED_IGNORED);
    setsockopt(client, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(client);
    wait_until_gone();
    http__watch_leave(&watch, server);
    client = -1;
}
END_TEST

START_TEST(a_client_that_waits_for_its_answer_is_there)
{
    char text[64] = "";

    enter(HTTP__HALF_CLOSED_PROBED);
    shutdown(client, SHUT_WR);
    ssize_t length = recv(client, text, sizeof(text) - 1, 0);
    ck_assert_int_gt(length, 0);
    ck_assert_str_eq(text, "HTTP/1.1 102 Processing\r\n\r\n");
    http__watch_leave(&watch, server);
    ck_assert_uint_eq(atomic_load(&gone_count), 0);
    /* Nothing more comes than what the server says itself. */
    ck_assert_int_eq(send(server, "x", 1, 0), 1);
    ck_assert_int_eq(recv(client, text, sizeof(text), 0), 1);
}
END_TEST

/* An older client is not sent what it does not know. */
START_TEST(a_client_of_http_1_0_is_not_asked)
{
    char byte;

    enter(HTTP__HALF_CLOSED_IGNORED);
    shutdown(client, SHUT_WR);
    usleep(20000);
    ck_assert_int_eq(recv(client, &byte, 1, MSG_DONTWAIT), -1);
    http__watch_leave(&watch, server);
    ck_assert_uint_eq(atomic_load(&gone_count), 0);
}
END_TEST

START_TEST(who_has_left_is_not_told_of)
{
    enter(HTTP__HALF_CLOSED_PROBED);
    http__watch_leave(&watch, server);
    http__watch_leave(&watch, server);
    http__watch_leave(&watch, 100000);
    close(client);
    client = -1;
    /* Another one that is gone: what was before it has been looked at. */
    close(server);
    connect_both();
    enter(HTTP__HALF_CLOSED_PROBED);
    close(client);
    client = -1;
    wait_until_gone();
    http__watch_leave(&watch, server);
    ck_assert_uint_eq(atomic_load(&gone_count), 1);
}
END_TEST

START_TEST(without_descriptors_there_is_no_watch)
{
    struct rlimit limit = {0, 0};
    struct http__watch none;

    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    rlim_t before = limit.rlim_cur;
    limit.rlim_cur = 3;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert(!http__watch_init(&none, count_gone));
    http__watch_deinit(&none);
    limit.rlim_cur = before;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
}
END_TEST

/* ---- With calls ---------------------------------------------------------- */

/* `sleep` and `loop`, both for longer than any test. */
static void
open_idle_world(void)
{
    struct module_builder *builder = module_builder_create();

    idle_guest_sleep(builder, idle_guest_import(builder));
    idle_guest_loop(builder, ":");
    open_world();
    http_world_deploy(&world, "f", builder);
}

static const char *const requests[] = {
    "POST /v1/functions/f/invoke?export=sleep&args=1000000000000 HTTP/1.1\r\n"
    "Host: localhost\r\nContent-Length: 0\r\n\r\n",
    "POST /v1/functions/f/invoke?export=loop HTTP/1.1\r\n"
    "Host: localhost\r\nContent-Length: 0\r\n\r\n",
};

static uint64_t
count_calls(void)
{
    struct runtime_statistics statistics;

    runtime_statistics(world.runtime, &statistics);
    return statistics.call_count;
}

static int
begin(const char *request)
{
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, request);
    while (count_calls() == 0)
        sched_yield();
    return fd;
}

START_TEST(a_call_ends_when_its_client_is_gone)
{
    int fd = begin(requests[_i]);

    http_client_close(fd);
    while (count_calls() > 0)
        sched_yield();
}
END_TEST

START_TEST(a_client_that_only_ended_its_requests_gets_its_answer)
{
    struct http_answer answer;
    int fd = begin("POST /v1/functions/f/invoke?export=sleep&args=50000000 "
                   "HTTP/1.1\r\nHost: localhost\r\n"
                   "Content-Length: 0\r\n\r\n");

    shutdown(fd, SHUT_WR);
    do {
        http_client_receive(fd, true, &answer);
        int status = answer.status;
        http_answer_deinit(&answer);
        if (status != 102) {
            ck_assert_int_eq(status, 200);
            break;
        }
    } while (true);
    http_client_close(fd);
}
END_TEST

START_TEST(a_drain_ends_calls_when_its_time_is_over)
{
    struct http_answer answer;
    int fd = begin(requests[_i]);

    ck_assert_int_eq(http_server_drain(world.server, 20), HTTP_OK);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_ptr_nonnull(
        strstr(answer.body, "urn:glass:problem:cancelled"));
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

START_TEST(a_server_ends_with_its_calls)
{
    int fd = begin(requests[_i]);

    close_world();
    http_client_close(fd);
    open_idle_world();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/watch");
    TCase *alone = tcase_create("alone");
    TCase *calls = tcase_create("calls");

    tcase_add_checked_fixture(alone, open_watch, close_watch);
    tcase_add_test(alone, a_client_that_closes_is_gone);
    tcase_add_test(alone, a_client_that_resets_is_gone);
    tcase_add_test(alone, a_client_that_waits_for_its_answer_is_there);
    tcase_add_test(alone, a_client_of_http_1_0_is_not_asked);
    tcase_add_test(alone, who_has_left_is_not_told_of);
    tcase_add_test(alone, without_descriptors_there_is_no_watch);
    suite_add_tcase(suite, alone);
    tcase_add_checked_fixture(calls, open_idle_world, close_world);
    tcase_add_loop_test(calls, a_call_ends_when_its_client_is_gone, 0, 2);
    tcase_add_test(calls,
                   a_client_that_only_ended_its_requests_gets_its_answer);
    tcase_add_loop_test(calls, a_drain_ends_calls_when_its_time_is_over, 0,
                        2);
    tcase_add_loop_test(calls, a_server_ends_with_its_calls, 0, 2);
    suite_add_tcase(suite, calls);
    return suite_run(suite);
}
