/*
 * xxhash.c - XXH64, from its specification: 64-bit multiplications and
 * rotations on four lanes over a big buffer, and over many short keys, where
 * the tail and the avalanche are what counts.
 */
#include "kernel.h"

#define PRIME_1 0x9e3779b185ebca87u
#define PRIME_2 0xc2b2ae3d27d4eb4fu
#define PRIME_3 0x165667b19e3779f9u
#define PRIME_4 0x85ebca77c2b2ae63u
#define PRIME_5 0x27d4eb2f165667c5u

enum { BUFFER_BYTES = 1 << 17 };

static uint8_t buffer[BUFFER_BYTES];

static inline uint64_t
rotate(uint64_t x, uint32_t count)
{
    return x << count | x >> (64 - count);
}

static inline uint64_t
read_u64(const uint8_t *bytes)
{
    uint64_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint32_t
read_u32(const uint8_t *bytes)
{
    uint32_t value;

    memcpy(&value, bytes, sizeof value);
    return value;
}

static inline uint64_t
take_lane(uint64_t lane, uint64_t input)
{
    return rotate(lane + input * PRIME_2, 31) * PRIME_1;
}

static inline uint64_t
merge(uint64_t hash, uint64_t lane)
{
    return (hash ^ take_lane(0, lane)) * PRIME_1 + PRIME_4;
}

static uint64_t
hash_stripes(const uint8_t **bytes, const uint8_t *end, uint64_t seed)
{
    const uint8_t *at = *bytes;
    uint64_t a = seed + PRIME_1 + PRIME_2, b = seed + PRIME_2, c = seed;
    uint64_t d = seed - PRIME_1, hash;

    for (; end - at >= 32; at += 32) {
        a = take_lane(a, read_u64(at));
        b = take_lane(b, read_u64(at + 8));
        c = take_lane(c, read_u64(at + 16));
        d = take_lane(d, read_u64(at + 24));
    }
    *bytes = at;
    hash = rotate(a, 1) + rotate(b, 7) + rotate(c, 12) + rotate(d, 18);
    return merge(merge(merge(merge(hash, a), b), c), d);
}

static uint64_t
xxh64(const uint8_t *bytes, size_t length, uint64_t seed)
{
    const uint8_t *end = bytes + length;
    uint64_t hash = seed + PRIME_5;

    if (length >= 32)
        hash = hash_stripes(&bytes, end, seed);
    hash += length;
    for (; end - bytes >= 8; bytes += 8)
        hash = rotate(hash ^ take_lane(0, read_u64(bytes)), 27) * PRIME_1 +
               PRIME_4;
    if (end - bytes >= 4) {
        hash = rotate(hash ^ read_u32(bytes) * PRIME_1, 23) * PRIME_2 +
               PRIME_3;
        bytes += 4;
    }
    for (; bytes < end; bytes++)
        hash = rotate(hash ^ *bytes * PRIME_5, 11) * PRIME_1;
    hash = (hash ^ hash >> 33) * PRIME_2;
    hash = (hash ^ hash >> 29) * PRIME_3;
    return hash ^ hash >> 32;
}

int
main(void)
{
    uint64_t random = 4242, sum = 7;

    for (size_t i = 0; i < BUFFER_BYTES; i++)
        buffer[i] = (uint8_t)kernel_random(&random);
    for (uint32_t round = kernel_opaque(900); round > 0; round--)
        sum = kernel_mix(sum, xxh64(buffer, BUFFER_BYTES - round, sum));
    for (uint32_t i = kernel_opaque(0); i < 1300000; i++)
        sum += xxh64(buffer + i % 4096, i % 41, i);
    /* The specification's value of nothing. */
    sum = kernel_mix(sum, xxh64(buffer, 0, 0) == 0xef46db3751d8e999u);
    return kernel_report("xxhash", sum);
}
