/*
 * host.c - the host module "spectest"; see host.h.
 */
#include "spec-tests/host.h"

#include <assert.h>
#include <string.h>

static const struct print {
    const char *name;
    uint8_t parameters[2];
    uint32_t parameter_count;
    bool in_mvp;
} prints[] = {
    {"print", {0}, 0, true},
    {"print_i32", {GVM_I32}, 1, true},
    {"print_i64", {GVM_I64}, 1, false},
    {"print_f32", {GVM_F32}, 1, true},
    {"print_f64", {GVM_F64}, 1, true},
    {"print_i32_f32", {GVM_I32, GVM_F32}, 2, true},
    {"print_f64_f64", {GVM_F64, GVM_F64}, 2, true},
};

static const struct global {
    const char *name;
    enum gvm_value_type type;
    union gvm_value value;
    bool in_mvp;
} globals[] = {
    {"global_i32", GVM_I32, {.i32 = 666}, true},
    {"global_i64", GVM_I64, {.i64 = 666}, false},
    {"global_f32", GVM_F32, {.f32 = 666.6f}, true},
    {"global_f64", GVM_F64, {.f64 = 666.6}, true},
};

static enum gvm_status
do_nothing(struct gvm_call *call, void *data, union gvm_value *slots)
{
    (void)call;
    (void)data;
    (void)slots;
    return GVM_OK;
}

static void
add(struct spec_host *host, const char *name,
    const struct gvm_extern *external)
{
    assert(host->export_count < SPEC_HOST_EXPORTS_MAX);
    host->exports[host->export_count].name = name;
    host->exports[host->export_count].external = *external;
    host->export_count++;
}

static enum gvm_status
add_prints(struct spec_host *host, struct gvm_store *store, bool is_mvp)
{
    for (size_t i = 0; i < sizeof prints / sizeof prints[0]; i++) {
        struct gvm_func_type type = {
            .parameters = prints[i].parameters,
            .parameter_count = prints[i].parameter_count,
        };
        struct gvm_extern external = {.kind = GVM_EXTERN_FUNC};
        enum gvm_status status;

        if (is_mvp && !prints[i].in_mvp)
            continue;
        status =
            gvm_func_create(store, &type, do_nothing, NULL, &external.func);
        if (status != GVM_OK)
            return status;
        add(host, prints[i].name, &external);
    }
    return GVM_OK;
}

static enum gvm_status
add_globals(struct spec_host *host, struct gvm_store *store, bool is_mvp)
{
    for (size_t i = 0; i < sizeof globals / sizeof globals[0]; i++) {
        struct gvm_extern external = {.kind = GVM_EXTERN_GLOBAL};
        enum gvm_status status;

        if (is_mvp && !globals[i].in_mvp)
            continue;
        status = gvm_global_create(store, globals[i].type, false,
                                   globals[i].value, &external.global);
        if (status != GVM_OK)
            return status;
        add(host, globals[i].name, &external);
    }
    return GVM_OK;
}

enum gvm_status
spec_host_init(struct spec_host *host, struct gvm_store *store, bool is_mvp)
{
    static const struct gvm_limits pages = {1, 2, true};
    static const struct gvm_limits entries = {10, 20, true};
    struct gvm_extern memory = {.kind = GVM_EXTERN_MEMORY};
    struct gvm_extern table = {.kind = GVM_EXTERN_TABLE};
    union gvm_value null = {.slot = 0};
    enum gvm_status status;

    host->export_count = 0;
    status = add_prints(host, store, is_mvp);
    if (status == GVM_OK)
        status = add_globals(host, store, is_mvp);
    if (status == GVM_OK)
        status = gvm_memory_create(store, &pages, &memory.memory);
    if (status == GVM_OK)
        status = gvm_table_create(store, GVM_FUNCREF, &entries, null,
                                  &table.table);
    if (status != GVM_OK)
        return status;
    add(host, "memory", &memory);
    add(host, "table", &table);
    return GVM_OK;
}

bool
spec_host_find(const struct spec_host *host, const char *name,
               size_t name_bytes, struct gvm_extern *external)
{
    for (size_t i = 0; i < host->export_count; i++) {
        const char *candidate = host->exports[i].name;

        if (strlen(candidate) == name_bytes &&
            memcmp(candidate, name, name_bytes) == 0) {
            *external = host->exports[i].external;
            return true;
        }
    }
    return false;
}
