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

static unsigned
count_kind(const struct gvm__ir *ir, unsigned kind)
{
    unsigned count = 0;

    for (unsigned i = 0; i < gvm__ops[ir->op].source_count; i++)
        count += ir->kinds[i] == kind;
    return count;
}

/* Whether the cell names the slot of the result. */
static bool
names_slot(const struct gvm__ir *ir)
{
    return ir->to_kind == GVM__KIND_SLOT ||
           ir->to_kind == GVM__KIND_BOTH || ir->to_kind == GVM__KIND_PINNED;
}

/* The packing rule of ops.h. */
struct layout {
    unsigned immediates;
    unsigned words;
    unsigned size;
};

static struct layout
lay_out(const struct gvm__ir *ir)
{
    const struct gvm__op_info *info = &gvm__ops[ir->op];
    unsigned slots = count_kind(ir, GVM__KIND_SLOT) + names_slot(ir);
    bool back =
        info->target_kinds != 0 && ir->target != GVM__TARGET_FORWARD;
    bool addressed =
        info->target_kinds != 0 && ir->target != GVM__TARGET_HEAD;
    struct layout layout;

    layout.immediates = (8 + 2 * slots + 3) & ~3u;
    layout.words =
        layout.immediates + 4 * (count_kind(ir, GVM__KIND_IMMEDIATE) +
                                 info->immediate_count + back);
    layout.words = (layout.words + 7) & ~7u;
    layout.size = layout.words + 8 * (count_kind(ir, GVM__KIND_CONSTANT) +
                                      info->word_count + addressed);
    return layout;
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
        plan->cells_bytes += lay_out(ir).size + table_bytes(ir);
        plan->place_count++;
    }
}

static void
put16(uint8_t *cell, unsigned *at, uint64_t value)
{
    uint16_t narrow = (uint16_t)value;

    assert(value <= UINT16_MAX);
    memcpy(cell + *at, &narrow, sizeof narrow);
    *at += 2;
}

static void
put32(uint8_t *cell, unsigned *at, uint64_t value)
{
    uint32_t narrow = (uint32_t)value;

    memcpy(cell + *at, &narrow, sizeof narrow);
    *at += 4;
}

static void
put64(uint8_t *cell, unsigned *at, uint64_t value)
{
    memcpy(cell + *at, &value, sizeof value);
    *at += 8;
}

static uint64_t
target_of(const struct plan *plan, const uint8_t *cells, uint32_t label)
{
    return (uint64_t)(uintptr_t)(cells + plan->label_offsets[label]);
}

/* Writes the cell; returns its size with the table behind it. */
static uint32_t
write_cell(const struct gvm__ir_list *list, const struct plan *plan,
           uint32_t index, const uint8_t *cells, uint8_t *cell)
{
    const struct gvm__ir *ir = &list->irs[index];
    const struct gvm__op_info *info = &gvm__ops[ir->op];
    struct layout layout = lay_out(ir);
    unsigned slots = 8;
    unsigned immediates = layout.immediates;
    unsigned words = layout.words;
    unsigned start = 0;

    memset(cell, 0, layout.size);
    put64(cell, &start, gvm__handler_word(ir->handler));
    for (unsigned i = 0; i < info->source_count; i++) {
        if (ir->kinds[i] == GVM__KIND_SLOT)
            put16(cell, &slots, ir->sources[i]);
        else if (ir->kinds[i] == GVM__KIND_IMMEDIATE)
            put32(cell, &immediates, ir->sources[i]);
        else if (ir->kinds[i] == GVM__KIND_CONSTANT)
            put64(cell, &words, ir->sources[i]);
    }
    if (names_slot(ir))
        put16(cell, &slots, gvm__ir_written(ir));
    for (unsigned i = 0; i < info->immediate_count; i++)
        put32(cell, &immediates, ir->immediates[i]);
    if (info->word_count > 0)
        put64(cell, &words, ir->word);
    if (info->target_kinds != 0 && ir->target != GVM__TARGET_FORWARD)
        put32(cell, &immediates, plan->label_costs[ir->label]);
    if (info->target_kinds != 0 && ir->target != GVM__TARGET_HEAD)
        put64(cell, &words, target_of(plan, cells, ir->label));
    assert(words == layout.size || words == layout.words);
    if (info->flags & GVM__OP_TABLE)
        for (uint32_t i = 0; i <= ir->immediates[0]; i++)
            put64(cell, &layout.size,
                  target_of(plan, cells,
                            list->table[ir->table_first + i]));
    return layout.size;
}

static void
write_code(const struct gvm__ir_list *list, const struct plan *plan,
           struct gvm__code *code)
{
    uint8_t *cells = (uint8_t *)code->cells;
    struct gvm__place *place = gvm__code_places(code);
    uint32_t at = 0;

    for (uint32_t i = 0; i < list->count; i++) {
        if (list->irs[i].op == GVM__IR_LABEL)
            continue;
        place->cell_offset = at;
        place->insn_offset = list->irs[i].insn_offset;
        place++;
        at += write_cell(list, plan, i, cells, cells + at);
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
