/*
 * The target of a request, as it came: libmicrohttpd decodes it in place and
 * ends it at `%00`, so it is copied before that and taken apart here.
 *
 * A target has a path and a query. Both stay encoded in `raw`; who needs a
 * part of them decodes that part. Everything is bytes with a length: a decoded
 * part may hold any byte, zero too.
 *
 * A plus sign is a plus sign: a space is `%20`, in the query as well.
 */
#ifndef GLASS_HTTP_TARGET_H
#define GLASS_HTTP_TARGET_H

#include <stdbool.h>
#include <stddef.h>

/* Bytes that belong to somebody else. */
struct http__span {
    const char *bytes;
    size_t length;
};

struct http__target {
    /* The whole target; the spans point into it. */
    char *raw;
    struct http__span path;  /* begins with a slash */
    struct http__span query; /* after the question mark; may be empty */

    /* `host:port` of a target in absolute form; `bytes` is null without. */
    struct http__span authority;

    char small[256]; /* where a short target is kept */
};

enum http__target_status {
    HTTP__TARGET_OK,
    HTTP__TARGET_ABSENT,  /* no such parameter */
    HTTP__TARGET_BAD,     /* a bad escape, or no form that has a path */
    HTTP__TARGET_TOO_LONG,
    HTTP__TARGET_REPEATED, /* a parameter that is there twice */
    HTTP__TARGET_NO_MEMORY,
};

/*
 * Copies `raw` and finds path and query; deinit is due in any case. The form
 * is `/path?query` or `http://host/path?query`. Null is no target.
 */
enum http__target_status
http__target_init(struct http__target *target, const char *raw);

void
http__target_deinit(struct http__target *target);

/*
 * Decodes `%41` in `encoded` to `decoded`, which has room for
 * `encoded.length` bytes; returns false for an escape that is none.
 */
bool
http__target_decode(struct http__span encoded, char *decoded,
                    size_t *decoded_length);

/*
 * Finds the parameter `name` in the query: the span is still encoded. Without
 * a `=` the value is empty.
 */
enum http__target_status
http__target_parameter(const struct http__target *target, const char *name,
                       struct http__span *encoded);

/*
 * The same, decoded into `decoded`, which has `capacity` bytes; a zero follows
 * it that does not count, so that at most `capacity - 1` bytes fit.
 */
enum http__target_status
http__target_parameter_decoded(const struct http__target *target,
                               const char *name, char *decoded,
                               size_t capacity, size_t *decoded_length);

/*
 * Finds a parameter that is not one of the names in `known`, which are
 * separated by spaces. `*` knows all. Returns false when there is none.
 */
bool
http__target_unknown_parameter(const struct http__target *target,
                               const char *known, struct http__span *name);

#endif
