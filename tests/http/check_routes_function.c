/*
 * check_routes_function.c - tests of http/routes_function.c: deploying and
 * describing over HTTP.
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

#define WASM "Content-Type: application/wasm\r\n"

static unsigned char *hello;
static size_t hello_length;

static void
open_hello(void)
{
    open_world();
    hello = http_world_read_example("hello", &hello_length);
}

static void
close_hello(void)
{
    free(hello);
    close_world();
}

/* Deploys hello's module under a target; returns the status. */
static int
put(const char *target, const char *headers, const void *module,
    size_t length, struct http_answer *answer)
{
    http_client_ask(world.port, "PUT", target, headers, module, length,
                    answer);
    return answer->status;
}

static int
put_hello(const char *target, const char *headers)
{
    struct http_answer answer;

    put(target, headers, hello, hello_length, &answer);
    http_answer_deinit(&answer);
    return answer.status;
}

static int
status_of(const char *method, const char *target, const char *headers)
{
    return http_client_status(world.port, method, target, headers, NULL);
}

START_TEST(a_function_is_deployed_described_and_removed)
{
    struct http_answer answer;
    char etag[256];
    char value[256];

    ck_assert_int_eq(put("/v1/functions/hello", WASM, hello, hello_length,
                         &answer),
                     201);
    http_answer_header(&answer, "ETag", etag);
    ck_assert_uint_eq(strlen(etag), RUNTIME_DIGEST_SIZE - 1 + 2);
    ck_assert_str_eq(http_answer_header(&answer, "Location", value),
                     "/v1/functions/hello");
    http_answer_deinit(&answer);

    http_client_ask(world.port, "GET", "/v1/functions/hello", "", NULL, 0,
                    &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "ETag", value), etag);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_str_eq(json_string_value(json_object_get(document, "name")),
                     "hello");
    ck_assert_str_eq(json_string_value(json_object_get(document, "kind")),
                     "faaslet");
    ck_assert_int_eq(json_integer_value(json_object_get(document, "size")),
                     (json_int_t)hello_length);
    json_decref(document);
    http_answer_deinit(&answer);

    ck_assert_int_eq(status_of("HEAD", "/v1/functions/hello", ""), 200);
    ck_assert_int_eq(status_of("DELETE", "/v1/functions/hello", ""), 204);
    ck_assert_int_eq(status_of("GET", "/v1/functions/hello", ""), 404);
    ck_assert_int_eq(status_of("DELETE", "/v1/functions/hello", ""), 404);
}
END_TEST

START_TEST(the_module_comes_back_as_it_was_deployed)
{
    struct http_answer answer;
    char value[256];

    ck_assert_int_eq(put_hello("/v1/functions/hello", WASM), 201);
    http_client_ask(world.port, "GET", "/v1/functions/hello/module", "", NULL,
                    0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Type", value),
                     "application/wasm");
    ck_assert_uint_eq(answer.body_length, hello_length);
    ck_assert_mem_eq(answer.body, hello, hello_length);
    http_answer_deinit(&answer);
    ck_assert_int_eq(status_of("GET", "/v1/functions/other/module", ""), 404);
}
END_TEST

START_TEST(a_second_deployment_is_a_new_version_or_nothing)
{
    struct http_answer answer;
    size_t echo_length;
    unsigned char *echo = http_world_read_example("echo", &echo_length);
    const struct {
        const unsigned char *module;
        size_t length;
        int status;
        int version;
    } steps[] = {
        {hello, hello_length, 201, 1},
        {hello, hello_length, 200, 1}, /* the same again changes nothing */
        {echo, echo_length, 200, 2},
        {hello, hello_length, 200, 3},
    };

    for (size_t step = 0; step < sizeof(steps) / sizeof(*steps); step++) {
        ck_assert_int_eq(put("/v1/functions/f", WASM, steps[step].module,
                             steps[step].length, &answer),
                         steps[step].status);
        json_t *document =
            json_loadb(answer.body, answer.body_length, 0, NULL);
        ck_assert_int_eq(
            json_integer_value(json_object_get(document, "version")),
            steps[step].version);
        json_decref(document);
        http_answer_deinit(&answer);
    }
    free(echo);
}
END_TEST

START_TEST(deployments_and_removals_hold_to_their_conditions)
{
    struct http_answer answer;
    char etag[256];
    char match[300];
    char other[300];

    ck_assert_int_eq(put_hello("/v1/functions/f", WASM "If-Match: *\r\n"),
                     412);
    put("/v1/functions/f", WASM "If-None-Match: *\r\n", hello, hello_length,
        &answer);
    ck_assert_int_eq(answer.status, 201);
    http_answer_header(&answer, "ETag", etag);
    http_answer_deinit(&answer);
    snprintf(match, sizeof(match), WASM "If-Match: %s\r\n", etag);
    etag[1] = etag[1] == '0' ? '1' : '0';
    snprintf(other, sizeof(other), WASM "If-Match: %s\r\n", etag);

    ck_assert_int_eq(put_hello("/v1/functions/f", WASM "If-None-Match: *\r\n"),
                     412);
    ck_assert_int_eq(put_hello("/v1/functions/f", other), 412);
    ck_assert_int_eq(put_hello("/v1/functions/f", match), 200);
    ck_assert_int_eq(put_hello("/v1/functions/f", WASM "If-Match: \"x\"\r\n"),
                     412);
    ck_assert_int_eq(put_hello("/v1/functions/f", WASM "If-Match: x\r\n"),
                     400);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f", other), 412);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f", match), 200);
    ck_assert_int_eq(status_of("DELETE", "/v1/functions/f", other), 412);
    ck_assert_int_eq(
        status_of("DELETE", "/v1/functions/f", "If-None-Match: *\r\n"), 400);
    ck_assert_int_eq(status_of("DELETE", "/v1/functions/f", match), 204);
}
END_TEST

START_TEST(a_known_version_is_not_sent_again)
{
    struct http_answer answer;
    char etag[256];
    char header[300];

    put("/v1/functions/f", WASM, hello, hello_length, &answer);
    http_answer_header(&answer, "ETag", etag);
    http_answer_deinit(&answer);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", etag);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f", header), 304);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f/module", header), 304);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f",
                               "If-None-Match: \"x\"\r\n"),
                     200);
}
END_TEST

static const struct {
    const char *type;
    int status;
} types[] = {
    {"", 201},
    {"Content-Type: application/wasm\r\n", 201},
    {"Content-Type: Application/WASM; v=1\r\n", 201},
    {"Content-Type: application/octet-stream\r\n", 415},
    {"Content-Type: application/wasmx\r\n", 415},
    {"Content-Type: \r\n", 415},
};

START_TEST(a_module_has_its_media_type)
{
    ck_assert_int_eq(put_hello("/v1/functions/f", types[_i].type),
                     types[_i].status);
}
END_TEST

static const struct {
    const char *name;
    int status;
} names[] = {
    {"a", 201},
    {"a-1", 201},
    {"A", 400},
    {"a_b", 400},
    {"-a", 400},
    {"a%00", 400},
    {"a%2Fb", 400},
    {"a:b", 400},
    {"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-0123456789", 400},
    {"abcdefghijklmnopqrstuvwxyz-abcdefghijklmnopqrstuvwxyz-012345678", 201},
};

START_TEST(a_function_has_a_name_like_a_label)
{
    char target[256];

    snprintf(target, sizeof(target), "/v1/functions/%s", names[_i].name);
    ck_assert_int_eq(put_hello(target, WASM), names[_i].status);
}
END_TEST

/* Deploys bytes and returns the problem that is answered. */
static json_t *
put_bad(const void *module, size_t length, int status)
{
    struct http_answer answer;
    char type[256];

    put("/v1/functions/f", WASM, module, length, &answer);
    ck_assert_msg(answer.status == status, "%d, not %d: %s", answer.status,
                  status, answer.text);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Type", type),
                     "application/problem+json");
    json_t *problem = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_ptr_nonnull(problem);
    http_answer_deinit(&answer);
    return problem;
}

START_TEST(a_malformed_module_is_told_its_offset)
{
    static const unsigned char bytes[] = {0, 'a', 's', 'm', 2, 0, 0, 0};
    json_t *problem = put_bad(bytes, sizeof(bytes), 400);

    ck_assert_str_eq(json_string_value(json_object_get(problem, "type")),
                     "urn:glass:problem:malformed");
    ck_assert(json_is_integer(json_object_get(problem, "offset")));
    json_decref(problem);
    json_decref(put_bad("", 0, 400));
    json_decref(put_bad(hello, hello_length - 1, 400));
}
END_TEST

START_TEST(a_module_that_needs_too_much_is_told_what)
{
    struct module_builder *builder = module_builder_create();
    size_t length;

    module_builder_import_func(builder, "glass", "no_such_thing", "i:i");
    const uint8_t *bytes = module_builder_finish(builder, &length);
    json_t *problem = put_bad(bytes, length, 422);
    const char *detail =
        json_string_value(json_object_get(problem, "detail"));
    ck_assert_msg(strstr(detail, "no_such_thing") != NULL, "%s", detail);
    json_decref(problem);
    module_builder_destroy(builder);
}
END_TEST

START_TEST(a_module_whose_initialisation_traps_is_not_deployed)
{
    static const uint8_t trap[] = {0x00, 0x0b};
    struct module_builder *builder = module_builder_create();
    size_t length;
    uint32_t start =
        module_builder_func(builder, ":", "", trap, sizeof(trap));

    module_builder_export(builder, "f", GVM_EXTERN_FUNC, start);
    module_builder_start(builder, start);
    const uint8_t *bytes = module_builder_finish(builder, &length);
    json_t *problem = put_bad(bytes, length, 422);
    ck_assert_str_eq(json_string_value(json_object_get(problem, "reason")),
                     "trap");
    json_decref(problem);
    module_builder_destroy(builder);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f", ""), 404);
}
END_TEST

START_TEST(functions_are_listed_in_pages_by_name)
{
    static const char *const targets[] = {
        "/v1/functions/c", "/v1/functions/a", "/v1/functions/b2",
        "/v1/functions/b1",
    };
    struct http_answer answer;
    json_t *item;
    size_t index;
    char seen[64] = "";

    for (size_t target = 0; target < 4; target++)
        ck_assert_int_eq(put_hello(targets[target], WASM), 201);
    http_client_ask(world.port, "GET", "/v1/functions?limit=3", "", NULL, 0,
                    &answer);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    http_answer_deinit(&answer);
    json_array_foreach(json_object_get(document, "items"), index, item)
        strcat(seen, json_string_value(json_object_get(item, "name")));
    ck_assert_str_eq(seen, "ab1b2");
    ck_assert_str_eq(json_string_value(json_object_get(document, "cursor")),
                     "b2");
    json_decref(document);

    http_client_ask(world.port, "GET", "/v1/functions?cursor=b2", "", NULL, 0,
                    &answer);
    document = json_loadb(answer.body, answer.body_length, 0, NULL);
    http_answer_deinit(&answer);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "items")), 1);
    ck_assert(json_is_null(json_object_get(document, "cursor")));
    json_decref(document);

    http_client_ask(world.port, "GET", "/v1/functions?prefix=b", "", NULL, 0,
                    &answer);
    document = json_loadb(answer.body, answer.body_length, 0, NULL);
    http_answer_deinit(&answer);
    ck_assert_uint_eq(json_array_size(json_object_get(document, "items")), 2);
    json_decref(document);
    ck_assert_int_eq(status_of("GET", "/v1/functions?limit=1001", ""), 400);
    ck_assert_int_eq(status_of("GET", "/v1/functions?all", ""), 400);
    ck_assert_int_eq(status_of("GET", "/v1/functions?prefix=b%00", ""), 400);
    ck_assert_int_eq(status_of("GET", "/v1/functions?cursor=b%001", ""), 400);
}
END_TEST

START_TEST(functions_of_another_namespace_are_not_there)
{
    ck_assert_int_eq(put_hello("/v1/functions/f", WASM), 201);
    ck_assert_int_eq(status_of("GET", "/v1/functions/f",
                               "Glass-Namespace: other\r\n"),
                     404);
    ck_assert_int_eq(put_hello("/v1/functions/f",
                               WASM "Glass-Namespace: other\r\n"),
                     201);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/routes_function");
    TCase *tests = tcase_create("functions");

    tcase_add_checked_fixture(tests, open_hello, close_hello);
    tcase_add_test(tests, a_function_is_deployed_described_and_removed);
    tcase_add_test(tests, the_module_comes_back_as_it_was_deployed);
    tcase_add_test(tests, a_second_deployment_is_a_new_version_or_nothing);
    tcase_add_test(tests, deployments_and_removals_hold_to_their_conditions);
    tcase_add_test(tests, a_known_version_is_not_sent_again);
    tcase_add_loop_test(tests, a_module_has_its_media_type, 0, COUNT(types));
    tcase_add_loop_test(tests, a_function_has_a_name_like_a_label, 0,
                        COUNT(names));
    tcase_add_test(tests, a_malformed_module_is_told_its_offset);
    tcase_add_test(tests, a_module_that_needs_too_much_is_told_what);
    tcase_add_test(tests, a_module_whose_initialisation_traps_is_not_deployed);
    tcase_add_test(tests, functions_are_listed_in_pages_by_name);
    tcase_add_test(tests, functions_of_another_namespace_are_not_there);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
