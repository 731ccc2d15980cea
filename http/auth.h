/*
 * Who asks: a server's tokens, and what a request may do by the one it has.
 *
 * Without a file of tokens there is no authentication: the server is for
 * programs of its machine (origin.h), and a header chooses the namespace. Once
 * there was one, there is no way back while the server lives.
 */
#ifndef GLASS_HTTP_AUTH_H
#define GLASS_HTTP_AUTH_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "http/http.h"

struct http__request;
struct http__tokens;

struct http__auth {
    char *directory; /* where the file is; null: there never is one */
    atomic_bool is_on;
    pthread_rwlock_t lock; /* over `tokens`, while it is on */
    struct http__tokens *tokens;
};

/*
 * Reads the file, if `directory` is not null and has one. Returns as
 * http_server_reload; deinit is due in any case.
 */
enum http_status
http__auth_init(struct http__auth *auth, const char *directory,
                struct http_error *err);

void
http__auth_deinit(struct http__auth *auth);

/* Reads it again: http_server_reload. One thread at a time. */
enum http_status
http__auth_reload(struct http__auth *auth, struct http_error *err);

/* Whether requests need tokens. Any thread. */
bool
http__auth_is_on(const struct http__auth *auth);

/*
 * Finds the request's token, before its name is decoded; false after 401.
 * On the connection's thread, like what follows.
 */
bool
http__auth_identify(struct http__request *request);

/* Sets the namespace, and sees to the scopes; false after 400 or 403. */
bool
http__auth_permit(struct http__request *request);

/*
 * For a route with HTTP__OBJECT_EACH, before it does anything: whether the
 * scopes are there for this name. Returns false after 403.
 */
bool
http__auth_permit_name(struct http__request *request, unsigned scopes,
                       const char *name, size_t name_bytes);

/* The request has ended: tells of it if it was an act, and lets go. */
void
http__auth_leave(struct http__request *request);

#endif
