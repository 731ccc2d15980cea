/*
 * Making answers of libmicrohttpd's.
 */
#include "http/response.h"

#include "http/request.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>

void
http__respond(struct http__request *request, unsigned status,
              const char *type, const void *bytes, size_t length,
              enum http__ownership ownership)
{
    static const enum MHD_ResponseMemoryMode modes[] = {
        [HTTP__BORROWED] = MHD_RESPMEM_PERSISTENT,
        [HTTP__COPIED] = MHD_RESPMEM_MUST_COPY,
        [HTTP__MALLOCED] = MHD_RESPMEM_MUST_FREE,
    };
    struct MHD_Response *response = NULL;

    /* libmicrohttpd only reads, but has one function for all three. */
    void *body = (void *)(uintptr_t)bytes;
    if (!request->response)
        response = MHD_create_response_from_buffer(length, body,
                                                   modes[ownership]);
    if (!response) {
        if (ownership == HTTP__MALLOCED)
            free(body);
        return;
    }
    request->response = response;
    request->status = status;
    if (type)
        http__response_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void
http__respond_empty(struct http__request *request, unsigned status)
{
    http__respond(request, status, NULL, "", 0, HTTP__BORROWED);
}

/* The body of an answer to HEAD, which nobody reads. */
static ssize_t
read_nothing(void *data, uint64_t offset, char *buffer, size_t capacity)
{
    (void)data;
    (void)offset;
    (void)buffer;
    (void)capacity;
    return MHD_CONTENT_READER_END_WITH_ERROR;
}

void
http__respond_head(struct http__request *request, unsigned status,
                   const char *type, uint64_t length)
{
    if (request->response)
        return;
    request->response = MHD_create_response_from_callback(
        length, 1, read_nothing, NULL, NULL);
    request->status = status;
    http__response_header(request, MHD_HTTP_HEADER_CONTENT_TYPE, type);
}

void
http__respond_json(struct http__request *request, unsigned status,
                   const char *type, json_t *document)
{
    const size_t flags = JSON_COMPACT;
    size_t length = document ? json_dumpb(document, NULL, 0, flags) : 0;
    char *text = length > 0 ? malloc(length + 1) : NULL;

    if (text) {
        json_dumpb(document, text, length, flags);
        text[length] = '\n';
        http__respond(request, status, type, text, length + 1,
                      HTTP__MALLOCED);
    }
    json_decref(document);
}

void
http__response_header(struct http__request *request, const char *name,
                      const char *value)
{
    if (request->response)
        MHD_add_response_header(request->response, name, value);
}

void
http__response_etag(struct http__request *request, const char *text)
{
    char quoted[128];

    snprintf(quoted, sizeof(quoted), "\"%s\"", text);
    http__response_header(request, MHD_HTTP_HEADER_ETAG, quoted);
}

void
http__response_version(struct http__request *request, uint64_t version)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, version);
    http__response_etag(request, text);
}
