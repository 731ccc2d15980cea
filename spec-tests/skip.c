/*
 * skip.c - the list of assertions that are known to fail; see skip.h.
 */
#include "spec-tests/skip.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void
spec_skip_list_init(struct spec_skip_list *list)
{
    list->skips = NULL;
    list->count = 0;
}

void
spec_skip_list_deinit(struct spec_skip_list *list)
{
    for (size_t i = 0; i < list->count; i++) {
        free(list->skips[i].level);
        free(list->skips[i].script);
        free(list->skips[i].reason);
    }
    free(list->skips);
    spec_skip_list_init(list);
}

static bool
is_blank(char c)
{
    return isspace((unsigned char)c) != 0;
}

/* The parts of an entry: where they begin, and how long they are. */
struct parts {
    const char *level;
    const char *script;
    const char *reason;
    size_t level_bytes;
    size_t script_bytes;
    size_t reason_bytes;
    uint32_t line;
};

/* NULL, or what is missing. */
static const char *
split(const char *text, struct parts *parts)
{
    const char *slash = strchr(text, '/');
    const char *colon = slash != NULL ? strchr(slash, ':') : NULL;
    const char *end = text + strlen(text);
    unsigned long line;
    char *rest;

    if (colon == NULL || slash == text || colon == slash + 1)
        return "not of the form level/script:line reason";
    if (!isdigit((unsigned char)colon[1]))
        return "no line number after the colon";
    line = strtoul(colon + 1, &rest, 10);
    if (line == 0 || line > UINT32_MAX || (*rest != '\0' && !is_blank(*rest)))
        return "the line number is not one";
    while (is_blank(*rest))
        rest++;
    while (end > rest && is_blank(end[-1]))
        end--;
    if (end == rest)
        return "a skip needs a reason";
    parts->level = text;
    parts->level_bytes = (size_t)(slash - text);
    parts->script = slash + 1;
    parts->script_bytes = (size_t)(colon - slash - 1);
    parts->line = (uint32_t)line;
    parts->reason = rest;
    parts->reason_bytes = (size_t)(end - rest);
    return NULL;
}

bool
spec_skip_list_add(struct spec_skip_list *list, const char *text,
                   char error[SPEC_SKIP_ERROR_BYTES])
{
    struct parts parts;
    struct spec_skip *skips;
    struct spec_skip *skip;
    const char *complaint;

    while (is_blank(*text))
        text++;
    if (*text == '\0' || *text == '#')
        return true;
    complaint = split(text, &parts);
    if (complaint != NULL) {
        snprintf(error, SPEC_SKIP_ERROR_BYTES, "%s: %.100s", complaint, text);
        return false;
    }
    skips = realloc(list->skips, (list->count + 1) * sizeof *skips);
    if (skips == NULL)
        goto no_memory;
    list->skips = skips;
    skip = &skips[list->count++];
    memset(skip, 0, sizeof *skip);
    skip->line = parts.line;
    skip->level = strndup(parts.level, parts.level_bytes);
    skip->script = strndup(parts.script, parts.script_bytes);
    skip->reason = strndup(parts.reason, parts.reason_bytes);
    if (skip->level != NULL && skip->script != NULL && skip->reason != NULL)
        return true;
no_memory:
    snprintf(error, SPEC_SKIP_ERROR_BYTES, "out of memory");
    return false;
}

bool
spec_skip_list_read(struct spec_skip_list *list, const char *path,
                    char error[SPEC_SKIP_ERROR_BYTES])
{
    FILE *file = fopen(path, "r");
    char *text = NULL;
    size_t text_bytes = 0;
    bool is_good = true;

    if (file == NULL) {
        snprintf(error, SPEC_SKIP_ERROR_BYTES, "%s", strerror(errno));
        return false;
    }
    while (is_good && getline(&text, &text_bytes, file) >= 0)
        is_good = spec_skip_list_add(list, text, error);
    if (is_good && ferror(file)) {
        snprintf(error, SPEC_SKIP_ERROR_BYTES, "cannot be read");
        is_good = false;
    }
    free(text);
    fclose(file);
    return is_good;
}

struct spec_skip *
spec_skip_list_find(const struct spec_skip_list *list, const char *level,
                    const char *script, uint32_t line)
{
    for (size_t i = 0; i < list->count; i++) {
        struct spec_skip *skip = &list->skips[i];

        if (skip->line == line && strcmp(skip->level, level) == 0 &&
            strcmp(skip->script, script) == 0)
            return skip;
    }
    return NULL;
}

const char *
spec_skip_complaint(const struct spec_skip *skip)
{
    if (skip->failed > 0)
        return NULL;
    if (skip->passed > 0)
        return "listed in skip.txt but passes";
    return "listed in skip.txt but there is no assertion";
}
