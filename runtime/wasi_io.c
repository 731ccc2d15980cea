/*
 * wasi_io.c - WASI preview 1: reading and writing, of streams and files.
 *
 * The ranges of a call are looked up all at once, before anything is moved: a
 * bad one moves nothing. Then the kernel, or the stream's owner, is given
 * addresses in the guest's memory. That is allowed although it may block: the
 * program's only thread is the one that waits in it, so nothing can move the
 * memory meanwhile.
 *
 * No descriptor of a file blocks in the kernel. Where the program has not
 * asked for that itself, what is not ready is waited for in wasi_wait.c.
 *
 * Each function runs on the thread of its call.
 */
#define _GNU_SOURCE 1 /* preadv */

#include "runtime/wasi.h"
#include "runtime/wasi_table.h"
#include "runtime/wasi_wait.h"

#include <errno.h>
#include <sys/uio.h>

/* One call of the four. */
struct transfer {
    struct runtime__wasi *wasi;
    const struct runtime__wasi_descriptor *descriptor;
    bool write;
    bool positioned;
    int64_t offset; /* when positioned */
    uint32_t count;
    struct iovec ranges[RUNTIME_WASI_RANGES_MAX];
};

static enum runtime__wasi_errno
collect_ranges(struct transfer *transfer, uint64_t pointer, uint32_t count)
{
    const struct runtime__wasi *wasi = transfer->wasi;

    if (count > RUNTIME_WASI_RANGES_MAX)
        return RUNTIME__WASI_EINVAL;
    const uint8_t *pairs =
        runtime__wasi_range(wasi, pointer, (uint64_t)count * 8);
    if (!pairs)
        return RUNTIME__WASI_EFAULT;
    for (uint32_t i = 0; i < count; i++, pairs += 8) {
        size_t length_bytes = (size_t)runtime__wasi_load(pairs + 4, 4);
        uint64_t start = runtime__wasi_load(pairs, 4);
        /* What is written to a file is only read here. */
        const uint8_t *bytes =
            transfer->write ? runtime__wasi_range(wasi, start, length_bytes)
                            : runtime__wasi_target(wasi, start, length_bytes);
        if (!bytes)
            return RUNTIME__WASI_EFAULT;
        transfer->ranges[i] =
            (struct iovec){(void *)(uintptr_t)bytes, length_bytes};
    }
    transfer->count = count;
    return RUNTIME__WASI_SUCCESS;
}

/* ---- Streams ------------------------------------------------------------ */

/* How many bytes were moved, or a negative errno of the host. */
static ptrdiff_t
move_range(const struct runtime__wasi *wasi, int number,
           const struct iovec *range)
{
    const struct runtime_streams *streams = &wasi->streams;

    if (number == 0)
        return streams->read_input
                   ? streams->read_input(streams->data, range->iov_base,
                                         range->iov_len)
                   : 0;
    ptrdiff_t (*write)(void *, const void *, size_t) =
        number == 1 ? streams->write_output : streams->write_error;
    return write ? write(streams->data, range->iov_base, range->iov_len)
                 : (ptrdiff_t)range->iov_len;
}

/*
 * Stops at the first range that was not moved whole. An error counts only
 * when nothing was moved before it, since those bytes would be lost otherwise.
 */
static enum runtime__wasi_errno
move_stream(const struct transfer *transfer, uint32_t *moved_bytes)
{
    for (uint32_t i = 0; i < transfer->count; i++) {
        const struct iovec *range = &transfer->ranges[i];
        if (range->iov_len == 0)
            continue;
        ptrdiff_t moved = move_range(transfer->wasi,
                                     transfer->descriptor->number, range);
        if (moved < 0 && *moved_bytes == 0)
            return runtime__wasi_errno_of_host((int)-moved);
        /* A sum that a program takes for negative would be an error to it;
         * only ranges that overlap can make one. */
        if (moved < 0 || __builtin_add_overflow(
                             *moved_bytes, (uint32_t)moved, moved_bytes))
            break;
        if ((size_t)moved < range->iov_len)
            break;
    }
    return RUNTIME__WASI_SUCCESS;
}

/* ---- Files -------------------------------------------------------------- */

static ssize_t
move_once(const struct transfer *transfer, const struct iovec *ranges,
          uint32_t count, uint32_t moved_bytes)
{
    int fd = transfer->descriptor->number;
    int64_t offset;

    if (!transfer->positioned)
        return transfer->write ? writev(fd, ranges, (int)count)
                               : readv(fd, ranges, (int)count);
    /* Only what is moved in pieces can come to the end of all numbers. */
    if (__builtin_add_overflow(transfer->offset, moved_bytes, &offset)) {
        errno = EFBIG;
        return -1;
    }
    return transfer->write ? pwritev(fd, ranges, (int)count, offset)
                           : preadv(fd, ranges, (int)count, offset);
}

/* Waits until the descriptor is ready. */
static enum runtime__wasi_wait
wait_for(const struct transfer *transfer, int fd)
{
    struct pollfd ready = {
        .fd = fd,
        .events = transfer->write ? POLLOUT : POLLIN,
    };

    return runtime__wasi_wait(transfer->wasi, &ready, 1, UINT64_MAX);
}

/* Adds to `moved_bytes` what was moved of these ranges. */
static enum runtime__wasi_errno
move_ranges(const struct transfer *transfer, const struct iovec *ranges,
            uint32_t count, uint32_t *moved_bytes, bool *stopped)
{
    for (;;) {
        ssize_t moved = move_once(transfer, ranges, count, *moved_bytes);
        if (moved >= 0) {
            *moved_bytes += (uint32_t)moved; /* the kernel's limit is less */
            return RUNTIME__WASI_SUCCESS;
        }
        if (errno == EINTR)
            continue;
        if (errno != EAGAIN ||
            transfer->descriptor->flags & RUNTIME__FDFLAG_NONBLOCK)
            return runtime__wasi_errno_last();
        switch (wait_for(transfer, transfer->descriptor->number)) {
        case RUNTIME__WASI_WAIT_DEADLINE:
        case RUNTIME__WASI_WAIT_PARKED:
            *stopped = true;
            return RUNTIME__WASI_SUCCESS;
        case RUNTIME__WASI_WAIT_REFUSED:
            return runtime__wasi_errno_last();
        default:
            break;
        }
    }
}

/* One range in pieces, between which the deadline is looked at. False when
 * that is all that there will be. */
static bool
move_pieces(const struct transfer *transfer, const struct iovec *range,
            uint32_t *moved_bytes, bool *stopped,
            enum runtime__wasi_errno *error)
{
    for (size_t at = 0; at < range->iov_len;) {
        size_t left = range->iov_len - at;
        struct iovec piece = {
            (uint8_t *)range->iov_base + at,
            left < RUNTIME_WASI_PIECE_BYTES ? left : RUNTIME_WASI_PIECE_BYTES,
        };
        uint32_t before = *moved_bytes;
        /* More than a program can count, when ranges overlap. */
        if (before > INT32_MAX - RUNTIME_WASI_PIECE_BYTES)
            return false;
        *error = move_ranges(transfer, &piece, 1, moved_bytes, stopped);
        at += *moved_bytes - before;
        if (runtime__wasi_is_late(transfer->wasi))
            *stopped = true;
        if (*error != RUNTIME__WASI_SUCCESS || *stopped ||
            *moved_bytes - before < piece.iov_len)
            return false;
    }
    return true;
}

static enum runtime__wasi_errno
move_file(const struct transfer *transfer, uint32_t *moved_bytes,
          bool *stopped)
{
    enum runtime__wasi_errno error = RUNTIME__WASI_SUCCESS;
    uint64_t wanted_bytes = 0;

    for (uint32_t i = 0; i < transfer->count; i++)
        wanted_bytes += transfer->ranges[i].iov_len;
    if (wanted_bytes <= RUNTIME_WASI_PIECE_BYTES)
        return move_ranges(transfer, transfer->ranges, transfer->count,
                           moved_bytes, stopped);
    for (uint32_t i = 0; i < transfer->count; i++)
        if (!move_pieces(transfer, &transfer->ranges[i], moved_bytes,
                         stopped, &error))
            break;
    /* As with streams: what was moved would be lost otherwise. */
    return *moved_bytes > 0 ? RUNTIME__WASI_SUCCESS : error;
}

/* ---- The four ----------------------------------------------------------- */

/* Whether the descriptor is one for such a call. */
static enum runtime__wasi_errno
find(struct transfer *transfer, uint32_t fd)
{
    uint64_t rights = transfer->write ? RUNTIME__RIGHT_FD_WRITE
                                      : RUNTIME__RIGHT_FD_READ;
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(transfer->wasi, fd, 0, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (descriptor->kind == RUNTIME__WASI_DIRECTORY)
        return RUNTIME__WASI_EISDIR;
    if (transfer->positioned && descriptor->kind == RUNTIME__WASI_STREAM)
        return RUNTIME__WASI_ESPIPE;
    if (transfer->positioned)
        rights |= RUNTIME__RIGHT_FD_SEEK;
    if (rights & ~descriptor->rights)
        return RUNTIME__WASI_ENOTCAPABLE;
    transfer->descriptor = descriptor;
    return RUNTIME__WASI_SUCCESS;
}

/* A reading of a stream that can be waited for ends at the deadline. */
static bool
reaches_deadline(const struct transfer *transfer)
{
    int number = transfer->descriptor->number;

    /* None is 0, or the greatest number. */
    return !transfer->write && transfer->wasi->deadline_ns + 1 > 1 &&
           transfer->wasi->streams.waitable & (1u << number) &&
           wait_for(transfer, number) == RUNTIME__WASI_WAIT_DEADLINE;
}

/* (fd, ranges, count, [offset,] moved *) */
static enum gvm_status
run(struct transfer *transfer, union gvm_value *slots)
{
    uint32_t result = slots[transfer->positioned ? 4 : 3].i32;
    uint32_t moved_bytes = 0;
    bool stopped = false;
    enum runtime__wasi_errno error = find(transfer, slots[0].i32);

    if (error == RUNTIME__WASI_SUCCESS && transfer->positioned &&
        transfer->offset < 0)
        error = RUNTIME__WASI_EINVAL;
    if (error == RUNTIME__WASI_SUCCESS)
        error = collect_ranges(transfer, slots[1].i32, slots[2].i32);
    if (error == RUNTIME__WASI_SUCCESS &&
        !runtime__wasi_target(transfer->wasi, result, 4))
        error = RUNTIME__WASI_EFAULT;
    if (error != RUNTIME__WASI_SUCCESS)
        return runtime__wasi_return(slots, error);

    if (transfer->descriptor->kind == RUNTIME__WASI_FILE)
        error = move_file(transfer, &moved_bytes, &stopped);
    else if (reaches_deadline(transfer))
        stopped = true;
    else
        error = move_stream(transfer, &moved_bytes);
    if (stopped && !transfer->wasi->until_ns)
        return runtime__wasi_time_out(transfer->wasi);
    /* It begins anew then: what was moved is an answer, though a short one. */
    if (stopped && moved_bytes == 0)
        return GVM_SUSPENDED;
    transfer->wasi->work_fuel = moved_bytes / RUNTIME_WASI_BYTES_PER_FUEL;
    if (error == RUNTIME__WASI_SUCCESS)
        runtime__wasi_put_u32(transfer->wasi, result, moved_bytes);
    return runtime__wasi_return(slots, error);
}

/* The ranges are not set to zero: they are many, and most calls have one. */
static enum gvm_status
begin(void *wasi, union gvm_value *slots, bool write, bool positioned)
{
    struct transfer transfer;

    transfer.wasi = wasi;
    transfer.write = write;
    transfer.positioned = positioned;
    transfer.offset = positioned ? (int64_t)slots[3].i64 : 0;
    return run(&transfer, slots);
}

enum gvm_status
runtime__wasi_fd_read(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    (void)call;
    return begin(data, slots, false, false);
}

enum gvm_status
runtime__wasi_fd_write(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    (void)call;
    return begin(data, slots, true, false);
}

enum gvm_status
runtime__wasi_fd_pread(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    (void)call;
    return begin(data, slots, false, true);
}

enum gvm_status
runtime__wasi_fd_pwrite(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    (void)call;
    return begin(data, slots, true, true);
}
