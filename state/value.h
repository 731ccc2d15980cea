/*
 * Values that are too long to sit beside their key have a block of their own:
 * a count of references, a capacity, and the bytes.
 *
 * The item that a block belongs to holds one reference, and each reader that
 * has not let go of the value holds another. Readers take theirs under the
 * shard's lock and drop it under none. A reader remembers the length it saw,
 * and the bytes below that length never change while its reference lives:
 *   - bytes are overwritten only while the item's reference is the only one
 *     (under the lock, where no other can be taken);
 *   - bytes are appended behind the length of the item, at any time.
 *
 * Also here: the numbers that a value can be.
 */
#ifndef GLASS_STATE_VALUE_H
#define GLASS_STATE_VALUE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct state__value {
    atomic_uint reference_count;
    uint32_t capacity_bytes : 31;
    bool is_region : 1; /* see region.h; then it is not of the heap */
    uint8_t bytes[];
};

/* The longest number: a minus sign and 19 digits. */
#define STATE__NUMBER_BYTES_MAX 20

/* A block with one reference and undefined bytes, or null without memory. */
struct state__value *
state__value_create(size_t capacity_bytes);

/* Another reference; the caller must be sure that there is one. */
void
state__value_acquire(struct state__value *value);

/*
 * Drops a reference; the last one frees the block. Takes a void pointer
 * since it is also how an operation's record lets go of its value.
 */
void
state__value_release(void *value);

/* Whether the caller, who holds a reference, holds the only one. */
bool
state__value_is_private(struct state__value *value);

/*
 * Reads a number in the one form in which state__number_format writes it.
 * Returns false for anything else.
 */
bool
state__number_parse(const uint8_t *bytes, size_t length_bytes,
                    int64_t *number);

/*
 * The same for numbers of up to eight digits without a sign, which are the
 * first bytes of a word; all digits are looked at together.
 */
bool
state__number_parse_word(uint64_t word, size_t length_bytes,
                         int64_t *number);

/* Writes a number and returns its length; what follows it is undefined. */
size_t
state__number_format(int64_t number, uint8_t bytes[STATE__NUMBER_BYTES_MAX]);

#endif
