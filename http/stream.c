/*
 * Streams of events: see stream.h.
 *
 * libmicrohttpd asks for bytes when it has sent those before. Where there are
 * none the connection is suspended inside of that question, and the same
 * question comes again once it is resumed.
 */
#include "http/stream.h"

#include "http/request.h"
#include "http/response.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What libmicrohttpd asks for at once where the answer comes in no chunks. */
enum { block_bytes = 4096 };

/* ---- What is there ----------------------------------------------------- */

static void
add(struct http__stream *stream, const char *bytes, size_t length)
{
    if (length > stream->capacity - stream->length) {
        size_t capacity = (stream->length + length) * 2;
        char *grown = realloc(stream->bytes, capacity);
        if (!grown) {
            stream->is_broken = true;
            return;
        }
        stream->bytes = grown;
        stream->capacity = capacity;
    }
    memcpy(stream->bytes + stream->length, bytes, length);
    stream->length += length;
}

static void
add_text(struct http__stream *stream, const char *text)
{
    add(stream, text, strlen(text));
}

static void
add_id(struct http__stream *stream, uint64_t id)
{
    char line[32];

    snprintf(line, sizeof(line), "id: %" PRIu64 "\n", id);
    add_text(stream, line);
}

void
http__stream_event(struct http__request *request, const char *type,
                   uint64_t id, json_t *data)
{
    struct http__stream *stream = &request->stream;
    /* Compact JSON is one line: the data's end is the line's. */
    char *text = data ? json_dumps(data, JSON_COMPACT) : NULL;

    json_decref(data);
    if (!text) {
        stream->is_broken = true;
        return;
    }
    if (id > 0)
        add_id(stream, id);
    add_text(stream, "event: ");
    add_text(stream, type);
    add_text(stream, "\ndata: ");
    add_text(stream, text);
    add_text(stream, "\n\n");
    free(text);
}

void
http__stream_place(struct http__request *request, uint64_t id)
{
    add_id(&request->stream, id);
    add_text(&request->stream, "\n");
}

void
http__stream_end(struct http__request *request)
{
    request->stream.has_ended = true;
}

void
http__stream_fail(struct http__request *request, json_t *document)
{
    http__stream_event(request, "problem", 0, document);
    http__stream_end(request);
}

/* ---- Sending it -------------------------------------------------------- */

/* Has something more to send, or has ended; false: the request is parked. */
static bool
fill(struct http__request *request)
{
    struct http__stream *stream = &request->stream;

    while (stream->sent == stream->length && !stream->has_ended &&
           !stream->is_broken) {
        stream->sent = stream->length = 0;
        if (request->parks) {
            http__request_unpark(request);
            request->resume(request);
        } else {
            stream->next(request);
        }
        if (request->parks) {
            http__request_suspend(request);
            return false;
        }
    }
    return true;
}

/* Called by libmicrohttpd; never while the connection is suspended. */
static ssize_t
read_some(void *data, uint64_t offset, char *buffer, size_t capacity)
{
    struct http__request *request = data;
    struct http__stream *stream = &request->stream;

    (void)offset;
    if (!fill(request))
        return 0;
    if (stream->is_broken)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    size_t length = stream->length - stream->sent;
    if (length == 0)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (length > capacity)
        length = capacity;
    memcpy(buffer, stream->bytes + stream->sent, length);
    stream->sent += length;
    return (ssize_t)length;
}

void
http__stream_begin(struct http__request *request,
                   void (*next)(struct http__request *request))
{
    if (request->response)
        return;
    request->response = MHD_create_response_from_callback(
        MHD_SIZE_UNKNOWN, block_bytes, read_some, request, NULL);
    if (!request->response)
        return;
    request->stream.next = next;
    request->status = MHD_HTTP_OK;
    http__response_header(request, MHD_HTTP_HEADER_CONTENT_TYPE,
                          "text/event-stream");
    http__response_header(request, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
}

bool
http__stream_has_begun(const struct http__request *request)
{
    return request->stream.next != NULL;
}

void
http__stream_deinit(struct http__stream *stream)
{
    free(stream->bytes);
}
