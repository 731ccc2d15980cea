/*
 * collatz.c - loops over a few integers that never touch memory: the longest
 * chains of Collatz's conjecture, greatest common divisors by Euclid and by
 * Stein, and sums of decimal digits.
 */
#include "kernel.h"

static uint64_t
longest_chain(uint32_t limit)
{
    uint32_t best = 0, best_start = 0;

    for (uint32_t start = 1; start < limit; start += 2) {
        uint64_t n = start;
        uint32_t steps = 0;

        while (n != 1) {
            n = n & 1 ? 3 * n + 1 : n / 2;
            steps++;
        }
        if (steps > best) {
            best = steps;
            best_start = start;
        }
    }
    return (uint64_t)best << 32 | best_start;
}

static uint32_t
euclid(uint32_t a, uint32_t b)
{
    while (b != 0) {
        uint32_t rest = a % b;

        a = b;
        b = rest;
    }
    return a;
}

/* Only subtractions and shifts. Both must be odd. */
static uint32_t
stein(uint32_t a, uint32_t b)
{
    while (a != b) {
        if (a > b) {
            a -= b;
            do
                a >>= 1;
            while ((a & 1) == 0);
        } else {
            b -= a;
            do
                b >>= 1;
            while ((b & 1) == 0);
        }
    }
    return a;
}

static uint32_t
digit_sum(uint32_t n)
{
    uint32_t sum = 0;

    for (; n != 0; n /= 10)
        sum += n % 10;
    return sum;
}

int
main(void)
{
    uint64_t sum = 4;
    uint64_t total = 0;

    sum = kernel_mix(sum, longest_chain(kernel_opaque(400000)));
    for (uint32_t i = kernel_opaque(1); i < 900; i += 2)
        for (uint32_t j = 1; j < i; j += 2)
            total += euclid(i, j) * stein(i * 3, j * 5);
    sum = kernel_mix(sum, total);
    total = 0;
    for (uint32_t i = kernel_opaque(1); i < 500000; i++)
        if (i % digit_sum(i) == 0)
            total += i;
    sum = kernel_mix(sum, total);
    return kernel_report("collatz", sum);
}
