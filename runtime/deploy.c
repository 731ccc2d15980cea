/*
 * deploy.c - deploying, deleting, finding and listing functions.
 *
 * The idea: all that can fail because of the module happens first and under
 * no lock: checking, linking, initialising. Then, one deployment at a time:
 * the condition, the files, and as the last step that counts, which cannot
 * fail, the publication. So a failure leaves everything as it was, and a
 * reader of the registry sees the old version or the new one.
 *
 * Any thread may call it.
 */
#include "runtime/internal.h"

#include "runtime/config.h"
#include "runtime/digest.h"
#include "runtime/directory.h"
#include "runtime/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- What a deployment may be ------------------------------------------- */

static enum runtime_status
check_limit(const char *name, uint64_t value, uint64_t max,
            struct runtime_error *err)
{
    if (value <= max)
        return RUNTIME_OK;
    return runtime__error_set(err, RUNTIME_LIMIT,
                              "%s of the configuration is %llu, above %llu",
                              name, (unsigned long long)value,
                              (unsigned long long)max);
}

enum runtime_status
runtime__deploy_check_config(const struct runtime *runtime,
                             const struct runtime_config *config,
                             struct runtime_error *err)
{
    const struct runtime_options *options = &runtime->options;
    const struct {
        const char *name;
        uint64_t value, max;
    } numbers[] = {
        {"timeout_ms", config->timeout_ms, options->timeout_ms_max},
        {"fuel", config->fuel, options->fuel_max},
        {"memory_bytes", config->memory_bytes, options->memory_bytes_max},
        {"stack_bytes", config->stack_bytes, RUNTIME_STACK_BYTES_MAX},
        {"table_entries", config->table_entries, options->table_entries_max},
        {"output_bytes", config->output_bytes, options->output_bytes_max},
        {"log_bytes_per_s", config->log_bytes_per_s,
         options->log_bytes_per_s},
        {"concurrency", config->concurrency, RUNTIME_CALLS_CEILING},
        {"queue", config->queue, RUNTIME_CALLS_CEILING},
        {"queue_ms", config->queue_ms, RUNTIME_TIMEOUT_MS_CEILING},
    };
    enum runtime_status status = RUNTIME_OK;

    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]) &&
                       status == RUNTIME_OK;
         i++)
        status = check_limit(numbers[i].name, numbers[i].value,
                             numbers[i].max, err);
    return status;
}

static enum runtime_status
check_deployment(const struct runtime *runtime,
                 const struct runtime_deployment *deployment,
                 struct runtime_error *err)
{
    enum runtime_status status = runtime__function_check_names(
        deployment->namespace_, deployment->name, err);

    if (status != RUNTIME_OK)
        return status;
    if (deployment->module_bytes > runtime->options.module_bytes_max)
        return runtime__error_set(err, RUNTIME_TOO_BIG,
                                  "the module has %zu bytes, above %zu",
                                  deployment->module_bytes,
                                  runtime->options.module_bytes_max);
    if (deployment->config)
        status =
            runtime__deploy_check_config(runtime, deployment->config, err);
    if (status == RUNTIME_OK && deployment->config)
        status = runtime__directory_check(runtime->files_root,
                                          deployment->config, err);
    return status;
}

/* A new reference: to the module that others have already, or a new one. */
static enum runtime_status
load_module(struct runtime *runtime,
            const struct runtime_deployment *deployment,
            struct runtime__module **module, struct runtime_error *err)
{
    char digest[RUNTIME_DIGEST_SIZE];
    size_t length_bytes = deployment->module_bytes;

    if (!runtime__digest(deployment->module, length_bytes, digest))
        return runtime__error_set(err, RUNTIME_SYSTEM,
                                  "SHA-256 is not to be had");
    struct runtime__module *loaded =
        runtime__registry_find_module(&runtime->registry, digest);
    if (loaded) {
        *module = loaded;
        return RUNTIME_OK;
    }
    uint8_t *copy = malloc(length_bytes + 1);
    if (!copy)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a module");
    if (length_bytes > 0)
        memcpy(copy, deployment->module, length_bytes);
    return runtime__module_load_function(runtime->engine, copy, length_bytes,
                                         runtime->groups, digest, module,
                                         err);
}

/* Whether what is there now (NULL: nothing) is as the caller thinks. */
static enum runtime_status
check_condition(const struct runtime_function *current,
                enum runtime_condition condition, const char *digest,
                struct runtime_error *err)
{
    bool holds = true;

    switch (condition) {
    case RUNTIME_ALWAYS:
        break;
    case RUNTIME_IF_ABSENT:
        holds = !current;
        break;
    case RUNTIME_IF_PRESENT:
        holds = current;
        break;
    case RUNTIME_IF_DIGEST:
        holds = current && digest &&
                !strcmp(current->module->digest, digest);
        break;
    }
    if (holds)
        return RUNTIME_OK;
    return runtime__error_set(
        err, RUNTIME_CONFLICT, "%s",
        !current ? "there is no such function"
        : condition == RUNTIME_IF_ABSENT
            ? "the function is there already"
            : "the function has another digest");
}

/* ---- Deploying ---------------------------------------------------------- */

static uint64_t
time_ms(void)
{
    return runtime__wait_clock_ns(CLOCK_REALTIME) / 1000000;
}

/*
 * Removes a module's file when no function has the module any more. With the
 * deploy lock held, so that nobody begins to need it meanwhile.
 */
static void
sweep_module(struct runtime *runtime, const char *digest)
{
    struct runtime__module *module =
        runtime__registry_find_module(&runtime->registry, digest);

    if (!module && runtime->keep)
        runtime__keep_remove_module(runtime->keep, digest);
    runtime__module_put(module);
}

/* Whether a function that is deployed has the module, so that it is kept. */
static bool
is_kept(struct runtime *runtime, const char *digest)
{
    struct runtime__module *module =
        runtime__registry_find_module(&runtime->registry, digest);

    runtime__module_put(module);
    return module != NULL;
}

/* Writes down and publishes `function`, in place of `current` (or NULL). */
static enum runtime_status
publish(struct runtime *runtime, struct runtime_function *current,
        struct runtime_function *function, struct runtime_error *err)
{
    enum runtime_status status =
        current ? RUNTIME_OK
                : runtime__registry_reserve(&runtime->registry, err);

    if (status != RUNTIME_OK)
        return status;
    function->version = current ? current->version + 1 : 1;
    function->deployed_ms = time_ms();
    if (runtime->keep) {
        if (!is_kept(runtime, function->module->digest))
            status = runtime__keep_write_module(runtime->keep,
                                                function->module, err);
        if (status == RUNTIME_OK)
            status =
                runtime__keep_write_function(runtime->keep, function, err);
        if (status != RUNTIME_OK) {
            sweep_module(runtime, function->module->digest);
            return status;
        }
    }
    runtime__registry_publish(&runtime->registry,
                              runtime__function_share(function));
    /* It can be made again: no reason to fail what has been published. */
    if (runtime->keep)
        (void)runtime__keep_write_snapshot(
            runtime->keep, function,
            runtime__pool_snapshot(&function->pool), NULL);
    if (current)
        sweep_module(runtime, current->module->digest);
    return RUNTIME_OK;
}

void
runtime__deploy_keep_snapshot(struct runtime *runtime,
                              struct runtime_function *function)
{
    if (!runtime->keep)
        return;
    pthread_mutex_lock(&runtime->deploy_lock);
    struct runtime_function *current = runtime__registry_find(
        &runtime->registry, function->namespace_, function->name);
    if (current == function)
        (void)runtime__keep_write_snapshot(
            runtime->keep, function,
            runtime__pool_snapshot(&function->pool), NULL);
    pthread_mutex_unlock(&runtime->deploy_lock);
    runtime_function_put(current);
}

/* What deploy_locked was given and gives. */
struct outcome {
    struct runtime_function *function; /* counted; NULL on failure */
    bool created;
};

/*
 * The part under the deploy lock. `function` is the new one, not published;
 * the configuration may yet have to be the current one's.
 */
static enum runtime_status
deploy_locked(struct runtime *runtime,
              const struct runtime_deployment *deployment,
              struct runtime_function *function, struct outcome *outcome,
              struct runtime_error *err)
{
    struct runtime_function *current = runtime__registry_find(
        &runtime->registry, deployment->namespace_, deployment->name);
    enum runtime_status status =
        check_condition(current, deployment->condition,
                        deployment->digest_expected, err);

    if (status == RUNTIME_OK && current && !deployment->config &&
        !runtime__config_equals(current->config, function->config)) {
        /* Another one was deployed meanwhile: what was initialised under the
         * old configuration is not to be had, and the first call does it. */
        struct runtime_config *config;
        status = runtime__config_copy(current->config, &config, err);
        if (status == RUNTIME_OK) {
            free(function->config);
            function->config = config;
            runtime__pool_forget(&function->pool);
        }
    }
    if (status != RUNTIME_OK)
        goto done;
    if (current &&
        !strcmp(current->module->digest, function->module->digest) &&
        runtime__config_equals(current->config, function->config)) {
        outcome->function = runtime__function_share(current);
        goto done;
    }
    status = publish(runtime, current, function, err);
    if (status == RUNTIME_OK) {
        outcome->function = runtime__function_share(function);
        outcome->created = !current;
    }
done:
    runtime_function_put(current);
    return status;
}

/* A copy of the configuration that the deployment asks for. */
static enum runtime_status
choose_config(struct runtime *runtime,
              const struct runtime_deployment *deployment,
              struct runtime_config **config, struct runtime_error *err)
{
    struct runtime_function *current =
        deployment->config
            ? NULL
            : runtime__registry_find(&runtime->registry,
                                     deployment->namespace_,
                                     deployment->name);
    enum runtime_status status = runtime__config_copy(
        current ? current->config : deployment->config, config, err);

    runtime_function_put(current);
    return status;
}

/* The new function, loaded, linked and initialised, but seen by nobody. */
static enum runtime_status
prepare(struct runtime *runtime, const struct runtime_deployment *deployment,
        struct runtime_function **function, struct runtime_error *err)
{
    struct runtime_config *config = NULL;
    struct runtime__module *module = NULL;

    enum runtime_status status =
        choose_config(runtime, deployment, &config, err);
    if (status != RUNTIME_OK)
        return status;
    status = load_module(runtime, deployment, &module, err);
    if (status != RUNTIME_OK) {
        free(config);
        return status;
    }
    struct runtime_function *prepared = runtime__function_create(
        deployment->namespace_, deployment->name, module, config);
    if (!prepared)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a function");
    prepared->pool.idle = &runtime->idle;
    if (runtime__function_join(prepared, &runtime->tenants))
        status = runtime__call_initialise(runtime, prepared, err);
    else
        status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                    "out of memory for a namespace");
    if (status != RUNTIME_OK) {
        runtime_function_put(prepared);
        return status;
    }
    *function = prepared;
    return RUNTIME_OK;
}

enum runtime_status
runtime_function_deploy(struct runtime *runtime,
                        const struct runtime_deployment *deployment,
                        struct runtime_function **function, bool *created,
                        struct runtime_error *err)
{
    struct outcome outcome = {0};
    struct runtime_function *prepared = NULL;

    enum runtime_status status = check_deployment(runtime, deployment, err);
    if (status == RUNTIME_OK)
        status = prepare(runtime, deployment, &prepared, err);
    if (status != RUNTIME_OK)
        return status;
    pthread_mutex_lock(&runtime->deploy_lock);
    status = deploy_locked(runtime, deployment, prepared, &outcome, err);
    pthread_mutex_unlock(&runtime->deploy_lock);
    runtime_function_put(prepared);
    if (status != RUNTIME_OK)
        return status;
    if (created)
        *created = outcome.created;
    if (function)
        *function = outcome.function;
    else
        runtime_function_put(outcome.function);
    return RUNTIME_OK;
}

/* ---- Deleting, finding, listing ------------------------------------------ */

static enum runtime_status
fail_not_found(const char *name, struct runtime_error *err)
{
    return runtime__error_set(err, RUNTIME_NOT_FOUND,
                              "there is no function '%s'", name);
}

/* With the deploy lock held. */
static enum runtime_status
delete_locked(struct runtime *runtime, const char *namespace_,
              const char *name, const char *digest_expected,
              struct runtime_error *err)
{
    struct runtime_function *current =
        runtime__registry_find(&runtime->registry, namespace_, name);

    if (!current)
        return fail_not_found(name, err);
    enum runtime_status status = check_condition(
        current, digest_expected ? RUNTIME_IF_DIGEST : RUNTIME_ALWAYS,
        digest_expected, err);
    if (status == RUNTIME_OK && runtime->keep)
        status = runtime__keep_remove_function(runtime->keep, namespace_,
                                               name, err);
    if (status == RUNTIME_OK) {
        runtime__registry_remove(&runtime->registry, namespace_, name);
        sweep_module(runtime, current->module->digest);
    }
    runtime_function_put(current);
    return status;
}

enum runtime_status
runtime_function_delete(struct runtime *runtime, const char *namespace_,
                        const char *name, const char *digest_expected,
                        struct runtime_error *err)
{
    enum runtime_status status =
        runtime__function_check_names(namespace_, name, err);

    if (status != RUNTIME_OK)
        return status;
    pthread_mutex_lock(&runtime->deploy_lock);
    status =
        delete_locked(runtime, namespace_, name, digest_expected, err);
    pthread_mutex_unlock(&runtime->deploy_lock);
    return status;
}

enum runtime_status
runtime_function_get(struct runtime *runtime, const char *namespace_,
                     const char *name, struct runtime_function **function,
                     struct runtime_error *err)
{
    enum runtime_status status =
        runtime__function_check_names(namespace_, name, err);

    if (status != RUNTIME_OK)
        return status;
    struct runtime_function *found =
        runtime__registry_find(&runtime->registry, namespace_, name);
    if (!found)
        return fail_not_found(name, err);
    *function = found;
    return RUNTIME_OK;
}

enum runtime_status
runtime_function_list(struct runtime *runtime, const char *namespace_,
                      const char *prefix, const char *cursor,
                      size_t limit_count, struct runtime_function_page *page,
                      struct runtime_error *err)
{
    if (!runtime_name_is_valid(namespace_))
        return runtime__function_check_names(namespace_, "a", err);
    if (limit_count > RUNTIME_LIST_ITEMS_MAX)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "a page has at most %d functions",
                                  RUNTIME_LIST_ITEMS_MAX);
    if (limit_count == 0)
        limit_count = RUNTIME_LIST_ITEMS_DEFAULT;
    struct runtime_function_page found = {
        .functions = calloc(limit_count, sizeof(struct runtime_function *)),
    };
    if (!found.functions)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a listing");
    found.count = runtime__registry_list(
        &runtime->registry, namespace_, prefix ? prefix : "",
        cursor ? cursor : "", found.functions, limit_count, &found.more);
    *page = found;
    return RUNTIME_OK;
}

void
runtime_function_page_deinit(struct runtime_function_page *page)
{
    for (size_t i = 0; i < page->count; i++)
        runtime_function_put(page->functions[i]);
    free(page->functions);
    *page = (struct runtime_function_page){0};
}
