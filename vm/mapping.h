/*
 * mapping.h - what files are mapped into a memory made from an image, for the
 * others of the engine. See vm_mapping.h.
 */
#ifndef GLASS_VM_MAPPING_H
#define GLASS_VM_MAPPING_H

#include "vm/vm.h"

/* A part of a memory that a file is mapped into, or was since the reset. */
struct gvm__mapping {
    uint64_t page; /* of WebAssembly */
    uint64_t page_count;
    bool is_hole; /* no file any more; pages of the memory's own */
    bool writable;
    struct gvm__mapping *next; /* behind it in the memory */
};

/* Whether there is a file in the memory. */
bool gvm__mapping_is_any(const struct gvm_memory *memory);

/* Takes all of them away. GVM_NO_MEMORY: some are still there. */
enum gvm_status gvm__mapping_clear(struct gvm_memory *memory);

/* Frees the list; the memory itself is going. */
void gvm__mapping_forget(struct gvm__mapping *first);

#endif
