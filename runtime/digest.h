/* digest.h - what a module is known by: SHA-256, so that nobody can make two
 * modules with one digest and have one namespace run another's. */
#ifndef GLASS_RUNTIME_DIGEST_H
#define GLASS_RUNTIME_DIGEST_H

#include "runtime/runtime.h"

/* Writes the digest of the bytes; false when the library refuses. */
bool
runtime__digest(const void *bytes, size_t length_bytes,
                char digest[RUNTIME_DIGEST_SIZE]);

/* Whether the text can be a digest: 64 digits, in lower case. */
bool
runtime__digest_is_valid(const char *digest);

/* Writes each byte as two digits, and the final zero. */
void
runtime__digest_to_hex(const uint8_t *bytes, size_t length_bytes, char *text);

#endif
