/* check_wasi_table.c - tests of runtime/wasi_table.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

START_TEST(the_table_has_a_limit_and_one_more_is_refused)
{
    struct rlimit room = {4096, 4096};
    uint32_t fd = 0;

    /* Those of the host must not run out first. */
    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
    for (uint32_t next = 4; next < RUNTIME_WASI_DESCRIPTORS_MAX; next++) {
        fd = wasi_open("file", next == 4 ? 1 : 0, 0);
        ck_assert_uint_eq(fd, next);
    }
    ck_assert_uint_eq(wasi_try_open("file", 0, 0, 0, 0),
                      RUNTIME__WASI_EMFILE);
    /* Nothing is made then, nor made empty. */
    ck_assert_uint_eq(wasi_try_open("other", 0, 1, 0, 0),
                      RUNTIME__WASI_EMFILE);
    ck_assert(!wasi_host_exists("other"));
    ck_assert_uint_eq(wasi_ask(fd_close, 700), 0);
    ck_assert_uint_eq(wasi_open("file", 0, 0), 700);
}
END_TEST

START_TEST(what_is_left_open_is_closed_in_the_end)
{
    struct runtime__wasi_descriptor *descriptor;
    uint32_t fd = wasi_open("file", 1, 0);

    ck_assert_uint_eq(
        runtime__wasi_table_get(&wasi_world.wasi, fd, 0, &descriptor), 0);
    int host = descriptor->number;
    ck_assert_int_ne(fcntl(host, F_GETFD), -1);
    ck_assert_int_ne(fcntl(host, F_GETFD) & FD_CLOEXEC, 0);
    runtime__wasi_deinit(&wasi_world.wasi);
    ck_assert_int_eq(fcntl(host, F_GETFD), -1);
    /* It may be used again, as at first. */
    ck_assert_uint_eq(wasi_ask(fd_close, fd), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_close, 3), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_close, 2), 0);
    ck_assert_uint_eq(wasi_ask(fd_close, 2), RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(closing_a_stream_leaves_the_hosts_open)
{
    ck_assert_uint_eq(wasi_ask(fd_close, 1), 0);
    ck_assert_int_ne(fcntl(1, F_GETFD), -1);
}
END_TEST

START_TEST(rights_are_asked_for_all_at_once)
{
    struct runtime__wasi_descriptor *descriptor;
    uint32_t fd = wasi_open("file", 1, 1 << 1 | 1 << 5);

    ck_assert_uint_eq(runtime__wasi_table_get(&wasi_world.wasi, fd,
                                              1 << 1 | 1 << 5, &descriptor),
                      0);
    ck_assert_uint_eq(runtime__wasi_table_get(&wasi_world.wasi, fd,
                                              1 << 1 | 1 << 6, &descriptor),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(runtime__wasi_table_get(&wasi_world.wasi, fd + 1, 1 << 1,
                                              &descriptor),
                      RUNTIME__WASI_EBADF);
}
END_TEST

static const struct {
    unsigned mode;
    enum runtime__wasi_filetype filetype;
} modes[] = {
    {S_IFBLK | 0600, RUNTIME__FILETYPE_BLOCK_DEVICE},
    {S_IFCHR, RUNTIME__FILETYPE_CHARACTER_DEVICE},
    {S_IFDIR | 0777, RUNTIME__FILETYPE_DIRECTORY},
    {S_IFREG | 04755, RUNTIME__FILETYPE_REGULAR_FILE},
    {S_IFSOCK, RUNTIME__FILETYPE_SOCKET_STREAM},
    {S_IFLNK, RUNTIME__FILETYPE_SYMBOLIC_LINK},
    {S_IFIFO, RUNTIME__FILETYPE_UNKNOWN},
    {0, RUNTIME__FILETYPE_UNKNOWN},
};

START_TEST(a_mode_of_the_host_is_a_type_of_file)
{
    ck_assert_int_eq(runtime__wasi_filetype_of_mode(modes[_i].mode),
                     modes[_i].filetype);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, the_table_has_a_limit_and_one_more_is_refused);
    tcase_add_test(tests, what_is_left_open_is_closed_in_the_end);
    tcase_add_test(tests, closing_a_stream_leaves_the_hosts_open);
    tcase_add_test(tests, rights_are_asked_for_all_at_once);
    tcase_add_loop_test(tests, a_mode_of_the_host_is_a_type_of_file, 0,
                        sizeof(modes) / sizeof(modes[0]));
}

WORLD_MAIN("wasi_table", add_tests)
