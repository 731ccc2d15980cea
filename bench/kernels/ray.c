/*
 * ray.c - spheres over a chequered floor, seen by rays of single precision:
 * vectors by value, square roots, comparisons, reflections by recursion, and
 * colours rounded to integers.
 */
#include "kernel.h"

#include <math.h>

enum {
    WIDTH = 200,
    HEIGHT = 150,
    SPHERE_COUNT = 7,
    DEPTH_MAX = 3,
};

struct vector {
    float x, y, z;
};

struct sphere {
    struct vector centre;
    float radius;
    float mirror; /* 0: none, 1: nothing else */
    struct vector colour;
};

static const struct sphere spheres[SPHERE_COUNT] = {
    {{0, 1, 6}, 1, 0.5f, {1, 0.2f, 0.2f}},
    {{2, 0.7f, 5}, 0.7f, 0.3f, {0.2f, 1, 0.2f}},
    {{-2, 0.8f, 5.5f}, 0.8f, 0.4f, {0.2f, 0.3f, 1}},
    {{0.8f, 0.3f, 3.6f}, 0.3f, 0, {1, 1, 0.1f}},
    {{-0.9f, 0.4f, 4}, 0.4f, 0.8f, {0.9f, 0.9f, 0.9f}},
    {{3.2f, 1.5f, 8}, 1.5f, 0.2f, {0.8f, 0.4f, 0.9f}},
    {{-3.5f, 1.2f, 8}, 1.2f, 0.1f, {0.3f, 0.9f, 0.9f}},
};

static struct vector
add_scaled(struct vector a, struct vector b, float factor)
{
    return (struct vector){a.x + b.x * factor, a.y + b.y * factor,
                           a.z + b.z * factor};
}

static float
dot(struct vector a, struct vector b)
{
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static struct vector
normalise(struct vector a)
{
    float factor = 1 / sqrtf(dot(a, a));

    return (struct vector){a.x * factor, a.y * factor, a.z * factor};
}

/* The distance to the nearest sphere below `limit`, and which. */
static float
hit(struct vector from, struct vector along, float limit, int32_t *which)
{
    *which = -1;
    for (int32_t i = 0; i < SPHERE_COUNT; i++) {
        struct vector to = add_scaled(spheres[i].centre, from, -1);
        float middle = dot(to, along);
        float inside = spheres[i].radius * spheres[i].radius +
                       middle * middle - dot(to, to);

        if (inside < 0)
            continue;
        float distance = middle - sqrtf(inside);

        if (distance > 1e-3f && distance < limit) {
            limit = distance;
            *which = i;
        }
    }
    return limit;
}

static struct vector
floor_colour(struct vector at)
{
    /* Moved to where all is positive, so that truncation is floor. */
    int32_t squares = (int32_t)(at.x + 1000) + (int32_t)(at.z + 1000);
    float shade = squares & 1 ? 0.9f : 0.3f;

    return (struct vector){shade, shade, shade};
}

static struct vector
trace(struct vector from, struct vector along, uint32_t depth)
{
    static const struct vector light = {-0.48f, 0.76f, -0.43f};
    int32_t which, blocker;
    float limit = along.y < -1e-3f ? -from.y / along.y : 1e3f;
    float distance = hit(from, along, limit, &which);
    struct vector at = add_scaled(from, along, distance);
    struct vector normal = {0, 1, 0}, colour;
    float mirror = 0.1f, lit;

    if (distance >= 100)
        return (struct vector){0.4f, 0.6f, 0.8f + 0.2f * along.y};
    if (which >= 0) {
        normal = normalise(add_scaled(at, spheres[which].centre, -1));
        colour = spheres[which].colour;
        mirror = spheres[which].mirror;
    } else {
        colour = floor_colour(at);
    }
    lit = dot(normal, light);
    hit(at, light, 1e3f, &blocker);
    if (lit < 0 || blocker >= 0)
        lit = 0;
    lit = (0.2f + 0.8f * lit) * (1 - mirror);
    colour = (struct vector){colour.x * lit, colour.y * lit, colour.z * lit};
    if (mirror == 0 || depth == DEPTH_MAX)
        return colour;
    along = add_scaled(along, normal, -2 * dot(along, normal));
    return add_scaled(colour, trace(at, along, depth + 1), mirror);
}

static uint32_t
channel(float value)
{
    return value >= 1 ? 255 : (uint32_t)(value * 255.0f);
}

int
main(void)
{
    uint64_t sum = 21;

    for (uint32_t round = kernel_opaque(4); round > 0; round--) {
        struct vector eye = {0.1f * (float)round, 1.2f, 0};

        for (uint32_t y = 0; y < HEIGHT; y++)
            for (uint32_t x = 0; x < WIDTH; x++) {
                struct vector along = {
                    ((float)x - (float)WIDTH / 2) / (float)WIDTH,
                    ((float)HEIGHT / 2 - (float)y) / (float)WIDTH, 1};
                struct vector c = trace(eye, normalise(along), 0);

                sum = sum * 31 + (channel(c.x) << 16 | channel(c.y) << 8 |
                                  channel(c.z));
            }
    }
    return kernel_report("ray", sum);
}
