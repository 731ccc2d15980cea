/*
 * wasi_wait.c - the one place in which WASI waits: for descriptors of the
 * host, a time, and never past the deadline.
 *
 * Everything else that could block is asked not to, and what would have
 * blocked comes here. The scheduler will park the call instead.
 */
#define _GNU_SOURCE 1 /* ppoll */

#include "runtime/wasi_wait.h"

#include <errno.h>
#include <time.h>

enum runtime__wasi_wait
runtime__wasi_wait(const struct runtime__wasi *wasi, struct pollfd *fds,
                   size_t count, uint64_t until_ns)
{
    uint64_t deadline_ns =
        wasi->deadline_ns ? wasi->deadline_ns : UINT64_MAX;
    uint64_t end_ns = until_ns < deadline_ns ? until_ns : deadline_ns;

    for (;;) {
        uint64_t now_ns = 0;
        runtime__wasi_clock_now(RUNTIME__WASI_CLOCK_MONOTONIC, &now_ns);
        uint64_t left_ns = end_ns > now_ns ? end_ns - now_ns : 0;
        /* The kernel takes seconds as a signed number. */
        struct timespec timeout = {
            .tv_sec = (time_t)(left_ns / 1000000000u),
            .tv_nsec = (long)(left_ns % 1000000000u),
        };
        int ready = ppoll(fds, count, &timeout, NULL);
        if (ready > 0)
            return RUNTIME__WASI_WAIT_READY;
        if (ready == 0 && left_ns == 0)
            return until_ns < deadline_ns ? RUNTIME__WASI_WAIT_TIME
                                          : RUNTIME__WASI_WAIT_DEADLINE;
        if (ready < 0 && errno != EINTR)
            return RUNTIME__WASI_WAIT_REFUSED;
    }
}
