/*
 * environment.c - the environment of a WASI program.
 *
 * The first text with a name is the one that a program finds, so whoever
 * appends earlier wins: the configuration before the request.
 *
 * A header field becomes HTTP_NAME (RFC 3875, 4.1.18). The field Proxy does
 * not: HTTP_PROXY means something else to many programs, and a client could
 * set it. An underscore in a field's name would make it look like another
 * field's hyphen; such fields are left out for the same reason.
 */
#include "runtime/environment.h"

#include "runtime/error.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static enum runtime_status
check_size(const struct runtime__texts *texts, bool appended,
           struct runtime_error *err)
{
    if (!appended)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for an environment");
    if (texts->buffer.length_bytes > RUNTIME_ENVIRONMENT_BYTES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "the environment is longer than %d bytes",
                                  (int)RUNTIME_ENVIRONMENT_BYTES_MAX);
    return RUNTIME_OK;
}

enum runtime_status
runtime__environment_append(struct runtime__texts *texts,
                            const struct runtime_variable *variables,
                            size_t count, struct runtime_error *err)
{
    for (size_t i = 0; i < count; i++) {
        bool appended = runtime__texts_append(texts, variables[i].name, "=",
                                              variables[i].value);
        enum runtime_status status = check_size(texts, appended, err);
        if (status != RUNTIME_OK)
            return status;
    }
    return RUNTIME_OK;
}

enum runtime_status
runtime__environment_append_texts(struct runtime__texts *texts,
                                  const struct runtime__texts *others,
                                  struct runtime_error *err)
{
    bool appended =
        runtime__buffer_append(&texts->buffer, others->buffer.bytes,
                               others->buffer.length_bytes);

    if (appended)
        texts->count += others->count;
    return check_size(texts, appended, err);
}

/* ---- Header fields ------------------------------------------------------ */

/* Those that have variables of their own, or must not have any. */
static bool
is_left_out(const char *name)
{
    return !strcasecmp(name, "Proxy") ||
           !strcasecmp(name, "Content-Length") ||
           !strcasecmp(name, "Content-Type") ||
           strpbrk(name, "_=") != NULL;
}

/* Whether an earlier field has the same name: it takes this one's value. */
static bool
is_repeated(const struct runtime_request *request, size_t index)
{
    for (size_t i = 0; i < index; i++) {
        if (!strcasecmp(request->headers[i].name,
                        request->headers[index].name))
            return true;
    }
    return false;
}

static bool
append_text(struct runtime__buffer *buffer, const char *text)
{
    return runtime__buffer_append(buffer, text, strlen(text));
}

/* HTTP_NAME=value, with the values of later fields of the same name. */
static bool
append_header(struct runtime__texts *texts,
              const struct runtime_request *request, size_t index)
{
    const char *name = request->headers[index].name;
    struct runtime__buffer *buffer = &texts->buffer;
    bool appended = append_text(buffer, "HTTP_");

    for (const char *letter = name; *letter && appended; letter++) {
        char upper =
            *letter == '-' ? '_' : (char)toupper((unsigned char)*letter);
        appended = runtime__buffer_append(buffer, &upper, 1);
    }
    appended = appended && append_text(buffer, "=") &&
               append_text(buffer, request->headers[index].value);
    for (size_t i = index + 1; i < request->header_count && appended; i++) {
        if (!strcasecmp(request->headers[i].name, name))
            appended = append_text(buffer, ", ") &&
                       append_text(buffer, request->headers[i].value);
    }
    texts->count++;
    return appended && runtime__buffer_append(buffer, "", 1);
}

static const char *
find_header(const struct runtime_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (!strcasecmp(request->headers[i].name, name))
            return request->headers[i].value;
    }
    return NULL;
}

enum runtime_status
runtime__environment_append_request(struct runtime__texts *texts,
                                    const struct runtime_request *request,
                                    struct runtime_error *err)
{
    const struct runtime_variable variables[] = {
        {"GATEWAY_INTERFACE", "CGI/1.1"},
        {"REQUEST_METHOD", request->method},
        {"PATH_INFO", request->path},
        {"QUERY_STRING", request->query},
        {"CONTENT_TYPE", find_header(request, "Content-Type")},
    };
    enum runtime_status status = RUNTIME_OK;

    for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]) &&
                       status == RUNTIME_OK;
         i++) {
        if (variables[i].value)
            status = runtime__environment_append(texts, &variables[i], 1,
                                                 err);
    }
    for (size_t i = 0; i < request->header_count && status == RUNTIME_OK;
         i++) {
        if (is_left_out(request->headers[i].name) ||
            is_repeated(request, i))
            continue;
        status = check_size(texts, append_header(texts, request, i), err);
    }
    return status;
}
