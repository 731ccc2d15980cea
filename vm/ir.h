/*
 * ir.h - a function between its instructions and its cells.
 *
 * A list of operations whose operands have a place: a slot of the frame or a
 * constant. translate.c appends to it and re-aims what it appended last;
 * encode.c turns it into cells. Labels are entries of the list (GVM__IR_LABEL).
 */
#ifndef GLASS_VM_IR_H
#define GLASS_VM_IR_H

#include <assert.h>
#include <stddef.h>

#include "vm/code.h"
#include "vm/ops.h"

#define GVM__IR_LABEL ((uint16_t)GVM__OP_COUNT)
#define GVM__NO_LABEL UINT32_MAX

/* A line of the cache: translating is walking over these. */
struct gvm__ir {
    uint16_t op; /* enum gvm__op or GVM__IR_LABEL */
    uint8_t kinds[GVM__SOURCES_MAX];
    uint8_t to_kind; /* GVM__KIND_NONE: no result */
    uint8_t target;  /* enum gvm__target, of a branch */
    uint8_t depth;   /* loops around it, up to 255 */
    uint64_t sources[GVM__SOURCES_MAX]; /* slot or value, by kind */
    union {
        uint32_t immediates[4];
        struct { /* no operation has more immediates and one of these */
            uint32_t first_immediates[2];
            union {
                uint64_t word;
                /* Of `immediates[0]` + 1 labels in `table`. */
                uint32_t table_first;
            };
        };
    };
    uint32_t to;
    uint32_t label;       /* its own, or where it branches to */
    uint32_t insn_offset; /* from the start of the body */
    union {
        uint16_t dies; /* bit n: source n is a local that is not read again */
        uint16_t handler; /* once it is chosen: the operation's own, */
    };
    uint16_t entry; /* and the one in the cell, which may be a pair */
};
static_assert(sizeof(struct gvm__ir) == 64, "it is a line of the cache");

struct gvm__ir_list {
    struct gvm__ir *irs;
    uint32_t count;
    uint32_t capacity;
    /* Nothing before this may be changed any more: a label follows it. */
    uint32_t barrier;
    uint32_t label_count;
    uint32_t *table;
    uint32_t table_count;
    uint32_t table_capacity;
    uint32_t insn_offset; /* of what is appended, as is the depth */
    uint8_t depth;
    /* Set when memory ran out; appending is harmless from then on. */
    bool failed;
    struct gvm__ir spare;
};

/* Makes room for about so many operations, if there is memory. */
void gvm__ir_reserve(struct gvm__ir_list *list, uint32_t count);
/* Appends an operation without operands; never NULL. */
struct gvm__ir *gvm__ir_append(struct gvm__ir_list *list, enum gvm__op op);
/* The last operation if it may still be changed, else NULL. */
struct gvm__ir *gvm__ir_last(struct gvm__ir_list *list);
uint32_t gvm__ir_new_label(struct gvm__ir_list *list);
void gvm__ir_place_label(struct gvm__ir_list *list, uint32_t label);
void gvm__ir_append_table(struct gvm__ir_list *list, uint32_t label);
void gvm__ir_free(struct gvm__ir_list *list);

/* Takes operation `index` out of the list. */
void gvm__ir_remove(struct gvm__ir_list *list, uint32_t index);
/* Whether there are handlers whose source `i` is of this kind, or whose
 * result, or target. Kinds combine freely. */
static inline bool
gvm__ir_takes(const struct gvm__ir *ir, unsigned i, enum gvm__kind kind)
{
    return gvm__ops[ir->op].source_kinds[i] >> kind & 1;
}

static inline bool
gvm__ir_gives(const struct gvm__ir *ir, enum gvm__kind kind)
{
    return gvm__ops[ir->op].destination_kinds >> kind & 1;
}

static inline bool
gvm__ir_goes(const struct gvm__ir *ir, enum gvm__target target)
{
    return gvm__ops[ir->op].target_kinds >> target & 1;
}

/* The handler for the operands as they are, which there has to be. */
uint16_t gvm__ir_find_handler(const struct gvm__ir *ir);
/* The slot that it writes, or GVM__NO_SLOT. */
#define GVM__NO_SLOT UINT32_MAX
static inline uint32_t
gvm__ir_written(const struct gvm__ir *ir)
{
    if (ir->op == GVM__IR_LABEL)
        return GVM__NO_SLOT;
    if (gvm__ops[ir->op].flags & GVM__OP_UPDATES)
        return (uint32_t)ir->sources[0];
    if (ir->to_kind == GVM__KIND_NONE ||
        ir->to_kind == GVM__KIND_ACCUMULATOR)
        return GVM__NO_SLOT;
    return ir->to;
}

/* Whether source `i` is in the slot and of the class. */
static inline bool
gvm__ir_reads(const struct gvm__ir *ir, unsigned i, uint32_t slot,
              unsigned class)
{
    return ir->kinds[i] == GVM__KIND_SLOT && ir->sources[i] == slot &&
           gvm__ops[ir->op].source_classes[i] == class;
}

/*
 * The passes, in this order; each leaves the list right by itself, and each
 * can be left out. `base` is the lowest slot of operands: below are locals.
 *
 * pin.c: keeps the busiest f64 local in a register.
 * `zeroed` has a bit for each slot below base that is zeroed at the start.
 */
void gvm__pin(struct gvm__ir_list *list, uint32_t base,
              uint32_t parameter_count, const uint8_t *local_types,
              const uint8_t *zeroed);
/* live.c: notes which sources die; false: it could not, and what it noted
 * is worth nothing. */
bool gvm__live(struct gvm__ir_list *list, uint32_t base);
/* accumulate.c: passes results on in the accumulators. */
void gvm__accumulate(struct gvm__ir_list *list, uint32_t base);

/* fuse.c: chooses the handlers, for two operations at once where it can.
 * Always the last pass, since the encoding needs them. */
void gvm__fuse(struct gvm__ir_list *list, bool fusion);

/*
 * encode.c: makes code of the list. GVM_OK or GVM_NO_MEMORY.
 */
enum gvm_status gvm__encode(const struct gvm__ir_list *list,
                            struct gvm__function *function,
                            struct gvm__code **code);

#endif
