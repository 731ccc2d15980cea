/*
 * wasi_preopen.c - the directories that a program is given.
 *
 * Without openat2(2) there are none: a check of the path in front of an
 * open(2) would be passed by whoever renames a directory in between.
 *
 * The thread of the call, before the program runs.
 */
#define _GNU_SOURCE 1 /* strerror_r that returns a text */

#include "runtime/wasi_preopen.h"

#include "runtime/error.h"
#include "runtime/wasi_path.h"
#include "runtime/wasi_table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static enum runtime_status
fail(const struct runtime_directory *directory, const char *why,
     struct runtime_error *err)
{
    char reason[128];
    int number = errno;

    return runtime__error_set(
        err, RUNTIME_SYSTEM, "cannot give the directory '%.200s': %s%s",
        directory->host, why, strerror_r(number, reason, sizeof(reason)));
}

enum runtime_status
runtime__wasi_open_directory(int root,
                             const struct runtime_directory *directory,
                             int *fd, struct runtime_error *err)
{
    const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
    int opened = root < 0 ? open(directory->host, flags)
                          : runtime__wasi_path_open_below(
                                root, directory->host, (unsigned)flags);

    if (opened < 0)
        return fail(directory, errno == EXDEV ? "it is outside: " : "", err);
    if (!runtime__wasi_path_is_supported(opened)) {
        enum runtime_status status =
            fail(directory, "paths need openat2, Linux 5.6 and allowed: ",
                 err);
        close(opened);
        return status;
    }
    *fd = opened;
    return RUNTIME_OK;
}

/* Puts it in the table, which owns it then. */
static enum runtime_status
add(struct runtime__wasi *wasi, const struct runtime_directory *directory,
    int fd, struct runtime_error *err)
{
    const uint64_t all = directory->read_only
                             ? ~(uint64_t)RUNTIME__RIGHTS_CHANGE
                             : UINT64_MAX;
    uint32_t place;
    enum runtime__wasi_errno error =
        runtime__wasi_table_reserve(wasi, &place);

    if (error == RUNTIME__WASI_EMFILE)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "more directories than %d",
                                  RUNTIME_WASI_DESCRIPTORS_MAX - 3);
    char *name = error == RUNTIME__WASI_SUCCESS ? strdup(directory->guest)
                                                : NULL;
    if (!name)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a directory");
    runtime__wasi_table_put(
        wasi, place,
        &(struct runtime__wasi_descriptor){
            .kind = RUNTIME__WASI_DIRECTORY,
            .filetype = RUNTIME__FILETYPE_DIRECTORY,
            .number = fd,
            .rights = RUNTIME__RIGHTS_DIRECTORY & all,
            .rights_inheriting =
                (RUNTIME__RIGHTS_DIRECTORY | RUNTIME__RIGHTS_FILE) & all,
            .preopen = name,
        });
    return RUNTIME_OK;
}

enum runtime_status
runtime__wasi_preopen(struct runtime__wasi *wasi, int root,
                      const struct runtime_directory *directory,
                      struct runtime_error *err)
{
    int fd = -1;

    if (runtime__wasi_table_has_spent(wasi)) {
        runtime__error_set(err, RUNTIME_BUSY,
                           "functions have %u files and directories open",
                           wasi->budget->max);
        return runtime__error_name_limit(err, RUNTIME_BUSY, "descriptors");
    }
    enum runtime_status status =
        runtime__wasi_open_directory(root, directory, &fd, err);
    if (status != RUNTIME_OK)
        return status;
    status = add(wasi, directory, fd, err);
    if (status != RUNTIME_OK)
        close(fd);
    return status;
}
