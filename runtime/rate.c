/* rate.c - so much a second. See rate.h. */
#include "runtime/rate.h"

#define SECOND_NS UINT64_C(1000000000)

bool
runtime__rate_take(struct runtime__rate *rate, uint64_t per_s,
                   uint64_t amount, uint64_t now_ns)
{
    /* Rounded up, so that nothing is free. */
    uint64_t cost_ns = (amount * SECOND_NS + per_s - 1) / per_s;
    uint_fast64_t until_ns =
        atomic_load_explicit(&rate->used_until_ns, memory_order_relaxed);
    uint64_t next_ns;

    do {
        uint64_t from_ns = until_ns > now_ns ? until_ns : now_ns;
        next_ns = from_ns + cost_ns;
        if (next_ns > now_ns + SECOND_NS)
            return false;
    } while (!atomic_compare_exchange_weak_explicit(
        &rate->used_until_ns, &until_ns, next_ns, memory_order_relaxed,
        memory_order_relaxed));
    return true;
}
