/*
 * check_routes_state_watch.c - tests of http/routes_state_watch.c: changes of
 * keys as a stream.
 */
#include "http/server.h"
#include "tests/http/one_world.h"
#include "tests/http/stream_reader.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <assert.h>
#include <check.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>

static void
open_world_with(unsigned watcher_count_max, unsigned heartbeat_ms)
{
    const struct http_world_options options = {
        .http = {.watcher_count_max = watcher_count_max,
                 .heartbeat_ms = heartbeat_ms},
    };

    http_world_open(&world, &options);
}

/* No heartbeat comes while a test runs. */
static void
open_quiet(void)
{
    open_world_with(0, HTTP_HEARTBEAT_MS_MAX);
}

static void
doze(void)
{
    nanosleep(&(struct timespec){.tv_nsec = 2000000}, NULL);
}

/* Waits for an event, whose version and data are given. */
static void
await_event(const char *type, uint64_t version, const char *key, size_t size)
{
    char text[512];

    snprintf(text, sizeof(text),
             "id: %llu\nevent: %s\ndata: {\"%s\",\"version\":%llu,"
             "\"size\":%zu}\n\n",
             (unsigned long long)version, type, key,
             (unsigned long long)version, size);
    reader_await(text);
}

/* Begins to watch; returns the version from which on. */
static uint64_t
begin_now(const char *target)
{
    unsigned long long version;

    reader_begin(world.port, target, "1.1", "");
    reader_await("\r\n\r\n");
    ck_assert_ptr_nonnull(strstr(reader.text, "HTTP/1.1 200 OK\r\n"));
    ck_assert_ptr_nonnull(
        strstr(reader.text, "Content-Type: text/event-stream\r\n"));
    ck_assert_ptr_nonnull(
        strstr(reader.text, "Cache-Control: no-store\r\n"));
    reader_await("id: ");
    reader_await("\n\n");
    ck_assert_int_eq(sscanf(strstr(reader.text, "\nid: "), "\nid: %llu",
                            &version),
                     1);
    return version;
}

/* ---- Changing keys ----------------------------------------------------- */

static void
change(enum state_kind kind, const char *key, size_t length, const char *value)
{
    struct state_operation operation = {
        .kind = kind,
        .namespace_ = "default",
        .key = {key, length},
        .value = {value, strlen(value)},
    };

    ck_assert_int_eq(state_store_submit(world.store, &operation), STATE_OK);
    state_operation_deinit(&operation);
}

static void
put(const char *key, const char *value)
{
    change(STATE_PUT, key, strlen(key), value);
}

/* Until so many requests wait. */
static void
await_parked(unsigned count)
{
    for (;; doze()) {
        unsigned sum = 0;
        for (unsigned i = 0; i < world.server->loop_count; i++)
            sum += atomic_load(&world.server->loops[i].parked_count);
        if (sum == count)
            return;
    }
}

static void
await_watchers(unsigned count)
{
    while (atomic_load(&world.server->watcher_count) != count)
        doze();
}

/* ---- Tests ------------------------------------------------------------- */

START_TEST(changes_are_events_as_they_happen)
{
    uint64_t version = begin_now("/v1/state:watch");

    await_parked(1);
    put("a", "value");
    await_event("written", version + 1, "key\":\"a", 5);
    await_parked(1);
    change(STATE_DELETE, "a", 1, "");
    await_event("deleted", version + 2, "key\":\"a", 0);
    /* What came meanwhile comes together. */
    for (int i = 0; i < 300; i++)
        put("a\nb", "");
    for (uint64_t i = 0; i < 300; i++)
        await_event("written", version + 3 + i, "key\":\"a\\nb", 0);
    http_client_close(reader.fd);
}
END_TEST

START_TEST(a_key_that_vanishes_is_an_event)
{
    uint64_t version = begin_now("/v1/state:watch");

    ck_assert_int_eq(http_client_status(world.port, "PUT",
                                        "/v1/state/v?ttl=1ms", "", "x"),
                     204);
    await_event("written", version + 1, "key\":\"v", 1);
    await_event("vanished", version + 2, "key\":\"v", 0);
    http_client_close(reader.fd);
}
END_TEST

START_TEST(only_keys_with_the_prefix_are_told_of)
{
    uint64_t version = begin_now("/v1/state:watch?prefix=%ff%00");

    put("a", "value");
    change(STATE_PUT, "\xff", 1, "");
    change(STATE_PUT, "\xff\x00z", 3, "");
    await_event("written", version + 3, "key_base64\":\"/wB6", 0);
    ck_assert_ptr_null(strstr(reader.text, "\"key\""));
    http_client_close(reader.fd);
}
END_TEST

START_TEST(a_namespace_hears_nothing_of_others)
{
    char name[] = "Glass-Namespace: other\r\n";

    reader_begin(world.port, "/v1/state:watch", "1.1", name);
    reader_await("id: ");
    put("a", "value");
    ck_assert_int_eq(
        http_client_status(world.port, "PUT", "/v1/state/b", name, "x"), 204);
    reader_await("event: ");
    reader_await("\n\n");
    ck_assert_ptr_nonnull(strstr(reader.text, "\"b\""));
    ck_assert_ptr_null(strstr(reader.text, "\"a\""));
    http_client_close(reader.fd);
}
END_TEST

/* How the place to go on from is said; %llu is the version. */
static const struct {
    const char *target;
    const char *headers;
} resumes[] = {
    {"/v1/state:watch?from=%llu", ""},
    {"/v1/state:watch", "Last-Event-ID: %llu\r\n"},
    /* A client that comes back asks as it did before, with its place. */
    {"/v1/state:watch?from=1", "last-event-id: %llu\r\n"},
};

START_TEST(who_comes_back_misses_nothing)
{
    char target[128], headers[128];
    uint64_t version = begin_now("/v1/state:watch");

    put("a", "1");
    await_event("written", version + 1, "key\":\"a", 1);
    http_client_close(reader.fd);
    put("b", "22");
    put("c", "333");
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(target, sizeof(target), resumes[_i].target,
             (unsigned long long)version + 1);
    snprintf(headers, sizeof(headers), resumes[_i].headers,
             (unsigned long long)version + 1);
#pragma GCC diagnostic pop
    reader_begin(world.port, target, "1.1", headers);
    await_event("written", version + 2, "key\":\"b", 2);
    await_event("written", version + 3, "key\":\"c", 3);
    ck_assert_ptr_null(strstr(reader.text, "\"a\""));
    http_client_close(reader.fd);
}
END_TEST

static const struct {
    const char *target;
    const char *headers;
    int status;
} requests[] = {
    {"/v1/state:watch?from=", "", 400},
    {"/v1/state:watch?from=-1", "", 400},
    {"/v1/state:watch?from=18446744073709551616", "", 400},
    {"/v1/state:watch?from=18446744073709551615", "", 410},
    {"/v1/state:watch?from=1&from=1", "", 400},
    {"/v1/state:watch?cursor=a", "", 400},
    {"/v1/state:watch?from=%31", "Last-Event-ID: x\r\n", 400},
    {"/v1/state:watch", "Last-Event-ID: \r\n", 400},
    {"/v1/state:watch", "Last-Event-ID: 1\r\nLast-Event-ID: 1\r\n", 400},
    {"/v1/state:watch?prefix=%f", "", 400},
    {"/v1/state:watch", "Glass-Namespace: -\r\n", 400},
    {"/v1/state:watches", "", 404},
};

START_TEST(what_is_wrong_is_said_before_the_stream)
{
    ck_assert_int_eq(http_client_status(world.port, "GET",
                                        requests[_i].target,
                                        requests[_i].headers, NULL),
                     requests[_i].status);
    await_watchers(0);
}
END_TEST

START_TEST(other_methods_are_refused)
{
    struct http_answer answer;
    char value[256];

    ck_assert_int_eq(
        http_client_status(world.port, "PUT", "/v1/state:watch", "", "x"),
        405);
    http_client_ask(world.port, "HEAD", "/v1/state:watch", "", NULL, 0,
                    &answer);
    ck_assert_int_eq(answer.status, 200);
    ck_assert_str_eq(http_answer_header(&answer, "Content-Type", value),
                     "text/event-stream");
    http_answer_deinit(&answer);
    await_watchers(0);
}
END_TEST

/* Two who write so often pass no limit of what is kept. */
enum { each_count = 1800, both_count = 2 * each_count };

static_assert(both_count < STATE_WATCH_EVENTS_MAX, "none is forgotten");

static void *
put_many(void *data)
{
    (void)data;
    for (int i = 0; i < each_count; i++)
        put("k", "");
    return NULL;
}

/* The stream waits and goes on while others write: again and again. */
START_TEST(nothing_is_missed_or_told_twice_while_others_write)
{
    uint64_t version = begin_now("/v1/state:watch");
    pthread_t writers[2];
    size_t first = reader.seen;

    for (int i = 0; i < 2; i++)
        ck_assert_int_eq(pthread_create(&writers[i], NULL, put_many, NULL),
                         0);
    for (int i = 0; i < both_count; i++)
        await_event("written", version + 1 + (uint64_t)i, "key\":\"k", 0);
    for (int i = 0; i < 2; i++)
        pthread_join(writers[i], NULL);
    size_t count = 0;
    for (const char *at = reader.text + first;
         (at = strstr(at, "event: written")); at++)
        count++;
    ck_assert_uint_eq(count, both_count);
    http_client_close(reader.fd);
}
END_TEST

/* As many changes as are kept, and one. */
static void
change_too_much(void)
{
    for (int i = 0; i <= STATE_WATCH_EVENTS_MAX; i++)
        put("k", "");
}

START_TEST(who_comes_back_too_late_is_told_so)
{
    struct http_answer answer;
    char target[128];
    uint64_t version = begin_now("/v1/state:watch");

    http_client_close(reader.fd);
    change_too_much();
    snprintf(target, sizeof(target), "/v1/state:watch?from=%llu",
             (unsigned long long)version);
    http_client_ask(world.port, "GET", target, "", NULL, 0, &answer);
    ck_assert_int_eq(answer.status, 410);
    ck_assert_ptr_nonnull(strstr(answer.body, "problem:compacted"));
    /* From where it can go on. */
    snprintf(target, sizeof(target), "\"version\":%llu",
             (unsigned long long)version + STATE_WATCH_EVENTS_MAX + 1);
    ck_assert_msg(strstr(answer.body, target), "%s", answer.body);
    http_answer_deinit(&answer);
    /* One later is just there. */
    snprintf(target, sizeof(target), "/v1/state:watch?from=%llu",
             (unsigned long long)version + 1);
    reader_begin(world.port, target, "1.1", "");
    await_event("written", version + 2, "key\":\"k", 0);
    http_client_close(reader.fd);
}
END_TEST

START_TEST(who_falls_behind_in_the_stream_is_told_so)
{
    static char key[STATE_KEY_BYTES_MAX + 1];

    begin_now("/v1/state:watch");
    memset(key, 1, STATE_KEY_BYTES_MAX);
    /* Nobody reads until the server has nowhere to put it. */
    for (int i = 0; i < 20 * STATE_WATCH_EVENTS_MAX; i++)
        put(key, "");
    /* Of the megabytes that are there only the last kilobytes count. */
    while (!strstr(reader.text, "event: problem\ndata: {")) {
        size_t kept = reader.length < 4096 ? reader.length : 4096;
        memmove(reader.text, reader.text + reader.length - kept, kept);
        reader.length = kept;
        ck_assert(reader_receive());
    }
    reader.seen = 0;
    reader_await("problem:compacted");
    reader_await("\"status\":410");
    reader_await("\"version\":");
    /* The stream ends as it should, and so does the watching. */
    reader_await("0\r\n\r\n");
    http_client_close(reader.fd);
    await_watchers(0);
}
END_TEST

START_TEST(a_client_that_goes_is_noticed_without_a_heartbeat)
{
    begin_now("/v1/state:watch");
    await_parked(1);
    http_client_close(reader.fd);
    await_watchers(0);
    await_parked(0);
}
END_TEST

START_TEST(a_client_that_has_only_ended_its_requests_goes_on)
{
    uint64_t version = begin_now("/v1/state:watch");
    char again[32];

    await_parked(1);
    shutdown(reader.fd, SHUT_WR);
    /* It is asked whether it is there, once. */
    snprintf(again, sizeof(again), "id: %llu\n\n",
             (unsigned long long)version);
    reader_await(again);
    await_parked(1);
    put("a", "value");
    await_event("written", version + 1, "key\":\"a", 5);
    ck_assert_ptr_null(strstr(reader.text + reader.seen, again));
    /* It ends the other direction, which shows when something is sent. */
    http_client_close(reader.fd);
    put("a", "value");
    await_watchers(0);
}
END_TEST

START_TEST(a_drain_ends_the_stream)
{
    begin_now("/v1/state:watch");
    await_parked(1);
    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    reader_await("event: problem\ndata: {");
    reader_await("problem:draining");
    reader_await("0\r\n\r\n");
    http_client_close(reader.fd);
}
END_TEST

START_TEST(a_server_that_is_destroyed_ends_the_stream)
{
    begin_now("/v1/state:watch");
    await_parked(1);
    http_server_destroy(world.server);
    world.server = NULL;
    while (reader_receive())
        continue;
    http_client_close(reader.fd);
}
END_TEST

/* It gets no chunks: the end of the connection is the end. */
START_TEST(an_older_client_is_served_too)
{
    reader_begin(world.port, "/v1/state:watch", "1.0", "");
    reader_await("\r\n\r\nid: ");
    await_parked(1);
    put("a", "value");
    reader_await("event: written\n");
    reader_await("\n\n");
    ck_assert_ptr_null(strstr(reader.text, "chunked"));
    ck_assert_int_eq(http_server_drain(world.server, 10000), HTTP_OK);
    reader_await("event: problem\n");
    while (reader_receive())
        continue;
    http_client_close(reader.fd);
}
END_TEST

START_TEST(a_heartbeat_tells_the_place)
{
    char place[32];

    open_world_with(0, 5);
    uint64_t version = begin_now("/v1/state:watch?prefix=b");
    put("a", "value");
    snprintf(place, sizeof(place), "\nid: %llu\n\n",
             (unsigned long long)version + 1);
    reader_await(place);
    reader_await(place + 1);
    ck_assert_ptr_null(strstr(reader.text, "event:"));
    http_client_close(reader.fd);
    close_world();
}
END_TEST

START_TEST(so_many_may_watch_and_not_one_more)
{
    enum { count = 3 };
    struct http_answer answer;
    int fds[count];

    open_world_with(count, HTTP_HEARTBEAT_MS_MAX);
    for (int i = 0; i < count; i++) {
        begin_now("/v1/state:watch");
        fds[i] = reader.fd;
    }
    http_client_ask(world.port, "GET", "/v1/state:watch", "", NULL, 0,
                    &answer);
    ck_assert_int_eq(answer.status, 429);
    ck_assert_ptr_nonnull(strstr(answer.body, "\"limit\":\"watchers\""));
    http_answer_deinit(&answer);
    http_client_close(fds[0]);
    await_watchers(count - 1);
    begin_now("/v1/state:watch");
    http_client_close(reader.fd);
    for (int i = 1; i < count; i++)
        http_client_close(fds[i]);
    close_world();
}
END_TEST

/* The bound of the state's, which shows when the last one would wait. */
START_TEST(a_namespace_has_so_many_who_watch)
{
    const struct http_world_options options = {
        .http = {.connection_count_max = STATE_WATCHERS_MAX + 16,
                 .watcher_count_max = STATE_WATCHERS_MAX + 16,
                 .heartbeat_ms = HTTP_HEARTBEAT_MS_MAX},
    };
    static int fds[STATE_WATCHERS_MAX];
    struct rlimit limit;

    /* Both ends of each connection are here. */
    ck_assert_int_eq(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &limit), 0);
    ck_assert_uint_gt(limit.rlim_cur, 2 * STATE_WATCHERS_MAX + 100);
    http_world_open(&world, &options);
    for (int i = 0; i < STATE_WATCHERS_MAX; i++) {
        begin_now("/v1/state:watch");
        fds[i] = reader.fd;
    }
    await_parked(STATE_WATCHERS_MAX);
    begin_now("/v1/state:watch");
    reader_await("event: problem\ndata: {");
    reader_await("\"status\":429");
    reader_await("at most 1024 who watch");
    reader_await("0\r\n\r\n");
    http_client_close(reader.fd);
    for (int i = 0; i < STATE_WATCHERS_MAX; i++)
        http_client_close(fds[i]);
    await_watchers(0);
    close_world();
}
END_TEST

#define COUNT(array) ((int)(sizeof(array) / sizeof(*(array))))

int
main(void)
{
    Suite *suite = suite_create("http/routes_state_watch");
    TCase *tests = tcase_create("watch");
    TCase *options = tcase_create("options");

    /* One of them moves a hundred megabytes. */
    tcase_set_timeout(tests, 60);
    tcase_add_checked_fixture(tests, open_quiet, close_world);
    tcase_add_test(tests, changes_are_events_as_they_happen);
    tcase_add_test(tests, a_key_that_vanishes_is_an_event);
    tcase_add_test(tests, only_keys_with_the_prefix_are_told_of);
    tcase_add_test(tests, a_namespace_hears_nothing_of_others);
    tcase_add_loop_test(tests, who_comes_back_misses_nothing, 0,
                        COUNT(resumes));
    tcase_add_loop_test(tests, what_is_wrong_is_said_before_the_stream, 0,
                        COUNT(requests));
    tcase_add_test(tests, other_methods_are_refused);
    tcase_add_test(tests,
                   nothing_is_missed_or_told_twice_while_others_write);
    tcase_add_test(tests, who_comes_back_too_late_is_told_so);
    tcase_add_test(tests, who_falls_behind_in_the_stream_is_told_so);
    tcase_add_test(tests, a_client_that_goes_is_noticed_without_a_heartbeat);
    tcase_add_test(tests, a_client_that_has_only_ended_its_requests_goes_on);
    tcase_add_test(tests, a_drain_ends_the_stream);
    tcase_add_test(tests, a_server_that_is_destroyed_ends_the_stream);
    tcase_add_test(tests, an_older_client_is_served_too);
    suite_add_tcase(suite, tests);
    tcase_add_test(options, a_heartbeat_tells_the_place);
    tcase_add_test(options, so_many_may_watch_and_not_one_more);
    tcase_add_test(options, a_namespace_has_so_many_who_watch);
    tcase_set_timeout(options, 60);
    suite_add_tcase(suite, options);
    return suite_run(suite);
}
