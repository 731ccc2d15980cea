/*
 * Reading the headers, and refusing what libmicrohttpd 0.9.75 lets pass.
 *
 * It takes any Transfer-Encoding for a body that ends somewhere, prefers one
 * to a Content-Length beside it, looks at the first of two lengths, takes a
 * bare LF for the end of a line, ends a value at a NUL, ends the headers at a
 * line that begins with a NUL or a colon, and joins a folded line to the
 * *name* of the header before it.
 *
 * The last four leave no trace but one: it keeps names and values where they
 * came in, with zeros in place of colons and line ends. So the whole head has
 * to be there without gaps: name, colon, spaces, value, CR, LF, and so on, to
 * the empty line. A version of libmicrohttpd that copied names or values would
 * have every request refused, which the tests cannot miss.
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

/* Whether one place lies so many bytes behind another. */
static bool
is_behind(const char *place, const char *before, size_t distance)
{
    /* They may lie in different blocks, which pointers cannot compare. */
    return (uintptr_t)place == (uintptr_t)before + distance;
}

/*
 * Whether name and value lie one behind the other, with only the colon (now a
 * zero) and spaces between. If not, the next line was folded: its text has
 * been joined to the name, which has moved away.
 */
static bool
is_unfolded(const char *name, size_t name_length, const char *value)
{
    const char *byte = name + name_length + 1;

    while (*byte == ' ' || *byte == '\t')
        byte++;
    return byte == value;
}

/* A bare CR is the end of a line for some; no other control byte has a use. */
static bool
has_control_byte(const char *value, size_t length)
{
    for (size_t index = 0; index < length; index++) {
        unsigned char byte = (unsigned char)value[index];
        if ((byte < 0x20 && byte != '\t') || byte == 0x7f)
            return true;
    }
    return false;
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

/* CR and LF. */
#define LINE_END_BYTES 2

static const char gap_error[] =
    "a line of the headers does not end in CR LF, or holds a NUL";

static enum MHD_Result
read_one(void *data, enum MHD_ValueKind kind, const char *name,
         size_t name_length, const char *value, size_t value_length)
{
    struct http__headers *headers = data;

    (void)kind;
    headers->count++;
    if (!is_token(name, name_length)) {
        headers->framing_error = "the name of a header is not a token";
        return MHD_NO;
    }
    if (!value || !is_unfolded(name, name_length, value)) {
        headers->framing_error = "a header is folded over several lines";
        return MHD_NO;
    }
    if (!is_behind(name, headers->line_end, LINE_END_BYTES)) {
        headers->framing_error = gap_error;
        return MHD_NO;
    }
    if (has_control_byte(value, value_length)) {
        headers->framing_error = "a header holds a control byte";
        return MHD_NO;
    }
    headers->line_end = value + value_length;
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

/* Whether the empty line follows the last header, and ends the head. */
static bool
ends_in_empty_line(const struct http__headers *headers,
                   struct MHD_Connection *connection, const char *method)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);

    return info && is_behind(method + info->header_size, headers->line_end,
                             2 * LINE_END_BYTES);
}

void
http__headers_read(struct http__headers *headers,
                   struct MHD_Connection *connection, const char *method,
                   const char *version)
{
    memset(headers, 0, sizeof(*headers));
    headers->line_end = version + strlen(version);
    MHD_get_connection_values_n(connection, MHD_HEADER_KIND, read_one,
                                headers);
    if (!headers->framing_error &&
        !ends_in_empty_line(headers, connection, method))
        headers->framing_error = gap_error;
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
