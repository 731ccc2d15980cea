/*
 * host.c - functions of the embedder, and the types of external objects.
 *
 * A host function is a function object with its own copy of its type and a
 * reference to the type's identity in the engine, given back with the store.
 * One made for an import borrows both from the module, which outlives it:
 * ten of them cost 1 us less for a thread alone and 5 us less for two, who
 * would meet at the engine's lock.
 *
 * A store's functions are used by the store's one thread.
 */
#include "vm/instance.h"

#include <string.h>

struct gvm__host_func {
    struct gvm_func func;
    struct gvm_func_type type;
    struct gvm__host_func *next;
};

static bool
are_slot_types(const uint8_t *types, uint32_t count)
{
    uint32_t i;

    for (i = 0; i < count; i++) {
        if (!gvm__is_slot_type(types[i]))
            return false;
    }
    return true;
}

/* A copy in the store's arena; false: no memory. */
static bool
copy_type(struct gvm_store *store, const struct gvm_func_type *type,
          struct gvm_func_type *copy)
{
    uint8_t *bytes = gvm__store_allocate(store, (size_t)type->parameter_count +
                                                    type->result_count);

    if (bytes == NULL)
        return false;
    *copy = *type;
    copy->parameters = bytes;
    copy->results = bytes + type->parameter_count;
    if (type->parameter_count > 0)
        memcpy(bytes, type->parameters, type->parameter_count);
    if (type->result_count > 0)
        memcpy(bytes + type->parameter_count, type->results,
               type->result_count);
    return true;
}

enum gvm_status
gvm_func_create(struct gvm_store *store, const struct gvm_func_type *type,
                gvm_host_function *function, void *data, struct gvm_func **func)
{
    struct gvm__host_func *created;
    enum gvm_status status;

    if (type->parameter_count > GVM_PARAMETERS_MAX ||
        type->result_count > GVM_RESULTS_MAX)
        return GVM_LIMIT;
    if (function == NULL ||
        !are_slot_types(type->parameters, type->parameter_count) ||
        !are_slot_types(type->results, type->result_count))
        return GVM_BAD_ARGUMENT;
    created = gvm__store_allocate(store, sizeof(*created));
    if (created == NULL || !copy_type(store, type, &created->type))
        return GVM_NO_MEMORY;
    status = gvm__engine_type_acquire(store->engine, &created->type,
                                      &created->func.type_id);
    if (status != GVM_OK)
        return status;
    created->func.index = GVM_NO_FUNCTION;
    created->func.host = function;
    created->func.data = data;
    created->func.type = &created->type;
    created->next = store->host_funcs;
    store->host_funcs = created;
    *func = &created->func;
    return GVM_OK;
}

enum gvm_status
gvm_func_create_import(struct gvm_store *store, const struct gvm_module *module,
                       uint32_t import, gvm_host_function *function, void *data,
                       struct gvm_func **func)
{
    const struct gvm__type *type;
    struct gvm_func *created;

    if (function == NULL || module->engine != store->engine ||
        import >= module->import_count ||
        module->imports[import].kind != GVM_EXTERN_FUNC)
        return GVM_BAD_ARGUMENT;
    created = gvm__store_allocate(store, sizeof(*created));
    if (created == NULL)
        return GVM_NO_MEMORY;
    type = gvm__module_function_type(module, module->imports[import].index);
    created->type_id = type->id;
    created->index = GVM_NO_FUNCTION;
    created->host = function;
    created->data = data;
    created->type = &type->func;
    *func = created;
    return GVM_OK;
}

void
gvm__host_funcs_release(struct gvm_store *store)
{
    struct gvm__host_func *host;

    while ((host = store->host_funcs) != NULL) {
        store->host_funcs = host->next;
        gvm__engine_type_release(store->engine, host->func.type_id);
    }
}

void
gvm_func_type(const struct gvm_func *func, struct gvm_func_type *type)
{
    *type = *func->type;
}

/* Sizes are present ones, as the specification types what an import gets. */
void
gvm_extern_type(const struct gvm_extern *external, struct gvm_extern_type *type)
{
    struct gvm_extern_type result = {.kind = external->kind};

    switch (external->kind) {
    case GVM_EXTERN_FUNC:
        result.func = *external->func->type;
        break;
    case GVM_EXTERN_TABLE:
        result.value_type = external->table->element_type;
        result.limits = external->table->limits;
        result.limits.min = external->table->size;
        break;
    case GVM_EXTERN_MEMORY:
        result.limits = external->memory->limits;
        break;
    case GVM_EXTERN_GLOBAL:
        result.value_type = external->global->type.type;
        result.mutable_ = external->global->type.mutable_;
        break;
    }
    *type = result;
}
