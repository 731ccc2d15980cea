/*
 * recurse.c - calls of small functions that call themselves: Fibonacci's
 * numbers, Ackermann's function, Takeuchi's function, the towers of Hanoi
 * and permutations by swapping. Nearly all the time is calling, passing
 * parameters and returning.
 */
#include "kernel.h"

static uint32_t
fibonacci(uint32_t n)
{
    return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

static uint32_t
ackermann(uint32_t m, uint32_t n)
{
    if (m == 0)
        return n + 1;
    if (n == 0)
        return ackermann(m - 1, 1);
    return ackermann(m - 1, ackermann(m, n - 1));
}

static int32_t
takeuchi(int32_t x, int32_t y, int32_t z)
{
    if (y >= x)
        return z;
    return takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x),
                    takeuchi(z - 1, x, y));
}

/* Moves `count` discs and takes every move into `*sum`. */
static void
hanoi(uint32_t count, uint32_t from, uint32_t to, uint64_t *sum)
{
    uint32_t spare = 3 - from - to;

    if (count == 0)
        return;
    hanoi(count - 1, from, spare, sum);
    *sum = kernel_mix(*sum, count * 16 + from * 4 + to);
    hanoi(count - 1, spare, to, sum);
}

/* Counts the permutations of `values` behind `start` that are derangements:
 * no number is at its own place. */
static uint32_t
derangements(uint8_t *values, uint32_t start, uint32_t count)
{
    uint32_t found = 0;

    if (start == count)
        return 1;
    for (uint32_t i = start; i < count; i++) {
        uint8_t chosen = values[i];

        if (chosen == start)
            continue;
        values[i] = values[start];
        values[start] = chosen;
        found += derangements(values, start + 1, count);
        values[start] = values[i];
        values[i] = chosen;
    }
    return found;
}

int
main(void)
{
    uint64_t sum = 1;
    uint8_t values[12];

    sum = kernel_mix(sum, fibonacci(kernel_opaque(33)));
    /* The depth is twice n: there are engines that stop at 300. */
    for (uint32_t i = kernel_opaque(0); i < 100; i++)
        sum = kernel_mix(sum, ackermann(2, 90 + i % 50));
    sum = kernel_mix(sum, (uint32_t)takeuchi(
                              (int32_t)kernel_opaque(18), 12, 6));
    hanoi(kernel_opaque(20), 0, 2, &sum);
    for (uint8_t i = 0; i < sizeof values; i++)
        values[i] = i;
    sum = kernel_mix(sum, derangements(values, 0, kernel_opaque(10)));
    return kernel_report("recurse", sum);
}
