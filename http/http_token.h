/*
 * http_token.h - the tokens of a server, as an operator keeps them: in the
 * file `tokens.json` of the server's directory. Part of http.h, which includes
 * it, and whose rules hold here.
 *
 * Each function reads and replaces the file as a whole, under a lock, so any
 * number of processes may call them. A server reads it when it is created and
 * when it is told to: see http_server_reload.
 */
#ifndef GLASS_HTTP_HTTP_TOKEN_H
#define GLASS_HTTP_HTTP_TOKEN_H

#ifdef __cplusplus
extern "C" {
#endif

/* What may be known of a token by anybody. */
struct http_token {
    const char *id; /* 16 digits; ignored when one is created */
    const char *namespace_;
    const char *note; /* for people; null or "" is none */

    /* Since 1970; `expires_ms` 0 is never. */
    uint64_t created_ms; /* ignored when one is created */
    uint64_t expires_ms;

    /*
     * What it may do: "functions", "invoke", "state:r", "state:w", "admin",
     * each alone or, as "state:r=users/", for names with that prefix only.
     * 1 to HTTP_TOKEN_SCOPES_MAX of them.
     */
    const char *const *scopes;
    size_t scope_count;
};

/*
 * Makes a token and writes it to `text`: nobody can find that out again.
 * The directory is made if it is not there.
 *
 * Returns HTTP_INVALID for a namespace, scope or note that is none,
 * HTTP_LIMIT past HTTP_TOKENS_MAX of them, HTTP_SYSTEM or HTTP_NO_MEMORY.
 */
enum http_status
http_token_create(const char *directory, const struct http_token *token,
                  char text[HTTP_TOKEN_SIZE], struct http_error *err);

/* Takes a token out. Returns HTTP_NOT_FOUND, or as above. */
enum http_status
http_token_revoke(const char *directory, const char *id,
                  struct http_error *err);

/*
 * Calls `visit` with each, in the order of their identities; what it points to
 * lasts until `visit` returns. Returns HTTP_NOT_FOUND when there is no file.
 */
enum http_status
http_token_each(const char *directory,
                void (*visit)(void *data, const struct http_token *token),
                void *data, struct http_error *err);

#ifdef __cplusplus
}
#endif

#endif
