/*
 * What a namespace has and may have: see quota.h.
 *
 * The rate is the generic cell rate algorithm: one number, the time at which
 * all operations so far would have been due had they come evenly. It may lie
 * a second ahead of now, which is the burst.
 */
#include "state/quota.h"

#include "state/operation.h"

#include <inttypes.h>

#define SECOND_NS UINT64_C(1000000000)

static uint64_t
load(atomic_uint_fast64_t *number)
{
    return atomic_load_explicit(number, memory_order_relaxed);
}

/* The bound that counters pass, if they have grown. */
static enum state__bound
passed_bound(struct state__namespace *namespace_, bool keys, bool bytes)
{
    uint64_t keys_max = load(&namespace_->keys_max);
    uint64_t bytes_max = load(&namespace_->bytes_max);

    if (keys && keys_max > 0 &&
        (uint64_t)atomic_load(&namespace_->key_count) > keys_max)
        return STATE__BOUND_KEYS;
    if (bytes && bytes_max > 0 &&
        (uint64_t)atomic_load(&namespace_->bytes) > bytes_max)
        return STATE__BOUND_BYTES;
    return STATE__BOUND_NONE;
}

enum state__bound
state__quota_charge(struct state__namespace *namespace_, int64_t keys,
                    int64_t bytes, uint64_t item_bytes, uint64_t value_bytes)
{
    uint64_t value_max, bytes_max;
    enum state__bound bound;

    state__quota_count(namespace_, keys, bytes);
    if (!atomic_load_explicit(&namespace_->is_bounded, memory_order_relaxed))
        return STATE__BOUND_NONE;
    value_max = load(&namespace_->value_bytes_max);
    bytes_max = load(&namespace_->bytes_max);
    if (value_max > 0 && value_bytes > value_max)
        bound = STATE__BOUND_VALUE;
    else if (!atomic_load_explicit(&namespace_->evicts,
                                   memory_order_relaxed))
        bound = passed_bound(namespace_, keys > 0, bytes > 0);
    else /* all others could go, but not the item itself */
        bound = bytes_max > 0 && item_bytes > bytes_max ? STATE__BOUND_BYTES
                                                        : STATE__BOUND_NONE;
    if (bound != STATE__BOUND_NONE)
        state__quota_count(namespace_, -keys, -bytes);
    return bound;
}

bool
state__quota_is_passed(struct state__namespace *namespace_)
{
    return atomic_load_explicit(&namespace_->evicts, memory_order_relaxed) &&
           passed_bound(namespace_, true, true) != STATE__BOUND_NONE;
}

enum state_status
state__quota_fail(struct state__namespace *namespace_,
                  enum state__bound bound, struct state_operation *operation)
{
    switch (bound) {
    case STATE__BOUND_KEYS:
        return state__operation_fail(
            operation, STATE_QUOTA,
            "the namespace has at most %" PRIu64 " keys",
            load(&namespace_->keys_max));
    case STATE__BOUND_BYTES:
        return state__operation_fail(
            operation, STATE_QUOTA,
            "the namespace's keys and values have at most %" PRIu64 " bytes",
            load(&namespace_->bytes_max));
    case STATE__BOUND_VALUE:
        return state__operation_fail(
            operation, STATE_QUOTA,
            "a value of the namespace has at most %" PRIu64 " bytes",
            load(&namespace_->value_bytes_max));
    case STATE__BOUND_NONE:
        break;
    }
    return state__operation_end(operation, STATE_QUOTA);
}

enum state_status
state__quota_admit(struct state__namespace *namespace_, uint64_t now_ms,
                   struct state_operation *operation)
{
    uint64_t rate = load(&namespace_->operations_per_second);
    uint64_t now = now_ms * (SECOND_NS / 1000), due, next;

    if (rate == 0)
        return STATE_OK;
    due = load(&namespace_->due_ns);
    do {
        next = (due > now ? due : now) + SECOND_NS / rate;
        if (next > now + SECOND_NS)
            return state__operation_fail(
                operation, STATE_LIMIT,
                "the namespace has at most %" PRIu64
                " operations per second",
                rate);
    } while (!atomic_compare_exchange_weak_explicit(
        &namespace_->due_ns, &due, next, memory_order_relaxed,
        memory_order_relaxed));
    return STATE_OK;
}

void
state__quota_set(struct state__namespace *namespace_,
                 const struct state_quota *quota)
{
    atomic_store(&namespace_->keys_max, quota->keys_max);
    atomic_store(&namespace_->bytes_max, quota->bytes_max);
    atomic_store(&namespace_->value_bytes_max, quota->value_bytes_max);
    atomic_store(&namespace_->operations_per_second,
                 quota->operations_per_second);
    atomic_store(&namespace_->evicts, quota->policy == STATE_POLICY_LRU);
    atomic_store(&namespace_->is_bounded, quota->keys_max > 0 ||
                                              quota->bytes_max > 0 ||
                                              quota->value_bytes_max > 0);
}

void
state__quota_stats(struct state__namespace *namespace_,
                   struct state_stats *stats)
{
    *stats = (struct state_stats){
        .key_count = (uint64_t)atomic_load(&namespace_->key_count),
        .bytes = (uint64_t)atomic_load(&namespace_->bytes),
        .evicted_count = load(&namespace_->evicted_count),
        .expired_count = load(&namespace_->expired_count),
        .version = load(&namespace_->version),
        .quota =
            {
                .keys_max = load(&namespace_->keys_max),
                .bytes_max = load(&namespace_->bytes_max),
                .value_bytes_max = load(&namespace_->value_bytes_max),
                .operations_per_second =
                    load(&namespace_->operations_per_second),
                .policy = atomic_load(&namespace_->evicts)
                              ? STATE_POLICY_LRU
                              : STATE_POLICY_REJECT,
            },
    };
}
