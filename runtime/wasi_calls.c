/*
 * wasi_calls.c - WASI at its price.
 *
 * The idea: a deadline is met because slices of fuel are short, so whatever
 * takes time has to cost fuel. Instructions do; what the kernel does for a
 * host function is charged here, by constants and by the bytes that were
 * moved, so that the sum is the same on every machine.
 *
 * A price that is more than what the slice has left ends the slice, and the
 * rest of it is forgiven: it is there to have the clock looked at.
 *
 * What may block its thread is held up here until it runs on one that may be
 * blocked (scheduler.h).
 *
 * Each function runs on the thread of its call.
 */
#include "runtime/wasi_table.h"

enum {
    price_quick = RUNTIME_WASI_QUICK_FUEL,
    price_system = RUNTIME_WASI_SYSTEM_FUEL,
    price_file = RUNTIME_WASI_SYSTEM_FUEL,

    blocks_quick = false,
    blocks_system = false,
    blocks_file = true,
};

static enum gvm_status
charge(gvm_host_function *function, uint64_t price, bool blocks,
       struct gvm_call *call, struct runtime__wasi *wasi,
       union gvm_value *slots)
{
    wasi->work_fuel = 0;
    wasi->until_ns = 0;
    if (blocks && wasi->parks && !wasi->may_block &&
        runtime__wasi_table_is_host(wasi, slots[0].i32)) {
        wasi->blocks = true;
        return GVM_SUSPENDED;
    }
    enum gvm_status status = function(call, wasi, slots);
    /* Tests call without one. Who waits pays when he is called again and does
     * not, so that the sum does not depend on how often that is. */
    if (call && status != GVM_SUSPENDED) {
        uint64_t fuel = gvm_call_fuel(call);
        price += wasi->work_fuel;
        gvm_call_set_fuel(call, fuel > price ? fuel - price : 0);
    }
    return status;
}

#define WASI(name, signature, price)                                          \
    enum gvm_status runtime__wasi_call_##name(                                \
        struct gvm_call *call, void *data, union gvm_value *slots)            \
    {                                                                         \
        return charge(runtime__wasi_##name, price_##price, blocks_##price,    \
                      call, data, slots);                                     \
    }
#include "runtime/wasi.inc"
#undef WASI
