/*
 * Entity tags and what they ask for.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#include "http/condition.h"

#include <string.h>

static const char *
skip_spaces(const char *text)
{
    return text + strspn(text, " \t");
}

/* Parses one tag; returns what is behind it, or null. */
static const char *
parse_one(const char *text, struct http__etags *etags)
{
    if (etags->count == HTTP_ETAGS_MAX)
        return NULL;
    bool weak = text[0] == 'W' && text[1] == '/';
    if (weak)
        text += 2;
    if (*text++ != '"')
        return NULL;
    const char *end = strchr(text, '"');
    if (!end)
        return NULL;
    etags->items[etags->count].text =
        (struct http__span){text, (size_t)(end - text)};
    etags->items[etags->count].weak = weak;
    etags->count++;
    return end + 1;
}

bool
http__condition_parse(const char *text, struct http__etags *etags)
{
    etags->count = 0;
    etags->any = false;
    text = skip_spaces(text);
    if (*text == '*') {
        etags->any = true;
        return *skip_spaces(text + 1) == '\0';
    }
    for (;;) {
        text = parse_one(text, etags);
        if (!text)
            return false;
        text = skip_spaces(text);
        if (*text == '\0')
            return true;
        if (*text != ',')
            return false;
        text = skip_spaces(text + 1);
    }
}

bool
http__condition_holds(const struct http__etags *etags, const char *etag,
                      bool strong)
{
    size_t length = strlen(etag);

    if (etags->any)
        return true;
    for (size_t index = 0; index < etags->count; index++) {
        struct http__span text = etags->items[index].text;
        if (text.length == length && memcmp(text.bytes, etag, length) == 0 &&
            !(strong && etags->items[index].weak))
            return true;
    }
    return false;
}

enum http__write
http__condition_of_write(const char *if_match, const char *if_none_match,
                         struct http__span *etag)
{
    struct http__etags etags;

    if (if_match && if_none_match)
        return HTTP__WRITE_BAD;
    if (if_none_match)
        return http__condition_parse(if_none_match, &etags) && etags.any
                   ? HTTP__WRITE_IF_ABSENT
                   : HTTP__WRITE_BAD;
    if (!if_match)
        return HTTP__WRITE_ALWAYS;
    if (!http__condition_parse(if_match, &etags))
        return HTTP__WRITE_BAD;
    if (etags.any)
        return HTTP__WRITE_IF_PRESENT;
    if (etags.count != 1)
        return HTTP__WRITE_BAD;
    if (etags.items[0].weak)
        return HTTP__WRITE_NEVER;
    *etag = etags.items[0].text;
    return HTTP__WRITE_IF_ETAG;
}
