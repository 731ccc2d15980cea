/*
 * check_wasi_socket.c - tests of runtime/wasi_socket.c: that what is no socket
 * is said to be none, and what is not open, not open.
 */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>

START_TEST(there_are_no_sockets)
{
    uint32_t fds[] = {0, 1, 2, 3, wasi_open("file", 1, WASI_RIGHTS_FILE),
                      99, UINT32_MAX};

    for (size_t i = 0; i < 7; i++) {
        uint32_t expected =
            i < 5 ? RUNTIME__WASI_ENOTSOCK : RUNTIME__WASI_EBADF;
        ck_assert_uint_eq(wasi_ask(sock_accept, fds[i], 0, 64), expected);
        ck_assert_uint_eq(wasi_ask(sock_recv, fds[i], 0, 1, 0, 64, 68),
                          expected);
        ck_assert_uint_eq(wasi_ask(sock_send, fds[i], 0, 1, 0, 64),
                          expected);
        ck_assert_uint_eq(wasi_ask(sock_shutdown, fds[i], 3), expected);
    }
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, there_are_no_sockets);
}

WORLD_MAIN("wasi_socket", add_tests)
