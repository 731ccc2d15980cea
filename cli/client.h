/*
 * Talking to a server: one request, one answer, both whole in memory.
 */
#ifndef GLASS_CLI_CLIENT_H
#define GLASS_CLI_CLIENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/command.h"

/*
 * The options of every command that talks to a server. A token is in
 * $GLASS_TOKEN, where other processes do not see it.
 */
#define CLIENT_OPTIONS(X, H)                                                  \
    X(H, TEXT, server, "server", "URL",                                       \
      "the server; $GLASS_SERVER or http://127.0.0.1:8080")                   \
    X(H, TEXT, namespace_, "namespace", "NAME",                               \
      "the namespace; $GLASS_NAMESPACE or default")                           \
    X(H, FLAG, json, "json", NULL, "print JSON")

struct client_options {
    CLIENT_OPTIONS(OPTION_MEMBER, _)
};

#define CLIENT_TARGET_SIZE 8192
#define CLIENT_HEADERS_MAX 8

/* A request that is being put together; zeros are the beginning. */
struct client_request {
    const char *method;
    char target[CLIENT_TARGET_SIZE]; /* path and query */
    bool too_long;                   /* the target did not fit */
    const char *headers[CLIENT_HEADERS_MAX];
    size_t header_count;
    const void *body; /* null: none */
    size_t body_length;
    bool may_be_absent; /* 404 is an answer, and nothing to complain of */
};

struct client_answer {
    long status;
    char *body; /* a zero follows it */
    size_t body_length;
    char etag[128]; /* without quotes; "" without one */
    char call_id[64];
    char fuel_used[32];
};

/* Appends to the target: text as it is, and bytes percent-encoded. */
void
client_append(struct client_request *request, const char *text);
void
client_append_encoded(struct client_request *request, const void *bytes,
                      size_t length);

/* Appends the bytes of base64, encoded; false for null and what is none. */
bool
client_append_base64(struct client_request *request, const char *text);

/* Appends `?name=value`, or `&name=value` if there is a query already. */
void
client_append_parameter(struct client_request *request, const char *name,
                        const char *value);

/* Adds `Name: value`, which has to stay until the request is sent. */
void
client_add_header(struct client_request *request, const char *header);

/*
 * Sends the request. On success returns true; `answer` is to be freed. When
 * there is no answer at all, or it is an error, says so on stderr (with `json`
 * as the problem document that it is) and returns false; nothing is to be
 * freed then.
 */
bool
client_send(const struct command *command,
            const struct client_options *options,
            const struct client_request *request,
            struct client_answer *answer);

/*
 * Sends the request and hands the answer's lines over one by one as they come,
 * without their ends, until there are no more or `take_line` returns false.
 * Returns as client_send does.
 */
bool
client_follow(const struct command *command,
              const struct client_options *options,
              const struct client_request *request,
              bool (*take_line)(void *data, const char *line, size_t length),
              void *data);

/* The namespace that requests go to. */
const char *
client_namespace(const struct client_options *options);

/*
 * Sets the member `name` to the bytes if they are UTF-8, and `name_base64`
 * otherwise, as the server does.
 */
void
client_set_bytes(json_t *object, const char *name, const void *bytes,
                 size_t length);

void
client_answer_free(struct client_answer *answer);

#endif
