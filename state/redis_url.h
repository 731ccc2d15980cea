/* Where a Redis is and how to log in, from a URL. Any thread. */
#ifndef GLASS_STATE_REDIS_URL_H
#define GLASS_STATE_REDIS_URL_H

#include "state/state.h"

struct state__redis_url {
    bool is_unix;
    char host[STATE_URL_SIZE]; /* the socket's path if `is_unix` */
    uint16_t port;
    char user[STATE_URL_SIZE];     /* "": none */
    char password[STATE_URL_SIZE]; /* "": none */
    unsigned database;
};

/*
 * Takes a URL of the forms in state.h apart; shorter than STATE_URL_SIZE.
 * Returns STATE_INVALID, and `err` names what is wrong, never the password.
 */
enum state_status
state__redis_url_parse(const char *text, struct state__redis_url *url,
                       struct state_error *err);

/* Writes "HOST:PORT" or the path, for messages. */
void
state__redis_url_describe(const struct state__redis_url *url, char *text,
                          size_t size);

#endif
