/*
 * accumulate.c - passes results on in registers.
 *
 * Each class of values has an accumulator. An operation's result goes there
 * when operations close behind it use it: instead of its slot when it is an
 * operand (an operand has one use) or a local that nothing else reads, and
 * besides its slot when it is another local. In between nothing else of the
 * class may go to the accumulator, and nothing outlives a label or what leaves
 * the handlers.
 */
#include "vm/ir.h"

/* How far a result's uses are looked for. */
#define LOOK_AHEAD 8

struct use {
    uint32_t index;
    unsigned source;
};

struct uses {
    struct use items[LOOK_AHEAD * GVM__SOURCES_MAX];
    unsigned count;
};

static unsigned
result_class(const struct gvm__ir *ir)
{
    return gvm__ops[ir->op].destination_class;
}

/* Whether the result of `index` is used by the operation behind it. */
static bool
feeds_the_next(const struct gvm__ir_list *list, uint32_t index)
{
    const struct gvm__ir *ir = &list->irs[index];
    const struct gvm__ir *next = ir + 1;

    if (ir->to_kind != GVM__KIND_SLOT || index + 1 >= list->count ||
        next->op == GVM__IR_LABEL)
        return false;
    for (unsigned i = 0; i < gvm__ops[next->op].source_count; i++)
        if (gvm__ir_reads(next, i, ir->to, result_class(ir)))
            return true;
    return false;
}

static bool
note_uses(const struct gvm__ir *ir, uint32_t index, uint32_t slot,
          unsigned class, struct uses *uses)
{
    bool found = false;

    for (unsigned i = 0; i < gvm__ops[ir->op].source_count; i++)
        if (gvm__ir_reads(ir, i, slot, class)) {
            uses->items[uses->count++] = (struct use){index, i};
            found = true;
        }
    return found;
}

/* The uses of the result of `index` that the accumulator can reach. */
static void
find_uses(const struct gvm__ir_list *list, uint32_t index, bool operand,
          struct uses *uses)
{
    const struct gvm__ir *ir = &list->irs[index];
    unsigned class = result_class(ir);

    uses->count = 0;
    for (uint32_t i = index + 1;
         i < list->count && i < index + LOOK_AHEAD; i++) {
        const struct gvm__ir *next = &list->irs[i];
        const struct gvm__op_info *info = &gvm__ops[next->op];
        bool found;

        if (next->op == GVM__IR_LABEL)
            return;
        found = note_uses(next, i, ir->to, class, uses);
        if (found && operand)
            return;
        /* A branch may take an operand along in its slot. */
        if (operand &&
            info->flags & (GVM__OP_BRANCHES | GVM__OP_LOOPS))
            return;
        if (info->flags & GVM__OP_CONTROL ||
            gvm__ir_written(next) == ir->to)
            return;
        if (result_class(next) == class && feeds_the_next(list, i))
            return;
    }
}

/* Aims what can be at the accumulator; returns how many, and the last. */
static unsigned
aim_uses(struct gvm__ir_list *list, const struct uses *uses, uint32_t *last)
{
    unsigned aimed = 0;

    for (unsigned i = 0; i < uses->count; i++) {
        struct gvm__ir *ir = &list->irs[uses->items[i].index];
        unsigned source = uses->items[i].source;

        if (!gvm__ir_takes(ir, source, GVM__KIND_ACCUMULATOR))
            continue;
        ir->kinds[source] = GVM__KIND_ACCUMULATOR;
        aimed++;
        *last = uses->items[i].index;
    }
    return aimed;
}

static bool
reads_slot(const struct gvm__ir *ir, uint32_t slot)
{
    for (unsigned i = 0; i < gvm__ops[ir->op].source_count; i++)
        if (ir->kinds[i] == GVM__KIND_SLOT && ir->sources[i] == slot)
            return true;
    return false;
}

/*
 * Whether the last of these uses is the last there is, so that a local need
 * not be in its slot. Somebody may read it as another class, which is no use,
 * and a branch in between might go where it is read.
 */
static bool
ends_with(const struct gvm__ir_list *list, uint32_t index,
          const struct uses *uses)
{
    const struct use *last = &uses->items[uses->count - 1];
    uint32_t slot = list->irs[index].to;

    for (uint32_t i = index + 1; i <= last->index; i++)
        if (reads_slot(&list->irs[i], slot) ||
            (i < last->index &&
             gvm__ops[list->irs[i].op].target_kinds != 0))
            return false;
    return list->irs[last->index].dies >> last->source & 1;
}

/*
 * Passes the result of `index` on, if that helps; returns the index up to
 * which the accumulator is in use then, else `index`.
 */
static uint32_t
pass_on(struct gvm__ir_list *list, uint32_t index, uint32_t base, bool live)
{
    struct gvm__ir *ir = &list->irs[index];
    bool operand = ir->to >= base;
    enum gvm__kind kind =
        operand ? GVM__KIND_ACCUMULATOR : GVM__KIND_BOTH;
    uint32_t last = index;
    struct uses uses;
    unsigned aimed;

    if (!gvm__ir_gives(ir, kind))
        return index;
    find_uses(list, index, operand, &uses);
    aimed = aim_uses(list, &uses, &last);
    if (aimed == 0)
        return index;
    if (live && !operand && aimed == uses.count &&
        ends_with(list, index, &uses))
        kind = GVM__KIND_ACCUMULATOR;
    ir->to_kind = (uint8_t)kind;
    return last;
}

void
gvm__accumulate(struct gvm__ir_list *list, uint32_t base)
{
    uint32_t busy_until[GVM__CLASS_COUNT] = {0};
    bool live;

    if ((gvm__ops[GVM__OP_move].source_kinds[0] &
         1u << GVM__KIND_ACCUMULATOR) == 0)
        return;
    live = gvm__live(list, base);
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gvm__ir *ir = &list->irs[i];
        unsigned class;

        if (ir->op == GVM__IR_LABEL || ir->to_kind != GVM__KIND_SLOT)
            continue;
        class = result_class(ir);
        if (class < GVM__CLASS_COUNT && busy_until[class] <= i)
            busy_until[class] = pass_on(list, i, base, live);
    }
}
