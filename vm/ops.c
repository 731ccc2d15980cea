/*
 * ops.c - the table of operations that generate.c made from ops.inc.
 */
#include "vm/ops.h"

#include <assert.h>

const struct gvm__op_info gvm__ops[GVM__OP_COUNT] = {
#define OFFSETS(...) {__VA_ARGS__}
#define OP_INFO(name, first, flags, count, kinds0, kinds1, kinds2,       \
                type0, type1, type2, to, to_type, immediates, words,     \
                targets, offsets0, offsets1, offsets2, to_offsets,       \
                target_offsets)                                          \
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
                        targets,                                         \
                        {GVM__CLASS_OF(type0), GVM__CLASS_OF(type1),     \
                         GVM__CLASS_OF(type2)},                          \
                        GVM__CLASS_OF(to_type),                          \
                        {offsets0, offsets1, offsets2},                  \
                        to_offsets,                                      \
                        target_offsets},
#include "table_made.inc"
#undef OP_INFO
#undef OFFSETS
};

const char *const gvm__handler_names[] = {
#define HANDLER_NAME(name) #name,
#include "names_made.inc"
#undef HANDLER_NAME
};

const uint16_t gvm__handler_count =
    sizeof gvm__handler_names / sizeof gvm__handler_names[0];
static_assert(sizeof gvm__handler_names / sizeof gvm__handler_names[0] <=
                  GVM__NOT_ALLOWED,
              "numbers of handlers are below what is no number");

const struct gvm__layout gvm__handler_layouts[] = {
#define HANDLER_LAYOUT(...) {__VA_ARGS__},
#include "layouts_made.inc"
#undef HANDLER_LAYOUT
};

/* The second halves of the pairs, sorted by the first, then by the second.
 * Never empty: a table without registers has no pairs. */
static const uint16_t pair_seconds[] = {
#define HANDLER_PAIR(name, first, second) second,
#include "pairs_made.inc"
#undef HANDLER_PAIR
    UINT16_MAX,
};

/* By the first half; ends with the number of pairs. */
static const uint16_t pairs_begin[] = {
#define PAIRS_BEGIN(index) index,
#include "begins_made.inc"
#undef PAIRS_BEGIN
};

const uint16_t gvm__pair_count =
    sizeof pair_seconds / sizeof pair_seconds[0] - 1;

bool
gvm__op_halves(uint16_t handler, uint16_t *first, uint16_t *second)
{
    unsigned pair = (unsigned)handler - gvm__handler_count;
    unsigned low = 0, high = gvm__handler_count;

    if (handler < gvm__handler_count)
        return false;
    while (high - low > 1) {
        unsigned middle = (low + high) / 2;

        if (pairs_begin[middle] <= pair)
            low = middle;
        else
            high = middle;
    }
    *first = (uint16_t)low;
    *second = pair_seconds[pair];
    return true;
}

/* A search that halves without a branch: its outcomes are not predictable,
 * and translating is full of them. */
uint16_t
gvm__op_pair(uint16_t first, uint16_t second)
{
    const uint16_t *at = pair_seconds + pairs_begin[first];
    unsigned count = (unsigned)pairs_begin[first + 1] - pairs_begin[first];

    if (count == 0)
        return GVM__NO_HANDLER;
    while (count > 1) {
        unsigned half = count / 2;

        at += half & -(unsigned)(at[half] <= second);
        count -= half;
    }
    if (*at != second)
        return GVM__NO_HANDLER;
    return (uint16_t)(gvm__handler_count + (at - pair_seconds));
}

bool
gvm__op_handler(enum gvm__op op,
                const uint8_t source_kinds[GVM__SOURCES_MAX],
                enum gvm__kind destination_kind, enum gvm__target target,
                uint16_t *handler)
{
    const struct gvm__op_info *info = &gvm__ops[op];
    unsigned number = info->first_handler;

    static_assert(GVM__SOURCES_MAX == 3, "every source counts");
    number += info->source_offsets[0][source_kinds[0]];
    number += info->source_offsets[1][source_kinds[1]];
    number += info->source_offsets[2][source_kinds[2]];
    number += info->destination_offsets[destination_kind];
    number += info->target_offsets[target];
    if (number >= GVM__NOT_ALLOWED)
        return false;
    *handler = (uint16_t)number;
    return true;
}

uint16_t
gvm__op_only_handler(enum gvm__op op)
{
    const struct gvm__op_info *info = &gvm__ops[op];

    assert(info->source_count == 0 && info->destination_kinds == 0 &&
           info->target_kinds == 0);
    return info->first_handler;
}
