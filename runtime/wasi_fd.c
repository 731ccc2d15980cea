/*
 * wasi_fd.c - WASI preview 1: descriptors 0, 1 and 2.
 *
 * The three are streams: they are read or written from where they are, and
 * cannot be sought in. There are no others, and no directories: the first
 * question of a C library, fd_prestat_get(3), is answered with EBADF, and it
 * takes that for "no files".
 *
 * A stream's function is given addresses in the guest's memory. That is
 * allowed although it may block: the program's only thread is the one that
 * waits in it, so nothing can move the memory meanwhile.
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi.h"

#include <errno.h>
#include <string.h>

enum {
    descriptor_count = 3,

    /* More ranges than this in one call are EINVAL, as in POSIX. */
    ranges_max = 1024,

    filetype_unknown = 0,
    filetype_character_device = 2,
    fdflag_all = 31,
    fdstat_bytes = 24,
    whence_max = 2,
};

/* The rights of the three, as programs know them: bits of WASI. */
static const uint64_t right_read = 1u << 1;
static const uint64_t right_write = 1u << 6;

static bool
is_open(const struct runtime__wasi *wasi, uint32_t fd)
{
    return fd < descriptor_count && !(wasi->closed & (1u << fd));
}

static enum runtime__wasi_errno
errno_of_host(int number)
{
    switch (number) {
    case EAGAIN:
        return RUNTIME__WASI_EAGAIN;
    case EBADF:
        return RUNTIME__WASI_EBADF;
    case EFBIG:
        return RUNTIME__WASI_EFBIG;
    case EINTR:
        return RUNTIME__WASI_EINTR;
    case ENOSPC:
        return RUNTIME__WASI_ENOSPC;
    case EPIPE:
        return RUNTIME__WASI_EPIPE;
    default:
        return RUNTIME__WASI_EIO;
    }
}

/* How many bytes were moved, or a negative errno. */
static ptrdiff_t
move_bytes(const struct runtime__wasi *wasi, uint32_t fd, uint8_t *bytes,
           uint32_t length_bytes)
{
    const struct runtime_streams *streams = &wasi->streams;

    if (fd == 0)
        return streams->read_input ? streams->read_input(streams->data, bytes,
                                                         length_bytes)
                                   : 0;
    ptrdiff_t (*write)(void *, const void *, size_t) =
        fd == 1 ? streams->write_output : streams->write_error;
    return write ? write(streams->data, bytes, length_bytes)
                 : (ptrdiff_t)length_bytes;
}

static uint32_t
read_u32(const uint8_t *bytes)
{
    return (uint32_t)bytes[0] | (uint32_t)bytes[1] << 8 |
           (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

/*
 * Moves one range, an address and a length at `range`. Returns how many bytes
 * were moved or the negative error; `wanted_bytes` is its length.
 */
static ptrdiff_t
move_range(const struct runtime__wasi *wasi, uint32_t fd, uint64_t range,
           uint32_t *wanted_bytes)
{
    const uint8_t *pair = runtime__wasi_range(wasi, range, 8);

    if (!pair)
        return -(ptrdiff_t)RUNTIME__WASI_EFAULT;
    *wanted_bytes = read_u32(pair + 4);
    uint8_t *bytes = runtime__wasi_range(wasi, read_u32(pair), *wanted_bytes);
    if (!bytes)
        return -(ptrdiff_t)RUNTIME__WASI_EFAULT;
    if (*wanted_bytes == 0)
        return 0;
    ptrdiff_t moved = move_bytes(wasi, fd, bytes, *wanted_bytes);
    return moved < 0 ? -(ptrdiff_t)errno_of_host((int)-moved) : moved;
}

/*
 * fd_read and fd_write: (fd, ranges, count of them, moved *). Stops at the
 * first range that was not moved whole; an error counts only when nothing was
 * moved before it, since those bytes would be lost otherwise.
 */
static enum runtime__wasi_errno
move_ranges(const struct runtime__wasi *wasi, const union gvm_value *slots)
{
    uint32_t fd = slots[0].i32;
    uint32_t count = slots[2].i32;
    uint32_t moved_bytes = 0;

    if (count > ranges_max)
        return RUNTIME__WASI_EINVAL;
    /* For the same reason the result's place is looked at first. */
    if (!runtime__wasi_range(wasi, slots[3].i32, 4))
        return RUNTIME__WASI_EFAULT;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t wanted_bytes = 0;
        ptrdiff_t moved = move_range(
            wasi, fd, (uint64_t)slots[1].i32 + 8 * (uint64_t)i,
            &wanted_bytes);
        if (moved < 0 && moved_bytes == 0)
            return (enum runtime__wasi_errno)-moved;
        /* A sum that a program takes for negative would be an error to it;
         * only ranges that overlap can make one. */
        if (moved < 0 ||
            __builtin_add_overflow(moved_bytes, (uint32_t)moved,
                                   &moved_bytes))
            break;
        if ((uint32_t)moved < wanted_bytes)
            break;
    }
    runtime__wasi_put_u32(wasi, slots[3].i32, moved_bytes);
    return RUNTIME__WASI_SUCCESS;
}

enum gvm_status
runtime__wasi_fd_read(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;

    (void)call;
    if (!is_open(wasi, slots[0].i32) || slots[0].i32 != 0)
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    return runtime__wasi_return(slots, move_ranges(wasi, slots));
}

enum gvm_status
runtime__wasi_fd_write(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;

    (void)call;
    if (!is_open(wasi, slots[0].i32) || slots[0].i32 == 0)
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    return runtime__wasi_return(slots, move_ranges(wasi, slots));
}

enum gvm_status
runtime__wasi_fd_close(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    struct runtime__wasi *wasi = data;

    (void)call;
    if (!is_open(wasi, slots[0].i32))
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    wasi->closed |= 1u << slots[0].i32;
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* (fd, offset, whence, new offset *) */
enum gvm_status
runtime__wasi_fd_seek(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    if (!is_open(wasi, slots[0].i32))
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    return runtime__wasi_return(slots, slots[2].i32 > whence_max
                                           ? RUNTIME__WASI_EINVAL
                                           : RUNTIME__WASI_ESPIPE);
}

enum gvm_status
runtime__wasi_fd_tell(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    return runtime__wasi_return(slots, is_open(wasi, slots[0].i32)
                                           ? RUNTIME__WASI_ESPIPE
                                           : RUNTIME__WASI_EBADF);
}

/*
 * (fd, fdstat *). A C library takes a character device without the right to
 * seek for a terminal and then writes line by line: so only terminals say
 * that they are one.
 */
enum gvm_status
runtime__wasi_fd_fdstat_get(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;
    uint32_t fd = slots[0].i32;
    uint32_t target = slots[1].i32;

    (void)call;
    if (!is_open(wasi, fd))
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    uint8_t *fdstat = runtime__wasi_range(wasi, target, fdstat_bytes);
    if (!fdstat)
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    memset(fdstat, 0, fdstat_bytes);
    fdstat[0] = wasi->streams.terminals & (1u << fd)
                    ? filetype_character_device
                    : filetype_unknown;
    runtime__wasi_put_u64(wasi, target + 8,
                          fd == 0 ? right_read : right_write);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* None of the flags has a meaning for the three that a program could see. */
enum gvm_status
runtime__wasi_fd_fdstat_set_flags(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    const struct runtime__wasi *wasi = data;

    (void)call;
    if (!is_open(wasi, slots[0].i32))
        return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
    return runtime__wasi_return(slots, slots[1].i32 > fdflag_all
                                           ? RUNTIME__WASI_EINVAL
                                           : RUNTIME__WASI_SUCCESS);
}

enum gvm_status
runtime__wasi_fd_prestat_get(struct gvm_call *call, void *data,
                             union gvm_value *slots)
{
    (void)call;
    (void)data;
    return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
}

enum gvm_status
runtime__wasi_fd_prestat_dir_name(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    (void)call;
    (void)data;
    return runtime__wasi_return(slots, RUNTIME__WASI_EBADF);
}
