/*
 * Conditional requests (RFC 9110, section 13): If-Match and If-None-Match.
 */
#ifndef GLASS_HTTP_CONDITION_H
#define GLASS_HTTP_CONDITION_H

#include <stdbool.h>
#include <stddef.h>

#include "http/target.h"
#include "http/limits.h"

/* The value of one of the two headers. */
struct http__etags {
    bool any; /* it is `*` */
    size_t count;
    struct {
        struct http__span text; /* without the quotes */
        bool weak;
    } items[HTTP_ETAGS_MAX];
};

/*
 * Parses `*` or a list of entity tags; the spans point into `text`. Returns
 * false for what is neither, and for more than HTTP_ETAGS_MAX of them.
 */
bool
http__condition_parse(const char *text, struct http__etags *etags);

/*
 * Whether one of the tags is `etag` (without quotes), or `etags` is any. The
 * strong comparison is that of If-Match, the weak one of If-None-Match.
 */
bool
http__condition_holds(const struct http__etags *etags, const char *etag,
                      bool strong);

/* What the two headers make of a write. */
enum http__write {
    HTTP__WRITE_ALWAYS,
    HTTP__WRITE_IF_ABSENT,
    HTTP__WRITE_IF_PRESENT,
    HTTP__WRITE_IF_ETAG, /* the one that is given */
    HTTP__WRITE_NEVER,   /* the tag cannot be one of ours: 412 */
    HTTP__WRITE_BAD,     /* no condition of this kind is understood: 400 */
};

/*
 * Reads the condition of a write from the values of the headers, either of
 * which may be null. A write takes `If-Match: *`, `If-Match: "etag"` or
 * `If-None-Match: *`, since only those can be looked at in one step with the
 * write itself.
 */
enum http__write
http__condition_of_write(const char *if_match, const char *if_none_match,
                         struct http__span *etag);

#endif
