/*
 * Problem documents, and which one each status of the runtime and of the state
 * is: the two tables here are the whole translation.
 *
 * On the connection's thread only.
 */
#include "http/problem.h"

#include "http/http.h"
#include "http/json.h"
#include "http/request.h"
#include "http/response.h"

#include <microhttpd.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define TYPE_PREFIX "urn:glass:problem:"

/* The rows of problems.inc, in the order of the enum. */
static const struct kind {
    unsigned status;
    unsigned retry_after_s;
    const char *type;
    const char *title;
} kinds[] = {
#define PROBLEM(symbol, status, retry_after_s, slug, title)                   \
    [HTTP__PROBLEM_##symbol] = {status, retry_after_s, TYPE_PREFIX slug,      \
                                title},
#include "http/problems.inc"
#undef PROBLEM
};

void
http__problem_with(struct http__request *request, enum http__problem kind,
                   json_t *members, const char *detail)
{
    const struct kind *row = &kinds[kind];
    json_t *document = json_object();

    json_object_set_new(document, "type", json_string(row->type));
    json_object_set_new(document, "title", json_string(row->title));
    json_object_set_new(document, "status", json_integer(row->status));
    if (detail && *detail)
        json_object_set_new(document, "detail",
                            http__json_text(detail, strlen(detail)));
    struct http__span path = request->target.path;
    json_object_set_new(document, "instance",
                        http__json_text(path.bytes, path.length));
    if (members) {
        json_object_update(document, members);
        json_decref(members);
    }
    if (http__stream_has_begun(request)) {
        http__stream_fail(request, document);
        return;
    }
    http__respond_json(request, row->status, "application/problem+json",
                       document);
    if (row->retry_after_s > 0) {
        char text[16];
        snprintf(text, sizeof(text), "%u", row->retry_after_s);
        http__response_header(request, MHD_HTTP_HEADER_RETRY_AFTER, text);
    }
}

void
http__problem(struct http__request *request, enum http__problem kind,
              const char *format, ...)
{
    char detail[HTTP_DETAIL_SIZE];
    va_list arguments;

    va_start(arguments, format);
    vsnprintf(detail, sizeof(detail), format, arguments);
    va_end(arguments);
    http__problem_with(request, kind, NULL, detail);
}

json_t *
http__problem_place(const struct runtime_error *err)
{
    json_t *members = json_object();

    if (err->trap)
        json_object_set_new(members, "trap", json_string(err->trap));
    if (err->limit)
        json_object_set_new(members, "limit", json_string(err->limit));
    if (err->function != RUNTIME_NO_FUNCTION)
        json_object_set_new(members, "function_index",
                            json_integer((json_int_t)err->function));
    if (err->offset != RUNTIME_NO_OFFSET)
        json_object_set_new(members, "offset",
                            json_integer((json_int_t)err->offset));
    return members;
}

/*
 * What a status is outside of a call. The ends of a guest are those of its
 * initialisation: the module is at fault, not the server, so it is 422.
 */
static enum http__problem
kind_of_runtime(enum runtime_status status)
{
    switch (status) {
    case RUNTIME_NOT_FOUND:
        return HTTP__PROBLEM_NO_FUNCTION;
    case RUNTIME_CONFLICT:
        return HTTP__PROBLEM_CONDITION;
    case RUNTIME_INVALID:
        return HTTP__PROBLEM_BAD_REQUEST;
    case RUNTIME_MALFORMED:
        return HTTP__PROBLEM_MALFORMED;
    case RUNTIME_UNLINKABLE:
        return HTTP__PROBLEM_UNLINKABLE;
    case RUNTIME_TOO_BIG:
        return HTTP__PROBLEM_TOO_LARGE;
    case RUNTIME_LIMIT:
        return HTTP__PROBLEM_LIMIT;
    case RUNTIME_BUSY:
        return HTTP__PROBLEM_BUSY;
    case RUNTIME_TRAP:
    case RUNTIME_EXHAUSTED:
    case RUNTIME_FAILED:
    case RUNTIME_EXITED:
    case RUNTIME_OUT_OF_FUEL:
    case RUNTIME_TIMEOUT:
    case RUNTIME_OUT_OF_MEMORY:
        return HTTP__PROBLEM_INITIALISATION;
    case RUNTIME_CANCELLED:
        return HTTP__PROBLEM_CANCELLED;
    case RUNTIME_NO_MEMORY:
        return HTTP__PROBLEM_OVERLOADED;
    case RUNTIME_SYSTEM:
    case RUNTIME_OK:
    case RUNTIME_PENDING:
        break;
    }
    return HTTP__PROBLEM_INTERNAL;
}

void
http__problem_runtime(struct http__request *request,
                      enum runtime_status status,
                      const struct runtime_error *err)
{
    json_t *members = http__problem_place(err);

    json_object_set_new(members, "reason",
                        json_string(runtime_status_name(status)));
    http__problem_with(request, kind_of_runtime(status), members,
                       *err->message ? err->message
                                     : runtime_status_text(status));
}

/* A limit of the store's is one on what is under way, so it is 429. */
static enum http__problem
kind_of_state(const struct state_operation *operation)
{
    switch (operation->status) {
    case STATE_NOT_FOUND:
        return HTTP__PROBLEM_NO_KEY;
    case STATE_CONFLICT:
        return operation->lock_lost ? HTTP__PROBLEM_LOCK_LOST
                                    : HTTP__PROBLEM_CONDITION;
    case STATE_COMPACTED:
        return HTTP__PROBLEM_COMPACTED;
    case STATE_LOCKED:
        return HTTP__PROBLEM_LOCKED;
    case STATE_INVALID:
        return HTTP__PROBLEM_BAD_REQUEST;
    case STATE_TOO_BIG:
        return HTTP__PROBLEM_TOO_LARGE;
    case STATE_LIMIT:
        return HTTP__PROBLEM_BUSY;
    case STATE_NOT_A_NUMBER:
        return HTTP__PROBLEM_NOT_A_NUMBER;
    case STATE_OVERFLOW:
        return HTTP__PROBLEM_OVERFLOW;
    case STATE_TIMEOUT:
        return HTTP__PROBLEM_BACKEND_TIMEOUT;
    case STATE_UNAVAILABLE:
        return HTTP__PROBLEM_UNAVAILABLE;
    case STATE_CLOSED:
        return HTTP__PROBLEM_DRAINING;
    case STATE_NO_MEMORY:
        return HTTP__PROBLEM_OVERLOADED;
    case STATE_UNSUPPORTED:
        return HTTP__PROBLEM_UNSUPPORTED;
    case STATE_QUOTA:
        return HTTP__PROBLEM_QUOTA;
    case STATE_ABORTED:
    case STATE_BACKEND:
    case STATE_SYSTEM:
    case STATE_OK:
    case STATE_PENDING:
        break;
    }
    return HTTP__PROBLEM_INTERNAL;
}

/* Answers with how an operation failed; takes `members` over. */
static void
respond_state(struct http__request *request,
              const struct state_operation *operation, json_t *members)
{
    enum http__problem kind = kind_of_state(operation);

    json_object_set_new(members, "reason",
                        json_string(state_status_name(operation->status)));
    if (kind == HTTP__PROBLEM_CONDITION || kind == HTTP__PROBLEM_COMPACTED)
        json_object_set_new(members, "version",
                            json_integer((json_int_t)operation->version));
    http__problem_with(request, kind, members, operation->message);
}

void
http__problem_state(struct http__request *request,
                    const struct state_operation *operation)
{
    respond_state(request, operation, json_object());
}

void
http__problem_status(struct http__request *request, enum state_status status,
                     const char *message)
{
    const struct state_operation operation = {.status = status,
                                              .message = message};

    http__problem_state(request, &operation);
}

void
http__problem_state_at(struct http__request *request,
                       const struct state_operation *operation, size_t index)
{
    respond_state(request, operation,
                  json_pack("{s:I}", "operation", (json_int_t)index));
}
