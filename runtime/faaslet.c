/*
 * faaslet.c - a sandbox and how it runs.
 *
 * The idea: a guest runs in slices of fuel. After each the clock is looked at,
 * so a deadline is met within a slice whatever the guest does, and no signal
 * or second thread is needed. Fuel that a slice left over is carried into the
 * next one, and so the sum of all grants less what is left is what was used.
 *
 * What a call leaves behind in a faaslet is listed once, in faaslet_end: a new
 * member of the structure that a call changes is to be cleared there.
 *
 * The thread of the call runs everything here.
 */
#include "runtime/faaslet.h"

#include "runtime/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* ---- Making ------------------------------------------------------------ */

/* One host function for each import, in the module's order. */
static enum gvm_status
create_imports(struct runtime__faaslet *faaslet, struct gvm_extern *imports,
               uint32_t import_count)
{
    for (uint32_t i = 0; i < import_count; i++) {
        const struct runtime__hostcall *row = faaslet->module->imports[i];
        void *data = row->group == RUNTIME__GROUP_wasi
                         ? (void *)&faaslet->wasi
                         : (void *)faaslet;
        imports[i].kind = GVM_EXTERN_FUNC;
        /* runtime__hostcalls_link has compared the types. */
        enum gvm_status status = gvm_func_create_import(
            faaslet->vm_store, faaslet->module->vm_module, i, row->function,
            data, &imports[i].func);
        if (status != GVM_OK)
            return status;
    }
    return GVM_OK;
}

static enum runtime_status
fail_no_memory(struct runtime_error *err)
{
    return runtime__error_set(err, RUNTIME_NO_MEMORY,
                              "out of memory for a sandbox");
}

/* `snapshot` may be NULL. */
static enum runtime_status
create_instance(struct runtime__faaslet *faaslet,
                const struct gvm_snapshot *snapshot,
                struct runtime_error *err)
{
    struct gvm_module *vm_module = faaslet->module->vm_module;
    uint32_t import_count = gvm_module_import_count(vm_module);
    struct gvm_extern few[16];
    struct gvm_extern *imports = few;
    struct gvm_error vm_error;
    enum runtime_status status;

    if (import_count > sizeof(few) / sizeof(few[0])) {
        imports = calloc(import_count, sizeof(*imports));
        if (!imports)
            return fail_no_memory(err);
    }
    if (create_imports(faaslet, imports, import_count) != GVM_OK) {
        status = fail_no_memory(err);
        goto done;
    }
    enum gvm_status vm_status =
        snapshot
            ? gvm_instance_create_from(faaslet->vm_store, snapshot, imports,
                                       import_count, &faaslet->instance,
                                       &vm_error)
            : gvm_instance_create(faaslet->vm_store, vm_module, imports,
                                  import_count, &faaslet->instance,
                                  &vm_error);
    if (vm_status == GVM_OK) {
        faaslet->memory = gvm_instance_memory(faaslet->instance);
        faaslet->wasi.memory = faaslet->memory;
        status = RUNTIME_OK;
    } else {
        status = runtime__error_from_vm(err, &vm_error);
        /* Memories and tables are all that a store limits. */
        if (status == RUNTIME_LIMIT) {
            status = RUNTIME_OUT_OF_MEMORY;
            if (err)
                err->status = status;
        }
    }
done:
    if (imports != few)
        free(imports);
    return status;
}

static enum runtime_status
create(struct gvm_engine *engine, struct runtime__module *module,
       const struct gvm_snapshot *snapshot,
       const struct runtime__limits *limits,
       struct runtime__faaslet **faaslet, struct runtime_error *err)
{
    struct gvm_store_options options = {
        .memory_bytes_max = limits->memory_bytes,
    };
    enum runtime_status status;
    struct runtime__faaslet *made = calloc(1, sizeof(*made));

    if (!made)
        return fail_no_memory(err);
    made->module = module;
    made->limits = *limits;
    if (gvm_store_create(engine, &options, &made->vm_store) != GVM_OK) {
        status = fail_no_memory(err);
        goto fail;
    }
    status = create_instance(made, snapshot, err);
    if (status != RUNTIME_OK)
        goto fail;
    if (gvm_call_create(made->vm_store, &made->vm_call) != GVM_OK) {
        status = fail_no_memory(err);
        goto fail;
    }
    /* Nothing runs before run_slices grants its first slice. */
    gvm_call_set_fuel(made->vm_call, 0);
    *faaslet = made;
    return RUNTIME_OK;
fail:
    runtime__faaslet_destroy(made);
    return status;
}

enum runtime_status
runtime__faaslet_create(struct gvm_engine *engine,
                        struct runtime__module *module,
                        const struct runtime__limits *limits,
                        struct runtime__faaslet **faaslet,
                        struct runtime_error *err)
{
    return create(engine, module, NULL, limits, faaslet, err);
}

enum runtime_status
runtime__faaslet_create_from(struct gvm_engine *engine,
                             struct runtime__module *module,
                             const struct gvm_snapshot *snapshot,
                             const struct runtime__limits *limits,
                             struct runtime__faaslet **faaslet,
                             struct runtime_error *err)
{
    return create(engine, module, snapshot, limits, faaslet, err);
}

enum runtime_status
runtime__faaslet_freeze(const struct runtime__faaslet *faaslet,
                        struct gvm_snapshot **snapshot,
                        struct runtime_error *err)
{
    struct gvm_error vm_error;

    /* Only functions are imported, so there is nothing that it refuses. */
    if (gvm_snapshot_create(faaslet->instance, snapshot, &vm_error) != GVM_OK)
        return runtime__error_from_vm(err, &vm_error);
    return RUNTIME_OK;
}

void
runtime__faaslet_begin(struct runtime__faaslet *faaslet,
                       const struct runtime__limits *limits)
{
    faaslet->limits = *limits;
    faaslet->fuel_granted = 0;
    gvm_call_set_fuel(faaslet->vm_call, 0);
}

bool
runtime__faaslet_end(struct runtime__faaslet *faaslet, bool keeps_memory)
{
    runtime__wasi_deinit(&faaslet->wasi);
    faaslet->wasi = (struct runtime__wasi){.memory = faaslet->memory};
    faaslet->call = NULL;
    faaslet->store = NULL;
    faaslet->namespace_ = NULL;
    faaslet->ended = RUNTIME_OK;
    /* The last number stays: a cursor of an earlier call fits no list. */
    free(faaslet->listings);
    faaslet->listings = NULL;
    /* The record can be used again, a large value in it is not kept. */
    if (faaslet->wait && faaslet->wait->value.capacity_bytes >
                             RUNTIME_IDLE_VALUE_BYTES_MAX) {
        faaslet->wait->destroy(faaslet->wait);
        faaslet->wait = NULL;
    }
    faaslet->is_warm = keeps_memory;
    if (keeps_memory)
        return true;
    if (gvm_instance_reset(faaslet->instance) != GVM_OK)
        return false;
    gvm_call_trim(faaslet->vm_call);
    return true;
}

void
runtime__faaslet_destroy(struct runtime__faaslet *faaslet)
{
    if (!faaslet)
        return;
    gvm_call_destroy(faaslet->vm_call);
    gvm_store_destroy(faaslet->vm_store);
    runtime__wasi_deinit(&faaslet->wasi);
    if (faaslet->wait)
        faaslet->wait->destroy(faaslet->wait);
    free(faaslet->listings);
    free(faaslet);
}

/* ---- Running ----------------------------------------------------------- */

/* Grants the next slice; false when there is no more to grant. */
static bool
grant_fuel(struct runtime__faaslet *faaslet)
{
    uint64_t left = faaslet->limits.fuel - faaslet->fuel_granted;
    uint64_t slice = left < RUNTIME_SLICE_FUEL ? left : RUNTIME_SLICE_FUEL;

    if (slice == 0)
        return false;
    faaslet->fuel_granted += slice;
    gvm_call_set_fuel(faaslet->vm_call,
                      gvm_call_fuel(faaslet->vm_call) + slice);
    return true;
}

static enum runtime_status
fail_timeout(struct runtime_error *err)
{
    return runtime__error_set(err, RUNTIME_TIMEOUT,
                              "the call's deadline has passed");
}

/* GVM_SUSPENDED that went on until it was something else, or a limit. */
static enum runtime_status
run_slices(struct runtime__faaslet *faaslet, struct gvm_func *func,
           const union gvm_value *arguments, enum gvm_status *vm_status,
           struct gvm_error *vm_error, struct runtime_error *err)
{
    /* A first slice even where nothing is granted: the engine then stops it
     * before the first instruction, and says so. */
    grant_fuel(faaslet);
    *vm_status =
        gvm_call_start(faaslet->vm_call, func, arguments, vm_error);
    while (*vm_status == GVM_SUSPENDED) {
        /* No host function of ours asks for it. */
        assert(gvm_call_suspension(faaslet->vm_call) !=
               GVM_SUSPENSION_HOST);
        if (faaslet->limits.deadline_ns != UINT64_MAX &&
            runtime__wait_now_ns() >= faaslet->limits.deadline_ns)
            return fail_timeout(err);
        if (gvm_call_suspension(faaslet->vm_call) == GVM_SUSPENSION_FUEL &&
            !grant_fuel(faaslet))
            return runtime__error_set(
                err, RUNTIME_OUT_OF_FUEL, "the fuel of %llu is used up",
                (unsigned long long)faaslet->limits.fuel);
        *vm_status = gvm_call_resume(faaslet->vm_call, vm_error);
    }
    return RUNTIME_OK;
}

static enum runtime_status
run(struct runtime__faaslet *faaslet, struct gvm_func *func,
    const union gvm_value *arguments, struct runtime_error *err)
{
    struct gvm_error vm_error;
    enum gvm_status vm_status;
    faaslet->wasi.deadline_ns = faaslet->limits.deadline_ns;
    enum runtime_status status =
        run_slices(faaslet, func, arguments, &vm_status, &vm_error, err);

    if (status != RUNTIME_OK || vm_status == GVM_OK)
        return status;
    if (vm_status != GVM_EXITED)
        return runtime__error_from_vm(err, &vm_error);
    if (faaslet->ended == RUNTIME_TIMEOUT || faaslet->wasi.timed_out)
        return fail_timeout(err);
    assert(faaslet->wasi.exited);
    return runtime__error_set(err, RUNTIME_EXITED,
                              "the program's exit code is %d",
                              (int)faaslet->wasi.exit_code);
}

enum runtime_status
runtime__faaslet_run(struct runtime__faaslet *faaslet, const char *name,
                     const union gvm_value *arguments,
                     const union gvm_value **results,
                     struct runtime_error *err)
{
    struct gvm_extern export;
    bool found = gvm_instance_export(faaslet->instance, name, strlen(name),
                                     &export);

    assert(found);
    (void)found;
    assert(export.kind == GVM_EXTERN_FUNC);
    enum runtime_status status = run(faaslet, export.func, arguments, err);
    if (status == RUNTIME_OK && results)
        *results = gvm_call_results(faaslet->vm_call);
    return status;
}

/* glass_init and its like: no result, or 0. */
static enum runtime_status
run_initialiser(struct runtime__faaslet *faaslet, const char *name,
                uint32_t result_count, struct runtime_error *err)
{
    const union gvm_value *results;
    enum runtime_status status =
        runtime__faaslet_run(faaslet, name, NULL, &results, err);

    if (status != RUNTIME_OK || result_count == 0 || results[0].i32 == 0)
        return status;
    return runtime__error_set(err, RUNTIME_FAILED, "%s returned %d", name,
                              (int)results[0].i32);
}

enum runtime_status
runtime__faaslet_initialise(struct runtime__faaslet *faaslet,
                            struct runtime_error *err)
{
    static const char *const names[] = {"_initialize", "glass_init",
                                        "_faasm_zygote"};
    struct gvm_func *start = gvm_instance_start(faaslet->instance);
    enum runtime_status status = RUNTIME_OK;
    struct gvm_func_type type;

    if (start)
        status = run(faaslet, start, NULL, err);
    for (size_t i = 0; i < 3 && status == RUNTIME_OK; i++) {
        if (!runtime__module_find(faaslet->module, names[i], &type))
            continue;
        status = run_initialiser(faaslet, names[i], type.result_count, err);
        if (i == 1)
            break; /* glass_init stands for _faasm_zygote too */
    }
    return status;
}

enum runtime_status
runtime__faaslet_restored(struct runtime__faaslet *faaslet,
                          struct runtime_error *err)
{
    if (!faaslet->module->has_restored)
        return RUNTIME_OK;
    return runtime__faaslet_run(faaslet, "glass_restored", NULL, NULL, err);
}

uint64_t
runtime__faaslet_fuel_used(const struct runtime__faaslet *faaslet)
{
    return faaslet->fuel_granted - gvm_call_fuel(faaslet->vm_call);
}

uint64_t
runtime__faaslet_fuel_left(const struct runtime__faaslet *faaslet)
{
    return faaslet->limits.fuel - runtime__faaslet_fuel_used(faaslet);
}

uint64_t
runtime__faaslet_memory_bytes(const struct runtime__faaslet *faaslet)
{
    return faaslet->memory ? gvm_memory_size_bytes(faaslet->memory) : 0;
}
