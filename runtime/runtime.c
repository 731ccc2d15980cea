/*
 * runtime.c - creating and destroying a runtime: its options, its engine, and
 * the functions that its directory keeps.
 *
 * What is damaged in the directory is told and skipped, and nothing of it is
 * removed: an operator may want to repair it. Only when nothing was damaged
 * are modules and snapshots swept that no function needs, since a crash
 * between two files can leave one behind.
 */
#include "runtime/internal.h"

#include "runtime/call.h"
#include "runtime/directory.h"
#include "runtime/engine.h"
#include "runtime/error.h"
#include "runtime/mappings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- Options ------------------------------------------------------------ */

struct bound {
    const char *name;
    uint64_t value;
    uint64_t ceiling;
};

static enum runtime_status
check_bounds(const struct bound *bounds, size_t count,
             struct runtime_error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (bounds[i].value > bounds[i].ceiling)
            return runtime__error_set(
                err, RUNTIME_INVALID, "the option %s is %llu, above %llu",
                bounds[i].name, (unsigned long long)bounds[i].value,
                (unsigned long long)bounds[i].ceiling);
    }
    return RUNTIME_OK;
}

static uint64_t
or_default(uint64_t value, uint64_t default_)
{
    return value ? value : default_;
}

static unsigned
core_count(void)
{
    long count = sysconf(_SC_NPROCESSORS_ONLN);

    if (count < 1)
        return 1;
    return count < RUNTIME_WORKERS_MAX ? (unsigned)count
                                       : RUNTIME_WORKERS_MAX;
}

/* Copies the options, with the defaults filled in. */
static enum runtime_status
copy_options(const struct runtime_options *options,
             struct runtime_options *copy, struct runtime_error *err)
{
    static const struct runtime_options defaults;
    struct runtime_options o = options ? *options : defaults;

    o.timeout_ms_max =
        or_default(o.timeout_ms_max, RUNTIME_TIMEOUT_MS_CEILING);
    o.fuel_max = or_default(o.fuel_max, RUNTIME_FUEL_CEILING);
    o.memory_bytes_max =
        or_default(o.memory_bytes_max, RUNTIME_MEMORY_BYTES_CEILING);
    /* A maximum below the default lowers the default with it. */
    uint64_t timeout_ms = RUNTIME_TIMEOUT_MS_DEFAULT;
    uint64_t fuel = RUNTIME_FUEL_DEFAULT;
    uint64_t memory_bytes = RUNTIME_MEMORY_BYTES_DEFAULT;
    if (timeout_ms > o.timeout_ms_max)
        timeout_ms = o.timeout_ms_max;
    if (fuel > o.fuel_max)
        fuel = o.fuel_max;
    if (memory_bytes > o.memory_bytes_max)
        memory_bytes = o.memory_bytes_max;
    o.timeout_ms = or_default(o.timeout_ms, timeout_ms);
    o.fuel = or_default(o.fuel, fuel);
    o.memory_bytes = or_default(o.memory_bytes, memory_bytes);
    o.module_bytes_max =
        or_default(o.module_bytes_max, RUNTIME_MODULE_BYTES_DEFAULT);
    o.input_bytes_max =
        or_default(o.input_bytes_max, RUNTIME_INPUT_BYTES_DEFAULT);
    o.output_bytes_max =
        or_default(o.output_bytes_max, RUNTIME_OUTPUT_BYTES_DEFAULT);
    o.table_entries_max =
        or_default(o.table_entries_max, RUNTIME_TABLE_ENTRIES_DEFAULT);
    o.log_bytes_per_s =
        or_default(o.log_bytes_per_s, RUNTIME_LOG_BYTES_PER_S_DEFAULT);
    if (!o.descriptors_max)
        o.descriptors_max = RUNTIME_DESCRIPTORS_DEFAULT;
    o.kept_ms = or_default(o.kept_ms, RUNTIME_KEPT_MS_DEFAULT);
    if (!o.calls_max)
        o.calls_max = RUNTIME_CALLS_DEFAULT;
    if (!o.worker_count)
        o.worker_count = core_count();

    const struct bound bounds[] = {
        {"timeout_ms_max", o.timeout_ms_max, RUNTIME_TIMEOUT_MS_CEILING},
        {"fuel_max", o.fuel_max, RUNTIME_FUEL_CEILING},
        {"memory_bytes_max", o.memory_bytes_max,
         RUNTIME_MEMORY_BYTES_CEILING},
        {"timeout_ms", o.timeout_ms, o.timeout_ms_max},
        {"fuel", o.fuel, o.fuel_max},
        {"memory_bytes", o.memory_bytes, o.memory_bytes_max},
        {"module_bytes_max", o.module_bytes_max,
         RUNTIME_MODULE_BYTES_CEILING},
        {"input_bytes_max", o.input_bytes_max, RUNTIME_BODY_BYTES_CEILING},
        {"output_bytes_max", o.output_bytes_max, RUNTIME_BODY_BYTES_CEILING},
        {"table_entries_max", o.table_entries_max,
         RUNTIME_TABLE_ENTRIES_CEILING},
        {"log_bytes_per_s", o.log_bytes_per_s,
         RUNTIME_LOG_BYTES_PER_S_CEILING},
        {"calls_max", o.calls_max, RUNTIME_CALLS_CEILING},
        {"kept_ms", o.kept_ms, RUNTIME_KEPT_MS_CEILING},
        {"namespace_calls_max", o.namespace_calls_max, o.calls_max},
        {"worker_count", o.worker_count, RUNTIME_WORKERS_MAX},
        {"bounds", (uint64_t)o.bounds, RUNTIME_BOUNDS_GUARD},
    };
    *copy = o;
    return check_bounds(bounds, sizeof(bounds) / sizeof(bounds[0]), err);
}

uint64_t
runtime__memory_bytes(const struct runtime *runtime,
                      const struct runtime_config *config)
{
    const struct runtime_options *options = &runtime->options;

    return config->memory_bytes
               ? runtime__lower(config->memory_bytes,
                                options->memory_bytes_max)
               : options->memory_bytes;
}

/* ---- Faaslets that wait ------------------------------------------------- */

static void
trim_function(struct runtime_function *function, void *data)
{
    *(unsigned *)data += runtime__pool_trim(&function->pool);
}

/*
 * Destroys the faaslets of functions that have not been called since this was
 * done the last time; when they all have, then in a second round of all.
 */
static void
reclaim(void *data)
{
    struct runtime *runtime = data;
    unsigned count = 0;

    if (pthread_mutex_trylock(&runtime->reclaim_lock))
        return;
    for (int round = 0; round < 2 && count == 0; round++)
        runtime__registry_each(&runtime->registry, trim_function, &count);
    pthread_mutex_unlock(&runtime->reclaim_lock);
}

/* Takes no more than the system has, and says so. */
static void
fit_mappings(struct runtime *runtime)
{
    struct runtime_options *options = &runtime->options;
    uint64_t mappings_max = runtime__mappings_max();
    char message[RUNTIME_MESSAGE_SIZE];

    runtime->idle.max = RUNTIME_IDLE_FAASLETS_ALL_MAX;
    if (!runtime__mappings_fit(mappings_max, &options->calls_max,
                               &runtime->idle.max) ||
        !options->notice)
        return;
    snprintf(message, sizeof(message),
             "vm.max_map_count is %llu: at most %u calls at once, and %u "
             "sandboxes that wait for one",
             (unsigned long long)mappings_max, options->calls_max,
             runtime->idle.max);
    options->notice(options->notice_data, message);
}

/* ---- Loading what is kept ----------------------------------------------- */

struct loading {
    struct runtime *runtime;
    size_t damaged_count;
    bool out_of_memory; /* which is no damage: nothing can be said then */
};

static void
tell(void *data, const char *message)
{
    struct loading *loading = data;
    const struct runtime_options *options = &loading->runtime->options;

    loading->damaged_count++;
    if (options->notice)
        options->notice(options->notice_data, message);
}

/* A new reference to the module; it may be another function's already. */
static enum runtime_status
load_module(struct runtime *runtime, const char *digest,
            struct runtime__module **module, struct runtime_error *err)
{
    struct runtime__module *loaded =
        runtime__registry_find_module(&runtime->registry, digest);
    uint8_t *bytes;
    size_t length_bytes;

    if (loaded) {
        *module = loaded;
        return RUNTIME_OK;
    }
    enum runtime_status status = runtime__keep_read_module(
        runtime->keep, digest, RUNTIME_MODULE_BYTES_CEILING, &bytes,
        &length_bytes, err);
    if (status != RUNTIME_OK)
        return status;
    return runtime__module_load_function(runtime->engine, bytes, length_bytes,
                                         runtime->groups, digest, module,
                                         err);
}

/* Without its snapshot a function is initialised at its first call. */
static void
load_snapshot(struct runtime *runtime, struct runtime_function *function)
{
    const struct runtime_options *options = &runtime->options;
    const struct gvm_store_options totals = {
        .memory_bytes_max = runtime__memory_bytes(runtime, function->config),
        .table_entries_max = runtime__lower(
            function->config->table_entries, options->table_entries_max),
    };
    struct gvm_snapshot *snapshot;
    struct runtime_error err;
    char message[RUNTIME_MESSAGE_SIZE];

    enum runtime_status status = runtime__keep_read_snapshot(
        runtime->keep, function, &totals, &snapshot, &err);
    if (status == RUNTIME_OK)
        runtime__pool_set_snapshot(&function->pool, snapshot);
    if (status == RUNTIME_OK || status == RUNTIME_NOT_FOUND ||
        !options->notice)
        return;
    snprintf(message, sizeof(message),
             "snapshots/%s.%s: %.250s; the function is initialised anew",
             function->namespace_, function->name, err.message);
    options->notice(options->notice_data, message);
}

static enum runtime_status
load_function(struct runtime *runtime, const char *namespace_,
              const char *name, struct runtime_error *err)
{
    struct runtime__kept kept;
    struct runtime__module *module = NULL;

    enum runtime_status status = runtime__keep_read_function(
        runtime->keep, namespace_, name, &kept, err);
    if (status != RUNTIME_OK)
        return status;
    status = load_module(runtime, kept.digest, &module, err);
    if (status == RUNTIME_OK)
        status = runtime__registry_reserve(&runtime->registry, err);
    if (status != RUNTIME_OK) {
        runtime__module_put(module);
        free(kept.config);
        return status;
    }
    struct runtime_function *function =
        runtime__function_create(namespace_, name, module, kept.config);
    if (!function || !runtime__function_join(function, &runtime->tenants)) {
        runtime_function_put(function);
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a function");
    }
    function->pool.idle = &runtime->idle;
    function->version = kept.version;
    function->deployed_ms = kept.deployed_ms;
    memcpy(function->record, kept.record, sizeof(function->record));
    load_snapshot(runtime, function);
    runtime__registry_publish(&runtime->registry, function);
    return RUNTIME_OK;
}

/* Called for each function's file. */
static void
visit(void *data, const char *namespace_, const char *name)
{
    struct loading *loading = data;
    struct runtime_error err;

    enum runtime_status status =
        load_function(loading->runtime, namespace_, name, &err);
    if (status == RUNTIME_NO_MEMORY)
        loading->out_of_memory = true;
    if (status == RUNTIME_OK || status == RUNTIME_NO_MEMORY)
        return;
    char message[RUNTIME_MESSAGE_SIZE];
    snprintf(message, sizeof(message), "functions/%s/%s.json: %.300s",
             namespace_, name, err.message);
    tell(loading, message);
}

static bool
is_module_used(void *data, const char *digest)
{
    struct runtime *runtime = data;
    struct runtime__module *module =
        runtime__registry_find_module(&runtime->registry, digest);

    runtime__module_put(module);
    return module != NULL;
}

static bool
is_function(void *data, const char *namespace_, const char *name)
{
    struct runtime *runtime = data;
    struct runtime_function *function =
        runtime__registry_find(&runtime->registry, namespace_, name);

    runtime_function_put(function);
    return function != NULL;
}

static enum runtime_status
load_all(struct runtime *runtime, struct runtime_error *err)
{
    struct loading loading = {.runtime = runtime};

    enum runtime_status status =
        runtime__keep_open(runtime->options.data_dir, &runtime->keep, err);
    if (status == RUNTIME_OK)
        status = runtime__keep_each(runtime->keep, visit, tell, &loading,
                                    err);
    if (status == RUNTIME_OK && loading.out_of_memory)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for the functions");
    if (status == RUNTIME_OK && loading.damaged_count == 0) {
        runtime__keep_sweep_modules(runtime->keep, is_module_used, runtime);
        runtime__keep_sweep_snapshots(runtime->keep, is_function, runtime);
    }
    return status;
}

/* ---- Creating and destroying -------------------------------------------- */

/* Besides the calls that were admitted, every function may have one that
 * initialises it. */
static enum runtime_status
start_scheduler(struct runtime *runtime, struct runtime_error *err)
{
    const struct runtime_options *options = &runtime->options;
    size_t task_count_max =
        (size_t)options->calls_max + RUNTIME_FUNCTIONS_MAX;

    /* Who has no directories asks for no files. */
    unsigned blocking_count =
        runtime->files_root >= 0 ? RUNTIME_BLOCKING_THREADS : 0;

    if (runtime__scheduler_init(&runtime->scheduler, &runtime__call_callbacks,
                                options->worker_count, blocking_count,
                                task_count_max))
        return RUNTIME_OK;
    return runtime__error_set(err, RUNTIME_NO_MEMORY,
                              "there are no %u threads to be had",
                              1 + options->worker_count + blocking_count);
}

enum runtime_status
runtime_create(const struct runtime_options *options,
               struct runtime **runtime, struct runtime_error *err)
{
    struct runtime_options copy;
    enum runtime_status status = copy_options(options, &copy, err);

    if (status != RUNTIME_OK)
        return status;
    struct runtime *created =
        aligned_alloc(_Alignof(struct runtime), sizeof(*created));
    if (!created)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a runtime");
    memset(created, 0, sizeof(*created));
    created->options = copy;
    created->files_root = -1;
    created->descriptors.max = created->options.descriptors_max;
    created->groups = RUNTIME__GROUP_wasi | RUNTIME__GROUP_core |
                      RUNTIME__GROUP_chain;
    if (copy.store)
        created->groups |= RUNTIME__GROUP_state;
    fit_mappings(created);
    if (!created->options.namespace_calls_max)
        created->options.namespace_calls_max =
            created->options.calls_max - created->options.calls_max / 4;
    created->idle.reclaim = reclaim;
    created->idle.data = created;
    runtime__random_init(&created->random);
    runtime__children_init(&created->children);
    runtime__kept_init(&created->kept);
    pthread_mutex_init(&created->reclaim_lock, NULL);
    runtime__registry_init(&created->registry);
    pthread_mutex_init(&created->deploy_lock, NULL);
    runtime__tenants_init(&created->tenants, &created->scheduler.root);
    status = runtime__engine_create(copy.bounds, &created->engine,
                                    &created->guard, err);
    if (status == RUNTIME_OK && copy.files_dir)
        status = runtime__directory_open_root(
            copy.files_dir, &created->files_root, err);
    if (status == RUNTIME_OK && copy.secrets_file)
        status = runtime__vault_open(copy.secrets_file, copy.notice,
                                     copy.notice_data, &created->vault, err);
    if (status == RUNTIME_OK && copy.data_dir)
        status = load_all(created, err);
    if (status == RUNTIME_OK)
        status = start_scheduler(created, err);
    if (status != RUNTIME_OK) {
        runtime_destroy(created);
        return status;
    }
    /* The caller's, and only needed until here. */
    created->options.data_dir = NULL;
    created->options.files_dir = NULL;
    created->options.secrets_file = NULL;
    *runtime = created;
    return RUNTIME_OK;
}

void
runtime_destroy(struct runtime *runtime)
{
    if (!runtime)
        return;
    runtime__kept_deinit(&runtime->kept);
    runtime__children_deinit(&runtime->children);
    runtime__scheduler_deinit(&runtime->scheduler);
    runtime__registry_deinit(&runtime->registry);
    runtime__tenants_deinit(&runtime->tenants);
    runtime__keep_close(runtime->keep);
    gvm_engine_destroy(runtime->engine);
    pthread_mutex_destroy(&runtime->deploy_lock);
    pthread_mutex_destroy(&runtime->reclaim_lock);
    runtime__random_deinit(&runtime->random);
    runtime__vault_close(runtime->vault);
    if (runtime->files_root >= 0)
        close(runtime->files_root);
    free(runtime);
}

void
runtime_statistics(struct runtime *runtime,
                   struct runtime_statistics *statistics)
{
    *statistics = (struct runtime_statistics){
        .function_count = runtime__registry_count(&runtime->registry),
        .call_count = atomic_load_explicit(&runtime->call_count,
                                           memory_order_relaxed),
        .started_count = atomic_load_explicit(&runtime->started_count,
                                              memory_order_relaxed),
        .parked_count = runtime__scheduler_count(&runtime->scheduler),
        .idle_count = atomic_load_explicit(&runtime->idle.count,
                                           memory_order_relaxed),
        .denied_count = atomic_load_explicit(&runtime->denied_count,
                                             memory_order_relaxed),
        .guard = runtime->guard,
    };
}
