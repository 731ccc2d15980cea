/*
 * Base64: see base64.h.
 */
#include "cli/base64.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

static const char digits[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

char *
base64_encode(const unsigned char *bytes, size_t length)
{
    char *text = malloc((length + 2) / 3 * 4 + 1);
    char *end = text;

    if (!text)
        return NULL;
    for (size_t index = 0; index < length; index += 3) {
        size_t left = length - index;
        unsigned group = (unsigned)bytes[index] << 16;
        group |= left > 1 ? (unsigned)bytes[index + 1] << 8 : 0;
        group |= left > 2 ? bytes[index + 2] : 0u;
        *end++ = digits[group >> 18];
        *end++ = digits[group >> 12 & 63];
        *end++ = left > 1 ? digits[group >> 6 & 63] : '=';
        *end++ = left > 2 ? digits[group & 63] : '=';
    }
    *end = '\0';
    return text;
}

/* The value of a digit, or 64. */
static unsigned
digit_of(char byte)
{
    const char *place = byte ? strchr(digits, byte) : NULL;

    return place ? (unsigned)(place - digits) : 64;
}

/* Decodes digits; false if one is none, or bits that should not be are set. */
static bool
decode(const char *text, size_t text_length, unsigned char *out)
{
    unsigned group = 0;
    unsigned bits = 0;

    for (size_t index = 0; index < text_length; index++) {
        unsigned digit = digit_of(text[index]);
        if (digit > 63)
            return false;
        group = group << 6 | digit;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        *out++ = (unsigned char)(group >> bits);
        group &= (1u << bits) - 1;
    }
    return group == 0;
}

unsigned char *
base64_decode(const char *text, size_t text_length, size_t *length)
{
    unsigned char *bytes;

    if (text_length % 4 != 0)
        return NULL;
    for (int padding = 0; padding < 2 && text_length > 0; padding++)
        if (text[text_length - 1] == '=')
            text_length--;
    bytes = malloc(text_length / 4 * 3 + 4);
    if (text_length % 4 == 1 || !bytes || !decode(text, text_length, bytes)) {
        free(bytes);
        return NULL;
    }
    *length = text_length * 3 / 4;
    bytes[*length] = '\0';
    return bytes;
}
