/*
 * pool.c - the faaslets of one function that wait for a call. See pool.h.
 *
 * The idea: each processor has a stack of its own, and so gets back the
 * faaslet that is still in its caches. One that has none takes from the
 * others before it makes a new one. Counts are kept beside the stacks: one
 * that comes is counted before it lies there, one that goes afterwards, so
 * that no bound is passed.
 */
#include "runtime/pool.h"

#include <assert.h>

void
runtime__pool_init(struct runtime__pool *pool)
{
    pool->idle = NULL;
    atomic_init(&pool->count, 0);
    atomic_init(&pool->is_used, false);
    atomic_init(&pool->snapshot, NULL);
    for (size_t i = 0; i < RUNTIME__STRIPES; i++) {
        pthread_mutex_init(&pool->stripes[i].lock, NULL);
        pool->stripes[i].first = NULL;
    }
}

static void
leave_place(struct runtime__pool *pool)
{
    atomic_fetch_sub_explicit(&pool->count, 1, memory_order_relaxed);
    atomic_fetch_sub_explicit(&pool->idle->count, 1, memory_order_relaxed);
}

/* One from the stripe's stack, or NULL. */
static struct runtime__faaslet *
pop(struct runtime__pool *pool, unsigned stripe)
{
    pthread_mutex_lock(&pool->stripes[stripe].lock);
    struct runtime__faaslet *faaslet = pool->stripes[stripe].first;
    if (faaslet)
        pool->stripes[stripe].first = faaslet->next;
    pthread_mutex_unlock(&pool->stripes[stripe].lock);
    if (!faaslet)
        return NULL;
    leave_place(pool);
    return faaslet;
}

static struct runtime__faaslet *
pop_any(struct runtime__pool *pool)
{
    unsigned own = runtime__stripe();

    /* Others' locks are not touched where there is nothing to find. */
    for (unsigned i = 0; i < RUNTIME__STRIPES; i++) {
        if (atomic_load_explicit(&pool->count, memory_order_relaxed) == 0)
            return NULL;
        struct runtime__faaslet *faaslet =
            pop(pool, (own + i) % RUNTIME__STRIPES);
        if (faaslet)
            return faaslet;
    }
    return NULL;
}

static unsigned
destroy_all(struct runtime__pool *pool)
{
    struct runtime__faaslet *faaslet;
    unsigned count = 0;

    for (unsigned i = 0; i < RUNTIME__STRIPES; i++) {
        while ((faaslet = pop(pool, i))) {
            runtime__faaslet_destroy(faaslet);
            count++;
        }
    }
    return count;
}

void
runtime__pool_deinit(struct runtime__pool *pool)
{
    destroy_all(pool);
    for (size_t i = 0; i < RUNTIME__STRIPES; i++)
        pthread_mutex_destroy(&pool->stripes[i].lock);
    runtime__pool_forget(pool);
}

/* ---- The snapshot ------------------------------------------------------- */

void
runtime__pool_set_snapshot(struct runtime__pool *pool,
                           struct gvm_snapshot *snapshot)
{
    struct gvm_snapshot *none = NULL;

    if (!atomic_compare_exchange_strong(&pool->snapshot, &none, snapshot))
        gvm_snapshot_destroy(snapshot);
}

const struct gvm_snapshot *
runtime__pool_snapshot(const struct runtime__pool *pool)
{
    return atomic_load_explicit(&pool->snapshot, memory_order_acquire);
}

void
runtime__pool_forget(struct runtime__pool *pool)
{
    gvm_snapshot_destroy(atomic_exchange(&pool->snapshot, NULL));
}

/* ---- Getting and putting ------------------------------------------------ */

enum runtime_status
runtime__pool_get(struct runtime__pool *pool, struct gvm_engine *engine,
                  struct runtime__module *module,
                  const struct runtime__limits *limits,
                  struct runtime__faaslet **faaslet,
                  struct runtime_error *err)
{
    const struct gvm_snapshot *snapshot = runtime__pool_snapshot(pool);
    struct runtime__faaslet *waited = pop_any(pool);

    assert(snapshot);
    /* Not written when it is set: everybody reads it. */
    if (!atomic_load_explicit(&pool->is_used, memory_order_relaxed))
        atomic_store_explicit(&pool->is_used, true, memory_order_relaxed);
    if (waited) {
        runtime__faaslet_begin(waited, limits);
        *faaslet = waited;
        return RUNTIME_OK;
    }
    enum runtime_status status = runtime__faaslet_create_from(
        engine, module, snapshot, limits, faaslet, err);
    if (status == RUNTIME_NO_MEMORY && pool->idle) {
        pool->idle->reclaim(pool->idle->data);
        status = runtime__faaslet_create_from(engine, module, snapshot,
                                              limits, faaslet, err);
    }
    return status;
}

/* Counts one more, unless there are as many as may be. */
static bool
count_one(atomic_uint *count, unsigned max)
{
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

/* Has a place for one more, which is counted; false: there is none. */
static bool
take_place(struct runtime__pool *pool)
{
    struct runtime__idle *idle = pool->idle;

    if (!idle || !count_one(&pool->count, RUNTIME_IDLE_FAASLETS_MAX))
        return false;
    if (count_one(&idle->count, idle->max))
        return true;
    idle->reclaim(idle->data);
    if (count_one(&idle->count, idle->max))
        return true;
    atomic_fetch_sub_explicit(&pool->count, 1, memory_order_relaxed);
    return false;
}

void
runtime__pool_put(struct runtime__pool *pool,
                  struct runtime__faaslet *faaslet, bool keeps_memory)
{
    if (!faaslet)
        return;
    if (!take_place(pool)) {
        runtime__faaslet_destroy(faaslet);
        return;
    }
    if (!runtime__faaslet_end(faaslet, keeps_memory)) {
        leave_place(pool);
        runtime__faaslet_destroy(faaslet);
        return;
    }
    unsigned stripe = runtime__stripe();
    pthread_mutex_lock(&pool->stripes[stripe].lock);
    faaslet->next = pool->stripes[stripe].first;
    pool->stripes[stripe].first = faaslet;
    pthread_mutex_unlock(&pool->stripes[stripe].lock);
}

unsigned
runtime__pool_trim(struct runtime__pool *pool)
{
    if (atomic_exchange_explicit(&pool->is_used, false,
                                 memory_order_relaxed))
        return 0;
    return destroy_all(pool);
}
