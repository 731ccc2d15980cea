/*
 * The tokens that a server knows: what it has read of a file, at one time.
 *
 * They do not change and are shared: each reader holds a reference of its own,
 * and reading the file again makes other ones. Any thread may call what is
 * here.
 */
#ifndef GLASS_HTTP_TOKENS_H
#define GLASS_HTTP_TOKENS_H

#include "http/token.h"

struct http__tokens;

/*
 * Makes them from the file's JSON, which is taken over in any case. Returns
 * HTTP_INVALID for what makes no sense (one bad token spoils all: none may be
 * lost unseen), HTTP_LIMIT or HTTP_NO_MEMORY.
 */
enum http_status
http__tokens_create(json_t *document, struct http__tokens **tokens,
                    struct http_error *err);

struct http__tokens *
http__tokens_hold(struct http__tokens *tokens);

/* Gives a reference back; the last one frees them. Null does nothing. */
void
http__tokens_release(struct http__tokens *tokens);

/*
 * Finds the token that the header Authorization (may be null) has, and that is
 * good now; null if there is none. How long it takes tells at most whether
 * the header has the form of one, and which identities there are: both are
 * public.
 */
const struct http__token *
http__tokens_find(const struct http__tokens *tokens,
                  const char *authorization, uint64_t now_ms);

/* One by one, in the order of their identities; null past the last. */
const struct http__token *
http__tokens_at(const struct http__tokens *tokens, size_t index);

#endif
