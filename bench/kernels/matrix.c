/*
 * matrix.c - dense linear algebra in doubles: products of matrices in rows
 * and by blocks, LU decomposition with partial pivoting, and the solution's
 * residual: multiply-add over indexed arrays.
 */
#include "kernel.h"

enum {
    SIZE = 96,
    BLOCK = 16,
};

static double a[SIZE][SIZE], b[SIZE][SIZE], c[SIZE][SIZE], lu[SIZE][SIZE];

static void
fill(double matrix[SIZE][SIZE], uint64_t seed)
{
    for (uint32_t i = 0; i < SIZE; i++)
        for (uint32_t j = 0; j < SIZE; j++)
            matrix[i][j] =
                (int32_t)kernel_random(&seed) * (1.0 / 2147483648.0);
}

static void
multiply(void)
{
    for (uint32_t i = 0; i < SIZE; i++)
        for (uint32_t j = 0; j < SIZE; j++) {
            double sum = 0;

            for (uint32_t k = 0; k < SIZE; k++)
                sum += a[i][k] * b[k][j];
            c[i][j] = sum;
        }
}

/* Adds the product to c, a block of rows and columns at a time. */
static void
multiply_blocks(void)
{
    for (uint32_t ii = 0; ii < SIZE; ii += BLOCK)
        for (uint32_t kk = 0; kk < SIZE; kk += BLOCK)
            for (uint32_t i = ii; i < ii + BLOCK; i++)
                for (uint32_t k = kk; k < kk + BLOCK; k++) {
                    double factor = a[i][k];

                    for (uint32_t j = 0; j < SIZE; j++)
                        c[i][j] += factor * b[k][j];
                }
}

static double
magnitude(double value)
{
    return value < 0 ? -value : value;
}

/* Crout's scheme in place; false when the matrix is singular. */
static bool
decompose(uint32_t *order)
{
    for (uint32_t i = 0; i < SIZE; i++)
        order[i] = i;
    for (uint32_t k = 0; k < SIZE; k++) {
        uint32_t pivot = k;

        for (uint32_t i = k + 1; i < SIZE; i++)
            if (magnitude(lu[i][k]) > magnitude(lu[pivot][k]))
                pivot = i;
        if (lu[pivot][k] == 0)
            return false;
        for (uint32_t j = 0; pivot != k && j < SIZE; j++) {
            double kept = lu[k][j];

            lu[k][j] = lu[pivot][j];
            lu[pivot][j] = kept;
        }
        uint32_t kept = order[k];

        order[k] = order[pivot];
        order[pivot] = kept;
        for (uint32_t i = k + 1; i < SIZE; i++) {
            double factor = lu[i][k] /= lu[k][k];

            for (uint32_t j = k + 1; j < SIZE; j++)
                lu[i][j] -= factor * lu[k][j];
        }
    }
    return true;
}

/* Solves for a right side of ones; the largest error goes to the sum. */
static uint64_t
solve(const uint32_t *order, uint64_t sum)
{
    double x[SIZE], worst = 0;

    for (uint32_t i = 0; i < SIZE; i++) {
        x[i] = 1 + order[i] % 3;
        for (uint32_t j = 0; j < i; j++)
            x[i] -= lu[i][j] * x[j];
    }
    for (uint32_t i = SIZE; i-- > 0;) {
        for (uint32_t j = i + 1; j < SIZE; j++)
            x[i] -= lu[i][j] * x[j];
        x[i] /= lu[i][i];
    }
    for (uint32_t i = 0; i < SIZE; i++) {
        double error = -1 - (double)(i % 3);

        for (uint32_t j = 0; j < SIZE; j++)
            error += c[i][j] * x[j];
        if (magnitude(error) > worst)
            worst = magnitude(error);
    }
    sum = kernel_mix(sum, kernel_bits(x[SIZE / 2]));
    return kernel_mix(sum, worst < 1e-6);
}

int
main(void)
{
    uint64_t sum = 12;

    for (uint32_t round = kernel_opaque(12); round > 0; round--) {
        uint32_t order[SIZE];

        fill(a, 100 + round);
        fill(b, 200 + round);
        multiply();
        multiply_blocks();
        memcpy(lu, c, sizeof lu);
        if (decompose(order))
            sum = solve(order, sum);
        sum = kernel_mix(sum, kernel_bits(c[round][SIZE - round]));
    }
    return kernel_report("matrix", sum);
}
