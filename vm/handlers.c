/*
 * handlers.c - the handlers.
 *
 * handlers_made.inc holds one handler for every operation and combination of
 * operand kinds (generate.c), and pairs of them (generate_pairs.c). With
 * sibling calls each is a function that ends in a jump to the next; with
 * GVM_SWITCH_LOOP each is a case of the switch in gvm__run_handlers.
 *
 * They are many, so the build compiles this file GVM_HANDLERS_PARTS times
 * more, each time with every so manieth row (GVM_HANDLERS_PART).
 *
 * With gcc this file is compiled with registers for its own use that other
 * code expects to be preserved (CMakeLists.txt). So nothing here may be
 * called but gvm__run_handlers, and that only by run.c, which preserves
 * them.
 */
#include "vm/handlers.h"

#include "vm/ops.h"

#ifdef GVM_SWITCH_LOOP

enum {
#define HANDLER_NAME(name) HANDLER_##name,
#include "names_made.inc"
#undef HANDLER_NAME
};

enum gvm__exit
gvm__run_handlers(struct gvm_call *call)
{
    const uint8_t *pc;
    uint64_t *fp;
    uint8_t *mem;
    struct gvm_instance *inst;
    const uint8_t *head;
    int64_t fuel;
    enum gvm__exit exit_;

    RESTORE(call);
dispatch:
    STORE_PC();
    switch (WORD_AT(0)) {
#define HANDLERS_HERE(row) 1
#include "handlers_made.inc"
    default:
        __builtin_unreachable();
    }
leave:
    SAVE(inst->call);
    return exit_;
}

#elif defined(GVM_HANDLERS_PART)

static inline __attribute__((always_inline)) void
store_registers(REGISTERS)
{
    (void)mem, (void)acc, (void)facc, (void)facc32;
    SAVE(inst->call);
}

static COLD enum gvm__exit
leave_EXHAUSTED(REGISTERS)
{
    store_registers(ARGUMENTS);
    return GVM__EXIT_EXHAUSTED;
}

static COLD enum gvm__exit
leave_unpaid_0(REGISTERS)
{
    UNPAID(0)
}

static COLD enum gvm__exit
leave_unpaid_1(REGISTERS)
{
    UNPAID(1)
}

static COLD enum gvm__exit
refund_at_pc(REGISTERS)
{
    REFUND
}

static COLD enum gvm__exit
refund_at_head(REGISTERS)
{
    pc = head - LOOP_CELL_BYTES;
    REFUND
}

#define TRAP_FUNCTION(name, text)                                        \
    static COLD enum gvm__exit trap_##name(                              \
        REGISTERS)                                                       \
    {                                                                    \
        store_registers(ARGUMENTS);                                      \
        inst->call->trap = GVM_TRAP_##name;                              \
        return GVM__EXIT_TRAP;                                           \
    }
GVM_TRAP_MAP(TRAP_FUNCTION)
#undef TRAP_FUNCTION

#define HANDLERS_HERE(row) ((row) % GVM_HANDLERS_PARTS == GVM_HANDLERS_PART)
#include "handlers_made.inc"

#else

#define HANDLER_NAME(name) extern handler_function gvm__handle_##name;
#define HANDLER_PAIR(name, first, second) HANDLER_NAME(name)
#include "names_made.inc"
#include "pairs_made.inc"
#undef HANDLER_NAME

/* By number: pairs come behind all others. */
void *const gvm__handlers[] = {
#define HANDLER_NAME(name) (void *)gvm__handle_##name,
#include "names_made.inc"
#include "pairs_made.inc"
#undef HANDLER_NAME
#undef HANDLER_PAIR
};

enum gvm__exit
gvm__run_handlers(struct gvm_call *call)
{
    const uint8_t *pc;
    uint64_t *fp;
    uint8_t *mem;
    const uint8_t *head;
    uint64_t acc = 0;
    double facc = 0, fpin;
    float facc32 = 0;
#ifdef GVM__PASSES_ALL
    struct gvm_instance *inst;
    int64_t fuel;
#else
    uint64_t rcx = 0;
#endif

    RESTORE(call);
    return (*(handler_function *const *)(const void *)pc)(ARGUMENTS);
}

#endif
