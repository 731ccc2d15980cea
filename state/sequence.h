/*
 * Reading without a lock what others change under one.
 *
 * Whoever changes has the lock, and makes a *sequence* odd before and even
 * again afterwards. Who reads without the lock notes the sequence, which must
 * be even, reads, and looks at it once more: if it is the same, all that was
 * read was there at one moment; otherwise it is worth nothing, and the lock is
 * there to be taken. So a reader writes nothing that others read, and readers
 * on many cores do not slow each other.
 *
 * Three things make this sound:
 * - What such readers look at is written by STATE__SET and
 *   state__sequence_write, and read by STATE__SEE and state__sequence_read:
 *   atomically, each write after the odd sequence, each read before the second
 *   look. Who has the lock may read it as it comes.
 * - It stays readable, with whatever it holds, after it was taken away: items
 *   lie in a slab (slab.h), tables are kept (table.h).
 * - A reader believes no length and follows no pointer before the second look
 *   that could lead it anywhere else.
 */
#ifndef GLASS_STATE_SEQUENCE_H
#define GLASS_STATE_SEQUENCE_H

#include <assert.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "the first byte of a word is its lowest");

struct state__sequence {
    atomic_uint number; /* odd: something is being changed */
};

/* Begins changes, and ends them; under the lock. */
static inline void
state__sequence_begin(struct state__sequence *sequence)
{
    atomic_store_explicit(
        &sequence->number,
        atomic_load_explicit(&sequence->number, memory_order_relaxed) + 1,
        memory_order_relaxed);
}

static inline void
state__sequence_end(struct state__sequence *sequence)
{
    atomic_store_explicit(
        &sequence->number,
        atomic_load_explicit(&sequence->number, memory_order_relaxed) + 1,
        memory_order_release);
}

/* Notes the sequence for a reader; false: something is being changed. */
static inline bool
state__sequence_note(const struct state__sequence *sequence, unsigned *noted)
{
    *noted = atomic_load_explicit(&sequence->number, memory_order_acquire);
    return (*noted & 1) == 0;
}

/* Whether what was read since is what was there. */
static inline bool
state__sequence_holds(const struct state__sequence *sequence, unsigned noted)
{
    return atomic_load_explicit(&sequence->number, memory_order_relaxed) ==
           noted;
}

/* A number or a pointer that is read without the lock. */
#define STATE__SET(place, value)                                              \
    __atomic_store_n(&(place), (value), __ATOMIC_RELEASE)
#define STATE__SEE(place) __atomic_load_n(&(place), __ATOMIC_ACQUIRE)

/*
 * Bytes that are, word by word. Their own place is aligned to words, and is
 * that long in whole words; what lies behind them there is undefined.
 */
static inline void
state__sequence_write(void *place, const void *bytes, size_t length_bytes)
{
    uint64_t *to = place, word = 0;
    const uint8_t *from = bytes;

    for (; length_bytes >= sizeof word; length_bytes -= sizeof word) {
        memcpy(&word, from, sizeof word);
        STATE__SET(*to, word);
        from += sizeof word;
        to++;
    }
    if (length_bytes == 0)
        return;
    word = 0;
    for (size_t i = length_bytes; i-- > 0;)
        word = word << 8 | from[i];
    STATE__SET(*to, word);
}

static inline void
state__sequence_read(uint64_t *words, const void *place, size_t length_bytes)
{
    const uint64_t *from = place;

#pragma GCC unroll 4
    for (size_t i = 0; i < (length_bytes + 7) / sizeof *from; i++)
        words[i] = STATE__SEE(from[i]);
}

#endif
