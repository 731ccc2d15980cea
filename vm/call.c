/*
 * call.c - calls as embedders see them: start, resume, fuel, results.
 */
#define _GNU_SOURCE 1 /* madvise */

#include "vm/call.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "vm/code.h"
#include "vm/image.h"
#include "vm/ops.h"
#include "vm/slow.h"

/* The bottom frame has to fit whatever the size of the stack. */
#define STACK_BYTES_MIN 65536u
static_assert(STACK_BYTES_MIN / 8 >= GVM_PARAMETERS_MAX +
                                         GVM_RESULTS_MAX +
                                         GVM__BRIDGE_SLOTS +
                                         GVM__LINK_SLOTS,
              "arguments and results of a first call fit any stack");

#define FUEL_MAX (UINT64_MAX / 2)

static uint64_t
cell_of(enum gvm__op op)
{
    return gvm__handler_word(gvm__op_only_handler(op));
}

enum gvm_status
gvm_call_create(struct gvm_store *store, struct gvm_call **call)
{
    struct gvm_call *made = calloc(1, sizeof *made);

    if (made == NULL)
        return GVM_NO_MEMORY;
    made->store = store;
    made->stack_bytes = store->value_stack_bytes < STACK_BYTES_MIN
                            ? STACK_BYTES_MIN
                            : (size_t)store->value_stack_bytes;
    made->stack = mmap(NULL, made->stack_bytes, PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (made->stack == MAP_FAILED) {
        free(made);
        return GVM_NO_MEMORY;
    }
    /* Most calls touch one page; a huge one would be 512 of them. Where there
     * are none this fails, and nothing is lost. */
    (void)madvise(made->stack, made->stack_bytes, MADV_NOHUGEPAGE);
    /* The results of a host function that is called first need no frame. */
    made->stack_limit = made->stack + made->stack_bytes / 8;
    made->start_cell[0] = cell_of(GVM__OP_start);
    made->halt_cell[0] = cell_of(GVM__OP_halt);
    made->bridge_cell[0] = cell_of(GVM__OP_return_to_instance);
    made->root_memory = &store->empty_memory;
    made->root.memories = &made->root_memory;
    made->root.store = store;
    atomic_init(&made->interrupted, false);
    gvm_call_set_fuel(made, FUEL_MAX);
    *call = made;
    return GVM_OK;
}

void
gvm_call_destroy(struct gvm_call *call)
{
    if (call == NULL)
        return;
    munmap(call->stack, call->stack_bytes);
    free(call);
}

void
gvm_call_trim(struct gvm_call *call)
{
    if (!call->store->may_have_grown ||
        call->stack_bytes <= GVM_VALUE_STACK_KEPT_BYTES)
        return;
    /* What fails here is only kept. */
    (void)madvise((uint8_t *)call->stack + GVM_VALUE_STACK_KEPT_BYTES,
                  call->stack_bytes - GVM_VALUE_STACK_KEPT_BYTES,
                  MADV_DONTNEED);
}

void
gvm_call_set_data(struct gvm_call *call, void *data)
{
    call->data = data;
}

void *
gvm_call_data(const struct gvm_call *call)
{
    return call->data;
}

void
gvm_call_set_fuel(struct gvm_call *call, uint64_t fuel)
{
    call->fuel_reserve = fuel < FUEL_MAX ? fuel : FUEL_MAX;
    call->fuel = 0;
}

uint64_t
gvm_call_fuel(const struct gvm_call *call)
{
    return call->fuel_reserve + (uint64_t)call->fuel;
}

/* Where the call is, in err; the message begins with `text`. */
static void
describe_place(const struct gvm_call *call, const char *text,
               struct gvm_error *err)
{
    struct gvm_module *module = call->instance->module;
    char shown[GVM__NAME_SHOWN_BYTES + 1];
    uint32_t function;
    uint64_t offset;
    const char *name;
    size_t name_bytes;

    if (module == NULL ||
        !gvm__code_locate(module, call->pc, &function, &offset))
        return;
    err->function = function;
    err->offset = offset;
    if (gvm_module_function_name(module, function, &name, &name_bytes))
        snprintf(err->message, sizeof err->message,
                 "%s in function %u (%s) at offset 0x%llx", text, function,
                 gvm__error_name(name, name_bytes, shown),
                 (unsigned long long)offset);
    else
        snprintf(err->message, sizeof err->message,
                 "%s in function %u at offset 0x%llx", text, function,
                 (unsigned long long)offset);
}

/* Stopping is no failure, and may happen all the time: nobody looks for the
 * place, and printf would be a third of what it takes. */
static enum gvm_status
stop(struct gvm_error *err)
{
    const char *text = gvm_status_text(GVM_SUSPENDED);

    if (err != NULL) {
        err->status = GVM_SUSPENDED;
        err->trap = GVM_TRAP_NONE;
        err->function = GVM_NO_FUNCTION;
        err->offset = GVM_NO_OFFSET;
        memcpy(err->message, text, strlen(text) + 1);
    }
    return GVM_SUSPENDED;
}

static enum gvm_status
fail(const struct gvm_call *call, enum gvm_status status,
     struct gvm_error *err)
{
    const char *text = gvm_status_text(status);

    if (status == GVM_TRAP)
        text = call->host_message ? call->message
                                  : gvm_trap_text(call->trap);
    gvm__error_set(err, status, GVM_NO_OFFSET, "%s", text);
    if (err == NULL)
        return status;
    if (status == GVM_TRAP)
        err->trap = call->trap;
    describe_place(call, text, err);
    return status;
}

/* Whose faults tell what the store's memories have become (image.h). */
static void
note_thread(struct gvm_store *store)
{
    uintptr_t thread =
        gvm__image_store_thread(gvm__engine_images(store->engine));

    if (store->thread == thread)
        return;
    store->thread = thread;
    store->thread_changes++;
}

/*
 * A host function that made the call wait is called again as it was found
 * then: the table that it was found in may hold something else by now.
 */
static enum gvm_status
run(struct gvm_call *call, struct gvm_error *err)
{
    struct gvm_instance *instance = call->instance;
    struct gvm_call *outer = instance->call;
    uint64_t *outer_limit = instance->stack_limit;
    enum gvm__exit exit = GVM__EXIT_NONE;
    bool waits =
        call->suspended && call->suspension == GVM_SUSPENSION_HOST;

    note_thread(call->store);
    gvm__call_enter(call, instance);
    call->suspended = false;
    call->host_message = false;
    if (waits)
        exit = gvm__slow_call_object(call);
    if (exit == GVM__EXIT_NONE)
        exit = gvm__run(call);
    /* A host function may have run this call inside another. */
    instance->call = outer;
    instance->stack_limit = outer_limit;
    switch (exit) {
    case GVM__EXIT_HALTED:
        call->suspension = GVM_SUSPENSION_NONE;
        return GVM_OK;
    case GVM__EXIT_FUEL:
        call->suspended = true;
        return stop(err);
    case GVM__EXIT_HOST:
        call->suspended = true;
        call->suspension = GVM_SUSPENSION_HOST;
        return stop(err);
    case GVM__EXIT_EXHAUSTED:
        return fail(call, GVM_EXHAUSTED, err);
    case GVM__EXIT_EXITED:
        return fail(call, GVM_EXITED, err);
    case GVM__EXIT_NO_MEMORY:
        return fail(call, GVM_NO_MEMORY, err);
    default:
        return fail(call, GVM_TRAP, err);
    }
}

enum gvm_status
gvm_call_start(struct gvm_call *call, struct gvm_func *func,
               const union gvm_value *arguments, struct gvm_error *err)
{
    size_t count = func->type->parameter_count;

    call->func = func;
    call->pc = (const uint8_t *)call->start_cell;
    call->fp = call->stack;
    call->instance = &call->root;
    call->fuel_needed = 0;
    call->suspended = false;
    if (count > 0)
        memcpy(call->stack, arguments, count * sizeof *arguments);
    return run(call, err);
}

enum gvm_status
gvm_call_resume(struct gvm_call *call, struct gvm_error *err)
{
    assert(call->suspended);
    return run(call, err);
}

const union gvm_value *
gvm_call_results(const struct gvm_call *call)
{
    return (const union gvm_value *)(const void *)call->stack;
}

enum gvm_suspension
gvm_call_suspension(const struct gvm_call *call)
{
    return call->suspended ? call->suspension : GVM_SUSPENSION_NONE;
}

void
gvm_call_interrupt(struct gvm_call *call)
{
    atomic_store_explicit(&call->interrupted, true, memory_order_relaxed);
}

struct gvm_instance *
gvm_call_instance(const struct gvm_call *call)
{
    return call->instance == &call->root ? NULL : call->instance;
}

enum gvm_status
gvm_call_trap(struct gvm_call *call, enum gvm_trap trap, const char *format,
              ...)
{
    va_list arguments;

    call->trap = trap;
    call->host_message = true;
    if (format == NULL) {
        snprintf(call->message, sizeof call->message, "%s",
                 gvm_trap_text(trap));
        return GVM_TRAP;
    }
    va_start(arguments, format);
    vsnprintf(call->message, sizeof call->message, format, arguments);
    va_end(arguments);
    return GVM_TRAP;
}
