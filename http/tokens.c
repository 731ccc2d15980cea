/*
 * A set of tokens, sorted by their identities. See tokens.h.
 */
#include "http/tokens.h"

#include "http/server.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http__tokens {
    atomic_uint reference_count;
    json_t *document; /* the texts of all of them */
    EVP_MD *sha256;   /* looking it up costs as much as using it */
    size_t count;
    struct http__token items[];
};

static int
compare(const void *one, const void *other)
{
    const struct http__token *first = one, *second = other;

    return strcmp(first->id, second->id);
}

/* Reads and sorts them. */
static enum http_status
fill(struct http__tokens *tokens, const json_t *list, struct http_error *err)
{
    for (size_t index = 0; index < tokens->count; index++)
        if (!http__token_from_json(json_array_get(list, index),
                                   &tokens->items[index]))
            return http__error_set(err, HTTP_INVALID,
                                   "token %zu of the file makes no sense",
                                   index + 1);
    qsort(tokens->items, tokens->count, sizeof(*tokens->items), compare);
    for (size_t index = 1; index < tokens->count; index++)
        if (compare(&tokens->items[index - 1], &tokens->items[index]) == 0)
            return http__error_set(err, HTTP_INVALID,
                                   "the token %s is there twice",
                                   tokens->items[index].id);
    return HTTP_OK;
}

enum http_status
http__tokens_create(json_t *document, struct http__tokens **tokens,
                    struct http_error *err)
{
    const json_t *list = json_object_get(document, "tokens");
    size_t count = json_array_size(list);
    struct http__tokens *created = NULL;
    enum http_status status = HTTP_OK;

    if (!json_is_array(list))
        status = http__error_set(err, HTTP_INVALID,
                                 "the file of tokens has no list 'tokens'");
    else if (count > HTTP_TOKENS_MAX)
        status = http__error_set(err, HTTP_LIMIT, "the limit is %d tokens",
                                 HTTP_TOKENS_MAX);
    if (status == HTTP_OK) {
        created = malloc(sizeof(*created) + count * sizeof(*created->items));
        if (!created)
            status = http__error_set(err, HTTP_NO_MEMORY,
                                     "no memory for %zu tokens", count);
    }
    if (!created) {
        json_decref(document);
        return status;
    }
    atomic_init(&created->reference_count, 1);
    created->document = document;
    created->count = count;
    created->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
    if (created->sha256)
        status = fill(created, list, err);
    else
        status = http__error_set(err, HTTP_SYSTEM,
                                 "libcrypto has no SHA-256 to give");
    if (status == HTTP_OK)
        *tokens = created;
    else
        http__tokens_release(created);
    return status;
}

struct http__tokens *
http__tokens_hold(struct http__tokens *tokens)
{
    atomic_fetch_add_explicit(&tokens->reference_count, 1,
                              memory_order_relaxed);
    return tokens;
}

void
http__tokens_release(struct http__tokens *tokens)
{
    if (!tokens || atomic_fetch_sub(&tokens->reference_count, 1) > 1)
        return;
    EVP_MD_free(tokens->sha256);
    json_decref(tokens->document);
    free(tokens);
}

const struct http__token *
http__tokens_find(const struct http__tokens *tokens,
                  const char *authorization, uint64_t now_ms)
{
    static const char scheme[] = "Bearer";
    const size_t scheme_bytes = sizeof(scheme) - 1;
    struct http__token_text parts;
    const struct http__token wanted = {.id = parts.id};

    if (!authorization ||
        strncasecmp(authorization, scheme, scheme_bytes) != 0 ||
        authorization[scheme_bytes] != ' ')
        return NULL;
    authorization += scheme_bytes;
    if (!http__token_take_apart(
            authorization + strspn(authorization, " "), tokens->sha256,
            &parts))
        return NULL;
    const struct http__token *found =
        bsearch(&wanted, tokens->items, tokens->count,
                sizeof(*tokens->items), compare);
    return http__token_fits(found, &parts, now_ms) ? found : NULL;
}

const struct http__token *
http__tokens_at(const struct http__tokens *tokens, size_t index)
{
    return index < tokens->count ? &tokens->items[index] : NULL;
}
