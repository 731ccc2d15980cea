/* The caller-owned error record: see error.h. */
#include "state/error.h"

#include <stdarg.h>
#include <stdio.h>

enum state_status
state__error_set(struct state_error *err, enum state_status status,
                 const char *format, ...)
{
    va_list arguments;

    if (err == NULL)
        return status;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof err->message, format, arguments);
    va_end(arguments);
    return status;
}
