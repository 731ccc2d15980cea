/*
 * error.c - statuses and errors: their names, and how the engine's become
 * the runtime's.
 *
 * The idea: the engine speaks of modules and machines, a caller of the runtime
 * asks whose fault it was. So both ways of being no valid module are one
 * status here, and a guest that met the end of the machine's memory is told
 * from one that trapped by itself.
 *
 * Nothing here has a state; any thread may call it.
 */
#include "runtime/error.h"

#include "runtime/text.h"

#include "vm/vm.h"

#include <stdarg.h>
#include <stdio.h>

const char *
runtime_status_name(enum runtime_status status)
{
    switch (status) {
#define CASE(symbol, name, text)                                              \
    case symbol:                                                              \
        return name;
        RUNTIME_STATUS_MAP(CASE)
#undef CASE
    }
    return "unknown";
}

const char *
runtime_status_text(enum runtime_status status)
{
    switch (status) {
#define CASE(symbol, name, text)                                              \
    case symbol:                                                              \
        return text;
        RUNTIME_STATUS_MAP(CASE)
#undef CASE
    }
    return "unknown";
}

void
runtime__error_clear(struct runtime_error *err)
{
    err->status = RUNTIME_OK;
    err->trap = NULL;
    err->limit = NULL;
    err->function = RUNTIME_NO_FUNCTION;
    err->offset = RUNTIME_NO_OFFSET;
    err->message[0] = '\0';
}

enum runtime_status
runtime__error_set(struct runtime_error *err, enum runtime_status status,
                   const char *format, ...)
{
    va_list arguments;

    if (!err)
        return status;
    err->status = status;
    err->trap = NULL;
    err->limit = NULL;
    err->function = RUNTIME_NO_FUNCTION;
    err->offset = RUNTIME_NO_OFFSET;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    runtime__text_make_printable(err->message);
    return status;
}

enum runtime_status
runtime__error_name_limit(struct runtime_error *err,
                          enum runtime_status status, const char *limit)
{
    if (err)
        err->limit = limit;
    return status;
}

enum runtime_status
runtime__error_set_deadline(struct runtime_error *err)
{
    runtime__error_set(err, RUNTIME_TIMEOUT,
                       "the call's deadline has passed");
    return runtime__error_name_limit(err, RUNTIME_TIMEOUT, "deadline");
}

static enum runtime_status
status_from_vm(const struct gvm_error *vm_error)
{
    switch (vm_error->status) {
    case GVM_MALFORMED:
    case GVM_INVALID:
        return RUNTIME_MALFORMED;
    case GVM_UNLINKABLE:
        return RUNTIME_UNLINKABLE;
    case GVM_EXHAUSTED:
        return RUNTIME_EXHAUSTED;
    case GVM_LIMIT:
        return RUNTIME_LIMIT;
    case GVM_NO_MEMORY:
        return RUNTIME_NO_MEMORY;
    case GVM_TRAP:
        return vm_error->trap == GVM_TRAP_OUT_OF_MEMORY
                   ? RUNTIME_OUT_OF_MEMORY
                   : RUNTIME_TRAP;
    default:
        return RUNTIME_INVALID;
    }
}

enum runtime_status
runtime__error_from_vm(struct runtime_error *err,
                       const struct gvm_error *vm_error)
{
    enum runtime_status status = status_from_vm(vm_error);

    runtime__error_set(err, status, "%s", vm_error->message);
    if (!err)
        return status;
    if (vm_error->status == GVM_TRAP)
        err->trap = gvm_trap_text(vm_error->trap);
    if (status == RUNTIME_OUT_OF_MEMORY)
        err->limit = "memory";
    if (vm_error->function != GVM_NO_FUNCTION)
        err->function = vm_error->function;
    if (vm_error->offset != GVM_NO_OFFSET)
        err->offset = vm_error->offset;
    if (!err->message[0])
        snprintf(err->message, sizeof(err->message), "%s",
                 gvm_status_text(vm_error->status));
    return status;
}
