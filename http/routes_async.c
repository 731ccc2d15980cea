/*
 * /async-function/{name} and /v1/calls/{id}: calls whose client does not wait.
 *
 * The runtime keeps such a call by its identity, and its result for a while
 * (runtime/calls.h). Here it is only asked for: at once, after waiting for its
 * end, or until its end by a stream of events.
 *
 * Everything is on the connection's thread but for wake and end_wait.
 */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/stream.h"
#include "http/units.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* ---- Starting one ------------------------------------------------------- */

bool
http__async_is_preferred(const struct http__request *request)
{
    static const char wanted[] = "respond-async";
    const char *next = request->headers.prefer;

    while (next && *next) {
        next += strspn(next, " \t,");
        size_t length = strcspn(next, " \t,;=");
        if (length == sizeof(wanted) - 1 &&
            strncasecmp(next, wanted, length) == 0)
            return true;
        next += strcspn(next, ",");
    }
    return false;
}

void
http__async_start(struct http__request *request)
{
    char location[64];
    char id[RUNTIME_CALL_ID_SIZE];
    struct runtime_error err;

    strcpy(id, runtime_call_id(request->call));
    enum runtime_status status = runtime_call_keep(request->call, &err);
    if (status != RUNTIME_OK) {
        http__problem_runtime(request, status, &err);
        return;
    }
    request->call = NULL;
    snprintf(location, sizeof(location), "/v1/calls/%s", id);
    http__respond_json(request, MHD_HTTP_ACCEPTED, "application/json",
                       json_pack("{s:s, s:s}", "id", id, "status",
                                 "pending"));
    http__response_header(request, MHD_HTTP_HEADER_LOCATION, location);
    http__response_header(request, "X-Call-Id", id);
    if (http__async_is_preferred(request))
        http__response_header(request, "Preference-Applied",
                              "respond-async");
}

/* ---- How it stands ------------------------------------------------------ */

/* Finds the call of the path, unless it has been. */
static bool
look_up(struct http__request *request)
{
    return request->kept ||
           runtime_kept_get(request->server->options.runtime,
                            request->namespace_, request->name,
                            &request->kept, NULL) == RUNTIME_OK;
}

const char *
http__async_function(struct http__request *request)
{
    struct runtime_kept_info info;

    if (!look_up(request))
        return "";
    runtime_kept_info(request->kept, &info);
    return info.function;
}

/* The same as looking it up, with an answer where there is none. */
static bool
find(struct http__request *request)
{
    if (look_up(request))
        return true;
    http__problem(request, HTTP__PROBLEM_NO_CALL,
                  "results are kept for a while only");
    return false;
}

void
http__async_leave(struct http__request *request)
{
    runtime_kept_wait_destroy(request->kept_wait);
    request->kept_wait = NULL;
    runtime_kept_put(request->kept);
    request->kept = NULL;
}

/* What an ended call is known by, besides its output. */
static void
describe_end(json_t *document, const struct runtime_result *result)
{
    json_object_set_new(document, "output_size",
                        json_integer((json_int_t)result->output_bytes));
    json_object_set_new(document, "fuel_used",
                        json_integer((json_int_t)result->fuel_used));
    if (result->status == RUNTIME_OK)
        return;
    /* What a guest has said need not be UTF-8. */
    json_object_set_new(document, "detail",
                        http__json_text(result->error.message,
                                        strlen(result->error.message)));
    if (result->status == RUNTIME_FAILED || result->status == RUNTIME_EXITED)
        json_object_set_new(document, "code", json_integer(result->code));
}

static json_t *
describe(const struct http__request *request)
{
    struct runtime_kept_info info;

    runtime_kept_info(request->kept, &info);
    json_t *document = json_pack(
        "{s:s, s:s, s:s, s:I}", "id", info.id, "function", info.function,
        "status",
        runtime_status_name(info.result ? info.result->status
                                        : RUNTIME_PENDING),
        "begun_ms", (json_int_t)info.begun_ms);
    json_object_set_new(document, "ended_ms",
                        info.result ? json_integer((json_int_t)info.ended_ms)
                                    : json_null());
    if (info.result)
        describe_end(document, info.result);
    return document;
}

/* One call of a graph; times in microseconds since the first one began. */
static json_t *
describe_graph_call(const struct runtime_graph_call *call)
{
    json_t *document =
        json_pack("{s:s, s:s, s:s, s:I}", "id", call->id, "function",
                  call->function, "status", runtime_status_name(call->status),
                  "begun_us", (json_int_t)(call->begun_ns / 1000));

    json_object_set_new(document, "parent",
                        call->parent == RUNTIME_NO_PARENT
                            ? json_null()
                            : json_integer(call->parent));
    json_object_set_new(document, "ended_us",
                        call->status == RUNTIME_PENDING
                            ? json_null()
                            : json_integer(
                                  (json_int_t)(call->ended_ns / 1000)));
    return document;
}

/* Adds the calls that came of it, itself the first. */
static void
add_graph(const struct http__request *request, json_t *document)
{
    struct runtime_graph graph = {0};
    json_t *calls = NULL;

    if (runtime_kept_graph(request->kept, &graph, NULL) == RUNTIME_OK)
        calls = json_array();
    for (size_t i = 0; i < graph.count; i++)
        json_array_append_new(calls, describe_graph_call(&graph.calls[i]));
    runtime_graph_deinit(&graph);
    json_object_set_new(document, "calls", calls);
}

/* ---- Waiting ------------------------------------------------------------ */

/* On the thread that ended the call, or that keeps the time. */
static void
wake(void *request)
{
    http__request_resume(request);
}

/* The client is gone, or the server shuts down; any thread. */
static void
end_wait(struct http__request *request)
{
    runtime_kept_wait_end(request->kept_wait);
}

static void
leave_wait(struct http__request *request)
{
    http__watch_leave(&request->server->watch,
                      http__request_descriptor(request));
    http__waits_leave(&request->server->waits, request);
    runtime_kept_wait_destroy(request->kept_wait);
    request->kept_wait = NULL;
}

/*
 * Parks until the call has ended, or for so long, and has `resumed` called
 * then. Returns false when that is now, or after an answer.
 */
static bool
wait_for_end(struct http__request *request, uint64_t timeout_ms,
             void (*resumed)(struct http__request *request))
{
    struct http_server *server = request->server;
    enum http__half_closed half_closed =
        request->needs_host && !http__stream_has_begun(request)
            ? HTTP__HALF_CLOSED_PROBED
            : HTTP__HALF_CLOSED_IGNORED;

    if (!http__request_may_park(request))
        return false;
    enum runtime_status status = runtime_kept_wait(
        request->kept, timeout_ms, wake, request, &request->kept_wait);
    if (status != RUNTIME_PENDING) {
        http__request_need_not_park(request);
        if (status != RUNTIME_OK)
            http__problem(request, HTTP__PROBLEM_OVERLOADED,
                          "too many wait for calls");
        return false;
    }
    http__waits_enter(&server->waits, request, end_wait);
    http__watch_enter(&server->watch, request,
                      http__request_descriptor(request), half_closed);
    http__request_park(request, resumed);
    return true;
}

/* ---- One answer --------------------------------------------------------- */

/* False also after an answer: it makes no sense. */
static bool
wants_graph(struct http__request *request)
{
    char text[8];

    if (!http__request_text(request, "graph", text, sizeof(text)))
        return false;
    if (strcmp(text, "true") == 0)
        return true;
    if (strcmp(text, "false") != 0)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'graph' is true or false");
    return false;
}

static void
answer(struct http__request *request)
{
    bool with_graph = wants_graph(request);
    json_t *document = describe(request);

    if (with_graph)
        add_graph(request, document);
    http__respond_json(request, MHD_HTTP_OK, "application/json", document);
}

static void
waited(struct http__request *request)
{
    leave_wait(request);
    answer(request);
}

/* Reads `?wait=`, 0 without it; returns false after an answer. */
static bool
read_wait(struct http__request *request, uint64_t *wait_ms)
{
    char text[24];
    size_t length;

    *wait_ms = 0;
    if (!http__request_parameter(request, "wait", text, sizeof(text),
                                 &length))
        return !request->response;
    if (http__units_duration_ms(text, length, wait_ms) &&
        *wait_ms <= HTTP_WAIT_MS_MAX)
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the parameter 'wait' is no duration up to %ds",
                  HTTP_WAIT_MS_MAX / 1000);
    return false;
}

void
http__async_get(struct http__request *request)
{
    uint64_t wait_ms;

    if (!find(request) || !read_wait(request, &wait_ms))
        return;
    wants_graph(request);
    if (request->response)
        return;
    if (wait_ms == 0 || !wait_for_end(request, wait_ms, waited))
        answer(request);
}

void
http__async_output(struct http__request *request)
{
    struct runtime_kept_info info;

    if (!find(request))
        return;
    runtime_kept_info(request->kept, &info);
    if (!info.result) {
        http__problem(request, HTTP__PROBLEM_PENDING,
                      "GET /v1/calls/%s?wait=5s waits for it", info.id);
        return;
    }
    http__call_respond(request, &(struct http__call_end){
                                    .id = info.id,
                                    .function = info.function,
                                    .calls_export = info.calls_export,
                                    .result = info.result,
                                });
}

void
http__async_delete(struct http__request *request)
{
    if (!find(request))
        return;
    runtime_kept_delete(request->kept);
    http__respond_empty(request, MHD_HTTP_NO_CONTENT);
}

/* ---- Events ------------------------------------------------------------- */

/* How it stands; the end is the last that is told. */
static void
tell(struct http__request *request)
{
    struct runtime_kept_info info;

    runtime_kept_info(request->kept, &info);
    http__stream_event(request, info.result ? "ended" : "pending", 0,
                       describe(request));
    if (info.result)
        http__stream_end(request);
}

static void
told(struct http__request *request)
{
    leave_wait(request);
    tell(request);
}

/* All is sent: waits for the end, or the next heartbeat. */
static void
wait_for_more(struct http__request *request)
{
    struct http_server *server = request->server;

    if (atomic_load(&server->draining))
        http__problem(request, HTTP__PROBLEM_DRAINING,
                      "another server may take the request");
    else if (!wait_for_end(request, server->options.heartbeat_ms, told) &&
             !request->stream.has_ended)
        tell(request);
}

void
http__async_events(struct http__request *request)
{
    if (!find(request))
        return;
    http__stream_begin(request, wait_for_more);
    tell(request);
}
