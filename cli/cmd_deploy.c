/*
 * glass deploy: a module becomes a function of a server's.
 */
#include "cli/command.h"

#include "cli/client.h"
#include "cli/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEPLOY_OPTIONS(X, H)                                                  \
    CLIENT_OPTIONS(X, H)                                                      \
    X(H, FLAG, create, "create", NULL, "only if there is no such function")   \
    X(H, TEXT, if_match, "if-match", "DIGEST",                                \
      "only if the function has this module now")

struct deploy_options {
    DEPLOY_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    DEPLOY_OPTIONS(OPTION_ROW, struct deploy_options)
};

/* One line of what the server says of the function. */
static void
print_function(const struct client_answer *answer)
{
    json_t *function = json_loadb(answer->body, answer->body_length, 0, NULL);
    const char *name = "?";
    const char *kind = "?";
    const char *digest = "?";
    json_int_t size = 0;
    json_int_t version = 0;

    json_unpack(function, "{s:s, s:s, s:s, s:I, s:I}", "name", &name, "kind",
                &kind, "digest", &digest, "size", &size, "version", &version);
    printf("%s version %lld: %s, %lld bytes, %s\n", name, (long long)version,
           kind, (long long)size, digest);
    json_decref(function);
}

static int
deploy(const struct deploy_options *values, const char *name,
       const unsigned char *module, size_t length)
{
    const struct client_options client = {
        .server = values->server,
        .namespace_ = values->namespace_,
        .json = values->json,
    };
    struct client_request request = {.method = "PUT"};
    struct client_answer answer;
    char condition[160];

    client_append(&request, "/v1/functions/");
    client_append_encoded(&request, name, strlen(name));
    client_add_header(&request, "Content-Type: application/wasm");
    if (values->create)
        client_add_header(&request, "If-None-Match: *");
    if (values->if_match) {
        snprintf(condition, sizeof(condition), "If-Match: \"%s\"",
                 values->if_match);
        client_add_header(&request, condition);
    }
    request.body = module;
    request.body_length = length;
    if (!client_send(&cmd_deploy, &client, &request, &answer))
        return EXIT_FAILED;
    if (values->json)
        fwrite(answer.body, 1, answer.body_length, stdout);
    else
        print_function(&answer);
    client_answer_free(&answer);
    return EXIT_DONE;
}

static int
run(char **arguments)
{
    static struct words words;
    struct deploy_options values = {0};
    size_t length;

    if (!options_parse("deploy", options, cmd_deploy.option_count, arguments,
                       &values, &words, NULL))
        return EXIT_USAGE;
    if (words.count != 2)
        return command_usage(&cmd_deploy, "it takes a name and a file");
    unsigned char *module = file_read(words.items[1], &length);
    if (!module)
        return command_fail(&cmd_deploy, "%s: %s", words.items[1],
                            strerror(errno));
    int status = deploy(&values, words.items[0], module, length);
    free(module);
    return status;
}

const struct command cmd_deploy = {
    .name = "deploy",
    .synopsis = "NAME FILE.wasm [OPTION...]",
    .summary = "Deploys a module as a function",
    .details = "Calls under way finish on the version they began with.\n",
    .example = "  $ glass deploy counter counter.wasm\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
