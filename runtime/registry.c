/*
 * registry.c - the functions that are deployed now. See registry.h.
 *
 * A sorted array: finding is a binary search, listing is walking, and a
 * deployment, which writes files anyway, moves some pointers.
 *
 * Readers come without a pause on a busy server, so a writer that waits is
 * let in before those that come after it.
 */
#define _GNU_SOURCE 1 /* pthread_rwlockattr_setkind_np */

#include "runtime/registry.h"

#include "runtime/error.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void
runtime__registry_init(struct runtime__registry *registry)
{
    pthread_rwlockattr_t attributes;

    *registry = (struct runtime__registry){0};
    pthread_rwlockattr_init(&attributes);
    pthread_rwlockattr_setkind_np(
        &attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&registry->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

void
runtime__registry_deinit(struct runtime__registry *registry)
{
    for (size_t i = 0; i < registry->count; i++)
        runtime_function_put(registry->functions[i]);
    free(registry->functions);
    pthread_rwlock_destroy(&registry->lock);
}

/* The first function that is not before the name. With the lock held. */
static size_t
lower_bound(const struct runtime__registry *registry, const char *namespace_,
            const char *name)
{
    size_t low = 0;
    size_t high = registry->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (runtime__function_compare(registry->functions[middle], namespace_,
                                      name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool
is_at(const struct runtime__registry *registry, size_t index,
      const char *namespace_, const char *name)
{
    return index < registry->count &&
           runtime__function_compare(registry->functions[index], namespace_,
                                     name) == 0;
}

struct runtime_function *
runtime__registry_find(struct runtime__registry *registry,
                       const char *namespace_, const char *name)
{
    struct runtime_function *function = NULL;

    pthread_rwlock_rdlock(&registry->lock);
    size_t index = lower_bound(registry, namespace_, name);
    if (is_at(registry, index, namespace_, name))
        function = runtime__function_share(registry->functions[index]);
    pthread_rwlock_unlock(&registry->lock);
    return function;
}

struct runtime__module *
runtime__registry_find_module(struct runtime__registry *registry,
                              const char *digest)
{
    struct runtime__module *module = NULL;

    pthread_rwlock_rdlock(&registry->lock);
    for (size_t i = 0; i < registry->count && !module; i++) {
        if (!strcmp(registry->functions[i]->module->digest, digest))
            module = runtime__module_get(registry->functions[i]->module);
    }
    pthread_rwlock_unlock(&registry->lock);
    return module;
}

enum runtime_status
runtime__registry_reserve(struct runtime__registry *registry,
                          struct runtime_error *err)
{
    enum runtime_status status = RUNTIME_OK;

    pthread_rwlock_wrlock(&registry->lock);
    if (registry->count >= RUNTIME_FUNCTIONS_MAX) {
        status = runtime__error_set(err, RUNTIME_LIMIT,
                                    "there are %d functions already",
                                    RUNTIME_FUNCTIONS_MAX);
    } else if (registry->count == registry->capacity) {
        size_t capacity = registry->capacity ? 2 * registry->capacity : 16;
        struct runtime_function **functions = realloc(
            registry->functions, capacity * sizeof(*registry->functions));
        if (functions) {
            registry->functions = functions;
            registry->capacity = capacity;
        } else {
            status = runtime__error_set(err, RUNTIME_NO_MEMORY,
                                        "out of memory for a function");
        }
    }
    pthread_rwlock_unlock(&registry->lock);
    return status;
}

void
runtime__registry_publish(struct runtime__registry *registry,
                          struct runtime_function *function)
{
    struct runtime_function *replaced = NULL;

    pthread_rwlock_wrlock(&registry->lock);
    size_t index =
        lower_bound(registry, function->namespace_, function->name);
    struct runtime_function **place = registry->functions + index;
    if (is_at(registry, index, function->namespace_, function->name)) {
        replaced = *place;
    } else {
        assert(registry->count < registry->capacity);
        memmove(place + 1, place,
                (registry->count - index) * sizeof(*place));
        registry->count++;
    }
    *place = function;
    pthread_rwlock_unlock(&registry->lock);
    /* It may be the last reference, and then there is much to free. */
    runtime_function_put(replaced);
}

void
runtime__registry_remove(struct runtime__registry *registry,
                         const char *namespace_, const char *name)
{
    struct runtime_function *removed = NULL;

    pthread_rwlock_wrlock(&registry->lock);
    size_t index = lower_bound(registry, namespace_, name);
    if (is_at(registry, index, namespace_, name)) {
        struct runtime_function **place = registry->functions + index;
        removed = *place;
        registry->count--;
        memmove(place, place + 1,
                (registry->count - index) * sizeof(*place));
    }
    pthread_rwlock_unlock(&registry->lock);
    runtime_function_put(removed);
}

void
runtime__registry_each(struct runtime__registry *registry,
                       void (*visit)(struct runtime_function *function,
                                     void *data),
                       void *data)
{
    pthread_rwlock_rdlock(&registry->lock);
    for (size_t i = 0; i < registry->count; i++)
        visit(registry->functions[i], data);
    pthread_rwlock_unlock(&registry->lock);
}

size_t
runtime__registry_count(struct runtime__registry *registry)
{
    pthread_rwlock_rdlock(&registry->lock);
    size_t count = registry->count;
    pthread_rwlock_unlock(&registry->lock);
    return count;
}

/* Whether the function belongs to the listing, if it is not before it. */
static bool
is_listed(const struct runtime_function *function, const char *namespace_,
          const char *prefix)
{
    return !strcmp(function->namespace_, namespace_) &&
           !strncmp(function->name, prefix, strlen(prefix));
}

size_t
runtime__registry_list(struct runtime__registry *registry,
                       const char *namespace_, const char *prefix,
                       const char *cursor,
                       struct runtime_function **functions, size_t count_max,
                       bool *more)
{
    size_t count = 0;

    /* What has the prefix stands together, from the prefix itself on. */
    const char *from = strcmp(cursor, prefix) > 0 ? cursor : prefix;
    pthread_rwlock_rdlock(&registry->lock);
    size_t index = lower_bound(registry, namespace_, from);
    if (is_at(registry, index, namespace_, cursor))
        index++;
    while (index < registry->count && count < count_max &&
           is_listed(registry->functions[index], namespace_, prefix)) {
        functions[count++] =
            runtime__function_share(registry->functions[index]);
        index++;
    }
    *more = index < registry->count &&
            is_listed(registry->functions[index], namespace_, prefix);
    pthread_rwlock_unlock(&registry->lock);
    return count;
}
