/*
 * translate_access.c - loads and stores, and what is folded into their
 * addresses.
 *
 * An address that was added up just before is added up by the access
 * instead: base + constant, base + index, base + (index << size). The sum of
 * WebAssembly's i32.add wraps at 32 bits, the access's own offset does not.
 */
#include "vm/translate.h"

/* How far back an addition is looked for. */
#define LOOK_BACK 12

/* The address as sources of the access, and its immediate. */
struct address {
    enum gvm__address form;
    struct gvm__operand operands[2];
    uint32_t heights[2];
    unsigned count;
    uint32_t offset;
};

static bool
writes_a_source(const struct gvm__ir *writer, const struct gvm__ir *reader)
{
    uint32_t slot = gvm__ir_written(writer);

    for (unsigned i = 0; i < gvm__ops[reader->op].source_count; i++)
        if (reader->kinds[i] == GVM__KIND_SLOT &&
            reader->sources[i] == slot)
            return true;
    return false;
}

/*
 * The operation that computed the slot of an operand, when it could as well
 * be done now: nothing it reads has been written since.
 */
static bool
find_producer(struct gvm__translation *t, uint32_t slot, uint32_t *found)
{
    struct gvm__ir_list *list = &t->list;
    uint32_t first = list->count > list->barrier + LOOK_BACK
                         ? list->count - LOOK_BACK
                         : list->barrier;

    if (slot < t->base)
        return false;
    for (uint32_t i = list->count; i > first; i--) {
        const struct gvm__ir *ir = &list->irs[i - 1];

        /* A branch may take the value along where it is. */
        if (gvm__ops[ir->op].flags &
            (GVM__OP_CONTROL | GVM__OP_BRANCHES | GVM__OP_LOOPS))
            return false;
        if (gvm__ir_written(ir) != slot)
            continue;
        for (uint32_t j = i; j < list->count; j++)
            if (writes_a_source(&list->irs[j], ir))
                return false;
        *found = i - 1;
        return true;
    }
    return false;
}

/* Replaces an index by the value that it is the shift of. */
static bool
fold_scale(struct gvm__translation *t, struct gvm__operand *index,
           unsigned shift)
{
    struct gvm__ir *ir;
    uint32_t found;

    if (shift == 0 || !find_producer(t, index->slot, &found))
        return false;
    ir = &t->list.irs[found];
    if (ir->op != GVM__OP_i32_shl || ir->kinds[0] != GVM__KIND_SLOT ||
        ir->kinds[1] != GVM__KIND_IMMEDIATE ||
        (ir->sources[1] & 31) != shift)
        return false;
    index->slot = (uint32_t)ir->sources[0];
    gvm__ir_remove(&t->list, found);
    return true;
}

static void
fold_index(struct gvm__translation *t, struct address *address,
           unsigned shift)
{
    address->form = GVM__ADDRESS_INDEXED;
    address->count = 2;
    if (fold_scale(t, &address->operands[1], shift)) {
        address->form = GVM__ADDRESS_SCALED;
    } else if (fold_scale(t, &address->operands[0], shift)) {
        struct gvm__operand base = address->operands[1];

        address->operands[1] = address->operands[0];
        address->operands[0] = base;
        address->form = GVM__ADDRESS_SCALED;
    }
}

static void
fold_address(struct gvm__translation *t, struct address *address,
             unsigned shift)
{
    struct gvm__operand *base = &address->operands[0];
    struct gvm__ir sum;
    uint32_t found;

    address->form = GVM__ADDRESS_BASE;
    address->count = 1;
    if (!t->fusion)
        return;
    if (base->constant) {
        uint64_t at = base->value + address->offset;

        if (at > UINT32_MAX)
            return;
        address->form = GVM__ADDRESS_AT;
        address->count = 0;
        address->offset = (uint32_t)at;
        return;
    }
    if (!find_producer(t, base->slot, &found))
        return;
    sum = t->list.irs[found];
    if (sum.op != GVM__OP_i32_add || sum.kinds[0] != GVM__KIND_SLOT)
        return;
    if (sum.kinds[1] == GVM__KIND_IMMEDIATE) {
        if (address->offset != 0)
            return;
        gvm__ir_remove(&t->list, found);
        address->form = GVM__ADDRESS_WRAPPED;
        base->slot = (uint32_t)sum.sources[0];
        address->offset = (uint32_t)sum.sources[1];
        return;
    }
    gvm__ir_remove(&t->list, found);
    base->slot = (uint32_t)sum.sources[0];
    address->operands[1] = (struct gvm__operand){
        .slot = (uint32_t)sum.sources[1], .type = 'w'};
    address->heights[1] = address->heights[0];
    fold_index(t, address, shift);
}

/* How many bits the access's size shifts an index; by its scaled row. */
static unsigned
shift_of(enum gvm__op op)
{
    switch (op) {
    case GVM__OP_i32_load16_s:
    case GVM__OP_i32_load16_u:
    case GVM__OP_i64_load16_s:
    case GVM__OP_i64_load16_u:
    case GVM__OP_i32_store16:
    case GVM__OP_i64_store16:
        return 1;
    case GVM__OP_i32_load:
    case GVM__OP_f32_load:
    case GVM__OP_i64_load32_s:
    case GVM__OP_i64_load32_u:
    case GVM__OP_i32_store:
    case GVM__OP_f32_store:
    case GVM__OP_i64_store32:
        return 2;
    case GVM__OP_i64_load:
    case GVM__OP_f64_load:
    case GVM__OP_i64_store:
    case GVM__OP_f64_store:
        return 3;
    default:
        return 0;
    }
}

/*
 * Pops what is stored. Its slot may be that of an operand of the addition
 * that is folded later: a constant that needs it is copied there now, so
 * that the folding sees it.
 */
static struct gvm__operand
pop_value(struct gvm__translation *t, enum gvm__op op)
{
    struct gvm__operand value = gvm__operand_pop(t);

    if (value.constant && gvm__operand_constant_kind(op, 1, value.value) ==
                              GVM__KIND_NONE) {
        value.slot = gvm__operand_own_slot(t, t->operand_count);
        gvm__operand_copy(t, value.slot, &value);
        value.constant = false;
    }
    return value;
}

void
gvm__translate_access(struct gvm__translation *t, enum gvm__op op)
{
    bool stores = gvm__ops[op].destination_kinds == 0;
    struct gvm__operand operands[GVM__SOURCES_MAX];
    uint32_t heights[GVM__SOURCES_MAX];
    struct gvm__operand value = {0};
    struct address address;
    bool checked;

    gvm__translate_u32(t); /* the alignment is a hint */
    address.offset = gvm__translate_u32(t);
    checked =
        t->checked || address.offset >= GVM_GUARD_OFFSET_BYTES - 8;
    if (stores)
        value = pop_value(t, op);
    address.operands[0] = gvm__operand_pop(t);
    address.heights[0] = t->operand_count;
    fold_address(t, &address, shift_of(op));
    /* At a fixed place the whole reservation is in reach. */
    if (address.form == GVM__ADDRESS_AT)
        checked = t->checked;
    for (unsigned i = 0; i < address.count; i++) {
        operands[i] = address.operands[i];
        heights[i] = address.heights[i];
    }
    operands[address.count] = value;
    heights[address.count] = address.heights[0] + 1;
    op += 2 * address.form + checked;
    gvm__translate_with(t, op, operands, heights)->immediates[0] =
        address.offset;
}
