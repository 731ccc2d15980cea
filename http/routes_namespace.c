/*
 * /v1/namespaces/{name}: what a namespace has and may have.
 *
 * Who asks here decides for others: with tokens it takes the scope `admin`,
 * without, whoever reaches the server may, which is programs of this machine.
 *
 * On the connection's thread only.
 */
#include "http/routes.h"

#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"

#include <jansson.h>
#include <microhttpd.h>
#include <string.h>

static const char *const policy_names[] = {
    [STATE_POLICY_REJECT] = "reject",
    [STATE_POLICY_LRU] = "lru",
};

static const char *const durability_names[] = {
    [STATE_DURABILITY_NONE] = "none",
    [STATE_DURABILITY_BEHIND] = "behind",
    [STATE_DURABILITY_SYNC] = "sync",
};

/* What a request says; durability and quota as far as they are there. */
struct settings {
    enum state_durability durability; /* DEFAULT: it says nothing of it */
    bool has_quota;
    struct state_quota quota;
};

/* Finds a name in a list without the nulls; false when it is not there. */
static bool
find_name(const char *const *names, size_t count, const char *name,
          size_t *place)
{
    for (size_t index = 0; index < count; index++)
        if (names[index] && strcmp(names[index], name) == 0) {
            *place = index;
            return true;
        }
    return false;
}

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

void
http__namespace_begin(struct http__request *request)
{
    if (strlen(request->name) != request->name_length ||
        !state_namespace_is_valid(request->name))
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "a namespace's name is 1 to %d of a-z, 0-9 and, inside, "
                      "hyphens",
                      STATE_NAMESPACE_BYTES_MAX);
}

/* ---- Telling ----------------------------------------------------------- */

static json_t *
number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* A bound that there is not is null. */
static json_t *
bound(uint64_t value)
{
    return value > 0 ? number(value) : json_null();
}

void
http__namespace_get(struct http__request *request)
{
    struct state_stats stats;
    enum state_status status = state_store_stats(
        request->server->options.store, request->name, &stats);

    if (status == STATE_NOT_FOUND) {
        http__problem(request, HTTP__PROBLEM_NO_NAMESPACE,
                      "nobody has written to it");
        return;
    }
    if (status != STATE_OK) {
        http__problem_status(request, status, state_status_text(status));
        return;
    }
    const struct state_quota *quota = &stats.quota;
    json_t *bounds = json_pack(
        "{s:o, s:o, s:o, s:o, s:s}", "keys", bound(quota->keys_max), "bytes",
        bound(quota->bytes_max), "value_bytes", bound(quota->value_bytes_max),
        "operations_per_second", bound(quota->operations_per_second),
        "policy", policy_names[quota->policy]);
    http__respond_json(
        request, MHD_HTTP_OK, "application/json",
        json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:o}", "name",
                  request->name, "keys", number(stats.key_count), "bytes",
                  number(stats.bytes), "evicted", number(stats.evicted_count),
                  "expired", number(stats.expired_count), "version",
                  number(stats.version), "quota", bounds));
}

/* ---- Setting ----------------------------------------------------------- */

/* Reads a bound, null for none; returns null or what is wrong with it. */
static const char *
read_bound(const char *name, const json_t *value, struct state_quota *quota)
{
    const struct {
        const char *name;
        uint64_t *bound;
    } bounds[] = {
        {"keys", &quota->keys_max},
        {"bytes", &quota->bytes_max},
        {"value_bytes", &quota->value_bytes_max},
        {"operations_per_second", &quota->operations_per_second},
    };

    for (size_t index = 0; index < COUNT(bounds); index++) {
        if (strcmp(bounds[index].name, name) != 0)
            continue;
        if (json_is_null(value))
            return NULL;
        if (!json_is_integer(value) || json_integer_value(value) <= 0)
            return "is no number above 0";
        *bounds[index].bound = (uint64_t)json_integer_value(value);
        return NULL;
    }
    return "is no member of a quota";
}

static const char *
read_quota_member(const char *name, const json_t *value,
                  struct state_quota *quota)
{
    size_t place;

    if (strcmp(name, "policy") != 0)
        return read_bound(name, value, quota);
    if (!json_is_string(value) ||
        !find_name(policy_names, COUNT(policy_names),
                   json_string_value(value), &place))
        return "is neither 'reject' nor 'lru'";
    quota->policy = (enum state_policy)place;
    return NULL;
}

/* Reads a quota, whole: what it does not name is not bounded any more. */
static bool
read_quota(struct http__request *request, json_t *document,
           struct state_quota *quota)
{
    const char *name;
    json_t *value;

    json_object_foreach(document, name, value)
    {
        const char *wrong = read_quota_member(name, value, quota);
        if (!wrong)
            continue;
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST, "'%s' %s", name,
                      wrong);
        return false;
    }
    return true;
}

/* Reads the document; returns false after an answer. */
static bool
read_settings(struct http__request *request, json_t *document,
              struct settings *settings)
{
    json_t *quota = NULL;
    const char *durability = NULL;
    size_t place = STATE_DURABILITY_DEFAULT;

    if (json_unpack_ex(document, NULL, JSON_STRICT, "{s?o, s?s}", "quota",
                       &quota, "durability", &durability) != 0 ||
        (quota && !json_is_object(quota)) ||
        (durability && !find_name(durability_names, COUNT(durability_names),
                                  durability, &place))) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the body is {\"quota\": {...}, \"durability\": "
                      "\"none\", \"behind\" or \"sync\"}, both as one likes");
        return false;
    }
    settings->durability = (enum state_durability)place;
    settings->has_quota = quota != NULL;
    return !quota || read_quota(request, quota, &settings->quota);
}

/* Carries it out, the part that may fail first; false after an answer. */
static bool
apply(struct http__request *request, const struct settings *settings)
{
    struct state_store *store = request->server->options.store;
    struct state_error err = {0};
    enum state_status status = STATE_OK;

    if (settings->durability != STATE_DURABILITY_DEFAULT)
        status = state_store_set_durability(store, request->name,
                                            settings->durability, &err);
    if (status == STATE_OK && settings->has_quota)
        status = state_store_set_quota(store, request->name, &settings->quota,
                                       &err);
    if (status == STATE_OK)
        return true;
    http__problem_status(request, status,
                         *err.message ? err.message
                                      : state_status_text(status));
    return false;
}

void
http__namespace_put(struct http__request *request)
{
    struct settings settings = {0};
    json_error_t err;
    json_t *document = json_loadb(
        request->body.bytes ? request->body.bytes : "", request->body.length,
        JSON_REJECT_DUPLICATES, &err);

    if (!document)
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the body is no JSON: line %d: %s", err.line, err.text);
    else if (read_settings(request, document, &settings) &&
             apply(request, &settings))
        http__namespace_get(request);
    json_decref(document);
}
