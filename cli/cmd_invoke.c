/*
 * glass invoke: calls a function of a server's.
 *
 * The input is a text, a file or nothing; stdin is read only when it is asked
 * for, so that the command does not wait for a terminal.
 */
#include "cli/command.h"

#include "cli/client.h"
#include "cli/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INVOKE_OPTIONS(X, H)                                                  \
    CLIENT_OPTIONS(X, H)                                                      \
    X(H, TEXT, data, "data", "TEXT", "the input")                             \
    X(H, TEXT, file, "file", "FILE", "a file with the input, - is stdin")     \
    X(H, TEXT, export_, "export", "EXPORT",                                   \
      "call this function with the words after NAME")                         \
    X(H, TEXT, timeout, "timeout", "DURATION",                                \
      "the time that the call has")                                           \
    X(H, FLAG, async, "async", NULL,                                          \
      "do not wait: print the call's identity")

struct invoke_options {
    INVOKE_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    INVOKE_OPTIONS(OPTION_ROW, struct invoke_options)
};

/* Appends `?export=` and `&args=`; returns false when a word has a comma. */
static bool
append_export(struct client_request *request, const char *export_,
              const struct words *words)
{
    client_append_parameter(request, "export", export_);
    for (size_t index = 1; index < words->count; index++) {
        if (strchr(words->items[index], ','))
            return false;
        client_append(request, index == 1 ? "&args=" : ",");
        client_append_encoded(request, words->items[index],
                              strlen(words->items[index]));
    }
    return true;
}

/* Prints the output as it came, or with `json` what is known of the call. */
static void
print_answer(const struct client_answer *answer, bool json)
{
    if (!json) {
        fwrite(answer->body, 1, answer->body_length, stdout);
        return;
    }
    json_t *document = json_object();
    json_object_set_new(document, "call_id", json_string(answer->call_id));
    json_object_set_new(document, "fuel_used",
                        json_integer(atoll(answer->fuel_used)));
    client_set_bytes(document, "output", answer->body, answer->body_length);
    json_dumpf(document, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(document);
}

/* Makes the call with that input and prints what it answered. */
static int
invoke(const struct invoke_options *values, const struct words *words,
       const void *input, size_t length)
{
    const struct client_options client = {
        .server = values->server,
        .namespace_ = values->namespace_,
        .json = values->json,
    };
    struct client_request request = {.method = "POST"};
    struct client_answer answer;
    char timeout[64];

    client_append(&request, "/v1/functions/");
    client_append_encoded(&request, words->items[0], strlen(words->items[0]));
    client_append(&request, "/invoke");
    if (values->export_ && !append_export(&request, values->export_, words))
        return command_usage(&cmd_invoke, "an argument has no comma in it");
    if (values->timeout) {
        snprintf(timeout, sizeof(timeout), "Glass-Timeout: %s",
                 values->timeout);
        client_add_header(&request, timeout);
    }
    request.body = input;
    request.body_length = length;
    if (values->async)
        client_add_header(&request, "Prefer: respond-async");
    if (!client_send(&cmd_invoke, &client, &request, &answer))
        return EXIT_FAILED;
    if (values->async && !values->json)
        printf("%s\n", answer.call_id);
    else if (values->async)
        fwrite(answer.body, 1, answer.body_length, stdout);
    else
        print_answer(&answer, values->json);
    client_answer_free(&answer);
    return EXIT_DONE;
}

static int
run(char **arguments)
{
    static struct words words;
    struct invoke_options values = {0};

    if (!options_parse("invoke", options, cmd_invoke.option_count, arguments,
                       &values, &words, &words))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_usage(&cmd_invoke, "which NAME?");
    if (words.count > 1 && !values.export_)
        return command_usage(&cmd_invoke,
                             "words after NAME are for --export");
    if (values.data && values.file)
        return command_usage(&cmd_invoke, "either --data or --file");
    if (!values.file) {
        const char *data = values.data ? values.data : "";
        return invoke(&values, &words, data, strlen(data));
    }
    size_t length;
    unsigned char *input = file_read(values.file, &length);
    if (!input)
        return command_fail(&cmd_invoke, "%s: %s", values.file,
                            strerror(errno));
    int status = invoke(&values, &words, input, length);
    free(input);
    return status;
}

const struct command cmd_invoke = {
    .name = "invoke",
    .synopsis = "NAME [OPTION...] [--export EXPORT ARGUMENT...]",
    .summary = "Calls a function",
    .details =
        "The output is printed as it comes. A call that fails prints why and\n"
        "exits with 1. With --async it goes on by itself, and the server says\n"
        "at /v1/calls/ID what has come of it.\n",
    .example = "  $ glass invoke hello --data Glass\n"
               "  Hello, Glass!\n"
               "  $ glass invoke math --export add 2 3\n"
               "  {\"results\":[5]}\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
