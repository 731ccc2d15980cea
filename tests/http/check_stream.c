/*
 * check_stream.c - tests of http/stream.c, without a connection: what a client
 * reads is tested with those who stream.
 */
#include "http/request.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static struct http__request request;

static void
clear(void)
{
    memset(&request, 0, sizeof(request));
}

static void
deinit(void)
{
    http__stream_deinit(&request.stream);
}

static void
expect(const char *text)
{
    ck_assert_uint_eq(request.stream.length, strlen(text));
    ck_assert_mem_eq(request.stream.bytes, text, strlen(text));
    ck_assert(!request.stream.is_broken);
}

START_TEST(an_event_is_lines_with_an_empty_one_behind)
{
    http__stream_event(&request, "done", 7, json_pack("{s:i}", "a", 1));
    expect("id: 7\nevent: done\ndata: {\"a\":1}\n\n");
    http__stream_event(&request, "x", 0, json_object());
    expect("id: 7\nevent: done\ndata: {\"a\":1}\n\n"
           "event: x\ndata: {}\n\n");
}
END_TEST

START_TEST(no_text_can_end_a_line)
{
    http__stream_event(&request, "x", 0,
                       json_pack("{s:s}", "\r\n", "\n\nevent: y\r"));
    expect("event: x\ndata: {\"\\r\\n\":\"\\n\\nevent: y\\r\"}\n\n");
}
END_TEST

START_TEST(a_place_is_an_id_alone)
{
    http__stream_place(&request, UINT64_MAX);
    expect("id: 18446744073709551615\n\n");
    ck_assert(!request.stream.has_ended);
}
END_TEST

START_TEST(a_problem_is_the_last_event)
{
    http__stream_fail(&request, json_pack("{s:i}", "status", 410));
    expect("event: problem\ndata: {\"status\":410}\n\n");
    ck_assert(request.stream.has_ended);
}
END_TEST

START_TEST(data_that_could_not_be_made_break_it_off)
{
    http__stream_event(&request, "x", 1, NULL);
    ck_assert(request.stream.is_broken);
}
END_TEST

static void
do_nothing(struct http__request *unused)
{
    (void)unused;
}

START_TEST(it_has_begun_when_it_is_the_answer)
{
    ck_assert(!http__stream_has_begun(&request));
    http__stream_begin(&request, do_nothing);
    ck_assert(http__stream_has_begun(&request));
    ck_assert_uint_eq(request.status, 200);
    MHD_destroy_response(request.response);
}
END_TEST

/* The first answer stands. */
START_TEST(no_stream_begins_behind_an_answer)
{
    char other;

    request.response = (void *)&other;
    http__stream_begin(&request, do_nothing);
    ck_assert(!http__stream_has_begun(&request));
    ck_assert_ptr_eq(request.response, &other);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/stream");
    TCase *tests = tcase_create("stream");

    tcase_add_checked_fixture(tests, clear, deinit);
    tcase_add_test(tests, an_event_is_lines_with_an_empty_one_behind);
    tcase_add_test(tests, no_text_can_end_a_line);
    tcase_add_test(tests, a_place_is_an_id_alone);
    tcase_add_test(tests, a_problem_is_the_last_event);
    tcase_add_test(tests, data_that_could_not_be_made_break_it_off);
    tcase_add_test(tests, it_has_begun_when_it_is_the_answer);
    tcase_add_test(tests, no_stream_begins_behind_an_answer);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
