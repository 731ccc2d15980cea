/*
 * check_routes_state_batch.c - tests of http/routes_state_batch.c: batches as
 * JSON.
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
batch(const char *body, int status, struct http_answer *answer)
{
    http_client_ask(world.port, "POST", "/v1/state:batch", "", body,
                    strlen(body), answer);
    ck_assert_msg(answer->status == status, "%s: %s", body, answer->text);
}

/* Sends a batch, and compares the whole answer. */
static void
expect(const char *body, const char *answered)
{
    struct http_answer answer;

    batch(body, 200, &answer);
    ck_assert_msg(http_answer_is(&answer, answered), "%s: %s", body,
                  answer.body);
    http_answer_deinit(&answer);
}

/*
 * Each operation, in a batch alone. The key `a` has `0123` and version 1, `n`
 * has 5 and version 2; the third write is the first one here.
 */
static const struct {
    const char *operation;
    const char *result;
} operations[] = {
    {"{'op':'get','key':'a'}",
     "{'status':'ok','version':1,'size':4,'value':'0123'}"},
    {"{'op':'get','key_base64':'YQ=='}",
     "{'status':'ok','version':1,'size':4,'value':'0123'}"},
    {"{'op':'get','key':'none'}",
     "{'status':'not-found','message':'there is no such key'}"},
    {"{'op':'stat','key':'a'}", "{'status':'ok','version':1,'size':4}"},
    {"{'op':'get-range','key':'a','offset':1,'length':2}",
     "{'status':'ok','version':1,'size':4,'value':'12'}"},
    {"{'op':'get-range','key':'a','offset':3}",
     "{'status':'ok','version':1,'size':4,'value':'3'}"},
    {"{'op':'get-range','key':'a'}",
     "{'status':'ok','version':1,'size':4,'value':'0123'}"},
    {"{'op':'put','key':'b','value':'x'}", "{'status':'ok','version':3}"},
    {"{'op':'put','key':'b','value_base64':'/w=='}",
     "{'status':'ok','version':3}"},
    {"{'op':'put','key':'b','value':'a\\u0000b','ttl_ms':1}",
     "{'status':'ok','version':3}"},
    {"{'op':'put','key':'b'}", "{'status':'ok','version':3}"},
    {"{'op':'put','key':'a','value':'x','if_absent':true}",
     "{'status':'conflict','message':'the condition does not hold',"
     "'version':1}"},
    {"{'op':'put','key':'b','value':'x','if_absent':true}",
     "{'status':'ok','version':3}"},
    {"{'op':'put','key':'b','value':'x','if_version':0}",
     "{'status':'ok','version':3}"},
    {"{'op':'put','key':'a','value':'x','if_version':1,'keep_expiry':true}",
     "{'status':'ok','version':3}"},
    {"{'op':'put','key':'b','value':'x','if_present':true}",
     "{'status':'conflict','message':'the condition does not hold',"
     "'version':0}"},
    {"{'op':'put-range','key':'a','offset':6,'value':'x'}",
     "{'status':'ok','version':3,'size':7}"},
    {"{'op':'append','key':'a','value':'45'}",
     "{'status':'ok','version':3,'size':6}"},
    {"{'op':'incr','key':'n'}", "{'status':'ok','version':3,'value':6}"},
    {"{'op':'incr','key':'n','delta':-9223372036854775808}",
     "{'status':'ok','version':3,'value':-9223372036854775803}"},
    {"{'op':'incr','key':'n','delta':9223372036854775807}",
     "{'status':'overflow','message':'the sum does not fit 64 bits'}"},
    {"{'op':'delete','key':'a','if_version':1}",
     "{'status':'ok','version':3}"},
    {"{'op':'expire','key':'a','ttl_ms':3153600000000}",
     "{'status':'ok','version':1}"},
    {"{'op':'persist','key':'a'}", "{'status':'ok','version':1}"},
};

/* Makes JSON of a text in which ' stands for ". */
static char *
quote(char *text)
{
    for (char *byte = text; *byte; byte++)
        if (*byte == '\'')
            *byte = '"';
    return text;
}

static void
put(const char *target, const char *value)
{
    ck_assert_int_eq(
        http_client_status(world.port, "PUT", target, "", value), 204);
}

START_TEST(each_operation_has_its_answer)
{
    char body[1024], answered[1024];

    put("/v1/state/a", "0123");
    put("/v1/state/n", "5");
    snprintf(body, sizeof(body), "{'operations':[%s]}",
             operations[_i].operation);
    snprintf(answered, sizeof(answered), "{'results':[%s]}\n",
             operations[_i].result);
    expect(quote(body), quote(answered));
}
END_TEST

/* What makes no sense by itself is the operation's answer, and no other's. */
static const char *const invalid[] = {
    "{'op':'get'}",
    "{'op':'get','key':''}",
    "{'op':'expire','key':'a'}",
    "{'op':'put','key':'a','ttl_ms':3153600000001}",
};

START_TEST(one_that_is_invalid_leaves_the_others)
{
    struct http_answer answer;
    char body[1024];

    snprintf(body, sizeof(body),
             "{'operations':[%s,{'op':'incr','key':'n'}]}", invalid[_i]);
    batch(quote(body), 200, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"status\":\"invalid\""));
    ck_assert_ptr_nonnull(strstr(answer.body, "\"value\":1"));
    http_answer_deinit(&answer);
}
END_TEST

/* Bodies that are no batch. */
static const char *const bad[] = {
    "",
    "[]",
    "{}",
    "{'operations':{}}",
    "{'operations':[],'all':true}",
    "{'operations':[],'all_or_nothing':1}",
    "{'operations':[]}x",
    "{'operations':[1]}",
    "{'operations':[{}]}",
    "{'operations':[{'op':'list','key':'a'}]}",
    "{'operations':[{'op':'lock','key':'a'}]}",
    "{'operations':[{'op':'watch','key':'a'}]}",
    "{'operations':[{'op':'batch','key':'a'}]}",
    "{'operations':[{'op':1,'key':'a'}]}",
    "{'operations':[{'op':'get','key':1}]}",
    "{'operations':[{'op':'get','key':'a','key':'a'}]}",
    "{'operations':[{'op':'get','key':'a','key_base64':'YQ=='}]}",
    "{'operations':[{'op':'get','key_base64':'YQ='}]}",
    "{'operations':[{'op':'get','key_base64':'YQ'}]}",
    "{'operations':[{'op':'get','key_base64':'Y-8='}]}",
    "{'operations':[{'op':'get','key':'\\ud800'}]}",
    "{'operations':[{'op':'get','key':'a','value':'b'}]}",
    "{'operations':[{'op':'get','key':'a','if_absent':true}]}",
    "{'operations':[{'op':'put','key':'a','value':null}]}",
    "{'operations':[{'op':'put','key':'a','unknown':1}]}",
    "{'operations':[{'op':'put','key':'a','ttl_ms':0}]}",
    "{'operations':[{'op':'put','key':'a','ttl_ms':-1}]}",
    "{'operations':[{'op':'put','key':'a','ttl_ms':1.5}]}",
    "{'operations':[{'op':'put','key':'a','ttl_ms':'1s'}]}",
    "{'operations':[{'op':'put','key':'a','if_absent':false}]}",
    "{'operations':[{'op':'put','key':'a','if_version':-1}]}",
    "{'operations':[{'op':'put','key':'a','if_version':1,"
    "'if_absent':true}]}",
    "{'operations':[{'op':'put','key':'a','delta':1}]}",
    "{'operations':[{'op':'put','key':'a','lock_token':0}]}",
    "{'operations':[{'op':'incr','key':'a','delta':1.5}]}",
    "{'operations':[{'op':'incr','key':'a','delta':9223372036854775808}]}",
    "{'operations':[{'op':'get-range','key':'a','offset':-1}]}",
    "{'operations':[{'op':'delete','key':'a','ttl_ms':1}]}",
};

START_TEST(what_is_no_batch_does_nothing)
{
    struct http_answer answer;
    char body[512];

    put("/v1/state/a", "0123");
    snprintf(body, sizeof(body), "%s", bad[_i]);
    batch(quote(body), 400, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:bad-request"));
    http_answer_deinit(&answer);
    expect("{\"operations\":[{\"op\":\"stat\",\"key\":\"a\"}]}",
           "{\"results\":[{\"status\":\"ok\",\"version\":1,\"size\":4}]}\n");
}
END_TEST

START_TEST(all_or_nothing_is_either)
{
    struct http_answer answer;

    put("/v1/state/a", "1");
    /* Each sees what those before it did. */
    expect("{\"all_or_nothing\":true,\"operations\":["
           "{\"op\":\"incr\",\"key\":\"a\"},{\"op\":\"get\",\"key\":\"a\"},"
           "{\"op\":\"delete\",\"key\":\"b\"}]}",
           "{\"results\":[{\"status\":\"ok\",\"version\":2,\"value\":2},"
           "{\"status\":\"ok\",\"version\":2,\"size\":1,\"value\":\"2\"},"
           "{\"status\":\"not-found\",\"message\":\"there is no such key\"}"
           "]}\n");
    batch("{\"all_or_nothing\":true,\"operations\":["
          "{\"op\":\"incr\",\"key\":\"a\"},"
          "{\"op\":\"put\",\"key\":\"a\",\"if_version\":1},"
          "{\"op\":\"incr\",\"key\":\"a\"}]}",
          412, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:condition"));
    ck_assert_ptr_nonnull(strstr(answer.body, "\"operation\":1"));
    http_answer_deinit(&answer);
    expect("{\"operations\":[{\"op\":\"get\",\"key\":\"a\"}]}",
           "{\"results\":[{\"status\":\"ok\",\"version\":2,\"size\":1,"
           "\"value\":\"2\"}]}\n");
    batch("{\"all_or_nothing\":true,\"operations\":["
          "{\"op\":\"put\",\"key\":\"n\",\"value\":\"x\"},"
          "{\"op\":\"incr\",\"key\":\"n\"}]}",
          409, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:not-a-number"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(a_token_fences_within_a_batch)
{
    struct http_answer answer;

    batch("{\"operations\":[{\"op\":\"put\",\"key\":\"a\",\"value\":\"x\","
          "\"lock_token\":1}]}",
          200, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"status\":\"conflict\""));
    http_answer_deinit(&answer);
    batch("{\"all_or_nothing\":true,\"operations\":[{\"op\":\"delete\","
          "\"key\":\"a\",\"lock_token\":1}]}",
          412, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:lock-lost"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(bytes_that_are_not_utf8_go_both_ways)
{
    expect("{\"operations\":[{\"op\":\"put\",\"key_base64\":\"/w==\","
           "\"value_base64\":\"AP8=\"},{\"op\":\"get\","
           "\"key_base64\":\"/w==\"}]}",
           "{\"results\":[{\"status\":\"ok\",\"version\":1},"
           "{\"status\":\"ok\",\"version\":1,\"size\":2,"
           "\"value_base64\":\"AP8=\"}]}\n");
}
END_TEST

/* A batch of so many increments of one key. */
static char *
repeat(size_t count)
{
    static const char one[] = "{\"op\":\"incr\",\"key\":\"n\"},";
    char *body = malloc(count * strlen(one) + 64);
    char *end = body;

    ck_assert_ptr_nonnull(body);
    end = stpcpy(end, "{\"operations\":[");
    for (size_t i = 0; i < count; i++)
        end = stpcpy(end, one);
    stpcpy(count > 0 ? end - 1 : end, "]}");
    return body;
}

START_TEST(so_many_operations_and_not_one_more)
{
    struct http_answer answer;
    char *body = repeat(STATE_BATCH_OPERATIONS_MAX);

    batch(body, 200, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"value\":1000}]}"));
    http_answer_deinit(&answer);
    free(body);
    body = repeat(STATE_BATCH_OPERATIONS_MAX + 1);
    batch(body, 413, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:too-large"));
    http_answer_deinit(&answer);
    free(body);
    body = repeat(0);
    expect(body, "{\"results\":[]}\n");
    free(body);
}
END_TEST

/* The limit of the body, and one byte more: spaces count. */
START_TEST(so_long_a_body_and_not_longer)
{
    for (size_t extra = 0; extra < 2; extra++) {
        struct http_answer answer;
        size_t length = HTTP_BATCH_BYTES_MAX + extra;
        char *body = malloc(length);
        ck_assert_ptr_nonnull(body);
        memset(body, ' ', length);
        memcpy(body, "{\"operations\":[]}", 17);
        http_client_ask(world.port, "POST", "/v1/state:batch", "", body,
                        length, &answer);
        ck_assert_int_eq(answer.status, extra == 0 ? 200 : 413);
        http_answer_deinit(&answer);
        free(body);
    }
}
END_TEST

START_TEST(values_that_are_too_much_are_left_out_and_said)
{
    static const char gets[] =
        "{\"operations\":[{\"op\":\"get\",\"key\":\"a\"},"
        "{\"op\":\"get\",\"key\":\"b\"},{\"op\":\"get\",\"key\":\"c\"}]}";
    const size_t half = HTTP_BATCH_ANSWER_BYTES_MAX / 2;
    char *value = malloc(half);
    struct http_answer answer;

    ck_assert_ptr_nonnull(value);
    memset(value, 'x', half);
    for (int i = 0; i < 2; i++) {
        http_client_ask(world.port, "PUT",
                        i == 0 ? "/v1/state/a" : "/v1/state/b", "", value,
                        half, &answer);
        ck_assert_int_eq(answer.status, 204);
        http_answer_deinit(&answer);
    }
    free(value);
    put("/v1/state/c", "");
    batch(gets, 200, &answer);
    ck_assert_uint_gt(answer.body_length, 2 * half);
    ck_assert_ptr_null(strstr(answer.body, "too-big"));
    http_answer_deinit(&answer);
    put("/v1/state/c", "1");
    batch(gets, 200, &answer);
    ck_assert_ptr_nonnull(strstr(answer.body,
                                 "{\"status\":\"too-big\",\"version\":4,"
                                 "\"size\":1,\"message\":"));
    http_answer_deinit(&answer);
}
END_TEST

START_TEST(other_methods_and_parameters_are_refused)
{
    ck_assert_int_eq(http_client_status(world.port, "GET", "/v1/state:batch",
                                        "", NULL),
                     405);
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/v1/state:batch?x=1", "", "{}"),
                     400);
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
    Suite *suite = suite_create("http/routes_state_batch");
    TCase *tests = tcase_create("batch");

    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_loop_test(tests, each_operation_has_its_answer, 0,
                        COUNT(operations));
    tcase_add_loop_test(tests, one_that_is_invalid_leaves_the_others, 0,
                        COUNT(invalid));
    tcase_add_loop_test(tests, what_is_no_batch_does_nothing, 0, COUNT(bad));
    tcase_add_test(tests, all_or_nothing_is_either);
    tcase_add_test(tests, a_token_fences_within_a_batch);
    tcase_add_test(tests, bytes_that_are_not_utf8_go_both_ways);
    tcase_add_test(tests, so_many_operations_and_not_one_more);
    tcase_add_test(tests, so_long_a_body_and_not_longer);
    tcase_add_test(tests, values_that_are_too_much_are_left_out_and_said);
    tcase_add_test(tests, other_methods_and_parameters_are_refused);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
