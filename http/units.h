/*
 * Numbers and durations as text.
 */
#ifndef GLASS_HTTP_UNITS_H
#define GLASS_HTTP_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Digits only, all of `text`, within 64 bits. */
bool
http__units_number(const char *text, size_t length, uint64_t *number);

/* A decimal number of 64 bits with an optional sign, spaces around it. */
bool
http__units_signed(const char *text, size_t length, int64_t *number);

/*
 * A number and a unit, `ms`, `s`, `m`, `h` or `d`: "250ms". Without a unit it
 * is seconds. False when it is none or does not fit 64 bits of milliseconds.
 */
bool
http__units_duration_ms(const char *text, size_t length, uint64_t *ms);

#endif
