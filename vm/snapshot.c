/*
 * snapshot.c - freezing an instance, making others from it, and resetting
 * them.
 *
 * Memories are image.c's matter. The rest is small and copied back whole:
 * globals and bits of dropped segments always; tables only where the module
 * has an instruction that writes to one, or the host has.
 *
 * A snapshot never changes; any thread may use it.
 */
#include "vm/snapshot.h"

#include "vm/mapping.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- References ------------------------------------------------------ */

/* False: a function that another instance does not have. */
static bool
freeze_value(const struct gvm_instance *instance, unsigned type,
             union gvm_value value, union gvm_value *frozen)
{
    const struct gvm_module *module = instance->module;
    const struct gvm_func *func = value.funcref;
    uint32_t i;

    *frozen = value;
    if (type != GVM_FUNCREF || func == NULL)
        return true;
    if (func->instance == instance) {
        frozen->slot = (uint64_t)func->index + 1;
        return true;
    }
    for (i = 0; i < module->imported_function_count; i++) {
        if (instance->funcs[i] == func) {
            frozen->slot = (uint64_t)i + 1;
            return true;
        }
    }
    return false;
}

static union gvm_value
thaw_value(const struct gvm_instance *instance, unsigned type,
           union gvm_value frozen)
{
    union gvm_value value = frozen;

    if (type == GVM_FUNCREF)
        value.funcref = frozen.slot == 0
                            ? NULL
                            : instance->funcs[frozen.slot - 1];
    return value;
}

/* ---- Freezing -------------------------------------------------------- */

static enum gvm_status
fail_no_memory(struct gvm_error *err)
{
    return gvm__error_set(err, GVM_NO_MEMORY, GVM_NO_OFFSET,
                          "no memory for a snapshot");
}

const char *
gvm__snapshot_hindrance(const struct gvm_module *module)
{
    uint32_t i;

    if (module->imported_memory_count > 0)
        return "an imported memory";
    if (module->imported_table_count > 0)
        return "an imported table";
    for (i = 0; i < module->imported_global_count; i++) {
        if (module->globals[i].mutable_)
            return "an imported global that can change";
    }
    return NULL;
}

static enum gvm_status
refuse(struct gvm_error *err, const char *what)
{
    return gvm__error_set(err, GVM_BAD_ARGUMENT, GVM_NO_OFFSET,
                          "no snapshot of an instance with %s", what);
}

/* `count` zeroed elements; one at least, so that NULL means no memory. */
static void *
array(uint32_t count, size_t element_bytes)
{
    return calloc((size_t)count + 1, element_bytes);
}

struct gvm_snapshot *
gvm__snapshot_allocate(struct gvm_module *module)
{
    struct gvm_snapshot *snapshot = calloc(1, sizeof(*snapshot));

    if (snapshot == NULL)
        return NULL;
    snapshot->module = module;
    snapshot->memories =
        array(module->memory_count, sizeof(*snapshot->memories));
    snapshot->tables = array(module->table_count, sizeof(*snapshot->tables));
    snapshot->globals =
        array(module->global_count - module->imported_global_count,
              sizeof(*snapshot->globals));
    snapshot->elements_dropped =
        array((uint32_t)gvm__bits_bytes(module->element_count), 1);
    snapshot->datas_dropped =
        array((uint32_t)gvm__bits_bytes(module->data_count), 1);
    if (snapshot->memories != NULL && snapshot->tables != NULL &&
        snapshot->globals != NULL && snapshot->elements_dropped != NULL &&
        snapshot->datas_dropped != NULL)
        return snapshot;
    gvm_snapshot_destroy(snapshot);
    return NULL;
}

static enum gvm_status
freeze_globals(const struct gvm_instance *instance,
               struct gvm_snapshot *snapshot, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    uint32_t count = module->global_count - module->imported_global_count;
    uint32_t i;

    for (i = 0; i < count; i++) {
        const struct gvm_global *global = &instance->own_globals[i];
        struct gvm__frozen_global *frozen =
            &snapshot->globals[snapshot->global_count];

        if (!global->type.mutable_)
            continue;
        frozen->index = i;
        if (!freeze_value(instance, global->type.type, global->value,
                          &frozen->value))
            return refuse(err, "a function of another's in a global");
        snapshot->global_count++;
    }
    return GVM_OK;
}

static enum gvm_status
freeze_table(const struct gvm_instance *instance,
             const struct gvm_table *table, struct gvm__frozen_table *frozen,
             struct gvm_error *err)
{
    uint64_t i;

    frozen->entries = calloc((size_t)table->size + 1,
                             sizeof(*frozen->entries));
    if (frozen->entries == NULL)
        return fail_no_memory(err);
    frozen->size = table->size;
    for (i = 0; i < table->size; i++) {
        if (!freeze_value(instance, table->element_type, table->entries[i],
                          &frozen->entries[i]))
            return refuse(err, "a function of another's in a table");
    }
    return GVM_OK;
}

static enum gvm_status
freeze(const struct gvm_instance *instance, struct gvm_snapshot *snapshot,
       struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    struct gvm__image_store *images = gvm__engine_images(module->engine);
    enum gvm_status status = freeze_globals(instance, snapshot, err);
    uint32_t i;

    memcpy(snapshot->elements_dropped, instance->elements_dropped,
           gvm__bits_bytes(module->element_count));
    memcpy(snapshot->datas_dropped, instance->datas_dropped,
           gvm__bits_bytes(module->data_count));
    for (i = 0; i < module->table_count && status == GVM_OK; i++)
        status = freeze_table(instance, instance->tables[i],
                              &snapshot->tables[i], err);
    for (i = 0; i < module->memory_count && status == GVM_OK; i++) {
        if (gvm__mapping_is_any(instance->memories[i]))
            return refuse(err, "a file in its memory");
        status = gvm__image_create(images, instance->memories[i],
                                   &snapshot->memories[i]);
        if (status != GVM_OK)
            return fail_no_memory(err);
    }
    return status;
}

enum gvm_status
gvm_snapshot_create(const struct gvm_instance *instance,
                    struct gvm_snapshot **snapshot, struct gvm_error *err)
{
    const char *hindrance = gvm__snapshot_hindrance(instance->module);
    struct gvm_snapshot *made;
    enum gvm_status status;

    if (hindrance != NULL)
        return refuse(err, hindrance);
    made = gvm__snapshot_allocate(instance->module);
    if (made == NULL)
        return fail_no_memory(err);
    status = freeze(instance, made, err);
    if (status != GVM_OK) {
        gvm_snapshot_destroy(made);
        return status;
    }
    *snapshot = made;
    return GVM_OK;
}

void
gvm_snapshot_destroy(struct gvm_snapshot *snapshot)
{
    uint32_t i;

    if (snapshot == NULL)
        return;
    for (i = 0; snapshot->memories != NULL &&
                i < snapshot->module->memory_count;
         i++)
        gvm__image_destroy(&snapshot->memories[i]);
    for (i = 0;
         snapshot->tables != NULL && i < snapshot->module->table_count; i++)
        free(snapshot->tables[i].entries);
    free(snapshot->memories);
    free(snapshot->tables);
    free(snapshot->globals);
    free(snapshot->elements_dropped);
    free(snapshot->datas_dropped);
    free(snapshot);
}

uint64_t
gvm_snapshot_bytes(const struct gvm_snapshot *snapshot)
{
    const struct gvm_module *module = snapshot->module;
    uint64_t total = sizeof(*snapshot) +
                     snapshot->global_count * sizeof(*snapshot->globals);
    uint32_t i;

    for (i = 0; i < module->memory_count; i++)
        total += snapshot->memories[i].content.page_count *
                 gvm__pages_size();
    for (i = 0; i < module->table_count; i++)
        total += snapshot->tables[i].size * sizeof(union gvm_value);
    return total;
}

/* ---- Thawing --------------------------------------------------------- */

/* Everything but memories and the contents of tables. */
static void
restore_small(struct gvm_instance *instance)
{
    const struct gvm_snapshot *snapshot = instance->snapshot;
    const struct gvm_module *module = instance->module;
    uint32_t i;

    for (i = 0; i < snapshot->global_count; i++) {
        const struct gvm__frozen_global *frozen = &snapshot->globals[i];
        struct gvm_global *global = &instance->own_globals[frozen->index];

        global->value =
            thaw_value(instance, global->type.type, frozen->value);
    }
    if (module->element_count > 0)
        memcpy(instance->elements_dropped, snapshot->elements_dropped,
               gvm__bits_bytes(module->element_count));
    if (module->data_count > 0)
        memcpy(instance->datas_dropped, snapshot->datas_dropped,
               gvm__bits_bytes(module->data_count));
}

static void
restore_table(struct gvm_instance *instance, uint32_t index)
{
    const struct gvm__frozen_table *frozen =
        &instance->snapshot->tables[index];
    struct gvm_table *table = instance->tables[index];
    uint64_t i;

    gvm__table_shrink(table, frozen->size);
    for (i = 0; i < frozen->size; i++)
        table->entries[i] = thaw_value(instance, table->element_type,
                                       frozen->entries[i]);
    table->host_written = false;
}

static enum gvm_status
make_tables(struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    const union gvm_value null = {.slot = 0};
    uint32_t i;

    for (i = 0; i < module->table_count; i++) {
        struct gvm_limits limits = module->tables[i].limits;
        enum gvm_status status;

        limits.min = instance->snapshot->tables[i].size;
        status = gvm_table_create(instance->store,
                                  module->tables[i].element_type, &limits,
                                  null, &instance->tables[i]);
        if (status != GVM_OK)
            return gvm__error_set(
                err, status, GVM_NO_OFFSET,
                "table %u of %llu entries (the store may have %llu)", i,
                (unsigned long long)limits.min,
                (unsigned long long)instance->store->table_entries_max);
        restore_table(instance, i);
    }
    return GVM_OK;
}

static enum gvm_status
make_memories(struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    uint32_t i;

    if (module->memory_count == 0)
        instance->memories[0] = &instance->store->empty_memory;
    for (i = 0; i < module->memory_count; i++) {
        const struct gvm__image *image = &instance->snapshot->memories[i];
        enum gvm_status status =
            gvm__memory_create_from(instance->store, &module->memories[i],
                                    image, &instance->memories[i]);

        if (status != GVM_OK)
            return gvm__error_set(
                err, status, GVM_NO_OFFSET,
                "memory %u of %llu pages (the store may have %llu bytes)", i,
                (unsigned long long)image->pages,
                (unsigned long long)instance->store->memory_bytes_max);
    }
    return GVM_OK;
}

enum gvm_status
gvm_instance_create_from(struct gvm_store *store,
                         const struct gvm_snapshot *snapshot,
                         const struct gvm_extern *imports,
                         uint32_t import_count, struct gvm_instance **instance,
                         struct gvm_error *err)
{
    const struct gvm_memory *newest_memory = store->memories;
    const struct gvm_table *newest_table = store->tables;
    struct gvm_instance *created;
    enum gvm_status status = gvm__link_check(store, snapshot->module, imports,
                                             import_count, err);

    if (status != GVM_OK)
        return status;
    created = gvm__instance_begin(store, snapshot->module, imports);
    if (created == NULL)
        return gvm__error_set(err, GVM_NO_MEMORY, GVM_NO_OFFSET,
                              "no memory for an instance");
    created->snapshot = snapshot;
    status = make_tables(created, err);
    if (status == GVM_OK)
        status = make_memories(created, err);
    if (status != GVM_OK) {
        gvm__memories_release(store, newest_memory);
        gvm__tables_release(store, newest_table);
        return status;
    }
    restore_small(created);
    created->next = store->instances;
    store->instances = created;
    *instance = created;
    return GVM_OK;
}

enum gvm_status
gvm_instance_reset(struct gvm_instance *instance)
{
    const struct gvm_module *module = instance->module;
    uint32_t i;

    if (instance->snapshot == NULL)
        return GVM_BAD_ARGUMENT;
    /* Without a memory nobody looks. */
    instance->store->may_have_grown = module->memory_count == 0;
    for (i = 0; i < module->memory_count; i++) {
        enum gvm_status status = gvm__image_reset(instance->memories[i]);

        if (status != GVM_OK)
            return status;
#ifdef GVM_CHECK_RESETS
        assert(gvm__image_matches(instance->memories[i]));
#endif
    }
    for (i = 0; i < module->table_count; i++) {
        struct gvm_table *table = instance->tables[i];

        if (module->writes_tables || table->is_imported ||
            table->host_written)
            restore_table(instance, i);
        else if (table->size > instance->snapshot->tables[i].size)
            gvm__table_shrink(table, instance->snapshot->tables[i].size);
    }
    restore_small(instance);
    return GVM_OK;
}
