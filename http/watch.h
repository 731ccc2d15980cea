/*
 * Clients of parked requests that go away: libmicrohttpd does not look at a
 * connection that is suspended, so somebody else does.
 */
#ifndef GLASS_HTTP_WATCH_H
#define GLASS_HTTP_WATCH_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct http__request;

/*
 * What becomes of a client that has ended its direction of the connection: it
 * may wait for the answer or be gone, which only sending something shows.
 */
enum http__half_closed {
    HTTP__HALF_CLOSED_IGNORED,
    HTTP__HALF_CLOSED_PROBED, /* it is sent an interim answer (HTTP/1.1) */
    HTTP__HALF_CLOSED_TOLD,   /* `gone` is called, and may be called again */
};

/* A connection that is watched, by its descriptor. */
struct http__watched {
    struct http__request *request; /* NULL: it is not */
    enum http__half_closed half_closed;
};

struct http__watch {
    int epoll_fd;
    int stop_fd; /* an eventfd that ends the thread */
    pthread_t thread;
    bool runs;

    pthread_mutex_t lock;
    struct http__watched *watched; /* under the lock */
    size_t watched_count;

    /* Called on the thread that watches, while the request cannot leave; once,
     * but for HTTP__HALF_CLOSED_TOLD. Must not block. */
    void (*gone)(struct http__request *request);
};

/* Starts the thread; false when the system has none. To be deinitialised in
 * any case. */
bool
http__watch_init(struct http__watch *watch,
                 void (*gone)(struct http__request *request));

/* Nothing is watched any more. */
void
http__watch_deinit(struct http__watch *watch);

/*
 * Watches the connection of a request that is being parked, which `fd` is.
 * Where that needs memory and there is none, nobody notices that the client
 * goes.
 */
void
http__watch_enter(struct http__watch *watch, struct http__request *request,
                  int fd, enum http__half_closed half_closed);

/* `gone` is not called any more, and was not if it is not running. */
void
http__watch_leave(struct http__watch *watch, int fd);

#endif
