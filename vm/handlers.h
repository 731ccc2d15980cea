/*
 * handlers.h - the vocabulary in which the bodies of ops.inc are written.
 *
 * It hides two things. Where operands are: SOURCE_<type>_<kind>(offset) and
 * RESULT_<type>_<kind>(value), see ops.h. How one handler goes on to the
 * next: as a function that ends in a call to it, which the compiler turns
 * into a jump, or, with GVM_SWITCH_LOOP, as a case of one big switch (below
 * -O2 there is no such jump, and the native stack would grow).
 *
 * The registers of the machine: pc (the cell), fp (the frame), mem (memory
 * 0), head (the cell behind the innermost loop's head), the accumulators of
 * integers, f64 and f32, the pinned local of f64, inst (the instance) and
 * fuel. The switch loop has neither accumulators nor a pinned local.
 */
#ifndef GLASS_VM_HANDLERS_H
#define GLASS_VM_HANDLERS_H

#include "vm/dispatches.h"
#include "vm/slow.h"
#include "vm/numeric.h"

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)

/* ---- Cells --------------------------------------------------------------- */

#define SLOT_AT(offset) (*(const uint16_t *)(const void *)(pc + (offset)))
#define IMMEDIATE_AT(offset)                                             \
    (*(const uint32_t *)(const void *)(pc + (offset)))
#define WORD_AT(offset) (*(const uint64_t *)(const void *)(pc + (offset)))
#define WORD(offset) WORD_AT(offset)

#define SOURCE_w_S(offset) ((uint32_t)fp[SLOT_AT(offset)])
#define SOURCE_w_I(offset) IMMEDIATE_AT(offset)
#define SOURCE_x_S(offset) fp[SLOT_AT(offset)]
#define SOURCE_x_I(offset) ((uint64_t)(int32_t)IMMEDIATE_AT(offset))
#define SOURCE_x_K(offset) WORD_AT(offset)
#define SOURCE_f_S(offset) f32_from_bits((uint32_t)fp[SLOT_AT(offset)])
#define SOURCE_f_K(offset) f32_from_bits((uint32_t)WORD_AT(offset))
#define SOURCE_d_S(offset) f64_from_bits(fp[SLOT_AT(offset)])
#define SOURCE_d_K(offset) f64_from_bits(WORD_AT(offset))

/* Slots are always written whole: reading 64 bits where 32 were just
 * written would wait for the store to reach the cache. */
#define SOURCE_w_A(offset) ((uint32_t)acc)
#define SOURCE_x_A(offset) acc
#define SOURCE_f_A(offset) facc32
#define SOURCE_d_A(offset) facc
#define SOURCE_d_P(offset) fpin

#define EXTENDED_W(immediate) (immediate)
#define EXTENDED_X(immediate) ((uint64_t)(int32_t)(immediate))

#define RESULT_w_S(value) fp[to] = (uint32_t)(value)
#define RESULT_x_S(value) fp[to] = (uint64_t)(value)
#define RESULT_f_S(value) fp[to] = f32_bits(value)
#define RESULT_d_S(value) fp[to] = f64_bits(value)
#define RESULT_w_A(value) acc = (uint32_t)(value)
#define RESULT_x_A(value) acc = (uint64_t)(value)
#define RESULT_f_A(value) facc32 = (value)
#define RESULT_d_A(value) facc = (value)
#define RESULT_w_B(value) fp[to] = acc = (uint32_t)(value)
#define RESULT_x_B(value) fp[to] = acc = (uint64_t)(value)
#define RESULT_f_B(value) fp[to] = f32_bits(facc32 = (value))
#define RESULT_d_B(value) fp[to] = f64_bits(facc = (value))
#define RESULT_d_P(value) fp[to] = f64_bits(fpin = (value))

/* ---- Memory -------------------------------------------------------------- */

#define MEMORY_BYTES gvm__memory_size(mem)
#define MEMORY_OF(instance) ((instance)->memories[0]->data)

/*
 * Guests may race with each other in what they share, so their accesses are
 * exempt from the thread sanitizer. When an access faults, guard.c finds the
 * cell in the first argument's register: the empty asm around it keeps pc
 * there, and keeps it from moving on before.
 */
#if defined(__SANITIZE_THREAD__)
#define GVM__TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GVM__TSAN 1
#endif
#endif

#define GUEST_TYPES(X)                                                   \
    X(int8_t) X(uint8_t) X(int16_t) X(uint16_t) X(int32_t) X(uint32_t)   \
    X(uint64_t) X(float) X(double)

#ifdef GVM__TSAN
#define GUEST_ATTRIBUTE                                                  \
    __attribute__((noinline, unused, no_sanitize("thread")))
#else
#define GUEST_ATTRIBUTE inline __attribute__((always_inline))
#endif

#define GUEST_ACCESSORS(type)                                            \
    struct guest_##type {                                                \
        type value;                                                      \
    } __attribute__((packed, may_alias));                                \
    static GUEST_ATTRIBUTE type                                          \
        guest_load_##type(const uint8_t *address)                        \
    {                                                                    \
        return ((const struct guest_##type *)(const void *)address)      \
            ->value;                                                     \
    }                                                                    \
    static GUEST_ATTRIBUTE void                                          \
        guest_store_##type(uint8_t *address, type value)                 \
    {                                                                    \
        ((struct guest_##type *)(void *)address)->value = value;         \
    }
GUEST_TYPES(GUEST_ACCESSORS)
#undef GUEST_ACCESSORS

#if defined(__x86_64__) && !defined(GVM_SWITCH_LOOP)
#define HOLD_PC __asm__ volatile("" : "+D"(pc) : : "memory")
#else
#define HOLD_PC ((void)0)
#endif
/* The sum of base and index is the access's own to make, so it is made
 * inside of what holds pc. */
#define GUEST_LOAD(type, base, index)                                    \
    __extension__({                                                      \
        uint64_t index_ = (index);                                       \
        type loaded_;                                                    \
        HOLD_PC;                                                         \
        loaded_ = guest_load_##type((base) + index_);                    \
        HOLD_PC;                                                         \
        loaded_;                                                         \
    })
#define GUEST_STORE(type, base, index, value)                            \
    do {                                                                 \
        uint64_t index_ = (index);                                       \
        HOLD_PC;                                                         \
        guest_store_##type((base) + index_, (type)(value));              \
        HOLD_PC;                                                         \
    } while (0)

/* ---- Going on ------------------------------------------------------------ */

#ifdef GVM_SWITCH_LOOP

#define HANDLER(name) case HANDLER_##name:
#define DISPATCH() goto dispatch
#define LEAVE_WITH(exit)                                                 \
    do {                                                                 \
        exit_ = (exit);                                                  \
        goto leave;                                                      \
    } while (0)
/* A fault is reported from what was stored last. */
#define STORE_PC() (inst->call->pc = pc, inst->call->fuel = fuel)

#else

/*
 * Of the arguments, six integers and eight floats travel in registers. gcc
 * can set two more registers aside; elsewhere the last two are passed in
 * memory, where they stay unless they change. guard.c knows where pc and
 * fuel are.
 */
#if defined(__x86_64__) && !defined(__clang__)
register struct gvm_instance *inst __asm__("r14");
register int64_t fuel __asm__("r15");
/* The fourth is rcx, from which this processor shifts: it is nobody's. */
#define REGISTERS                                                        \
    const uint8_t *pc, uint64_t *fp, uint8_t *mem,                       \
        __attribute__((unused)) uint64_t rcx,                            \
        const uint8_t *head, uint64_t acc, double facc, double fpin,     \
        float facc32
#define ARGUMENTS pc, fp, mem, rcx, head, acc, facc, fpin, facc32
/* Has pc where it is passed on and the rest done, so that stepping is one
 * addition in place; and says that whatever is in rcx will do. */
#define SETTLE                                                           \
    __asm__ volatile("" : "+D"(pc), "=c"(rcx) : : "memory")
#else
#define GVM__PASSES_ALL 1
#define SETTLE HOLD_PC
#define REGISTERS                                                        \
    const uint8_t *pc, uint64_t *fp, uint8_t *mem, const uint8_t *head,  \
        int64_t fuel, uint64_t acc, double facc, double fpin,            \
        float facc32, struct gvm_instance *inst
#define ARGUMENTS                                                        \
    pc, fp, mem, head, fuel, acc, facc, fpin, facc32, inst
#endif

typedef enum gvm__exit handler_function(REGISTERS);

#ifdef __clang__
#define TAIL __attribute__((musttail)) return
#define COLD __attribute__((noinline, cold, unused))
#else
#define TAIL return
/* What the compiler knows of a function that never goes on would turn the
 * jump to it into a call. */
#define COLD __attribute__((noinline, cold, noipa, unused))
#endif

#define HANDLER(name)                                                    \
    handler_function gvm__handle_##name;                                 \
    enum gvm__exit gvm__handle_##name(REGISTERS)
#define DISPATCH()                                                       \
    do {                                                                 \
        SETTLE;                                                          \
        TAIL (*(handler_function *const *)(const void *)pc)(ARGUMENTS);  \
    } while (0)
#define LEAVE_WITH(exit)                                                 \
    do {                                                                 \
        store_registers(ARGUMENTS);                                      \
        return (exit);                                                   \
    } while (0)

#endif

#define NEXT(size)                                                       \
    do {                                                                 \
        pc += (size);                                                    \
        DISPATCH();                                                      \
    } while (0)
#define GOTO(target)                                                     \
    do {                                                                 \
        pc = (const uint8_t *)(uintptr_t)(target);                       \
        DISPATCH();                                                      \
    } while (0)
/* Two jumps, each with a history of its own for the branch predictor: the
 * empty asm keeps the compiler from making one of them. */
#define BRANCH_T_IF(condition)                                           \
    if (condition) {                                                     \
        __asm__ volatile("");                                            \
        BRANCH_T                                                         \
    }                                                                    \
    __asm__ volatile("");
#define BRANCH_L_IF(condition)                                           \
    if (condition) {                                                     \
        __asm__ volatile("");                                            \
        BRANCH_L                                                         \
    }                                                                    \
    __asm__ volatile("");
#define BRANCH_H_IF(condition)                                           \
    if (condition) {                                                     \
        __asm__ volatile("");                                            \
        BRANCH_H                                                         \
    }                                                                    \
    __asm__ volatile("");
/* Target and cost are read where the branch is taken, not before. */
#define BRANCH_T GOTO(WORD_AT(TARGET));
/* Back to a loop pays for it. Without the fuel it goes to the loop's own
 * cell, which tries to charge as well, and leaves: REFUND gives back what
 * that cell says the loop costs. */
#define LOOP_CELL_BYTES 16
#define REFUND                                                           \
    fuel += (int64_t)IMMEDIATE_AT(8);                                    \
    DISPATCH();
#define BRANCH_L                                                         \
    fuel -= (int64_t)IMMEDIATE_AT(COST);                                 \
    pc = (const uint8_t *)(uintptr_t)WORD_AT(TARGET);                    \
    if (unlikely(fuel < 0))                                              \
        REFUND_AT_PC;                                                    \
    NEXT(LOOP_CELL_BYTES);
#define BRANCH_H                                                         \
    fuel -= (int64_t)IMMEDIATE_AT(COST);                                 \
    if (unlikely(fuel < 0))                                              \
        REFUND_AT_HEAD;                                                  \
    pc = head;                                                           \
    DISPATCH();
/* From the first cell of a pair to the second, which may fault: pc has to be
 * there, and is best stepped on where it is. */
#define STEP(size)                                                       \
    do {                                                                 \
        pc += (size);                                                    \
        HOLD_PC;                                                         \
    } while (0)
#define ENTRY_OF(function)                                               \
    (uintptr_t)atomic_load_explicit(&(function)->entry,                  \
                                    memory_order_acquire)

/* ---- Leaving ------------------------------------------------------------- */

#define LEAVE(exit) LEAVE_WITH(GVM__EXIT_##exit);

/* What may be in use when control leaves the handlers at a call, and what
 * besides when it leaves elsewhere. Accumulators never are. */
#define SAVE_CALL(call)                                                  \
    ((call)->pc = pc, (call)->fp = fp, (call)->instance = inst,          \
     (call)->fuel = fuel)
#define RESTORE_CALL(call)                                               \
    (pc = (call)->pc, fp = (call)->fp, inst = (call)->instance,          \
     fuel = (call)->fuel, mem = MEMORY_OF(inst))
#ifdef GVM_SWITCH_LOOP
#define SAVE(call) (SAVE_CALL(call), (call)->head = head)
#define RESTORE(call) (RESTORE_CALL(call), head = (call)->head)
#else
#define SAVE(call)                                                       \
    (SAVE_CALL(call), (call)->head = head, (call)->fpin = fpin)
#define RESTORE(call)                                                    \
    (RESTORE_CALL(call), head = (call)->head, fpin = (call)->fpin)
#endif

/* Runs gvm__slow_<name>(call), which works on the stored registers and leaves
 * there where to go on, unless it returns an exit. */
#define SLOW(name) SLOW_WITH(name, SAVE, RESTORE)
#define SLOW_CALL(name) SLOW_WITH(name, SAVE_CALL, RESTORE_CALL)
#define SLOW_WITH(name, save, restore)                                   \
    {                                                                    \
        struct gvm_call *call_ = inst->call;                             \
        enum gvm__exit slow_;                                            \
        save(call_);                                                     \
        slow_ = gvm__slow_##name(call_);                                 \
        restore(call_);                                                  \
        if (unlikely(slow_ != GVM__EXIT_NONE))                           \
            LEAVE_WITH(slow_);                                           \
        DISPATCH();                                                      \
    }
#define CALL_OBJECT(function_object)                                     \
    {                                                                    \
        inst->call->callee = (function_object);                          \
        inst->call->callee_frame = fp + I0;                              \
        inst->call->next = pc + SIZE;                                    \
        SLOW_CALL(call_object)                                              \
    }

#ifdef GVM_SWITCH_LOOP
#define TRAP(kind)                                                       \
    {                                                                    \
        inst->call->trap = GVM_TRAP_##kind;                              \
        LEAVE_WITH(GVM__EXIT_TRAP);                                      \
    }
#define LEAVE_EXHAUSTED LEAVE_WITH(GVM__EXIT_EXHAUSTED)
#define LEAVE_UNPAID(place)                                              \
    do {                                                                 \
        UNPAID(place)                                                    \
    } while (0)
#define REFUND_AT_PC                                                     \
    do {                                                                 \
        REFUND                                                           \
    } while (0)
#define REFUND_AT_HEAD                                                   \
    do {                                                                 \
        pc = head - LOOP_CELL_BYTES;                                     \
        REFUND                                                           \
    } while (0)
#else
/* As functions, so that handlers keep no register for them. */
#define OUT_OF_LINE(function)                                            \
    do {                                                                 \
        SETTLE;                                                          \
        TAIL function(ARGUMENTS);                                        \
    } while (0)
#define TRAP(kind) OUT_OF_LINE(trap_##kind);
#define LEAVE_EXHAUSTED OUT_OF_LINE(leave_EXHAUSTED)
#define LEAVE_UNPAID(place) OUT_OF_LINE(leave_unpaid_##place)
#define REFUND_AT_PC OUT_OF_LINE(refund_at_pc)
#define REFUND_AT_HEAD OUT_OF_LINE(refund_at_head)
#endif

#define TRAP_IF(condition, kind)                                         \
    if (unlikely(condition))                                             \
        TRAP(kind)
#define EXHAUSTED_IF(condition)                                          \
    if (unlikely(condition))                                             \
        LEAVE_EXHAUSTED;
/* Immediate `place` of the cell is what goes on from here costs. */
#define CHARGE(place)                                                    \
    fuel -= (int64_t)I##place;                                           \
    if (unlikely(fuel < 0))                                              \
        LEAVE_UNPAID(place);
/* Out of line it is read again, and handlers keep no register for it. */
#define UNPAID(place)                                                    \
    inst->call->fuel_needed = IMMEDIATE_AT(8 + 4 * (place));             \
    fuel += (int64_t)inst->call->fuel_needed;                            \
    LEAVE_WITH(GVM__EXIT_FUEL);

#endif
