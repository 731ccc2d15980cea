/*
 * wasi_preopen.h - the directories that a program is given.
 */
#ifndef GLASS_RUNTIME_WASI_PREOPEN_H
#define GLASS_RUNTIME_WASI_PREOPEN_H

#include "runtime/wasi.h"

/*
 * Opens a directory of the host: the descriptor is the caller's. With a `root`
 * (not -1) its path begins at that directory and does not leave it.
 * RUNTIME_SYSTEM when it cannot be opened, or when this kernel cannot keep
 * paths below it.
 */
enum runtime_status
runtime__wasi_open_directory(int root,
                             const struct runtime_directory *directory,
                             int *fd, struct runtime_error *err);

/*
 * The same, and puts it in the lowest free place, before the program runs.
 * RUNTIME_LIMIT and RUNTIME_NO_MEMORY as well.
 */
enum runtime_status
runtime__wasi_preopen(struct runtime__wasi *wasi, int root,
                      const struct runtime_directory *directory,
                      struct runtime_error *err);

#endif
