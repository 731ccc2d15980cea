/*
 * glass state watch: prints changes as the server tells of them, until it is
 * told to stop or the server has nothing more to tell.
 */
#include "cli/cmd_state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is known of the event that is being received. */
struct watcher {
    const struct state_use *use;
    uint64_t left; /* how many may still be printed */
    char type[32];
    bool has_failed;
};

/* Prints a change as `list` prints a key, with what happened in front. */
static void
print_change(const struct watcher *watcher, json_t *data)
{
    if (watcher->use->client.json) {
        json_object_set_new(data, "change", json_string(watcher->type));
        json_dumpf(data, stdout, JSON_COMPACT);
        printf("\n");
    } else {
        printf("%s\t", watcher->type);
        state_print_item(data);
    }
    fflush(stdout);
}

/* The stream's last event says why it is the last. */
static void
report(struct watcher *watcher, const json_t *problem)
{
    const char *title = json_string_value(json_object_get(problem, "title"));
    const json_t *version = json_object_get(problem, "version");

    watcher->has_failed = true;
    if (version)
        command_fail(&cmd_state, "%s; go on with --from %lld",
                     title ? title : "the stream has ended",
                     (long long)json_integer_value(version));
    else
        command_fail(&cmd_state, "%s", title ? title : "the stream has ended");
}

/* A line of the stream; returns false to have no more of them. */
static bool
take_line(void *data, const char *line, size_t length)
{
    static const char type[] = "event: ", content[] = "data: ";
    struct watcher *watcher = data;

    if (length > strlen(type) && !memcmp(line, type, strlen(type))) {
        snprintf(watcher->type, sizeof(watcher->type), "%.*s",
                 (int)(length - strlen(type)), line + strlen(type));
        return true;
    }
    if (length <= strlen(content) || memcmp(line, content, strlen(content)))
        return true;
    json_t *event = json_loadb(line + strlen(content),
                               length - strlen(content), JSON_ALLOW_NUL, NULL);
    bool is_problem = strcmp(watcher->type, "problem") == 0;
    if (is_problem)
        report(watcher, event);
    else
        print_change(watcher, event);
    json_decref(event);
    return !is_problem && --watcher->left > 0;
}

int
state_watch(const struct state_use *use)
{
    const struct state_options *values = use->values;
    struct client_request request = {.method = "GET"};
    struct watcher watcher = {
        .use = use,
        .left = values->limit ? values->limit : UINT64_MAX,
    };

    client_append(&request, "/v1/state:watch");
    if (use->words->count > 1)
        client_append_parameter(&request, "prefix", use->words->items[1]);
    if (values->from)
        client_append_parameter(&request, "from", values->from);
    if (!client_follow(&cmd_state, &use->client, &request, take_line,
                       &watcher))
        return EXIT_FAILED;
    if (watcher.left > 0 && !watcher.has_failed)
        return command_fail(&cmd_state, "the server has ended the stream");
    return watcher.has_failed ? EXIT_FAILED : EXIT_DONE;
}
