/*
 * check_routes_namespace.c - tests of http/routes_namespace.c: what namespaces
 * have and may have.
 */
#include "http/limits.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
ask(const char *method, const char *target, const char *body, int status,
    struct http_answer *answer)
{
    http_client_ask(world.port, method, target, "", body,
                    body ? strlen(body) : 0, answer);
    ck_assert_msg(answer->status == status, "%s %s %s: %s", method, target,
                  body ? body : "", answer->text);
}

static void
expect(const char *method, const char *target, const char *body, int status)
{
    struct http_answer answer;

    ask(method, target, body, status, &answer);
    http_answer_deinit(&answer);
}

START_TEST(what_a_namespace_has_is_counted)
{
    struct http_answer answer;

    ask("GET", "/v1/namespaces/default", NULL, 404, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:no-namespace"));
    http_answer_deinit(&answer);
    expect("PUT", "/v1/state/key", "value", 204);
    expect("PUT", "/v1/state/k", "", 204);
    ask("GET", "/v1/namespaces/default", NULL, 200, &answer);
    ck_assert_msg(
        http_answer_is(&answer,
                       "{\"name\":\"default\",\"keys\":2,\"bytes\":9,"
                       "\"evicted\":0,\"expired\":0,\"version\":2,"
                       "\"quota\":{\"keys\":null,\"bytes\":null,"
                       "\"value_bytes\":null,\"operations_per_second\":null,"
                       "\"policy\":\"reject\"}}\n"),
        "%s", answer.body);
    http_answer_deinit(&answer);
    expect("HEAD", "/v1/namespaces/default", NULL, 200);
}
END_TEST

START_TEST(a_quota_is_whole_and_comes_back)
{
    static const char quota[] =
        "{\"keys\":1,\"bytes\":2,\"value_bytes\":3,"
        "\"operations_per_second\":1000000000,\"policy\":\"lru\"}";
    struct http_answer answer;
    char body[256];

    snprintf(body, sizeof(body), "{\"quota\":%s}", quota);
    ask("PUT", "/v1/namespaces/other", body, 200, &answer);
    ck_assert_msg(strstr(answer.body, quota) != NULL, "%s", answer.body);
    http_answer_deinit(&answer);
    ask("PUT", "/v1/namespaces/other", "{}", 200, &answer);
    ck_assert_msg(strstr(answer.body, quota) != NULL, "%s", answer.body);
    http_answer_deinit(&answer);
    ask("PUT", "/v1/namespaces/other", "{\"quota\":{\"keys\":7}}", 200,
        &answer);
    ck_assert_ptr_nonnull(strstr(
        answer.body, "{\"keys\":7,\"bytes\":null,\"value_bytes\":null,"
                     "\"operations_per_second\":null,"
                     "\"policy\":\"reject\"}"));
    http_answer_deinit(&answer);
    expect("GET", "/v1/namespaces/default", NULL, 404);
}
END_TEST

/* Each bound as a quota, how a write of `12345` to a second key ends. */
static const struct {
    const char *quota;
    int status;
    const char *problem;
    int status_first; /* of the first key, afterwards */
} bounds[] = {
    {"{\"keys\":1}", 507, "problem:quota", 200},
    {"{\"keys\":2}", 204, "", 200},
    {"{\"keys\":null}", 204, "", 200},
    {"{\"bytes\":11}", 507, "problem:quota", 200},
    {"{\"bytes\":12}", 204, "", 200},
    {"{\"value_bytes\":4}", 507, "problem:quota", 200},
    {"{\"value_bytes\":5}", 204, "", 200},
    {"{\"keys\":1,\"policy\":\"lru\"}", 204, "", 404},
};

START_TEST(a_bound_holds_for_writes)
{
    struct http_answer answer;
    char body[256];

    expect("PUT", "/v1/state/a", "12345", 204);
    snprintf(body, sizeof(body), "{\"quota\":%s}", bounds[_i].quota);
    expect("PUT", "/v1/namespaces/default", body, 200);
    ask("PUT", "/v1/state/b", "12345", bounds[_i].status, &answer);
    ck_assert_ptr_nonnull(strstr(answer.text, bounds[_i].problem));
    http_answer_deinit(&answer);
    expect("GET", "/v1/state/a", NULL, bounds[_i].status_first);
    ask("GET", "/v1/namespaces/default", NULL, 200, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, bounds[_i].status_first == 404
                                                  ? "\"evicted\":1,"
                                                  : "\"evicted\":0,"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_rate_answers_429)
{
    struct http_answer answer;
    int status = 204;

    expect("PUT", "/v1/namespaces/default",
           "{\"quota\":{\"operations_per_second\":1}}", 200);
    /* The first may pass, and not all of those right behind it. */
    for (int i = 0; i < 1000 && status == 204; i++) {
        http_client_ask(world.port, "PUT", "/v1/state/a", "", "", 0, &answer);
        status = answer.status;
        http_answer_deinit(&answer);
    }
    ck_assert_int_eq(status, 429);
}
END_TEST

static const struct {
    const char *target;
    const char *body;
    int status;
} settings[] = {
    {"/v1/namespaces/a", "{}", 404}, /* nothing was set, nobody has written */
    {"/v1/namespaces/A", "{}", 400},
    {"/v1/namespaces/a%00", "{}", 400},
    {"/v1/namespaces/-", "{}", 400},
    {"/v1/namespaces/a/b", "{}", 404},
    {"/v1/namespaces/a?x=1", "{}", 400},
    {"/v1/namespaces/a", "", 400},
    {"/v1/namespaces/a", "[]", 400},
    {"/v1/namespaces/a", "{\"quotas\":{}}", 400},
    {"/v1/namespaces/a", "{\"quota\":1}", 400},
    {"/v1/namespaces/a", "{\"quota\":{}}", 200},
    {"/v1/namespaces/a", "{\"quota\":{},\"quota\":{}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":0}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":-1}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":1.5}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":\"1\"}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":9223372036854775807}}", 200},
    {"/v1/namespaces/a", "{\"quota\":{\"keys\":9223372036854775808}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"operations_per_second\":1000000001}}",
     400},
    {"/v1/namespaces/a", "{\"quota\":{\"policy\":\"LRU\"}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"policy\":1}}", 400},
    {"/v1/namespaces/a", "{\"quota\":{\"unknown\":1}}", 400},
    {"/v1/namespaces/a", "{\"durability\":\"default\"}", 400},
    {"/v1/namespaces/a", "{\"durability\":1}", 400},
    {"/v1/namespaces/a", "{\"durability\":\"sync\"}", 501},
};

START_TEST(settings_are_checked)
{
    expect("PUT", settings[_i].target, settings[_i].body,
           settings[_i].status);
}
END_TEST

START_TEST(settings_have_a_length)
{
    for (size_t extra = 0; extra < 2; extra++) {
        char body[HTTP_SETTINGS_BYTES_MAX + 2];
        memset(body, ' ', sizeof(body));
        body[HTTP_SETTINGS_BYTES_MAX + extra] = '\0';
        memcpy(body, "{\"quota\":{}}", 12);
        expect("PUT", "/v1/namespaces/a", body, extra == 0 ? 200 : 413);
    }
}
END_TEST

START_TEST(a_namespace_on_a_disk_has_its_durability)
{
    char directory[] = "/tmp/glass-check-XXXXXX";
    char url[64], command[96];

    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(url, sizeof(url), "lmdb:%s/store", directory);
    const struct http_world_options options = {.state = {.url = url}};
    http_world_close(&world);
    http_world_open(&world, &options);
    expect("PUT", "/v1/namespaces/default", "{\"durability\":\"behind\"}",
           200);
    expect("PUT", "/v1/state/a", "1", 204);
    /* Into memory alone it can only go while it is empty. */
    expect("PUT", "/v1/namespaces/default", "{\"durability\":\"none\"}", 412);
    expect("PUT", "/v1/namespaces/default", "{\"durability\":\"sync\"}", 200);
    http_world_close(&world);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
    http_world_open(&world, NULL);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
    Suite *suite = suite_create("http/routes_namespace");
    TCase *tests = tcase_create("namespace");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, what_a_namespace_has_is_counted);
    tcase_add_test(tests, a_quota_is_whole_and_comes_back);
    tcase_add_loop_test(tests, a_bound_holds_for_writes, 0, COUNT(bounds));
    tcase_add_test(tests, a_rate_answers_429);
    tcase_add_loop_test(tests, settings_are_checked, 0, COUNT(settings));
    tcase_add_test(tests, settings_have_a_length);
    tcase_add_test(tests, a_namespace_on_a_disk_has_its_durability);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
