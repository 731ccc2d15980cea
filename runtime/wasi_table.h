/*
 * wasi_table.h - the descriptors of a program.
 *
 * A program's numbers are its own: place n of a table, up to a limit, and
 * never a number of the host. 0, 1 and 2 are the streams at first; then come
 * the directories that it was given. Whatever else there is was opened
 * through one of those.
 *
 * Rights are WASI's: bits that a descriptor has, and that what is opened
 * through it may have. They only ever shrink.
 */
#ifndef GLASS_RUNTIME_WASI_TABLE_H
#define GLASS_RUNTIME_WASI_TABLE_H

#include "runtime/wasi.h"

enum {
    RUNTIME__RIGHT_FD_DATASYNC = 1 << 0,
    RUNTIME__RIGHT_FD_READ = 1 << 1,
    RUNTIME__RIGHT_FD_SEEK = 1 << 2,
    RUNTIME__RIGHT_FD_FDSTAT_SET_FLAGS = 1 << 3,
    RUNTIME__RIGHT_FD_SYNC = 1 << 4,
    RUNTIME__RIGHT_FD_TELL = 1 << 5,
    RUNTIME__RIGHT_FD_WRITE = 1 << 6,
    RUNTIME__RIGHT_FD_ADVISE = 1 << 7,
    RUNTIME__RIGHT_FD_ALLOCATE = 1 << 8,
    RUNTIME__RIGHT_PATH_CREATE_DIRECTORY = 1 << 9,
    RUNTIME__RIGHT_PATH_CREATE_FILE = 1 << 10,
    RUNTIME__RIGHT_PATH_LINK_SOURCE = 1 << 11,
    RUNTIME__RIGHT_PATH_LINK_TARGET = 1 << 12,
    RUNTIME__RIGHT_PATH_OPEN = 1 << 13,
    RUNTIME__RIGHT_FD_READDIR = 1 << 14,
    RUNTIME__RIGHT_PATH_READLINK = 1 << 15,
    RUNTIME__RIGHT_PATH_RENAME_SOURCE = 1 << 16,
    RUNTIME__RIGHT_PATH_RENAME_TARGET = 1 << 17,
    RUNTIME__RIGHT_PATH_FILESTAT_GET = 1 << 18,
    RUNTIME__RIGHT_PATH_FILESTAT_SET_SIZE = 1 << 19,
    RUNTIME__RIGHT_PATH_FILESTAT_SET_TIMES = 1 << 20,
    RUNTIME__RIGHT_FD_FILESTAT_GET = 1 << 21,
    RUNTIME__RIGHT_FD_FILESTAT_SET_SIZE = 1 << 22,
    RUNTIME__RIGHT_FD_FILESTAT_SET_TIMES = 1 << 23,
    RUNTIME__RIGHT_PATH_SYMLINK = 1 << 24,
    RUNTIME__RIGHT_PATH_REMOVE_DIRECTORY = 1 << 25,
    RUNTIME__RIGHT_PATH_UNLINK_FILE = 1 << 26,
    RUNTIME__RIGHT_POLL_FD_READWRITE = 1 << 27,

    /* What a directory is good for, and a file that is no directory. */
    RUNTIME__RIGHTS_DIRECTORY =
        RUNTIME__RIGHT_FD_FDSTAT_SET_FLAGS | RUNTIME__RIGHT_FD_SYNC |
        RUNTIME__RIGHT_PATH_CREATE_DIRECTORY |
        RUNTIME__RIGHT_PATH_CREATE_FILE | RUNTIME__RIGHT_PATH_LINK_SOURCE |
        RUNTIME__RIGHT_PATH_LINK_TARGET | RUNTIME__RIGHT_PATH_OPEN |
        RUNTIME__RIGHT_FD_READDIR | RUNTIME__RIGHT_PATH_READLINK |
        RUNTIME__RIGHT_PATH_RENAME_SOURCE |
        RUNTIME__RIGHT_PATH_RENAME_TARGET |
        RUNTIME__RIGHT_PATH_FILESTAT_GET |
        RUNTIME__RIGHT_PATH_FILESTAT_SET_SIZE |
        RUNTIME__RIGHT_PATH_FILESTAT_SET_TIMES |
        RUNTIME__RIGHT_FD_FILESTAT_GET |
        RUNTIME__RIGHT_FD_FILESTAT_SET_TIMES | RUNTIME__RIGHT_PATH_SYMLINK |
        RUNTIME__RIGHT_PATH_REMOVE_DIRECTORY |
        RUNTIME__RIGHT_PATH_UNLINK_FILE,
    RUNTIME__RIGHTS_FILE =
        RUNTIME__RIGHT_FD_DATASYNC | RUNTIME__RIGHT_FD_READ |
        RUNTIME__RIGHT_FD_SEEK | RUNTIME__RIGHT_FD_FDSTAT_SET_FLAGS |
        RUNTIME__RIGHT_FD_SYNC | RUNTIME__RIGHT_FD_TELL |
        RUNTIME__RIGHT_FD_WRITE | RUNTIME__RIGHT_FD_ADVISE |
        RUNTIME__RIGHT_FD_ALLOCATE | RUNTIME__RIGHT_FD_FILESTAT_GET |
        RUNTIME__RIGHT_FD_FILESTAT_SET_SIZE |
        RUNTIME__RIGHT_FD_FILESTAT_SET_TIMES |
        RUNTIME__RIGHT_POLL_FD_READWRITE,

    /* What changes something: a directory to read has none of these. */
    RUNTIME__RIGHTS_CHANGE =
        RUNTIME__RIGHT_FD_WRITE | RUNTIME__RIGHT_FD_ALLOCATE |
        RUNTIME__RIGHT_PATH_CREATE_DIRECTORY |
        RUNTIME__RIGHT_PATH_CREATE_FILE | RUNTIME__RIGHT_PATH_LINK_SOURCE |
        RUNTIME__RIGHT_PATH_LINK_TARGET | RUNTIME__RIGHT_PATH_RENAME_SOURCE |
        RUNTIME__RIGHT_PATH_RENAME_TARGET |
        RUNTIME__RIGHT_PATH_FILESTAT_SET_SIZE |
        RUNTIME__RIGHT_PATH_FILESTAT_SET_TIMES |
        RUNTIME__RIGHT_FD_FILESTAT_SET_SIZE |
        RUNTIME__RIGHT_FD_FILESTAT_SET_TIMES | RUNTIME__RIGHT_PATH_SYMLINK |
        RUNTIME__RIGHT_PATH_REMOVE_DIRECTORY |
        RUNTIME__RIGHT_PATH_UNLINK_FILE,
};

enum runtime__wasi_filetype {
    RUNTIME__FILETYPE_UNKNOWN = 0,
    RUNTIME__FILETYPE_BLOCK_DEVICE = 1,
    RUNTIME__FILETYPE_CHARACTER_DEVICE = 2,
    RUNTIME__FILETYPE_DIRECTORY = 3,
    RUNTIME__FILETYPE_REGULAR_FILE = 4,
    RUNTIME__FILETYPE_SOCKET_STREAM = 6,
    RUNTIME__FILETYPE_SYMBOLIC_LINK = 7,
};

/* Flags of a descriptor. */
enum {
    RUNTIME__FDFLAG_APPEND = 1,
    RUNTIME__FDFLAG_DSYNC = 2,
    RUNTIME__FDFLAG_NONBLOCK = 4,
    RUNTIME__FDFLAG_RSYNC = 8,
    RUNTIME__FDFLAG_SYNC = 16,
    RUNTIME__FDFLAGS_ALL = 31,
};

enum runtime__wasi_kind {
    RUNTIME__WASI_FREE,
    RUNTIME__WASI_STREAM, /* `number` says which of the three */
    RUNTIME__WASI_FILE,   /* `number` is a descriptor of the host's */
    RUNTIME__WASI_DIRECTORY,
};

struct runtime__wasi_descriptor {
    enum runtime__wasi_kind kind;
    enum runtime__wasi_filetype filetype;
    int number;
    uint32_t flags; /* as the program has set them */
    uint64_t rights;
    uint64_t rights_inheriting;
    char *preopen; /* owned: the program's name for it; else NULL */
};

/*
 * The descriptor `fd`, which has all of `rights`: else EBADF, ENOTCAPABLE, or
 * ENOMEM when there is no table yet and none can be made. It stays where it is
 * until a place is reserved.
 */
enum runtime__wasi_errno
runtime__wasi_table_get(struct runtime__wasi *wasi, uint32_t fd,
                        uint64_t rights,
                        struct runtime__wasi_descriptor **descriptor);

/*
 * Finds the lowest free place for a descriptor that is about to be made.
 * EMFILE when all RUNTIME_WASI_DESCRIPTORS_MAX are taken, or all of the budget
 * (a few more, when several programs ask at once), or ENOMEM.
 */
enum runtime__wasi_errno
runtime__wasi_table_reserve(struct runtime__wasi *wasi, uint32_t *fd);

/* Puts a descriptor in that place, which owns what it has then. */
void
runtime__wasi_table_put(struct runtime__wasi *wasi, uint32_t fd,
                        const struct runtime__wasi_descriptor *descriptor);

/* Whether it is a file or a directory of the host's, and not a stream. */
bool
runtime__wasi_table_is_host(const struct runtime__wasi *wasi, uint32_t fd);

/* Frees the place and closes what was in it. */
void
runtime__wasi_table_close(struct runtime__wasi *wasi,
                          struct runtime__wasi_descriptor *descriptor);

/* Whether the budget is used up. */
bool
runtime__wasi_table_has_spent(const struct runtime__wasi *wasi);

/* The type that the host's mode (of struct stat) stands for. */
enum runtime__wasi_filetype
runtime__wasi_filetype_of_mode(unsigned mode);

#endif
