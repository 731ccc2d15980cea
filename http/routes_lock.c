/*
 * /v1/state/{key}:lock, :unlock and :extend, and the header Glass-Lock-Token.
 *
 * A lock that is granted to a client which has gone is given back. Whether it
 * has gone is seen when its turn comes, not before: until then it only waits.
 *
 * On the connection's thread, but for end_wait.
 */
#define _GNU_SOURCE /* POLLRDHUP */
#include "http/routes.h"

#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/units.h"

#include <microhttpd.h>
#include <poll.h>
#include <string.h>

bool
http__lock_read_token(struct http__request *request)
{
    const char *text = request->headers.glass_lock_token;
    uint64_t *token = &request->operation.lock_token;

    if (!text)
        return true;
    if (http__units_number(text, strlen(text), token) && *token > 0)
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "Glass-Lock-Token is no token that a lock came with");
    return false;
}

/* Reads a duration up to a limit, if it is there; false after an answer. */
static bool
read_duration(struct http__request *request, const char *name,
              uint64_t limit_ms, uint64_t *duration_ms)
{
    char text[32];
    size_t length;

    if (!http__request_parameter(request, name, text, sizeof(text), &length))
        return !request->response;
    if (http__units_duration_ms(text, length, duration_ms) &&
        *duration_ms <= limit_ms)
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the parameter '%s' is no duration such as 500ms or 30s, "
                  "of up to %llu s",
                  name, (unsigned long long)(limit_ms / 1000));
    return false;
}

/* Reads `?lease=`, which is not nothing; false after an answer. */
static bool
read_lease(struct http__request *request)
{
    uint64_t lease_ms = STATE_LEASE_MS_DEFAULT;

    if (!read_duration(request, "lease", STATE_LEASE_MS_MAX, &lease_ms))
        return false;
    if (lease_ms == 0) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the parameter 'lease' is no time at all");
        return false;
    }
    request->operation.lease_ms = lease_ms;
    return true;
}

/* Reads `?mode=`; false after an answer. */
static bool
read_mode(struct http__request *request)
{
    char text[16];
    size_t length;

    if (!http__request_parameter(request, "mode", text, sizeof(text),
                                 &length))
        return !request->response;
    request->operation.is_shared = strcmp(text, "shared") == 0;
    if (request->operation.is_shared || strcmp(text, "exclusive") == 0)
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the parameter 'mode' is 'shared' or 'exclusive'");
    return false;
}

/* Whether the client has closed its side of the connection. */
static bool
has_gone(const struct http__request *request)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(
        request->connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct pollfd poll_fd = {.events = POLLRDHUP};

    if (!info)
        return false;
    poll_fd.fd = info->connect_fd;
    return poll(&poll_fd, 1, 0) > 0;
}

void
http__lock_give_back(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    if (operation->kind != STATE_LOCK || operation->token == 0)
        return;
    operation->lock_token = operation->token;
    operation->kind = STATE_UNLOCK;
    operation->complete = NULL;
    state_store_submit(request->server->options.store, operation);
}

/* A lock has been granted, or not. */
static void
locked(struct http__request *request)
{
    struct state_operation *operation = &request->operation;

    http__waits_leave(&request->server->waits, request);
    if (operation->status == STATE_OK && has_gone(request)) {
        http__lock_give_back(request);
        request->close = true;
        http__problem(request, HTTP__PROBLEM_LOCKED,
                      "the connection was closed before the lock was granted");
        return;
    }
    if (operation->status != STATE_OK) {
        http__problem_state(request, operation);
        return;
    }
    json_t *document = json_object();
    json_object_set_new(document, "token",
                        json_integer((json_int_t)operation->token));
    json_object_set_new(document, "lease_ms",
                        json_integer((json_int_t)operation->lease_ms));
    http__respond_json(request, MHD_HTTP_OK, "application/json", document);
}

/* An unlock or an extension has ended. */
static void
changed(struct http__request *request)
{
    if (request->operation.status != STATE_OK)
        http__problem_state(request, &request->operation);
    else
        http__respond_empty(request, MHD_HTTP_NO_CONTENT);
}

/* The server shuts down while it waits. */
static void
end_wait(struct http__request *request)
{
    state_store_cancel(request->server->options.store, &request->operation);
}

static void
submit(struct http__request *request, enum state_kind kind,
       void (*done)(struct http__request *request))
{
    request->operation.kind = kind;
    request->operation.key.bytes = request->name;
    request->operation.key.length_bytes = request->name_length;
    http__request_submit(request, done);
    if (request->parks)
        http__waits_enter(&request->server->waits, request, end_wait);
}

void
http__lock_lock(struct http__request *request)
{
    if (read_mode(request) && read_lease(request) &&
        read_duration(request, "timeout", STATE_LOCK_TIMEOUT_MS_MAX,
                      &request->operation.timeout_ms))
        submit(request, STATE_LOCK, locked);
}

/* Reads the token, without which there is nothing to do. */
static bool
require_token(struct http__request *request)
{
    if (!http__lock_read_token(request))
        return false;
    if (request->operation.lock_token > 0)
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the header Glass-Lock-Token is missing");
    return false;
}

void
http__lock_unlock(struct http__request *request)
{
    if (require_token(request))
        submit(request, STATE_UNLOCK, changed);
}

void
http__lock_extend(struct http__request *request)
{
    if (require_token(request) && read_lease(request))
        submit(request, STATE_EXTEND, changed);
}
