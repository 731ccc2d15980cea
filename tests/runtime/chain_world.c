/* chain_world.c - for tests: see chain_world.h. */
#include "tests/runtime/chain_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
deploy(struct world *world, const char *name, const uint8_t *module,
       size_t module_bytes, uint64_t concurrency, uint64_t queue)
{
    static char none[RUNTIME_NAME_BYTES_MAX + 1];
    memset(none, 'a', RUNTIME_NAME_BYTES_MAX);
    const char *const names[] = {"chain", "printing", "plain",
                                 "one",   "two",      "wordcount", none};
    const struct runtime_names functions = {names, 7};
    const struct runtime_config config = {
        .concurrency = concurrency,
        .queue = queue,
        .grants.functions = &functions,
    };
    const struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = name,
        .module = module,
        .module_bytes = module_bytes,
        .config = &config,
    };
    enum runtime_status status = runtime_function_deploy(
        world->runtime, &deployment, NULL, NULL, &world->err);

    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
}

void
chain_world_deploy_built(struct world *world, const char *name,
                         struct module_builder *builder,
                         uint64_t concurrency, uint64_t queue)
{
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    deploy(world, name, bytes, length_bytes, concurrency, queue);
    module_builder_destroy(builder);
}

void
chain_world_deploy(struct world *world, const char *name, const char *guest)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest(guest, &length_bytes);

    deploy(world, name, bytes, length_bytes, 0, 0);
    free(bytes);
}

void
chain_world_open(struct world *world, const struct runtime_options *options)
{
    struct runtime_options copy = {0};
    struct module_builder *printing;
    struct module_builder *plain = module_builder_create();

    if (options)
        copy = *options;
    if (!copy.timeout_ms)
        copy.timeout_ms = 600000;
    world_open(world, &copy);
    chain_world_deploy(world, "chain", "chain");
    chain_world_deploy(world, "other", "chain");

    printing = module_builder_create();
    uint32_t write = module_builder_import_func(printing, "glass",
                                                "output_write", "ii:i");
    uint32_t print = module_builder_func(
        printing, ":i", "",
        BYTES(0x41, 0, 0x41, 1, 0x10, (uint8_t)write, 0x0b));
    module_builder_export(printing, "glass_handle", GVM_EXTERN_FUNC, print);
    module_builder_memory(printing, 1, 1);
    module_builder_data(printing, 0, "!", 1);
    chain_world_deploy_built(world, "printing", printing, 0, 0);

    module_builder_export(
        plain, "add", GVM_EXTERN_FUNC,
        module_builder_func(plain, "i:i", "", BYTES(0x20, 0, 0x0b)));
    chain_world_deploy_built(world, "plain", plain, 0, 0);
}

void
chain_world_settle(struct world *world)
{
    const struct timespec step = {.tv_nsec = 1000000};
    struct runtime_statistics statistics;

    do {
        nanosleep(&step, NULL);
        runtime_statistics(world->runtime, &statistics);
    } while (statistics.call_count > 0);
}
