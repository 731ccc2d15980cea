/*
 * Scopes and their prefixes. A name is compared once it is decoded, as the
 * bytes that the store and the registry know it by: there is one form of each,
 * so dots, escapes and letters that look alike are just other bytes.
 */
#include "http/scope.h"

#include "state/state.h"

#include <string.h>

bool
http__scope_parse(const char *text, struct http__scope *scope)
{
    static const struct {
        unsigned bit;
        const char *word;
    } words[] = {
#define HTTP__SCOPE_ROW(symbol, bit, word) {bit, word},
        HTTP__SCOPE_MAP(HTTP__SCOPE_ROW)
#undef HTTP__SCOPE_ROW
    };
    size_t length = strcspn(text, "=");
    const char *prefix = text[length] ? text + length + 1 : "";

    if ((text[length] && !*prefix) || strlen(prefix) > STATE_KEY_BYTES_MAX)
        return false;
    for (size_t index = 0; index < sizeof(words) / sizeof(*words); index++) {
        if (strlen(words[index].word) != length ||
            memcmp(words[index].word, text, length) != 0)
            continue;
        *scope = (struct http__scope){words[index].bit, prefix,
                                      strlen(prefix)};
        return true;
    }
    return false;
}

static bool
covers(const struct http__scope *scope, const char *name, size_t name_bytes)
{
    if (!name)
        return scope->prefix_bytes == 0;
    return scope->prefix_bytes <= name_bytes &&
           memcmp(scope->prefix, name, scope->prefix_bytes) == 0;
}

bool
http__scope_allows(const struct http__scope *scopes, size_t count,
                   unsigned needed, const char *name, size_t name_bytes)
{
    unsigned found = 0;

    for (size_t index = 0; index < count; index++)
        if (covers(&scopes[index], name, name_bytes))
            found |= scopes[index].bit;
    return needed != 0 && (found & needed) == needed;
}
