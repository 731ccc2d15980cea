/*
 * image.c - a picture of bytes: colours to grey by fixed-point weights, a box
 * blur, Sobel's edges, a histogram and its equalisation, and a threshold:
 * small integer windows over two-dimensional arrays, with clamping.
 */
#include "kernel.h"

enum {
    WIDTH = 256,
    HEIGHT = 192,
};

static uint8_t colours[HEIGHT][WIDTH][3];
static uint8_t grey[HEIGHT][WIDTH], blurred[HEIGHT][WIDTH];
static uint8_t edges[HEIGHT][WIDTH];

static void
paint(uint32_t round)
{
    uint64_t random = 5 + round;

    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            uint32_t noise = (uint32_t)kernel_random(&random) & 15;
            bool inside = (x - 90) * (x - 90) + (y - 80) * (y - 80) < 2500;

            colours[y][x][0] = (uint8_t)(x / 2 + noise);
            colours[y][x][1] = (uint8_t)(inside ? 200 - noise : y);
            colours[y][x][2] = (uint8_t)((x ^ y) + round);
        }
}

static void
make_grey(void)
{
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++) {
            const uint8_t *pixel = colours[y][x];

            grey[y][x] = (uint8_t)((pixel[0] * 77 + pixel[1] * 150 +
                                    pixel[2] * 29) >> 8);
        }
}

/* The mean of nine, as a sum of rows and a product instead of a division. */
static void
blur(void)
{
    for (uint32_t y = 1; y + 1 < HEIGHT; y++)
        for (uint32_t x = 1; x + 1 < WIDTH; x++) {
            uint32_t sum = 0;

            for (uint32_t dy = 0; dy < 3; dy++)
                sum += (uint32_t)grey[y + dy - 1][x - 1] +
                       grey[y + dy - 1][x] + grey[y + dy - 1][x + 1];
            blurred[y][x] = (uint8_t)(sum * 7282 >> 16);
        }
}

static void
find_edges(void)
{
    for (uint32_t y = 1; y + 1 < HEIGHT; y++) {
        const uint8_t *up = blurred[y - 1], *at = blurred[y];
        const uint8_t *down = blurred[y + 1];

        for (uint32_t x = 1; x + 1 < WIDTH; x++) {
            int32_t across = up[x + 1] + 2 * at[x + 1] + down[x + 1] -
                             up[x - 1] - 2 * at[x - 1] - down[x - 1];
            int32_t along = down[x - 1] + 2 * down[x] + down[x + 1] -
                            up[x - 1] - 2 * up[x] - up[x + 1];
            int32_t size = (across < 0 ? -across : across) +
                           (along < 0 ? -along : along);

            edges[y][x] = (uint8_t)(size > 255 ? 255 : size);
        }
    }
}

/* Spreads the greys evenly by their running count. */
static void
equalise(void)
{
    uint32_t counts[256] = {0}, running = 0;
    uint8_t map[256];

    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            counts[grey[y][x]]++;
    for (uint32_t i = 0; i < 256; i++) {
        running += counts[i];
        map[i] = (uint8_t)(running * 255 / (WIDTH * HEIGHT));
    }
    for (uint32_t y = 0; y < HEIGHT; y++)
        for (uint32_t x = 0; x < WIDTH; x++)
            grey[y][x] = map[grey[y][x]];
}

int
main(void)
{
    uint64_t sum = 20;

    for (uint32_t round = kernel_opaque(33); round > 0; round--) {
        uint32_t above = 0;
        uint64_t total = 0;

        paint(round);
        make_grey();
        equalise();
        blur();
        find_edges();
        for (uint32_t y = 1; y + 1 < HEIGHT; y++)
            for (uint32_t x = 1; x + 1 < WIDTH; x++) {
                above += edges[y][x] > 90;
                total += edges[y][x] * (x ^ y) + blurred[y][x];
            }
        sum = kernel_mix(kernel_mix(sum, above), total);
    }
    return kernel_report("image", sum);
}
