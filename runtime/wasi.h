/*
 * wasi.h - WASI preview 1: what its functions share.
 *
 * It knows the engine and nothing else of Glass: what a program sees is in
 * struct runtime__wasi, which whoever runs it fills. Descriptors are in
 * wasi_table.h, paths in wasi_path.h.
 *
 * The rules for guest memory are those of host.h, but for a range that is
 * outside: that is EFAULT, as a program of WASI may expect. Arguments are
 * looked at in this order: the descriptor (EBADF), its rights (ENOTCAPABLE),
 * numbers and flags (EINVAL), ranges (EFAULT), and only then is anything done.
 */
#ifndef GLASS_RUNTIME_WASI_H
#define GLASS_RUNTIME_WASI_H

#include "runtime/buffer.h"
#include "runtime/program.h"

#include "vm/vm.h"

#include <stdatomic.h>

/* Texts behind each other, each with its final zero. */
struct runtime__texts {
    struct runtime__buffer buffer;
    uint32_t count;
};

/* How many descriptors of the host's programs have open, all that share it. */
struct runtime__wasi_budget {
    atomic_uint used;
    unsigned max;
};

/* What a program sees of the world. All zero: nothing. */
struct runtime__wasi {
    /* Not owned; null where there is nothing. */
    const struct runtime__texts *arguments;
    const struct runtime__texts *environment;
    struct runtime_streams streams;

    /* Memory 0 of the program's instance, or NULL; not owned. */
    struct gvm_memory *memory;

    /* When a wait has to end, by the monotonic clock; 0 or UINT64_MAX: no
     * such time. */
    uint64_t deadline_ns;

    /*
     * Whether a function that has to wait returns GVM_SUSPENDED, to be called
     * again when the call goes on, and not later than `until_ns`. If not, it
     * blocks its thread.
     */
    bool parks;
    uint64_t until_ns;

    /*
     * Where it parks: a function that asks the kernel for files runs only on a
     * thread that may be blocked. On another one it sets `blocks` and returns
     * GVM_SUSPENDED, to be called again on one that may.
     */
    bool may_block;
    bool blocks;
    struct runtime__wasi_poll *poll; /* wasi_poll.c: one that is parked */

    /* wasi_table.c; NULL until the first descriptor is asked for. */
    struct runtime__wasi_descriptor *descriptors;
    uint32_t descriptor_count; /* places, free ones as well */
    struct runtime__wasi_budget *budget; /* not owned; null: no such bound */

    /* What the function that runs has to pay beside its price. */
    uint64_t work_fuel;

    bool exited;       /* proc_exit or proc_raise was called */
    int32_t exit_code; /* with this */
    bool timed_out;    /* a wait has reached the deadline */
};

/*
 * Closes what the program has left open. What else is in there is the
 * caller's; `wasi` may be used again, with the three streams open.
 */
void
runtime__wasi_deinit(struct runtime__wasi *wasi);

/*
 * Appends a text made of up to three parts (NULL: none). Returns false when
 * it is out of memory.
 */
bool
runtime__texts_append(struct runtime__texts *texts, const char *first,
                      const char *second, const char *third);
void
runtime__texts_deinit(struct runtime__texts *texts);

/* What WASI says, and the same at its price, which modules are linked with
 * (wasi_calls.c). */
#define WASI(name, signature, price)                                          \
    gvm_host_function runtime__wasi_##name, runtime__wasi_call_##name;
#include "runtime/wasi.inc"
#undef WASI

/* WASI's own numbers. */
enum runtime__wasi_errno {
    RUNTIME__WASI_SUCCESS = 0,
#define WASI_ERRNO(name, number) RUNTIME__WASI_E##name = number,
#include "runtime/wasi_errno.inc"
#undef WASI_ERRNO
    RUNTIME__WASI_ENOTCAPABLE = 76,
};

/* The number for an errno value of the host, 0 for 0; EIO for one that WASI
 * lacks. */
enum runtime__wasi_errno
runtime__wasi_errno_of_host(int number);

/* The same for errno itself. */
enum runtime__wasi_errno
runtime__wasi_errno_last(void);

static inline enum gvm_status
runtime__wasi_return(union gvm_value *slots, enum runtime__wasi_errno error)
{
    slots[0].slot = (uint32_t)error;
    return GVM_OK;
}

/* What a handler returns when a wait has reached the deadline: the end. */
static inline enum gvm_status
runtime__wasi_time_out(struct runtime__wasi *wasi)
{
    wasi->timed_out = true;
    return GVM_EXITED;
}

/* The host's address of a guest's range, or NULL when it leaves the memory. */
const uint8_t *
runtime__wasi_range(const struct runtime__wasi *wasi, uint64_t pointer,
                    uint64_t length_bytes);

/* The same to be written: NULL also when a part of it must not be. */
uint8_t *
runtime__wasi_target(const struct runtime__wasi *wasi, uint64_t pointer,
                     uint64_t length_bytes);

/* Write numbers of the guest, which are little-endian. False when they do not
 * lie inside. */
bool
runtime__wasi_put_u32(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint32_t value);
bool
runtime__wasi_put_u64(const struct runtime__wasi *wasi, uint32_t pointer,
                      uint64_t value);

/* The same in the host's memory, for records that are looked up once. */
static inline uint64_t
runtime__wasi_load(const uint8_t *bytes, unsigned size_bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size_bytes; i++)
        value |= (uint64_t)bytes[i] << (8 * i);
    return value;
}

static inline void
runtime__wasi_store(uint8_t *bytes, uint64_t value, unsigned size_bytes)
{
    for (unsigned i = 0; i < size_bytes; i++)
        bytes[i] = (uint8_t)(value >> (8 * i));
}

/*
 * Clocks, by the guest's numbers: the time in nanoseconds. False for a number
 * that is none.
 */
bool
runtime__wasi_clock_now(uint32_t clock, uint64_t *now_ns);

/* Whether the deadline has passed. */
bool
runtime__wasi_is_late(const struct runtime__wasi *wasi);

enum {
    RUNTIME__WASI_CLOCK_REALTIME = 0,
    RUNTIME__WASI_CLOCK_MONOTONIC = 1,
};

#endif
