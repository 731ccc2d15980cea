/*
 * Reading the headers, and refusing what libmicrohttpd 0.9.75 lets pass.
 *
 * It takes any Transfer-Encoding for a body that ends somewhere, prefers one
 * to a Content-Length beside it, looks at the first of two lengths, and joins
 * a folded line to the *name* of the header before it. What it does not keep
 * cannot be refused here: a bare LF as the end of a line, and whatever follows
 * a NUL inside of a value.
 *
 * Functions of a connection: on its thread only.
 */
#include "http/headers.h"

#include "http/http.h"

#include <microhttpd.h>
#include <string.h>
#include <strings.h>

/* RFC 9110, 5.6.2: what the name of a header is made of. */
static const bool is_token_byte[256] = {
    ['!'] = true, ['#'] = true, ['$'] = true, ['%'] = true, ['&'] = true,
    ['\''] = true, ['*'] = true, ['+'] = true, ['-'] = true, ['.'] = true,
    ['^'] = true, ['_'] = true, ['`'] = true, ['|'] = true, ['~'] = true,
    ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static bool
is_token(const char *name, size_t length)
{
    for (size_t index = 0; index < length; index++)
        if (!is_token_byte[(unsigned char)name[index]])
            return false;
    return length > 0;
}

/*
 * Whether name and value still lie one behind the other, as they came, with
 * only the colon (now a zero) and spaces between. The name of a header whose
 * next line was folded has been moved away from its value: that is the only
 * trace that folding leaves. Should another version of libmicrohttpd copy
 * names, every request would be refused, which the tests cannot miss.
 */
static bool
is_unfolded(const char *name, size_t name_length, const char *value)
{
    uintptr_t value_at = (uintptr_t)value;
    uintptr_t gap_at = (uintptr_t)name + name_length + 1;

    if (value_at < gap_at || value_at - gap_at > HTTP_CONNECTION_MEMORY_BYTES)
        return false;
    for (const char *byte = name + name_length + 1; byte < value; byte++)
        if (*byte != ' ' && *byte != '\t')
            return false;
    return true;
}

/* The place for a header's value, or null if Glass does not read it. */
static const char **
find_member(struct http__headers *headers, const char *name, size_t length)
{
#define HTTP__HEADER_FIND(member, text)                                       \
    if (length == sizeof(text) - 1 && strcasecmp(name, text) == 0)            \
        return &headers->member;
    HTTP__HEADER_MAP(HTTP__HEADER_FIND)
#undef HTTP__HEADER_FIND
    return NULL;
}

static enum MHD_Result
read_one(void *data, enum MHD_ValueKind kind, const char *name,
         size_t name_length, const char *value, size_t value_length)
{
    struct http__headers *headers = data;

    (void)kind;
    (void)value_length;
    headers->count++;
    if (!is_token(name, name_length)) {
        headers->framing_error = "the name of a header is not a token";
        return MHD_NO;
    }
    if (!value || !is_unfolded(name, name_length, value)) {
        headers->framing_error = "a header is folded over several lines";
        return MHD_NO;
    }
    const char **member = find_member(headers, name, name_length);
    if (!member)
        return MHD_YES;
    if (*member)
        headers->repeated = name;
    *member = value;
    return MHD_YES;
}

/* Content-Length: digits only, and within 64 bits. */
static bool
parse_length(const char *text, uint64_t *length)
{
    uint64_t sum = 0;

    if (!*text)
        return false;
    for (; *text; text++) {
        if (*text < '0' || *text > '9' ||
            __builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*text - '0'), &sum))
            return false;
    }
    *length = sum;
    return true;
}

void
http__headers_read(struct http__headers *headers,
                   struct MHD_Connection *connection)
{
    memset(headers, 0, sizeof(*headers));
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_one,
                                headers);
    if (headers->framing_error)
        return;
    if (headers->repeated &&
        (!strcasecmp(headers->repeated, "Content-Length") ||
         !strcasecmp(headers->repeated, "Transfer-Encoding"))) {
        headers->framing_error = "a header of the framing is there twice";
        return;
    }
    if (headers->transfer_encoding) {
        headers->chunked = strcmp(headers->transfer_encoding, "chunked") == 0;
        if (!headers->chunked)
            headers->framing_error =
                "Transfer-Encoding is not exactly 'chunked'";
        else if (headers->content_length)
            headers->framing_error =
                "Content-Length and Transfer-Encoding exclude each other";
    } else if (headers->content_length &&
               !parse_length(headers->content_length,
                             &headers->content_length_bytes)) {
        headers->framing_error = "Content-Length is not a decimal number";
    }
}
