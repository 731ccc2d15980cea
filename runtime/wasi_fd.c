/*
 * wasi_fd.c - WASI preview 1: descriptors themselves, whatever is behind
 * them. Reading and writing is in wasi_io.c, what only files have in
 * wasi_file.c.
 *
 * A stream is where it is and cannot be sought in. A descriptor that is no
 * directory given to the program has no name: fd_prestat_get answers EBADF,
 * which C libraries take for the end of the list.
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi.h"
#include "runtime/wasi_table.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

enum {
    fdstat_bytes = 24,
    prestat_bytes = 8,
};

enum gvm_status
runtime__wasi_fd_close(struct gvm_call *call, void *data,
                       union gvm_value *slots)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32, 0, &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        runtime__wasi_table_close(data, descriptor);
    return runtime__wasi_return(slots, error);
}

/* (from, to): closes `to`, and what `from` was is there then. */
enum gvm_status
runtime__wasi_fd_renumber(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__wasi_descriptor *from;
    struct runtime__wasi_descriptor *to;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32, 0, &from);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_table_get(data, slots[1].i32, 0, &to);
    if (error == RUNTIME__WASI_SUCCESS && from != to) {
        runtime__wasi_table_close(data, to);
        *to = *from;
        *from = (struct runtime__wasi_descriptor){0};
    }
    return runtime__wasi_return(slots, error);
}

/* ---- Offsets ------------------------------------------------------------ */

/* Seeks, when the descriptor is something to seek in. */
static enum runtime__wasi_errno
seek(struct runtime__wasi *wasi, uint32_t fd, int64_t offset, uint32_t whence,
     uint64_t rights, uint32_t result)
{
    static const int whences[] = {SEEK_SET, SEEK_CUR, SEEK_END};
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, fd, 0, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (descriptor->kind == RUNTIME__WASI_STREAM)
        return whence > 2 ? RUNTIME__WASI_EINVAL : RUNTIME__WASI_ESPIPE;
    if (rights & ~descriptor->rights)
        return RUNTIME__WASI_ENOTCAPABLE;
    if (whence > 2)
        return RUNTIME__WASI_EINVAL;
    if (!runtime__wasi_target(wasi, result, 8))
        return RUNTIME__WASI_EFAULT;
    off_t place = lseek(descriptor->number, offset, whences[whence]);
    if (place < 0)
        return runtime__wasi_errno_last();
    runtime__wasi_put_u64(wasi, result, (uint64_t)place);
    return RUNTIME__WASI_SUCCESS;
}

/* (fd, offset, whence, new offset *) */
enum gvm_status
runtime__wasi_fd_seek(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    int64_t offset = (int64_t)slots[1].i64;
    uint32_t whence = slots[2].i32;
    /* Asking where one is takes less than going elsewhere. */
    uint64_t rights = offset == 0 && whence == 1 ? RUNTIME__RIGHT_FD_TELL
                                                 : RUNTIME__RIGHT_FD_SEEK;

    (void)call;
    return runtime__wasi_return(slots, seek(data, slots[0].i32, offset,
                                            whence, rights, slots[3].i32));
}

/* (fd, offset *) */
enum gvm_status
runtime__wasi_fd_tell(struct gvm_call *call, void *data,
                      union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, seek(data, slots[0].i32, 0, 1,
                                            RUNTIME__RIGHT_FD_TELL,
                                            slots[1].i32));
}

/* ---- Status ------------------------------------------------------------- */

static enum runtime__wasi_errno
get_status(struct runtime__wasi *wasi, uint32_t fd, uint32_t target)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, fd, 0, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    uint8_t *fdstat = runtime__wasi_target(wasi, target, fdstat_bytes);
    if (!fdstat)
        return RUNTIME__WASI_EFAULT;
    memset(fdstat, 0, fdstat_bytes);
    fdstat[0] = (uint8_t)descriptor->filetype;
    runtime__wasi_store(fdstat + 2, descriptor->flags, 2);
    runtime__wasi_store(fdstat + 8, descriptor->rights, 8);
    runtime__wasi_store(fdstat + 16, descriptor->rights_inheriting, 8);
    return RUNTIME__WASI_SUCCESS;
}

/* (fd, fdstat *) */
enum gvm_status
runtime__wasi_fd_fdstat_get(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(
        slots, get_status(data, slots[0].i32, slots[1].i32));
}

/*
 * Two of the flags can be changed. Those that synchronise cannot on this
 * host, and a program that asked for them has to know that they are not there.
 */
static enum runtime__wasi_errno
set_flags(struct runtime__wasi *wasi, uint32_t fd, uint32_t flags)
{
    const uint32_t settable =
        RUNTIME__FDFLAG_APPEND | RUNTIME__FDFLAG_NONBLOCK;
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error = runtime__wasi_table_get(
        wasi, fd, RUNTIME__RIGHT_FD_FDSTAT_SET_FLAGS, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (flags > RUNTIME__FDFLAGS_ALL)
        return RUNTIME__WASI_EINVAL;
    if ((flags ^ descriptor->flags) & ~settable)
        return RUNTIME__WASI_ENOTSUP;
    if (descriptor->kind == RUNTIME__WASI_FILE) {
        /* It never blocks in the kernel: see wasi_io.c. */
        int host = O_NONBLOCK |
                   (flags & RUNTIME__FDFLAG_APPEND ? O_APPEND : 0);
        if (fcntl(descriptor->number, F_SETFL, host) != 0)
            return runtime__wasi_errno_last();
    }
    descriptor->flags = flags;
    return RUNTIME__WASI_SUCCESS;
}

/* (fd, flags) */
enum gvm_status
runtime__wasi_fd_fdstat_set_flags(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(
        slots, set_flags(data, slots[0].i32, slots[1].i32));
}

/* (fd, rights, inheriting rights): rights can only be given up. */
enum gvm_status
runtime__wasi_fd_fdstat_set_rights(struct gvm_call *call, void *data,
                                   union gvm_value *slots)
{
    uint64_t rights = slots[1].i64;
    uint64_t inheriting = slots[2].i64;
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(data, slots[0].i32, rights, &descriptor);

    (void)call;
    if (error == RUNTIME__WASI_SUCCESS &&
        inheriting & ~descriptor->rights_inheriting)
        error = RUNTIME__WASI_ENOTCAPABLE;
    if (error == RUNTIME__WASI_SUCCESS) {
        descriptor->rights = rights;
        descriptor->rights_inheriting = inheriting;
    }
    return runtime__wasi_return(slots, error);
}

/* ---- Directories that were given ---------------------------------------- */

static enum runtime__wasi_errno
get_preopen(struct runtime__wasi *wasi, uint32_t fd, const char **name)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, fd, 0, &descriptor);

    if (error == RUNTIME__WASI_SUCCESS && !descriptor->preopen)
        return RUNTIME__WASI_EBADF;
    if (error == RUNTIME__WASI_SUCCESS)
        *name = descriptor->preopen;
    return error;
}

/* (fd, prestat *): the kind, of which there is one, and the name's length. */
enum gvm_status
runtime__wasi_fd_prestat_get(struct gvm_call *call, void *data,
                             union gvm_value *slots)
{
    const char *name;
    enum runtime__wasi_errno error =
        get_preopen(data, slots[0].i32, &name);

    (void)call;
    if (error != RUNTIME__WASI_SUCCESS)
        return runtime__wasi_return(slots, error);
    uint8_t *prestat =
        runtime__wasi_target(data, slots[1].i32, prestat_bytes);
    if (!prestat)
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    runtime__wasi_store(prestat, 0, 4);
    runtime__wasi_store(prestat + 4, strlen(name), 4);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}

/* (fd, name *, capacity): no final zero. */
enum gvm_status
runtime__wasi_fd_prestat_dir_name(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    const char *name;
    enum runtime__wasi_errno error =
        get_preopen(data, slots[0].i32, &name);

    (void)call;
    if (error != RUNTIME__WASI_SUCCESS)
        return runtime__wasi_return(slots, error);
    size_t length_bytes = strlen(name);
    if (slots[2].i32 < length_bytes)
        return runtime__wasi_return(slots, RUNTIME__WASI_ENAMETOOLONG);
    uint8_t *target = runtime__wasi_target(data, slots[1].i32, length_bytes);
    if (!target)
        return runtime__wasi_return(slots, RUNTIME__WASI_EFAULT);
    memcpy(target, name, length_bytes);
    return runtime__wasi_return(slots, RUNTIME__WASI_SUCCESS);
}
