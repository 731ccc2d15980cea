/*
 * Parts of a value in headers (RFC 9110, section 14): Range asks for one, and
 * Content-Range says which one a body is.
 */
#ifndef GLASS_HTTP_RANGE_H
#define GLASS_HTTP_RANGE_H

#include <stdbool.h>
#include <stdint.h>

/* The part that a client asks for, before the size is known. */
struct http__range {
    bool is_suffix;  /* the last `count` bytes, and not: */
    uint64_t offset; /* the bytes from here on, */
    uint64_t count;  /* at most so many; UINT64_MAX: all there are */
};

/*
 * Parses `bytes=2-5`, `bytes=2-` or `bytes=-4`. Returns false for everything
 * else, which a server may take for no Range at all: several parts, other
 * units, what makes no sense.
 */
bool
http__range_parse(const char *text, struct http__range *range);

/*
 * Cuts the part to a value of so many bytes; false when none of it is there,
 * which is all of an empty value.
 */
bool
http__range_fit(struct http__range *range, uint64_t size_bytes);

/*
 * Parses `bytes 2-5/` and a star, the place of a body in a value whose length
 * is not said; no other form is known, and false.
 */
bool
http__range_parse_content(const char *text, struct http__range *range);

#endif
