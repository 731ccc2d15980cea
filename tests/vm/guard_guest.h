/*
 * guard_guest.h - what tests of vm/guard.c share: a guest that reads a byte.
 *
 * Each test runs in a process of its own (check forks), so the handlers of
 * signals that were there before may be chosen per test.
 */
#ifndef GLASS_TESTS_VM_GUARD_GUEST_H
#define GLASS_TESTS_VM_GUARD_GUEST_H

#include "vm/guard.h"

#include "tests/support/vm_world.h"

#include <check.h>

/* Whether this build can have guard pages at all. */
#if defined(__SANITIZE_THREAD__)
#define GUARD_SUPPORTED false
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GUARD_SUPPORTED false
#endif
#endif
#ifndef GUARD_SUPPORTED
#define GUARD_SUPPORTED true
#endif

#define PAGE 65536u
/* What a handler's pc would be. */
#define MARK 0x123456789abcdef0u

/* Reads a byte while the first argument's register holds `mark`. */
static inline uint8_t
read_byte(uint64_t mark, const uint8_t *address)
{
    uint8_t byte;

#if defined(__x86_64__)
    __asm__ volatile("movb (%1), %0"
                     : "=q"(byte)
                     : "r"(address), "D"(mark)
                     : "memory");
#else
    register uint64_t x0 __asm__("x0") = mark;

    __asm__ volatile("ldrb %w0, [%1]"
                     : "=r"(byte)
                     : "r"(address), "r"(x0)
                     : "memory");
#endif
    return byte;
}

/* Runs a guest that reads a byte; true when the handler stopped it. */
static inline bool
faults(const struct gvm_store *store, struct gvm__guard_frame *frame,
       const uint8_t *address)
{
    volatile bool stopped = true;

    frame->store = store;
    gvm__guard_enter(frame);
    if (sigsetjmp(frame->env, 0) == 0) {
        (void)read_byte(MARK, address);
        stopped = false;
    }
    gvm__guard_leave(frame);
    return stopped;
}

#endif
