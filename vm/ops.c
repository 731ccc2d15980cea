/*
 * ops.c - the table of operations that generate.c made from ops.inc.
 */
#include "vm/ops.h"

#include <assert.h>

const struct gvm__op_info gvm__ops[GVM__OP_COUNT] = {
#define OP_INFO(name, first, flags, count, kinds0, kinds1, kinds2,       \
                type0, type1, type2, to, to_type, immediates, words,     \
                targets)                                                 \
    [GVM__OP_##name] = {#name,                                           \
                        first,                                           \
                        flags,                                           \
                        count,                                           \
                        {kinds0, kinds1, kinds2},                        \
                        {type0, type1, type2},                           \
                        to,                                              \
                        to_type,                                         \
                        immediates,                                      \
                        words,                                           \
                        targets},
#include "table_made.inc"
#undef OP_INFO
};

const char *const gvm__handler_names[] = {
#define HANDLER_NAME(name) #name,
#include "names_made.inc"
#undef HANDLER_NAME
};

const uint16_t gvm__handler_count =
    sizeof gvm__handler_names / sizeof gvm__handler_names[0];

/* Sorted by the first, then by the second. Never empty: a table without
 * registers has no pairs. */
static const struct {
    uint16_t first;
    uint16_t second;
} pairs[] = {
#define HANDLER_PAIR(name, first, second) {first, second},
#include "pairs_made.inc"
#undef HANDLER_PAIR
    {UINT16_MAX, UINT16_MAX},
};

static const uint16_t pairs_begin[] = {
#define PAIRS_BEGIN(index) index,
#include "begins_made.inc"
#undef PAIRS_BEGIN
};

const uint16_t gvm__pair_count = sizeof pairs / sizeof pairs[0] - 1;

bool
gvm__op_halves(uint16_t handler, uint16_t *first, uint16_t *second)
{
    if (handler < gvm__handler_count)
        return false;
    *first = pairs[handler - gvm__handler_count].first;
    *second = pairs[handler - gvm__handler_count].second;
    return true;
}

uint16_t
gvm__op_pair(uint16_t first, uint16_t second)
{
    unsigned low = pairs_begin[first];
    unsigned high = pairs_begin[first + 1];

    while (low < high) {
        unsigned middle = (low + high) / 2;

        if (pairs[middle].second < second)
            low = middle + 1;
        else
            high = middle;
    }
    if (low < pairs_begin[first + 1] && pairs[low].second == second)
        return (uint16_t)(gvm__handler_count + low);
    return GVM__NO_HANDLER;
}

/* How many of the seven bits are set: processors without an instruction for
 * it call a function, and translating asks all the time. */
#define BITS_2(n) n, n + 1
#define BITS_4(n) BITS_2(n), BITS_2(n + 1)
#define BITS_8(n) BITS_4(n), BITS_4(n + 1)
#define BITS_16(n) BITS_8(n), BITS_8(n + 1)
#define BITS_32(n) BITS_16(n), BITS_16(n + 1)
#define BITS_64(n) BITS_32(n), BITS_32(n + 1)
static const uint8_t bit_counts[1 << GVM__KIND_COUNT] = {
    BITS_64(0), BITS_64(1)};
static_assert(GVM__KIND_COUNT == 7 && GVM__TARGET_COUNT <= 7,
              "the table of bits has an entry for every set of kinds");

static unsigned
bits_below(unsigned bits, unsigned kind)
{
    return bit_counts[bits & ((1u << kind) - 1)];
}

/* Appends a digit for `kind` among `kinds`; false when it is not there. */
static bool
count_digit(unsigned *number, unsigned kinds, unsigned kind)
{
    if ((kinds >> kind & 1) == 0)
        return false;
    *number = *number * bit_counts[kinds] +
              bits_below(kinds, kind);
    return true;
}

bool
gvm__op_handler(enum gvm__op op, const uint8_t *source_kinds,
                enum gvm__kind destination_kind, enum gvm__target target,
                uint16_t *handler)
{
    const struct gvm__op_info *info = &gvm__ops[op];
    unsigned number = 0;

    for (unsigned i = 0; i < info->source_count; i++)
        if (!count_digit(&number, info->source_kinds[i], source_kinds[i]))
            return false;
    if (info->destination_kinds != 0 &&
        !count_digit(&number, info->destination_kinds, destination_kind))
        return false;
    if (info->target_kinds != 0 &&
        !count_digit(&number, info->target_kinds, target))
        return false;
    *handler = (uint16_t)(info->first_handler + number);
    return true;
}
