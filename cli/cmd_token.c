/*
 * glass token: the tokens of a server, in its directory. The server need not
 * run; one that does reads them again when it gets SIGHUP.
 */
#include "cli/audit.h"
#include "cli/command.h"

#include "http/http.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define TOKEN_OPTIONS(X, H)                                                   \
    X(H, TEXT, data, "data", "DIR", "the server's directory")                 \
    X(H, TEXT, namespace_, "namespace", "NAME",                               \
      "create: the namespace that it is for; default")                        \
    X(H, LIST, scopes, "scope", "SCOPE[=PREFIX]",                             \
      "create: functions, invoke, state:r, state:w or admin")                 \
    X(H, DURATION, expires, "expires", "DURATION",                            \
      "create: how long it is good; for ever")                                \
    X(H, TEXT, note, "note", "TEXT", "create: for people")                    \
    X(H, FLAG, json, "json", NULL, "print JSON")

struct token_options {
    TOKEN_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    TOKEN_OPTIONS(OPTION_ROW, struct token_options)
};

static uint64_t
now_ms(void)
{
    return (uint64_t)time(NULL) * 1000;
}

/* What has been done is in the log, or it is said that it is not. */
static int
audit(const char *directory, const char *act, const char *id,
      const char *namespace_)
{
    int log = audit_open(directory);

    if (log < 0)
        return command_fail(&cmd_token, "%s: audit.log: %s", directory,
                            strerror(errno));
    audit_write_token(log, act, id, namespace_);
    close(log);
    return EXIT_DONE;
}

/* The token is the last that anybody sees of it. */
static int
create(const struct token_options *values, const struct words *words)
{
    char text[HTTP_TOKEN_SIZE];
    char id[HTTP_TOKEN_ID_SIZE];
    struct http_error err;
    const struct http_token token = {
        .namespace_ = values->namespace_ ? values->namespace_ : "default",
        .note = values->note,
        .expires_ms = values->expires ? now_ms() + values->expires : 0,
        .scopes = values->scopes.items,
        .scope_count = values->scopes.count,
    };

    (void)words;
    if (values->scopes.count == 0)
        return command_usage(&cmd_token, "it needs a --scope");
    if (http_token_create(values->data, &token, text, &err) != HTTP_OK)
        return command_fail(&cmd_token, "%s", err.message);
    snprintf(id, sizeof(id), "%.*s", HTTP_TOKEN_ID_SIZE - 1,
             strchr(text, '_') + 1);
    if (values->json)
        printf("{\"id\":\"%s\",\"token\":\"%s\"}\n", id, text);
    else
        printf("%s\n", text);
    return audit(values->data, "token create", id, token.namespace_);
}

static int
take_back(const struct token_options *values, const struct words *words)
{
    const char *id = words->items[1];
    struct http_error err;

    if (http_token_revoke(values->data, id, &err) != HTTP_OK)
        return command_fail(&cmd_token, "%s", err.message);
    return audit(values->data, "token revoke", id, NULL);
}

/* A line per token: identity, namespace, expiry, scopes, note. */
static void
print_text(void *data, const struct http_token *token)
{
    char expiry[32] = "never";
    time_t seconds = (time_t)(token->expires_ms / 1000);
    struct tm utc;

    (void)data;
    if (token->expires_ms && gmtime_r(&seconds, &utc))
        strftime(expiry, sizeof(expiry), "%Y-%m-%dT%H:%M:%SZ", &utc);
    printf("%s\t%s\t%s\t", token->id, token->namespace_, expiry);
    for (size_t index = 0; index < token->scope_count; index++)
        printf("%s%s", index > 0 ? " " : "", token->scopes[index]);
    printf("\t%s\n", token->note);
}

static void
print_json(void *data, const struct http_token *token)
{
    json_t *scopes = json_array();

    (void)data;
    for (size_t index = 0; index < token->scope_count; index++)
        json_array_append_new(scopes, json_string(token->scopes[index]));
    json_t *line = json_pack(
        "{s:s, s:s, s:s, s:I, s:o}", "id", token->id, "namespace",
        token->namespace_, "note", token->note, "created_ms",
        (json_int_t)token->created_ms, "scopes", scopes);
    if (token->expires_ms)
        json_object_set_new(line, "expires_ms",
                            json_integer((json_int_t)token->expires_ms));
    json_dumpf(line, stdout, JSON_COMPACT);
    printf("\n");
    json_decref(line);
}

static int
list(const struct token_options *values, const struct words *words)
{
    struct http_error err;

    (void)words;
    enum http_status status =
        http_token_each(values->data, values->json ? print_json : print_text,
                        NULL, &err);
    if (status != HTTP_OK && status != HTTP_NOT_FOUND)
        return command_fail(&cmd_token, "%s", err.message);
    return EXIT_DONE;
}

static const struct {
    const char *name;
    size_t words; /* with the name */
    int (*run)(const struct token_options *values, const struct words *words);
} actions[] = {
    {"create", 1, create}, {"list", 1, list}, {"revoke", 2, take_back}};

static int
run(char **arguments)
{
    static struct words words;
    static struct token_options values;

    if (!options_parse("token", options, cmd_token.option_count, arguments,
                       &values, &words, &words))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_usage(&cmd_token, "which action?");
    if (!values.data)
        return command_usage(&cmd_token, "it needs the server's --data");
    for (size_t i = 0; i < sizeof(actions) / sizeof(*actions); i++)
        if (strcmp(actions[i].name, words.items[0]) == 0)
            return words.count == actions[i].words
                       ? actions[i].run(&values, &words)
                       : command_usage(&cmd_token, "'%s' takes other words",
                                       actions[i].name);
    return command_usage(&cmd_token, "there is no action '%s'",
                         words.items[0]);
}

const struct command cmd_token = {
    .name = "token",
    .synopsis = "create | list | revoke ID",
    .summary = "Makes and revokes the tokens that a server asks for",
    .details =
        "A server whose --data has tokens answers nobody without one.\n"
        "`create` prints the token, once: what is kept is a hash of it.\n"
        "`list` prints identity, namespace, expiry, scopes and note with\n"
        "tabs between. A server that runs reads them again when it gets\n"
        "SIGHUP. The other commands send the token in $GLASS_TOKEN.\n",
    .example = "  $ glass token create --data ./data --scope invoke \\\n"
               "        --scope state:r=users/ --expires 720h --note ci\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
