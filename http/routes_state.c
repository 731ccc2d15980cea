/*
 * /v1/state: writing values and numbers, and lists.
 *
 * Each function fills the request's operation and submits it; the function
 * named by `done` runs when it has ended, on the connection's thread again.
 */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/range.h"
#include "http/request.h"
#include "http/response.h"
#include "http/units.h"

#include <inttypes.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char json[] = "application/json";

/* An ETag is a version as it is printed: no sign, no zero in front. */
static bool
parse_version(struct http__span etag, uint64_t *version)
{
    return etag.length > 0 && etag.bytes[0] != '0' &&
           http__units_number(etag.bytes, etag.length, version);
}

/* Reads `?ttl=`; returns false after an answer. */
static bool
read_ttl(struct http__request *request)
{
    char text[32];
    size_t length;
    uint64_t ttl_ms;

    if (!http__request_parameter(request, "ttl", text, sizeof(text), &length))
        return !request->response;
    request->operation.keep_expiry = strcmp(text, "keep") == 0;
    if (request->operation.keep_expiry)
        return true;
    if (!http__units_duration_ms(text, length, &ttl_ms) || ttl_ms == 0 ||
        ttl_ms > STATE_TTL_MS_MAX) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'ttl' is neither 'keep' nor a duration "
                      "such as 500ms, 30s or 1h, of up to 100 years");
        return false;
    }
    request->operation.ttl_ms = ttl_ms;
    return true;
}

/* Reads If-Match and If-None-Match of a write; false after an answer. */
static bool
read_condition(struct http__request *request)
{
    struct state_operation *operation = &request->operation;
    struct http__span etag;

    switch (http__request_write(request, &etag)) {
    case HTTP__WRITE_ALWAYS:
        return true;
    case HTTP__WRITE_IF_ABSENT:
        operation->condition = STATE_IF_ABSENT;
        return true;
    case HTTP__WRITE_IF_PRESENT:
        operation->condition = STATE_IF_PRESENT;
        return true;
    case HTTP__WRITE_IF_ETAG:
        operation->condition = STATE_IF_VERSION;
        if (parse_version(etag, &operation->version_expected))
            return true;
        break;
    case HTTP__WRITE_NEVER:
        break;
    case HTTP__WRITE_BAD:
        return false;
    }
    http__problem(request, HTTP__PROBLEM_CONDITION,
                  "If-Match is no ETag that a key can have");
    return false;
}

void
http__state_write_begin(struct http__request *request)
{
    if (http__lock_read_token(request) && read_condition(request))
        read_ttl(request);
}

void
http__state_submit(struct http__request *request, enum state_kind kind,
                   void (*done)(struct http__request *request))
{
    struct state_operation *operation = &request->operation;

    operation->kind = kind;
    operation->key.bytes = request->name;
    operation->key.length_bytes = request->name_length;
    http__request_submit(request, done);
}

/* ---- Writing ---------------------------------------------------------- */

/* A put or a delete has ended. */
static void
written(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    /* Only a write that asked for it knows that the key is new. */
    http__respond_empty(request, operation->condition == STATE_IF_ABSENT
                                     ? MHD_HTTP_CREATED
                                     : MHD_HTTP_NO_CONTENT);
    if (operation->kind != STATE_DELETE)
        http__response_version(request, operation->version);
}

/* The value is the body, which stays until the request ends. */
static void
set_value(struct http__request *request)
{
    request->operation.value.bytes = request->body.bytes;
    request->operation.value.length_bytes = request->body.length;
}

/* A part of a value is not the value: PUT must not take it for that. */
void
http__state_put_begin(struct http__request *request)
{
    if (request->headers.content_range)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "Content-Range is for PATCH");
    else
        http__state_write_begin(request);
}

void
http__state_put(struct http__request *request)
{
    set_value(request);
    http__state_submit(request, STATE_PUT, written);
}

void
http__state_delete(struct http__request *request)
{
    http__state_submit(request, STATE_DELETE, written);
}

static void
incremented(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    json_t *document = json_object();
    json_object_set_new(document, "value", json_integer(operation->number));
    json_object_set_new(document, "version",
                        json_integer((json_int_t)operation->version));
    http__respond_json(request, MHD_HTTP_OK, json, document);
    http__response_version(request, operation->version);
}

void
http__state_increment(struct http__request *request)
{
    int64_t *delta = &request->operation.delta;
    char text[HTTP_NUMBER_BYTES_MAX + 1];
    const char *number = request->body.bytes;
    size_t length = request->body.length;
    bool is_parameter = http__request_parameter(request, "delta", text,
                                                sizeof(text), &length);

    if (request->response)
        return;
    if (is_parameter)
        number = text;
    *delta = 1;
    if ((is_parameter || length > 0) &&
        !http__units_signed(number, length, delta)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "%s is no 64-bit decimal number",
                      is_parameter ? "the parameter 'delta'" : "the body");
        return;
    }
    http__state_submit(request, STATE_INCREMENT, incremented);
}

/* Bytes were added to a value, or laid over some of it. */
static void
extended(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    json_t *document = json_object();
    json_object_set_new(document, "size",
                        json_integer((json_int_t)operation->size_bytes));
    json_object_set_new(document, "version",
                        json_integer((json_int_t)operation->version));
    http__respond_json(request, MHD_HTTP_OK, json, document);
    http__response_version(request, operation->version);
}

void
http__state_append(struct http__request *request)
{
    set_value(request);
    http__state_submit(request, STATE_APPEND, extended);
}

void
http__state_patch_begin(struct http__request *request)
{
    struct state_operation *operation = &request->operation;
    const char *text = request->headers.content_range;
    struct http__range range;

    if (!text || !http__range_parse_content(text, &range)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the header Content-Range has to say which bytes the "
                      "body is: bytes 5-9/*");
        return;
    }
    operation->range_offset_bytes = range.offset;
    operation->range_length_bytes = range.count;
    http__state_write_begin(request);
}

void
http__state_patch(struct http__request *request)
{
    uint64_t count = request->operation.range_length_bytes;

    if (request->body.length != count) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the body has %zu bytes, and Content-Range %" PRIu64,
                      request->body.length, count);
        return;
    }
    set_value(request);
    http__state_submit(request, STATE_PUT_RANGE, extended);
}

/* ---- Expiry ----------------------------------------------------------- */

void
http__state_expire(struct http__request *request)
{
    if (request->operation.ttl_ms == 0)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'ttl' is missing");
    else
        http__state_submit(request, STATE_EXPIRE, written);
}

void
http__state_persist(struct http__request *request)
{
    http__state_submit(request, STATE_PERSIST, written);
}

/* ---- Listing ---------------------------------------------------------- */

/* A list has ended: a page of it becomes JSON. */
static void
listed(struct http__request *request)
{
    struct state_operation *operation = &request->operation;
    char cursor[HTTP__BASE64_LENGTH(STATE_KEY_BYTES_MAX) + 1];

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    json_t *items = json_array();
    for (size_t index = 0; index < operation->entry_count; index++)
        json_array_append_new(items,
                              http__json_entry(&operation->entries[index]));
    json_t *document = json_object();
    json_object_set_new(document, "items", items);
    /* Keys are bytes, and a cursor has to survive being put into a URL. */
    if (operation->more &&
        operation->cursor_next.length_bytes <= STATE_KEY_BYTES_MAX) {
        http__json_base64url(operation->cursor_next.bytes,
                             operation->cursor_next.length_bytes, cursor);
        json_object_set_new(document, "cursor", json_string(cursor));
    } else {
        json_object_set_new(document, "cursor", json_null());
    }
    http__respond_json(request, MHD_HTTP_OK, json, document);
}

/* Reads `?cursor=` into request->name, which a list has no other use for. */
static bool
read_cursor(struct http__request *request)
{
    char text[HTTP__BASE64_LENGTH(STATE_KEY_BYTES_MAX) + 1];
    size_t length;
    size_t cursor_length;

    if (!http__request_parameter(request, "cursor", text, sizeof(text),
                                 &length))
        return !request->response;
    if (!http__json_from_base64url(text, length, request->name,
                                   STATE_KEY_BYTES_MAX, &cursor_length)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'cursor' is none that a list gave");
        return false;
    }
    request->operation.cursor.bytes = request->name;
    request->operation.cursor.length_bytes = cursor_length;
    return true;
}

/* The prefix has to outlive the operation: it is kept as if a body. */
bool
http__state_read_prefix(struct http__request *request)
{
    char prefix[STATE_KEY_BYTES_MAX + 1];
    size_t length;

    if (!http__request_parameter(request, "prefix", prefix, sizeof(prefix),
                                 &length))
        return !request->response;
    request->body.bytes = realloc(request->body.bytes, length + 1);
    if (!request->body.bytes) {
        http__problem(request, HTTP__PROBLEM_OVERLOADED, "out of memory");
        return false;
    }
    memcpy(request->body.bytes, prefix, length + 1);
    request->operation.prefix.bytes = request->body.bytes;
    request->operation.prefix.length_bytes = length;
    return true;
}

void
http__state_list(struct http__request *request)
{
    struct state_operation *operation = &request->operation;
    unsigned limit;

    if (!http__request_limit(request, &limit) || !read_cursor(request) ||
        !http__state_read_prefix(request))
        return;
    operation->kind = STATE_LIST;
    operation->limit_count = limit;
    http__request_submit(request, listed);
}
