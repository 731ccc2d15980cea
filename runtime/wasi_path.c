/*
 * wasi_path.c - paths of a program, resolved by the kernel below a directory.
 *
 * Nothing here has a state; any thread may call it.
 */
#define _GNU_SOURCE 1 /* O_PATH */

#include "runtime/wasi_path.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * How often a resolution is begun anew when somebody renamed a directory
 * while ".." was looked up. The kernel can then not know whether it is still
 * below.
 */
enum { attempts_max = 64 };

static int
open_beneath(int directory, const char *path, uint64_t flags, unsigned mode)
{
    struct open_how how = {
        .flags = flags | O_CLOEXEC,
        .mode = mode,
        .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS,
    };
    long fd = -1;

    for (int attempt = 0; attempt < attempts_max; attempt++) {
        fd = syscall(SYS_openat2, directory, path, &how, sizeof(how));
        if (fd >= 0 || (errno != EAGAIN && errno != EINTR))
            break;
    }
    return (int)fd;
}

int
runtime__wasi_path_open_below(int directory, const char *path,
                              uint64_t flags)
{
    return open_beneath(directory, path, flags, 0);
}

bool
runtime__wasi_path_is_supported(int directory)
{
    int fd = open_beneath(directory, ".", O_PATH, 0);

    if (fd >= 0)
        close(fd);
    return fd >= 0;
}

/* The kernel's word for a path that leaves is that of another file system. */
static enum runtime__wasi_errno
errno_of_resolution(void)
{
    return errno == EXDEV ? RUNTIME__WASI_ENOTCAPABLE
                          : runtime__wasi_errno_last();
}

enum runtime__wasi_errno
runtime__wasi_path_get(struct runtime__wasi *wasi, uint32_t fd,
                       uint64_t rights, uint32_t pointer,
                       uint32_t length_bytes,
                       struct runtime__wasi_path *path)
{
    struct runtime__wasi_descriptor *descriptor;
    enum runtime__wasi_errno error =
        runtime__wasi_table_get(wasi, fd, 0, &descriptor);

    if (error != RUNTIME__WASI_SUCCESS)
        return error;
    if (descriptor->kind != RUNTIME__WASI_DIRECTORY)
        return RUNTIME__WASI_ENOTDIR;
    if (rights & ~descriptor->rights)
        return RUNTIME__WASI_ENOTCAPABLE;
    const uint8_t *bytes = runtime__wasi_range(wasi, pointer, length_bytes);
    if (!bytes)
        return RUNTIME__WASI_EFAULT;
    if (length_bytes > RUNTIME_WASI_PATH_BYTES_MAX)
        return RUNTIME__WASI_ENAMETOOLONG;
    memcpy(path->bytes, bytes, length_bytes);
    path->bytes[length_bytes] = 0;
    path->directory = descriptor->number;
    if (length_bytes == 0)
        return RUNTIME__WASI_ENOENT;
    return memchr(path->bytes, 0, length_bytes) ? RUNTIME__WASI_EINVAL
                                                : RUNTIME__WASI_SUCCESS;
}

enum runtime__wasi_errno
runtime__wasi_path_open_host(const struct runtime__wasi_path *path,
                             uint64_t flags, unsigned mode, int *fd)
{
    int opened = open_beneath(path->directory, path->bytes, flags, mode);

    if (opened < 0)
        return errno_of_resolution();
    *fd = opened;
    return RUNTIME__WASI_SUCCESS;
}

/* Where the last component begins. The path is not made of slashes alone. */
static size_t
find_name(const char *path)
{
    size_t end = strlen(path);

    while (path[end - 1] == '/')
        end--;
    while (end > 0 && path[end - 1] != '/')
        end--;
    return end;
}

/* "." and "..", slashes behind them or not: the names that name no entry. */
static bool
is_dots(const char *name)
{
    size_t length_bytes = strcspn(name, "/");

    return (length_bytes == 1 && name[0] == '.') ||
           (length_bytes == 2 && name[0] == '.' && name[1] == '.');
}

enum runtime__wasi_errno
runtime__wasi_path_parent(struct runtime__wasi_path *path,
                          struct runtime__wasi_parent *parent)
{
    int fd;

    if (path->bytes[0] == '/')
        return RUNTIME__WASI_ENOTCAPABLE;
    size_t start = find_name(path->bytes);
    parent->name = path->bytes + start;
    if (is_dots(parent->name)) {
        /* The kernel will refuse such a name, but not because it leaves. */
        fd = open_beneath(path->directory, path->bytes, O_PATH, 0);
        if (fd < 0)
            return errno_of_resolution();
        close(fd);
    }
    parent->owned = start > 0;
    parent->directory = path->directory;
    if (start == 0)
        return RUNTIME__WASI_SUCCESS;
    path->bytes[start - 1] = 0;
    fd = open_beneath(path->directory, path->bytes, O_PATH | O_DIRECTORY, 0);
    if (fd < 0)
        return errno_of_resolution();
    parent->directory = fd;
    return RUNTIME__WASI_SUCCESS;
}

void
runtime__wasi_parent_close(struct runtime__wasi_parent *parent)
{
    if (parent->owned)
        close(parent->directory);
}
