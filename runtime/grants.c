/* grants.c - what a function may touch beyond itself. See grants.h. */
#include "runtime/grants.h"

#include "runtime/call.h"
#include "runtime/error.h"
#include "runtime/internal.h"
#include "runtime/text.h"

#include <stdio.h>
#include <string.h>

/* ---- The lists ---------------------------------------------------------- */

/* A list by its place in struct runtime_grants. */
static const struct kind {
    const char *member; /* of the JSON object */
    size_t offset;
    /* What its texts can be. */
    size_t bytes_min, bytes_max;
    bool of_functions;
} kinds[] = {
    {"state_read", offsetof(struct runtime_grants, state_read), 0,
     RUNTIME_GRANT_PREFIX_BYTES_MAX, false},
    {"state_write", offsetof(struct runtime_grants, state_write), 0,
     RUNTIME_GRANT_PREFIX_BYTES_MAX, false},
    {"functions", offsetof(struct runtime_grants, functions), 1,
     RUNTIME_NAME_BYTES_MAX, true},
    {"secrets", offsetof(struct runtime_grants, secrets), 1,
     RUNTIME_SECRET_NAME_BYTES_MAX, false},
};

enum { kind_count = sizeof(kinds) / sizeof(kinds[0]) };
_Static_assert(kind_count == RUNTIME__GRANTS_LISTS, "each has its room");

static const struct runtime_names *
get_list(const struct runtime_grants *grants, size_t kind)
{
    const struct runtime_names *list;

    memcpy(&list, (const char *)grants + kinds[kind].offset, sizeof(list));
    return list;
}

static void
set_list(struct runtime_grants *grants, size_t kind,
         const struct runtime_names *list)
{
    memcpy((char *)grants + kinds[kind].offset, &list, sizeof(list));
}

static enum runtime_status
check_text(const struct kind *kind, const char *text,
           struct runtime_error *err)
{
    if (!text || !runtime__text_is_utf8(text) ||
        strlen(text) < kind->bytes_min)
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "a text in '%s' of the grants is empty or not UTF-8",
            kind->member);
    if (strlen(text) > kind->bytes_max)
        return runtime__error_set(
            err, RUNTIME_LIMIT,
            "a text in '%s' of the grants is longer than %zu bytes",
            kind->member, kind->bytes_max);
    if (kind->of_functions && !runtime_name_is_valid(text))
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "'%.64s' in '%s' of the grants is no function's name", text,
            kind->member);
    return RUNTIME_OK;
}

static enum runtime_status
fail_too_many(const struct kind *kind, size_t count,
              struct runtime_error *err)
{
    return runtime__error_set(err, RUNTIME_LIMIT,
                              "%zu texts in '%s' of the grants are more "
                              "than %d",
                              count, kind->member, RUNTIME_GRANTS_MAX);
}

enum runtime_status
runtime__grants_check(const struct runtime_grants *grants,
                      struct runtime_error *err)
{
    for (size_t kind = 0; kind < kind_count; kind++) {
        const struct runtime_names *list = get_list(grants, kind);
        if (list && list->count > RUNTIME_GRANTS_MAX)
            return fail_too_many(&kinds[kind], list->count, err);
        for (size_t i = 0; list && i < list->count; i++) {
            enum runtime_status status =
                check_text(&kinds[kind], list->names[i], err);
            if (status != RUNTIME_OK)
                return status;
        }
    }
    return RUNTIME_OK;
}

/* ---- Copies ------------------------------------------------------------- */

void
runtime__grants_measure(const struct runtime_grants *grants,
                        size_t *pointer_bytes, size_t *text_bytes)
{
    *pointer_bytes = 0;
    *text_bytes = 0;
    for (size_t kind = 0; kind < kind_count; kind++) {
        const struct runtime_names *list = get_list(grants, kind);
        if (!list)
            continue;
        *pointer_bytes +=
            sizeof(*list) + list->count * sizeof(list->names[0]);
        for (size_t i = 0; i < list->count; i++)
            *text_bytes += strlen(list->names[i]) + 1;
    }
}

char *
runtime__grants_copy(const struct runtime_grants *grants, void *pointers,
                     char *text, struct runtime_grants *copy)
{
    char *next = pointers;

    for (size_t kind = 0; kind < kind_count; kind++) {
        const struct runtime_names *list = get_list(grants, kind);
        struct runtime_names *names = (struct runtime_names *)(void *)next;
        const char **places = (const char **)(void *)(names + 1);

        set_list(copy, kind, NULL);
        if (!list)
            continue;
        for (size_t i = 0; i < list->count; i++) {
            places[i] = text;
            text = stpcpy(text, list->names[i]) + 1;
        }
        *names = (struct runtime_names){places, list->count};
        set_list(copy, kind, names);
        next = (char *)(places + list->count);
    }
    return text;
}

bool
runtime__grants_equal(const struct runtime_grants *a,
                      const struct runtime_grants *b)
{
    for (size_t kind = 0; kind < kind_count; kind++) {
        const struct runtime_names *list = get_list(a, kind);
        const struct runtime_names *other = get_list(b, kind);
        if (!list != !other || (list && list->count != other->count))
            return false;
        for (size_t i = 0; list && i < list->count; i++) {
            if (strcmp(list->names[i], other->names[i]) != 0)
                return false;
        }
    }
    return true;
}

/* ---- JSON --------------------------------------------------------------- */

json_t *
runtime__grants_to_json(const struct runtime_grants *grants)
{
    json_t *json = json_object();

    for (size_t kind = 0; kind < kind_count; kind++) {
        const struct runtime_names *list = get_list(grants, kind);
        json_t *texts = list ? json_array() : NULL;
        bool failed = list && !texts;

        for (size_t i = 0; list && i < list->count && !failed; i++)
            failed = json_array_append_new(texts,
                                           json_string(list->names[i])) != 0;
        /* It takes the reference also when it fails. */
        if (list && json_object_set_new(json, kinds[kind].member, texts))
            failed = true;
        if (failed) {
            json_decref(json);
            return NULL;
        }
    }
    return json;
}

static enum runtime_status
list_from_json(const struct kind *kind, const json_t *json,
               struct runtime_names *list, const char **names,
               struct runtime_error *err)
{
    size_t count = json_array_size(json);

    if (!json_is_array(json))
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "'%s' of the grants is no array",
                                  kind->member);
    if (count > RUNTIME_GRANTS_MAX)
        return fail_too_many(kind, count, err);
    for (size_t i = 0; i < count; i++) {
        names[i] = json_string_value(json_array_get(json, i));
        if (!names[i])
            return runtime__error_set(err, RUNTIME_INVALID,
                                      "'%s' of the grants has something that "
                                      "is no string",
                                      kind->member);
    }
    *list = (struct runtime_names){names, count};
    return RUNTIME_OK;
}

enum runtime_status
runtime__grants_from_json(const json_t *json, struct runtime_grants *grants,
                          struct runtime__grants_room *room,
                          struct runtime_error *err)
{
    size_t known_count = 0;

    if (!json_is_object(json))
        return runtime__error_set(
            err, RUNTIME_INVALID, "'grants' of the configuration is no object");
    for (size_t kind = 0; kind < kind_count; kind++) {
        const json_t *value = json_object_get(json, kinds[kind].member);
        if (!value)
            continue;
        known_count++;
        enum runtime_status status =
            list_from_json(&kinds[kind], value, &room->lists[kind],
                           room->names[kind], err);
        if (status != RUNTIME_OK)
            return status;
        set_list(grants, kind, &room->lists[kind]);
    }
    if (known_count == json_object_size(json))
        return RUNTIME_OK;
    return runtime__error_set(
        err, RUNTIME_INVALID,
        "'grants' of the configuration has another member than 'state_read', "
        "'state_write', 'functions' and 'secrets'");
}

/* ---- Accesses ----------------------------------------------------------- */

/* NULL allows everything. */
static bool
begins_with_one_of(const struct runtime_names *prefixes, const void *key,
                   size_t key_bytes)
{
    if (!prefixes)
        return true;
    for (size_t i = 0; i < prefixes->count; i++) {
        size_t length_bytes = strlen(prefixes->names[i]);
        if (length_bytes <= key_bytes &&
            !memcmp(prefixes->names[i], key, length_bytes))
            return true;
    }
    return false;
}

bool
runtime__grants_allow_state(const struct runtime_grants *grants,
                            unsigned access, const void *key,
                            size_t key_bytes)
{
    return (!(access & RUNTIME__READ) ||
            begins_with_one_of(grants->state_read, key, key_bytes)) &&
           (!(access & RUNTIME__WRITE) ||
            begins_with_one_of(grants->state_write, key, key_bytes));
}

bool
runtime__grants_has(const struct runtime_names *list, const void *name,
                    size_t name_bytes)
{
    for (size_t i = 0; list && i < list->count; i++) {
        if (strlen(list->names[i]) == name_bytes &&
            !memcmp(list->names[i], name, name_bytes))
            return true;
    }
    return false;
}

void
runtime__grants_deny(struct runtime_call *call, const char *what,
                     const void *name, size_t name_bytes)
{
    const uint8_t *bytes = name;
    char line[160];
    char shown[65];
    size_t count = name_bytes < sizeof(shown) - 1 ? name_bytes
                                                  : sizeof(shown) - 1;

    for (size_t i = 0; i < count; i++)
        shown[i] = bytes[i] >= ' ' && bytes[i] < 127 ? (char)bytes[i] : '?';
    shown[count] = '\0';
    int length = snprintf(line, sizeof(line),
                          "warning: denied: %s '%s'%s\n", what, shown,
                          count < name_bytes ? "..." : "");
    if (runtime__call_may_log(call, (size_t)length))
        runtime__call_write_log(call, line, (size_t)length);
    atomic_fetch_add_explicit(&call->runtime->denied_count, 1,
                              memory_order_relaxed);
}
