/*
 * glass deploy: a module becomes a function of a server's.
 *
 * A module alone is sent as it is, and the function keeps the configuration
 * that it had. With an option that configures, module and configuration are
 * sent as the two parts of a form, and become the function's in one step.
 */
#include "cli/command.h"

#include "cli/client.h"
#include "cli/file.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define DEPLOY_OPTIONS(X, H)                                                  \
    CLIENT_OPTIONS(X, H)                                                      \
    X(H, FLAG, create, "create", NULL, "only if there is no such function")   \
    X(H, TEXT, if_match, "if-match", "DIGEST",                                \
      "only if the function has this module now")                             \
    X(H, DURATION, timeout, "timeout", "DURATION",                            \
      "configure the time that its calls have")                               \
    X(H, NUMBER, fuel, "fuel", "COUNT", "configure their instructions")       \
    X(H, SIZE, memory, "memory", "BYTES", "configure their memory")           \
    X(H, SIZE, stack, "stack", "BYTES", "configure their value stack; 8M")    \
    X(H, NUMBER, table_entries, "table-entries", "COUNT",                     \
      "configure all tables of a sandbox")                                    \
    X(H, SIZE, output, "output-max", "BYTES", "configure their output")       \
    X(H, SIZE, log_rate, "log-rate", "BYTES",                                 \
      "configure what all of them may log in a second")                       \
    X(H, NUMBER, concurrency, "concurrency", "COUNT",                         \
      "configure how many of its calls run at once")                          \
    X(H, NUMBER, queue, "queue", "COUNT",                                     \
      "configure how many more wait for one of those")                        \
    X(H, DURATION, queue_wait, "queue-wait", "DURATION",                      \
      "configure how long they wait")                                         \
    X(H, LIST, env, "env", "NAME=VALUE",                                      \
      "configure a variable of theirs; may be repeated")                      \
    X(H, LIST, dir_read, "dir-read", "HOST[::GUEST]",                         \
      "let it read this part of the server's --files; may be repeated")       \
    X(H, LIST, grant_read, "grant-read", "PREFIX",                            \
      "of the state, let it read only such keys; may be repeated")            \
    X(H, LIST, grant_write, "grant-write", "PREFIX",                          \
      "of the state, let it write only such keys; may be repeated")           \
    X(H, LIST, grant_call, "grant-call", "NAME",                              \
      "let it call this function; may be repeated")                           \
    X(H, LIST, grant_secret, "grant-secret", "NAME",                          \
      "let it get this secret of the server's; may be repeated")              \
    X(H, FLAG, warm, "warm", NULL,                                            \
      "configure that they may find what earlier ones left")                  \
    X(H, FLAG, reset, "reset", NULL, "configure nothing but what is given")

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

/* ---- The configuration ------------------------------------------------ */

/* Whether any option says something of the configuration. */
static bool
has_config(const struct deploy_options *values)
{
    return values->reset || values->timeout || values->fuel ||
           values->memory || values->stack || values->table_entries ||
           values->output || values->log_rate || values->concurrency ||
           values->queue ||
           values->queue_wait || values->warm || values->env.count > 0 ||
           values->dir_read.count > 0 || values->grant_read.count > 0 ||
           values->grant_write.count > 0 || values->grant_call.count > 0 ||
           values->grant_secret.count > 0;
}

/* Zero is the server's own default, which is said by saying nothing. */
static void
set_number(json_t *config, const char *name, uint64_t number)
{
    if (number > 0)
        json_object_set_new(config, name, json_integer((json_int_t)number));
}

/* False after a complaint. */
static bool
add_directories(const struct deploy_options *values, json_t *config)
{
    json_t *dirs = json_object();

    json_object_set_new(config, "dirs", dirs);
    for (size_t index = 0; index < values->dir_read.count; index++) {
        const char *word = values->dir_read.items[index];
        size_t host_bytes;
        const char *guest = options_split_directory(word, &host_bytes);
        if (!guest) {
            command_usage(&cmd_deploy, "'%s' is no HOST[::GUEST]", word);
            return false;
        }
        json_object_set_new(dirs, guest, json_stringn(word, host_bytes));
    }
    return true;
}

/* A list that nobody has given an item is left out. */
static void
add_grant(json_t *grants, const char *name, const struct words *words)
{
    json_t *texts = words->count > 0 ? json_array() : NULL;

    for (size_t index = 0; index < words->count; index++)
        json_array_append_new(texts, json_string(words->items[index]));
    if (texts)
        json_object_set_new(grants, name, texts);
}

/* The configuration as text that the caller frees; null after a complaint. */
static char *
build_config(const struct deploy_options *values)
{
    json_t *config = json_object();
    json_t *env = json_object();

    for (size_t index = 0; index < values->env.count; index++) {
        const char *word = values->env.items[index];
        const char *equals = strchr(word, '=');
        char name[512];
        if (!equals || (size_t)(equals - word) >= sizeof(name)) {
            command_usage(&cmd_deploy, "--env '%s' is no NAME=VALUE", word);
            json_decref(config);
            json_decref(env);
            return NULL;
        }
        snprintf(name, sizeof(name), "%.*s", (int)(equals - word), word);
        json_object_set_new(env, name, json_string(equals + 1));
    }
    set_number(config, "timeout_ms", values->timeout);
    set_number(config, "fuel", values->fuel);
    set_number(config, "memory_bytes", values->memory);
    set_number(config, "stack_bytes", values->stack);
    set_number(config, "table_entries", values->table_entries);
    set_number(config, "output_bytes", values->output);
    set_number(config, "log_bytes_per_s", values->log_rate);
    set_number(config, "concurrency", values->concurrency);
    set_number(config, "queue", values->queue);
    set_number(config, "queue_ms", values->queue_wait);
    if (values->warm)
        json_object_set_new(config, "reuse", json_string("warm"));
    json_object_set_new(config, "env", env);
    if (!add_directories(values, config)) {
        json_decref(config);
        return NULL;
    }
    json_t *grants = json_object();
    json_object_set_new(config, "grants", grants);
    add_grant(grants, "state_read", &values->grant_read);
    add_grant(grants, "state_write", &values->grant_write);
    add_grant(grants, "functions", &values->grant_call);
    add_grant(grants, "secrets", &values->grant_secret);
    char *text = json_dumps(config, JSON_COMPACT);
    json_decref(config);
    return text;
}

/* A form of module and configuration. */
struct form {
    char *bytes;
    size_t length;
    char type[128]; /* the header */
};

/* Builds it; what is random in its boundary does not occur in the module. */
static bool
build_form(struct form *form, const unsigned char *module, size_t length,
           const char *config)
{
    static const char part[] =
        "Content-Disposition: form-data; name=\"%s\"\r\n\r\n";
    unsigned char random[16];
    char boundary[2 * sizeof(random) + 1];

    if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
        return false;
    for (size_t index = 0; index < sizeof(random); index++)
        snprintf(boundary + 2 * index, 3, "%02x", random[index]);
    snprintf(form->type, sizeof(form->type),
             "Content-Type: multipart/form-data; boundary=%s", boundary);
    FILE *stream = open_memstream(&form->bytes, &form->length);
    if (!stream)
        return false;
    fprintf(stream, "--%s\r\n", boundary);
    fprintf(stream, part, "config");
    fprintf(stream, "%s\r\n--%s\r\n", config, boundary);
    fprintf(stream, part, "module");
    fwrite(module, 1, length, stream);
    fprintf(stream, "\r\n--%s--\r\n", boundary);
    return fclose(stream) == 0;
}

/* ---- The request ------------------------------------------------------ */

/* Sends the module, or the form, as `type` says, and prints the answer. */
static int
send_body(const struct deploy_options *values, const char *name,
          const void *body, size_t length, const char *type)
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
    client_add_header(&request, type);
    if (values->create)
        client_add_header(&request, "If-None-Match: *");
    if (values->if_match) {
        snprintf(condition, sizeof(condition), "If-Match: \"%s\"",
                 values->if_match);
        client_add_header(&request, condition);
    }
    request.body = body;
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

/* Deploys the module in the form that the options ask for. */
static int
deploy(const struct deploy_options *values, const char *name,
       const unsigned char *module, size_t length)
{
    struct form form = {0};
    int status = EXIT_FAILED;

    if (!has_config(values))
        return send_body(values, name, module, length,
                         "Content-Type: application/wasm");
    char *config = build_config(values);
    if (!config)
        return EXIT_USAGE;
    if (build_form(&form, module, length, config))
        status =
            send_body(values, name, form.bytes, form.length, form.type);
    else
        command_fail(&cmd_deploy, "out of memory");
    free(form.bytes);
    free(config);
    return status;
}

static int
run(char **arguments)
{
    static struct words words;
    static struct deploy_options values;
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
    .details =
        "Calls under way finish on the version they began with. Without any\n"
        "option that configures, the configuration stays as it was; with one,\n"
        "it becomes what is given.\n",
    .example = "  $ glass deploy counter counter.wasm\n"
               "  $ glass deploy slow slow.wasm --timeout 5m --env LEVEL=9\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
