/*
 * translate_insn.c - the instructions that do not steer control.
 */
#include <assert.h>
#include <string.h>

#include "vm/call.h"
#include "vm/translate.h"

/* ---- Reading ------------------------------------------------------------- */

uint32_t
gvm__translate_u32(struct gvm__translation *t)
{
    uint32_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = *t->at++;
        value |= (uint32_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    return value;
}

/* Signed LEB128 of any width, sign-extended. */
uint64_t
gvm__translate_s64(struct gvm__translation *t)
{
    uint64_t value = 0;
    unsigned shift = 0;
    uint8_t byte;

    do {
        byte = *t->at++;
        value |= (uint64_t)(byte & 0x7f) << shift;
        shift += 7;
    } while (byte & 0x80);
    if (shift < 64 && byte & 0x40)
        value |= UINT64_MAX << shift;
    return value;
}

uint32_t
gvm__translate_opcode(struct gvm__translation *t)
{
    uint32_t code = *t->at++;

    if (code < 0xfc)
        return code;
    return code << 8 | gvm__translate_u32(t);
}

/* How many LEB128 numbers follow; -1: the instruction has its own case. */
static int
number_count(enum gvm__immediate immediate)
{
    switch (immediate) {
    case GVM__IMMEDIATE_NONE:
        return 0;
    case GVM__IMMEDIATE_CALL_INDIRECT:
    case GVM__IMMEDIATE_MEMORY:
    case GVM__IMMEDIATE_MEMORY_INIT:
    case GVM__IMMEDIATE_MEMORY_COPY:
    case GVM__IMMEDIATE_TABLE_INIT:
    case GVM__IMMEDIATE_TABLE_COPY:
        return 2;
    case GVM__IMMEDIATE_BR_TABLE:
    case GVM__IMMEDIATE_SELECT:
    case GVM__IMMEDIATE_F32:
    case GVM__IMMEDIATE_F64:
        return -1;
    default:
        return 1;
    }
}

void
gvm__translate_skip(struct gvm__translation *t, uint32_t insn)
{
    enum gvm__immediate immediate =
        (enum gvm__immediate)gvm__insn_info(insn)->immediate;
    int count = number_count(immediate);
    uint32_t entries;

    for (int i = 0; i < count; i++)
        gvm__translate_s64(t);
    switch (immediate) {
    case GVM__IMMEDIATE_BR_TABLE:
        entries = gvm__translate_u32(t);
        for (uint32_t i = 0; i <= entries; i++)
            gvm__translate_u32(t);
        break;
    case GVM__IMMEDIATE_SELECT:
        entries = gvm__translate_u32(t);
        for (uint32_t i = 0; i < entries; i++)
            gvm__translate_s64(t);
        break;
    case GVM__IMMEDIATE_F32:
        t->at += 4;
        break;
    case GVM__IMMEDIATE_F64:
        t->at += 8;
        break;
    default:
        break;
    }
}

/* ---- Variables, constants, memory --------------------------------------- */

/* Parameters come before the links, other locals behind them. */
static uint32_t
local_slot(const struct gvm__translation *t, uint32_t local)
{
    return local < t->type->parameter_count ? local
                                            : local + GVM__LINK_SLOTS;
}

static void
translate_global(struct gvm__translation *t, bool set)
{
    uint32_t index = gvm__translate_u32(t);
    uint32_t imported = t->module->imported_global_count;
    struct gvm__ir *ir;

    if (index < imported)
        ir = gvm__translate_simple(t, set ? GVM__OP_imported_global_set
                                          : GVM__OP_imported_global_get);
    else
        ir = gvm__translate_simple(t, set ? GVM__OP_global_set
                                          : GVM__OP_global_get);
    ir->immediates[0] = index < imported ? index : index - imported;
    if (!set)
        t->operands[t->operand_count - 1].type = gvm__operand_type(
            (uint8_t)t->module->globals[index].type);
}

static void
translate_constant(struct gvm__translation *t, uint32_t insn)
{
    uint32_t narrow;
    uint64_t wide;
    char type;

    switch (insn) {
    case GVM__INSN_I32_CONST:
        wide = (uint32_t)gvm__translate_s64(t);
        type = 'w';
        break;
    case GVM__INSN_I64_CONST:
        wide = gvm__translate_s64(t);
        type = 'x';
        break;
    case GVM__INSN_F32_CONST:
        memcpy(&narrow, t->at, sizeof narrow);
        t->at += sizeof narrow;
        wide = narrow;
        type = 'f';
        break;
    default:
        memcpy(&wide, t->at, sizeof wide);
        t->at += sizeof wide;
        type = 'd';
        break;
    }
    gvm__operand_push_constant(t, wide, type);
}

/* ---- Bulk operations and tables ----------------------------------------- */

/*
 * Operations on consecutive slots: the topmost `count` operands are settled
 * and popped, the first one's slot is immediate 0. `indexes` more immediates
 * follow in the binary; those of memories are not wanted in the cell.
 */
static void
translate_range(struct gvm__translation *t, enum gvm__op op, uint32_t count,
                unsigned indexes)
{
    struct gvm__ir *ir;
    uint32_t first = t->operand_count - count;

    gvm__operand_settle_top(t, count);
    gvm__operand_drop_to(t, first);
    ir = gvm__ir_append(&t->list, op);
    ir->immediates[0] = gvm__operand_own_slot(t, first);
    for (unsigned i = 0; i < indexes; i++)
        ir->immediates[1 + i] = gvm__translate_u32(t);
}

static void
translate_table_init(struct gvm__translation *t)
{
    struct gvm__ir *ir;
    uint32_t element = gvm__translate_u32(t);

    translate_range(t, GVM__OP_table_init, 3, 1);
    ir = gvm__ir_last(&t->list);
    if (ir != NULL)
        ir->immediates[2] = element;
}

static void
translate_bulk(struct gvm__translation *t, uint32_t insn)
{
    switch (insn) {
    case GVM__INSN_MEMORY_INIT:
        translate_range(t, GVM__OP_memory_init, 3, 1);
        gvm__translate_u32(t);
        break;
    case GVM__INSN_DATA_DROP:
        gvm__translate_simple(t, GVM__OP_data_drop)->immediates[0] =
            gvm__translate_u32(t);
        break;
    case GVM__INSN_MEMORY_COPY:
        translate_range(t, GVM__OP_memory_copy, 3, 0);
        gvm__translate_u32(t);
        gvm__translate_u32(t);
        break;
    case GVM__INSN_MEMORY_FILL:
        translate_range(t, GVM__OP_memory_fill, 3, 0);
        gvm__translate_u32(t);
        break;
    case GVM__INSN_TABLE_INIT:
        translate_table_init(t);
        break;
    case GVM__INSN_ELEM_DROP:
        gvm__translate_simple(t, GVM__OP_elem_drop)->immediates[0] =
            gvm__translate_u32(t);
        break;
    case GVM__INSN_TABLE_COPY:
        translate_range(t, GVM__OP_table_copy, 3, 2);
        break;
    case GVM__INSN_TABLE_GROW:
        translate_range(t, GVM__OP_table_grow, 2, 1);
        gvm__operand_push_own(t, 'w');
        break;
    default:
        assert(insn == GVM__INSN_TABLE_FILL);
        translate_range(t, GVM__OP_table_fill, 3, 1);
        break;
    }
}

/* Operations whose one index in the binary is immediate 0 of the cell. */
static void
translate_indexed(struct gvm__translation *t, enum gvm__op op)
{
    uint32_t index = gvm__translate_u32(t);

    gvm__translate_simple(t, op)->immediates[0] = index;
}

/* ---- All of them --------------------------------------------------------- */

static const uint16_t insn_ops[GVM__INSN_INDEX_COUNT] = {
#define INSN_OP(insn, op)                                                \
    [GVM__INSN_INDEX(GVM__INSN_##insn)] = GVM__OP_##op + 1,
#include "vm/insn_ops.inc"
#undef INSN_OP
};

static void
translate_zero_test(struct gvm__translation *t, enum gvm__op equals)
{
    gvm__operand_push_constant(t, 0, 'w');
    gvm__translate_simple(t, equals);
}

/* The result has the operands' type, which the operation does not know. */
static void
translate_select(struct gvm__translation *t)
{
    char type = t->operands[t->operand_count - 2].type;

    gvm__translate_simple(t, type == 'w' ? GVM__OP_select_w
                                         : GVM__OP_select);
    t->operands[t->operand_count - 1].type = type;
}

static void
translate_special(struct gvm__translation *t, uint32_t insn)
{
    switch (insn) {
    case GVM__INSN_LOCAL_GET:
        gvm__operand_push_local(t, local_slot(t, gvm__translate_u32(t)));
        break;
    case GVM__INSN_LOCAL_SET:
    case GVM__INSN_LOCAL_TEE:
        gvm__operand_set_local(t, local_slot(t, gvm__translate_u32(t)),
                               insn == GVM__INSN_LOCAL_TEE);
        break;
    case GVM__INSN_GLOBAL_GET:
    case GVM__INSN_GLOBAL_SET:
        translate_global(t, insn == GVM__INSN_GLOBAL_SET);
        break;
    case GVM__INSN_I32_CONST:
    case GVM__INSN_I64_CONST:
    case GVM__INSN_F32_CONST:
    case GVM__INSN_F64_CONST:
        translate_constant(t, insn);
        break;
    case GVM__INSN_DROP:
        gvm__operand_pop(t);
        break;
    case GVM__INSN_SELECT_TYPED:
        gvm__translate_skip(t, insn);
        translate_select(t);
        break;
    case GVM__INSN_SELECT:
        translate_select(t);
        break;
    case GVM__INSN_I32_EQZ:
        translate_zero_test(t, GVM__OP_i32_eq);
        break;
    case GVM__INSN_I64_EQZ:
    case GVM__INSN_REF_IS_NULL:
        translate_zero_test(t, GVM__OP_i64_eq);
        break;
    case GVM__INSN_REF_NULL:
        gvm__translate_skip(t, insn);
        gvm__operand_push_constant(t, 0, 'x');
        break;
    case GVM__INSN_REF_FUNC:
        translate_indexed(t, GVM__OP_ref_func);
        break;
    case GVM__INSN_TABLE_GET:
        translate_indexed(t, GVM__OP_table_get);
        break;
    case GVM__INSN_TABLE_SET:
        translate_indexed(t, GVM__OP_table_set);
        break;
    case GVM__INSN_TABLE_SIZE:
        translate_indexed(t, GVM__OP_table_size);
        break;
    case GVM__INSN_MEMORY_SIZE:
        gvm__translate_skip(t, insn);
        gvm__translate_simple(t, GVM__OP_memory_size);
        break;
    case GVM__INSN_MEMORY_GROW:
        gvm__translate_skip(t, insn);
        gvm__translate_simple(t, GVM__OP_memory_grow);
        break;
    case GVM__INSN_NOP:
        break;
    default:
        translate_bulk(t, insn);
        break;
    }
}

void
gvm__translate_plain(struct gvm__translation *t, uint32_t insn)
{
    uint16_t op = insn_ops[GVM__INSN_INDEX(insn)];

    if (op == 0)
        translate_special(t, insn);
    else if (gvm__ops[op - 1].flags & GVM__OP_ACCESSES)
        gvm__translate_access(t, (enum gvm__op)(op - 1));
    else
        gvm__translate_simple(t, (enum gvm__op)(op - 1));
}
