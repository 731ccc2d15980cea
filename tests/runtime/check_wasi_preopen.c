/* check_wasi_preopen.c - tests of runtime/wasi_preopen.c. */
#include "runtime/wasi_preopen.h"
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

static struct runtime_error err;

static enum runtime_status
preopen(const char *host, const char *guest, bool read_only)
{
    struct runtime_directory directory = {host, guest, read_only};

    return runtime__wasi_preopen(&wasi_world.wasi, -1, &directory, &err);
}

START_TEST(directories_are_descriptors_from_3_on)
{
    char host[64];

    strcpy(host, wasi_world.directory);
    ck_assert_int_eq(preopen(host, "a name", false), RUNTIME_OK);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 4, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(68), 6);
    ck_assert_uint_eq(wasi_ask(fd_prestat_dir_name, 4, 100, 6), 0);
    ck_assert_mem_eq(wasi_world.memory + 100, "a name", 6);
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 5, 64), RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(what_is_no_directory_is_refused_with_its_name)
{
    wasi_host_write("file", "");
    ck_assert_int_eq(preopen(wasi_host_path("none"), "/x", false),
                     RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "/none'"));
    ck_assert_ptr_nonnull(strstr(err.message, "No such file"));
    ck_assert_int_eq(preopen(wasi_host_path("file"), "/x", false),
                     RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "Not a directory"));
    ck_assert_uint_eq(wasi_ask(fd_prestat_get, 4, 64), RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(a_path_below_a_root_does_not_leave_it)
{
    static const struct {
        const char *host, *message; /* NULL: it is opened */
    } paths[] = {
        {"in", NULL},
        {"./in/../in", NULL},
        {".", NULL},
        {"..", "outside"},
        {"in/../..", "outside"},
        {"/tmp", "outside"},
        {"in/none", "No such file"},
    };
    int root;
    int fd;

    ck_assert_int_eq(mkdir(wasi_host_path("in"), 0700), 0);
    struct runtime_directory directory = {wasi_world.directory, "", true};
    ck_assert_int_eq(
        runtime__wasi_open_directory(-1, &directory, &root, &err),
        RUNTIME_OK);
    for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
        directory.host = paths[i].host;
        enum runtime_status status =
            runtime__wasi_open_directory(root, &directory, &fd, &err);
        ck_assert_int_eq(status,
                         paths[i].message ? RUNTIME_SYSTEM : RUNTIME_OK);
        if (paths[i].message)
            ck_assert_ptr_nonnull(strstr(err.message, paths[i].message));
        else
            close(fd);
    }
    close(root);
}
END_TEST

/* Every function that changes something, in a directory to be read. */
START_TEST(in_a_directory_to_read_nothing_changes)
{
    struct stat before, after;

    wasi_host_write("file", "text");
    ck_assert_int_eq(mkdir(wasi_host_path("directory"), 0700), 0);
    ck_assert_int_eq(stat(wasi_world.directory, &before), 0);
    ck_assert_int_eq(preopen(wasi_world.directory, "/read", true),
                     RUNTIME_OK);
    wasi_put_text(0, "file");
    wasi_put_text(100, "new");
    wasi_put_text(200, "directory");
    uint32_t errors[] = {
        wasi_ask(path_create_directory, 4, 100, 3),
        wasi_ask(path_remove_directory, 4, 200, 9),
        wasi_ask(path_unlink_file, 4, 0, 4),
        wasi_ask(path_rename, 4, 0, 4, 4, 100, 3),
        wasi_ask(path_rename, 4, 0, 4, 3, 100, 3),
        wasi_ask(path_link, 4, 0, 0, 4, 4, 100, 3),
        wasi_ask(path_link, 4, 0, 0, 4, 3, 100, 3),
        wasi_ask(path_symlink, 0, 4, 4, 100, 3),
        wasi_ask(path_filestat_set_times, 4, 0, 0, 4, 0, 0, 5),
        wasi_ask(fd_filestat_set_times, 4, 0, 0, 5),
        wasi_ask(path_open, 4, 0, 100, 3, 1, 0, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 0, 4, 8, 0, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 0, 4, 0, 1 << 6, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 0, 4, 0, 1 << 8, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 0, 4, 0, 1 << 22, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 0, 4, 0, 1 << 23, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 200, 9, 2, 1 << 9, 0, 0, 1000),
        wasi_ask(path_open, 4, 0, 200, 9, 2, 0, 1 << 6, 0, 1000),
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        ck_assert_msg(errors[i] == RUNTIME__WASI_ENOTCAPABLE, "%zu: %u", i,
                      errors[i]);
    ck_assert_int_eq(stat(wasi_world.directory, &after), 0);
    ck_assert_int_eq(after.st_mtim.tv_nsec, before.st_mtim.tv_nsec);
    /* But it is read. */
    ck_assert_uint_eq(
        wasi_ask(path_open, 4, 0, 0, 4, 0, 1 << 1 | 1 << 2, 0, 0, 1000), 0);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 4, 0, 0, 4, 1000), 0);
    ck_assert_uint_eq(wasi_ask(fd_readdir, 4, 2000, 1000, 0, 1000), 0);
}
END_TEST

START_TEST(the_table_is_full_at_some_time)
{
    struct rlimit room = {4096, 4096};
    uint32_t count = 4;

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &room), 0);
    while (count < RUNTIME_WASI_DESCRIPTORS_MAX) {
        ck_assert_int_eq(preopen(".", ".", false), RUNTIME_OK);
        count++;
    }
    ck_assert_int_eq(preopen(".", ".", false), RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(err.message, "1021"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, directories_are_descriptors_from_3_on);
    tcase_add_test(tests, what_is_no_directory_is_refused_with_its_name);
    tcase_add_test(tests, a_path_below_a_root_does_not_leave_it);
    tcase_add_test(tests, in_a_directory_to_read_nothing_changes);
    tcase_add_test(tests, the_table_is_full_at_some_time);
}

WORLD_MAIN("wasi_preopen", add_tests)
