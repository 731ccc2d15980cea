/* Watching: see watch.h. */
#include "state/watch.h"

#include "state/operation.h"
#include "state/shard.h"
#include "state/watch_ring.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

/* What one answer has room for beside its entries: keys. */
#define ANSWER_KEY_BYTES 16384

static_assert(ANSWER_KEY_BYTES >= STATE_KEY_BYTES_MAX, "any key fits");

/* A WATCH that waits. */
struct waiter {
    struct waiter *next;
    struct state_operation *operation;
    uint64_t from; /* it has been told, or wants nothing, up to here */
    uint64_t due_ms;
    bool is_woken;
    bool is_cancelled;
};

struct state__watch {
    pthread_mutex_t lock;
    struct state__watch_hub *hub;
    struct state__namespace *namespace_;
    struct waiter *waiters;
    unsigned waiter_count;
    struct state__watch_ring ring;
};

/* ---- Changes ---- */

void
state__watch_begin(struct state__watch *watch)
{
    pthread_mutex_lock(&watch->lock);
}

void
state__watch_end(struct state__watch *watch, uint64_t version,
                 struct state_bytes key, enum state_change change,
                 uint64_t size_bytes)
{
    bool wakes = false;

    state__watch_ring_add(&watch->ring, version, key, change, size_bytes);
    for (struct waiter *waiter = watch->waiters; waiter != NULL;
         waiter = waiter->next) {
        if (waiter->is_woken ||
            !state__watch_ring_fits(key, waiter->operation->prefix))
            continue;
        waiter->is_woken = true;
        wakes = true;
    }
    pthread_mutex_unlock(&watch->lock);
    if (wakes)
        state__timer_ask(&watch->hub->timer, 0);
}

void
state__watch_vanish(struct state__namespace *namespace_,
                    struct state_bytes key)
{
    struct state__watch *watch = state__watch_of(namespace_);

    if (watch == NULL)
        return;
    state__watch_begin(watch);
    state__watch_end(watch, state__namespace_next_version(namespace_), key,
                     STATE_KEY_VANISHED, 0);
}

/* ---- Answers ---- */

/* Room for an answer's entries and their keys; null without memory. */
static struct state_entry *
create_answer(const struct state_operation *operation, unsigned *limit_count)
{
    *limit_count = operation->limit_count > 0 ? operation->limit_count
                                              : STATE_LIST_ITEMS_DEFAULT;
    return malloc(*limit_count * sizeof(struct state_entry) +
                  ANSWER_KEY_BYTES);
}

/*
 * Copies the changes after `from` into the answer, as many as there is room
 * for. Sets the position up to which all has been told. Under the lock.
 */
static size_t
collect(const struct state__watch_ring *ring,
        const struct state_operation *operation, uint64_t from,
        struct state_entry *entries, unsigned limit_count,
        uint64_t *position)
{
    uint8_t *keys = (uint8_t *)(entries + limit_count);
    uint8_t *keys_end = keys + ANSWER_KEY_BYTES;
    size_t count = 0;

    for (uint64_t i = state__watch_ring_find(ring, from); i < ring->end;
         i++) {
        struct state_bytes key;
        const struct state__watch_event *event =
            state__watch_ring_at(ring, i, &key);

        if (state__watch_ring_fits(key, operation->prefix)) {
            if (count == limit_count ||
                key.length_bytes > (size_t)(keys_end - keys))
                break;
            memcpy(keys, key.bytes, key.length_bytes);
            entries[count++] = (struct state_entry){
                .key = {keys, key.length_bytes},
                .version = event->version,
                .size_bytes = event->size_bytes,
                .change = (enum state_change)event->change,
            };
            keys += key.length_bytes;
        }
        *position = event->version;
    }
    return count;
}

/*
 * Looks for changes after `*from`, which is moved behind those of no
 * interest. Returns STATE_PENDING when there are none. Under the lock.
 */
static enum state_status
look(const struct state__watch *watch, struct state_operation *operation,
     uint64_t *from, struct state_entry *entries, unsigned limit_count)
{
    const struct state__watch_ring *ring = &watch->ring;
    uint64_t last = state__watch_ring_last(ring);
    uint64_t position = *from;

    if (*from < ring->forgotten || *from > last) {
        operation->version = last;
        return STATE_COMPACTED;
    }
    operation->entry_count =
        collect(ring, operation, *from, entries, limit_count, &position);
    *from = operation->version = position;
    if (operation->entry_count == 0)
        return STATE_PENDING;
    operation->more = position < last;
    return STATE_OK;
}

/* Ends an operation that has an answer, or none that it needs. */
static enum state_status
end(struct state_operation *operation, enum state_status status,
    struct state_entry *entries)
{
    if (status == STATE_OK && operation->entry_count > 0) {
        operation->entries = entries;
        operation->private_.owned = entries;
        operation->private_.release = free;
    } else {
        free(entries);
    }
    return state__operation_end(operation, status);
}

/* ---- Waiting ---- */

/* Takes out one waiter that ends, or says when the next one will. */
static struct waiter *
take_ended(struct state__watch *watch, uint64_t now_ms, bool closes,
           uint64_t *next_ms)
{
    for (struct waiter **link = &watch->waiters; *link != NULL;
         link = &(*link)->next) {
        struct waiter *waiter = *link;

        if (closes || waiter->is_woken || waiter->is_cancelled ||
            waiter->due_ms <= now_ms) {
            *link = waiter->next;
            watch->waiter_count--;
            return waiter;
        }
        if (waiter->due_ms < *next_ms)
            *next_ms = waiter->due_ms;
    }
    return NULL;
}

/* Ends one waiter; without the lock. It frees the waiter. */
static void
finish(struct state__watch *watch, struct waiter *waiter, bool closes)
{
    struct state_operation *operation = waiter->operation;
    enum state_status status = STATE_CLOSED;
    struct state_entry *entries = NULL;
    unsigned limit_count;

    if (!closes && !waiter->is_cancelled) {
        entries = create_answer(operation, &limit_count);
        status = STATE_NO_MEMORY;
    }
    if (entries != NULL) {
        pthread_mutex_lock(&watch->lock);
        status = look(watch, operation, &waiter->from, entries, limit_count);
        pthread_mutex_unlock(&watch->lock);
        /* Its time is up, and nothing has happened. */
        if (status == STATE_PENDING)
            status = STATE_OK;
    }
    free(waiter);
    end(operation, status, entries);
    operation->complete(operation);
}

/* On the hub's thread, or when that has ended. */
static uint64_t
finish_all(struct state__watch_hub *hub, bool closes)
{
    uint64_t now_ms = hub->clock->now_ms(hub->clock->data);
    uint64_t next_ms = UINT64_MAX;
    unsigned count = atomic_load(&hub->watch_count);

    for (unsigned i = 0; i < count; i++) {
        struct state__watch *watch = hub->watches[i];
        struct waiter *waiter;

        for (;;) {
            pthread_mutex_lock(&watch->lock);
            waiter = take_ended(watch, now_ms, closes, &next_ms);
            pthread_mutex_unlock(&watch->lock);
            if (waiter == NULL)
                break;
            finish(watch, waiter, closes);
        }
    }
    return next_ms;
}

static uint64_t
come_round(void *data)
{
    return finish_all(data, false);
}

/* ---- The hub ---- */

void
state__watch_hub_init(struct state__watch_hub *hub,
                      const struct state__clock *clock,
                      struct state__shard *shards, unsigned shard_count)
{
    *hub = (struct state__watch_hub){
        .clock = clock, .shards = shards, .shard_count = shard_count};
    pthread_mutex_init(&hub->lock, NULL);
    state__timer_init(&hub->timer, clock, come_round, hub);
}

void
state__watch_hub_deinit(struct state__watch_hub *hub)
{
    atomic_store(&hub->closing, true);
    state__timer_stop(&hub->timer);
    finish_all(hub, true);
    for (unsigned i = 0; i < atomic_load(&hub->watch_count); i++) {
        pthread_mutex_destroy(&hub->watches[i]->lock);
        free(hub->watches[i]);
    }
    state__timer_deinit(&hub->timer);
    pthread_mutex_destroy(&hub->lock);
}

/* Begins to watch a namespace; null: too many, or no memory. */
static struct state__watch *
create(struct state__watch_hub *hub, struct state__namespace *namespace_)
{
    unsigned count = atomic_load(&hub->watch_count);
    struct state__watch *watch;

    if (count == STATE_WATCHED_NAMESPACES_MAX)
        return NULL;
    watch = malloc(sizeof *watch);
    if (watch == NULL)
        return NULL;
    /* The ring's arrays are touched only as far as they are filled. */
    memset(watch, 0, offsetof(struct state__watch, ring.events));
    pthread_mutex_init(&watch->lock, NULL);
    watch->hub = hub;
    watch->namespace_ = namespace_;
    hub->watches[count] = watch;
    atomic_store_explicit(&hub->watch_count, count + 1,
                          memory_order_release);
    atomic_store_explicit(&namespace_->watch, watch, memory_order_release);
    /*
     * A write that saw no watch has its version when its shard's lock is free
     * again. From then on all versions are in the ring; what it has got so
     * far has gaps.
     */
    for (unsigned i = 0; i < hub->shard_count; i++) {
        pthread_mutex_lock(&hub->shards[i].lock);
        pthread_mutex_unlock(&hub->shards[i].lock);
    }
    pthread_mutex_lock(&watch->lock);
    /* "Now" has to be a version that can be named: zero means another now. */
    if (atomic_load(&namespace_->version) == 0)
        state__namespace_next_version(namespace_);
    watch->ring.first = watch->ring.end;
    watch->ring.forgotten = atomic_load(&namespace_->version);
    pthread_mutex_unlock(&watch->lock);
    return watch;
}

/* The namespace's watch, made if need be; ends the operation otherwise. */
static struct state__watch *
obtain(struct state__watch_hub *hub, struct state__namespace *namespace_,
       struct state_operation *operation)
{
    struct state__watch *watch;

    pthread_mutex_lock(&hub->lock);
    watch = state__watch_of(namespace_);
    if (watch == NULL)
        watch = create(hub, namespace_);
    pthread_mutex_unlock(&hub->lock);
    if (watch == NULL && atomic_load(&hub->watch_count) ==
                             STATE_WATCHED_NAMESPACES_MAX)
        state__operation_fail(operation, STATE_LIMIT,
                              "at most %d namespaces can be watched",
                              STATE_WATCHED_NAMESPACES_MAX);
    else if (watch == NULL)
        state__operation_end(operation, STATE_NO_MEMORY);
    return watch;
}

/* ---- Operations ---- */

/* Has an operation wait that found nothing. Under the lock. */
static enum state_status
wait(struct state__watch *watch, struct waiter *waiter,
     struct state_operation *operation, uint64_t from)
{
    if (watch->waiter_count == STATE_WATCHERS_MAX)
        return state__operation_fail(operation, STATE_LIMIT,
                                     "a namespace has at most %d who watch",
                                     STATE_WATCHERS_MAX);
    waiter->operation = operation;
    waiter->from = from;
    waiter->next = watch->waiters;
    watch->waiters = waiter;
    watch->waiter_count++;
    return state__operation_end(operation, STATE_PENDING);
}

/* Answers at once, or waits with the waiter. Under the lock. */
static enum state_status
look_or_wait(struct state__watch *watch, struct state_operation *operation,
             struct state_entry *entries, unsigned limit_count,
             struct waiter *waiter)
{
    const struct state__watch_ring *ring = &watch->ring;
    uint64_t from = operation->watch_from;
    enum state_status status;

    if (from == 0)
        from = state__watch_ring_last(ring);
    status = look(watch, operation, &from, entries, limit_count);
    if (status != STATE_PENDING)
        return status;
    return waiter != NULL ? wait(watch, waiter, operation, from) : STATE_OK;
}

/* Whether its changes are to be seen before they are on a disk. */
static bool
is_durable(const struct state__watch_hub *hub,
           const struct state__namespace *namespace_)
{
    return hub->shards[0].journal != NULL &&
           atomic_load(&namespace_->durability) != STATE_DURABILITY_NONE;
}

/* What keeps an operation from being tried; ends it then. */
static enum state_status
refuse(struct state__watch_hub *hub,
       const struct state__namespace *namespace_,
       struct state_operation *operation)
{
    if (atomic_load(&hub->closing))
        return state__operation_end(operation, STATE_CLOSED);
    if (is_durable(hub, namespace_))
        return state__operation_fail(operation, STATE_UNSUPPORTED,
                                     "only namespaces in memory can be "
                                     "watched");
    if (operation->timeout_ms == 0)
        return STATE_OK;
    if (operation->complete == NULL)
        return state__operation_fail(operation, STATE_INVALID,
                                     "waiting for changes needs a "
                                     "`complete`");
    if (!state__timer_start(&hub->timer))
        return state__operation_fail(operation, STATE_SYSTEM,
                                     "no thread to tell of changes");
    return STATE_OK;
}

enum state_status
state__watch_submit(struct state__watch_hub *hub,
                    struct state__namespace *namespace_,
                    struct state_operation *operation)
{
    uint64_t due_ms =
        hub->clock->now_ms(hub->clock->data) + operation->timeout_ms;
    struct waiter *waiter = NULL;
    struct state__watch *watch;
    struct state_entry *entries;
    unsigned limit_count;
    enum state_status status = refuse(hub, namespace_, operation);

    if (status)
        return status;
    watch = obtain(hub, namespace_, operation);
    if (watch == NULL)
        return operation->status;
    entries = create_answer(operation, &limit_count);
    if (operation->timeout_ms > 0)
        waiter = calloc(1, sizeof *waiter);
    if (entries == NULL || (operation->timeout_ms > 0 && waiter == NULL)) {
        free(waiter);
        return end(operation, STATE_NO_MEMORY, entries);
    }
    if (waiter != NULL)
        waiter->due_ms = due_ms;
    pthread_mutex_lock(&watch->lock);
    status = look_or_wait(watch, operation, entries, limit_count, waiter);
    pthread_mutex_unlock(&watch->lock);
    if (status == STATE_PENDING) {
        /* The record may be gone. */
        free(entries);
        state__timer_ask(&hub->timer, due_ms);
        return status;
    }
    free(waiter);
    if (status == STATE_LIMIT) {
        free(entries);
        return status;
    }
    return end(operation, status, entries);
}

void
state__watch_cancel(struct state__watch_hub *hub,
                    struct state__namespace *namespace_,
                    const struct state_operation *operation)
{
    struct state__watch *watch = state__watch_of(namespace_);
    struct waiter *waiter = NULL;

    if (watch == NULL)
        return;
    pthread_mutex_lock(&watch->lock);
    for (waiter = watch->waiters; waiter != NULL; waiter = waiter->next)
        if (waiter->operation == operation)
            waiter->is_cancelled = true;
    pthread_mutex_unlock(&watch->lock);
    state__timer_ask(&hub->timer, 0);
}
