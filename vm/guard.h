/*
 * guard.h - guest accesses beyond a memory, caught by the MMU.
 *
 * A memory with guard pages reserves more address space than any 32-bit
 * index and small offset can reach, and only its present pages are
 * accessible. Touching another one raises SIGSEGV, which becomes a trap:
 * while a thread runs a guest, a *frame* says where to go on.
 *
 *     frame.store = store;
 *     gvm__guard_enter(&frame);
 *     if (sigsetjmp(frame.env, 0) == 0)
 *         ... run ...
 *     else
 *         ... frame.pc_register, fuel_register, is_bus say what happened ...
 *     gvm__guard_leave(&frame);
 *
 * The sigsetjmp stands in the runner's own function, whose native frame must
 * live until gvm__guard_leave. Between the two nothing may be held that the
 * jump would lose: a lock, an allocation. Frames nest, one per native
 * activation of the runner; they belong to the thread that entered them.
 */
#ifndef GLASS_VM_GUARD_H
#define GLASS_VM_GUARD_H

#include <setjmp.h>

#include "vm/instance.h"

struct gvm__guard_frame {
    sigjmp_buf env;
    /* Faults in reservations of its memories are the guest's. */
    const struct gvm_store *store;
    /* True while a host function runs: a fault is then the host's own
     * mistake, and goes to whoever handled signals before. */
    volatile bool paused;
    /* Set by the handler: the registers of the handlers' pc and fuel, and
     * whether there was no page to be had (SIGBUS) rather than a guard
     * (SIGSEGV). */
    volatile bool is_bus;
    volatile uint64_t pc_register;
    volatile uint64_t fuel_register;
    struct gvm__guard_frame *outer;
};

/* Whether gvm_guard_install has succeeded. Any thread. */
bool gvm__guard_installed(void);

/* Makes the frame this thread's innermost. `store` must be set. */
void gvm__guard_enter(struct gvm__guard_frame *frame);
/* Ends the innermost frame, which must be `frame`. */
void gvm__guard_leave(struct gvm__guard_frame *frame);

#endif
