/*
 * check_routes_state_read.c - tests of http/routes_state_read.c: values and
 * parts of them. The value is 0123456789.
 */
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char etag[256];

static void
open_with_value(void)
{
    struct http_answer answer;

    http_world_open(&world, NULL);
    http_client_ask(world.port, "PUT", "/v1/state/k", "", "0123456789", 10,
                    &answer);
    http_answer_header(&answer, "ETag", etag);
    ck_assert_uint_gt(strlen(etag), 2);
    http_answer_deinit(&answer);
}

/* `%s` in the headers is the ETag; a null body is a problem. */
static const struct {
    const char *method;
    const char *headers;
    int status;
    const char *body;
    const char *content_range;
} reads[] = {
    {"GET", "", 200, "0123456789", ""},
    {"GET", "Range: bytes=2-5\r\n", 206, "2345", "bytes 2-5/10"},
    {"GET", "Range: bytes=9-\r\n", 206, "9", "bytes 9-9/10"},
    {"GET", "Range: bytes=0-99\r\n", 206, "0123456789", "bytes 0-9/10"},
    {"GET", "Range: bytes=-3\r\n", 206, "789", "bytes 7-9/10"},
    {"GET", "Range: bytes=-30\r\n", 206, "0123456789", "bytes 0-9/10"},
    {"GET", "Range: bytes=10-\r\n", 416, NULL, "bytes */10"},
    {"GET", "Range: bytes=-0\r\n", 416, NULL, "bytes */10"},
    /* What is no single part of bytes is the whole. */
    {"GET", "Range: bytes=1-2,4-5\r\n", 200, "0123456789", ""},
    {"GET", "Range: bytes=5-2\r\n", 200, "0123456789", ""},
    {"GET", "Range: lines=1-2\r\n", 200, "0123456789", ""},
    {"GET", "Range: bytes=1-2\r\nRange: bytes=1-2\r\n", 400, NULL, ""},
    /* The part of what the client knows, or the whole. */
    {"GET", "Range: bytes=2-5\r\nIf-Range: %s\r\n", 206, "2345",
     "bytes 2-5/10"},
    {"GET", "Range: bytes=10-\r\nIf-Range: %s\r\n", 416, NULL, "bytes */10"},
    {"GET", "Range: bytes=2-5\r\nIf-Range: \"0\"\r\n", 200, "0123456789", ""},
    {"GET", "Range: bytes=99-\r\nIf-Range: \"0\"\r\n", 200, "0123456789", ""},
    {"GET", "Range: bytes=2-5\r\nIf-Range: W/%s\r\n", 200, "0123456789", ""},
    {"GET", "Range: bytes=2-5\r\nIf-Range: *\r\n", 200, "0123456789", ""},
    {"GET",
     "Range: bytes=2-5\r\nIf-Range: Sun, 22 Nov 2026 20:00:00 GMT\r\n", 200,
     "0123456789", ""},
    {"GET", "If-Range: %s\r\n", 200, "0123456789", ""},
    /* Conditions come before parts. */
    {"GET", "Range: bytes=2-5\r\nIf-Match: %s\r\n", 206, "2345",
     "bytes 2-5/10"},
    {"GET", "Range: bytes=2-5\r\nIf-Match: \"0\"\r\n", 412, NULL, ""},
    {"GET", "Range: bytes=99-\r\nIf-Match: \"0\"\r\n", 412, NULL, ""},
    {"GET", "Range: bytes=2-5\r\nIf-None-Match: %s\r\n", 304, "", ""},
    {"GET", "Range: bytes=99-\r\nIf-None-Match: %s\r\n", 304, "", ""},
    {"HEAD", "Range: bytes=2-5\r\n", 200, "", ""},
    {"HEAD", "Range: bytes=99-\r\n", 200, "", ""},
};

START_TEST(a_part_is_read_where_it_is_asked_for)
{
    struct http_answer answer;
    char headers[512], value[256];

    /* There is at most one ETag in each. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    snprintf(headers, sizeof(headers), reads[_i].headers, etag);
#pragma GCC diagnostic pop
    http_client_ask(world.port, reads[_i].method, "/v1/state/k", headers,
                    NULL, 0, &answer);
    ck_assert_msg(answer.status == reads[_i].status, "%s: %s", headers,
                  answer.text);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Range", value),
                     reads[_i].content_range);
    if (reads[_i].body) {
        ck_assert_msg(http_answer_is(&answer, reads[_i].body), "%s: %s",
                      headers, answer.text);
        ck_assert_str_eq(http_answer_header(&answer, "ETag", value), etag);
    } else {
        ck_assert_str_eq(http_answer_header(&answer, "Content-Type", value),
                         "application/problem+json");
    }
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(head_tells_that_there_are_parts)
{
    struct http_answer answer;
    char value[256];

    http_client_ask(world.port, "HEAD", "/v1/state/k", "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "Accept-Ranges", value),
                     "bytes");
    ck_assert_str_eq(http_answer_header(&answer, "Content-Length", value),
                     "10");
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(an_absent_key_has_no_parts)
{
    ck_assert_int_eq(http_client_status(world.port, "GET", "/v1/state/none",
                                        "Range: bytes=0-1\r\n", NULL),
                     404);
    ck_assert_int_eq(http_client_status(world.port, "PUT", "/v1/state/empty",
                                        "", ""),
                     204);
    ck_assert_int_eq(http_client_status(world.port, "GET", "/v1/state/empty",
                                        "Range: bytes=0-\r\n", NULL),
                     416);
}
END_TEST

/* Values that lie beside their key, and in a block of their own. */
START_TEST(parts_of_a_large_value_are_its_bytes)
{
    static const char *const ranges[] = {
        "Range: bytes=127-130\r\n",
        "Range: bytes=999996-\r\n",
        "Range: bytes=-4\r\n",
        "Range: bytes=65534-65537\r\nIf-Range: %s\r\n",
    };
    static const size_t offsets[] = {127, 999996, 999996, 65534};
    const size_t size = 1000000;
    char *value = malloc(size);
    struct http_answer answer;
    char headers[512];

    ck_assert_ptr_nonnull(value);
    for (size_t i = 0; i < size; i++)
        value[i] = (char)(i * 31 + i / 256);
    http_client_ask(world.port, "PUT", "/v1/state/large", "", value, size,
                    &answer);
    http_answer_header(&answer, "ETag", etag);
    http_answer_deinit(&answer);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
#pragma GCC diagnostic ignored "-Wformat-extra-args"
    snprintf(headers, sizeof(headers), ranges[_i], etag);
#pragma GCC diagnostic pop
    http_client_ask(world.port, "GET", "/v1/state/large", headers, NULL, 0,
                    &answer);
    ck_assert_int_eq(answer.status, 206);
    ck_assert_uint_eq(answer.body_length, 4);
    ck_assert_mem_eq(answer.body, value + offsets[_i], 4);
    http_answer_deinit(&answer);
    free(value);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
    Suite *suite = suite_create("http/routes_state_read");
    TCase *tests = tcase_create("read");

    tcase_add_checked_fixture(tests, open_with_value, close_world);
    tcase_add_loop_test(tests, a_part_is_read_where_it_is_asked_for, 0,
                        COUNT(reads));
    tcase_add_test(tests, head_tells_that_there_are_parts);
    tcase_add_test(tests, an_absent_key_has_no_parts);
    tcase_add_loop_test(tests, parts_of_a_large_value_are_its_bytes, 0, 4);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
