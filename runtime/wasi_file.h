/*
 * wasi_file.h - what functions on descriptors and on paths have in common:
 * the status of a file, and its times.
 */
#ifndef GLASS_RUNTIME_WASI_FILE_H
#define GLASS_RUNTIME_WASI_FILE_H

#include "runtime/wasi.h"

#include <sys/stat.h>
#include <time.h>

/* Writes a `filestat` of the guest; EFAULT when it would lie outside. */
enum runtime__wasi_errno
runtime__wasi_put_filestat(const struct runtime__wasi *wasi, uint32_t target,
                           const struct stat *info);

/*
 * What utimensat(2) takes for the last access and the last modification.
 * EINVAL for flags that are none or exclude each other.
 */
enum runtime__wasi_errno
runtime__wasi_file_times(uint64_t access_ns, uint64_t modification_ns,
                         uint32_t flags, struct timespec times[2]);

#endif
