/*
 * Reading uploads. A form is taken apart by libmicrohttpd, from the body that
 * is there as a whole: its length has passed its limit already, and the parts
 * together are no longer than it.
 *
 * On the connection's thread only.
 */
#include "http/upload.h"

#include "http/problem.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char wasm[] = "application/wasm";
static const char form[] = "multipart/form-data";

/* libmicrohttpd wants room for a boundary and some of what is around it. */
#define FORM_BUFFER_BYTES 1024

/* Whether a Content-Type is `type`, whatever parameters it has. */
static bool
is_type(const char *content_type, const char *type)
{
    size_t length = strcspn(content_type, "; \t");

    return strlen(type) == length &&
           strncasecmp(content_type, type, length) == 0;
}

bool
http__upload_is_type(const char *content_type)
{
    return !content_type || is_type(content_type, wasm) ||
           is_type(content_type, form);
}

/* Appends to a part; `offset` 0 is its beginning. */
static enum MHD_Result
append(struct http__upload *upload, struct http__buffer *part,
       const char *bytes, uint64_t offset, size_t length)
{
    if (offset == 0 && part->bytes) {
        upload->error = "a part is there twice";
        return MHD_NO;
    }
    if (length + 1 > part->capacity - part->length) {
        size_t capacity = (part->length + length + 1) * 2;
        char *grown = realloc(part->bytes, capacity);
        if (!grown) {
            upload->error = "out of memory";
            return MHD_NO;
        }
        part->bytes = grown;
        part->capacity = capacity;
    }
    memcpy(part->bytes + part->length, bytes, length);
    part->length += length;
    return MHD_YES;
}

static enum MHD_Result
take_part(void *data, enum MHD_ValueKind kind, const char *key,
          const char *filename, const char *content_type,
          const char *transfer_encoding, const char *bytes, uint64_t offset,
          size_t length)
{
    struct http__upload *upload = data;

    (void)kind;
    (void)filename;
    (void)content_type;
    (void)transfer_encoding;
    if (key && strcmp(key, "module") == 0)
        return append(upload, &upload->module_part, bytes, offset, length);
    if (key && strcmp(key, "config") == 0)
        return append(upload, &upload->config_part, bytes, offset, length);
    upload->error = "a part is neither 'module' nor 'config'";
    return MHD_NO;
}

/* Takes the form apart; sets the error if it is none. */
static void
parse_form(struct http__upload *upload, struct http__request *request)
{
    struct MHD_PostProcessor *processor = MHD_create_post_processor(
        request->connection, FORM_BUFFER_BYTES, take_part, upload);

    if (!processor) {
        upload->error = "the form has no boundary";
        return;
    }
    enum MHD_Result taken = MHD_YES;
    if (request->body.length > 0)
        taken = MHD_post_process(processor, request->body.bytes,
                                 request->body.length);
    /* Only the last boundary makes it end nicely. */
    if (MHD_destroy_post_processor(processor) != MHD_YES || taken != MHD_YES)
        upload->error =
            upload->error ? upload->error : "the form does not end well";
    else if (!upload->error && !upload->module_part.bytes)
        upload->error = "the form has no part 'module'";
}

static bool
parse_config(struct http__upload *upload, struct http__request *request)
{
    struct runtime_error err;

    if (!upload->config_part.bytes)
        return true;
    enum runtime_status status =
        runtime_config_parse(upload->config_part.bytes,
                             upload->config_part.length, &upload->config,
                             &err);
    if (status == RUNTIME_OK)
        return true;
    http__problem_runtime(request, status, &err);
    return false;
}

bool
http__upload_init(struct http__upload *upload, struct http__request *request)
{
    const char *type = request->headers.content_type;

    memset(upload, 0, sizeof(*upload));
    if (!type || !is_type(type, form)) {
        upload->module = (const uint8_t *)request->body.bytes;
        upload->module_bytes = request->body.length;
        if (!upload->module)
            upload->module = (const uint8_t *)"";
        return true;
    }
    parse_form(upload, request);
    if (upload->error) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST, "%s",
                      upload->error);
        return false;
    }
    upload->module = (const uint8_t *)upload->module_part.bytes;
    upload->module_bytes = upload->module_part.length;
    return parse_config(upload, request);
}

void
http__upload_deinit(struct http__upload *upload)
{
    free(upload->config);
    free(upload->module_part.bytes);
    free(upload->config_part.bytes);
}
