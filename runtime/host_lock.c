/*
 * host_lock.c - the imports lock and unlock, and the locks that a call holds
 * (host_lock.h).
 *
 * A lock whose lease has ended stays in the call's list, so that its writes
 * to the key go on carrying the token and are refused, until the guest
 * unlocks it: it has to take note that it was not alone.
 *
 * Each runs on the thread of its call.
 */
#include "runtime/host_lock.h"

#include "runtime/call.h"
#include "runtime/function.h"
#include "runtime/grants.h"
#include "runtime/host.h"

#include <stdlib.h>
#include <string.h>

uint64_t
runtime__host_lock_token(const struct runtime__faaslet *faaslet,
                         const struct state_bytes *key)
{
    const struct runtime__locks *locks = faaslet->locks;

    for (size_t i = 0; locks && i < RUNTIME_CALL_LOCKS_MAX; i++) {
        const struct runtime__lock *lock = &locks->items[i];
        if (lock->token && lock->key_bytes == key->length_bytes &&
            memcmp(lock->key, key->bytes, lock->key_bytes) == 0)
            return lock->token;
    }
    return 0;
}

/* The lock of that token, or a free place for 0; NULL: there is none. */
static struct runtime__lock *
find(struct runtime__faaslet *faaslet, uint64_t token)
{
    struct runtime__locks *locks = faaslet->locks;

    for (size_t i = 0; locks && i < RUNTIME_CALL_LOCKS_MAX; i++) {
        if (locks->items[i].token == token)
            return &locks->items[i];
    }
    return NULL;
}

/* Unlocks a key; what has locks ends it at once. */
static enum state_status
unlock(struct runtime__faaslet *faaslet, struct runtime__lock *lock)
{
    struct state_operation operation = {
        .kind = STATE_UNLOCK,
        .namespace_ = faaslet->namespace_,
        .key = {lock->key, lock->key_bytes},
        .lock_token = lock->token,
    };

    lock->token = 0;
    return state_store_submit(faaslet->store, &operation);
}

static void
release(struct runtime__faaslet *faaslet)
{
    for (size_t i = 0; i < RUNTIME_CALL_LOCKS_MAX; i++) {
        if (faaslet->locks->items[i].token)
            unlock(faaslet, &faaslet->locks->items[i]);
    }
    free(faaslet->locks);
    faaslet->locks = NULL;
}

/* Makes the list when it is first needed. */
static bool
make_list(struct runtime__faaslet *faaslet)
{
    if (!faaslet->locks) {
        faaslet->locks = calloc(1, sizeof(*faaslet->locks));
        if (!faaslet->locks)
            return false;
        faaslet->locks->release = release;
    }
    return true;
}

/*
 * Fills the operation. It waits no longer than the call may, so that it is not
 * left behind and granted to nobody. Returns 0 or an error for the guest.
 */
static int32_t
fill(struct runtime__faaslet *faaslet, const uint8_t *key,
     uint32_t key_bytes, const union gvm_value *slots)
{
    uint64_t timeout_ms = slots[4].i64;

    if (key_bytes > STATE_KEY_BYTES_MAX)
        return RUNTIME__HOST_TOO_BIG;
    if (slots[2].i32 > 1 || timeout_ms > STATE_LOCK_TIMEOUT_MS_MAX)
        return RUNTIME__HOST_INVALID;
    if (!make_list(faaslet))
        return RUNTIME__HOST_LIMIT;
    runtime__wait_clear(faaslet->wait, STATE_LOCK);
    struct state_operation *operation = &faaslet->wait->operation;
    if (key_bytes > 0)
        memcpy(faaslet->wait->key, key, key_bytes);
    operation->key = (struct state_bytes){faaslet->wait->key, key_bytes};
    operation->is_shared = slots[2].i32;
    operation->lease_ms = slots[3].i64;
    uint64_t now_ns = runtime__wait_now_ns();
    uint64_t deadline_ns = faaslet->limits.deadline_ns;
    uint64_t left_ms =
        deadline_ns > now_ns ? (deadline_ns - now_ns) / 1000000 : 0;
    operation->timeout_ms = timeout_ms < left_ms ? timeout_ms : left_ms;
    return 0;
}

/* Whether the call may have the lock; 0 or an error for the guest. */
static int32_t
check(struct runtime__faaslet *faaslet)
{
    const struct state_operation *operation = &faaslet->wait->operation;
    unsigned access = operation->is_shared ? RUNTIME__READ : RUNTIME__WRITE;

    if (!runtime__grants_allow_state(
            &faaslet->call->function->config->grants, access,
            operation->key.bytes, operation->key.length_bytes)) {
        runtime__grants_deny(faaslet->call, "to lock", operation->key.bytes,
                             operation->key.length_bytes);
        return RUNTIME__HOST_DENIED;
    }
    /* It would wait for itself. */
    if (runtime__host_lock_token(faaslet, &operation->key))
        return RUNTIME__HOST_CONFLICT;
    return find(faaslet, 0) ? 0 : RUNTIME__HOST_LIMIT;
}

/* Takes down that the call has the lock; returns its token for the guest. */
static int64_t
take_down(struct runtime__faaslet *faaslet)
{
    const struct state_operation *operation = &faaslet->wait->operation;
    struct runtime__lock *lock = find(faaslet, 0);

    if (operation->status != STATE_OK)
        return runtime__host_error_of_state(operation->status);
    lock->token = operation->token;
    lock->key_bytes = operation->key.length_bytes;
    memcpy(lock->key, operation->key.bytes, lock->key_bytes);
    return (int64_t)lock->token;
}

/* (key, key_length, mode, lease_ms, timeout_ms) */
enum gvm_status
runtime__host_lock(struct gvm_call *call, void *data, union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    struct runtime__wait *wait = runtime__host_wait(faaslet);
    uint32_t key_bytes = slots[1].i32;
    const uint8_t *key =
        runtime__host_range(faaslet, slots[0].i32, key_bytes);
    int32_t error = 0;

    if (!key)
        return runtime__host_trap_range(call);
    if (!wait)
        return runtime__host_return_i64(slots, RUNTIME__HOST_LIMIT);
    if (!wait->is_under_way) {
        error = fill(faaslet, key, key_bytes, slots);
        if (!error)
            error = check(faaslet);
    }
    if (error)
        return runtime__host_return_i64(slots, error);
    if (!runtime__wait_submit(wait, faaslet->store))
        return GVM_SUSPENDED;
    return runtime__host_return_i64(slots, take_down(faaslet));
}

/* (token) */
enum gvm_status
runtime__host_unlock(struct gvm_call *call, void *data,
                     union gvm_value *slots)
{
    struct runtime__faaslet *faaslet = data;
    uint64_t token = slots[0].i64;
    struct runtime__lock *lock = token ? find(faaslet, token) : NULL;

    (void)call;
    if (!lock)
        return runtime__host_return_i32(slots, RUNTIME__HOST_CONFLICT);
    return runtime__host_return_i32(
        slots, runtime__host_error_of_state(unlock(faaslet, lock)));
}
