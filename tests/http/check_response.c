/*
 * check_response.c - tests of http/response.c: how answers are framed.
 */
#include "http/request.h"
#include "http/response.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define ASK(method, target, headers)                                          \
    method " " target " HTTP/1.1\r\nHost: localhost\r\n" headers "\r\n"

/*
 * Answers on one connection, one behind the other: a body where there should
 * be none, or one of another length, would be taken for the next answer.
 */
START_TEST(answers_without_a_body_do_not_disturb_the_next)
{
    static const struct {
        const char *text;
        int status;
        const char *length; /* the header, "" is none */
        bool is_head;
    } steps[] = {
        {ASK("PUT", "/v1/state/a", "Content-Length: 5\r\n") "hello", 204, "",
         false},
        {ASK("HEAD", "/v1/state/a", ""), 200, "5", true},
        {ASK("GET", "/v1/state/a", "If-None-Match: *\r\n"), 304, "5", false},
        {ASK("HEAD", "/v1/state/a", "If-None-Match: *\r\n"), 304, "5", true},
        {ASK("HEAD", "/healthz", ""), 200, "19", true},
        {ASK("HEAD", "/v1/state/b", ""), 404, NULL, true},
        {ASK("GET", "/v1/state/a", ""), 200, "5", false},
        {ASK("DELETE", "/v1/state/a", ""), 204, "", false},
        {ASK("GET", "/healthz", ""), 200, "19", false},
    };
    struct http_answer answer;
    char value[256];
    int fd = http_client_connect(world.port);

    for (size_t step = 0; step < sizeof(steps) / sizeof(*steps); step++)
        http_client_send_text(fd, steps[step].text);
    for (size_t step = 0; step < sizeof(steps) / sizeof(*steps); step++) {
        http_client_receive(fd, steps[step].is_head, &answer);
        ck_assert_msg(answer.status == steps[step].status, "step %zu: %s",
                      step, answer.text);
        http_answer_header(&answer, "Content-Length", value);
        if (steps[step].length)
            ck_assert_str_eq(value, steps[step].length);
        http_answer_deinit(&answer);
    }
    http_client_close(fd);
}
END_TEST

START_TEST(a_connection_ends_where_its_client_says_so)
{
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    http_client_send_text(fd, ASK("GET", "/healthz", "Connection: close\r\n"));
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(http_client_is_closed(fd));
    http_answer_deinit(&answer);
    http_client_close(fd);

    fd = http_client_connect(world.port);
    http_client_send_text(fd, "GET /healthz HTTP/1.0\r\n\r\n");
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(http_client_is_closed(fd));
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

START_TEST(the_first_answer_stands)
{
    static struct http__request request;
    char *dropped = strdup("the second one");

    http__respond_empty(&request, 204);
    struct MHD_Response *first = request.response;
    ck_assert_ptr_nonnull(first);
    http__respond(&request, 200, NULL, dropped, strlen(dropped),
                  HTTP__MALLOCED);
    http__respond_head(&request, 200, "text/plain", 5);
    http__respond_json(&request, 200, "application/json", json_object());
    ck_assert_ptr_eq(request.response, first);
    ck_assert_uint_eq(request.status, 204);
    MHD_destroy_response(first);
}
END_TEST

START_TEST(without_an_answer_headers_and_documents_go_nowhere)
{
    static struct http__request request;

    http__response_header(&request, "X", "y");
    http__respond_json(&request, 200, "application/json", NULL);
    ck_assert_ptr_null(request.response);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/response");
    TCase *tests = tcase_create("response");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, answers_without_a_body_do_not_disturb_the_next);
    tcase_add_test(tests, a_connection_ends_where_its_client_says_so);
    tcase_add_test(tests, the_first_answer_stands);
    tcase_add_test(tests, without_an_answer_headers_and_documents_go_nowhere);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
