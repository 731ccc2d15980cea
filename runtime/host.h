/*
 * host.h - the handlers of hostcalls.inc and faasm.inc, and what they have in
 * common.
 *
 * A handler looks at its arguments in `slots` and leaves its result in
 * slots[0]. `data` is the struct runtime__faaslet that calls. It runs on the
 * thread that runs the call, the only one that touches the faaslet.
 *
 * A handler never blocks. One that has to wait returns GVM_SUSPENDED, and is
 * called again with the same arguments when the call goes on, perhaps on
 * another thread; what it has to remember is in the faaslet. When the call
 * ends before that, it is not called again.
 *
 * The rules for guest memory:
 * - A pointer is looked up by runtime__host_range, or runtime__host_target
 *   where it will be written, before anything else; what lies outside traps.
 * - What is read is copied into the host's memory before it is used in a way
 *   that the guest must not change under the host's eyes.
 * - An address does not survive anything that may grow the memory or wait:
 *   results are written through a fresh look-up.
 */
#ifndef GLASS_RUNTIME_HOST_H
#define GLASS_RUNTIME_HOST_H

#include "runtime/faaslet.h"

#include "vm/vm.h"

#define HOSTCALL(group, name, signature, documentation)                       \
    gvm_host_function runtime__host_##name;
#include "runtime/hostcalls.inc"
#undef HOSTCALL
#define FAASM(group, name, signature, documentation)                          \
    gvm_host_function runtime__faasm_##name;
#include "runtime/faasm.inc"
#undef FAASM

/* What a guest gets for an error, negative. */
enum runtime__host_error {
    RUNTIME__HOST_NOT_FOUND = -1,
    RUNTIME__HOST_CONFLICT = -2,
    RUNTIME__HOST_INVALID = -3,
    RUNTIME__HOST_DENIED = -4,
    RUNTIME__HOST_LIMIT = -5,
    RUNTIME__HOST_TIMEOUT = -6,
    RUNTIME__HOST_UNAVAILABLE = -7,
    RUNTIME__HOST_TOO_BIG = -8,
    RUNTIME__HOST_CLOSED = -9,
};

/* What the guest gets for the end of an operation: 0 or negative. */
int32_t
runtime__host_error_of_state(enum state_status status);

/* What an operation of the kind does with its key: RUNTIME__READ, _WRITE. */
unsigned
runtime__host_access(enum state_kind kind);

/* Whether the function has been granted to do that; a refusal is told. */
bool
runtime__host_may(struct runtime__faaslet *faaslet, enum state_kind kind,
                  const struct state_bytes *key);

/* The upper half of a slot with an i32 has to be zero. */
static inline enum gvm_status
runtime__host_return_i32(union gvm_value *slots, int32_t value)
{
    slots[0].slot = (uint32_t)value;
    return GVM_OK;
}

static inline enum gvm_status
runtime__host_return_i64(union gvm_value *slots, int64_t value)
{
    slots[0].slot = (uint64_t)value;
    return GVM_OK;
}

/*
 * The faaslet's record for operations of the state, made when it is first
 * needed. NULL when out of memory.
 */
struct runtime__wait *
runtime__host_wait(struct runtime__faaslet *faaslet);

/*
 * The host's address of a guest's range, or NULL when it leaves the memory,
 * also when there is no memory.
 */
const uint8_t *
runtime__host_range(const struct runtime__faaslet *faaslet, uint32_t pointer,
                    uint32_t length_bytes);

/*
 * The same to be written: NULL also when a part of it lies in a region that
 * is only for reading.
 */
uint8_t *
runtime__host_target(const struct runtime__faaslet *faaslet, uint32_t pointer,
                     uint32_t length_bytes);

/*
 * Takes the fuel for work that no instruction pays for. What the slice does
 * not have is taken of what the call may still be granted, as far as that
 * goes, and the slice has ended.
 */
void
runtime__host_charge(struct gvm_call *call, struct runtime__faaslet *faaslet,
                     uint64_t fuel);

/* The same for bytes that are copied. */
static inline void
runtime__host_charge_bytes(struct gvm_call *call,
                           struct runtime__faaslet *faaslet,
                           uint64_t length_bytes)
{
    runtime__host_charge(call, faaslet,
                         length_bytes / RUNTIME_HOST_BYTES_PER_FUEL);
}

/* Returns what a handler returns when a range was not inside. */
enum gvm_status
runtime__host_trap_range(struct gvm_call *call);

/*
 * Answers a read: copies `bytes` from `offset` on into the guest's buffer, as
 * much as fits, and returns how many there are from there on.
 */
enum gvm_status
runtime__host_return_bytes(struct gvm_call *call,
                           struct runtime__faaslet *faaslet,
                           union gvm_value *slots, const void *bytes,
                           uint64_t length_bytes, uint64_t offset,
                           uint32_t buffer, uint32_t capacity_bytes);

#endif
