/*
 * glass state lock, unlock, extend and stats: what is about keys and
 * namespaces, and not about values.
 */
#include "cli/cmd_state.h"

#include <stdio.h>
#include <string.h>

/* Prints the token. */
int
state_lock(const struct state_use *use)
{
    const struct state_options *values = use->values;
    struct client_request request = {0};
    struct state_headers headers;

    state_begin(&request, use, "POST", ":lock", &headers);
    if (values->shared)
        client_append_parameter(&request, "mode", "shared");
    if (values->lease)
        client_append_parameter(&request, "lease", values->lease);
    if (values->timeout)
        client_append_parameter(&request, "timeout", values->timeout);
    request.body = "";
    return state_send_and_print(use, &request, "token");
}

/* The token is the word behind the key. */
static int
send_token(const struct state_use *use, const char *operation,
           const char *lease)
{
    struct state_options values = *use->values;
    const struct state_use with_token = {&values, use->words, use->client};
    struct client_request request = {0};
    struct state_headers headers;

    values.token = use->words->items[2];
    state_begin(&request, &with_token, "POST", operation, &headers);
    if (lease)
        client_append_parameter(&request, "lease", lease);
    request.body = "";
    return state_send_and_print(use, &request, NULL);
}

int
state_unlock(const struct state_use *use)
{
    return send_token(use, ":unlock", NULL);
}

int
state_extend(const struct state_use *use)
{
    return send_token(use, ":extend", use->values->lease);
}

/* Prints a number per line: its name, a tab and itself. */
static void
print_numbers(json_t *document, const char *prefix)
{
    const char *name;
    json_t *value;

    json_object_foreach(document, name, value)
    {
        if (json_is_integer(value))
            printf("%s%s\t%lld\n", prefix, name,
                   (long long)json_integer_value(value));
        else if (strcmp(name, "policy") == 0)
            printf("%s%s\t%s\n", prefix, name, json_string_value(value));
        else if (json_is_object(value))
            print_numbers(value, "quota.");
    }
}

int
state_stats(const struct state_use *use)
{
    struct client_request request = {.method = "GET"};
    struct client_answer answer;

    client_append(&request, "/v1/namespaces/");
    const char *name = client_namespace(&use->client);
    client_append_encoded(&request, name, strlen(name));
    if (!client_send(&cmd_state, &use->client, &request, &answer))
        return EXIT_FAILED;
    if (use->client.json) {
        fwrite(answer.body, 1, answer.body_length, stdout);
    } else {
        json_t *document =
            json_loadb(answer.body, answer.body_length, 0, NULL);
        print_numbers(document, "");
        json_decref(document);
    }
    client_answer_free(&answer);
    return EXIT_DONE;
}
