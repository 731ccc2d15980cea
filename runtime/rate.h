/*
 * rate.h - so much a second, for whoever shares it, without a lock.
 *
 * The idea (GCRA): what was taken is time that has been used up. The rate
 * keeps when that time ends; more can be had while it ends within a second
 * from now. So after a pause there is as much as one second gives, and never
 * more. A rate of zeros is ready. Any thread may take from one.
 */
#ifndef GLASS_RUNTIME_RATE_H
#define GLASS_RUNTIME_RATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct runtime__rate {
    atomic_uint_fast64_t used_until_ns; /* by the clock of whoever takes */
};

/*
 * Takes `amount` of `per_s` (not zero) a second, or nothing: false. `amount`
 * is below 2^32. `now_ns` comes from a clock that does not go back.
 */
bool
runtime__rate_take(struct runtime__rate *rate, uint64_t per_s,
                   uint64_t amount, uint64_t now_ns);

#endif
