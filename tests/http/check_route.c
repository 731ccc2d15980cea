/*
 * check_route.c - tests of http/route.c and of the table in routes.inc.
 */
#include "http/route.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *method;
    const char *path;
    const char *pattern; /* null: no route */
    const char *name;
    const char *operation;
    const char *methods; /* of the path when the method does not fit */
} requests[] = {
    {"GET", "/", "/", "", "", NULL},
    {"GET", "/healthz", "/healthz", "", "", NULL},
    {"HEAD", "/healthz", "/healthz", "", "", NULL},
    {"POST", "/healthz", NULL, NULL, NULL, "GET, HEAD"},
    {"GET", "/healthz/", NULL, NULL, NULL, ""},
    {"GET", "/v1/functions", "/v1/functions", "", "", NULL},
    {"GET", "/v1/functions/", NULL, NULL, NULL, ""},
    {"PUT", "/v1/functions/a", "/v1/functions/{name}", "a", "", NULL},
    {"PATCH", "/v1/functions/a", NULL, NULL, NULL, "GET, HEAD, PUT, DELETE"},
    {"POST", "/v1/functions/a/invoke", "/v1/functions/{name}/invoke", "a", "",
     NULL},
    {"GET", "/v1/functions/a/invoke", NULL, NULL, NULL, "POST"},
    {"POST", "/v1/functions//invoke", NULL, NULL, NULL, ""},
    {"POST", "/v1/functions/a/invoke/b", NULL, NULL, NULL, ""},
    {"POST", "/v1/functions/a/invoked", NULL, NULL, NULL, ""},
    {"POST", "/v1/functions/a%2Finvoke", NULL, NULL, NULL,
     "GET, HEAD, PUT, DELETE"},
    {"GET", "/v1/state", "/v1/state", "", "", NULL},
    {"GET", "/v1/state/", NULL, NULL, NULL, ""},
    {"GET", "/v1/state/a", "/v1/state/{key...}", "a", "", NULL},
    {"GET", "/v1/state/a/b", "/v1/state/{key...}", "a/b", "", NULL},
    {"GET", "/v1/state/a%3Ab", "/v1/state/{key...}", "a%3Ab", "", NULL},
    {"POST", "/v1/state/a:incr", "/v1/state/{key...}", "a", "incr", NULL},
    {"POST", "/v1/state/a:b:incr", "/v1/state/{key...}", "a:b", "incr", NULL},
    {"POST", "/v1/state/a:append", "/v1/state/{key...}", "a", "append", NULL},
    {"GET", "/v1/state/a:incr", NULL, NULL, NULL, "POST"},
    {"GET", "/v1/state/a:", NULL, NULL, NULL, ""},
    {"GET", "/v1/state/a:b", NULL, NULL, NULL, ""},
    {"POST", "/v1/state/:incr", NULL, NULL, NULL, ""},
    {"POST", "/v1/state/a", NULL, NULL, NULL,
     "GET, HEAD, PUT, PATCH, DELETE"},
    {"get", "/", NULL, NULL, NULL, "GET, HEAD"},
    {"GET", "/V1/state", NULL, NULL, NULL, ""},
    {"GET", "//", NULL, NULL, NULL, ""},
};

static void
assert_span(struct http__span span, const char *text)
{
    ck_assert_uint_eq(span.length, strlen(text));
    ck_assert_mem_eq(span.bytes, text, span.length);
}

START_TEST(a_request_finds_its_route_or_the_methods_of_its_path)
{
    struct http__span path = {requests[_i].path, strlen(requests[_i].path)};
    struct http__route_match match;

    http__route_find(requests[_i].method, path, &match);
    if (!requests[_i].pattern) {
        ck_assert_ptr_null(match.route);
        ck_assert_str_eq(match.methods, requests[_i].methods);
        return;
    }
    ck_assert_ptr_nonnull(match.route);
    ck_assert_str_eq(match.route->pattern, requests[_i].pattern);
    ck_assert_str_eq(match.route->operation, requests[_i].operation);
    assert_span(match.name, requests[_i].name);
}
END_TEST

START_TEST(every_route_is_found_by_its_own_pattern)
{
    const struct http__route *route = http__route_at((size_t)_i);
    struct http__route_match match;
    char path[256];

    if (!route)
        return;
    /* Braces are bytes like others, so a pattern fits itself. */
    strcpy(path, route->pattern);
    if (*route->operation)
        strcat(strcat(path, ":"), route->operation);
    http__route_find(route->method, (struct http__span){path, strlen(path)},
                     &match);
    ck_assert_ptr_eq(match.route, route);
    ck_assert_ptr_nonnull(route->finish);
    ck_assert_uint_gt(strlen(route->doc), 10);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/route");
    TCase *tests = tcase_create("route");
    int count = 0;

    while (http__route_at((size_t)count))
        count++;
    tcase_add_loop_test(tests,
                        a_request_finds_its_route_or_the_methods_of_its_path,
                        0, sizeof(requests) / sizeof(*requests));
    tcase_add_loop_test(tests, every_route_is_found_by_its_own_pattern, 0,
                        count);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
