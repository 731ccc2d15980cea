/*
 * Requests that wait: see waits.h.
 *
 * The lock is held while one is ended, so that it stays: its connection's
 * thread, which may be woken at once, takes it from the list first.
 */
#include "http/waits.h"

#include "http/request.h"

void
http__waits_init(struct http__waits *waits)
{
    *waits = (struct http__waits){0};
    pthread_mutex_init(&waits->lock, NULL);
}

void
http__waits_deinit(struct http__waits *waits)
{
    pthread_mutex_destroy(&waits->lock);
}

void
http__waits_enter(struct http__waits *waits, struct http__request *request,
                  void (*end)(struct http__request *request))
{
    struct http__wait *wait = &request->wait;

    pthread_mutex_lock(&waits->lock);
    *wait = (struct http__wait){
        .next = waits->first, .listed_in = waits, .end = end};
    if (waits->first)
        waits->first->wait.previous = request;
    waits->first = request;
    if (waits->ended)
        end(request);
    pthread_mutex_unlock(&waits->lock);
}

void
http__waits_leave(struct http__waits *waits, struct http__request *request)
{
    struct http__wait *wait = &request->wait;

    if (wait->listed_in != waits)
        return;
    pthread_mutex_lock(&waits->lock);
    if (wait->next)
        wait->next->wait.previous = wait->previous;
    if (wait->previous)
        wait->previous->wait.next = wait->next;
    else
        waits->first = wait->next;
    wait->listed_in = NULL;
    pthread_mutex_unlock(&waits->lock);
}

void
http__waits_end(struct http__waits *waits)
{
    pthread_mutex_lock(&waits->lock);
    if (!waits->ended)
        for (struct http__request *request = waits->first; request;
             request = request->wait.next)
            request->wait.end(request);
    waits->ended = true;
    pthread_mutex_unlock(&waits->lock);
}
