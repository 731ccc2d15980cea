/*
 * ops.h - the operations of the threaded code and the shape of a cell.
 *
 * A *cell* is one operation with its operands in place:
 *
 *     8 bytes   the handler (its address, or its number in a switch loop)
 *     2 each    slots: the sources that are slots, then the destination
 *     4 each    from the next multiple of 4: immediate sources, then I0...,
 *               then what going back to a loop's head costs
 *     8 each    from the next multiple of 8: constant sources, then W0...,
 *               then the target
 *
 * and its size is a multiple of 8. generate.c has this packing rule, makes
 * the handlers by it, and a table of it, by which encode.c fills the cells.
 */
#ifndef GLASS_VM_OPS_H
#define GLASS_VM_OPS_H

#include <stdbool.h>
#include <stdint.h>

#define GVM__SOURCES_MAX 3

/* Where an operand is; ORDER KIND: the letters of generate.c. */
enum gvm__kind {
    GVM__KIND_NONE,
    GVM__KIND_SLOT,        /* S */
    GVM__KIND_IMMEDIATE,   /* I */
    GVM__KIND_CONSTANT,    /* K */
    GVM__KIND_ACCUMULATOR, /* A */
    GVM__KIND_PINNED,      /* P; as a destination its slot as well */
    GVM__KIND_BOTH,        /* B: slot and accumulator */
    GVM__KIND_COUNT,
};

/* Where a branch goes; ORDER TARGET: the letters of generate.c. */
enum gvm__target {
    GVM__TARGET_FORWARD, /* T: to the address in the cell */
    GVM__TARGET_LOOP,    /* L: back to the loop's head in the cell */
    GVM__TARGET_HEAD,    /* H: back to the head in the register */
    GVM__TARGET_COUNT,
};

/* Forms of address, in the order of ops.inc; a step is two operations. */
enum gvm__address {
    GVM__ADDRESS_BASE,    /* a + I0, which may be more than 32 bits */
    GVM__ADDRESS_WRAPPED, /* a + I0 in 32 bits */
    GVM__ADDRESS_AT,      /* I0 */
    GVM__ADDRESS_INDEXED, /* a + b in 32 bits, + I0 */
    GVM__ADDRESS_SCALED,  /* a + b * size in 32 bits, + I0 */
};

enum gvm__op_flag {
    GVM__OP_COMMUTES = 1,  /* a and b may be swapped */
    GVM__OP_COMPARES = 2,  /* the branch on it is the next op */
    GVM__OP_BRANCHES = 4,  /* has a target of any kind */
    GVM__OP_CONTROL = 8,   /* does not simply go on to the next cell */
    GVM__OP_ACCESSES = 16, /* touches memory; + 1 is the checked one */
    GVM__OP_TABLE = 32,    /* targets follow the cell */
    GVM__OP_LOOPS = 64,    /* has a target, back to a loop's head */
    GVM__OP_UPDATES = 128, /* writes its first source */
};

enum gvm__op {
#define GVM__OP_ROW(name, sources, destination, immediates, words, flags, \
                    ...)                                                  \
    GVM__OP_##name,
#define OP(...) GVM__OP_ROW(__VA_ARGS__)
#include "vm/ops.inc"
#undef OP
#undef GVM__OP_ROW
    GVM__OP_COUNT
};

/* Registers come in classes: integers, f64, f32. */
enum gvm__class {
    GVM__CLASS_INTEGER,
    GVM__CLASS_F64,
    GVM__CLASS_F32,
    GVM__CLASS_COUNT, /* of what is no operand */
};
#define GVM__CLASS_OF(type)                \
    ((type) == 'd'   ? GVM__CLASS_F64      \
     : (type) == 'f' ? GVM__CLASS_F32      \
     : (type) == '-' ? GVM__CLASS_COUNT    \
                     : GVM__CLASS_INTEGER)

/* What generate.c knows of an operation. */
struct gvm__op_info {
    const char *name;
    uint16_t first_handler;
    uint8_t flags;
    uint8_t source_count;
    uint8_t source_kinds[GVM__SOURCES_MAX]; /* bits 1 << kind */
    char source_types[GVM__SOURCES_MAX];    /* w x f d */
    uint8_t destination_kinds;              /* 0: no result */
    char destination_type;
    uint8_t immediate_count;
    uint8_t word_count;
    uint8_t target_kinds; /* bits 1 << target; 0: none */
    uint8_t source_classes[GVM__SOURCES_MAX];
    uint8_t destination_class;
    /* What an operand's kind adds to `first_handler`. */
    uint16_t source_offsets[GVM__SOURCES_MAX][GVM__KIND_COUNT];
    uint16_t destination_offsets[GVM__KIND_COUNT];
    uint16_t target_offsets[GVM__TARGET_COUNT];
};

/* An offset of these is no handler's number, whatever is added. */
#define GVM__NOT_ALLOWED 0x2000u

extern const struct gvm__op_info gvm__ops[GVM__OP_COUNT];

/* The names of single handlers by number, for dumps: "i32_add_SIS". The
 * numbers of pairs follow. */
extern const char *const gvm__handler_names[];
extern const uint16_t gvm__handler_count;

/* Where the cell of a single handler has what, in bytes from its start. */
struct gvm__layout {
    uint8_t immediates;
    uint8_t words;
    uint8_t size;
};

extern const struct gvm__layout gvm__handler_layouts[];
/* What the first word of a cell is (run.c). */
uint64_t gvm__handler_word(uint16_t handler);

/*
 * The number of the handler for operands of these kinds: they are numbered
 * as digits, each source, then the destination, then the target counting
 * through the kinds that its row allows. False where a kind is not allowed.
 * Where there is no such operand, its kind does not matter.
 */
bool gvm__op_handler(enum gvm__op op,
                     const uint8_t source_kinds[GVM__SOURCES_MAX],
                     enum gvm__kind destination_kind,
                     enum gvm__target target, uint16_t *handler);
/* The handler of an operation that has no variants. */
uint16_t gvm__op_only_handler(enum gvm__op op);

/* The handler that does both, or GVM__NO_HANDLER where none was made. */
#define GVM__NO_HANDLER UINT16_MAX
uint16_t gvm__op_pair(uint16_t first, uint16_t second);
/* What a pair consists of; false: the handler is a single one. */
bool gvm__op_halves(uint16_t handler, uint16_t *first, uint16_t *second);
extern const uint16_t gvm__pair_count;

#endif
