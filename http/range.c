/*
 * Parts of values: see range.h.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/range.h"

#include <string.h>
#include <strings.h>

/* Takes digits off the front; what is too large is as large as can be. */
static bool
take_number(const char **text, uint64_t *number)
{
    const char *next = *text;
    uint64_t sum = 0;

    for (; *next >= '0' && *next <= '9'; next++)
        if (__builtin_mul_overflow(sum, 10u, &sum) ||
            __builtin_add_overflow(sum, (uint64_t)(*next - '0'), &sum))
            sum = UINT64_MAX;
    if (next == *text)
        return false;
    *text = next;
    *number = sum;
    return true;
}

/* Takes the unit and what is behind it off the front. */
static bool
take_unit(const char **text, char behind)
{
    static const char unit[] = "bytes";

    if (strncasecmp(*text, unit, strlen(unit)) != 0 ||
        (*text)[strlen(unit)] != behind)
        return false;
    *text += strlen(unit) + 1;
    return true;
}

/* Takes `first-last`; without `last` where it may be absent, to the end. */
static bool
take_pair(const char **text, bool is_open, struct http__range *range)
{
    uint64_t last = UINT64_MAX;

    if (!take_number(text, &range->offset) || *(*text)++ != '-')
        return false;
    if (!take_number(text, &last) && !is_open)
        return false;
    if (last < range->offset)
        return false;
    range->is_suffix = false;
    range->count = last - range->offset;
    if (last < UINT64_MAX)
        range->count++;
    return true;
}

bool
http__range_parse(const char *text, struct http__range *range)
{
    if (!take_unit(&text, '='))
        return false;
    if (*text != '-')
        return take_pair(&text, true, range) && *text == '\0';
    text++;
    range->is_suffix = true;
    range->offset = 0;
    return take_number(&text, &range->count) && *text == '\0';
}

bool
http__range_fit(struct http__range *range, uint64_t size_bytes)
{
    if (range->is_suffix) {
        if (range->count > size_bytes)
            range->count = size_bytes;
        range->offset = size_bytes - range->count;
        range->is_suffix = false;
    }
    if (range->offset >= size_bytes || range->count == 0)
        return false;
    if (range->count > size_bytes - range->offset)
        range->count = size_bytes - range->offset;
    return true;
}

bool
http__range_parse_content(const char *text, struct http__range *range)
{
    return take_unit(&text, ' ') && take_pair(&text, false, range) &&
           strcmp(text, "/*") == 0;
}
