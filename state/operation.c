/*
 * Operation records: see operation.h and the contract in state.h.
 *
 * A record's private words `small` serve two purposes that exclude each
 * other: a short value that was read, or the text of a failure. So a record
 * needs no allocation in the usual cases.
 */
#include "state/operation.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static bool
is_missing(struct state_bytes bytes)
{
    return bytes.bytes == NULL && bytes.length_bytes > 0;
}

static enum state_status
check_list(struct state_operation *operation)
{
    if (operation->prefix.length_bytes > STATE_KEY_BYTES_MAX)
        return state__operation_fail(operation, STATE_TOO_BIG,
                                     "a prefix has at most %d bytes",
                                     STATE_KEY_BYTES_MAX);
    if (operation->cursor.length_bytes > STATE_KEY_BYTES_MAX)
        return state__operation_fail(operation, STATE_TOO_BIG,
                                     "a cursor has at most %d bytes",
                                     STATE_KEY_BYTES_MAX);
    if (operation->limit_count > STATE_LIST_ITEMS_MAX)
        return state__operation_fail(operation, STATE_INVALID,
                                     "a listing names at most %d keys",
                                     STATE_LIST_ITEMS_MAX);
    if (operation->kind == STATE_WATCH &&
        operation->timeout_ms > STATE_WATCH_TIMEOUT_MS_MAX)
        return state__operation_fail(operation, STATE_INVALID,
                                     "changes are waited for at most %d "
                                     "milliseconds",
                                     STATE_WATCH_TIMEOUT_MS_MAX);
    if (is_missing(operation->prefix) || is_missing(operation->cursor))
        return state__operation_fail(operation, STATE_INVALID,
                                     "a length without bytes");
    return STATE_OK;
}

static enum state_status
check_key(struct state_operation *operation)
{
    if (operation->key.length_bytes == 0)
        return state__operation_fail(operation, STATE_INVALID,
                                     "a key has at least one byte");
    if (operation->key.length_bytes > STATE_KEY_BYTES_MAX)
        return state__operation_fail(operation, STATE_TOO_BIG,
                                     "a key has at most %d bytes",
                                     STATE_KEY_BYTES_MAX);
    if (is_missing(operation->key))
        return state__operation_fail(operation, STATE_INVALID,
                                     "a length without bytes");
    return STATE_OK;
}

static enum state_status
check_write(struct state_operation *operation, size_t value_bytes_max)
{
    if (operation->value.length_bytes > value_bytes_max)
        return state__operation_fail(operation, STATE_TOO_BIG,
                                     "a value has at most %zu bytes",
                                     value_bytes_max);
    if (is_missing(operation->value))
        return state__operation_fail(operation, STATE_INVALID,
                                     "a length without bytes");
    if (operation->ttl_ms > STATE_TTL_MS_MAX)
        return state__operation_fail(operation, STATE_INVALID,
                                     "a key expires within 100 years");
    if (operation->ttl_ms > 0 && operation->keep_expiry)
        return state__operation_fail(operation, STATE_INVALID,
                                     "both an expiry and the old expiry");
    if (operation->kind == STATE_EXPIRE && operation->ttl_ms == 0)
        return state__operation_fail(operation, STATE_INVALID,
                                     "an expiry is at least a millisecond");
    return STATE_OK;
}

/* What LOCK, UNLOCK and EXTEND ask for. */
static enum state_status
check_lock(struct state_operation *operation)
{
    if (operation->condition != STATE_ALWAYS)
        return state__operation_fail(operation, STATE_INVALID,
                                     "a lock takes no condition");
    if ((operation->kind == STATE_LOCK) != (operation->lock_token == 0))
        return state__operation_fail(operation, STATE_INVALID,
                                     operation->kind == STATE_LOCK
                                         ? "the token comes with the lock"
                                         : "the lock's token is missing");
    if (operation->lease_ms > STATE_LEASE_MS_MAX)
        return state__operation_fail(operation, STATE_INVALID,
                                     "a lease has at most %d milliseconds",
                                     STATE_LEASE_MS_MAX);
    if (operation->timeout_ms > STATE_LOCK_TIMEOUT_MS_MAX)
        return state__operation_fail(
            operation, STATE_INVALID,
            "a lock is waited for at most %d milliseconds",
            STATE_LOCK_TIMEOUT_MS_MAX);
    return STATE_OK;
}

enum state_status
state__operation_check(struct state_operation *operation,
                       size_t value_bytes_max)
{
    enum state_status status;

    /* Callers may hold any number in an enum; these two choose tables. */
    if ((unsigned)operation->kind >= STATE__KIND_COUNT)
        return state__operation_fail(operation, STATE_INVALID,
                                     "no such kind of operation");
    if ((unsigned)operation->condition > STATE_IF_VERSION)
        return state__operation_fail(operation, STATE_INVALID,
                                     "no such condition");
    if (operation->kind == STATE_BATCH)
        return STATE_OK;
    if (operation->kind == STATE_LIST || operation->kind == STATE_WATCH)
        status = check_list(operation);
    else
        status = check_key(operation);
    if (status)
        return status;
    if (state__operation_is_write(operation->kind))
        return check_write(operation, value_bytes_max);
    if (state__operation_is_lock(operation->kind))
        return check_lock(operation);
    if (operation->condition != STATE_ALWAYS || operation->lock_token != 0)
        return state__operation_fail(
            operation, STATE_INVALID,
            "a read takes neither condition nor token");
    return STATE_OK;
}

static bool
is_name_byte(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9');
}

bool
state_namespace_is_valid(const char *name)
{
    size_t length = 0;

    if (name == NULL || !is_name_byte(name[0]))
        return false;
    while (is_name_byte(name[length]) || name[length] == '-')
        if (++length > STATE_NAMESPACE_BYTES_MAX)
            return false;
    return name[length] == '\0' && name[length - 1] != '-';
}

enum state_status
state__operation_check_namespace(struct state_operation *operation)
{
    if (state_namespace_is_valid(operation->namespace_))
        return STATE_OK;
    return state__operation_fail(operation, STATE_INVALID,
                                 "a namespace's name is 1 to %d of a-z, 0-9 "
                                 "and, inside, '-'",
                                 STATE_NAMESPACE_BYTES_MAX);
}

enum state_status
state__operation_fail(struct state_operation *operation,
                      enum state_status status, const char *format, ...)
{
    char *text = (char *)operation->private_.small;
    va_list arguments;

    assert(operation->result.bytes == NULL);
    va_start(arguments, format);
    vsnprintf(text, sizeof operation->private_.small, format, arguments);
    va_end(arguments);
    operation->status = status;
    operation->message = text;
    return status;
}

void
state__operation_copy_result(struct state_operation *operation,
                             const void *bytes, size_t length_bytes)
{
    assert(length_bytes <= STATE_VALUE_INLINE_MAX);
    if (length_bytes > 0)
        memcpy(operation->private_.small, bytes, length_bytes);
    operation->result.bytes = operation->private_.small;
    operation->result.length_bytes = length_bytes;
}

static void
release(void **owned, void (**how)(void *owned))
{
    if (*how != NULL)
        (*how)(*owned);
    *owned = NULL;
    *how = NULL;
}

void
state__operation_release(struct state_operation *operation)
{
    const void *cursor = NULL;

    if (operation->kind == STATE_LIST)
        cursor = operation->cursor.bytes;
    if (cursor != NULL && cursor == operation->cursor_next.bytes) {
        release(&operation->private_.previous,
                &operation->private_.release_previous);
        operation->private_.previous = operation->private_.owned;
        operation->private_.release_previous = operation->private_.release;
        operation->private_.owned = NULL;
        operation->private_.release = NULL;
        operation->private_.cursor = cursor;
    } else if (cursor == NULL || cursor != operation->private_.cursor) {
        /* Otherwise the same page is asked for once more. */
        release(&operation->private_.previous,
                &operation->private_.release_previous);
        operation->private_.cursor = NULL;
    }
    release(&operation->private_.owned, &operation->private_.release);
}

void
state_operation_deinit(struct state_operation *operation)
{
    if (operation == NULL)
        return;
    release(&operation->private_.owned, &operation->private_.release);
    release(&operation->private_.previous,
            &operation->private_.release_previous);
    operation->private_.cursor = NULL;
    state__operation_clear(operation);
}
