/*
 * bits.h - sets of small numbers, one bit each.
 */
#ifndef GLASS_VM_BITS_H
#define GLASS_VM_BITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bytes that hold `count` bits. */
static inline size_t
gvm__bits_bytes(uint32_t count)
{
    return ((size_t)count + 7) / 8;
}

static inline bool
gvm__bits_has(const uint8_t *bits, uint32_t index)
{
    return (bits[index / 8] >> (index % 8) & 1) != 0;
}

static inline void
gvm__bits_add(uint8_t *bits, uint32_t index)
{
    bits[index / 8] = (uint8_t)(bits[index / 8] | 1u << (index % 8));
}

#endif
