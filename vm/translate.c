/*
 * translate.c - blocks, calls, and the pass over a function's body.
 */
#include "vm/translate.h"

#include <stdlib.h>

#include "vm/call.h"

/* ---- Blocks -------------------------------------------------------------- */

/* Parameters and results of a block type (specification 5.3.6). */
static void
read_block_type(struct gvm__translation *t, uint32_t *parameter_count,
                uint32_t *result_count)
{
    int64_t code = (int64_t)gvm__translate_s64(t);

    *parameter_count = 0;
    *result_count = code != -64;
    if (code >= 0) {
        const struct gvm_func_type *type = &t->module->types[code].func;

        *parameter_count = type->parameter_count;
        *result_count = type->result_count;
    }
}

static struct gvm__control *
push_control(struct gvm__translation *t, enum gvm__control_kind kind,
             uint32_t parameter_count, uint32_t result_count)
{
    struct gvm__control *control;

    if (t->control_count == t->control_capacity) {
        uint32_t capacity = t->control_capacity * 2 + 16;

        control = realloc(t->controls, capacity * sizeof *control);
        if (control == NULL) {
            t->list.failed = true;
            return NULL;
        }
        t->controls = control;
        t->control_capacity = capacity;
    }
    control = &t->controls[t->control_count++];
    *control = (struct gvm__control){
        .kind = kind,
        .label = gvm__ir_new_label(&t->list),
        .else_label = GVM__NO_LABEL,
        .height = t->operand_count - parameter_count,
        .parameter_count = parameter_count,
        .result_count = result_count,
    };
    return control;
}

static void
translate_block(struct gvm__translation *t)
{
    uint32_t parameter_count, result_count;

    read_block_type(t, &parameter_count, &result_count);
    gvm__operand_settle_all(t);
    push_control(t, GVM__CONTROL_BLOCK, parameter_count, result_count);
}

/* The head charges for the whole loop; the cost is known at its end. */
static void
translate_loop(struct gvm__translation *t)
{
    uint32_t parameter_count, result_count;
    struct gvm__control *control;

    read_block_type(t, &parameter_count, &result_count);
    gvm__operand_settle_all(t);
    control = push_control(t, GVM__CONTROL_LOOP, parameter_count,
                           result_count);
    if (control == NULL)
        return;
    gvm__ir_place_label(&t->list, control->label);
    control->loop_index = t->list.count;
    control->outer_cost = t->cost;
    t->cost = 0;
    if (!t->module->fuel_off)
        gvm__ir_append(&t->list, GVM__OP_loop);
}

static void
translate_if(struct gvm__translation *t)
{
    uint32_t parameter_count, result_count;
    uint32_t else_label = gvm__ir_new_label(&t->list);
    struct gvm__control *control;

    read_block_type(t, &parameter_count, &result_count);
    gvm__translate_br_unless(t, else_label);
    control = push_control(t, GVM__CONTROL_IF, parameter_count,
                           result_count);
    if (control != NULL)
        control->else_label = else_label;
}

static void
reset_operands(struct gvm__translation *t, uint32_t height, uint32_t count)
{
    gvm__operand_drop_to(t, height);
    for (uint32_t i = 0; i < count; i++)
        gvm__operand_push_own(t);
    t->dead = false;
}

static void
translate_else(struct gvm__translation *t)
{
    struct gvm__control *control = &t->controls[t->control_count - 1];

    if (!t->dead) {
        gvm__operand_settle_top(t, control->result_count);
        gvm__ir_append(&t->list, GVM__OP_br)->label = control->label;
        control->label_used = true;
    }
    gvm__ir_place_label(&t->list, control->else_label);
    control->else_label = GVM__NO_LABEL;
    reset_operands(t, control->height, control->parameter_count);
}

static void
end_loop(struct gvm__translation *t, const struct gvm__control *control)
{
    if (!t->module->fuel_off && !t->list.failed)
        t->list.irs[control->loop_index].immediates[0] = t->cost;
    t->cost = control->outer_cost;
    if (t->dead)
        gvm__operand_drop_to(t, control->height);
}

static void
translate_end(struct gvm__translation *t)
{
    struct gvm__control *control = &t->controls[--t->control_count];
    bool joins =
        control->label_used || control->else_label != GVM__NO_LABEL;

    if (control->kind == GVM__CONTROL_LOOP) {
        end_loop(t, control);
        return;
    }
    if (joins) {
        if (!t->dead)
            gvm__operand_settle_top(t, control->result_count);
        if (control->else_label != GVM__NO_LABEL)
            gvm__ir_place_label(&t->list, control->else_label);
        gvm__ir_place_label(&t->list, control->label);
        reset_operands(t, control->height, control->result_count);
    } else if (t->dead) {
        gvm__operand_drop_to(t, control->height);
    }
    if (t->control_count == 0 && !t->dead)
        gvm__translate_return(t);
}

/* ---- Calls --------------------------------------------------------------- */

/*
 * Settles and pops the arguments, and pushes the results in their place.
 * The callee's frame begins at the first argument's slot.
 */
static struct gvm__ir *
append_call(struct gvm__translation *t, enum gvm__op op,
            const struct gvm_func_type *type)
{
    uint32_t first = t->operand_count - type->parameter_count;
    uint32_t frame = gvm__operand_own_slot(t, first);
    uint32_t linked = type->parameter_count + GVM__LINK_SLOTS;
    struct gvm__ir *ir;

    gvm__operand_settle_top(t, type->parameter_count);
    gvm__operand_drop_to(t, first);
    gvm__operand_reach(t, frame + (linked > type->result_count
                                       ? linked
                                       : type->result_count));
    ir = gvm__ir_append(&t->list, op);
    ir->immediates[0] = frame;
    ir->immediates[1] = type->parameter_count;
    for (uint32_t i = 0; i < type->result_count; i++)
        gvm__operand_push_own(t);
    return ir;
}

static void
translate_call(struct gvm__translation *t)
{
    uint32_t index = gvm__translate_u32(t);
    uint32_t imported = t->module->imported_function_count;
    const struct gvm_func_type *type =
        &gvm__module_function_type(t->module, index)->func;

    if (index < imported)
        append_call(t, GVM__OP_call_import, type)->immediates[2] = index;
    else
        append_call(t, GVM__OP_call, type)->word =
            (uint64_t)(uintptr_t)&t->module->functions[index - imported];
}

static void
translate_call_indirect(struct gvm__translation *t)
{
    const struct gvm__type *type =
        &t->module->types[gvm__translate_u32(t)];
    uint32_t table = gvm__translate_u32(t);
    struct gvm__operand index = gvm__operand_pop(t);
    struct gvm__ir *ir;

    if (index.constant) {
        uint32_t own = gvm__operand_own_slot(t, t->operand_count);

        gvm__operand_copy(t, own, &index);
        index.slot = own;
    }
    ir = append_call(t, GVM__OP_call_indirect, &type->func);
    ir->kinds[0] = GVM__KIND_SLOT;
    ir->sources[0] = index.slot;
    ir->immediates[2] = type->id;
    ir->immediates[3] = table;
}

/* ---- The pass ------------------------------------------------------------ */

static void
translate_insn(struct gvm__translation *t, uint32_t insn)
{
    switch (insn) {
    case GVM__INSN_UNREACHABLE:
        gvm__ir_append(&t->list, GVM__OP_unreachable);
        t->dead = true;
        break;
    case GVM__INSN_BLOCK:
        translate_block(t);
        break;
    case GVM__INSN_LOOP:
        translate_loop(t);
        break;
    case GVM__INSN_IF:
        translate_if(t);
        break;
    case GVM__INSN_ELSE:
        translate_else(t);
        break;
    case GVM__INSN_END:
        translate_end(t);
        break;
    case GVM__INSN_BR:
        gvm__translate_br(t, gvm__translate_u32(t));
        break;
    case GVM__INSN_BR_IF:
        gvm__translate_br_if(t, gvm__translate_u32(t));
        break;
    case GVM__INSN_BR_TABLE:
        gvm__translate_br_table(t);
        break;
    case GVM__INSN_RETURN:
        gvm__translate_return(t);
        break;
    case GVM__INSN_CALL:
        translate_call(t);
        break;
    case GVM__INSN_CALL_INDIRECT:
        translate_call_indirect(t);
        break;
    default:
        gvm__translate_plain(t, insn);
        break;
    }
}

/*
 * Code behind a branch is never reached: only its blocks matter. What is in
 * its loops is left out of the cost of what is around them, as it would be
 * if they were reached: fuel must not depend on how much is found dead.
 */
static void
step_over(struct gvm__translation *t, uint32_t insn)
{
    bool own = t->dead_depth == 0;
    bool in_loop = t->dead_loop_depth != 0;

    if (insn == GVM__INSN_ELSE && own) {
        translate_else(t);
        return;
    }
    if (insn == GVM__INSN_END && own) {
        translate_end(t);
        return;
    }
    if (insn == GVM__INSN_BLOCK || insn == GVM__INSN_LOOP ||
        insn == GVM__INSN_IF) {
        t->dead_depth++;
        if (insn == GVM__INSN_LOOP && !in_loop)
            t->dead_loop_depth = t->dead_depth;
    } else if (insn == GVM__INSN_END) {
        if (t->dead_loop_depth == t->dead_depth)
            t->dead_loop_depth = 0;
        t->dead_depth--;
    }
    if (in_loop)
        t->cost--;
    gvm__translate_skip(t, insn);
}

/* Steps over the declarations of locals; returns how many there are. */
static uint32_t
read_locals(struct gvm__translation *t)
{
    uint32_t groups = gvm__translate_u32(t);
    uint32_t count = 0;

    for (uint32_t i = 0; i < groups; i++) {
        count += gvm__translate_u32(t);
        gvm__translate_s64(t); /* the type; all take one slot */
    }
    return count;
}

static void
translate_body(struct gvm__translation *t, uint32_t local_count)
{
    uint32_t parameter_count = t->type->parameter_count;
    struct gvm__ir *enter;

    gvm__ir_append(&t->list, GVM__OP_enter);
    push_control(t, GVM__CONTROL_BLOCK, 0, t->type->result_count);
    while (t->control_count > 0 && !t->list.failed) {
        uint32_t insn;

        t->list.insn_offset = (uint32_t)(t->at - t->body);
        insn = gvm__translate_opcode(t);
        t->cost++;
        if (t->dead)
            step_over(t, insn);
        else
            translate_insn(t, insn);
    }
    if (t->list.failed)
        return;
    gvm__operand_reach(t, t->type->result_count);
    enter = &t->list.irs[0];
    enter->immediates[0] = t->slot_max;
    enter->immediates[1] =
        t->module->fuel_off
            ? 0
            : t->cost + local_count / GVM__LOCALS_PER_FUEL;
    enter->immediates[2] = parameter_count + GVM__LINK_SLOTS;
    enter->immediates[3] = local_count;
}

enum gvm_status
gvm__translate(struct gvm__function *function, struct gvm__code **code)
{
    struct gvm_module *module = function->module;
    struct gvm__translation t = {
        .function = function,
        .module = module,
        .type = &module->types[function->type].func,
        .body = module->bytes + function->body_offset,
        .checked =
            gvm__engine_bounds(module->engine) == GVM_BOUNDS_EXPLICIT,
    };
    enum gvm_status status = GVM_NO_MEMORY;
    uint32_t local_count;

    t.at = t.body;
    local_count = read_locals(&t);
    t.base = t.type->parameter_count + GVM__LINK_SLOTS + local_count;
    t.slot_max = t.base;
    t.pending = calloc(t.base, sizeof *t.pending);
    if (t.pending == NULL)
        return GVM_NO_MEMORY;
    translate_body(&t, local_count);
    if (!t.list.failed)
        status = gvm__encode(&t.list, function, code);
    gvm__ir_free(&t.list);
    free(t.pending);
    free(t.operands);
    free(t.controls);
    return status;
}
