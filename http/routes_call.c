/*
 * /v1/functions/{name}/invoke: calls.
 *
 * The call is made when the headers are there, so that the body streams into
 * it, and it is started when the body is there. How it ended becomes the
 * answer: the output as it is, the results of a plain export as JSON, and
 * everything else a problem that says what and where.
 *
 * A call that is pending suspends the connection. Meanwhile somebody looks
 * whether the client is still there (watch.c), and it is listed for the drain
 * to end it.
 *
 * Everything is on the connection's thread but for complete_call and cancel.
 */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/units.h"

#include <math.h>
#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Before the body -------------------------------------------------- */

/* Splits `2,3` at its commas; returns the count, or SIZE_MAX for too many. */
static size_t
split_arguments(char *text, const char *arguments[HTTP_ARGUMENTS_MAX])
{
    size_t count = 0;
    char *comma = text;

    if (!*text)
        return 0;
    do {
        if (count == HTTP_ARGUMENTS_MAX)
            return SIZE_MAX;
        arguments[count++] = text;
        comma = strchr(text, ',');
        if (comma) {
            *comma = '\0';
            text = comma + 1;
        }
    } while (comma);
    return count;
}

/* Reads `?export=` and `?args=`; returns false after an answer. */
static bool
choose_export(struct http__request *request)
{
    char name[HTTP_EXPORT_BYTES_MAX + 1];
    char text[HTTP_ARGUMENTS_BYTES_MAX + 1] = "";
    const char *arguments[HTTP_ARGUMENTS_MAX];
    struct runtime_error err;

    if (request->target.query.length == 0)
        return true;
    if (!http__request_text(request, "export", name, sizeof(name)))
        return !request->response;
    http__request_text(request, "args", text, sizeof(text));
    if (request->response)
        return false;
    size_t count = split_arguments(text, arguments);
    if (count > HTTP_ARGUMENTS_MAX) {
        http__problem(request, HTTP__PROBLEM_ARGUMENTS,
                      "there are more than %d arguments", HTTP_ARGUMENTS_MAX);
        return false;
    }
    enum runtime_status status = runtime_call_set_export(
        request->call, name, arguments, count, &err);
    request->calls_export = true;
    if (status == RUNTIME_OK)
        return true;
    if (status == RUNTIME_NOT_FOUND)
        http__problem(request, HTTP__PROBLEM_NO_EXPORT, "%s", err.message);
    else if (status == RUNTIME_INVALID)
        http__problem(request, HTTP__PROBLEM_ARGUMENTS, "%s", err.message);
    else
        http__problem_runtime(request, status, &err);
    return false;
}

/* The headers of a request as the runtime takes them. */
struct header_list {
    struct runtime_header items[HTTP_HEADERS_MAX];
    size_t count;
};

static enum MHD_Result
collect_header(void *data, enum MHD_ValueKind kind, const char *name,
               const char *value)
{
    struct header_list *list = data;

    (void)kind;
    if (list->count == HTTP_HEADERS_MAX)
        return MHD_NO;
    list->items[list->count++] = (struct runtime_header){name, value};
    return MHD_YES;
}

/* Commands see the request in their environment; false after an answer. */
static bool
describe_request(struct http__request *request)
{
    struct runtime_function_info info;
    struct runtime_error err;
    struct header_list list;
    struct runtime_request description = {
        .method = request->method,
        .query = request->target.query.bytes,
        .headers = list.items,
    };

    runtime_function_info(runtime_call_function(request->call), &info);
    if (info.kind != RUNTIME_COMMAND)
        return true;
    list.count = 0;
    MHD_get_connection_values(request->connection, MHD_HEADER_KIND,
                              collect_header, &list);
    description.header_count = list.count;
    enum runtime_status status =
        runtime_call_set_request(request->call, &description, &err);
    if (status == RUNTIME_OK)
        return true;
    http__problem_runtime(request, status, &err);
    return false;
}

/* Reads the header Glass-Timeout; returns false after an answer. */
static bool
lower_timeout(struct http__request *request)
{
    const char *text = request->headers.glass_timeout;
    uint64_t timeout_ms;

    if (!text)
        return true;
    if (!http__units_duration_ms(text, strlen(text), &timeout_ms) ||
        timeout_ms == 0) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "Glass-Timeout is no duration such as 250ms or 5s");
        return false;
    }
    runtime_call_set_timeout_ms(request->call, timeout_ms);
    return true;
}

void
http__call_begin(struct http__request *request)
{
    struct runtime_error err;
    enum runtime_status status =
        runtime_call_create(request->server->options.runtime,
                            request->namespace_, request->name,
                            &request->call, &err);

    if (status != RUNTIME_OK) {
        http__problem_runtime(request, status, &err);
        return;
    }
    if (choose_export(request) && lower_timeout(request))
        describe_request(request);
}

/* ---- After it --------------------------------------------------------- */

/* A result as JSON, which has no number for what is not finite. */
static void
print_value(FILE *stream, const struct runtime_value *value)
{
    bool is_float = value->type[0] == 'f';
    bool is_number = !is_float || isfinite(strtod(value->text, NULL));

    fprintf(stream, is_number ? "%s" : "\"%s\"", value->text);
}

/* The results of an export as `{"results":[...]}`. */
static void
respond_values(struct http__request *request,
               const struct runtime_result *result)
{
    char *text = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&text, &length);

    if (!stream)
        return;
    fputs("{\"results\":[", stream);
    for (size_t index = 0; index < result->value_count; index++) {
        if (index > 0)
            putc(',', stream);
        print_value(stream, &result->values[index]);
    }
    fputs("]}\n", stream);
    if (fclose(stream) != 0) {
        free(text);
        return;
    }
    http__respond(request, MHD_HTTP_OK, "application/json", text, length,
                  HTTP__MALLOCED);
}

/*
 * The problem that the end of a call is. What cannot be the end of a call that
 * was started is a mistake of ours, which is what INTERNAL says.
 */
static enum http__problem
kind_of_end(enum runtime_status status)
{
    switch (status) {
    case RUNTIME_TRAP:
        return HTTP__PROBLEM_TRAP;
    case RUNTIME_EXHAUSTED:
        return HTTP__PROBLEM_EXHAUSTED;
    case RUNTIME_FAILED:
        return HTTP__PROBLEM_FAILED;
    case RUNTIME_EXITED:
        return HTTP__PROBLEM_EXITED;
    case RUNTIME_OUT_OF_FUEL:
        return HTTP__PROBLEM_FUEL;
    case RUNTIME_TIMEOUT:
        return HTTP__PROBLEM_DEADLINE;
    case RUNTIME_CANCELLED:
        return HTTP__PROBLEM_CANCELLED;
    case RUNTIME_OUT_OF_MEMORY:
        return HTTP__PROBLEM_MEMORY;
    case RUNTIME_TOO_BIG:
        return HTTP__PROBLEM_OUTPUT;
    case RUNTIME_LIMIT:
        return HTTP__PROBLEM_LIMIT;
    case RUNTIME_INVALID:
        return HTTP__PROBLEM_ARGUMENTS;
    case RUNTIME_BUSY:
        return HTTP__PROBLEM_BUSY;
    case RUNTIME_NO_MEMORY:
        return HTTP__PROBLEM_OVERLOADED;
    default:
        return HTTP__PROBLEM_INTERNAL;
    }
}

/* The call failed: everything that is known of where and why. */
static void
respond_problem(struct http__request *request,
                const struct http__call_end *end)
{
    const struct runtime_result *result = end->result;
    const struct runtime_error *err = &result->error;
    json_t *members = http__problem_place(err);

    json_object_set_new(members, "function", json_string(end->function));
    json_object_set_new(members, "call_id", json_string(end->id));
    if (result->status == RUNTIME_FAILED || result->status == RUNTIME_EXITED)
        json_object_set_new(members, "code", json_integer(result->code));
    http__problem_with(request, kind_of_end(result->status), members,
                       *err->message ? err->message
                                     : runtime_status_text(result->status));
}

/* Writes a number; returns the place behind it. By hand: every answer has
 * three, and printf's way is as long as the rest of the answer's. */
static char *
put_number(char *text, uint64_t number)
{
    char digits[20];
    size_t count = 0;

    do
        digits[count++] = (char)('0' + number % 10);
    while ((number /= 10) > 0);
    while (count > 0)
        *text++ = digits[--count];
    *text = '\0';
    return text;
}

/* Writes "NAME;dur=" and milliseconds with three decimals. */
static char *
put_duration(char *text, const char *name, uint64_t duration_ns)
{
    unsigned us = (unsigned)(duration_ns / 1000 % 1000);

    text = put_number(stpcpy(stpcpy(text, name), ";dur="),
                      duration_ns / 1000000);
    *text++ = '.';
    *text++ = (char)('0' + us / 100);
    *text++ = (char)('0' + us / 10 % 10);
    *text++ = (char)('0' + us % 10);
    *text = '\0';
    return text;
}

/* What is worth knowing of a call whatever its end. */
static void
add_headers(struct http__request *request, const struct http__call_end *ended)
{
    const struct runtime_result *result = ended->result;
    char text[128];

    http__response_header(request, "X-Call-Id", ended->id);
    if (result->start != RUNTIME_START_NONE)
        http__response_header(request, "Glass-Start",
                              runtime_start_name(result->start));
    put_number(text, result->fuel_used);
    http__response_header(request, "Glass-Fuel-Used", text);
    char *end = text;
    if (result->queue_ns > 0)
        end = stpcpy(put_duration(end, "queue", result->queue_ns), ", ");
    end = stpcpy(put_duration(end, "init", result->init_ns), ", ");
    put_duration(end, "exec", result->run_ns);
    http__response_header(request, "Server-Timing", text);
}

void
http__call_respond(struct http__request *request,
                   const struct http__call_end *end)
{
    const struct runtime_result *result = end->result;

    if (result->status != RUNTIME_OK)
        respond_problem(request, end);
    else if (end->calls_export)
        respond_values(request, result);
    else
        http__respond(request, MHD_HTTP_OK, "application/octet-stream",
                      result->output, result->output_bytes, HTTP__BORROWED);
    add_headers(request, end);
}

/* The call has ended, one way or the other. */
static void
ended(struct http__request *request)
{
    http__call_respond(
        request, &(struct http__call_end){
                     .id = runtime_call_id(request->call),
                     .function = request->name,
                     .calls_export = request->calls_export,
                     .result = runtime_call_result(request->call),
                 });
}

/* ---- In between ------------------------------------------------------- */

/* Ends the pending call soon; any thread. */
static void
cancel(struct http__request *request)
{
    runtime_call_cancel(request->call);
}

/* On the thread that ended the call: nothing may be done but to wake. */
static void
complete_call(struct runtime_call *call, void *data)
{
    (void)call;
    http__request_resume(data);
}

/* A pending call has ended. */
static void
resumed(struct http__request *request)
{
    http__watch_leave(&request->server->watch,
                      http__request_descriptor(request));
    http__waits_leave(&request->server->calls, request);
    ended(request);
}

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

/*
 * Whether the loop has time for a guest. What its guests took is forgotten as
 * fast as it does other things, or nothing. `begin_ns` is now.
 */
static bool
has_time(struct http__loop *loop, uint64_t begin_ns)
{
    uint64_t other_ns = begin_ns - loop->guest_end_ns;

    loop->guest_ns =
        loop->guest_ns > other_ns ? loop->guest_ns - other_ns : 0;
    loop->guest_end_ns = begin_ns;
    return loop->guest_ns < HTTP_GUEST_NS_MAX;
}

void
http__call_finish(struct http__request *request)
{
    struct http__loop *loop = request->loop;
    struct http_server *server = request->server;
    uint64_t begin_ns = now_ns();

    if (http__async_is_preferred(request)) {
        http__async_start(request);
        return;
    }
    if (!http__request_may_park(request))
        return;
    if (!has_time(loop, begin_ns))
        runtime_call_set_deferred(request->call);
    enum runtime_status status =
        runtime_call_start(request->call, complete_call, request);
    loop->guest_end_ns = now_ns();
    loop->guest_ns += loop->guest_end_ns - begin_ns;
    if (status == RUNTIME_PENDING) {
        http__waits_enter(&server->calls, request, cancel);
        http__watch_enter(&server->watch, request,
                          http__request_descriptor(request),
                          request->needs_host ? HTTP__HALF_CLOSED_PROBED
                                              : HTTP__HALF_CLOSED_IGNORED);
        http__request_park(request, resumed);
        return;
    }
    http__request_need_not_park(request);
    ended(request);
}
