/*
 * check_wasi_bends.c - every function of WASI with every pointer and length at
 * and beyond the ends of the memory: an errno or the end of the program, and
 * never anything else. The sanitizers watch.
 */
#include "runtime/hostcalls.h"
#include "runtime/wasi_preopen.h"
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const uint64_t bends[] = {
    0,
    1,
    2,
    3,
    4,
    5,
    8,
    64,
    1024,
    1025,
    WASI_PAGE - 64,
    WASI_PAGE - 8,
    WASI_PAGE - 4,
    WASI_PAGE - 1,
    WASI_PAGE,
    WASI_PAGE + 1,
    INT32_MAX,
    (uint64_t)INT32_MAX + 1,
    UINT32_MAX - 7,
    UINT32_MAX - 1,
    UINT32_MAX,
};
static const uint64_t longs[] = {
    0, 1, 1 << 1 | 1 << 6, 1 << 13, INT64_MAX, (uint64_t)INT64_MAX + 1,
    UINT64_MAX, WASI_RIGHTS_FILE, WASI_RIGHTS_DIRECTORY,
};

enum {
    bend_count = sizeof(bends) / sizeof(bends[0]),
    long_count = sizeof(longs) / sizeof(longs[0]),
    rounds = 200,
};

static const struct runtime__hostcall rows[] = {
#define WASI(name, signature, price) RUNTIME__WASI_ROW(name, signature)
#include "runtime/wasi.inc"
#undef WASI
};

enum { row_count = sizeof(rows) / sizeof(rows[0]) };

static uint64_t state;

/* xorshift: the same numbers in each run. */
static uint32_t
any(uint32_t count)
{
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return (uint32_t)(state >> 11) % count;
}

/* Texts, ranges and numbers for those pointers that are good ones. */
static void
fill_memory(void)
{
    for (uint32_t i = 0; i + 4 <= WASI_PAGE; i += 4)
        wasi_put_u32(i, (uint32_t)bends[any(bend_count)]);
    wasi_put_text(0, "a/b");
    wasi_put_text(64, "..");
    wasi_put_text(1024, "link");
}

/* One call; `slots` are as many as the parameters, and one at least. */
static void
ask_row(const struct runtime__hostcall *row)
{
    union gvm_value slots[9] = {{.slot = 0}};
    const char *letter = row->signature + 2;

    for (size_t i = 0; letter[i] != ')'; i++)
        slots[i].slot = letter[i] == 'i' ? bends[any(bend_count)]
                                         : longs[any(long_count)];
    /* Most calls are about something that is open. */
    if (any(4) > 0 && strcmp(row->name, "path_symlink"))
        slots[0].slot = any(6);
    enum gvm_status status = row->function(NULL, &wasi_world.wasi, slots);
    if (status == GVM_OK)
        ck_assert_msg(slots[0].slot <= RUNTIME__WASI_ENOTCAPABLE,
                      "%s: %llu", row->name,
                      (unsigned long long)slots[0].slot);
    else
        ck_assert_msg(status == GVM_EXITED, "%s: %d", row->name, status);
}

static void
open_all(void)
{
    struct runtime_directory directory = {wasi_world.directory, "/", false};

    ck_assert_int_eq(
        runtime__wasi_preopen(&wasi_world.wasi, -1, &directory, NULL),
        RUNTIME_OK);
    wasi_open("file", 1, WASI_RIGHTS_FILE);
    wasi_open_directory("a");
}

/* The one that waits comes back, by a deadline that has passed. */
static void
end_waits(const struct runtime__hostcall *row)
{
    if (!strcmp(row->name, "poll_oneoff"))
        wasi_world.wasi.deadline_ns = 1;
}

START_TEST(nothing_but_an_errno_comes_of_it)
{
    state = 88172645463325252u + (uint64_t)_i;
    ck_assert_int_eq(mkdir(wasi_host_path("a"), 0700), 0);
    end_waits(&rows[_i]);
    for (int round = 0; round < rounds; round++) {
        runtime__wasi_deinit(&wasi_world.wasi);
        mkdir(wasi_host_path("a"), 0700);
        open_all();
        fill_memory();
        for (int i = 0; i < 20; i++)
            ask_row(&rows[_i]);
    }
}
END_TEST

START_TEST(without_a_memory_nothing_is_written)
{
    end_waits(&rows[_i]);
    state = 1;
    wasi_world.wasi.memory = NULL;
    for (int i = 0; i < rounds; i++)
        ask_row(&rows[_i]);
}
END_TEST

/* ---- Each range, one by one --------------------------------------------- */

/*
 * Every range of every function: P is where it begins, L its length, or it has
 * always the same. The other arguments are good ones: 3 is a directory, 4 a
 * file, at 50 is the path ".", at 600 and 700 there is room.
 */
static const struct {
    gvm_host_function *function;
    const char *arguments;
    uint32_t fixed; /* 0: L */
} ranges[] = {
    {runtime__wasi_args_get, "P 600", 4},
    {runtime__wasi_args_get, "600 P", 2},
    {runtime__wasi_args_sizes_get, "P 600", 4},
    {runtime__wasi_args_sizes_get, "600 P", 4},
    {runtime__wasi_environ_get, "P 600", 4},
    {runtime__wasi_environ_get, "600 P", 2},
    {runtime__wasi_environ_sizes_get, "P 600", 4},
    {runtime__wasi_environ_sizes_get, "600 P", 4},
    {runtime__wasi_clock_res_get, "0 P", 8},
    {runtime__wasi_clock_time_get, "1 0 P", 8},
    {runtime__wasi_fd_fdstat_get, "3 P", 24},
    {runtime__wasi_fd_filestat_get, "3 P", 64},
    {runtime__wasi_fd_filestat_get, "0 P", 64},
    {runtime__wasi_fd_pread, "4 P 1 0 600", 8},
    {runtime__wasi_fd_pread, "4 700 0 0 P", 4},
    {runtime__wasi_fd_prestat_get, "3 P", 8},
    {runtime__wasi_fd_prestat_dir_name, "3 P 9", 1},
    {runtime__wasi_fd_pwrite, "4 P 1 0 600", 8},
    {runtime__wasi_fd_pwrite, "4 700 0 0 P", 4},
    {runtime__wasi_fd_read, "4 P 1 600", 8},
    {runtime__wasi_fd_read, "0 P 1 600", 8},
    {runtime__wasi_fd_read, "4 700 0 P", 4},
    {runtime__wasi_fd_readdir, "3 P L 0 600", 0},
    {runtime__wasi_fd_readdir, "3 700 9 0 P", 4},
    {runtime__wasi_fd_seek, "4 0 0 P", 8},
    {runtime__wasi_fd_tell, "4 P", 8},
    {runtime__wasi_fd_write, "4 P 1 600", 8},
    {runtime__wasi_fd_write, "1 P 1 600", 8},
    {runtime__wasi_fd_write, "1 700 0 P", 4},
    {runtime__wasi_path_create_directory, "3 P L", 0},
    {runtime__wasi_path_filestat_get, "3 0 P L 600", 0},
    {runtime__wasi_path_filestat_get, "3 0 50 1 P", 64},
    {runtime__wasi_path_filestat_set_times, "3 0 P L 0 0 0", 0},
    {runtime__wasi_path_link, "3 0 P L 3 50 1", 0},
    {runtime__wasi_path_link, "3 0 50 1 3 P L", 0},
    {runtime__wasi_path_open, "3 0 P L 0 0 0 0 600", 0},
    {runtime__wasi_path_open, "3 0 50 1 0 0 0 0 P", 4},
    {runtime__wasi_path_readlink, "3 P L 700 9 600", 0},
    {runtime__wasi_path_readlink, "3 50 1 P L 600", 0},
    {runtime__wasi_path_readlink, "3 50 1 700 9 P", 4},
    {runtime__wasi_path_remove_directory, "3 P L", 0},
    {runtime__wasi_path_rename, "3 P L 3 50 1", 0},
    {runtime__wasi_path_rename, "3 50 1 3 P L", 0},
    {runtime__wasi_path_symlink, "P L 3 50 1", 0},
    {runtime__wasi_path_symlink, "50 1 3 P L", 0},
    {runtime__wasi_path_unlink_file, "3 P L", 0},
    {runtime__wasi_poll_oneoff, "P 700 1 600", 48},
    {runtime__wasi_poll_oneoff, "800 P 1 600", 32},
    {runtime__wasi_poll_oneoff, "800 700 1 P", 4},
    {runtime__wasi_random_get, "P L", 0},
};

enum { range_count = sizeof(ranges) / sizeof(ranges[0]) };

/* The errno of range `i` when it is this one. */
static uint32_t
ask_range(size_t i, uint32_t pointer, uint32_t length)
{
    union gvm_value slots[9] = {{.slot = 0}};
    const char *text = ranges[i].arguments;

    memset(wasi_world.memory, 0, WASI_PAGE);
    wasi_put_text(50, ".");
    for (size_t argument = 0; *text; argument++) {
        char *end = (char *)(uintptr_t)text + 1;
        slots[argument].slot = *text == 'P'   ? pointer
                               : *text == 'L' ? length
                                              : strtoul(text, &end, 10);
        text = *end ? end + 1 : end;
    }
    ck_assert_int_eq(ranges[i].function(NULL, &wasi_world.wasi, slots),
                     GVM_OK);
    return slots[0].i32;
}

START_TEST(a_range_that_leaves_the_memory_is_a_fault_and_no_other)
{
    uint32_t length = ranges[_i].fixed ? ranges[_i].fixed : 2;
    bool fixed = ranges[_i].fixed > 0;
    const struct {
        uint32_t pointer, length;
        bool inside;
    } cases[] = {
        {WASI_PAGE - length - 1, length, true},
        {WASI_PAGE - length, length, true},
        {WASI_PAGE - length + 1, length, false},
        {WASI_PAGE, length, false},
        {INT32_MAX, length, false},
        {UINT32_MAX - length, length, false},
        {UINT32_MAX - length + 1, length, false}, /* it ends at 2^32 */
        {UINT32_MAX - length / 2, length, false}, /* and here beyond */
        {UINT32_MAX, length, false},
        {0, UINT32_MAX, fixed},
        {1, UINT32_MAX, fixed},
        {1000, UINT32_MAX - 999, fixed},
        {WASI_PAGE, 0, !fixed},
        {WASI_PAGE + 1, 0, false},
    };
    struct runtime__texts texts = {0};

    ck_assert(runtime__texts_append(&texts, "x", NULL, NULL));
    wasi_world.wasi.arguments = &texts;
    wasi_world.wasi.environment = &texts;
    ck_assert_uint_eq(wasi_open("file", 1, WASI_RIGHTS_FILE), 4);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        uint32_t error =
            ask_range((size_t)_i, cases[i].pointer, cases[i].length);
        ck_assert_msg((error == RUNTIME__WASI_EFAULT) == !cases[i].inside,
                      "range %d, %s at %u of %u: %u", _i,
                      ranges[_i].arguments, cases[i].pointer,
                      cases[i].length, error);
    }
    runtime__texts_deinit(&texts);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_loop_test(
        tests, a_range_that_leaves_the_memory_is_a_fault_and_no_other, 0,
        range_count);
    tcase_add_loop_test(tests, nothing_but_an_errno_comes_of_it, 0,
                        row_count);
    tcase_add_loop_test(tests, without_a_memory_nothing_is_written, 0,
                        row_count);
}

WORLD_MAIN("wasi_bends", add_tests)
