/*
 * engine.h - how modules and sandboxes get the engine that they need.
 */
#ifndef GLASS_RUNTIME_ENGINE_H
#define GLASS_RUNTIME_ENGINE_H

#include "runtime/runtime.h"

#include "vm/vm.h"

/*
 * Makes an engine with the bounds asked for; `guard` says which they are.
 * RUNTIME_INVALID when guard pages are asked for and not to be had.
 */
enum runtime_status
runtime__engine_create(enum runtime_bounds bounds, struct gvm_engine **engine,
                       bool *guard, struct runtime_error *err);

#endif
