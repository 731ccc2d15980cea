/*
 * streams.c - the standard streams of a program as descriptors 0, 1 and 2 of
 * this process. Any thread may call it.
 */
#include "runtime/program.h"

#include <errno.h>
#include <unistd.h>

static ptrdiff_t
read_input(void *data, void *buffer, size_t capacity_bytes)
{
    ssize_t count;

    (void)data;
    do
        count = read(0, buffer, capacity_bytes);
    while (count < 0 && errno == EINTR);
    return count < 0 ? -errno : count;
}

/* All of it, unless an error comes first. */
static ptrdiff_t
write_whole(int fd, const char *bytes, size_t length_bytes)
{
    size_t written_bytes = 0;

    while (written_bytes < length_bytes) {
        ssize_t count =
            write(fd, bytes + written_bytes, length_bytes - written_bytes);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0 && written_bytes == 0)
            return -errno;
        if (count < 0)
            break;
        written_bytes += (size_t)count;
    }
    return (ptrdiff_t)written_bytes;
}

static ptrdiff_t
write_output(void *data, const void *bytes, size_t length_bytes)
{
    (void)data;
    return write_whole(1, bytes, length_bytes);
}

static ptrdiff_t
write_error(void *data, const void *bytes, size_t length_bytes)
{
    (void)data;
    return write_whole(2, bytes, length_bytes);
}

void
runtime_streams_standard(struct runtime_streams *streams)
{
    *streams = (struct runtime_streams){
        .read_input = read_input,
        .write_output = write_output,
        .write_error = write_error,
        .waitable = 7,
    };
    for (int fd = 0; fd < 3; fd++) {
        if (isatty(fd))
            streams->terminals |= 1u << fd;
    }
}
