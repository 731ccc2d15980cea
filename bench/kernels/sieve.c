/*
 * sieve.c - primes by the sieve of Eratosthenes, once with a byte and once
 * with a bit for every odd number, and the sieve's relative for the sums of
 * divisors: short loops over integers and an array.
 */
#include "kernel.h"

enum {
    LIMIT = 1 << 20,
    DIVISORS_LIMIT = 1 << 17,
};

static uint8_t composite[LIMIT];
static uint32_t odd_composite[LIMIT / 64];
static uint32_t divisor_sum[DIVISORS_LIMIT];

static uint64_t
sieve_bytes(uint64_t sum)
{
    uint32_t count = 0, twins = 0, last = 0;

    memset(composite, 0, sizeof composite);
    for (uint32_t i = 2; i < LIMIT; i++) {
        if (composite[i])
            continue;
        count++;
        twins += i - last == 2;
        last = i;
        if (i < 1024)
            for (uint32_t j = i * i; j < LIMIT; j += i)
                composite[j] = 1;
    }
    sum = kernel_mix(sum, count);
    return kernel_mix(sum, twins);
}

/* Bit n stands for the number 2n + 1. */
static uint64_t
sieve_bits(uint64_t sum)
{
    uint32_t count = 1;

    memset(odd_composite, 0, sizeof odd_composite);
    for (uint32_t i = 1; i < LIMIT / 2; i++) {
        if (odd_composite[i / 32] & 1u << i % 32)
            continue;
        uint32_t prime = 2 * i + 1;

        count++;
        if (prime < 1024)
            for (uint32_t j = prime * prime / 2; j < LIMIT / 2; j += prime)
                odd_composite[j / 32] |= 1u << j % 32;
    }
    return kernel_mix(sum, count);
}

/* Finds amicable pairs: each is the sum of the other's proper divisors. */
static uint64_t
sum_divisors(uint64_t sum)
{
    memset(divisor_sum, 0, sizeof divisor_sum);
    for (uint32_t i = 1; i < DIVISORS_LIMIT / 2; i++)
        for (uint32_t j = 2 * i; j < DIVISORS_LIMIT; j += i)
            divisor_sum[j] += i;
    for (uint32_t i = 2; i < DIVISORS_LIMIT; i++) {
        uint32_t other = divisor_sum[i];

        if (other > i && other < DIVISORS_LIMIT && divisor_sum[other] == i)
            sum = kernel_mix(sum, (uint64_t)i << 32 | other);
    }
    return sum;
}

int
main(void)
{
    uint64_t sum = 3;

    for (uint32_t round = kernel_opaque(7); round > 0; round--) {
        sum = sieve_bytes(sum);
        sum = sieve_bits(sum);
        sum = sum_divisors(sum);
    }
    return kernel_report("sieve", sum);
}
