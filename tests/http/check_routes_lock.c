/*
 * check_routes_lock.c - tests of http/routes_lock.c: locks over HTTP.
 */
#include "http/server.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What a problem's type ends in; "" for an answer that is none. */
static const char *
problem_of(const struct http_answer *answer)
{
    static char type[64];
    const char *found = strstr(answer->text, "urn:glass:problem:");

    type[0] = '\0';
    if (found)
        sscanf(found, "urn:glass:problem:%63[a-z-]", type);
    return type;
}

static void
expect_to(const char *method, const char *target, const char *headers,
          const char *body, int status, const char *problem)
{
    struct http_answer answer;

    http_client_ask(world.port, method, target, headers, body,
                    body ? strlen(body) : 0, &answer);
    ck_assert_msg(answer.status == status &&
                      strcmp(problem_of(&answer), problem) == 0,
                  "%s %s: not %d %s: %s", method, target, status, problem,
                  answer.text);
    http_answer_deinit(&answer);
}

/* The token and the lease of an answer to a lock. */
static uint64_t
token_of(const struct http_answer *answer, json_int_t *lease_ms)
{
    json_t *document =
        json_loadb(answer->body, answer->body_length, 0, NULL);
    json_int_t token = 0;

    ck_assert_msg(answer->status == 200, "%s", answer->text);
    ck_assert_int_eq(json_unpack_ex(document, NULL, JSON_STRICT,
                                    "{s:I, s:I}", "token", &token,
                                    "lease_ms", lease_ms),
                     0);
    json_decref(document);
    ck_assert_int_gt(token, 0);
    return (uint64_t)token;
}

/* Locks, and writes the header that later writes need. */
static void
lock(const char *target, char header[64])
{
    struct http_answer answer;
    json_int_t lease_ms;

    http_client_ask(world.port, "POST", target, "", NULL, 0, &answer);
    snprintf(header, 64, "Glass-Lock-Token: %llu\r\n",
             (unsigned long long)token_of(&answer, &lease_ms));
    http_answer_deinit(&answer);
}

START_TEST(a_lock_is_for_one_or_shared)
{
    char mine[64], other[64];

    lock("/v1/state/a%2Fb:lock", mine);
    expect_to("POST", "/v1/state/a/b:lock", "", NULL, 409, "locked");
    expect_to("POST", "/v1/state/a/b:lock?mode=shared&timeout=10ms", "", NULL,
              409, "locked");
    expect_to("POST", "/v1/state/a/b:unlock", mine, NULL, 204, "");
    expect_to("POST", "/v1/state/a/b:unlock", mine, NULL, 412, "lock-lost");
    lock("/v1/state/a/b:lock?mode=shared", mine);
    lock("/v1/state/a/b:lock?mode=shared", other);
    ck_assert_str_ne(mine, other);
    expect_to("POST", "/v1/state/a/b:lock?mode=exclusive", "", NULL, 409,
              "locked");
}
END_TEST

/* Writes that carry a token: method, target, body. */
static const char *const writes[][3] = {
    {"PUT", "/v1/state/k", "1"},
    {"POST", "/v1/state/k:incr", NULL},
    {"POST", "/v1/state/k:append", "1"},
    {"DELETE", "/v1/state/k", NULL},
};

START_TEST(a_write_with_a_token_needs_the_lock)
{
    const char *const *write = writes[_i];
    char header[64], both[128];
    int done = strstr(write[1], ":") ? 200 : 204;

    expect_to("PUT", "/v1/state/k", "", "0", 204, "");
    lock("/v1/state/k:lock", header);
    expect_to(write[0], write[1], header, write[2], done, "");
    expect_to("PUT", "/v1/state/k", "", "0", 204, "");
    /* The lock holds, the condition does not: then it is that. */
    snprintf(both, sizeof(both), "%sIf-Match: \"999\"\r\n", header);
    expect_to(write[0], write[1], both, write[2], 412, "condition");
    expect_to("POST", "/v1/state/k:unlock", header, NULL, 204, "");
    expect_to(write[0], write[1], header, write[2], 412, "lock-lost");
    expect_to(write[0], write[1], "Glass-Lock-Token: x\r\n", write[2], 400,
              "bad-request");
}
END_TEST

START_TEST(a_lock_says_its_lease_and_can_be_extended)
{
    struct http_answer answer;
    json_int_t lease_ms;
    char header[64];

    http_client_ask(world.port, "POST", "/v1/state/k:lock", "", NULL, 0,
                    &answer);
    token_of(&answer, &lease_ms);
    ck_assert_int_eq(lease_ms, STATE_LEASE_MS_DEFAULT);
    http_answer_deinit(&answer);
    lock("/v1/state/l:lock?lease=1m", header);
    expect_to("POST", "/v1/state/l:extend?lease=2m", header, NULL, 204, "");
    expect_to("POST", "/v1/state/l:unlock", header, NULL, 204, "");
    expect_to("POST", "/v1/state/l:extend", header, NULL, 412, "lock-lost");
}
END_TEST

static const struct {
    const char *target;
    const char *headers;
    int status;
} requests[] = {
    {"/v1/state/k:lock?lease=1h", "", 200},
    {"/v1/state/k:lock?lease=3600001ms", "", 400},
    {"/v1/state/k:lock?lease=0", "", 400},
    {"/v1/state/k:lock?lease=x", "", 400},
    {"/v1/state/k:lock?lease=1ms", "", 200},
    {"/v1/state/k:lock?timeout=0", "", 200},
    {"/v1/state/k:lock?timeout=10m", "", 200},
    {"/v1/state/k:lock?timeout=600001ms", "", 400},
    {"/v1/state/k:lock?mode=", "", 400},
    {"/v1/state/k:lock?mode=both", "", 400},
    {"/v1/state/k:lock?ttl=1s", "", 400},
    {"/v1/state/k:unlock", "", 400},
    {"/v1/state/k:unlock", "Glass-Lock-Token: 0\r\n", 400},
    {"/v1/state/k:unlock", "Glass-Lock-Token: -1\r\n", 400},
    {"/v1/state/k:unlock", "Glass-Lock-Token: 1\r\n", 412},
    {"/v1/state/k:unlock",
     "Glass-Lock-Token: 1\r\nGlass-Lock-Token: 1\r\n", 400},
    {"/v1/state/k:extend", "", 400},
    {"/v1/state/k:extend?lease=61m", "Glass-Lock-Token: 1\r\n", 400},
    {"/v1/state/k:extend?lease=60m", "Glass-Lock-Token: 1\r\n", 412},
};

START_TEST(the_parameters_of_a_lock_are_checked)
{
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        requests[_i].target,
                                        requests[_i].headers, NULL),
                     requests[_i].status);
}
END_TEST

/* Asks for a lock without waiting for the answer. */
static int
begin_waiting(void)
{
    int fd = http_client_connect(world.port);

    http_client_send_text(fd,
                          "POST /v1/state/k:lock?timeout=10m HTTP/1.1\r\n"
                          "Host: localhost\r\nContent-Length: 0\r\n\r\n");
    return fd;
}

static void
doze(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

/* Until the request waits. */
static void
await_parked(void)
{
    for (;; doze())
        for (unsigned i = 0; i < world.server->loop_count; i++)
            if (atomic_load(&world.server->loops[i].parked_count) > 0)
                return;
}

/* Until nobody holds the lock or waits for it. */
static void
await_free(void)
{
    struct state_operation try = {.kind = STATE_LOCK,
                                  .namespace_ = "default",
                                  .key = {"k", 1}};

    while (state_store_submit(world.store, &try) != STATE_OK)
        doze();
}

START_TEST(who_waits_is_answered_when_the_lock_is_given_back)
{
    struct http_answer answer;
    json_int_t lease_ms;
    char header[64];

    lock("/v1/state/k:lock", header);
    int fd = begin_waiting();
    await_parked();
    expect_to("POST", "/v1/state/k:unlock", header, NULL, 204, "");
    http_client_receive(fd, false, &answer);
    token_of(&answer, &lease_ms);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

START_TEST(who_has_gone_gets_no_lock)
{
    char header[64];

    lock("/v1/state/k:lock", header);
    int fd = begin_waiting();
    await_parked();
    http_client_close(fd);
    doze();
    expect_to("POST", "/v1/state/k:unlock", header, NULL, 204, "");
    await_free();
}
END_TEST

START_TEST(a_server_that_drains_ends_the_waiting)
{
    struct http_answer answer;
    char header[64];

    lock("/v1/state/k:lock", header);
    int fd = begin_waiting();
    await_parked();
    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert_str_eq(problem_of(&answer), "draining");
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/routes_lock");
    TCase *tests = tcase_create("lock");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, a_lock_is_for_one_or_shared);
    tcase_add_loop_test(tests, a_write_with_a_token_needs_the_lock, 0,
                        COUNT(writes));
    tcase_add_test(tests, a_lock_says_its_lease_and_can_be_extended);
    tcase_add_loop_test(tests, the_parameters_of_a_lock_are_checked, 0,
                        COUNT(requests));
    tcase_add_test(tests, who_waits_is_answered_when_the_lock_is_given_back);
    tcase_add_test(tests, who_has_gone_gets_no_lock);
    tcase_add_test(tests, a_server_that_drains_ends_the_waiting);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
