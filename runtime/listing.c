/* listing.c - what state_list writes and keeps. See listing.h. */
#include "runtime/listing.h"

#include <stdlib.h>
#include <string.h>

/* Little-endian, and not aligned. */
static void
put_number(uint8_t *target, uint64_t number, unsigned length_bytes)
{
    for (unsigned i = 0; i < length_bytes; i++)
        target[i] = (uint8_t)(number >> (8 * i));
}

struct runtime__listing *
runtime__listing_find(struct runtime__faaslet *faaslet, uint64_t number)
{
    if (!faaslet->listings)
        faaslet->listings =
            calloc(RUNTIME__LISTINGS_MAX, sizeof(*faaslet->listings));
    for (size_t i = 0; i < RUNTIME__LISTINGS_MAX && faaslet->listings; i++) {
        if (faaslet->listings[i].number == number)
            return &faaslet->listings[i];
    }
    return NULL;
}

size_t
runtime__listing_write(const struct state_operation *operation,
                       uint8_t *target, uint32_t capacity_bytes,
                       uint32_t *written_bytes)
{
    uint32_t used_bytes = 0;
    size_t count = 0;

    for (; count < operation->entry_count; count++) {
        const struct state_entry *entry = &operation->entries[count];
        uint32_t key_bytes = (uint32_t)entry->key.length_bytes;
        if (capacity_bytes - used_bytes < RUNTIME__ENTRY_BYTES + key_bytes)
            break;
        put_number(target, entry->version, 8);
        put_number(target + 8, entry->size_bytes, 8);
        put_number(target + 16, key_bytes, 4);
        memcpy(target + RUNTIME__ENTRY_BYTES, entry->key.bytes, key_bytes);
        target += RUNTIME__ENTRY_BYTES + key_bytes;
        used_bytes += RUNTIME__ENTRY_BYTES + key_bytes;
    }
    *written_bytes = used_bytes;
    return count;
}

uint64_t
runtime__listing_keep(struct runtime__faaslet *faaslet,
                      struct runtime__listing *listing,
                      const struct state_operation *operation,
                      size_t written_count)
{
    const struct state_bytes *after = NULL;

    if (written_count < operation->entry_count)
        after = &operation->entries[written_count - 1].key;
    else if (operation->more)
        after = &operation->cursor_next;
    if (!after) {
        listing->number = 0;
        return 0;
    }
    if (listing->number == 0)
        listing->number = ++faaslet->listing_number_last;
    memcpy(listing->cursor, after->bytes, after->length_bytes);
    listing->cursor_bytes = after->length_bytes;
    return listing->number;
}

