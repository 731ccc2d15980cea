/*
 * check_acceptor.c - tests of http/acceptor.c: where a server listens, and
 * who gets a connection.
 */
#include "http/server.h"
#include "tests/http/one_world.h"
#include "tests/support/http_client.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

static const struct {
    const char *address;
    enum http_status status;
    const char *begins; /* the address that it says it has */
} addresses[] = {
    {NULL, HTTP_OK, "127.0.0.1:"},
    {"127.0.0.1", HTTP_OK, "127.0.0.1:"},
    {"127.1.2.3", HTTP_OK, "127.1.2.3:"},
    {"localhost", HTTP_OK, "127.0.0.1:"},
    {"0.0.0.0", HTTP_NOT_LOOPBACK, NULL},
    {"10.0.0.1", HTTP_NOT_LOOPBACK, NULL},
    {"128.0.0.1", HTTP_NOT_LOOPBACK, NULL},
    {"::", HTTP_NOT_LOOPBACK, NULL},
    {"fe80::1", HTTP_NOT_LOOPBACK, NULL},
    {"127.0.0.1.", HTTP_INVALID, NULL},
    {"glass.example", HTTP_INVALID, NULL},
    {"", HTTP_INVALID, NULL},
};

/* A server that differs from the world's in its address and port. */
static enum http_status
create(const char *address, unsigned port, struct http_server **server,
       struct http_error *err)
{
    const struct http_options options = {
        .runtime = world.runtime,
        .store = world.store,
        .address = address,
        .port = (uint16_t)port,
        .thread_count = 1,
    };

    return http_server_create(&options, server, err);
}

START_TEST(a_server_listens_on_loopback_addresses_only)
{
    struct http_server *server = NULL;
    struct http_error err = {""};

    http_world_open(&world, NULL);
    ck_assert_int_eq(create(addresses[_i].address, 0, &server, &err),
                     addresses[_i].status);
    if (addresses[_i].status != HTTP_OK) {
        ck_assert_ptr_null(server);
        ck_assert_str_ne(err.message, "");
        return;
    }
    const char *address = http_server_address(server);
    ck_assert_msg(!strncmp(address, addresses[_i].begins,
                           strlen(addresses[_i].begins)),
                  "%s", address);
    ck_assert_uint_ne(http_server_port(server), 0);
    http_server_destroy(server);
}
END_TEST

START_TEST(a_port_has_one_server)
{
    struct http_server *server = NULL;
    struct http_error err;

    http_world_open(&world, NULL);
    ck_assert_int_eq(create(NULL, world.port, &server, &err), HTTP_IN_USE);
    ck_assert_ptr_null(server);
    ck_assert_msg(strstr(err.message, "127.0.0.1") != NULL, "%s",
                  err.message);
}
END_TEST

/* Asks on an open connection. */
static int
ask(int fd)
{
    struct http_answer answer;

    http_client_send_text(
        fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    http_client_receive(fd, false, &answer);
    http_answer_deinit(&answer);
    return answer.status;
}

START_TEST(every_loop_gets_its_share_of_the_connections)
{
    enum { CONNECTIONS = 12 };
    const struct http_world_options options = {.http = {.thread_count = 3}};
    int fds[CONNECTIONS];

    http_world_open(&world, &options);
    for (int index = 0; index < CONNECTIONS; index++) {
        fds[index] = http_client_connect(world.port);
        ck_assert_int_eq(ask(fds[index]), 200);
    }
    for (unsigned loop = 0; loop < 3; loop++)
        ck_assert_uint_eq(
            atomic_load(&world.server->loops[loop].connection_count),
            CONNECTIONS / 3);
    for (int index = 0; index < CONNECTIONS; index++)
        http_client_close(fds[index]);
}
END_TEST

START_TEST(one_connection_too_many_is_told_so)
{
    enum { CONNECTIONS = 4 };
    const struct http_world_options options = {
        .http = {.connection_count_max = CONNECTIONS},
    };
    struct http_answer answer;
    int fds[CONNECTIONS];

    http_world_open(&world, &options);
    for (int index = 0; index < CONNECTIONS; index++) {
        fds[index] = http_client_connect(world.port);
        ck_assert_int_eq(ask(fds[index]), 200);
    }
    int fd = http_client_connect(world.port);
    http_client_receive(fd, false, &answer);
    ck_assert_int_eq(answer.status, 503);
    ck_assert(http_client_is_closed(fd));
    http_answer_deinit(&answer);
    http_client_close(fd);

    /* The others go on, and when one goes there is room again. */
    ck_assert_int_eq(ask(fds[1]), 200);
    http_client_send_text(fds[0], "GET /healthz HTTP/1.1\r\n"
                                  "Host: localhost\r\n"
                                  "Connection: close\r\n\r\n");
    http_client_receive(fds[0], false, &answer);
    http_answer_deinit(&answer);
    ck_assert(http_client_is_closed(fds[0]));
    http_client_close(fds[0]);
    /*
     * Its loop counts it out after the client has seen the end. Until then
     * the answer is 503, or is lost in the reset that a late request causes.
     */
    int status = 0;
    while (status != 200) {
        fd = http_client_connect(world.port);
        status = ask(fd);
        ck_assert_msg(status == 200 || status == 503 || status == 0, "%d",
                      status);
        http_client_close(fd);
    }
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/acceptor");
    TCase *tests = tcase_create("acceptor");

    tcase_add_checked_fixture(tests, NULL, close_world);
    tcase_add_loop_test(tests, a_server_listens_on_loopback_addresses_only, 0,
                        sizeof(addresses) / sizeof(*addresses));
    tcase_add_test(tests, a_port_has_one_server);
    tcase_add_test(tests, every_loop_gets_its_share_of_the_connections);
    tcase_add_test(tests, one_connection_too_many_is_told_so);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
