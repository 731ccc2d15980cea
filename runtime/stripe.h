/*
 * stripe.h - one of several parts of something that many threads use.
 *
 * A thread takes the part of the processor that it runs on, so that two of
 * them seldom meet at a lock or a line of cache. Any part is right; the
 * nearest is only the quickest.
 */
#ifndef GLASS_RUNTIME_STRIPE_H
#define GLASS_RUNTIME_STRIPE_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RUNTIME__STRIPES 8u
/* What a line of cache and its neighbour take. */
#define RUNTIME__STRIPE_BYTES 128

/* stripe.c: the calling thread's, below RUNTIME__STRIPES. */
unsigned
runtime__stripe(void);

#endif
