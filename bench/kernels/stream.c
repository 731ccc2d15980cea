/*
 * stream.c - memory as a stream: copy, scale, add and triad over arrays of
 * doubles, sums of integers of all widths, and byte loops that move, reverse
 * and combine: a load, a little work, a store.
 */
#include "kernel.h"

enum {
    DOUBLE_COUNT = 1 << 14,
    BYTE_COUNT = 1 << 17,
};

static double a[DOUBLE_COUNT], b[DOUBLE_COUNT], c[DOUBLE_COUNT];
static uint8_t from[BYTE_COUNT], to[BYTE_COUNT];

static void
stream_doubles(double scalar)
{
    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        c[i] = a[i];
    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        b[i] = scalar * c[i];
    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        c[i] = a[i] + b[i];
    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        a[i] = b[i] + scalar * c[i];
}

static uint64_t
sum_widths(void)
{
    const int8_t *i8 = (const int8_t *)from;
    uint64_t sum = 0;

    for (uint32_t i = 0; i < BYTE_COUNT; i++)
        sum += (uint64_t)i8[i];
    for (uint32_t i = 0; i + 1 < BYTE_COUNT; i += 2) {
        int16_t value;

        memcpy(&value, from + i, sizeof value);
        sum ^= (uint64_t)value;
    }
    for (uint32_t i = 0; i + 3 < BYTE_COUNT; i += 4) {
        uint32_t value;

        memcpy(&value, from + i, sizeof value);
        sum += value;
    }
    for (uint32_t i = 0; i + 7 < BYTE_COUNT; i += 8) {
        uint64_t value;

        memcpy(&value, from + i, sizeof value);
        sum ^= value;
    }
    return sum;
}

/* Reverses, then exclusive-ors with the byte before, then a checksum as in
 * RFC 1950. */
static uint32_t
stream_bytes(uint8_t key)
{
    uint32_t low = 1, high = 0;

    for (uint32_t i = 0; i < BYTE_COUNT; i++)
        to[BYTE_COUNT - 1 - i] = from[i];
    for (uint32_t i = 1; i < BYTE_COUNT; i++)
        from[i] = (uint8_t)(to[i] ^ from[i - 1] ^ key);
    for (uint32_t i = 0; i < BYTE_COUNT; i++) {
        low += from[i];
        low -= low >= 65521 ? 65521 : 0;
        high += low;
        high -= high >= 65521 ? 65521 : 0;
    }
    return high << 16 | low;
}

int
main(void)
{
    uint64_t random = 88, sum = 15;

    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        a[i] = (double)kernel_below(&random, 1000) / 8;
    for (uint32_t i = 0; i < BYTE_COUNT; i++)
        from[i] = (uint8_t)kernel_random(&random);
    for (uint32_t round = kernel_opaque(60); round > 0; round--)
        stream_doubles(0.25 + round % 3 * 0.125);
    for (uint32_t i = 0; i < DOUBLE_COUNT; i++)
        sum = kernel_mix(sum, kernel_bits(a[i]));
    for (uint32_t round = kernel_opaque(45); round > 0; round--) {
        sum = kernel_mix(sum, stream_bytes((uint8_t)round));
        sum = kernel_mix(sum, sum_widths());
    }
    return kernel_report("stream", sum);
}
