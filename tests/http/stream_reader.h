/*
 * stream_reader.h - a client that reads an answer while it goes on.
 */
#ifndef GLASS_TESTS_HTTP_STREAM_READER_H
#define GLASS_TESTS_HTTP_STREAM_READER_H

#include <stdbool.h>
#include <stddef.h>

struct reader {
    int fd;
    size_t length;
    size_t seen; /* what was waited for ends here */
    char text[1 << 20];
};

extern struct reader reader;

/* Sends a GET, in HTTP/1.1 or 1.0, on a connection of its own. */
void
reader_begin(unsigned port, const char *target, const char *version,
             const char *headers);

/* Receives more; false at the end. */
bool
reader_receive(void);

/* Waits for a text behind that of the last time. */
void
reader_await(const char *text);

#endif
