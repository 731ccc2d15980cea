/*
 * The functions that answer: what routes.inc names. Each is called on the
 * connection's thread with the route found and the namespace checked.
 */
#ifndef GLASS_HTTP_ROUTES_H
#define GLASS_HTTP_ROUTES_H

#include <stdbool.h>

#include "state/state.h"

struct http__batch;
struct http__request;
struct runtime_result;

void http__call_begin(struct http__request *request);
void http__call_finish(struct http__request *request);

/* How a call ended, and of which it is told. */
struct http__call_end {
    const char *id;
    const char *function;
    bool calls_export; /* by name: its values are the answer */
    const struct runtime_result *result; /* stays as long as the request */
};

/* Answers with it: the output, the values, or a problem. */
void http__call_respond(struct http__request *request,
                        const struct http__call_end *end);

/* Whether the client would rather not wait (RFC 7240). */
bool http__async_is_preferred(const struct http__request *request);
void http__async_start(struct http__request *request);

/* The function of the call in the path, "" when there is no such call. */
const char *http__async_function(struct http__request *request);
void http__async_get(struct http__request *request);
void http__async_output(struct http__request *request);
void http__async_events(struct http__request *request);
void http__async_delete(struct http__request *request);

/* Gives back what the request has of a kept call. */
void http__async_leave(struct http__request *request);

void http__state_write_begin(struct http__request *request);
void http__state_get(struct http__request *request);
void http__state_put_begin(struct http__request *request);
void http__state_put(struct http__request *request);
void http__state_patch_begin(struct http__request *request);
void http__state_patch(struct http__request *request);
void http__state_delete(struct http__request *request);
void http__state_increment(struct http__request *request);
void http__state_append(struct http__request *request);
void http__state_expire(struct http__request *request);
void http__state_persist(struct http__request *request);
void http__state_list(struct http__request *request);
void http__state_watch(struct http__request *request);

/* Submits the request's operation as one on the route's key. */
void http__state_submit(struct http__request *request, enum state_kind kind,
                        void (*done)(struct http__request *request));

void http__state_batch(struct http__request *request);

/* Frees what a batch has left; null is none. */
void http__state_batch_destroy(struct http__batch *batch);

/* The request does not watch any more, if it did. */
void http__state_watch_leave(struct http__request *request);

/*
 * Reads `?prefix=` into the request's operation; returns false after an
 * answer.
 */
bool http__state_read_prefix(struct http__request *request);

void http__lock_lock(struct http__request *request);
void http__lock_unlock(struct http__request *request);
void http__lock_extend(struct http__request *request);

/* Reads the header Glass-Lock-Token, if any; returns false after an answer. */
bool http__lock_read_token(struct http__request *request);

/* Gives back a lock that the request was granted, if it was: nobody hears. */
void http__lock_give_back(struct http__request *request);

void http__namespace_begin(struct http__request *request);
void http__namespace_get(struct http__request *request);
void http__namespace_put(struct http__request *request);

void http__function_list(struct http__request *request);
void http__function_get(struct http__request *request);
void http__function_put_begin(struct http__request *request);
void http__function_put(struct http__request *request);
void http__function_delete(struct http__request *request);
void http__function_module(struct http__request *request);

void http__operation_health(struct http__request *request);
void http__operation_ready(struct http__request *request);
void http__operation_index(struct http__request *request);

#endif
