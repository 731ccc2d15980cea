/*
 * translate_operands.c - the operand stack at translation time.
 */
#include <assert.h>
#include <stdlib.h>

#include "vm/compare.h"
#include "vm/translate.h"

uint32_t
gvm__operand_own_slot(const struct gvm__translation *t, uint32_t height)
{
    return t->base + height;
}

void
gvm__operand_reach(struct gvm__translation *t, uint32_t slot)
{
    if (slot > t->slot_max)
        t->slot_max = slot;
}

bool
gvm__operand_reserve(struct gvm__translation *t, uint32_t count)
{
    uint32_t wanted = t->operand_count + count;
    struct gvm__operand *grown;

    if (wanted <= t->operand_capacity)
        return true;
    wanted = wanted * 2 + 64;
    grown = realloc(t->operands, wanted * sizeof *grown);
    if (grown == NULL) {
        t->list.failed = true;
        return false;
    }
    t->operands = grown;
    t->operand_capacity = wanted;
    return true;
}

static void
push(struct gvm__translation *t, struct gvm__operand operand)
{
    assert(t->operand_count < t->operand_capacity);
    t->operands[t->operand_count++] = operand;
    gvm__operand_reach(t, t->base + t->operand_count);
}

void
gvm__operand_push_local(struct gvm__translation *t, uint32_t slot)
{
    struct gvm__operand operand = {
        .slot = slot,
        .type = (char)t->local_types[slot],
        .below = t->pending[slot],
    };

    t->pending[slot] = t->operand_count + 1;
    if (!t->set[slot])
        t->zeroed[slot] = 1;
    push(t, operand);
}

void
gvm__operand_push_constant(struct gvm__translation *t, uint64_t value,
                           char type)
{
    push(t, (struct gvm__operand){
                .constant = true, .value = value, .type = type});
}

uint32_t
gvm__operand_push_own(struct gvm__translation *t, char type)
{
    uint32_t slot = gvm__operand_own_slot(t, t->operand_count);

    if (t->settled == t->operand_count)
        t->settled++;
    push(t, (struct gvm__operand){.slot = slot, .type = type});
    return slot;
}

char
gvm__operand_type(uint8_t value_type)
{
    switch (value_type) {
    case GVM_I32:
        return 'w';
    case GVM_F32:
        return 'f';
    case GVM_F64:
        return 'd';
    default:
        return 'x';
    }
}

void
gvm__operand_forget_set(struct gvm__translation *t, uint32_t count)
{
    while (t->set_count > count)
        t->set[t->set_order[--t->set_count]] = 0;
}

static bool
is_pending(const struct gvm__translation *t,
           const struct gvm__operand *operand)
{
    return !operand->constant && operand->slot < t->base;
}

struct gvm__operand
gvm__operand_pop(struct gvm__translation *t)
{
    struct gvm__operand operand = t->operands[--t->operand_count];

    if (is_pending(t, &operand))
        t->pending[operand.slot] = operand.below;
    if (t->settled > t->operand_count)
        t->settled = t->operand_count;
    return operand;
}

void
gvm__operand_drop_to(struct gvm__translation *t, uint32_t count)
{
    while (t->operand_count > count)
        gvm__operand_pop(t);
}

void
gvm__operand_copy(struct gvm__translation *t, uint32_t to,
                  const struct gvm__operand *operand)
{
    struct gvm__ir *ir;
    bool narrow = operand->value == (uint64_t)(int32_t)operand->value;

    if (!operand->constant) {
        ir = gvm__ir_append(&t->list, operand->type == 'd'
                                          ? GVM__OP_move_f64
                                          : GVM__OP_move);
        ir->kinds[0] = GVM__KIND_SLOT;
        ir->sources[0] = operand->slot;
    } else if (operand->type == 'd') {
        ir = gvm__ir_append(&t->list, GVM__OP_move_f64);
        ir->kinds[0] = GVM__KIND_CONSTANT;
        ir->sources[0] = operand->value;
    } else if (narrow || operand->type == 'w') {
        ir = gvm__ir_append(&t->list, operand->type == 'w'
                                          ? GVM__OP_constant_w
                                          : GVM__OP_constant);
        ir->kinds[0] = GVM__KIND_IMMEDIATE;
        ir->sources[0] = operand->value;
    } else {
        ir = gvm__ir_append(&t->list, GVM__OP_constant_wide);
        ir->word = operand->value;
    }
    ir->to_kind = GVM__KIND_SLOT;
    ir->to = to;
}

void
gvm__operand_settle(struct gvm__translation *t, uint32_t height)
{
    struct gvm__operand *operand = &t->operands[height];
    uint32_t own = gvm__operand_own_slot(t, height);

    if (!operand->constant && operand->slot == own)
        return;
    gvm__operand_copy(t, own, operand);
    if (is_pending(t, operand))
        t->pending[operand->slot] = operand->below;
    *operand = (struct gvm__operand){.slot = own, .type = operand->type};
}

void
gvm__operand_settle_top(struct gvm__translation *t, uint32_t count)
{
    uint32_t from = t->operand_count - count;
    uint32_t stop = from < t->settled ? t->settled : from;

    for (uint32_t i = t->operand_count; i > stop; i--)
        gvm__operand_settle(t, i - 1);
    if (from <= t->settled)
        t->settled = t->operand_count;
}

void
gvm__operand_settle_all(struct gvm__translation *t)
{
    gvm__operand_settle_top(t, t->operand_count);
}

struct gvm__ir *
gvm__operand_producer(struct gvm__translation *t,
                      const struct gvm__operand *operand, uint32_t height)
{
    struct gvm__ir *last = gvm__ir_last(&t->list);

    if (last == NULL || operand->constant ||
        operand->slot != gvm__operand_own_slot(t, height) ||
        last->to_kind != GVM__KIND_SLOT || last->to != operand->slot)
        return NULL;
    return last;
}

/* Copies the operands that are still the local itself, topmost first. */
static void
settle_local(struct gvm__translation *t, uint32_t slot)
{
    while (t->pending[slot] > 0)
        gvm__operand_settle(t, t->pending[slot] - 1);
}

void
gvm__operand_set_local(struct gvm__translation *t, uint32_t slot, bool tee)
{
    struct gvm__operand value = gvm__operand_pop(t);
    struct gvm__ir *producer =
        gvm__operand_producer(t, &value, t->operand_count);

    if (t->pending[slot] > 0 && producer != NULL) {
        /* The copies have to come before what overwrites the local. */
        struct gvm__ir last = *producer;

        t->list.count--;
        settle_local(t, slot);
        producer = gvm__ir_append(&t->list, (enum gvm__op)last.op);
        *producer = last;
    } else if (t->pending[slot] > 0) {
        settle_local(t, slot);
    }
    if (producer != NULL)
        producer->to = slot;
    else if (value.constant || value.slot != slot)
        gvm__operand_copy(t, slot, &value);
    if (!t->set[slot]) {
        t->set[slot] = 1;
        t->set_order[t->set_count++] = slot;
    }
    if (tee)
        gvm__operand_push_local(t, slot);
}

/* ---- Operations with sources and a result ------------------------------- */

/*
 * Only second operands have variants with constants, so a constant that
 * comes first changes places, where an operation allows it.
 */
static enum gvm__op
turn_around(enum gvm__op op, struct gvm__operand *operands,
            uint32_t *heights)
{
    struct gvm__operand first = operands[0];
    uint32_t height = heights[0];

    if (!operands[0].constant || operands[1].constant)
        return op;
    if (gvm__ops[op].flags & GVM__OP_COMPARES)
        op = gvm__compare_swapped(op);
    else if (op == GVM__OP_i32_sub)
        op = GVM__OP_i32_rsub;
    else if (op == GVM__OP_i64_sub &&
             first.value == (uint64_t)(int32_t)first.value)
        op = GVM__OP_i64_rsub;
    else if ((gvm__ops[op].flags & GVM__OP_COMMUTES) == 0)
        return op;
    operands[0] = operands[1];
    operands[1] = first;
    heights[0] = heights[1];
    heights[1] = height;
    return op;
}

/* A subtraction of a constant is an addition: fewer kinds of ops later. */
static enum gvm__op
normalize(enum gvm__op op, struct gvm__operand *operands)
{
    if (!operands[1].constant)
        return op;
    if (op == GVM__OP_i32_sub) {
        operands[1].value = (uint32_t)(0u - operands[1].value);
        return GVM__OP_i32_add;
    }
    if (op == GVM__OP_i64_sub) {
        operands[1].value = 0u - operands[1].value;
        return GVM__OP_i64_add;
    }
    return op;
}

enum gvm__kind
gvm__operand_constant_kind(enum gvm__op op, unsigned source, uint64_t value)
{
    const struct gvm__op_info *info = &gvm__ops[op];
    unsigned kinds = info->source_kinds[source];

    if (kinds >> GVM__KIND_IMMEDIATE & 1 &&
        (info->source_types[source] == 'w' ||
         value == (uint64_t)(int32_t)value))
        return GVM__KIND_IMMEDIATE;
    if (kinds >> GVM__KIND_CONSTANT & 1)
        return GVM__KIND_CONSTANT;
    return GVM__KIND_NONE;
}

struct gvm__ir *
gvm__translate_with(struct gvm__translation *t, enum gvm__op op,
                    struct gvm__operand *operands, uint32_t *heights)
{
    const struct gvm__op_info *info = &gvm__ops[op];
    uint8_t kinds[GVM__SOURCES_MAX];
    unsigned count = info->source_count;
    struct gvm__ir *ir;

    for (unsigned i = 0; i < count; i++) {
        kinds[i] = GVM__KIND_SLOT;
        if (!operands[i].constant)
            continue;
        kinds[i] = (uint8_t)gvm__operand_constant_kind(
            op, i, operands[i].value);
        if (kinds[i] == GVM__KIND_NONE) {
            kinds[i] = GVM__KIND_SLOT;
            operands[i].slot = gvm__operand_own_slot(t, heights[i]);
            gvm__operand_copy(t, operands[i].slot, &operands[i]);
        }
    }
    ir = gvm__ir_append(&t->list, op);
    for (unsigned i = 0; i < count; i++) {
        ir->kinds[i] = kinds[i];
        ir->sources[i] = kinds[i] == GVM__KIND_SLOT ? operands[i].slot
                                                    : operands[i].value;
    }
    if (info->destination_kinds != 0) {
        ir->to_kind = GVM__KIND_SLOT;
        ir->to = gvm__operand_push_own(t, info->destination_type);
    }
    return ir;
}

struct gvm__ir *
gvm__translate_simple(struct gvm__translation *t, enum gvm__op op)
{
    struct gvm__operand operands[GVM__SOURCES_MAX];
    uint32_t heights[GVM__SOURCES_MAX];
    unsigned count = gvm__ops[op].source_count;

    for (unsigned i = count; i > 0; i--) {
        operands[i - 1] = gvm__operand_pop(t);
        heights[i - 1] = t->operand_count;
    }
    if (count == 2) {
        op = turn_around(op, operands, heights);
        op = normalize(op, operands);
    }
    return gvm__translate_with(t, op, operands, heights);
}
