/*
 * redis.h - for bench-state: a redis-server of its own on a unix socket, and
 * what it takes for the same keys and values. What goes wrong ends the
 * program.
 */
#ifndef GLASS_BENCH_STATE_REDIS_H
#define GLASS_BENCH_STATE_REDIS_H

#include <stdbool.h>
#include <stddef.h>

struct redis {
    int pid;
    int socket;
    char directory[64];
};

/* Starts a server without persistence; false: there is no redis-server. */
bool
redis_start(struct redis *redis);

/* Ends it and removes its directory. */
void
redis_end(struct redis *redis);

/*
 * Sends commands that are written out in the protocol, and reads as many
 * answers as there are, each of one line, or of `value_bytes` in a line of
 * their own.
 */
void
redis_ask(struct redis *redis, const char *commands, size_t length,
          unsigned count, size_t value_bytes);

#endif
