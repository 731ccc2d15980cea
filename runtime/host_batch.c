/*
 * host_batch.c - the import state_batch: many operations of the state in one
 * crossing. Rules and conventions are in host.h; the form of what goes in and
 * comes out is that of struct glass_operation and struct glass_result in
 * faaslets/sdk/glass.h.
 *
 * The guest's operations are copied as a whole before they are looked at, and
 * keys and values stay where the copy is. An operation that is not granted is
 * left out of those that are submitted: each carries the index under which the
 * guest knows it.
 *
 * Each runs on the thread that runs its call.
 */
#include "runtime/host.h"
#include "runtime/host_lock.h"

#include "runtime/grants.h"
#include "runtime/wait.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "records are those of the guest");

/* What a batch begins with. */
struct head {
    uint32_t flags;
    uint32_t count;
};

enum { all_or_nothing = 1 };

/* An operation, in front of its key and its value. */
struct record {
    uint8_t kind;
    uint8_t flags;
    uint16_t key_length;
    uint32_t value_length; /* of a get-range: how much to read at most */
    uint64_t number;       /* delta or offset */
    uint64_t expected;
    uint64_t ttl_ms;
};

/* For `flags`: the first three are those of state_put. */
enum {
    if_absent = 1,
    if_present = 2,
    keep_expiry = 4,
    if_version = 8,
    conditions = if_absent | if_present | if_version,
};

/* How an operation ended; its bytes come behind all of these. */
struct result {
    int32_t status;
    uint32_t length;
    uint64_t version;
    uint64_t number;
    uint64_t expires_in_ms;
};

static_assert(sizeof(struct head) == 8 && sizeof(struct record) == 32 &&
                  sizeof(struct result) == 32,
              "no padding");

/* The status of what did not happen because something else failed. */
enum { aborted = 1 };

/* The kinds, in the order of their numbers, and which flags they take. */
static const struct kind {
    enum state_kind kind;
    bool has_value;
    unsigned flags;
} kinds[] = {
    {STATE_GET, false, 0},
    {STATE_GET_RANGE, false, 0},
    {STATE_STAT, false, 0},
    {STATE_PUT, true, conditions | keep_expiry},
    {STATE_PUT_RANGE, true, conditions},
    {STATE_APPEND, true, conditions},
    {STATE_INCREMENT, false, conditions},
    {STATE_DELETE, false, conditions},
    {STATE_EXPIRE, false, conditions},
    {STATE_PERSIST, false, conditions},
};

#define KIND_COUNT (sizeof(kinds) / sizeof(*kinds))

/* The copy of what the guest sent, as far as it was not read yet. */
struct cursor {
    const uint8_t *bytes;
    size_t left;
};

/* Takes so many bytes off the front; null when there are fewer. */
static const uint8_t *
take(struct cursor *cursor, size_t length_bytes)
{
    const uint8_t *bytes = cursor->bytes;

    if (cursor->left < length_bytes)
        return NULL;
    cursor->bytes += length_bytes;
    cursor->left -= length_bytes;
    return bytes;
}

static enum state_condition
condition_of(unsigned flags)
{
    switch (flags & conditions) {
    case if_absent:
        return STATE_IF_ABSENT;
    case if_present:
        return STATE_IF_PRESENT;
    case if_version:
        return STATE_IF_VERSION;
    default:
        return STATE_ALWAYS;
    }
}

/* Reads one operation; false when it makes no sense. */
static bool
read_operation(struct cursor *cursor, struct state_operation *operation)
{
    const uint8_t *bytes = take(cursor, sizeof(struct record));
    struct record record;

    if (!bytes)
        return false;
    memcpy(&record, bytes, sizeof(record));
    if (record.kind >= KIND_COUNT)
        return false;
    const struct kind *kind = &kinds[record.kind];
    unsigned asked = record.flags & conditions;
    size_t value_bytes = kind->has_value ? record.value_length : 0;
    if ((record.flags & ~kind->flags) != 0 || (asked & (asked - 1)) != 0 ||
        (!kind->has_value && kind->kind != STATE_GET_RANGE &&
         record.value_length != 0))
        return false;
    const uint8_t *key = take(cursor, record.key_length);
    const uint8_t *value = take(cursor, value_bytes);
    if (!key || !value)
        return false;
    operation->kind = kind->kind;
    operation->condition = condition_of(record.flags);
    operation->keep_expiry = record.flags & keep_expiry;
    operation->key = (struct state_bytes){key, record.key_length};
    operation->value = (struct state_bytes){value, value_bytes};
    operation->delta = (int64_t)record.number;
    operation->range_offset_bytes = record.number;
    operation->range_length_bytes = record.value_length;
    operation->version_expected = record.expected;
    operation->ttl_ms = record.ttl_ms;
    return true;
}

/*
 * Reads all of them into the record that is to be submitted, but for those
 * that are not granted. Returns 0 or an error.
 */
static int32_t
read_operations(struct runtime__faaslet *faaslet, const struct head *head,
                struct cursor *cursor)
{
    struct runtime__wait *wait = faaslet->wait;
    struct state_operation *batch = &wait->operation;

    batch->all_or_nothing = head->flags & all_or_nothing;
    batch->operations =
        calloc((size_t)head->count + 1, sizeof(*batch->operations));
    if (!batch->operations)
        return RUNTIME__HOST_LIMIT;
    for (uint32_t index = 0; index < head->count; index++) {
        struct state_operation *operation =
            &batch->operations[batch->operation_count];
        if (!read_operation(cursor, operation))
            return RUNTIME__HOST_INVALID;
        operation->namespace_ = wait->namespace_;
        operation->data = (void *)(uintptr_t)index;
        if (runtime__host_may(faaslet, operation->kind, &operation->key)) {
            if (runtime__host_access(operation->kind) & RUNTIME__WRITE)
                operation->lock_token =
                    runtime__host_lock_token(faaslet, &operation->key);
            batch->operation_count++;
        } else if (batch->all_or_nothing) {
            return RUNTIME__HOST_DENIED;
        } else {
            memset(operation, 0, sizeof(*operation));
        }
    }
    return cursor->left == 0 ? 0 : RUNTIME__HOST_INVALID;
}

/* Copies what the guest sent, and pays for it. Returns 0 or an error. */
static int32_t
begin(struct gvm_call *call, struct runtime__faaslet *faaslet,
      const uint8_t *bytes, uint32_t length_bytes, uint32_t capacity_bytes)
{
    struct runtime__wait *wait = faaslet->wait;
    struct head head;

    runtime__wait_clear(wait, STATE_BATCH);
    if (length_bytes > RUNTIME_BATCH_BYTES_MAX)
        return RUNTIME__HOST_TOO_BIG;
    if (length_bytes < sizeof(head))
        return RUNTIME__HOST_INVALID;
    if (!runtime__buffer_append(&wait->value, bytes, length_bytes))
        return RUNTIME__HOST_LIMIT;
    memcpy(&head, wait->value.bytes, sizeof(head));
    if (head.flags & ~(uint32_t)all_or_nothing)
        return RUNTIME__HOST_INVALID;
    if (head.count > STATE_BATCH_OPERATIONS_MAX ||
        head.count > capacity_bytes / sizeof(struct result))
        return RUNTIME__HOST_TOO_BIG;
    runtime__host_charge(call, faaslet,
                         (uint64_t)(head.count + 1) *
                             RUNTIME_HOST_STATE_FUEL);
    runtime__host_charge_bytes(call, faaslet, length_bytes);
    struct cursor cursor = {wait->value.bytes + sizeof(head),
                            length_bytes - sizeof(head)};
    return read_operations(faaslet, &head, &cursor);
}

/* How many operations the guest sent. */
static uint32_t
count_of(const struct runtime__wait *wait)
{
    struct head head;

    memcpy(&head, wait->value.bytes, sizeof(head));
    return head.count;
}

static struct result
result_of(const struct state_operation *operation)
{
    struct result result = {
        .status = operation->status == STATE_ABORTED
                      ? aborted
                      : runtime__host_error_of_state(operation->status),
        .version = operation->version,
        .number = operation->kind == STATE_INCREMENT
                      ? (uint64_t)operation->number
                      : operation->size_bytes,
        .expires_in_ms = operation->expires_in_ms,
    };

    if (operation->status == STATE_OK)
        result.length = (uint32_t)operation->result.length_bytes;
    return result;
}

/* Whether each operation has a status, or the batch was refused as such. */
static bool
has_results(const struct state_operation *batch)
{
    size_t index = batch->failed_index;

    return batch->status == STATE_OK ||
           (index < batch->operation_count &&
            batch->operations[index].status == batch->status);
}

/*
 * Writes the results, and behind them the bytes that were read as far as they
 * fit. Returns how long all of it is.
 */
static uint64_t
write_results(const struct runtime__wait *wait, uint8_t *target,
              uint32_t capacity_bytes)
{
    const struct state_operation *batch = &wait->operation;
    const struct result denied = {.status = RUNTIME__HOST_DENIED};
    uint32_t count = count_of(wait);
    uint64_t end = (uint64_t)count * sizeof(struct result);

    for (uint32_t index = 0; index < count; index++)
        memcpy(target + index * sizeof(denied), &denied, sizeof(denied));
    for (size_t i = 0; i < batch->operation_count; i++) {
        const struct state_operation *operation = &batch->operations[i];
        struct result result = result_of(operation);
        size_t fits = result.length;
        memcpy(target + (uintptr_t)operation->data * sizeof(result), &result,
               sizeof(result));
        if (end >= capacity_bytes)
            fits = 0;
        else if (fits > capacity_bytes - end)
            fits = (size_t)(capacity_bytes - end);
        if (fits > 0)
            memcpy(target + end, operation->result.bytes, fits);
        end += result.length;
    }
    return end;
}

/* (operations, operations_length, buffer, capacity) */
enum gvm_status
runtime__host_state_batch(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint32_t buffer = slots[2].i32, capacity_bytes = slots[3].i32;
    const uint8_t *bytes =
        runtime__host_range(faaslet, slots[0].i32, slots[1].i32);
    struct runtime__wait *wait = runtime__host_wait(faaslet);

    if (!bytes || !runtime__host_target(faaslet, buffer, capacity_bytes))
        return runtime__host_trap_range(call);
    if (!wait)
        return runtime__host_return_i64(slots, RUNTIME__HOST_LIMIT);
    if (runtime__wait_is_pending(wait))
        return GVM_SUSPENDED;
    if (!wait->is_under_way) {
        int32_t error =
            begin(call, faaslet, bytes, slots[1].i32, capacity_bytes);
        if (error != 0)
            return runtime__host_return_i64(slots, error);
    }
    if (!runtime__wait_submit(wait, faaslet->store))
        return GVM_SUSPENDED;

    uint8_t *target = runtime__host_target(faaslet, buffer, capacity_bytes);
    if (!target)
        return runtime__host_trap_range(call);
    enum state_status status = wait->operation.status;
    uint64_t end_bytes = has_results(&wait->operation)
                             ? write_results(wait, target, capacity_bytes)
                             : 0;
    runtime__host_charge_bytes(
        call, faaslet,
        end_bytes < capacity_bytes ? end_bytes : capacity_bytes);
    return runtime__host_return_i64(
        slots, status == STATE_OK ? (int64_t)end_bytes
                                  : runtime__host_error_of_state(status));
}
