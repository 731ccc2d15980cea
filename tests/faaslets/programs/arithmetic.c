/*
 * arithmetic - integers of every width and floats, printed to the last digit.
 *
 * Everything here is exact by the standard or by IEEE 754, so the native
 * program and the one in the engine print the same. The exit code is the
 * number of arguments, to see that both arrive.
 */
#include <inttypes.h>
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

/* A generator of 64 well mixed bits per step, its state in the caller's. */
static uint64_t
next_random(uint64_t *state)
{
    uint64_t mixed = (*state += UINT64_C(0x9e3779b97f4a7c15));

    mixed = (mixed ^ mixed >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    mixed = (mixed ^ mixed >> 27) * UINT64_C(0x94d049bb133111eb);
    return mixed ^ mixed >> 31;
}

static void
print_integers(uint64_t a, uint64_t b)
{
    int64_t signed_a = (int64_t)a;
    int32_t small = (int32_t)b;

    printf("%" PRIx64 " %" PRIu64 " %" PRId64 "\n", a + b, a * b,
           signed_a >> (b & 63));
    if (b != 0 && signed_a != INT64_MIN)
        printf("%" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64 "\n", a / b,
               a % b, signed_a / (int64_t)b, signed_a % (int64_t)b);
    if (small != 0 && small != -1)
        printf("%d %d %d\n", (int)((int32_t)a / small),
               (int)((int32_t)a % small), (int)(int8_t)a * (int16_t)b);
    printf("%d %d %d\n", __builtin_popcountll(a), __builtin_clzll(a | 1),
           __builtin_ctz((unsigned)b | 1u << 31));
    printf("%" PRIx64 "\n", a << (b & 63) | a >> (-b & 63));
}

static void
print_floats(uint64_t a, uint64_t b)
{
    double x = (double)(int64_t)a / 4294967296.0;
    double y = (double)b;
    float narrow = (float)x;

    printf("%.17g %.17g %.17g\n", x + y, x * y, x / y);
    printf("%a %.17g %.9g\n", sqrt(y), floor(x), (double)narrow);
    printf("%.3f %e %g\n", x, y, (double)(narrow * 3.0f));
    printf("%" PRId64 " %d %d\n", (int64_t)trunc(x), x < y, narrow == x);
    printf("%.17g %.17g\n", copysign(x, -y), fmin(x, y));
}

int
main(int argc, char **argv)
{
    uint64_t state = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;

    for (int round = 0; round < 200; round++) {
        uint64_t a = next_random(&state) >> (round % 61);
        uint64_t b = next_random(&state) >> (round % 47);

        print_integers(a, b);
        print_floats(a, b);
    }
    return argc;
}
