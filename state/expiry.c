/* The heap of expiries of a shard: see expiry.h. */
#include "state/expiry.h"

#include <assert.h>
#include <stdlib.h>

#define CAPACITY_MIN 16

void
state__expiry_deinit(struct state__expiry *expiry)
{
    free(expiry->entries);
    *expiry = (struct state__expiry){0};
}

bool
state__expiry_reserve(struct state__expiry *expiry)
{
    struct state__expiry_entry *entries;
    size_t capacity = expiry->capacity * 2;

    if (expiry->count < expiry->capacity)
        return true;
    if (capacity == 0)
        capacity = CAPACITY_MIN;
    entries = realloc(expiry->entries, capacity * sizeof *entries);
    if (entries == NULL)
        return false;
    expiry->entries = entries;
    expiry->capacity = capacity;
    return true;
}

/* Every change of an entry's index goes through here. */
static void
place(struct state__expiry *expiry, size_t i,
      struct state__expiry_entry entry)
{
    assert(i < UINT32_MAX);
    expiry->entries[i] = entry;
    STATE__SET(entry.item->expiry_place, (uint32_t)i + 1);
}

/* Puts an entry at or above index i, moving later ones down. */
static void
sift_up(struct state__expiry *expiry, size_t i,
        struct state__expiry_entry entry)
{
    while (i > 0) {
        struct state__expiry_entry parent = expiry->entries[(i - 1) / 2];

        if (parent.deadline_ms <= entry.deadline_ms)
            break;
        place(expiry, i, parent);
        i = (i - 1) / 2;
    }
    place(expiry, i, entry);
}

/* Puts an entry at or below index i, moving earlier ones up. */
static void
sift_down(struct state__expiry *expiry, size_t i,
          struct state__expiry_entry entry)
{
    for (;;) {
        size_t child = 2 * i + 1;

        if (child >= expiry->count)
            break;
        if (child + 1 < expiry->count &&
            expiry->entries[child + 1].deadline_ms <
                expiry->entries[child].deadline_ms)
            child++;
        if (entry.deadline_ms <= expiry->entries[child].deadline_ms)
            break;
        place(expiry, i, expiry->entries[child]);
        i = child;
    }
    place(expiry, i, entry);
}

/* Puts an entry where index i is out of date, whichever way it has to go. */
static void
settle(struct state__expiry *expiry, size_t i,
       struct state__expiry_entry entry)
{
    if (i > 0 &&
        entry.deadline_ms < expiry->entries[(i - 1) / 2].deadline_ms)
        sift_up(expiry, i, entry);
    else
        sift_down(expiry, i, entry);
}

void
state__expiry_set(struct state__expiry *expiry, struct state__item *item,
                  uint64_t deadline_ms)
{
    struct state__expiry_entry entry = {deadline_ms, item};

    if (item->expiry_place > 0) {
        settle(expiry, item->expiry_place - 1, entry);
        return;
    }
    assert(expiry->count < expiry->capacity);
    expiry->count++;
    sift_up(expiry, expiry->count - 1, entry);
}

void
state__expiry_clear(struct state__expiry *expiry, struct state__item *item)
{
    size_t i = item->expiry_place;

    if (i == 0)
        return;
    STATE__SET(item->expiry_place, 0);
    expiry->count--;
    /* The last entry takes the place, unless it was the one that left. */
    if (i - 1 < expiry->count)
        settle(expiry, i - 1, expiry->entries[expiry->count]);
    if (expiry->count == 0 && !expiry->keeps_room)
        state__expiry_deinit(expiry);
}

uint64_t
state__expiry_deadline_ms(const struct state__expiry *expiry,
                          const struct state__item *item)
{
    assert(item->expiry_place > 0);
    return expiry->entries[item->expiry_place - 1].deadline_ms;
}
