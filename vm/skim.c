/*
 * skim.c - reads instructions without understanding them.
 *
 * A body that is malformed is malformed, even when an instruction before
 * that place breaks a rule: after the first such break the rest is still
 * read, for its form alone. See validate.h.
 */
#include "vm/validate.h"

/* Indexes, `count` of them. */
static enum gvm_status
skim_indexes(struct gvm__reader *reader, uint64_t count)
{
    uint32_t index;

    for (uint64_t i = 0; i < count; i++) {
        GVM__TRY(gvm__read_u32(reader, &index));
    }
    return GVM_OK;
}

/* Bytes that may be anything. */
static enum gvm_status
skim_bytes(struct gvm__reader *reader, uint32_t count)
{
    const uint8_t *bytes;

    return gvm__read_bytes(reader, count, &bytes);
}

/* What follows an opcode. Types and zero bytes that have the wrong value are
 * left alone: the rule that was broken before them is told instead. */
static enum gvm_status
skim_immediate(struct gvm__reader *reader, enum gvm__immediate immediate)
{
    uint32_t count = 0;
    int32_t i32;
    int64_t i64;

    switch (immediate) {
    case GVM__IMMEDIATE_NONE:
        return GVM_OK;
    case GVM__IMMEDIATE_BLOCK:
        return gvm__read_s33(reader, &i64);
    case GVM__IMMEDIATE_LABEL:
    case GVM__IMMEDIATE_FUNC:
    case GVM__IMMEDIATE_LOCAL:
    case GVM__IMMEDIATE_GLOBAL:
    case GVM__IMMEDIATE_TABLE:
    case GVM__IMMEDIATE_DATA:
    case GVM__IMMEDIATE_ELEMENT:
        return skim_indexes(reader, 1);
    case GVM__IMMEDIATE_CALL_INDIRECT:
    case GVM__IMMEDIATE_MEMORY:
    case GVM__IMMEDIATE_MEMORY_INIT:
    case GVM__IMMEDIATE_TABLE_INIT:
    case GVM__IMMEDIATE_TABLE_COPY:
        return skim_indexes(reader, 2);
    case GVM__IMMEDIATE_BR_TABLE:
        GVM__TRY(gvm__read_count(reader, 1, UINT32_MAX, "", &count));
        return skim_indexes(reader, (uint64_t)count + 1);
    case GVM__IMMEDIATE_SELECT:
        GVM__TRY(gvm__read_count(reader, 1, UINT32_MAX, "", &count));
        return skim_bytes(reader, count);
    case GVM__IMMEDIATE_MEMORY_INDEX:
    case GVM__IMMEDIATE_REF_TYPE:
        return skim_bytes(reader, 1);
    case GVM__IMMEDIATE_MEMORY_COPY:
        return skim_bytes(reader, 2);
    case GVM__IMMEDIATE_I32:
        return gvm__read_s32(reader, &i32);
    case GVM__IMMEDIATE_I64:
        return gvm__read_s64(reader, &i64);
    case GVM__IMMEDIATE_F32:
        return skim_bytes(reader, 4);
    case GVM__IMMEDIATE_F64:
        return skim_bytes(reader, 8);
    }
    return GVM_OK;
}

enum gvm_status
gvm__validate_skim(struct gvm__validator *validator, const uint8_t *at,
                   uint32_t block_count)
{
    uint64_t open_count = block_count;

    /* A count is enough to find the body's end, and needs no limit. */
    validator->reader.at = at;
    while (open_count > 0) {
        GVM__TRY(gvm__validate_opcode(validator));
        GVM__TRY(skim_immediate(
            &validator->reader,
            (enum gvm__immediate)validator->rule->immediate));
        if (validator->rule->immediate == GVM__IMMEDIATE_BLOCK) {
            open_count++;
        } else if (validator->code == GVM__INSN_END) {
            open_count--;
        }
    }
    return gvm__validate_body_end(validator);
}
