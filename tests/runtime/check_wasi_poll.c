/* check_wasi_poll.c - tests of runtime/wasi_poll.c. */
#include "tests/runtime/wasi_world.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    subscriptions = 1000,
    subscription_bytes = 48,
    events = 50000,
    event_bytes = 32,
    count_at = 64,

    clock_type = 0,
    read_type = 1,
    write_type = 2,
};

static const uint64_t ms = 1000000;

static uint8_t *
subscription(uint32_t i)
{
    return wasi_world.memory + subscriptions + i * subscription_bytes;
}

static void
subscribe_clock(uint32_t i, uint32_t clock, uint64_t timeout, uint32_t flags)
{
    uint8_t *bytes = subscription(i);

    memset(bytes, 0, subscription_bytes);
    runtime__wasi_store(bytes, 100 + i, 8);
    bytes[8] = clock_type;
    runtime__wasi_store(bytes + 16, clock, 4);
    runtime__wasi_store(bytes + 24, timeout, 8);
    runtime__wasi_store(bytes + 40, flags, 2);
}

static void
subscribe_fd(uint32_t i, uint8_t type, uint32_t fd)
{
    uint8_t *bytes = subscription(i);

    memset(bytes, 0, subscription_bytes);
    runtime__wasi_store(bytes, 100 + i, 8);
    bytes[8] = type;
    runtime__wasi_store(bytes + 16, fd, 4);
}

/* Polls, and returns how many events there are. */
static uint32_t
poll_them(uint32_t count)
{
    memset(wasi_world.memory + events, 0xa5, count * event_bytes);
    ck_assert_uint_eq(
        wasi_ask(poll_oneoff, subscriptions, events, count, count_at), 0);
    return wasi_get_u32(count_at);
}

/* Checks event i: the subscription that it is of, its errno and bytes. */
static void
check_event(uint32_t i, uint32_t of, uint32_t error, uint64_t ready_bytes,
            uint32_t flags)
{
    uint32_t at = events + i * event_bytes;

    ck_assert_uint_eq(wasi_get_u64(at), 100 + of);
    ck_assert_uint_eq(wasi_get_u32(at + 8) & 0xffff, error);
    ck_assert_uint_eq(wasi_world.memory[at + 10], subscription(of)[8]);
    ck_assert_uint_eq(wasi_get_u64(at + 16), ready_bytes);
    ck_assert_uint_eq(wasi_get_u64(at + 24), flags);
}

static uint64_t
now(clockid_t clock)
{
    struct timespec time;

    clock_gettime(clock, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

/* ---- Clocks ------------------------------------------------------------- */

START_TEST(a_clock_is_waited_for)
{
    for (uint32_t clock = 0; clock < 2; clock++) {
        uint64_t began = now(CLOCK_MONOTONIC);
        subscribe_clock(0, clock, 20 * ms, 0);
        ck_assert_uint_eq(poll_them(1), 1);
        check_event(0, 0, 0, 0, 0);
        ck_assert_uint_ge(now(CLOCK_MONOTONIC) - began, 20 * ms);
    }
}
END_TEST

START_TEST(a_time_of_day_is_waited_for)
{
    uint64_t until = now(CLOCK_REALTIME) + 20 * ms;

    subscribe_clock(0, 0, until, 1);
    ck_assert_uint_eq(poll_them(1), 1);
    ck_assert_uint_ge(now(CLOCK_REALTIME), until);
    /* One that has passed is not waited for. */
    subscribe_clock(0, 1, 0, 1);
    ck_assert_uint_eq(poll_them(1), 1);
    check_event(0, 0, 0, 0, 0);
}
END_TEST

START_TEST(the_earliest_of_several_ends_the_wait)
{
    subscribe_clock(0, 1, UINT64_MAX, 0);
    subscribe_clock(1, 1, 10 * ms, 0);
    subscribe_clock(2, 0, UINT64_MAX, 1);
    ck_assert_uint_eq(poll_them(3), 1);
    check_event(0, 1, 0, 0, 0);
}
END_TEST

static const struct {
    uint32_t clock, flags, error;
} clocks[] = {
    {2, 0, RUNTIME__WASI_ENOTSUP}, {3, 1, RUNTIME__WASI_ENOTSUP},
    {4, 0, RUNTIME__WASI_EINVAL},  {UINT32_MAX, 0, RUNTIME__WASI_EINVAL},
    {1, 2, RUNTIME__WASI_EINVAL},  {0, 0xffff, RUNTIME__WASI_EINVAL},
};

START_TEST(a_clock_that_is_none_is_an_event_at_once)
{
    subscribe_clock(0, 1, UINT64_MAX, 0);
    subscribe_clock(1, clocks[_i].clock, 1, clocks[_i].flags);
    ck_assert_uint_eq(poll_them(2), 1);
    check_event(0, 1, clocks[_i].error, 0, 0);
}
END_TEST

/* ---- Descriptors -------------------------------------------------------- */

START_TEST(files_and_streams_are_ready)
{
    wasi_host_write("file", "12345");
    uint32_t fd = wasi_open("file", 0, WASI_RIGHTS_FILE);

    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 2, 0, 64), 0);
    subscribe_fd(0, read_type, fd);
    subscribe_fd(1, write_type, fd);
    subscribe_fd(2, read_type, 0);
    subscribe_fd(3, write_type, 2);
    subscribe_clock(4, 1, UINT64_MAX, 0);
    ck_assert_uint_eq(poll_them(5), 4);
    check_event(0, 0, 0, 3, 0);
    check_event(1, 1, 0, 0, 0);
    check_event(2, 2, 0, 0, 0);
    check_event(3, 3, 0, 0, 0);
    ck_assert_uint_eq(wasi_ask(fd_seek, fd, 9, 0, 64), 0);
    ck_assert_uint_eq(poll_them(1), 1);
    check_event(0, 0, 0, 0, 0);
}
END_TEST

START_TEST(a_descriptor_that_cannot_be_is_an_event)
{
    uint32_t fd = wasi_open("file", 1, 1 << 1 | 1 << 6);

    subscribe_fd(0, read_type, 99);
    subscribe_fd(1, write_type, 0);
    subscribe_fd(2, read_type, 1);
    subscribe_fd(3, read_type, 3);
    subscribe_fd(4, read_type, fd); /* it has not the right to be polled */
    ck_assert_uint_eq(poll_them(5), 5);
    check_event(0, 0, RUNTIME__WASI_EBADF, 0, 0);
    for (uint32_t i = 1; i < 5; i++)
        check_event(i, i, RUNTIME__WASI_ENOTCAPABLE, 0, 0);
}
END_TEST

START_TEST(a_pipe_is_waited_for)
{
    int pipes[2];

    ck_assert_int_eq(pipe(pipes), 0);
    ck_assert_int_eq(dup2(pipes[0], 0), 0);
    close(pipes[0]);
    wasi_world.wasi.streams.waitable = 7;
    subscribe_fd(0, read_type, 0);
    subscribe_clock(1, 1, 10 * ms, 0);
    ck_assert_uint_eq(poll_them(2), 1);
    check_event(0, 1, 0, 0, 0);
    ck_assert_int_eq(write(pipes[1], "123", 3), 3);
    ck_assert_uint_eq(poll_them(2), 1);
    check_event(0, 0, 0, 3, 0);
    close(pipes[1]);
    ck_assert_uint_eq(poll_them(1), 1);
    check_event(0, 0, 0, 3, 1);
}
END_TEST

/* ---- Limits and ranges -------------------------------------------------- */

/* As the engine calls it: first, and when the call goes on. */
static enum gvm_status
poll_once(uint32_t count, union gvm_value slots[4])
{
    slots[0].slot = subscriptions;
    slots[1].slot = events;
    slots[2].slot = count;
    slots[3].slot = count_at;
    return runtime__wasi_poll_oneoff(NULL, &wasi_world.wasi, slots);
}

START_TEST(a_parked_poll_goes_on_where_it_was)
{
    union gvm_value slots[4];
    uint64_t began = 0;

    runtime__wasi_clock_now(1, &began);
    wasi_world.wasi.parks = true;
    subscribe_clock(0, 1, 20 * ms, 0);
    subscribe_clock(1, 1, 3600000 * ms, 0);
    ck_assert_int_eq(poll_once(2, slots), GVM_SUSPENDED);
    uint64_t until = wasi_world.wasi.until_ns;
    ck_assert_uint_ge(until, began + 20 * ms);
    /* What is subscribed now is of no matter, nor is when it is called. */
    subscribe_clock(0, 1, 3600000 * ms, 0);
    ck_assert_int_eq(poll_once(2, slots), GVM_SUSPENDED);
    /* But for what it takes to ask two clocks. */
    ck_assert_uint_lt(wasi_world.wasi.until_ns, until + 1000 * ms);
    uint64_t now = 0;
    while (now < until + ms)
        runtime__wasi_clock_now(1, &now);
    ck_assert_int_eq(poll_once(2, slots), GVM_OK);
    ck_assert_uint_eq(slots[0].i32, 0);
    ck_assert_uint_eq(wasi_get_u32(count_at), 1);
    ck_assert_uint_eq(wasi_get_u64(events), 100);
    /* And then it begins anew: fixtures look for what is left. */
    ck_assert_int_eq(poll_once(2, slots), GVM_SUSPENDED);
    ck_assert_uint_gt(wasi_world.wasi.until_ns, until + 3600 * ms);
}
END_TEST

START_TEST(a_deadline_ends_the_program)
{
    subscribe_clock(0, 1, UINT64_MAX, 0);
    wasi_world.wasi.deadline_ns = now(CLOCK_MONOTONIC) + 10 * ms;
    wasi_ask_end(poll_oneoff, subscriptions, events, 1, count_at);
    ck_assert(wasi_world.wasi.timed_out);
    ck_assert_uint_ge(now(CLOCK_MONOTONIC), wasi_world.wasi.deadline_ns);
}
END_TEST

START_TEST(subscriptions_have_a_limit)
{
    enum { most = RUNTIME_WASI_SUBSCRIPTIONS_MAX };

    for (uint32_t i = 0; i < most; i++)
        subscribe_clock(i, 1, 0, 0);
    /* Events may be written over the subscriptions. */
    ck_assert_uint_eq(
        wasi_ask(poll_oneoff, subscriptions, subscriptions, most, count_at),
        0);
    ck_assert_uint_eq(wasi_get_u32(count_at), most);
    ck_assert_uint_eq(
        wasi_get_u64(subscriptions + (most - 1) * event_bytes), 100 + most - 1);
    ck_assert_uint_eq(wasi_ask(poll_oneoff, subscriptions, subscriptions,
                               most + 1, count_at),
                      RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(
        wasi_ask(poll_oneoff, subscriptions, events, 0, count_at),
        RUNTIME__WASI_EINVAL);
    ck_assert_uint_eq(
        wasi_ask(poll_oneoff, subscriptions, events, UINT32_MAX, count_at),
        RUNTIME__WASI_EINVAL);
}
END_TEST

START_TEST(a_type_that_is_none_is_refused)
{
    subscribe_clock(0, 1, 0, 0);
    subscribe_clock(1, 1, 0, 0);
    subscription(1)[8] = 3;
    ck_assert_uint_eq(
        wasi_ask(poll_oneoff, subscriptions, events, 2, count_at),
        RUNTIME__WASI_EINVAL);
}
END_TEST

static const struct {
    uint32_t in, out, result, error;
} bends[] = {
    {WASI_PAGE - 48, 0, 64, 0},
    {WASI_PAGE - 47, 0, 64, RUNTIME__WASI_EFAULT},
    {UINT32_MAX, 0, 64, RUNTIME__WASI_EFAULT},
    {100, WASI_PAGE - 32, 64, 0},
    {100, WASI_PAGE - 31, 64, RUNTIME__WASI_EFAULT},
    {100, UINT32_MAX, 64, RUNTIME__WASI_EFAULT},
    {100, 1000, WASI_PAGE - 4, 0},
    {100, 1000, WASI_PAGE - 3, RUNTIME__WASI_EFAULT},
};

START_TEST(everything_has_to_lie_inside)
{
    /* Memory of zeros is a time that has passed, of the clock of the day. */
    ck_assert_uint_eq(wasi_ask(poll_oneoff, bends[_i].in, bends[_i].out, 1,
                               bends[_i].result),
                      bends[_i].error);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, wasi_world_open, wasi_world_close);
    tcase_add_test(tests, a_clock_is_waited_for);
    tcase_add_test(tests, a_time_of_day_is_waited_for);
    tcase_add_test(tests, the_earliest_of_several_ends_the_wait);
    tcase_add_loop_test(tests, a_clock_that_is_none_is_an_event_at_once, 0,
                        sizeof(clocks) / sizeof(clocks[0]));
    tcase_add_test(tests, files_and_streams_are_ready);
    tcase_add_test(tests, a_descriptor_that_cannot_be_is_an_event);
    tcase_add_test(tests, a_pipe_is_waited_for);
    tcase_add_test(tests, a_parked_poll_goes_on_where_it_was);
    tcase_add_test(tests, a_deadline_ends_the_program);
    tcase_add_test(tests, subscriptions_have_a_limit);
    tcase_add_test(tests, a_type_that_is_none_is_refused);
    tcase_add_loop_test(tests, everything_has_to_lie_inside, 0,
                        sizeof(bends) / sizeof(bends[0]));
}

WORLD_MAIN("wasi_poll", add_tests)
