/*
 * values.h - values as the suite writes them, and what it expects of results.
 *
 * A constant in a script is an object such as {"type": "f32", "value":
 * "2143289344"}: unsigned decimals, floats as their bit patterns. What a
 * script expects may be a set of values instead: a kind of NaN (also in one
 * lane of a vector), any reference that is not null, one of several values.
 * Nothing here knows the engine; floats are compared as bits.
 *
 * All functions are pure and may be called from any thread.
 */
#ifndef GLASS_SPEC_TESTS_VALUES_H
#define GLASS_SPEC_TESTS_VALUES_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "vm/vm.h"

#define SPEC_V128_BYTES 16u
/* Enough for the longest text of one value: sixteen lanes of three digits,
 * or eight of a NaN's name. */
#define SPEC_VALUE_TEXT_BYTES 192u

/* The type says whether `slot` counts or `v128` (lanes little-endian). */
struct spec_value {
    enum gvm_value_type type;
    union gvm_value slot;
    uint8_t v128[SPEC_V128_BYTES];
};

/*
 * Reads a constant, as arguments are: no set of values. A reference of the
 * host with number n becomes the pointer n + 1, so that 0 is not null. The
 * unused part of a slot is zero. False when it is no such constant.
 */
bool spec_values_parse(const json_t *constant, struct spec_value *value);

/*
 * Whether `actual` is what `expected` describes. False, too, when `expected`
 * is of a type unknown here, or not well-formed.
 */
bool spec_values_match(const json_t *expected,
                       const struct spec_value *actual);

/*
 * Writes "i32 7", "f32 0x7fc00000 (nan)"...: for people. The text is cut to
 * `text_bytes`, SPEC_VALUE_TEXT_BYTES being enough, and always terminated.
 */
void spec_values_format(const struct spec_value *value, char *text,
                        size_t text_bytes);
/* The same for what a script expects. */
void spec_values_format_expected(const json_t *expected, char *text,
                                 size_t text_bytes);

#endif
