/* check_streams.c - tests of runtime/streams.c. */
#include "runtime/program.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

/* A fresh pipe in place of a descriptor: for 0 its end to read. check runs
 * each test in a process of its own, so nothing has to be put back. */
static int
replace(int fd)
{
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    ck_assert_int_eq(dup2(ends[fd == 0 ? 0 : 1], fd), fd);
    close(ends[fd == 0 ? 0 : 1]);
    return ends[fd == 0 ? 1 : 0];
}

START_TEST(the_streams_are_descriptors_0_1_and_2)
{
    struct runtime_streams streams;
    char buffer[8] = "";
    int input = replace(0);

    runtime_streams_standard(&streams);
    ck_assert_int_eq(streams.terminals & 1, 0);
    ck_assert_int_eq(write(input, "in", 2), 2);
    ck_assert_int_eq(streams.read_input(streams.data, buffer, 8), 2);
    ck_assert_str_eq(buffer, "in");
    close(input);
    ck_assert_int_eq(streams.read_input(streams.data, buffer, 8), 0);

    int output = replace(1);
    ck_assert_int_eq(streams.write_output(streams.data, "out", 3), 3);
    ck_assert_int_eq(read(output, buffer, 8), 3);
    ck_assert_mem_eq(buffer, "out", 3);
    int error = replace(2);
    ck_assert_int_eq(streams.write_error(streams.data, "err", 3), 3);
    ck_assert_int_eq(read(error, buffer, 8), 3);
    ck_assert_mem_eq(buffer, "err", 3);
}
END_TEST

START_TEST(an_error_is_a_negative_errno)
{
    struct runtime_streams streams;
    char byte;

    signal(SIGPIPE, SIG_IGN);
    runtime_streams_standard(&streams);
    close(0);
    ck_assert_int_eq(streams.read_input(streams.data, &byte, 1), -EBADF);
    close(replace(1));
    ck_assert_int_eq(streams.write_output(streams.data, "x", 1), -EPIPE);
}
END_TEST

START_TEST(a_write_that_began_tells_how_far_it_came)
{
    struct runtime_streams streams;
    static char much[1 << 20];

    runtime_streams_standard(&streams);
    int output = replace(1);
    ck_assert_int_ge(fcntl(1, F_SETFL, O_NONBLOCK), 0);
    ptrdiff_t written =
        streams.write_output(streams.data, much, sizeof(much));
    ck_assert_int_gt(written, 0);
    ck_assert_int_lt(written, (ptrdiff_t)sizeof(much));
    ck_assert_int_eq(streams.write_output(streams.data, much, sizeof(much)),
                     -EAGAIN);
    close(output);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, the_streams_are_descriptors_0_1_and_2);
    tcase_add_test(tests, an_error_is_a_negative_errno);
    tcase_add_test(tests, a_write_that_began_tells_how_far_it_came);
}

WORLD_MAIN("streams", add_tests)
