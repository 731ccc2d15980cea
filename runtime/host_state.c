/*
 * host_state.c - the imports of the group state: what functions share. Rules
 * and conventions are in host.h, what each one does in hostcalls.inc.
 *
 * Every handler goes the same way: look up the guest's ranges, copy keys and
 * values into the faaslet's struct runtime__wait, submit, wait, and write the
 * answer through a fresh look-up. The copy is what lets an operation be left
 * behind when the deadline passes first.
 *
 * Waiting is to return, and to be called again: then the ranges are looked up
 * once more, but nothing is copied, and instead of submitting the answer is
 * looked at.
 *
 * Each runs on the thread that runs its call.
 */
#include "runtime/host.h"
#include "runtime/host_lock.h"

#include "runtime/call.h"
#include "runtime/grants.h"
#include "runtime/listing.h"

#include <stdlib.h>
#include <string.h>

/* For `flags` of state_put. */
enum {
    put_if_absent = 1,
    put_if_present = 2,
    put_keep_expiry = 4,
    put_flags_all = 7,
};

/* ---- The way there and back --------------------------------------------- */

int32_t
runtime__host_error_of_state(enum state_status status)
{
    switch (status) {
    case STATE_OK:
        return 0;
    case STATE_NOT_FOUND:
        return RUNTIME__HOST_NOT_FOUND;
    case STATE_CONFLICT:
        return RUNTIME__HOST_CONFLICT;
    case STATE_INVALID:
    case STATE_NOT_A_NUMBER:
    case STATE_OVERFLOW:
        return RUNTIME__HOST_INVALID;
    case STATE_TOO_BIG:
        return RUNTIME__HOST_TOO_BIG;
    case STATE_LIMIT:
    case STATE_QUOTA:
    case STATE_NO_MEMORY:
        return RUNTIME__HOST_LIMIT;
    case STATE_TIMEOUT:
    case STATE_LOCKED:
        return RUNTIME__HOST_TIMEOUT;
    case STATE_CLOSED:
        return RUNTIME__HOST_CLOSED;
    default:
        return RUNTIME__HOST_UNAVAILABLE;
    }
}

/*
 * How far a handler has come. OK goes on; ERROR is an answer to the guest, in
 * `error`; END is what the handler returns, in `status`.
 */
struct step {
    bool ok;
    bool end;
    int32_t error;
    enum gvm_status status;
};

static const struct step step_ok = {.ok = true};

static struct step
step_error(int32_t error)
{
    return (struct step){.error = error};
}

static struct step
step_end(enum gvm_status status)
{
    return (struct step){.end = true, .status = status};
}

/* Copies a key's bytes to `copy`, which has room for the longest. */
static struct step
copy_key(struct gvm_call *call, struct runtime__faaslet *faaslet,
         uint32_t pointer, uint32_t length_bytes, uint8_t *copy,
         struct state_bytes *bytes)
{
    const uint8_t *range =
        runtime__host_range(faaslet, pointer, length_bytes);

    if (!range)
        return step_end(runtime__host_trap_range(call));
    if (length_bytes > STATE_KEY_BYTES_MAX)
        return step_error(RUNTIME__HOST_TOO_BIG);
    if (length_bytes > 0)
        memcpy(copy, range, length_bytes);
    *bytes = (struct state_bytes){copy, length_bytes};
    return step_ok;
}

unsigned
runtime__host_access(enum state_kind kind)
{
    switch (kind) {
    case STATE_GET:
    case STATE_GET_RANGE:
    case STATE_STAT:
    case STATE_LIST:
        return RUNTIME__READ;
    case STATE_PUT:
    case STATE_APPEND:
    case STATE_COMPARE_AND_SWAP:
    case STATE_DELETE:
    case STATE_PUT_RANGE:
    case STATE_EXPIRE:
    case STATE_PERSIST:
        return RUNTIME__WRITE;
    default: /* an increment tells the number too */
        return RUNTIME__READ | RUNTIME__WRITE;
    }
}

bool
runtime__host_may(struct runtime__faaslet *faaslet, enum state_kind kind,
                  const struct state_bytes *key)
{
    const struct runtime_grants *grants =
        &faaslet->call->function->config->grants;
    unsigned access = runtime__host_access(kind);

    if (runtime__grants_allow_state(grants, access, key->bytes,
                                    key->length_bytes))
        return true;
    runtime__grants_deny(faaslet->call,
                         access == RUNTIME__READ    ? "to read"
                         : access == RUNTIME__WRITE ? "to write"
                                                    : "to read and write",
                         key->bytes, key->length_bytes);
    return false;
}

/* Begins an operation: makes the record, copies the key and looks whether it
 * is granted. What is under way has begun already. */
static struct step
begin(struct gvm_call *call, struct runtime__faaslet *faaslet,
      enum state_kind kind, const union gvm_value *slots)
{
    struct runtime__wait *wait = runtime__host_wait(faaslet);
    struct state_bytes *key;

    if (!wait)
        return step_error(RUNTIME__HOST_LIMIT);
    if (runtime__wait_is_pending(wait))
        return step_end(GVM_SUSPENDED);
    if (wait->is_under_way)
        return step_ok;
    runtime__wait_clear(wait, kind);
    key = kind == STATE_LIST ? &wait->operation.prefix : &wait->operation.key;
    runtime__host_charge(call, faaslet, RUNTIME_HOST_STATE_FUEL);
    struct step step =
        copy_key(call, faaslet, slots[0].i32, slots[1].i32, wait->key, key);
    if (step.ok && runtime__host_access(kind) & RUNTIME__WRITE)
        wait->operation.lock_token = runtime__host_lock_token(faaslet, key);
    if (step.ok && !runtime__host_may(faaslet, kind, key))
        return step_error(RUNTIME__HOST_DENIED);
    return step;
}

static struct step
copy_value(struct gvm_call *call, struct runtime__faaslet *faaslet,
           uint32_t pointer, uint32_t length_bytes)
{
    struct runtime__wait *wait = faaslet->wait;
    const uint8_t *range =
        runtime__host_range(faaslet, pointer, length_bytes);

    if (wait->is_under_way)
        return step_ok;
    if (!range)
        return step_end(runtime__host_trap_range(call));
    if (length_bytes > STATE_VALUE_BYTES_CEILING)
        return step_error(RUNTIME__HOST_TOO_BIG);
    if (!runtime__buffer_append(&wait->value, range, length_bytes))
        return step_error(RUNTIME__HOST_LIMIT);
    runtime__host_charge_bytes(call, faaslet, length_bytes);
    wait->operation.value =
        (struct state_bytes){wait->value.bytes, length_bytes};
    return step_ok;
}

/*
 * Checks that an answer of `length_bytes` can be written where the guest
 * wants it, before anything happens to the state.
 */
static struct step
check_target(struct gvm_call *call, const struct runtime__faaslet *faaslet,
             uint32_t pointer, uint32_t length_bytes)
{
    if (!runtime__host_target(faaslet, pointer, length_bytes))
        return step_end(runtime__host_trap_range(call));
    return step_ok;
}

/* Submits; the operation's outputs are there, or the handler ends for now. */
static struct step
submit(struct runtime__faaslet *faaslet)
{
    if (!runtime__wait_submit(faaslet->wait, faaslet->store))
        return step_end(GVM_SUSPENDED);
    enum state_status status = faaslet->wait->operation.status;
    return status == STATE_OK
               ? step_ok
               : step_error(runtime__host_error_of_state(status));
}

/* What a handler returns when a step was not OK. */
static enum gvm_status
finish_i32(const struct step *step, union gvm_value *slots)
{
    return step->end ? step->status
                     : runtime__host_return_i32(slots, step->error);
}

static enum gvm_status
finish_i64(const struct step *step, union gvm_value *slots)
{
    return step->end ? step->status
                     : runtime__host_return_i64(slots, step->error);
}

/* Little-endian, and not aligned; the range has been checked. */
static void
put_u64(uint8_t *target, uint64_t value)
{
    for (unsigned i = 0; i < 8; i++)
        target[i] = (uint8_t)(value >> (8 * i));
}

/* ---- Reading ------------------------------------------------------------ */

enum gvm_status
runtime__host_state_get(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct step step = begin(call, faaslet, STATE_GET, slots);

    if (step.ok)
        step = check_target(call, faaslet, slots[2].i32, slots[3].i32);
    if (step.ok)
        step = submit(faaslet);
    if (!step.ok)
        return finish_i32(&step, slots);
    const struct state_bytes *value = &faaslet->wait->operation.result;
    return runtime__host_return_bytes(call, faaslet, slots, value->bytes,
                                      value->length_bytes, 0, slots[2].i32,
                                      slots[3].i32);
}

/* The value from an offset on: no more of it comes than the buffer holds. */
enum gvm_status
runtime__host_state_get_range(struct gvm_call *call, void *data,
                              union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint64_t offset = slots[2].i64;
    uint32_t buffer = slots[3].i32, capacity_bytes = slots[4].i32;
    struct step step = begin(call, faaslet, STATE_GET_RANGE, slots);

    if (step.ok)
        step = check_target(call, faaslet, buffer, capacity_bytes);
    if (step.ok) {
        faaslet->wait->operation.range_offset_bytes = offset;
        faaslet->wait->operation.range_length_bytes = capacity_bytes;
        step = submit(faaslet);
    }
    if (!step.ok)
        return finish_i32(&step, slots);
    const struct state_operation *operation = &faaslet->wait->operation;
    uint64_t size_bytes = operation->size_bytes;
    enum gvm_status status = runtime__host_return_bytes(
        call, faaslet, slots, operation->result.bytes,
        operation->result.length_bytes, 0, buffer, capacity_bytes);
    if (status == GVM_OK)
        runtime__host_return_i32(
            slots,
            offset < size_bytes ? (int32_t)(size_bytes - offset) : 0);
    return status;
}

enum gvm_status
runtime__host_state_len(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct step step = begin(call, faaslet, STATE_STAT, slots);

    if (step.ok)
        step = submit(faaslet);
    if (!step.ok)
        return finish_i32(&step, slots);
    return runtime__host_return_i32(
        slots, (int32_t)faaslet->wait->operation.size_bytes);
}

enum gvm_status
runtime__host_state_version(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct step step = begin(call, faaslet, STATE_STAT, slots);

    if (step.ok)
        step = submit(faaslet);
    /* A key that is not there has the version 0. */
    if (!step.ok && !step.end && step.error == RUNTIME__HOST_NOT_FOUND)
        step.error = 0;
    if (!step.ok)
        return finish_i64(&step, slots);
    return runtime__host_return_i64(
        slots, (int64_t)faaslet->wait->operation.version);
}

/* ---- Writing ------------------------------------------------------------ */

enum gvm_status
runtime__host_state_put(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint32_t flags = slots[5].i32;
    struct step step = begin(call, faaslet, STATE_PUT, slots);

    if (step.ok)
        step = copy_value(call, faaslet, slots[2].i32, slots[3].i32);
    if (step.ok && (flags > put_flags_all ||
                    (flags & (put_if_absent | put_if_present)) ==
                        (put_if_absent | put_if_present)))
        step = step_error(RUNTIME__HOST_INVALID);
    if (step.ok) {
        struct state_operation *operation = &faaslet->wait->operation;
        operation->ttl_ms = slots[4].i64;
        operation->keep_expiry = flags & put_keep_expiry;
        operation->condition = flags & put_if_absent ? STATE_IF_ABSENT
                               : flags & put_if_present
                                   ? STATE_IF_PRESENT
                                   : STATE_ALWAYS;
        step = submit(faaslet);
    }
    if (!step.ok)
        return finish_i64(&step, slots);
    return runtime__host_return_i64(
        slots, (int64_t)faaslet->wait->operation.version);
}

/* Writes bytes into a value, and tells how long it is then. */
static enum gvm_status
extend(struct gvm_call *call, struct runtime__faaslet *faaslet,
       enum state_kind kind, union gvm_value *slots, uint64_t offset,
       uint32_t bytes, uint32_t length_bytes)
{
    struct step step = begin(call, faaslet, kind, slots);

    if (step.ok)
        step = copy_value(call, faaslet, bytes, length_bytes);
    if (step.ok) {
        faaslet->wait->operation.range_offset_bytes = offset;
        step = submit(faaslet);
    }
    if (!step.ok)
        return finish_i64(&step, slots);
    return runtime__host_return_i64(
        slots, (int64_t)faaslet->wait->operation.size_bytes);
}

enum gvm_status
runtime__host_state_append(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    return extend(call, data, STATE_APPEND, slots, 0, slots[2].i32,
                  slots[3].i32);
}

enum gvm_status
runtime__host_state_put_range(struct gvm_call *call, void *data,
                              union gvm_value *slots)
{
    return extend(call, data, STATE_PUT_RANGE, slots, slots[2].i64,
                  slots[3].i32, slots[4].i32);
}

/* Gives a key another time to live, or (0) takes it away. */
static enum gvm_status
set_expiry(struct gvm_call *call, struct runtime__faaslet *faaslet,
           enum state_kind kind, union gvm_value *slots, uint64_t ttl_ms)
{
    struct step step = begin(call, faaslet, kind, slots);

    if (step.ok) {
        faaslet->wait->operation.ttl_ms = ttl_ms;
        step = submit(faaslet);
    }
    return step.ok ? runtime__host_return_i32(slots, 0)
                   : finish_i32(&step, slots);
}

enum gvm_status
runtime__host_state_expire(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    return set_expiry(call, data, STATE_EXPIRE, slots, slots[2].i64);
}

enum gvm_status
runtime__host_state_persist(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    return set_expiry(call, data, STATE_PERSIST, slots, 0);
}

enum gvm_status
runtime__host_state_incr(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint32_t target = slots[3].i32;
    struct step step = begin(call, faaslet, STATE_INCREMENT, slots);

    if (step.ok)
        step = check_target(call, faaslet, target, 8);
    if (step.ok) {
        faaslet->wait->operation.delta = (int64_t)slots[2].i64;
        step = submit(faaslet);
    }
    if (!step.ok)
        return finish_i32(&step, slots);
    uint8_t *sum = runtime__host_target(faaslet, target, 8);
    if (!sum)
        return runtime__host_trap_range(call);
    put_u64(sum, (uint64_t)faaslet->wait->operation.number);
    return runtime__host_return_i32(slots, 0);
}

enum gvm_status
runtime__host_state_cas(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint32_t target = slots[5].i32;
    struct step step =
        begin(call, faaslet, STATE_COMPARE_AND_SWAP, slots);

    if (step.ok)
        step = copy_value(call, faaslet, slots[3].i32, slots[4].i32);
    if (step.ok)
        step = check_target(call, faaslet, target, 8);
    if (step.ok) {
        faaslet->wait->operation.version_expected = slots[2].i64;
        step = submit(faaslet);
    }
    bool conflict = !step.end && step.error == RUNTIME__HOST_CONFLICT;
    if (!step.ok && !conflict)
        return finish_i32(&step, slots);
    uint8_t *version = runtime__host_target(faaslet, target, 8);
    if (!version)
        return runtime__host_trap_range(call);
    put_u64(version, faaslet->wait->operation.version);
    return runtime__host_return_i32(slots, step.error);
}

enum gvm_status
runtime__host_state_delete(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint64_t expected = slots[2].i64;
    struct step step = begin(call, faaslet, STATE_DELETE, slots);

    if (step.ok) {
        faaslet->wait->operation.version_expected = expected;
        faaslet->wait->operation.condition =
            expected ? STATE_IF_VERSION : STATE_ALWAYS;
        step = submit(faaslet);
    }
    return step.ok ? runtime__host_return_i32(slots, 0)
                   : finish_i32(&step, slots);
}

/* ---- Listing ------------------------------------------------------------ */

static uint64_t
get_u64(const uint8_t *source)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < 8; i++)
        value |= (uint64_t)source[i] << (8 * i);
    return value;
}

/* Fills the cursor and the limit of the operation, and submits it. */
static struct step
submit_list(struct runtime__faaslet *faaslet,
            const struct runtime__listing *listing, uint32_t capacity_bytes)
{
    struct runtime__wait *wait = faaslet->wait;
    struct state_operation *operation = &wait->operation;
    uint32_t fit_count = capacity_bytes / (RUNTIME__ENTRY_BYTES + 1);

    if (listing->number != 0) {
        memcpy(wait->cursor, listing->cursor, listing->cursor_bytes);
        operation->cursor =
            (struct state_bytes){wait->cursor, listing->cursor_bytes};
    }
    if (fit_count == 0)
        fit_count = 1;
    operation->limit_count =
        fit_count < STATE_LIST_ITEMS_MAX ? fit_count : STATE_LIST_ITEMS_MAX;
    return submit(faaslet);
}

/* (prefix, prefix_length, cursor *, buffer, capacity) */
enum gvm_status
runtime__host_state_list(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint32_t cursor = slots[2].i32;
    uint32_t buffer = slots[3].i32;
    uint32_t capacity_bytes = slots[4].i32;
    struct runtime__listing *listing = NULL;
    struct step step = begin(call, faaslet, STATE_LIST, slots);

    if (step.ok)
        step = check_target(call, faaslet, cursor, 8);
    if (step.ok)
        step = check_target(call, faaslet, buffer, capacity_bytes);
    if (step.ok) {
        uint64_t number = get_u64(runtime__host_range(faaslet, cursor, 8));
        listing = runtime__listing_find(faaslet, number);
        if (!listing)
            step = step_error(number ? RUNTIME__HOST_INVALID
                                     : RUNTIME__HOST_LIMIT);
    }
    if (step.ok)
        step = submit_list(faaslet, listing, capacity_bytes);
    if (!step.ok)
        return finish_i32(&step, slots);

    const struct state_operation *operation = &faaslet->wait->operation;
    uint8_t *target = runtime__host_target(faaslet, buffer, capacity_bytes);
    uint32_t written_bytes;
    if (!target)
        return runtime__host_trap_range(call);
    size_t count = runtime__listing_write(operation, target, capacity_bytes,
                                          &written_bytes);
    if (count == 0 && operation->entry_count > 0)
        return runtime__host_return_i32(slots, RUNTIME__HOST_TOO_BIG);
    uint64_t number =
        runtime__listing_keep(faaslet, listing, operation, count);
    uint8_t *number_target = runtime__host_target(faaslet, cursor, 8);
    if (!number_target)
        return runtime__host_trap_range(call);
    put_u64(number_target, number);
    runtime__host_charge_bytes(call, faaslet, written_bytes);
    return runtime__host_return_i32(slots, (int32_t)written_bytes);
}
