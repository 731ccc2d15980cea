/*
 * fuzz_module.c - see fuzz_module.h.
 */
#include "tests/fuzz/fuzz_module.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Enough for what examples do, little enough to be quick. */
static const struct gvm_store_options store_options = {
    .memory_bytes_max = 16u << 20,
    .table_entries_max = 20000,
    .value_stack_bytes = 256u << 10,
};

/* Says what was broken and where the fuzzer or the test sees it. */
static void
require(bool holds, const char *what)
{
    if (!holds) {
        fprintf(stderr, "fuzz_module: %s\n", what);
        abort();
    }
}

/* ---- Imports --------------------------------------------------------- */

static uint32_t result_counts[GVM_RESULTS_MAX + 1];

/* All results are zero: null references too. */
static enum gvm_status
return_zeros(struct gvm_call *call, void *data, union gvm_value *slots)
{
    const uint32_t *result_count = data;

    (void)call;
    memset(slots, 0, *result_count * sizeof(slots[0]));
    return GVM_OK;
}

static enum gvm_status
make_import(struct gvm_store *store, const struct gvm_extern_type *type,
            struct gvm_extern *external)
{
    union gvm_value zero = {.slot = 0};
    uint32_t *result_count;

    external->kind = type->kind;
    switch (type->kind) {
    case GVM_EXTERN_FUNC:
        result_count = &result_counts[type->func.result_count];
        *result_count = type->func.result_count;
        return gvm_func_create(store, &type->func, return_zeros,
                               result_count, &external->func);
    case GVM_EXTERN_TABLE:
        return gvm_table_create(store, type->value_type, &type->limits, zero,
                                &external->table);
    case GVM_EXTERN_MEMORY:
        return gvm_memory_create(store, &type->limits, &external->memory);
    case GVM_EXTERN_GLOBAL:
        return gvm_global_create(store, type->value_type, type->mutable_,
                                 zero, &external->global);
    }
    abort();
}

/* NULL when an import cannot be had, for instance too large a memory. */
static struct gvm_extern *
make_imports(struct gvm_store *store, const struct gvm_module *module)
{
    uint32_t count = gvm_module_import_count(module);
    struct gvm_extern *imports = calloc(count + 1, sizeof(*imports));

    require(imports != NULL, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        struct gvm_import_info info;
        enum gvm_status status;

        gvm_module_import(module, i, &info);
        status = make_import(store, &info.type, &imports[i]);
        if (status != GVM_OK) {
            require(status == GVM_LIMIT || status == GVM_NO_MEMORY,
                    "an import is refused without a reason");
            free(imports);
            return NULL;
        }
    }
    return imports;
}

/* ---- Running --------------------------------------------------------- */

static void
run(struct gvm_call *call, struct gvm_func *func,
    struct fuzz_module_counts *counts)
{
    struct gvm_error err;
    enum gvm_status status;

    memset(&err, 0x55, sizeof(err));
    status = gvm_call_start(call, func, NULL, &err);
    counts->calls++;
    switch (status) {
    case GVM_OK:
        counts->calls_returned++;
        break;
    case GVM_TRAP:
    case GVM_EXHAUSTED:
        require(memchr(err.message, '\0', sizeof(err.message)) != NULL,
                "a message has no end");
        break;
    case GVM_SUSPENDED:
        require(gvm_call_suspension(call) == GVM_SUSPENSION_FUEL,
                "suspended for another reason than fuel");
        break;
    default:
        require(status == GVM_NO_MEMORY, "a call ends in no known way");
    }
}

/* All exported functions that take nothing share the fuel. */
static void
run_exports(struct gvm_store *store, const struct gvm_module *module,
            struct gvm_instance *instance, struct fuzz_module_counts *counts)
{
    struct gvm_call *call;

    require(gvm_call_create(store, &call) == GVM_OK, "no call to be had");
    gvm_call_set_fuel(call, FUZZ_MODULE_FUEL);
    if (gvm_instance_start(instance) != NULL) {
        run(call, gvm_instance_start(instance), counts);
    }
    for (uint32_t i = 0; i < gvm_module_export_count(module); i++) {
        struct gvm_export_info info;
        struct gvm_extern external;

        gvm_module_export(module, i, &info);
        if (info.type.kind != GVM_EXTERN_FUNC ||
            info.type.func.parameter_count > 0) {
            continue;
        }
        require(gvm_instance_export(instance, info.name, info.name_bytes,
                                    &external),
                "an instance lacks an export of its module");
        run(call, external.func, counts);
    }
    gvm_call_destroy(call);
}

static void
instantiate(struct gvm_engine *engine, struct gvm_module *module,
            struct fuzz_module_counts *counts)
{
    struct gvm_store *store;
    struct gvm_instance *instance;
    struct gvm_extern *imports;
    struct gvm_error err;
    enum gvm_status status;

    require(gvm_store_create(engine, &store_options, &store) == GVM_OK,
            "no store to be had");
    imports = make_imports(store, module);
    if (imports != NULL) {
        status = gvm_instance_create(store, module, imports,
                                     gvm_module_import_count(module),
                                     &instance, &err);
        if (status == GVM_OK) {
            counts->instantiated++;
            run_exports(store, module, instance, counts);
        } else {
            require(status == GVM_TRAP || status == GVM_UNLINKABLE ||
                        status == GVM_LIMIT || status == GVM_NO_MEMORY,
                    "an instance is refused without a reason");
        }
    }
    free(imports);
    gvm_store_destroy(store);
}

void
fuzz_module_try(struct gvm_engine *engine, const uint8_t *bytes,
                size_t length_bytes, uint32_t features,
                struct fuzz_module_counts *counts)
{
    struct gvm_module_options options = {
        .features = features,
        .features_set = true,
    };
    /* An allocation without room behind it, for the address sanitizer. */
    uint8_t *exact = malloc(length_bytes);
    struct gvm_module *module = NULL;
    struct gvm_error err;
    enum gvm_status status;

    require(exact != NULL || length_bytes == 0, "out of memory");
    if (length_bytes > 0) {
        memcpy(exact, bytes, length_bytes);
    }
    counts->tried++;
    status = gvm_module_load(engine, &options, exact, length_bytes, &module,
                             &err);
    if (status == GVM_OK) {
        counts->loaded++;
        instantiate(engine, module, counts);
    } else {
        require(status == GVM_MALFORMED || status == GVM_INVALID ||
                    status == GVM_LIMIT || status == GVM_NO_MEMORY,
                "a module is refused without a reason");
        require(status == err.status, "error and status differ");
        require(status == GVM_LIMIT || status == GVM_NO_MEMORY ||
                    err.offset <= length_bytes,
                "an error lies outside the module");
    }
    gvm_module_destroy(module);
    free(exact);
}
