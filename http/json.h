/*
 * JSON for answers: what Jansson does not do by itself.
 */
#ifndef GLASS_HTTP_JSON_H
#define GLASS_HTTP_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "state/state.h"

/*
 * A string of text that comes from elsewhere: bytes that are not UTF-8 become
 * question marks. Null when out of memory.
 */
json_t *
http__json_text(const char *bytes, size_t length);

/*
 * Sets the member `name` to the bytes if they are UTF-8, and otherwise
 * `name_base64` to their base64 (RFC 4648, section 4). Returns false when out
 * of memory.
 */
bool
http__json_set_bytes(json_t *object, const char *name, const void *bytes,
                     size_t length);

/* A key that was listed or has changed; null when out of memory. */
json_t *
http__json_entry(const struct state_entry *entry);

/* The length of `length` bytes in base64, without a final zero. */
#define HTTP__BASE64_LENGTH(length) (((length) + 2) / 3 * 4)

/*
 * Writes the base64url of the bytes (section 5, without padding) and a final
 * zero: HTTP__BASE64_LENGTH(length) + 1 bytes are enough.
 */
void
http__json_base64url(const void *bytes, size_t length, char *text);

/*
 * Reads base64url without padding into `bytes`, which has room for `capacity`.
 * Returns false for what is none, and for what does not fit.
 */
bool
http__json_from_base64url(const char *text, size_t text_length, void *bytes,
                          size_t capacity, size_t *length);

/*
 * Reads base64 (section 4, with padding) into `bytes`, which has room for
 * three quarters of the text's length. Returns false for what is none.
 */
bool
http__json_from_base64(const char *text, size_t text_length, void *bytes,
                       size_t *length);

#endif
