/*
 * byte_buffer.h - bytes that grow, and the integers of the binary format.
 *
 * Running out of memory aborts. A buffer is used by one thread.
 */
#ifndef GLASS_TESTS_SUPPORT_BYTE_BUFFER_H
#define GLASS_TESTS_SUPPORT_BYTE_BUFFER_H

#include <stddef.h>
#include <stdint.h>

/* Two arguments: a pointer to these bytes and their number. */
#define BYTES(...)                                                       \
    (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})
#define NO_BYTES NULL, 0

/* All zero is an empty buffer. */
struct byte_buffer {
    uint8_t *bytes;
    size_t length_bytes;
    size_t capacity_bytes;
};

void byte_buffer_deinit(struct byte_buffer *buffer);
void byte_buffer_put(struct byte_buffer *buffer, const void *bytes,
                     size_t length_bytes);
void byte_buffer_put_byte(struct byte_buffer *buffer, uint8_t byte);
/* The shortest unsigned or signed LEB128. */
void byte_buffer_put_unsigned(struct byte_buffer *buffer, uint64_t value);
void byte_buffer_put_signed(struct byte_buffer *buffer, int64_t value);
/* Unsigned LEB128 in exactly `width_bytes` bytes, as linkers emit it. */
void byte_buffer_put_padded(struct byte_buffer *buffer, uint32_t value,
                            unsigned width_bytes);
/* A name or a vector of bytes: the length first. */
void byte_buffer_put_vector(struct byte_buffer *buffer, const void *bytes,
                            size_t length_bytes);

#endif
