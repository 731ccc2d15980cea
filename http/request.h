/*
 * A request, from its first line until its answer is sent.
 *
 * It belongs to its loop's thread. The one thing that another thread does with
 * it is to say that what it waits for has ended (see http__request_resume).
 */
#ifndef GLASS_HTTP_REQUEST_H
#define GLASS_HTTP_REQUEST_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/condition.h"
#include "http/headers.h"
#include "http/route.h"
#include "http/server.h"
#include "http/stream.h"
#include "http/target.h"
#include "http/tokens.h"
#include "http/waits.h"
#include "runtime/calls.h"
#include "runtime/runtime.h"
#include "state/state.h"

struct http__batch;

/* A body that is kept. */
struct http__buffer {
    char *bytes;
    size_t length;
    size_t capacity;
};

/* How far it has come. */
enum http__phase {
    HTTP__PHASE_HEADERS,  /* the handler was not called yet */
    HTTP__PHASE_BODY,     /* the body is being received */
    HTTP__PHASE_PARKED,   /* what it waits for goes on elsewhere */
    HTTP__PHASE_ANSWERED,
};

struct http__request {
    struct http__loop *loop;
    struct http_server *server;
    struct MHD_Connection *connection;
    enum http__phase phase;
    enum http__target_status target_status;

    /* Where the target came in, for the check of the first line's form. */
    const char *target_begin;
    const char *target_end;
    const char *method;
    bool is_head;
    bool needs_host; /* it is HTTP/1.1 or newer */

    struct http__headers headers;
    struct http__route_match match; /* its spans point into `target` */
    const char *namespace_;

    /* Who asks, where authentication is on; held until the request ends. */
    struct http__tokens *tokens;
    const struct http__token *token;

    /* The key or name of the route, decoded, with a zero behind it. */
    char name[STATE_KEY_BYTES_MAX + 1];
    size_t name_length;

    struct http__buffer body;
    size_t body_bytes_max;
    uint64_t discarded_bytes;

    /* What the answer may be made of: both end with the request. */
    struct state_operation operation;
    struct runtime_call *call;
    bool calls_export; /* by name: its results are the answer */
    struct runtime_kept *kept;
    struct runtime_kept_wait *kept_wait;
    struct http__stream stream;
    struct http__batch *batch;
    bool watches;        /* it counts among those that watch keys */
    bool is_half_closed; /* the client was seen to close its direction */

    /*
     * Who of two comes second resumes the connection: the loop, which has to
     * suspend it first, or the completion, which may be faster.
     */
    atomic_uint rendezvous;
    struct http__wait wait;
    bool parks; /* finish() started something that has not ended */
    void (*resume)(struct http__request *request);

    struct MHD_Response *response;
    unsigned status;
    bool close; /* the connection ends with the answer */

    struct http__target target; /* last: its end is large and rarely used */
};

/* The callbacks that a loop's daemon is created with. */
void *
http__request_arrive(void *loop, const char *target,
                     struct MHD_Connection *connection);
enum MHD_Result
http__request_handle(void *loop, struct MHD_Connection *connection,
                     const char *url, const char *method, const char *version,
                     const char *upload, size_t *upload_length,
                     void **request);
void
http__request_complete(void *loop, struct MHD_Connection *connection,
                       void **request, enum MHD_RequestTerminationCode code);

/*
 * Before something is started that may not end at once: counts the request
 * among those that a server has to wait for before it ends. Returns false
 * after an answer: the server is ending.
 */
bool
http__request_may_park(struct http__request *request);

/* It has ended at once. */
void
http__request_need_not_park(struct http__request *request);

/*
 * Says, in finish(), that the answer comes later: when the connection's thread
 * is told by http__request_resume, it calls `resume`. The request may park.
 */
void
http__request_park(struct http__request *request,
                   void (*resume)(struct http__request *request));

/*
 * Ends the parking, once, on any thread, and never blocks. The request must
 * not be touched any more by who calls this.
 */
void
http__request_resume(struct http__request *request);

/*
 * The two halves of parking, for who parks a request whose answer is under way
 * (stream.c): suspends the connection, unless what it waits for has ended
 * meanwhile; and gets ready for the next parking, before `resume` is called.
 */
void
http__request_suspend(struct http__request *request);
void
http__request_unpark(struct http__request *request);

/* Its client is gone, or not what it was: ends the wait. Any thread. */
void
http__request_gone(struct http__request *request);

/* The descriptor of its connection. */
int
http__request_descriptor(const struct http__request *request);

/*
 * Submits the request's operation and calls `done` when it has ended: at once,
 * or after parking, on the connection's thread in both cases.
 */
void
http__request_submit(struct http__request *request,
                     void (*done)(struct http__request *request));

/*
 * Finds a parameter of the query as text of `capacity` bytes with its final
 * zero. Returns false when it is absent, or when it makes no sense: the
 * request has an answer then.
 */
bool
http__request_parameter(struct http__request *request, const char *name,
                        char *text, size_t capacity, size_t *length);

/* The same where the text goes on as a string: a zero inside makes no sense. */
bool
http__request_text(struct http__request *request, const char *name, char *text,
                   size_t capacity);

/*
 * Looks at If-Match and If-None-Match of a read of something that is there and
 * has this ETag. Returns 200, or 304, which goes with the headers of the 200
 * that it stands for; or another status that has been answered already.
 */
unsigned
http__request_read_status(struct http__request *request, const char *etag);

/*
 * Reads If-Match and If-None-Match of a write, as http__condition_of_write
 * does; HTTP__WRITE_BAD has been answered.
 */
enum http__write
http__request_write(struct http__request *request, struct http__span *etag);

/*
 * Reads `?limit=`, 1..HTTP_LIST_ITEMS_MAX; HTTP_LIST_ITEMS_DEFAULT without.
 * Returns false after an answer.
 */
bool
http__request_limit(struct http__request *request, unsigned *limit);

#endif
