/*
 * instance.c - a module brought to life in a store.
 *
 * Instantiation goes through the specification's steps: match the imports;
 * make functions, tables, memories and globals; write the active segments,
 * elements first. Until the first segment is written nobody else can know of
 * the instance, so a failure takes back the memories and tables it made.
 * From then on it cannot be taken back: an imported table may hold its
 * functions. It stays in the store, unreachable otherwise.
 *
 * WebAssembly 1.0 checks all segments before it writes one, and calls a
 * misfit a link error; bulk memory made it a trap in order. Which rule holds
 * is the feature set that the module was loaded with.
 *
 * An instance is used by its store's one thread.
 */
#include "vm/instance.h"

#include <string.h>

bool
gvm__element_is_dropped(const struct gvm_instance *instance, uint32_t element)
{
    return gvm__bits_has(instance->elements_dropped, element);
}

bool
gvm__data_is_dropped(const struct gvm_instance *instance, uint32_t data)
{
    return gvm__bits_has(instance->datas_dropped, data);
}

void
gvm__element_drop(struct gvm_instance *instance, uint32_t element)
{
    gvm__bits_add(instance->elements_dropped, element);
}

void
gvm__data_drop(struct gvm_instance *instance, uint32_t data)
{
    gvm__bits_add(instance->datas_dropped, data);
}

union gvm_value
gvm__instance_evaluate(const struct gvm_instance *instance,
                       const struct gvm__const_expr *expr)
{
    union gvm_value value = {.slot = 0};

    switch (expr->insn) {
    case GVM__INSN_I32_CONST:
    case GVM__INSN_F32_CONST:
        value.slot = expr->value.i32;
        break;
    case GVM__INSN_I64_CONST:
    case GVM__INSN_F64_CONST:
        value = expr->value;
        break;
    case GVM__INSN_GLOBAL_GET:
        value = instance->globals[expr->index]->value;
        break;
    case GVM__INSN_REF_FUNC:
        value.funcref = instance->funcs[expr->index];
        break;
    default: /* ref.null; the validator lets nothing else through. */
        break;
    }
    return value;
}

/* How many of the module's own functions have an object, at most: imported
 * ones may have been declared too. */
static uint32_t
object_max(const struct gvm_module *module)
{
    uint32_t own = module->function_count - module->imported_function_count;
    uint32_t count = 1; /* start */
    size_t i;

    if (module->declared_functions != NULL) {
        for (i = 0; i < gvm__bits_bytes(module->function_count); i++)
            count += (uint32_t)__builtin_popcount(
                module->declared_functions[i]);
    }
    return count < own ? count : own;
}

/* `count` zeroed elements of the arena; sets `*failed` when there is none. */
static void *
array(struct gvm_store *store, uint32_t count, size_t element_bytes,
      bool *failed)
{
    void *elements = gvm__store_allocate(store, count * element_bytes);

    if (elements == NULL)
        *failed = true;
    return elements;
}

/* The instance and its arrays, empty; NULL: no memory. */
static struct gvm_instance *
allocate(struct gvm_store *store, struct gvm_module *module)
{
    struct gvm_instance *instance;
    uint32_t memories = module->memory_count > 0 ? module->memory_count : 1;
    bool failed = false;

    instance = gvm__store_allocate(store, sizeof(*instance));
    if (instance == NULL)
        return NULL;
    instance->module = module;
    instance->store = store;
    instance->memories = array(store, memories, sizeof(*instance->memories),
                               &failed);
    instance->tables = array(store, module->table_count,
                             sizeof(*instance->tables), &failed);
    instance->globals = array(store, module->global_count,
                              sizeof(*instance->globals), &failed);
    instance->funcs = array(store, module->function_count,
                            sizeof(*instance->funcs), &failed);
    instance->own_funcs = array(store, object_max(module),
                                sizeof(*instance->own_funcs), &failed);
    instance->own_globals = array(
        store, module->global_count - module->imported_global_count,
        sizeof(*instance->own_globals), &failed);
    instance->elements_dropped = array(
        store, (uint32_t)gvm__bits_bytes(module->element_count), 1, &failed);
    instance->datas_dropped = array(
        store, (uint32_t)gvm__bits_bytes(module->data_count), 1, &failed);
    return failed ? NULL : instance;
}

static void
bind_imports(struct gvm_instance *instance, const struct gvm_extern *imports)
{
    const struct gvm_module *module = instance->module;
    uint32_t i;

    for (i = 0; i < module->import_count; i++) {
        uint32_t index = module->imports[i].index;

        switch (module->imports[i].kind) {
        case GVM_EXTERN_FUNC:
            instance->funcs[index] = imports[i].func;
            break;
        case GVM_EXTERN_TABLE:
            instance->tables[index] = imports[i].table;
            imports[i].table->is_imported = true;
            break;
        case GVM_EXTERN_MEMORY:
            instance->memories[index] = imports[i].memory;
            break;
        case GVM_EXTERN_GLOBAL:
            instance->globals[index] = imports[i].global;
            break;
        }
    }
}

/* The object of a function that has one; imports have theirs. */
static void
make_function(struct gvm_instance *instance, uint32_t index)
{
    struct gvm_module *module = instance->module;
    const struct gvm__type *type = gvm__module_function_type(module, index);
    struct gvm_func *func;

    if (instance->funcs[index] != NULL)
        return;
    func = &instance->own_funcs[instance->own_func_count++];
    func->type_id = type->id;
    func->index = index;
    func->instance = instance;
    func->function =
        &module->functions[index - module->imported_function_count];
    func->type = &type->func;
    instance->funcs[index] = func;
}

static void
make_functions(struct gvm_instance *instance)
{
    const struct gvm_module *module = instance->module;
    const uint8_t *declared = module->declared_functions;
    uint32_t i;

    if (module->start_function != GVM_NO_FUNCTION)
        make_function(instance, module->start_function);
    for (i = 0; declared != NULL && i < module->function_count; i++) {
        if (declared[i / 8] == 0)
            i |= 7; /* none of these eight */
        else if (gvm__bits_has(declared, i))
            make_function(instance, i);
    }
}

/* In order: an initialiser may read globals before its own. */
static void
make_globals(struct gvm_instance *instance)
{
    const struct gvm_module *module = instance->module;
    uint32_t imported = module->imported_global_count;
    uint32_t i;

    for (i = imported; i < module->global_count; i++) {
        struct gvm_global *global = &instance->own_globals[i - imported];

        global->type = module->globals[i];
        global->value = gvm__instance_evaluate(
            instance, &module->global_inits[i - imported]);
        instance->globals[i] = global;
    }
}

struct gvm_instance *
gvm__instance_begin(struct gvm_store *store, struct gvm_module *module,
                    const struct gvm_extern *imports)
{
    struct gvm_instance *instance = allocate(store, module);

    if (instance == NULL)
        return NULL;
    bind_imports(instance, imports);
    make_functions(instance);
    make_globals(instance);
    return instance;
}

static enum gvm_status
make_tables(struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    const union gvm_value null = {.slot = 0};
    enum gvm_status status;
    uint32_t i;

    for (i = module->imported_table_count; i < module->table_count; i++) {
        const struct gvm__table_type *type = &module->tables[i];

        status = gvm_table_create(instance->store, type->element_type,
                                  &type->limits, null, &instance->tables[i]);
        if (status != GVM_OK)
            return gvm__error_set(
                err, status, GVM_NO_OFFSET,
                "table %u of %llu entries (one may have %u, the store %llu)", i,
                (unsigned long long)type->limits.min, GVM_TABLE_ENTRIES_MAX,
                (unsigned long long)instance->store->table_entries_max);
    }
    return GVM_OK;
}

static enum gvm_status
make_memories(struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    enum gvm_status status;
    uint32_t i;

    if (module->memory_count == 0)
        instance->memories[0] = &instance->store->empty_memory;
    for (i = module->imported_memory_count; i < module->memory_count; i++) {
        status = gvm_memory_create(instance->store, &module->memories[i],
                                   &instance->memories[i]);
        if (status != GVM_OK)
            return gvm__error_set(
                err, status, GVM_NO_OFFSET,
                "memory %u of %llu pages (the store may have %llu bytes)", i,
                (unsigned long long)module->memories[i].min,
                (unsigned long long)instance->store->memory_bytes_max);
    }
    return GVM_OK;
}

/* Segments' offsets are i32; 64-bit sums do not wrap. */
static uint32_t
element_offset(const struct gvm_instance *instance, uint32_t element)
{
    return gvm__instance_evaluate(instance,
                                  &instance->module->elements[element].offset)
        .i32;
}

static uint32_t
data_offset(const struct gvm_instance *instance, uint32_t data)
{
    return gvm__instance_evaluate(instance,
                                  &instance->module->datas[data].offset)
        .i32;
}

/* The rule of WebAssembly 1.0: every active segment fits, or nothing is
 * written. */
static enum gvm_status
check_segments(const struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    uint32_t i;

    for (i = 0; i < module->element_count; i++) {
        const struct gvm__element_segment *segment = &module->elements[i];

        if (segment->mode == GVM__SEGMENT_ACTIVE &&
            (uint64_t)element_offset(instance, i) + segment->count >
                instance->tables[segment->table]->size)
            return gvm__error_set(err, GVM_UNLINKABLE, GVM_NO_OFFSET,
                                  "elements segment does not fit: %u", i);
    }
    for (i = 0; i < module->data_count; i++) {
        const struct gvm__data_segment *segment = &module->datas[i];

        if (segment->mode == GVM__SEGMENT_ACTIVE &&
            gvm_memory_range(instance->memories[segment->memory],
                             data_offset(instance, i),
                             segment->length_bytes) == NULL)
            return gvm__error_set(err, GVM_UNLINKABLE, GVM_NO_OFFSET,
                                  "data segment does not fit: %u", i);
    }
    return GVM_OK;
}

static enum gvm_status
segment_trap(struct gvm_error *err, enum gvm_trap trap, const char *kind,
             uint32_t index)
{
    enum gvm_status status = gvm__error_set(err, GVM_TRAP, GVM_NO_OFFSET,
                                            "%s: %s segment %u",
                                            gvm_trap_text(trap), kind, index);

    if (err != NULL)
        err->trap = trap;
    return status;
}

/* In order, up to the first that does not fit. */
static enum gvm_status
write_segments(struct gvm_instance *instance, struct gvm_error *err)
{
    const struct gvm_module *module = instance->module;
    enum gvm_trap trap;
    uint32_t i;

    for (i = 0; i < module->element_count; i++) {
        const struct gvm__element_segment *segment = &module->elements[i];

        if (segment->mode == GVM__SEGMENT_PASSIVE)
            continue;
        if (segment->mode == GVM__SEGMENT_ACTIVE) {
            trap = gvm__table_init(instance, segment->table, i,
                                   element_offset(instance, i), 0,
                                   segment->count);
            if (trap != GVM_TRAP_NONE)
                return segment_trap(err, trap, "element", i);
        }
        gvm__element_drop(instance, i);
    }
    for (i = 0; i < module->data_count; i++) {
        const struct gvm__data_segment *segment = &module->datas[i];

        if (segment->mode != GVM__SEGMENT_ACTIVE)
            continue;
        trap = gvm__memory_init(instance, segment->memory, i,
                                data_offset(instance, i), 0,
                                segment->length_bytes);
        if (trap != GVM_TRAP_NONE)
            return segment_trap(err, trap, "data", i);
        gvm__data_drop(instance, i);
    }
    return GVM_OK;
}

enum gvm_status
gvm_instance_create(struct gvm_store *store, struct gvm_module *module,
                    const struct gvm_extern *imports, uint32_t import_count,
                    struct gvm_instance **instance, struct gvm_error *err)
{
    const struct gvm_memory *newest_memory = store->memories;
    const struct gvm_table *newest_table = store->tables;
    struct gvm_instance *created;
    enum gvm_status status;

    status = gvm__link_check(store, module, imports, import_count, err);
    if (status != GVM_OK)
        return status;
    created = gvm__instance_begin(store, module, imports);
    if (created == NULL)
        return gvm__error_set(err, GVM_NO_MEMORY, GVM_NO_OFFSET,
                              "no memory for an instance");
    status = make_tables(created, err);
    if (status != GVM_OK)
        goto fail;
    status = make_memories(created, err);
    if (status != GVM_OK)
        goto fail;
    if ((module->features & GVM_FEATURE_BULK_MEMORY) == 0) {
        status = check_segments(created, err);
        if (status != GVM_OK)
            goto fail;
    }
    created->next = store->instances;
    store->instances = created;
    status = write_segments(created, err);
    if (status == GVM_OK)
        *instance = created;
    return status;

fail:
    gvm__memories_release(store, newest_memory);
    gvm__tables_release(store, newest_table);
    return status;
}

struct gvm_func *
gvm_instance_start(const struct gvm_instance *instance)
{
    uint32_t start = instance->module->start_function;

    return start != GVM_NO_FUNCTION ? instance->funcs[start] : NULL;
}

struct gvm_module *
gvm_instance_module(const struct gvm_instance *instance)
{
    return instance->module;
}

bool
gvm_instance_export(const struct gvm_instance *instance, const char *name,
                    size_t name_bytes, struct gvm_extern *external)
{
    struct gvm_export_info info;

    if (!gvm_module_export_find(instance->module, name, name_bytes, &info))
        return false;
    external->kind = info.type.kind;
    switch (external->kind) {
    case GVM_EXTERN_FUNC:
        external->func = instance->funcs[info.index];
        break;
    case GVM_EXTERN_TABLE:
        external->table = instance->tables[info.index];
        break;
    case GVM_EXTERN_MEMORY:
        external->memory = instance->memories[info.index];
        break;
    case GVM_EXTERN_GLOBAL:
        external->global = instance->globals[info.index];
        break;
    }
    return true;
}

struct gvm_memory *
gvm_instance_memory(const struct gvm_instance *instance)
{
    return instance->module->memory_count > 0 ? instance->memories[0] : NULL;
}
