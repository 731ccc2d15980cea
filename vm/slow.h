/*
 * slow.h - what handlers leave to functions.
 *
 * Each works on the registers stored in the call. It returns
 * GVM__EXIT_NONE after it has set call->pc to the cell to go on with, or why
 * the handlers are to be left; then call->pc is still the cell that asked,
 * so that resuming asks again.
 */
#ifndef GLASS_VM_SLOW_H
#define GLASS_VM_SLOW_H

#include "vm/call.h"

/* slow_bulk.c: operands in three slots from I0 on. */
enum gvm__exit gvm__slow_memory_fill(struct gvm_call *call);
enum gvm__exit gvm__slow_memory_copy(struct gvm_call *call);
enum gvm__exit gvm__slow_memory_init(struct gvm_call *call);
enum gvm__exit gvm__slow_table_grow(struct gvm_call *call);
enum gvm__exit gvm__slow_table_fill(struct gvm_call *call);
enum gvm__exit gvm__slow_table_copy(struct gvm_call *call);
enum gvm__exit gvm__slow_table_init(struct gvm_call *call);

/* slow_call.c */
enum gvm__exit gvm__slow_call_object(struct gvm_call *call);
enum gvm__exit gvm__slow_return_to_instance(struct gvm_call *call);
enum gvm__exit gvm__slow_start(struct gvm_call *call);
enum gvm__exit gvm__slow_lazy(struct gvm_call *call);

#endif
