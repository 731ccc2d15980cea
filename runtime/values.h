/*
 * values.h - the numbers of WebAssembly as text: see runtime_call_set_export
 * and struct runtime_value. Any thread may call it.
 */
#ifndef GLASS_RUNTIME_VALUES_H
#define GLASS_RUNTIME_VALUES_H

#include "runtime/runtime.h"

#include "vm/vm.h"

/*
 * Reads arguments for a function of the type into a new block, which is not
 * null even when there are none. Returns RUNTIME_INVALID (a wrong number of
 * them, a text that is no number, or a type of the function that cannot be
 * given as text) or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__values_parse(const struct gvm_func_type *type,
                      const char *const *texts, size_t count,
                      union gvm_value **values, struct runtime_error *err);

/*
 * Writes results of the type into a new block of `type->result_count`; NULL
 * when out of memory. They are of types that runtime__values_parse takes.
 */
struct runtime_value *
runtime__values_format(const struct gvm_func_type *type,
                       const union gvm_value *results);

#endif
