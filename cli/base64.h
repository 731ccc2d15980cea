/*
 * Base64 with padding (RFC 4648, section 4).
 */
#ifndef GLASS_CLI_BASE64_H
#define GLASS_CLI_BASE64_H

#include <stddef.h>

/* The text of the bytes; the caller frees it. Null without memory. */
char *
base64_encode(const unsigned char *bytes, size_t length);

/*
 * The bytes of a text, with a zero behind them; the caller frees them. Null for
 * what is no base64, and without memory.
 */
unsigned char *
base64_decode(const char *text, size_t text_length, size_t *length);

#endif
