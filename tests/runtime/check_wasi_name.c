/* check_wasi_name.c - tests of runtime/wasi_name.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Two texts at 0 and 500, as pairs of address and length. */
#define FIRST(text) WASI_TEXT(0, text)
#define SECOND(text) WASI_TEXT(500, text)

static void
check_text(const char *path, const char *expected)
{
    char *text = wasi_host_read(path);

    ck_assert_str_eq(text, expected);
    free(text);
}

static void
set_up(void)
{
    wasi_world_open();
    wasi_host_write("file", "text");
    ck_assert_int_eq(mkdir(wasi_host_path("directory"), 0700), 0);
    wasi_host_write("directory/other", "other");
    ck_assert_int_eq(mkdir(wasi_host_path("empty"), 0700), 0);
    ck_assert_int_eq(symlink("file", wasi_host_path("link")), 0);
    ck_assert_int_eq(symlink("nowhere", wasi_host_path("dangling")), 0);
}

/* ---- Making and removing ------------------------------------------------ */

static const struct {
    const char *path;
    uint32_t make, unlink, remove; /* each in a fresh world */
} names[] = {
    {"new", 0, RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT},
    {"new/", 0, RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT},
    {"directory/new", 0, RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT},
    {"new/new", RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT,
     RUNTIME__WASI_ENOENT},
    {"file", RUNTIME__WASI_EEXIST, 0, RUNTIME__WASI_ENOTDIR},
    {"file/", RUNTIME__WASI_EEXIST, RUNTIME__WASI_ENOTDIR,
     RUNTIME__WASI_ENOTDIR},
    {"file/new", RUNTIME__WASI_ENOTDIR, RUNTIME__WASI_ENOTDIR,
     RUNTIME__WASI_ENOTDIR},
    {"directory", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EISDIR,
     RUNTIME__WASI_ENOTEMPTY},
    {"empty", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EISDIR, 0},
    {"empty///", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EISDIR, 0},
    {"link", RUNTIME__WASI_EEXIST, 0, RUNTIME__WASI_ENOTDIR},
    {"dangling", RUNTIME__WASI_EEXIST, 0, RUNTIME__WASI_ENOTDIR},
    {".", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EISDIR, RUNTIME__WASI_EINVAL},
    {"empty/..", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EISDIR,
     RUNTIME__WASI_ENOTEMPTY},
};

enum { name_count = sizeof(names) / sizeof(names[0]) };

START_TEST(a_directory_is_made)
{
    const char *path = names[_i].path;

    ck_assert_uint_eq(wasi_ask(path_create_directory, 3,
                               wasi_put_text(0, path), strlen(path)),
                      names[_i].make);
}
END_TEST

START_TEST(a_file_is_removed)
{
    const char *path = names[_i].path;

    ck_assert_uint_eq(wasi_ask(path_unlink_file, 3, wasi_put_text(0, path),
                               strlen(path)),
                      names[_i].unlink);
    ck_assert_int_eq(wasi_host_exists(path),
                     names[_i].make == RUNTIME__WASI_EEXIST &&
                         names[_i].unlink != 0 && strcmp(path, "file/"));
}
END_TEST

START_TEST(a_directory_is_removed)
{
    const char *path = names[_i].path;

    ck_assert_uint_eq(wasi_ask(path_remove_directory, 3,
                               wasi_put_text(0, path), strlen(path)),
                      names[_i].remove);
}
END_TEST

/* ---- Renaming ----------------------------------------------------------- */

static const struct {
    const char *from, *to;
    uint32_t error;
} renames[] = {
    {"file", "new", 0},
    {"file", "directory/other", 0},
    {"file", "file", 0},
    {"file", "directory", RUNTIME__WASI_EISDIR},
    {"file", "new/", RUNTIME__WASI_ENOTDIR},
    {"file/", "new", RUNTIME__WASI_ENOTDIR},
    {"directory", "new", 0},
    {"directory/", "new/", 0},
    {"directory", "empty", 0},
    {"empty", "directory", RUNTIME__WASI_ENOTEMPTY},
    {"empty", "file", RUNTIME__WASI_ENOTDIR},
    {"empty", "empty/below", RUNTIME__WASI_EINVAL},
    {"none", "new", RUNTIME__WASI_ENOENT},
    {"file", "none/new", RUNTIME__WASI_ENOENT},
    {"link", "new", 0},
    {".", "new", RUNTIME__WASI_EBUSY},
    {"file", ".", RUNTIME__WASI_EBUSY},
};

START_TEST(a_name_is_changed)
{
    const char *from = renames[_i].from;
    const char *to = renames[_i].to;

    ck_assert_uint_eq(wasi_ask(path_rename, 3, wasi_put_text(0, from),
                               strlen(from), 3, wasi_put_text(500, to),
                               strlen(to)),
                      renames[_i].error);
    if (!renames[_i].error && strcmp(from, to))
        ck_assert(wasi_host_exists(to) && !wasi_host_exists(from));
}
END_TEST

START_TEST(a_name_moves_between_directories)
{
    uint32_t directory = wasi_open_directory("directory");

    ck_assert_uint_eq(wasi_ask(path_rename, 3, FIRST("file"), directory,
                               SECOND("moved")),
                      0);
    check_text("directory/moved", "text");
    ck_assert_uint_eq(wasi_ask(path_link, directory, 0, FIRST("moved"), 3,
                               SECOND("again")),
                      0);
    check_text("again", "text");
}
END_TEST

/* ---- Links -------------------------------------------------------------- */

static const struct {
    const char *from, *to;
    uint32_t error, followed;
} links[] = {
    {"file", "new", 0, 0},
    {"link", "new", 0, 0},
    {"dangling", "new", 0, RUNTIME__WASI_ENOENT},
    {"file", "file", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EEXIST},
    {"file", "directory", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EEXIST},
    {"file", "dangling", RUNTIME__WASI_EEXIST, RUNTIME__WASI_EEXIST},
    {"file", "new/", RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT},
    {"directory", "new", RUNTIME__WASI_EPERM, RUNTIME__WASI_EPERM},
    {"directory/", "new", RUNTIME__WASI_EPERM, RUNTIME__WASI_EPERM},
    {"file/", "new", RUNTIME__WASI_ENOTDIR, RUNTIME__WASI_ENOTDIR},
    {"none", "new", RUNTIME__WASI_ENOENT, RUNTIME__WASI_ENOENT},
};

START_TEST(a_file_gets_another_name)
{
    const char *from = links[_i / 2].from;
    const char *to = links[_i / 2].to;
    uint32_t expected =
        _i % 2 ? links[_i / 2].followed : links[_i / 2].error;
    struct stat info;

    ck_assert_uint_eq(wasi_ask(path_link, 3, (uint64_t)(_i % 2),
                               wasi_put_text(0, from), strlen(from), 3,
                               wasi_put_text(500, to), strlen(to)),
                      expected);
    if (expected)
        return;
    ck_assert_int_eq(lstat(wasi_host_path(to), &info), 0);
    /* Linked is the link, or what it leads to. */
    ck_assert_int_eq(S_ISLNK(info.st_mode),
                     _i % 2 == 0 && strcmp(from, "file") != 0);
}
END_TEST

START_TEST(flags_of_a_link_are_known_ones)
{
    ck_assert_uint_eq(wasi_ask(path_link, 3, 2, FIRST("file"), 3,
                               SECOND("new")),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(wasi_ask(path_link, 3, UINT32_MAX, FIRST("file"), 3,
                               SECOND("new")),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

static const struct {
    const char *text, *path;
    uint32_t error;
} symlinks[] = {
    {"file", "new", 0},
    {"../nowhere", "directory/new", 0},
    {"file", "file", RUNTIME__WASI_EEXIST},
    {"file", "directory/", RUNTIME__WASI_EEXIST},
    {"file", "new/", RUNTIME__WASI_ENOENT},
    {"file", "none/new", RUNTIME__WASI_ENOENT},
    {"/etc/passwd", "new", RUNTIME__WASI_ENOTCAPABLE},
    {"/", "new", RUNTIME__WASI_ENOTCAPABLE},
    {"", "new", RUNTIME__WASI_ENOENT},
};

START_TEST(a_symbolic_link_is_made)
{
    const char *text = symlinks[_i].text;
    const char *path = symlinks[_i].path;
    char read[64] = {0};

    ck_assert_uint_eq(wasi_ask(path_symlink, wasi_put_text(0, text),
                               strlen(text), 3, wasi_put_text(500, path),
                               strlen(path)),
                      symlinks[_i].error);
    if (symlinks[_i].error)
        return;
    ck_assert_int_gt(readlink(wasi_host_path(path), read, 63), 0);
    ck_assert_str_eq(read, text);
}
END_TEST

static const struct {
    const char *path;
    uint32_t capacity, error, length;
} reads[] = {
    {"link", 100, 0, 4},
    {"link", 4, 0, 4},
    {"link", 3, 0, 3},
    {"link", 0, 0, 0},
    {"dangling", 100, 0, 7},
    {"file", 100, RUNTIME__WASI_EINVAL, 0},
    {"directory", 100, RUNTIME__WASI_EINVAL, 0},
    {"link/", 100, RUNTIME__WASI_ENOTDIR, 0},
    {"none", 100, RUNTIME__WASI_ENOENT, 0},
};

START_TEST(a_symbolic_link_is_read)
{
    const char *path = reads[_i].path;

    memset(wasi_world.memory + 1000, 0xa5, 200);
    wasi_put_u32(2000, 77);
    ck_assert_uint_eq(wasi_ask(path_readlink, 3, wasi_put_text(0, path),
                               strlen(path), 1000, reads[_i].capacity, 2000),
                      reads[_i].error);
    ck_assert_uint_eq(wasi_get_u32(2000),
                      reads[_i].error ? 77 : reads[_i].length);
    ck_assert_uint_eq(wasi_world.memory[1000 + reads[_i].length], 0xa5);
    if (reads[_i].length)
        ck_assert_mem_eq(wasi_world.memory + 1000,
                         path[0] == 'l' ? "file" : "nowhere",
                         reads[_i].length);
}
END_TEST

START_TEST(what_is_read_has_to_lie_inside)
{
    wasi_put_text(0, "link");
    ck_assert_uint_eq(
        wasi_ask(path_readlink, 3, 0, 4, WASI_PAGE - 4, 4, 2000), 0);
    ck_assert_uint_eq(
        wasi_ask(path_readlink, 3, 0, 4, WASI_PAGE - 4, 5, 2000),
        RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(
        wasi_ask(path_readlink, 3, 0, 4, 1000, 4, WASI_PAGE - 3),
        RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_get, 3, 0, 0, 4, WASI_PAGE - 64), 0);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_get, 3, 0, 0, 4, WASI_PAGE - 63),
        RUNTIME__WASI_EFAULT);
}
END_TEST

/* ---- Status, rights ----------------------------------------------------- */

START_TEST(times_are_set_by_path)
{
    wasi_put_text(0, "link");
    ck_assert_uint_eq(
        wasi_ask(path_filestat_set_times, 3, 1, 0, 4, 5, 6, 5), 0);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_set_times, 3, 0, 0, 4, 7, 8, 5), 0);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 1, 0, 4, 1000), 0);
    ck_assert_uint_eq(wasi_get_u64(1040), 5);
    ck_assert_uint_eq(wasi_get_u64(1048), 6);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 0, 0, 4, 1000), 0);
    ck_assert_uint_eq(wasi_get_u64(1048), 8);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_set_times, 3, 1, 0, 4, 5, 6, 3),
        RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(each_function_needs_its_right)
{
    uint32_t none = wasi_open_directory(".");

    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, none, 0, 0), 0);
    wasi_put_text(0, "file");
    wasi_put_text(500, "new");
    uint32_t errors[] = {
        wasi_ask(path_create_directory, none, 500, 3),
        wasi_ask(path_remove_directory, none, 0, 4),
        wasi_ask(path_unlink_file, none, 0, 4),
        wasi_ask(path_rename, none, 0, 4, 3, 500, 3),
        wasi_ask(path_rename, 3, 0, 4, none, 500, 3),
        wasi_ask(path_link, none, 0, 0, 4, 3, 500, 3),
        wasi_ask(path_link, 3, 0, 0, 4, none, 500, 3),
        wasi_ask(path_symlink, 0, 4, none, 500, 3),
        wasi_ask(path_readlink, none, 0, 4, 1000, 9, 2000),
        wasi_ask(path_filestat_get, none, 0, 0, 4, 1000),
        wasi_ask(path_filestat_set_times, none, 0, 0, 4, 0, 0, 0),
    };
    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
        ck_assert_uint_eq(errors[i], RUNTIME__WASI_ENOTCAPABLE);
    check_text("file", "text");
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, wasi_world_close);
    tcase_add_loop_test(tests, a_directory_is_made, 0, name_count);
    tcase_add_loop_test(tests, a_file_is_removed, 0, name_count);
    tcase_add_loop_test(tests, a_directory_is_removed, 0, name_count);
    tcase_add_loop_test(tests, a_name_is_changed, 0,
                        sizeof(renames) / sizeof(renames[0]));
    tcase_add_test(tests, a_name_moves_between_directories);
    tcase_add_loop_test(tests, a_file_gets_another_name, 0,
                        2 * sizeof(links) / sizeof(links[0]));
    tcase_add_test(tests, flags_of_a_link_are_known_ones);
    tcase_add_loop_test(tests, a_symbolic_link_is_made, 0,
                        sizeof(symlinks) / sizeof(symlinks[0]));
    tcase_add_loop_test(tests, a_symbolic_link_is_read, 0,
                        sizeof(reads) / sizeof(reads[0]));
    tcase_add_test(tests, what_is_read_has_to_lie_inside);
    tcase_add_test(tests, times_are_set_by_path);
    tcase_add_test(tests, each_function_needs_its_right);
}

WORLD_MAIN("wasi_name", add_tests)
