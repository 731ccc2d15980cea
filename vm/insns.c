/*
 * insns.c - the table of insns.inc, to look up by opcode.
 *
 * The table is sparse: opcodes without a row have no text. Prefixed ones
 * come behind all the plain ones, by their number after the prefix.
 *
 * Read only; any thread may call what is here.
 */
#include "vm/insns.h"

#include <stddef.h>

#include "vm/vm.h"

/* So that a row's 0 and its feature's name become the same kind of word. */
enum feature {
    FEATURE_0 = 0,
#define FEATURE_ROW(name, bit, text) FEATURE_##name = GVM_FEATURE_##name,
    GVM_FEATURE_MAP(FEATURE_ROW)
#undef FEATURE_ROW
};

static const struct gvm__insn_info infos[GVM__INSN_INDEX_COUNT] = {
#define INSN(code, name, text, immediate, signature, feature)            \
    [GVM__INSN_INDEX(code)] = {text, signature,                          \
                               GVM__IMMEDIATE_##immediate,               \
                               FEATURE_##feature},
#include "vm/insns.inc"
#undef INSN
};

const struct gvm__insn_info *
gvm__insn_info(uint32_t code)
{
    const struct gvm__insn_info *info;

    if (code > 0xff && (code & ~0xffu) != 0xfc00) {
        return NULL;
    }
    info = &infos[GVM__INSN_INDEX(code)];
    return info->text != NULL ? info : NULL;
}
