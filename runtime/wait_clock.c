/*
 * wait_clock.c - the clock of deadlines, for those as well that never wait.
 * Any thread may ask.
 */
#include "runtime/wait.h"

#include <time.h>

uint64_t
runtime__wait_now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}
