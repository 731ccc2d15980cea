/*
 * Answers: a request gets exactly one, and the first one stands.
 *
 * Each function here drops its answer when the request has one already, and
 * when memory is out leaves the request without, which closes the connection.
 * On the connection's thread only.
 */
#ifndef GLASS_HTTP_RESPONSE_H
#define GLASS_HTTP_RESPONSE_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

struct http__request;

/* Whose the bytes of an answer are. */
enum http__ownership {
    HTTP__BORROWED, /* they stay until the request is destroyed */
    HTTP__COPIED,
    HTTP__MALLOCED, /* the answer frees them, also when it is dropped */
};

/* A null `type` is no Content-Type. */
void
http__respond(struct http__request *request, unsigned status,
              const char *type, const void *bytes, size_t length,
              enum http__ownership ownership);

/* Without a body: 204, 304. */
void
http__respond_empty(struct http__request *request, unsigned status);

/* For HEAD: the headers of an answer that would have `length` bytes. */
void
http__respond_head(struct http__request *request, unsigned status,
                   const char *type, uint64_t length);

/* Takes `document` over, null too, which means that memory is out. */
void
http__respond_json(struct http__request *request, unsigned status,
                   const char *type, json_t *document);

/* Adds a header to the answer that there is; does nothing without one. */
void
http__response_header(struct http__request *request, const char *name,
                      const char *value);

/* The header ETag: `text` in quotes. */
void
http__response_etag(struct http__request *request, const char *text);

/* The header ETag of a version of the state's. */
void
http__response_version(struct http__request *request, uint64_t version);

#endif
