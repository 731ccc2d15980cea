/*
 * POST /v1/state:batch: many operations in one request, as JSON.
 *
 * Each member that an operation can have is a row of a table, with the
 * function that takes it over; each kind of operation is a row that says which
 * of them it takes. Keys and values stay where Jansson or the decoding of
 * base64 has put them until the request ends.
 *
 * On the connection's thread only.
 */
#include "http/routes.h"

#include "http/auth.h"
#include "http/json.h"
#include "http/problem.h"
#include "http/request.h"
#include "http/response.h"

#include <microhttpd.h>
#include <stdlib.h>
#include <string.h>

struct http__batch {
    json_t *document;
    struct state_operation *operations;
    size_t count;

    /* What base64 has become: never more than the text that it came in. */
    char *bytes;
    size_t length;
};

/* Members that not every kind of operation takes. */
enum {
    VALUE = 1,
    TTL = 2,
    KEEP = 4,
    CONDITION = 8,
    DELTA = 16,
    OFFSET = 32,
    LENGTH = 64,
    TOKEN = 128,
};

/* What a token has to allow for the key. */
enum {
    READ = HTTP__SCOPE_STATE_READ,
    WRITE = HTTP__SCOPE_STATE_WRITE,
    BOTH = HTTP__SCOPE_STATE_BOTH,
};

static const struct kind {
    const char *name;
    enum state_kind kind;
    unsigned scopes;
    unsigned takes;
} kinds[] = {
    {"get", STATE_GET, READ, 0},
    {"stat", STATE_STAT, READ, 0},
    {"get-range", STATE_GET_RANGE, READ, OFFSET | LENGTH},
    {"put", STATE_PUT, WRITE, VALUE | TTL | KEEP | CONDITION | TOKEN},
    {"put-range", STATE_PUT_RANGE, WRITE,
     VALUE | OFFSET | TTL | CONDITION | TOKEN},
    {"append", STATE_APPEND, WRITE, VALUE | TTL | CONDITION | TOKEN},
    {"incr", STATE_INCREMENT, BOTH, DELTA | TTL | CONDITION | TOKEN},
    {"delete", STATE_DELETE, WRITE, CONDITION | TOKEN},
    {"expire", STATE_EXPIRE, WRITE, TTL | CONDITION | TOKEN},
    {"persist", STATE_PERSIST, WRITE, CONDITION | TOKEN},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* ---- Members of an operation -------------------------------------------- */

static bool
take_number(const json_t *value, uint64_t *number)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return false;
    *number = (uint64_t)json_integer_value(value);
    return true;
}

/* A member that is there is true: false would be a longer way to say less. */
static bool
take_condition(const json_t *value, struct state_operation *operation,
               enum state_condition condition)
{
    if (!json_is_true(value) || operation->condition != STATE_ALWAYS)
        return false;
    operation->condition = condition;
    return true;
}

static bool
take_text(const json_t *value, struct state_bytes *bytes)
{
    if (!json_is_string(value) || bytes->bytes)
        return false;
    *bytes = (struct state_bytes){json_string_value(value),
                                  json_string_length(value)};
    return true;
}

static bool
take_base64(struct http__batch *batch, const json_t *value,
            struct state_bytes *bytes)
{
    char *decoded = batch->bytes + batch->length;
    size_t length;

    if (!json_is_string(value) || bytes->bytes ||
        !http__json_from_base64(json_string_value(value),
                                json_string_length(value), decoded, &length))
        return false;
    *bytes = (struct state_bytes){decoded, length};
    batch->length += length;
    return true;
}

#define MEMBER(name)                                                          \
    static bool set_##name(struct http__batch *batch, const json_t *value,    \
                           struct state_operation *operation)

MEMBER(key)
{
    (void)batch;
    return take_text(value, &operation->key);
}

MEMBER(key_base64)
{
    return take_base64(batch, value, &operation->key);
}

MEMBER(value)
{
    (void)batch;
    return take_text(value, &operation->value);
}

MEMBER(value_base64)
{
    return take_base64(batch, value, &operation->value);
}

MEMBER(ttl_ms)
{
    (void)batch;
    return take_number(value, &operation->ttl_ms) && operation->ttl_ms > 0;
}

MEMBER(keep_expiry)
{
    (void)batch;
    operation->keep_expiry = true;
    return json_is_true(value);
}

MEMBER(if_absent)
{
    (void)batch;
    return take_condition(value, operation, STATE_IF_ABSENT);
}

MEMBER(if_present)
{
    (void)batch;
    return take_condition(value, operation, STATE_IF_PRESENT);
}

MEMBER(if_version)
{
    (void)batch;
    return take_number(value, &operation->version_expected) &&
           take_condition(json_true(), operation, STATE_IF_VERSION);
}

MEMBER(delta)
{
    (void)batch;
    operation->delta = json_integer_value(value);
    return json_is_integer(value);
}

MEMBER(offset)
{
    (void)batch;
    return take_number(value, &operation->range_offset_bytes);
}

MEMBER(length)
{
    (void)batch;
    return take_number(value, &operation->range_length_bytes);
}

MEMBER(lock_token)
{
    (void)batch;
    return take_number(value, &operation->lock_token) &&
           operation->lock_token > 0;
}

static const struct member {
    const char *name;
    unsigned takes; /* 0: every kind takes it */
    bool (*set)(struct http__batch *batch, const json_t *value,
                struct state_operation *operation);
} members[] = {
    {"key", 0, set_key},
    {"key_base64", 0, set_key_base64},
    {"value", VALUE, set_value},
    {"value_base64", VALUE, set_value_base64},
    {"ttl_ms", TTL, set_ttl_ms},
    {"keep_expiry", KEEP, set_keep_expiry},
    {"if_absent", CONDITION, set_if_absent},
    {"if_present", CONDITION, set_if_present},
    {"if_version", CONDITION, set_if_version},
    {"delta", DELTA, set_delta},
    {"offset", OFFSET, set_offset},
    {"length", LENGTH, set_length},
    {"lock_token", TOKEN, set_lock_token},
};

#define MEMBER_COUNT (sizeof(members) / sizeof(*members))

/* ---- The request's body -------------------------------------------------- */

static const struct kind *
find_kind(const json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "op"));

    for (size_t index = 0; name && index < KIND_COUNT; index++)
        if (strcmp(kinds[index].name, name) == 0)
            return &kinds[index];
    return NULL;
}

/* Takes a member over; false if the kind does not know it or its value. */
static bool
set_member(struct http__batch *batch, const struct kind *kind,
           const char *name, const json_t *value,
           struct state_operation *operation)
{
    for (size_t index = 0; index < MEMBER_COUNT; index++) {
        const struct member *member = &members[index];
        if (strcmp(member->name, name) == 0)
            return (member->takes & ~kind->takes) == 0 &&
                   member->set(batch, value, operation);
    }
    return strcmp(name, "op") == 0;
}

/* Fills in an operation; returns false after an answer. */
static bool
read_operation(struct http__request *request, size_t index, json_t *item)
{
    struct http__batch *batch = request->batch;
    struct state_operation *operation = &batch->operations[index];
    const struct kind *kind = find_kind(item);
    const char *name;
    json_t *value;

    if (!kind) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "operation %zu: 'op' names none", index);
        return false;
    }
    operation->kind = kind->kind;
    operation->namespace_ = request->namespace_;
    operation->delta = 1;
    operation->range_length_bytes = UINT64_MAX;
    json_object_foreach(item, name, value)
    {
        if (set_member(batch, kind, name, value, operation))
            continue;
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "operation %zu: '%s' does not go with '%s', or not so",
                      index, name, kind->name);
        return false;
    }
    return http__auth_permit_name(
        request, kind->scopes,
        operation->key.bytes ? operation->key.bytes : "",
        operation->key.length_bytes);
}

/* Fills in the batch's operations; returns false after an answer. */
static bool
read_operations(struct http__request *request, json_t *items)
{
    struct http__batch *batch = request->batch;
    size_t count = json_array_size(items);
    json_t *item;
    size_t index;

    if (count > STATE_BATCH_OPERATIONS_MAX) {
        http__problem(request, HTTP__PROBLEM_TOO_LARGE,
                      "a batch has at most %d operations",
                      STATE_BATCH_OPERATIONS_MAX);
        return false;
    }
    batch->operations = calloc(count + 1, sizeof(*batch->operations));
    batch->bytes = malloc(request->body.length + 1);
    if (!batch->operations || !batch->bytes) {
        http__problem(request, HTTP__PROBLEM_OVERLOADED, "out of memory");
        return false;
    }
    batch->count = count;
    json_array_foreach(items, index, item)
        if (!read_operation(request, index, item))
            return false;
    return true;
}

/* Reads the whole body; returns false after an answer. */
static bool
read_batch(struct http__request *request)
{
    struct http__batch *batch = request->batch;
    json_error_t err;
    int is_whole = 0;
    json_t *items = NULL;

    batch->document =
        json_loadb(request->body.bytes ? request->body.bytes : "",
                   request->body.length,
                   JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &err);
    if (!batch->document) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the body is no JSON: line %d: %s", err.line, err.text);
        return false;
    }
    if (json_unpack_ex(batch->document, &err, JSON_STRICT, "{s:o, s?b}",
                       "operations", &items, "all_or_nothing",
                       &is_whole) != 0 ||
        !json_is_array(items)) {
        http__problem(request, HTTP__PROBLEM_BAD_REQUEST,
                      "the body is {\"operations\": [...], "
                      "\"all_or_nothing\": false}, the second as one likes");
        return false;
    }
    request->operation.all_or_nothing = is_whole;
    return read_operations(request, items);
}

/* ---- The answer ---------------------------------------------------------- */

static void
set_number(json_t *object, const char *name, uint64_t number)
{
    json_object_set_new(object, name, json_integer((json_int_t)number));
}

/* Sets what was read, if the answer's bytes are not used up. */
static void
describe_value(json_t *item, const struct state_operation *operation,
               size_t *left)
{
    const struct state_bytes *bytes = &operation->result;

    set_number(item, "size", operation->size_bytes);
    if (bytes->length_bytes <= *left) {
        *left -= bytes->length_bytes;
        http__json_set_bytes(item, "value", bytes->bytes,
                             bytes->length_bytes);
        return;
    }
    json_object_set_new(item, "status",
                        json_string(state_status_name(STATE_TOO_BIG)));
    json_object_set_new(
        item, "message",
        json_string("the values of an answer are over its limit"));
}

/* What an operation that succeeded has to say. */
static void
describe_success(json_t *item, const struct state_operation *operation,
                 size_t *left)
{
    set_number(item, "version", operation->version);
    switch (operation->kind) {
    case STATE_GET:
    case STATE_GET_RANGE:
        describe_value(item, operation, left);
        break;
    case STATE_STAT:
        if (operation->expires_in_ms > 0)
            set_number(item, "expires_in_ms", operation->expires_in_ms);
        set_number(item, "size", operation->size_bytes);
        break;
    case STATE_APPEND:
    case STATE_PUT_RANGE:
        set_number(item, "size", operation->size_bytes);
        break;
    case STATE_INCREMENT:
        json_object_set_new(item, "value", json_integer(operation->number));
        break;
    default:
        break;
    }
}

static json_t *
describe(const struct state_operation *operation, size_t *left)
{
    json_t *item = json_object();

    json_object_set_new(item, "status",
                        json_string(state_status_name(operation->status)));
    if (operation->status == STATE_OK) {
        describe_success(item, operation, left);
        return item;
    }
    json_object_set_new(item, "message", json_string(operation->message));
    if (operation->status == STATE_CONFLICT)
        set_number(item, "version", operation->version);
    return item;
}

/* It has ended. */
static void
ended(struct http__request *request)
{
    const struct http__batch *batch = request->batch;
    const struct state_operation *whole = &request->operation;
    size_t left = HTTP_BATCH_ANSWER_BYTES_MAX;

    if (whole->status != STATE_OK) {
        /* One of them was why, unless it was the batch as such. */
        size_t index = whole->failed_index;
        if (index < batch->count &&
            batch->operations[index].status == whole->status)
            http__problem_state_at(request, &batch->operations[index], index);
        else
            http__problem_state(request, whole);
        return;
    }
    json_t *results = json_array();
    for (size_t index = 0; index < batch->count; index++)
        json_array_append_new(results,
                              describe(&batch->operations[index], &left));
    http__respond_json(request, MHD_HTTP_OK, "application/json",
                       json_pack("{s:o}", "results", results));
}

void
http__state_batch(struct http__request *request)
{
    struct state_operation *whole = &request->operation;

    request->batch = calloc(1, sizeof(*request->batch));
    if (!request->batch) {
        http__problem(request, HTTP__PROBLEM_OVERLOADED, "out of memory");
        return;
    }
    if (!read_batch(request))
        return;
    whole->kind = STATE_BATCH;
    whole->operations = request->batch->operations;
    whole->operation_count = request->batch->count;
    http__request_submit(request, ended);
}

void
http__state_batch_destroy(struct http__batch *batch)
{
    if (!batch)
        return;
    for (size_t index = 0; index < batch->count; index++)
        state_operation_deinit(&batch->operations[index]);
    free(batch->operations);
    free(batch->bytes);
    json_decref(batch->document);
    free(batch);
}
