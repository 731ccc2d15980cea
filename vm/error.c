/*
 * error.c - texts of statuses, traps and types, and the error structure.
 *
 * The texts of statuses and traps come from the maps of vm.h, so a new one
 * has its text at once. The switches have no default: the compiler says when
 * a value is missing. Numbers that are no such value still get a text, as
 * they come from other people's programs.
 *
 * An error belongs to whoever passes it in and is written by the thread that
 * works for him; any thread may call what is here.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "vm/module.h"

const char *
gvm_status_text(enum gvm_status status)
{
    switch (status) {
#define GVM_STATUS_CASE(name, value, text)                               \
    case GVM_##name:                                                     \
        return text;
        GVM_STATUS_MAP(GVM_STATUS_CASE)
#undef GVM_STATUS_CASE
    }
    return "unknown status";
}

const char *
gvm_trap_text(enum gvm_trap trap)
{
    switch (trap) {
#define GVM_TRAP_CASE(name, text)                                        \
    case GVM_TRAP_##name:                                                \
        return text;
        GVM_TRAP_MAP(GVM_TRAP_CASE)
#undef GVM_TRAP_CASE
    }
    return "unknown trap";
}

const char *
gvm_value_type_name(enum gvm_value_type type)
{
    switch (type) {
    case GVM_I32:
        return "i32";
    case GVM_I64:
        return "i64";
    case GVM_F32:
        return "f32";
    case GVM_F64:
        return "f64";
    case GVM_V128:
        return "v128";
    case GVM_FUNCREF:
        return "funcref";
    case GVM_EXTERNREF:
        return "externref";
    }
    return "unknown type";
}

enum gvm_status
gvm__error_set(struct gvm_error *err, enum gvm_status status,
               uint64_t offset, const char *format, ...)
{
    va_list arguments;

    if (err == NULL) {
        return status;
    }
    err->status = status;
    err->trap = GVM_TRAP_NONE;
    err->function = GVM_NO_FUNCTION;
    err->offset = offset;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    return status;
}

const char *
gvm__error_name(const char *name, size_t name_bytes,
                char shown[static GVM__NAME_SHOWN_BYTES + 1])
{
    size_t length = name_bytes;

    if (length > GVM__NAME_SHOWN_BYTES) {
        length = GVM__NAME_SHOWN_BYTES;
        /* Not in the middle of a UTF-8 sequence. */
        while (length > 0 && ((uint8_t)name[length] & 0xc0) == 0x80) {
            length--;
        }
    }
    for (size_t i = 0; i < length; i++) {
        uint8_t byte = (uint8_t)name[i];

        shown[i] = byte < ' ' || byte == 0x7f ? '?' : name[i];
    }
    shown[length] = '\0';
    return shown;
}

void
gvm__error_set_function(struct gvm_error *err,
                        const struct gvm_module *module, uint32_t function)
{
    const char *name;
    size_t name_bytes;
    size_t used_bytes;

    if (err == NULL) {
        return;
    }
    err->function = function;
    if (!gvm_module_function_name(module, function, &name, &name_bytes)) {
        return;
    }
    /* snprintf says how much it would have written, which may be more than
     * there was room for; the loop below then has nothing to do. */
    used_bytes = strlen(err->message);
    used_bytes += (size_t)snprintf(err->message + used_bytes,
                                   sizeof(err->message) - used_bytes,
                                   " in function ");
    /* One line, always terminated, whatever the name holds. */
    for (size_t i = 0;
         i < name_bytes && used_bytes + 1 < sizeof(err->message); i++) {
        uint8_t byte = (uint8_t)name[i];

        err->message[used_bytes++] =
            byte < ' ' || byte == 0x7f ? '?' : name[i];
        err->message[used_bytes] = '\0';
    }
}
