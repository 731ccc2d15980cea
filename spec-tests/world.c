/*
 * world.c - what a script has made so far; see world.h.
 *
 * One call object serves all invocations of a script, so that state left in
 * it by a trap or an exhausted stack would show in what comes after.
 */
#include "spec-tests/world.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "spec-tests/host.h"

struct binding {
    enum spec_binding_kind kind;
    struct spec_name name;
    void *target;
};

struct spec_world {
    struct gvm_engine *engine;
    const struct spec_level *level;
    bool is_eager;
    struct gvm_store *store;
    struct gvm_call *call;
    struct spec_host host;
    struct gvm_module **modules;
    size_t module_count;
    struct binding *bindings;
    size_t binding_count;
};

enum gvm_status
spec_world_create(struct gvm_engine *engine, const struct spec_level *level,
                  bool is_eager, struct spec_world **world)
{
    static const struct gvm_store_options options = {
        .memory_bytes_max = SPEC_STORE_MEMORY_BYTES,
        .table_entries_max = SPEC_STORE_TABLE_ENTRIES,
    };
    struct spec_world *created = calloc(1, sizeof *created);
    enum gvm_status status;

    if (created == NULL)
        return GVM_NO_MEMORY;
    created->engine = engine;
    created->level = level;
    created->is_eager = is_eager;
    status = gvm_store_create(engine, &options, &created->store);
    if (status == GVM_OK)
        status = gvm_call_create(created->store, &created->call);
    if (status == GVM_OK) {
        status =
            spec_host_init(&created->host, created->store, level->is_mvp);
    }
    if (status != GVM_OK) {
        spec_world_destroy(created);
        return status;
    }
    *world = created;
    return GVM_OK;
}

void
spec_world_destroy(struct spec_world *world)
{
    if (world == NULL)
        return;
    gvm_call_destroy(world->call);
    gvm_store_destroy(world->store);
    for (size_t i = 0; i < world->module_count; i++)
        gvm_module_destroy(world->modules[i]);
    free(world->modules);
    free(world->bindings);
    free(world);
}

static enum gvm_status
fail(struct gvm_error *err, enum gvm_status status, const char *message)
{
    memset(err, 0, sizeof *err);
    err->status = status;
    err->function = GVM_NO_FUNCTION;
    err->offset = GVM_NO_OFFSET;
    snprintf(err->message, sizeof err->message, "%s", message);
    return status;
}

/*
 * Reads a file whole. The bytes lie in an allocation of exactly their size,
 * so that a sanitizer sees a read beyond them.
 */
static enum gvm_status
read_file(const char *path, uint8_t **bytes, size_t *length_bytes,
          struct gvm_error *err)
{
    FILE *file = fopen(path, "rb");
    uint8_t *content = NULL;
    long end = -1;

    if (file == NULL)
        return fail(err, GVM_BAD_ARGUMENT, strerror(errno));
    if (fseek(file, 0, SEEK_END) == 0)
        end = ftell(file);
    if (end >= 0 && fseek(file, 0, SEEK_SET) == 0)
        content = malloc(end > 0 ? (size_t)end : 1);
    if (content == NULL ||
        fread(content, 1, (size_t)end, file) != (size_t)end) {
        free(content);
        fclose(file);
        return fail(err, GVM_BAD_ARGUMENT, "the file cannot be read");
    }
    fclose(file);
    *bytes = content;
    *length_bytes = (size_t)end;
    return GVM_OK;
}

enum gvm_status
spec_world_load(struct spec_world *world, const char *path,
                struct gvm_module **module, struct gvm_error *err)
{
    struct gvm_module_options options = {
        .features = world->level->features,
        .features_set = true,
        .copy_bytes = true,
        .eager = world->is_eager,
    };
    struct gvm_module **modules = realloc(
        world->modules, (world->module_count + 1) * sizeof(*modules));
    uint8_t *bytes = NULL;
    size_t length_bytes = 0;
    struct gvm_module *loaded;
    enum gvm_status status;

    if (modules == NULL)
        return fail(err, GVM_NO_MEMORY, "out of memory");
    world->modules = modules;
    status = read_file(path, &bytes, &length_bytes, err);
    if (status != GVM_OK)
        return status;
    status = gvm_module_load(world->engine, &options, bytes, length_bytes,
                             &loaded, err);
    free(bytes);
    if (status != GVM_OK)
        return status;
    world->modules[world->module_count++] = loaded;
    *module = loaded;
    return GVM_OK;
}

/* Who exports what `import` asks for. False when nobody does. */
static bool
resolve(const struct spec_world *world, const struct gvm_import_info *import,
        struct gvm_extern *external)
{
    struct spec_name module = {import->module, import->module_bytes};
    struct gvm_instance *instance =
        spec_world_find(world, SPEC_BINDING_REGISTERED, module);

    if (instance != NULL) {
        return gvm_instance_export(instance, import->name,
                                   import->name_bytes, external);
    }
    if (module.length_bytes != strlen("spectest") ||
        memcmp(module.bytes, "spectest", module.length_bytes) != 0)
        return false;
    return spec_host_find(&world->host, import->name, import->name_bytes,
                          external);
}

/* `imports` has room for all of the module's. */
static enum gvm_status
link_imports(const struct spec_world *world, const struct gvm_module *module,
             struct gvm_extern *imports, struct gvm_error *err)
{
    for (uint32_t i = 0; i < gvm_module_import_count(module); i++) {
        struct gvm_import_info import;
        char message[sizeof err->message];

        gvm_module_import(module, i, &import);
        if (resolve(world, &import, &imports[i]))
            continue;
        snprintf(message, sizeof message, "unknown import %.*s %.*s",
                 import.module_bytes > 80 ? 80 : (int)import.module_bytes,
                 import.module,
                 import.name_bytes > 80 ? 80 : (int)import.name_bytes,
                 import.name);
        return fail(err, GVM_UNLINKABLE, message);
    }
    return GVM_OK;
}

enum gvm_status
spec_world_instantiate(struct spec_world *world, struct gvm_module *module,
                       struct gvm_instance **instance, struct gvm_error *err)
{
    uint32_t import_count = gvm_module_import_count(module);
    struct gvm_extern *imports =
        calloc((size_t)import_count + 1, sizeof *imports);
    const union gvm_value *results;
    struct gvm_instance *created;
    struct gvm_func *start;
    enum gvm_status status;

    if (imports == NULL)
        return fail(err, GVM_NO_MEMORY, "out of memory");
    status = link_imports(world, module, imports, err);
    if (status == GVM_OK) {
        status = gvm_instance_create(world->store, module, imports,
                                     import_count, &created, err);
    }
    free(imports);
    if (status != GVM_OK)
        return status;
    start = gvm_instance_start(created);
    if (start != NULL)
        status = spec_world_call(world, start, NULL, &results, err);
    if (status == GVM_OK)
        *instance = created;
    return status;
}

enum gvm_status
spec_world_call(struct spec_world *world, struct gvm_func *func,
                const union gvm_value *arguments,
                const union gvm_value **results, struct gvm_error *err)
{
    enum gvm_status status;

    gvm_call_set_fuel(world->call, SPEC_CALL_FUEL);
    status = gvm_call_start(world->call, func, arguments, err);
    if (status == GVM_OK)
        *results = gvm_call_results(world->call);
    if (status == GVM_SUSPENDED)
        return fail(err, status, "it has used up its fuel");
    return status;
}

bool
spec_world_bind(struct spec_world *world, enum spec_binding_kind kind,
                struct spec_name name, void *target)
{
    struct binding *bindings =
        realloc(world->bindings,
                (world->binding_count + 1) * sizeof *bindings);

    if (bindings == NULL)
        return false;
    world->bindings = bindings;
    bindings[world->binding_count].kind = kind;
    bindings[world->binding_count].name = name;
    bindings[world->binding_count].target = target;
    world->binding_count++;
    return true;
}

void *
spec_world_find(const struct spec_world *world, enum spec_binding_kind kind,
                struct spec_name name)
{
    for (size_t i = world->binding_count; i-- > 0;) {
        const struct binding *binding = &world->bindings[i];

        if (binding->kind == kind &&
            binding->name.length_bytes == name.length_bytes &&
            memcmp(binding->name.bytes, name.bytes, name.length_bytes) == 0)
            return binding->target;
    }
    return NULL;
}
