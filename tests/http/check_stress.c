/*
 * check_stress.c - a server under everything at once, and then its end:
 * deployments, calls of every length, clients that leave, and drains in the
 * middle of it. What it is for is what the sanitizers say meanwhile; and every
 * client is answered, in a way that there is, or finds nobody.
 *
 * Numbers come from a generator that begins the same every time.
 */
#include "tests/http/one_world.h"
#include "tests/support/idle_guest.h"
#include "tests/support/suite.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

enum {
    clients_count = 5,
    rounds = 6,
    answers_min = 200, /* of a round, before it ends */
};

static atomic_uint answer_count;
static atomic_bool is_ending;
static atomic_int wrong_count;
static atomic_uint status_counts[600];

static uint8_t *module;
static size_t module_bytes;

static unsigned
random_below(uint64_t *generator, unsigned bound)
{
    *generator ^= *generator << 13;
    *generator ^= *generator >> 7;
    *generator ^= *generator << 17;
    return (unsigned)(*generator % bound);
}

static void
build(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = idle_guest_import(builder);

    idle_guest_sleep(builder, sleep);
    idle_guest_loop(builder, ":");
    idle_guest_count(builder);
    const uint8_t *bytes = module_builder_finish(builder, &module_bytes);
    module = malloc(module_bytes);
    ck_assert_ptr_nonnull(module);
    memcpy(module, bytes, module_bytes);
    module_builder_destroy(builder);
}

/* ---- Clients ------------------------------------------------------------- */

/* No assertions here: these threads are not the test's. -1: nobody listens. */
static int
connect_to(unsigned port)
{
    const struct timeval patience = {.tv_sec = 60};
    const struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return fd;
    close(fd);
    return -1;
}

/* Writes a request, which begins with `text`; returns its length. */
static size_t
choose_request(uint64_t *generator, char *text, size_t capacity)
{
    static const char *const calls[] = {
        "count&args=10", "count&args=3000000", "sleep&args=1000",
        "sleep&args=3000000", "sleep&args=9000000000", "loop",
    };
    unsigned name = random_below(generator, 2);
    unsigned choice = random_below(generator, 16);

    if (choice == 0)
        return (size_t)snprintf(
            text, capacity,
            "DELETE /v1/functions/f%u HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: close\r\n\r\n",
            name);
    if (choice < 4) {
        size_t length = (size_t)snprintf(
            text, capacity,
            "PUT /v1/functions/f%u HTTP/1.1\r\nHost: localhost\r\n"
            "Connection: close\r\nContent-Type: application/wasm\r\n"
            "Content-Length: %zu\r\n\r\n",
            name, module_bytes);
        memcpy(text + length, module, module_bytes);
        return length + module_bytes;
    }
    return (size_t)snprintf(
        text, capacity,
        "POST /v1/functions/f%u/invoke?export=%s HTTP/1.1\r\n"
        "Host: localhost\r\nConnection: close\r\nGlass-Timeout: %ums\r\n"
        "Content-Length: 0\r\n\r\n",
        name, calls[random_below(generator, COUNT(calls))],
        choice < 7 ? 20000 : 1 + random_below(generator, 30));
}

/* Reads to the end; counts the answer, if one came. */
static void
receive(int fd)
{
    char text[4096];
    size_t length = 0;
    ssize_t count;
    int status;

    while (length < sizeof(text) - 1 &&
           (count = recv(fd, text + length, sizeof(text) - 1 - length, 0)) >
               0)
        length += (size_t)count;
    text[length] = '\0';
    if (length == 0 && atomic_load(&is_ending))
        return;
    if (sscanf(text, "HTTP/1.1 %3d", &status) != 1 || status < 200 ||
        status > 599) {
        fprintf(stderr, "an answer is '%s'\n", text);
        atomic_fetch_add(&wrong_count, 1);
        return;
    }
    atomic_fetch_add(&status_counts[status], 1);
    atomic_fetch_add(&answer_count, 1);
}

static void *
ask_many(void *seed)
{
    uint64_t generator = (uintptr_t)seed;
    char request[1024];
    int fd;

    while ((fd = connect_to(world.port)) >= 0) {
        size_t length = choose_request(&generator, request, sizeof(request));
        if (send(fd, request, length, MSG_NOSIGNAL) != (ssize_t)length &&
            !atomic_load(&is_ending))
            atomic_fetch_add(&wrong_count, 1);
        if (random_below(&generator, 6) > 0)
            receive(fd);
        close(fd);
    }
    if (!atomic_load(&is_ending))
        atomic_fetch_add(&wrong_count, 1);
    return NULL;
}

/* ---- Rounds -------------------------------------------------------------- */

/* How long a drain waits before it ends the calls; a round without one ends
 * the server at once. */
static const unsigned drains_ms[] = {1, 0, 40};

static void
run_round(int round)
{
    const struct http_world_options options = {
        .runtime = {.calls_max = clients_count},
    };
    unsigned drain_ms = drains_ms[round % COUNT(drains_ms)];
    pthread_t threads[clients_count];

    atomic_store(&answer_count, 0);
    atomic_store(&is_ending, false);
    http_world_open(&world, &options);
    for (int i = 0; i < clients_count; i++)
        ck_assert_int_eq(
            pthread_create(&threads[i], NULL, ask_many,
                           (void *)(uintptr_t)(i * 977 + round * 13 + 1)),
            0);
    while (atomic_load(&answer_count) < answers_min)
        sched_yield();
    atomic_store(&is_ending, true);
    /* Deployments may take longer, under a sanitizer. */
    if (drain_ms > 0)
        http_server_drain(world.server, drain_ms);
    http_world_close(&world);
    for (int i = 0; i < clients_count; i++)
        pthread_join(threads[i], NULL);
}

START_TEST(everything_at_once_ends_with_the_server)
{
    static const int statuses[] = {200, 201, 204, 404, 429, 503, 504};
    unsigned known = 0, all = 0;

    build();
    for (int round = 0; round < rounds; round++)
        run_round(round);
    free(module);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    for (int status = 0; status < COUNT(status_counts); status++)
        all += atomic_load(&status_counts[status]);
    /* There was some of each, and nothing else. */
    for (int i = 0; i < COUNT(statuses); i++) {
        unsigned count = atomic_load(&status_counts[statuses[i]]);
        ck_assert_msg(count > 0 || statuses[i] == 429, "no %d", statuses[i]);
        known += count;
    }
    ck_assert_uint_eq(known, all);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/stress");
    TCase *tests = tcase_create("stress");

    tcase_add_test(tests, everything_at_once_ends_with_the_server);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
