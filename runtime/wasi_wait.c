/*
 * wasi_wait.c - the one place in which WASI waits: for descriptors of the
 * host, a time, and never past the deadline.
 *
 * Everything else that could block is asked not to, and what would have
 * blocked comes here. A program has its thread for itself, and blocks. A call
 * has not: it is parked, until the time has come. What descriptors of the host
 * it could wait for are rare (a pipe in a directory that it may read), so it
 * looks at them now and then instead of having somebody watch them.
 */
#define _GNU_SOURCE 1 /* ppoll */

#include "runtime/wasi_wait.h"

#include <errno.h>
#include <time.h>

/* When to look again, by the clock. */
static uint64_t
next_look_ns(const struct pollfd *fds, size_t count, uint64_t now_ns,
             uint64_t end_ns)
{
    uint64_t look_ns = now_ns + RUNTIME_WASI_LOOK_NS;

    for (size_t i = 0; i < count; i++)
        if (fds[i].fd >= 0)
            return look_ns < end_ns ? look_ns : end_ns;
    return end_ns;
}

enum runtime__wasi_wait
runtime__wasi_wait(struct runtime__wasi *wasi, struct pollfd *fds,
                   size_t count, uint64_t until_ns)
{
    uint64_t deadline_ns =
        wasi->deadline_ns ? wasi->deadline_ns : UINT64_MAX;
    uint64_t end_ns = until_ns < deadline_ns ? until_ns : deadline_ns;

    for (;;) {
        uint64_t now_ns = 0;
        runtime__wasi_clock_now(RUNTIME__WASI_CLOCK_MONOTONIC, &now_ns);
        bool is_end = now_ns >= end_ns;
        uint64_t left_ns = is_end || wasi->parks ? 0 : end_ns - now_ns;
        /* The kernel takes seconds as a signed number. */
        struct timespec timeout = {
            .tv_sec = (time_t)(left_ns / 1000000000u),
            .tv_nsec = (long)(left_ns % 1000000000u),
        };
        int ready = ppoll(fds, count, &timeout, NULL);
        if (ready > 0)
            return RUNTIME__WASI_WAIT_READY;
        if (ready < 0 && errno != EINTR)
            return RUNTIME__WASI_WAIT_REFUSED;
        if (ready == 0 && is_end)
            return until_ns < deadline_ns ? RUNTIME__WASI_WAIT_TIME
                                          : RUNTIME__WASI_WAIT_DEADLINE;
        if (ready == 0 && wasi->parks) {
            wasi->until_ns = next_look_ns(fds, count, now_ns, end_ns);
            return RUNTIME__WASI_WAIT_PARKED;
        }
    }
}
