/*
 * guard.c - the process-wide handler of SIGSEGV and SIGBUS.
 *
 * The handler decides by three questions, in this order: did the kernel
 * raise the signal for an access at an address; does this thread run a guest
 * just now; does the address lie in a reservation of that guest's store. If
 * so it jumps to the frame that the runner prepared. Everything else is none
 * of our business and goes to the handler that was there before, as the
 * kernel would have called it.
 *
 * What is global here is what the kernel makes global: one handler for the
 * process, installed once, and a pointer per thread to its innermost frame.
 * The handler calls only what is async-signal-safe. The thread's pointer is
 * addressed relative to the thread pointer (initial-exec), so that reading
 * it never calls the dynamic linker, which might allocate.
 *
 * The signal mask is not saved: SA_NODEFER leaves it as it is, so nothing
 * has to be restored after the jump.
 */
#define _GNU_SOURCE 1 /* the register names of ucontext.h */

#include "vm/guard.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <ucontext.h>

#if defined(__SANITIZE_THREAD__)
#define GUARD_SUPPORTED 0
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define GUARD_SUPPORTED 0
#endif
#endif

#ifndef GUARD_SUPPORTED
#if defined(__linux__) && (defined(__x86_64__) || defined(__aarch64__))
#define GUARD_SUPPORTED 1
#else
#define GUARD_SUPPORTED 0
#endif
#endif

static _Thread_local struct gvm__guard_frame *innermost
    __attribute__((tls_model("initial-exec")));

static atomic_bool installed;

bool
gvm__guard_installed(void)
{
    return atomic_load_explicit(&installed, memory_order_acquire);
}

void
gvm__guard_enter(struct gvm__guard_frame *frame)
{
    frame->paused = false;
    frame->is_bus = false;
    frame->pc_register = 0;
    frame->fuel_register = 0;
    frame->outer = innermost;
    innermost = frame;
}

void
gvm__guard_leave(struct gvm__guard_frame *frame)
{
    assert(innermost == frame);
    innermost = frame->outer;
}

#if GUARD_SUPPORTED

static pthread_once_t install_once = PTHREAD_ONCE_INIT;
/* Written before our handler is installed, only read afterwards. */
static struct sigaction previous_segv;
static struct sigaction previous_bus;

/* The registers that hold a function's first argument, and the handlers'
 * fuel (REGISTERS in handlers.h). */
static uint64_t
first_argument(const ucontext_t *context)
{
#if defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_RDI];
#else
    return context->uc_mcontext.regs[0];
#endif
}

static uint64_t
fuel_register(const ucontext_t *context)
{
#if defined(__x86_64__) && !defined(__clang__)
    return (uint64_t)context->uc_mcontext.gregs[REG_R15];
#elif defined(__x86_64__)
    return (uint64_t)context->uc_mcontext.gregs[REG_R8];
#else
    return context->uc_mcontext.regs[4];
#endif
}

/* Whether the address belongs to a memory of the store, accessible or not.
 * The list is stable: its only user is the thread that faulted, and that
 * was in a guest. */
static bool
store_reserves(const struct gvm_store *store, uintptr_t address)
{
    const struct gvm_memory *memory;
    uintptr_t start;

    for (memory = store->memories; memory != NULL; memory = memory->next) {
        start = (uintptr_t)memory->data;
        /* Below the start the difference wraps, and is too large as well. */
        if (address - start < memory->reserved_bytes - GVM__MEMORY_HEADER_BYTES)
            return true;
    }
    return false;
}

/*
 * Whether the kernel raised the signal for an access to si_addr. Signals
 * that somebody sent carry something else there, and SI_KERNEL stands for
 * addresses that no memory can have.
 */
static bool
names_an_address(const siginfo_t *info)
{
    return info->si_code > 0 && info->si_code != SI_KERNEL;
}

/* Gives the signal back to the kernel's default, which ends the process. */
static void
raise_default(int signal_number, const siginfo_t *info)
{
    struct sigaction action = {.sa_handler = SIG_DFL};

    sigemptyset(&action.sa_mask);
    sigaction(signal_number, &action, NULL);
    /* A fault comes back when the instruction is run again, and leaves the
     * core dump of the right place. What was sent does not come back. */
    if (info->si_code <= 0)
        raise(signal_number);
}

/* Calls the handler that was there before ours as the kernel would have. */
static void
call_previous(const struct sigaction *previous, int signal_number,
              siginfo_t *info, void *context)
{
    sigset_t mask = previous->sa_mask, mask_before;
    struct sigaction action = {.sa_handler = SIG_DFL};

    if ((previous->sa_flags & SA_NODEFER) == 0)
        sigaddset(&mask, signal_number);
    if ((previous->sa_flags & (int)SA_RESETHAND) != 0) {
        sigemptyset(&action.sa_mask);
        sigaction(signal_number, &action, NULL);
    }
    pthread_sigmask(SIG_BLOCK, &mask, &mask_before);
    if ((previous->sa_flags & SA_SIGINFO) != 0)
        previous->sa_sigaction(signal_number, info, context);
    else
        previous->sa_handler(signal_number);
    pthread_sigmask(SIG_SETMASK, &mask_before, NULL);
}

static void
chain(int signal_number, siginfo_t *info, void *context)
{
    const struct sigaction *previous = signal_number == SIGBUS ? &previous_bus
                                                               : &previous_segv;

    if ((previous->sa_flags & SA_SIGINFO) == 0) {
        if (previous->sa_handler == SIG_DFL) {
            raise_default(signal_number, info);
            return;
        }
        if (previous->sa_handler == SIG_IGN) {
            /* The kernel never ignores a fault, it would repeat forever. */
            if (info->si_code > 0)
                raise_default(signal_number, info);
            return;
        }
    }
    call_previous(previous, signal_number, info, context);
}

static void
handle(int signal_number, siginfo_t *info, void *context)
{
    struct gvm__guard_frame *frame = innermost;

    if (frame == NULL || frame->paused || !names_an_address(info) ||
        !store_reserves(frame->store, (uintptr_t)info->si_addr)) {
        int saved_errno = errno;

        chain(signal_number, info, context);
        errno = saved_errno;
        return;
    }
    frame->pc_register = first_argument(context);
    frame->fuel_register = fuel_register(context);
    frame->is_bus = signal_number == SIGBUS;
    siglongjmp(frame->env, 1);
}

static void
install(void)
{
    struct sigaction action = {.sa_sigaction = handle};

    /* SA_ONSTACK: a thread that overflowed its stack may have an alternate
     * one for the handler behind ours. */
    action.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_NODEFER;
    sigemptyset(&action.sa_mask);
    /* The previous ones first: ours may run as soon as it is there. */
    if (sigaction(SIGSEGV, NULL, &previous_segv) != 0 ||
        sigaction(SIGBUS, NULL, &previous_bus) != 0)
        return;
    if (sigaction(SIGSEGV, &action, NULL) != 0)
        return;
    if (sigaction(SIGBUS, &action, NULL) != 0) {
        sigaction(SIGSEGV, &previous_segv, NULL);
        return;
    }
    atomic_store_explicit(&installed, true, memory_order_release);
}

enum gvm_status
gvm_guard_install(void)
{
    pthread_once(&install_once, install);
    return gvm__guard_installed() ? GVM_OK : GVM_BAD_ARGUMENT;
}

#else

enum gvm_status
gvm_guard_install(void)
{
    return GVM_BAD_ARGUMENT;
}

#endif
