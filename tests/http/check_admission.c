/*
 * check_admission.c - tests of http/admission.c: what is refused before the
 * body is read.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

static void
open_small_world(void)
{
    const struct http_world_options options = {
        .http = {.module_bytes_max = 100,
                 .value_bytes_max = 1000,
                 .input_bytes_max = 2000},
        .runtime = {.input_bytes_max = 2000},
    };

    http_world_open(&world, &options);
}

/* Asks on a connection of its own; the request is whole but for its end. */
static int
ask(const char *head)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, head);
    http_client_send_text(fd, "\r\n");
    http_client_receive(fd, false, &answer);
    http_answer_deinit(&answer);
    http_client_close(fd);
    return answer.status;
}

static const struct {
    const char *head;
    int status;
} heads[] = {
    /* Who asks: see check_origin.c for more of it. */
    {"GET / HTTP/1.1\r\nHost: localhost:1\r\n", 200},
    {"GET / HTTP/1.1\r\nHost: glass.example\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: \r\n", 421},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n", 400},
    {"GET / HTTP/1.1\r\n", 400},
    {"GET / HTTP/1.0\r\n", 200},
    {"GET / HTTP/1.0\r\nHost: glass.example\r\n", 421},
    {"GET http://localhost/ HTTP/1.1\r\nHost: x.example\r\n", 200},
    {"GET http://x.example/ HTTP/1.1\r\nHost: localhost\r\n", 421},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\n", 200},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://x.example\r\n", 403},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n", 403},
    {"GET / HTTP/1.0\r\nOrigin: http://localhost\r\n", 403},
    /* What is asked for. */
    {"GET /nothing HTTP/1.1\r\nHost: localhost\r\n", 404},
    {"GET * HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"GET nothing HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"GET /a b HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"GET /#a HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"POST /healthz HTTP/1.1\r\nHost: localhost\r\n", 405},
    {"BREW /healthz HTTP/1.1\r\nHost: localhost\r\n", 405},
    {"GET /healthz?verbose HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"GET /v1/state/a%2 HTTP/1.1\r\nHost: localhost\r\n", 400},
    {"GET /v1/state/a:b HTTP/1.1\r\nHost: localhost\r\n", 404},
    {"GET /v1/state/a?ttl=5 HTTP/1.1\r\nHost: localhost\r\n", 400},
    /* In which namespace. */
    {"GET /v1/state HTTP/1.1\r\nHost: localhost\r\nGlass-Namespace: a-1\r\n",
     200},
    {"GET /v1/state HTTP/1.1\r\nHost: localhost\r\nGlass-Namespace: -a\r\n",
     400},
    {"GET /v1/state HTTP/1.1\r\nHost: localhost\r\nGlass-Namespace: \r\n", 400},
    {"GET /v1/state HTTP/1.1\r\nHost: localhost\r\nGlass-Namespace: a\r\n"
     "Glass-Namespace: a\r\n", 400},
    /* What is expected. */
    {"GET / HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\n", 417},
    /* How much is announced; none of it is sent. */
    {"PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
     "Expect: 100-continue\r\nContent-Length: 1001\r\n", 413},
    {"PUT /v1/functions/a HTTP/1.1\r\nHost: localhost\r\n"
     "Expect: 100-continue\r\nContent-Length: 101\r\n", 413},
    {"PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
     "Content-Length: 1048577\r\n", 413},
    {"GET / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1048577\r\n", 413},
    {"PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
     "Content-Length: 18446744073709551615\r\n", 413},
};

START_TEST(a_head_is_let_in_or_refused)
{
    int status = ask(heads[_i].head);

    ck_assert_msg(status == heads[_i].status, "%s=> %d, not %d",
                  heads[_i].head, status, heads[_i].status);
}
END_TEST

static const struct {
    const char *method;
    const char *target;
    size_t limit;
    int status; /* at the limit */
} limits[] = {
    {"PUT", "/v1/state/a", 1000, 204},
    {"POST", "/v1/state/b:append", 1000, 200},
    {"POST", "/v1/state/c:incr", HTTP_NUMBER_BYTES_MAX, 200},
    {"PUT", "/v1/functions/a", 100, 400}, /* it is no module */
    {"POST", "/v1/functions/echo/invoke", 2000, 200},
    {"GET", "/healthz", 100, 200}, /* a body that nobody reads */
};

START_TEST(a_body_may_be_as_long_as_its_limit)
{
    static char body[4096];
    struct http_answer answer;
    size_t limit = limits[_i].limit;

    http_world_deploy_example(&world, "echo");
    /* A number with spaces in front is a number and a value alike. */
    memset(body, ' ', sizeof(body));
    body[limit - 1] = '1';
    http_client_ask(world.port, limits[_i].method, limits[_i].target, "",
                    body, limit, &answer);
    ck_assert_int_eq(answer.status, limits[_i].status);
    http_answer_deinit(&answer);
    if (strcmp(limits[_i].method, "GET") == 0)
        return;
    http_client_ask(world.port, limits[_i].method, limits[_i].target, "",
                    body, limit + 1, &answer);
    ck_assert_int_eq(answer.status, 413);
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_target_may_be_as_long_as_its_limit)
{
    static char head[HTTP_TARGET_BYTES_MAX + 100];
    static const char query[] = "GET /v1/state?prefix=";
    int extra = _i;

    /* A prefix that is too long itself: what matters is who says so. */
    memset(head, 'a', sizeof(head));
    memcpy(head, query, sizeof(query) - 1);
    strcpy(head + 4 + HTTP_TARGET_BYTES_MAX + extra,
           " HTTP/1.1\r\nHost: localhost\r\n");
    ck_assert_int_eq(ask(head), extra == 0 ? 400 : 414);
}
END_TEST

START_TEST(a_request_may_have_as_many_headers_as_the_limit)
{
    static char head[8192];
    int extra = _i;

    strcpy(head, "GET / HTTP/1.1\r\nHost: localhost\r\n");
    for (int count = 1; count < HTTP_HEADERS_MAX + extra; count++)
        strcat(head, "X: 1\r\n");
    ck_assert_int_eq(ask(head), extra == 0 ? 200 : 431);
}
END_TEST

START_TEST(a_key_may_be_as_long_as_its_limit)
{
    char target[2000] = "/v1/state/";
    int extra = _i;

    for (int count = 0; count < STATE_KEY_BYTES_MAX + extra; count++)
        strcat(target, count % 2 ? "k" : "%6b");
    ck_assert_int_eq(http_client_status(world.port, "PUT", target, "", "v"),
                     extra == 0 ? 204 : 400);
}
END_TEST

START_TEST(a_wrong_method_is_told_the_right_ones)
{
    struct http_answer answer;
    char value[256];

    http_client_ask(world.port, "POST", "/v1/state/a", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 405);
    ck_assert_str_eq(http_answer_header(&answer, "Allow", value),
                     "GET, HEAD, PUT, PATCH, DELETE");
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_client_that_asks_first_is_told_to_go_on)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, "PUT /v1/state/a HTTP/1.1\r\nHost: localhost\r\n"
                              "Expect: 100-continue\r\n"
                              "Content-Length: 3\r\n\r\n");
    http_client_receive(fd, true, &answer);
    ck_assert_int_eq(answer.status, 100);
    http_answer_deinit(&answer);
    http_client_send_text(fd, "abc");
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 204);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/admission");
    TCase *tests = tcase_create("admission");

    tcase_add_checked_fixture(tests, open_small_world, close_world);
    tcase_add_loop_test(tests, a_head_is_let_in_or_refused, 0, COUNT(heads));
    tcase_add_loop_test(tests, a_body_may_be_as_long_as_its_limit, 0,
                        COUNT(limits));
    tcase_add_loop_test(tests, a_target_may_be_as_long_as_its_limit, 0, 2);
    tcase_add_loop_test(tests, a_request_may_have_as_many_headers_as_the_limit,
                        0, 2);
    tcase_add_loop_test(tests, a_key_may_be_as_long_as_its_limit, 0, 2);
    tcase_add_test(tests, a_wrong_method_is_told_the_right_ones);
    tcase_add_test(tests, a_client_that_asks_first_is_told_to_go_on);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
