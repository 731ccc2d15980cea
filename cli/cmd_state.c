/*
 * glass state: the values that functions share, from outside.
 *
 * Each action is a row of a table and a function; what they have in common is
 * the request on a key.
 */
#include "cli/cmd_state.h"

#include "cli/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct option options[] = {
    STATE_OPTIONS(OPTION_ROW, struct state_options)
};

struct action {
    const char *name;
    size_t words_min;
    size_t words_max;
    int (*run)(const struct state_use *use);
};

void
state_begin(struct client_request *request, const struct state_use *use,
            const char *method, const char *operation,
            struct state_headers *headers)
{
    const struct state_options *values = use->values;
    const char *key = use->words->items[1];

    request->method = method;
    client_append(request, "/v1/state/");
    client_append_encoded(request, key, strlen(key));
    client_append(request, operation);
    if (values->ttl)
        client_append_parameter(request, "ttl", values->ttl);
    if (values->token) {
        snprintf(headers->token, sizeof(headers->token),
                 "Glass-Lock-Token: %.40s", values->token);
        client_add_header(request, headers->token);
    }
    if (!values->if_version)
        return;
    if (strcmp(values->if_version, "0") == 0)
        strcpy(headers->condition, "If-None-Match: *");
    else
        snprintf(headers->condition, sizeof(headers->condition),
                 "If-Match: \"%.40s\"", values->if_version);
    client_add_header(request, headers->condition);
}

int
state_send_and_print(const struct state_use *use,
                     const struct client_request *request,
                     const char *member)
{
    struct client_answer answer;

    if (!client_send(&cmd_state, &use->client, request, &answer))
        return EXIT_FAILED;
    if (use->client.json && answer.body_length > 0) {
        fwrite(answer.body, 1, answer.body_length, stdout);
    } else if (use->client.json) {
        printf("{\"version\":%s}\n", *answer.etag ? answer.etag : "null");
    } else if (member) {
        json_t *document =
            json_loadb(answer.body, answer.body_length, 0, NULL);
        printf("%lld\n", (long long)json_integer_value(
                             json_object_get(document, member)));
        json_decref(document);
    }
    client_answer_free(&answer);
    return EXIT_DONE;
}

/* Prints the value's bytes as they are, without a line's end. */
static int
get(const struct state_use *use)
{
    struct client_request request = {0};
    struct client_answer answer;
    struct state_headers headers;

    state_begin(&request, use, "GET", "", &headers);
    if (!client_send(&cmd_state, &use->client, &request, &answer))
        return EXIT_FAILED;
    if (use->client.json) {
        const char *key = use->words->items[1];
        json_t *document = json_object();
        client_set_bytes(document, "key", key, strlen(key));
        client_set_bytes(document, "value", answer.body, answer.body_length);
        json_object_set_new(document, "version",
                            json_integer(atoll(answer.etag)));
        json_dumpf(document, stdout, JSON_COMPACT);
        printf("\n");
        json_decref(document);
    } else {
        fwrite(answer.body, 1, answer.body_length, stdout);
    }
    client_answer_free(&answer);
    return EXIT_DONE;
}

/* Sends the value that is a word or a file. */
static int
send_value(const struct state_use *use, const char *method,
           const char *operation, const char *member)
{
    struct client_request request = {0};
    struct state_headers headers;
    const char *word = use->words->count > 2 ? use->words->items[2] : NULL;
    const char *file = use->values->file;

    if (!word == !file)
        return command_usage(&cmd_state, "it takes a VALUE or --file");
    state_begin(&request, use, method, operation, &headers);
    request.body = word;
    request.body_length = word ? strlen(word) : 0;
    unsigned char *bytes = NULL;
    if (file) {
        bytes = file_read(file, &request.body_length);
        if (!bytes)
            return command_fail(&cmd_state, "%s: %s", file, strerror(errno));
        request.body = bytes;
    }
    int status = state_send_and_print(use, &request, member);
    free(bytes);
    return status;
}

/* A write without a body in its answer: nothing is printed. */
static int
put(const struct state_use *use)
{
    return send_value(use, "PUT", "", NULL);
}

/* Prints the size that the value has now. */
static int
append(const struct state_use *use)
{
    return send_value(use, "POST", ":append", "size");
}

/* Prints the sum; without a word for it, 1 is added. */
static int
incr(const struct state_use *use)
{
    struct client_request request = {0};
    struct state_headers headers;

    state_begin(&request, use, "POST", ":incr", &headers);
    if (use->words->count > 2)
        client_append_parameter(&request, "delta", use->words->items[2]);
    request.body = "";
    return state_send_and_print(use, &request, "value");
}

static int
delete(const struct state_use *use)
{
    struct client_request request = {0};
    struct state_headers headers;

    state_begin(&request, use, "DELETE", "", &headers);
    return state_send_and_print(use, &request, NULL);
}

/* ---- list ------------------------------------------------------------- */

void
state_print_item(json_t *item)
{
    const char *key = json_string_value(json_object_get(item, "key"));
    size_t length = json_string_length(json_object_get(item, "key"));
    const char *encoded =
        json_string_value(json_object_get(item, "key_base64"));

    if (key)
        fwrite(key, 1, length, stdout);
    else
        printf("base64:%s", encoded ? encoded : "?");
    printf("\t%lld\t%lld\n",
           (long long)json_integer_value(json_object_get(item, "version")),
           (long long)json_integer_value(json_object_get(item, "size")));
}

/*
 * Prints one page, and sets `next` to the cursor of the next one, which the
 * caller frees, or to null. `left` is how many may still be printed. False,
 * and said: it is no page.
 */
static bool
print_page(const struct client_answer *answer, uint64_t *left, bool as_json,
           char **next)
{
    json_t *page = json_loadb(answer->body, answer->body_length,
                              JSON_ALLOW_NUL, NULL);
    const char *cursor = json_string_value(json_object_get(page, "cursor"));
    json_t *items = json_object_get(page, "items");
    json_t *item;
    size_t index;

    *next = cursor ? strdup(cursor) : NULL;
    if (!json_is_array(items) || (cursor && !*next)) {
        command_fail(&cmd_state, "the server's answer is no list's");
        free(*next);
        *next = NULL;
        json_decref(page);
        return false;
    }
    json_array_foreach(items, index, item)
    {
        if (*left == 0)
            break;
        --*left;
        if (as_json) {
            json_dumpf(item, stdout, JSON_COMPACT);
            printf("\n");
        } else {
            state_print_item(item);
        }
    }
    json_decref(page);
    return true;
}

/* Page after page, each printed before the next is asked for. */
static int
list(const struct state_use *use)
{
    uint64_t left = use->values->limit ? use->values->limit : UINT64_MAX;
    char *cursor = NULL;

    do {
        struct client_request request = {.method = "GET"};
        struct client_answer answer;
        client_append(&request, "/v1/state");
        client_append_parameter(&request, "limit",
                                left < 1000 ? "100" : "1000");
        if (use->words->count > 1)
            client_append_parameter(&request, "prefix", use->words->items[1]);
        if (cursor)
            client_append_parameter(&request, "cursor", cursor);
        free(cursor);
        cursor = NULL;
        if (!client_send(&cmd_state, &use->client, &request, &answer))
            return EXIT_FAILED;
        bool is_page =
            print_page(&answer, &left, use->client.json, &cursor);
        client_answer_free(&answer);
        if (!is_page)
            return EXIT_FAILED;
    } while (cursor && left > 0);
    free(cursor);
    return EXIT_DONE;
}

/* The words include the action's own name. */
static const struct action actions[] = {
    {"get", 2, 2, get},       {"put", 2, 3, put},
    {"incr", 2, 3, incr},     {"append", 2, 3, append},
    {"delete", 2, 2, delete}, {"list", 1, 2, list},
    {"watch", 1, 2, state_watch},
    {"lock", 2, 2, state_lock},
    {"unlock", 3, 3, state_unlock},
    {"extend", 3, 3, state_extend},
    {"stats", 1, 1, state_stats},
    {"export", 1, 2, state_export},
    {"import", 1, 1, state_import},
};

#define ACTION_COUNT (sizeof(actions) / sizeof(*actions))

/* Says that there is no such action, and which is most like it. */
static int
complain(const char *word)
{
    const char *names[ACTION_COUNT];

    for (size_t index = 0; index < ACTION_COUNT; index++)
        names[index] = actions[index].name;
    const char *nearest = options_nearest(word, names, ACTION_COUNT);
    return command_usage(&cmd_state, "there is no action '%s'%s%s%s", word,
                         nearest ? "; did you mean '" : "",
                         nearest ? nearest : "", nearest ? "'?" : "");
}

static int
run(char **arguments)
{
    static struct words words;
    struct state_options values = {0};

    if (!options_parse("state", options, cmd_state.option_count, arguments,
                       &values, &words, &words))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_usage(&cmd_state, "which action?");
    for (size_t index = 0; index < ACTION_COUNT; index++) {
        const struct action *action = &actions[index];
        const struct state_use use = {&values, &words,
                                {values.server, values.namespace_,
                                 values.json}};
        if (strcmp(action->name, words.items[0]) != 0)
            continue;
        if (words.count < action->words_min ||
            words.count > action->words_max)
            return command_usage(&cmd_state, "'%s' takes other words",
                                 action->name);
        return action->run(&use);
    }
    return complain(words.items[0]);
}

const struct command cmd_state = {
    .name = "state",
    .synopsis = "get KEY | put KEY VALUE | incr KEY [DELTA] | append KEY VALUE "
                "| delete KEY | list [PREFIX] | watch [PREFIX] | lock KEY | "
                "unlock KEY TOKEN | extend KEY TOKEN | stats | "
                "export [PREFIX] | import",
    .summary = "Reads and writes the state that functions share",
    .details =
        "`get` prints the value as it is, `incr` the sum, `append` the size\n"
        "and `list` a line per key: key, version and size with tabs between\n"
        "(with --json one JSON object per line). `watch` prints changes as\n"
        "they happen, and in front what happened. `lock` prints a token.\n"
        "`export` prints keys with their values, a JSON object per line, and\n"
        "`import` reads that, from --file or stdin, and prints their count.\n",
    .example = "  $ glass state put counter 100\n"
               "  $ glass state incr counter 20\n"
               "  120\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
