/*
 * validate.h - the state of checking function bodies.
 *
 * The algorithm is that of the specification's appendix: a stack of operand
 * types and a stack of blocks, both arrays, so that nesting costs no native
 * stack. Behind an instruction that does not return the operands below what
 * was pushed since are UNKNOWN, which fits every type.
 *
 * Work is linear in the bytes of a body: lists of types (of calls, blocks
 * and labels) are compared at once where they are known, and runs of locals
 * stay runs. A validator is made once per module and used on one thread.
 */
#ifndef GLASS_VM_VALIDATE_H
#define GLASS_VM_VALIDATE_H

#include "vm/module.h"
#include "vm/reader.h"

/* Beside the codes of `enum gvm_value_type`. */
#define GVM__UNKNOWN_TYPE 0

/* Locals whose types are found by index, the others by search. */
#define GVM__LOCALS_DIRECT 256u

/* A list of types, in the module's bytes. */
struct gvm__types {
    const uint8_t *types;
    uint32_t count;
};

/* A block that is open. The function's body is the outermost. */
struct gvm__block {
    struct gvm__types parameters;
    struct gvm__types results;
    uint32_t height; /* operands below it */
    uint16_t insn;   /* BLOCK, LOOP, IF, ELSE */
    bool unreachable;
};

/* A row of insns.inc, made quick to apply. */
struct gvm__rule {
    uint8_t pops[3]; /* in the order of the operands */
    uint8_t pop_count;
    uint8_t push; /* GVM__UNKNOWN_TYPE: nothing */
    uint8_t immediate;
    uint8_t feature;
    bool is_defined : 1;
    bool has_signature : 1;
};

/* Locals up to index `end` (not included) that no earlier run has. */
struct gvm__local_run {
    uint32_t end;
    uint8_t type;
};

struct gvm__validator {
    struct gvm_module *module;
    struct gvm__reader reader; /* of the body */
    const uint8_t *at;         /* the instruction being checked */
    uint32_t code;
    const struct gvm__rule *rule;

    /* The function. Parameters are locals too. */
    struct gvm__types results;
    uint32_t local_count;
    uint32_t local_run_count;

    uint32_t height;     /* of the operands */
    uint32_t height_max; /* what the frame has room for */
    uint32_t block_count;

    struct gvm__rule rules[GVM__INSN_INDEX_COUNT];
    uint8_t local_types[GVM__LOCALS_DIRECT];
    struct gvm__local_run local_runs[GVM_PARAMETERS_MAX + GVM_LOCALS_MAX];
    uint8_t operands[GVM_FRAME_SLOTS_MAX];
    struct gvm__block blocks[GVM_NESTING_MAX + 1];
};

/* ---- Operands (validate.c) ------------------------------------------- */

/* Fails at the current instruction. */
enum gvm_status gvm__validate_fail(struct gvm__validator *validator,
                                   enum gvm_status status,
                                   const char *format, ...)
    __attribute__((format(printf, 3, 4), cold));
/* "type mismatch": `expected` is wanted, `found` or nothing is there. */
enum gvm_status gvm__validate_mismatch(struct gvm__validator *validator,
                                       uint8_t expected, uint8_t found)
    __attribute__((cold));
/* GVM_LIMIT: the frame has no more room. */
enum gvm_status gvm__validate_fail_height(struct gvm__validator *validator)
    __attribute__((cold));

enum gvm_status gvm__validate_pop_any(struct gvm__validator *validator,
                                      uint8_t *type);
enum gvm_status gvm__validate_pop_list(struct gvm__validator *validator,
                                       struct gvm__types list);
enum gvm_status gvm__validate_push_list(struct gvm__validator *validator,
                                        struct gvm__types list);
/* The list could be popped; nothing changes. */
enum gvm_status gvm__validate_check_list(struct gvm__validator *validator,
                                         struct gvm__types list);

static inline struct gvm__block *
gvm__validate_block(struct gvm__validator *validator)
{
    return &validator->blocks[validator->block_count - 1];
}

static inline enum gvm_status
gvm__validate_push(struct gvm__validator *validator, uint8_t type)
{
    if (__builtin_expect(validator->height == validator->height_max, 0)) {
        return gvm__validate_fail_height(validator);
    }
    validator->operands[validator->height++] = type;
    return GVM_OK;
}

static inline enum gvm_status
gvm__validate_pop(struct gvm__validator *validator, uint8_t expected)
{
    struct gvm__block *block = gvm__validate_block(validator);
    uint8_t found = GVM__UNKNOWN_TYPE;

    if (validator->height > block->height) {
        found = validator->operands[validator->height - 1];
        if (__builtin_expect(found != expected, 0) &&
            found != GVM__UNKNOWN_TYPE) {
            return gvm__validate_mismatch(validator, expected, found);
        }
        validator->height--;
    } else if (!block->unreachable) {
        return gvm__validate_mismatch(validator, expected, found);
    }
    return GVM_OK;
}

/* ---- Blocks (validate_control.c) ------------------------------------- */

/* Opens a block whose parameters were popped, and pushes them. */
enum gvm_status gvm__validate_open(struct gvm__validator *validator,
                                   enum gvm__insn insn,
                                   struct gvm__types parameters,
                                   struct gvm__types results);

/* Instructions that move control, their immediates included. */
enum gvm_status gvm__validate_block_insn(struct gvm__validator *validator);
enum gvm_status gvm__validate_else(struct gvm__validator *validator);
enum gvm_status gvm__validate_end(struct gvm__validator *validator);
enum gvm_status gvm__validate_branch(struct gvm__validator *validator);
enum gvm_status gvm__validate_br_table(struct gvm__validator *validator);
enum gvm_status gvm__validate_call(struct gvm__validator *validator);
enum gvm_status gvm__validate_call_indirect(
    struct gvm__validator *validator);
/* Nothing behind it is reached until the block ends. */
void gvm__validate_unreachable(struct gvm__validator *validator);

/* ---- Everything else (validate_insn.c) ------------------------------- */

/* Reads an index below `count`; else GVM_INVALID, "unknown <what> ...". */
enum gvm_status gvm__validate_index(struct gvm__validator *validator,
                                    uint32_t count, const char *what,
                                    uint32_t *index);
/* A local's index below `local_count`. */
uint8_t gvm__validate_local_type(const struct gvm__validator *validator,
                                 uint32_t index);
/* Reads an opcode and finds its rule; illegal ones are malformed. */
enum gvm_status gvm__validate_opcode(struct gvm__validator *validator);
/* One instruction. */
enum gvm_status gvm__validate_insn(struct gvm__validator *validator);
/* GVM_MALFORMED unless the body's bytes end here. */
enum gvm_status gvm__validate_body_end(struct gvm__validator *validator);

/*
 * skim.c: reads the rest of the body, from the instruction at `at` inside
 * `block_count` blocks, for its form alone.
 */
enum gvm_status gvm__validate_skim(struct gvm__validator *validator,
                                   const uint8_t *at, uint32_t block_count);

#endif
