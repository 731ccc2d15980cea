/*
 * The target of a request: path, query, parameters, percent-decoding.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/target.h"

#include "http/http.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char scheme[] = "http://";

/* Cuts `http://host:port` off the front of a target in absolute form. */
static bool
skip_authority(struct http__target *target, char **path)
{
    char *begin = target->raw;

    if (*begin == '/') {
        *path = begin;
        return true;
    }
    if (strncasecmp(begin, scheme, sizeof(scheme) - 1) != 0)
        return false;
    begin += sizeof(scheme) - 1;
    size_t length = strcspn(begin, "/?");
    if (length == 0 || begin[length] != '/')
        return false;
    target->authority = (struct http__span){begin, length};
    *path = begin + length;
    return true;
}

enum http__target_status
http__target_init(struct http__target *target, const char *raw)
{
    memset(target, 0, offsetof(struct http__target, small));
    target->path = target->query = (struct http__span){"", 0};
    if (!raw)
        return HTTP__TARGET_BAD;

    size_t length = strnlen(raw, HTTP_TARGET_BYTES_MAX + 1);
    if (length > HTTP_TARGET_BYTES_MAX)
        return HTTP__TARGET_TOO_LONG;
    target->raw = target->small;
    if (length >= sizeof(target->small)) {
        target->raw = malloc(length + 1);
        if (!target->raw)
            return HTTP__TARGET_NO_MEMORY;
    }
    memcpy(target->raw, raw, length + 1);

    char *path;
    if (!skip_authority(target, &path))
        return HTTP__TARGET_BAD;
    size_t path_length = strcspn(path, "?#");
    target->path = (struct http__span){path, path_length};
    /* A fragment is never sent by who knows what it is. */
    if (strchr(path, '#'))
        return HTTP__TARGET_BAD;
    if (path[path_length] == '?') {
        char *query = path + path_length + 1;
        target->query = (struct http__span){query, strlen(query)};
    }
    return HTTP__TARGET_OK;
}

void
http__target_deinit(struct http__target *target)
{
    if (target->raw != target->small)
        free(target->raw);
    target->raw = NULL;
}

/* The value of a hexadecimal digit, or -1. */
static int
hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return -1;
}

bool
http__target_decode(struct http__span encoded, char *decoded,
                    size_t *decoded_length)
{
    size_t length = 0;

    for (size_t index = 0; index < encoded.length; index++) {
        char byte = encoded.bytes[index];
        if (byte == '%') {
            if (encoded.length - index < 3)
                return false;
            int high = hex_digit(encoded.bytes[index + 1]);
            int low = hex_digit(encoded.bytes[index + 2]);
            if (high < 0 || low < 0)
                return false;
            byte = (char)(high << 4 | low);
            index += 2;
        }
        decoded[length++] = byte;
    }
    *decoded_length = length;
    return true;
}

/*
 * Takes the next `name=value` off the front of `rest`; false when there is
 * none. Names are compared as they came: those of Glass need no escape.
 */
static bool
next_parameter(struct http__span *rest, struct http__span *name,
               struct http__span *value)
{
    while (rest->length > 0 && *rest->bytes == '&') {
        rest->bytes++;
        rest->length--;
    }
    if (rest->length == 0)
        return false;
    const char *end = memchr(rest->bytes, '&', rest->length);
    size_t length = end ? (size_t)(end - rest->bytes) : rest->length;
    const char *equals = memchr(rest->bytes, '=', length);
    size_t name_length = equals ? (size_t)(equals - rest->bytes) : length;

    *name = (struct http__span){rest->bytes, name_length};
    *value = equals ? (struct http__span){equals + 1, length - name_length - 1}
                    : (struct http__span){rest->bytes + length, 0};
    rest->bytes += length;
    rest->length -= length;
    return true;
}

enum http__target_status
http__target_parameter(const struct http__target *target, const char *name,
                       struct http__span *encoded)
{
    struct http__span rest = target->query;
    struct http__span found;
    struct http__span value;
    size_t name_length = strlen(name);
    bool there = false;

    while (next_parameter(&rest, &found, &value)) {
        if (found.length != name_length ||
            memcmp(found.bytes, name, name_length) != 0)
            continue;
        if (there)
            return HTTP__TARGET_REPEATED;
        there = true;
        *encoded = value;
    }
    return there ? HTTP__TARGET_OK : HTTP__TARGET_ABSENT;
}

enum http__target_status
http__target_parameter_decoded(const struct http__target *target,
                               const char *name, char *decoded,
                               size_t capacity, size_t *decoded_length)
{
    struct http__span encoded;
    enum http__target_status status =
        http__target_parameter(target, name, &encoded);

    if (status != HTTP__TARGET_OK)
        return status;
    /* The escapes only make it longer, by three at most. */
    char buffer[HTTP_TARGET_BYTES_MAX];
    size_t length;
    if (!http__target_decode(encoded, buffer, &length))
        return HTTP__TARGET_BAD;
    if (length >= capacity)
        return HTTP__TARGET_TOO_LONG;
    memcpy(decoded, buffer, length);
    decoded[length] = '\0';
    *decoded_length = length;
    return HTTP__TARGET_OK;
}

/* Whether `name` is one of the words in `known`. */
static bool
is_known(struct http__span name, const char *known)
{
    while (*known) {
        size_t length = strcspn(known, " ");
        if (length == name.length && memcmp(known, name.bytes, length) == 0)
            return true;
        known += length;
        known += strspn(known, " ");
    }
    return false;
}

bool
http__target_unknown_parameter(const struct http__target *target,
                               const char *known, struct http__span *name)
{
    struct http__span rest = target->query;
    struct http__span value;

    if (strcmp(known, "*") == 0)
        return false;
    while (next_parameter(&rest, name, &value))
        if (!is_known(*name, known))
            return true;
    return false;
}
