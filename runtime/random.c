/*
 * random.c - random bytes in small pieces. See random.h.
 */
#include "runtime/random.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/random.h>

void
runtime__random_init(struct runtime__random *random)
{
    for (size_t i = 0; i < RUNTIME__STRIPES; i++) {
        pthread_mutex_init(&random->stripes[i].lock, NULL);
        random->stripes[i].left_bytes = 0;
    }
}

void
runtime__random_deinit(struct runtime__random *random)
{
    for (size_t i = 0; i < RUNTIME__STRIPES; i++)
        pthread_mutex_destroy(&random->stripes[i].lock);
}

bool
runtime__random_fill(struct runtime__random *random, void *bytes,
                     size_t length_bytes)
{
    unsigned stripe = runtime__stripe();
    bool filled = true;

    assert(length_bytes <= RUNTIME__RANDOM_AHEAD_BYTES);
    pthread_mutex_lock(&random->stripes[stripe].lock);
    uint8_t *ahead = random->stripes[stripe].bytes;
    size_t left_bytes = random->stripes[stripe].left_bytes;
    if (left_bytes < length_bytes) {
        ssize_t count;
        do /* Above 256 bytes it can be interrupted. */
            count = getrandom(ahead, RUNTIME__RANDOM_AHEAD_BYTES, 0);
        while (count > 0 ? count < RUNTIME__RANDOM_AHEAD_BYTES
                         : count < 0 && errno == EINTR);
        filled = count == RUNTIME__RANDOM_AHEAD_BYTES;
        left_bytes = filled ? RUNTIME__RANDOM_AHEAD_BYTES : 0;
    }
    if (filled) {
        uint8_t *taken = ahead + RUNTIME__RANDOM_AHEAD_BYTES - left_bytes;
        memcpy(bytes, taken, length_bytes);
        memset(taken, 0, length_bytes);
        left_bytes -= length_bytes;
    }
    random->stripes[stripe].left_bytes = left_bytes;
    pthread_mutex_unlock(&random->stripes[stripe].lock);
    return filled;
}
