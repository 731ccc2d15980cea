/* A redis-server of its own: see redis.h. */
#include "redis.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static void
fail(const char *what)
{
    fprintf(stderr, "bench-state: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Tries to connect until the server is there or has ended. */
static bool
connect_to(struct redis *redis, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct timespec moment = {0, 5000000};

    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    for (;;) {
        redis->socket = socket(AF_UNIX, SOCK_STREAM, 0);
        if (redis->socket < 0)
            fail("socket");
        if (connect(redis->socket, (struct sockaddr *)&address,
                    sizeof address) == 0)
            return true;
        close(redis->socket);
        if (waitpid(redis->pid, NULL, WNOHANG) == redis->pid)
            return false;
        nanosleep(&moment, NULL);
    }
}

bool
redis_start(struct redis *redis)
{
    char path[80];

    strcpy(redis->directory, "/tmp/bench-state-XXXXXX");
    if (mkdtemp(redis->directory) == NULL)
        fail("mkdtemp");
    snprintf(path, sizeof path, "%s/socket", redis->directory);
    redis->pid = fork();
    if (redis->pid < 0)
        fail("fork");
    if (redis->pid == 0) {
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket",
               path, "--save", "", "--appendonly", "no", "--dir",
               redis->directory, "--logfile", "/dev/null", (char *)NULL);
        _exit(127);
    }
    if (connect_to(redis, path))
        return true;
    rmdir(redis->directory);
    return false;
}

void
redis_end(struct redis *redis)
{
    char path[80];

    close(redis->socket);
    kill(redis->pid, SIGKILL);
    waitpid(redis->pid, NULL, 0);
    snprintf(path, sizeof path, "%s/socket", redis->directory);
    unlink(path);
    rmdir(redis->directory);
}

void
redis_ask(struct redis *redis, const char *commands, size_t length,
          unsigned count, size_t value_bytes)
{
    unsigned lines = value_bytes > 0 ? 2 * count : count;
    char answer[65536];

    while (length > 0) {
        ssize_t sent = write(redis->socket, commands, length);

        if (sent < 0)
            fail("write to redis");
        commands += sent;
        length -= (size_t)sent;
    }
    while (lines > 0) {
        ssize_t got = read(redis->socket, answer, sizeof answer);

        if (got <= 0)
            fail("read from redis");
        if (answer[0] == '-')
            fail("redis answers with an error");
        for (ssize_t i = 0; i < got; i++)
            lines -= answer[i] == '\n';
    }
}
