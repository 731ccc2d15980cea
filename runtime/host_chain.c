/*
 * host_chain.c - the imports of the group chain: functions that call others.
 * Rules and conventions are in host.h, what each one does in hostcalls.inc,
 * and how it is done in chain.h.
 *
 * Each runs on the thread that runs its call.
 */
#include "runtime/host.h"

#include "runtime/call.h"
#include "runtime/grants.h"
#include "runtime/wait.h"

#include <stdio.h>
#include <string.h>

/* How a call ended, for its caller: glass.h names the same numbers. */
enum end {
    END_WELL = 0,
    END_FAILED = 1, /* the function said so */
    END_TRAPPED = 2,
    END_TIMEOUT = 3,
    END_OUT_OF_FUEL = 4,
    END_OUT_OF_MEMORY = 5,
    END_LIMIT = 6,
    END_CANCELLED = 7,
    END_SYSTEM = 8,
};

static int32_t
end_of_status(enum runtime_status status)
{
    switch (status) {
    case RUNTIME_OK:
        return END_WELL;
    case RUNTIME_FAILED:
    case RUNTIME_EXITED:
        return END_FAILED;
    case RUNTIME_TRAP:
    case RUNTIME_EXHAUSTED:
        return END_TRAPPED;
    case RUNTIME_TIMEOUT:
        return END_TIMEOUT;
    case RUNTIME_OUT_OF_FUEL:
        return END_OUT_OF_FUEL;
    case RUNTIME_OUT_OF_MEMORY:
        return END_OUT_OF_MEMORY;
    case RUNTIME_LIMIT:
    case RUNTIME_BUSY:
        return END_LIMIT;
    case RUNTIME_CANCELLED:
        return END_CANCELLED;
    default:
        return END_SYSTEM;
    }
}

/* What the guest gets for a call that was not made. */
static int32_t
error_of_status(enum runtime_status status)
{
    switch (status) {
    case RUNTIME_NOT_FOUND:
        return RUNTIME__HOST_NOT_FOUND;
    case RUNTIME_INVALID:
        return RUNTIME__HOST_INVALID;
    case RUNTIME_TOO_BIG:
        return RUNTIME__HOST_TOO_BIG;
    default:
        return RUNTIME__HOST_LIMIT;
    }
}

/* ---- Calling ------------------------------------------------------------ */

/* Whether the caller may; 0 or an error for the guest. */
static int32_t
check(struct runtime_call *caller, const char *name, size_t name_bytes)
{
    const struct runtime_names *granted =
        caller->function->config->grants.functions;

    if (!runtime_name_is_valid(name))
        return RUNTIME__HOST_INVALID;
    if (!caller->initialises &&
        runtime__grants_has(granted, name, name_bytes))
        return 0;
    runtime__grants_deny(caller,
                         caller->initialises ? "to initialise by calling"
                                             : "to call",
                         name, name_bytes);
    return RUNTIME__HOST_DENIED;
}

/* Tells in the caller's log why a call was not made. */
static void
log_refusal(struct runtime_call *caller, const char *name,
            const struct runtime_error *err)
{
    char line[RUNTIME_MESSAGE_SIZE + RUNTIME_NAME_BYTES_MAX + 32];
    int length = snprintf(line, sizeof(line), "warning: '%s' not called: %s\n",
                          name, err->message);

    if (runtime__call_may_log(caller, (size_t)length))
        runtime__call_write_log(caller, line, (size_t)length);
}

/* (name, name_length, input, input_length, timeout_ms) */
enum gvm_status
runtime__host_call(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime_call *caller = faaslet->call;
    uint32_t name_bytes = slots[1].i32;
    uint32_t input_bytes = slots[3].i32;
    const uint8_t *guest_name =
        runtime__host_range(faaslet, slots[0].i32, name_bytes);
    const uint8_t *input =
        runtime__host_range(faaslet, slots[2].i32, input_bytes);
    char name[RUNTIME_NAME_BYTES_MAX + 1] = "";
    struct runtime_error err;
    int32_t handle;

    if (!guest_name || !input)
        return runtime__host_trap_range(call);
    if (name_bytes > RUNTIME_NAME_BYTES_MAX || (int64_t)slots[4].i64 < 0)
        return runtime__host_return_i32(slots, RUNTIME__HOST_INVALID);
    memcpy(name, guest_name, name_bytes);
    int32_t error = strlen(name) == name_bytes
                        ? check(caller, name, name_bytes)
                        : RUNTIME__HOST_INVALID;
    if (error)
        return runtime__host_return_i32(slots, error);
    runtime__host_charge(call, faaslet, RUNTIME_HOST_CALL_FUEL);
    runtime__host_charge_bytes(call, faaslet, input_bytes);
    const struct runtime__chain_order order = {
        .name = name,
        .input = input,
        .input_bytes = input_bytes,
        .timeout_ms = slots[4].i64,
    };
    enum runtime_status status =
        runtime__chain_call(caller, &order, &handle, &err);
    if (status == RUNTIME_OK)
        return runtime__host_return_i32(slots, handle);
    log_refusal(caller, name, &err);
    return runtime__host_return_i32(slots, error_of_status(status));
}

/* ---- Waiting ------------------------------------------------------------ */

/* When a wait that begins now is over by itself. */
static uint64_t
end_of_wait(int64_t timeout_ms)
{
    uint64_t now_ns = runtime__wait_now_ns();

    /* The deadline of the call comes before what is longer than it may be. */
    return timeout_ms < 0 || timeout_ms > RUNTIME_TIMEOUT_MS_CEILING
               ? UINT64_MAX
               : now_ns + (uint64_t)timeout_ms * 1000000u;
}

/*
 * Waits for the first of the handles; `*index` is its place, or an error for
 * the guest, when this returns GVM_OK.
 */
static enum gvm_status
await(struct runtime__faaslet *faaslet, const int32_t *handles, size_t count,
      int64_t timeout_ms, int32_t *index)
{
    struct runtime_call *caller = faaslet->call;

    *index = runtime__chain_await(caller, handles, count);
    if (*index == RUNTIME__CHAIN_NONE) {
        struct runtime__chain *chain = caller->chain;
        /* Set when this is not the first time. */
        if (chain->awaits_until_ns == 0)
            chain->awaits_until_ns = end_of_wait(timeout_ms);
        if (runtime__wait_now_ns() < chain->awaits_until_ns) {
            faaslet->until_ns = chain->awaits_until_ns;
            return GVM_SUSPENDED;
        }
        *index = RUNTIME__HOST_TIMEOUT;
    } else if (*index == RUNTIME__CHAIN_UNKNOWN) {
        *index = RUNTIME__HOST_INVALID;
    }
    if (caller->chain)
        caller->chain->awaits_until_ns = 0;
    return GVM_OK;
}

/* (handle, timeout_ms) */
enum gvm_status
runtime__host_await(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__chain_result result = {0};
    int32_t handle = (int32_t)slots[0].i32;
    int32_t index;
    enum gvm_status status =
        await(faaslet, &handle, 1, (int64_t)slots[1].i64, &index);

    (void)call;
    if (status != GVM_OK)
        return status;
    if (index < 0)
        return runtime__host_return_i32(slots, index);
    runtime__chain_result(faaslet->call, handle, &result);
    return runtime__host_return_i32(slots, end_of_status(result.status));
}

/* (handles, count, timeout_ms) */
enum gvm_status
runtime__host_await_any(struct gvm_call *call, void *data,
                        union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint64_t length_bytes = (uint64_t)slots[1].i32 * sizeof(int32_t);
    uint32_t count = slots[1].i32;
    int32_t handles[RUNTIME_CHILDREN_MAX];
    const uint8_t *bytes =
        length_bytes <= UINT32_MAX
            ? runtime__host_range(faaslet, slots[0].i32,
                                  (uint32_t)length_bytes)
            : NULL;
    int32_t index;

    if (!bytes)
        return runtime__host_trap_range(call);
    if (count == 0)
        return runtime__host_return_i32(slots, RUNTIME__HOST_INVALID);
    if (count > RUNTIME_CHILDREN_MAX)
        return runtime__host_return_i32(slots, RUNTIME__HOST_LIMIT);
    memcpy(handles, bytes, length_bytes);
    runtime__host_charge_bytes(call, faaslet, length_bytes);
    enum gvm_status status =
        await(faaslet, handles, count, (int64_t)slots[2].i64, &index);
    return status == GVM_OK ? runtime__host_return_i32(slots, index) : status;
}

/* ---- Results ------------------------------------------------------------ */

/* What the call left behind; 0 or an error for the guest. */
static int32_t
find_result(struct runtime__faaslet *faaslet, uint32_t handle,
            struct runtime__chain_result *result)
{
    if (!runtime__chain_result(faaslet->call, (int32_t)handle, result))
        return RUNTIME__HOST_INVALID;
    return result->status == RUNTIME_PENDING ? RUNTIME__HOST_CONFLICT : 0;
}

/* (handle) */
enum gvm_status
runtime__host_result_len(struct gvm_call *call, void *data,
                         union gvm_value *slots)
{
    struct runtime__chain_result result;
    int32_t error = find_result(data, slots[0].i32, &result);

    (void)call;
    return runtime__host_return_i32(
        slots, error ? error : (int32_t)result.length_bytes);
}

/* (handle, offset, buffer, capacity) */
enum gvm_status
runtime__host_result_read(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__chain_result result;
    int32_t error;

    if (!runtime__host_target(faaslet, slots[2].i32, slots[3].i32))
        return runtime__host_trap_range(call);
    error = find_result(faaslet, slots[0].i32, &result);
    if (error)
        return runtime__host_return_i32(slots, error);
    return runtime__host_return_bytes(
        call, faaslet, slots, result.bytes, result.length_bytes,
        slots[1].i32, slots[2].i32, slots[3].i32);
}

/* (handle) */
enum gvm_status
runtime__host_cancel(struct gvm_call *call, void *data,
                     union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;

    (void)call;
    return runtime__host_return_i32(
        slots, runtime__chain_cancel(faaslet->call, (int32_t)slots[0].i32)
                   ? 0
                   : RUNTIME__HOST_INVALID);
}
