/*
 * http_client.c - see http_client.h.
 */
#define _GNU_SOURCE /* asprintf */

#include "tests/support/http_client.h"

#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* Nothing here takes this long, whatever the sanitizer. */
#define PATIENCE_S 30

#define ANSWER_BYTES_MAX ((size_t)128 << 20)

int
http_client_connect(unsigned port)
{
    const struct timeval patience = {.tv_sec = PATIENCE_S};
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    ck_assert_int_ge(fd, 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
    ck_assert_msg(
        connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0,
        "connect: %s", strerror(errno));
    return fd;
}

void
http_client_close(int fd)
{
    close(fd);
}

void
http_client_send(int fd, const void *bytes, size_t length)
{
    const char *next = bytes;

    while (length > 0) {
        ssize_t sent = send(fd, next, length, MSG_NOSIGNAL);
        if (sent < 0 && (errno == EPIPE || errno == ECONNRESET))
            return;
        ck_assert_msg(sent > 0, "send: %s", strerror(errno));
        next += sent;
        length -= (size_t)sent;
    }
}

void
http_client_send_text(int fd, const char *text)
{
    http_client_send(fd, text, strlen(text));
}

/* Receives up to `length` bytes; returns how many came before the end. */
static size_t
receive(int fd, char *bytes, size_t length)
{
    size_t count = 0;

    while (count < length) {
        ssize_t got = recv(fd, bytes + count, length - count, 0);
        if (got == 0 || (got < 0 && errno == ECONNRESET))
            break;
        ck_assert_msg(got > 0, "recv: %s", strerror(errno));
        count += (size_t)got;
    }
    return count;
}

static char *
grow(char *text, size_t size)
{
    char *grown = realloc(text, size);

    ck_assert_ptr_nonnull(grown);
    return grown;
}

/* The head is read byte by byte: what follows belongs to somebody else. */
static size_t
receive_head(int fd, char **text)
{
    size_t length = 0;
    size_t capacity = 0;

    for (;;) {
        if (length + 1 >= capacity) {
            capacity = capacity * 2 + 1024;
            *text = grow(*text, capacity);
        }
        if (receive(fd, *text + length, 1) == 0)
            break;
        length++;
        if (length >= 4 && !memcmp(*text + length - 4, "\r\n\r\n", 4))
            break;
    }
    (*text)[length] = '\0';
    return length;
}

/* The length that the headers tell, or SIZE_MAX without one. */
static size_t
body_length(const struct http_answer *answer)
{
    char value[256];

    if (answer->status == 204 || answer->status == 304 ||
        answer->status < 200)
        return 0;
    if (!*http_answer_header(answer, "Content-Length", value))
        return SIZE_MAX;
    return strtoul(value, NULL, 10);
}

static void
receive_body(int fd, struct http_answer *answer)
{
    size_t length = body_length(answer);
    size_t wanted = length == SIZE_MAX ? 1 << 20 : length;

    ck_assert_uint_le(wanted, ANSWER_BYTES_MAX);
    answer->text = grow(answer->text, answer->head_length + wanted + 1);
    size_t got = receive(fd, answer->text + answer->head_length, wanted);
    if (length != SIZE_MAX)
        ck_assert_uint_eq(got, wanted);
    answer->body_length = got;
    answer->text[answer->head_length + got] = '\0';
}

void
http_client_receive(int fd, bool is_head, struct http_answer *answer)
{
    memset(answer, 0, sizeof(*answer));
    answer->head_length = receive_head(fd, &answer->text);
    answer->body = answer->text + answer->head_length;
    if (answer->head_length == 0)
        return;
    ck_assert_msg(sscanf(answer->text, "HTTP/1.%*1[01] %3d",
                         &answer->status) == 1,
                  "no HTTP: %s", answer->text);
    if (!is_head)
        receive_body(fd, answer);
    answer->body = answer->text + answer->head_length;
}

bool
http_client_is_closed(int fd)
{
    char byte;

    return receive(fd, &byte, 1) == 0;
}

void
http_client_receive_rest(int fd, char *text, size_t capacity)
{
    size_t length = receive(fd, text, capacity - 1);

    ck_assert_uint_lt(length, capacity - 1);
    text[length] = '\0';
}

void
http_answer_deinit(struct http_answer *answer)
{
    free(answer->text);
    answer->text = NULL;
}

const char *
http_answer_header(const struct http_answer *answer, const char *name,
                   char value[256])
{
    const char *end = answer->text + answer->head_length;
    size_t name_length = strlen(name);

    value[0] = '\0';
    for (const char *line = answer->text; line && line < end;) {
        line = memchr(line, '\n', (size_t)(end - line));
        if (!line)
            break;
        line++;
        if (strncasecmp(line, name, name_length) != 0 ||
            line[name_length] != ':')
            continue;
        const char *text = line + name_length + 1;
        text += strspn(text, " ");
        snprintf(value, 256, "%.*s", (int)strcspn(text, "\r\n"), text);
        break;
    }
    return value;
}

bool
http_answer_is(const struct http_answer *answer, const char *body)
{
    return answer->body_length == strlen(body) &&
           memcmp(answer->body, body, answer->body_length) == 0;
}

void
http_client_ask(unsigned port, const char *method, const char *target,
                const char *headers, const void *body, size_t length,
                struct http_answer *answer)
{
    int fd = http_client_connect(port);
    char *head = NULL;
    char announcement[64] = "";

    if (body)
        snprintf(announcement, sizeof(announcement),
                 "Content-Length: %zu\r\n", length);
    int head_length = asprintf(&head,
                               "%s %s HTTP/1.1\r\nHost: localhost\r\n%s%s\r\n",
                               method, target, headers, announcement);
    ck_assert_int_gt(head_length, 0);
    http_client_send(fd, head, (size_t)head_length);
    free(head);
    if (body)
        http_client_send(fd, body, length);
    http_client_receive(fd, strcmp(method, "HEAD") == 0, answer);
    http_client_close(fd);
}

int
http_client_status(unsigned port, const char *method, const char *target,
                   const char *headers, const char *body)
{
    struct http_answer answer;

    http_client_ask(port, method, target, headers, body,
                    body ? strlen(body) : 0, &answer);
    http_answer_deinit(&answer);
    return answer.status;
}
