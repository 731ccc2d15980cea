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
 * What is to be run is a short list, since a call may be more than one export.
 * Between two slices, and while a host function waits, nothing of it is on any
 * thread's stack: the next step may be another thread's.
 *
 * One thread at a time uses a faaslet.
 */
#include "runtime/faaslet.h"

#include "runtime/error.h"
#include "runtime/host_lock.h"
#include "runtime/host_region.h"

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
            runtime__error_name_limit(err, status, "memory");
        }
    }
done:
    if (imports != few)
        free(imports);
    return status;
}

_Static_assert(RUNTIME_STACK_BYTES_MAX == GVM_VALUE_STACK_BYTES,
               "a configuration does not lengthen it");

static enum runtime_status
create(struct gvm_engine *engine, struct runtime__module *module,
       const struct gvm_snapshot *snapshot,
       const struct runtime__limits *limits,
       struct runtime__faaslet **faaslet, struct runtime_error *err)
{
    struct gvm_store_options options = {
        .memory_bytes_max = limits->memory_bytes,
        .table_entries_max = limits->table_entries,
        .value_stack_bytes = limits->stack_bytes,
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
    /* Nothing runs before a step grants the first slice. */
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
    faaslet->slice_fuel = 0;
    gvm_call_set_fuel(faaslet->vm_call, 0);
}

bool
runtime__faaslet_end(struct runtime__faaslet *faaslet, bool keeps_memory)
{
    if (faaslet->locks)
        faaslet->locks->release(faaslet);
    if (faaslet->regions)
        faaslet->regions->release(faaslet);
    runtime__wasi_deinit(&faaslet->wasi);
    faaslet->wasi = (struct runtime__wasi){.memory = faaslet->memory};
    faaslet->call = NULL;
    faaslet->store = NULL;
    faaslet->namespace_ = NULL;
    faaslet->run_count = faaslet->run_next = 0;
    faaslet->suspension = GVM_SUSPENSION_NONE;
    faaslet->until_ns = faaslet->sleeps_until_ns = 0;
    /* The last number stays: a cursor of an earlier call fits no list. */
    free(faaslet->listings);
    faaslet->listings = NULL;
    if (faaslet->wait)
        faaslet->wait = faaslet->wait->abandon(faaslet->wait);
    /* The record can be used again, a large value in it is not kept. */
    if (faaslet->wait && faaslet->wait->value.capacity_bytes >
                             RUNTIME_IDLE_VALUE_BYTES_MAX) {
        faaslet->wait->destroy(faaslet->wait);
        faaslet->wait = NULL;
    }
    faaslet->is_warm = keeps_memory;
    faaslet->mapped_bytes = 0;
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
    if (faaslet->locks)
        faaslet->locks->release(faaslet);
    if (faaslet->regions)
        faaslet->regions->release(faaslet);
    gvm_call_destroy(faaslet->vm_call);
    gvm_store_destroy(faaslet->vm_store);
    runtime__wasi_deinit(&faaslet->wasi);
    if (faaslet->wait)
        faaslet->wait = faaslet->wait->abandon(faaslet->wait);
    if (faaslet->wait)
        faaslet->wait->destroy(faaslet->wait);
    free(faaslet->listings);
    free(faaslet);
}

/* ---- What is to be run -------------------------------------------------- */

static void
add(struct runtime__faaslet *faaslet, const struct runtime__run *run)
{
    assert(faaslet->run_count < RUNTIME__RUNS_MAX);
    faaslet->runs[faaslet->run_count++] = *run;
}

/* The module is known to export it. */
static struct gvm_func *
find(const struct runtime__faaslet *faaslet, const char *name)
{
    struct gvm_extern export;
    bool found = gvm_instance_export(faaslet->instance, name, strlen(name),
                                     &export);

    assert(found);
    (void)found;
    assert(export.kind == GVM_EXTERN_FUNC);
    return export.func;
}

void
runtime__faaslet_add(struct runtime__faaslet *faaslet, const char *name,
                     const union gvm_value *arguments)
{
    add(faaslet, &(struct runtime__run){.func = find(faaslet, name),
                                        .name = name,
                                        .arguments = arguments});
}

void
runtime__faaslet_add_initialisers(struct runtime__faaslet *faaslet)
{
    static const char *const names[] = {"_initialize", "glass_init",
                                        "_faasm_zygote"};
    struct gvm_func *start = gvm_instance_start(faaslet->instance);
    struct gvm_func_type type;

    if (start)
        add(faaslet, &(struct runtime__run){.func = start, .name = "start"});
    for (size_t i = 0; i < 3; i++) {
        if (!runtime__module_find(faaslet->module, names[i], &type))
            continue;
        add(faaslet,
            &(struct runtime__run){.func = find(faaslet, names[i]),
                                   .name = names[i],
                                   .returns_code = type.result_count > 0});
        if (i == 1)
            break; /* glass_init stands for _faasm_zygote too */
    }
}

void
runtime__faaslet_add_restored(struct runtime__faaslet *faaslet)
{
    if (faaslet->module->has_restored)
        runtime__faaslet_add(faaslet, "glass_restored", NULL);
}

/* ---- Running ------------------------------------------------------------ */

/*
 * Grants the next slice; false when there is no more to grant. What the last
 * one left over is kept where that did not suffice for what comes next, which
 * may cost more than a slice. Who waited has a slice and not more, however
 * often he does.
 */
static bool
grant_fuel(struct runtime__faaslet *faaslet)
{
    uint64_t have = gvm_call_fuel(faaslet->vm_call);
    uint64_t left = faaslet->limits.fuel - faaslet->fuel_granted;
    uint64_t slice =
        faaslet->slice_fuel ? faaslet->slice_fuel : RUNTIME_SLICE_FUEL;

    if (faaslet->suspension != GVM_SUSPENSION_FUEL)
        slice -= have < slice ? have : slice;
    if (slice > left)
        slice = left;
    if (slice == 0)
        return faaslet->suspension != GVM_SUSPENSION_FUEL;
    faaslet->fuel_granted += slice;
    gvm_call_set_fuel(faaslet->vm_call, have + slice);
    return true;
}

void
runtime__faaslet_fit_slice(struct runtime__faaslet *faaslet,
                           uint64_t slice_ns)
{
    uint64_t fuel =
        faaslet->slice_fuel ? faaslet->slice_fuel : RUNTIME_SLICE_FUEL;

    if (slice_ns > 2 * RUNTIME_SLICE_NS)
        fuel = fuel * RUNTIME_SLICE_NS / slice_ns;
    else if (slice_ns < RUNTIME_SLICE_NS / 2)
        fuel *= 2;
    if (fuel < RUNTIME_SLICE_FUEL_MIN)
        fuel = RUNTIME_SLICE_FUEL_MIN;
    faaslet->slice_fuel =
        fuel < RUNTIME_SLICE_FUEL ? fuel : RUNTIME_SLICE_FUEL;
}

static enum runtime_status
fail_fuel(const struct runtime__faaslet *faaslet, struct runtime_error *err)
{
    runtime__error_set(err, RUNTIME_OUT_OF_FUEL,
                       "the fuel of %llu is used up",
                       (unsigned long long)faaslet->limits.fuel);
    return runtime__error_name_limit(err, RUNTIME_OUT_OF_FUEL, "fuel");
}

/* How a run ended that the engine says has ended. */
static enum runtime_status
judge(const struct runtime__faaslet *faaslet, const struct runtime__run *run,
      enum gvm_status vm_status, const struct gvm_error *vm_error,
      struct runtime_error *err)
{
    if (vm_status == GVM_OK) {
        uint32_t code = run->returns_code
                            ? gvm_call_results(faaslet->vm_call)[0].i32
                            : 0;
        if (code == 0)
            return RUNTIME_OK;
        return runtime__error_set(err, RUNTIME_FAILED, "%s returned %d",
                                  run->name, (int)code);
    }
    if (vm_status != GVM_EXITED)
        return runtime__error_from_vm(err, vm_error);
    if (faaslet->wasi.timed_out)
        return runtime__error_set_deadline(err);
    assert(faaslet->wasi.exited);
    return runtime__error_set(err, RUNTIME_EXITED,
                              "the program's exit code is %d",
                              (int)faaslet->wasi.exit_code);
}

/* Whether the slice's end is the end of all. */
static enum runtime_status
look_at_limits(const struct runtime__faaslet *faaslet,
               struct runtime_error *err)
{
    const struct runtime__limits *limits = &faaslet->limits;

    if (limits->deadline_ns != UINT64_MAX &&
        runtime__wait_now_ns() >= limits->deadline_ns)
        return runtime__error_set_deadline(err);
    if (faaslet->suspension == GVM_SUSPENSION_FUEL &&
        limits->fuel == faaslet->fuel_granted)
        return fail_fuel(faaslet, err);
    return RUNTIME_OK;
}

/* Runs until the end of the list, or until something stops it. */
static enum gvm_status
run(struct runtime__faaslet *faaslet, enum runtime_status *status,
    struct runtime_error *err)
{
    enum gvm_status vm_status = GVM_OK;
    struct gvm_error vm_error;

    *status = RUNTIME_OK;
    while (faaslet->run_next < faaslet->run_count) {
        const struct runtime__run *next = &faaslet->runs[faaslet->run_next];
        vm_status = faaslet->suspension == GVM_SUSPENSION_NONE
                        ? gvm_call_start(faaslet->vm_call, next->func,
                                         next->arguments, &vm_error)
                        : gvm_call_resume(faaslet->vm_call, &vm_error);
        faaslet->suspension = gvm_call_suspension(faaslet->vm_call);
        if (vm_status == GVM_SUSPENDED)
            break;
        *status = judge(faaslet, next, vm_status, &vm_error, err);
        if (*status != RUNTIME_OK)
            break;
        faaslet->run_next++;
    }
    return vm_status;
}

enum runtime__step
runtime__faaslet_step(struct runtime__faaslet *faaslet,
                      enum runtime_status *status, struct runtime_error *err)
{
    bool begins = faaslet->suspension == GVM_SUSPENSION_NONE;

    faaslet->wasi.deadline_ns = faaslet->limits.deadline_ns;
    faaslet->until_ns = faaslet->wasi.until_ns = 0;
    faaslet->wasi.blocks = false;
    /* A first slice even where nothing is granted: the engine then stops it
     * before the first instruction, and says so. */
    if (!grant_fuel(faaslet) && !begins) {
        *status = fail_fuel(faaslet, err);
    } else if (run(faaslet, status, err) == GVM_SUSPENDED) {
        if (faaslet->suspension == GVM_SUSPENSION_HOST &&
            faaslet->wasi.blocks)
            return RUNTIME__STEP_BLOCK;
        if (faaslet->suspension == GVM_SUSPENSION_HOST) {
            if (faaslet->wasi.until_ns)
                faaslet->until_ns = faaslet->wasi.until_ns;
            return RUNTIME__STEP_WAIT;
        }
        *status = look_at_limits(faaslet, err);
        if (*status == RUNTIME_OK)
            return RUNTIME__STEP_SLICE;
    }
    faaslet->run_count = faaslet->run_next = 0;
    faaslet->suspension = GVM_SUSPENSION_NONE;
    return RUNTIME__STEP_ENDED;
}

const union gvm_value *
runtime__faaslet_results(const struct runtime__faaslet *faaslet)
{
    return gvm_call_results(faaslet->vm_call);
}

enum runtime_status
runtime__faaslet_finish(struct runtime__faaslet *faaslet,
                        struct runtime_error *err)
{
    enum runtime_status status = RUNTIME_OK;
    enum runtime__step step;

    do {
        step = runtime__faaslet_step(faaslet, &status, err);
        assert(step == RUNTIME__STEP_SLICE || step == RUNTIME__STEP_ENDED);
    } while (step != RUNTIME__STEP_ENDED);
    return status;
}

enum runtime_status
runtime__faaslet_run(struct runtime__faaslet *faaslet, const char *name,
                     const union gvm_value *arguments,
                     const union gvm_value **results,
                     struct runtime_error *err)
{
    runtime__faaslet_add(faaslet, name, arguments);
    enum runtime_status status = runtime__faaslet_finish(faaslet, err);
    if (status == RUNTIME_OK && results)
        *results = runtime__faaslet_results(faaslet);
    return status;
}

/* ---- What it used ------------------------------------------------------- */

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
