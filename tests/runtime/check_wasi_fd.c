/* check_wasi_fd.c - tests of runtime/wasi_fd.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

static const uint64_t all = WASI_RIGHTS_FILE;

/* ---- Closing, renumbering ----------------------------------------------- */

START_TEST(what_is_not_open_is_not_there)
{
    static const uint32_t others[] = {4, 7, 8, 31, 1023, 1024, UINT32_MAX};
    uint32_t fd = others[_i];

    ck_assert_uint_eq(wasi_ask(fd_close, fd), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 0, 0, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_tell, fd, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, fd, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, 0),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, fd, 0, 0),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, fd, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, fd, 64, 1),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_renumber, fd, 1), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_renumber, 1, fd), RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(what_is_closed_stays_closed_until_its_place_is_taken)
{
    for (uint32_t fd = 0; fd < 4; fd++) {
        if (fd == 3)
            ck_assert_uint_eq(wasi_open("file", 1, all), 0);
        ck_assert_uint_eq(wasi_ask(fd_close, fd), 0);
        ck_assert_uint_eq(wasi_ask(fd_close, fd), RUNTIME__WASI_EBADF);
    }
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 0, 64), 0);
}
END_TEST

START_TEST(renumbering_moves_what_there_is)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_renumber, fd, fd), 0);
    ck_assert_uint_eq(wasi_ask(fd_renumber, fd, 1), 0);
    ck_assert_uint_eq(wasi_ask(fd_close, fd), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_seek, 1, 5, 0, 64), 0);
    ck_assert_uint_eq(wasi_get_u64(64), 5);
    /* A directory keeps its name. */
    ck_assert_uint_eq(wasi_ask(fd_renumber, 3, 0), 0);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 3, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 0, 64), 0);
}
END_TEST

/* ---- Offsets ------------------------------------------------------------ */

static const struct {
    int64_t offset;
    uint32_t whence;
    uint32_t error;
    uint64_t place;
} seeks[] = {
    {3, 0, 0, 3},
    {0, 0, 0, 0},
    {-1, 0, RUNTIME__WASI_EINVAL, 0},
    {INT64_MAX, 0, RUNTIME__WASI_EINVAL, 0}, /* more than ext4 or tmpfs has */
    {-1, 1, 0, 4},
    {-5, 1, 0, 0},
    {-6, 1, RUNTIME__WASI_EINVAL, 0},
    {100, 1, 0, 105},
    {0, 2, 0, 10},
    {-10, 2, 0, 0},
    {-11, 2, RUNTIME__WASI_EINVAL, 0},
    {7, 2, 0, 17},
    {0, 3, RUNTIME__WASI_EINVAL, 0},
    {0, 255, RUNTIME__WASI_EINVAL, 0},
    {INT64_MIN, 1, RUNTIME__WASI_EINVAL, 0},
};

START_TEST(seeking_goes_from_three_places)
{
    wasi_host_write("file", "0123456789");
    uint32_t fd = wasi_open("file", 0, all);

    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 5, 0, 64), 0);
    uint32_t error = wasi_ask(fd_seek, fd, (uint64_t)seeks[_i].offset,
                              seeks[_i].whence, 64);
    /* Some file systems have files as long as that. */
    if (seeks[_i].offset == INT64_MAX && error == 0)
        return;
    ck_assert_uint_eq(error, seeks[_i].error);
    ck_assert_uint_eq(wasi_ask(fd_tell, fd, 80), 0);
    ck_assert_uint_eq(wasi_get_u64(80), error ? 5 : seeks[_i].place);
    ck_assert_uint_eq(wasi_get_u64(64), error ? 5 : seeks[_i].place);
}
END_TEST

START_TEST(the_place_has_to_lie_inside_or_nothing_moves)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 9, 0, WASI_PAGE - 7),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(wasi_ask(fd_tell, fd, UINT32_MAX),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(wasi_ask(fd_tell, fd, WASI_PAGE - 8), 0);
    ck_assert_uint_eq(wasi_get_u64(WASI_PAGE - 8), 0);
}
END_TEST

START_TEST(what_is_no_file_cannot_be_sought_in)
{
    for (uint32_t whence = 0; whence < 3; whence++)
        ck_assert_uint_eq(wasi_ask(fd_seek, 0, 0, whence, 64),
                          RUNTIME__WASI_ESPIPE);
    ck_assert_uint_eq(wasi_ask(fd_seek, 0, 0, 3, 64), RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(wasi_ask(fd_tell, 1, 64), RUNTIME__WASI_ESPIPE);
    ck_assert_uint_eq(wasi_ask(fd_seek, 3, 0, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_tell, 3, 64), RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

START_TEST(seeking_takes_a_right_and_telling_a_smaller_one)
{
    uint32_t fd = wasi_open("file", 1, RUNTIME__RIGHT_FD_TELL);

    ck_assert_uint_eq(wasi_ask(fd_tell, fd, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 0, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 1, 1, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    fd = wasi_open("file", 0, 0);
    ck_assert_uint_eq(wasi_ask(fd_tell, fd, 64), RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

/* ---- Status ------------------------------------------------------------- */

START_TEST(the_status_tells_type_flags_and_rights)
{
    uint8_t *memory = wasi_world.memory;

    memset(memory, 0xa5, 300);
    wasi_ask(fd_close, 1);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 0, 100), 0);
    ck_assert_uint_eq(memory[100], RUNTIME__FILETYPE_UNKNOWN);
    ck_assert_uint_eq(wasi_get_u64(108), 1 << 1 | 1 << 3 | 1 << 21 | 1 << 27);
    ck_assert_uint_eq(wasi_get_u64(116), 0);
    ck_assert_uint_eq(memory[124], 0xa5);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 2, 100), 0);
    ck_assert_uint_eq(wasi_get_u64(108), 1 << 6 | 1 << 3 | 1 << 21 | 1 << 27);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 3, 100), 0);
    ck_assert_uint_eq(memory[100], RUNTIME__FILETYPE_DIRECTORY);
    ck_assert_uint_eq(wasi_get_u64(108), WASI_RIGHTS_DIRECTORY);
    ck_assert_uint_eq(wasi_get_u64(116),
                      WASI_RIGHTS_DIRECTORY | WASI_RIGHTS_FILE);
    ck_assert_uint_eq(wasi_try_open("file", 0, 1, all,
                                    RUNTIME__FDFLAG_APPEND |
                                        RUNTIME__FDFLAG_SYNC),
                      0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 1, 100), 0);
    ck_assert_uint_eq(memory[100], RUNTIME__FILETYPE_REGULAR_FILE);
    ck_assert_uint_eq(memory[102], 17);
    ck_assert_uint_eq(wasi_get_u64(108), all);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 1, WASI_PAGE - 24), 0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 1, WASI_PAGE - 23),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(a_terminal_says_that_it_is_one)
{
    runtime__wasi_deinit(&wasi_world.wasi);
    wasi_world.wasi.streams.terminals = 2;
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 0, 100), 0);
    ck_assert_uint_eq(wasi_world.memory[100], RUNTIME__FILETYPE_UNKNOWN);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 1, 100), 0);
    ck_assert_uint_eq(wasi_world.memory[100],
                      RUNTIME__FILETYPE_CHARACTER_DEVICE);
}
END_TEST

START_TEST(two_flags_can_be_changed)
{
    uint32_t fd = wasi_open("file", 1, all);

    for (uint32_t flags = 0; flags < 33; flags++) {
        uint32_t expected = flags == 32   ? RUNTIME__WASI_EINVAL
                            : flags & 026 & ~4u ? RUNTIME__WASI_ENOTSUP
                            : flags & 8   ? RUNTIME__WASI_ENOTSUP
                                          : RUNTIME__WASI_SUCCESS;
        ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, flags), expected);
        ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, 1, flags), expected);
        ck_assert_uint_eq(wasi_ask(fd_fdstat_get, fd, 100), 0);
        if (!expected)
            ck_assert_uint_eq(wasi_world.memory[102], flags);
    }
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, UINT32_MAX),
                      RUNTIME__WASI_EINVAL);
    fd = wasi_open("file", 0, all & ~(uint64_t)8);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, 0),
                      RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

START_TEST(rights_are_given_up_and_never_got_back)
{
    uint64_t most = WASI_RIGHTS_DIRECTORY & ~(uint64_t)(1 << 9);

    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, 3, UINT64_MAX, 0),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, 3, 0, UINT64_MAX),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, 3, most, 2), 0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, 3, 100), 0);
    ck_assert_uint_eq(wasi_get_u64(108), most);
    ck_assert_uint_eq(wasi_get_u64(116), 2);
    ck_assert_uint_eq(
        wasi_ask(fd_fdstat_set_rights, 3, WASI_RIGHTS_DIRECTORY, 2),
        RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, 3, most, 3),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(
        wasi_ask(path_create_directory, 3, WASI_TEXT(0, "name")),
        RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

/* ---- Directories that were given ---------------------------------------- */

START_TEST(a_directory_that_was_given_has_a_name)
{
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 3, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
    ck_assert_uint_eq(wasi_get_u32(68), 1);
    memcpy(wasi_world.memory + 100, "xxxx", 4);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, 3, 100, 0),
                      RUNTIME__WASI_ENAMETOOLONG);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, 3, 100, 4), 0);
    ck_assert_mem_eq(wasi_world.memory + 100, "/xxx", 4);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, 3, WASI_PAGE - 1, 1), 0);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, 3, WASI_PAGE, 1),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 3, WASI_PAGE - 8), 0);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 3, WASI_PAGE - 7),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(nothing_else_has)
{
    uint32_t fds[] = {0, 2, wasi_open("file", 1, all),
                      wasi_open_directory(".")};

    for (size_t i = 0; i < 4; i++) {
        ck_assert_uint_eq(wasi_ask(fd_prestat_get, fds[i], 64),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, fds[i], 64, 9),
                          RUNTIME__WASI_EBADF);
    }
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_loop_test(tests, what_is_not_open_is_not_there, 0, 7);
    tcase_add_test(tests,
                   what_is_closed_stays_closed_until_its_place_is_taken);
    tcase_add_test(tests, renumbering_moves_what_there_is);
    tcase_add_loop_test(tests, seeking_goes_from_three_places, 0,
                        sizeof(seeks) / sizeof(seeks[0]));
    tcase_add_test(tests, the_place_has_to_lie_inside_or_nothing_moves);
    tcase_add_test(tests, what_is_no_file_cannot_be_sought_in);
    tcase_add_test(tests, seeking_takes_a_right_and_telling_a_smaller_one);
    tcase_add_test(tests, the_status_tells_type_flags_and_rights);
    tcase_add_test(tests, a_terminal_says_that_it_is_one);
    tcase_add_test(tests, two_flags_can_be_changed);
    tcase_add_test(tests, rights_are_given_up_and_never_got_back);
    tcase_add_test(tests, a_directory_that_was_given_has_a_name);
    tcase_add_test(tests, nothing_else_has);
}

WORLD_MAIN("wasi_fd", add_tests)
