/*
 * The statuses' names and texts, and the filling of errors.
 */
#include "http/server.h"

#include <stdarg.h>
#include <stdio.h>

const char *
http_status_name(enum http_status status)
{
    switch (status) {
#define HTTP_STATUS_NAME(symbol, name, text)                                  \
    case symbol:                                                              \
        return name;
        HTTP_STATUS_MAP(HTTP_STATUS_NAME)
#undef HTTP_STATUS_NAME
    }
    return "unknown";
}

const char *
http_status_text(enum http_status status)
{
    switch (status) {
#define HTTP_STATUS_TEXT(symbol, name, text)                                  \
    case symbol:                                                              \
        return text;
        HTTP_STATUS_MAP(HTTP_STATUS_TEXT)
#undef HTTP_STATUS_TEXT
    }
    return "unknown";
}

enum http_status
http__error_set(struct http_error *err, enum http_status status,
                const char *format, ...)
{
    va_list arguments;

    if (!err)
        return status;
    va_start(arguments, format);
    vsnprintf(err->message, sizeof(err->message), format, arguments);
    va_end(arguments);
    return status;
}
