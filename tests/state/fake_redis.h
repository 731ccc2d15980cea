/*
 * For tests: something on a unix socket that speaks the protocol of Redis and
 * says what the test wants to hear, which a real Redis does not do on demand.
 *
 * It answers the commands of a beginning connection as a Redis 7 would that
 * has layout 1, and PING; any other command gets the next of the test's
 * answers, which are raw bytes of the protocol.
 */
#ifndef GLASS_TESTS_STATE_FAKE_REDIS_H
#define GLASS_TESTS_STATE_FAKE_REDIS_H

#include <pthread.h>
#include <stdatomic.h>

/* Answers with a meaning of their own: nothing, and the end. */
#define FAKE_REDIS_SILENCE ""
#define FAKE_REDIS_CLOSE "close"

struct fake_redis {
    char directory[64];
    char socket[96];
    char url[112];
    int listen_fd;
    pthread_t thread;

    /* What it answers, one after the other; null ends: then silence. */
    const char *const *answers;

    /* If not null: what it says instead of answering GET, the layout. */
    const char *layout;

    /* If not null: what it says to FUNCTION. */
    const char *function;

    /* The connection that is being served, or -1. */
    atomic_int connection_fd;
};

/* Starts it; `fake` holds zeros but for what it shall say. */
void
fake_redis_start(struct fake_redis *fake);

/* Ends the connection that is being served. */
void
fake_redis_hang_up(struct fake_redis *fake);

/* Ends it. All connections must have been closed by their clients. */
void
fake_redis_end(struct fake_redis *fake);

#endif
