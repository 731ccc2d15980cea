/*
 * validate_insn.c - the rules of instructions other than control.
 *
 * What follows the opcode decides where an instruction is checked; the
 * signature of insns.inc says the rest for most. See validate.h.
 */
#include "vm/validate.h"

/* ---- Shared ---------------------------------------------------------- */

enum gvm_status
gvm__validate_index(struct gvm__validator *validator, uint32_t count,
                    const char *what, uint32_t *index)
{
    uint32_t result;

    GVM__TRY(gvm__read_u32(&validator->reader, &result));
    if (result >= count) {
        return gvm__validate_fail(validator, GVM_INVALID, "unknown %s %u",
                                  what, result);
    }
    *index = result;
    return GVM_OK;
}

/* Pops and pushes what the row of insns.inc says. */
static enum gvm_status
apply_signature(struct gvm__validator *validator)
{
    const struct gvm__rule *rule = validator->rule;

    for (unsigned i = rule->pop_count; i > 0; i--) {
        GVM__TRY(gvm__validate_pop(validator, rule->pops[i - 1]));
    }
    return rule->push != GVM__UNKNOWN_TYPE
               ? gvm__validate_push(validator, rule->push)
               : GVM_OK;
}

static bool
is_reference(uint8_t type)
{
    return type == GVM_FUNCREF || type == GVM_EXTERNREF;
}

/* ---- Parametric instructions ----------------------------------------- */

/* Untyped: two numbers of the same type, where an unknown one fits any. Two
 * unknown ones leave an unknown one. */
static enum gvm_status
validate_select(struct gvm__validator *validator)
{
    uint8_t a;
    uint8_t b;

    GVM__TRY(gvm__validate_pop(validator, GVM_I32));
    GVM__TRY(gvm__validate_pop_any(validator, &b));
    GVM__TRY(gvm__validate_pop_any(validator, &a));
    if (is_reference(a) || is_reference(b)) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "type mismatch: select without a type "
                                  "needs numbers");
    }
    if (a != b && a != GVM__UNKNOWN_TYPE && b != GVM__UNKNOWN_TYPE) {
        return gvm__validate_mismatch(validator, a, b);
    }
    return gvm__validate_push(validator, a != GVM__UNKNOWN_TYPE ? a : b);
}

/* Only for instructions of reference types: all types are allowed. */
static enum gvm_status
read_value_type(struct gvm__validator *validator, uint8_t *type)
{
    GVM__TRY(gvm__read_byte(&validator->reader, type));
    if (!is_reference(*type) && (*type < GVM_F64 || *type > GVM_I32)) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "malformed value type 0x%02x", *type);
    }
    return GVM_OK;
}

/* The format has a vector of types, the rules allow one. */
static enum gvm_status
validate_select_typed(struct gvm__validator *validator)
{
    uint32_t count;
    uint8_t type = GVM__UNKNOWN_TYPE;

    GVM__TRY(gvm__read_count(&validator->reader, 1, UINT32_MAX, "",
                             &count));
    for (uint32_t i = 0; i < count; i++) {
        GVM__TRY(read_value_type(validator, &type));
    }
    if (count != 1) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "invalid result arity: select gives %u "
                                  "values", count);
    }
    GVM__TRY(gvm__validate_pop(validator, GVM_I32));
    GVM__TRY(gvm__validate_pop(validator, type));
    GVM__TRY(gvm__validate_pop(validator, type));
    return gvm__validate_push(validator, type);
}

/* Instructions without immediates that have rules of their own. */
static enum gvm_status
validate_plain(struct gvm__validator *validator)
{
    uint8_t type;

    switch (validator->code) {
    case GVM__INSN_UNREACHABLE:
        gvm__validate_unreachable(validator);
        return GVM_OK;
    case GVM__INSN_ELSE:
        return gvm__validate_else(validator);
    case GVM__INSN_END:
        return gvm__validate_end(validator);
    case GVM__INSN_RETURN:
        GVM__TRY(gvm__validate_pop_list(validator, validator->results));
        gvm__validate_unreachable(validator);
        return GVM_OK;
    case GVM__INSN_DROP:
        return gvm__validate_pop_any(validator, &type);
    case GVM__INSN_SELECT:
        return validate_select(validator);
    default: /* ref.is_null */
        GVM__TRY(gvm__validate_pop_any(validator, &type));
        if (type != GVM__UNKNOWN_TYPE && !is_reference(type)) {
            return gvm__validate_mismatch(validator, GVM__UNKNOWN_TYPE,
                                          type);
        }
        return gvm__validate_push(validator, GVM_I32);
    }
}

/* ---- Variables and references ---------------------------------------- */

/* local.get pushes, local.set pops, local.tee does both. */
static enum gvm_status
validate_local(struct gvm__validator *validator)
{
    uint32_t index;
    uint8_t type;

    GVM__TRY(gvm__validate_index(validator, validator->local_count, "local",
                                 &index));
    type = gvm__validate_local_type(validator, index);
    if (validator->code != GVM__INSN_LOCAL_GET) {
        GVM__TRY(gvm__validate_pop(validator, type));
    }
    return validator->code != GVM__INSN_LOCAL_SET
               ? gvm__validate_push(validator, type)
               : GVM_OK;
}

/* global.get, and global.set of what may change. */
static enum gvm_status
validate_global(struct gvm__validator *validator)
{
    const struct gvm_module *module = validator->module;
    const struct gvm__global_type *global;
    uint32_t index;

    GVM__TRY(gvm__validate_index(validator, module->global_count, "global",
                                 &index));
    global = &module->globals[index];
    if (validator->code == GVM__INSN_GLOBAL_GET) {
        return gvm__validate_push(validator, (uint8_t)global->type);
    }
    if (!global->mutable_) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "global is immutable: %u", index);
    }
    return gvm__validate_pop(validator, (uint8_t)global->type);
}

static enum gvm_status
validate_ref_null(struct gvm__validator *validator)
{
    uint8_t type;

    GVM__TRY(gvm__read_byte(&validator->reader, &type));
    if (!is_reference(type)) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "malformed reference type 0x%02x", type);
    }
    return gvm__validate_push(validator, type);
}

/*
 * Only functions that are mentioned outside of bodies may be referred to
 * (declared_functions): so an engine knows which ones can be reached through
 * a reference before it reads any body.
 */
static enum gvm_status
validate_ref_func(struct gvm__validator *validator)
{
    const struct gvm_module *module = validator->module;
    uint32_t index;

    GVM__TRY(gvm__validate_index(validator, module->function_count,
                                 "function", &index));
    if (module->declared_functions == NULL ||
        !gvm__bits_has(module->declared_functions, index)) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "undeclared function reference %u",
                                  index);
    }
    return gvm__validate_push(validator, GVM_FUNCREF);
}

/* ---- Memories -------------------------------------------------------- */

/* There is at most one memory, so its index is 0. */
static enum gvm_status
check_memory(struct gvm__validator *validator)
{
    return validator->module->memory_count > 0
               ? GVM_OK
               : gvm__validate_fail(validator, GVM_INVALID,
                                    "unknown memory 0");
}

/* Where a memory's index will be there is a zero byte. */
static enum gvm_status
read_memory_index(struct gvm__validator *validator)
{
    const uint8_t *at = validator->reader.at;
    uint8_t byte;

    GVM__TRY(gvm__read_byte(&validator->reader, &byte));
    if (byte != 0) {
        return gvm__read_fail(&validator->reader, GVM_MALFORMED, at,
                              "zero byte expected");
    }
    return check_memory(validator);
}

/*
 * Loads and stores: an exponent of the alignment, an offset. Alignments are
 * hints that nobody uses here, yet they must not promise more than the
 * access's size. From 32 on the exponent has bits that later versions of
 * the format use as flags.
 */
static enum gvm_status
validate_access(struct gvm__validator *validator)
{
    /* Exponents from i32.load to i64.store32. */
    static const uint8_t natural[] = {2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1,
                                      2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2};
    uint32_t alignment;
    uint32_t offset;

    GVM__TRY(gvm__read_u32(&validator->reader, &alignment));
    GVM__TRY(gvm__read_u32(&validator->reader, &offset));
    if (alignment >= 32) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "malformed memop flags: alignment 2^%u",
                                  alignment);
    }
    GVM__TRY(check_memory(validator));
    if (alignment > natural[validator->code - GVM__INSN_I32_LOAD]) {
        return gvm__validate_fail(validator, GVM_INVALID,
                                  "alignment must not be larger than "
                                  "natural");
    }
    return apply_signature(validator);
}

/* What memory.init and data.drop name. */
static enum gvm_status
read_data_index(struct gvm__validator *validator)
{
    const struct gvm_module *module = validator->module;
    uint32_t index;

    if (!module->has_data_count) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "data count section required");
    }
    return gvm__validate_index(validator, module->data_count_declared,
                               "data segment", &index);
}

/* ---- Tables ---------------------------------------------------------- */

/* A table's index; what its entries are. */
static enum gvm_status
read_table_type(struct gvm__validator *validator, uint8_t *type)
{
    const struct gvm_module *module = validator->module;
    uint32_t index = 0;

    GVM__TRY(gvm__validate_index(validator, module->table_count, "table",
                                 &index));
    *type = (uint8_t)module->tables[index].element_type;
    return GVM_OK;
}

/* An element segment's index; what its entries are. */
static enum gvm_status
read_element_type(struct gvm__validator *validator, uint8_t *type)
{
    const struct gvm_module *module = validator->module;
    uint32_t index;

    GVM__TRY(gvm__validate_index(validator, module->element_count,
                                 "elem segment", &index));
    *type = (uint8_t)module->elements[index].type;
    return GVM_OK;
}

/* Instructions on one table. */
static enum gvm_status
validate_table(struct gvm__validator *validator)
{
    uint8_t type;

    GVM__TRY(read_table_type(validator, &type));
    switch (validator->code) {
    case GVM__INSN_TABLE_GET:
        GVM__TRY(gvm__validate_pop(validator, GVM_I32));
        return gvm__validate_push(validator, type);
    case GVM__INSN_TABLE_SET:
        validator->module->writes_tables = true;
        GVM__TRY(gvm__validate_pop(validator, type));
        return gvm__validate_pop(validator, GVM_I32);
    case GVM__INSN_TABLE_GROW:
        GVM__TRY(gvm__validate_pop(validator, GVM_I32));
        GVM__TRY(gvm__validate_pop(validator, type));
        return gvm__validate_push(validator, GVM_I32);
    case GVM__INSN_TABLE_FILL:
        validator->module->writes_tables = true;
        GVM__TRY(gvm__validate_pop(validator, GVM_I32));
        GVM__TRY(gvm__validate_pop(validator, type));
        return gvm__validate_pop(validator, GVM_I32);
    default: /* table.size */
        return apply_signature(validator);
    }
}

/* table.init and table.copy: both sides have one type. */
static enum gvm_status
validate_table_transfer(struct gvm__validator *validator)
{
    uint8_t to;
    uint8_t from;

    validator->module->writes_tables = true;
    if (validator->code == GVM__INSN_TABLE_INIT) {
        GVM__TRY(read_element_type(validator, &from));
        GVM__TRY(read_table_type(validator, &to));
    } else {
        GVM__TRY(read_table_type(validator, &to));
        GVM__TRY(read_table_type(validator, &from));
    }
    if (to != from) {
        return gvm__validate_mismatch(validator, to, from);
    }
    return apply_signature(validator);
}

/* ---- One instruction ------------------------------------------------- */

/* Reads the immediates that need no check, so that a signature is left. */
static enum gvm_status
skip_immediate(struct gvm__validator *validator)
{
    struct gvm__reader *reader = &validator->reader;
    uint64_t fixed;
    int64_t i64;
    int32_t i32;
    uint8_t type;

    switch ((enum gvm__immediate)validator->rule->immediate) {
    case GVM__IMMEDIATE_I32:
        return gvm__read_s32(reader, &i32);
    case GVM__IMMEDIATE_I64:
        return gvm__read_s64(reader, &i64);
    case GVM__IMMEDIATE_F32:
        return gvm__read_fixed(reader, 4, &fixed);
    case GVM__IMMEDIATE_F64:
        return gvm__read_fixed(reader, 8, &fixed);
    case GVM__IMMEDIATE_MEMORY_INDEX:
        return read_memory_index(validator);
    case GVM__IMMEDIATE_MEMORY_COPY:
        GVM__TRY(read_memory_index(validator));
        return read_memory_index(validator);
    case GVM__IMMEDIATE_MEMORY_INIT:
        GVM__TRY(read_data_index(validator));
        return read_memory_index(validator);
    case GVM__IMMEDIATE_DATA:
        return read_data_index(validator);
    case GVM__IMMEDIATE_ELEMENT:
        return read_element_type(validator, &type);
    default:
        return GVM_OK;
    }
}

/* By what follows the opcode. Instructions that share that share their
 * rules, or tell themselves apart by their code. */
static enum gvm_status
dispatch(struct gvm__validator *validator)
{
    switch ((enum gvm__immediate)validator->rule->immediate) {
    case GVM__IMMEDIATE_NONE:
        return validator->rule->has_signature ? apply_signature(validator)
                                              : validate_plain(validator);
    case GVM__IMMEDIATE_BLOCK:
        return gvm__validate_block_insn(validator);
    case GVM__IMMEDIATE_LABEL:
        return gvm__validate_branch(validator);
    case GVM__IMMEDIATE_BR_TABLE:
        return gvm__validate_br_table(validator);
    case GVM__IMMEDIATE_FUNC:
        return validator->code == GVM__INSN_CALL
                   ? gvm__validate_call(validator)
                   : validate_ref_func(validator);
    case GVM__IMMEDIATE_CALL_INDIRECT:
        return gvm__validate_call_indirect(validator);
    case GVM__IMMEDIATE_SELECT:
        return validate_select_typed(validator);
    case GVM__IMMEDIATE_LOCAL:
        return validate_local(validator);
    case GVM__IMMEDIATE_GLOBAL:
        return validate_global(validator);
    case GVM__IMMEDIATE_TABLE:
        return validate_table(validator);
    case GVM__IMMEDIATE_MEMORY:
        return validate_access(validator);
    case GVM__IMMEDIATE_REF_TYPE:
        return validate_ref_null(validator);
    case GVM__IMMEDIATE_TABLE_INIT:
    case GVM__IMMEDIATE_TABLE_COPY:
        return validate_table_transfer(validator);
    default:
        GVM__TRY(skip_immediate(validator));
        return apply_signature(validator);
    }
}

/* The second byte of a prefixed instruction is a number of its own. */
static enum gvm_status
read_prefixed(struct gvm__validator *validator)
{
    uint32_t number;

    GVM__TRY(gvm__read_u32(&validator->reader, &number));
    validator->code = 0xfc00 | (number & 0xff);
    if (number > 0xff ||
        !validator->rules[GVM__INSN_INDEX(validator->code)].is_defined) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "illegal opcode 0xfc %u", number);
    }
    return GVM_OK;
}

enum gvm_status
gvm__validate_opcode(struct gvm__validator *validator)
{
    uint8_t byte;

    validator->at = validator->reader.at;
    GVM__TRY(gvm__read_byte(&validator->reader, &byte));
    validator->code = byte;
    if (byte == 0xfc) {
        GVM__TRY(read_prefixed(validator));
    }
    validator->rule = &validator->rules[GVM__INSN_INDEX(validator->code)];
    if (!validator->rule->is_defined) {
        return gvm__validate_fail(validator, GVM_MALFORMED,
                                  "illegal opcode 0x%02x", byte);
    }
    if (validator->rule->feature != 0) {
        return gvm__read_feature(&validator->reader, validator->module,
                                 validator->at,
                                 (enum gvm_feature)validator->rule->feature,
                                 gvm__insn_info(validator->code)->text);
    }
    return GVM_OK;
}

enum gvm_status
gvm__validate_insn(struct gvm__validator *validator)
{
    GVM__TRY(gvm__validate_opcode(validator));
    return dispatch(validator);
}
