/*
 * wait_clock.c - the clock of deadlines, for those as well that never wait.
 * Any thread may ask.
 */
#include "runtime/wait.h"

uint64_t
runtime__wait_clock_ns(clockid_t clock)
{
    struct timespec now;

    clock_gettime(clock, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t
runtime__wait_now_ns(void)
{
    return runtime__wait_clock_ns(CLOCK_MONOTONIC);
}
