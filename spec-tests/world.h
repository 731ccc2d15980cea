/*
 * world.h - what a script has made so far: modules, instances, their names.
 *
 * One script is one world with a store of its own. Modules and instances
 * live until the world ends, whatever becomes of their names, because what
 * they put into shared tables and memories lives on.
 *
 * Used by one thread.
 */
#ifndef GLASS_SPEC_TESTS_WORLD_H
#define GLASS_SPEC_TESTS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "spec-tests/suite.h"
#include "vm/vm.h"

/* Totals of a script's store: room for a table and a memory that are as
 * large as the suite makes any. */
#define SPEC_STORE_TABLE_ENTRIES GVM_TABLE_ENTRIES_MAX
#define SPEC_STORE_MEMORY_BYTES (4ull << 30)
/* Instructions of one call; far more than any that ends. */
#define SPEC_CALL_FUEL 2000000000ull

struct spec_world;

/* Any bytes, NUL too; the caller's, for as long as the world lives. */
struct spec_name {
    const char *bytes;
    size_t length_bytes;
};

/* The things that are named, each kind with names of its own. */
enum spec_binding_kind {
    SPEC_BINDING_MODULE,     /* of a module_definition */
    SPEC_BINDING_INSTANCE,   /* of a module */
    SPEC_BINDING_REGISTERED, /* for imports; an instance too */
};

/* With `is_eager` modules translate all of their functions at once. */
enum gvm_status spec_world_create(struct gvm_engine *engine,
                                  const struct spec_level *level,
                                  bool is_eager, struct spec_world **world);
void spec_world_destroy(struct spec_world *world);

/*
 * Decodes and validates the file at `path`. Returns as gvm_module_load does,
 * or GVM_BAD_ARGUMENT when the file cannot be read. The world owns it.
 */
enum gvm_status spec_world_load(struct spec_world *world, const char *path,
                                struct gvm_module **module,
                                struct gvm_error *err);

/*
 * Links the module with what is registered and the host module, and runs its
 * start function. Returns as gvm_instance_create does, GVM_UNLINKABLE also
 * for an import that nobody exports, and as spec_world_call does.
 */
enum gvm_status spec_world_instantiate(struct spec_world *world,
                                       struct gvm_module *module,
                                       struct gvm_instance **instance,
                                       struct gvm_error *err);

/*
 * Runs `func`. Returns as gvm_call_start does; GVM_SUSPENDED, with a message,
 * when SPEC_CALL_FUEL did not suffice. The results live until the next call.
 */
enum gvm_status spec_world_call(struct spec_world *world,
                                struct gvm_func *func,
                                const union gvm_value *arguments,
                                const union gvm_value **results,
                                struct gvm_error *err);

/*
 * Names something, a module or an instance as `kind` says. A later binding
 * of the same name hides the earlier. False when memory is short.
 */
bool spec_world_bind(struct spec_world *world, enum spec_binding_kind kind,
                     struct spec_name name, void *target);
/* What has that name, or NULL. */
void *spec_world_find(const struct spec_world *world,
                      enum spec_binding_kind kind, struct spec_name name);

#endif
