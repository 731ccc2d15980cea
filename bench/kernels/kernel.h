/*
 * kernel.h - what all kernels share: random numbers, a checksum, a report.
 *
 * A kernel is a program for itself that needs of the C library one puts, so
 * that what is timed is its own code. It prints one line, its name and its
 * checksum, which bench/kernels/list knows: a wrong engine is not a fast
 * engine. Nothing in a kernel depends on time, input, addresses or on how a
 * platform rounds beyond IEEE 754.
 */
#ifndef GLASS_BENCH_KERNEL_H
#define GLASS_BENCH_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* Numbers as from a die, the same ones everywhere: Marsaglia's xorshift with
 * shifts 13, 7, 17. `*state` must not be 0. */
static inline uint64_t
kernel_random(uint64_t *state)
{
    uint64_t x = *state;

    x ^= x << 13;
    x ^= x >> 7;
    x ^= x << 17;
    *state = x;
    return x;
}

/* A number below `bound`, from the better half of the bits. */
static inline uint32_t
kernel_below(uint64_t *state, uint32_t bound)
{
    return (uint32_t)(((kernel_random(state) >> 32) * bound) >> 32);
}

/* Takes a number into a checksum; order matters. */
static inline uint64_t
kernel_mix(uint64_t sum, uint64_t value)
{
    sum ^= value;
    sum *= 0x100000001b3u;
    return sum ^ (sum >> 29);
}

/* The bits of a double, so that the last of them counts. */
static inline uint64_t
kernel_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

/*
 * `value`, as something that the compiler knows nothing of: what depends on
 * it cannot be computed while compiling.
 */
static inline uint32_t
kernel_opaque(uint32_t value)
{
    volatile uint32_t hidden = value;

    return hidden;
}

/* Prints "NAME CHECKSUM"; what main returns. */
static inline int
kernel_report(const char *name, uint64_t sum)
{
    char line[64];
    size_t length = strlen(name);

    memcpy(line, name, length);
    line[length++] = ' ';
    for (int shift = 60; shift >= 0; shift -= 4)
        line[length++] = "0123456789abcdef"[(sum >> shift) & 15];
    line[length] = '\0';
    return puts(line) < 0;
}

#endif
