/*
 * montgomery.c - big numbers: powers modulo 64-bit numbers by Montgomery's
 * multiplication, made of products of 32 bits and of the compiler's 128-bit
 * ones, the test of Miller and Rabin upon it, and products and remainders of
 * numbers of many words as RSA needs.
 */
#include "kernel.h"

enum { LIMB_COUNT = 16 };

__extension__ typedef unsigned __int128 uint128;

struct modulus {
    uint64_t n;       /* odd */
    uint64_t inverse; /* of -n modulo 2^64 */
    uint64_t one;     /* 2^64 modulo n */
    uint64_t square;  /* 2^128 modulo n */
};

/* The product's upper half, and `*low`. */
static inline uint64_t
multiply(uint64_t a, uint64_t b, uint64_t *low)
{
    uint64_t a0 = (uint32_t)a, a1 = a >> 32;
    uint64_t b0 = (uint32_t)b, b1 = b >> 32;
    uint64_t middle = a1 * b0 + (a0 * b0 >> 32);
    uint64_t other = a0 * b1 + (uint32_t)middle;

    *low = a * b;
    return a1 * b1 + (middle >> 32) + (other >> 32);
}

/* a * b / 2^64 modulo n, by halves of 32 bits. */
static uint64_t
reduce_halves(const struct modulus *m, uint64_t a, uint64_t b)
{
    uint64_t low, high = multiply(a, b, &low), ignored, back;

    back = multiply(low * m->inverse, m->n, &ignored);
    back += low != 0;
    /* The sum may need 65 bits. */
    high += back;
    return high < back || high >= m->n ? high - m->n : high;
}

/* The same by 128 bits. */
static uint64_t
reduce_wide(const struct modulus *m, uint64_t a, uint64_t b)
{
    uint128 product = (uint128)a * b;
    uint64_t low = (uint64_t)product, high = (uint64_t)(product >> 64);
    uint64_t back = (uint64_t)((uint128)(low * m->inverse) * m->n >> 64);

    back += low != 0;
    high += back;
    return high < back || high >= m->n ? high - m->n : high;
}

static uint64_t
double_modulo(uint64_t x, uint64_t n)
{
    return x >= n - x ? x - (n - x) : x + x;
}

static void
modulus_init(struct modulus *m, uint64_t n)
{
    uint64_t inverse = n;

    /* Newton's steps double the number of right bits, 3 at first. */
    for (uint32_t i = 0; i < 5; i++)
        inverse *= 2 - n * inverse;
    m->n = n;
    m->inverse = 0 - inverse;
    m->one = 1;
    for (uint32_t i = 0; i < 64; i++)
        m->one = double_modulo(m->one, n);
    m->square = m->one;
    for (uint32_t i = 0; i < 64; i++)
        m->square = double_modulo(m->square, n);
}

typedef uint64_t product(const struct modulus *m, uint64_t a, uint64_t b);

static inline uint64_t
power(const struct modulus *m, uint64_t base, uint64_t exponent,
      product *multiply_modulo)
{
    uint64_t result = m->one;

    base = multiply_modulo(m, base % m->n, m->square);
    for (; exponent != 0; exponent >>= 1) {
        if (exponent & 1)
            result = multiply_modulo(m, result, base);
        base = multiply_modulo(m, base, base);
    }
    return result;
}

/* For odd n above 40: right for every n of 64 bits with these bases. */
static bool
is_prime(uint64_t n)
{
    static const uint8_t bases[] = {2,  3,  5,  7,  11, 13,
                                    17, 19, 23, 29, 31, 37};
    struct modulus m;
    uint64_t odd = n - 1;
    uint32_t twos = 0;

    modulus_init(&m, n);
    for (; (odd & 1) == 0; odd >>= 1)
        twos++;
    for (uint32_t i = 0; i < sizeof bases; i++) {
        uint64_t x = i & 1 ? power(&m, bases[i], odd, reduce_wide)
                           : power(&m, bases[i], odd, reduce_halves);
        bool passes = x == m.one || x == n - m.one;

        for (uint32_t j = 1; j < twos && !passes; j++) {
            x = reduce_halves(&m, x, x);
            passes = x == n - m.one;
        }
        if (!passes)
            return false;
    }
    return true;
}

/* The school's product of numbers of LIMB_COUNT words. */
static void
multiply_limbs(uint32_t *result, const uint32_t *a, const uint32_t *b)
{
    memset(result, 0, 2 * LIMB_COUNT * sizeof *result);
    for (uint32_t i = 0; i < LIMB_COUNT; i++) {
        uint64_t carry = 0;

        for (uint32_t j = 0; j < LIMB_COUNT; j++) {
            carry += (uint64_t)a[i] * b[j] + result[i + j];
            result[i + j] = (uint32_t)carry;
            carry >>= 32;
        }
        result[i + LIMB_COUNT] = (uint32_t)carry;
    }
}

static uint64_t
use_limbs(uint64_t sum, uint32_t rounds)
{
    uint32_t a[LIMB_COUNT], b[LIMB_COUNT], wide[2 * LIMB_COUNT];
    uint64_t random = 11;

    for (uint32_t i = 0; i < LIMB_COUNT; i++) {
        a[i] = (uint32_t)kernel_random(&random);
        b[i] = (uint32_t)kernel_random(&random) | 1;
    }
    for (; rounds > 0; rounds--) {
        uint64_t rest = 0;

        multiply_limbs(wide, a, b);
        for (uint32_t i = 2 * LIMB_COUNT; i-- > 0;)
            rest = (rest << 32 | wide[i]) % 0xfffffffbu;
        for (uint32_t i = 0; i < LIMB_COUNT; i++)
            a[i] = wide[i + LIMB_COUNT / 2] ^ (uint32_t)rest;
        sum += rest;
    }
    return kernel_mix(sum, a[0]);
}

int
main(void)
{
    uint64_t random = 17, sum = 16;
    uint32_t primes = 0;

    for (uint32_t i = kernel_opaque(5600); i > 0; i--) {
        uint64_t n = kernel_random(&random) >> i % 24 | 65;

        if (is_prime(n)) {
            primes++;
            sum = kernel_mix(sum, n);
        }
    }
    sum = kernel_mix(sum, primes);
    sum = use_limbs(sum, kernel_opaque(50000));
    return kernel_report("montgomery", sum);
}
