/*
 * wasi_poll.c - WASI preview 1: poll_oneoff.
 *
 * All subscriptions are copied first: events may be written over them, and
 * what was checked must not change. A subscription that cannot be (a bad
 * descriptor, a clock that is none) is an event with an error, and it is there
 * at once. Then one wait, for the host's descriptors and the earliest clock.
 *
 * A clock is asked again when the wait is over, and not believed to have gone
 * on as the monotonic one has.
 *
 * When the call is parked, what was subscribed stays as it was copied, with
 * times that were relative to when it began.
 *
 * It runs on the thread that runs its call.
 */
#include "runtime/wasi.h"
#include "runtime/wasi_table.h"
#include "runtime/wasi_wait.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    subscription_bytes = 48,
    event_bytes = 32,

    type_clock = 0,
    type_read = 1,
    type_write = 2,

    clock_absolute = 1,

    event_hang_up = 1,
};

/* One subscription, and what has come of it. */
struct waiter {
    uint8_t userdata[8];
    uint8_t type;
    bool ready;
    enum runtime__wasi_errno error;

    /* A clock: which one, and the time that it has to show. */
    uint32_t clock;
    uint64_t until_ns;

    /* A descriptor: the host's, or -1; how much there is, and whether the
     * other side is gone. */
    int number;
    uint64_t ready_bytes;
    bool hung_up;
};

/* A poll_oneoff: one block, with the descriptors behind the waiters. */
struct runtime__wasi_poll {
    uint32_t count;
    struct pollfd *polls;
    struct waiter waiters[];
};

/* ---- Clocks ------------------------------------------------------------- */

/* (id at 0, timeout at 8, precision at 16, flags at 24) */
static void
begin_clock(struct waiter *waiter, const uint8_t *subscription)
{
    uint64_t timeout_ns = runtime__wasi_load(subscription + 8, 8);
    uint32_t flags = (uint32_t)runtime__wasi_load(subscription + 24, 2);
    uint64_t now_ns;

    waiter->clock = (uint32_t)runtime__wasi_load(subscription, 4);
    waiter->number = -1;
    if (flags > clock_absolute ||
        !runtime__wasi_clock_now(waiter->clock, &now_ns)) {
        waiter->error = RUNTIME__WASI_EINVAL;
    } else if (waiter->clock > RUNTIME__WASI_CLOCK_MONOTONIC) {
        /* Who waits uses no CPU time: it would be for ever. */
        waiter->error = RUNTIME__WASI_ENOTSUP;
    } else if (flags & clock_absolute) {
        waiter->until_ns = timeout_ns;
    } else {
        waiter->until_ns =
            timeout_ns < UINT64_MAX - now_ns ? now_ns + timeout_ns
                                             : UINT64_MAX;
    }
}

/* Whether it shows the time; else when that will be, by the monotonic one. */
static bool
is_clock_ready(const struct waiter *waiter, uint64_t *until_ns)
{
    uint64_t now_ns = 0;
    uint64_t monotonic_ns = 0;

    runtime__wasi_clock_now(waiter->clock, &now_ns);
    if (now_ns >= waiter->until_ns)
        return true;
    runtime__wasi_clock_now(RUNTIME__WASI_CLOCK_MONOTONIC, &monotonic_ns);
    uint64_t left_ns = waiter->until_ns - now_ns;
    *until_ns = left_ns < UINT64_MAX - monotonic_ns ? monotonic_ns + left_ns
                                                    : UINT64_MAX;
    return false;
}

/* ---- Descriptors -------------------------------------------------------- */

/* A regular file is always ready: for what there is behind its offset. */
static void
measure_file(struct waiter *waiter, int number)
{
    struct stat info;
    off_t offset = lseek(number, 0, SEEK_CUR);

    waiter->ready = true;
    if (waiter->type == type_read && offset >= 0 &&
        fstat(number, &info) == 0 && info.st_size > offset)
        waiter->ready_bytes = (uint64_t)(info.st_size - offset);
}

static void
begin_descriptor(struct runtime__wasi *wasi, struct waiter *waiter,
                 const uint8_t *subscription)
{
    uint32_t fd = (uint32_t)runtime__wasi_load(subscription, 4);
    uint64_t rights = RUNTIME__RIGHT_POLL_FD_READWRITE |
                      (waiter->type == type_read ? RUNTIME__RIGHT_FD_READ
                                                 : RUNTIME__RIGHT_FD_WRITE);
    struct runtime__wasi_descriptor *descriptor;

    waiter->number = -1;
    waiter->error = runtime__wasi_table_get(wasi, fd, rights, &descriptor);
    if (waiter->error != RUNTIME__WASI_SUCCESS)
        return;
    if (descriptor->filetype == RUNTIME__FILETYPE_REGULAR_FILE)
        measure_file(waiter, descriptor->number);
    else if (descriptor->kind == RUNTIME__WASI_FILE ||
             wasi->streams.waitable & (1u << descriptor->number))
        waiter->number = descriptor->number;
    else
        waiter->ready = true; /* a stream that is there already */
}

/* What the kernel says about the descriptor. */
static void
end_descriptor(struct waiter *waiter, const struct pollfd *poll)
{
    int available_bytes = 0;

    if (!poll->revents)
        return;
    waiter->ready = true;
    waiter->hung_up = poll->revents & POLLHUP;
    if (poll->revents & POLLNVAL)
        waiter->error = RUNTIME__WASI_EBADF;
    else if (waiter->type == type_read &&
             ioctl(waiter->number, FIONREAD, &available_bytes) == 0 &&
             available_bytes > 0)
        waiter->ready_bytes = (uint64_t)available_bytes;
}

/* ---- Waiting ------------------------------------------------------------ */

static enum runtime__wasi_errno
begin(struct runtime__wasi *wasi, struct waiter *waiters, uint32_t count,
      const uint8_t *subscriptions)
{
    for (uint32_t i = 0; i < count; i++) {
        const uint8_t *subscription = subscriptions + i * subscription_bytes;
        struct waiter *waiter = &waiters[i];
        memcpy(waiter->userdata, subscription, 8);
        waiter->type = subscription[8];
        if (waiter->type > type_write)
            return RUNTIME__WASI_EINVAL;
        if (waiter->type == type_clock)
            begin_clock(waiter, subscription + 16);
        else
            begin_descriptor(wasi, waiter, subscription + 16);
        if (waiter->error != RUNTIME__WASI_SUCCESS)
            waiter->ready = true;
    }
    return RUNTIME__WASI_SUCCESS;
}

/* How many are ready; `until_ns` is when the next clock will be. */
static uint32_t
count_ready(struct waiter *waiters, uint32_t count, uint64_t *until_ns)
{
    uint32_t ready = 0;

    *until_ns = UINT64_MAX;
    for (uint32_t i = 0; i < count; i++) {
        struct waiter *waiter = &waiters[i];
        uint64_t clock_ns = UINT64_MAX;
        if (waiter->type == type_clock && !waiter->ready)
            waiter->ready = is_clock_ready(waiter, &clock_ns);
        if (clock_ns < *until_ns)
            *until_ns = clock_ns;
        ready += waiter->ready;
    }
    return ready;
}

/* Waits until something is ready, and at least looks at the descriptors. The
 * call is to be parked when `*parked`. */
static enum runtime__wasi_errno
wait_for_any(struct runtime__wasi *wasi, struct runtime__wasi_poll *poll,
             bool *parked)
{
    struct waiter *waiters = poll->waiters;
    struct pollfd *polls = poll->polls;
    uint32_t count = poll->count;
    uint64_t until_ns;
    uint32_t ready = count_ready(waiters, count, &until_ns);

    for (uint32_t i = 0; i < count; i++)
        polls[i] = (struct pollfd){
            /* The kernel leaves out what is negative. */
            .fd = waiters[i].type == type_clock ? -1 : waiters[i].number,
            .events = waiters[i].type == type_read ? POLLIN : POLLOUT,
        };
    do {
        enum runtime__wasi_wait wait =
            runtime__wasi_wait(wasi, polls, count, ready ? 0 : until_ns);
        if (wait == RUNTIME__WASI_WAIT_REFUSED)
            return runtime__wasi_errno_last();
        *parked = wait == RUNTIME__WASI_WAIT_PARKED;
        if (*parked)
            return RUNTIME__WASI_SUCCESS;
        for (uint32_t i = 0; i < count; i++)
            end_descriptor(&waiters[i], &polls[i]);
        ready = count_ready(waiters, count, &until_ns);
        wasi->timed_out = wait == RUNTIME__WASI_WAIT_DEADLINE && !ready;
    } while (!ready && !wasi->timed_out);
    return RUNTIME__WASI_SUCCESS;
}

/* ---- Events ------------------------------------------------------------- */

static uint32_t
put_events(const struct waiter *waiters, uint32_t count, uint8_t *events)
{
    uint32_t written = 0;

    for (uint32_t i = 0; i < count; i++) {
        const struct waiter *waiter = &waiters[i];
        uint8_t *event = events + written * event_bytes;
        if (!waiter->ready)
            continue;
        memset(event, 0, event_bytes);
        memcpy(event, waiter->userdata, 8);
        runtime__wasi_store(event + 8, waiter->error, 2);
        event[10] = waiter->type;
        runtime__wasi_store(event + 16, waiter->ready_bytes, 8);
        runtime__wasi_store(event + 24, waiter->hung_up ? event_hang_up : 0,
                            2);
        written++;
    }
    return written;
}

static struct runtime__wasi_poll *
create_poll(uint32_t count)
{
    size_t waiters_bytes = count * sizeof(struct waiter);
    struct runtime__wasi_poll *poll =
        calloc(1, sizeof(*poll) + waiters_bytes +
                      count * sizeof(struct pollfd));

    if (!poll)
        return NULL;
    poll->count = count;
    poll->polls =
        (struct pollfd *)(void *)((uint8_t *)poll->waiters + waiters_bytes);
    return poll;
}

/* (subscriptions, events, count, events written *) */
static enum runtime__wasi_errno
poll_all(struct runtime__wasi *wasi, const union gvm_value *slots,
         bool *parked)
{
    uint32_t count = slots[2].i32;
    const uint8_t *subscriptions = runtime__wasi_range(
        wasi, slots[0].i32, (uint64_t)count * subscription_bytes);
    uint8_t *events = runtime__wasi_target(wasi, slots[1].i32,
                                          (uint64_t)count * event_bytes);
    enum runtime__wasi_errno error = RUNTIME__WASI_SUCCESS;

    if (!subscriptions || !events ||
        !runtime__wasi_target(wasi, slots[3].i32, 4))
        return RUNTIME__WASI_EFAULT;
    if (!wasi->poll) {
        wasi->poll = create_poll(count);
        if (!wasi->poll)
            return RUNTIME__WASI_ENOMEM;
        error = begin(wasi, wasi->poll->waiters, count, subscriptions);
    }
    if (error == RUNTIME__WASI_SUCCESS)
        error = wait_for_any(wasi, wasi->poll, parked);
    if (error == RUNTIME__WASI_SUCCESS && !*parked && !wasi->timed_out)
        runtime__wasi_put_u32(
            wasi, slots[3].i32,
            put_events(wasi->poll->waiters, count, events));
    return error;
}

enum gvm_status
runtime__wasi_poll_oneoff(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;
    uint32_t count = slots[2].i32;
    bool parked = false;

    (void)call;
    if (count == 0 || count > RUNTIME_WASI_SUBSCRIPTIONS_MAX)
        return runtime__wasi_return(slots, RUNTIME__WASI_EINVAL);
    wasi->work_fuel = (uint64_t)count * RUNTIME_WASI_QUICK_FUEL;
    enum runtime__wasi_errno error = poll_all(wasi, slots, &parked);
    if (parked)
        return GVM_SUSPENDED;
    free(wasi->poll);
    wasi->poll = NULL;
    if (wasi->timed_out)
        return runtime__wasi_time_out(wasi);
    return runtime__wasi_return(slots, error);
}
