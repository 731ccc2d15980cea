/*
 * http_client.h - a client for tests that sends what it is told, byte for
 * byte, right or wrong. A server that does not answer within some seconds
 * fails the test instead of hanging it.
 */
#ifndef GLASS_TESTS_SUPPORT_HTTP_CLIENT_H
#define GLASS_TESTS_SUPPORT_HTTP_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An answer. `text` is all of it, with a zero behind; the rest points there. */
struct http_answer {
    int status; /* 0: the connection was closed before an answer */
    char *text;
    size_t head_length;
    const char *body;
    size_t body_length;
};

/* Connects to the port on 127.0.0.1; the test fails if that fails. */
int
http_client_connect(unsigned port);

void
http_client_close(int fd);

/* Sends all of it; a connection that the server has closed is no failure. */
void
http_client_send(int fd, const void *bytes, size_t length);
void
http_client_send_text(int fd, const char *text);

/*
 * Receives one answer; `is_head` says that it has no body whatever its
 * headers say. To be deinitialised. What is no HTTP fails the test.
 */
void
http_client_receive(int fd, bool is_head, struct http_answer *answer);

/* Whether the server closes the connection, without another byte. */
bool
http_client_is_closed(int fd);

/*
 * Receives what comes until the server closes the connection, which it has
 * to; it must be less than `capacity`. A zero is put behind it.
 */
void
http_client_receive_rest(int fd, char *text, size_t capacity);

void
http_answer_deinit(struct http_answer *answer);

/* Copies the value of a header; "" when there is none. Returns `value`. */
const char *
http_answer_header(const struct http_answer *answer, const char *name,
                   char value[256]);

/* Whether the body is this text. */
bool
http_answer_is(const struct http_answer *answer, const char *body);

/*
 * A request on a connection of its own. `headers` are lines with their ends,
 * or ""; Host and Content-Length are added. A null `body` is none.
 */
void
http_client_ask(unsigned port, const char *method, const char *target,
                const char *headers, const void *body, size_t body_length,
                struct http_answer *answer);

/* The same with a text, returning the status and dropping the rest. */
int
http_client_status(unsigned port, const char *method, const char *target,
                   const char *headers, const char *body);

#endif
