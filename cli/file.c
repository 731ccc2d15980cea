/*
 * Reading files.
 */
#include "cli/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Reads until the end; returns null with errno set. */
static unsigned char *
read_all(int fd, size_t *length)
{
    size_t capacity = 1 << 16;
    unsigned char *bytes = malloc(capacity);
    size_t count = 0;

    while (bytes) {
        ssize_t got = read(fd, bytes + count, capacity - count);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            break;
        if (got == 0) {
            *length = count;
            return bytes;
        }
        count += (size_t)got;
        if (count < capacity)
            continue;
        if (capacity >= FILE_BYTES_MAX) {
            errno = EFBIG;
            break;
        }
        capacity *= 2;
        unsigned char *grown = realloc(bytes, capacity);
        if (!grown)
            break;
        bytes = grown;
    }
    int error = errno;
    free(bytes);
    errno = error;
    return NULL;
}

unsigned char *
file_read(const char *path, size_t *length)
{
    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, length);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return NULL;
    unsigned char *bytes = read_all(fd, length);
    int error = errno;
    close(fd);
    errno = error;
    return bytes;
}
