/*
 * numeric.h - the numeric operators that C has no operator for.
 *
 * (Specification 2.0, section 4.3 "Numerics".) All are branch-light and need
 * no library call, so that handlers stay leaf functions.
 */
#ifndef GLASS_VM_NUMERIC_H
#define GLASS_VM_NUMERIC_H

#include <stdint.h>
#include <string.h>

/* Conversions to the slot types, for TRUNCATE in ops.inc. */
#define S32(x) ((uint32_t)(int32_t)(x))
#define U32(x) ((uint32_t)(x))
#define S64(x) ((uint64_t)(int64_t)(x))
#define U64(x) ((uint64_t)(x))
#define S32_LOWEST 0x80000000u
#define S32_HIGHEST 0x7fffffffu
#define U32_LOWEST 0u
#define U32_HIGHEST UINT32_MAX
#define S64_LOWEST (1ull << 63)
#define S64_HIGHEST (UINT64_MAX >> 1)
#define U64_LOWEST 0ull
#define U64_HIGHEST UINT64_MAX

/* Signed values as the bits that slots hold. */
static inline uint32_t
sign32(int32_t value)
{
    return (uint32_t)value;
}

static inline uint64_t
sign64(int64_t value)
{
    return (uint64_t)value;
}

static inline uint32_t
rotl32(uint32_t value, uint32_t count)
{
    return value << (count & 31) | value >> (-count & 31);
}

static inline uint64_t
rotl64(uint64_t value, uint64_t count)
{
    return value << (count & 63) | value >> (-count & 63);
}

/* Pairs, nibbles, bytes; the multiplication sums the bytes. */
static inline uint32_t
popcount32(uint32_t value)
{
    value -= value >> 1 & 0x55555555u;
    value = (value & 0x33333333u) + (value >> 2 & 0x33333333u);
    value = (value + (value >> 4)) & 0x0f0f0f0fu;
    return value * 0x01010101u >> 24;
}

static inline uint64_t
popcount64(uint64_t value)
{
    value -= value >> 1 & 0x5555555555555555u;
    value = (value & 0x3333333333333333u) +
            (value >> 2 & 0x3333333333333333u);
    value = (value + (value >> 4)) & 0x0f0f0f0f0f0f0f0fu;
    return value * 0x0101010101010101u >> 56;
}

static inline uint32_t
f32_bits(float value)
{
    uint32_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline uint64_t
f64_bits(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static inline float
f32_from_bits(uint32_t bits)
{
    float value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline double
f64_from_bits(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

/*
 * The rest comes for both widths. Rounding to an integer adds and subtracts
 * 2^23 (2^52), which leaves no room for a fraction; what is that large, or
 * no number, is its own result (a + a makes a signalling NaN quiet; a + 0
 * is left out by compilers that know the sign of a). Equal operands of min
 * and max differ at most in their sign: or-ing and and-ing the bits picks -0
 * and +0.
 */
#define NUMERIC_FLOAT(type, suffix, builtin, whole)                      \
    static inline type min_##suffix(type a, type b)                      \
    {                                                                    \
        if (a != a || b != b)                                            \
            return a + b;                                                \
        if (a == b)                                                      \
            return suffix##_from_bits(suffix##_bits(a) |                 \
                                      suffix##_bits(b));                 \
        return a < b ? a : b;                                            \
    }                                                                    \
    static inline type max_##suffix(type a, type b)                      \
    {                                                                    \
        if (a != a || b != b)                                            \
            return a + b;                                                \
        if (a == b)                                                      \
            return suffix##_from_bits(suffix##_bits(a) &                 \
                                      suffix##_bits(b));                 \
        return a > b ? a : b;                                            \
    }                                                                    \
    static inline type nearest_##suffix(type a)                          \
    {                                                                    \
        type magnitude = __builtin_fabs##builtin(a);                     \
                                                                         \
        if (!(magnitude < whole))                                        \
            return a != a ? a + a : a;                                   \
        return __builtin_copysign##builtin((magnitude + whole) - whole,  \
                                           a);                           \
    }                                                                    \
    static inline type floor_##suffix(type a)                            \
    {                                                                    \
        type rounded = nearest_##suffix(a);                              \
                                                                         \
        return rounded > a ? rounded - 1 : rounded;                      \
    }                                                                    \
    static inline type ceil_##suffix(type a)                             \
    {                                                                    \
        type rounded = nearest_##suffix(a);                              \
                                                                         \
        return __builtin_copysign##builtin(                              \
            rounded < a ? rounded + 1 : rounded, a);                     \
    }                                                                    \
    static inline type trunc_##suffix(type a)                            \
    {                                                                    \
        return __builtin_copysign##builtin(                              \
            floor_##suffix(__builtin_fabs##builtin(a)), a);              \
    }

NUMERIC_FLOAT(float, f32, f, 8388608.0f)
NUMERIC_FLOAT(double, f64, , 4503599627370496.0)
#undef NUMERIC_FLOAT

#endif
