/*
 * call.h - one invocation in progress, as plain data.
 *
 * While handlers run, pc, frame, instance and fuel live in their arguments;
 * whenever control leaves them (slow paths included) they are stored here,
 * and that is all there is to a call besides its value stack. So suspending
 * is leaving, and resuming is running again.
 *
 * A frame, from `fp` upwards: parameters, two links (where to go on, the
 * caller's fp), locals, operands by stack height. A callee's parameters are
 * the caller's topmost operands, and its results take their place.
 */
#ifndef GLASS_VM_CALL_H
#define GLASS_VM_CALL_H

#include "vm/instance.h"

/* Slots between a frame's parameters and its locals. */
#define GVM__LINK_SLOTS 2

/*
 * Slots below the frame of a callee that belongs to another instance: the
 * caller's instance, where to go on, the caller's fp, the number of results.
 */
#define GVM__BRIDGE_SLOTS 4

/* Bytes that a bulk operation does between two looks at the fuel, and what
 * a unit of fuel pays for. */
#define GVM__BULK_PIECE_BYTES 65536u
#define GVM__BULK_BYTES_PER_FUEL 64u
#define GVM__BULK_ENTRIES_PER_FUEL 8u
/* Locals have to be zeroed: an entry into a function that has thousands
 * would cost next to nothing without this. */
#define GVM__LOCALS_PER_FUEL 64u

/* Why the handlers were left. */
enum gvm__exit {
    GVM__EXIT_NONE,
    GVM__EXIT_HALTED,
    GVM__EXIT_TRAP, /* call->trap says which */
    GVM__EXIT_EXHAUSTED,
    GVM__EXIT_FUEL, /* call->fuel_needed more */
    GVM__EXIT_HOST,
    GVM__EXIT_EXITED,
    GVM__EXIT_NO_MEMORY,
};

struct gvm_call {
    const uint8_t *pc;
    uint64_t *fp;
    struct gvm_instance *instance;
    int64_t fuel;         /* what the handlers may spend before they look */
    uint64_t fuel_needed; /* by the charge that failed */
    uint64_t fuel_reserve;
    const uint8_t *head;
    double fpin;

    /* What slow paths are told: the function to call, its frame's start,
     * and the cell behind the calling one. */
    struct gvm_func *callee;
    uint64_t *callee_frame;
    const uint8_t *next;

    struct gvm_func *func; /* the one that was started */
    struct gvm_store *store;
    uint64_t *stack;
    uint64_t *stack_limit; /* frames must end at or below it */
    size_t stack_bytes;
    void *data;
    enum gvm_trap trap;
    enum gvm_suspension suspension;
    bool suspended;
    atomic_bool interrupted;
    bool host_message; /* gvm_call_trap was called */
    char message[192];
    /* The runner's guard frame, to be paused while the host runs. */
    struct gvm__guard_frame *guard;

    /* Cells that frames of this call return to. */
    uint64_t start_cell[1];
    uint64_t halt_cell[1];
    uint64_t bridge_cell[1];
    /* The caller of the bottom frame: an instance of nothing. */
    struct gvm_instance root;
    struct gvm_memory *root_memory;
};

/* handlers.c: runs handlers until one leaves. Only run.c may call it. */
enum gvm__exit gvm__run_handlers(struct gvm_call *call);
/* handlers.c: by number; not in a switch loop. */
extern void *const gvm__handlers[];
/* run.c: runs from call->pc until something makes it leave. */
enum gvm__exit gvm__run(struct gvm_call *call);

/* Makes `instance` the one whose code the call runs. */
static inline void
gvm__call_enter(struct gvm_call *call, struct gvm_instance *instance)
{
    instance->call = call;
    instance->stack_limit = call->stack_limit;
    call->instance = instance;
}

#endif
