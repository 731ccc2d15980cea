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

/*
 * The length of the UTF-8 sequence at `text`, or 0 when it is none: cut in the
 * middle, longer than needed, a surrogate or past the last code point.
 */
static size_t
sequence_bytes(const unsigned char *text)
{
    unsigned char first = text[0];
    size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0 : first < 0xe0 ? 2
                    : first < 0xf0                                     ? 3
                    : first < 0xf5                                     ? 4
                                                                       : 0;
    /* Where the second byte has less room than 0x80..0xbf. */
    unsigned char low = first == 0xe0 ? 0xa0 : first == 0xf0 ? 0x90 : 0x80;
    unsigned char high = first == 0xed ? 0x9f : first == 0xf4 ? 0x8f : 0xbf;

    if (length > 1 && (text[1] < low || text[1] > high))
        return 0;
    for (size_t i = 2; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    }
    return length;
}

/*
 * Names in a module and what a guest says may hold anything; a message is one
 * line of UTF-8, so that it can go into JSON and onto a terminal.
 */
static void
make_printable(char *message)
{
    unsigned char *text = (unsigned char *)message;

    while (*text) {
        size_t length = sequence_bytes(text);
        if (length == 0 || *text < 0x20 || *text == 0x7f) {
            *text = *text == '\n' || *text == '\t' ? ' ' : '?';
            length = 1;
        }
        text += length;
    }
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
    err->function = RUNTIME_NO_FUNCTION;
    err->offset = RUNTIME_NO_OFFSET;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    make_printable(err->message);
    return status;
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
    if (vm_error->function != GVM_NO_FUNCTION)
        err->function = vm_error->function;
    if (vm_error->offset != GVM_NO_OFFSET)
        err->offset = vm_error->offset;
    if (!err->message[0])
        snprintf(err->message, sizeof(err->message), "%s",
                 gvm_status_text(vm_error->status));
    return status;
}
