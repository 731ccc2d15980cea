/*
 * wasi_name.c - WASI preview 1: what makes, moves and removes names, and what
 * is asked about a path. Opening is in wasi_open.c.
 *
 * Each function runs on the thread of its call.
 */
#define _GNU_SOURCE 1 /* O_PATH */

#include "runtime/wasi.h"
#include "runtime/wasi_file.h"
#include "runtime/wasi_path.h"
#include "runtime/wasi_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { lookup_follow = 1 };

static enum runtime__wasi_errno
errno_of_result(int result)
{
    return result == 0 ? RUNTIME__WASI_SUCCESS : runtime__wasi_errno_last();
}

/* ---- Making and removing ------------------------------------------------ */

/* What is done with a name, by a system call on its directory. */
enum act { make_directory, remove_directory, remove_file };

static enum runtime__wasi_errno
do_act(struct runtime__wasi *wasi, const union gvm_value *slots, enum act act)
{
    static const uint64_t rights[] = {
        [make_directory] = RUNTIME__RIGHT_PATH_CREATE_DIRECTORY,
        [remove_directory] = RUNTIME__RIGHT_PATH_REMOVE_DIRECTORY,
        [remove_file] = RUNTIME__RIGHT_PATH_UNLINK_FILE,
    };
    struct runtime__wasi_path path;
    struct runtime__wasi_parent parent;
    enum runtime__wasi_errno error =
        runtime__wasi_path_get(wasi, slots[0].i32, rights[act], slots[1].i32,
                               slots[2].i32, &path);

    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_parent(&path, &parent);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    error = errno_of_result(
        act == make_directory
            ? mkdirat(parent.directory, parent.name, 0777)
            : unlinkat(parent.directory, parent.name,
                       act == remove_directory ? AT_REMOVEDIR : 0));
    runtime__wasi_parent_close(&parent);
    return error;
}

/* (fd, path, length) */
enum gvm_status
runtime__wasi_path_create_directory(struct gvm_call *call, void *data,
                                    union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, do_act(data, slots, make_directory));
}

/* (fd, path, length) */
enum gvm_status
runtime__wasi_path_remove_directory(struct gvm_call *call, void *data,
                                    union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots,
                                do_act(data, slots, remove_directory));
}

/* (fd, path, length) */
enum gvm_status
runtime__wasi_path_unlink_file(struct gvm_call *call, void *data,
                               union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, do_act(data, slots, remove_file));
}

/* ---- Two names ---------------------------------------------------------- */

static enum runtime__wasi_errno
rename_path(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    struct runtime__wasi_path old_path;
    struct runtime__wasi_path new_path;
    struct runtime__wasi_parent old_parent = {0};
    struct runtime__wasi_parent new_parent = {0};
    enum runtime__wasi_errno error = runtime__wasi_path_get(
        wasi, slots[0].i32, RUNTIME__RIGHT_PATH_RENAME_SOURCE, slots[1].i32,
        slots[2].i32, &old_path);

    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_get(
            wasi, slots[3].i32, RUNTIME__RIGHT_PATH_RENAME_TARGET,
            slots[4].i32, slots[5].i32, &new_path);
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_parent(&old_path, &old_parent);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    error = runtime__wasi_path_parent(&new_path, &new_parent);
    if (error == RUNTIME__WASI_SUCCESS) {
        error = errno_of_result(
            renameat(old_parent.directory, old_parent.name,
                     new_parent.directory, new_parent.name));
        runtime__wasi_parent_close(&new_parent);
    }
    runtime__wasi_parent_close(&old_parent);
    return error;
}

/* (old fd, old path, length, new fd, new path, length) */
enum gvm_status
runtime__wasi_path_rename(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, rename_path(data, slots));
}

/*
 * Links what the old path leads to. It is opened first, and then linked by
 * its number: the kernel follows that name and no other.
 */
static enum runtime__wasi_errno
link_followed(const struct runtime__wasi_path *old_path,
              const struct runtime__wasi_parent *parent)
{
    char name[64];
    int fd;
    enum runtime__wasi_errno error =
        runtime__wasi_path_open_host(old_path, O_PATH, 0, &fd);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    snprintf(name, sizeof(name), "/proc/self/fd/%d", fd);
    error = errno_of_result(linkat(AT_FDCWD, name, parent->directory,
                                   parent->name, AT_SYMLINK_FOLLOW));
    close(fd);
    return error;
}

/* Links the name itself, be it a symbolic link. */
static enum runtime__wasi_errno
link_name(struct runtime__wasi_path *old_path,
          const struct runtime__wasi_parent *parent)
{
    struct runtime__wasi_parent old_parent;
    size_t length_bytes = strlen(old_path->bytes);
    int fd;

    /* With a slash behind it the kernel would follow the name. All that it
     * may name is a directory, and those are not linked. */
    if (old_path->bytes[length_bytes - 1] == '/') {
        enum runtime__wasi_errno refused = runtime__wasi_path_open_host(
            old_path, O_PATH | O_DIRECTORY, 0, &fd);
        if (refused != RUNTIME__WASI_SUCCESS)
            return refused;
        close(fd);
        return RUNTIME__WASI_EPERM;
    }
    enum runtime__wasi_errno error =
        runtime__wasi_path_parent(old_path, &old_parent);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    error = errno_of_result(linkat(old_parent.directory, old_parent.name,
                                   parent->directory, parent->name, 0));
    runtime__wasi_parent_close(&old_parent);
    return error;
}

static enum runtime__wasi_errno
link_path(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    struct runtime__wasi_path old_path;
    struct runtime__wasi_path new_path;
    struct runtime__wasi_parent parent;
    enum runtime__wasi_errno error = runtime__wasi_path_get(
        wasi, slots[0].i32, RUNTIME__RIGHT_PATH_LINK_SOURCE, slots[2].i32,
        slots[3].i32, &old_path);

    if (error == RUNTIME__WASI_SUCCESS && slots[1].i32 > lookup_follow)
        error = RUNTIME__WASI_EINVAL;
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_get(
            wasi, slots[4].i32, RUNTIME__RIGHT_PATH_LINK_TARGET,
            slots[5].i32, slots[6].i32, &new_path);
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_parent(&new_path, &parent);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    error = slots[1].i32 & lookup_follow ? link_followed(&old_path, &parent)
                                         : link_name(&old_path, &parent);
    runtime__wasi_parent_close(&parent);
    return error;
}

/* (old fd, flags, old path, length, new fd, new path, length) */
enum gvm_status
runtime__wasi_path_link(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, link_path(data, slots));
}

/* ---- Symbolic links ----------------------------------------------------- */

/*
 * What a link says is a path of the program as well, only looked up later. One
 * that begins at the root could never be followed here, but others on the host
 * might follow it: so it is not made.
 */
static enum runtime__wasi_errno
make_symlink(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    struct runtime__wasi_path text;
    struct runtime__wasi_path path;
    struct runtime__wasi_parent parent;
    enum runtime__wasi_errno error = runtime__wasi_path_get(
        wasi, slots[2].i32, RUNTIME__RIGHT_PATH_SYMLINK, slots[3].i32,
        slots[4].i32, &path);

    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_get(wasi, slots[2].i32, 0, slots[0].i32,
                                       slots[1].i32, &text);
    if (error == RUNTIME__WASI_SUCCESS && text.bytes[0] == '/')
        error = RUNTIME__WASI_ENOTCAPABLE;
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_path_parent(&path, &parent);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    error = errno_of_result(
        symlinkat(text.bytes, parent.directory, parent.name));
    runtime__wasi_parent_close(&parent);
    return error;
}

/* (text, length, fd, path, length) */
enum gvm_status
runtime__wasi_path_symlink(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, make_symlink(data, slots));
}

/* As much as there is room for; no final zero. */
static enum runtime__wasi_errno
read_link(struct runtime__wasi *wasi, const union gvm_value *slots)
{
    uint32_t capacity_bytes = slots[4].i32;
    struct runtime__wasi_path path;
    char text[RUNTIME_WASI_PATH_BYTES_MAX + 1];
    int fd;
    enum runtime__wasi_errno error = runtime__wasi_path_get(
        wasi, slots[0].i32, RUNTIME__RIGHT_PATH_READLINK, slots[1].i32,
        slots[2].i32, &path);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    uint8_t *target =
        runtime__wasi_target(wasi, slots[3].i32, capacity_bytes);
    if (!target || !runtime__wasi_target(wasi, slots[5].i32, 4))
        return RUNTIME__WASI_EFAULT;
    error = runtime__wasi_path_open_host(&path, O_PATH | O_NOFOLLOW, 0, &fd);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    ssize_t length = readlinkat(fd, "", text, sizeof(text));
    /* The kernel's ENOENT means a file that is no link. */
    if (length < 0)
        error = errno == ENOENT ? RUNTIME__WASI_EINVAL
                                : runtime__wasi_errno_last();
    close(fd);
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    uint32_t copied_bytes = (uint32_t)length < capacity_bytes
                                ? (uint32_t)length
                                : capacity_bytes;
    memcpy(target, text, copied_bytes);
    runtime__wasi_put_u32(wasi, slots[5].i32, copied_bytes);
    return RUNTIME__WASI_SUCCESS;
}

/* (fd, path, length, buffer, capacity, copied *) */
enum gvm_status
runtime__wasi_path_readlink(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    (void)call;
    return runtime__wasi_return(slots, read_link(data, slots));
}

/* ---- Status ------------------------------------------------------------- */

/* Opens what a path with lookup flags leads to, to ask about it: `slots` are
 * those of a function that begins (fd, flags, path, length). */
static enum runtime__wasi_errno
open_to_ask(struct runtime__wasi *wasi, const union gvm_value *slots,
            uint64_t rights, int *fd)
{
    struct runtime__wasi_path path;
    enum runtime__wasi_errno error = runtime__wasi_path_get(
        wasi, slots[0].i32, rights, slots[2].i32, slots[3].i32, &path);

    if (error == RUNTIME__WASI_SUCCESS && slots[1].i32 > lookup_follow)
        error = RUNTIME__WASI_EINVAL;
    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    return runtime__wasi_path_open_host(
        &path,
        O_PATH | (slots[1].i32 & lookup_follow ? 0u : (unsigned)O_NOFOLLOW),
        0, fd);
}

/* (fd, flags, path, length, filestat *) */
enum gvm_status
runtime__wasi_path_filestat_get(struct gvm_call *call, void *data,
                                union gvm_value *slots)
{
    struct stat info;
    int fd;
    enum runtime__wasi_errno error = open_to_ask(
        data, slots, RUNTIME__RIGHT_PATH_FILESTAT_GET, &fd);

    (void)call;
    if (error != RUNTIME__WASI_SUCCESS)
        return runtime__wasi_return(slots, error);
    error = errno_of_result(fstat(fd, &info));
    close(fd);
    if (error == RUNTIME__WASI_SUCCESS)
        error = runtime__wasi_put_filestat(data, slots[4].i32, &info);
    return runtime__wasi_return(slots, error);
}

/* (fd, flags, path, length, access, modification, time flags) */
enum gvm_status
runtime__wasi_path_filestat_set_times(struct gvm_call *call, void *data,
                                      union gvm_value *slots)
{
    struct timespec times[2];
    int fd;
    enum runtime__wasi_errno error = open_to_ask(
        data, slots, RUNTIME__RIGHT_PATH_FILESTAT_SET_TIMES, &fd);

    (void)call;
    if (error != RUNTIME__WASI_SUCCESS)
        return runtime__wasi_return(slots, error);
    error = runtime__wasi_file_times(slots[4].i64, slots[5].i64,
                                     slots[6].i32, times);
    if (error == RUNTIME__WASI_SUCCESS)
        error = errno_of_result(utimensat(fd, "", times, AT_EMPTY_PATH));
    close(fd);
    return runtime__wasi_return(slots, error);
}
