/* check_wasi_errno.c - tests of runtime/wasi_errno.c. */
#include "runtime/wasi.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>

static const struct {
    int host;
    uint32_t wasi;
} numbers[] = {
    {0, 0},          {E2BIG, 1},      {EACCES, 2},        {EAGAIN, 6},
    {EBADF, 8},      {EDEADLK, 16},   {EDOM, 18},         {EEXIST, 20},
    {EFBIG, 22},     {EILSEQ, 25},    {EINTR, 27},        {EINVAL, 28},
    {EIO, 29},       {EISDIR, 31},    {ELOOP, 32},        {EMFILE, 33},
    {ENAMETOOLONG, 37}, {ENFILE, 41}, {ENODEV, 43},       {ENOENT, 44},
    {ENOMEM, 48},    {ENOSPC, 51},    {ENOSYS, 52},       {ENOTDIR, 54},
    {ENOTEMPTY, 55}, {ENOTSUP, 58},   {EOVERFLOW, 61},    {EPERM, 63},
    {EPIPE, 64},     {ERANGE, 68},    {EROFS, 69},        {ESPIPE, 70},
    {ETIMEDOUT, 73}, {ETXTBSY, 74},   {EXDEV, 75},
    /* What WASI has no word for. */
    {EUCLEAN, 29},   {-1, 29},        {99999, 29},
};

START_TEST(an_error_of_the_host_is_one_of_wasi)
{
    ck_assert_uint_eq(runtime__wasi_errno_of_host(numbers[_i].host),
                      numbers[_i].wasi);
    errno = numbers[_i].host;
    ck_assert_uint_eq(runtime__wasi_errno_last(), numbers[_i].wasi);
}
END_TEST

START_TEST(the_numbers_of_wasi_are_all_there_once)
{
    static const uint8_t listed[] = {
#define WASI_ERRNO(name, number) number,
#include "runtime/wasi_errno.inc"
#undef WASI_ERRNO
    };

    ck_assert_uint_eq(sizeof(listed), 75);
    for (size_t i = 0; i < sizeof(listed); i++)
        ck_assert_uint_eq(listed[i], i + 1);
    ck_assert_int_eq(RUNTIME__WASI_ENOTCAPABLE, 76);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, an_error_of_the_host_is_one_of_wasi, 0,
                        sizeof(numbers) / sizeof(numbers[0]));
    tcase_add_test(tests, the_numbers_of_wasi_are_all_there_once);
}

WORLD_MAIN("wasi_errno", add_tests)
