/*
 * translate.c - blocks, calls, and the pass over a function's body.
 */
#include "vm/translate.h"

#include <stdlib.h>

#include "vm/call.h"

/* ---- Blocks -------------------------------------------------------------- */

/* Parameters and results of a block type (specification 5.3.6). The code of
 * a single result is its type, and stays where it is in the module. */
static struct gvm_func_type
read_block_type(struct gvm__translation *t)
{
    const uint8_t *at = t->at;
    int64_t code = (int64_t)gvm__translate_s64(t);
    struct gvm_func_type type = {0};

    if (code >= 0)
        return t->module->types[code].func;
    type.result_count = code != -64;
    type.results = at;
    return type;
}

static struct gvm__control *
push_control(struct gvm__translation *t, enum gvm__control_kind kind,
             struct gvm_func_type type)
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
        .height = t->operand_count - type.parameter_count,
        .type = type,
        .loops_before = t->loop_count,
        .calls_before = t->call_count,
        .set_before = t->set_count,
    };
    return control;
}

static void
translate_block(struct gvm__translation *t)
{
    struct gvm_func_type type = read_block_type(t);

    gvm__operand_settle_all(t);
    push_control(t, GVM__CONTROL_BLOCK, type);
}

/* The head charges for the whole loop; the cost is known at its end. */
static void
translate_loop(struct gvm__translation *t)
{
    struct gvm_func_type type = read_block_type(t);
    struct gvm__control *control;

    gvm__operand_settle_all(t);
    t->loop_count++;
    control = push_control(t, GVM__CONTROL_LOOP, type);
    if (control == NULL)
        return;
    gvm__ir_place_label(&t->list, control->label);
    control->loop_index = t->list.count;
    control->outer_cost = t->cost;
    t->cost = 0;
    if (t->list.depth < UINT8_MAX)
        t->list.depth++;
    gvm__ir_append(&t->list, GVM__OP_loop);
    t->list.barrier = t->list.count;
}

static void
translate_if(struct gvm__translation *t)
{
    uint32_t else_label = gvm__ir_new_label(&t->list);
    struct gvm_func_type type = read_block_type(t);
    struct gvm__control *control;

    gvm__translate_br_unless(t, else_label);
    control = push_control(t, GVM__CONTROL_IF, type);
    if (control != NULL)
        control->else_label = else_label;
}

static void
reset_operands(struct gvm__translation *t, uint32_t height,
               const uint8_t *types, uint32_t count)
{
    gvm__operand_drop_to(t, height);
    if (!gvm__operand_reserve(t, count))
        return;
    for (uint32_t i = 0; i < count; i++)
        gvm__operand_push_own(t, gvm__operand_type(types[i]));
    t->dead = false;
}

static void
translate_else(struct gvm__translation *t)
{
    struct gvm__control *control = &t->controls[t->control_count - 1];

    if (!t->dead) {
        gvm__operand_settle_top(t, control->type.result_count);
        gvm__ir_append(&t->list, GVM__OP_br)->label = control->label;
        control->label_used = true;
    }
    gvm__ir_place_label(&t->list, control->else_label);
    control->else_label = GVM__NO_LABEL;
    gvm__operand_forget_set(t, control->set_before);
    reset_operands(t, control->height, control->type.parameters,
                   control->type.parameter_count);
}

/*
 * A loop without calls or loops inside keeps its head in the register, and
 * what goes back to it finds it there.
 */
static void
use_head(struct gvm__translation *t, const struct gvm__control *control)
{
    struct gvm__ir_list *list = &t->list;

    if (!t->registers || t->loop_count != control->loops_before ||
        t->call_count != control->calls_before)
        return;
    for (uint32_t i = control->loop_index; i < list->count; i++) {
        struct gvm__ir *ir = &list->irs[i];

        if (ir->op == GVM__IR_LABEL || ir->label != control->label ||
            !gvm__ir_goes(ir, GVM__TARGET_HEAD))
            continue;
        ir->target = GVM__TARGET_HEAD;
        list->irs[control->loop_index].op = GVM__OP_loop_head;
    }
}

static void
end_loop(struct gvm__translation *t, const struct gvm__control *control)
{
    if (!t->list.failed) {
        t->list.irs[control->loop_index].immediates[0] =
            t->module->fuel_off ? 0 : t->cost;
        use_head(t, control);
    }
    if (t->list.depth > 0)
        t->list.depth--;
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
            gvm__operand_settle_top(t, control->type.result_count);
        if (control->else_label != GVM__NO_LABEL)
            gvm__ir_place_label(&t->list, control->else_label);
        gvm__ir_place_label(&t->list, control->label);
        gvm__operand_forget_set(t, control->set_before);
        reset_operands(t, control->height, control->type.results,
                       control->type.result_count);
    } else if (t->dead) {
        gvm__operand_drop_to(t, control->height);
    }
    if (t->control_count == 0 && !t->dead && !t->list.failed)
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
    for (uint32_t i = 0;
         i < type->result_count && gvm__operand_reserve(t, 1); i++)
        gvm__operand_push_own(t, gvm__operand_type(type->results[i]));
    t->call_count++;
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
count_locals(struct gvm__translation *t)
{
    uint32_t groups = gvm__translate_u32(t);
    uint32_t count = 0;

    for (uint32_t i = 0; i < groups; i++) {
        count += gvm__translate_u32(t);
        gvm__translate_s64(t);
    }
    return count;
}

/* Notes the types of parameters and locals, and that parameters are set. */
static void
read_locals(struct gvm__translation *t)
{
    uint32_t slot = t->type->parameter_count;
    uint32_t groups = gvm__translate_u32(t);

    for (uint32_t i = 0; i < slot; i++) {
        t->local_types[i] =
            (uint8_t)gvm__operand_type(t->type->parameters[i]);
        t->set[i] = 1;
    }
    slot += GVM__LINK_SLOTS;
    for (uint32_t i = 0; i < groups; i++) {
        uint32_t count = gvm__translate_u32(t);
        uint8_t type = (uint8_t)gvm__operand_type(*t->at);

        gvm__translate_s64(t);
        while (count-- > 0)
            t->local_types[slot++] = type;
    }
}

/* Makes the second operation zero the locals that need it, or removes it. */
static void
finish_zero(struct gvm__translation *t)
{
    uint32_t first = t->base, last = 0;

    for (uint32_t i = 0; i < t->base; i++) {
        if (!t->zeroed[i])
            continue;
        if (i < first)
            first = i;
        last = i;
    }
    if (first == t->base) {
        gvm__ir_remove(&t->list, 1);
        return;
    }
    t->list.irs[1].immediates[0] = first;
    t->list.irs[1].immediates[1] = last - first + 1;
}

/* No more than this, as a rule: it saves growing the list. */
#define BYTES_PER_IR 3
/* What an instruction pushes at most, calls and blocks aside. */
#define OPERANDS_PER_INSN 2

static void
translate_body(struct gvm__translation *t)
{
    uint32_t local_count =
        t->base - t->type->parameter_count - GVM__LINK_SLOTS;
    struct gvm_func_type block = {
        .results = t->type->results,
        .result_count = t->type->result_count,
    };

    gvm__ir_reserve(&t->list, t->function->body_bytes / BYTES_PER_IR + 16);
    gvm__ir_append(&t->list, GVM__OP_enter);
    gvm__ir_append(&t->list, GVM__OP_zero);
    t->list.barrier = t->list.count;
    push_control(t, GVM__CONTROL_BLOCK, block);
    while (t->control_count > 0 && !t->list.failed) {
        uint32_t insn;

        t->list.insn_offset = (uint32_t)(t->at - t->body);
        insn = gvm__translate_opcode(t);
        t->cost++;
        if (!gvm__operand_reserve(t, OPERANDS_PER_INSN))
            return;
        if (t->dead)
            step_over(t, insn);
        else
            translate_insn(t, insn);
    }
    if (t->list.failed)
        return;
    gvm__operand_reach(t, t->type->result_count);
    t->list.irs[0].immediates[0] = t->slot_max;
    t->list.irs[0].immediates[1] =
        t->module->fuel_off
            ? 0
            : t->cost + local_count / GVM__LOCALS_PER_FUEL;
    finish_zero(t);
}

static enum gvm_status
translate(struct gvm__translation *t, struct gvm__code **code)
{
    translate_body(t);
    if (t->list.failed)
        return GVM_NO_MEMORY;
    if (t->registers) {
        gvm__pin(&t->list, t->base, t->type->parameter_count,
                 t->local_types, t->zeroed);
        gvm__accumulate(&t->list, t->base);
    }
    gvm__fuse(&t->list, t->fusion);
    if (t->list.failed)
        return GVM_NO_MEMORY;
    return gvm__encode(&t->list, t->function, code);
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
        .registers =
            gvm__engine_uses(module->engine, GVM_TECHNIQUE_REGISTERS),
        .fusion = gvm__engine_uses(module->engine, GVM_TECHNIQUE_FUSION),
    };
    enum gvm_status status = GVM_NO_MEMORY;
    uint32_t *words;
    uint8_t *bytes;

    t.at = t.body;
    t.base = t.type->parameter_count + GVM__LINK_SLOTS + count_locals(&t);
    t.slot_max = t.base;
    words = calloc(t.base, 2 * sizeof *words);
    bytes = calloc(t.base, 3);
    if (words != NULL && bytes != NULL) {
        t.pending = words;
        t.set_order = words + t.base;
        t.local_types = bytes;
        t.set = bytes + t.base;
        t.zeroed = bytes + 2 * t.base;
        t.at = t.body;
        read_locals(&t);
        status = translate(&t, code);
    }
    gvm__ir_free(&t.list);
    free(words);
    free(bytes);
    free(t.operands);
    free(t.controls);
    return status;
}
