/* check_wasi_open.c - tests of runtime/wasi_open.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { create = 1, directory = 2, exclusive = 4, truncate_it = 8 };

static const uint64_t all = WASI_RIGHTS_FILE;
static const uint64_t reads = RUNTIME__RIGHT_FD_READ;
static const uint64_t writes = RUNTIME__RIGHT_FD_WRITE;

static void
set_up(void)
{
    wasi_world_open();
    wasi_host_write("file", "text");
    ck_assert_int_eq(mkdir(wasi_host_path("directory"), 0700), 0);
}

static const struct {
    const char *path;
    uint32_t flags;
    uint64_t rights;
    uint32_t error;
} opens[] = {
    {"file", 0, 0, 0},
    {"file", create, 0, 0},
    {"file", create | exclusive, 0, RUNTIME__WASI_EEXIST},
    {"file", directory, 0, RUNTIME__WASI_ENOTDIR},
    {"none", 0, 0, RUNTIME__WASI_ENOENT},
    {"none", create, 0, 0},
    {"none", create | exclusive, 0, 0},
    {"none/", create, 0, RUNTIME__WASI_EISDIR},
    {"none/none", create, 0, RUNTIME__WASI_ENOENT},
    {"directory", 0, 0, 0},
    {"directory", directory, 1 << 1, 0},
    {"directory", directory, 1 << 6, RUNTIME__WASI_EISDIR},
    {"directory", 0, 1 << 1 | 1 << 6, RUNTIME__WASI_EISDIR},
    {"directory", create, 0, RUNTIME__WASI_EISDIR},
    {"directory", create | directory, 0, RUNTIME__WASI_EINVAL},
    {"file", 16, 0, RUNTIME__WASI_EINVAL},
    {"file", UINT32_MAX, 0, RUNTIME__WASI_EINVAL},
    {"file", 0, UINT64_C(1) << 40, RUNTIME__WASI_ENOTCAPABLE},
    {"file", 0, 1 << 28, RUNTIME__WASI_ENOTCAPABLE},
};

START_TEST(opening_does_what_its_flags_say)
{
    ck_assert_uint_eq(wasi_try_open(opens[_i].path, 0, opens[_i].flags,
                                    opens[_i].rights, 0),
                      opens[_i].error);
}
END_TEST

START_TEST(truncating_makes_a_file_empty)
{
    static const uint64_t rights[] = {0, 1 << 1, 1 << 6, 1 << 1 | 1 << 6};

    for (size_t i = 0; i < 4; i++) {
        wasi_host_write("file", "text");
        uint32_t fd = wasi_open("file", truncate_it, rights[i]);
        char *text = wasi_host_read("file");
        ck_assert_str_eq(text, "");
        free(text);
        ck_assert_uint_eq(wasi_ask(fd_close, fd), 0);
    }
}
END_TEST

START_TEST(what_is_made_has_the_usual_mode)
{
    struct stat info;

    umask(027);
    wasi_open("new", create, 0);
    ck_assert_int_eq(stat(wasi_host_path("new"), &info), 0);
    ck_assert_uint_eq(info.st_mode & 07777, 0640);
}
END_TEST

/* How the host was asked decides, whatever the table says. */
START_TEST(the_host_is_asked_for_no_more_than_the_rights)
{
    static const struct {
        uint64_t rights;
        int mode;
    } modes[] = {
        {0, O_RDONLY},
        {1 << 1, O_RDONLY},
        {1 << 0 | 1 << 2 | 1 << 4 | 1 << 21, O_RDONLY},
        {1 << 6, O_WRONLY},
        {1 << 8, O_WRONLY},
        {1 << 22, O_WRONLY},
        {1 << 1 | 1 << 6, O_RDWR},
    };
    struct runtime__wasi_descriptor *descriptor;

    for (size_t i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
        uint32_t fd = wasi_open("file", 0, modes[i].rights);
        ck_assert_uint_eq(
            runtime__wasi_table_get(&wasi_world.wasi, fd, 0, &descriptor),
            0);
        ck_assert_int_eq(
            fcntl(descriptor->number, F_GETFL) & O_ACCMODE, modes[i].mode);
    }
}
END_TEST

static const struct {
    uint32_t flags;
    int host;
} flags[] = {
    {0, 0},
    {RUNTIME__FDFLAG_APPEND, O_APPEND},
    {RUNTIME__FDFLAG_DSYNC, O_DSYNC},
    {RUNTIME__FDFLAG_SYNC, O_SYNC},
    {RUNTIME__FDFLAG_RSYNC, O_RSYNC},
    {RUNTIME__FDFLAG_NONBLOCK, 0},
    {RUNTIME__FDFLAGS_ALL, O_APPEND | O_SYNC},
};

START_TEST(flags_of_a_descriptor_are_the_hosts)
{
    struct runtime__wasi_descriptor *descriptor;

    ck_assert_uint_eq(
        wasi_try_open("file", 0, 0, all, flags[_i].flags), 0);
    ck_assert_uint_eq(
        runtime__wasi_table_get(&wasi_world.wasi, 4, 0, &descriptor), 0);
    int host = fcntl(descriptor->number, F_GETFL);
    ck_assert_int_eq(host & (O_APPEND | O_SYNC | O_DSYNC), flags[_i].host);
    ck_assert_uint_eq(descriptor->flags, flags[_i].flags);
    ck_assert_uint_eq(wasi_try_open("file", 0, 0, all, 32),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(wasi_try_open("file", 2, 0, all, 0),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(rights_are_those_that_mean_something)
{
    uint32_t file = wasi_open("file", 0, all | RUNTIME__RIGHT_PATH_OPEN);

    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, file, 100), 0);
    ck_assert_uint_eq(wasi_get_u64(108), all);
    ck_assert_uint_eq(wasi_get_u64(116), 0);
    uint32_t fd = wasi_open("directory", 0, reads | 1 << 13 | 1 << 2);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, fd, 100), 0);
    ck_assert_uint_eq(wasi_get_u64(108), 1 << 13);
    ck_assert_int_eq(mkfifo(wasi_host_path("pipe"), 0600), 0);
    fd = wasi_open("pipe", 0, all & ~writes & ~(uint64_t)(1 << 8 | 1 << 22));
    ck_assert_uint_eq(wasi_ask(fd_fdstat_get, fd, 100), 0);
    ck_assert_uint_eq(wasi_get_u64(108) & (1 << 2 | 1 << 5), 0);
}
END_TEST

START_TEST(rights_are_handed_down_and_never_grow)
{
    uint32_t fd;

    ck_assert_uint_eq(
        wasi_ask(path_open, 3, 0, WASI_TEXT(0, "directory"), directory,
                 1 << 13, reads, 0, 1000),
        0);
    fd = wasi_get_u32(1000);
    wasi_host_write("directory/other", "other");
    wasi_put_text(0, "other");
    ck_assert_uint_eq(wasi_ask(path_open, fd, 0, 0, 5, 0, reads, 0, 0, 1000),
                      0);
    ck_assert_uint_eq(
        wasi_ask(path_open, fd, 0, 0, 5, 0, writes, 0, 0, 1000),
        RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(
        wasi_ask(path_open, fd, 0, 0, 5, 0, 0, writes, 0, 1000),
        RUNTIME__WASI_ENOTCAPABLE);
    /* To make, to empty and to synchronise takes more. */
    ck_assert_uint_eq(
        wasi_ask(path_open, fd, 0, 0, 5, create, 0, 0, 0, 1000),
        RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(
        wasi_ask(path_open, fd, 0, 0, 5, truncate_it, 0, 0, 0, 1000),
        RUNTIME__WASI_ENOTCAPABLE);
    for (uint32_t flag = 2; flag <= 16; flag *= 2)
        ck_assert_uint_eq(
            wasi_ask(path_open, fd, 0, 0, 5, 0, 0, 0, flag, 1000),
            flag == 4 ? 0 : RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, fd, 0, 0), 0);
    ck_assert_uint_eq(wasi_ask(path_open, fd, 0, 0, 5, 0, 0, 0, 0, 1000),
                      RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

START_TEST(the_result_has_to_lie_inside_or_nothing_is_made)
{
    wasi_put_text(0, "new");
    ck_assert_uint_eq(wasi_ask(path_open, 3, 0, 0, 3, create, 0, 0, 0,
                               WASI_PAGE - 3),
                      RUNTIME__WASI_EFAULT);
    ck_assert(!wasi_host_exists("new"));
    ck_assert_uint_eq(wasi_ask(path_open, 3, 0, 0, 3, create, 0, 0, 0,
                               WASI_PAGE - 4),
                      0);
    ck_assert(wasi_host_exists("new"));
}
END_TEST

START_TEST(a_pipe_does_not_hold_up_who_opens_it)
{
    ck_assert_int_eq(mkfifo(wasi_host_path("pipe"), 0600), 0);
    ck_assert_uint_eq(wasi_try_open("pipe", 0, 0, writes, 0),
                      RUNTIME__WASI_ENXIO);
    ck_assert_uint_eq(wasi_try_open("pipe", 0, 0, reads, 0), 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, wasi_world_close);
    tcase_add_loop_test(tests, opening_does_what_its_flags_say, 0,
                        sizeof(opens) / sizeof(opens[0]));
    tcase_add_test(tests, truncating_makes_a_file_empty);
    tcase_add_test(tests, what_is_made_has_the_usual_mode);
    tcase_add_test(tests, the_host_is_asked_for_no_more_than_the_rights);
    tcase_add_loop_test(tests, flags_of_a_descriptor_are_the_hosts, 0,
                        sizeof(flags) / sizeof(flags[0]));
    tcase_add_test(tests, rights_are_those_that_mean_something);
    tcase_add_test(tests, rights_are_handed_down_and_never_grow);
    tcase_add_test(tests, the_result_has_to_lie_inside_or_nothing_is_made);
    tcase_add_test(tests, a_pipe_does_not_hold_up_who_opens_it);
}

WORLD_MAIN("wasi_open", add_tests)
