/*
 * check_wasi_io.c - tests of runtime/wasi_io.c. What a C library makes of it is
 * tested in check_program.c.
 */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const uint64_t all = WASI_RIGHTS_FILE;

/* What the streams were given, or give. */
static char moved[64];
static size_t moved_bytes;
static int error;

static ptrdiff_t
read_input(void *data, void *buffer, size_t capacity_bytes)
{
    size_t left = strlen(data) - moved_bytes;
    size_t count = left < capacity_bytes ? left : capacity_bytes;

    if (error)
        return -error;
    memcpy(buffer, (char *)data + moved_bytes, count);
    moved_bytes += count;
    return (ptrdiff_t)count;
}

static ptrdiff_t
write_output(void *data, const void *bytes, size_t length_bytes)
{
    (void)data;
    if (error && moved_bytes > 0)
        return -error;
    memcpy(moved + moved_bytes, bytes, length_bytes);
    moved_bytes += length_bytes;
    return (ptrdiff_t)length_bytes;
}

static void
set_up(void)
{
    wasi_world_open();
    wasi_world.wasi.streams = (struct runtime_streams){
        .data = (void *)(uintptr_t) "the input",
        .read_input = read_input,
        .write_output = write_output,
        .write_error = write_output,
    };
}

/* Two ranges at 0: 3 bytes at 100 and 4 bytes at 200. The result is at 64. */
static void
put_ranges(void)
{
    wasi_put_u32(0, 100);
    wasi_put_u32(4, 3);
    wasi_put_u32(8, 200);
    wasi_put_u32(12, 4);
}

/* ---- Streams ------------------------------------------------------------ */

START_TEST(ranges_are_read_one_after_the_other)
{
    put_ranges();
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 7);
    ck_assert_mem_eq(wasi_world.memory + 100, "the\0", 4);
    ck_assert_mem_eq(wasi_world.memory + 200, " inp\0", 5);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 2);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
}
END_TEST

START_TEST(ranges_are_written_one_after_the_other)
{
    put_ranges();
    wasi_put_text(100, "abc");
    wasi_put_text(200, "defg");
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 7);
    ck_assert_uint_eq(wasi_ask(fd_write, 2, 0, 1, 64), 0);
    ck_assert_mem_eq(moved, "abcdefgabc", 10);
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 0, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
}
END_TEST

START_TEST(an_error_after_some_bytes_is_how_far_it_came)
{
    put_ranges();
    error = ENOSPC;
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 3);
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 2, 64), RUNTIME__WASI_ENOSPC);
    error = EIO;
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), RUNTIME__WASI_EIO);
}
END_TEST

START_TEST(a_bad_range_moves_nothing_at_all)
{
    put_ranges();
    wasi_put_u32(8, UINT32_MAX);
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 2, 64), RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), RUNTIME__WASI_EFAULT);
    ck_assert_uint_eq(moved_bytes, 0);
}
END_TEST

static const struct {
    uint32_t ranges, count, result;
    uint32_t expected;
} bends[] = {
    {WASI_PAGE - 8, 1, 64, RUNTIME__WASI_SUCCESS},
    {WASI_PAGE - 7, 1, 64, RUNTIME__WASI_EFAULT},
    {WASI_PAGE, 0, 64, RUNTIME__WASI_SUCCESS},
    {WASI_PAGE + 1, 0, 64, RUNTIME__WASI_EFAULT},
    {UINT32_MAX, 1, 64, RUNTIME__WASI_EFAULT},
    {UINT32_MAX - 7, 2, 64, RUNTIME__WASI_EFAULT},
    {1000, RUNTIME_WASI_RANGES_MAX, 64, RUNTIME__WASI_SUCCESS},
    {1000, RUNTIME_WASI_RANGES_MAX + 1, 64, RUNTIME__WASI_EINVAL},
    {1000, UINT32_MAX, 64, RUNTIME__WASI_EINVAL},
    {1000, 0, WASI_PAGE - 4, RUNTIME__WASI_SUCCESS},
    {1000, 0, WASI_PAGE - 3, RUNTIME__WASI_EFAULT},
    {1000, 0, UINT32_MAX, RUNTIME__WASI_EFAULT},
};

START_TEST(ranges_and_the_result_have_to_be_inside)
{
    uint32_t fd = wasi_open("file", 1, all);

    ck_assert_uint_eq(wasi_ask(fd_write, 1, bends[_i].ranges, bends[_i].count,
                               bends[_i].result),
                      bends[_i].expected);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, bends[_i].ranges, bends[_i].count,
                               bends[_i].result),
                      bends[_i].expected);
    ck_assert_uint_eq(wasi_ask(fd_read, fd, bends[_i].ranges,
                               bends[_i].count, bends[_i].result),
                      bends[_i].expected);
    ck_assert_uint_eq(wasi_ask(fd_pwrite, fd, bends[_i].ranges,
                               bends[_i].count, 0, bends[_i].result),
                      bends[_i].expected);
}
END_TEST

START_TEST(a_range_reaches_the_end_and_not_past_it)
{
    uint32_t fds[] = {1, wasi_open("file", 1, all)};

    for (size_t i = 0; i < 2; i++) {
        wasi_put_u32(0, WASI_PAGE - 3);
        wasi_put_u32(4, 3);
        ck_assert_uint_eq(wasi_ask(fd_write, fds[i], 0, 1, 64), 0);
        wasi_put_u32(4, 4);
        ck_assert_uint_eq(wasi_ask(fd_write, fds[i], 0, 1, 64),
                          RUNTIME__WASI_EFAULT);
        wasi_put_u32(0, 1);
        wasi_put_u32(4, UINT32_MAX);
        ck_assert_uint_eq(wasi_ask(fd_write, fds[i], 0, 1, 64),
                          RUNTIME__WASI_EFAULT);
        wasi_put_u32(0, WASI_PAGE);
        wasi_put_u32(4, 0);
        ck_assert_uint_eq(wasi_ask(fd_write, fds[i], 0, 1, 64), 0);
    }
}
END_TEST

START_TEST(each_stream_goes_one_way)
{
    ck_assert_uint_eq(wasi_ask(fd_read, 1, 0, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_write, 0, 0, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    for (uint32_t fd = 0; fd < 3; fd++) {
        ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 0, 0, 64),
                          RUNTIME__WASI_ESPIPE);
        ck_assert_uint_eq(wasi_ask(fd_pwrite, fd, 0, 0, 0, 64),
                          RUNTIME__WASI_ESPIPE);
    }
    ck_assert_uint_eq(wasi_ask(fd_read, 9, 0, 0, 64), RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(wasi_ask(fd_pwrite, 9, 0, 0, 0, 64),
                      RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(without_a_memory_every_range_is_outside)
{
    wasi_world.wasi.memory = NULL;
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 0, 0), RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(a_stream_without_a_function_is_empty_or_goes_nowhere)
{
    wasi_world.wasi.streams = (struct runtime_streams){0};
    put_ranges();
    ck_assert_uint_eq(wasi_ask(fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 7);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
}
END_TEST

/* ---- Files -------------------------------------------------------------- */

START_TEST(a_file_is_written_and_read_in_ranges)
{
    uint32_t fd = wasi_open("file", 1, all);

    put_ranges();
    wasi_put_text(100, "abc");
    wasi_put_text(200, "defg");
    ck_assert_uint_eq(wasi_ask(fd_write, fd, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 7);
    ck_assert_uint_eq(wasi_ask(fd_pwrite, fd, 0, 1, 5, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 3);
    char *text = wasi_host_read("file");
    ck_assert_str_eq(text, "abcdeabc");
    free(text);

    memset(wasi_world.memory + 100, 0, 200);
    ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 2, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 6);
    ck_assert_mem_eq(wasi_world.memory + 100, "cde\0", 4);
    ck_assert_mem_eq(wasi_world.memory + 200, "abc\0", 4);
    /* The offset is where the first write has left it. */
    ck_assert_uint_eq(wasi_ask(fd_read, fd, 0, 2, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 1);
    ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 2, 100, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
}
END_TEST

/* More than a piece: the memory grows for it. */
START_TEST(much_is_moved_in_pieces)
{
    enum { bytes = 2 * RUNTIME_WASI_PIECE_BYTES + 12345 };
    struct gvm_limits limits = {.min = 1, .max = 1000, .has_max = true};
    uint32_t fd = wasi_open("file", 1, all);
    struct stat info;

    ck_assert_int_eq(gvm_memory_create(wasi_world.store, &limits,
                                       &wasi_world.wasi.memory),
                     GVM_OK);
    ck_assert_int_eq(gvm_memory_grow(wasi_world.wasi.memory, 600), 1);
    wasi_world.memory = gvm_memory_data(wasi_world.wasi.memory);
    uint8_t *memory = wasi_world.memory;
    for (uint32_t i = 0; i < bytes; i++)
        memory[1000 + i] = (uint8_t)(i * 7 + (i >> 8));
    uint8_t *copy = memory + 1000 + bytes;
    /* A small range before and behind. */
    const uint32_t ranges[] = {1000, 10, 1010, bytes - 15,
                               1000 + bytes - 5, 5};
    for (uint32_t i = 0; i < 6; i++)
        wasi_put_u32(4 * i, ranges[i]);
    ck_assert_uint_eq(wasi_ask(fd_write, fd, 0, 3, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), bytes);
    ck_assert_int_eq(stat(wasi_host_path("file"), &info), 0);
    ck_assert_int_eq(info.st_size, bytes);

    wasi_put_u32(0, 1000 + bytes);
    wasi_put_u32(4, bytes + 100);
    ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 1, 0, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), bytes);
    ck_assert_mem_eq(copy, memory + 1000, bytes);
    ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 1, bytes - 5, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 5);
    ck_assert_uint_eq(wasi_ask(fd_read, fd, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
    /* At the end of all offsets, and past the deadline. */
    ck_assert_uint_ne(wasi_ask(fd_pwrite, fd, 0, 1, INT64_MAX - 5, 64), 0);
    wasi_world.wasi.deadline_ns = 1;
    wasi_ask_end(fd_pread, fd, 0, 1, 0, 64);
}
END_TEST

START_TEST(an_offset_is_not_negative)
{
    uint32_t fd = wasi_open("file", 1, all);

    put_ranges();
    ck_assert_uint_eq(wasi_ask(fd_pread, fd, 0, 1, UINT64_MAX, 64),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(
        wasi_ask(fd_pwrite, fd, 0, 1, (uint64_t)INT64_MAX + 1, 64),
        RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(files_are_moved_as_their_rights_say)
{
    put_ranges();
    wasi_host_write("file", "text");
    uint32_t reads = wasi_open("file", 0, RUNTIME__RIGHT_FD_READ);
    uint32_t writes = wasi_open("file", 0, RUNTIME__RIGHT_FD_WRITE);

    ck_assert_uint_eq(wasi_ask(fd_read, reads, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_write, reads, 0, 1, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_pread, reads, 0, 1, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_write, writes, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_read, writes, 0, 1, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_pwrite, writes, 0, 1, 0, 64),
                      RUNTIME__WASI_ENOTCAPABLE);
    ck_assert_uint_eq(wasi_ask(fd_read, 3, 0, 1, 64), RUNTIME__WASI_EISDIR);
    ck_assert_uint_eq(wasi_ask(fd_pwrite, 3, 0, 1, 0, 64),
                      RUNTIME__WASI_EISDIR);
}
END_TEST

START_TEST(appending_goes_to_the_end_wherever_the_offset_is)
{
    wasi_host_write("file", "1234");
    ck_assert_uint_eq(
        wasi_try_open("file", 0, 0, all, RUNTIME__FDFLAG_APPEND), 0);
    put_ranges();
    wasi_put_text(100, "abc");
    ck_assert_uint_eq(wasi_ask(fd_write, 4, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, 4, 0), 0);
    ck_assert_uint_eq(wasi_ask(fd_seek, 4, 0, 0, 64), 0);
    ck_assert_uint_eq(wasi_ask(fd_write, 4, 0, 1, 64), 0);
    char *text = wasi_host_read("file");
    ck_assert_str_eq(text, "abc4abc");
    free(text);
}
END_TEST

/* ---- Waiting ------------------------------------------------------------ */

START_TEST(an_empty_pipe_is_waited_for_or_says_that_it_is_empty)
{
    put_ranges();
    ck_assert_int_eq(mkfifo(wasi_host_path("pipe"), 0600), 0);
    uint32_t fd = wasi_open("pipe", 0, RUNTIME__RIGHT_FD_READ | 8);
    int host = open(wasi_host_path("pipe"), O_WRONLY);

    ck_assert_int_ge(host, 0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, 4), 0);
    ck_assert_uint_eq(wasi_ask(fd_read, fd, 0, 1, 64), RUNTIME__WASI_EAGAIN);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, 0), 0);
    ck_assert_int_eq(write(host, "xy", 2), 2);
    ck_assert_uint_eq(wasi_ask(fd_read, fd, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 2);
    /* Empty again, and the deadline has long passed. */
    wasi_world.wasi.deadline_ns = 1;
    wasi_ask_end(fd_read, fd, 0, 1, 64);
    ck_assert(wasi_world.wasi.timed_out);
    close(host);
    ck_assert_uint_eq(wasi_ask(fd_read, fd, 0, 1, 64), 0);
    ck_assert_uint_eq(wasi_get_u32(64), 0);
}
END_TEST

START_TEST(a_call_is_parked_while_a_pipe_is_empty)
{
    put_ranges();
    ck_assert_int_eq(mkfifo(wasi_host_path("pipe"), 0600), 0);
    uint32_t fd = wasi_open("pipe", 0, RUNTIME__RIGHT_FD_READ | 8);
    int host = open(wasi_host_path("pipe"), O_WRONLY);
    union gvm_value slots[4] = {{.slot = fd}, {.slot = 0}, {.slot = 1},
                                {.slot = 64}};

    ck_assert_int_ge(host, 0);
    ck_assert_uint_eq(wasi_ask(fd_fdstat_set_flags, fd, 0), 0);
    wasi_world.wasi.parks = true;
    ck_assert_int_eq(runtime__wasi_fd_read(NULL, &wasi_world.wasi, slots),
                     GVM_SUSPENDED);
    ck_assert_uint_gt(wasi_world.wasi.until_ns, 0);
    ck_assert_int_eq(write(host, "xy", 2), 2);
    ck_assert_int_eq(runtime__wasi_fd_read(NULL, &wasi_world.wasi, slots),
                     GVM_OK);
    ck_assert_uint_eq(slots[0].i32, 0);
    ck_assert_uint_eq(wasi_get_u32(64), 2);
    close(host);
}
END_TEST

START_TEST(a_deadline_ends_the_wait_for_an_input)
{
    int pipes[2];

    put_ranges();
    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(dup2(pipes[0], 0), 0);
    wasi_world.wasi.streams.waitable = 1;
    wasi_world.wasi.deadline_ns = 1;
    wasi_ask_end(fd_read, 0, 0, 1, 64);
    ck_assert(wasi_world.wasi.timed_out);
    /* What is there already is read, and an input that cannot be waited for
     * as well. */
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 1, 64), 0);
    wasi_world.wasi.streams.waitable = 0;
    ck_assert_uint_eq(wasi_ask(fd_read, 0, 0, 1, 64), 0);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, wasi_world_close);
    tcase_add_test(tests, ranges_are_read_one_after_the_other);
    tcase_add_test(tests, ranges_are_written_one_after_the_other);
    tcase_add_test(tests, an_error_after_some_bytes_is_how_far_it_came);
    tcase_add_test(tests, a_bad_range_moves_nothing_at_all);
    tcase_add_loop_test(tests, ranges_and_the_result_have_to_be_inside, 0,
                        sizeof(bends) / sizeof(bends[0]));
    tcase_add_test(tests, a_range_reaches_the_end_and_not_past_it);
    tcase_add_test(tests, each_stream_goes_one_way);
    tcase_add_test(tests, without_a_memory_every_range_is_outside);
    tcase_add_test(tests,
                   a_stream_without_a_function_is_empty_or_goes_nowhere);
    tcase_add_test(tests, a_file_is_written_and_read_in_ranges);
    tcase_add_test(tests, much_is_moved_in_pieces);
    tcase_add_test(tests, an_offset_is_not_negative);
    tcase_add_test(tests, files_are_moved_as_their_rights_say);
    tcase_add_test(tests,
                   appending_goes_to_the_end_wherever_the_offset_is);
    tcase_add_test(tests,
                   an_empty_pipe_is_waited_for_or_says_that_it_is_empty);
    tcase_add_test(tests, a_call_is_parked_while_a_pipe_is_empty);
    tcase_add_test(tests, a_deadline_ends_the_wait_for_an_input);
}

WORLD_MAIN("wasi_io", add_tests)
