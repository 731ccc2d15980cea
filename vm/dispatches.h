/*
 * dispatches.h - counts what the handlers do, in builds that ask for it.
 *
 * With GLASS_VM_COUNT_DISPATCHES every handler begins by counting itself, and
 * each of its operations counts the pair that it makes with the one before.
 * The counters are the only globals of the library that change, and there
 * only: they are for one process that measures. Threads that count at once
 * lose some.
 */
#ifndef GLASS_VM_DISPATCHES_H
#define GLASS_VM_DISPATCHES_H

#ifdef GVM_COUNT_DISPATCHES

#include <stdatomic.h>
#include <stdint.h>

#include "vm/ops.h"

extern _Atomic uint64_t gvm__dispatches[];                /* by handler */
extern _Atomic uint64_t gvm__dispatch_pairs[][GVM__OP_COUNT]; /* by ops */
extern _Atomic uint32_t gvm__dispatch_last;               /* op */

static inline void
gvm__dispatch_add(_Atomic uint64_t *counter)
{
    atomic_store_explicit(
        counter, atomic_load_explicit(counter, memory_order_relaxed) + 1,
        memory_order_relaxed);
}

static inline void
gvm__dispatch_operation(uint32_t op)
{
    uint32_t last =
        atomic_load_explicit(&gvm__dispatch_last, memory_order_relaxed);

    gvm__dispatch_add(&gvm__dispatch_pairs[last][op]);
    atomic_store_explicit(&gvm__dispatch_last, op, memory_order_relaxed);
}

#define COUNT_DISPATCH(handler) gvm__dispatch_add(&gvm__dispatches[handler])
#define COUNT_OPERATION(op) gvm__dispatch_operation(op)
#else
#define COUNT_DISPATCH(handler) ((void)0)
#define COUNT_OPERATION(op) ((void)0)
#endif

#endif
