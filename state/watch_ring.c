/*
 * The last changes of a namespace: see watch_ring.h.
 *
 * A key's bytes lie together: one that would go over the end of the array
 * begins at its start, and the bytes that are left out count as used.
 */
#include "state/watch_ring.h"

#include <assert.h>
#include <string.h>

static_assert((STATE_WATCH_EVENTS_MAX & (STATE_WATCH_EVENTS_MAX - 1)) == 0 &&
                  (STATE_WATCH_KEY_BYTES_MAX &
                   (STATE_WATCH_KEY_BYTES_MAX - 1)) == 0,
              "powers of two");
static_assert(STATE_WATCH_KEY_BYTES_MAX >= 2 * STATE_KEY_BYTES_MAX,
              "any key fits");

static struct state__watch_event *
slot(struct state__watch_ring *ring, uint64_t number)
{
    return &ring->events[number % STATE_WATCH_EVENTS_MAX];
}

static void
forget_first(struct state__watch_ring *ring)
{
    ring->forgotten = slot(ring, ring->first)->version;
    ring->first++;
}

void
state__watch_ring_add(struct state__watch_ring *ring, uint64_t version,
                      struct state_bytes key, enum state_change change,
                      uint64_t size_bytes)
{
    uint64_t at = ring->keys_end;
    uint64_t room = STATE_WATCH_KEY_BYTES_MAX - at % STATE_WATCH_KEY_BYTES_MAX;

    if (room < key.length_bytes)
        at += room;
    ring->keys_end = at + key.length_bytes;
    while (ring->first < ring->end &&
           (ring->end - ring->first == STATE_WATCH_EVENTS_MAX ||
            slot(ring, ring->first)->key_at + STATE_WATCH_KEY_BYTES_MAX <
                ring->keys_end))
        forget_first(ring);
    memcpy(ring->keys + at % STATE_WATCH_KEY_BYTES_MAX, key.bytes,
           key.length_bytes);
    *slot(ring, ring->end++) = (struct state__watch_event){
        .version = version,
        .key_at = at,
        .size_bytes = size_bytes,
        .key_length = (uint16_t)key.length_bytes,
        .change = (uint8_t)change,
    };
}

uint64_t
state__watch_ring_last(const struct state__watch_ring *ring)
{
    if (ring->first == ring->end)
        return ring->forgotten;
    return ring->events[(ring->end - 1) % STATE_WATCH_EVENTS_MAX].version;
}

uint64_t
state__watch_ring_find(const struct state__watch_ring *ring, uint64_t version)
{
    uint64_t low = ring->first, high = ring->end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (ring->events[middle % STATE_WATCH_EVENTS_MAX].version > version)
            high = middle;
        else
            low = middle + 1;
    }
    return low;
}

const struct state__watch_event *
state__watch_ring_at(const struct state__watch_ring *ring, uint64_t number,
                     struct state_bytes *key)
{
    const struct state__watch_event *event =
        &ring->events[number % STATE_WATCH_EVENTS_MAX];

    assert(number >= ring->first && number < ring->end);
    key->bytes = ring->keys + event->key_at % STATE_WATCH_KEY_BYTES_MAX;
    key->length_bytes = event->key_length;
    return event;
}

bool
state__watch_ring_fits(struct state_bytes key, struct state_bytes prefix)
{
    return prefix.length_bytes == 0 ||
           (key.length_bytes >= prefix.length_bytes &&
            memcmp(key.bytes, prefix.bytes, prefix.length_bytes) == 0);
}
