/*
 * live.c - which operation reads a local for the last time.
 *
 * From the end to the beginning: a local is live where some way onwards reads
 * it before it is written. A way back to a loop's head leads to what has not
 * been seen yet, so this is repeated until nothing changes: once more than
 * loops are nested, as a rule. Only as many locals are looked at as a word
 * has bits; the others count as live.
 */
#include "vm/ir.h"

#include <stdlib.h>

/* How often it is repeated before it is given up. */
#define ROUNDS_MAX 8

/* Bits in a word: one for each slot that is looked at. */
#define SLOTS_MAX 64

struct label {
    uint64_t live;
    bool seen; /* in this round */
    bool back; /* is a target from behind */
};

struct live {
    const struct gvm__ir_list *list;
    uint32_t slot_count;
    struct label *labels;
    bool changed;
};

static uint64_t
bit_of(const struct live *live, uint64_t slot)
{
    return slot < live->slot_count ? 1ull << slot : 0;
}

static uint64_t
live_at(struct live *live, uint32_t label)
{
    live->labels[label].back |= !live->labels[label].seen;
    return live->labels[label].live;
}

static void
pass_label(struct live *live, uint32_t label, uint64_t now)
{
    struct label *here = &live->labels[label];

    live->changed |= here->back && here->live != now;
    here->seen = true;
    here->live = now;
}

/* Whether control never comes to the operation behind; ORDER RETURN. */
static bool
goes_away(const struct gvm__ir *ir)
{
    return ir->op == GVM__OP_br || ir->op == GVM__OP_br_table ||
           ir->op == GVM__OP_unreachable ||
           (ir->op >= GVM__OP_return_0 && ir->op <= GVM__OP_return_many);
}

/* What is live behind the operation, wherever it goes, when `now` is what is
 * live at the operation behind. */
static uint64_t
behind(struct live *live, const struct gvm__ir *ir, uint64_t now)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];

    if ((info->flags & GVM__OP_CONTROL) && goes_away(ir))
        now = 0;
    if (info->target_kinds != 0)
        now |= live_at(live, ir->label);
    if (info->flags & GVM__OP_TABLE)
        for (uint32_t i = 0; i <= ir->immediates[0]; i++)
            now |= live_at(live, live->list->table[ir->table_first + i]);
    return now;
}

static uint64_t
pass_operation(struct live *live, struct gvm__ir *ir, uint64_t now)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];
    uint64_t reads = 0;
    unsigned dies = 0;

    now = behind(live, ir, now) & ~bit_of(live, gvm__ir_written(ir));
    for (unsigned i = 0; i < info->source_count; i++) {
        uint64_t bit = bit_of(live, ir->sources[i]);

        /* What is pinned may be read from its slot as well. */
        if (ir->kinds[i] != GVM__KIND_SLOT &&
            ir->kinds[i] != GVM__KIND_PINNED)
            continue;
        reads |= bit;
        dies |= (unsigned)(bit != 0 && (now & bit) == 0) << i;
    }
    ir->dies = (uint16_t)dies;
    return now | reads;
}

static void
pass(struct live *live)
{
    uint64_t now = 0;

    live->changed = false;
    for (uint32_t i = 0; i < live->list->label_count; i++)
        live->labels[i].seen = false;
    for (uint32_t i = live->list->count; i-- > 0;) {
        struct gvm__ir *ir = &live->list->irs[i];

        if (ir->op == GVM__IR_LABEL)
            pass_label(live, ir->label, now);
        else
            now = pass_operation(live, ir, now);
    }
}

bool
gvm__live(struct gvm__ir_list *list, uint32_t base)
{
    struct live live = {
        .list = list,
        .slot_count = base < SLOTS_MAX ? base : SLOTS_MAX,
    };
    unsigned rounds = 0;

    live.labels = calloc(list->label_count + 1, sizeof *live.labels);
    if (live.labels == NULL)
        return false;
    do
        pass(&live);
    while (live.changed && ++rounds < ROUNDS_MAX);
    free(live.labels);
    return !live.changed;
}
