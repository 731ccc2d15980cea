/*
 * One connection to Redis that keeps itself up: it connects, logs in, checks
 * the layout, loads the functions, notices when Redis falls silent, and tries
 * again after a pause. It is driven by its owner's loop: an epoll descriptor
 * that says when to call state__redis_link_handle, and a time before which
 * state__redis_link_tick is to be called again.
 *
 * Everything here belongs to one thread, that of the loop.
 */
#ifndef GLASS_STATE_REDIS_LINK_H
#define GLASS_STATE_REDIS_LINK_H

#include "state/redis_stream.h"
#include "state/redis_url.h"

#include <hiredis/async.h>

/* In the order in which a connection goes through them. */
enum state__redis_step {
    STATE__STEP_AWAY, /* no connection; the next attempt has a time */
    STATE__STEP_CONNECT,
    STATE__STEP_AUTH,
    STATE__STEP_SELECT,
    STATE__STEP_CLAIM,    /* writes the layout's number if there is none; that
                             a replica refuses it is as well */
    STATE__STEP_LAYOUT,   /* reads whose layout it is */
    STATE__STEP_FUNCTION, /* loads the function library, or else ... */
    STATE__STEP_SCRIPT,   /* ... the script */
    STATE__STEP_READY,
};

struct state__redis_link {
    struct state__redis_url url;
    unsigned timeout_ms;
    int epoll_fd; /* the owner's */

    redisAsyncContext *context; /* null: away */
    uint32_t events;            /* what epoll watches for it */
    enum state__redis_step step;
    bool is_failed;         /* to be dropped as soon as hiredis returns */
    uint64_t deadline_ms;   /* while connecting: give up; away: try again */
    unsigned pause_ms;      /* before the next attempt */
    unsigned attempt_count; /* that have ended, well or not */
    uint64_t read_ms;       /* when bytes last came */
    uint64_t ping_ms;       /* when an unanswered PING was sent; 0: none */
    char script[41];        /* its digest; "" while functions are used */
    struct state__redis_stream stream; /* the rest of a long command */
    char message[STATE_MESSAGE_SIZE]; /* why it is away */
};

/* Milliseconds of the monotonic clock. */
uint64_t
state__redis_now_ms(void);

/* Starts away, with the first attempt due at once. Copies the URL. */
void
state__redis_link_init(struct state__redis_link *link,
                       const struct state__redis_url *url,
                       unsigned timeout_ms, int epoll_fd);

/* Drops the connection. Whoever waits for a reply gets null. */
void
state__redis_link_deinit(struct state__redis_link *link);

/*
 * Does what time asks for: an attempt, a PING, giving up. Returns when to
 * call again.
 */
uint64_t
state__redis_link_tick(struct state__redis_link *link, uint64_t now_ms);

/* Takes the events that epoll reported with the link as its data. */
void
state__redis_link_handle(struct state__redis_link *link, uint32_t events,
                         uint64_t now_ms);

/* Drops a connection that is there, with a reason; the owner's own. */
void
state__redis_link_drop(struct state__redis_link *link, uint64_t now_ms,
                       const char *reason);

/* The same from within a reply's callback: it happens soon after that. */
void
state__redis_link_fail(struct state__redis_link *link, const char *reason);

/*
 * Whether a long command is on its way, so that nothing can be sent. What it
 * points to must stay until this is over; it is also over when the link is
 * dropped.
 */
static inline bool
state__redis_link_is_busy(const struct state__redis_link *link)
{
    return state__redis_stream_is_open(&link->stream);
}

/*
 * Sends a command; the link must be ready and not busy. `reply` is called
 * once with the reply, or with null when the connection is lost. The bytes
 * are copied, except for those of a long value, see above. False without
 * memory.
 */
bool
state__redis_link_send(struct state__redis_link *link,
                       const struct state__redis_command *command,
                       redisCallbackFn *reply, void *data);

/*
 * Loads the functions or the script once more, ahead of what is sent next.
 * The link must be ready and not busy.
 */
void
state__redis_link_reload(struct state__redis_link *link);

/* What state__redis_command_write takes for its script. */
const char *
state__redis_link_script(const struct state__redis_link *link);

#endif
