/* world.c - for tests: see world.h. */
#include "tests/runtime/world.h"
#include "tests/support/whole_file.h"

#include <check.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

void
world_open(struct world *world, const struct runtime_options *options)
{
    struct runtime_options copy = {0};

    *world = (struct world){0};
    if (options)
        copy = *options;
    if (!copy.store) {
        ck_assert_int_eq(state_store_open(NULL, &world->store, NULL),
                         STATE_OK);
        copy.store = world->store;
    }
    enum runtime_status status =
        runtime_create(&copy, &world->runtime, &world->err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
}

void
world_close(struct world *world)
{
    runtime_destroy(world->runtime);
    state_store_close(world->store);
    *world = (struct world){0};
}

void
world_directory_make(char path[64])
{
    strcpy(path, "data.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(path));
}

void
world_directory_remove(const char *path)
{
    DIR *directory = opendir(path);
    struct dirent *entry;

    while (directory && (entry = readdir(directory))) {
        char name[512];
        if (!strcmp(entry->d_name, ".") || !strcmp(entry->d_name, ".."))
            continue;
        ck_assert_int_lt(
            snprintf(name, sizeof(name), "%s/%s", path, entry->d_name),
            (int)sizeof(name));
        struct stat info;
        ck_assert_int_eq(lstat(name, &info), 0);
        if (S_ISDIR(info.st_mode))
            world_directory_remove(name);
        else
            ck_assert_int_eq(unlink(name), 0);
    }
    if (directory)
        closedir(directory);
    rmdir(path);
}

void
world_guest_path(const char *name, char path[512])
{
    static const char *const variables[] = {"GLASS_GUESTS",
                                            "GLASS_FAASLETS"};

    for (size_t i = 0; i < 2; i++) {
        const char *directory = getenv(variables[i]);
        ck_assert_msg(directory != NULL, "%s is not set: run ctest",
                      variables[i]);
        snprintf(path, 512, "%s/%s.wasm", directory, name);
        if (access(path, R_OK) == 0)
            return;
    }
    ck_abort_msg("there is no guest %s", name);
}

uint8_t *
world_guest(const char *name, size_t *length_bytes)
{
    char path[512];

    world_guest_path(name, path);
    return whole_file_read(path, length_bytes);
}

enum runtime_status
world_deploy(struct world *world, const char *name, const uint8_t *module,
             size_t module_bytes)
{
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = name,
        .module = module,
        .module_bytes = module_bytes,
    };

    return runtime_function_deploy(world->runtime, &deployment, NULL, NULL,
                                   &world->err);
}

void
world_deploy_as(struct world *world, const char *namespace_, const char *name,
                const struct runtime_config *config,
                struct module_builder *builder)
{
    struct runtime_deployment deployment = {
        .namespace_ = namespace_,
        .name = name,
        .config = config,
    };

    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    enum runtime_status status = runtime_function_deploy(
        world->runtime, &deployment, NULL, NULL, &world->err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
    module_builder_destroy(builder);
}

void
world_deploy_built(struct world *world, const char *name,
                   struct module_builder *builder)
{
    world_deploy_as(world, "default", name, NULL, builder);
}

void
world_deploy_guest(struct world *world, const char *name)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest(name, &length_bytes);
    enum runtime_status status =
        world_deploy(world, name, bytes, length_bytes);

    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
    free(bytes);
}

struct runtime_call *
world_call(struct world *world, const char *name, const char *input)
{
    struct runtime_call *call = NULL;
    enum runtime_status status = runtime_call_create(
        world->runtime, "default", name, &call, &world->err);

    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
    status = runtime_call_input_append(call, input, strlen(input),
                                       &world->err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
    return call;
}

const struct runtime_result *
world_start(struct runtime_call *call, enum runtime_status expected)
{
    enum runtime_status status = runtime_call_run(call);
    const struct runtime_result *result = runtime_call_result(call);

    ck_assert_msg(status == expected, "%s instead of %s: %s",
                  runtime_status_name(status), runtime_status_name(expected),
                  result->error.message);
    ck_assert_int_eq(result->status, status);
    return result;
}

const char *
world_ask(struct world *world, const char *name, const char *export_name,
          const char *arguments, enum runtime_status expected)
{
    static char answer[RUNTIME_VALUE_TEXT_SIZE];
    char copy[256];
    const char *texts[16];
    size_t count = 0;
    struct runtime_call *call = world_call(world, name, "");

    strcpy(copy, arguments);
    for (char *text = strtok(copy, " "); text; text = strtok(NULL, " "))
        texts[count++] = text;
    enum runtime_status status = runtime_call_set_export(
        call, export_name, texts, count, &world->err);
    ck_assert_msg(status == RUNTIME_OK, "%s", world->err.message);
    const struct runtime_result *result = world_start(call, expected);
    world->err = result->error;
    strcpy(answer, result->value_count ? result->values[0].text : "");
    runtime_call_destroy(call);
    return answer;
}

struct module_builder *
world_handler(const char *locals, const uint8_t *body, size_t body_bytes)
{
    struct module_builder *builder = module_builder_create();
    uint32_t handle =
        module_builder_func(builder, ":i", locals, body, body_bytes);

    module_builder_export(builder, "glass_handle", GVM_EXTERN_FUNC, handle);
    module_builder_memory(builder, 1, 2);
    return builder;
}
