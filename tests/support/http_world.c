/*
 * http_world.c - see http_world.h.
 */
#include "tests/support/http_world.h"

#include "tests/support/module_builder.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
http_world_open(struct http_world *world,
                const struct http_world_options *given)
{
    struct http_world_options options = {0};
    struct state_error state_err = {0};
    struct runtime_error runtime_err = {0};
    struct http_error http_err = {0};

    if (given)
        options = *given;
    memset(world, 0, sizeof(*world));
    ck_assert_msg(state_store_open(&options.state, &world->store,
                                   &state_err) == STATE_OK,
                  "%s", state_err.message);
    options.runtime.store = world->store;
    ck_assert_msg(runtime_create(&options.runtime, &world->runtime,
                                 &runtime_err) == RUNTIME_OK,
                  "%s", runtime_err.message);
    options.http.runtime = world->runtime;
    options.http.store = world->store;
    if (options.http.thread_count == 0)
        options.http.thread_count = 2;
    ck_assert_msg(http_server_create(&options.http, &world->server,
                                     &http_err) == HTTP_OK,
                  "%s", http_err.message);
    world->port = http_server_port(world->server);
}

void
http_world_close(struct http_world *world)
{
    http_server_destroy(world->server);
    runtime_destroy(world->runtime);
    state_store_close(world->store);
}

static void
deploy(struct http_world *world, const char *name, const unsigned char *bytes,
       size_t length)
{
    const struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = name,
        .module = bytes,
        .module_bytes = length,
    };
    struct runtime_error err = {0};

    ck_assert_msg(runtime_function_deploy(world->runtime, &deployment, NULL,
                                          NULL, &err) == RUNTIME_OK,
                  "%s: %s", name, err.message);
}

unsigned char *
http_world_read_example(const char *name, size_t *length)
{
    const char *directory = getenv("GLASS_FAASLETS");
    char path[4096];

    ck_assert_ptr_nonnull(directory);
    snprintf(path, sizeof(path), "%s/%s.wasm", directory, name);
    return whole_file_read(path, length);
}

void
http_world_deploy_example(struct http_world *world, const char *name)
{
    size_t length;
    unsigned char *bytes = http_world_read_example(name, &length);

    deploy(world, name, bytes, length);
    free(bytes);
}

void
http_world_deploy(struct http_world *world, const char *name,
                  struct module_builder *builder)
{
    size_t length;
    const uint8_t *bytes = module_builder_finish(builder, &length);

    deploy(world, name, bytes, length);
    module_builder_destroy(builder);
}

struct module_builder *
http_world_build_math(void)
{
    static const uint8_t add[] = {0x20, 0, 0x20, 1, 0x6a, 0x0b};
    static const uint8_t divide[] = {0x20, 0, 0x20, 1, 0x6d, 0x0b};
    static const uint8_t same[] = {0x20, 0, 0x0b};
    static const uint8_t spin[] = {0x03, 0x40, 0x0c, 0, 0x0b, 0x0b};
    static const uint8_t nothing[] = {0x0b};
    static const uint8_t deep[] = {0x10, 5, 0x0b};
    static const struct {
        const char *name;
        const char *signature;
        const uint8_t *body;
        size_t length;
    } functions[] = {
        {"add", "ii:i", add, sizeof(add)},
        {"divide", "ii:i", divide, sizeof(divide)},
        {"same", "d:d", same, sizeof(same)},
        {"spin", ":", spin, sizeof(spin)},
        {"nothing", ":", nothing, sizeof(nothing)},
        {"deep", ":", deep, sizeof(deep)},
    };
    struct module_builder *builder = module_builder_create();

    for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++) {
        uint32_t index =
            module_builder_func(builder, functions[i].signature, "",
                                functions[i].body, functions[i].length);
        module_builder_export(builder, functions[i].name, GVM_EXTERN_FUNC,
                              index);
    }
    return builder;
}
