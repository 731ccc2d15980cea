/*
 * check_auth.c - tests of http/auth.c: namespaces and prefixes, tokens that
 * change, and what is told of. Every route is in check_auth_routes.c.
 */
#include "tests/http/guarded_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Namespaces and prefixes -------------------------------------------- */

START_TEST(the_namespace_is_that_of_the_token)
{
    char header[BEARER_SIZE], with[BEARER_SIZE + 64];

    guarded_make_token("other", "state:r", 0, header);
    guarded_reload();
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     404);
    snprintf(with, sizeof(with), "%sGlass-Namespace: other\r\n", header);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", with, NULL),
                     404);
    snprintf(with, sizeof(with), "%sGlass-Namespace: default\r\n", header);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", with, NULL),
                     403);
}
END_TEST

/* For a token of state:r=users/ and state:w=users/, functions=a-, invoke=a-. */
static const struct {
    const char *method;
    const char *target;
    int status;
} prefixed[] = {
    {"GET", "/v1/state/users/a", 404},
    {"GET", "/v1/state/users/", 404},
    {"GET", "/v1/state/users%2Fa", 404},
    {"GET", "/v1/state/%75sers%2fa", 404},
    {"GET", "/v1/state/users/%00", 404},
    {"GET", "/v1/state/users", 403},
    {"GET", "/v1/state/user", 403},
    {"GET", "/v1/state/usersa", 403},
    {"GET", "/v1/state/counter", 403},
    /* Dots are bytes: this is a key of its own, within the prefix. */
    {"GET", "/v1/state/users/../counter", 404},
    {"GET", "/v1/state/users/%2e%2e/counter", 404},
    {"GET", "/v1/state/users/..%2fcounter", 404},
    {"GET", "/v1/state/./users/a", 403},
    {"GET", "/v1/state//users/a", 403},
    {"GET", "/v1/state/counter/../users/a", 403},
    {"GET", "/v1/state/users%00/a", 403},
    {"GET", "/v1/state/%00users/a", 403},
    {"GET", "/v1/state/users%00", 403},
    {"GET", "/v1/state/users%252Fa", 403},
    {"GET", "/v1/state/users%5Ca", 403},
    {"GET", "/v1/state/USERS/a", 403},
    {"GET", "/v1/state/%EF%BD%95sers/a", 403},  /* a wide u */
    {"GET", "/v1/state/us%D0%B5rs/a", 403},     /* a Cyrillic e */
    {"GET", "/v1/state/users%E2%88%95a", 403},  /* a division slash */
    {"GET", "/v1/state/users%EF%BC%8Fa", 403},  /* a wide slash */
    {"GET", "/v1/state/users%C0%AFa", 403},     /* a slash of two bytes */
    {"GET", "/v1/state/%E2%80%8Busers/a", 403}, /* a space of no width */
    {"GET", "/v1/state/u%CC%88sers/a", 403},    /* an accent */
    {"GET", "/v1/state/users/a%", 400},
    {"PUT", "/v1/state/users/../counter", 204},
    {"PUT", "/v1/state/counter", 403},
    {"DELETE", "/v1/state/counter", 403},
    {"POST", "/v1/state/users/n:incr", 200},
    {"POST", "/v1/state/counter:incr", 403},
    {"POST", "/v1/state/counter:users/:incr", 403},
    {"POST", "/v1/state/counter:lock", 403},
    {"GET", "/v1/state?prefix=users/", 200},
    {"GET", "/v1/state?prefix=users%2Fa", 200},
    {"GET", "/v1/state?prefix=users/&cursor=Y291bnRlcg", 200},
    {"GET", "/v1/state", 403},
    {"GET", "/v1/state?prefix=", 403},
    {"GET", "/v1/state?prefix=users", 403},
    {"GET", "/v1/state?prefix=users%00", 403},
    {"GET", "/v1/state?prefix=users%00/", 403},
    {"GET", "/v1/state?prefix=users/&prefix=", 400},
    {"GET", "/v1/state?prefix=users/%", 400},
    {"GET", "/v1/state?Prefix=users/", 400},
    {"GET", "/v1/state:watch?prefix=users/", 200},
    {"GET", "/v1/state:watch?prefix=users", 403},
    {"GET", "/v1/state:watch", 403},
    {"GET", "/v1/functions/a-b", 404},
    {"GET", "/v1/functions/counter", 403},
    {"GET", "/v1/functions/%61-b", 404},
    {"GET", "/v1/functions/counter%00a-", 403},
    {"GET", "/v1/functions/a-%2F..%2Fcounter", 404},
    {"GET", "/v1/functions?prefix=a-", 200},
    {"GET", "/v1/functions?prefix=a", 403},
    {"GET", "/v1/functions", 403},
    {"PUT", "/v1/functions/counter", 403},
    {"DELETE", "/v1/functions/counter", 403},
    {"POST", "/v1/functions/counter/invoke", 403},
    {"POST", "/v1/functions/a-b/invoke", 404},
    {"POST", "/v1/functions/a-%00/invoke", 404},
};

START_TEST(a_prefix_holds_against_whatever_a_name_is_written_as)
{
    struct state_operation get = {0};
    char header[BEARER_SIZE];

    guarded_make_token("default",
                       "state:r=users/ state:w=users/ functions=a- invoke=a-",
                       0, header);
    guarded_reload();
    for (int i = 0; i < COUNT(prefixed); i++) {
        int status = guarded_ask(prefixed[i].method, prefixed[i].target,
                                 header, NULL);
        ck_assert_msg(status == prefixed[i].status ||
                          /* No name of a function is no function's. */
                          (prefixed[i].status == 404 && status == 400 &&
                           strstr(prefixed[i].target, "functions")),
                      "%s %s: %d", prefixed[i].method, prefixed[i].target,
                      status);
    }
    guarded_ask_state(STATE_GET, &get);
    ck_assert_uint_eq(get.version, 1);
    state_operation_deinit(&get);
}
END_TEST

/* What targets are made of at random, so that some of them come close. */
static const char *const pieces[] = {
    "users/", "users",  "%75sers", "/",    "%2F",     "%2f", "..",  ".",
    "%2e",    "%00",    "%25",     "%",    "counter", ":",   "%3A", ":incr",
    ":append", ":lock", ":expire", "?ttl=1h", "?",    "&",   "a",   "%C0%AF",
    "%E2%88%95", "\\",
};

START_TEST(nothing_is_written_outside_a_prefix_by_any_target)
{
    static const char *const methods[] = {"PUT", "POST", "DELETE", "PATCH"};
    struct state_operation list = {.kind = STATE_LIST,
                                   .namespace_ = "default",
                                   .limit_count = 1000};
    uint64_t random = 88172645463325252;
    char header[BEARER_SIZE];
    int done_count = 0;

    guarded_make_token("default", "state:r=users/ state:w=users/", 0, header);
    guarded_reload();
    for (int i = 0; i < 1000; i++) {
        char target[256] = "/v1/state/";
        const char *method = methods[i / 6 % 4];
        for (int piece = 0; piece <= i % 6; piece++) {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            /* Half of them begin with something that is alike. */
            strcat(target,
                   pieces[random % (piece == 0 && i % 2
                                        ? 3
                                        : (uint64_t)COUNT(pieces))]);
        }
        int status = guarded_ask(method, target, header, NULL);
        ck_assert_msg(status >= 200 && status < 500 && status != 401,
                      "%s %s: %d", method, target, status);
        done_count += status < 300;
    }
    /* Some were within, or this would say little. */
    ck_assert_int_gt(done_count, 20);
    ck_assert_int_eq(state_store_submit(world.store, &list), STATE_OK);
    ck_assert(!list.more);
    ck_assert_uint_gt(list.entry_count, 2);
    for (size_t i = 0; i < list.entry_count; i++) {
        const struct state_entry *entry = &list.entries[i];
        bool is_counter = entry->key.length_bytes == 7 &&
                          memcmp(entry->key.bytes, "counter", 7) == 0;
        ck_assert(is_counter || (entry->key.length_bytes >= 6 &&
                                 memcmp(entry->key.bytes, "users/", 6) == 0));
        ck_assert(!is_counter || entry->version == 1);
    }
    state_operation_deinit(&list);
}
END_TEST

/* For a token of state:r=users/ and state:w=users/w. */
static const struct {
    const char *operations;
    int status;
} batches[] = {
    {"", 200},
    {"{\"op\":\"get\",\"key\":\"users/a\"}", 200},
    {"{\"op\":\"stat\",\"key\":\"users/\"}", 200},
    {"{\"op\":\"put\",\"key\":\"users/w\",\"value\":\"1\"}", 200},
    {"{\"op\":\"incr\",\"key\":\"users/w\"}", 200},
    {"{\"op\":\"get\",\"key\":\"users/../counter\"}", 200},
    {"{\"op\":\"get\",\"key\":\"counter\"}", 403},
    {"{\"op\":\"get\",\"key\":\"users\"}", 403},
    {"{\"op\":\"get\"}", 403},
    {"{\"op\":\"get\",\"key_base64\":\"Y291bnRlcg==\"}", 403},
    {"{\"op\":\"get\",\"key\":\"users\\u0000/a\"}", 403},
    {"{\"op\":\"get\",\"key\":\"us\\u0435rs/a\"}", 403},
    {"{\"op\":\"get\",\"key\":\"users%2Fa\"}", 403},
    {"{\"op\":\"stat\",\"key\":\"counter\"}", 403},
    {"{\"op\":\"get-range\",\"key\":\"counter\"}", 403},
    {"{\"op\":\"put\",\"key\":\"users/a\",\"value\":\"1\"}", 403},
    {"{\"op\":\"put-range\",\"key\":\"users/a\",\"value\":\"1\"}",
     403},
    {"{\"op\":\"append\",\"key\":\"users/a\",\"value\":\"1\"}", 403},
    {"{\"op\":\"incr\",\"key\":\"users/a\"}", 403},
    {"{\"op\":\"delete\",\"key\":\"users/a\"}", 403},
    {"{\"op\":\"expire\",\"key\":\"users/a\",\"ttl_ms\":1}", 403},
    {"{\"op\":\"persist\",\"key\":\"users/a\"}", 403},
    /* One that may not be is all that may not be. */
    {"{\"op\":\"delete\",\"key\":\"users/w\"},"
     "{\"op\":\"delete\",\"key\":\"counter\"}",
     403},
    {"{\"op\":\"get\",\"key\":\"users/w\"},"
     "{\"op\":\"incr\",\"key\":\"counter\"}",
     403},
};

START_TEST(a_batch_needs_what_its_operations_need_or_does_nothing)
{
    struct state_operation get = {0};
    char header[BEARER_SIZE], body[512];

    guarded_make_token("default", "state:r=users/ state:w=users/w", 0,
                       header);
    guarded_reload();
    for (int i = 0; i < COUNT(batches); i++) {
        snprintf(body, sizeof(body), "{\"operations\": [%s]}",
                 batches[i].operations);
        int status = http_client_status(world.port, "POST", "/v1/state:batch",
                                        header, body);
        ck_assert_msg(status == batches[i].status, "%s: %d", body, status);
    }
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/users/w", header, NULL),
                     200);
    guarded_ask_state(STATE_GET, &get);
    ck_assert_uint_eq(get.version, 1);
    state_operation_deinit(&get);
}
END_TEST

/* ---- Reloading, binding, acts ------------------------------------------- */

START_TEST(tokens_change_when_they_are_read_again)
{
    char header[BEARER_SIZE], id[HTTP_TOKEN_ID_SIZE], path[96];
    struct http_error err = {""};

    guarded_make_token("default", "state:r", 0, header);
    snprintf(id, sizeof(id), "%.*s", HTTP_TOKEN_ID_SIZE - 1,
             header + BEARER_ID);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     401);
    guarded_reload();
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     200);

    /* What cannot be read changes nothing. */
    snprintf(path, sizeof(path), "%s/tokens.json", guarded_directory);
    size_t length;
    unsigned char *bytes = whole_file_read(path, &length);
    whole_file_write_text(path, "{");
    ck_assert_int_eq(http_server_reload(world.server, &err), HTTP_INVALID);
    ck_assert_str_ne(err.message, "");
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     200);
    unlink(path);
    ck_assert_int_eq(http_server_reload(world.server, &err),
                     HTTP_NOT_FOUND);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     200);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", "", NULL),
                     401);

    whole_file_write(path, bytes, length);
    free(bytes);
    ck_assert_int_eq(http_token_revoke(guarded_directory, id, &err),
                     HTTP_OK);
    guarded_reload();
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     401);
}
END_TEST

START_TEST(a_request_goes_on_with_the_tokens_it_came_with)
{
    char header[BEARER_SIZE], request[BEARER_SIZE + 128];
    struct http_answer answer;
    int fd = http_client_connect(world.port);

    guarded_make_token("default", "state:w", 0, header);
    guarded_reload();
    snprintf(
        request, sizeof(request),
        "PUT /v1/state/slow HTTP/1.1\r\nHost: a\r\nExpect: 100-continue"
        "\r\n%sContent-Length: 2\r\n\r\n",
        header);
    http_client_send_text(fd, request);
    http_client_receive(fd, true, &answer);
    ck_assert_int_eq(answer.status, 100);
    http_answer_deinit(&answer);
    header[44] = '\0';
    ck_assert_int_eq(
        http_token_revoke(guarded_directory, header + BEARER_ID, NULL),
        HTTP_OK);
    guarded_reload();
    http_client_send_text(fd, "12");
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 204);
    http_answer_deinit(&answer);
    http_client_close(fd);
}
END_TEST

static void *
reload_often(void *stop)
{
    while (!atomic_load((atomic_bool *)stop))
        if (http_server_reload(world.server, NULL) != HTTP_OK)
            return stop;
    return NULL;
}

START_TEST(reloading_disturbs_nobody)
{
    atomic_bool stop = false;
    char header[BEARER_SIZE];
    pthread_t thread;
    void *failed;

    guarded_make_token("default", "state:r", 0, header);
    guarded_reload();
    ck_assert_int_eq(pthread_create(&thread, NULL, reload_often, &stop), 0);
    for (int i = 0; i < 200; i++)
        ck_assert_int_eq(
            guarded_ask("GET", "/v1/state/counter", header, NULL), 200);
    atomic_store(&stop, true);
    pthread_join(thread, &failed);
    ck_assert_ptr_null(failed);
}
END_TEST

START_TEST(acts_are_told_of_with_who_did_them)
{
    char header[BEARER_SIZE], id[HTTP_TOKEN_ID_SIZE], expected[256];

    guarded_make_token("default", "functions=b invoke state:r state:w", 0,
                       header);
    snprintf(id, sizeof(id), "%.*s", HTTP_TOKEN_ID_SIZE - 1,
             header + BEARER_ID);
    guarded_reload();
    http_client_status(world.port, "POST", "/v1/functions/counter/invoke",
                       header, "1");
    http_client_status(world.port, "PUT", "/v1/state/counter", header, "1");
    http_client_status(world.port, "GET", "/v1/functions/b", header, NULL);
    ck_assert_int_eq(http_client_status(world.port, "PUT",
                                        "/v1/functions/b", header,
                                        "no module"),
                     400);
    snprintf(expected, sizeof(expected),
             "PUT /v1/functions/{name} b default %s 400", id);
    guarded_expect_acts(1, expected);
    ck_assert_int_eq(http_client_status(world.port, "DELETE",
                                        "/v1/functions/counter", header,
                                        NULL),
                     403);
    snprintf(expected, sizeof(expected),
             "DELETE /v1/functions/{name} counter default %s 403", id);
    guarded_expect_acts(2, expected);
}
END_TEST

START_TEST(a_server_without_tokens_begins_to_ask_for_them_when_there_are_some)
{
    char header[BEARER_SIZE];

    guarded_open_at(NULL);
    guarded_reload();
    ck_assert_int_eq(http_client_status(world.port, "DELETE",
                                        "/v1/functions/x", "", NULL),
                     404);
    guarded_expect_acts(1, "DELETE /v1/functions/{name} x default - 404");
    /* Before there are some, the host is looked at. */
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", "", NULL),
                     421);
    guarded_make_token("default", "state:r", 0, header);
    guarded_reload();
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", "", NULL),
                     401);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     404);
    close_world();
}
END_TEST

START_TEST(a_server_with_tokens_may_listen_anywhere)
{
    const struct http_options bare = {.token_directory = guarded_directory,
                                      .address = "0.0.0.0"};
    struct http_options options = bare;
    struct http_server *server;
    char header[BEARER_SIZE];

    guarded_open_at(NULL);
    options.runtime = world.runtime;
    options.store = world.store;
    ck_assert_int_eq(http_server_create(&options, &server, NULL),
                     HTTP_NOT_LOOPBACK);
    close_world();
    guarded_make_token("default", "state:r", 0, header);
    guarded_open_at("0.0.0.0");
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", "", NULL),
                     401);
    ck_assert_int_eq(guarded_ask("GET", "/v1/state/counter", header, NULL),
                     404);
    close_world();
}
END_TEST

START_TEST(a_server_does_not_start_with_tokens_that_make_no_sense)
{
    struct http_options options = {.token_directory = guarded_directory};
    struct http_error err = {""};
    struct http_server *server;
    char path[96];

    guarded_open_at(NULL);
    options.runtime = world.runtime;
    options.store = world.store;
    snprintf(path, sizeof(path), "%s/tokens.json", guarded_directory);
    whole_file_write_text(path, "{\"tokens\": [{}]}");
    ck_assert_int_eq(http_server_create(&options, &server, &err),
                     HTTP_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "token 1"));
    close_world();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/auth");
    TCase *guarded = tcase_create("guarded");
    TCase *bare = tcase_create("bare");

    tcase_add_checked_fixture(guarded, guarded_open, guarded_close);
    tcase_add_test(guarded, the_namespace_is_that_of_the_token);
    tcase_add_test(guarded,
                   a_prefix_holds_against_whatever_a_name_is_written_as);
    tcase_add_test(guarded,
                   nothing_is_written_outside_a_prefix_by_any_target);
    tcase_add_test(guarded,
                   a_batch_needs_what_its_operations_need_or_does_nothing);
    tcase_add_test(guarded, tokens_change_when_they_are_read_again);
    tcase_add_test(guarded, a_request_goes_on_with_the_tokens_it_came_with);
    tcase_add_test(guarded, reloading_disturbs_nobody);
    tcase_add_test(guarded, acts_are_told_of_with_who_did_them);
    suite_add_tcase(suite, guarded);
    tcase_add_checked_fixture(bare, guarded_make_directory,
                              guarded_remove_directory);
    tcase_add_test(
        bare,
        a_server_without_tokens_begins_to_ask_for_them_when_there_are_some);
    tcase_add_test(bare, a_server_with_tokens_may_listen_anywhere);
    tcase_add_test(bare,
                   a_server_does_not_start_with_tokens_that_make_no_sense);
    suite_add_tcase(suite, bare);
    return suite_run(suite);
}
