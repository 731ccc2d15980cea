/*
 * translate_branch.c - branches and returns.
 *
 * A branch takes the topmost operands along to the own slots of the label's
 * height. They move down or not at all, so that copying upwards is always
 * right. A conditional branch that has to move something branches around the
 * moves instead.
 */
#include "vm/compare.h"
#include "vm/translate.h"

static struct gvm__control *
control_at(struct gvm__translation *t, uint32_t depth)
{
    return &t->controls[t->control_count - 1 - depth];
}

/* How many operands a branch to the block takes along. */
static uint32_t
arity(const struct gvm__control *control)
{
    return control->kind == GVM__CONTROL_LOOP
               ? control->type.parameter_count
               : control->type.result_count;
}

static bool
in_place(const struct gvm__translation *t,
         const struct gvm__control *control)
{
    uint32_t count = arity(control);

    return count == 0 || t->operand_count - count == control->height;
}

/* How a branch gets to the block's label. */
static enum gvm__target
target_of(const struct gvm__control *control)
{
    return control->kind == GVM__CONTROL_LOOP ? GVM__TARGET_LOOP
                                              : GVM__TARGET_FORWARD;
}

static void
append_jump(struct gvm__translation *t, struct gvm__control *control)
{
    struct gvm__ir *ir = gvm__ir_append(&t->list, GVM__OP_br);

    ir->label = control->label;
    ir->target = (uint8_t)target_of(control);
    control->label_used = true;
}

/* Moves what a branch takes along, which is settled if it is many. */
static void
append_moves(struct gvm__translation *t, const struct gvm__control *control)
{
    uint32_t count = arity(control);
    uint32_t to = gvm__operand_own_slot(t, control->height);
    uint32_t from = t->operand_count - count;
    struct gvm__ir *ir;

    if (in_place(t, control))
        return;
    if (count == 1) {
        gvm__operand_copy(t, to, &t->operands[from]);
        return;
    }
    ir = gvm__ir_append(&t->list, GVM__OP_move_many);
    ir->immediates[0] = gvm__operand_own_slot(t, from);
    ir->immediates[1] = to;
    ir->immediates[2] = count;
}

static bool
is_zero_test(const struct gvm__ir *ir)
{
    return ir->op == GVM__OP_i32_eq &&
           ir->kinds[1] == GVM__KIND_IMMEDIATE && ir->sources[1] == 0;
}

/*
 * Makes one operation of the last two, when they add a constant to a local
 * and go back to a loop after comparing it.
 */
static void
merge_tail(struct gvm__translation *t)
{
    struct gvm__ir_list *list = &t->list;
    struct gvm__ir *branch = &list->irs[list->count - 1];
    struct gvm__ir *add = branch - 1;
    bool swap;
    enum gvm__op tail;

    if (!t->fusion || list->failed || list->count < list->barrier + 2 ||
        (add->op != GVM__OP_i32_add && add->op != GVM__OP_i64_add) ||
        add->kinds[1] != GVM__KIND_IMMEDIATE || add->sources[0] != add->to)
        return;
    swap = branch->kinds[1] == GVM__KIND_SLOT &&
           branch->sources[1] == add->to;
    if (branch->sources[!swap] == add->to &&
        branch->kinds[!swap] == GVM__KIND_SLOT)
        return;
    if (branch->sources[swap] != add->to)
        return;
    tail = gvm__compare_tail((enum gvm__op)branch->op, swap);
    if (tail == GVM__OP_COUNT ||
        gvm__ops[tail].source_types[0] != gvm__ops[add->op].source_types[0])
        return;
    add->op = (uint16_t)tail;
    add->immediates[0] = (uint32_t)add->sources[1];
    add->kinds[1] = branch->kinds[!swap];
    add->sources[1] = branch->sources[!swap];
    add->to_kind = GVM__KIND_NONE;
    add->label = branch->label;
    add->target = branch->target;
    list->count--;
}

/*
 * Appends a branch to `label` that is taken when the condition, popped
 * before, is not zero; negated: when it is. The comparison that computed it
 * becomes the branch.
 */
static void
append_branch(struct gvm__translation *t, struct gvm__operand condition,
              bool negated, uint32_t label, enum gvm__target target)
{
    struct gvm__ir *producer = NULL;
    struct gvm__ir *ir;

    if (condition.constant) {
        if (((uint32_t)condition.value != 0) != negated) {
            ir = gvm__ir_append(&t->list, GVM__OP_br);
            ir->label = label;
            ir->target = (uint8_t)target;
        }
        return;
    }
    while (t->fusion &&
           (producer = gvm__operand_producer(t, &condition,
                                             t->operand_count)) != NULL &&
           is_zero_test(producer)) {
        negated = !negated;
        condition.slot = (uint32_t)producer->sources[0];
        t->list.count--;
    }
    if (producer != NULL && gvm__ops[producer->op].flags & GVM__OP_COMPARES) {
        producer->op = (uint16_t)gvm__compare_branch(
            (enum gvm__op)producer->op, negated);
        producer->to_kind = GVM__KIND_NONE;
        producer->label = label;
        producer->target = (uint8_t)target;
        if (target == GVM__TARGET_LOOP)
            merge_tail(t);
        return;
    }
    ir = gvm__ir_append(&t->list,
                        negated ? GVM__OP_br_i32_eq : GVM__OP_br_i32_ne);
    ir->kinds[0] = GVM__KIND_SLOT;
    ir->sources[0] = condition.slot;
    ir->kinds[1] = GVM__KIND_IMMEDIATE;
    ir->label = label;
    ir->target = (uint8_t)target;
    if (target == GVM__TARGET_LOOP)
        merge_tail(t);
}

void
gvm__translate_br(struct gvm__translation *t, uint32_t depth)
{
    struct gvm__control *control = control_at(t, depth);
    uint32_t count = arity(control);

    if (depth == t->control_count - 1) {
        gvm__translate_return(t);
        return;
    }
    if (count > 1 || in_place(t, control))
        gvm__operand_settle_top(t, count);
    append_moves(t, control);
    append_jump(t, control);
    t->dead = true;
}

/* Settles `count` operands below a condition that was popped, without
 * coming between it and the branch that it will become. */
static void
settle_below(struct gvm__translation *t,
             const struct gvm__operand *condition, uint32_t count)
{
    struct gvm__ir *producer =
        gvm__operand_producer(t, condition, t->operand_count);
    struct gvm__ir last;

    if (count == 0)
        return;
    if (producer == NULL) {
        gvm__operand_settle_top(t, count);
        return;
    }
    last = *producer;
    t->list.count--;
    gvm__operand_settle_top(t, count);
    *gvm__ir_append(&t->list, (enum gvm__op)last.op) = last;
}

void
gvm__translate_br_unless(struct gvm__translation *t, uint32_t label)
{
    struct gvm__operand condition = gvm__operand_pop(t);

    settle_below(t, &condition, t->operand_count);
    append_branch(t, condition, true, label, GVM__TARGET_FORWARD);
}

void
gvm__translate_br_if(struct gvm__translation *t, uint32_t depth)
{
    struct gvm__control *control = control_at(t, depth);
    struct gvm__operand condition = gvm__operand_pop(t);
    uint32_t around;

    settle_below(t, &condition, arity(control));
    if (in_place(t, control)) {
        append_branch(t, condition, false, control->label,
                      target_of(control));
        control->label_used = true;
        return;
    }
    around = gvm__ir_new_label(&t->list);
    append_branch(t, condition, true, around, GVM__TARGET_FORWARD);
    append_moves(t, control);
    append_jump(t, control);
    gvm__ir_place_label(&t->list, around);
}

/* The label that entry `depth` of the current br_table goes to. */
static uint32_t
table_label(struct gvm__translation *t, uint32_t depth)
{
    struct gvm__control *control = control_at(t, depth);

    control->label_used = true;
    if (in_place(t, control))
        return control->label;
    if (control->stub_table != t->br_table_count) {
        control->stub_table = t->br_table_count;
        control->stub_label = gvm__ir_new_label(&t->list);
    }
    return control->stub_label;
}

/* Behind the table, once for each block: the moves, then the jump. */
static void
append_stubs(struct gvm__translation *t, const uint8_t *entries,
             uint32_t count)
{
    const uint8_t *after = t->at;

    t->at = entries;
    for (uint32_t i = 0; i <= count; i++) {
        struct gvm__control *control =
            control_at(t, gvm__translate_u32(t));

        if (in_place(t, control) ||
            control->stub_table != t->br_table_count)
            continue;
        control->stub_table = 0;
        gvm__ir_place_label(&t->list, control->stub_label);
        append_moves(t, control);
        append_jump(t, control);
    }
    t->at = after;
}

void
gvm__translate_br_table(struct gvm__translation *t)
{
    uint32_t count = gvm__translate_u32(t);
    const uint8_t *entries = t->at;
    struct gvm__operand index = gvm__operand_pop(t);
    uint32_t own = gvm__operand_own_slot(t, t->operand_count);
    uint32_t first = t->list.table_count;
    struct gvm__ir *ir;
    uint32_t depth = 0;

    if (index.constant) {
        gvm__operand_copy(t, own, &index);
        index.slot = own;
    }
    t->br_table_count++;
    for (uint32_t i = 0; i <= count; i++) {
        depth = gvm__translate_u32(t);
        if (i == 0)
            gvm__operand_settle_top(t, arity(control_at(t, depth)));
        gvm__ir_append_table(&t->list, table_label(t, depth));
    }
    ir = gvm__ir_append(&t->list, GVM__OP_br_table);
    ir->kinds[0] = GVM__KIND_SLOT;
    ir->sources[0] = index.slot;
    ir->immediates[0] = count;
    ir->table_first = first;
    append_stubs(t, entries, count);
    t->dead = true;
}

/* Parameters up to which ORDER RETURN of ops.inc has rows. */
#define RETURN_PARAMETERS_MAX 4

/* Says where the links are: behind the parameters, in the operation itself
 * where there is one for so many. */
static void
finish_return(struct gvm__ir *ir, uint32_t parameter_count)
{
    ir->immediates[0] = parameter_count;
    if (parameter_count > RETURN_PARAMETERS_MAX)
        return;
    if (ir->op == GVM__OP_return_0)
        ir->op = GVM__OP_return_0_behind_0;
    else if (ir->op == GVM__OP_return_1)
        ir->op = GVM__OP_return_1_behind_0;
    else
        return;
    ir->op = (uint16_t)(ir->op + 2 * parameter_count);
}

void
gvm__translate_return(struct gvm__translation *t)
{
    uint32_t count = t->type->result_count;
    struct gvm__operand *value =
        count > 0 ? &t->operands[t->operand_count - 1] : NULL;
    struct gvm__ir *ir;

    if (count == 0) {
        ir = gvm__ir_append(&t->list, GVM__OP_return_0);
    } else if (count > 1) {
        gvm__operand_settle_top(t, count);
        ir = gvm__ir_append(&t->list, GVM__OP_return_many);
        ir->immediates[1] = count;
        ir->immediates[2] =
            gvm__operand_own_slot(t, t->operand_count - count);
    } else if (value->type == 'd') {
        ir = gvm__ir_append(&t->list, GVM__OP_return_f64);
        ir->kinds[0] =
            value->constant ? GVM__KIND_CONSTANT : GVM__KIND_SLOT;
        ir->sources[0] = value->constant ? value->value : value->slot;
    } else if (value->constant &&
               value->value != (uint64_t)(int32_t)value->value) {
        ir = gvm__ir_append(&t->list, GVM__OP_return_wide);
        ir->word = value->value;
    } else {
        ir = gvm__ir_append(&t->list, GVM__OP_return_1);
        ir->kinds[0] =
            value->constant ? GVM__KIND_IMMEDIATE : GVM__KIND_SLOT;
        ir->sources[0] = value->constant ? value->value : value->slot;
    }
    finish_return(ir, t->type->parameter_count);
    t->dead = true;
}
