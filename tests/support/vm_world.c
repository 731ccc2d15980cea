/*
 * vm_world.c - see vm_world.h.
 */
#include "tests/support/vm_world.h"

#include <check.h>
#include <string.h>

int
vm_world_bounds_count(void)
{
    return gvm_guard_install() == GVM_OK ? 2 : 1;
}

void
vm_world_open(struct vm_world *world, enum gvm_bounds bounds,
              const struct gvm_store_options *options)
{
    struct gvm_engine_options engine_options = {.bounds = bounds};

    memset(world, 0, sizeof(*world));
    if (bounds == GVM_BOUNDS_GUARD)
        ck_assert_int_eq(gvm_guard_install(), GVM_OK);
    ck_assert_int_eq(gvm_engine_create(&engine_options, &world->engine),
                     GVM_OK);
    ck_assert_int_eq(gvm_store_create(world->engine, options, &world->store),
                     GVM_OK);
}

void
vm_world_close(struct vm_world *world)
{
    unsigned i;

    gvm_store_destroy(world->store);
    for (i = 0; i < world->module_count; i++)
        gvm_module_destroy(world->modules[i]);
    gvm_engine_destroy(world->engine);
}

struct gvm_module *
vm_world_load(struct vm_world *world, struct module_builder *builder,
              uint32_t features)
{
    struct gvm_module_options options = {
        .features = features,
        .features_set = true,
        .copy_bytes = true,
    };
    struct gvm_error err = {.status = GVM_OK};
    struct gvm_module *module = NULL;
    enum gvm_status status;
    const uint8_t *bytes;
    size_t length_bytes;

    ck_assert_uint_lt(world->module_count, VM_WORLD_MODULES_MAX);
    bytes = module_builder_finish(builder, &length_bytes);
    status = gvm_module_load(world->engine, &options, bytes, length_bytes,
                             &module, &err);
    ck_assert_msg(status == GVM_OK, "the module does not load: %s",
                  err.message);
    module_builder_destroy(builder);
    world->modules[world->module_count++] = module;
    return module;
}

struct gvm_instance *
vm_world_instantiate(struct vm_world *world, struct gvm_module *module,
                     const struct gvm_extern *imports)
{
    struct gvm_error err = {.status = GVM_OK};
    struct gvm_instance *instance = NULL;
    enum gvm_status status;

    status = gvm_instance_create(world->store, module, imports,
                                 gvm_module_import_count(module), &instance,
                                 &err);
    ck_assert_msg(status == GVM_OK, "the module does not instantiate: %s",
                  err.message);
    return instance;
}

struct gvm_extern
vm_world_export(const struct gvm_instance *instance, const char *name)
{
    struct gvm_extern external = {.kind = GVM_EXTERN_FUNC};

    ck_assert_msg(gvm_instance_export(instance, name, strlen(name), &external),
                  "there is no export \"%s\"", name);
    return external;
}
