/*
 * module.c - loading, destroying and asking a module.
 *
 * A module is made by one thread and never changes afterwards (except for
 * translations, see module.h), so any number of threads may ask it.
 *
 * From create_module on everything hangs from the module: whatever step
 * fails, gvm_module_destroy takes back what the steps before it made.
 */
#include "vm/module.h"

#include <stdlib.h>
#include <string.h>

/* ---- Loading --------------------------------------------------------- */

static const struct gvm_module_options default_options;

/* Options that make no sense, and a module longer than they allow: before a
 * byte of it is looked at. */
static enum gvm_status
check_options(const struct gvm_module_options *options, size_t length_bytes,
              struct gvm_error *err)
{
    uint64_t max = options->module_bytes_max != 0 ? options->module_bytes_max
                                                  : GVM_MODULE_BYTES_MAX;

    if (options->features_set &&
        (options->features & ~GVM_FEATURES_2_0) != 0) {
        return gvm__error_set(err, GVM_BAD_ARGUMENT, GVM_NO_OFFSET,
                              "unknown features 0x%x",
                              options->features & ~GVM_FEATURES_2_0);
    }
    /* Offsets within a module have 32 bits. */
    if (max > UINT32_MAX) {
        max = UINT32_MAX;
    }
    if (length_bytes > max) {
        return gvm__error_set(err, GVM_LIMIT, GVM_NO_OFFSET,
                              "a module of %zu bytes, %s is %llu",
                              length_bytes,
                              options->module_bytes_max != 0
                                  ? "module_bytes_max"
                                  : "GVM_MODULE_BYTES_MAX",
                              (unsigned long long)max);
    }
    return GVM_OK;
}

/* An empty module that holds the bytes. */
static enum gvm_status
create_module(struct gvm_engine *engine,
              const struct gvm_module_options *options, const uint8_t *bytes,
              size_t length_bytes, struct gvm_module **module)
{
    struct gvm_module *created = calloc(1, sizeof(*created));

    if (created == NULL) {
        return GVM_NO_MEMORY;
    }
    if (pthread_mutex_init(&created->lock, NULL) != 0) {
        free(created);
        return GVM_NO_MEMORY;
    }
    /* Names, types and data segments point into the bytes from here on. */
    created->engine = engine;
    created->bytes = bytes;
    created->length_bytes = length_bytes;
    created->features =
        options->features_set ? options->features : GVM_FEATURES_DEFAULT;
    created->fuel_off = options->fuel_off;
    if (options->copy_bytes) {
        created->bytes_owned = malloc(length_bytes + 1);
        if (created->bytes_owned == NULL) {
            gvm_module_destroy(created);
            return GVM_NO_MEMORY;
        }
        if (length_bytes > 0) {
            memcpy(created->bytes_owned, bytes, length_bytes);
        }
        created->bytes = created->bytes_owned;
    }
    *module = created;
    return GVM_OK;
}

enum gvm_status
gvm_module_load(struct gvm_engine *engine,
                const struct gvm_module_options *options,
                const uint8_t *bytes, size_t length_bytes,
                struct gvm_module **module, struct gvm_error *err)
{
    /* No bytes still have an address to count from. */
    static const uint8_t nothing[1];
    struct gvm_module *loaded;
    enum gvm_status status;

    if (options == NULL) {
        options = &default_options;
    }
    status = check_options(options, length_bytes, err);
    if (status != GVM_OK) {
        return status;
    }
    status = create_module(engine, options,
                           length_bytes > 0 ? bytes : nothing, length_bytes,
                           &loaded);
    if (status != GVM_OK) {
        return gvm__error_set(err, status, GVM_NO_OFFSET,
                              "no memory for a module");
    }
    status = gvm__decode(loaded, err);
    if (status != GVM_OK) {
        goto fail;
    }
    status = gvm__validate(loaded, err);
    if (status != GVM_OK) {
        goto fail;
    }
    gvm__module_prepare(loaded);
    status = options->eager ? gvm__module_translate_all(loaded, err)
                            : gvm__module_translate_large(loaded, err);
    if (status != GVM_OK) {
        goto fail;
    }
    *module = loaded;
    return GVM_OK;

fail:
    gvm_module_destroy(loaded);
    return status;
}

void
gvm_module_destroy(struct gvm_module *module)
{
    if (module == NULL) {
        return;
    }
    gvm__module_discard(module);
    for (uint32_t i = 0; i < module->type_count; i++) {
        gvm__engine_type_release(module->engine, module->types[i].id);
    }
    for (uint32_t i = 0; i < module->element_count; i++) {
        free(module->elements[i].functions);
        free(module->elements[i].exprs);
    }
    free(module->types);
    free(module->imports);
    free(module->exports);
    free(module->function_types);
    free(module->tables);
    free(module->memories);
    free(module->globals);
    free(module->functions);
    free(module->global_inits);
    free(module->elements);
    free(module->datas);
    free(module->exports_by_name);
    free(module->declared_functions);
    free(module->function_names);
    free(module->bytes_owned);
    pthread_mutex_destroy(&module->lock);
    free(module);
}

/* ---- Asking ---------------------------------------------------------- */

/* The type of an item in the index space of its kind. */
static struct gvm_extern_type
extern_type(const struct gvm_module *module, enum gvm_extern_kind kind,
            uint32_t index)
{
    struct gvm_extern_type type = {.kind = kind};

    switch (kind) {
    case GVM_EXTERN_FUNC:
        type.func = gvm__module_function_type(module, index)->func;
        break;
    case GVM_EXTERN_TABLE:
        type.limits = module->tables[index].limits;
        type.value_type = module->tables[index].element_type;
        break;
    case GVM_EXTERN_MEMORY:
        type.limits = module->memories[index];
        break;
    case GVM_EXTERN_GLOBAL:
        type.value_type = module->globals[index].type;
        type.mutable_ = module->globals[index].mutable_;
        break;
    }
    return type;
}

/* `info` as the embedder sees the export. */
static void
fill_export(const struct gvm_module *module, const struct gvm__export *export,
            struct gvm_export_info *info)
{
    *info = (struct gvm_export_info){
        .name = export->name,
        .name_bytes = export->name_bytes,
        .index = export->index,
        .type = extern_type(module, export->kind, export->index),
    };
}

uint32_t
gvm_module_import_count(const struct gvm_module *module)
{
    return module->import_count;
}

uint32_t
gvm_module_export_count(const struct gvm_module *module)
{
    return module->export_count;
}

void
gvm_module_import(const struct gvm_module *module, uint32_t index,
                  struct gvm_import_info *info)
{
    const struct gvm__import *import = &module->imports[index];

    *info = (struct gvm_import_info){
        .module = import->module,
        .name = import->name,
        .module_bytes = import->module_bytes,
        .name_bytes = import->name_bytes,
        .type = extern_type(module, import->kind, import->index),
    };
}

void
gvm_module_export(const struct gvm_module *module, uint32_t index,
                  struct gvm_export_info *info)
{
    fill_export(module, &module->exports[index], info);
}

bool
gvm_module_export_find(const struct gvm_module *module, const char *name,
                       size_t name_bytes, struct gvm_export_info *info)
{
    const struct gvm__export *export =
        gvm__module_export_find(module, name, name_bytes);

    if (export == NULL) {
        return false;
    }
    fill_export(module, export, info);
    return true;
}

uint32_t
gvm_module_function_count(const struct gvm_module *module)
{
    return module->function_count;
}

bool
gvm_module_function_name(const struct gvm_module *module, uint32_t function,
                         const char **name, size_t *name_bytes)
{
    /* No name begins at the start of the module: 0 stands for none. */
    if (module->function_names == NULL ||
        function >= module->function_count ||
        module->function_names[function].offset == 0) {
        return false;
    }
    *name =
        (const char *)module->bytes + module->function_names[function].offset;
    *name_bytes = module->function_names[function].length_bytes;
    return true;
}

uint32_t
gvm_module_features_used(const struct gvm_module *module)
{
    return module->features_used;
}
