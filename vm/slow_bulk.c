/*
 * slow_bulk.c - operations on ranges of memories and tables.
 *
 * Their operands are three consecutive slots. The bytes of memory.fill, copy
 * and init are done in pieces, each paid for with fuel; what is left stands
 * in the slots again after every piece, so that the call can be suspended
 * there and go on later. Bounds are checked for the whole range before the
 * first piece, and hold for what is left at every later look.
 */
#include "vm/slow.h"

#include <string.h>

/* Sizes of the cells, by the packing rule of ops.h. */
enum {
    CELL_BYTES_1 = 16, /* one immediate or two */
    CELL_BYTES_3 = 24,
};

static uint32_t
immediate(const struct gvm_call *call, unsigned index)
{
    uint32_t value;

    memcpy(&value, call->pc + 8 + 4 * index, sizeof value);
    return value;
}

/* Takes the fuel, or says in the call how much is needed. */
static bool
charge(struct gvm_call *call, uint64_t cost)
{
    if (call->instance->module->fuel_off)
        return true;
    if (call->fuel >= (int64_t)cost) {
        call->fuel -= (int64_t)cost;
        return true;
    }
    call->fuel_needed = cost;
    return false;
}

/* The cost of a piece, which is what is left up to a maximum. */
static bool
charge_piece(struct gvm_call *call, uint32_t left_bytes,
             uint32_t *piece_bytes)
{
    *piece_bytes = left_bytes < GVM__BULK_PIECE_BYTES
                       ? left_bytes
                       : GVM__BULK_PIECE_BYTES;
    return charge(call, *piece_bytes / GVM__BULK_BYTES_PER_FUEL);
}

static enum gvm__exit
trap(struct gvm_call *call, enum gvm_trap kind)
{
    call->trap = kind;
    return GVM__EXIT_TRAP;
}

static enum gvm__exit
done(struct gvm_call *call, size_t cell_bytes)
{
    call->pc += cell_bytes;
    return GVM__EXIT_NONE;
}

/*
 * Whether the operation's target, at slot 0 and as long as slot 2, is inside
 * and writable. The MMU would refuse as well, but not before some is written,
 * nor in a place from which a call can go on.
 */
static bool
may_write(const struct gvm_memory *memory, const uint64_t *operands)
{
    uint64_t to = (uint32_t)operands[0], count = (uint32_t)operands[2];

    return to + count <= gvm_memory_size_bytes(memory) &&
           gvm_mapping_permits_write(memory, to, count);
}

enum gvm__exit
gvm__slow_memory_fill(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_memory *memory = call->instance->memories[0];
    uint32_t piece;

    if (!may_write(memory, operands))
        return trap(call, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    while ((uint32_t)operands[2] > 0) {
        if (!charge_piece(call, (uint32_t)operands[2], &piece))
            return GVM__EXIT_FUEL;
        memset(memory->data + (uint32_t)operands[0],
               (uint8_t)operands[1], piece);
        operands[0] += piece;
        operands[2] -= piece;
    }
    return done(call, CELL_BYTES_1);
}

/* Overlapping ranges: from whichever end does not overwrite the source. */
enum gvm__exit
gvm__slow_memory_copy(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_memory *memory = call->instance->memories[0];
    uint64_t size = gvm_memory_size_bytes(memory);
    uint32_t to, from, piece;

    if (!may_write(memory, operands) ||
        (uint64_t)(uint32_t)operands[1] + (uint32_t)operands[2] > size)
        return trap(call, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    while ((uint32_t)operands[2] > 0) {
        if (!charge_piece(call, (uint32_t)operands[2], &piece))
            return GVM__EXIT_FUEL;
        to = (uint32_t)operands[0];
        from = (uint32_t)operands[1];
        operands[2] -= piece;
        if (to > from) {
            to += (uint32_t)operands[2];
            from += (uint32_t)operands[2];
        } else {
            operands[0] += piece;
            operands[1] += piece;
        }
        memmove(memory->data + to, memory->data + from, piece);
    }
    return done(call, CELL_BYTES_1);
}

/* A dropped segment has no bytes. */
static uint64_t
segment_bytes(const struct gvm_instance *instance, uint32_t data)
{
    if (gvm__bits_has(instance->datas_dropped, data))
        return 0;
    return instance->module->datas[data].length_bytes;
}

/* I1: the segment. */
enum gvm__exit
gvm__slow_memory_init(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_memory *memory = call->instance->memories[0];
    uint32_t data = immediate(call, 1);
    const uint8_t *bytes = call->instance->module->datas[data].bytes;
    uint32_t piece;

    if (!may_write(memory, operands) ||
        (uint64_t)(uint32_t)operands[1] + (uint32_t)operands[2] >
            segment_bytes(call->instance, data))
        return trap(call, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    while ((uint32_t)operands[2] > 0) {
        if (!charge_piece(call, (uint32_t)operands[2], &piece))
            return GVM__EXIT_FUEL;
        memcpy(memory->data + (uint32_t)operands[0],
               bytes + (uint32_t)operands[1], piece);
        operands[0] += piece;
        operands[1] += piece;
        operands[2] -= piece;
    }
    return done(call, CELL_BYTES_1);
}

/* Tables are small beside memories: all of it is paid for first. */
static bool
charge_entries(struct gvm_call *call, uint32_t count)
{
    return charge(call, count / GVM__BULK_ENTRIES_PER_FUEL);
}

/* I1: the table. Slots: value, count; the result replaces the value. */
enum gvm__exit
gvm__slow_table_grow(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_table *table =
        call->instance->tables[immediate(call, 1)];
    union gvm_value value = {.slot = operands[0]};
    uint32_t count = (uint32_t)operands[1];
    int64_t before;

    /* What cannot be had costs nothing. */
    if (count <= GVM_TABLE_ENTRIES_MAX && !charge_entries(call, count))
        return GVM__EXIT_FUEL;
    before = gvm__table_grow(table, count, value);
    operands[0] = (uint32_t)before;
    return done(call, CELL_BYTES_1);
}

/* I1: the table. Slots: index, value, count. */
enum gvm__exit
gvm__slow_table_fill(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_table *table =
        call->instance->tables[immediate(call, 1)];
    union gvm_value value = {.slot = operands[1]};
    uint32_t count = (uint32_t)operands[2];
    enum gvm_trap kind;

    if (count <= table->size && !charge_entries(call, count))
        return GVM__EXIT_FUEL;
    kind = gvm__table_fill(table, (uint32_t)operands[0], value, count);
    if (kind != GVM_TRAP_NONE)
        return trap(call, kind);
    return done(call, CELL_BYTES_1);
}

/* I1, I2: tables to and from. Slots: to, from, count. */
enum gvm__exit
gvm__slow_table_copy(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    struct gvm_table *to = call->instance->tables[immediate(call, 1)];
    struct gvm_table *from = call->instance->tables[immediate(call, 2)];
    uint32_t count = (uint32_t)operands[2];
    enum gvm_trap kind;

    if (count <= to->size && !charge_entries(call, count))
        return GVM__EXIT_FUEL;
    kind = gvm__table_copy(to, from, (uint32_t)operands[0],
                           (uint32_t)operands[1], count);
    if (kind != GVM_TRAP_NONE)
        return trap(call, kind);
    return done(call, CELL_BYTES_3);
}

/* I1: the table, I2: the segment. Slots: to, from, count. */
enum gvm__exit
gvm__slow_table_init(struct gvm_call *call)
{
    uint64_t *operands = call->fp + immediate(call, 0);
    uint32_t table = immediate(call, 1);
    uint32_t element = immediate(call, 2);
    uint32_t count = (uint32_t)operands[2];
    enum gvm_trap kind;

    if (count <= call->instance->tables[table]->size &&
        !charge_entries(call, count))
        return GVM__EXIT_FUEL;
    kind = gvm__table_init(call->instance, table, element,
                           (uint32_t)operands[0], (uint32_t)operands[1],
                           count);
    if (kind != GVM_TRAP_NONE)
        return trap(call, kind);
    return done(call, CELL_BYTES_3);
}
