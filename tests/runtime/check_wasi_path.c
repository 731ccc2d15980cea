/*
 * check_wasi_path.c - tests of runtime/wasi_path.c: that no path leaves its
 * directory, whatever is asked with it.
 */
#define _GNU_SOURCE 1 /* renameat2 */

#include "runtime/wasi_path.h"
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char outside[64]; /* a directory beside the world's, with a file */

/*
 *     inside/file, inside/up -> .., inside/out -> ../../OUTSIDE
 *     absolute -> /tmp, back -> inside/up/inside, loop -> loop
 */
static void
set_up(void)
{
    char text[128];

    wasi_world_open();
    world_directory_make(outside);
    snprintf(text, sizeof(text), "%s/secret", outside);
    whole_file_write_text(text, "secret");
    ck_assert_int_eq(mkdir(wasi_host_path("inside"), 0700), 0);
    wasi_host_write("inside/file", "text");
    ck_assert_int_eq(symlink("..", wasi_host_path("inside/up")), 0);
    snprintf(text, sizeof(text), "../../%s", outside);
    ck_assert_int_eq(symlink(text, wasi_host_path("inside/out")), 0);
    ck_assert_int_eq(symlink("/tmp", wasi_host_path("absolute")), 0);
    ck_assert_int_eq(symlink("inside/up/inside", wasi_host_path("back")), 0);
    ck_assert_int_eq(symlink("loop", wasi_host_path("loop")), 0);
}

static void
tear_down(void)
{
    wasi_world_close();
    world_directory_remove(outside);
}

/* Paths that name inside/file, and those that leave. */
static const struct {
    const char *path;
    uint32_t error;
} paths[] = {
    {"inside/file", 0},
    {"./inside//./file", 0},
    {"inside/../inside/file", 0},
    {"inside/up/inside/file", 0},
    {"back/file", 0},
    {"back/../inside/file", 0},
    {"..", RUNTIME__WASI_ENOTCAPABLE},
    {"../", RUNTIME__WASI_ENOTCAPABLE},
    {"/", RUNTIME__WASI_ENOTCAPABLE},
    {"//", RUNTIME__WASI_ENOTCAPABLE},
    {"/inside/file", RUNTIME__WASI_ENOTCAPABLE},
    {"inside/../../x", RUNTIME__WASI_ENOTCAPABLE},
    {"inside/up/..", RUNTIME__WASI_ENOTCAPABLE},
    {"inside/out/secret", RUNTIME__WASI_ENOTCAPABLE},
    {"inside/out/", RUNTIME__WASI_ENOTCAPABLE},
    {"absolute/x", RUNTIME__WASI_ENOTCAPABLE},
    {"loop/x", RUNTIME__WASI_ELOOP},
    {"inside/file/", RUNTIME__WASI_ENOTDIR},
    {"inside/file/x", RUNTIME__WASI_ENOTDIR},
    {"inside/none", RUNTIME__WASI_ENOENT},
    {"none/..", RUNTIME__WASI_ENOENT},
    {"", RUNTIME__WASI_ENOENT},
    {"inside/fi\0le", RUNTIME__WASI_EINVAL},
};

/* The length that ends a path; one of them has a zero inside. */
static uint32_t
path_bytes(int i)
{
    return paths[i].error == RUNTIME__WASI_EINVAL
               ? 12
               : (uint32_t)strlen(paths[i].path);
}

START_TEST(paths_are_resolved_below_their_directory)
{
    uint32_t length = path_bytes(_i);

    memcpy(wasi_world.memory, paths[_i].path, length);
    ck_assert_uint_eq(wasi_ask(path_open, 3, 1, 0, length, 0,
                               WASI_RIGHTS_FILE, 0, 0, 1000),
                      paths[_i].error);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 1, 0, length, 1000),
                      paths[_i].error);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_set_times, 3, 1, 0, length, 0, 0, 5),
        paths[_i].error);
}
END_TEST

/* The same for what makes or removes a name: nothing outside may change. */
static const char *const leaving[] = {
    "..",       "../",         "../name",       "/",
    "/tmp/x",   "inside/out/", "inside/out/x",  "inside/out/secret",
    "absolute/x", "inside/up/../x", "inside/../..",
    "inside/up/inside/up/..",
};

START_TEST(no_name_is_made_or_removed_outside)
{
    const char *path = leaving[_i];
    uint32_t length = (uint32_t)strlen(path);
    char secret[128];

    wasi_put_text(0, path);
    wasi_put_text(500, "inside/file");
    uint32_t errors[] = {
        wasi_ask(path_create_directory, 3, 0, length),
        wasi_ask(path_remove_directory, 3, 0, length),
        wasi_ask(path_unlink_file, 3, 0, length),
        wasi_ask(path_rename, 3, 0, length, 3, 500, 11),
        wasi_ask(path_rename, 3, 500, 11, 3, 0, length),
        wasi_ask(path_link, 3, 0, 0, length, 3, 500, 11),
        wasi_ask(path_link, 3, 1, 0, length, 3, 500, 11),
        wasi_ask(path_link, 3, 0, 500, 11, 3, 0, length),
        wasi_ask(path_symlink, 500, 11, 3, 0, length),
        wasi_ask(path_readlink, 3, 0, length, 1000, 100, 2000),
    };

    for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
        /* "inside/out/" names the link itself to some of them. */
        bool link = !strcmp(path, "inside/out/");
        ck_assert_msg(errors[i] == RUNTIME__WASI_ENOTCAPABLE ||
                          (link && errors[i] != 0),
                      "%zu with %s: %u", i, path, errors[i]);
    }
    snprintf(secret, sizeof(secret), "%s/secret", outside);
    ck_assert_int_eq(access(secret, F_OK), 0);
    snprintf(secret, sizeof(secret), "%s/x", outside);
    ck_assert_int_ne(access(secret, F_OK), 0);
    ck_assert(wasi_host_exists("inside/file"));
    ck_assert(wasi_host_exists("inside/out"));
}
END_TEST

/* Exchanges a directory and a link that leads outside, again and again. */
static void *
exchange(void *stop)
{
    char one[600];
    char other[600];

    snprintf(one, sizeof(one), "%s/inside/out", wasi_world.directory);
    snprintf(other, sizeof(other), "%s/inside/in", wasi_world.directory);
    while (!atomic_load((atomic_bool *)stop))
        renameat2(AT_FDCWD, one, AT_FDCWD, other, RENAME_EXCHANGE);
    return NULL;
}

START_TEST(nobody_who_renames_lets_a_path_leave)
{
    static atomic_bool stop;
    pthread_t thread;
    uint32_t found = 0;
    uint32_t refused = 0;

    /* inside/out/secret is outside, or the empty file of inside/in. */
    ck_assert_int_eq(mkdir(wasi_host_path("inside/in"), 0700), 0);
    wasi_host_write("inside/in/secret", "");
    wasi_put_text(0, "inside/out/secret");
    wasi_put_text(100, "inside/out/new");
    ck_assert_int_eq(pthread_create(&thread, NULL, exchange, &stop), 0);
    for (int i = 0; i < 5000; i++) {
        uint32_t error = wasi_ask(path_filestat_get, 3, 1, 0, 17, 1000);
        if (error == RUNTIME__WASI_ENOTCAPABLE)
            refused++;
        if (error == 0)
            ck_assert_uint_eq(wasi_get_u64(1032), 0);
        found += error == 0;
        wasi_ask(path_create_directory, 3, 100, 14);
        wasi_ask(path_remove_directory, 3, 100, 14);
    }
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    ck_assert_uint_gt(found + refused, 0);
    char made[128];
    snprintf(made, sizeof(made), "%s/new", outside);
    ck_assert_int_ne(access(made, F_OK), 0);
}
END_TEST

START_TEST(the_last_link_is_followed_only_when_asked)
{
    ck_assert_int_eq(symlink("file", wasi_host_path("inside/link")), 0);
    wasi_put_text(0, "inside/link");
    ck_assert_uint_eq(wasi_ask(path_open, 3, 0, 0, 11, 0, 0, 0, 0, 1000),
                      RUNTIME__WASI_ELOOP);
    ck_assert_uint_eq(wasi_ask(path_open, 3, 1, 0, 11, 0, 0, 0, 0, 1000), 0);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 0, 0, 11, 1000), 0);
    ck_assert_uint_eq(wasi_world.memory[1016],
                      RUNTIME__FILETYPE_SYMBOLIC_LINK);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 1, 0, 11, 1000), 0);
    ck_assert_uint_eq(wasi_world.memory[1016],
                      RUNTIME__FILETYPE_REGULAR_FILE);
    ck_assert_uint_eq(wasi_ask(path_filestat_get, 3, 2, 0, 11, 1000),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_set_times, 3, 2, 0, 11, 0, 0, 0),
        RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(a_path_has_a_longest_length)
{
    enum { longest = RUNTIME_WASI_PATH_BYTES_MAX };

    /* Slashes and dots up to the limit, and then a name that there is. */
    memset(wasi_world.memory, '/', longest + 1);
    memcpy(wasi_world.memory, "inside", 6);
    memcpy(wasi_world.memory + longest - 4, "file/", 5);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_get, 3, 0, 0, longest, 20000), 0);
    ck_assert_uint_eq(
        wasi_ask(path_filestat_get, 3, 0, 0, longest + 1, 20000),
        RUNTIME__WASI_ENAMETOOLONG);
    ck_assert_uint_eq(
        wasi_ask(path_create_directory, 3, 0, longest + 1),
        RUNTIME__WASI_ENAMETOOLONG);
    /* The kernel's own limit for one name. */
    memset(wasi_world.memory, 'a', 256);
    ck_assert_uint_eq(wasi_ask(path_create_directory, 3, 0, 256),
                      RUNTIME__WASI_ENAMETOOLONG);
    ck_assert_uint_eq(wasi_ask(path_create_directory, 3, 0, 255), 0);
}
END_TEST

START_TEST(a_path_has_to_lie_inside_the_memory)
{
    static const uint32_t pairs[][2] = {
        {WASI_PAGE - 3, 4}, {WASI_PAGE, 1}, {WASI_PAGE + 1, 0},
        {UINT32_MAX, 1},    {1, UINT32_MAX}, {UINT32_MAX, UINT32_MAX},
    };

    for (size_t i = 0; i < 6; i++) {
        uint64_t at = pairs[i][0];
        uint64_t length = pairs[i][1];
        ck_assert_uint_eq(wasi_ask(path_create_directory, 3, at, length),
                          RUNTIME__WASI_EFAULT);
        ck_assert_uint_eq(
            wasi_ask(path_open, 3, 0, at, length, 0, 0, 0, 0, 64),
            RUNTIME__WASI_EFAULT);
    }
    wasi_put_text(WASI_PAGE - 3, "abc");
    ck_assert_uint_eq(
        wasi_ask(path_create_directory, 3, WASI_PAGE - 3, 3), 0);
    ck_assert_uint_eq(wasi_ask(path_create_directory, 3, WASI_PAGE, 0),
                      RUNTIME__WASI_ENOENT);
}
END_TEST

START_TEST(only_a_directory_is_a_place_to_begin)
{
    uint32_t file = wasi_open("inside/file", 0, WASI_RIGHTS_FILE);

    wasi_put_text(0, "x");
    ck_assert_uint_eq(wasi_ask(path_create_directory, file, 0, 1),
                      RUNTIME__WASI_ENOTDIR);
    ck_assert_uint_eq(wasi_ask(path_create_directory, 1, 0, 1),
                      RUNTIME__WASI_ENOTDIR);
    ck_assert_uint_eq(wasi_ask(path_create_directory, 99, 0, 1),
                      RUNTIME__WASI_EBADF);
    /* One that was opened is a fence as well. */
    uint32_t inside = wasi_open_directory("inside");
    ck_assert_uint_eq(
        wasi_ask(path_create_directory, inside, WASI_TEXT(0, "../x")),
        RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(
        wasi_ask(path_create_directory, inside, WASI_TEXT(0, "x")), 0);
    ck_assert(wasi_host_exists("inside/x"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_loop_test(tests, paths_are_resolved_below_their_directory, 0,
                        sizeof(paths) / sizeof(paths[0]));
    tcase_add_loop_test(tests, no_name_is_made_or_removed_outside, 0,
                        sizeof(leaving) / sizeof(leaving[0]));
    tcase_add_test(tests, nobody_who_renames_lets_a_path_leave);
    tcase_add_test(tests, the_last_link_is_followed_only_when_asked);
    tcase_add_test(tests, a_path_has_a_longest_length);
    tcase_add_test(tests, a_path_has_to_lie_inside_the_memory);
    tcase_add_test(tests, only_a_directory_is_a_place_to_begin);
}

WORLD_MAIN("wasi_path", add_tests)
