/*
 * vm_world.h - an engine, a store and modules for tests, in one variable.
 *
 *     struct vm_world world;
 *     vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
 *     module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
 *     ...
 *     vm_world_close(&world);
 *
 * Whatever goes wrong here fails the running test. A world is used by one
 * thread.
 */
#ifndef GLASS_TESTS_SUPPORT_VM_WORLD_H
#define GLASS_TESTS_SUPPORT_VM_WORLD_H

#include "tests/support/module_builder.h"

#define VM_WORLD_MODULES_MAX 8u

struct vm_world {
    struct gvm_engine *engine;
    struct gvm_store *store;
    struct gvm_module *modules[VM_WORLD_MODULES_MAX];
    unsigned module_count;
};

/*
 * How many kinds of bounds this build has: loop tests run from 0 up to
 * this and take their index as `enum gvm_bounds`. Guard pages are missing
 * under the thread sanitizer.
 */
int vm_world_bounds_count(void);

/* Installs the guard's handler when `bounds` needs it. */
void vm_world_open(struct vm_world *world, enum gvm_bounds bounds,
                   const struct gvm_store_options *options);
void vm_world_close(struct vm_world *world);

/* Loads a copy of what the builder holds, and destroys the builder. */
struct gvm_module *
vm_world_load(struct vm_world *world, struct module_builder *builder,
              uint32_t features);
/* An instance that must come to life; `imports` fill all of the module's. */
struct gvm_instance *
vm_world_instantiate(struct vm_world *world, struct gvm_module *module,
                     const struct gvm_extern *imports);
/* An export that must exist. */
struct gvm_extern
vm_world_export(const struct gvm_instance *instance, const char *name);

#endif
