/*
 * What the backends share about operation records: checks of the inputs, and
 * the ways of ending one. Only the thread that has the record calls these.
 */
#ifndef GLASS_STATE_OPERATION_H
#define GLASS_STATE_OPERATION_H

#include "state/state.h"

#include <assert.h>

/* How many kinds there are; their numbers are below. */
#define STATE__KIND_ONE(symbol, name) +1
enum { STATE__KIND_COUNT = 0 STATE_KIND_MAP(STATE__KIND_ONE) };
#undef STATE__KIND_ONE

/* Whether a kind is about a key's lock and not about its value. */
static inline bool
state__operation_is_lock(enum state_kind kind)
{
    return kind >= STATE_LOCK && kind <= STATE_EXTEND;
}

static_assert(STATE_UNLOCK == STATE_LOCK + 1 && STATE_EXTEND == STATE_LOCK + 2,
              "they are neighbours");

/* Whether a kind changes the key; asked several times for each operation. */
static inline bool
state__operation_is_write(enum state_kind kind)
{
    const uint32_t writes = 1u << STATE_PUT | 1u << STATE_DELETE |
                            1u << STATE_INCREMENT |
                            1u << STATE_COMPARE_AND_SWAP | 1u << STATE_APPEND |
                            1u << STATE_PUT_RANGE | 1u << STATE_EXPIRE |
                            1u << STATE_PERSIST;

    return (writes >> kind & 1) != 0;
}
static_assert(STATE__KIND_COUNT <= 32, "a word has a bit for each");

/* Whether a kind may be in a batch, or in one that is all or nothing. */
static inline bool
state__operation_can_batch(enum state_kind kind, bool all_or_nothing)
{
    return kind <= STATE_APPEND || (kind == STATE_LIST && !all_or_nothing) ||
           (kind >= STATE_GET_RANGE && kind <= STATE_PERSIST);
}

/*
 * The condition that the operation really has: COMPARE_AND_SWAP implies one.
 */
static inline enum state_condition
state__operation_condition(const struct state_operation *operation)
{
    if (operation->kind == STATE_COMPARE_AND_SWAP)
        return STATE_IF_VERSION;
    return operation->condition;
}

/*
 * Frees what the outputs hold before a new submission, unless the cursor lies
 * there.
 */
void
state__operation_release(struct state_operation *operation);

/* Sets the outputs to nothing. */
static inline void
state__operation_clear(struct state_operation *operation)
{
    operation->status = STATE_OK;
    operation->message = NULL;
    operation->version = 0;
    operation->lock_lost = false;
    operation->token = 0;
    operation->number = 0;
    operation->size_bytes = 0;
    operation->expires_in_ms = 0;
    operation->result = (struct state_bytes){NULL, 0};
    operation->entries = NULL;
    operation->entry_count = 0;
    operation->more = false;
    operation->failed_index = 0;
    operation->cursor_next = (struct state_bytes){NULL, 0};
}

/* Both, as a submission begins. */
static inline void
state__operation_begin(struct state_operation *operation)
{
    if (operation->kind == STATE_LIST ||
        operation->private_.release != NULL ||
        operation->private_.release_previous != NULL)
        state__operation_release(operation);
    state__operation_clear(operation);
}

/*
 * Checks all inputs but the namespace's name, whose check a backend may have
 * cheaper means for, and those of a batch, which are batch.h's. Ends
 * the operation unless it returns STATE_OK.
 */
enum state_status
state__operation_check(struct state_operation *operation,
                       size_t value_bytes_max);

/* Checks the name of the namespace in the same manner. */
enum state_status
state__operation_check_namespace(struct state_operation *operation);

/*
 * Ends an operation: sets its status, and the status's text as its message,
 * and returns the status. It does not call `complete`.
 */
static inline enum state_status
state__operation_end(struct state_operation *operation,
                     enum state_status status)
{
    operation->status = status;
    operation->message = status == STATE_OK ? "" : state_status_text(status);
    return status;
}

/* The same, but leaves the message of one that has already failed. */
static inline enum state_status
state__operation_end_said(struct state_operation *operation,
                          enum state_status status)
{
    if (status == STATE_OK || operation->message == NULL)
        return state__operation_end(operation, status);
    operation->status = status;
    return status;
}

/*
 * Ends an operation that failed with a message of its own. The record must
 * hold no value: the text takes that place.
 */
enum state_status
state__operation_fail(struct state_operation *operation,
                      enum state_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Makes the `length_bytes` bytes at `bytes` the result by copying them into
 * the record. At most STATE_VALUE_INLINE_MAX.
 */
void
state__operation_copy_result(struct state_operation *operation,
                             const void *bytes, size_t length_bytes);

#endif
