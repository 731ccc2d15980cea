/*
 * check_routes_operation.c - tests of http/routes_operation.c.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

START_TEST(a_server_is_alive_and_ready)
{
    struct http_answer answer;

    http_world_open(&world, NULL);
    http_client_ask(world.port, "GET", "/healthz", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(http_answer_is(&answer, "{\"status\":\"alive\"}\n"));
    http_answer_deinit(&answer);
    http_client_ask(world.port, "GET", "/readyz", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(http_answer_is(&answer,
                             "{\"status\":\"ready\",\"state\":\"memory\"}\n"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_server_whose_state_is_away_is_alive_and_not_ready)
{
    /* Nobody listens there. */
    const struct http_world_options options = {
        .state = {.url = "unix:no-such-socket", .timeout_ms = 100},
    };
    struct http_answer answer;

    http_world_open(&world, &options);
    ck_assert_int_eq(
        http_client_status(world.port, "GET", "/healthz", "", NULL), 200);
    http_client_ask(world.port, "GET", "/readyz", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_msg(strstr(answer.body, "urn:glass:problem:unavailable") != NULL,
                  "%s", answer.body);
    http_answer_deinit(&answer);
    ck_assert_int_eq(
        http_client_status(world.port, "GET", "/v1/state/a", "", NULL), 503);
    ck_assert_int_eq(
        http_client_status(world.port, "PUT", "/v1/state/a", "", "v"), 503);
}
END_TEST

START_TEST(the_page_at_the_root_names_every_route)
{
    static const char *const names[] = {
        "/v1/functions/{name}/invoke", "/v1/state/{key...}:incr",
        "<a href=\"/v1/functions\">",  "<a href=\"/readyz\">",
    };
    struct http_answer answer;
    char type[256];

    http_world_open(&world, NULL);
    http_client_ask(world.port, "GET", "/", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Type", type),
                     "text/html; charset=utf-8");
    for (size_t index = 0; index < 4; index++)
        ck_assert_msg(strstr(answer.body, names[index]) != NULL, "no %s",
                      names[index]);
    http_answer_deinit(&answer);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/routes_operation");
    TCase *tests = tcase_create("operation");

    tcase_add_checked_fixture(tests, NULL, close_world);
    tcase_add_test(tests, a_server_is_alive_and_ready);
    tcase_add_test(tests, a_server_whose_state_is_away_is_alive_and_not_ready);
    tcase_add_test(tests, the_page_at_the_root_names_every_route);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
