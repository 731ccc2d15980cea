/*
 * Identifying a request, and permitting it. See auth.h.
 *
 * A request holds the tokens that it was let in by until its end, so that a
 * reload takes nothing away from under it.
 */
#include "http/auth.h"

#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"
#include "http/routes.h"
#include "http/token_file.h"

#include <stdlib.h>
#include <string.h>

enum http_status
http__auth_init(struct http__auth *auth, const char *directory,
                struct http_error *err)
{
    pthread_rwlock_init(&auth->lock, NULL);
    atomic_init(&auth->is_on, false);
    auth->tokens = NULL;
    auth->directory = directory ? strdup(directory) : NULL;
    if (directory && !auth->directory)
        return http__error_set(err, HTTP_NO_MEMORY, "out of memory");
    return http__auth_reload(auth, err);
}

void
http__auth_deinit(struct http__auth *auth)
{
    http__tokens_release(auth->tokens);
    free(auth->directory);
    pthread_rwlock_destroy(&auth->lock);
}

enum http_status
http__auth_reload(struct http__auth *auth, struct http_error *err)
{
    struct http__tokens *tokens = NULL;

    if (!auth->directory)
        return HTTP_OK;
    enum http_status status =
        http__token_file_read(auth->directory, &tokens, err);
    if (status == HTTP_NOT_FOUND && !http__auth_is_on(auth))
        return HTTP_OK;
    if (status != HTTP_OK)
        return status;
    pthread_rwlock_wrlock(&auth->lock);
    struct http__tokens *before = auth->tokens;
    auth->tokens = tokens;
    pthread_rwlock_unlock(&auth->lock);
    atomic_store_explicit(&auth->is_on, true, memory_order_release);
    http__tokens_release(before);
    return HTTP_OK;
}

bool
http__auth_is_on(const struct http__auth *auth)
{
    return atomic_load_explicit(&auth->is_on, memory_order_acquire);
}

bool
http__auth_identify(struct http__request *request)
{
    struct http__auth *auth = &request->server->auth;
    const char *authorization = request->headers.authorization;

    if (!http__auth_is_on(auth) ||
        request->match.route->need.scopes == HTTP__SCOPE_OPEN)
        return true;
    pthread_rwlock_rdlock(&auth->lock);
    request->tokens = http__tokens_hold(auth->tokens);
    pthread_rwlock_unlock(&auth->lock);
    request->token = http__tokens_find(request->tokens, authorization,
                                       http__token_now_ms());
    if (request->token)
        return true;
    /* Why is nobody's business who has none. */
    http__problem(request, HTTP__PROBLEM_UNAUTHORIZED,
                  "the header Authorization has no token that is good here");
    http__response_header(request, MHD_HTTP_HEADER_WWW_AUTHENTICATE,
                          authorization
                              ? "Bearer realm=\"glass\", "
                                "error=\"invalid_token\""
                              : "Bearer realm=\"glass\"");
    return false;
}

/* The header may say what the token says, and nothing else. */
static bool
permit_namespace(struct http__request *request)
{
    const char *asked = request->headers.glass_namespace;

    if (request->token) {
        request->namespace_ = request->token->namespace_;
        if (!asked || strcmp(asked, request->namespace_) == 0)
            return true;
        http__problem(request, HTTP__PROBLEM_FORBIDDEN,
                      "the token is for the namespace '%s'",
                      request->namespace_);
        return false;
    }
    request->namespace_ = asked ? asked : "default";
    if (state_namespace_is_valid(request->namespace_))
        return true;
    http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                  "Glass-Namespace is no name: 1 to %d of a-z, 0-9 and, "
                  "inside, hyphens",
                  STATE_NAMESPACE_BYTES_MAX);
    return false;
}

/* Names the scopes that were needed, for whoever asks for another token. */
static void
refuse(struct http__request *request, unsigned needed)
{
    char words[128] = "";

#define APPEND(symbol, bit, word)                                             \
    if (needed & (bit))                                                       \
        strcat(words, " " word);
    HTTP__SCOPE_MAP(APPEND)
#undef APPEND
    http__problem(request, HTTP__PROBLEM_FORBIDDEN,
                  "the token's scopes do not allow this; needed:%s",
                  *words ? words : " nobody knows what");
}

bool
http__auth_permit_name(struct http__request *request, unsigned scopes,
                       const char *name, size_t name_bytes)
{
    const struct http__token *token = request->token;

    if (!token || http__scope_allows(token->scopes, token->scope_count,
                                     scopes, name, name_bytes))
        return true;
    refuse(request, scopes);
    return false;
}

/* Whether there may be names that the token is enough for. */
static bool
permit_some(struct http__request *request, unsigned scopes)
{
    const struct http__token *token = request->token;

    for (size_t index = 0; index < token->scope_count; index++)
        if (token->scopes[index].bit & scopes)
            return true;
    refuse(request, scopes);
    return false;
}

bool
http__auth_permit(struct http__request *request)
{
    const struct http__need *need = &request->match.route->need;
    char prefix[HTTP_TARGET_BYTES_MAX];
    const char *name = NULL;
    size_t length = 0;

    if (!permit_namespace(request))
        return false;
    if (!request->token)
        return true;
    switch (need->object) {
    case HTTP__OBJECT_ALL:
        break;
    case HTTP__OBJECT_EACH:
        return permit_some(request, need->scopes);
    case HTTP__OBJECT_NAME:
        name = request->name;
        length = request->name_length;
        break;
    case HTTP__OBJECT_CALL:
        /* Where there is none it is empty: who may call some functions and not
         * others does not learn which calls there are. */
        name = http__async_function(request);
        length = strlen(name);
        break;
    case HTTP__OBJECT_PREFIX:
        /* Without the parameter it is empty: all names begin so. */
        name = prefix;
        if (!http__request_parameter(request, "prefix", prefix,
                                     sizeof(prefix), &length) &&
            request->response)
            return false;
        break;
    }
    return http__auth_permit_name(request, need->scopes, name, length);
}

/* Acts are what changes a server rather than what it serves. */
static bool
is_act(const struct http__request *request)
{
    const struct http__route *route = request->match.route;

    return route &&
           route->need.scopes & (HTTP__SCOPE_FUNCTIONS | HTTP__SCOPE_ADMIN) &&
           strcmp(route->method, "GET") != 0 &&
           (request->token ||
            !http__auth_is_on(&request->server->auth));
}

void
http__auth_leave(struct http__request *request)
{
    const struct http_options *options = &request->server->options;

    if (options->audit && is_act(request)) {
        const struct http_act act = {
            .method = request->match.route->method,
            .route = request->match.route->pattern,
            .name = request->name,
            .namespace_ = request->namespace_,
            .token = request->token ? request->token->id : NULL,
            .status = request->status,
        };
        options->audit(options->audit_data, &act);
    }
    http__tokens_release(request->tokens);
}
