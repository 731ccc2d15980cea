/* A redis-server of the test's own: see redis_server.h. */
#include "tests/state/redis_server.h"

#include "tests/state/await.h"

#include <check.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define ARGUMENTS_MAX 32

/* Looks for an answer this often, a few milliseconds apart. */
#define LOOKS_MAX 4000

void
redis_server_init(struct redis_server *server)
{
    *server = (struct redis_server){.directory = "/tmp/glass-redis-XXXXXX"};
    ck_assert_ptr_nonnull(mkdtemp(server->directory));
    snprintf(server->socket, sizeof server->socket, "%s/socket",
             server->directory);
    snprintf(server->url, sizeof server->url, "unix:%s", server->socket);
}

static bool
answers(const struct redis_server *server)
{
    redisContext *context = redisConnectUnix(server->socket);
    redisReply *reply = NULL;
    bool is_answer;

    if (context != NULL && context->err == 0)
        reply = redisCommand(context, "ECHO here");
    /* A server that demands a password is there as well. */
    is_answer = reply != NULL && (reply->type == REDIS_REPLY_STRING ||
                                  strncmp(reply->str, "NOAUTH", 6) == 0);
    if (reply != NULL)
        freeReplyObject(reply);
    if (context != NULL)
        redisFree(context);
    return is_answer;
}

static void
run_server(const struct redis_server *server, const char *const *more,
           pid_t parent)
{
    const char *arguments[ARGUMENTS_MAX] = {
        "redis-server", "--port",      "0",           "--unixsocket",
        server->socket, "--save",      "",            "--appendonly",
        "no",           "--daemonize", "no",          "--dir",
        server->directory, "--logfile", "/dev/null",
    };
    size_t count = 15;

    while (more != NULL && *more != NULL && count < ARGUMENTS_MAX - 1)
        arguments[count++] = *more++;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() == parent)
        execvp(arguments[0], (char *const *)arguments);
    _exit(127);
}

void
redis_server_start(struct redis_server *server, const char *const *arguments)
{
    pid_t parent = getpid();
    int looks = 0;

    server->pid = fork();
    ck_assert_int_ge(server->pid, 0);
    if (server->pid == 0)
        run_server(server, arguments, parent);
    while (!answers(server)) {
        ck_assert_msg(waitpid(server->pid, NULL, WNOHANG) == 0,
                      "redis-server has ended; is it installed?");
        ck_assert_int_lt(looks++, LOOKS_MAX);
        doze();
    }
}

void
redis_server_kill(struct redis_server *server)
{
    if (server->pid == 0)
        return;
    kill(server->pid, SIGKILL);
    waitpid(server->pid, NULL, 0);
    server->pid = 0;
}

void
redis_server_deinit(struct redis_server *server)
{
    redis_server_kill(server);
    unlink(server->socket);
    rmdir(server->directory);
}

void
redis_server_freeze(const struct redis_server *server)
{
    int status;

    kill(server->pid, SIGSTOP);
    /* Only when this returns is every thread of it at rest. */
    ck_assert_int_eq(waitpid(server->pid, &status, WUNTRACED), server->pid);
    ck_assert(WIFSTOPPED(status));
}

void
redis_server_thaw(const struct redis_server *server)
{
    kill(server->pid, SIGCONT);
}

static redisReply *
ask(const struct redis_server *server, const char *format, va_list arguments)
{
    redisContext *context = redisConnectUnix(server->socket);
    redisReply *reply;

    ck_assert_ptr_nonnull(context);
    ck_assert_msg(context->err == 0, "%s", context->errstr);
    reply = redisvCommand(context, format, arguments);
    ck_assert_ptr_nonnull(reply);
    ck_assert_msg(reply->type != REDIS_REPLY_ERROR, "%s", reply->str);
    redisFree(context);
    return reply;
}

redisReply *
redis_server_ask(const struct redis_server *server, const char *format, ...)
{
    redisReply *reply;
    va_list arguments;

    va_start(arguments, format);
    reply = ask(server, format, arguments);
    va_end(arguments);
    return reply;
}

long long
redis_server_ask_number(const struct redis_server *server, const char *format,
                        ...)
{
    redisReply *reply;
    long long number;
    va_list arguments;

    va_start(arguments, format);
    reply = ask(server, format, arguments);
    va_end(arguments);
    ck_assert_int_eq(reply->type, REDIS_REPLY_INTEGER);
    number = reply->integer;
    freeReplyObject(reply);
    return number;
}
