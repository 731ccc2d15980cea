/*
 * An answer without an end that is known: server-sent events (the WHATWG's
 * HTML standard, section 9.2), each sent as soon as it is there.
 *
 * Between two events the connection is suspended like that of any request that
 * waits (request.h). A problem that comes once the stream has begun is its
 * last event, with the document as its data.
 *
 * On the connection's thread only.
 */
#ifndef GLASS_HTTP_STREAM_H
#define GLASS_HTTP_STREAM_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct http__request;

/* A request's stream; zeros are none. */
struct http__stream {
    /* What is there to be sent. */
    char *bytes;
    size_t length;
    size_t capacity;
    size_t sent;

    void (*next)(struct http__request *request);
    bool has_ended; /* behind what is there */
    bool is_broken; /* memory was out: something is missing */
};

/*
 * Answers 200 with a stream of events. Whenever all that there is has been
 * sent, `next` is called, which has three choices: to add something, to park
 * the request until it can (http__request_submit does so), or to end it.
 */
void
http__stream_begin(struct http__request *request,
                   void (*next)(struct http__request *request));

/*
 * Adds an event. `type` names it. An `id` other than zero is where a client
 * that comes back goes on. Takes `data` over; null means that memory is out,
 * which breaks the stream off.
 */
void
http__stream_event(struct http__request *request, const char *type,
                   uint64_t id, json_t *data);

/* Tells the client where it would go on, and so that somebody is there. */
void
http__stream_place(struct http__request *request, uint64_t id);

/* Ends the stream behind what is there. */
void
http__stream_end(struct http__request *request);

/* Ends the stream with a problem's document, which it takes over. */
void
http__stream_fail(struct http__request *request, json_t *document);

/* Whether the answer is a stream. */
bool
http__stream_has_begun(const struct http__request *request);

void
http__stream_deinit(struct http__stream *stream);

#endif
