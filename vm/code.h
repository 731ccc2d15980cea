/*
 * code.h - translated functions: where they live and how they are found.
 *
 * Code belongs to the module. It lies in chunks that only grow; a function's
 * *code* is a header, its cells, and a map from cells to places in the
 * module's bytes. Once published (a release store into the function's
 * `entry`) it never changes. Two threads may translate the same function;
 * the first to publish wins, and the other's work is left unused.
 */
#ifndef GLASS_VM_CODE_H
#define GLASS_VM_CODE_H

#include "vm/module.h"

/* Where a cell comes from: both count from the start of what they are in. */
struct gvm__place {
    uint32_t cell_offset;
    uint32_t insn_offset;
};

struct gvm__code {
    uint32_t size_bytes; /* with header and places; to the next code */
    uint32_t cells_bytes;
    uint32_t place_count;
    uint32_t function; /* index in module->functions */
    uint64_t cells[];  /* then: struct gvm__place places[place_count] */
};

/*
 * Room for code with `cells_bytes` bytes of cells, its header filled in;
 * NULL when there is no memory. Thread-safe.
 */
struct gvm__code *gvm__code_allocate(struct gvm__function *function,
                                     uint32_t cells_bytes,
                                     uint32_t place_count);
struct gvm__place *gvm__code_places(struct gvm__code *code);
/* Makes the code the function's, unless it has some already. */
void gvm__code_publish(struct gvm__function *function,
                       struct gvm__code *code);

/* The function whose `lazy` cell this is. */
struct gvm__function *gvm__code_function(const uint8_t *lazy);
/* Translates and publishes. GVM_OK, GVM_NO_MEMORY or GVM_LIMIT. */
enum gvm_status gvm__code_translate(struct gvm__function *function);

/*
 * The function and the offset in the module of the instruction that the cell
 * at `pc` was made from. False when `pc` is in no code of the module.
 */
bool gvm__code_locate(struct gvm_module *module, const uint8_t *pc,
                      uint32_t *function, uint64_t *offset);

#endif
