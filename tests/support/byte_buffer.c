/*
 * byte_buffer.c - see byte_buffer.h.
 */
#include "tests/support/byte_buffer.h"

#include <stdlib.h>
#include <string.h>

void
byte_buffer_deinit(struct byte_buffer *buffer)
{
    free(buffer->bytes);
    *buffer = (struct byte_buffer){0};
}

void
byte_buffer_put(struct byte_buffer *buffer, const void *bytes,
                size_t length_bytes)
{
    size_t needed = buffer->length_bytes + length_bytes;

    if (length_bytes == 0) {
        return;
    }
    if (needed > buffer->capacity_bytes) {
        size_t capacity = needed * 2 + 64;
        uint8_t *grown = realloc(buffer->bytes, capacity);

        if (grown == NULL) {
            abort();
        }
        buffer->bytes = grown;
        buffer->capacity_bytes = capacity;
    }
    memcpy(buffer->bytes + buffer->length_bytes, bytes, length_bytes);
    buffer->length_bytes = needed;
}

void
byte_buffer_put_byte(struct byte_buffer *buffer, uint8_t byte)
{
    byte_buffer_put(buffer, &byte, 1);
}

void
byte_buffer_put_unsigned(struct byte_buffer *buffer, uint64_t value)
{
    while (value > 0x7f) {
        byte_buffer_put_byte(buffer, (uint8_t)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    byte_buffer_put_byte(buffer, (uint8_t)value);
}

void
byte_buffer_put_signed(struct byte_buffer *buffer, int64_t value)
{
    while (value < -64 || value > 63) {
        byte_buffer_put_byte(buffer, (uint8_t)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    byte_buffer_put_byte(buffer, (uint8_t)(value & 0x7f));
}

void
byte_buffer_put_padded(struct byte_buffer *buffer, uint32_t value,
                       unsigned width_bytes)
{
    for (unsigned i = 1; i < width_bytes; i++) {
        byte_buffer_put_byte(buffer, (uint8_t)(value & 0x7f) | 0x80);
        value >>= 7;
    }
    byte_buffer_put_byte(buffer, (uint8_t)(value & 0x7f));
}

void
byte_buffer_put_vector(struct byte_buffer *buffer, const void *bytes,
                       size_t length_bytes)
{
    byte_buffer_put_unsigned(buffer, length_bytes);
    byte_buffer_put(buffer, bytes, length_bytes);
}
