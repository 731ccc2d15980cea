/* check_files.c - tests of runtime/files.c. */
#include "runtime/files.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[64];
static int directory;

static void
open_directory(void)
{
    world_directory_make(path);
    ck_assert_int_eq(
        runtime__files_open_directory(AT_FDCWD, path, &directory, NULL),
        RUNTIME_OK);
}

static void
close_directory(void)
{
    close(directory);
    world_directory_remove(path);
}

START_TEST(what_is_written_is_read)
{
    uint8_t *bytes;
    size_t length_bytes;

    ck_assert_int_eq(
        runtime__files_write(directory, "f", "a\0b", 3, NULL), RUNTIME_OK);
    ck_assert_int_eq(runtime__files_read(directory, "f", 3, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_OK);
    ck_assert_uint_eq(length_bytes, 3);
    ck_assert_mem_eq(bytes, "a\0b", 4);
    free(bytes);
    /* Nothing unfinished stays. */
    ck_assert_int_ne(
        faccessat(directory, "f" RUNTIME__FILES_UNFINISHED, F_OK, 0), 0);
}
END_TEST

START_TEST(a_write_that_does_not_wait_is_read_as_well)
{
    uint8_t *bytes;
    size_t length_bytes;

    runtime__files_write(directory, "f", "before", 6, NULL);
    ck_assert_int_eq(
        runtime__files_write_unsynced(directory, "f", "now", 3, NULL),
        RUNTIME_OK);
    ck_assert_int_eq(runtime__files_read(directory, "f", 3, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_OK);
    ck_assert_mem_eq(bytes, "now", 4);
    free(bytes);
    ck_assert_int_eq(
        runtime__files_write_unsynced(directory, "no/f", "x", 1, NULL),
        RUNTIME_SYSTEM);
}
END_TEST

START_TEST(a_write_replaces_the_whole_file)
{
    uint8_t *bytes;
    size_t length_bytes;

    runtime__files_write(directory, "f", "a long text", 11, NULL);
    ck_assert_int_eq(runtime__files_write(directory, "f", "b", 1, NULL),
                     RUNTIME_OK);
    runtime__files_read(directory, "f", 100, &bytes, &length_bytes, NULL);
    ck_assert_uint_eq(length_bytes, 1);
    free(bytes);
    ck_assert_int_eq(runtime__files_write(directory, "f", NULL, 0, NULL),
                     RUNTIME_OK);
    runtime__files_read(directory, "f", 0, &bytes, &length_bytes, NULL);
    ck_assert_uint_eq(length_bytes, 0);
    free(bytes);
}
END_TEST

START_TEST(a_file_longer_than_asked_for_is_refused)
{
    uint8_t *bytes = NULL;
    size_t length_bytes;

    runtime__files_write(directory, "f", "1234", 4, NULL);
    ck_assert_int_eq(runtime__files_read(directory, "f", 3, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_TOO_BIG);
    ck_assert_ptr_null(bytes);
}
END_TEST

START_TEST(what_is_not_there_is_not_found_and_removed_already)
{
    uint8_t *bytes;
    size_t length_bytes;

    ck_assert_int_eq(runtime__files_read(directory, "f", 9, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_NOT_FOUND);
    ck_assert_int_eq(runtime__files_remove(directory, "f", NULL), RUNTIME_OK);
    runtime__files_write(directory, "f", "x", 1, NULL);
    ck_assert_int_eq(runtime__files_remove(directory, "f", NULL), RUNTIME_OK);
    ck_assert_int_eq(runtime__files_read(directory, "f", 9, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_NOT_FOUND);
}
END_TEST

START_TEST(what_is_no_regular_file_is_not_waited_for)
{
    uint8_t *bytes;
    size_t length_bytes;
    struct runtime_error err;

    ck_assert_int_eq(mkfifoat(directory, "pipe", 0600), 0);
    ck_assert_int_eq(runtime__files_read(directory, "pipe", 9, &bytes,
                                         &length_bytes, &err),
                     RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "pipe"));
}
END_TEST

START_TEST(a_write_that_fails_leaves_the_old_file)
{
    uint8_t *bytes;
    size_t length_bytes;
    struct runtime_error err;

    /* The place of the unfinished file is taken by a directory. */
    runtime__files_write(directory, "f", "old", 3, NULL);
    ck_assert_int_eq(
        mkdirat(directory, "f" RUNTIME__FILES_UNFINISHED, 0700), 0);
    ck_assert_int_eq(runtime__files_write(directory, "f", "new", 3, &err),
                     RUNTIME_SYSTEM);
    ck_assert_int_eq(runtime__files_read(directory, "f", 9, &bytes,
                                         &length_bytes, NULL),
                     RUNTIME_OK);
    ck_assert_mem_eq(bytes, "old", 3);
    free(bytes);
}
END_TEST

START_TEST(a_write_that_comes_to_nothing_leaves_nothing)
{
    /* A file cannot take the place of a directory. */
    ck_assert_int_eq(mkdirat(directory, "f", 0700), 0);
    ck_assert_int_eq(runtime__files_write(directory, "f", "x", 1, NULL),
                     RUNTIME_SYSTEM);
    ck_assert_int_ne(
        faccessat(directory, "f" RUNTIME__FILES_UNFINISHED, F_OK, 0), 0);
}
END_TEST

START_TEST(a_directory_is_made_once_and_a_file_is_none)
{
    int first, second;
    struct runtime_error err;

    ck_assert_int_eq(
        runtime__files_open_directory(directory, "d", &first, NULL),
        RUNTIME_OK);
    ck_assert_int_eq(
        runtime__files_open_directory(directory, "d", &second, NULL),
        RUNTIME_OK);
    close(first);
    close(second);
    runtime__files_write(directory, "f", "x", 1, NULL);
    ck_assert_int_eq(
        runtime__files_open_directory(directory, "f", &first, &err),
        RUNTIME_SYSTEM);
    ck_assert_int_eq(
        runtime__files_open_directory(directory, "no/d", &first, &err),
        RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "no/d"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_directory, close_directory);
    tcase_add_test(tests, what_is_written_is_read);
    tcase_add_test(tests, a_write_that_does_not_wait_is_read_as_well);
    tcase_add_test(tests, a_write_replaces_the_whole_file);
    tcase_add_test(tests, a_file_longer_than_asked_for_is_refused);
    tcase_add_test(tests,
                   what_is_not_there_is_not_found_and_removed_already);
    tcase_add_test(tests, what_is_no_regular_file_is_not_waited_for);
    tcase_add_test(tests, a_write_that_fails_leaves_the_old_file);
    tcase_add_test(tests, a_write_that_comes_to_nothing_leaves_nothing);
    tcase_add_test(tests, a_directory_is_made_once_and_a_file_is_none);
}

WORLD_MAIN("files", add_tests)
