/*
 * Whole files in memory.
 */
#ifndef GLASS_CLI_FILE_H
#define GLASS_CLI_FILE_H

#include <stddef.h>

/* Files larger than this are not read: no module or value is. */
#define FILE_BYTES_MAX ((size_t)1 << 30)

/*
 * Reads the file `path`, or stdin if it is "-", into memory that the caller
 * frees. Returns null with errno set.
 */
unsigned char *
file_read(const char *path, size_t *length);

#endif
