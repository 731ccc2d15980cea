/*
 * guarded_world.h - a server with tokens, for each test of a suite: its
 * fixture is guarded_open and guarded_close. It has the function `counter`,
 * which adds to the key `counter` when it is called, and that key is 5.
 */
#ifndef GLASS_TESTS_HTTP_GUARDED_WORLD_H
#define GLASS_TESTS_HTTP_GUARDED_WORLD_H

#include "tests/http/one_world.h"

/* Room for the header Authorization with a token, and its parts. */
#define BEARER_SIZE (HTTP_TOKEN_SIZE + 32)
#define BEARER_ID 28
#define BEARER_SECRET 45

/* Where the tokens are. */
extern char guarded_directory[64];

void
guarded_make_directory(void);
void
guarded_remove_directory(void);

/* A server with one token, which nobody uses. */
void
guarded_open(void);
void
guarded_close(void);

/* Opens the world, without the function and the key; null is 127.0.0.1. */
void
guarded_open_at(const char *address);

/* Makes a token and the header with it; the scopes have spaces between. */
void
guarded_make_token(const char *namespace_, const char *scopes,
                   uint64_t expires_ms, char header[BEARER_SIZE]);

void
guarded_reload(void);

/*
 * Asks and reads the head of the answer, whose body may never end. Copies its
 * challenge unless that is null; returns its status.
 */
int
guarded_ask(const char *method, const char *target, const char *headers,
            char challenge[256]);

/* Submits an operation on the key `counter`. */
void
guarded_ask_state(enum state_kind kind, struct state_operation *operation);

/* Whatever was asked for, function and key are as they were. */
void
guarded_expect_nothing_done(void);

/*
 * So many acts have been told of since the beginning, the last of them as
 * "METHOD ROUTE NAME NAMESPACE TOKEN STATUS". They are told of after their
 * answers, so this waits for as many as there must be.
 */
void
guarded_expect_acts(unsigned count, const char *last);

#endif
