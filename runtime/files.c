/*
 * files.c - files that are either there whole or not at all.
 *
 * The idea is the usual one: write beside, fsync, rename over, fsync the
 * directory. Without the last step a rename may be forgotten by a crash,
 * though the program has told its caller that it is done.
 *
 * Any thread may call it, but for two writers of one name.
 */
#define _GNU_SOURCE 1 /* strerror_r that returns a text */

#include "runtime/files.h"

#include "runtime/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static enum runtime_status
fail_system(struct runtime_error *err, const char *what, const char *name)
{
    char reason[128];
    int number = errno;

    /* strerror's own memory may be another thread's. */
    return runtime__error_set(
        err, RUNTIME_SYSTEM, "cannot %s '%s': %s", what, name,
        strerror_r(number, reason, sizeof(reason)));
}

enum runtime_status
runtime__files_open_directory(int parent, const char *name, int *directory,
                              struct runtime_error *err)
{
    bool made = mkdirat(parent, name, 0700) == 0;

    if (!made && errno != EEXIST)
        return fail_system(err, "make the directory", name);
    int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return fail_system(err, "open the directory", name);
    /* AT_FDCWD has no descriptor to sync: its owner sees to it. */
    if (made && parent >= 0 && fsync(parent) != 0) {
        close(fd);
        return fail_system(err, "sync the parent of", name);
    }
    *directory = fd;
    return RUNTIME_OK;
}

/* False at an error or an early end, with errno set. */
static bool
read_all(int fd, uint8_t *bytes, size_t length_bytes)
{
    while (length_bytes > 0) {
        ssize_t count = read(fd, bytes, length_bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0) {
            errno = count == 0 ? EIO : errno;
            return false;
        }
        bytes += count;
        length_bytes -= (size_t)count;
    }
    return true;
}

static bool
write_all(int fd, const uint8_t *bytes, size_t length_bytes)
{
    while (length_bytes > 0) {
        ssize_t count = write(fd, bytes, length_bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return false;
        bytes += count;
        length_bytes -= (size_t)count;
    }
    return true;
}

enum runtime_status
runtime__files_read(int directory, const char *name, size_t bytes_max,
                    uint8_t **bytes, size_t *length_bytes,
                    struct runtime_error *err)
{
    enum runtime_status status;
    struct stat info;
    uint8_t *block = NULL;
    /* NONBLOCK: whoever put a pipe there must not stop us. */
    int fd = openat(directory, name, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0 && errno == ENOENT)
        return runtime__error_set(err, RUNTIME_NOT_FOUND, "no file '%s'",
                                  name);
    if (fd < 0 || fstat(fd, &info) != 0) {
        status = fail_system(err, "open", name);
        goto done;
    }
    if (!S_ISREG(info.st_mode)) {
        status = runtime__error_set(err, RUNTIME_SYSTEM,
                                    "'%s' is no regular file", name);
        goto done;
    }
    if ((uint64_t)info.st_size > bytes_max) {
        status = runtime__error_set(err, RUNTIME_TOO_BIG,
                                    "'%s' is longer than %zu bytes", name,
                                    bytes_max);
        goto done;
    }
    size_t length = (size_t)info.st_size;
    block = malloc(length + 1);
    if (!block) {
        status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                    "out of memory for '%s'", name);
        goto done;
    }
    if (!read_all(fd, block, length)) {
        status = fail_system(err, "read", name);
        goto done;
    }
    block[length] = 0;
    *bytes = block;
    *length_bytes = length;
    block = NULL;
    status = RUNTIME_OK;
done:
    free(block);
    if (fd >= 0)
        close(fd);
    return status;
}

static enum runtime_status
write_file(int directory, const char *name, const void *bytes,
           size_t length_bytes, bool synced, struct runtime_error *err)
{
    char unfinished[256];
    int fd;

    snprintf(unfinished, sizeof(unfinished), "%s%s", name,
             RUNTIME__FILES_UNFINISHED);
    fd = openat(directory, unfinished,
                O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail_system(err, "create", unfinished);
    bool written = write_all(fd, bytes, length_bytes) &&
                   (!synced || fsync(fd) == 0);
    int number = errno;
    /* close may be where a network's file system reports what went wrong. */
    if (close(fd) != 0 && written) {
        written = false;
        number = errno;
    }
    if (written &&
        renameat(directory, unfinished, directory, name) == 0 &&
        (!synced || fsync(directory) == 0))
        return RUNTIME_OK;
    errno = written ? errno : number;
    enum runtime_status status = fail_system(err, "write", name);
    unlinkat(directory, unfinished, 0);
    return status;
}

enum runtime_status
runtime__files_write(int directory, const char *name, const void *bytes,
                     size_t length_bytes, struct runtime_error *err)
{
    return write_file(directory, name, bytes, length_bytes, true, err);
}

enum runtime_status
runtime__files_write_unsynced(int directory, const char *name,
                              const void *bytes, size_t length_bytes,
                              struct runtime_error *err)
{
    return write_file(directory, name, bytes, length_bytes, false, err);
}

enum runtime_status
runtime__files_remove(int directory, const char *name,
                      struct runtime_error *err)
{
    if (unlinkat(directory, name, 0) != 0 && errno != ENOENT)
        return fail_system(err, "remove", name);
    if (fsync(directory) != 0)
        return fail_system(err, "sync the directory of", name);
    return RUNTIME_OK;
}
