/*
 * check_routes_state.c - tests of http/routes_state.c: values over HTTP.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Asks with a text as body, and checks the status; null is no body. */
static void
ask(const char *method, const char *target, const char *headers,
    const char *body, int status, struct http_answer *answer)
{
    http_client_ask(world.port, method, target, headers, body,
                    body ? strlen(body) : 0, answer);
    ck_assert_msg(answer->status == status, "%s %s: %d, not %d: %s", method,
                  target, answer->status, status, answer->text);
}

static void
expect(const char *method, const char *target, const char *headers,
       const char *body, int status)
{
    struct http_answer answer;

    ask(method, target, headers, body, status, &answer);
    http_answer_deinit(&answer);
}

static void
expect_value(const char *target, const char *value)
{
    struct http_answer answer;

    ask("GET", target, "", NULL, 200, &answer);
    ck_assert_msg(http_answer_is(&answer, value), "%s is '%s', not '%s'",
                  target, answer.body, value);
    http_answer_deinit(&answer);
}

/* The ETag of a key, with its quotes. */
static void
get_etag(const char *target, char etag[256])
{
    struct http_answer answer;

    ask("GET", target, "", NULL, 200, &answer);
    http_answer_header(&answer, "ETag", etag);
    http_answer_deinit(&answer);
}

START_TEST(a_value_is_read_as_it_was_written)
{
    struct http_answer answer;
    char etag[256];
    char put_etag[256];
    char value[256];

    ask("PUT", "/v1/state/a", "", "hello", 204, &answer);
    http_answer_header(&answer, "ETag", put_etag);
    ck_assert_uint_eq(answer.body_length, 0);
    http_answer_deinit(&answer);

    ask("GET", "/v1/state/a", "", NULL, 200, &answer);
    ck_assert(http_answer_is(&answer, "hello"));
    ck_assert_str_eq(http_answer_header(&answer, "ETag", etag), put_etag);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Type", value),
                     "application/octet-stream");
    http_answer_deinit(&answer);

    ask("HEAD", "/v1/state/a", "", NULL, 200, &answer);
    ck_assert_str_eq(http_answer_header(&answer, "ETag", etag), put_etag);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Length", value),
                     "5");
    http_answer_deinit(&answer);

    expect("DELETE", "/v1/state/a", "", NULL, 204);
    expect("GET", "/v1/state/a", "", NULL, 404);
    expect("HEAD", "/v1/state/a", "", NULL, 404);
    expect("DELETE", "/v1/state/a", "", NULL, 404);
}
END_TEST

/* Keys are bytes: what is equal decoded is the same key, and nothing else. */
static const struct {
    const char *written;
    const char *read;
    int status;
} keys[] = {
    {"/v1/state/a%00b", "/v1/state/a%00b", 200},
    {"/v1/state/a%00b", "/v1/state/a", 404},
    {"/v1/state/a%00b", "/v1/state/a%00c", 404},
    {"/v1/state/%00", "/v1/state/%00", 200},
    {"/v1/state/a%2Fb", "/v1/state/a/b", 200},
    {"/v1/state/a/b", "/v1/state/a%2fb", 200},
    {"/v1/state/a/b", "/v1/state/a", 404},
    {"/v1/state/a%3Ab", "/v1/state/a%3ab", 200},
    {"/v1/state/a%3Aincr", "/v1/state/a%3Aincr", 200},
    {"/v1/state/%ff%fe", "/v1/state/%FF%FE", 200},
    {"/v1/state/%c3%a4", "/v1/state/\xc3\xa4", 200},
    {"/v1/state/a%20b", "/v1/state/a%20b", 200},
    {"/v1/state/a+b", "/v1/state/a%2Bb", 200},
    {"/v1/state/a+b", "/v1/state/a%20b", 404},
    {"/v1/state/%2e%2e", "/v1/state/..", 200},
    {"/v1/state/..", "/v1/", 404},
    {"/v1/state/a%25", "/v1/state/a%25", 200},
    {"/v1/state/a?", "/v1/state/a", 200},
    {"/v1/state/a%3F", "/v1/state/a", 404},
    {"/v1/state/%61", "/v1/state/a", 200},
    {"/v1/state//", "/v1/state/%2F", 200},
};

START_TEST(keys_are_bytes_percent_decoded)
{
    expect("PUT", keys[_i].written, "", "v", 204);
    expect("GET", keys[_i].read, "", NULL, keys[_i].status);
}
END_TEST

START_TEST(a_value_may_hold_any_byte_and_be_large)
{
    static const size_t lengths[] = {0, 1, 128, 129, 16384, 32768, 1000000};
    struct http_answer answer;
    size_t length = lengths[_i];
    char *value = malloc(length + 1);

    ck_assert_ptr_nonnull(value);
    for (size_t index = 0; index < length; index++)
        value[index] = (char)(index * 31 + index / 256);
    http_client_ask(world.port, "PUT", "/v1/state/a", "", value, length,
                    &answer);
    ck_assert_int_eq(answer.status, 204);
    http_answer_deinit(&answer);
    ask("GET", "/v1/state/a", "", NULL, 200, &answer);
    ck_assert_uint_eq(answer.body_length, length);
    ck_assert_mem_eq(answer.body, value, length);
    http_answer_deinit(&answer);
    free(value);
}
END_TEST

START_TEST(writes_hold_to_their_conditions)
{
    char etag[256];
    char if_match[300];

    expect("PUT", "/v1/state/a", "If-Match: *\r\n", "0", 412);
    expect("PUT", "/v1/state/a", "If-None-Match: *\r\n", "1", 201);
    expect("PUT", "/v1/state/a", "If-None-Match: *\r\n", "2", 412);
    expect("PUT", "/v1/state/a", "If-Match: *\r\n", "3", 204);
    get_etag("/v1/state/a", etag);
    snprintf(if_match, sizeof(if_match), "If-Match: %s\r\n", etag);
    expect("PUT", "/v1/state/a", if_match, "4", 204);
    expect("PUT", "/v1/state/a", if_match, "5", 412);
    expect("DELETE", "/v1/state/a", if_match, NULL, 412);
    expect("POST", "/v1/state/a:incr", if_match, "", 412);
    expect("POST", "/v1/state/a:append", if_match, "x", 412);
    expect_value("/v1/state/a", "4");
    /* Tags that no key can have, and conditions that are none. */
    expect("PUT", "/v1/state/a", "If-Match: \"x\"\r\n", "6", 412);
    expect("PUT", "/v1/state/a", "If-Match: \"0\"\r\n", "6", 412);
    expect("PUT", "/v1/state/a", "If-Match: \"-1\"\r\n", "6", 412);
    expect("PUT", "/v1/state/a", "If-Match: W/\"1\"\r\n", "6", 412);
    expect("PUT", "/v1/state/a", "If-Match: 1\r\n", "6", 400);
    expect("PUT", "/v1/state/a", "If-None-Match: \"1\"\r\n", "6", 400);
    expect_value("/v1/state/a", "4");
    get_etag("/v1/state/a", etag);
    snprintf(if_match, sizeof(if_match), "If-Match: %s\r\n", etag);
    expect("DELETE", "/v1/state/a", if_match, NULL, 204);
}
END_TEST

START_TEST(reads_hold_to_their_conditions)
{
    struct http_answer answer;
    char etag[256];
    char header[300];
    char value[256];

    expect("PUT", "/v1/state/a", "", "hello", 204);
    get_etag("/v1/state/a", etag);
    snprintf(header, sizeof(header), "If-None-Match: %s\r\n", etag);
    ask("GET", "/v1/state/a", header, NULL, 304, &answer);
    ck_assert_str_eq(http_answer_header(&answer, "ETag", value), etag);
    http_answer_deinit(&answer);
    expect("HEAD", "/v1/state/a", header, NULL, 304);
    expect("GET", "/v1/state/a", "If-None-Match: *\r\n", NULL, 304);
    expect("GET", "/v1/state/a", "If-None-Match: \"x\"\r\n", NULL, 200);
    snprintf(header, sizeof(header), "If-None-Match: W/%s\r\n", etag);
    expect("GET", "/v1/state/a", header, NULL, 304);
    snprintf(header, sizeof(header), "If-Match: %s\r\n", etag);
    expect("GET", "/v1/state/a", header, NULL, 200);
    snprintf(header, sizeof(header), "If-Match: W/%s\r\n", etag);
    expect("GET", "/v1/state/a", header, NULL, 412);
    expect("GET", "/v1/state/a", "If-Match: \"x\"\r\n", NULL, 412);
    expect("GET", "/v1/state/a", "If-Match: x\r\n", NULL, 400);
    expect("GET", "/v1/state/a", "If-None-Match: x\r\n", NULL, 400);
}
END_TEST

static const struct {
    const char *target;
    const char *body;
    int status;
    const char *sum; /* of a counter that is at 10 */
} increments[] = {
    {"/v1/state/n:incr", "", 200, "11"},
    {"/v1/state/n:incr", " 5\n", 200, "15"},
    {"/v1/state/n:incr", "-11", 200, "-1"},
    {"/v1/state/n:incr?delta=7", "", 200, "17"},
    {"/v1/state/n:incr?delta=-7", "9", 200, "3"},
    {"/v1/state/n:incr?delta=0", "", 200, "10"},
    {"/v1/state/n:incr?delta=9223372036854775797", "", 200,
     "9223372036854775807"},
    {"/v1/state/n:incr?delta=9223372036854775798", "", 409, "10"},
    {"/v1/state/n:incr?delta=9223372036854775808", "", 400, "10"},
    {"/v1/state/n:incr?delta=", "", 400, "10"},
    {"/v1/state/n:incr?delta=x", "", 400, "10"},
    {"/v1/state/n:incr?delta=1&delta=1", "", 400, "10"},
    {"/v1/state/n:incr", "1 1", 400, "10"},
    {"/v1/state/n:incr", "five", 400, "10"},
    {"/v1/state/n:incr?by=1", "", 400, "10"},
};

START_TEST(an_increment_adds_or_changes_nothing)
{
    expect("PUT", "/v1/state/n", "", "10", 204);
    expect("POST", increments[_i].target, "", increments[_i].body,
           increments[_i].status);
    expect_value("/v1/state/n", increments[_i].sum);
}
END_TEST

START_TEST(an_increment_answers_the_sum_and_needs_a_number)
{
    struct http_answer answer;

    ask("POST", "/v1/state/n:incr?delta=5", "", "", 200, &answer);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(document, "value")),
                     5);
    ck_assert_int_eq(json_integer_value(json_object_get(document, "version")),
                     1);
    json_decref(document);
    http_answer_deinit(&answer);
    expect("PUT", "/v1/state/n", "", "many", 204);
    expect("POST", "/v1/state/n:incr", "", "", 409);
    expect_value("/v1/state/n", "many");
}
END_TEST

START_TEST(an_append_makes_a_value_longer)
{
    struct http_answer answer;

    expect("POST", "/v1/state/a:append", "", "one", 200);
    ask("POST", "/v1/state/a:append", "", ",two", 200, &answer);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_int_eq(json_integer_value(json_object_get(document, "size")),
                     7);
    json_decref(document);
    http_answer_deinit(&answer);
    expect_value("/v1/state/a", "one,two");
}
END_TEST

static const struct {
    const char *headers;
    const char *body;
    int status;
    const char *value; /* of a key that has 0123 */
    size_t length;
} patches[] = {
    {"Content-Range: bytes 1-2/*\r\n", "ab", 200, "0ab3", 4},
    {"Content-Range: bytes 0-3/*\r\n", "abcd", 200, "abcd", 4},
    {"Content-Range: bytes 3-5/*\r\n", "abc", 200, "012abc", 6},
    {"Content-Range: bytes 6-6/*\r\n", "a", 200, "0123\0\0a", 7},
    {"Content-Range: bytes 1-2/*\r\n", "a", 400, "0123", 4},
    {"Content-Range: bytes 1-2/*\r\n", "abc", 400, "0123", 4},
    {"Content-Range: bytes 1-1/*\r\n", "", 400, "0123", 4},
    {"Content-Range: bytes 2-1/*\r\n", "", 400, "0123", 4},
    {"Content-Range: bytes 1-2/4\r\n", "ab", 400, "0123", 4},
    {"Content-Range: x\r\n", "ab", 400, "0123", 4},
    {"", "ab", 400, "0123", 4},
    {"Content-Range: bytes 67108863-67108864/*\r\n", "ab", 413, "0123", 4},
    {"Content-Range: bytes 18446744073709551614-18446744073709551614/*\r\n",
     "a", 413, "0123", 4},
    {"If-Match: \"9\"\r\nContent-Range: bytes 0-0/*\r\n", "a", 412, "0123",
     4},
    {"If-Match: \"1\"\r\nContent-Range: bytes 0-0/*\r\n", "a", 200, "a123",
     4},
    {"If-None-Match: *\r\nContent-Range: bytes 0-0/*\r\n", "a", 412, "0123",
     4},
};

START_TEST(a_patch_writes_over_a_part)
{
    struct http_answer answer;
    char value[256];

    expect("PUT", "/v1/state/a", "", "0123", 204);
    expect("PATCH", "/v1/state/a", patches[_i].headers, patches[_i].body,
           patches[_i].status);
    ask("GET", "/v1/state/a", "", NULL, 200, &answer);
    ck_assert_uint_eq(answer.body_length, patches[_i].length);
    ck_assert_mem_eq(answer.body, patches[_i].value, patches[_i].length);
    ck_assert_str_eq(http_answer_header(&answer, "ETag", value),
                     patches[_i].status == 200 ? "\"2\"" : "\"1\"");
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_patch_answers_the_size_and_may_begin_a_key)
{
    struct http_answer answer;
    char value[256];

    ask("PATCH", "/v1/state/a?ttl=1h", "Content-Range: bytes 2-3/*\r\n", "ab",
        200, &answer);
    ck_assert(http_answer_is(&answer, "{\"size\":4,\"version\":1}\n"));
    ck_assert_str_eq(http_answer_header(&answer, "ETag", value), "\"1\"");
    http_answer_deinit(&answer);
    /* A part that is taken for the whole would be the end of the rest. */
    expect("PUT", "/v1/state/a", "Content-Range: bytes 0-1/*\r\n", "ab", 400);
}
END_TEST

static const struct {
    const char *ttl;
    int status;
} ttls[] = {
    {"1ms", 204},    {"60", 204},     {"36500d", 204}, {"36501d", 400},
    {"0", 400},      {"0s", 400},     {"-1s", 400},    {"soon", 400},
    {"", 400},       {"1w", 400},     {"1s&ttl=2s", 400},
    {"99999999999999999999", 400},
};

START_TEST(a_ttl_is_a_duration)
{
    char target[128];

    snprintf(target, sizeof(target), "/v1/state/a?ttl=%s", ttls[_i].ttl);
    expect("PUT", target, "", "v", ttls[_i].status);
}
END_TEST

/* On a key of version 1, and on one that is not there. */
static const struct {
    const char *operation;
    const char *headers;
    int status;
    int status_absent;
} expiries[] = {
    {":expire?ttl=1h", "", 204, 404},
    {":expire?ttl=36500d", "", 204, 404},
    {":expire?ttl=36501d", "", 400, 400},
    {":expire?ttl=0", "", 400, 400},
    {":expire?ttl=keep", "", 400, 400},
    {":expire", "", 400, 400},
    {":expire?ttl=1h", "If-Match: \"1\"\r\n", 204, 412},
    {":expire?ttl=1h", "If-Match: \"2\"\r\n", 412, 412},
    {":expire?ttl=1h", "Glass-Lock-Token: 1\r\n", 412, 412},
    {":persist", "", 204, 404},
    {":persist?ttl=1h", "", 400, 400},
    {":persist", "If-Match: *\r\n", 204, 412},
    {":persist", "If-None-Match: *\r\n", 412, 404},
};

START_TEST(an_expiry_is_changed_alone)
{
    struct http_answer answer;
    char value[256], target[64];

    expect("PUT", "/v1/state/a", "", "v", 204);
    snprintf(target, sizeof(target), "/v1/state/a%s", expiries[_i].operation);
    ask("POST", target, expiries[_i].headers, NULL, expiries[_i].status,
        &answer);
    if (expiries[_i].status == 204)
        ck_assert_str_eq(http_answer_header(&answer, "ETag", value),
                         "\"1\"");
    http_answer_deinit(&answer);
    get_etag("/v1/state/a", value);
    ck_assert_str_eq(value, "\"1\"");
    snprintf(target, sizeof(target), "/v1/state/b%s", expiries[_i].operation);
    expect("POST", target, expiries[_i].headers, NULL,
           expiries[_i].status_absent);
}
END_TEST

/* A clock that the test sets, so that nothing waits. */
static uint64_t clock_ms = 1000;

static uint64_t
read_clock(void *data)
{
    (void)data;
    return __atomic_load_n(&clock_ms, __ATOMIC_RELAXED);
}

START_TEST(a_key_vanishes_after_its_ttl)
{
    const struct http_world_options options = {
        .state = {.now_ms = read_clock},
    };

    http_world_close(&world);
    http_world_open(&world, &options);
    expect("PUT", "/v1/state/a?ttl=500ms", "", "v", 204);
    expect("POST", "/v1/state/n:incr?ttl=2s", "", "", 200);
    __atomic_store_n(&clock_ms, 1499, __ATOMIC_RELAXED);
    expect("GET", "/v1/state/a", "", NULL, 200);
    __atomic_store_n(&clock_ms, 1501, __ATOMIC_RELAXED);
    expect("GET", "/v1/state/a", "", NULL, 404);
    expect("GET", "/v1/state/n", "", NULL, 200);
    __atomic_store_n(&clock_ms, 3001, __ATOMIC_RELAXED);
    expect("GET", "/v1/state/n", "", NULL, 404);
}
END_TEST

START_TEST(an_expiry_can_be_kept_changed_or_taken_away)
{
    const struct http_world_options options = {
        .state = {.now_ms = read_clock},
    };

    http_world_close(&world);
    __atomic_store_n(&clock_ms, 1000, __ATOMIC_RELAXED);
    http_world_open(&world, &options);
    expect("PUT", "/v1/state/kept?ttl=1s", "", "v", 204);
    expect("PUT", "/v1/state/kept?ttl=keep", "", "w", 204);
    expect("PUT", "/v1/state/stays?ttl=1s", "", "v", 204);
    expect("PUT", "/v1/state/stays", "", "w", 204);
    expect("PUT", "/v1/state/longer?ttl=1s", "", "v", 204);
    expect("POST", "/v1/state/longer:expire?ttl=2s", "", NULL, 204);
    expect("PUT", "/v1/state/persists?ttl=1s", "", "v", 204);
    expect("POST", "/v1/state/persists:persist", "", NULL, 204);
    __atomic_store_n(&clock_ms, 2500, __ATOMIC_RELAXED);
    expect("GET", "/v1/state/kept", "", NULL, 404);
    expect("GET", "/v1/state/stays", "", NULL, 200);
    expect("GET", "/v1/state/longer", "", NULL, 200);
    __atomic_store_n(&clock_ms, 3001, __ATOMIC_RELAXED);
    expect("GET", "/v1/state/longer", "", NULL, 404);
    expect("GET", "/v1/state/persists", "", NULL, 200);
}
END_TEST

START_TEST(namespaces_do_not_see_each_other)
{
    struct http_answer answer;

    expect("PUT", "/v1/state/a", "", "mine", 204);
    expect("PUT", "/v1/state/a", "Glass-Namespace: other\r\n", "yours", 204);
    expect_value("/v1/state/a", "mine");
    ask("GET", "/v1/state/a", "Glass-Namespace: other\r\n", NULL, 200,
        &answer);
    ck_assert(http_answer_is(&answer, "yours"));
    http_answer_deinit(&answer);
    expect("GET", "/v1/state/a", "Glass-Namespace: third\r\n", NULL, 404);
    expect("GET", "/v1/state/a", "Glass-Namespace: default\r\n", NULL, 200);
}
END_TEST

/* Asks for a page; returns the document, which the caller frees. */
static json_t *
list(const char *target)
{
    struct http_answer answer;

    ask("GET", target, "", NULL, 200, &answer);
    json_t *document = json_loadb(answer.body, answer.body_length, 0, NULL);
    ck_assert_ptr_nonnull(document);
    http_answer_deinit(&answer);
    return document;
}

START_TEST(a_list_goes_on_at_its_cursor_until_the_end)
{
    char target[512] = "/v1/state?prefix=k%2F&limit=3";
    char seen[64] = "";
    int pages = 0;

    expect("PUT", "/v1/state/other", "", "v", 204);
    for (char name = 'a'; name <= 'j'; name++) {
        char key[64];
        snprintf(key, sizeof(key), "/v1/state/k/%c", name);
        expect("PUT", key, "", "v", 204);
    }
    for (bool more = true; more; pages++) {
        json_t *document = list(target);
        json_t *item;
        size_t index;
        json_array_foreach(json_object_get(document, "items"), index, item)
        {
            const char *key = json_string_value(json_object_get(item, "key"));
            strcat(seen, key + 2);
            ck_assert_int_eq(
                json_integer_value(json_object_get(item, "size")), 1);
        }
        const char *cursor =
            json_string_value(json_object_get(document, "cursor"));
        more = cursor != NULL;
        snprintf(target, sizeof(target),
                 "/v1/state?prefix=k%%2F&limit=3&cursor=%s",
                 more ? cursor : "");
        json_decref(document);
        ck_assert_int_lt(pages, 20);
    }
    ck_assert_str_eq(seen, "abcdefghij");
    ck_assert_int_ge(pages, 4);
}
END_TEST

START_TEST(a_key_that_is_not_utf8_is_listed_in_base64)
{
    expect("PUT", "/v1/state/%fftext%00", "", "v", 204);
    json_t *document = list("/v1/state?prefix=%ff");
    json_t *item = json_array_get(json_object_get(document, "items"), 0);

    ck_assert_ptr_null(json_object_get(item, "key"));
    ck_assert_str_eq(json_string_value(json_object_get(item, "key_base64")),
                     "/3RleHQA");
    json_decref(document);
}
END_TEST

static const struct {
    const char *query;
    int status;
} lists[] = {
    {"", 200},           {"?limit=1", 200},      {"?limit=1000", 200},
    {"?limit=0", 400},   {"?limit=1001", 400},   {"?limit=", 400},
    {"?limit=x", 400},   {"?limit=-1", 400},     {"?limit=00000001", 400},
    {"?prefix=", 200},   {"?prefix=%", 400},     {"?cursor=%", 400},
    {"?cursor=*", 400},  {"?cursor=YQ", 200},    {"?prefix=a&prefix=b", 400},
    {"?prefx=a", 400},
};

START_TEST(the_parameters_of_a_list_are_checked)
{
    char target[64];

    snprintf(target, sizeof(target), "/v1/state%s", lists[_i].query);
    expect("GET", target, "", NULL, lists[_i].status);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/routes_state");
    TCase *tests = tcase_create("state");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, a_value_is_read_as_it_was_written);
    tcase_add_loop_test(tests, keys_are_bytes_percent_decoded, 0,
                        COUNT(keys));
    tcase_add_loop_test(tests, a_value_may_hold_any_byte_and_be_large, 0, 7);
    tcase_add_test(tests, writes_hold_to_their_conditions);
    tcase_add_test(tests, reads_hold_to_their_conditions);
    tcase_add_loop_test(tests, an_increment_adds_or_changes_nothing, 0,
                        COUNT(increments));
    tcase_add_test(tests, an_increment_answers_the_sum_and_needs_a_number);
    tcase_add_test(tests, an_append_makes_a_value_longer);
    tcase_add_loop_test(tests, a_ttl_is_a_duration, 0, COUNT(ttls));
    tcase_add_loop_test(tests, a_patch_writes_over_a_part, 0, COUNT(patches));
    tcase_add_test(tests, a_patch_answers_the_size_and_may_begin_a_key);
    tcase_add_loop_test(tests, an_expiry_is_changed_alone, 0, COUNT(expiries));
    tcase_add_test(tests, a_key_vanishes_after_its_ttl);
    tcase_add_test(tests, an_expiry_can_be_kept_changed_or_taken_away);
    tcase_add_test(tests, namespaces_do_not_see_each_other);
    tcase_add_test(tests, a_list_goes_on_at_its_cursor_until_the_end);
    tcase_add_test(tests, a_key_that_is_not_utf8_is_listed_in_base64);
    tcase_add_loop_test(tests, the_parameters_of_a_list_are_checked, 0,
                        COUNT(lists));
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
