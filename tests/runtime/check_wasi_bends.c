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
#define WASI(name, signature) RUNTIME__WASI_ROW(name, signature)
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

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_loop_test(tests, nothing_but_an_errno_comes_of_it, 0,
                        row_count);
    tcase_add_loop_test(tests, without_a_memory_nothing_is_written, 0,
                        row_count);
}

WORLD_MAIN("wasi_bends", add_tests)
