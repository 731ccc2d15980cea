/*
 * link.c - whether what is offered is what a module imports.
 *
 * The rules are the specification's ("import matching"): function types are
 * equal, which their identities in the engine say; tables and memories are
 * at least as large as asked, now, and can grow at most as far; globals
 * agree in type and mutability.
 *
 * Nothing is changed, so a module that does not link leaves no trace.
 */
#include "vm/instance.h"

#include <string.h>

/* GVM_UNLINKABLE with "<what> "<module>"."<name>": <detail>". */
static enum gvm_status
unlinkable(const struct gvm__import *import, struct gvm_error *err,
           const char *what, const char *detail)
{
    char module[GVM__NAME_SHOWN_BYTES + 1], name[GVM__NAME_SHOWN_BYTES + 1];

    return gvm__error_set(
        err, GVM_UNLINKABLE, GVM_NO_OFFSET, "%s \"%s\".\"%s\": %s", what,
        gvm__error_name(import->module, import->module_bytes, module),
        gvm__error_name(import->name, import->name_bytes, name), detail);
}

/* What is wrong with limits, or NULL. A maximum that is asked for must be
 * there, and may be lower. */
static const char *
limits_mismatch(const struct gvm_limits *offered,
                const struct gvm_limits *asked)
{
    if (offered->min < asked->min)
        return "smaller than asked for";
    if (!asked->has_max)
        return NULL;
    if (!offered->has_max)
        return "a maximum is asked for, it has none";
    if (offered->max > asked->max)
        return "its maximum is larger than asked for";
    return NULL;
}

static const char *
table_mismatch(const struct gvm_table *table,
               const struct gvm__table_type *asked)
{
    struct gvm_limits limits = table->limits;

    if (table->element_type != asked->element_type)
        return "another type of elements";
    limits.min = table->size;
    return limits_mismatch(&limits, &asked->limits);
}

static const char *
global_mismatch(const struct gvm_global *global,
                const struct gvm__global_type *asked)
{
    if (global->type.type != asked->type)
        return "another type of value";
    if (global->type.mutable_ != asked->mutable_)
        return asked->mutable_ ? "not mutable" : "mutable";
    return NULL;
}

/* What is wrong with the type of what is offered, or NULL. */
static const char *
mismatch(const struct gvm_module *module, const struct gvm__import *import,
         const struct gvm_extern *offered)
{
    static const char *const not_asked_kind[] = {
        [GVM_EXTERN_FUNC] = "not a function",
        [GVM_EXTERN_TABLE] = "not a table",
        [GVM_EXTERN_MEMORY] = "not a memory",
        [GVM_EXTERN_GLOBAL] = "not a global",
    };

    if (offered->kind != import->kind)
        return not_asked_kind[import->kind];
    switch (import->kind) {
    case GVM_EXTERN_FUNC:
        if (offered->func->type_id !=
            gvm__module_function_type(module, import->index)->id)
            return "another function type";
        return NULL;
    case GVM_EXTERN_TABLE:
        return table_mismatch(offered->table, &module->tables[import->index]);
    case GVM_EXTERN_MEMORY:
        return limits_mismatch(&offered->memory->limits,
                               &module->memories[import->index]);
    case GVM_EXTERN_GLOBAL:
        return global_mismatch(offered->global,
                               &module->globals[import->index]);
    }
    return "unknown kind";
}

/* Whether there is an object at all. */
static bool
is_present(const struct gvm_extern *offered)
{
    switch (offered->kind) {
    case GVM_EXTERN_FUNC:
        return offered->func != NULL;
    case GVM_EXTERN_TABLE:
        return offered->table != NULL;
    case GVM_EXTERN_MEMORY:
        return offered->memory != NULL;
    case GVM_EXTERN_GLOBAL:
        return offered->global != NULL;
    }
    return false;
}

/* Whether the object is the store's, as far as objects know. Fault handling
 * and totals rely on it. */
static bool
is_of_store(const struct gvm_store *store, const struct gvm_extern *offered)
{
    switch (offered->kind) {
    case GVM_EXTERN_FUNC:
        return offered->func->instance == NULL ||
               offered->func->instance->store == store;
    case GVM_EXTERN_TABLE:
        return offered->table->store == store;
    case GVM_EXTERN_MEMORY:
        return offered->memory->store == store;
    case GVM_EXTERN_GLOBAL:
        return true;
    }
    return false;
}

enum gvm_status
gvm__link_check(const struct gvm_store *store, const struct gvm_module *module,
                const struct gvm_extern *imports, uint32_t import_count,
                struct gvm_error *err)
{
    const char *detail;
    uint32_t i;

    if (import_count > module->import_count)
        return gvm__error_set(err, GVM_BAD_ARGUMENT, GVM_NO_OFFSET,
                              "%u imports for a module of %u", import_count,
                              module->import_count);
    for (i = 0; i < module->import_count; i++) {
        const struct gvm__import *import = &module->imports[i];

        if (i >= import_count || !is_present(&imports[i]))
            return unlinkable(import, err, "unknown import",
                              "nothing is offered");
        detail = mismatch(module, import, &imports[i]);
        if (detail != NULL)
            return unlinkable(import, err, "incompatible import type", detail);
        if (!is_of_store(store, &imports[i]))
            return gvm__error_set(err, GVM_BAD_ARGUMENT, GVM_NO_OFFSET,
                                  "import %u belongs to another store", i);
    }
    return GVM_OK;
}
