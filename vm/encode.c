/*
 * encode.c - from the list of operations to cells.
 *
 * Two passes: the first learns where each operation's cell will be, so that
 * the second knows every target's address.
 */
#include "vm/ir.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct plan {
    uint32_t *label_offsets; /* by label, in bytes of cells */
    uint32_t *label_costs;   /* of going back to the label's loop */
    uint32_t cells_bytes;
    uint32_t place_count;
};

/* Whether the cell names the slot of the result. */
static bool
names_slot(const struct gvm__ir *ir)
{
    const unsigned kinds = 1u << GVM__KIND_SLOT | 1u << GVM__KIND_BOTH |
                           1u << GVM__KIND_PINNED;

    return kinds >> ir->to_kind & 1;
}

static uint32_t
table_bytes(const struct gvm__ir *ir)
{
    if (gvm__ops[ir->op].flags & GVM__OP_TABLE)
        return 8 * (ir->immediates[0] + 1);
    return 0;
}

static void
make_plan(const struct gvm__ir_list *list, struct plan *plan)
{
    for (uint32_t i = 0; i < list->count; i++) {
        const struct gvm__ir *ir = &list->irs[i];
        if (ir->op == GVM__IR_LABEL) {
            plan->label_offsets[ir->label] = plan->cells_bytes;
            /* A loop's own operation follows its label. */
            plan->label_costs[ir->label] =
                i + 1 < list->count ? ir[1].immediates[0] : 0;
            continue;
        }
        plan->cells_bytes +=
            gvm__handler_layouts[ir->handler].size + table_bytes(ir);
        plan->place_count++;
    }
}

/* Each writes a number and returns the place behind it. */

static uint8_t *
put16(uint8_t *at, uint64_t value)
{
    uint16_t narrow = (uint16_t)value;

    assert(value <= UINT16_MAX);
    memcpy(at, &narrow, sizeof narrow);
    return at + sizeof narrow;
}

static uint8_t *
put32(uint8_t *at, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    memcpy(at, &narrow, sizeof narrow);
    return at + sizeof narrow;
}

static uint8_t *
put64(uint8_t *at, uint64_t value)
{
    memcpy(at, &value, sizeof value);
    return at + sizeof value;
}

static uint64_t
address_of(const struct plan *plan, const uint8_t *cells, uint32_t label)
{
    return (uint64_t)(uintptr_t)(cells + plan->label_offsets[label]);
}

/* The targets of a br_table, behind its cell. */
static void
write_table(const struct gvm__ir_list *list, const struct plan *plan,
            const struct gvm__ir *ir, const uint8_t *cells, uint8_t *at)
{
    for (uint32_t i = 0; i <= ir->immediates[0]; i++)
        at = put64(at,
                   address_of(plan, cells,
                              list->table[ir->table_first + i]));
}

/* Writes the cell; returns its size. */
static uint32_t
write_cell(const struct plan *plan, const struct gvm__ir *ir,
           const uint8_t *cells, uint8_t *cell)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];
    const struct gvm__layout *layout = &gvm__handler_layouts[ir->handler];
    uint8_t *slots = cell + 8;
    uint8_t *immediates = cell + layout->immediates;
    uint8_t *words = cell + layout->words;

    put64(cell, gvm__handler_word(ir->entry));
    /* What lies between the groups is zero. */
    for (unsigned at = 8; at < layout->size; at += 8)
        put64(cell + at, 0);
    for (unsigned i = 0; i < info->source_count; i++) {
        if (ir->kinds[i] == GVM__KIND_SLOT)
            slots = put16(slots, ir->sources[i]);
        else if (ir->kinds[i] == GVM__KIND_IMMEDIATE)
            immediates = put32(immediates, ir->sources[i]);
        else if (ir->kinds[i] == GVM__KIND_CONSTANT)
            words = put64(words, ir->sources[i]);
    }
    if (names_slot(ir))
        put16(slots, ir->to);
    for (unsigned i = 0; i < info->immediate_count; i++)
        immediates = put32(immediates, ir->immediates[i]);
    if (info->word_count > 0)
        words = put64(words, ir->word);
    if (info->target_kinds != 0 && ir->target != GVM__TARGET_FORWARD)
        put32(immediates, plan->label_costs[ir->label]);
    if (info->target_kinds != 0 && ir->target != GVM__TARGET_HEAD)
        words = put64(words, address_of(plan, cells, ir->label));
    assert(words == cell + layout->size);
    return layout->size;
}

static void
write_code(const struct gvm__ir_list *list, const struct plan *plan,
           struct gvm__code *code)
{
    uint8_t *cells = (uint8_t *)code->cells;
    struct gvm__place *place = gvm__code_places(code);
    uint32_t at = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        const struct gvm__ir *ir = &list->irs[i];

        if (ir->op == GVM__IR_LABEL)
            continue;
        place->cell_offset = at;
        place->insn_offset = ir->insn_offset;
        place++;
        at += write_cell(plan, ir, cells, cells + at);
        if (gvm__ops[ir->op].flags & GVM__OP_TABLE) {
            write_table(list, plan, ir, cells, cells + at);
            at += table_bytes(ir);
        }
    }
    assert(at == plan->cells_bytes);
}

enum gvm_status
gvm__encode(const struct gvm__ir_list *list, struct gvm__function *function,
            struct gvm__code **code)
{
    struct plan plan = {0};
    struct gvm__code *made = NULL;

    plan.label_offsets =
        malloc((list->label_count + 1) * sizeof *plan.label_offsets);
    plan.label_costs =
        malloc((list->label_count + 1) * sizeof *plan.label_costs);
    if (plan.label_offsets != NULL && plan.label_costs != NULL) {
        make_plan(list, &plan);
        made = gvm__code_allocate(function, plan.cells_bytes,
                                  plan.place_count);
    }
    if (made != NULL)
        write_code(list, &plan, made);
    free(plan.label_offsets);
    free(plan.label_costs);
    if (made == NULL)
        return GVM_NO_MEMORY;
    *code = made;
    return GVM_OK;
}
