/*
 * snapshot.h - an initialised instance, frozen.
 *
 * References to functions are frozen as indexes, since each instance has
 * function objects of its own: index + 1, and 0 for null. References of the
 * host's (externref) mean the same in every instance and stay as they are.
 */
#ifndef GLASS_VM_SNAPSHOT_H
#define GLASS_VM_SNAPSHOT_H

#include "vm/image.h"

struct gvm__frozen_table {
    uint64_t size;
    union gvm_value *entries;
};

struct gvm__frozen_global {
    uint32_t index; /* in the instance's own globals */
    union gvm_value value;
};

struct gvm_snapshot {
    struct gvm_module *module;
    /* The instance's own, which are all that it has. */
    struct gvm__image *memories;
    struct gvm__frozen_table *tables;
    /* Only those that can change. */
    struct gvm__frozen_global *globals;
    uint32_t global_count;
    /* As in the instance. */
    uint8_t *elements_dropped;
    uint8_t *datas_dropped;
};

/* One of the module with nothing in it yet; gvm_snapshot_destroy frees it.
 * NULL: no memory. */
struct gvm_snapshot *gvm__snapshot_allocate(struct gvm_module *module);

/* What the module has that stands in the way of snapshots of its instances;
 * NULL: nothing. */
const char *gvm__snapshot_hindrance(const struct gvm_module *module);

#endif
