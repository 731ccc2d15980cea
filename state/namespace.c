/*
 * The namespaces of a memory backend: see namespace.h.
 *
 * The table of names is open addressing over pointers that go from null to a
 * finished namespace once, by a release store; so a reader needs no more than
 * acquire loads. Its 1 MiB of slots is touched only where names are.
 */
#include "state/namespace.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static_assert((STATE__NAMESPACE_SLOTS & (STATE__NAMESPACE_SLOTS - 1)) == 0,
              "a power of two");

bool
state__namespaces_init(struct state__namespaces *namespaces,
                       uint64_t hash_seed)
{
    namespaces->slots =
        calloc(STATE__NAMESPACE_SLOTS, sizeof *namespaces->slots);
    namespaces->by_index =
        calloc(STATE_NAMESPACES_MAX, sizeof *namespaces->by_index);
    if (namespaces->slots == NULL || namespaces->by_index == NULL) {
        free(namespaces->slots);
        free(namespaces->by_index);
        namespaces->slots = NULL;
        return false;
    }
    pthread_mutex_init(&namespaces->lock, NULL);
    namespaces->hash_seed = hash_seed;
    namespaces->count = 0;
    namespaces->durability = STATE_DURABILITY_DEFAULT;
    return true;
}

void
state__namespaces_deinit(struct state__namespaces *namespaces)
{
    if (namespaces->slots == NULL)
        return;
    for (size_t i = 0; namespaces->count > 0; i++) {
        struct state__namespace *found = atomic_load(&namespaces->slots[i]);

        if (found != NULL) {
            free(found);
            namespaces->count--;
        }
    }
    free(namespaces->slots);
    free(namespaces->by_index);
    namespaces->slots = NULL;
    pthread_mutex_destroy(&namespaces->lock);
}

/* The slot that holds the name, or the free one where it would go. */
static _Atomic(struct state__namespace *) *
find_slot(struct state__namespaces *namespaces, const char *name,
          struct state__namespace **found)
{
    size_t length = strnlen(name, STATE_NAMESPACE_BYTES_MAX + 1);
    size_t i = XXH3_64bits_withSeed(name, length, namespaces->hash_seed);

    for (;; i++) {
        i &= STATE__NAMESPACE_SLOTS - 1;
        *found = atomic_load_explicit(&namespaces->slots[i],
                                      memory_order_acquire);
        if (*found == NULL || strcmp((*found)->name, name) == 0)
            return &namespaces->slots[i];
    }
}

struct state__namespace *
state__namespaces_find(struct state__namespaces *namespaces,
                       const char *name)
{
    struct state__namespace *found;

    find_slot(namespaces, name, &found);
    return found;
}

/* Under the lock. */
static enum state_status
add(struct state__namespaces *namespaces, const char *name,
    struct state__namespace **found)
{
    _Atomic(struct state__namespace *) *slot;
    struct state__namespace *namespace_;

    slot = find_slot(namespaces, name, found);
    if (*found != NULL)
        return STATE_OK;
    if (namespaces->count == STATE_NAMESPACES_MAX)
        return STATE_LIMIT;
    namespace_ = aligned_alloc(alignof(struct state__namespace),
                               sizeof *namespace_);
    if (namespace_ == NULL)
        return STATE_NO_MEMORY;
    memset(namespace_, 0, sizeof *namespace_);
    memcpy(namespace_->name, name, strlen(name));
    namespace_->index = namespaces->count++;
    atomic_init(&namespace_->durability, namespaces->durability);
    atomic_store_explicit(&namespaces->by_index[namespace_->index],
                          namespace_, memory_order_release);
    atomic_store_explicit(slot, namespace_, memory_order_release);
    *found = namespace_;
    return STATE_OK;
}

enum state_status
state__namespaces_obtain(struct state__namespaces *namespaces,
                         const char *name, struct state__namespace **found)
{
    struct state__namespace *present;
    enum state_status status = STATE_OK;

    assert(state_namespace_is_valid(name));
    present = state__namespaces_find(namespaces, name);
    if (present == NULL) {
        pthread_mutex_lock(&namespaces->lock);
        status = add(namespaces, name, &present);
        pthread_mutex_unlock(&namespaces->lock);
    }
    if (status == STATE_OK)
        *found = present;
    return status;
}
