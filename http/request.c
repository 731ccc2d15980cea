/*
 * What libmicrohttpd calls: a request arrives, its headers and its body are
 * there, its answer has been sent.
 *
 * libmicrohttpd calls the handler first with the headers alone, then once per
 * piece of the body, then once more. An answer that is given at the first call
 * closes the connection, so a refusal waits for the last one, unless there is
 * so much body to throw away that closing is better; in between, no answer can
 * be given at all.
 *
 * On the loop's thread, but for http__request_resume.
 */
#include "http/request.h"

#include "http/admission.h"
#include "http/auth.h"
#include "http/problem.h"
#include "http/response.h"
#include "http/routes.h"
#include "http/units.h"

#include <stdlib.h>
#include <string.h>

void *
http__request_arrive(void *data, const char *target,
                     struct MHD_Connection *connection)
{
    struct http__loop *loop = data;
    struct http__request *request = malloc(sizeof(*request));

    if (!request)
        return NULL;
    memset(request, 0, offsetof(struct http__request, target));
    request->loop = loop;
    request->server = loop->server;
    request->connection = connection;
    request->target_begin = target;
    request->target_end = target ? target + strlen(target) : NULL;
    request->target_status = http__target_init(&request->target, target);
    atomic_fetch_add_explicit(&loop->request_count, 1, memory_order_relaxed);
    return request;
}

/*
 * A connection that broke, or whose daemon ends, is never asked again when it
 * has been resumed: then its request is still where it was while it waited.
 */
static void
leave_waits(struct http__request *request)
{
    if (!request->wait.listed_in)
        return;
    http__watch_leave(&request->server->watch,
                      http__request_descriptor(request));
    http__waits_leave(request->wait.listed_in, request);
}

void
http__request_complete(void *data, struct MHD_Connection *connection,
                       void **context, enum MHD_RequestTerminationCode code)
{
    struct http__loop *loop = data;
    struct http__request *request = *context;

    (void)connection;
    *context = NULL;
    if (!request)
        return;
    leave_waits(request);
    if (code != MHD_REQUEST_TERMINATED_COMPLETED_OK)
        http__lock_give_back(request);
    http__state_watch_leave(request);
    http__state_batch_destroy(request->batch);
    http__stream_deinit(&request->stream);
    state_operation_deinit(&request->operation);
    runtime_call_destroy(request->call);
    http__async_leave(request);
    if (request->response && request->phase != HTTP__PHASE_ANSWERED)
        MHD_destroy_response(request->response);
    free(request->body.bytes);
    /* After all that knows the namespace, which is the token's. */
    http__auth_leave(request);
    http__target_deinit(&request->target);
    free(request);
    atomic_fetch_sub_explicit(&loop->request_count, 1, memory_order_release);
}

/* Hands the answer over; without one the connection is closed. */
static enum MHD_Result
send_answer(struct http__request *request)
{
    if (!request->response)
        return MHD_NO;
    if (request->close)
        http__response_header(request, MHD_HTTP_HEADER_CONNECTION, "close");
    enum MHD_Result result = MHD_queue_response(
        request->connection, request->status, request->response);
    MHD_destroy_response(request->response);
    request->phase = HTTP__PHASE_ANSWERED;
    return result;
}

/*
 * Whether method, target and version lie one behind the other with one byte,
 * the space that is a zero now, between each: a NUL would have hidden what
 * follows it. See headers.c for the same of the headers.
 */
static bool
is_whole_line(const struct http__request *request, const char *method,
              const char *version)
{
    return request->target_begin &&
           request->target_begin == method + strlen(method) + 1 &&
           version == request->target_end + 1;
}

/*
 * The headers are there: lets the request in, or answers it. Returns MHD_NO to
 * close the connection without a word.
 */
static enum MHD_Result
begin(struct http__request *request, const char *method, const char *version)
{
    const struct http__headers *headers = &request->headers;

    request->phase = HTTP__PHASE_BODY;
    request->method = method;
    request->is_head = strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    request->needs_host = strcmp(version, MHD_HTTP_VERSION_1_0) != 0;
    http__headers_read(&request->headers, request->connection, method,
                       version);
    if (!is_whole_line(request, method, version))
        request->headers.framing_error =
            "the first line is not a method, a target and a version with one "
            "space between";
    http__admission_check(request);
    if (!request->response)
        return MHD_YES;
    /*
     * Refused. A small body is on its way anyway, and reading it keeps the
     * connection; but a client that asks first gets its answer first.
     */
    if (headers->content_length_bytes > HTTP_DISCARD_BYTES_MAX ||
        (headers->expect &&
         (headers->chunked || headers->content_length_bytes > 0)))
        request->close = true;
    return request->close ? send_answer(request) : MHD_YES;
}

/* Keeps a piece of the body; returns false when memory is out. */
static bool
keep(struct http__request *request, const char *bytes, size_t length)
{
    struct http__buffer *body = &request->body;

    if (length > body->capacity - body->length) {
        /* The headers say how long it gets, unless it comes in chunks. */
        size_t capacity = (size_t)request->headers.content_length_bytes;
        if (capacity < body->length + length)
            capacity = (body->length + length) * 2;
        if (capacity > request->body_bytes_max)
            capacity = request->body_bytes_max;
        char *grown = realloc(body->bytes, capacity);
        if (!grown)
            return false;
        body->bytes = grown;
        body->capacity = capacity;
    }
    memcpy(body->bytes + body->length, bytes, length);
    body->length += length;
    return true;
}

/* The body passed its limit: what there is of it is of no use any more. */
static void
refuse_body(struct http__request *request)
{
    http__problem(request, HTTP__PROBLEM_TOO_LARGE,
                  "the limit is %zu bytes", request->body_bytes_max);
    free(request->body.bytes);
    request->body = (struct http__buffer){0};
}

/*
 * A piece of the body is there. It is taken whole in any case: what is refused
 * goes on to be received, but nowhere.
 */
static enum MHD_Result
receive(struct http__request *request, const char *bytes, size_t length)
{
    struct runtime_error err;

    if (request->response ||
        request->match.route->body == HTTP__BODY_NONE) {
        request->discarded_bytes += length;
        return request->discarded_bytes > HTTP_DISCARD_BYTES_MAX ? MHD_NO
                                                                 : MHD_YES;
    }
    if (request->match.route->body == HTTP__BODY_INPUT) {
        enum runtime_status status = runtime_call_input_append(
            request->call, bytes, length, &err);
        if (status != RUNTIME_OK)
            http__problem_runtime(request, status, &err);
        return MHD_YES;
    }
    if (length > request->body_bytes_max - request->body.length)
        refuse_body(request);
    else if (!keep(request, bytes, length))
        http__problem(request, HTTP__PROBLEM_OVERLOADED,
                      "there is no memory for the body");
    return MHD_YES;
}

void
http__request_suspend(struct http__request *request)
{
    MHD_suspend_connection(request->connection);
    if (atomic_fetch_add(&request->rendezvous, 1) > 0) {
        MHD_resume_connection(request->connection);
        atomic_fetch_sub(&request->loop->parked_count, 1);
    }
}

void
http__request_resume(struct http__request *request)
{
    struct MHD_Connection *connection = request->connection;
    struct http__loop *loop = request->loop;

    /* Whoever comes first leaves the rest, and the request, to the second. */
    if (atomic_fetch_add(&request->rendezvous, 1) == 0)
        return;
    MHD_resume_connection(connection);
    atomic_fetch_sub(&loop->parked_count, 1);
}

void
http__request_park(struct http__request *request,
                   void (*resume)(struct http__request *request))
{
    request->parks = true;
    request->resume = resume;
}

void
http__request_unpark(struct http__request *request)
{
    request->parks = false;
    atomic_store(&request->rendezvous, 0);
}

void
http__request_gone(struct http__request *request)
{
    request->wait.end(request);
}

int
http__request_descriptor(const struct http__request *request)
{
    return MHD_get_connection_info(request->connection,
                                   MHD_CONNECTION_INFO_CONNECTION_FD)
        ->connect_fd;
}

/* Sends the answer, unless it comes later. */
static enum MHD_Result
answer_or_suspend(struct http__request *request)
{
    if (!request->parks)
        return send_answer(request);
    request->phase = HTTP__PHASE_PARKED;
    http__request_suspend(request);
    return MHD_YES;
}

/* The request is there as a whole: answers it, or parks it. */
static enum MHD_Result
finish(struct http__request *request)
{
    if (!request->response)
        request->match.route->finish(request);
    return answer_or_suspend(request);
}

/*
 * What it waited for has ended. The answer may take another wait: the two who
 * meet start from zero again.
 */
static enum MHD_Result
wake(struct http__request *request)
{
    http__request_unpark(request);
    request->resume(request);
    return answer_or_suspend(request);
}

enum MHD_Result
http__request_handle(void *loop, struct MHD_Connection *connection,
                     const char *url, const char *method, const char *version,
                     const char *upload, size_t *upload_length,
                     void **context)
{
    struct http__request *request = *context;

    (void)loop;
    (void)connection;
    (void)url;
    if (!request)
        return MHD_NO;
    switch (request->phase) {
    case HTTP__PHASE_HEADERS:
        return begin(request, method, version);
    case HTTP__PHASE_BODY:
        if (*upload_length == 0)
            return finish(request);
        size_t length = *upload_length;
        *upload_length = 0;
        return receive(request, upload, length);
    case HTTP__PHASE_PARKED:
        return wake(request);
    case HTTP__PHASE_ANSWERED:
        break;
    }
    return MHD_NO;
}

/* On a thread of the store's: nothing may be done here but to wake. */
static void
complete_operation(struct state_operation *operation)
{
    http__request_resume(operation->data);
}

bool
http__request_may_park(struct http__request *request)
{
    /* In this order: whoever ends the server sets the one before it reads the
     * other. */
    atomic_fetch_add(&request->loop->parked_count, 1);
    if (!atomic_load(&request->server->ending))
        return true;
    http__request_need_not_park(request);
    http__problem(request, HTTP__PROBLEM_DRAINING,
                  "another server may take the request");
    return false;
}

void
http__request_need_not_park(struct http__request *request)
{
    atomic_fetch_sub(&request->loop->parked_count, 1);
}

void
http__request_submit(struct http__request *request,
                     void (*done)(struct http__request *request))
{
    struct state_operation *operation = &request->operation;

    operation->namespace_ = request->namespace_;
    operation->complete = complete_operation;
    operation->data = request;
    if (!http__request_may_park(request))
        return;
    enum state_status status =
        state_store_submit(request->server->options.store, operation);
    if (status == STATE_PENDING) {
        http__request_park(request, done);
        return;
    }
    http__request_need_not_park(request);
    done(request);
}

bool
http__request_parameter(struct http__request *request, const char *name,
                        char *text, size_t capacity, size_t *length)
{
    switch (http__target_parameter_decoded(&request->target, name, text,
                                           capacity, length)) {
    case HTTP__TARGET_OK:
        return true;
    case HTTP__TARGET_ABSENT:
        return false;
    case HTTP__TARGET_BAD:
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter '%s' has a bad escape", name);
        return false;
    case HTTP__TARGET_TOO_LONG:
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter '%s' is longer than %zu bytes", name,
                      capacity - 1);
        return false;
    case HTTP__TARGET_REPEATED:
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter '%s' is there twice", name);
        return false;
    case HTTP__TARGET_NO_MEMORY:
        break;
    }
    http__problem(request, HTTP__PROBLEM_OVERLOADED, "out of memory");
    return false;
}

bool
http__request_text(struct http__request *request, const char *name, char *text,
                   size_t capacity)
{
    size_t length;

    if (!http__request_parameter(request, name, text, capacity, &length))
        return false;
    if (!memchr(text, '\0', length))
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the parameter '%s' has a zero in it", name);
    return false;
}

unsigned
http__request_read_status(struct http__request *request, const char *etag)
{
    const char *if_match = request->headers.if_match;
    const char *if_none_match = request->headers.if_none_match;
    struct http__etags wanted;
    struct http__etags known;

    if ((if_match && !http__condition_parse(if_match, &wanted)) ||
        (if_none_match && !http__condition_parse(if_none_match, &known))) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "If-Match and If-None-Match take * or up to %d ETags in "
                      "quotes",
                      HTTP_ETAGS_MAX);
        return MHD_HTTP_BAD_REQUEST;
    }
    if (if_match && !http__condition_holds(&wanted, etag, true)) {
        http__problem(request, HTTP__PROBLEM_CONDITION,
                      "the ETag here is \"%s\"", etag);
        return MHD_HTTP_PRECONDITION_FAILED;
    }
    if (if_none_match && http__condition_holds(&known, etag, false))
        return MHD_HTTP_NOT_MODIFIED;
    return MHD_HTTP_OK;
}

enum http__write
http__request_write(struct http__request *request, struct http__span *etag)
{
    enum http__write write = http__condition_of_write(
        request->headers.if_match, request->headers.if_none_match, etag);

    if (write == HTTP__WRITE_BAD)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "a write takes If-Match with one ETag or *, or "
                      "If-None-Match with *");
    return write;
}

bool
http__request_limit(struct http__request *request, unsigned *limit)
{
    char text[8];
    size_t length;
    uint64_t number = HTTP_LIST_ITEMS_DEFAULT;

    if (http__request_parameter(request, "limit", text, sizeof(text),
                                &length) &&
        (!http__units_number(text, length, &number) || number < 1 ||
         number > HTTP_LIST_ITEMS_MAX))
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'limit' is no number from 1 to %d",
                      HTTP_LIST_ITEMS_MAX);
    if (request->response)
        return false;
    *limit = (unsigned)number;
    return true;
}
