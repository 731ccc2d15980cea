/*
 * nbody.c - a sun and four planets under gravity, moved in small steps by the
 * leapfrog rule: additions, multiplications, divisions and square roots of
 * doubles that live in structs.
 */
#include "kernel.h"

#include <math.h>

enum {
    BODY_COUNT = 5,
    STEP_COUNT = 270000,
};

struct body {
    double x, y, z;
    double vx, vy, vz;
    double mass;
};

/* Distances in astronomical units, times in years over 2 pi, the sun's mass
 * is 1: nearly round orbits, each tilted a little. */
static const struct body start[BODY_COUNT] = {
    {0, 0, 0, 0, 0, 0, 1},
    {0.39, 0, 0.05, 0, 1.60, 0, 1.7e-7},
    {0, 1.0, 0, -1.0, 0, 0.01, 3.0e-6},
    {-5.2, 0, 0.1, 0, -0.44, 0.01, 9.5e-4},
    {0, -9.6, 0.3, 0.32, 0, 0, 2.9e-4},
};

static void
accelerate(struct body *bodies, double dt)
{
    for (uint32_t i = 0; i < BODY_COUNT; i++)
        for (uint32_t j = i + 1; j < BODY_COUNT; j++) {
            struct body *a = &bodies[i], *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
            double square = dx * dx + dy * dy + dz * dz;
            double pull = dt / (square * sqrt(square));

            a->vx -= dx * b->mass * pull;
            a->vy -= dy * b->mass * pull;
            a->vz -= dz * b->mass * pull;
            b->vx += dx * a->mass * pull;
            b->vy += dy * a->mass * pull;
            b->vz += dz * a->mass * pull;
        }
}

static void
move(struct body *bodies, double dt)
{
    for (uint32_t i = 0; i < BODY_COUNT; i++) {
        bodies[i].x += dt * bodies[i].vx;
        bodies[i].y += dt * bodies[i].vy;
        bodies[i].z += dt * bodies[i].vz;
    }
}

static double
energy(const struct body *bodies)
{
    double total = 0;

    for (uint32_t i = 0; i < BODY_COUNT; i++) {
        const struct body *a = &bodies[i];

        total += a->mass / 2 *
                 (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
        for (uint32_t j = i + 1; j < BODY_COUNT; j++) {
            const struct body *b = &bodies[j];
            double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;

            total -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
        }
    }
    return total;
}

int
main(void)
{
    struct body bodies[BODY_COUNT];
    uint64_t sum = 13;
    double before, drift;

    memcpy(bodies, start, sizeof bodies);
    before = energy(bodies);
    for (uint32_t step = kernel_opaque(STEP_COUNT); step > 0; step--) {
        accelerate(bodies, 1e-3);
        move(bodies, 1e-3);
    }
    for (uint32_t i = 0; i < BODY_COUNT; i++)
        sum = kernel_mix(sum, kernel_bits(bodies[i].x + bodies[i].vy));
    /* Leapfrog keeps the energy: not to the bit, but nearly. */
    drift = energy(bodies) / before - 1;
    sum = kernel_mix(sum, drift < 1e-2 && drift > -1e-2);
    return kernel_report("nbody", sum);
}
