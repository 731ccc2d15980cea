/*
 * check_auth_routes.c - tests of http/auth.c: that every route there is asks
 * for a token, that just the right one is enough, and that who is refused has
 * done nothing.
 */
#include "http/route.h"
#include "tests/http/guarded_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

/* The target of a route, about what is called `counter`. */
static void
target_of(const struct http__route *route, char target[256])
{
    const char *brace = strchr(route->pattern, '{');

    if (!brace) {
        snprintf(target, 256, "%s", route->pattern);
        return;
    }
    snprintf(target, 256, "%.*scounter%s%s%s", (int)(brace - route->pattern),
             route->pattern, strchr(brace, '}') + 1,
             route->operation[0] ? ":" : "", route->operation);
}

static int
ask_route(const struct http__route *route, const char *headers,
          char challenge[256])
{
    char target[256];

    target_of(route, target);
    return guarded_ask(route->method, target, headers, challenge);
}

static const struct http__route *
guarded_route_at(size_t *index)
{
    const struct http__route *route;

    do
        route = http__route_at((*index)++);
    while (route && route->need.scopes == HTTP__SCOPE_OPEN);
    return route;
}

START_TEST(every_route_says_what_it_needs)
{
    const struct http__route *route;

    for (size_t i = 0; (route = http__route_at(i)); i++) {
        unsigned scopes = route->need.scopes;
        ck_assert_msg(scopes != 0, "%s %s needs what?", route->method,
                      route->pattern);
        /* What is below /v1 or names something is somebody's; what is not,
         * is anybody's. */
        ck_assert_msg((scopes == HTTP__SCOPE_OPEN) ==
                          (strncmp(route->pattern, "/v1/", 4) != 0 &&
                           !strchr(route->pattern, '{')),
                      "%s %s", route->method, route->pattern);
        ck_assert_msg((route->need.object != HTTP__OBJECT_NAME &&
                       route->need.object != HTTP__OBJECT_CALL) ||
                          strchr(route->pattern, '{'),
                      "%s has no name", route->pattern);
        ck_assert_msg(route->need.object != HTTP__OBJECT_PREFIX ||
                          strstr(route->parameters, "prefix"),
                      "%s has no prefix", route->pattern);
    }
}
END_TEST

/* Headers that make nobody known; "%s" is the token that there is. */
static const struct {
    const char *format;
    bool names_error;
} strangers[] = {
    {"", false},
    {"Glass-Namespace: default\r\n", false},
    {"Authorization: \r\n", true},
    {"Authorization: Bearer\r\n", true},
    {"Authorization: Basic Z2xhc3M6Z2xhc3M=\r\n", true},
    {"Authorization: Bearer glass_0123456789abcdef_"
     "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef\r\n",
     true},
};

START_TEST(who_has_no_token_is_told_so_on_every_route_and_does_nothing)
{
    const struct http__route *route;
    char challenge[256];
    size_t index = 0, count = 0;

    for (; (route = guarded_route_at(&index)); count++) {
        int status = ask_route(route, strangers[_i].format, challenge);
        ck_assert_msg(status == 401, "%s %s: %d", route->method,
                      route->pattern, status);
        ck_assert_ptr_eq(strstr(challenge, "Bearer realm="), challenge);
        ck_assert_int_eq(strstr(challenge, "invalid_token") != NULL,
                         strangers[_i].names_error);
    }
    ck_assert_uint_gt(count, 10);
    guarded_expect_nothing_done();
    guarded_expect_acts(0, NULL);
}
END_TEST

#define ALL_SCOPES "functions invoke state:r state:w admin"

/* A digit of the identity or of the secret is another one. */
START_TEST(a_token_that_is_wrong_in_one_digit_or_over_is_none)
{
    static const size_t places[] = {28, 43, 45, 60, 108};
    const struct http__route *route;
    char header[BEARER_SIZE], expired[BEARER_SIZE];
    size_t index = 0;

    guarded_make_token("default", ALL_SCOPES, 0, header);
    guarded_make_token("default", ALL_SCOPES, 1, expired);
    guarded_reload();
    ck_assert_int_ne(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     401);
    for (size_t i = 0; i < sizeof(places) / sizeof(*places); i++) {
        char wrong[BEARER_SIZE];
        strcpy(wrong, header);
        wrong[places[i]] = wrong[places[i]] == '0' ? '1' : '0';
        for (index = 0; (route = guarded_route_at(&index));)
            ck_assert_int_eq(ask_route(route, wrong, NULL), 401);
    }
    for (index = 0; (route = guarded_route_at(&index));)
        ck_assert_int_eq(ask_route(route, expired, NULL), 401);
    guarded_expect_nothing_done();
    guarded_expect_acts(0, NULL);
}
END_TEST

/* The words for the bits of `scopes`, each with what `suffix` says. */
static void
words_of(unsigned scopes, const char *suffix, char words[256])
{
    words[0] = '\0';
#define WORD(symbol, bit, word)  \
    if (scopes & (bit)) {        \
        strcat(words, " " word); \
        strcat(words, suffix);   \
    }
    HTTP__SCOPE_MAP(WORD)
#undef WORD
}

/* Other scopes, other names, another namespace: all that is not enough. */
START_TEST(a_token_for_something_else_is_refused_on_every_route)
{
    const struct http__route *route;
    char words[256];
    char lacking[BEARER_SIZE], elsewhere[BEARER_SIZE];
    char foreign[BEARER_SIZE + 64];
    size_t index = 0;

    guarded_make_token("other", ALL_SCOPES, 0, foreign);
    strcat(foreign, "Glass-Namespace: default\r\n");
    while ((route = guarded_route_at(&index))) {
        unsigned scopes = route->need.scopes;
        /* Names that a body has may need less: check_auth.c has those. */
        bool is_each = route->need.object == HTTP__OBJECT_EACH;
        for (unsigned bit = 1; bit <= HTTP__SCOPE_ADMIN; bit <<= 1) {
            if (!(scopes & bit))
                continue;
            words_of(~(is_each ? scopes : bit), "", words);
            guarded_make_token("default", words, 0, lacking);
            guarded_reload();
            ck_assert_int_eq(ask_route(route, lacking, NULL), 403);
        }
        ck_assert_int_eq(ask_route(route, foreign, NULL), 403);
        if (is_each)
            continue;
        words_of(scopes, "=counters", words);
        guarded_make_token("default", words, 0, elsewhere);
        guarded_reload();
        ck_assert_int_eq(ask_route(route, elsewhere, NULL), 403);
    }
    guarded_expect_nothing_done();
}
END_TEST

/* Just what a route says is enough for it, whatever it answers then. */
START_TEST(a_token_with_the_scope_of_a_route_is_let_in)
{
    const struct http__route *route;
    size_t index = 0;

    while ((route = guarded_route_at(&index))) {
        char words[256];
        char header[BEARER_SIZE];
        words_of(route->need.scopes,
                 route->need.object == HTTP__OBJECT_NAME ? "=counter" : "",
                 words);
        guarded_make_token("default", words, 0, header);
        guarded_reload();
        int status = ask_route(route, header, NULL);
        ck_assert_msg(status != 401 && status != 403, "%s %s: %d",
                      route->method, route->pattern, status);
    }
}
END_TEST

/* Who may call its function may ask for it, and nobody else learns of it. */
START_TEST(a_kept_call_is_of_its_function)
{
    static const struct {
        const char *namespace_, *scopes;
        int status;
    } askers[] = {
        {"default", "invoke", 200},
        {"default", "invoke=count", 200},
        {"default", "invoke=counters", 403},
        {"default", "functions state:r admin", 403},
        {"other", "invoke", 404},
    };
    char header[BEARER_SIZE], location[256];
    struct http_answer answer;

    guarded_make_token("default", "invoke=counter", 0, header);
    guarded_reload();
    http_client_ask(world.port, "POST", "/async-function/counter", header,
                    "1", 1, &answer);
    ck_assert_msg(answer.status == 202, "%s", answer.text);
    http_answer_header(&answer, "Location", location);
    http_answer_deinit(&answer);
    for (size_t i = 0; i < COUNT(askers); i++) {
        guarded_make_token(askers[i].namespace_, askers[i].scopes, 0, header);
        guarded_reload();
        ck_assert_int_eq(guarded_ask("GET", location, header, NULL),
                         askers[i].status);
    }
    /* One that is not there tells no more than one of somebody else's. */
    guarded_make_token("default", "invoke=counters", 0, header);
    guarded_reload();
    ck_assert_int_eq(guarded_ask("GET", "/v1/calls/none", header, NULL), 403);
}
END_TEST

START_TEST(what_needs_no_token_takes_any)
{
    const struct http__route *route;

    for (size_t i = 0; (route = http__route_at(i)); i++) {
        if (route->need.scopes != HTTP__SCOPE_OPEN)
            continue;
        ck_assert_int_eq(
            guarded_ask(route->method, route->pattern, "", NULL), 200);
        ck_assert_int_eq(guarded_ask(route->method, route->pattern,
                                     strangers[5].format, NULL),
                         200);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/auth_routes");
    TCase *tests = tcase_create("routes");

    tcase_add_checked_fixture(tests, guarded_open, guarded_close);
    tcase_add_test(tests, every_route_says_what_it_needs);
    tcase_add_loop_test(
        tests, who_has_no_token_is_told_so_on_every_route_and_does_nothing, 0,
        COUNT(strangers));
    tcase_add_test(tests, a_token_that_is_wrong_in_one_digit_or_over_is_none);
    tcase_add_test(tests, a_token_for_something_else_is_refused_on_every_route);
    tcase_add_test(tests, a_token_with_the_scope_of_a_route_is_let_in);
    tcase_add_test(tests, a_kept_call_is_of_its_function);
    tcase_add_test(tests, what_needs_no_token_takes_any);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
