/* check_environment.c - tests of runtime/environment.c. */
#include "runtime/environment.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

/* All texts, with a semicolon behind each, in memory that is overwritten. */
static const char *
joined(const struct runtime__texts *texts)
{
    static char text[4096];
    size_t length = texts->buffer.length_bytes;

    ck_assert_uint_lt(length, sizeof(text));
    memcpy(text, texts->buffer.bytes, length);
    text[length] = '\0';
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '\0')
            text[i] = ';';
    }
    return text;
}

START_TEST(a_request_becomes_the_variables_of_cgi)
{
    static const struct runtime_header headers[] = {
        {"Host", "example"},          {"content-type", "text/plain"},
        {"X-Two-Words", "a"},         {"Proxy", "http://evil"},
        {"PROXY", "http://evil"},     {"Under_Score", "x"},
        {"x-two-words", "b"},         {"Content-Length", "99"},
        {"Sign=", "x"},               {"Accept", ""},
    };
    static const struct runtime_request request = {
        .method = "POST",
        .path = "/a b",
        .query = "x=1&y",
        .headers = headers,
        .header_count = sizeof(headers) / sizeof(headers[0]),
    };
    struct runtime__texts texts = {0};

    ck_assert_int_eq(
        runtime__environment_append_request(&texts, &request, NULL),
        RUNTIME_OK);
    ck_assert_str_eq(joined(&texts),
                     "GATEWAY_INTERFACE=CGI/1.1;REQUEST_METHOD=POST;"
                     "PATH_INFO=/a b;QUERY_STRING=x=1&y;"
                     "CONTENT_TYPE=text/plain;HTTP_HOST=example;"
                     "HTTP_X_TWO_WORDS=a, b;HTTP_ACCEPT=;");
    ck_assert_uint_eq(texts.count, 8);
    runtime__texts_deinit(&texts);
}
END_TEST

START_TEST(what_a_request_does_not_say_has_no_variable)
{
    static const struct runtime_request request = {.method = "GET"};
    struct runtime__texts texts = {0};

    ck_assert_int_eq(
        runtime__environment_append_request(&texts, &request, NULL),
        RUNTIME_OK);
    ck_assert_str_eq(joined(&texts),
                     "GATEWAY_INTERFACE=CGI/1.1;REQUEST_METHOD=GET;");
    runtime__texts_deinit(&texts);
}
END_TEST

START_TEST(an_environment_holds_as_much_as_its_limit)
{
    /* "N=" and the final zero take 3 bytes. */
    size_t value_bytes = RUNTIME_ENVIRONMENT_BYTES_MAX - 3;
    char *value = malloc(value_bytes + 2);
    struct runtime_variable variable = {"N", value};
    struct runtime__texts texts = {0};
    struct runtime__texts more = {0};
    static const struct runtime_variable small = {"A", ""};
    static const struct runtime_header header = {"A", ""};
    static const struct runtime_request request = {.headers = &header,
                                                   .header_count = 1};

    memset(value, 'x', value_bytes + 1);
    value[value_bytes] = '\0';
    ck_assert_int_eq(runtime__environment_append(&texts, &variable, 1, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(texts.buffer.length_bytes,
                      RUNTIME_ENVIRONMENT_BYTES_MAX);
    ck_assert_int_eq(runtime__environment_append(&more, &small, 1, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime__environment_append_texts(&more, &texts, NULL),
                     RUNTIME_LIMIT);
    ck_assert_int_eq(
        runtime__environment_append_request(&texts, &request, NULL),
        RUNTIME_LIMIT);
    runtime__texts_deinit(&texts);
    value[value_bytes] = 'x';
    value[value_bytes + 1] = '\0';
    ck_assert_int_eq(runtime__environment_append(&texts, &variable, 1, NULL),
                     RUNTIME_LIMIT);
    runtime__texts_deinit(&texts);
    runtime__texts_deinit(&more);
    free(value);
}
END_TEST

START_TEST(texts_of_two_follow_each_other)
{
    static const struct runtime_variable a = {"A", "1"};
    static const struct runtime_variable b = {"B", "2"};
    struct runtime__texts texts = {0};
    struct runtime__texts others = {0};

    runtime__environment_append(&texts, &a, 1, NULL);
    runtime__environment_append(&others, &b, 1, NULL);
    ck_assert_int_eq(
        runtime__environment_append_texts(&texts, &others, NULL), RUNTIME_OK);
    ck_assert_str_eq(joined(&texts), "A=1;B=2;");
    ck_assert_uint_eq(texts.count, 2);
    runtime__texts_deinit(&texts);
    runtime__texts_deinit(&others);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, a_request_becomes_the_variables_of_cgi);
    tcase_add_test(tests, what_a_request_does_not_say_has_no_variable);
    tcase_add_test(tests, an_environment_holds_as_much_as_its_limit);
    tcase_add_test(tests, texts_of_two_follow_each_other);
}

WORLD_MAIN("environment", add_tests)
