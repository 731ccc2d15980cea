/* error.h - how failures are told: see runtime.h, struct runtime_error. */
#ifndef GLASS_RUNTIME_ERROR_H
#define GLASS_RUNTIME_ERROR_H

#include "runtime/runtime.h"

struct gvm_error;

/*
 * Fills `err`, if there is one, with a text formatted as printf does, no trap,
 * limit or place; returns `status`, so that a failure is one line.
 */
enum runtime_status
runtime__error_set(struct runtime_error *err, enum runtime_status status,
                   const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Says which limit it was, as struct runtime_error names it; returns `status`
 * as well. */
enum runtime_status
runtime__error_name_limit(struct runtime_error *err,
                          enum runtime_status status, const char *limit);

/* The call's deadline has passed: RUNTIME_TIMEOUT. */
enum runtime_status
runtime__error_set_deadline(struct runtime_error *err);

/* Says that nothing went wrong. */
void
runtime__error_clear(struct runtime_error *err);

/* As runtime__error_set, from what the engine says: not GVM_OK. */
enum runtime_status
runtime__error_from_vm(struct runtime_error *err,
                       const struct gvm_error *vm_error);

#endif
