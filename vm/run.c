/*
 * run.c - the loop around the handlers.
 *
 * Arms the guard pages and hands out fuel in slices, so that a call looks up
 * at least every GVM_INTERRUPT_FUEL units.
 */
#include "vm/call.h"
#include "vm/guard.h"
#include "vm/ops.h"

#ifdef GVM_SWITCH_LOOP
uint64_t
gvm__handler_word(uint16_t handler)
{
    return handler;
}
#else
uint64_t
gvm__handler_word(uint16_t handler)
{
    return (uint64_t)(uintptr_t)gvm__handlers[handler];
}
#endif

/* Runs handlers until one leaves. They use registers that the rest of the
 * world expects to be preserved; naming these here preserves them. */
static enum gvm__exit
enter(struct gvm_call *call)
{
    enum gvm__exit exit = gvm__run_handlers(call);

#if defined(__x86_64__) && !defined(GVM_SWITCH_LOOP)
    __asm__ volatile("" : : : "rbx", "r12", "r13", "r14", "r15", "memory");
#endif
    return exit;
}

/* As enter; an access that the MMU refused becomes a trap. */
static enum gvm__exit
run_guarded(struct gvm_call *call)
{
    struct gvm__guard_frame frame;
    struct gvm__guard_frame *outer = call->guard;
    enum gvm__exit exit;

    frame.store = call->store;
    gvm__guard_enter(&frame);
    call->guard = &frame;
    if (sigsetjmp(frame.env, 0) == 0) {
        exit = enter(call);
    } else {
#ifndef GVM_SWITCH_LOOP
        call->pc = (const uint8_t *)(uintptr_t)frame.pc_register;
        /* A slow path has stored it, and has something else there. */
        if (frame.fuel_register < (uint64_t)call->fuel)
            call->fuel = (int64_t)frame.fuel_register;
#endif
        call->trap = frame.is_bus ? GVM_TRAP_OUT_OF_MEMORY
                                  : GVM_TRAP_MEMORY_OUT_OF_BOUNDS;
        exit = GVM__EXIT_TRAP;
    }
    call->guard = outer;
    gvm__guard_leave(&frame);
    return exit;
}

/* Moves fuel from the reserve to the handlers, at least what they need. */
static bool
refill(struct gvm_call *call)
{
    uint64_t total = call->fuel_reserve + (uint64_t)call->fuel;
    uint64_t slice = GVM_INTERRUPT_FUEL;

    if (call->fuel_needed > slice)
        slice = call->fuel_needed;
    if (slice > total)
        slice = total;
    call->fuel = (int64_t)slice;
    call->fuel_reserve = total - slice;
    return slice >= call->fuel_needed;
}

enum gvm__exit
gvm__run(struct gvm_call *call)
{
    bool guarded =
        gvm__engine_bounds(call->store->engine) == GVM_BOUNDS_GUARD;
    enum gvm__exit exit = GVM__EXIT_FUEL;

    while (exit == GVM__EXIT_FUEL) {
        call->suspension = GVM_SUSPENSION_FUEL;
        if (!refill(call))
            break;
        if (atomic_exchange_explicit(&call->interrupted, false,
                                     memory_order_relaxed)) {
            call->suspension = GVM_SUSPENSION_INTERRUPT;
            break;
        }
        call->fuel_needed = 0;
        exit = guarded ? run_guarded(call) : enter(call);
    }
    return exit;
}
