/*
 * directory.c - the directories that functions are given.
 *
 * Who deploys names them, but who runs the server decides what there is to be
 * named: paths begin at the operator's directory and do not leave it, by the
 * same means that keep a program below its own. Each call opens them anew, so
 * what the operator puts in their place is there for the next call.
 *
 * Any thread may call it.
 */
#include "runtime/directory.h"

#include "runtime/error.h"
#include "runtime/wasi_preopen.h"

#include <fcntl.h>
#include <unistd.h>

enum runtime_status
runtime__directory_open_root(const char *path, int *root,
                             struct runtime_error *err)
{
    const struct runtime_directory directory = {.host = path};

    return runtime__wasi_open_directory(-1, &directory, root, err);
}

static enum runtime_status
fail_rootless(enum runtime_status status, struct runtime_error *err)
{
    return runtime__error_set(err, status,
                              "functions are given no directories here");
}

enum runtime_status
runtime__directory_check(int root, const struct runtime_config *config,
                         struct runtime_error *err)
{
    if (config->directory_count > 0 && root < 0)
        return fail_rootless(RUNTIME_INVALID, err);
    for (size_t i = 0; i < config->directory_count; i++) {
        int fd;
        enum runtime_status status = runtime__wasi_open_directory(
            root, &config->directories[i], &fd, err);
        if (status != RUNTIME_OK) {
            if (err)
                err->status = RUNTIME_INVALID;
            return RUNTIME_INVALID;
        }
        close(fd);
    }
    return RUNTIME_OK;
}

enum runtime_status
runtime__directory_give(int root, const struct runtime_config *config,
                        struct runtime__wasi *wasi,
                        struct runtime_error *err)
{
    enum runtime_status status = RUNTIME_OK;

    if (config->directory_count > 0 && root < 0)
        return fail_rootless(RUNTIME_SYSTEM, err);
    for (size_t i = 0; i < config->directory_count && status == RUNTIME_OK;
         i++)
        status = runtime__wasi_preopen(wasi, root, &config->directories[i],
                                       err);
    return status;
}
