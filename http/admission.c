/*
 * The checks between the headers and the body.
 *
 * Each check is a function that returns false after it has answered.
 * On the connection's thread only.
 */
#include "http/admission.h"

#include "http/auth.h"
#include "http/origin.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"

#include <string.h>
#include <strings.h>

/* Whether it is clear where the request ends. First: nothing else counts. */
static bool
check_framing(struct http__request *request)
{
    const struct http__headers *headers = &request->headers;

    if (headers->framing_error) {
        /* Nobody knows where the next request would begin. */
        request->close = true;
        http__problem(request, HTTP__PROBLEM_FRAMING, "%s",
                      headers->framing_error);
        return false;
    }
    if (request->needs_host && !headers->host) {
        request->close = true;
        http__problem(request, HTTP__PROBLEM_FRAMING,
                      "there is no header Host");
        return false;
    }
    if (headers->repeated) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the header '%s' is there twice", headers->repeated);
        return false;
    }
    if (headers->count > HTTP_HEADERS_MAX) {
        request->close = true;
        http__problem(request, HTTP__PROBLEM_HEADERS, "the limit is %d",
                      HTTP_HEADERS_MAX);
        return false;
    }
    if (headers->expect && strcasecmp(headers->expect, "100-continue") != 0) {
        http__problem(request, HTTP__PROBLEM_EXPECTATION,
                      "only 100-continue is known");
        return false;
    }
    return true;
}

/* Whether there is a space or a control byte in it. */
static bool
has_blank(const char *text)
{
    for (; *text; text++) {
        unsigned char byte = (unsigned char)*text;
        if (byte <= 0x20 || byte == 0x7f)
            return true;
    }
    return false;
}

/* Whether the target is one at all. */
static bool
check_target(struct http__request *request)
{
    switch (request->target_status) {
    case HTTP__TARGET_OK:
        if (!has_blank(request->target.raw))
            return true;
        /* It may have been meant for two words of the first line. */
        request->close = true;
        break;
    case HTTP__TARGET_TOO_LONG:
        request->close = true;
        http__problem(request, HTTP__PROBLEM_TARGET_LENGTH,
                      "the limit is %d bytes", HTTP_TARGET_BYTES_MAX);
        return false;
    case HTTP__TARGET_NO_MEMORY:
        http__problem(request, HTTP__PROBLEM_OVERLOADED, "out of memory");
        return false;
    case HTTP__TARGET_ABSENT:
    case HTTP__TARGET_BAD:
    case HTTP__TARGET_REPEATED:
        break;
    }
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "the target is neither a path nor an http URL, or holds a "
                  "space or a control byte");
    return false;
}

/*
 * Only programs of this machine: see origin.h. Tokens do without: a browser
 * does not send them by itself.
 */
static bool
check_origin(struct http__request *request)
{
    struct http__span authority = request->target.authority;
    const char *host = request->headers.host;

    if (http__auth_is_on(&request->server->auth))
        return true;
    /* The target of a request outranks its Host. */
    if (!authority.bytes && host)
        authority = (struct http__span){host, strlen(host)};
    if (authority.bytes &&
        !http__origin_host_is_local(authority.bytes, authority.length)) {
        http__problem(request, HTTP__PROBLEM_HOST,
                      "the server answers to localhost and to loopback "
                      "addresses");
        return false;
    }
    if (request->headers.origin &&
        (!authority.bytes ||
         !http__origin_is_own(request->headers.origin, authority.bytes,
                              authority.length))) {
        http__problem(request, HTTP__PROBLEM_ORIGIN,
                      "the header Origin does not name this server");
        return false;
    }
    return true;
}

/* Finds who answers; what is not found says how it is found. */
static bool
find_route(struct http__request *request)
{
    struct http__route_match *match = &request->match;

    http__route_find(request->method, request->target.path, match);
    if (match->route)
        return true;
    if (match->methods[0]) {
        http__problem(request, HTTP__PROBLEM_METHOD,
                      "the methods here are %s", match->methods);
        http__response_header(request, MHD_HTTP_HEADER_ALLOW,
                              match->methods);
    } else if (match->operation.length > 0) {
        http__problem(request, HTTP__PROBLEM_NO_ROUTE,
                      "there is no operation '%.*s'; in a key, a colon is "
                      "written %%3A",
                      (int)match->operation.length, match->operation.bytes);
    } else {
        http__problem(request, HTTP__PROBLEM_NO_ROUTE,
                      "the routes are listed at /");
    }
    return false;
}

/* Decodes the key or the name in the path, and knows the parameters. */
static bool
decode_name(struct http__request *request)
{
    /* Three bytes of the target can be one of the name. */
    char decoded[HTTP_TARGET_BYTES_MAX];
    struct http__span unknown;
    size_t length;

    if (http__target_unknown_parameter(
            &request->target, request->match.route->parameters, &unknown)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "there is no parameter '%.*s' here",
                      (int)unknown.length, unknown.bytes);
        return false;
    }
    if (request->match.name.length == 0)
        return true;
    if (!http__target_decode(request->match.name, decoded, &length)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the path has a bad escape");
        return false;
    }
    if (length >= sizeof(request->name)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "a key or name has at most %zu bytes",
                      sizeof(request->name) - 1);
        return false;
    }
    memcpy(request->name, decoded, length);
    request->name[length] = '\0';
    request->name_length = length;
    return true;
}

/* Sets the limit of the body, and refuses one that announces more. */
static bool
check_length(struct http__request *request)
{
    const struct http_server *server = request->server;

    switch (request->match.route->body) {
    case HTTP__BODY_NONE:
        request->body_bytes_max = HTTP_DISCARD_BYTES_MAX;
        break;
    case HTTP__BODY_MODULE:
        request->body_bytes_max = server->options.module_bytes_max;
        break;
    case HTTP__BODY_VALUE:
        request->body_bytes_max = server->options.value_bytes_max;
        break;
    case HTTP__BODY_NUMBER:
        request->body_bytes_max = HTTP_NUMBER_BYTES_MAX;
        break;
    case HTTP__BODY_BATCH:
        request->body_bytes_max = HTTP_BATCH_BYTES_MAX;
        break;
    case HTTP__BODY_SETTINGS:
        request->body_bytes_max = HTTP_SETTINGS_BYTES_MAX;
        break;
    case HTTP__BODY_INPUT:
        request->body_bytes_max = server->options.input_bytes_max;
        break;
    }
    if (request->headers.content_length_bytes <= request->body_bytes_max)
        return true;
    http__problem(request, HTTP__PROBLEM_TOO_LARGE,
                  "the limit is %zu bytes", request->body_bytes_max);
    return false;
}

/* While it drains, a connection takes one more answer and ends. */
static bool
check_draining(struct http__request *request)
{
    /* Who asks how the server is, shall hear it. */
    if (!atomic_load_explicit(&request->server->draining,
                              memory_order_relaxed))
        return true;
    request->close = true;
    if (request->match.route->pattern[1] != 'v' &&
        request->match.route->body != HTTP__BODY_INPUT)
        return true;
    http__problem(request, HTTP__PROBLEM_DRAINING,
                  "another server may take the request");
    return false;
}

void
http__admission_check(struct http__request *request)
{
    if (!check_framing(request) || !check_target(request) ||
        !check_origin(request) || !find_route(request) ||
        !http__auth_identify(request) || !decode_name(request) ||
        !http__auth_permit(request) ||
        !check_length(request) || !check_draining(request))
        return;
    if (request->match.route->begin)
        request->match.route->begin(request);
}
