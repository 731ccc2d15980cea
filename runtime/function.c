/*
 * function.c - a module that is deployed under a name. See function.h.
 */
#include "runtime/function.h"

#include "runtime/config.h"
#include "runtime/error.h"

#include <stdlib.h>
#include <string.h>

static bool
is_letter_or_digit(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

bool
runtime_name_is_valid(const char *name)
{
    size_t length = name ? strnlen(name, RUNTIME_NAME_BYTES_MAX + 1) : 0;

    if (length == 0 || length > RUNTIME_NAME_BYTES_MAX)
        return false;
    for (size_t i = 0; i < length; i++) {
        bool is_inner = i > 0 && i + 1 < length;
        if (!is_letter_or_digit(name[i]) && !(is_inner && name[i] == '-'))
            return false;
    }
    return true;
}

enum runtime_status
runtime__function_check_names(const char *namespace_, const char *name,
                              struct runtime_error *err)
{
    const char *which = NULL;

    if (!runtime_name_is_valid(namespace_))
        which = "namespace";
    else if (!runtime_name_is_valid(name))
        which = "function";
    if (!which)
        return RUNTIME_OK;
    return runtime__error_set(
        err, RUNTIME_INVALID,
        "the name of a %s is 1 to %d lower case letters, digits and inner "
        "hyphens",
        which, RUNTIME_NAME_BYTES_MAX);
}

const char *
runtime_kind_name(enum runtime_kind kind)
{
    switch (kind) {
#define CASE(symbol, name)                                                    \
    case symbol:                                                              \
        return name;
        RUNTIME_KIND_MAP(CASE)
#undef CASE
    }
    return "unknown";
}

struct runtime_function *
runtime__function_create(const char *namespace_, const char *name,
                         struct runtime__module *module,
                         struct runtime_config *config)
{
    /* Whole lines of cache for the stripes of the pool. */
    struct runtime_function *function =
        aligned_alloc(_Alignof(struct runtime_function), sizeof(*function));

    if (!function) {
        runtime__module_put(module);
        free(config);
        return NULL;
    }
    memset(function, 0, sizeof(*function));
    runtime__pool_init(&function->pool);
    atomic_init(&function->references, 1);
    /* Nobody knows: the first call is for a worker, which also translates. */
    atomic_init(&function->outlived, 1);
    pthread_mutex_init(&function->first_lock, NULL);
    runtime__gate_init(&function->gate);
    strncpy(function->namespace_, namespace_, RUNTIME_NAME_BYTES_MAX);
    strncpy(function->name, name, RUNTIME_NAME_BYTES_MAX);
    function->module = module;
    function->config = config;
    return function;
}

bool
runtime__function_join(struct runtime_function *function,
                       struct runtime__tenants *tenants)
{
    function->tenant = runtime__tenant_get(tenants, function->namespace_);
    if (function->tenant)
        function->node.parent = &function->tenant->node;
    return function->tenant != NULL;
}

struct runtime_function *
runtime__function_share(struct runtime_function *function)
{
    atomic_fetch_add_explicit(&function->references, 1,
                              memory_order_relaxed);
    return function;
}

void
runtime_function_put(struct runtime_function *function)
{
    if (!function || atomic_fetch_sub_explicit(&function->references, 1,
                                               memory_order_acq_rel) != 1)
        return;
    runtime__pool_deinit(&function->pool);
    runtime__tenant_put(function->tenant);
    pthread_mutex_destroy(&function->first_lock);
    runtime__gate_deinit(&function->gate);
    runtime__module_put(function->module);
    free(function->config);
    free(function);
}

void
runtime_function_info(const struct runtime_function *function,
                      struct runtime_function_info *info)
{
    *info = (struct runtime_function_info){
        .namespace_ = function->namespace_,
        .name = function->name,
        .kind = function->module->kind,
        .digest = function->module->digest,
        .module = function->module->bytes,
        .module_bytes = function->module->length_bytes,
        .version = function->version,
        .deployed_ms = function->deployed_ms,
        .config = function->config,
    };
}

int
runtime__function_compare(const struct runtime_function *function,
                          const char *namespace_, const char *name)
{
    int order = strcmp(function->namespace_, namespace_);

    return order ? order : strcmp(function->name, name);
}
