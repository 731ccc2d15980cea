/*
 * check_routes_async.c - tests of http/routes_async.c: calls whose client does
 * not wait.
 */
#include "runtime/calls.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/module_builder.h"
#include "tests/support/suite.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A handler that sleeps for so many times 2^20 nanoseconds. */
static struct module_builder *
build_sleeper(uint8_t duration)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = module_builder_import_func(builder, "glass", "sleep_ns",
                                                "l:i");

    module_builder_export(
        builder, "glass_handle", GVM_EXTERN_FUNC,
        module_builder_func(builder, ":i", "",
                            BYTES(0x42, duration, 0x42, 20, 0x86, 0x10,
                                  (uint8_t)sleep, 0x0b)));
    return builder;
}

static void
open_functions(void)
{
    const struct http_world_options options = {
        .runtime = {.timeout_ms = 600000},
        .http = {.heartbeat_ms = 20},
    };

    http_world_open(&world, &options);
    http_world_deploy_example(&world, "echo");
    http_world_deploy_example(&world, "trap");
    http_world_deploy_example(&world, "wordcount");
    http_world_deploy(&world, "math", http_world_build_math());
    http_world_deploy(&world, "brief", build_sleeper(30));
    /* The largest byte of a positive number and twenty bits: 66 ms. */
    http_world_deploy(&world, "short", build_sleeper(63));
}

/* A handler that sleeps for an hour. */
static void
deploy_long(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = module_builder_import_func(builder, "glass", "sleep_ns",
                                                "l:i");

    module_builder_export(
        builder, "glass_handle", GVM_EXTERN_FUNC,
        module_builder_func(builder, ":i", "",
                            BYTES(0x42, 1, 0x42, 42, 0x86, 0x10,
                                  (uint8_t)sleep, 0x0b)));
    http_world_deploy(&world, "long", builder);
}

/* Starts a call; its Location is in `location`. */
static void
start(const char *target, const char *headers, const char *body,
      char location[256])
{
    struct http_answer answer;
    char id[256];

    http_client_ask(world.port, "POST", target, headers, body, strlen(body),
                    &answer);
    ck_assert_msg(answer.status == 202, "%s", answer.text);
    http_answer_header(&answer, "Location", location);
    http_answer_header(&answer, "X-Call-Id", id);
    ck_assert_uint_eq(strlen(id), 32);
    ck_assert_int_eq(strncmp(location, "/v1/calls/", 10), 0);
    ck_assert_str_eq(location + 10, id);
    json_t *document =
        json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(document, "id")), id);
    ck_assert_str_eq(json_string_value(json_object_get(document, "status")),
                     "pending");
    json_decref(document);
    http_answer_deinit(&answer);
}

/* What GET answers, to be freed by json_decref; the path goes behind. */
static json_t *
look(const char *location, const char *query)
{
    struct http_answer answer;
    char target[320];

    snprintf(target, sizeof(target), "%s%s", location, query);
    http_client_ask(world.port, "GET", target, "", NULL, 0, &answer);
    ck_assert_msg(answer.status == 200, "%s", answer.text);
    json_t *document =
        json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_ptr_nonnull(document);
    http_answer_deinit(&answer);
    return document;
}

static void
expect_status(const char *location, const char *query, const char *status)
{
    json_t *document = look(location, query);

    ck_assert_str_eq(json_string_value(json_object_get(document, "status")),
                     status);
    json_decref(document);
}

static int
status_of(const char *method, const char *location, const char *rest)
{
    char target[320];

    snprintf(target, sizeof(target), "%s%s", location, rest);
    return http_client_status(world.port, method, target, "", NULL);
}

/* ---- Starting ----------------------------------------------------------- */

static const struct {
    const char *target;
    const char *headers;
} starts[] = {
    {"/async-function/echo", ""},
    {"/v1/functions/echo/invoke", "Prefer: respond-async\r\n"},
    {"/v1/functions/echo/invoke", "Prefer: Respond-Async\r\n"},
    {"/v1/functions/echo/invoke", "Prefer: wait=5 ,\trespond-async; a=b\r\n"},
    {"/v1/functions/echo/invoke?a=b", "Prefer: respond-async\r\n"},
};

START_TEST(a_call_goes_on_without_its_client)
{
    struct http_answer answer;
    char location[256], target[300], value[256];

    start(starts[_i].target, starts[_i].headers, "as it is", location);
    json_t *document = look(location, "?wait=60s");
    ck_assert_str_eq(json_string_value(json_object_get(document, "status")),
                     "ok");
    ck_assert_str_eq(
        json_string_value(json_object_get(document, "function")), "echo");
    ck_assert_int_eq(
        json_integer_value(json_object_get(document, "output_size")), 8);
    ck_assert_int_ge(
        json_integer_value(json_object_get(document, "ended_ms")),
        json_integer_value(json_object_get(document, "begun_ms")));
    json_decref(document);
    /* As often as one likes. */
    for (int times = 0; times < 2; times++) {
        snprintf(target, sizeof(target), "%s/output", location);
        http_client_ask(world.port, "GET", target, "", NULL, 0, &answer);
        ck_assert_int_eq(answer.status, 200);
        ck_assert(http_answer_is(&answer, "as it is"));
        ck_assert_str_eq(http_answer_header(&answer, "X-Call-Id", value),
                         location + 10);
        ck_assert_str_eq(http_answer_header(&answer, "Glass-Start", value),
                         "snapshot");
        http_answer_deinit(&answer);
    }
}
END_TEST

static const char *const others[] = {"", "Prefer: wait=5\r\n",
                                     "Prefer: respond-asynchronous\r\n",
                                     "Prefer: respond\r\n", "Prefer: ,\r\n"};

START_TEST(another_preference_is_none)
{
    struct http_answer answer;

    http_client_ask(world.port, "POST", "/v1/functions/echo/invoke",
                    others[_i], "x", 1, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert(http_answer_is(&answer, "x"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(what_cannot_be_called_is_refused_at_once)
{
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/async-function/nobody", "", ""),
                     404);
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/async-function/math?export=no", "",
                                        ""),
                     404);
    ck_assert_int_eq(http_client_status(world.port, "GET",
                                        "/async-function/echo", "", NULL),
                     405);
}
END_TEST

/* What `invoke` would have answered: a problem, values. */
START_TEST(an_output_is_what_invoke_would_have_answered)
{
    struct http_answer answer;
    char location[256], target[300];

    start("/async-function/trap", "", "", location);
    json_t *document = look(location, "?wait=60s");
    ck_assert_str_eq(json_string_value(json_object_get(document, "status")),
                     "trap");
    ck_assert_ptr_nonnull(json_object_get(document, "detail"));
    json_decref(document);
    snprintf(target, sizeof(target), "%s/output", location);
    http_client_ask(world.port, "GET", target, "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 500);
    ck_assert_ptr_nonnull(strstr(answer.text, "urn:glass:problem:trap"));
    ck_assert_ptr_nonnull(strstr(answer.text, location + 10));
    ck_assert_ptr_nonnull(strstr(answer.text, "\"function\":\"trap\""));
    http_answer_deinit(&answer);

    start("/async-function/math?export=add&args=2,3", "", "", location);
    expect_status(location, "?wait=60s", "ok");
    snprintf(target, sizeof(target), "%s/output", location);
    http_client_ask(world.port, "GET", target, "", NULL, 0, &answer);
    ck_assert(http_answer_is(&answer, "{\"results\":[5]}\n"));
    http_answer_deinit(&answer);
}
END_TEST

/* ---- While it runs ------------------------------------------------------ */

START_TEST(a_pending_call_has_no_output_and_can_be_cancelled)
{
    char location[256];

    deploy_long();
    start("/async-function/long", "", "", location);
    expect_status(location, "", "pending");
    expect_status(location, "?wait=20ms", "pending");
    ck_assert_int_eq(status_of("GET", location, "/output"), 409);
    ck_assert_int_eq(status_of("DELETE", location, ""), 204);
    expect_status(location, "?wait=60s", "cancelled");
    ck_assert_int_eq(status_of("GET", location, "/output"), 503);
    /* The second time it is forgotten. */
    ck_assert_int_eq(status_of("DELETE", location, ""), 204);
    ck_assert_int_eq(status_of("GET", location, ""), 404);
    ck_assert_int_eq(status_of("DELETE", location, ""), 404);
}
END_TEST

static const struct {
    const char *rest;
    int status;
} looks[] = {
    {"?wait=60s", 200},      {"?wait=60001ms", 400}, {"?wait=61s", 400},
    {"?wait=soon", 400},     {"?wait=", 400},        {"?wait=1&wait=1", 400},
    {"?graph=yes", 400},     {"?graph=true", 200},   {"?graph=false", 200},
    {"?other=1", 400},       {"/output?a=b", 400},   {"/other", 404},
    {"0", 404},              {"?wait=5s&graph=maybe", 400},
};

START_TEST(what_is_asked_makes_sense_or_is_refused)
{
    char location[256];

    start("/async-function/echo", "", "", location);
    expect_status(location, "?wait=60s", "ok");
    ck_assert_int_eq(status_of("GET", location, looks[_i].rest),
                     looks[_i].status);
}
END_TEST

START_TEST(a_call_belongs_to_its_namespace)
{
    char location[256];

    start("/async-function/echo", "", "", location);
    expect_status(location, "?wait=60s", "ok");
    ck_assert_int_eq(http_client_status(world.port, "GET", location,
                                        "Glass-Namespace: other\r\n", NULL),
                     404);
    ck_assert_int_eq(http_client_status(world.port, "DELETE", location,
                                        "Glass-Namespace: other\r\n", NULL),
                     404);
    ck_assert_int_eq(status_of("GET", location, ""), 200);
}
END_TEST

START_TEST(events_tell_how_it_stands_until_its_end)
{
    char text[65536], request[400], location[256];
    size_t pending_count = 0;

    start("/async-function/brief", "", "", location);
    int fd = http_client_connect(world.port);
    snprintf(request, sizeof(request),
             "GET %s/events HTTP/1.1\r\nHost: localhost\r\n"
             "Connection: close\r\n\r\n",
             location);
    http_client_send_text(fd, request);
    http_client_receive_rest(fd, text, sizeof(text));
    http_client_close(fd);
    ck_assert_ptr_nonnull(strstr(text, "Content-Type: text/event-stream"));
    for (const char *at = text; (at = strstr(at, "event: pending")); at++)
        pending_count++;
    ck_assert_uint_ge(pending_count, 1);
    const char *end = strstr(text, "event: ended\ndata: {");
    ck_assert_ptr_nonnull(end);
    ck_assert_ptr_nonnull(strstr(end, "\"status\":\"ok\""));
    ck_assert_ptr_null(strstr(end, "event: pending"));
    /* Afterwards there is only the end. */
    fd = http_client_connect(world.port);
    http_client_send_text(fd, request);
    http_client_receive_rest(fd, text, sizeof(text));
    http_client_close(fd);
    ck_assert_ptr_null(strstr(text, "event: pending"));
    ck_assert_ptr_nonnull(strstr(text, "event: ended"));
}
END_TEST

START_TEST(a_client_that_goes_leaves_the_call_alone)
{
    char request[400], location[256];

    start("/async-function/short", "", "", location);
    for (int i = 0; i < 2; i++) {
        int fd = http_client_connect(world.port);
        snprintf(request, sizeof(request),
                 "GET %s%s HTTP/1.1\r\nHost: localhost\r\n\r\n", location,
                 i ? "/events" : "?wait=60s");
        http_client_send_text(fd, request);
        http_client_close(fd);
    }
    expect_status(location, "?wait=60s", "ok");
}
END_TEST

/* ---- Graphs ------------------------------------------------------------- */

/* Deploys mapreduce, with its grant, by the form. */
static void
deploy_mapreduce(void)
{
    static const char *const names[] = {"wordcount"};
    const struct runtime_names functions = {names, 1};
    const struct runtime_config config = {.grants.functions = &functions};
    size_t length;
    unsigned char *module = http_world_read_example("mapreduce", &length);
    const struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "mapreduce",
        .module = module,
        .module_bytes = length,
        .config = &config,
    };

    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, NULL),
                     RUNTIME_OK);
    free(module);
}

START_TEST(a_graph_shows_who_called_whom)
{
    static char body[200001];
    char location[256];

    deploy_mapreduce();
    for (int i = 0; i < 200000; i++)
        body[i] = i % 8 ? 'x' : ' ';
    start("/async-function/mapreduce", "", body, location);
    json_t *document = look(location, "?wait=60s&graph=true");
    json_t *calls = json_object_get(document, "calls");
    ck_assert_uint_eq(json_array_size(calls), 5);
    ck_assert_str_eq(
        json_string_value(json_object_get(json_array_get(calls, 0), "id")),
        location + 10);
    ck_assert(json_is_null(
        json_object_get(json_array_get(calls, 0), "parent")));
    for (size_t i = 1; i < 5; i++) {
        json_t *call = json_array_get(calls, i);
        ck_assert_str_eq(
            json_string_value(json_object_get(call, "function")),
            "wordcount");
        ck_assert_str_eq(
            json_string_value(json_object_get(call, "status")), "ok");
        ck_assert_int_eq(
            json_integer_value(json_object_get(call, "parent")), 0);
        ck_assert_int_ge(
            json_integer_value(json_object_get(call, "ended_us")),
            json_integer_value(json_object_get(call, "begun_us")));
    }
    json_decref(document);
}
END_TEST

/* ---- Drains ------------------------------------------------------------- */

START_TEST(a_drain_lets_calls_end)
{
    struct runtime_kept_statistics statistics;
    char location[256];

    start("/async-function/brief", "", "", location);
    ck_assert_int_eq(http_server_drain(world.server, 60000), HTTP_OK);
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.pending_count, 0);
    struct runtime_kept *kept;
    struct runtime_kept_info info;
    ck_assert_int_eq(runtime_kept_get(world.runtime, "default",
                                      location + 10, &kept, NULL),
                     RUNTIME_OK);
    runtime_kept_info(kept, &info);
    ck_assert_int_eq(info.result->status, RUNTIME_OK);
    runtime_kept_put(kept);
}
END_TEST

START_TEST(a_drain_cancels_calls_that_do_not_end)
{
    struct runtime_kept_statistics statistics;
    char location[256];

    deploy_long();
    start("/async-function/long", "", "", location);
    /* Who is connected already is answered, and takes no new calls. */
    int fd = http_client_connect(world.port);
    http_client_send_text(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n"
                              "\r\n");
    struct http_answer answer;
    http_client_receive(fd, false, &answer);
    http_answer_deinit(&answer);
    ck_assert_int_eq(http_server_drain(world.server, 30), HTTP_OK);
    runtime_kept_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.pending_count, 0);
    ck_assert_uint_eq(statistics.ended_count, 1);
    http_client_send_text(fd, "POST /async-function/brief HTTP/1.1\r\n"
                              "Host: localhost\r\nContent-Length: 0\r\n\r\n");
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 503);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_functions, close_world);
    tcase_set_timeout(tests, 120);
    tcase_add_loop_test(tests, a_call_goes_on_without_its_client, 0,
                        sizeof(starts) / sizeof(starts[0]));
    tcase_add_loop_test(tests, another_preference_is_none, 0,
                        sizeof(others) / sizeof(others[0]));
    tcase_add_test(tests, what_cannot_be_called_is_refused_at_once);
    tcase_add_test(tests, an_output_is_what_invoke_would_have_answered);
    tcase_add_test(tests,
                   a_pending_call_has_no_output_and_can_be_cancelled);
    tcase_add_loop_test(tests, what_is_asked_makes_sense_or_is_refused, 0,
                        sizeof(looks) / sizeof(looks[0]));
    tcase_add_test(tests, a_call_belongs_to_its_namespace);
    tcase_add_test(tests, events_tell_how_it_stands_until_its_end);
    tcase_add_test(tests, a_client_that_goes_leaves_the_call_alone);
    tcase_add_test(tests, a_graph_shows_who_called_whom);
    tcase_add_test(tests, a_drain_lets_calls_end);
    tcase_add_test(tests, a_drain_cancels_calls_that_do_not_end);
}

int
main(void)
{
    Suite *suite = suite_create("http/routes_async");
    TCase *tests = tcase_create("routes_async");

    add_tests(tests);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
