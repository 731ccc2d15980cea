/*
 * Clients of parked requests that go away: see watch.h.
 *
 * A thread of its own has an epoll of the connections, each once (ONESHOT). A
 * reset, or a connection that is closed in both directions, is the end. A
 * client that has ended its direction may have closed the connection or may
 * wait for the answer, and TCP tells the two apart only when something is sent:
 * whoever closed answers with a reset. So such a client is sent an interim
 * answer, 102, which a client of HTTP/1.1 has to take and ignore; and then the
 * connection is watched for the reset.
 *
 * Events carry the descriptor and not the request. Whether that is still
 * watched is looked up under the lock, and the lock is held while something is
 * sent or told: whoever takes the connection back has waited for it.
 */
#include "http/watch.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

enum { events_at_once = 64 };

static const char probe[] = "HTTP/1.1 102 Processing\r\n\r\n";

static struct http__watched *
find(struct http__watch *watch, int fd)
{
    return fd >= 0 && (size_t)fd < watch->watched_count
               ? &watch->watched[fd]
               : NULL;
}

/* Asks for an event once; an end of both directions is told in any case. */
static bool
ask(struct http__watch *watch, int operation, int fd, uint32_t events)
{
    struct epoll_event event = {.events = events | EPOLLONESHOT,
                                .data.fd = fd};

    return epoll_ctl(watch->epoll_fd, operation, fd, &event) == 0;
}

/* Something has happened on the connection. */
static void
look(struct http__watch *watch, int fd, uint32_t events)
{
    pthread_mutex_lock(&watch->lock);
    struct http__watched *watched = find(watch, fd);
    if (watched && watched->request) {
        if (events & (EPOLLERR | EPOLLHUP)) {
            watch->gone(watched->request);
        } else if (events & EPOLLRDHUP) {
            /* What cannot be sent now need not be: it is a question. */
            if (watched->half_closed == HTTP__HALF_CLOSED_PROBED)
                (void)send(fd, probe, strlen(probe),
                           MSG_DONTWAIT | MSG_NOSIGNAL);
            else if (watched->half_closed == HTTP__HALF_CLOSED_TOLD)
                watch->gone(watched->request);
            ask(watch, EPOLL_CTL_MOD, fd, 0);
        }
    }
    pthread_mutex_unlock(&watch->lock);
}

static void *
run(void *data)
{
    struct http__watch *watch = data;
    struct epoll_event events[events_at_once];

    for (;;) {
        int count = epoll_wait(watch->epoll_fd, events, events_at_once, -1);
        if (count < 0 && errno != EINTR)
            return NULL;
        for (int i = 0; i < count; i++) {
            if (events[i].data.fd == watch->stop_fd)
                return NULL;
            look(watch, events[i].data.fd, events[i].events);
        }
    }
}

bool
http__watch_init(struct http__watch *watch,
                 void (*gone)(struct http__request *request))
{
    struct epoll_event stop = {.events = EPOLLIN};

    memset(watch, 0, sizeof(*watch));
    pthread_mutex_init(&watch->lock, NULL);
    watch->gone = gone;
    watch->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    watch->stop_fd = eventfd(0, EFD_CLOEXEC);
    stop.data.fd = watch->stop_fd;
    if (watch->epoll_fd < 0 || watch->stop_fd < 0 ||
        epoll_ctl(watch->epoll_fd, EPOLL_CTL_ADD, watch->stop_fd, &stop) != 0)
        return false;
    watch->runs = pthread_create(&watch->thread, NULL, run, watch) == 0;
    return watch->runs;
}

void
http__watch_deinit(struct http__watch *watch)
{
    const uint64_t one = 1;

    if (watch->runs) {
        /* It fits: nobody else writes. */
        ssize_t written = write(watch->stop_fd, &one, sizeof(one));
        (void)written;
        pthread_join(watch->thread, NULL);
    }
    if (watch->epoll_fd >= 0)
        close(watch->epoll_fd);
    if (watch->stop_fd >= 0)
        close(watch->stop_fd);
    pthread_mutex_destroy(&watch->lock);
    free(watch->watched);
}

/* Has room for the descriptor; false when out of memory. */
static bool
reserve(struct http__watch *watch, int fd)
{
    size_t count = (size_t)fd + 1;

    if (count <= watch->watched_count)
        return true;
    count += count / 2;
    struct http__watched *grown =
        realloc(watch->watched, count * sizeof(*grown));
    if (!grown)
        return false;
    memset(grown + watch->watched_count, 0,
           (count - watch->watched_count) * sizeof(*grown));
    watch->watched = grown;
    watch->watched_count = count;
    return true;
}

void
http__watch_enter(struct http__watch *watch, struct http__request *request,
                  int fd, enum http__half_closed half_closed)
{
    pthread_mutex_lock(&watch->lock);
    if (reserve(watch, fd)) {
        watch->watched[fd] = (struct http__watched){request, half_closed};
        if (!ask(watch, EPOLL_CTL_ADD, fd, EPOLLRDHUP))
            watch->watched[fd].request = NULL;
    }
    pthread_mutex_unlock(&watch->lock);
}

void
http__watch_leave(struct http__watch *watch, int fd)
{
    pthread_mutex_lock(&watch->lock);
    struct http__watched *watched = find(watch, fd);
    if (watched && watched->request) {
        watched->request = NULL;
        epoll_ctl(watch->epoll_fd, EPOLL_CTL_DEL, fd, NULL);
    }
    pthread_mutex_unlock(&watch->lock);
}
