/*
 * compare.c - the order of the comparisons in ops.inc, as tables.
 */
#include "vm/compare.h"

#include <assert.h>
#include <stddef.h>

/* ORDER COMPARE: eq ne lt_s lt_u gt_s gt_u le_s le_u ge_s ge_u, and of
 * floats eq ne lt gt le ge. */
struct family {
    enum gvm__op first;
    enum gvm__op last;
    unsigned step; /* from one comparison to the next */
    const uint8_t *swapped;
    const uint8_t *negated; /* floats have a branch of their own */
};

static const uint8_t integers_swapped[] = {0, 1, 4, 5, 2, 3, 8, 9, 6, 7};
static const uint8_t integers_negated[] = {1, 0, 8, 9, 6, 7, 4, 5, 2, 3};
static const uint8_t floats_swapped[] = {0, 1, 3, 2, 5, 4};

static const struct family families[] = {
    {GVM__OP_i32_eq, GVM__OP_i32_ge_u, 3, integers_swapped,
     integers_negated},
    {GVM__OP_i64_eq, GVM__OP_i64_ge_u, 3, integers_swapped,
     integers_negated},
    {GVM__OP_f32_eq, GVM__OP_f32_ge, 3, floats_swapped, NULL},
    {GVM__OP_f64_eq, GVM__OP_f64_ge, 3, floats_swapped, NULL},
};

static const struct family *
family_of(enum gvm__op op)
{
    const struct family *family = families;

    while (op < family->first || op > family->last)
        family++;
    assert((op - family->first) % family->step == 0);
    return family;
}

enum gvm__op
gvm__compare_swapped(enum gvm__op op)
{
    const struct family *family = family_of(op);
    unsigned index = (op - family->first) / family->step;

    return family->first + family->step * family->swapped[index];
}

enum gvm__op
gvm__compare_branch(enum gvm__op op, bool negated)
{
    const struct family *family = family_of(op);
    unsigned index = (op - family->first) / family->step;

    if (!negated)
        return op + 1;
    if (family->negated == NULL)
        return op + 2;
    return family->first + family->step * family->negated[index] + 1;
}

enum gvm__op
gvm__compare_tail(enum gvm__op branch, bool swap)
{
    if ((branch < GVM__OP_i32_eq || branch > GVM__OP_add_br_i32_ge_u) &&
        (branch < GVM__OP_i64_eq || branch > GVM__OP_add_br_i64_ge_u))
        return GVM__OP_COUNT;
    return (swap ? gvm__compare_swapped(branch - 1) : branch - 1) + 2;
}
