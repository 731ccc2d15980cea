/* check_wasi_wait.c - tests of runtime/wasi_wait.c. */
#include "runtime/wasi_wait.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>
#include <sys/resource.h>
#include <unistd.h>

static uint64_t
now(void)
{
    uint64_t now_ns = 0;

    ck_assert(runtime__wasi_clock_now(1, &now_ns));
    return now_ns;
}

static const struct {
    uint64_t until, deadline; /* ms from now; 0: as it is */
    bool past;                /* the deadline is 1 */
    enum runtime__wasi_wait wait;
} waits[] = {
    {0, 0, false, RUNTIME__WASI_WAIT_TIME},
    {5, 0, false, RUNTIME__WASI_WAIT_TIME},
    {5, 3600000, false, RUNTIME__WASI_WAIT_TIME},
    {3600000, 5, false, RUNTIME__WASI_WAIT_DEADLINE},
    {3600000, 0, true, RUNTIME__WASI_WAIT_DEADLINE},
};

START_TEST(a_wait_ends_at_the_time_or_at_the_deadline)
{
    struct runtime__wasi wasi = {0};
    uint64_t began = now();
    uint64_t until = waits[_i].until ? began + waits[_i].until * 1000000 : 0;

    if (waits[_i].deadline)
        wasi.deadline_ns = began + waits[_i].deadline * 1000000;
    if (waits[_i].past)
        wasi.deadline_ns = 1;
    ck_assert_int_eq(runtime__wasi_wait(&wasi, NULL, 0, until),
                     waits[_i].wait);
    ck_assert_uint_ge(now(), waits[_i].wait == RUNTIME__WASI_WAIT_TIME
                                 ? until
                                 : wasi.deadline_ns);
}
END_TEST

START_TEST(what_is_ready_is_not_waited_for)
{
    struct runtime__wasi wasi = {.deadline_ns = 1};
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    struct pollfd fds[] = {{.fd = pipes[0], .events = POLLIN},
                           {.fd = pipes[1], .events = POLLOUT},
                           {.fd = -1}};
    ck_assert_int_eq(runtime__wasi_wait(&wasi, fds, 3, UINT64_MAX),
                     RUNTIME__WASI_WAIT_READY);
    ck_assert_int_eq(fds[0].revents, 0);
    ck_assert_int_eq(fds[1].revents, POLLOUT);
    ck_assert_int_eq(fds[2].revents, 0);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

/* What is there ends a wait at once, as ever; what is not parks the call. */
START_TEST(a_call_is_parked_instead)
{
    struct runtime__wasi wasi = {.parks = true};
    uint64_t hour_ns = UINT64_C(3600000000000);
    uint64_t began = now();
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    struct pollfd fds[] = {{.fd = pipes[0], .events = POLLIN}, {.fd = -1}};
    ck_assert_int_eq(runtime__wasi_wait(&wasi, NULL, 0, 1),
                     RUNTIME__WASI_WAIT_TIME);
    ck_assert_int_eq(
        runtime__wasi_wait(&wasi, &fds[1], 1, began + hour_ns),
        RUNTIME__WASI_WAIT_PARKED);
    ck_assert_uint_eq(wasi.until_ns, began + hour_ns);
    wasi.deadline_ns = began + hour_ns;
    ck_assert_int_eq(runtime__wasi_wait(&wasi, &fds[1], 1, UINT64_MAX),
                     RUNTIME__WASI_WAIT_PARKED);
    ck_assert_uint_eq(wasi.until_ns, began + hour_ns);
    /* A descriptor is looked at again before that. */
    ck_assert_int_eq(runtime__wasi_wait(&wasi, fds, 2, UINT64_MAX),
                     RUNTIME__WASI_WAIT_PARKED);
    ck_assert_uint_ge(wasi.until_ns, began + RUNTIME_WASI_LOOK_NS);
    ck_assert_uint_le(wasi.until_ns, now() + RUNTIME_WASI_LOOK_NS);
    ck_assert_int_eq(write(pipes[1], "x", 1), 1);
    ck_assert_int_eq(runtime__wasi_wait(&wasi, fds, 2, UINT64_MAX),
                     RUNTIME__WASI_WAIT_READY);
    wasi.deadline_ns = 1;
    ck_assert_int_eq(runtime__wasi_wait(&wasi, &fds[1], 1, UINT64_MAX),
                     RUNTIME__WASI_WAIT_DEADLINE);
    close(pipes[0]);
    close(pipes[1]);
}
END_TEST

START_TEST(the_kernels_refusal_is_told)
{
    struct rlimit few = {8, 8};
    struct runtime__wasi wasi = {0};
    struct pollfd fds[16] = {{0}};

    ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
    ck_assert_int_eq(runtime__wasi_wait(&wasi, fds, 16, UINT64_MAX),
                     RUNTIME__WASI_WAIT_REFUSED);
    ck_assert_int_eq(errno, EINVAL);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_wait_ends_at_the_time_or_at_the_deadline, 0,
                        sizeof(waits) / sizeof(waits[0]));
    tcase_add_test(tests, what_is_ready_is_not_waited_for);
    tcase_add_test(tests, a_call_is_parked_instead);
    tcase_add_test(tests, the_kernels_refusal_is_told);
}

WORLD_MAIN("wasi_wait", add_tests)
