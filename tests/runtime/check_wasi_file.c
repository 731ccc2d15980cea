/* check_wasi_file.c - tests of runtime/wasi_file.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include "runtime/wasi_file.h"

#include <check.h>
#include <fcntl.h>
#include <string.h>

static const uint64_t all = WASI_RIGHTS_FILE;

/* ---- Status ------------------------------------------------------------- */

START_TEST(the_status_is_that_of_the_host)
{
    struct stat info;

    wasi_host_write("file", "12345");
    ck_assert_int_eq(stat(wasi_host_path("file"), &info), 0);
    uint32_t fd = wasi_open("file", 0, all);

    memset(wasi_world.memory, 0xa5, 200);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(8), info.st_dev);
    ck_assert_uint_eq(wasi_get_u64(16), info.st_ino);
    ck_assert_uint_eq(wasi_get_u64(24), RUNTIME__FILETYPE_REGULAR_FILE);
    ck_assert_uint_eq(wasi_get_u64(32), 1);
    ck_assert_uint_eq(wasi_get_u64(40), 5);
    ck_assert_uint_eq(wasi_get_u64(56),
                      (uint64_t)info.st_mtim.tv_sec * 1000000000u +
                          (uint64_t)info.st_mtim.tv_nsec);
    ck_assert_uint_eq(wasi_world.memory[72], 0xa5);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, 3, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(24), RUNTIME__FILETYPE_DIRECTORY);
}
END_TEST

START_TEST(a_stream_has_no_status_but_its_type)
{
    static const uint8_t zeros[64];

    runtime__wasi_deinit(&wasi_world.wasi);
    wasi_world.wasi.streams.terminals = 4;
    memset(wasi_world.memory, 0xa5, 200);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, 0, 8), 0);
    ck_assert_mem_eq(wasi_world.memory + 8, zeros, 64);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, 2, 8), 0);
    ck_assert_uint_eq(wasi_world.memory[24],
                      RUNTIME__FILETYPE_CHARACTER_DEVICE);
}
END_TEST

START_TEST(the_status_has_to_lie_inside)
{
    uint32_t fds[] = {0, 3, wasi_open("file", 1, all)};

    for (size_t i = 0; i < 3; i++) {
        ck_assert_uint_eq(wasi_ask(fd_filestat_get, fds[i], WASI_PAGE - 64),
                          0);
        ck_assert_uint_eq(wasi_ask(fd_filestat_get, fds[i], WASI_PAGE - 63),
                          RUNTIME__WASI_EFAULT);
        ck_assert_uint_eq(wasi_ask(fd_filestat_get, fds[i], UINT32_MAX),
                          RUNTIME__WASI_EFAULT);
    }
}
END_TEST

/* ---- Size and times ----------------------------------------------------- */

START_TEST(a_file_gets_another_size)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, fd, 1000), 0);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(40), 1000);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, fd, 7), 0);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(40), 7);
    ck_assert_uint_eq(
        wasi_ask(fd_filestat_set_size, fd, (uint64_t)INT64_MAX + 1),
        RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, fd, UINT64_MAX),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

static const struct {
    uint32_t flags;
    uint32_t error;
    long access, modification; /* tv_nsec; -1: what was asked for */
} times[] = {
    {0, 0, UTIME_OMIT, UTIME_OMIT},
    {1, 0, -1, UTIME_OMIT},
    {2, 0, UTIME_NOW, UTIME_OMIT},
    {3, RUNTIME__WASI_EINVAL, 0, 0},
    {4, 0, UTIME_OMIT, -1},
    {5, 0, -1, -1},
    {6, 0, UTIME_NOW, -1},
    {8, 0, UTIME_OMIT, UTIME_NOW},
    {9, 0, -1, UTIME_NOW},
    {10, 0, UTIME_NOW, UTIME_NOW},
    {12, RUNTIME__WASI_EINVAL, 0, 0},
    {15, RUNTIME__WASI_EINVAL, 0, 0},
    {16, RUNTIME__WASI_EINVAL, 0, 0},
    {UINT32_MAX, RUNTIME__WASI_EINVAL, 0, 0},
};

START_TEST(flags_say_which_times_are_set)
{
    struct timespec made[2];
    uint32_t error = runtime__wasi_file_times(
        UINT64_C(5000000007), UINT64_C(6000000008), times[_i].flags, made);

    ck_assert_uint_eq(error, times[_i].error);
    if (error)
        return;
    ck_assert_int_eq(made[0].tv_nsec,
                     times[_i].access == -1 ? 7 : times[_i].access);
    ck_assert_int_eq(made[1].tv_nsec, times[_i].modification == -1
                                          ? 8
                                          : times[_i].modification);
    if (times[_i].access == -1)
        ck_assert_int_eq(made[0].tv_sec, 5);
    if (times[_i].modification == -1)
        ck_assert_int_eq(made[1].tv_sec, 6);
}
END_TEST

START_TEST(times_of_a_file_are_set)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_filestat_set_times, fd, 123,
                               UINT64_C(1000000000000000456), 5),
                      0);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(48), 123);
    ck_assert_uint_eq(wasi_get_u64(56), UINT64_C(1000000000000000456));
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_times, fd, 1, 1, 12),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(a_time_before_1970_is_none)
{
    struct stat info = {
        .st_atim = {.tv_sec = -1},
        .st_mtim = {.tv_sec = 1, .tv_nsec = 2},
    };

    ck_assert_uint_eq(runtime__wasi_put_filestat(&wasi_world.wasi, 8, &info),
                      0);
    ck_assert_uint_eq(wasi_get_u64(48), 0);
    ck_assert_uint_eq(wasi_get_u64(56), 1000000002);
}
END_TEST

/* ---- The disk ----------------------------------------------------------- */

START_TEST(a_file_is_synced_as_its_rights_say)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_sync, fd), 0);
    ck_assert_uint_eq(wasi_ask(fd_datasync, fd), 0);
    ck_assert_uint_eq(wasi_ask(fd_sync, 3), 0);
    ck_assert_uint_eq(wasi_ask(fd_datasync, 3), RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_sync, 1), RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_sync, 99), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_datasync, 99), RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(room_on_the_disk_is_kept)
{
    uint32_t fd = wasi_open("file", 1, all);
    uint32_t error = wasi_ask(fd_allocate, fd, 100, 23);

    /* Not every file system can. */
    ck_assert(error == 0 || error == RUNTIME__WASI_ENOTSUP);
    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8), 0);
    ck_assert_uint_eq(wasi_get_u64(40), error ? 0 : 123);
    ck_assert_uint_ne(wasi_ask(fd_allocate, fd, 0, 0), 0);
    ck_assert_uint_eq(wasi_ask(fd_allocate, fd, UINT64_MAX, 1),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(wasi_ask(fd_allocate, fd, 0, UINT64_MAX),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

static const struct {
    uint64_t offset, length;
    uint32_t advice;
    uint32_t error;
} advices[] = {
    {0, 0, 0, 0},
    {10, 50, 5, 0},
    {0, INT64_MAX, 3, 0},
    {0, 0, 6, RUNTIME__WASI_EINVAL},
    {0, 0, UINT32_MAX, RUNTIME__WASI_EINVAL},
    {UINT64_MAX, 0, 0, RUNTIME__WASI_EINVAL},
    {0, UINT64_MAX, 0, RUNTIME__WASI_EINVAL},
};

START_TEST(advice_is_taken_when_it_is_one)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_advise, fd, advices[_i].offset,
                               advices[_i].length, advices[_i].advice),
                      advices[_i].error);
}
END_TEST

/* Each right has one function that needs it. */
START_TEST(without_the_right_nothing_is_done)
{
    uint32_t fd = wasi_open("file", 1, 1 << 1);

    ck_assert_uint_eq(wasi_ask(fd_filestat_get, fd, 8),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, fd, 8),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_times, fd, 0, 0, 3),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_sync, fd), RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_datasync, fd), RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_allocate, fd, 0, 1),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_advise, fd, 0, 1, 99),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, 3, 8),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_filestat_set_size, 99, 8),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_advise, 99, 0, 1, 0), RUNTIME__WASI_EBADF);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, the_status_is_that_of_the_host);
    tcase_add_test(tests, a_stream_has_no_status_but_its_type);
    tcase_add_test(tests, the_status_has_to_lie_inside);
    tcase_add_test(tests, a_file_gets_another_size);
    tcase_add_loop_test(tests, flags_say_which_times_are_set, 0,
                        sizeof(times) / sizeof(times[0]));
    tcase_add_test(tests, times_of_a_file_are_set);
    tcase_add_test(tests, a_time_before_1970_is_none);
    tcase_add_test(tests, a_file_is_synced_as_its_rights_say);
    tcase_add_test(tests, room_on_the_disk_is_kept);
    tcase_add_loop_test(tests, advice_is_taken_when_it_is_one, 0,
                        sizeof(advices) / sizeof(advices[0]));
    tcase_add_test(tests, without_the_right_nothing_is_done);
}

WORLD_MAIN("wasi_file", add_tests)
