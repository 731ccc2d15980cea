/*
 * random.h - random bytes in small pieces.
 *
 * The kernel's generator costs a call each time, which is dear for the 16
 * bytes of a call's number. So some are fetched ahead, and erased as they are
 * handed out. Any thread may ask.
 */
#ifndef GLASS_RUNTIME_RANDOM_H
#define GLASS_RUNTIME_RANDOM_H

#include "runtime/stripe.h"

#define RUNTIME__RANDOM_AHEAD_BYTES 512

struct runtime__random {
    struct {
        _Alignas(RUNTIME__STRIPE_BYTES) pthread_mutex_t lock;
        size_t left_bytes; /* at the end of `bytes` */
        uint8_t bytes[RUNTIME__RANDOM_AHEAD_BYTES];
    } stripes[RUNTIME__STRIPES];
};

void
runtime__random_init(struct runtime__random *random);
void
runtime__random_deinit(struct runtime__random *random);

/* Up to RUNTIME__RANDOM_AHEAD_BYTES. False when the kernel has none. */
bool
runtime__random_fill(struct runtime__random *random, void *bytes,
                     size_t length_bytes);

#endif
