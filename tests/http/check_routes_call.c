/*
 * check_routes_call.c - tests of http/routes_call.c: calls over HTTP, and what
 * each of their ends becomes.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/module_builder.h"
#include "tests/support/suite.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
open_examples(void)
{
    static const char *const examples[] = {"hello", "echo", "counter",
                                           "wordcount", "trap"};
    const struct http_world_options options = {
        /* spin() of the module `math` ends by fuel, and that at once. */
        .runtime = {.fuel = 20000000, .output_bytes_max = 100000},
    };

    http_world_open(&world, &options);
    for (size_t index = 0; index < 5; index++)
        http_world_deploy_example(&world, examples[index]);
    http_world_deploy(&world, "math", http_world_build_math());
}

static const struct {
    const char *target;
    const char *body;
    int status;
    const char *output;
} calls[] = {
    {"/v1/functions/hello/invoke", "", 200, "Hello, world!\n"},
    {"/v1/functions/hello/invoke", "Glass", 200, "Hello, Glass!\n"},
    {"/v1/functions/echo/invoke", "as it is", 200, "as it is"},
    {"/v1/functions/echo/invoke?anything=goes", "x", 200, "x"},
    {"/v1/functions/counter/invoke", "20", 200, "20"},
    {"/v1/functions/wordcount/invoke", "one two\nthree\n", 200, "2 3 14\n"},
    {"/v1/functions/math/invoke?export=add&args=2,3", "", 200,
     "{\"results\":[5]}\n"},
    {"/v1/functions/math/invoke?export=add&args=-1,4294967295", "", 200,
     "{\"results\":[-2]}\n"},
    {"/v1/functions/math/invoke?export=add&args=0x10,%2B1", "", 200,
     "{\"results\":[17]}\n"},
    {"/v1/functions/math/invoke?args=1,2&export=add", "", 200,
     "{\"results\":[3]}\n"},
    {"/v1/functions/math/invoke?export=same&args=0.1", "", 200,
     "{\"results\":[0.1]}\n"},
    {"/v1/functions/math/invoke?export=same&args=nan", "", 200,
     "{\"results\":[\"nan\"]}\n"},
    {"/v1/functions/math/invoke?export=same&args=-inf", "", 200,
     "{\"results\":[\"-inf\"]}\n"},
    {"/v1/functions/math/invoke?export=nothing", "", 200,
     "{\"results\":[]}\n"},
};

START_TEST(a_call_answers_with_its_output)
{
    struct http_answer answer;
    char value[256];

    http_client_ask(world.port, "POST", calls[_i].target, "", calls[_i].body,
                    strlen(calls[_i].body), &answer);
    ck_assert_int_eq(answer.status, calls[_i].status);
    ck_assert_msg(http_answer_is(&answer, calls[_i].output), "'%s'",
                  answer.body);
    ck_assert_uint_eq(strlen(http_answer_header(&answer, "X-Call-Id", value)),
                      RUNTIME_CALL_ID_SIZE - 1);
    ck_assert_int_gt(
        atol(http_answer_header(&answer, "Glass-Fuel-Used", value)), 0);
    ck_assert_str_eq(http_answer_header(&answer, "Glass-Start", value),
                     "snapshot");
    http_answer_deinit(&answer);
    /* The second call of a function is not queued any more. */
    http_client_ask(world.port, "POST", calls[_i].target, "", calls[_i].body,
                    strlen(calls[_i].body), &answer);
    http_answer_header(&answer, "Server-Timing", value);
    /* On a busy machine its slice may end, and it queues to go on. */
    const char *timing = strstr(value, "init;");
    ck_assert_msg(timing != NULL, "%s", value);
    unsigned init_ms, init_us, exec_ms, exec_us;
    ck_assert_int_eq(sscanf(timing, "init;dur=%u.%3u, exec;dur=%u.%3u",
                            &init_ms, &init_us, &exec_ms, &exec_us),
                     4);
    char again[sizeof(value)];
    snprintf(again, sizeof(again), "init;dur=%u.%03u, exec;dur=%u.%03u",
             init_ms, init_us, exec_ms, exec_us);
    ck_assert_str_eq(timing, again);
    http_answer_deinit(&answer);
}
END_TEST

/* Calls that fail: the status, the problem, and one of its members. */
static const struct {
    const char *target;
    const char *headers;
    const char *body;
    int status;
    const char *problem;
    const char *member;
    const char *value; /* a string, or null: it is just there */
} failures[] = {
    {"/v1/functions/nobody/invoke", "", "", 404, "no-function", "detail",
     NULL},
    {"/v1/functions/Bad/invoke", "", "", 400, "bad-request", "detail", NULL},
    {"/v1/functions/trap/invoke", "", "", 500, "trap", "trap", "unreachable"},
    {"/v1/functions/trap/invoke", "", "", 500, "trap", "function", "trap"},
    {"/v1/functions/trap/invoke", "", "", 500, "trap", "function_index",
     NULL},
    {"/v1/functions/trap/invoke", "", "", 500, "trap", "offset", NULL},
    {"/v1/functions/trap/invoke", "", "", 500, "trap", "call_id", NULL},
    {"/v1/functions/math/invoke?export=divide&args=1,0", "", "", 500, "trap",
     "trap", "integer divide by zero"},
    {"/v1/functions/math/invoke?export=deep", "", "", 500, "exhausted",
     "call_id", NULL},
    {"/v1/functions/counter/invoke", "", "many", 500, "failed", "code", NULL},
    {"/v1/functions/counter/invoke", "", "many", 500, "failed", "detail",
     "the input is not a 64-bit decimal number"},
    {"/v1/functions/math/invoke?export=spin", "", "", 504, "fuel", "limit",
     "fuel"},
    {"/v1/functions/math/invoke", "", "", 400, "arguments", "detail", NULL},
    {"/v1/functions/math/invoke?export=none", "", "", 404, "no-export",
     "detail", NULL},
    /* Nothing of it is the name of an export that there is. */
    {"/v1/functions/math/invoke?export=nothing%00", "", "", 400,
     "bad-request", "detail", "the parameter 'export' has a zero in it"},
    {"/v1/functions/math/invoke?export=same&args=1%00,2", "", "", 400,
     "bad-request", "detail", "the parameter 'args' has a zero in it"},
    {"/v1/functions/hello/invoke?export=memory", "", "", 404, "no-export",
     "detail", NULL},
    {"/v1/functions/math/invoke?export=add&args=1", "", "", 400, "arguments",
     "detail", NULL},
    {"/v1/functions/math/invoke?export=add&args=1,2,3", "", "", 400,
     "arguments", "detail", NULL},
    {"/v1/functions/math/invoke?export=add&args=1,x", "", "", 400,
     "arguments", "detail", NULL},
    {"/v1/functions/math/invoke?export=add&args=1,4294967296", "", "", 400,
     "arguments", "detail", NULL},
    {"/v1/functions/math/invoke?export=add&args=1,", "", "", 400, "arguments",
     "detail", NULL},
    {"/v1/functions/math/invoke?export=a%", "", "", 400, "bad-request",
     "detail", NULL},
    {"/v1/functions/hello/invoke", "Glass-Timeout: soon\r\n", "", 400,
     "bad-request", "detail", NULL},
    {"/v1/functions/hello/invoke", "Glass-Timeout: 0\r\n", "", 400,
     "bad-request", "detail", NULL},
};

START_TEST(a_failed_call_answers_with_its_problem)
{
    struct http_answer answer;
    char type[128];

    http_client_ask(world.port, "POST", failures[_i].target,
                    failures[_i].headers, failures[_i].body,
                    strlen(failures[_i].body), &answer);
    ck_assert_msg(answer.status == failures[_i].status, "%s: %s",
                  failures[_i].target, answer.text);
    json_t *problem = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_ptr_nonnull(problem);
    snprintf(type, sizeof(type), "urn:glass:problem:%s",
             failures[_i].problem);
    ck_assert_str_eq(json_string_value(json_object_get(problem, "type")),
                     type);
    json_t *member = json_object_get(problem, failures[_i].member);
    ck_assert_msg(member != NULL, "no %s: %s", failures[_i].member,
                  answer.body);
    if (failures[_i].value)
        ck_assert_str_eq(json_string_value(member), failures[_i].value);
    json_decref(problem);
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_deadline_ends_a_call)
{
    struct http_answer answer;

    http_world_close(&world);
    http_world_open(&world, NULL);
    http_world_deploy(&world, "math", http_world_build_math());
    http_client_ask(world.port, "POST",
                    "/v1/functions/math/invoke?export=spin",
                    "Glass-Timeout: 10ms\r\n", "", 0, &answer);
    ck_assert_int_eq(answer.status, 504);
    json_t *problem = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(problem, "limit")),
                     "deadline");
    json_decref(problem);
    http_answer_deinit(&answer);
}
END_TEST

/*
 * A faaslet of `pages` of memory that writes so many bytes, all at once, and
 * fails with what output_write says.
 */
static struct module_builder *
build_writer(int count, uint64_t pages)
{
    /* The length is a constant of three bytes: up to 2^20. */
    const uint8_t body[] = {
        0x41, 0,
        0x41, (uint8_t)(0x80 | (count & 127)),
        (uint8_t)(0x80 | (count >> 7 & 127)), (uint8_t)(count >> 14 & 63),
        0x10, 0,    0x0b,
    };
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, "glass", "output_write", "ii:i");
    module_builder_memory(builder, pages, pages);
    uint32_t handle =
        module_builder_func(builder, ":i", "", body, sizeof(body));
    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, handle);
    module_builder_export(builder, "memory", GVM_EXTERN_MEMORY, 0);
    return builder;
}

START_TEST(an_output_may_be_as_long_as_its_limit)
{
    struct http_answer answer;

    http_world_deploy(&world, "fits", build_writer(100000, 2));
    http_world_deploy(&world, "passes", build_writer(100001, 2));
    http_client_ask(world.port, "POST", "/v1/functions/fits/invoke", "", "",
                    0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.body_length, 100000);
    http_answer_deinit(&answer);
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/v1/functions/passes/invoke", "", ""),
                     500);
}
END_TEST

START_TEST(a_function_that_needs_more_memory_than_there_is_answers_507)
{
    /* It was deployed when more was allowed. */
    const struct http_world_options before = {.runtime = {.data_dir = "data"}};
    const struct http_world_options after = {
        .runtime = {.data_dir = "data", .memory_bytes = 1 << 16},
    };
    struct http_answer answer;

    http_world_close(&world);
    http_world_open(&world, &before);
    http_world_deploy(&world, "large", build_writer(1, 2));
    http_world_close(&world);
    http_world_open(&world, &after);
    http_client_ask(world.port, "POST", "/v1/functions/large/invoke", "", "",
                    0, &answer);
    ck_assert_int_eq(answer.status, 507);
    ck_assert_msg(strstr(answer.body, "\"limit\":\"memory\"") != NULL, "%s",
                  answer.body);
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(an_input_streams_in_and_the_output_out)
{
    static char body[90000];
    struct http_answer answer;

    for (size_t index = 0; index < sizeof(body); index++)
        body[index] = (char)(index * 7 + index / 1000);
    http_client_ask(world.port, "POST", "/v1/functions/echo/invoke", "", body,
                    sizeof(body), &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_uint_eq(answer.body_length, sizeof(body));
    ck_assert_mem_eq(answer.body, body, sizeof(body));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(there_may_be_as_many_arguments_as_the_limit)
{
    char target[512] = "/v1/functions/math/invoke?export=add&args=1";
    struct http_answer answer;

    for (int count = 1; count < HTTP_ARGUMENTS_MAX + _i; count++)
        strcat(target, ",1");
    http_client_ask(world.port, "POST", target, "", "", 0, &answer);
    ck_assert_int_eq(answer.status, 400);
    /* At the limit it is the function that wants fewer. */
    ck_assert_int_eq(strstr(answer.body, "more than 64") != NULL, _i);
    http_answer_deinit(&answer);
}
END_TEST

/* Parameters at their limit, and one byte past it. */
static const struct {
    const char *query;
    size_t length_max;
    const char *at_the_limit; /* what is wrong then, a type of problem */
} lengths[] = {
    {"export=", HTTP_EXPORT_BYTES_MAX, "no-export"},
    {"export=same&args=", HTTP_ARGUMENTS_BYTES_MAX, "arguments"},
};

START_TEST(parameters_are_as_long_as_their_limit)
{
    for (size_t past = 0; past < 2; past++) {
        char target[4096];
        char type[64];
        int begin = snprintf(target, sizeof(target),
                             "/v1/functions/math/invoke?%s",
                             lengths[_i].query);

        memset(target + begin, 'x', lengths[_i].length_max + past);
        target[(size_t)begin + lengths[_i].length_max + past] = '\0';
        snprintf(type, sizeof(type), "urn:glass:problem:%s\"",
                 past ? "bad-request" : lengths[_i].at_the_limit);
        struct http_answer answer;
        http_client_ask(world.port, "POST", target, "", "", 0, &answer);
        ck_assert_msg(strstr(answer.body, type) != NULL, "%s: %s", type,
                      answer.body);
        http_answer_deinit(&answer);
    }
}
END_TEST

START_TEST(too_many_calls_at_once_are_told_to_come_back)
{
    const struct http_world_options options = {.runtime = {.calls_max = 1}};
    struct runtime_call *call;
    struct http_answer answer;
    char value[256];

    http_world_close(&world);
    http_world_open(&world, &options);
    http_world_deploy_example(&world, "hello");
    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "hello",
                                         &call, NULL),
                     RUNTIME_OK);
    http_client_ask(world.port, "POST", "/v1/functions/hello/invoke", "", "",
                    0, &answer);
    ck_assert_int_eq(answer.status, 429);
    ck_assert_str_eq(http_answer_header(&answer, "Retry-After", value), "1");
    ck_assert_msg(strstr(answer.body, "\"limit\":\"calls\"") != NULL, "%s",
                  answer.body);
    http_answer_deinit(&answer);
    runtime_call_destroy(call);
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/v1/functions/hello/invoke", "", ""),
                     200);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/routes_call");
    TCase *tests = tcase_create("calls");

    tcase_add_checked_fixture(tests, open_examples, close_world);
    tcase_add_loop_test(tests, a_call_answers_with_its_output, 0,
                        COUNT(calls));
    tcase_add_loop_test(tests, a_failed_call_answers_with_its_problem, 0,
                        COUNT(failures));
    tcase_add_test(tests, a_deadline_ends_a_call);
    tcase_add_test(tests, an_output_may_be_as_long_as_its_limit);
    tcase_add_test(
        tests, a_function_that_needs_more_memory_than_there_is_answers_507);
    tcase_add_test(tests, an_input_streams_in_and_the_output_out);
    tcase_add_loop_test(tests, there_may_be_as_many_arguments_as_the_limit, 0,
                        2);
    tcase_add_loop_test(tests, parameters_are_as_long_as_their_limit, 0,
                        sizeof(lengths) / sizeof(*lengths));
    tcase_add_test(tests, too_many_calls_at_once_are_told_to_come_back);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
