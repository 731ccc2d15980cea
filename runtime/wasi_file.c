/*
 * wasi_file.c - WASI preview 1: what only files have, by descriptor.
 *
 * Each function runs on the thread of its call.
 */
#define _GNU_SOURCE 1 /* fallocate */

#include "runtime/wasi_file.h"

#include "runtime/wasi_table.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    filestat_bytes = 64,

    time_access = 1,
    time_access_now = 2,
    time_modification = 4,
    time_modification_now = 8,
    times_all = 15,
};

/* What a system call that returns 0 or -1 has said. */
static enum runtime__wasi_errno
errno_of_result(int result)
{
    return result == 0 ? RUNTIME__WASI_SUCCESS : runtime__wasi_errno_last();
}

/* ---- Status ------------------------------------------------------------- */

static uint64_t
nanoseconds(const struct timespec *time)
{
    /* Times before 1970 are not to be told in WASI. */
    if (time->tv_sec < 0)
        return 0;
    return (uint64_t)time->tv_sec * 1000000000u + (uint64_t)time->tv_nsec;
}

enum runtime__wasi_errno
runtime__wasi_put_filestat(const struct runtime__wasi *wasi, uint32_t target,
                           const struct stat *info)
{
    uint8_t *filestat = runtime__wasi_target(wasi, target, filestat_bytes);

    if (!filestat)
        return RUNTIME__WASI_EFAULT;
    memset(filestat, 0, filestat_bytes);
    runtime__wasi_store(filestat, info->st_dev, 8);
    runtime__wasi_store(filestat + 8, info->st_ino, 8);
    filestat[16] = (uint8_t)runtime__wasi_filetype_of_mode(info->st_mode);
    runtime__wasi_store(filestat + 24, info->st_nlink, 8);
    runtime__wasi_store(filestat + 32, (uint64_t)info->st_size, 8);
    runtime__wasi_store(filestat + 40, nanoseconds(&info->st_atim), 8);
    runtime__wasi_store(filestat + 48, nanoseconds(&info->st_mtim), 8);
    runtime__wasi_store(filestat + 56, nanoseconds(&info->st_ctim), 8);
    return RUNTIME__WASI_SUCCESS;
}

/* Of a stream nothing is known but what kind of thing it is. */
static enum runtime__wasi_errno
put_stream(const struct runtime__wasi *wasi, uint32_t target,
           enum runtime__wasi_filetype filetype)
{
    static const struct stat nothing;
    enum runtime__wasi_errno error =
        runtime__wasi_put_filestat(wasi, target, &nothing);

    if (error == RUNTIME__WASI_SUCCESS)
        *runtime__wasi_target(wasi, (uint64_t)target + 16, 1) =
            (uint8_t)filetype;
    return error;
}

static enum runtime__wasi_errno
get_filestat(struct runtime__wasi *wasi, uint32_t fd, uint32_t target)
{
    struct runtime__wasi_descriptor *descriptor;
    struct stat info;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, fd, RUNTIME__RIGHT_FD_FILESTAT_GET,
                                &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (descriptor->kind == RUNTIME__WASI_STREAM)
        return put_stream(wasi, target, descriptor->filetype);
    if (fstat(descriptor->number, &info) != 0)
        return runtime__wasi_errno_last();
    return runtime__wasi_put_filestat(wasi, target, &info);
}

/* (fd, filestat *) */
enum gvm_status
runtime__wasi_fd_filestat_get(struct gvm_call *call, void *data,
                              union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(
        slots, get_filestat(data, slots[0].i32, slots[1].i32));
}

/* (fd, size) */
enum gvm_status
runtime__wasi_fd_filestat_set_size(struct gvm_call *call, void *data,
                                   union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_FILESTAT_SET_SIZE,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS && slots[1].i64 > INT64_MAX)
        error = RUNTIME__WASI_EINVAL;
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(
            ftruncate(descriptor->number, (off_t)slots[1].i64));
    return runtime__wasi_return(slots, error);
}

/* ---- Times -------------------------------------------------------------- */

static struct timespec
time_of(uint64_t time_ns, bool set, bool now)
{
    if (now)
        return (struct timespec){.tv_nsec = UTIME_NOW};
    if (!set)
        return (struct timespec){.tv_nsec = UTIME_OMIT};
    return (struct timespec){
        .tv_sec = (time_t)(time_ns / 1000000000u),
        .tv_nsec = (long)(time_ns % 1000000000u),
    };
}

enum runtime__wasi_errno
runtime__wasi_file_times(uint64_t access_ns, uint64_t modification_ns,
                         uint32_t flags, struct timespec times[2])
{
    const uint32_t access = time_access | time_access_now;
    const uint32_t modification = time_modification | time_modification_now;

    if (flags > times_all || (flags & access) == access ||
        (flags & modification) == modification)
        return RUNTIME__WASI_EINVAL;
    times[0] = time_of(access_ns, flags & time_access,
                       flags & time_access_now);
    times[1] = time_of(modification_ns, flags & time_modification,
                       flags & time_modification_now);
    return RUNTIME__WASI_SUCCESS;
}

/* (fd, access, modification, flags) */
enum gvm_status
runtime__wasi_fd_filestat_set_times(struct gvm_call *call, void *data,
                                    union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    struct timespec times[2];
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_FILESTAT_SET_TIMES,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_file_times(slots[1].i64, slots[2].i64,
                                         slots[3].i32, times);
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(futimens(descriptor->number, times));
    return runtime__wasi_return(slots, error);
}

/* ---- What the disk is told ---------------------------------------------- */

/* (fd) */
enum gvm_status
runtime__wasi_fd_sync(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_SYNC,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(fsync(descriptor->number));
    return runtime__wasi_return(slots, error);
}

/* (fd) */
enum gvm_status
runtime__wasi_fd_datasync(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_DATASYNC,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(fdatasync(descriptor->number));
    return runtime__wasi_return(slots, error);
}

/* Offset and length as the host takes them: signed. */
static enum runtime__wasi_errno
check_span(const union gvm_value *slots)
{
    return slots[1].i64 > INT64_MAX || slots[2].i64 > INT64_MAX
               ? RUNTIME__WASI_EINVAL
               : RUNTIME__WASI_SUCCESS;
}

/*
 * (fd, offset, length). Not posix_fallocate(3): where the file system cannot
 * do it, that would write the whole of it instead, for as long as it takes.
 */
enum gvm_status
runtime__wasi_fd_allocate(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_ALLOCATE,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = check_span(slots);
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(fallocate(descriptor->number, 0,
                                          (off_t)slots[1].i64,
                                          (off_t)slots[2].i64));
    return runtime__wasi_return(slots, error);
}

/* (fd, offset, length, advice) */
enum gvm_status
runtime__wasi_fd_advise(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    static const int advices[] = {
        POSIX_FADV_NORMAL,   POSIX_FADV_SEQUENTIAL, POSIX_FADV_RANDOM,
        POSIX_FADV_WILLNEED, POSIX_FADV_DONTNEED,   POSIX_FADV_NOREUSE,
    };
    struct runtime__wasi_descriptor *descriptor;
    uint32_t advice = slots[3].i32;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32,
                                RUNTIME__RIGHT_FD_ADVISE,
                                &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = advice < sizeof(advices) / sizeof(advices[0])
                    ? check_span(slots)
                    : RUNTIME__WASI_EINVAL;
    /* This one returns its error. */
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_errno_of_host(
            posix_fadvise(descriptor->number, (off_t)slots[1].i64,
                          (off_t)slots[2].i64, advices[advice]));
    return runtime__wasi_return(slots, error);
}
