/*
 * /healthz, /readyz and the page at the root.
 */
#include "http/routes.h"

#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
http__operation_health(struct http__request *request)
{
    static const char alive[] = "{\"status\":\"alive\"}\n";

    http__respond(request, MHD_HTTP_OK, "application/json", alive,
                  sizeof(alive) - 1, HTTP__BORROWED);
}

void
http__operation_ready(struct http__request *request)
{
    struct state_health health;

    if (atomic_load(&request->server->draining)) {
        http__problem(request, HTTP__PROBLEM_DRAINING,
                      "no further calls are taken");
        return;
    }
    state_store_health(request->server->options.store, &health);
    if (!health.up) {
        http__problem(request, HTTP__PROBLEM_UNAVAILABLE, "%s: %s",
                      health.backend, health.message);
        return;
    }
    json_t *document = json_object();
    json_object_set_new(document, "status", json_string("ready"));
    json_object_set_new(document, "state", json_string(health.backend));
    http__respond_json(request, MHD_HTTP_OK, "application/json", document);
}

void
http__operation_index(struct http__request *request)
{
    const struct http__route *route;
    char *page = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&page, &length);

    if (!stream)
        return;
    fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
          "<title>Glass</title></head>\n<body><h1>Glass</h1>\n"
          "<p>WebAssembly functions behind HTTP, next to the state they "
          "share.</p>\n<table>\n",
          stream);
    for (size_t index = 0; (route = http__route_at(index)); index++) {
        const char *colon = route->operation[0] ? ":" : "";
        /* Where a GET needs nothing filled in, it can be clicked on. */
        bool link = route->method[0] == 'G' && !strchr(route->pattern, '{');
        fprintf(stream, "<tr><td>%s</td><td>", route->method);
        if (link)
            fprintf(stream, "<a href=\"%s\">%s</a>", route->pattern,
                    route->pattern);
        else
            fprintf(stream, "%s%s%s", route->pattern, colon,
                    route->operation);
        fprintf(stream, "</td><td>%s</td></tr>\n", route->doc);
    }
    fputs("</table></body></html>\n", stream);
    if (fclose(stream) != 0) {
        free(page);
        return;
    }
    http__respond(request, MHD_HTTP_OK, "text/html; charset=utf-8", page,
                  length, HTTP__MALLOCED);
}
