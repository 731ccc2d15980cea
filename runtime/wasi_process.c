/*
 * wasi_process.c - WASI preview 1: arguments, environment, clocks, random
 * bytes, and the end of the program.
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

enum { random_bytes_at_once = 65536 };

bool
runtime__texts_append(struct runtime__texts *texts, const char *first,
                      const char *second, const char *third)
{
    const char *parts[] = {first, second, third};
    size_t length_bytes = 1;

    for (size_t i = 0; i < 3; i++)
        length_bytes += parts[i] ? strlen(parts[i]) : 0;
    if (!runtime__buffer_reserve(&texts->buffer, length_bytes))
        return false;
    for (size_t i = 0; i < 3; i++) {
        if (parts[i])
            runtime__buffer_append(&texts->buffer, parts[i],
                                   strlen(parts[i]));
    }
    runtime__buffer_append(&texts->buffer, "", 1);
    texts->count++;
    return true;
}

void
runtime__texts_deinit(struct runtime__texts *texts)
{
    runtime__buffer_deinit(&texts->buffer);
    texts->count = 0;
}

const uint8_t *
runtime__wasi_range(const struct runtime__wasi *wasi, uint64_t pointer,
                    uint64_t length_bytes)
{
    if (!wasi->memory)
        return NULL;
    return gvm_memory_range(wasi->memory, pointer, length_bytes);
}

uint8_t *
runtime__wasi_target(const struct runtime__wasi *wasi, uint64_t pointer,
                     uint64_t length_bytes)
{
    uint8_t *target = wasi->memory ? gvm_memory_range(wasi->memory, pointer,
                                                      length_bytes)
                                   : NULL;

    if (!target ||
        !gvm_mapping_permits_write(wasi->memory, pointer, length_bytes))
        return NULL;
    return target;
}

/* Not aligned: the guest chooses the address. */
static bool
put_number(const struct runtime__wasi *wasi, uint32_t pointer, uint64_t value,
           unsigned size_bytes)
{
    uint8_t *range = runtime__wasi_target(wasi, pointer, size_bytes);

    if (range)
        runtime__wasi_store(range, value, size_bytes);
    return range != NULL;
}

bool
runtime__wasi_put_u32(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint32_t value)
{
    return put_number(wasi, pointer, value, 4);
}

bool
runtime__wasi_put_u64(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint64_t value)
{
    return put_number(wasi, pointer, value, 8);
}

/* ---- Arguments and environment ---------------------------------------- */

/* args_sizes_get and environ_sizes_get: (count *, bytes *). */
static enum gvm_status
texts_sizes(const struct runtime__wasi *wasi,
            const struct runtime__texts *texts, union gvm_value *slots)
{
    uint32_t count = texts ? texts->count : 0;
    size_t length_bytes = texts ? texts->buffer.length_bytes : 0;

    /* Whoever fills the texts keeps them below their limits. */
    if (!runtime__wasi_put_u32(wasi, slots[0].i32, count) ||
        !runtime__wasi_put_u32(wasi, slots[1].i32, (uint32_t)length_bytes))
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* args_get and environ_get: (pointers *, bytes *). */
static enum gvm_status
texts_get(const struct runtime__wasi *wasi,
          const struct runtime__texts *texts, union gvm_value *slots)
{
    uint32_t pointers = slots[0].i32;
    uint32_t target = slots[1].i32;

    if (!texts || texts->count == 0)
        return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
    uint8_t *copy =
        runtime__wasi_target(wasi, target, texts->buffer.length_bytes);
    if (!copy ||
        !runtime__wasi_target(wasi, pointers, (uint64_t)texts->count * 4))
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    memcpy(copy, texts->buffer.bytes, texts->buffer.length_bytes);
    const char *text = (const char *)texts->buffer.bytes;
    for (uint32_t i = 0; i < texts->count; i++) {
        uint32_t length_bytes = (uint32_t)strlen(text) + 1;
        runtime__wasi_put_u32(wasi, pointers + 4 * i, target);
        target += length_bytes;
        text += length_bytes;
    }
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

enum gvm_status
runtime__wasi_args_sizes_get(struct gvm_call *call, void *data,
                             union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    return texts_sizes(wasi, wasi->arguments, slots);
}

enum gvm_status
runtime__wasi_args_get(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    return texts_get(wasi, wasi->arguments, slots);
}

enum gvm_status
runtime__wasi_environ_sizes_get(struct gvm_call *call, void *data,
                                union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    return texts_sizes(wasi, wasi->environment, slots);
}

enum gvm_status
runtime__wasi_environ_get(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    return texts_get(wasi, wasi->environment, slots);
}

/* ---- Clocks ------------------------------------------------------------ */

/* WASI's numbers for clocks: real time, monotonic, CPU of process, thread. */
static bool
clock_of(uint32_t number, clockid_t *clock)
{
    /* The CPU time of the host's process would tell of its neighbours: a
     * program gets that of its thread for both. */
    static const clockid_t clocks[] = {CLOCK_REALTIME, CLOCK_MONOTONIC,
                                       CLOCK_THREAD_CPUTIME_ID,
                                       CLOCK_THREAD_CPUTIME_ID};

    if (number >= sizeof(clocks) / sizeof(clocks[0]))
        return false;
    *clock = clocks[number];
    return true;
}

static uint64_t
nanoseconds(const struct timespec *time)
{
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

bool
runtime__wasi_clock_now(uint32_t clock, uint64_t *now_ns)
{
    clockid_t host;
    struct timespec time;

    if (!clock_of(clock, &host) || clock_gettime(host, &time) != 0)
        return false;
    *now_ns = nanoseconds(&time);
    return true;
}

bool
runtime__wasi_is_late(const struct runtime__wasi *wasi)
{
    uint64_t now_ns = 0;

    runtime__wasi_clock_now(RUNTIME__WASI_CLOCK_MONOTONIC, &now_ns);
    return wasi->deadline_ns && now_ns >= wasi->deadline_ns;
}

enum gvm_status
runtime__wasi_clock_res_get(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;
    clockid_t clock;
    struct timespec resolution;

    (void)call;
    if (!clock_of(slots[0].i32, &clock) ||
        clock_getres(clock, &resolution) != 0)
        return runtime__wasi_return(slots, RUNTIME__WASI_EINVAL);
    if (!runtime__wasi_put_u64(wasi, slots[1].i32, nanoseconds(&resolution)))
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* (clock, precision, time *) */
enum gvm_status
runtime__wasi_clock_time_get(struct gvm_call *call, void *data,
                             union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;
    uint64_t now_ns;

    (void)call;
    if (!runtime__wasi_clock_now(slots[0].i32, &now_ns))
        return runtime__wasi_return(slots, RUNTIME__WASI_EINVAL);
    if (!runtime__wasi_put_u64(wasi, slots[2].i32, now_ns))
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* ---- Randomness, and the end ------------------------------------------- */

/* Fills the range, in pieces between which the deadline is looked at: the
 * kernel makes a few hundred megabytes in a second, and charges no fuel. */
static enum runtime__wasi_errno
fill_random(const struct runtime__wasi *wasi, uint8_t *range,
            uint32_t length_bytes, bool *timed_out)
{
    while (length_bytes > 0) {
        *timed_out = runtime__wasi_is_late(wasi);
        if (*timed_out)
            break;
        ssize_t count =
            getrandom(range,
                      length_bytes < random_bytes_at_once
                          ? length_bytes
                          : random_bytes_at_once,
                      0);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return runtime__wasi_errno_last();
        range += count;
        length_bytes -= (uint32_t)count;
    }
    return RUNTIME__WASI_SUCCESS;
}

enum gvm_status
runtime__wasi_random_get(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;
    uint32_t length_bytes = slots[1].i32;
    uint8_t *range =
        runtime__wasi_target(wasi, slots[0].i32, length_bytes);
    bool timed_out = false;

    (void)call;
    if (!range)
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    wasi->work_fuel = length_bytes / RUNTIME_WASI_RANDOM_BYTES_PER_FUEL;
    enum runtime__wasi_errno error =
        fill_random(wasi, range, length_bytes, &timed_out);
    return timed_out ? runtime__wasi_time_out(wasi)
                     : runtime__wasi_return(slots, error);
}

enum gvm_status
runtime__wasi_proc_exit(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;

    (void)call;
    wasi->exited = true;
    wasi->exit_code = (int32_t)slots[0].i32;
    return GVM_EXITED;
}

/*
 * A signal does what it does to a program that handles none, and this host's
 * shells say 128 + number for the end that most of them are. Nobody could let
 * a program go on that has stopped.
 */
enum gvm_status
runtime__wasi_proc_raise(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    enum { none, pipe = 13, child = 16, go_on, stop, terminal_stop,
           terminal_input, terminal_output, urgent, window = 27, last = 30 };
    struct runtime__wasi *wasi = data;
    uint32_t number = slots[0].i32;

    (void)call;
    if (number > last)
        return runtime__wasi_return(slots, RUNTIME__WASI_EINVAL);
    switch (number) {
    case none:
    case pipe:
    case child:
    case go_on:
    case urgent:
    case window:
        return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
    case stop:
    case terminal_stop:
    case terminal_input:
    case terminal_output:
        return runtime__wasi_return(slots, RUNTIME__WASI_ENOTSUP);
    default:
        wasi->exited = true;
        wasi->exit_code = 128 + (int32_t)number;
        return GVM_EXITED;
    }
}

/* A program has one thread: there is nobody to yield to. */
enum gvm_status
runtime__wasi_sched_yield(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    (void)call;
    (void)data;
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}
