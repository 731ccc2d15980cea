/*
 * glass state import: reads what `glass state export` has printed, and writes
 * it: see there for the form.
 *
 * Lines become operations of a batch; one that is large is a request of its
 * own. What is wrong with a line is said with its number, and what came before
 * it has been written.
 */
#include "cli/cmd_state.h"

#include "cli/base64.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What one request writes, and from which length on a line has its own. */
enum {
    batch_lines = 1000,
    batch_bytes = 1 << 20,
};

struct import {
    const struct state_use *use;
    const char *name; /* of the stream, for complaints */
    FILE *stream;
    uint64_t line;
    json_t *operations;          /* that wait for a batch, */
    uint64_t lines[batch_lines]; /* with the lines they come from */
    size_t bytes;
    uint64_t written;
    uint64_t expired; /* while they were on their way */
    bool has_begun;
    bool has_ended;
};

/* Complains about the line that is being read; returns false. */
static bool
complain(const struct import *import, const char *what)
{
    command_fail(&cmd_state, "%s:%" PRIu64 ": %s", import->name, import->line,
                 what);
    return false;
}

/* ---- Writing ------------------------------------------------------------- */

/* Whether all of the batch was done; complains about the first that was not. */
static bool
check_results(const struct import *import, const struct client_answer *answer)
{
    json_t *document = json_loadb(answer->body, answer->body_length,
                                  JSON_ALLOW_NUL, NULL);
    json_t *results = json_object_get(document, "results");
    size_t count = json_array_size(import->operations);
    bool done = json_array_size(results) == count;

    if (!done)
        command_fail(&cmd_state, "the server's answer is no batch's");
    for (size_t index = 0; done && index < count; index++) {
        json_t *result = json_array_get(results, index);
        const char *status =
            json_string_value(json_object_get(result, "status"));
        const char *message =
            json_string_value(json_object_get(result, "message"));
        done = status && strcmp(status, "ok") == 0;
        if (!done)
            command_fail(&cmd_state, "%s:%" PRIu64 ": %s", import->name,
                         import->lines[index], message ? message : "?");
    }
    json_decref(document);
    return done;
}

/* Writes what waits. Returns false after a complaint. */
static bool
flush(struct import *import)
{
    struct client_request request = {.method = "POST"};
    struct client_answer answer;
    size_t count = json_array_size(import->operations);

    if (count == 0)
        return true;
    json_t *document = json_pack("{s:O}", "operations", import->operations);
    char *body = json_dumps(document, JSON_COMPACT);
    json_decref(document);
    client_append(&request, "/v1/state:batch");
    request.body = body;
    request.body_length = body ? strlen(body) : 0;
    bool done = body && client_send(&cmd_state, &import->use->client,
                                    &request, &answer);
    free(body);
    if (done) {
        done = check_results(import, &answer);
        client_answer_free(&answer);
    }
    if (done)
        import->written += count;
    json_array_clear(import->operations);
    import->bytes = 0;
    return done;
}

/* Writes a value by itself. */
static bool
write_one(struct import *import, json_t *line, json_t *ttl_ms)
{
    struct client_request request = {.method = "PUT"};
    struct client_answer answer;
    json_t *key = json_object_get(line, "key");
    json_t *value = json_object_get(line, "value");
    json_t *encoded = json_object_get(line, "value_base64");
    unsigned char *bytes = NULL;
    char ttl[32];

    client_append(&request, "/v1/state/");
    if (key)
        client_append_encoded(&request, json_string_value(key),
                              json_string_length(key));
    else if (!client_append_base64(&request, json_string_value(json_object_get(
                                                 line, "key_base64"))))
        return complain(import, "'key_base64' is no base64");
    if (ttl_ms) {
        snprintf(ttl, sizeof(ttl), "%lldms",
                 (long long)json_integer_value(ttl_ms));
        client_append_parameter(&request, "ttl", ttl);
    }
    request.body = json_string_value(value);
    request.body_length = json_string_length(value);
    if (encoded) {
        bytes = base64_decode(json_string_value(encoded),
                              json_string_length(encoded),
                              &request.body_length);
        if (!bytes)
            return complain(import, "'value_base64' is no base64");
        request.body = bytes;
    }
    bool done =
        client_send(&cmd_state, &import->use->client, &request, &answer);
    free(bytes);
    if (!done)
        return complain(import, "it was not written");
    client_answer_free(&answer);
    import->written++;
    return true;
}

/* ---- A line -------------------------------------------------------------- */

/* Whether exactly one of the two forms of a member is there, as a string. */
static bool
has_bytes(json_t *line, const char *name)
{
    char encoded[32];

    snprintf(encoded, sizeof(encoded), "%s_base64", name);
    json_t *text = json_object_get(line, name);
    json_t *base64 = json_object_get(line, encoded);
    return !text != !base64 && json_is_string(text ? text : base64);
}

/* What is left of its time: 0 for ever, negative when it is over. */
static json_int_t
ttl_of(json_t *line)
{
    const json_t *expires = json_object_get(line, "expires_ms");
    struct timespec now;

    if (!expires)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    json_int_t left = json_integer_value(expires) -
                      ((json_int_t)now.tv_sec * 1000 + now.tv_nsec / 1000000);
    return left > 0 ? left : -1;
}

/* A key with its value: takes it in, or writes it. */
static bool
take_key(struct import *import, json_t *line, size_t length)
{
    json_t *expires = json_object_get(line, "expires_ms");

    if (!has_bytes(line, "key") || !has_bytes(line, "value") ||
        (expires && !json_is_integer(expires)) ||
        json_object_size(line) != (expires ? 3 : 2))
        return complain(import, "it has no key, no value, or something else");
    json_int_t ttl_ms = ttl_of(line);
    if (ttl_ms < 0) {
        import->expired++;
        return true;
    }
    json_t *ttl = ttl_ms > 0 ? json_integer(ttl_ms) : NULL;
    if (json_array_size(import->operations) == batch_lines ||
        import->bytes + length > batch_bytes) {
        if (!flush(import)) {
            json_decref(ttl);
            return false;
        }
    }
    if (length > batch_bytes) {
        bool done = write_one(import, line, ttl);
        json_decref(ttl);
        return done;
    }
    json_object_del(line, "expires_ms");
    json_object_set_new(line, "op", json_string("put"));
    if (ttl)
        json_object_set_new(line, "ttl_ms", ttl);
    import->lines[json_array_size(import->operations)] = import->line;
    json_array_append(import->operations, line);
    import->bytes += length;
    return true;
}

/* The last line: whether as many came as were sent. */
static bool
take_end(struct import *import, const json_t *end)
{
    if (!json_is_integer(end))
        return complain(import, "'end' is no count");
    import->has_ended = true;
    if ((uint64_t)json_integer_value(end) !=
        import->written + import->expired +
            json_array_size(import->operations))
        return complain(import, "the count of keys is another: some are lost");
    return true;
}

static bool
take_document(struct import *import, json_t *line, size_t length)
{
    const json_t *format = json_object_get(line, "glass_state");
    const json_t *end = json_object_get(line, "end");

    if (import->has_ended)
        return complain(import, "something follows the end");
    if (!import->has_begun) {
        import->has_begun = true;
        return json_integer_value(format) == 1 ||
               complain(import, "this is no export, or of a later format");
    }
    return end ? take_end(import, end) : take_key(import, line, length);
}

static bool
take_line(struct import *import, const char *text, size_t length)
{
    json_error_t err;

    import->line++;
    json_t *line = json_loadb(text, length,
                              JSON_ALLOW_NUL | JSON_REJECT_DUPLICATES, &err);
    if (!json_is_object(line)) {
        json_decref(line);
        return complain(import, "it is no JSON object on a line of its own");
    }
    bool done = take_document(import, line, length);
    json_decref(line);
    return done;
}

/* Reads to the end. Returns false after a complaint. */
static bool
read_all(struct import *import)
{
    char *text = NULL;
    size_t capacity = 0;
    ssize_t length;
    bool done = true;

    while (done && (length = getline(&text, &capacity, import->stream)) >= 0)
        done = take_line(import, text, (size_t)length);
    free(text);
    if (done && ferror(import->stream)) {
        command_fail(&cmd_state, "%s: %s", import->name, strerror(errno));
        return false;
    }
    return done;
}

int
state_import(const struct state_use *use)
{
    const char *file = use->values->file;
    bool is_stdin = !file || strcmp(file, "-") == 0;
    struct import import = {
        .use = use,
        .name = is_stdin ? "stdin" : file,
        .stream = is_stdin ? stdin : fopen(file, "re"),
        .operations = json_array(),
    };

    if (!import.stream) {
        json_decref(import.operations);
        return command_fail(&cmd_state, "%s: %s", file, strerror(errno));
    }
    bool done = read_all(&import);
    /* Also what came before a line that is wrong. */
    done = flush(&import) && done;
    if (done && !import.has_ended) {
        command_fail(&cmd_state,
                     "%s: it is cut off behind %" PRIu64
                     " keys: there is no last line",
                     import.name, import.written);
        done = false;
    }
    if (!is_stdin)
        fclose(import.stream);
    json_decref(import.operations);
    if (!done)
        return EXIT_FAILED;
    if (use->client.json)
        printf("{\"keys\":%" PRIu64 ",\"expired\":%" PRIu64 "}\n",
               import.written, import.expired);
    else
        printf("%" PRIu64 "\n", import.written);
    return EXIT_DONE;
}
