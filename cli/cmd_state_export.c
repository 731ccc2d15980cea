/*
 * glass state export: the keys of a namespace with their values, as lines of
 * JSON that `glass state import` reads into any other store.
 *
 *     {"glass_state":1}
 *     {"key":"a","value":"text","expires_ms":1795372800000}
 *     {"key_base64":"/w==","value_base64":"AP8="}
 *     {"end":2}
 *
 * The last line has the count of those with keys: without it the stream was
 * cut off. Times are absolute, so that they pass in between.
 *
 * Keys are listed page by page. Values are read many at a time, each with its
 * time to live beside it; a large one is read by itself.
 */
#include "cli/cmd_state.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What one request reads, and from which size on a value has its own. */
enum {
    batch_keys = 500,
    batch_bytes = 2 << 20,
    large_bytes = 1 << 20,
};

/* How often a value is read again that was written meanwhile. */
enum { attempts_max = 100 };

struct export {
    const struct state_use *use;
    json_t *items; /* those of the page that wait for a batch */
    uint64_t bytes;
    uint64_t printed;
};

/* Prints a line; takes it over. */
static void
print_line(json_t *line)
{
    json_dumpf(line, stdout, JSON_COMPACT);
    putchar('\n');
    json_decref(line);
}

/* Copies a member and its _base64 form, whichever is there. */
static void
copy_bytes(json_t *to, json_t *from, const char *name)
{
    char encoded[32];

    snprintf(encoded, sizeof(encoded), "%s_base64", name);
    if (json_object_get(from, name))
        json_object_set(to, name, json_object_get(from, name));
    if (json_object_get(from, encoded))
        json_object_set(to, encoded, json_object_get(from, encoded));
}

/* When a key expires that has so long to live. */
static void
set_expiry(json_t *line, json_t *stat)
{
    const json_t *left = json_object_get(stat, "expires_in_ms");
    struct timespec now;

    if (!left)
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    json_int_t now_ms =
        (json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
    json_object_set_new(line, "expires_ms",
                        json_integer(now_ms + json_integer_value(left)));
}

/* An operation on an item's key. */
static json_t *
operation(const char *name, json_t *item)
{
    json_t *object = json_pack("{s:s}", "op", name);

    copy_bytes(object, item, "key");
    return object;
}

static const char *
status_of(json_t *result)
{
    const char *status = json_string_value(json_object_get(result, "status"));

    return status ? status : "";
}

/* Sends operations, which it takes over; the results, or null. */
static json_t *
send_batch(const struct export *export, json_t *operations)
{
    struct client_request request = {.method = "POST"};
    struct client_answer answer;
    json_t *document = json_pack("{s:o}", "operations", operations);
    char *body = json_dumps(document, JSON_COMPACT);
    json_t *results = NULL;

    json_decref(document);
    client_append(&request, "/v1/state:batch");
    request.body = body;
    request.body_length = body ? strlen(body) : 0;
    if (body && client_send(&cmd_state, &export->use->client, &request,
                            &answer)) {
        document = json_loadb(answer.body, answer.body_length,
                              JSON_ALLOW_NUL, NULL);
        results = json_incref(json_object_get(document, "results"));
        json_decref(document);
        client_answer_free(&answer);
        if (!results)
            command_fail(&cmd_state, "the server's answer is no batch's");
    }
    free(body);
    return results;
}

/* ---- A key by itself --------------------------------------------------- */

/* Sets the value's bytes and version; 0: absent, -1: it failed, or 1. */
static int
read_value(const struct export *export, json_t *item, json_t *line,
           json_int_t *version)
{
    struct client_request request = {.method = "GET"};
    struct client_answer answer;
    json_t *key = json_object_get(item, "key");
    const char *encoded =
        json_string_value(json_object_get(item, "key_base64"));

    client_append(&request, "/v1/state/");
    if (key)
        client_append_encoded(&request, json_string_value(key),
                              json_string_length(key));
    else
        (void)client_append_base64(&request, encoded);
    request.may_be_absent = true;
    if (!client_send(&cmd_state, &export->use->client, &request, &answer))
        return -1;
    int found = answer.status == 200;
    if (found)
        client_set_bytes(line, "value", answer.body, answer.body_length);
    *version = atoll(answer.etag);
    client_answer_free(&answer);
    return found;
}

/*
 * Exports a key by itself: value and time to live belong together when the
 * version is the same. Returns false after a complaint.
 */
static bool
export_one(struct export *export, json_t *item)
{
    for (int attempt = 0; attempt < attempts_max; attempt++) {
        json_t *line = json_object();
        json_int_t version;
        copy_bytes(line, item, "key");
        int found = read_value(export, item, line, &version);
        json_t *results = NULL;
        if (found > 0)
            results = send_batch(
                export, json_pack("[o]", operation("stat", item)));
        json_t *stat = json_array_get(results, 0);
        bool fits = stat && json_integer_value(json_object_get(
                                stat, "version")) == version;
        bool has_failed = found < 0 || (found > 0 && !results);
        if (fits) {
            set_expiry(line, stat);
            print_line(json_incref(line));
            export->printed++;
        }
        json_decref(line);
        json_decref(results);
        if (has_failed)
            return false;
        if (fits || found == 0)
            return true;
    }
    command_fail(&cmd_state, "a key is written too often to be read");
    return false;
}

/* ---- Many keys --------------------------------------------------------- */

/* Prints a key whose two results belong together; otherwise reads it again. */
static bool
export_pair(struct export *export, json_t *item, json_t *stat, json_t *get)
{
    if (strcmp(status_of(get), "not-found") == 0)
        return true;
    if (strcmp(status_of(get), "ok") != 0 ||
        json_integer_value(json_object_get(stat, "version")) !=
            json_integer_value(json_object_get(get, "version")))
        return export_one(export, item);
    json_t *line = json_object();
    copy_bytes(line, item, "key");
    copy_bytes(line, get, "value");
    set_expiry(line, stat);
    print_line(line);
    export->printed++;
    return true;
}

/* Exports what waits. Returns false after a complaint. */
static bool
flush(struct export *export)
{
    json_t *operations = json_array();
    json_t *item;
    size_t index;
    bool done = true;

    json_array_foreach(export->items, index, item)
    {
        json_array_append_new(operations, operation("stat", item));
        json_array_append_new(operations, operation("get", item));
    }
    json_t *results = send_batch(export, operations);
    json_array_foreach(export->items, index, item)
    {
        if (!results || !done)
            break;
        done = export_pair(export, item, json_array_get(results, 2 * index),
                           json_array_get(results, 2 * index + 1));
    }
    done = done && results;
    json_decref(results);
    json_array_clear(export->items);
    export->bytes = 0;
    return done;
}

/* In the order of the list: what waits comes before what is large. */
static bool
export_item(struct export *export, json_t *item)
{
    uint64_t size =
        (uint64_t)json_integer_value(json_object_get(item, "size"));

    size_t waiting = json_array_size(export->items);
    if ((waiting == batch_keys ||
         (waiting > 0 && export->bytes + size > batch_bytes) ||
         (waiting > 0 && size > large_bytes)) &&
        !flush(export))
        return false;
    if (size > large_bytes)
        return export_one(export, item);
    json_array_append(export->items, item);
    export->bytes += size;
    return true;
}

/* Exports a page; sets the cursor of the next. False after a complaint. */
static bool
export_page(struct export *export, char **cursor)
{
    const struct words *words = export->use->words;
    struct client_request request = {.method = "GET"};
    struct client_answer answer;
    bool done = true;
    json_t *item;
    size_t index;

    client_append(&request, "/v1/state?limit=1000");
    if (words->count > 1)
        client_append_parameter(&request, "prefix", words->items[1]);
    if (*cursor)
        client_append_parameter(&request, "cursor", *cursor);
    free(*cursor);
    *cursor = NULL;
    if (!client_send(&cmd_state, &export->use->client, &request, &answer))
        return false;
    json_t *page =
        json_loadb(answer.body, answer.body_length, JSON_ALLOW_NUL, NULL);
    client_answer_free(&answer);
    json_array_foreach(json_object_get(page, "items"), index, item)
    {
        done = export_item(export, item);
        if (!done)
            break;
    }
    const char *next = json_string_value(json_object_get(page, "cursor"));
    *cursor = next ? strdup(next) : NULL;
    json_decref(page);
    return done && (json_array_size(export->items) == 0 || flush(export));
}

int
state_export(const struct state_use *use)
{
    struct export export = {.use = use, .items = json_array()};
    char *cursor = NULL;
    bool done;

    print_line(json_pack("{s:i}", "glass_state", 1));
    do
        done = export_page(&export, &cursor);
    while (done && cursor);
    free(cursor);
    json_decref(export.items);
    if (!done)
        return EXIT_FAILED;
    print_line(json_pack("{s:I}", "end", (json_int_t)export.printed));
    if (fflush(stdout) != 0 || ferror(stdout))
        return command_fail(&cmd_state, "the export cannot be written");
    return EXIT_DONE;
}
