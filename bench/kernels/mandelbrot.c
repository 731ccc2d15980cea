/*
 * mandelbrot.c - how long points of the plane stay bounded under z^2 + c, for
 * Mandelbrot's set and for two sets of Julia's: chains of doubles that never
 * leave registers, and a branch at each step.
 */
#include "kernel.h"

enum {
    WIDTH = 240,
    HEIGHT = 160,
    STEPS_MAX = 160,
};

/* From one point to the next, over 3 units by 2.5. */
#define STEP_X (3.0 / (double)WIDTH)
#define STEP_Y (2.5 / (double)HEIGHT)

static uint8_t picture[HEIGHT][WIDTH];

static uint32_t
escape(double x, double y, double cx, double cy)
{
    uint32_t steps = 0;

    while (steps < STEPS_MAX) {
        double xx = x * x, yy = y * y;

        if (xx + yy > 4)
            break;
        y = 2 * x * y + cy;
        x = xx - yy + cx;
        steps++;
    }
    return steps;
}

static void
draw(bool julia, double cx, double cy)
{
    for (uint32_t row = 0; row < HEIGHT; row++)
        for (uint32_t column = 0; column < WIDTH; column++) {
            double x = column * STEP_X - (julia ? 1.5 : 2.25);
            double y = row * STEP_Y - 1.25;

            picture[row][column] =
                (uint8_t)(julia ? escape(x, y, cx, cy)
                                : escape(0, 0, x, y));
        }
}

static uint64_t
take_picture(uint64_t sum)
{
    uint64_t row_sum = 0;

    for (uint32_t row = 0; row < HEIGHT; row++) {
        for (uint32_t column = 0; column < WIDTH; column++)
            row_sum = row_sum * 31 + picture[row][column];
        sum = kernel_mix(sum, row_sum);
    }
    return sum;
}

int
main(void)
{
    uint64_t sum = 14;

    for (uint32_t round = kernel_opaque(4); round > 0; round--) {
        draw(false, 0, 0);
        sum = take_picture(sum);
        draw(true, -0.8, 0.156 + round * 0.001);
        sum = take_picture(sum);
        draw(true, 0.285, 0.01 * round);
        sum = take_picture(sum);
    }
    return kernel_report("mandelbrot", sum);
}
