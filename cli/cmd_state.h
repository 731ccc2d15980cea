/*
 * The actions of `glass state`: each is a row of the table in cmd_state.c and
 * a function in one of the files beside it.
 */
#ifndef GLASS_CLI_CMD_STATE_H
#define GLASS_CLI_CMD_STATE_H

#include "cli/client.h"

#define STATE_OPTIONS(X, H)                                                   \
    CLIENT_OPTIONS(X, H)                                                      \
    X(H, TEXT, file, "file", "FILE",                                          \
      "put, append, import: a file with what is sent, - is stdin")            \
    X(H, TEXT, ttl, "ttl", "DURATION",                                        \
      "put, incr, append: the key vanishes after it")                         \
    X(H, TEXT, if_version, "if-version", "VERSION",                           \
      "only if the key has this version; 0: if it is absent")                 \
    X(H, TEXT, token, "token", "TOKEN",                                       \
      "put, incr, append, delete: only while this lock is held")              \
    X(H, NUMBER, limit, "limit", "COUNT",                                     \
      "list, watch: print so many at most")                                   \
    X(H, TEXT, from, "from", "VERSION", "watch: the changes after it")        \
    X(H, TEXT, lease, "lease", "DURATION",                                    \
      "lock, extend: how long it is held at most; 30s")                       \
    X(H, TEXT, timeout, "timeout", "DURATION",                                \
      "lock: how long to wait for it; not at all")                            \
    X(H, FLAG, shared, "shared", NULL, "lock: with others who share it")

struct state_options {
    STATE_OPTIONS(OPTION_MEMBER, _)
};

/* One use of the command. */
struct state_use {
    const struct state_options *values;
    const struct words *words; /* the action, then its own */
    struct client_options client;
};

/*
 * Begins a request on the key that is the action's first word, with the
 * options that go with it; what `headers` holds has to stay.
 */
struct state_headers {
    char condition[64];
    char token[64];
};

void
state_begin(struct client_request *request, const struct state_use *use,
            const char *method, const char *operation,
            struct state_headers *headers);

/*
 * Sends the request and prints the number `member` of the answer, if it is not
 * null; with --json all of it, or the version that the answer's ETag has.
 */
int
state_send_and_print(const struct state_use *use,
                     const struct client_request *request,
                     const char *member);

/* Prints a key, its version and its size; a key of other bytes in base64. */
void
state_print_item(json_t *item);

int
state_lock(const struct state_use *use);
int
state_unlock(const struct state_use *use);
int
state_extend(const struct state_use *use);
int
state_stats(const struct state_use *use);
int
state_watch(const struct state_use *use);
int
state_export(const struct state_use *use);
int
state_import(const struct state_use *use);

#endif
