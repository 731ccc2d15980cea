/*
 * buffer.c - bytes that grow at their end. The room doubles, so that many
 * small pieces cost as one large one does; limits are the caller's matter.
 */
#include "runtime/buffer.h"

#include <stdlib.h>
#include <string.h>

enum { first_capacity_bytes = 256 };

bool
runtime__buffer_reserve(struct runtime__buffer *buffer, size_t more_bytes)
{
    size_t needed;
    size_t capacity = buffer->capacity_bytes;

    if (__builtin_add_overflow(buffer->length_bytes, more_bytes, &needed))
        return false;
    if (needed <= capacity)
        return true;
    if (capacity < first_capacity_bytes)
        capacity = first_capacity_bytes;
    while (capacity < needed) {
        if (__builtin_mul_overflow(capacity, 2, &capacity))
            return false;
    }
    uint8_t *bytes = realloc(buffer->bytes, capacity);
    if (!bytes)
        return false;
    buffer->bytes = bytes;
    buffer->capacity_bytes = capacity;
    return true;
}

bool
runtime__buffer_append(struct runtime__buffer *buffer, const void *bytes,
                       size_t length_bytes)
{
    if (!runtime__buffer_reserve(buffer, length_bytes))
        return false;
    /* memcpy's pointers must not be null, not even for no bytes. */
    if (length_bytes > 0)
        memcpy(buffer->bytes + buffer->length_bytes, bytes, length_bytes);
    buffer->length_bytes += length_bytes;
    return true;
}

void
runtime__buffer_deinit(struct runtime__buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct runtime__buffer){0};
}
