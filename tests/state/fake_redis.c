/* Something that speaks the protocol of Redis: see fake_redis.h. */
#include "tests/state/fake_redis.h"

#include <check.h>
#include <hiredis/hiredis.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

static const char *
next_answer(struct fake_redis *fake)
{
    if (fake->answers == NULL || *fake->answers == NULL)
        return FAKE_REDIS_SILENCE;
    return *fake->answers++;
}

static const char *
answer_to(struct fake_redis *fake, const redisReply *command)
{
    const char *word = command->element[0]->str;

    if (strcmp(word, "PING") == 0)
        return "+PONG\r\n";
    if (strcmp(word, "SETNX") == 0)
        return ":0\r\n";
    if (strcmp(word, "GET") == 0)
        return fake->layout ? fake->layout : "$1\r\n1\r\n";
    if (strcmp(word, "FUNCTION") == 0)
        return fake->function ? fake->function : "$13\r\nglass_state_1\r\n";
    if (strcmp(word, "SCRIPT") == 0)
        return "$40\r\n0123456789012345678901234567890123456789\r\n";
    return next_answer(fake);
}

/* Answers what is in the reader; false when the connection shall end. */
static bool
answer_all(struct fake_redis *fake, redisReader *reader, int fd)
{
    void *command = NULL;

    while (redisReaderGetReply(reader, &command) == REDIS_OK &&
           command != NULL) {
        const char *answer = answer_to(fake, command);
        size_t length = strlen(answer);

        freeReplyObject(command);
        if (strcmp(answer, FAKE_REDIS_CLOSE) == 0)
            return false;
        if (send(fd, answer, length, MSG_NOSIGNAL) != (ssize_t)length)
            return false;
    }
    return true;
}

static void
serve(struct fake_redis *fake, int fd)
{
    redisReader *reader = redisReaderCreate();
    char bytes[4096];
    ssize_t length;

    atomic_store(&fake->connection_fd, fd);
    /* What is fed to it are commands, which have the form of replies. */
    while ((length = recv(fd, bytes, sizeof bytes, 0)) > 0) {
        redisReaderFeed(reader, bytes, (size_t)length);
        if (!answer_all(fake, reader, fd))
            break;
    }
    redisReaderFree(reader);
    atomic_store(&fake->connection_fd, -1);
    close(fd);
}

static void *
run(void *argument)
{
    struct fake_redis *fake = argument;
    int fd;

    while ((fd = accept(fake->listen_fd, NULL, NULL)) >= 0)
        serve(fake, fd);
    return NULL;
}

void
fake_redis_start(struct fake_redis *fake)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    atomic_store(&fake->connection_fd, -1);
    strcpy(fake->directory, "/tmp/glass-fake-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(fake->directory));
    snprintf(fake->socket, sizeof fake->socket, "%s/socket",
             fake->directory);
    snprintf(fake->url, sizeof fake->url, "unix:%s", fake->socket);
    strcpy(address.sun_path, fake->socket);
    fake->listen_fd = socket(AF_UNIX, SOCK_STREAM, 0);
    ck_assert_int_ge(fake->listen_fd, 0);
    ck_assert_int_eq(bind(fake->listen_fd, (struct sockaddr *)&address,
                          sizeof address),
                     0);
    ck_assert_int_eq(listen(fake->listen_fd, 8), 0);
    ck_assert_int_eq(pthread_create(&fake->thread, NULL, run, fake), 0);
}

void
fake_redis_hang_up(struct fake_redis *fake)
{
    int fd = atomic_load(&fake->connection_fd);

    ck_assert_int_ge(fd, 0);
    shutdown(fd, SHUT_RDWR);
}

void
fake_redis_end(struct fake_redis *fake)
{
    /* Wakes a thread in accept, which a close would not. */
    shutdown(fake->listen_fd, SHUT_RDWR);
    pthread_join(fake->thread, NULL);
    close(fake->listen_fd);
    unlink(fake->socket);
    rmdir(fake->directory);
}
