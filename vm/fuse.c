/*
 * fuse.c - chooses the handler of every operation: its own, or one that does
 * the next operation too.
 *
 * A pair replaces the handler in the first cell and nothing else, so a jump
 * to the second still finds it whole. From the end to the beginning, each
 * operation learns what is cheapest from there on; then the way is walked
 * from the beginning. What is pinned is also in its slot, so an operation
 * may read either, where only one has a pair.
 */
#include "vm/ir.h"

#include <stdlib.h>

/* What a jump to a handler costs, and reading a slot for a register. */
#define COST_DISPATCH 8
#define COST_SLOT 2

/* An operation's two forms: as it is, and reading slots only. */
enum form {
    FORM_OWN,
    FORM_SLOTS,
    FORM_COUNT,
};

/* The cheapest way from an operation on. */
struct way {
    uint32_t cost;
    uint16_t handlers[FORM_COUNT];
    uint16_t pair; /* or GVM__NO_HANDLER: alone */
    uint8_t form;
    uint8_t next_form;
};

/* ORDER ORDER: generate_pairs.c. */
static const uint8_t kind_order[GVM__KIND_COUNT] = {
    [GVM__KIND_SLOT] = 0,      [GVM__KIND_PINNED] = 1,
    [GVM__KIND_ACCUMULATOR] = 2, [GVM__KIND_IMMEDIATE] = 3,
    [GVM__KIND_CONSTANT] = 4,
};

/* Puts operands that commute in the order that pairs have them in. */
static void
put_in_order(struct gvm__ir *ir)
{
    uint8_t kind = ir->kinds[0];
    uint64_t source = ir->sources[0];

    if ((gvm__ops[ir->op].flags & GVM__OP_COMMUTES) == 0 ||
        kind_order[ir->kinds[0]] <= kind_order[ir->kinds[1]])
        return;
    ir->kinds[0] = ir->kinds[1];
    ir->sources[0] = ir->sources[1];
    ir->kinds[1] = kind;
    ir->sources[1] = source;
}

/* Makes the operation read slots only. */
static void
use_slots(struct gvm__ir *ir)
{
    for (unsigned i = 0; i < gvm__ops[ir->op].source_count; i++)
        if (ir->kinds[i] == GVM__KIND_PINNED)
            ir->kinds[i] = GVM__KIND_SLOT;
    put_in_order(ir);
}

static bool
reads_pinned(const struct gvm__ir *ir)
{
    bool found = false;

    for (unsigned i = 0; i < GVM__SOURCES_MAX; i++)
        found |= ir->kinds[i] == GVM__KIND_PINNED;
    return found;
}

static void
find_forms(const struct gvm__ir *ir, struct way *way)
{
    way->handlers[FORM_OWN] = ir->handler;
    way->handlers[FORM_SLOTS] = ir->handler;
    if (reads_pinned(ir)) {
        struct gvm__ir slots = *ir;

        use_slots(&slots);
        way->handlers[FORM_SLOTS] = gvm__ir_find_handler(&slots);
    }
}

/* How many forms differ. */
static unsigned
count_forms(const struct way *way)
{
    return way->handlers[FORM_OWN] == way->handlers[FORM_SLOTS]
               ? 1
               : FORM_COUNT;
}

/* Tries the pair of two operations in all their forms. */
static void
try_pair(struct way *way, const struct way *next, uint32_t cost_behind)
{
    unsigned forms = count_forms(way), next_forms = count_forms(next);

    for (unsigned i = 0; i < forms * next_forms; i++) {
        unsigned form = i / next_forms, next_form = i % next_forms;
        uint32_t cost = cost_behind + COST_DISPATCH +
                        COST_SLOT * (form + next_form);
        uint16_t pair;

        if (cost >= way->cost)
            continue;
        pair = gvm__op_pair(way->handlers[form], next->handlers[next_form]);
        if (pair == GVM__NO_HANDLER)
            continue;
        way->cost = cost;
        way->pair = pair;
        way->form = (uint8_t)form;
        way->next_form = (uint8_t)next_form;
    }
}

static void
find_ways(const struct gvm__ir_list *list, struct way *ways)
{
    const struct way end = {0};
    const struct way *next = NULL;  /* of the operation behind, and of */
    const struct way *after = &end; /* the one behind that */

    for (uint32_t i = list->count; i-- > 0;) {
        const struct gvm__ir *ir = &list->irs[i];
        struct way *way = &ways[i];

        if (ir->op == GVM__IR_LABEL)
            continue;
        way->cost = (next ? next->cost : 0) + COST_DISPATCH;
        way->pair = GVM__NO_HANDLER;
        way->form = FORM_OWN;
        find_forms(ir, way);
        if (next && (gvm__ops[ir->op].flags & GVM__OP_CONTROL) == 0)
            try_pair(way, next, after->cost);
        after = next ? next : &end;
        next = way;
    }
}

static void
take_form(struct gvm__ir *ir, const struct way *way, unsigned form)
{
    if (form == FORM_SLOTS)
        use_slots(ir);
    ir->handler = way->handlers[form];
    ir->entry = ir->handler;
}

/* From the beginning, along the cheapest way. */
static void
walk(struct gvm__ir_list *list, const struct way *ways)
{
    struct gvm__ir *first = NULL; /* of a pair whose second comes next */
    const struct way *pair = NULL;

    for (uint32_t i = 0; i < list->count; i++) {
        struct gvm__ir *ir = &list->irs[i];

        if (ir->op == GVM__IR_LABEL)
            continue;
        if (first != NULL) {
            take_form(ir, &ways[i], pair->next_form);
            first->entry = pair->pair;
            first = NULL;
            continue;
        }
        take_form(ir, &ways[i], ways[i].form);
        if (ways[i].pair != GVM__NO_HANDLER) {
            first = ir;
            pair = &ways[i];
        }
    }
}

void
gvm__fuse(struct gvm__ir_list *list, bool fusion)
{
    struct way *ways = NULL;

    for (uint32_t i = 0; i < list->count; i++) {
        struct gvm__ir *ir = &list->irs[i];

        if (ir->op == GVM__IR_LABEL)
            continue;
        put_in_order(ir);
        ir->handler = gvm__ir_find_handler(ir);
        ir->entry = ir->handler;
    }
    if (fusion)
        ways = malloc((list->count + 1) * sizeof *ways);
    /* Without memory every operation goes by itself. */
    if (ways == NULL)
        return;
    find_ways(list, ways);
    walk(list, ways);
    free(ways);
}
