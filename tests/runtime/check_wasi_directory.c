/* check_wasi_directory.c - tests of runtime/wasi_directory.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { buffer = 1024, used_at = 64, entry_bytes = 24 };

/* What a walk through a directory has found. */
static struct {
    char name[64];
    uint64_t number;
    uint64_t next;
    uint8_t type;
} found[128];
static size_t found_count;

/* Adds the whole entries of a buffer; returns the cookie behind the last. */
static uint64_t
add_entries(uint32_t used, uint64_t cookie)
{
    uint32_t at = buffer;

    while (at + entry_bytes <= buffer + used) {
        uint32_t name_bytes = wasi_get_u32(at + 16);
        if (at + entry_bytes + name_bytes > buffer + used)
            break;
        ck_assert_uint_lt(found_count, 128);
        found[found_count].next = cookie = wasi_get_u64(at);
        found[found_count].number = wasi_get_u64(at + 8);
        found[found_count].type = wasi_world.memory[at + 20];
        snprintf(found[found_count].name, 64, "%.*s", (int)name_bytes,
                 (const char *)wasi_world.memory + at + entry_bytes);
        found_count++;
        at += entry_bytes + name_bytes;
    }
    return cookie;
}

/* Walks with a buffer of this size until it is not filled. */
static void
walk(uint32_t fd, uint32_t capacity, uint64_t cookie)
{
    uint32_t used;

    found_count = 0;
    do {
        ck_assert_uint_eq(
            wasi_ask(fd_readdir, fd, buffer, capacity, cookie, used_at), 0);
        used = wasi_get_u32(used_at);
        ck_assert_uint_le(used, capacity);
        uint64_t next = add_entries(used, cookie);
        ck_assert(next != cookie || used < capacity);
        cookie = next;
    } while (used == capacity);
}

static size_t
find(const char *name)
{
    for (size_t i = 0; i < found_count; i++)
        if (!strcmp(found[i].name, name))
            return i;
    ck_abort_msg("there is no %s", name);
}

START_TEST(an_empty_directory_has_two_entries)
{
    struct stat info;

    ck_assert_int_eq(stat(wasi_world.directory, &info), 0);
    walk(3, 4096, 0);
    ck_assert_uint_eq(found_count, 2);
    ck_assert_uint_eq(found[find(".")].number, info.st_ino);
    ck_assert_uint_eq(found[find(".")].type, RUNTIME__FILETYPE_DIRECTORY);
    /* As at a root: what is above is not told. */
    ck_assert_uint_eq(found[find("..")].number, info.st_ino);
}
END_TEST

START_TEST(entries_tell_names_types_and_numbers)
{
    struct stat info;

    wasi_host_write("file", "");
    ck_assert_int_eq(mkdir(wasi_host_path("directory"), 0700), 0);
    ck_assert_int_eq(symlink("nowhere", wasi_host_path("link")), 0);
    ck_assert_int_eq(mkfifo(wasi_host_path("pipe"), 0600), 0);
    walk(3, 4096, 0);
    ck_assert_uint_eq(found_count, 6);
    ck_assert_uint_eq(found[find("file")].type,
                      RUNTIME__FILETYPE_REGULAR_FILE);
    ck_assert_uint_eq(found[find("directory")].type,
                      RUNTIME__FILETYPE_DIRECTORY);
    ck_assert_uint_eq(found[find("link")].type,
                      RUNTIME__FILETYPE_SYMBOLIC_LINK);
    ck_assert_uint_eq(found[find("pipe")].type, RUNTIME__FILETYPE_UNKNOWN);
    ck_assert_int_eq(stat(wasi_host_path("file"), &info), 0);
    ck_assert_uint_eq(found[find("file")].number, info.st_ino);
}
END_TEST

/* The smallest has room for one entry of the names below. */
static const uint32_t capacities[] = {entry_bytes + 7, 32, 100, 333, 4096,
                                      WASI_PAGE - buffer};

START_TEST(a_walk_in_pieces_finds_each_entry_once)
{
    char name[32];

    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "file-%02d", i);
        wasi_host_write(name, "");
    }
    walk(3, capacities[_i], 0);
    ck_assert_uint_eq(found_count, 102);
    for (int i = 0; i < 100; i++) {
        snprintf(name, sizeof(name), "file-%02d", i);
        find(name);
    }
}
END_TEST

START_TEST(a_cookie_goes_on_behind_its_entry)
{
    char last[64];

    wasi_host_write("one", "");
    wasi_host_write("two", "");
    walk(3, 4096, 0);
    ck_assert_uint_eq(found_count, 4);
    strcpy(last, found[3].name);
    uint64_t cookie = found[2].next;
    uint64_t end = found[3].next;
    walk(3, 4096, cookie);
    ck_assert_uint_eq(found_count, 1);
    ck_assert_str_eq(found[0].name, last);
    walk(3, 4096, end);
    ck_assert_uint_eq(found_count, 0);
    walk(3, 4096, 0);
    ck_assert_uint_eq(found_count, 4);
}
END_TEST

START_TEST(a_cookie_that_is_none_is_no_crash)
{
    static const uint64_t cookies[] = {1, 12345, INT64_MAX,
                                       (uint64_t)INT64_MAX + 1, UINT64_MAX};

    for (size_t i = 0; i < 5; i++) {
        uint32_t error = wasi_ask(fd_readdir, 3, buffer, 4096, cookies[i],
                                  used_at);
        ck_assert(error == 0 || error == RUNTIME__WASI_EINVAL);
    }
}
END_TEST

START_TEST(a_full_buffer_cuts_the_last_entry)
{
    for (uint32_t capacity = 0; capacity < entry_bytes + 2; capacity++) {
        wasi_world.memory[buffer + capacity] = 0xa5;
        ck_assert_uint_eq(
            wasi_ask(fd_readdir, 3, buffer, capacity, 0, used_at), 0);
        ck_assert_uint_eq(wasi_get_u32(used_at), capacity);
        ck_assert_uint_eq(wasi_world.memory[buffer + capacity], 0xa5);
    }
}
END_TEST

START_TEST(buffer_and_result_have_to_lie_inside)
{
    ck_assert_uint_eq(
        wasi_ask(fd_readdir, 3, WASI_PAGE - 100, 100, 0, used_at), 0);
    ck_assert_uint_eq(
        wasi_ask(fd_readdir, 3, WASI_PAGE - 100, 101, 0, used_at),
        RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(wasi_ask(fd_readdir, 3, 1, UINT32_MAX, 0, used_at),
                      RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(
        wasi_ask(fd_readdir, 3, buffer, 100, 0, WASI_PAGE - 4), 0);
    ck_assert_uint_eq(
        wasi_ask(fd_readdir, 3, buffer, 100, 0, WASI_PAGE - 3),
        RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(only_a_directory_that_may_be_read_is)
{
    uint32_t file = wasi_open("file", 1, WASI_RIGHTS_FILE);

    ck_assert_uint_eq(wasi_ask(fd_readdir, file, buffer, 100, 0, used_at),
                      RUNTIME__WASI_ENOTDIR);
    ck_assert_uint_eq(wasi_ask(fd_readdir, 0, buffer, 100, 0, used_at),
                      RUNTIME__WASI_ENOTDIR);
    ck_assert_uint_eq(wasi_ask(fd_readdir, 99, buffer, 100, 0, used_at),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_rights, 3, 0, 0), 0);
    ck_assert_uint_eq(wasi_ask(fd_readdir, 3, buffer, 100, 0, used_at),
                      RUNTIME__WASI_ENOTCAPABLE);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, an_empty_directory_has_two_entries);
    tcase_add_test(tests, entries_tell_names_types_and_numbers);
    tcase_add_loop_test(tests, a_walk_in_pieces_finds_each_entry_once, 0,
                        sizeof(capacities) / sizeof(capacities[0]));
    tcase_add_test(tests, a_cookie_goes_on_behind_its_entry);
    tcase_add_test(tests, a_cookie_that_is_none_is_no_crash);
    tcase_add_test(tests, a_full_buffer_cuts_the_last_entry);
    tcase_add_test(tests, buffer_and_result_have_to_lie_inside);
    tcase_add_test(tests, only_a_directory_that_may_be_read_is);
}

WORLD_MAIN("wasi_directory", add_tests)
