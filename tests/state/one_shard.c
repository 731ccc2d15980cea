/* A shard by itself: see one_shard.h. */
#include "tests/state/one_shard.h"

#include "tests/state/suite.h"

#include <string.h>

struct state__shard one_shard;
struct state__namespace *one_shard_namespace;
_Atomic uint64_t one_shard_time_ms;
atomic_uint one_shard_look_count;

static struct state__namespaces namespaces;
static struct state__slab_pool slab_pool;

static uint64_t
look_at_clock(void *data)
{
    (void)data;
    atomic_fetch_add(&one_shard_look_count, 1);
    return atomic_load(&one_shard_time_ms);
}

static const struct state__clock test_clock = {look_at_clock, NULL};

static void
open_shard(void)
{
    atomic_store(&one_shard_time_ms, 1000);
    ck_assert(state__namespaces_init(&namespaces, 1));
    ck_assert_int_eq(state__namespaces_obtain(&namespaces, "a",
                                              &one_shard_namespace),
                     STATE_OK);
    state__slab_pool_init(&slab_pool);
    state__shard_init(&one_shard, &test_clock, &slab_pool, 2);
    one_shard.namespaces = &namespaces;
}

static void
close_shard(void)
{
    state__shard_deinit(&one_shard);
    state__slab_pool_deinit(&slab_pool);
    state__namespaces_deinit(&namespaces);
}

enum state_status
one_shard_submit(struct state_operation *operation)
{
    struct state__target target = {
        .namespace_ = one_shard_namespace,
        .key = operation->key,
        .hash = state__shard_hash(2, one_shard_namespace->index,
                                  operation->key),
    };

    state_operation_deinit(operation);
    if (operation->kind == STATE_GET || operation->kind == STATE_GET_RANGE ||
        operation->kind == STATE_STAT)
        return state__shard_read(&one_shard, &target, operation);
    return state__change_run(&one_shard, &target, operation,
                             ONE_SHARD_VALUE_MAX);
}

enum state_status
one_shard_put(const char *key, uint64_t ttl_ms)
{
    struct state_operation operation = {
        .kind = STATE_PUT,
        .key = {key, strlen(key)},
        .value = {"7", 1},
        .ttl_ms = ttl_ms,
    };

    return one_shard_submit(&operation);
}

enum state_status
one_shard_stat(const char *key)
{
    struct state_operation operation = {.kind = STATE_STAT,
                                        .key = {key, strlen(key)}};

    return one_shard_submit(&operation);
}

int
one_shard_run(const char *name, const TTest *const *tests)
{
    return run_suite_between(name, tests, open_shard, close_shard);
}
