/*
 * wasi_path.h - paths of a program, below a directory of its own.
 *
 * The kernel resolves them: openat2(2) with RESOLVE_BENEATH follows links and
 * dots as long as they stay below the directory and refuses what would leave
 * it, also while somebody else renames what is on the way. Nothing here looks
 * at a path and then trusts that it stays as it was.
 *
 * What makes or removes a name has no such call. Its directory is opened as
 * above, and then the last component alone, which those calls never follow.
 */
#ifndef GLASS_RUNTIME_WASI_PATH_H
#define GLASS_RUNTIME_WASI_PATH_H

#include "runtime/wasi.h"
#include "runtime/wasi_table.h"

/* A path of the guest, in the host's memory, with a final zero. */
struct runtime__wasi_path {
    int directory; /* where it begins; not owned */
    char bytes[RUNTIME_WASI_PATH_BYTES_MAX + 1];
};

/* Where a name is made or removed. */
struct runtime__wasi_parent {
    int directory;
    bool owned;
    const char *name; /* inside the path; slashes may follow it */
};

/*
 * Fetches a path for the directory `fd`: EBADF, ENOTDIR, ENOTCAPABLE without
 * all of `rights`, EFAULT, ENAMETOOLONG, EINVAL (it has a zero) or ENOENT (it
 * is empty).
 */
enum runtime__wasi_errno
runtime__wasi_path_get(struct runtime__wasi *wasi, uint32_t fd,
                       uint64_t rights, uint32_t pointer,
                       uint32_t length_bytes,
                       struct runtime__wasi_path *path);

/*
 * Opens it, `flags` and `mode` as for open(2). ENOTCAPABLE for a path that
 * leaves its directory, else what the kernel says.
 */
enum runtime__wasi_errno
runtime__wasi_path_open_host(const struct runtime__wasi_path *path,
                             uint64_t flags, unsigned mode, int *fd);

/*
 * Opens the directory in which its last component is and cuts the path there.
 * ENOTCAPABLE for a path that leaves its own directory.
 */
enum runtime__wasi_errno
runtime__wasi_path_parent(struct runtime__wasi_path *path,
                          struct runtime__wasi_parent *parent);
void
runtime__wasi_parent_close(struct runtime__wasi_parent *parent);

/* The same for a path of the host's own: a descriptor, or -1 and errno, which
 * is EXDEV for a path that leaves. */
int
runtime__wasi_path_open_below(int directory, const char *path,
                              uint64_t flags);

/* Whether this kernel has openat2(2); else errno says how it is refused. */
bool
runtime__wasi_path_is_supported(int directory);

#endif
