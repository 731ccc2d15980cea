/*
 * The headers of a request: those that Glass reads, found in one pass, and
 * what is refused for its framing before anything else looks at it.
 */
#ifndef GLASS_HTTP_HEADERS_H
#define GLASS_HTTP_HEADERS_H

#include <stdbool.h>
#include <stdint.h>

struct MHD_Connection;

/* The headers that Glass reads: member, name. */
#define HTTP__HEADER_MAP(X)                                                   \
    X(authorization, "Authorization")                                         \
    X(content_length, "Content-Length")                                       \
    X(content_range, "Content-Range")                                         \
    X(content_type, "Content-Type")                                           \
    X(expect, "Expect")                                                       \
    X(glass_lock_token, "Glass-Lock-Token")                                   \
    X(glass_namespace, "Glass-Namespace")                                     \
    X(glass_timeout, "Glass-Timeout")                                         \
    X(host, "Host")                                                           \
    X(if_match, "If-Match")                                                   \
    X(if_none_match, "If-None-Match")                                         \
    X(if_range, "If-Range")                                                   \
    X(last_event_id, "Last-Event-ID")                                         \
    X(origin, "Origin")                                                       \
    X(prefer, "Prefer")                                                       \
    X(range, "Range")                                                         \
    X(transfer_encoding, "Transfer-Encoding")

/* The values live as long as the request; null: there is no such header. */
struct http__headers {
#define HTTP__HEADER_MEMBER(member, name) const char *member;
    HTTP__HEADER_MAP(HTTP__HEADER_MEMBER)
#undef HTTP__HEADER_MEMBER

    /* Each header that Glass reads makes sense once only. */
    const char *repeated;

    /* The first thing that is wrong with the framing, or null. */
    const char *framing_error;

    /* Where the text of the line before ended; for the checks of the form. */
    const char *line_end;

    unsigned count;
    bool chunked;
    uint64_t content_length_bytes; /* 0 without the header */
};

/*
 * Reads them all. `method` and `version` are those that the handler got: they
 * lie where the request came in. A framing error means that a proxy in front
 * and this server could disagree about where the request ends: it is answered
 * 400 and the connection closed. Only on the connection's thread, at the first
 * call of the handler.
 */
void
http__headers_read(struct http__headers *headers,
                   struct MHD_Connection *connection, const char *method,
                   const char *version);

#endif
