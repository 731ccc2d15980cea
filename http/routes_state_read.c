/*
 * GET and HEAD of /v1/state/{key}: values, and parts of them.
 *
 * A part whose place is known is all that is read. The end of a value, and a
 * part under If-Range, are cut out of the whole: what it is shows only then.
 *
 * On the connection's thread only.
 */
#include "http/routes.h"

#include "http/problem.h"
#include "http/range.h"
#include "http/request.h"
#include "http/response.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>

static const char octets[] = "application/octet-stream";

/* Whether the request asks for a part, and of what it has seen before. */
static bool
wants_part(const struct http__request *request, struct http__range *range)
{
    /* Range means nothing with HEAD. */
    return request->headers.range && !request->is_head &&
           http__range_parse(request->headers.range, range);
}

/* If-Range: whether the value is still the one that the client knows. */
static bool
is_known(const struct http__request *request, const char *etag)
{
    const char *if_range = request->headers.if_range;
    struct http__etags known;

    /* A date is no tag: then it is not known. */
    return !if_range ||
           (http__condition_parse(if_range, &known) && !known.any &&
            http__condition_holds(&known, etag, true));
}

/* Answers with a part, which was read as such or is cut out here. */
static void
respond_part(struct http__request *request, struct http__range *range)
{
    const struct state_operation *operation = &request->operation;
    const char *bytes = operation->result.bytes;
    char text[80];

    if (!http__range_fit(range, operation->size_bytes)) {
        http__problem(request, HTTP__PROBLEM_RANGE,
                      "the value has %" PRIu64 " bytes",
                      operation->size_bytes);
        snprintf(text, sizeof(text), "bytes */%" PRIu64,
                 operation->size_bytes);
        http__response_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, text);
        return;
    }
    if (operation->kind == STATE_GET)
        bytes += range->offset;
    http__respond(request, MHD_HTTP_PARTIAL_CONTENT, octets, bytes,
                  (size_t)range->count, HTTP__BORROWED);
    snprintf(text, sizeof(text),
             "bytes %" PRIu64 "-%" PRIu64 "/%" PRIu64, range->offset,
             range->offset + range->count - 1, operation->size_bytes);
    http__response_header(request, MHD_HTTP_HEADER_CONTENT_RANGE, text);
}

/* What was to be read is there, or not. */
static void
got(struct http__request *request)
{
    struct state_operation *operation = &request->operation;
    struct http__range range;
    char etag[24];

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    snprintf(etag, sizeof(etag), "%" PRIu64, operation->version);
    unsigned status = http__request_read_status(request, etag);
    if (request->response)
        return;
    if (request->is_head) {
        http__respond_head(request, status, octets, operation->size_bytes);
        http__response_header(request, MHD_HTTP_HEADER_ACCEPT_RANGES, "bytes");
    } else if (status == MHD_HTTP_OK && wants_part(request, &range) &&
               is_known(request, etag)) {
        respond_part(request, &range);
    } else {
        http__respond(request, status, octets, operation->result.bytes,
                      operation->result.length_bytes, HTTP__BORROWED);
    }
    http__response_etag(request, etag);
}

void
http__state_get(struct http__request *request)
{
    struct http__range range;
    enum state_kind kind = request->is_head ? STATE_STAT : STATE_GET;

    if (wants_part(request, &range) && !range.is_suffix &&
        !request->headers.if_range) {
        kind = STATE_GET_RANGE;
        request->operation.range_offset_bytes = range.offset;
        request->operation.range_length_bytes = range.count;
    }
    http__state_submit(request, kind, got);
}
