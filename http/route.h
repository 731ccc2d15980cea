/*
 * Routes: which function answers which method and path. The list is in
 * routes.inc, and nothing is known of a route anywhere else.
 */
#ifndef GLASS_HTTP_ROUTE_H
#define GLASS_HTTP_ROUTE_H

#include <stddef.h>

#include "http/scope.h"
#include "http/target.h"

struct http__request;

/* What becomes of a request's body, and which limit it has. */
enum http__body {
    HTTP__BODY_NONE,     /* it is thrown away */
    HTTP__BODY_MODULE,   /* kept: `request->body`, up to module_bytes_max */
    HTTP__BODY_VALUE,    /* kept, up to value_bytes_max */
    HTTP__BODY_NUMBER,   /* kept, up to HTTP_NUMBER_BYTES_MAX */
    HTTP__BODY_BATCH,    /* kept, up to HTTP_BATCH_BYTES_MAX */
    HTTP__BODY_SETTINGS, /* kept, up to HTTP_SETTINGS_BYTES_MAX */
    HTTP__BODY_INPUT,    /* streamed into `request->call` */
};

/* What a token's scopes have to be enough for. */
enum http__object {
    HTTP__OBJECT_ALL,    /* everything that there is */
    HTTP__OBJECT_NAME,   /* the name or key in the path */
    HTTP__OBJECT_CALL,   /* the function of the kept call in the path */
    HTTP__OBJECT_PREFIX, /* all that begins with the parameter `prefix` */
    HTTP__OBJECT_EACH,   /* names in the body, for which the route asks */
};

/* What a token has to allow; no scopes at all: nothing does. */
struct http__need {
    /*
     * HTTP__SCOPE_..., each of them, or HTTP__SCOPE_OPEN. With EACH the ones
     * that a name can need.
     */
    unsigned scopes;
    enum http__object object;
};

struct http__route {
    const char *method;

    /*
     * The path as it is sent, in which `{name}` stands for one segment and
     * `{key...}`, at the end, for all that is left. What follows the last
     * colon of that is the operation.
     */
    const char *pattern;
    const char *operation;  /* "" is none */
    const char *parameters; /* the query's, with spaces between; "*" is any */
    enum http__body body;

    /* Before the body is read; may refuse by an answer. Null: nothing to do */
    void (*begin)(struct http__request *request);

    /* When the body is there: answers, or parks the request. */
    void (*finish)(struct http__request *request);

    const char *doc;
    struct http__need need;
};

#define HTTP__ROUTE_METHODS_SIZE 64

struct http__route_match {
    const struct http__route *route; /* null: see `methods` */

    /* What the braces stand for, as it came. */
    struct http__span name;
    struct http__span operation;

    /* When there are routes for the path but not for the method: a list. */
    char methods[HTTP__ROUTE_METHODS_SIZE];
};

/*
 * Finds the route of a method and a path; where there is one for GET, there is
 * one for HEAD. Any thread may call it.
 */
void
http__route_find(const char *method, struct http__span path,
                 struct http__route_match *match);

/* The routes one by one; null past the last. */
const struct http__route *
http__route_at(size_t index);

#endif
