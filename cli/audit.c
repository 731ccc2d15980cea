/*
 * Lines of the audit log, each by one write, so that those of several
 * processes do not mix. A line that cannot be written is said on stderr: the
 * act has happened, so it is too late to refuse it.
 */
#include "cli/audit.h"

#include "http/http.h"

#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

int
audit_open(const char *directory)
{
    char path[4096];

    if (snprintf(path, sizeof(path), "%s/audit.log", directory) >=
        (int)sizeof(path)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    return open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* A member that is null where there is nothing to say. */
static void
set(json_t *line, const char *member, const char *text)
{
    /* Names are bytes that somebody sent. */
    json_t *value = text ? json_string(text) : NULL;

    if (text && !value)
        value = json_string("(not UTF-8)");
    json_object_set_new(line, member, value ? value : json_null());
}

static json_t *
begin_line(const char *act)
{
    json_t *line = json_object();
    char text[32] = "";
    time_t now = time(NULL);
    struct tm utc;

    if (gmtime_r(&now, &utc))
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
    set(line, "time", text);
    set(line, "act", act);
    return line;
}

static void
end_line(int log, json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);
    size_t length = text ? strlen(text) : 0;

    if (text)
        text[length] = '\n'; /* in place of its final zero */
    if (!text || write(log, text, length + 1) != (ssize_t)length + 1)
        fprintf(stderr, "glass: the audit log: %s\n", strerror(errno));
    free(text);
    json_decref(line);
}

void
audit_write(int log, const struct http_act *act)
{
    char words[256];

    snprintf(words, sizeof(words), "%s %s", act->method, act->route);
    json_t *line = begin_line(words);
    set(line, "name", act->name);
    set(line, "namespace", act->namespace_);
    set(line, "token", act->token);
    json_object_set_new(line, "status", json_integer(act->status));
    end_line(log, line);
}

void
audit_write_token(int log, const char *act, const char *id,
                  const char *namespace_)
{
    json_t *line = begin_line(act);

    set(line, "name", id);
    set(line, "namespace", namespace_);
    end_line(log, line);
}
