/*
 * check_mutations.c - requests that were right and have been damaged: whatever
 * comes of each, the server goes on, and nothing of it stays.
 *
 * The damage is made from a seed, so that a run can be repeated; GLASS_SEED
 * chooses another one.
 */
#include "http/server.h"
#include "tests/support/http_client.h"
#include "tests/support/http_world.h"
#include "tests/support/suite.h"

#include <check.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum { ROUNDS = 1000, MUTATIONS_MAX = 4, TEXT_SIZE = 4096 };

/* How long a request that may be unfinished is given: it decides nothing. */
#define PATIENCE_US 5000

static struct http_world world;
static uint64_t random_state;

static const char *const originals[] = {
    "PUT /v1/state/key?ttl=5s HTTP/1.1\r\nHost: localhost\r\n"
    "If-None-Match: *\r\nContent-Length: 5\r\n\r\nhello",
    "POST /v1/state/n:incr?delta=5 HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Length: 2\r\n\r\n12",
    "GET /v1/state?prefix=%61&limit=10&cursor=YWJj HTTP/1.1\r\n"
    "Host: localhost\r\n\r\n",
    "POST /v1/functions/echo/invoke HTTP/1.1\r\nHost: localhost\r\n"
    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n",
    "POST /v1/functions/math/invoke?export=add&args=1,2 HTTP/1.1\r\n"
    "Host: localhost\r\nGlass-Timeout: 100ms\r\nContent-Length: 0\r\n\r\n",
    "GET /v1/functions/echo HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    "If-None-Match: \"a\", W/\"b\"\r\nGlass-Namespace: default\r\n\r\n",
    "PUT /v1/functions/up HTTP/1.1\r\nHost: localhost\r\n"
    "Content-Type: multipart/form-data; boundary=xyz\r\n"
    "Content-Length: 77\r\n\r\n--xyz\r\nContent-Disposition: form-data; "
    "name=\"module\"\r\n\r\nabcde\r\n--xyz--\r\n\r\n",
    "GET http://localhost/healthz HTTP/1.1\r\nHost: localhost\r\n"
    "Origin: http://localhost\r\nExpect: 100-continue\r\n\r\n",
};

/* xorshift64*: the same numbers everywhere. */
static unsigned
next_random(unsigned bound)
{
    random_state ^= random_state >> 12;
    random_state ^= random_state << 25;
    random_state ^= random_state >> 27;
    return (unsigned)((random_state * UINT64_C(0x2545f4914f6cdd1d)) >> 33) %
           bound;
}

/* Bytes that mean something are likelier than others. */
static char
next_byte(void)
{
    static const char special[] = "\r\n\t :;,%?&=/\\\"*-0123456789\0\x7f\xff";

    if (next_random(3) == 0)
        return (char)next_random(256);
    return special[next_random(sizeof(special) - 1)];
}

/* Damages `length` bytes in place; returns the new length. */
static size_t
mutate(char *text, size_t length)
{
    size_t at = next_random((unsigned)length);
    size_t count = 1 + next_random(8);

    if (count > length - at)
        count = length - at;
    switch (next_random(5)) {
    case 0:
        text[at] = next_byte();
        return length;
    case 1:
        memmove(text + at, text + at + count, length - at - count);
        return length - count;
    case 2: /* twice the same */
        memmove(text + at + count, text + at, length - at);
        return length + count;
    case 3:
        memmove(text + at + 1, text + at, length - at);
        text[at] = next_byte();
        return length + 1;
    default:
        return at + 1; /* cut off */
    }
}

static void
send_damaged(void)
{
    const struct timeval patience = {.tv_usec = PATIENCE_US};
    const struct linger reset = {.l_onoff = 1};
    char text[TEXT_SIZE];
    char answer[TEXT_SIZE];
    const char *original =
        originals[next_random(sizeof(originals) / sizeof(*originals))];
    size_t length = strlen(original);
    unsigned mutations = 1 + next_random(MUTATIONS_MAX);

    memcpy(text, original, length);
    for (unsigned index = 0; index < mutations && length > 0; index++)
        length = mutate(text, length);
    int fd = http_client_connect(world.port);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    http_client_send(fd, text, length);
    /* Whatever it is: an answer, the end, or silence. */
    (void)!recv(fd, answer, sizeof(answer), 0);
    /* A reset is noticed at once, whatever the server waits for. */
    setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
    http_client_close(fd);
}

START_TEST(damaged_requests_harm_nobody)
{
    const char *seed = getenv("GLASS_SEED");
    struct runtime_statistics statistics;

    random_state = seed ? strtoull(seed, NULL, 0) : 1;
    random_state = (random_state + (uint64_t)_i) * 2654435761u + 1;
    printf("seed %s, part %d\n", seed ? seed : "1", _i);
    http_world_open(&world, NULL);
    http_world_deploy_example(&world, "echo");
    http_world_deploy(&world, "math", http_world_build_math());
    for (int round = 0; round < ROUNDS; round++)
        send_damaged();
    ck_assert_int_eq(
        http_client_status(world.port, "GET", "/healthz", "", NULL), 200);
    ck_assert_int_eq(http_client_status(world.port, "POST",
                                        "/v1/functions/echo/invoke", "", "x"),
                     200);
    ck_assert_int_eq(http_server_drain(world.server, 30000), HTTP_OK);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.call_count, 0);
    http_world_close(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/mutations");
    TCase *tests = tcase_create("mutations");

    tcase_add_loop_test(tests, damaged_requests_harm_nobody, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
