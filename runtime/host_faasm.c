/*
 * host_faasm.c - the imports of Faasm's functions, on the handlers of `glass`.
 * What each one does is in faasm.inc, rules and conventions in host.h.
 *
 * An adapter hands on its arguments in slots of its own, because it is called
 * again with the first ones when the handler behind it has to wait. So it has
 * one such handler, and nothing in front of that may be done only once.
 *
 * Each runs on the thread that runs its call.
 */
#include "runtime/host.h"

#include "runtime/host_lock.h"

#include <string.h>

/* What a handler of `glass` takes at most. */
enum { slots_max = 6 };

/* ---- The way there and back --------------------------------------------- */

static enum gvm_status
trap_error(struct gvm_call *call, const char *name, int64_t error)
{
    static const char *const names[] = {
        [-RUNTIME__HOST_NOT_FOUND] = "there is no such thing",
        [-RUNTIME__HOST_CONFLICT] = "the lock does not hold",
        [-RUNTIME__HOST_INVALID] = "an argument makes no sense",
        [-RUNTIME__HOST_DENIED] = "it is not granted",
        [-RUNTIME__HOST_LIMIT] = "a limit is reached",
        [-RUNTIME__HOST_TIMEOUT] = "it took too long",
        [-RUNTIME__HOST_UNAVAILABLE] = "the state is away",
        [-RUNTIME__HOST_TOO_BIG] = "it is too long",
        [-RUNTIME__HOST_CLOSED] = "the state is being closed",
    };

    return gvm_call_trap(call, GVM_TRAP_HOST, "__faasm_%s: %s", name,
                         names[-error]);
}

/* The key or name that ends with a zero: where it is and how long it is. */
static enum gvm_status
find_key(struct gvm_call *call, struct runtime__faaslet *faaslet,
         uint32_t pointer, union gvm_value *slots)
{
    uint64_t size_bytes = runtime__faaslet_memory_bytes(faaslet);
    uint64_t left_bytes = pointer < size_bytes ? size_bytes - pointer : 0;
    size_t searched_bytes = left_bytes <= STATE_KEY_BYTES_MAX
                                ? (size_t)left_bytes
                                : STATE_KEY_BYTES_MAX + 1;
    const uint8_t *text = runtime__host_range(faaslet, pointer,
                                              (uint32_t)searched_bytes);
    const uint8_t *end =
        text && searched_bytes > 0 ? memchr(text, 0, searched_bytes) : NULL;

    if (!end && left_bytes <= STATE_KEY_BYTES_MAX)
        return runtime__host_trap_range(call);
    slots[0].slot = pointer;
    /* One that is too long is so to the handler as well. */
    slots[1].slot = end ? (uint64_t)(end - text) : searched_bytes;
    return GVM_OK;
}

/* The handler behind an adapter, and the adapter's name. */
struct behind {
    gvm_host_function *handler;
    const char *name;
    bool returns_i64;
};

/*
 * Calls the handler with a key and up to four more arguments. GVM_OK: the
 * result, negative or not, is in `*result`.
 */
static enum gvm_status
ask_with_key(struct gvm_call *call, struct runtime__faaslet *faaslet,
             const struct behind *behind, uint32_t key, const uint64_t *more,
             size_t more_count, int64_t *result)
{
    union gvm_value slots[slots_max] = {{0}};
    enum gvm_status status = find_key(call, faaslet, key, slots);

    if (status != GVM_OK)
        return status;
    for (size_t i = 0; i < more_count; i++)
        slots[2 + i].slot = more[i];
    status = behind->handler(call, faaslet, slots);
    *result = behind->returns_i64 ? (int64_t)slots[0].i64
                                  : (int32_t)slots[0].i32;
    return status;
}

/* The same, for an adapter that returns nothing: an error is a trap. */
static enum gvm_status
do_with_key(struct gvm_call *call, struct runtime__faaslet *faaslet,
            const struct behind *behind, uint32_t key, const uint64_t *more,
            size_t more_count)
{
    int64_t result;
    enum gvm_status status = ask_with_key(call, faaslet, behind, key, more,
                                          more_count, &result);

    return status == GVM_OK && result < 0
               ? trap_error(call, behind->name, result)
               : status;
}

/* ---- Input and output --------------------------------------------------- */

enum gvm_status
runtime__faasm_read_input(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    uint32_t capacity_bytes = slots[1].i32;
    union gvm_value own[3] = {{0}, slots[0], slots[1]};
    enum gvm_status status = runtime__host_input_read(call, data, own);

    if (status != GVM_OK)
        return status;
    if (capacity_bytes > 0 && own[0].i32 > capacity_bytes)
        own[0].slot = capacity_bytes;
    slots[0] = own[0];
    return GVM_OK;
}

enum gvm_status
runtime__faasm_write_output(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    union gvm_value own[2] = {slots[0], slots[1]};

    runtime__host_output_reset(call, data, NULL);
    enum gvm_status status = runtime__host_output_write(call, data, own);
    int32_t error = (int32_t)own[0].i32;
    return status == GVM_OK && error < 0
               ? trap_error(call, "write_output", error)
               : status;
}

/* ---- The state ---------------------------------------------------------- */

enum gvm_status
runtime__faasm_read_state(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_get,
                                         "read_state", false};
    uint64_t more[] = {slots[1].i32, slots[2].i32};
    int64_t length;
    enum gvm_status status =
        ask_with_key(call, data, &behind, slots[0].i32, more, 2, &length);

    if (status != GVM_OK)
        return status;
    if (length == RUNTIME__HOST_NOT_FOUND && slots[2].i32 == 0)
        length = 0;
    if (length < 0)
        return trap_error(call, behind.name, length);
    return runtime__host_return_i32(slots, (int32_t)length);
}

enum gvm_status
runtime__faasm_write_state(struct gvm_call *call, void *data,
                           union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_put,
                                         "write_state", true};
    uint64_t more[] = {slots[1].i32, slots[2].i32, 0, 0};

    return do_with_key(call, data, &behind, slots[0].i32, more, 4);
}

/* Whether a part lies in what the function says that there is. */
static bool
is_part(const union gvm_value *slots)
{
    return (uint64_t)slots[2].i32 + slots[4].i32 <= slots[1].i32;
}

enum gvm_status
runtime__faasm_read_state_offset(struct gvm_call *call, void *data,
                                 union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_get_range,
                                         "read_state_offset", false};
    uint32_t capacity_bytes = slots[4].i32;
    uint64_t more[] = {slots[2].i32, slots[3].i32, capacity_bytes};
    int64_t length;
    enum gvm_status status =
        ask_with_key(call, data, &behind, slots[0].i32, more, 3, &length);

    if (status != GVM_OK)
        return status;
    if (length >= 0 && !is_part(slots))
        length = RUNTIME__HOST_INVALID;
    if (length < 0)
        return trap_error(call, behind.name, length);
    if (length >= capacity_bytes)
        return GVM_OK;
    /* The value ends before. */
    uint8_t *bytes = runtime__host_target(data, slots[3].i32, capacity_bytes);
    if (!bytes)
        return runtime__host_trap_range(call);
    memset(bytes + length, 0, capacity_bytes - (size_t)length);
    return GVM_OK;
}

enum gvm_status
runtime__faasm_write_state_offset(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_put_range,
                                         "write_state_offset", true};
    uint64_t more[] = {slots[2].i32, slots[3].i32, slots[4].i32};
    union gvm_value key[2];
    enum gvm_status status = find_key(call, data, slots[0].i32, key);

    if (status != GVM_OK)
        return status;
    if (!runtime__host_range(data, slots[3].i32, slots[4].i32))
        return runtime__host_trap_range(call);
    if (!is_part(slots))
        return trap_error(call, behind.name, RUNTIME__HOST_INVALID);
    return do_with_key(call, data, &behind, slots[0].i32, more, 3);
}

enum gvm_status
runtime__faasm_append_state(struct gvm_call *call, void *data,
                            union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_append,
                                         "append_state", true};
    uint64_t more[] = {slots[1].i32, slots[2].i32};

    return do_with_key(call, data, &behind, slots[0].i32, more, 2);
}

enum gvm_status
runtime__faasm_read_appended_state(struct gvm_call *call, void *data,
                                   union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_get,
                                         "read_appended_state", false};
    uint64_t more[] = {slots[1].i32, slots[2].i32};

    return do_with_key(call, data, &behind, slots[0].i32, more, 2);
}

enum gvm_status
runtime__faasm_clear_appended_state(struct gvm_call *call, void *data,
                                    union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_state_delete,
                                         "clear_appended_state", false};
    const uint64_t any_version = 0;
    int64_t result;
    enum gvm_status status = ask_with_key(call, data, &behind, slots[0].i32,
                                          &any_version, 1, &result);

    return status == GVM_OK && result < 0 && result != RUNTIME__HOST_NOT_FOUND
               ? trap_error(call, behind.name, result)
               : status;
}

/* ---- Locks -------------------------------------------------------------- */

/* Alone (mode 0) or shared; the handler waits no longer than the call may. */
static enum gvm_status
lock(struct gvm_call *call, struct runtime__faaslet *faaslet,
     const char *name, uint32_t key, uint64_t mode)
{
    const struct behind behind = {runtime__host_lock, name, true};
    const uint64_t more[] = {mode, 0, STATE_LOCK_TIMEOUT_MS_MAX};

    return do_with_key(call, faaslet, &behind, key, more, 3);
}

/* There the call knows the lock by its token, here by its key. */
static enum gvm_status
unlock(struct gvm_call *call, struct runtime__faaslet *faaslet,
       const char *name, uint32_t key)
{
    union gvm_value slots[2];
    enum gvm_status status = find_key(call, faaslet, key, slots);

    if (status != GVM_OK)
        return status;
    const struct state_bytes bytes = {
        runtime__host_range(faaslet, key, slots[1].i32), slots[1].i32};
    slots[0].slot = runtime__host_lock_token(faaslet, &bytes);
    status = runtime__host_unlock(call, faaslet, slots);
    int32_t error = (int32_t)slots[0].i32;
    return status == GVM_OK && error < 0 ? trap_error(call, name, error)
                                         : status;
}

enum gvm_status
runtime__faasm_lock_state_read(struct gvm_call *call, void *data,
                               union gvm_value *slots)
{
    return lock(call, data, "lock_state_read", slots[0].i32, 1);
}

enum gvm_status
runtime__faasm_unlock_state_read(struct gvm_call *call, void *data,
                                 union gvm_value *slots)
{
    return unlock(call, data, "unlock_state_read", slots[0].i32);
}

enum gvm_status
runtime__faasm_lock_state_write(struct gvm_call *call, void *data,
                                union gvm_value *slots)
{
    return lock(call, data, "lock_state_write", slots[0].i32, 0);
}

enum gvm_status
runtime__faasm_unlock_state_write(struct gvm_call *call, void *data,
                                  union gvm_value *slots)
{
    return unlock(call, data, "unlock_state_write", slots[0].i32);
}

/* ---- Calls -------------------------------------------------------------- */

enum gvm_status
runtime__faasm_chain_name(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    static const struct behind behind = {runtime__host_call, "chain_name",
                                         false};
    const uint64_t more[] = {slots[1].i32, slots[2].i32, 0};
    int64_t handle;
    enum gvm_status status = ask_with_key(call, data, &behind, slots[0].i32,
                                          more, 3, &handle);

    if (status != GVM_OK)
        return status;
    if (handle < 0)
        return trap_error(call, behind.name, handle);
    return runtime__host_return_i32(slots, (int32_t)handle);
}

/* Waits for as long as the call may. */
static enum gvm_status
await(struct gvm_call *call, struct runtime__faaslet *faaslet,
      const char *name, union gvm_value *slots)
{
    union gvm_value own[2] = {slots[0], {.i64 = (uint64_t)-1}};
    enum gvm_status status = runtime__host_await(call, faaslet, own);
    int32_t end = (int32_t)own[0].i32;

    if (status != GVM_OK)
        return status;
    return end < 0 ? trap_error(call, name, end)
                   : runtime__host_return_i32(slots, end);
}

enum gvm_status
runtime__faasm_await_call(struct gvm_call *call, void *data,
                          union gvm_value *slots)
{
    return await(call, data, "await_call", slots);
}

enum gvm_status
runtime__faasm_await_call_output(struct gvm_call *call, void *data,
                                 union gvm_value *slots)
{
    union gvm_value own[4] = {slots[0], {0}, slots[1], slots[2]};

    if (!runtime__host_range(data, slots[1].i32, slots[2].i32))
        return runtime__host_trap_range(call);
    enum gvm_status status = await(call, data, "await_call_output", slots);
    return status == GVM_OK ? runtime__host_result_read(call, data, own)
                            : status;
}

/* ---- What there is nothing to do for ------------------------------------ */

/* The key is looked at, as it is everywhere. */
static enum gvm_status
do_nothing(struct gvm_call *call, void *data, uint32_t key)
{
    union gvm_value ignored[2];

    return find_key(call, data, key, ignored);
}

#define NOTHING(name)                                                         \
    enum gvm_status runtime__faasm_##name(                                    \
        struct gvm_call *call, void *data, union gvm_value *slots)            \
    {                                                                         \
        return do_nothing(call, data, slots[0].i32);                          \
    }

NOTHING(flag_state_dirty)
NOTHING(flag_state_offset_dirty)
NOTHING(push_state)
NOTHING(push_state_partial)
NOTHING(pull_state)

enum gvm_status
runtime__faasm_push_state_partial_mask(struct gvm_call *call, void *data,
                                       union gvm_value *slots)
{
    enum gvm_status status = do_nothing(call, data, slots[0].i32);

    return status == GVM_OK ? do_nothing(call, data, slots[1].i32) : status;
}
