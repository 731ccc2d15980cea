/*
 * pin.c - keeps the busiest f64 local of a function in a register.
 *
 * A processor passes a stored integer on to the next load in two cycles, but
 * takes nine for a float: only those are worth a register. The slot always
 * holds the value as well, so what has no variant for a pinned operand reads
 * that. But behind calls, which use the register themselves, and behind what
 * writes only the slot, the value is fetched again. So pinning does not pay
 * where calls are as busy as the local is.
 */
#include "vm/ir.h"

#include <stdlib.h>

/* Weight of an operation inside one more loop, and how deep that counts. */
#define LOOP_WEIGHT 8
#define LOOP_DEPTH_MAX 5
/* The least weight that pays for the moves at both ends. */
#define WEIGHT_MIN 16
#define CALL_WEIGHT 4

struct pin {
    struct gvm__ir_list *list;
    uint32_t base;
    uint32_t slot;
};

static uint64_t
weight_of(const struct gvm__ir *ir)
{
    uint64_t weight = 1;

    for (unsigned i = 0; i < ir->depth && i < LOOP_DEPTH_MAX; i++)
        weight *= LOOP_WEIGHT;
    return weight;
}

static bool
is_call(const struct gvm__ir *ir)
{
    return ir->op == GVM__OP_call || ir->op == GVM__OP_call_import ||
           ir->op == GVM__OP_call_indirect;
}

/* The class of what the operation writes to a slot. */
static unsigned
written_class(const struct gvm__ir *ir)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];

    return info->flags & GVM__OP_UPDATES ? info->source_classes[0]
                                         : info->destination_class;
}

static void
weigh(const struct pin *pin, const struct gvm__ir *ir, uint64_t *weights)
{
    uint32_t written = gvm__ir_written(ir);
    uint64_t weight = weight_of(ir);

    for (unsigned i = 0; i < gvm__ops[ir->op].source_count; i++)
        if (ir->kinds[i] == GVM__KIND_SLOT && ir->sources[i] < pin->base &&
            gvm__ops[ir->op].source_classes[i] == GVM__CLASS_F64)
            weights[ir->sources[i]] += 2 * weight;
    if (written < pin->base && written_class(ir) == GVM__CLASS_F64)
        weights[written] += 3 * weight;
}

/* Whether there is an f64 local at all: few functions have one. */
static bool
has_local(const struct pin *pin, const uint8_t *local_types)
{
    for (uint32_t i = 0; i < pin->base; i++)
        if (local_types[i] == 'd')
            return true;
    return false;
}

/* Chooses the local; false when none is worth it. */
static bool
choose(struct pin *pin, const uint8_t *local_types)
{
    uint64_t *weights;
    uint64_t calls = 0;
    uint32_t best = 0;

    if (!has_local(pin, local_types))
        return false;
    weights = calloc(pin->base, sizeof *weights);
    if (weights == NULL)
        return false;
    for (uint32_t i = 0; i < pin->list->count; i++) {
        const struct gvm__ir *ir = &pin->list->irs[i];

        if (ir->op == GVM__IR_LABEL)
            continue;
        weigh(pin, ir, weights);
        if (is_call(ir))
            calls += weight_of(ir);
    }
    for (uint32_t i = 1; i < pin->base; i++)
        if (weights[i] > weights[best])
            best = i;
    pin->slot = best;
    calls = weights[best] / 2 < WEIGHT_MIN ||
            weights[best] / 2 < CALL_WEIGHT * calls;
    free(weights);
    return !calls && local_types[best] == 'd';
}

static struct gvm__ir *
append_move(struct pin *pin, struct gvm__ir_list *to,
            enum gvm__kind from_kind, enum gvm__kind to_kind,
            const struct gvm__ir *near)
{
    struct gvm__ir *ir = gvm__ir_append(to, GVM__OP_move_f64);

    ir->kinds[0] = (uint8_t)from_kind;
    ir->sources[0] = pin->slot;
    ir->to_kind = (uint8_t)to_kind;
    ir->to = pin->slot;
    ir->insn_offset = near->insn_offset;
    ir->depth = near->depth;
    return ir;
}

static void
fetch(struct pin *pin, struct gvm__ir_list *to, const struct gvm__ir *near)
{
    append_move(pin, to, GVM__KIND_SLOT, GVM__KIND_PINNED, near);
}

/* Aims operands at the register where the operation has a variant for it;
 * true when it writes the slot all the same. */
static bool
pin_operands(const struct pin *pin, struct gvm__ir *ir)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];

    for (unsigned i = 0; i < info->source_count; i++) {
        if (gvm__ir_reads(ir, i, pin->slot, GVM__CLASS_F64) &&
            gvm__ir_takes(ir, i, GVM__KIND_PINNED))
            ir->kinds[i] = GVM__KIND_PINNED;
    }
    if (gvm__ir_written(ir) != pin->slot)
        return false;
    if (info->flags & GVM__OP_UPDATES)
        return ir->kinds[0] != GVM__KIND_PINNED;
    if (info->destination_class != GVM__CLASS_F64 ||
        !gvm__ir_gives(ir, GVM__KIND_PINNED))
        return true;
    ir->to_kind = GVM__KIND_PINNED;
    return false;
}

static void
rewrite(struct pin *pin, const struct gvm__ir *old, struct gvm__ir_list *to)
{
    struct gvm__ir ir = *old;
    bool stale =
        ir.op != GVM__IR_LABEL && (pin_operands(pin, &ir) || is_call(&ir));

    *gvm__ir_append(to, (enum gvm__op)ir.op) = ir;
    if (stale)
        fetch(pin, to, old);
}

/* The register's value at the start: the parameter, or zero if it counts. */
static void
begin(struct pin *pin, uint32_t parameter_count, bool zeroed,
      struct gvm__ir_list *to)
{
    const struct gvm__ir *enter = &pin->list->irs[0];
    struct gvm__ir *ir;

    if (pin->slot < parameter_count) {
        fetch(pin, to, enter);
    } else if (zeroed) {
        ir = append_move(pin, to, GVM__KIND_CONSTANT, GVM__KIND_PINNED,
                         enter);
        ir->sources[0] = 0;
    }
}

void
gvm__pin(struct gvm__ir_list *list, uint32_t base, uint32_t parameter_count,
         const uint8_t *local_types, const uint8_t *zeroed)
{
    struct pin pin = {.list = list, .base = base};
    struct gvm__ir_list made = {0};

    /* Tables without registers have no variants to aim at. */
    if ((gvm__ops[GVM__OP_move_f64].source_kinds[0] &
         1u << GVM__KIND_PINNED) == 0)
        return;
    if (!choose(&pin, local_types))
        return;
    *gvm__ir_append(&made, GVM__OP_enter) = list->irs[0];
    begin(&pin, parameter_count, zeroed[pin.slot], &made);
    for (uint32_t i = 1; i < list->count; i++)
        rewrite(&pin, &list->irs[i], &made);
    if (made.failed) {
        /* The list is right without the pin. */
        free(made.irs);
        return;
    }
    free(list->irs);
    list->irs = made.irs;
    list->count = made.count;
    list->capacity = made.capacity;
}
