/*
 * files.h - files that are either there whole or not at all.
 *
 * Every function takes a directory's descriptor and a name in it. A failure
 * is RUNTIME_SYSTEM with the system's reason, unless it says otherwise.
 */
#ifndef GLASS_RUNTIME_FILES_H
#define GLASS_RUNTIME_FILES_H

#include "runtime/runtime.h"

/*
 * Opens the directory `name`, made when it is missing (mode 0700), and the
 * making itself is on the disk. `parent` may be AT_FDCWD.
 */
enum runtime_status
runtime__files_open_directory(int parent, const char *name, int *directory,
                              struct runtime_error *err);

/*
 * Reads a whole regular file into one malloc'ed block with a zero behind it.
 * RUNTIME_NOT_FOUND, RUNTIME_TOO_BIG when it is longer than `bytes_max`, or
 * RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__files_read(int directory, const char *name, size_t bytes_max,
                    uint8_t **bytes, size_t *length_bytes,
                    struct runtime_error *err);

/*
 * Writes a file so that after a crash there is the old one or the new one,
 * and after RUNTIME_OK the new one. One writer of a name at a time.
 */
enum runtime_status
runtime__files_write(int directory, const char *name, const void *bytes,
                     size_t length_bytes, struct runtime_error *err);

/*
 * The same without waiting for the disk: after a crash of the machine (not of
 * the process) the file may also be gone, or be shorter. For what says itself
 * whether it is whole, and can be made again.
 */
enum runtime_status
runtime__files_write_unsynced(int directory, const char *name,
                              const void *bytes, size_t length_bytes,
                              struct runtime_error *err);

/* Removes a file, for good when it returns; one that is not there is OK. */
enum runtime_status
runtime__files_remove(int directory, const char *name,
                      struct runtime_error *err);

/* How the names of unfinished files end. */
#define RUNTIME__FILES_UNFINISHED ".tmp"

#endif
