/*
 * The checks of Host and Origin.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/origin.h"

#include <string.h>
#include <strings.h>

/* Whether `text` is `name`, whatever the case. */
static bool
equals(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

/* Four numbers below 256 with dots between, the first of them 127. */
static bool
is_loopback_ipv4(const char *host, size_t length)
{
    unsigned parts = 0;
    size_t index = 0;

    while (index < length) {
        unsigned number = 0;
        size_t begin = index;
        while (index < length && host[index] >= '0' && host[index] <= '9' &&
               index - begin < 3)
            number = number * 10 + (unsigned)(host[index++] - '0');
        if (index == begin || number > 255 || (parts == 0 && number != 127))
            return false;
        parts++;
        if (index < length && (host[index++] != '.' || index == length))
            return false;
    }
    return parts == 4;
}

/* Cuts `:8080` off the end; false when that is no port. */
static bool
cut_port(const char *authority, size_t *length)
{
    size_t index = *length;

    while (index > 0 && authority[index - 1] >= '0' &&
           authority[index - 1] <= '9')
        index--;
    if (index == *length || index == 0 || authority[index - 1] != ':')
        return false;
    *length = index - 1;
    return true;
}

/* Names of the host file could point here too, but so could any other's. */
bool
http__origin_host_is_local(const char *authority, size_t length)
{
    static const char suffix[] = ".localhost";
    const size_t suffix_length = sizeof(suffix) - 1;

    if (length > 0 && authority[length - 1] != ']')
        cut_port(authority, &length);
    if (equals(authority, length, "localhost") ||
        equals(authority, length, "[::1]") ||
        is_loopback_ipv4(authority, length))
        return true;
    /* RFC 6761: all names under it are loopback. */
    return length > suffix_length &&
           equals(authority + length - suffix_length, suffix_length, suffix);
}

bool
http__origin_is_own(const char *origin, const char *authority, size_t length)
{
    static const char scheme[] = "http://";

    if (strncasecmp(origin, scheme, sizeof(scheme) - 1) != 0)
        return false;
    origin += sizeof(scheme) - 1;
    return strlen(origin) == length &&
           strncasecmp(origin, authority, length) == 0;
}
