/*
 * Scopes: what a token may do. A scope is one of the words below, alone or
 * with a prefix behind an equals sign: `state:r=users/`.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#ifndef GLASS_HTTP_SCOPE_H
#define GLASS_HTTP_SCOPE_H

#include <stdbool.h>
#include <stddef.h>

/* Every scope: symbol, bit, word. */
#define HTTP__SCOPE_MAP(X)                                                    \
    X(FUNCTIONS, 1u, "functions")                                             \
    X(INVOKE, 2u, "invoke")                                                   \
    X(STATE_READ, 4u, "state:r")                                              \
    X(STATE_WRITE, 8u, "state:w")                                             \
    X(ADMIN, 16u, "admin")

enum {
#define HTTP__SCOPE_BIT(symbol, bit, word) HTTP__SCOPE_##symbol = bit,
    HTTP__SCOPE_MAP(HTTP__SCOPE_BIT)
#undef HTTP__SCOPE_BIT
    HTTP__SCOPE_STATE_BOTH = HTTP__SCOPE_STATE_READ | HTTP__SCOPE_STATE_WRITE,

    /* Of a route: no token is needed. */
    HTTP__SCOPE_OPEN = 1u << 31,
};

struct http__scope {
    unsigned bit;
    const char *prefix; /* "" is everything */
    size_t prefix_bytes;
};

/*
 * Takes a scope apart; its prefix lies in `text`. Returns false for another
 * word, a prefix of more than STATE_KEY_BYTES_MAX bytes, and an empty one
 * behind an equals sign, which could be a variable that somebody forgot.
 */
bool
http__scope_parse(const char *text, struct http__scope *scope);

/*
 * Whether the scopes are enough for all the bits of `needed`, each by itself,
 * on what is called `name`: bytes that are compared as they are. Null is
 * everything, which no scope with a prefix is enough for.
 */
bool
http__scope_allows(const struct http__scope *scopes, size_t count,
                   unsigned needed, const char *name, size_t name_bytes);

#endif
