/*
 * Inside of a server: the acceptor and the loops, one per core. Each loop is a
 * single-threaded daemon of libmicrohttpd's without a listening socket, which
 * the acceptor feeds. (Its own pool of threads leaves some of them idle while
 * keep-alive clients crowd the others.)
 */
#ifndef GLASS_HTTP_SERVER_H
#define GLASS_HTTP_SERVER_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/auth.h"
#include "http/http.h"
#include "http/waits.h"
#include "http/watch.h"

/*
 * One loop. Its counters are written by few and read by the acceptor and by
 * drain; a loop fills cache lines of its own.
 */
struct http__loop {
    struct http_server *server;
    struct MHD_Daemon *daemon;

    /* How long its thread has run guests of late, and until when that is
     * (routes_call.c). */
    uint64_t guest_ns;
    uint64_t guest_end_ns;

    /* Given to the daemon by the acceptor, and not closed yet. */
    _Alignas(64) atomic_uint connection_count;

    /* Being received, run, or sent. Written on the loop's thread only. */
    atomic_uint request_count;

    /* Suspended, and their completion not yet through with the connection. */
    atomic_uint parked_count;
};

struct http_server {
    struct http_options options; /* with the defaults filled in */
    char address[HTTP_ADDRESS_SIZE];
    uint16_t port;

    int listen_fd; /* -1 once it drains */
    int stop_fd;   /* an eventfd that ends the acceptor */
    pthread_t acceptor;
    bool acceptor_runs;
    atomic_bool draining;
    atomic_bool ending; /* no request may park any more */

    struct http__loop *loops;
    unsigned loop_count;
    /* For locks and changes of keys: ended when a drain begins. */
    struct http__waits waits;
    struct http__waits calls; /* that are pending: when it gives up */
    struct http__watch watch; /* for the clients of those who wait */
    atomic_uint watcher_count;
    struct http__auth auth;
};

/*
 * Binds and listens; fills address, port and listen_fd. Returns as
 * http_server_create does.
 */
enum http_status
http__acceptor_open(struct http_server *server, struct http_error *err);

/* Starts the thread that accepts; returns HTTP_SYSTEM when it cannot. */
enum http_status
http__acceptor_start(struct http_server *server, struct http_error *err);

/* Ends the thread and closes the socket, if they are there. */
void
http__acceptor_stop(struct http_server *server);

/* Sets the message, formatted as printf does; returns `status`. */
enum http_status
http__error_set(struct http_error *err, enum http_status status,
                const char *format, ...)
    __attribute__((format(printf, 3, 4)));

#endif
