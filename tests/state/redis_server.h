/*
 * For tests: a redis-server of the test's own, on a unix socket in a
 * temporary directory, without a port and without files. It ends with the
 * process that started it, whatever happens.
 */
#ifndef GLASS_TESTS_STATE_REDIS_SERVER_H
#define GLASS_TESTS_STATE_REDIS_SERVER_H

#include <hiredis/hiredis.h>
#include <sys/types.h>

struct redis_server {
    pid_t pid; /* 0: not running */
    char directory[64];
    char socket[96];
    char url[112];
};

/* Makes the directory, so that the URL is known; starts nothing. */
void
redis_server_init(struct redis_server *server);

/*
 * Starts the server, with up to a few more arguments (a null-terminated list,
 * or null), and returns when it answers. The test fails if it does not.
 */
void
redis_server_start(struct redis_server *server, const char *const *arguments);

/* Kills the server, as a crash would. Does nothing if it does not run. */
void
redis_server_kill(struct redis_server *server);

/* Kills the server and removes the directory. */
void
redis_server_deinit(struct redis_server *server);

/* Stops (SIGSTOP) and continues (SIGCONT) the server. */
void
redis_server_freeze(const struct redis_server *server);
void
redis_server_thaw(const struct redis_server *server);

/*
 * Runs a command over a connection of its own and returns the reply, which
 * the caller frees. The format is hiredis's. The test fails if that fails.
 */
redisReply *
redis_server_ask(const struct redis_server *server, const char *format, ...);

/* The same for a command whose reply is a number. */
long long
redis_server_ask_number(const struct redis_server *server, const char *format,
                        ...);

#endif
