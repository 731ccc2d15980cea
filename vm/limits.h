/*
 * limits.h - every limit of the engine, by name.
 *
 * Reaching one is a status (GVM_LIMIT, GVM_EXHAUSTED or a trap), never a
 * crash. Installed beside vm.h as glass/vm/limits.h.
 */
#ifndef GLASS_VM_LIMITS_H
#define GLASS_VM_LIMITS_H

/* Bytes of one module. */
#define GVM_MODULE_BYTES_MAX (128u << 20)
/* Functions, types, imports, exports, globals: of each. */
#define GVM_ITEMS_MAX 1000000u
#define GVM_TABLES_MAX 100u
#define GVM_MEMORIES_MAX 1u
/* Element segments and data segments: of each. */
#define GVM_SEGMENTS_MAX 100000u
/* Entries of all element segments of one module together. */
#define GVM_ELEMENT_ENTRIES_MAX 10000000u
#define GVM_NAME_BYTES_MAX 100000u
#define GVM_BODY_BYTES_MAX 7654321u
#define GVM_LOCALS_MAX 50000u
#define GVM_PARAMETERS_MAX 1000u
#define GVM_RESULTS_MAX 1000u
#define GVM_BR_TABLE_MAX 65520u
#define GVM_NESTING_MAX 10000u
/* Larger bodies are translated when the module is loaded, not at the first
 * call. */
#define GVM_LAZY_BODY_BYTES_MAX 65536u
/* Slots of one frame: parameters, locals, operands at their highest, and
 * GVM_FRAME_SLOTS_RESERVED of the engine's own. A function that could need
 * more is refused. */
#define GVM_FRAME_SLOTS_MAX 65535u
#define GVM_FRAME_SLOTS_RESERVED 18u
/* Entries that one table may have. */
#define GVM_TABLE_ENTRIES_MAX 10000000u
/* Pages of 64 KiB that a 32-bit memory may have. */
#define GVM_MEMORY_PAGES_MAX 65536u

/* A store's totals, unless its options say otherwise. */
#define GVM_STORE_MEMORY_BYTES_MAX (256ull << 20)
#define GVM_STORE_TABLE_ENTRIES_MAX 100000u
/* Bounds the depth of calls: a frame takes at least 16 bytes. */
#define GVM_VALUE_STACK_BYTES (8u << 20)
/* What a call that waits for its next use keeps of it (gvm_call_trim). */
#define GVM_VALUE_STACK_KEPT_BYTES 65536u

/* Bytes that an instance made from a snapshot keeps as pages of its own from
 * one reset to the next; the rest goes back to the kernel. */
#define GVM_RESET_KEPT_BYTES_MAX (1u << 20)

/* The most fuel that is spent between two looks at gvm_call_interrupt. */
#define GVM_INTERRUPT_FUEL 100000u

/* Address space of one guarded memory: 4 GiB and room for offsets. */
#define GVM_GUARD_OFFSET_BYTES (32ull << 20)
#define GVM_GUARD_RESERVATION_BYTES ((4ull << 30) + GVM_GUARD_OFFSET_BYTES)

#endif
