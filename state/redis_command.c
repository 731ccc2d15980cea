/* Operations as commands, replies as ends: see redis_command.h. */
#include "state/redis_command.h"

#include "state/operation.h"
#include "state/value.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * Of a command's text: four keys, two bounds of a list, four numbers. A key
 * is at most {namespace}:expiry or {namespace}:k:KEY.
 */
#define KEY_SIZE (STATE_NAMESPACE_BYTES_MAX + sizeof "{}:expiry")
#define NUMBER_SIZE 21
static_assert(4 * KEY_SIZE + 3 * (STATE_KEY_BYTES_MAX + 1) +
                      7 * NUMBER_SIZE <=
                  STATE__REDIS_TEXT_SIZE,
              "everything fits");

/* ---- Commands ---- */

/* Adds an argument that stays where it is until the command is sent. */
static void
add(struct state__redis_command *command, const void *bytes, size_t length)
{
    assert(command->argument_count < STATE__REDIS_ARGUMENTS_MAX);
    command->arguments[command->argument_count] = bytes;
    command->lengths[command->argument_count] = length;
    command->argument_count++;
}

static void
add_literal(struct state__redis_command *command, const char *text)
{
    add(command, text, strlen(text));
}

static void
add_bytes(struct state__redis_command *command, struct state_bytes bytes)
{
    add(command, bytes.length_bytes > 0 ? bytes.bytes : "",
        bytes.length_bytes);
}

/* Appends to the command's own text; the argument is added by end_text. */
static void
put(struct state__redis_command *command, const void *bytes, size_t length)
{
    assert(command->text_length + length <= sizeof command->text);
    if (length > 0)
        memcpy(command->text + command->text_length, bytes, length);
    command->text_length += length;
}

static void
end_text(struct state__redis_command *command, size_t start)
{
    add(command, command->text + start, command->text_length - start);
}

static void
add_unsigned(struct state__redis_command *command, uint64_t number)
{
    char text[NUMBER_SIZE];
    size_t start = command->text_length;
    int length = snprintf(text, sizeof text, "%" PRIu64, number);

    put(command, text, (size_t)length);
    end_text(command, start);
}

static void
add_signed(struct state__redis_command *command, int64_t number)
{
    uint8_t digits[STATE__NUMBER_BYTES_MAX];
    size_t start = command->text_length;

    put(command, digits, state__number_format(number, digits));
    end_text(command, start);
}

static void
add_key(struct state__redis_command *command, const char *namespace_,
        const char *suffix, struct state_bytes key)
{
    size_t start = command->text_length;

    put(command, "{", 1);
    put(command, namespace_, strlen(namespace_));
    put(command, "}:", 2);
    put(command, suffix, strlen(suffix));
    put(command, key.bytes, key.length_bytes);
    end_text(command, start);
}

/* The part of every call of the script up to the kind and the key. */
static void
begin_call(struct state__redis_command *command,
           const struct state_operation *operation, const char *script,
           const char *kind)
{
    static const struct state_bytes none = {"", 0};
    const char *namespace_ = operation->namespace_;
    bool is_lean = operation->kind == STATE_DELETE ||
                   operation->kind == STATE_STAT ||
                   operation->kind == STATE_GET_RANGE ||
                   operation->kind == STATE_LIST;
    struct state_bytes key =
        operation->kind == STATE_LIST ? none : operation->key;

    if (script != NULL) {
        add_literal(command, "EVALSHA");
        add_literal(command, script);
    } else {
        add_literal(command, "FCALL");
        add_literal(command, is_lean ? STATE__REDIS_FUNCTION_LEAN
                                     : STATE__REDIS_FUNCTION);
    }
    add_literal(command, "4");
    add_key(command, namespace_, "k:", key);
    add_key(command, namespace_, "seq", none);
    add_key(command, namespace_, "index", none);
    add_key(command, namespace_, "expiry", none);
    add_literal(command, kind);
    add_bytes(command, key);
}

static const char *
condition_name(enum state_condition condition)
{
    static const char *const names[] = {
        [STATE_ALWAYS] = "always",
        [STATE_IF_ABSENT] = "absent",
        [STATE_IF_PRESENT] = "present",
        [STATE_IF_VERSION] = "version",
    };

    return names[condition];
}

static bool
takes_value(enum state_kind kind)
{
    return kind == STATE_PUT || kind == STATE_COMPARE_AND_SWAP ||
           kind == STATE_APPEND || kind == STATE_PUT_RANGE;
}

static void
write_change(struct state__redis_command *command,
             const struct state_operation *operation, const char *script,
             size_t value_bytes_max)
{
    static const char *const kinds[] = {
        [STATE_PUT] = "put",
        [STATE_COMPARE_AND_SWAP] = "put",
        [STATE_APPEND] = "append",
        [STATE_INCREMENT] = "increment",
        [STATE_DELETE] = "delete",
        [STATE_PUT_RANGE] = "put-range",
        [STATE_EXPIRE] = "expire",
        [STATE_PERSIST] = "persist",
    };

    begin_call(command, operation, script, kinds[operation->kind]);
    add_literal(command,
                condition_name(state__operation_condition(operation)));
    add_unsigned(command, operation->version_expected);
    if (operation->kind == STATE_INCREMENT)
        add_signed(command, operation->delta);
    else if (takes_value(operation->kind))
        add_bytes(command, operation->value);
    else
        add_literal(command, "");
    add_unsigned(command, operation->ttl_ms);
    add_literal(command, operation->keep_expiry ? "1" : "0");
    add_unsigned(command, value_bytes_max);
    if (operation->kind == STATE_PUT_RANGE)
        add_unsigned(command, operation->range_offset_bytes);
}

/* Whether the cursor is beyond the prefix itself. */
static bool
is_past(struct state_bytes cursor, struct state_bytes prefix)
{
    size_t length = cursor.length_bytes < prefix.length_bytes
                        ? cursor.length_bytes
                        : prefix.length_bytes;
    int order = length > 0 ? memcmp(cursor.bytes, prefix.bytes, length) : 0;

    return cursor.length_bytes > 0 &&
           (order > 0 ||
            (order == 0 && cursor.length_bytes >= prefix.length_bytes));
}

static void
add_low_bound(struct state__redis_command *command,
              const struct state_operation *operation)
{
    struct state_bytes from = operation->prefix;
    size_t start = command->text_length;

    if (is_past(operation->cursor, operation->prefix)) {
        from = operation->cursor;
        put(command, "(", 1);
    } else {
        put(command, "[", 1);
    }
    put(command, from.bytes, from.length_bytes);
    end_text(command, start);
}

/*
 * The first string after all that begin with the prefix: its last byte plus
 * one, where bytes that are 255 already are dropped.
 */
static void
add_high_bound(struct state__redis_command *command,
               struct state_bytes prefix)
{
    const uint8_t *bytes = prefix.bytes;
    size_t length = prefix.length_bytes, start = command->text_length;

    while (length > 0 && bytes[length - 1] == UINT8_MAX)
        length--;
    if (length == 0) {
        add_literal(command, "+");
        return;
    }
    put(command, "(", 1);
    put(command, bytes, length);
    command->text[command->text_length - 1]++;
    end_text(command, start);
}

static void
write_list(struct state__redis_command *command,
           const struct state_operation *operation, const char *script)
{
    unsigned limit = operation->limit_count;

    begin_call(command, operation, script, "list");
    add_low_bound(command, operation);
    add_high_bound(command, operation->prefix);
    add_unsigned(command, limit > 0 ? limit : STATE_LIST_ITEMS_DEFAULT);
}

/* Lua counts exactly up to 2^53, and no value is longer than the limit. */
static void
write_get_range(struct state__redis_command *command,
                const struct state_operation *operation, const char *script)
{
    uint64_t offset = operation->range_offset_bytes;
    uint64_t length = operation->range_length_bytes;

    begin_call(command, operation, script, "get-range");
    add_unsigned(command, offset < STATE_VALUE_BYTES_CEILING
                              ? offset
                              : STATE_VALUE_BYTES_CEILING);
    add_unsigned(command, length < STATE_VALUE_BYTES_CEILING
                              ? length
                              : STATE_VALUE_BYTES_CEILING);
}

void
state__redis_command_write(struct state__redis_command *command,
                           const struct state_operation *operation,
                           const char *script, size_t value_bytes_max)
{
    command->argument_count = 0;
    command->text_length = 0;
    switch (operation->kind) {
    case STATE_GET:
        add_literal(command, "HMGET");
        add_key(command, operation->namespace_, "k:", operation->key);
        add_literal(command, "n");
        add_literal(command, "v");
        break;
    case STATE_STAT:
        begin_call(command, operation, script, "stat");
        break;
    case STATE_LIST:
        write_list(command, operation, script);
        break;
    case STATE_GET_RANGE:
        write_get_range(command, operation, script);
        break;
    default:
        write_change(command, operation, script, value_bytes_max);
    }
}

/* ---- Replies ---- */

static bool
is_string(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_STRING;
}

/* An unsigned number in a string; what is stored is ours, so it is one. */
static uint64_t
read_number(const redisReply *reply)
{
    return is_string(reply) ? strtoull(reply->str, NULL, 10) : 0;
}

static enum state_status
end_strange(struct state_operation *operation)
{
    return state__operation_fail(operation, STATE_BACKEND,
                                 "redis answered what no script of ours "
                                 "answers");
}

/* Errors of Redis that say that nothing was done, or why. */
static enum state_status
end_error(struct state_operation *operation, const redisReply *reply)
{
    static const struct {
        const char *prefix;
        enum state_status status;
    } known[] = {
        {"LOADING ", STATE_UNAVAILABLE},    {"BUSY ", STATE_UNAVAILABLE},
        {"MASTERDOWN ", STATE_UNAVAILABLE}, {"READONLY ", STATE_UNAVAILABLE},
        {"CLUSTERDOWN ", STATE_UNAVAILABLE}, {"OOM ", STATE_LIMIT},
    };
    enum state_status status = STATE_BACKEND;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (strncmp(reply->str, known[i].prefix,
                    strlen(known[i].prefix)) == 0)
            status = known[i].status;
    return state__operation_fail(operation, status, "redis: %s", reply->str);
}

/*
 * Makes the string the operation's result: a long one changes hands, since
 * the reader's strings come from malloc.
 */
static void
take_result(struct state_operation *operation, redisReply *value)
{
    if (value->len <= STATE_VALUE_INLINE_MAX) {
        state__operation_copy_result(operation, value->str, value->len);
        return;
    }
    operation->private_.owned = value->str;
    operation->private_.release = free;
    operation->result.bytes = value->str;
    operation->result.length_bytes = value->len;
    value->str = NULL;
    value->len = 0;
}

static enum state_status
end_get(struct state_operation *operation, redisReply *reply)
{
    redisReply *version, *value;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements != 2)
        return end_strange(operation);
    version = reply->element[0];
    value = reply->element[1];
    if (!is_string(version) || !is_string(value))
        return state__operation_end(operation, STATE_NOT_FOUND);
    operation->version = read_number(version);
    operation->size_bytes = value->len;
    take_result(operation, value);
    return state__operation_end(operation, STATE_OK);
}

/* Elements of a list's answer before the first key, and of each key. */
#define LIST_HEAD 3
#define LIST_STEP 3

/* Whether all elements are strings, as the rest relies on. */
static bool
is_list(const redisReply *reply)
{
    if (reply->elements < LIST_HEAD ||
        (reply->elements - LIST_HEAD) % LIST_STEP != 0)
        return false;
    for (size_t i = 0; i < reply->elements; i++)
        if (!is_string(reply->element[i]))
            return false;
    return true;
}

/* Copies a string behind the entries. */
static struct state_bytes
keep(uint8_t **at, const redisReply *string)
{
    struct state_bytes bytes = {*at, string->len};

    memcpy(*at, string->str, string->len);
    *at += string->len;
    return bytes;
}

static enum state_status
end_list(struct state_operation *operation, const redisReply *reply)
{
    struct state_entry *entries;
    size_t count, size;
    uint8_t *at;

    if (!is_list(reply))
        return end_strange(operation);
    count = (reply->elements - LIST_HEAD) / LIST_STEP;
    size = count * sizeof *entries + reply->element[2]->len;
    for (size_t i = LIST_HEAD; i < reply->elements; i += LIST_STEP)
        size += reply->element[i]->len;
    entries = malloc(size + 1); /* never zero bytes, so null is a failure */
    if (entries == NULL)
        return state__operation_end(operation, STATE_NO_MEMORY);
    at = (uint8_t *)(entries + count);
    for (size_t i = 0; i < count; i++) {
        redisReply **parts = &reply->element[LIST_HEAD + i * LIST_STEP];

        entries[i].key = keep(&at, parts[0]);
        entries[i].version = read_number(parts[1]);
        entries[i].size_bytes = read_number(parts[2]);
    }
    operation->cursor_next = keep(&at, reply->element[2]);
    operation->more = read_number(reply->element[1]) != 0;
    operation->entries = entries;
    operation->entry_count = count;
    operation->private_.owned = entries;
    operation->private_.release = free;
    return state__operation_end(operation, STATE_OK);
}

/* The status that a script's first word stands for. */
static bool
read_status(const redisReply *word, enum state_status *status)
{
    static const enum state_status said[] = {
        STATE_OK,           STATE_NOT_FOUND, STATE_CONFLICT,
        STATE_NOT_A_NUMBER, STATE_OVERFLOW,  STATE_TOO_BIG,
    };

    if (!is_string(word))
        return false;
    for (size_t i = 0; i < sizeof said / sizeof *said; i++)
        if (strcmp(word->str, state_status_name(said[i])) == 0) {
            *status = said[i];
            return true;
        }
    return false;
}

static enum state_status
end_call(struct state_operation *operation, const redisReply *reply)
{
    redisReply **parts = reply->element;
    enum state_status status;

    if (reply->type != REDIS_REPLY_ARRAY || reply->elements < 1 ||
        !read_status(parts[0], &status))
        return end_strange(operation);
    if (status == STATE_CONFLICT && reply->elements == 2)
        operation->version = read_number(parts[1]);
    if (status != STATE_OK)
        return state__operation_end(operation, status);
    if (operation->kind == STATE_LIST)
        return end_list(operation, reply);
    if (reply->elements != 4)
        return end_strange(operation);
    operation->version = read_number(parts[1]);
    operation->size_bytes = read_number(parts[2]);
    if (!is_string(parts[3]))
        return end_strange(operation);
    if (operation->kind == STATE_INCREMENT)
        operation->number = strtoll(parts[3]->str, NULL, 10);
    else if (operation->kind == STATE_STAT)
        operation->expires_in_ms = read_number(parts[3]);
    else if (operation->kind == STATE_GET_RANGE)
        take_result(operation, parts[3]);
    return state__operation_end(operation, STATE_OK);
}

enum state_status
state__redis_command_end(struct state_operation *operation,
                         redisReply *reply)
{
    if (reply->type == REDIS_REPLY_ERROR)
        return end_error(operation, reply);
    if (operation->kind == STATE_GET)
        return end_get(operation, reply);
    return end_call(operation, reply);
}

bool
state__redis_is_replica(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR &&
           strncmp(reply->str, "READONLY ", 9) == 0;
}

bool
state__redis_is_unloaded(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR &&
           (strncmp(reply->str, "NOSCRIPT ", 9) == 0 ||
            strncmp(reply->str, "ERR Function not found", 22) == 0);
}
