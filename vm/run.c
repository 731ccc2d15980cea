/*
 * run.c - the handlers, and the loop around them.
 *
 * handlers_made.inc holds one handler for every operation and combination of
 * operand kinds (generate.c). With sibling calls each is a function that
 * ends in a jump to the next; with GVM_SWITCH_LOOP each is a case of the
 * switch in run_handlers. gvm__run is what others see: it arms the guard
 * pages and hands out fuel in slices, so that a call looks up at least every
 * GVM_INTERRUPT_FUEL units.
 */
#include "vm/handlers.h"

#include <assert.h>

#include "vm/guard.h"
#include "vm/ops.h"

#ifdef GVM_SWITCH_LOOP

enum {
#define HANDLER_NAME(name) HANDLER_##name,
#include "names_made.inc"
#undef HANDLER_NAME
};

uint64_t
gvm__handler_word(uint16_t handler)
{
    return handler;
}

static enum gvm__exit
run_handlers(struct gvm_call *call)
{
    const uint8_t *pc;
    uint64_t *fp;
    uint8_t *mem;
    struct gvm_instance *inst;
    int64_t fuel;
    enum gvm__exit exit_;

    RESTORE(call);
dispatch:
    STORE_PC();
    switch (WORD_AT(0)) {
#include "handlers_made.inc"
    default:
        __builtin_unreachable();
    }
leave:
    SAVE(inst->call);
    return exit_;
}

#else

static inline __attribute__((always_inline)) void
store_registers(REGISTERS)
{
    (void)mem;
    SAVE(inst->call);
}

static COLD enum gvm__exit
leave_EXHAUSTED(REGISTERS)
{
    store_registers(ARGUMENTS);
    return GVM__EXIT_EXHAUSTED;
}

static COLD enum gvm__exit
leave_FUEL(REGISTERS)
{
    store_registers(ARGUMENTS);
    return GVM__EXIT_FUEL;
}

#define TRAP_FUNCTION(name, text)                                        \
    static COLD __attribute__((unused)) enum gvm__exit trap_##name(      \
        REGISTERS)                                                       \
    {                                                                    \
        store_registers(ARGUMENTS);                                      \
        inst->call->trap = GVM_TRAP_##name;                              \
        return GVM__EXIT_TRAP;                                           \
    }
GVM_TRAP_MAP(TRAP_FUNCTION)
#undef TRAP_FUNCTION

#include "handlers_made.inc"

static handler_function *const handlers[] = {
#define HANDLER_NAME(name) handle_##name,
#include "names_made.inc"
#undef HANDLER_NAME
};

uint64_t
gvm__handler_word(uint16_t handler)
{
    return (uint64_t)(uintptr_t)handlers[handler];
}

static enum gvm__exit
run_handlers(struct gvm_call *call)
{
    const uint8_t *pc;
    uint64_t *fp;
    uint8_t *mem;
    struct gvm_instance *inst;
    int64_t fuel;

    RESTORE(call);
    return (*(handler_function *const *)(const void *)pc)(ARGUMENTS);
}

#endif

/* As run_handlers; an access that the MMU refused becomes a trap. */
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
        exit = run_handlers(call);
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
        exit = guarded ? run_guarded(call) : run_handlers(call);
    }
    return exit;
}
