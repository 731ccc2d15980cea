/*
 * slow_call.c - calls that leave the instance: to the host, to functions of
 * other instances, and to functions that are not translated yet.
 */
#include "vm/slow.h"

#include <string.h>

#include "vm/code.h"
#include "vm/guard.h"

static uint64_t
word_of(const void *pointer)
{
    return (uint64_t)(uintptr_t)pointer;
}

/*
 * The host may do what it likes meanwhile: grow memories, run other calls on
 * the same instances, change this call's fuel. So nothing is remembered, and
 * the instance is made this call's again.
 */
static enum gvm__exit
call_host(struct gvm_call *call)
{
    struct gvm_func *func = call->callee;
    const uint8_t *next = call->next;
    struct gvm__guard_frame *guard = call->guard;
    enum gvm_status status;

    call->host_message = false;
    if (guard != NULL)
        guard->paused = true;
    status = func->host(call, func->data,
                        (union gvm_value *)(void *)call->callee_frame);
    if (guard != NULL)
        guard->paused = false;
    gvm__call_enter(call, call->instance);
    switch (status) {
    case GVM_OK:
        /* What it may have said was about nothing. */
        call->host_message = false;
        call->pc = next;
        return GVM__EXIT_NONE;
    case GVM_SUSPENDED:
        return GVM__EXIT_HOST;
    case GVM_EXITED:
        return GVM__EXIT_EXITED;
    case GVM_NO_MEMORY:
        return GVM__EXIT_NO_MEMORY;
    default:
        if (!call->host_message)
            call->trap = GVM_TRAP_HOST;
        return GVM__EXIT_TRAP;
    }
}

/*
 * Lays a bridge between the caller's frame and that of a callee in another
 * instance: the arguments move up behind the bridge's slots, the callee
 * returns to the bridge cell, and that undoes it all.
 */
static enum gvm__exit
call_across(struct gvm_call *call)
{
    struct gvm_func *func = call->callee;
    uint64_t *bridge = call->callee_frame;
    uint64_t *frame = bridge + GVM__BRIDGE_SLOTS;
    uint32_t parameter_count = func->type->parameter_count;

    if (frame + parameter_count + GVM__LINK_SLOTS > call->stack_limit)
        return GVM__EXIT_EXHAUSTED;
    memmove(frame, bridge, parameter_count * sizeof *frame);
    bridge[0] = word_of(call->instance);
    bridge[1] = word_of(call->next);
    bridge[2] = word_of(call->fp);
    bridge[3] = func->type->result_count;
    frame[parameter_count] = word_of(call->bridge_cell);
    frame[parameter_count + 1] = word_of(bridge);
    gvm__call_enter(call, func->instance);
    call->fp = frame;
    call->pc = (const uint8_t *)atomic_load_explicit(
        &func->function->entry, memory_order_acquire);
    return GVM__EXIT_NONE;
}

enum gvm__exit
gvm__slow_call_object(struct gvm_call *call)
{
    return call->callee->host ? call_host(call) : call_across(call);
}

enum gvm__exit
gvm__slow_return_to_instance(struct gvm_call *call)
{
    uint64_t *bridge = call->fp;
    uint64_t result_count = bridge[3];

    gvm__call_enter(call, (struct gvm_instance *)(uintptr_t)bridge[0]);
    call->pc = (const uint8_t *)(uintptr_t)bridge[1];
    call->fp = (uint64_t *)(uintptr_t)bridge[2];
    memmove(bridge, bridge + GVM__BRIDGE_SLOTS,
            result_count * sizeof *bridge);
    return GVM__EXIT_NONE;
}

enum gvm__exit
gvm__slow_start(struct gvm_call *call)
{
    call->callee = call->func;
    call->callee_frame = call->fp;
    call->next = (const uint8_t *)call->halt_cell;
    return gvm__slow_call_object(call);
}

enum gvm__exit
gvm__slow_lazy(struct gvm_call *call)
{
    struct gvm__function *function = gvm__code_function(call->pc);
    enum gvm_status status = gvm__code_translate(function);

    if (status != GVM_OK)
        return GVM__EXIT_NO_MEMORY;
    call->pc = (const uint8_t *)atomic_load_explicit(&function->entry,
                                                     memory_order_acquire);
    return GVM__EXIT_NONE;
}
