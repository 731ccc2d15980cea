/*
 * buffer.h - bytes that grow at their end, up to a limit.
 *
 * A buffer of zeros is empty. Used by one thread at a time.
 */
#ifndef GLASS_RUNTIME_BUFFER_H
#define GLASS_RUNTIME_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct runtime__buffer {
    uint8_t *bytes;
    size_t length_bytes;
    size_t capacity_bytes;
};

/*
 * Makes room for `more_bytes` behind what is there. False when that is out of
 * memory; nothing has changed then.
 */
bool
runtime__buffer_reserve(struct runtime__buffer *buffer, size_t more_bytes);

/* Appends; false when out of memory, and then nothing is appended. */
bool
runtime__buffer_append(struct runtime__buffer *buffer, const void *bytes,
                       size_t length_bytes);

/* Frees what it holds; it is empty then. */
void
runtime__buffer_deinit(struct runtime__buffer *buffer);

#endif
