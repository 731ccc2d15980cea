/*
 * A token: `glass_ID_SECRET`. The identity is public, the secret 256 random
 * bits of which only the SHA-256 is kept: nothing slow is needed, since nobody
 * guesses that many.
 *
 * Functions of their arguments alone: any thread may call them.
 */
#ifndef GLASS_HTTP_TOKEN_H
#define GLASS_HTTP_TOKEN_H

#include <jansson.h>
#include <openssl/evp.h>
#include <stdbool.h>
#include <stdint.h>

#include "http/http.h"
#include "http/scope.h"

/* SHA-256 in digits, with the final zero. */
#define HTTP__TOKEN_HASH_SIZE 65

/* The texts lie in the JSON that it was read from. */
struct http__token {
    const char *id;
    const char *hash;
    const char *namespace_;
    const char *note;    /* "" without one */
    uint64_t created_ms; /* since 1970 */
    uint64_t expires_ms; /* 0: never */
    size_t scope_count;
    struct http__scope scopes[HTTP_TOKEN_SCOPES_MAX];
    const char *scope_texts[HTTP_TOKEN_SCOPES_MAX];
};

/* What a text is made of, if it has the form of a token. */
struct http__token_text {
    char id[HTTP_TOKEN_ID_SIZE];
    char hash[HTTP__TOKEN_HASH_SIZE];
};

/* Draws a new one; false when the system has no random bytes. */
bool
http__token_draw(char text[HTTP_TOKEN_SIZE]);

/*
 * Takes apart what begins at `text`, and hashes its secret by `sha256`, which
 * is EVP_sha256() or, where it is done often, fetched once. Returns false for
 * what has not the form.
 */
bool
http__token_take_apart(const char *text, const EVP_MD *sha256,
                       struct http__token_text *parts);

/*
 * Whether a text is that of a token that is good at that time. It takes as
 * long wherever they differ, and as long without a token, which is null.
 */
bool
http__token_fits(const struct http__token *token,
                 const struct http__token_text *parts, uint64_t now_ms);

/* Reads one from its JSON, which has to stay; false for what makes no sense. */
bool
http__token_from_json(const json_t *json, struct http__token *token);

/* The opposite; null when out of memory, or for texts that are not UTF-8. */
json_t *
http__token_to_json(const struct http__token *token);

/* The time that expiries are in: milliseconds since 1970. */
uint64_t
http__token_now_ms(void);

#endif
