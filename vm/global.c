/*
 * global.c - globals that the embedder creates, and access to all.
 *
 * A 32-bit value keeps the upper half of its slot zero, as handlers expect
 * of every slot; what embedders hand in may carry anything there.
 *
 * A store's globals are used by the store's one thread.
 */
#include "vm/instance.h"

#include <assert.h>

/* The value as slots hold it. */
static union gvm_value
normalized(enum gvm_value_type type, union gvm_value value)
{
    if (type == GVM_I32 || type == GVM_F32)
        value.slot = value.i32;
    return value;
}

bool
gvm__is_slot_type(unsigned type)
{
    switch (type) {
    case GVM_I32:
    case GVM_I64:
    case GVM_F32:
    case GVM_F64:
    case GVM_FUNCREF:
    case GVM_EXTERNREF:
        return true;
    default:
        return false;
    }
}

enum gvm_status
gvm_global_create(struct gvm_store *store, enum gvm_value_type type,
                  bool mutable_, union gvm_value value,
                  struct gvm_global **global)
{
    struct gvm_global *created;

    if (!gvm__is_slot_type(type))
        return GVM_BAD_ARGUMENT;
    created = gvm__store_allocate(store, sizeof(*created));
    if (created == NULL)
        return GVM_NO_MEMORY;
    created->type.type = type;
    created->type.mutable_ = mutable_;
    created->value = normalized(type, value);
    *global = created;
    return GVM_OK;
}

union gvm_value
gvm_global_get(const struct gvm_global *global)
{
    return global->value;
}

void
gvm_global_set(struct gvm_global *global, union gvm_value value)
{
    assert(global->type.mutable_);
    global->value = normalized(global->type.type, value);
}
