/*
 * check_wasi_fd.c - tests of runtime/wasi_fd.c, whose functions are called as
 * a guest would, but with a memory of the test's own. What a C library makes
 * of them is tested in check_program.c.
 */
#include "runtime/wasi.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>
#include <string.h>

enum { page = 65536 };

static struct gvm_engine *engine;
static struct gvm_store *vm_store;
static struct runtime__wasi wasi;
static uint8_t *memory;

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
    struct gvm_limits limits = {.min = 1, .max = 1, .has_max = true};

    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    ck_assert_int_eq(gvm_store_create(engine, NULL, &vm_store), GVM_OK);
    ck_assert_int_eq(gvm_memory_create(vm_store, &limits, &wasi.memory),
                     GVM_OK);
    memory = gvm_memory_data(wasi.memory);
    wasi.streams = (struct runtime_streams){
        .data = (void *)(uintptr_t) "the input",
        .read_input = read_input,
        .write_output = write_output,
        .write_error = write_output,
    };
}

static void
tear_down(void)
{
    gvm_store_destroy(vm_store);
    gvm_engine_destroy(engine);
}

static uint32_t
ask(gvm_host_function *function, uint64_t a, uint64_t b, uint64_t c,
    uint64_t d)
{
    union gvm_value slots[4] = {
        {.slot = a}, {.slot = b}, {.slot = c}, {.slot = d}};

    ck_assert_int_eq(function(NULL, &wasi, slots), GVM_OK);
    ck_assert_uint_eq(slots[0].slot >> 32, 0);
    return slots[0].i32;
}

static void
put_u32(uint32_t at, uint32_t value)
{
    memcpy(memory + at, &value, 4);
}

static uint32_t
get_u32(uint32_t at)
{
    uint32_t value;

    memcpy(&value, memory + at, 4);
    return value;
}

/* Two ranges at 0: 3 bytes at 100 and 4 bytes at 200. The result is at 64. */
static void
put_ranges(void)
{
    put_u32(0, 100);
    put_u32(4, 3);
    put_u32(8, 200);
    put_u32(12, 4);
}

START_TEST(ranges_are_read_one_after_the_other)
{
    put_ranges();
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 7);
    ck_assert_mem_eq(memory + 100, "the\0", 4);
    ck_assert_mem_eq(memory + 200, " inp\0", 5);
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 2);
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 0);
}
END_TEST

START_TEST(ranges_are_written_one_after_the_other)
{
    put_ranges();
    memcpy(memory + 100, "abc", 3);
    memcpy(memory + 200, "defg", 4);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 7);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 2, 0, 1, 64), 0);
    ck_assert_mem_eq(moved, "abcdefgabc", 10);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 0, 64), 0);
    ck_assert_uint_eq(get_u32(64), 0);
}
END_TEST

START_TEST(an_error_after_some_bytes_is_how_far_it_came)
{
    put_ranges();
    error = ENOSPC;
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 3);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 2, 64),
                      RUNTIME__WASI_ENOSPC);
    /* A bad range counts the same way. */
    error = 0;
    put_u32(8, UINT32_MAX);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 2, 64), 0);
    ck_assert_uint_eq(get_u32(64), 3);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 8, 1, 64),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

static const struct {
    int host, wasi;
} errors[] = {
    {EAGAIN, RUNTIME__WASI_EAGAIN}, {EBADF, RUNTIME__WASI_EBADF},
    {EFBIG, RUNTIME__WASI_EFBIG},   {EINTR, RUNTIME__WASI_EINTR},
    {EIO, RUNTIME__WASI_EIO},       {ENOSPC, RUNTIME__WASI_ENOSPC},
    {EPIPE, RUNTIME__WASI_EPIPE},   {ENOTTY, RUNTIME__WASI_EIO},
};

START_TEST(an_error_of_the_host_is_one_of_wasi)
{
    put_ranges();
    error = errors[_i].host;
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, 0, 2, 64),
                      (uint32_t)errors[_i].wasi);
}
END_TEST

static const struct {
    uint32_t ranges, count, result;
    uint32_t expected;
} bends[] = {
    {page - 8, 1, 64, RUNTIME__WASI_SUCCESS},
    {page - 7, 1, 64, RUNTIME__WASI_EFAULT},
    {page, 0, 64, RUNTIME__WASI_SUCCESS},
    {UINT32_MAX, 1, 64, RUNTIME__WASI_EFAULT},
    {UINT32_MAX - 7, 2, 64, RUNTIME__WASI_EFAULT},
    {1000, 1024, 64, RUNTIME__WASI_SUCCESS},
    {1000, 1025, 64, RUNTIME__WASI_EINVAL},
    {1000, UINT32_MAX, 64, RUNTIME__WASI_EINVAL},
    {1000, 0, page - 4, RUNTIME__WASI_SUCCESS},
    {1000, 0, page - 3, RUNTIME__WASI_EFAULT},
    {1000, 0, UINT32_MAX, RUNTIME__WASI_EFAULT},
};

START_TEST(ranges_and_the_result_have_to_be_inside)
{
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, bends[_i].ranges,
                          bends[_i].count, bends[_i].result),
                      bends[_i].expected);
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, bends[_i].ranges,
                          bends[_i].count, bends[_i].result),
                      bends[_i].expected);
}
END_TEST

START_TEST(a_range_reaches_the_end_and_not_past_it)
{
    put_u32(0, page - 3);
    put_u32(4, 3);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 1, 64), 0);
    put_u32(4, 4);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 1, 64),
                      RUNTIME__WASI_EFAULT);
    put_u32(0, 1);
    put_u32(4, UINT32_MAX);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 1, 64),
                      RUNTIME__WASI_EFAULT);
    put_u32(0, page);
    put_u32(4, 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 1, 64), 0);
}
END_TEST

START_TEST(each_descriptor_goes_one_way_and_there_are_three)
{
    static const uint32_t others[] = {3, 31, 32, 33, UINT32_MAX};

    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 1, 0, 0, 64),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 0, 0, 0, 64),
                      RUNTIME__WASI_EBADF);
    for (size_t i = 0; i < 5; i++) {
        ck_assert_uint_eq(ask(runtime__wasi_fd_read, others[i], 0, 0, 64),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(ask(runtime__wasi_fd_write, others[i], 0, 0, 64),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(ask(runtime__wasi_fd_seek, others[i], 0, 0, 64),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(ask(runtime__wasi_fd_tell, others[i], 64, 0, 0),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(ask(runtime__wasi_fd_close, others[i], 0, 0, 0),
                          RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(
            ask(runtime__wasi_fd_fdstat_get, others[i], 64, 0, 0),
            RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(
            ask(runtime__wasi_fd_fdstat_set_flags, others[i], 0, 0, 0),
            RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(
            ask(runtime__wasi_fd_prestat_get, others[i], 64, 0, 0),
            RUNTIME__WASI_EBADF);
        ck_assert_uint_eq(
            ask(runtime__wasi_fd_prestat_dir_name, others[i], 64, 1, 0),
            RUNTIME__WASI_EBADF);
    }
}
END_TEST

START_TEST(a_stream_cannot_be_sought_in)
{
    for (uint32_t whence = 0; whence < 3; whence++)
        ck_assert_uint_eq(ask(runtime__wasi_fd_seek, 0, 0, whence, 64),
                          RUNTIME__WASI_ESPIPE);
    ck_assert_uint_eq(ask(runtime__wasi_fd_seek, 0, 0, 3, 64),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(ask(runtime__wasi_fd_tell, 1, 64, 0, 0),
                      RUNTIME__WASI_ESPIPE);
}
END_TEST

START_TEST(what_is_closed_stays_closed)
{
    ck_assert_uint_eq(ask(runtime__wasi_fd_close, 1, 0, 0, 0), 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_close, 1, 0, 0, 0),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 0, 64),
                      RUNTIME__WASI_EBADF);
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 2, 0, 0, 64), 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_close, 2, 0, 0, 0), 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_close, 0, 0, 0, 0), 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_read, 0, 0, 0, 64),
                      RUNTIME__WASI_EBADF);
}
END_TEST

START_TEST(the_status_tells_terminals_and_rights)
{
    memset(memory, 0xa5, 300);
    wasi.streams.terminals = 2;
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_get, 0, 100, 0, 0), 0);
    ck_assert_uint_eq(memory[100], 0); /* of no known type */
    ck_assert_uint_eq(get_u32(108), 1 << 1);
    ck_assert_uint_eq(get_u32(116), 0);
    ck_assert_uint_eq(memory[124], 0xa5);
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_get, 1, 100, 0, 0), 0);
    ck_assert_uint_eq(memory[100], 2); /* a character device */
    ck_assert_uint_eq(get_u32(108), 1 << 6);
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_get, 1, page - 24, 0, 0),
                      0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_get, 1, page - 23, 0, 0),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

START_TEST(flags_are_taken_and_unknown_ones_refused)
{
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_set_flags, 1, 31, 0, 0), 0);
    ck_assert_uint_eq(ask(runtime__wasi_fd_fdstat_set_flags, 1, 32, 0, 0),
                      RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(without_a_memory_every_range_is_outside)
{
    wasi.memory = NULL;
    ck_assert_uint_eq(ask(runtime__wasi_fd_write, 1, 0, 0, 0),
                      RUNTIME__WASI_EFAULT);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, ranges_are_read_one_after_the_other);
    tcase_add_test(tests, ranges_are_written_one_after_the_other);
    tcase_add_test(tests, an_error_after_some_bytes_is_how_far_it_came);
    tcase_add_loop_test(tests, an_error_of_the_host_is_one_of_wasi, 0,
                        sizeof(errors) / sizeof(errors[0]));
    tcase_add_loop_test(tests, ranges_and_the_result_have_to_be_inside, 0,
                        sizeof(bends) / sizeof(bends[0]));
    tcase_add_test(tests, a_range_reaches_the_end_and_not_past_it);
    tcase_add_test(tests, each_descriptor_goes_one_way_and_there_are_three);
    tcase_add_test(tests, a_stream_cannot_be_sought_in);
    tcase_add_test(tests, what_is_closed_stays_closed);
    tcase_add_test(tests, the_status_tells_terminals_and_rights);
    tcase_add_test(tests, flags_are_taken_and_unknown_ones_refused);
    tcase_add_test(tests, without_a_memory_every_range_is_outside);
}

WORLD_MAIN("wasi_fd", add_tests)
