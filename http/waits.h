/*
 * Requests that wait for something which may take minutes, or never come: a
 * lock, a change of a key. They are listed so that a server which shuts down
 * can end them.
 */
#ifndef GLASS_HTTP_WAITS_H
#define GLASS_HTTP_WAITS_H

#include <pthread.h>
#include <stdbool.h>

struct http__request;

struct http__waits {
    pthread_mutex_t lock;
    struct http__request *first;
    bool ended; /* nothing waits any more */
};

/* A request's place among them. */
struct http__wait {
    struct http__request *next;
    struct http__request *previous;
    struct http__waits *listed_in; /* null: it is not */

    /*
     * Ends the wait soon, by having the request resumed. Called once, on any
     * thread, while the request cannot leave the list.
     */
    void (*end)(struct http__request *request);
};

void
http__waits_init(struct http__waits *waits);

void
http__waits_deinit(struct http__waits *waits);

/*
 * Lists a parked request, on its connection's thread. If the server shuts down
 * already, `end` is called at once.
 */
void
http__waits_enter(struct http__waits *waits, struct http__request *request,
                  void (*end)(struct http__request *request));

/* Takes it from the list, if it is there, on its connection's thread. */
void
http__waits_leave(struct http__waits *waits, struct http__request *request);

/* Ends all of them, and those that come. Any thread. */
void
http__waits_end(struct http__waits *waits);

#endif
