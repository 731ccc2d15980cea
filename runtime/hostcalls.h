/*
 * hostcalls.h - what a module may import, as one list, and how a module's
 * imports are found in it.
 */
#ifndef GLASS_RUNTIME_HOSTCALLS_H
#define GLASS_RUNTIME_HOSTCALLS_H

#include "runtime/runtime.h"

#include "vm/vm.h"

/* Who a host function belongs to, and so what its `data` is. */
enum runtime__group {
    RUNTIME__GROUP_core = 1,  /* `data`: struct runtime__faaslet */
    RUNTIME__GROUP_state = 2, /* the same; needs a store */
    RUNTIME__GROUP_wasi = 4,  /* `data`: struct runtime__wasi */
    RUNTIME__GROUP_chain = 8, /* as core */
};

/* A row of hostcalls.inc, faasm.inc or wasi.inc. */
struct runtime__hostcall {
    enum runtime__group group;
    const char *module;
    const char *name;
    const char *signature;
    gvm_host_function *function;
    const char *documentation; /* empty for WASI, which others document */
};

/*
 * The list, first the rows of hostcalls.inc, then those of faasm.inc. Of its
 * two definitions, hostcalls_all.c and hostcalls_wasi.c, a program links one.
 */
extern const struct runtime__hostcall runtime__hostcalls_rows[];
extern const size_t runtime__hostcalls_count;

/* A row for `name` of WASI, which runtime__wasi_call_<name> does. */
#define RUNTIME__WASI_ROW(name, signature)                                    \
    {RUNTIME__GROUP_wasi, "wasi_snapshot_preview1", #name, signature,         \
     runtime__wasi_call_##name, ""},

/* The rows by number; NULL behind the last. */
const struct runtime__hostcall *
runtime__hostcalls_row(size_t index);

/*
 * The types behind a signature. `types` has room for
 * RUNTIME__SIGNATURE_TYPES_MAX; `type` then points into it.
 */
#define RUNTIME__SIGNATURE_TYPES_MAX 12
void
runtime__hostcalls_type(const char *signature, uint8_t *types,
                        struct gvm_func_type *type);

/*
 * Finds what the module imports in the given groups (bits of enum
 * runtime__group). `rows` then has one row for each import, in order, and is
 * to be freed; it is not null even when there is none. Returns
 * RUNTIME_UNLINKABLE (err names the import and says why) or
 * RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__hostcalls_link(const struct gvm_module *module, unsigned groups,
                        const struct runtime__hostcall ***rows,
                        struct runtime_error *err);

#endif
