/*
 * insns.h - the instructions as enumerations, made from insns.inc.
 */
#ifndef GLASS_VM_INSNS_H
#define GLASS_VM_INSNS_H

#include <stdint.h>

enum gvm__insn {
#define INSN(code, name, text, immediate, signature, feature)            \
    GVM__INSN_##name = code,
#include "vm/insns.inc"
#undef INSN
};

/* What follows an opcode in the binary; indexes are unsigned LEB128. */
enum gvm__immediate {
    GVM__IMMEDIATE_NONE,
    GVM__IMMEDIATE_BLOCK,         /* a block type: s33 */
    GVM__IMMEDIATE_LABEL,
    GVM__IMMEDIATE_BR_TABLE,      /* vector of labels, default label */
    GVM__IMMEDIATE_FUNC,
    GVM__IMMEDIATE_CALL_INDIRECT, /* type index, table index */
    GVM__IMMEDIATE_SELECT,        /* vector of value types */
    GVM__IMMEDIATE_LOCAL,
    GVM__IMMEDIATE_GLOBAL,
    GVM__IMMEDIATE_TABLE,
    GVM__IMMEDIATE_MEMORY,        /* alignment, offset */
    GVM__IMMEDIATE_MEMORY_INDEX,  /* one index, in 1.0 the byte zero */
    GVM__IMMEDIATE_I32,           /* signed LEB128 */
    GVM__IMMEDIATE_I64,
    GVM__IMMEDIATE_F32,           /* four bytes */
    GVM__IMMEDIATE_F64,           /* eight bytes */
    GVM__IMMEDIATE_REF_TYPE,
    GVM__IMMEDIATE_MEMORY_INIT,   /* data index, memory index */
    GVM__IMMEDIATE_DATA,
    GVM__IMMEDIATE_MEMORY_COPY,   /* destination, source memory */
    GVM__IMMEDIATE_TABLE_INIT,    /* element index, table index */
    GVM__IMMEDIATE_ELEMENT,
    GVM__IMMEDIATE_TABLE_COPY,    /* destination, source table */
};

/* A row of insns.inc. */
struct gvm__insn_info {
    const char *text;
    const char *signature;
    uint8_t immediate; /* enum gvm__immediate */
    uint8_t feature;   /* a bit of `enum gvm_feature`, 0: WebAssembly 1.0 */
};

/* Rows by number: one for each plain opcode, then those with prefix 0xfc. */
#define GVM__INSN_INDEX(code)                                            \
    ((code) < 0x100 ? (code) : 0x100 + ((code) & 0xff))
#define GVM__INSN_INDEX_COUNT 0x200

/* NULL when there is no such instruction. `code` is as in insns.inc. */
const struct gvm__insn_info *gvm__insn_info(uint32_t code);

#endif
