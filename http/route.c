/*
 * Matching paths against the patterns of routes.inc.
 *
 * The table is constant: any thread may call what is here.
 */
#define _GNU_SOURCE /* memrchr */

#include "http/route.h"

#include "http/routes.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

/* A route that does not say what it needs is refused: check_auth finds it. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"
static const struct http__route routes[] = {
#define ROUTE(method, pattern, operation, parameters, body, begin, finish,    \
              ...)                                                            \
    {method, pattern, operation, parameters, HTTP__BODY_##body,               \
     begin,  finish,  __VA_ARGS__},
#define NEEDS(scopes, object) {HTTP__SCOPE_##scopes, HTTP__OBJECT_##object}
#include "http/routes.inc"
#undef NEEDS
#undef ROUTE
};
#pragma GCC diagnostic pop

#define ROUTE_COUNT (sizeof(routes) / sizeof(*routes))

/*
 * Cuts the operation off the end of a key; there may be none, but a colon has
 * one behind it.
 */
static bool
split_operation(struct http__span *key, struct http__span *operation)
{
    const char *colon = memrchr(key->bytes, ':', key->length);

    *operation = (struct http__span){"", 0};
    if (!colon)
        return true;
    operation->bytes = colon + 1;
    operation->length =
        key->length - (size_t)(operation->bytes - key->bytes);
    key->length = (size_t)(colon - key->bytes);
    return operation->length > 0;
}

/* Whether the path has the route's form; the operation is not looked at. */
static bool
path_fits(const struct http__route *route, struct http__span path,
          struct http__span *name, struct http__span *operation)
{
    const char *pattern = route->pattern;
    const char *brace = strchr(pattern, '{');
    size_t literal = brace ? (size_t)(brace - pattern) : strlen(pattern);

    *name = *operation = (struct http__span){"", 0};
    if (path.length < literal || memcmp(path.bytes, pattern, literal) != 0)
        return false;
    struct http__span rest = {path.bytes + literal, path.length - literal};
    if (!brace)
        return rest.length == 0;
    if (rest.length == 0)
        return false;

    const char *tail = strchr(brace, '}') + 1;
    if (tail[-2] == '.') {
        bool split = split_operation(&rest, operation);
        *name = rest;
        return split && rest.length > 0;
    }
    const char *slash = memchr(rest.bytes, '/', rest.length);
    size_t length = slash ? (size_t)(slash - rest.bytes) : rest.length;
    *name = (struct http__span){rest.bytes, length};
    return length > 0 && strlen(tail) == rest.length - length &&
           memcmp(tail, rest.bytes + length, rest.length - length) == 0;
}

static bool
operation_fits(const struct http__route *route, struct http__span operation)
{
    return strlen(route->operation) == operation.length &&
           memcmp(route->operation, operation.bytes, operation.length) == 0;
}

/* libmicrohttpd leaves the body of an answer to HEAD away by itself. */
static bool
method_fits(const struct http__route *route, const char *method)
{
    return strcmp(route->method, method) == 0 ||
           (strcmp(method, "HEAD") == 0 && strcmp(route->method, "GET") == 0);
}

/* Adds to the list for Allow; where there is GET, there is HEAD. */
static void
add_method(char methods[HTTP__ROUTE_METHODS_SIZE], const char *method)
{
    size_t length = strlen(methods);

    snprintf(methods + length, HTTP__ROUTE_METHODS_SIZE - length, "%s%s",
             length > 0 ? ", " : "", method);
    if (strcmp(method, "GET") == 0)
        add_method(methods, "HEAD");
}

void
http__route_find(const char *method, struct http__span path,
                 struct http__route_match *match)
{
    match->route = NULL;
    match->methods[0] = '\0';
    match->operation = (struct http__span){"", 0};
    for (size_t index = 0; index < ROUTE_COUNT; index++) {
        const struct http__route *route = &routes[index];
        struct http__span name;
        struct http__span operation;
        if (!path_fits(route, path, &name, &operation))
            continue;
        match->operation = operation;
        if (!operation_fits(route, operation))
            continue;
        match->name = name;
        if (method_fits(route, method)) {
            match->route = route;
            return;
        }
        add_method(match->methods, route->method);
    }
}

const struct http__route *
http__route_at(size_t index)
{
    return index < ROUTE_COUNT ? &routes[index] : NULL;
}
