/*
 * Tests of state/redis_link.c, driven by a loop of the test's own. Time is
 * what the test says it is, except that a lost connection asks the clock.
 */
#include "state/redis_link.h"
#include "tests/state/fake_redis.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#define TIMEOUT_MS 5000

static struct state__redis_link link_;
static int epoll_fd;

static void
open_link(const char *text)
{
    struct state__redis_url url;

    ck_assert_int_eq(state__redis_url_parse(text, &url, NULL), STATE_OK);
    epoll_fd = epoll_create1(0);
    state__redis_link_init(&link_, &url, TIMEOUT_MS, epoll_fd);
}

static void
close_link(void)
{
    state__redis_link_deinit(&link_);
    close(epoll_fd);
}

/* Turns the loop until as many attempts have ended. */
static void
turn(unsigned attempt_count)
{
    while (link_.attempt_count < attempt_count) {
        uint64_t now_ms = state__redis_now_ms();
        struct epoll_event event;

        state__redis_link_tick(&link_, now_ms);
        if (epoll_wait(epoll_fd, &event, 1, 5) == 1)
            state__redis_link_handle(event.data.ptr, event.events, now_ms);
    }
}

START_TEST(a_connection_becomes_ready_with_functions)
{
    struct fake_redis fake = {0};

    fake_redis_start(&fake);
    open_link(fake.url);
    ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
    turn(1);
    ck_assert_int_eq(link_.step, STATE__STEP_READY);
    ck_assert_ptr_null(state__redis_link_script(&link_));
    close_link();
    fake_redis_end(&fake);
}
END_TEST

START_TEST(where_there_are_no_functions_a_script_is_loaded)
{
    struct fake_redis fake = {.function = "-ERR unknown command\r\n"};

    fake_redis_start(&fake);
    open_link(fake.url);
    turn(1);
    ck_assert_int_eq(link_.step, STATE__STEP_READY);
    ck_assert_str_eq(state__redis_link_script(&link_),
                     "0123456789012345678901234567890123456789");
    close_link();
    fake_redis_end(&fake);
}
END_TEST

static const char *const foreign_layouts[] = {
    "$1\r\n2\r\n", "$2\r\n11\r\n", "$0\r\n\r\n",
    "$-1\r\n",     ":1\r\n",       "-ERR no\r\n",
};

START_TEST(a_foreign_layout_ends_the_attempt_and_the_pauses_grow)
{
    struct fake_redis fake = {0};
    unsigned pause_ms = STATE_RECONNECT_MS_MIN;

    fake_redis_start(&fake);
    open_link(fake.url);
    for (unsigned i = 0; i < 6; i++) {
        fake.layout = foreign_layouts[i];
        ck_assert_uint_eq(link_.pause_ms, pause_ms);
        link_.deadline_ms = 0; /* this test has no time to pause */
        turn(i + 1);
        ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
        ck_assert_ptr_null(link_.context);
        ck_assert_ptr_nonnull(strstr(link_.message, fake.socket));
        pause_ms *= 2;
        if (pause_ms > STATE_RECONNECT_MS_MAX)
            pause_ms = STATE_RECONNECT_MS_MAX;
    }
    ck_assert_uint_eq(pause_ms, STATE_RECONNECT_MS_MAX);
    /* Once it is well, the next pause is short again. */
    fake.layout = NULL;
    link_.deadline_ms = 0;
    turn(7);
    ck_assert_int_eq(link_.step, STATE__STEP_READY);
    ck_assert_uint_eq(link_.pause_ms, STATE_RECONNECT_MS_MIN);
    close_link();
    fake_redis_end(&fake);
}
END_TEST

START_TEST(an_attempt_without_an_answer_ends_at_its_deadline)
{
    struct fake_redis fake = {.layout = FAKE_REDIS_SILENCE};
    uint64_t now_ms = state__redis_now_ms();

    fake_redis_start(&fake);
    open_link(fake.url);
    ck_assert_uint_eq(state__redis_link_tick(&link_, now_ms),
                      now_ms + TIMEOUT_MS);
    ck_assert_int_eq(link_.step, STATE__STEP_CONNECT);
    state__redis_link_tick(&link_, now_ms + TIMEOUT_MS - 1);
    ck_assert_ptr_nonnull(link_.context);
    state__redis_link_tick(&link_, now_ms + TIMEOUT_MS);
    ck_assert_ptr_null(link_.context);
    ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
    ck_assert_uint_eq(link_.attempt_count, 1);
    ck_assert_ptr_nonnull(strstr(link_.message, "no answer in time"));
    close_link();
    fake_redis_end(&fake);
}
END_TEST

START_TEST(nobody_there_ends_the_attempt_at_once)
{
    open_link("unix:/nonexistent/socket");
    state__redis_link_tick(&link_, 100);
    ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
    ck_assert_uint_eq(link_.attempt_count, 1);
    ck_assert_uint_eq(link_.deadline_ms, 100 + STATE_RECONNECT_MS_MIN);
    ck_assert_ptr_nonnull(strstr(link_.message, "No such file"));
    /* Not before its time. */
    state__redis_link_tick(&link_, 100 + STATE_RECONNECT_MS_MIN - 1);
    ck_assert_uint_eq(link_.attempt_count, 1);
    state__redis_link_tick(&link_, 100 + STATE_RECONNECT_MS_MIN);
    ck_assert_uint_eq(link_.attempt_count, 2);
    close_link();
}
END_TEST

START_TEST(a_port_that_nobody_listens_on_is_refused)
{
    open_link("redis://127.0.0.1:1");
    turn(1);
    ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
    ck_assert_ptr_nonnull(strstr(link_.message, "127.0.0.1:1"));
    ck_assert_ptr_nonnull(strstr(link_.message, "refused"));
    close_link();
}
END_TEST

START_TEST(an_idle_connection_is_asked_and_dropped_if_it_is_silent)
{
    struct fake_redis fake = {0};
    uint64_t asked_ms;

    fake_redis_start(&fake);
    open_link(fake.url);
    turn(1);
    asked_ms = link_.read_ms + 1000;
    ck_assert_uint_eq(state__redis_link_tick(&link_, asked_ms - 1), asked_ms);
    ck_assert_uint_eq(link_.ping_ms, 0);
    ck_assert_uint_eq(state__redis_link_tick(&link_, asked_ms),
                      asked_ms + TIMEOUT_MS);
    ck_assert_uint_eq(link_.ping_ms, asked_ms);
    /* Bytes, though not the answer, give it more time. */
    link_.read_ms = asked_ms + TIMEOUT_MS - 1;
    state__redis_link_tick(&link_, asked_ms + TIMEOUT_MS);
    ck_assert_ptr_nonnull(link_.context);
    state__redis_link_tick(&link_, asked_ms + 2 * TIMEOUT_MS - 1);
    ck_assert_ptr_null(link_.context);
    ck_assert_ptr_nonnull(strstr(link_.message, "stopped answering"));
    close_link();
    fake_redis_end(&fake);
}
END_TEST

static int lost_count, answer_count;

static void
on_reply(redisAsyncContext *context, void *reply, void *data)
{
    (void)context;
    ck_assert_ptr_eq(data, &link_);
    if (reply != NULL)
        answer_count++;
    else
        lost_count++;
}

START_TEST(every_command_is_answered_or_lost_once)
{
    static const char *const answers[] = {"+one\r\n", FAKE_REDIS_CLOSE, NULL};
    struct fake_redis fake = {.answers = answers};
    struct state_operation get = {
        .kind = STATE_GET, .namespace_ = "a", .key = {"key", 3}};
    struct state__redis_command command;

    fake_redis_start(&fake);
    open_link(fake.url);
    turn(1);
    state__redis_command_write(&command, &get, NULL, 0);
    for (int i = 0; i < 3; i++)
        ck_assert(
            state__redis_link_send(&link_, &command, on_reply, &link_));
    while (link_.context != NULL) {
        struct epoll_event event;

        if (epoll_wait(epoll_fd, &event, 1, 5) == 1)
            state__redis_link_handle(event.data.ptr, event.events,
                                     state__redis_now_ms());
    }
    ck_assert_int_eq(answer_count, 1);
    ck_assert_int_eq(lost_count, 2);
    ck_assert_int_eq(link_.step, STATE__STEP_AWAY);
    close_link();
    fake_redis_end(&fake);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        a_connection_becomes_ready_with_functions,
        where_there_are_no_functions_a_script_is_loaded,
        a_foreign_layout_ends_the_attempt_and_the_pauses_grow,
        an_attempt_without_an_answer_ends_at_its_deadline,
        nobody_there_ends_the_attempt_at_once,
        a_port_that_nobody_listens_on_is_refused,
        an_idle_connection_is_asked_and_dropped_if_it_is_silent,
        every_command_is_answered_or_lost_once,
        NULL,
    };

    return run_suite("redis link", tests);
}
