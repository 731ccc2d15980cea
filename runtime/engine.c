/*
 * engine.c - making an engine with the bounds asked for. Any thread may call
 * it; the handler of signals that guard pages need is the process's, and
 * installing it again is harmless.
 */
#include "runtime/engine.h"

#include "runtime/error.h"

enum runtime_status
runtime__engine_create(enum runtime_bounds bounds, struct gvm_engine **engine,
                       bool *guard, struct runtime_error *err)
{
    struct gvm_engine_options options = {0};
    bool has_guard =
        bounds != RUNTIME_BOUNDS_EXPLICIT && gvm_guard_install() == GVM_OK;

    if (bounds == RUNTIME_BOUNDS_GUARD && !has_guard)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "guard pages are not supported here");
    options.bounds = has_guard ? GVM_BOUNDS_GUARD : GVM_BOUNDS_EXPLICIT;
    if (gvm_engine_create(&options, engine) != GVM_OK)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for an engine");
    *guard = has_guard;
    return RUNTIME_OK;
}
