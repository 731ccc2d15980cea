/*
 * wasi_open.c - WASI preview 1: path_open.
 *
 * Rights decide how the host is asked: what is opened for reading alone can
 * never be written by the kernel's word, whatever mistake is made up here.
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi.h"
#include "runtime/wasi_path.h"
#include "runtime/wasi_table.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    lookup_follow = 1,

    open_create = 1,
    open_directory = 2,
    open_exclusive = 4,
    open_truncate = 8,
    open_all = 15,
};

/* What the guest wants: (fd, lookup flags, path, length, open flags, rights,
 * inheriting rights, descriptor flags, fd *). */
struct request {
    uint32_t lookup;
    uint32_t open;
    uint64_t rights;
    uint64_t rights_inheriting;
    uint32_t flags;
};

/* The rights of the directory that such a request takes. */
static uint64_t
rights_needed(const struct request *request)
{
    uint64_t rights = RUNTIME__RIGHT_PATH_OPEN;

    if (request->open & open_create)
        rights |= RUNTIME__RIGHT_PATH_CREATE_FILE;
    if (request->open & open_truncate)
        rights |= RUNTIME__RIGHT_PATH_FILESTAT_SET_SIZE;
    return rights;
}

/* The rights that what is opened has to have, or be able to have. */
static uint64_t
rights_handed_on(const struct request *request)
{
    uint64_t rights = request->rights | request->rights_inheriting;

    if (request->flags & RUNTIME__FDFLAG_DSYNC)
        rights |= RUNTIME__RIGHT_FD_DATASYNC;
    if (request->flags & (RUNTIME__FDFLAG_RSYNC | RUNTIME__FDFLAG_SYNC))
        rights |= RUNTIME__RIGHT_FD_SYNC;
    return rights;
}

/* The flags of open(2). */
static uint64_t
host_flags(const struct request *request)
{
    static const struct {
        uint32_t bit;
        int host;
    } opens[] = {
        {open_create, O_CREAT},
        {open_directory, O_DIRECTORY},
        {open_exclusive, O_EXCL},
        {open_truncate, O_TRUNC},
    }, flags[] = {
        {RUNTIME__FDFLAG_APPEND, O_APPEND},
        {RUNTIME__FDFLAG_DSYNC, O_DSYNC},
        {RUNTIME__FDFLAG_RSYNC, O_RSYNC},
        {RUNTIME__FDFLAG_SYNC, O_SYNC},
    };
    const uint64_t writes = RUNTIME__RIGHT_FD_WRITE |
                            RUNTIME__RIGHT_FD_ALLOCATE |
                            RUNTIME__RIGHT_FD_FILESTAT_SET_SIZE;
    const uint64_t reads =
        RUNTIME__RIGHT_FD_READ | RUNTIME__RIGHT_FD_READDIR;
    bool write = request->rights & writes || request->open & open_truncate;
    /* NONBLOCK: neither a pipe nor a device may stop us. */
    int host = O_NOCTTY | O_NONBLOCK;

    host |= !write                    ? O_RDONLY
            : request->rights & reads ? O_RDWR
                                      : O_WRONLY;
    for (size_t i = 0; i < sizeof(opens) / sizeof(opens[0]); i++) {
        if (request->open & opens[i].bit)
            host |= opens[i].host;
        if (request->flags & flags[i].bit)
            host |= flags[i].host;
    }
    if (!(request->lookup & lookup_follow))
        host |= O_NOFOLLOW;
    return (uint64_t)host;
}

/* What of the rights means something for what was opened. */
static void
describe(int fd, const struct stat *info, const struct request *request,
         struct runtime__wasi_descriptor *descriptor)
{
    bool directory = S_ISDIR(info->st_mode);
    uint64_t rights = request->rights & (directory
                                             ? RUNTIME__RIGHTS_DIRECTORY
                                             : RUNTIME__RIGHTS_FILE);

    if (!directory && !S_ISREG(info->st_mode) && !S_ISBLK(info->st_mode))
        rights &= ~(uint64_t)(RUNTIME__RIGHT_FD_SEEK |
                              RUNTIME__RIGHT_FD_TELL);
    *descriptor = (struct runtime__wasi_descriptor){
        .kind = directory ? RUNTIME__WASI_DIRECTORY : RUNTIME__WASI_FILE,
        .filetype = runtime__wasi_filetype_of_mode(info->st_mode),
        .number = fd,
        .flags = request->flags,
        .rights = rights,
        .rights_inheriting = directory ? request->rights_inheriting : 0,
    };
}

/* Opens it and puts it in the table, where there has to be room before
 * anything is made or made empty. */
static enum runtime__wasi_errno
open_request(struct runtime__wasi *wasi,
             const struct runtime__wasi_path *path,
             const struct request *request, uint32_t *guest_fd)
{
    struct runtime__wasi_descriptor descriptor;
    struct stat info;
    int fd;
    enum runtime__wasi_errno error =
        runtime__wasi_table_reserve(wasi, guest_fd);

    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_open_host(
            path, host_flags(request),
            request->open & open_create ? 0666 : 0, &fd);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (fstat(fd, &info) != 0) {
        error = runtime__wasi_errno_last();
        close(fd);
        return error;
    }
    describe(fd, &info, request, &descriptor);
    runtime__wasi_table_put(wasi, *guest_fd, &descriptor);
    return RUNTIME__WASI_SUCCESS;
}

static enum runtime__wasi_errno
open_path(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    const struct request request = {
        .lookup = slots[1].i32,
        .open = slots[4].i32,
        .rights = slots[5].i64,
        .rights_inheriting = slots[6].i64,
        .flags = slots[7].i32,
    };
    struct runtime__wasi_path path;
    struct runtime__wasi_descriptor *directory;
    uint32_t fd;
    enum runtime__wasi_errno error =
        runtime__wasi_path_get(wasi, slots[0].i32, rights_needed(&request),
                               slots[2].i32, slots[3].i32, &path);

    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_table_get(wasi, slots[0].i32, 0, &directory);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (rights_handed_on(&request) & ~directory->rights_inheriting)
        return RUNTIME__WASI_ENOTCAPABLE;
    /* A directory is made by another function, and not by chance. */
    if (request.lookup > lookup_follow || request.open > open_all ||
        request.flags > RUNTIME__FDFLAGS_ALL ||
        (request.open & open_create && request.open & open_directory))
        return RUNTIME__WASI_EINVAL;
    if (!runtime__wasi_target(wasi, slots[8].i32, 4))
        return RUNTIME__WASI_EFAULT;
    error = open_request(wasi, &path, &request, &fd);
    if (error == RUNTIME__WASI_SUCCESS)
        runtime__wasi_put_u32(wasi, slots[8].i32, fd);
    return error;
}

enum gvm_status
runtime__wasi_path_open(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, open_path(data, slots));
}
