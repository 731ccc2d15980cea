/*
 * One token: its text, its hash and its JSON. See token.h.
 */
#include "http/token.h"

#include "state/state.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define PREFIX "glass_"
#define PREFIX_BYTES (sizeof(PREFIX) - 1)
#define ID_DIGITS (HTTP_TOKEN_ID_SIZE - 1)
#define SECRET_DIGITS 64
#define HASH_DIGITS (HTTP__TOKEN_HASH_SIZE - 1)

_Static_assert(HTTP_TOKEN_SIZE ==
                   PREFIX_BYTES + ID_DIGITS + 1 + SECRET_DIGITS + 1,
               "prefix, identity, underscore, secret, zero");

static const char digits[] = "0123456789abcdef";

static void
write_digits(const uint8_t *bytes, size_t length, char *text)
{
    for (size_t index = 0; index < length; index++) {
        text[2 * index] = digits[bytes[index] >> 4];
        text[2 * index + 1] = digits[bytes[index] & 15];
    }
    text[2 * length] = '\0';
}

static bool
is_digits(const char *text, size_t length)
{
    return strspn(text, digits) >= length;
}

bool
http__token_draw(char text[HTTP_TOKEN_SIZE])
{
    uint8_t bytes[(ID_DIGITS + SECRET_DIGITS) / 2];

    /* Up to 256 bytes come whole, or not at all. */
    if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
        return false;
    memcpy(text, PREFIX, PREFIX_BYTES);
    write_digits(bytes, ID_DIGITS / 2, text + PREFIX_BYTES);
    text[PREFIX_BYTES + ID_DIGITS] = '_';
    write_digits(bytes + ID_DIGITS / 2, SECRET_DIGITS / 2,
                 text + PREFIX_BYTES + ID_DIGITS + 1);
    explicit_bzero(bytes, sizeof(bytes));
    return true;
}

bool
http__token_take_apart(const char *text, const EVP_MD *sha256,
                       struct http__token_text *parts)
{
    const char *id = text + PREFIX_BYTES;
    const char *secret = id + ID_DIGITS + 1;
    uint8_t hash[EVP_MAX_MD_SIZE];

    if (strlen(text) != HTTP_TOKEN_SIZE - 1 ||
        memcmp(text, PREFIX, PREFIX_BYTES) != 0 ||
        !is_digits(id, ID_DIGITS) || id[ID_DIGITS] != '_' ||
        !is_digits(secret, SECRET_DIGITS) ||
        !EVP_Digest(secret, SECRET_DIGITS, hash, NULL, sha256, NULL))
        return false;
    memcpy(parts->id, id, ID_DIGITS);
    parts->id[ID_DIGITS] = '\0';
    write_digits(hash, HASH_DIGITS / 2, parts->hash);
    return true;
}

bool
http__token_fits(const struct http__token *token,
                 const struct http__token_text *parts, uint64_t now_ms)
{
    static const char none[HTTP__TOKEN_HASH_SIZE];
    const char *hash = token ? token->hash : none;

    return CRYPTO_memcmp(hash, parts->hash, HASH_DIGITS) == 0 && token &&
           (token->expires_ms == 0 || now_ms < token->expires_ms);
}

/* The member as a text of one form, or null. */
static const char *
digits_of(const json_t *json, const char *member, size_t length)
{
    const json_t *value = json_object_get(json, member);
    const char *text = json_string_value(value);

    return text && strlen(text) == length && is_digits(text, length) ? text
                                                                     : NULL;
}

/* A time; one that is not there is 0. */
static bool
read_time(const json_t *json, const char *member, uint64_t *time_ms)
{
    const json_t *value = json_object_get(json, member);

    *time_ms = (uint64_t)json_integer_value(value);
    return !value || (json_is_integer(value) && json_integer_value(value) > 0);
}

bool
http__token_from_json(const json_t *json, struct http__token *token)
{
    const json_t *scopes = json_object_get(json, "scopes");
    const json_t *note = json_object_get(json, "note");

    memset(token, 0, sizeof(*token));
    token->id = digits_of(json, "id", ID_DIGITS);
    token->hash = digits_of(json, "sha256", HASH_DIGITS);
    token->namespace_ =
        json_string_value(json_object_get(json, "namespace"));
    token->note = note ? json_string_value(note) : "";
    token->scope_count = json_array_size(scopes);
    if (!token->id || !token->hash ||
        !state_namespace_is_valid(token->namespace_) || !token->note ||
        strlen(token->note) > HTTP_TOKEN_NOTE_BYTES_MAX ||
        !read_time(json, "created_ms", &token->created_ms) ||
        !read_time(json, "expires_ms", &token->expires_ms) ||
        token->scope_count == 0 ||
        token->scope_count > HTTP_TOKEN_SCOPES_MAX)
        return false;
    for (size_t index = 0; index < token->scope_count; index++) {
        const char *text = json_string_value(json_array_get(scopes, index));
        if (!text || !http__scope_parse(text, &token->scopes[index]))
            return false;
        token->scope_texts[index] = text;
    }
    return true;
}

static bool
write_time(json_t *json, const char *member, uint64_t time_ms)
{
    return time_ms == 0 ||
           json_object_set_new(json, member,
                               json_integer((json_int_t)time_ms)) == 0;
}

json_t *
http__token_to_json(const struct http__token *token)
{
    json_t *scopes = json_array();
    json_t *json = json_pack("{s:s, s:s, s:s, s:s}", "id", token->id,
                             "sha256", token->hash, "namespace",
                             token->namespace_, "note", token->note);
    bool made = json != NULL;

    for (size_t index = 0; index < token->scope_count; index++)
        made &= json_array_append_new(
                    scopes, json_string(token->scope_texts[index])) == 0;
    made &= write_time(json, "created_ms", token->created_ms);
    made &= write_time(json, "expires_ms", token->expires_ms);
    made &= json_object_set_new(json, "scopes", scopes) == 0;
    if (made)
        return json;
    json_decref(json);
    return NULL;
}

uint64_t
http__token_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}
