/* The caller-owned error record of an open. Any thread, each its own. */
#ifndef GLASS_STATE_ERROR_H
#define GLASS_STATE_ERROR_H

#include "state/state.h"

/* Writes the message, unless `err` is null, and returns `status`. */
enum state_status
state__error_set(struct state_error *err, enum state_status status,
                 const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
