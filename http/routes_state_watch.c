/*
 * /v1/state:watch: the changes of keys, as a stream of events.
 *
 * The first look waits for nothing, so that what is wrong is an answer of its
 * own. Then the request waits for changes again and again, each time for as
 * long as one heartbeat is from the next: a client that has gone without a word
 * is noticed by what it is sent. One that ends its direction of the connection
 * is sent a heartbeat at once, since it may have closed the other one as well,
 * which shows only then.
 *
 * On the connection's thread, but for end_wait.
 */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/stream.h"
#include "http/units.h"

#include <microhttpd.h>
#include <stdio.h>
#include <string.h>

/* What happened, as the type of an event. */
static const char *const change_names[] = {
    [STATE_KEY_WRITTEN] = "written",
    [STATE_KEY_DELETED] = "deleted",
    [STATE_KEY_VANISHED] = "vanished",
};

/* Whether one more may watch; false after an answer. */
static bool
enter(struct http__request *request)
{
    struct http_server *server = request->server;
    unsigned limit = server->options.watcher_count_max;
    char detail[64];

    request->watches = true;
    if (atomic_fetch_add(&server->watcher_count, 1) < limit)
        return true;
    snprintf(detail, sizeof(detail), "at most %u watch at once", limit);
    http__problem_with(request, HTTP__PROBLEM_BUSY,
                       json_pack("{s:s}", "limit", "watchers"), detail);
    return false;
}

void
http__state_watch_leave(struct http__request *request)
{
    if (request->watches)
        atomic_fetch_sub(&request->server->watcher_count, 1);
}

/* Tells what the operation found; without a change, where it stands. */
static void
tell(struct http__request *request)
{
    const struct state_operation *operation = &request->operation;

    for (size_t index = 0; index < operation->entry_count; index++) {
        const struct state_entry *entry = &operation->entries[index];
        http__stream_event(request, change_names[entry->change],
                           entry->version, http__json_entry(entry));
    }
    if (operation->entry_count == 0)
        http__stream_place(request, operation->version);
}

/* The server shuts down, or the client is not what it was. */
static void
end_wait(struct http__request *request)
{
    state_store_cancel(request->server->options.store, &request->operation);
}

/* Its waiting has ended. */
static void
told(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    http__watch_leave(&request->server->watch,
                      http__request_descriptor(request));
    http__waits_leave(&request->server->waits, request);
    if (operation->status == STATE_CLOSED &&
        !atomic_load(&request->server->draining)) {
        request->is_half_closed = true;
        http__stream_place(request, operation->watch_from);
    } else if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
    } else {
        tell(request);
        operation->watch_from = operation->version;
    }
}

/* All is sent: waits for more. */
static void
wait_for_more(struct http__request *request)
{
    struct http_server *server = request->server;

    http__request_submit(request, told);
    if (!request->parks)
        return;
    http__waits_enter(&server->waits, request, end_wait);
    http__watch_enter(&server->watch, request,
                      http__request_descriptor(request),
                      request->is_half_closed ? HTTP__HALF_CLOSED_IGNORED
                                              : HTTP__HALF_CLOSED_TOLD);
}

/* The first look. */
static void
looked(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    http__stream_begin(request, wait_for_more);
    tell(request);
    operation->watch_from = operation->version;
    operation->timeout_ms = request->server->options.heartbeat_ms;
}

/* Reads where to begin: a client that comes back says it by itself. */
static bool
read_from(struct http__request *request)
{
    const char *id = request->headers.last_event_id;
    uint64_t *from = &request->operation.watch_from;
    char text[24];
    size_t length;

    if (id) {
        if (http__units_number(id, strlen(id), from))
            return true;
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "Last-Event-ID is none that an event had");
        return false;
    }
    if (!http__request_parameter(request, "from", text, sizeof(text),
                                 &length))
        return !request->response;
    if (http__units_number(text, length, from))
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the parameter 'from' is no version");
    return false;
}

void
http__state_watch(struct http__request *request)
{
    if (!read_from(request) || !http__state_read_prefix(request) ||
        !enter(request))
        return;
    request->operation.kind = STATE_WATCH;
    http__request_submit(request, looked);
}
