/*
 * The store: options, the choice of the backend, and the checks that are the
 * same for all of them. A store is a backend and the limit on its values.
 */
#include "state/backend.h"
#include "state/batch.h"
#include "state/error.h"
#include "state/operation.h"
#include "state/region.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(STATE_VALUE_BYTES_CEILING + STATE_KEY_BYTES_MAX <=
                  STATE_IN_FLIGHT_BYTES_DEFAULT,
              "the default holds any value");

struct state_store {
    struct state__backend *backend;
    size_t value_bytes_max;
};

/* Which backend opens a URL that begins so. */
static const struct scheme {
    const char *prefix;
    bool is_whole; /* nothing may follow */
    enum state_status (*open)(const struct state_options *options,
                              struct state__backend **backend,
                              struct state_error *err);
} schemes[] = {
    {"memory", true, state__memory_open},
    {"lmdb:", false, state__lmdb_open},
    {"redis://", false, state__redis_open},
    {"redis+unix://", false, state__redis_open},
    {"unix:", false, state__redis_open},
};

static const struct scheme *
find_scheme(const char *url)
{
    for (size_t i = 0; i < sizeof schemes / sizeof *schemes; i++) {
        const struct scheme *scheme = &schemes[i];
        size_t length = strlen(scheme->prefix);

        if (strncmp(url, scheme->prefix, length) == 0 &&
            (!scheme->is_whole || url[length] == '\0'))
            return scheme;
    }
    return NULL;
}

static void
set_defaults(struct state_options *options)
{
    if (options->url == NULL)
        options->url = "memory";
    if (options->shard_count == 0)
        options->shard_count = STATE_SHARDS_DEFAULT;
    if (options->value_bytes_max == 0)
        options->value_bytes_max = STATE_VALUE_BYTES_DEFAULT;
    if (options->timeout_ms == 0)
        options->timeout_ms = STATE_TIMEOUT_MS_DEFAULT;
    if (options->in_flight_max == 0)
        options->in_flight_max = STATE_IN_FLIGHT_DEFAULT;
    if (options->in_flight_bytes_max == 0)
        options->in_flight_bytes_max = STATE_IN_FLIGHT_BYTES_DEFAULT;
    if (options->durability == STATE_DURABILITY_DEFAULT)
        options->durability = STATE_DURABILITY_SYNC;
    if (options->disk_bytes_max == 0)
        options->disk_bytes_max = STATE_DISK_BYTES_DEFAULT;
}

static enum state_status
check_options(const struct state_options *options, struct state_error *err)
{
    unsigned shards = options->shard_count;

    if (shards > STATE_SHARDS_MAX || (shards & (shards - 1)) != 0)
        return state__error_set(err, STATE_INVALID,
                                "shards: a power of two, at most %d",
                                STATE_SHARDS_MAX);
    if (options->value_bytes_max > STATE_VALUE_BYTES_CEILING)
        return state__error_set(err, STATE_INVALID,
                                "the largest value: at most %u bytes",
                                STATE_VALUE_BYTES_CEILING);
    if (options->timeout_ms > STATE_TIMEOUT_MS_MAX)
        return state__error_set(err, STATE_INVALID,
                                "the timeout: at most %d milliseconds",
                                STATE_TIMEOUT_MS_MAX);
    if (options->in_flight_max > STATE_IN_FLIGHT_MAX)
        return state__error_set(err, STATE_INVALID,
                                "operations under way: at most %d",
                                STATE_IN_FLIGHT_MAX);
    if (options->in_flight_bytes_max > STATE_IN_FLIGHT_BYTES_MAX ||
        options->in_flight_bytes_max <
            options->value_bytes_max + STATE_KEY_BYTES_MAX)
        return state__error_set(err, STATE_INVALID,
                                "bytes under way: at least a key and a "
                                "value, at most %lu",
                                STATE_IN_FLIGHT_BYTES_MAX);
    if ((unsigned)options->durability > STATE_DURABILITY_SYNC)
        return state__error_set(err, STATE_INVALID, "no such durability");
    if (options->disk_bytes_max < STATE_DISK_BYTES_MIN ||
        options->disk_bytes_max > STATE_DISK_BYTES_MAX)
        return state__error_set(err, STATE_INVALID,
                                "bytes on the disk: %u to %lu",
                                STATE_DISK_BYTES_MIN, STATE_DISK_BYTES_MAX);
    if (strlen(options->url) >= STATE_URL_SIZE)
        return state__error_set(err, STATE_INVALID,
                                "the URL: at most %d bytes",
                                STATE_URL_SIZE - 1);
    return STATE_OK;
}

enum state_status
state_store_open(const struct state_options *options,
                 struct state_store **store, struct state_error *err)
{
    struct state_options complete = {0};
    struct state_store *opened;
    const struct scheme *scheme;
    enum state_status status;

    if (options != NULL)
        complete = *options;
    set_defaults(&complete);
    status = check_options(&complete, err);
    if (status)
        return status;
    scheme = find_scheme(complete.url);
    if (scheme == NULL)
        return state__error_set(err, STATE_INVALID,
                                "no such backend; there are memory, lmdb:DIR, "
                                "redis://HOST:PORT/DB and unix:PATH");
    opened = malloc(sizeof *opened);
    if (opened == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    opened->value_bytes_max = complete.value_bytes_max;
    status = scheme->open(&complete, &opened->backend, err);
    if (status) {
        free(opened);
        return status;
    }
    *store = opened;
    return STATE_OK;
}

void
state_store_close(struct state_store *store)
{
    if (store == NULL)
        return;
    store->backend->class->close(store->backend);
    free(store);
}

void
state_store_health(struct state_store *store, struct state_health *health)
{
    *health = (struct state_health){.backend = store->backend->class->name};
    store->backend->class->health(store->backend, health);
}

enum state_status
state_store_submit(struct state_store *store,
                   struct state_operation *operation)
{
    enum state_status status;

    if (operation->kind != STATE_BATCH)
        return state__batch_submit_one(store->backend, operation,
                                       store->value_bytes_max);
    state__operation_begin(operation);
    status = state__batch_check(operation);
    if (status)
        return status;
    if (operation->all_or_nothing)
        return store->backend->class->submit(store->backend, operation);
    return state__batch_submit_each(store->backend, operation,
                                    store->value_bytes_max);
}

void
state_store_cancel(struct state_store *store,
                   struct state_operation *operation)
{
    if (store->backend->class->cancel != NULL)
        store->backend->class->cancel(store->backend, operation);
}

enum state_status
state_store_set_durability(struct state_store *store, const char *namespace_,
                           enum state_durability durability,
                           struct state_error *err)
{
    const struct state__backend_class *class = store->backend->class;

    if (!state_namespace_is_valid(namespace_))
        return state__error_set(err, STATE_INVALID, "no name of a namespace");
    if (durability == STATE_DURABILITY_DEFAULT ||
        (unsigned)durability > STATE_DURABILITY_SYNC)
        return state__error_set(err, STATE_INVALID, "no such durability");
    if (class->set_durability == NULL)
        return state__error_set(err, STATE_UNSUPPORTED,
                                "%s has nothing on a disk", class->name);
    return class->set_durability(store->backend, namespace_, durability, err);
}

enum state_status
state_store_set_quota(struct state_store *store, const char *namespace_,
                      const struct state_quota *quota,
                      struct state_error *err)
{
    const struct state__backend_class *class = store->backend->class;
    enum state_status status;

    if (!state_namespace_is_valid(namespace_))
        return state__error_set(err, STATE_INVALID,
                                "that is no name of a namespace");
    if (quota->operations_per_second > STATE_RATE_MAX)
        return state__error_set(err, STATE_INVALID,
                                "operations per second: at most %d",
                                STATE_RATE_MAX);
    if ((unsigned)quota->policy > STATE_POLICY_LRU)
        return state__error_set(err, STATE_INVALID, "no such policy");
    if (class->set_quota == NULL)
        return state__error_set(err, STATE_UNSUPPORTED, "%s has no quotas",
                                class->name);
    status = class->set_quota(store->backend, namespace_, quota);
    if (status == STATE_LIMIT)
        return state__error_set(err, status,
                                "a store has at most %d namespaces",
                                STATE_NAMESPACES_MAX);
    return status ? state__error_set(err, status, "%s",
                                     state_status_text(status))
                  : STATE_OK;
}

enum state_status
state_store_stats(struct state_store *store, const char *namespace_,
                  struct state_stats *stats)
{
    const struct state__backend_class *class = store->backend->class;

    if (!state_namespace_is_valid(namespace_))
        return STATE_INVALID;
    if (class->stats == NULL)
        return STATE_UNSUPPORTED;
    return class->stats(store->backend, namespace_, stats);
}

enum state_status
state_store_map(struct state_store *store,
                const struct state_mapping_options *options,
                struct state_mapping **mapping)
{
    const struct state__backend_class *class = store->backend->class;
    enum state_status status;

    if (!state_namespace_is_valid(options->namespace_) ||
        options->key.length_bytes == 0 ||
        options->key.length_bytes > STATE_KEY_BYTES_MAX)
        return STATE_INVALID;
    if (class->map == NULL)
        return STATE_UNSUPPORTED;
    status = class->map(store->backend, options, mapping);
    if (status == STATE_OK)
        (*mapping)->store = store;
    return status;
}
