/*
 * check_problem.c - tests of http/problem.c: what every error looks like, and
 * which one each status of the runtime and of the state is.
 */
#include "http/problem.h"
#include "http/request.h"
#include "tests/support/http_client.h"
#include "tests/support/http_world.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static struct http__request request;

static void
open_request(void)
{
    ck_assert_int_eq(http__target_init(&request.target, "/v1/state/a?b=c"),
                     HTTP__TARGET_OK);
}

static void
close_request(void)
{
    if (request.response)
        MHD_destroy_response(request.response);
    http__target_deinit(&request.target);
}

static const char *
answered_header(const char *name)
{
    return MHD_get_response_header(request.response, name);
}

static const struct {
    enum runtime_status status;
    unsigned answered;
} of_runtime[] = {
    {RUNTIME_NOT_FOUND, 404},   {RUNTIME_CONFLICT, 412},
    {RUNTIME_INVALID, 400},     {RUNTIME_MALFORMED, 400},
    {RUNTIME_UNLINKABLE, 422},  {RUNTIME_TOO_BIG, 413},
    {RUNTIME_LIMIT, 422},       {RUNTIME_BUSY, 429},
    {RUNTIME_TRAP, 422},        {RUNTIME_EXHAUSTED, 422},
    {RUNTIME_FAILED, 422},      {RUNTIME_EXITED, 422},
    {RUNTIME_OUT_OF_FUEL, 422}, {RUNTIME_TIMEOUT, 422},
    {RUNTIME_OUT_OF_MEMORY, 422}, {RUNTIME_SYSTEM, 500},
    {RUNTIME_NO_MEMORY, 503},
};

START_TEST(each_status_of_the_runtime_is_a_problem)
{
    const struct runtime_error err = {
        .status = of_runtime[_i].status,
        .function = RUNTIME_NO_FUNCTION,
        .offset = RUNTIME_NO_OFFSET,
    };

    http__problem_runtime(&request, of_runtime[_i].status, &err);
    ck_assert_uint_eq(request.status, of_runtime[_i].answered);
    ck_assert_str_eq(answered_header("Content-Type"),
                     "application/problem+json");
    ck_assert_int_eq(answered_header("Retry-After") != NULL,
                     request.status == 429 || request.status == 503);
}
END_TEST

static const struct {
    enum state_status status;
    unsigned answered;
} of_state[] = {
    {STATE_NOT_FOUND, 404},   {STATE_CONFLICT, 412},
    {STATE_INVALID, 400},     {STATE_TOO_BIG, 413},
    {STATE_LIMIT, 429},       {STATE_NOT_A_NUMBER, 409},
    {STATE_OVERFLOW, 409},    {STATE_TIMEOUT, 504},
    {STATE_UNAVAILABLE, 503}, {STATE_BACKEND, 500},
    {STATE_CLOSED, 503},      {STATE_NO_MEMORY, 503},
    {STATE_SYSTEM, 500},      {STATE_LOCKED, 409},
    {STATE_COMPACTED, 410},
    {STATE_UNSUPPORTED, 501}, {STATE_QUOTA, 507},
    {STATE_ABORTED, 500},
};

START_TEST(each_status_of_the_state_is_a_problem)
{
    const struct state_operation operation = {
        .status = of_state[_i].status,
        .message = "because",
    };

    http__problem_state(&request, &operation);
    ck_assert_uint_eq(request.status, of_state[_i].answered);
}
END_TEST

START_TEST(a_problem_says_all_that_the_standard_names)
{
    struct http_world world;
    struct http_answer answer;
    const char *type;
    const char *title;
    const char *detail;
    const char *instance;
    int status;

    http_world_open(&world, NULL);
    http_client_ask(world.port, "GET", "/v1/state/a%20b?c=d", "", NULL, 0,
                    &answer);
    json_t *problem = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_int_eq(json_unpack_ex(problem, NULL, JSON_STRICT,
                                    "{s:s, s:s, s:i, s:s, s:s}", "type", &type,
                                    "title", &title, "status", &status,
                                    "detail", &detail, "instance", &instance),
                     0);
    ck_assert_str_eq(type, "urn:glass:problem:bad-request");
    ck_assert_str_eq(title, "The request makes no sense");
    ck_assert_int_eq(status, answer.status);
    ck_assert_str_eq(detail, "there is no parameter 'c' here");
    ck_assert_str_eq(instance, "/v1/state/a%20b");
    json_decref(problem);
    http_answer_deinit(&answer);
    http_world_close(&world);
}
END_TEST

START_TEST(a_detail_that_is_too_long_is_cut)
{
    char text[HTTP_DETAIL_SIZE + 100];

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    http__problem(&request, HTTP__PROBLEM_BAD_REQUEST, "%s", text);
    ck_assert_uint_eq(request.status, 400);
}
END_TEST

START_TEST(a_place_has_what_is_known_of_it)
{
    const struct runtime_error known = {
        .trap = "unreachable", .function = 4, .offset = 160,
    };
    const struct runtime_error unknown = {
        .function = RUNTIME_NO_FUNCTION, .offset = RUNTIME_NO_OFFSET,
    };
    json_t *members = http__problem_place(&known);

    ck_assert_str_eq(json_string_value(json_object_get(members, "trap")),
                     "unreachable");
    ck_assert_int_eq(
        json_integer_value(json_object_get(members, "function_index")), 4);
    ck_assert_int_eq(json_integer_value(json_object_get(members, "offset")),
                     160);
    json_decref(members);
    members = http__problem_place(&unknown);
    ck_assert_uint_eq(json_object_size(members), 0);
    json_decref(members);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/problem");
    TCase *tests = tcase_create("problem");

    tcase_add_checked_fixture(tests, open_request, close_request);
    tcase_add_loop_test(tests, each_status_of_the_runtime_is_a_problem, 0,
                        COUNT(of_runtime));
    tcase_add_loop_test(tests, each_status_of_the_state_is_a_problem, 0,
                        COUNT(of_state));
    tcase_add_test(tests, a_problem_says_all_that_the_standard_names);
    tcase_add_test(tests, a_detail_that_is_too_long_is_cut);
    tcase_add_test(tests, a_place_has_what_is_known_of_it);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
