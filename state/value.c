/* Blocks of value bytes, and numbers: see value.h. */
#include "state/value.h"

#include "state/region.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

struct state__value *
state__value_create(size_t capacity_bytes)
{
    struct state__value *value;

    assert(capacity_bytes <= INT32_MAX);
    value = malloc(sizeof *value + capacity_bytes);
    if (value == NULL)
        return NULL;
    atomic_init(&value->reference_count, 1);
    value->capacity_bytes = (uint32_t)capacity_bytes & INT32_MAX;
    value->is_region = false;
    return value;
}

void
state__value_acquire(struct state__value *value)
{
    /* Whoever holds a reference orders the accesses; the count need not. */
    atomic_fetch_add_explicit(&value->reference_count, 1,
                              memory_order_relaxed);
}

void
state__value_release(void *block)
{
    struct state__value *value = block;

    /*
     * Release: what this thread read is read before the block goes or is
     * overwritten. Acquire: so is what all the others read.
     */
    if (value == NULL ||
        atomic_fetch_sub_explicit(&value->reference_count, 1,
                                  memory_order_acq_rel) != 1)
        return;
    if (value->is_region)
        state__region_destroy(value);
    else
        free(value);
}

bool
state__value_is_private(struct state__value *value)
{
    return atomic_load_explicit(&value->reference_count,
                                memory_order_acquire) == 1;
}

bool
state__number_parse(const uint8_t *bytes, size_t length_bytes,
                    int64_t *number)
{
    /* 19 digits always fit 64 unsigned bits, so only the end is checked. */
    uint64_t magnitude = 0, limit = INT64_MAX;
    bool negative = length_bytes > 0 && bytes[0] == '-';
    size_t i = negative;

    if (length_bytes == i || length_bytes > i + 19)
        return false;
    /* Only 0 itself begins with a zero, and it has no sign. */
    if (bytes[i] == '0' && length_bytes > 1)
        return false;
    for (; i < length_bytes; i++) {
        unsigned digit = bytes[i] - (unsigned)'0';

        if (digit > 9)
            return false;
        magnitude = magnitude * 10 + digit;
    }
    if (magnitude > limit + negative)
        return false;
    *number = (int64_t)(negative ? 0 - magnitude : magnitude);
    return true;
}

bool
state__number_parse_word(uint64_t word, size_t length_bytes,
                         int64_t *number)
{
    const uint64_t zeros = UINT64_C(0x3030303030303030);
    const uint64_t high = UINT64_C(0xf0f0f0f0f0f0f0f0);
    const uint64_t bytes = UINT64_C(0x00ff00ff00ff00ff);
    const uint64_t pairs = UINT64_C(0x0000ffff0000ffff);

    if (length_bytes == 0 || length_bytes > sizeof word ||
        (length_bytes > 1 && (uint8_t)word == '0'))
        return false;
    /* The first byte is the lowest: with zeros before it there are eight. */
    if (length_bytes < sizeof word)
        word = word << (64 - 8 * length_bytes) | zeros >> 8 * length_bytes;
    /* From 0x30 to 0x39: six more do not reach 0x40. */
    if ((word & high) != zeros ||
        ((word + UINT64_C(0x0606060606060606)) & high) != zeros)
        return false;
    /* Each digit with its neighbour, then each pair, then both fours. */
    word -= zeros;
    word = (word & bytes) * 10 + (word >> 8 & bytes);
    word = (word & pairs) * 100 + (word >> 16 & pairs);
    *number = (int64_t)((word & UINT32_MAX) * 10000 + (word >> 32));
    return true;
}

size_t
state__number_format(int64_t number, uint8_t bytes[STATE__NUMBER_BYTES_MAX])
{
    static const char pairs[] = "00010203040506070809"
                                "10111213141516171819"
                                "20212223242526272829"
                                "30313233343536373839"
                                "40414243444546474849"
                                "50515253545556575859"
                                "60616263646566676869"
                                "70717273747576777879"
                                "80818283848586878889"
                                "90919293949596979899";
    /* Twice the room, so that what is copied has a length that is known. */
    uint8_t digits[2 * STATE__NUMBER_BYTES_MAX];
    uint64_t magnitude = (uint64_t)number;
    size_t start = STATE__NUMBER_BYTES_MAX;

    if (number < 0)
        magnitude = 0 - magnitude;
    /* From the end, two digits at a time: a division each is what costs. */
    for (; magnitude >= 10; magnitude /= 100) {
        start -= 2;
        memcpy(digits + start, pairs + magnitude % 100 * 2, 2);
    }
    if (magnitude > 0 || start == STATE__NUMBER_BYTES_MAX)
        digits[--start] = (uint8_t)('0' + magnitude);
    if (number < 0)
        digits[--start] = '-';
    memcpy(bytes, digits + start, STATE__NUMBER_BYTES_MAX);
    return STATE__NUMBER_BYTES_MAX - start;
}
