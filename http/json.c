/*
 * Text and bytes as JSON, and base64.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/json.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const char base64_standard[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
static const char base64_url[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

json_t *
http__json_text(const char *bytes, size_t length)
{
    json_t *string = json_stringn(bytes, length);

    if (string)
        return string;
    char *ascii = malloc(length + 1);
    if (!ascii)
        return NULL;
    for (size_t index = 0; index < length; index++)
        ascii[index] = bytes[index] & 0x80 ? '?' : bytes[index];
    string = json_stringn(ascii, length);
    free(ascii);
    return string;
}

/* Writes base64 without padding; returns its length. */
static size_t
encode(const uint8_t *bytes, size_t length, const char *alphabet, char *text)
{
    size_t written = 0;

    for (size_t index = 0; index < length; index += 3) {
        size_t left = length - index;
        uint32_t group = (uint32_t)bytes[index] << 16;
        if (left > 1)
            group |= (uint32_t)bytes[index + 1] << 8;
        if (left > 2)
            group |= bytes[index + 2];
        /* n bytes of a group are n + 1 digits. */
        size_t digits = left < 3 ? left + 1 : 4;
        for (size_t digit = 0; digit < digits; digit++)
            text[written++] = alphabet[group >> (18 - 6 * digit) & 63];
    }
    return written;
}

bool
http__json_set_bytes(json_t *object, const char *name, const void *bytes,
                     size_t length)
{
    json_t *string = json_stringn(bytes, length);

    if (string)
        return json_object_set_new(object, name, string) == 0;

    size_t text_length = HTTP__BASE64_LENGTH(length);
    size_t name_length = strlen(name);
    char *text = malloc(text_length + name_length + sizeof("_base64"));
    if (!text)
        return false;
    size_t written = encode(bytes, length, base64_standard, text);
    memset(text + written, '=', text_length - written);
    string = json_stringn(text, text_length);
    memcpy(text, name, name_length);
    memcpy(text + name_length, "_base64", sizeof("_base64"));
    bool done = json_object_set_new(object, text, string) == 0;
    free(text);
    return done;
}

json_t *
http__json_entry(const struct state_entry *entry)
{
    json_t *item = json_object();

    http__json_set_bytes(item, "key", entry->key.bytes,
                         entry->key.length_bytes);
    json_object_set_new(item, "version",
                        json_integer((json_int_t)entry->version));
    json_object_set_new(item, "size",
                        json_integer((json_int_t)entry->size_bytes));
    return item;
}

void
http__json_base64url(const void *bytes, size_t length, char *text)
{
    text[encode(bytes, length, base64_url, text)] = '\0';
}

/* The value of a digit, or -1; the alphabets differ in their last two. */
static int
digit_of(char byte, const char *alphabet)
{
    if (byte >= 'A' && byte <= 'Z')
        return byte - 'A';
    if (byte >= 'a' && byte <= 'z')
        return byte - 'a' + 26;
    if (byte >= '0' && byte <= '9')
        return byte - '0' + 52;
    return byte == alphabet[62] ? 62 : byte == alphabet[63] ? 63 : -1;
}

/* Reads base64 without padding; false for what is none, or does not fit. */
static bool
decode(const char *text, size_t text_length, const char *alphabet,
       uint8_t *out, size_t capacity, size_t *length)
{
    size_t written = 0;
    uint32_t group = 0;
    unsigned bits = 0;

    if (text_length % 4 == 1)
        return false;
    for (size_t index = 0; index < text_length; index++) {
        int digit = digit_of(text[index], alphabet);
        if (digit < 0)
            return false;
        group = group << 6 | (uint32_t)digit;
        bits += 6;
        if (bits < 8)
            continue;
        bits -= 8;
        if (written == capacity)
            return false;
        out[written++] = (uint8_t)(group >> bits);
        group &= (1u << bits) - 1;
    }
    /* What is left over must be zeros: one text for each sequence of bytes. */
    if (group != 0)
        return false;
    *length = written;
    return true;
}

bool
http__json_from_base64url(const char *text, size_t text_length, void *bytes,
                          size_t capacity, size_t *length)
{
    return decode(text, text_length, base64_url, bytes, capacity, length);
}

bool
http__json_from_base64(const char *text, size_t text_length, void *bytes,
                       size_t *length)
{
    size_t capacity = text_length / 4 * 3;

    if (text_length % 4 != 0)
        return false;
    for (int padding = 0; padding < 2 && text_length > 0; padding++)
        if (text[text_length - 1] == '=')
            text_length--;
    return decode(text, text_length, base64_standard, bytes, capacity,
                  length);
}
