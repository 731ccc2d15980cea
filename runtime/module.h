/*
 * module.h - a module that functions share: its bytes, the engine's form of
 * them, what it is linked with, and what kind of function it makes.
 *
 * It never changes once it is loaded, and is counted: two functions with the
 * same digest have the same module. Any thread may use it.
 */
#ifndef GLASS_RUNTIME_MODULE_H
#define GLASS_RUNTIME_MODULE_H

#include "runtime/hostcalls.h"
#include "runtime/runtime.h"

#include "vm/vm.h"

#include <stdatomic.h>

struct runtime__module {
    atomic_size_t references;
    char digest[RUNTIME_DIGEST_SIZE];
    const uint8_t *bytes; /* owned only when `owned` */
    uint8_t *owned;
    size_t length_bytes;
    struct gvm_module *vm_module;
    const struct runtime__hostcall **imports; /* one for each import */
    enum runtime_kind kind;
    bool uses_wasi;    /* imports something of it */
    bool has_restored; /* exports glass_restored */
};

/*
 * Loads and links; the reference is the caller's. `bytes` have to stay until
 * it is destroyed, or are adopted when `adopt` (malloc'ed; also on failure
 * they are freed then). `digest` may be NULL. Returns RUNTIME_MALFORMED,
 * RUNTIME_UNLINKABLE, RUNTIME_LIMIT or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__module_load(struct gvm_engine *engine, const uint8_t *bytes,
                     size_t length_bytes, bool adopt, unsigned groups,
                     const char *digest, struct runtime__module **module,
                     struct runtime_error *err);

/*
 * Finds out the kind of function that it makes. RUNTIME_INVALID when it is
 * none, or when an export that has a meaning has the wrong type.
 */
enum runtime_status
runtime__module_classify(struct runtime__module *module,
                         struct runtime_error *err);

/*
 * Loads what a function is made of: both of the above, and `bytes` are
 * adopted.
 */
enum runtime_status
runtime__module_load_function(struct gvm_engine *engine, uint8_t *bytes,
                              size_t length_bytes, unsigned groups,
                              const char *digest,
                              struct runtime__module **module,
                              struct runtime_error *err);

/*
 * Checks the types of the exports that are run without arguments, `_start`
 * and what initialises, as far as there are such exports. RUNTIME_INVALID.
 */
enum runtime_status
runtime__module_check_procedures(const struct runtime__module *module,
                                 struct runtime_error *err);

/* One more reference; returns the module. */
struct runtime__module *
runtime__module_get(struct runtime__module *module);
/* One reference less; the last one destroys it. */
void
runtime__module_put(struct runtime__module *module);

/*
 * Whether the module exports a function of that name. When it does, `type`
 * says which type it has.
 */
bool
runtime__module_find(const struct runtime__module *module, const char *name,
                     struct gvm_func_type *type);

#endif
