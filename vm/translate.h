/*
 * translate.h - from a function's instructions to threaded code.
 *
 * One pass over the body, which is known to be valid. The operand stack is
 * kept at translation time: an operand is a slot of the frame or a constant,
 * so local.get and the constants cost nothing at run time. What an operation
 * computes goes to its *own* slot, the one of its height on the stack, so
 * that values agree wherever control flow joins; local.set re-aims the
 * operation before it instead of copying.
 *
 * Invariants:
 * - an operand that is no constant and no local is in its own slot;
 * - operands below `settled` are all in their own slots;
 * - `pending[slot]` leads to the operands that are still the local itself,
 *   from the topmost down; they are copied before the local is set;
 * - at a label every operand is in its own slot.
 *
 * A translation belongs to one thread; any number run at once.
 */
#ifndef GLASS_VM_TRANSLATE_H
#define GLASS_VM_TRANSLATE_H

#include "vm/ir.h"

/* translate.c: GVM_OK or GVM_NO_MEMORY. The code is not published yet. */
enum gvm_status gvm__translate(struct gvm__function *function,
                               struct gvm__code **code);

/* ---- Within translate*.c ------------------------------------------------ */

struct gvm__operand {
    uint64_t value; /* of a constant, as a slot holds it */
    uint32_t slot;
    /* Of one that is a local: the next lower one that is, too, as `pending`
     * has it. */
    uint32_t below;
    bool constant;
    char type; /* as in ops.inc */
};

enum gvm__control_kind {
    GVM__CONTROL_BLOCK, /* the function's body too */
    GVM__CONTROL_LOOP,
    GVM__CONTROL_IF,
};

struct gvm__control {
    enum gvm__control_kind kind;
    uint32_t label;      /* the end's; of a loop: the head's */
    uint32_t else_label; /* of an if, until its else */
    uint32_t height;     /* operands below the block's own */
    struct gvm_func_type type;
    bool label_used;
    /* Where a br_table (number `stub_table`) goes to move values first. */
    uint32_t stub_label;
    uint32_t stub_table;
    /* A loop's head, and the cost of what is around it so far. */
    uint32_t loop_index;
    uint32_t outer_cost;
    /* How many loops and calls there were before a loop. */
    uint32_t loops_before;
    uint32_t calls_before;
    /* How many locals were known to be set before the block. */
    uint32_t set_before;
};

struct gvm__translation {
    struct gvm__ir_list list;
    struct gvm__function *function;
    struct gvm_module *module;
    const struct gvm_func_type *type;
    const uint8_t *body; /* offsets of instructions count from here */
    const uint8_t *at;
    bool checked; /* explicit bounds */
    bool registers; /* techniques that are on */
    bool fusion;

    struct gvm__operand *operands;
    uint32_t operand_count;
    uint32_t operand_capacity;
    uint32_t settled;
    uint32_t *pending; /* by slot below base: height + 1, or 0 */
    uint32_t base;     /* own slot of the lowest operand */
    uint32_t slot_max; /* slots that the frame needs */

    struct gvm__control *controls;
    uint32_t control_count;
    uint32_t control_capacity;
    uint32_t dead_depth; /* blocks opened in code that is not reached */
    uint32_t dead_loop_depth; /* of its outermost open loop; 0: none */
    bool dead;
    uint32_t br_table_count;
    uint32_t loop_count;
    uint32_t call_count;

    /*
     * Which locals must be zeroed: those that may be read before they are
     * set. `set` says which are set for certain here, and `set_order` lists
     * them; what was set inside a block that can be left early does not
     * count behind it.
     */
    uint8_t *local_types;  /* by slot below base, as in ops.inc; 0: links */
    uint8_t *set;          /* by slot below base */
    uint8_t *zeroed;       /* by slot below base: it has to be */
    uint32_t *set_order;
    uint32_t set_count;
    uint32_t cost; /* instructions since the innermost loop's head */
};

/* translate_operands.c: the operand stack. */
uint32_t gvm__operand_own_slot(const struct gvm__translation *t,
                               uint32_t height);
/* Room for so many more, without which nothing may be pushed; false (and the
 * list has failed) when there is no memory. */
bool gvm__operand_reserve(struct gvm__translation *t, uint32_t count);
void gvm__operand_push_local(struct gvm__translation *t, uint32_t slot);
void gvm__operand_push_constant(struct gvm__translation *t, uint64_t value,
                                char type);
/* Pushes an operand in its own slot, which is returned. */
uint32_t gvm__operand_push_own(struct gvm__translation *t, char type);
struct gvm__operand gvm__operand_pop(struct gvm__translation *t);
void gvm__operand_drop_to(struct gvm__translation *t, uint32_t count);
/* Copies the operand at `height` to its own slot, if it is elsewhere. Above
 * it, no operand is the same local. */
void gvm__operand_settle(struct gvm__translation *t, uint32_t height);
/* Settles the topmost `count` operands, or all. */
void gvm__operand_settle_top(struct gvm__translation *t, uint32_t count);
void gvm__operand_settle_all(struct gvm__translation *t);
/* Appends a copy of the operand to a slot. */
void gvm__operand_copy(struct gvm__translation *t, uint32_t to,
                       const struct gvm__operand *operand);
/* How the operation's source can hold a constant; GVM__KIND_NONE: not. */
enum gvm__kind gvm__operand_constant_kind(enum gvm__op op, unsigned source,
                                          uint64_t value);
/* The last operation when it is what computed the operand `height`. */
struct gvm__ir *gvm__operand_producer(struct gvm__translation *t,
                                      const struct gvm__operand *operand,
                                      uint32_t height);
/* local.set and, with `tee`, local.tee. */
void gvm__operand_set_local(struct gvm__translation *t, uint32_t slot,
                            bool tee);
/* The type as ops.inc has it. */
char gvm__operand_type(uint8_t value_type);
/* Forgets what was set after the first `count` locals. */
void gvm__operand_forget_set(struct gvm__translation *t, uint32_t count);
/* Notes that the frame reaches up to `slot` (exclusive). */
void gvm__operand_reach(struct gvm__translation *t, uint32_t slot);

/*
 * Pops the operation's sources and appends it, its result in its own slot:
 * constants become immediates where the operation has a variant for that.
 */
struct gvm__ir *gvm__translate_simple(struct gvm__translation *t,
                                      enum gvm__op op);
/* The same with sources that were popped already, from `heights`; their
 * number is the operation's. */
struct gvm__ir *gvm__translate_with(struct gvm__translation *t,
                                    enum gvm__op op,
                                    struct gvm__operand *operands,
                                    uint32_t *heights);

/* translate_access.c: loads and stores. */
void gvm__translate_access(struct gvm__translation *t, enum gvm__op op);

/* translate_branch.c */
void gvm__translate_br(struct gvm__translation *t, uint32_t depth);
void gvm__translate_br_if(struct gvm__translation *t, uint32_t depth);
void gvm__translate_br_table(struct gvm__translation *t);
void gvm__translate_return(struct gvm__translation *t);
/* Pops the condition of an if, and branches to `label` if it is zero. */
void gvm__translate_br_unless(struct gvm__translation *t, uint32_t label);

/* translate_insn.c: everything but control. */
void gvm__translate_plain(struct gvm__translation *t, uint32_t insn);
/* Reading; the body is valid, so nothing is checked. */
uint32_t gvm__translate_u32(struct gvm__translation *t);
uint64_t gvm__translate_s64(struct gvm__translation *t);
uint32_t gvm__translate_opcode(struct gvm__translation *t);
/* Steps over the immediates of an instruction that is not reached. */
void gvm__translate_skip(struct gvm__translation *t, uint32_t insn);

#endif
