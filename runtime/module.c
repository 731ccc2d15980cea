/*
 * module.c - a module that functions share. See module.h.
 *
 * The kinds are decided by exports alone: `glass_handle` makes a faaslet, else
 * `_start` a command, else any exported function makes plain exports. A
 * meaningful name with another type is a mistake that somebody wants to hear
 * of, so it is refused instead of being taken for a plain export.
 */
#include "runtime/module.h"

#include "runtime/error.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void
destroy(struct runtime__module *module)
{
    gvm_module_destroy(module->vm_module);
    free(module->imports);
    free(module->owned);
    free(module);
}

struct runtime__module *
runtime__module_get(struct runtime__module *module)
{
    atomic_fetch_add_explicit(&module->references, 1, memory_order_relaxed);
    return module;
}

void
runtime__module_put(struct runtime__module *module)
{
    if (module && atomic_fetch_sub_explicit(&module->references, 1,
                                            memory_order_acq_rel) == 1)
        destroy(module);
}

static void
note_what_it_needs(struct runtime__module *module)
{
    uint32_t count = gvm_module_import_count(module->vm_module);
    struct gvm_func_type type;

    for (uint32_t i = 0; i < count; i++)
        module->uses_wasi |= module->imports[i]->group == RUNTIME__GROUP_wasi;
    module->has_restored =
        runtime__module_find(module, "glass_restored", &type);
}

enum runtime_status
runtime__module_load(struct gvm_engine *engine, const uint8_t *bytes,
                     size_t length_bytes, bool adopt, unsigned groups,
                     const char *digest, struct runtime__module **module,
                     struct runtime_error *err)
{
    struct gvm_error vm_error;
    struct runtime__module *loaded = calloc(1, sizeof(*loaded));

    if (!loaded) {
        if (adopt)
            free((void *)(uintptr_t)bytes);
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a module");
    }
    loaded->bytes = bytes;
    loaded->owned = adopt ? (uint8_t *)(uintptr_t)bytes : NULL;
    loaded->length_bytes = length_bytes;
    if (digest)
        memcpy(loaded->digest, digest, RUNTIME_DIGEST_SIZE);
    atomic_init(&loaded->references, 1);

    enum runtime_status status;
    if (gvm_module_load(engine, NULL, bytes, length_bytes, &loaded->vm_module,
                        &vm_error) != GVM_OK)
        status = runtime__error_from_vm(err, &vm_error);
    else
        status = runtime__hostcalls_link(loaded->vm_module, groups,
                                         &loaded->imports, err);
    if (status != RUNTIME_OK) {
        destroy(loaded);
        return status;
    }
    note_what_it_needs(loaded);
    *module = loaded;
    return RUNTIME_OK;
}

bool
runtime__module_find(const struct runtime__module *module, const char *name,
                     struct gvm_func_type *type)
{
    struct gvm_export_info info;

    if (!gvm_module_export_find(module->vm_module, name, strlen(name),
                                &info) ||
        info.type.kind != GVM_EXTERN_FUNC)
        return false;
    *type = info.type.func;
    return true;
}

/* Writes "(i32, i64) -> (f32)" as far as there is room. */
static void
describe_type(const struct gvm_func_type *type, char *text, size_t size)
{
    const uint8_t *lists[] = {type->parameters, type->results};
    uint32_t counts[] = {type->parameter_count, type->result_count};
    size_t used = 0;

    for (int list = 0; list < 2; list++) {
        for (uint32_t i = 0; i <= counts[list] && used + 1 < size; i++) {
            const char *before = i > 0 ? ", " : list ? " -> (" : "(";
            bool last = i == counts[list];
            int count = snprintf(
                text + used, size - used, "%s%s",
                last ? (i > 0 ? "" : before) : before,
                last ? ")"
                     : gvm_value_type_name(
                           (enum gvm_value_type)lists[list][i]));
            used += count > 0 ? (size_t)count : 0;
        }
    }
}

static enum runtime_status
refuse_type(const char *name, const struct gvm_func_type *type,
            const char *wanted, struct runtime_error *err)
{
    char text[128] = "";

    describe_type(type, text, sizeof(text));
    return runtime__error_set(err, RUNTIME_INVALID,
                              "the export '%s' has the type %s, not %s", name,
                              text, wanted);
}

/* () -> (), some also () -> (i32). */
enum runtime_status
runtime__module_check_procedures(const struct runtime__module *module,
                                 struct runtime_error *err)
{
    static const struct {
        const char *name;
        bool may_return_i32;
    } procedures[] = {
        {"_start", false},
        {"_initialize", false},
        {"glass_init", true},
        {"_faasm_zygote", true},
        {"glass_restored", false},
    };

    for (size_t i = 0; i < sizeof(procedures) / sizeof(procedures[0]); i++) {
        struct gvm_func_type type;
        if (!runtime__module_find(module, procedures[i].name, &type))
            continue;
        bool returns_i32 = procedures[i].may_return_i32 &&
                           type.result_count == 1 &&
                           type.results[0] == GVM_I32;
        if (type.parameter_count > 0 ||
            (type.result_count > 0 && !returns_i32))
            return refuse_type(procedures[i].name, &type,
                               procedures[i].may_return_i32
                                   ? "() -> () or () -> (i32)"
                                   : "() -> ()",
                               err);
    }
    return RUNTIME_OK;
}

static bool
has_exported_function(const struct gvm_module *module)
{
    for (uint32_t i = 0; i < gvm_module_export_count(module); i++) {
        struct gvm_export_info info;
        gvm_module_export(module, i, &info);
        if (info.type.kind == GVM_EXTERN_FUNC)
            return true;
    }
    return false;
}

enum runtime_status
runtime__module_classify(struct runtime__module *module,
                         struct runtime_error *err)
{
    struct gvm_func_type type;
    enum runtime_status status =
        runtime__module_check_procedures(module, err);

    if (status != RUNTIME_OK)
        return status;
    if (runtime__module_find(module, "glass_handle", &type)) {
        if (type.parameter_count > 0 || type.result_count != 1 ||
            type.results[0] != GVM_I32)
            return refuse_type("glass_handle", &type, "() -> (i32)", err);
        module->kind = RUNTIME_FAASLET;
    } else if (runtime__module_find(module, "_start", &type)) {
        module->kind = RUNTIME_COMMAND;
    } else if (has_exported_function(module->vm_module)) {
        module->kind = RUNTIME_EXPORTS;
    } else {
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the module exports no function");
    }
    return RUNTIME_OK;
}

enum runtime_status
runtime__module_load_function(struct gvm_engine *engine, uint8_t *bytes,
                              size_t length_bytes, unsigned groups,
                              const char *digest,
                              struct runtime__module **module,
                              struct runtime_error *err)
{
    struct runtime__module *loaded;
    enum runtime_status status =
        runtime__module_load(engine, bytes, length_bytes, true, groups,
                             digest, &loaded, err);

    if (status != RUNTIME_OK)
        return status;
    status = runtime__module_classify(loaded, err);
    if (status == RUNTIME_OK)
        *module = loaded;
    else
        runtime__module_put(loaded);
    return status;
}
