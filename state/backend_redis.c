/*
 * The Redis backend: every operation is one command to Redis, sent by one
 * thread that owns the connection (redis_link.h).
 *
 * A submission puts a request on a queue under a lock and wakes the thread.
 * The thread sends what is queued, gives each reply to its request, and looks
 * after the time: since all requests have the same timeout and replies come
 * in the order of the commands, the first request under way is always the
 * next to be late. A late one ends with STATE_TIMEOUT and is forgotten; its
 * request stays until hiredis has done with it.
 *
 * Nothing is kept locally: every read asks Redis.
 */
#include "state/backend.h"
#include "state/error.h"
#include "state/operation.h"
#include "state/redis_link.h"

#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

struct request {
    struct redis *redis;
    struct state_operation *operation; /* null: it has ended */
    uint64_t deadline_ms;
    size_t size_bytes; /* of key and value */
    bool is_repeated;  /* sent again after a reload */
    struct request *previous, *next;
};

/* A list with a head that is no request: no ends to be treated apart. */
struct request_list {
    struct request *first, *last;
};

struct redis {
    struct state__backend backend;
    size_t value_bytes_max;
    unsigned timeout_ms;
    unsigned in_flight_max;
    size_t in_flight_bytes_max;
    int epoll_fd;
    int wake_fd; /* an eventfd: something is queued, or the end has come */
    pthread_t thread;
    bool has_thread;

    /* The thread's own. */
    struct state__redis_link link;
    struct request_list waiting; /* to be sent */
    struct request_list sent;
    bool is_unloaded; /* the functions are to be loaded again first */

    /* Under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t attempted; /* the first attempt to connect has ended */
    struct request_list queue;
    unsigned in_flight; /* submitted and not ended, queued or sent */
    size_t in_flight_bytes;
    bool is_ready;
    bool has_attempted;
    bool closing;
    char message[STATE_MESSAGE_SIZE];
};

static void
push(struct request_list *list, struct request *request)
{
    request->next = NULL;
    request->previous = list->last;
    if (list->last != NULL)
        list->last->next = request;
    else
        list->first = request;
    list->last = request;
}

static void
unlink_request(struct request_list *list, struct request *request)
{
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        list->first = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    else
        list->last = request->previous;
}

/* ---- The thread ---- */

/*
 * Hands an operation that has ended back to its owner. The request stays; it
 * has no operation from here on.
 */
static void
complete(struct request *request)
{
    struct redis *redis = request->redis;
    struct state_operation *operation = request->operation;

    request->operation = NULL;
    pthread_mutex_lock(&redis->lock);
    redis->in_flight--;
    redis->in_flight_bytes -= request->size_bytes;
    pthread_mutex_unlock(&redis->lock);
    operation->complete(operation);
}

/* The connection went while a request was under way. */
static void
end_lost(struct state_operation *operation, const char *reason)
{
    /* A read has changed nothing, so there is no doubt about its outcome. */
    if (state__operation_is_write(operation->kind))
        state__operation_fail(operation, STATE_TIMEOUT,
                              "outcome unknown: %s", reason);
    else
        state__operation_fail(operation, STATE_UNAVAILABLE, "%s", reason);
}

static void
on_reply(redisAsyncContext *context, void *data, void *privdata)
{
    struct request *request = privdata;
    struct redis *redis = request->redis;
    redisReply *reply = data;

    (void)context;
    if (request->operation != NULL) {
        unlink_request(&redis->sent, request);
        if (reply == NULL) {
            end_lost(request->operation, "the connection to redis was lost");
        } else if (state__redis_is_unloaded(reply) &&
                   !request->is_repeated) {
            /* Nothing has run, so there is no harm in a second time. */
            request->is_repeated = true;
            redis->is_unloaded = true;
            push(&redis->waiting, request);
            return;
        } else {
            state__redis_command_end(request->operation, reply);
        }
        if (reply != NULL && state__redis_is_replica(reply))
            state__redis_link_fail(&redis->link, reply->str);
        complete(request);
    }
    free(request);
}

static void
send_request(struct redis *redis, struct request *request)
{
    struct state__redis_command command;

    state__redis_command_write(&command, request->operation,
                               state__redis_link_script(&redis->link),
                               redis->value_bytes_max);
    if (state__redis_link_send(&redis->link, &command, on_reply, request)) {
        push(&redis->sent, request);
        return;
    }
    state__operation_end(request->operation, STATE_NO_MEMORY);
    complete(request);
    free(request);
}

/* Moves what is queued to the thread's own list. */
static void
take_queue(struct redis *redis)
{
    struct request *request;

    pthread_mutex_lock(&redis->lock);
    request = redis->queue.first;
    redis->queue = (struct request_list){NULL, NULL};
    pthread_mutex_unlock(&redis->lock);
    while (request != NULL) {
        struct request *next = request->next;

        push(&redis->waiting, request);
        request = next;
    }
}

/* Ends a request that waits; it has certainly not been sent. */
static void
end_waiting(struct redis *redis, struct request *request, const char *reason)
{
    unlink_request(&redis->waiting, request);
    state__operation_fail(request->operation, STATE_UNAVAILABLE, "%s",
                          reason);
    complete(request);
    free(request);
}

/* Sends what waits as far as possible, or ends it while Redis is away. */
static void
send_waiting(struct redis *redis)
{
    take_queue(redis);
    while (redis->waiting.first != NULL) {
        struct request *request = redis->waiting.first;

        if (redis->link.step != STATE__STEP_READY) {
            end_waiting(redis, request, redis->link.message);
            continue;
        }
        if (state__redis_link_is_busy(&redis->link))
            break;
        if (redis->is_unloaded)
            state__redis_link_reload(&redis->link);
        redis->is_unloaded = false;
        unlink_request(&redis->waiting, request);
        send_request(redis, request);
    }
}

/* Ends what has waited too long while a long value was on its way. */
static void
end_late_waiting(struct redis *redis, uint64_t now_ms)
{
    while (redis->waiting.first != NULL &&
           redis->waiting.first->deadline_ms <= now_ms)
        end_waiting(redis, redis->waiting.first,
                    "nothing could be sent to redis in time");
}

/*
 * Ends what is late. Returns when the next request will be; those that wait
 * are looked at again when something has happened.
 */
static uint64_t
end_late(struct redis *redis, uint64_t now_ms)
{
    bool is_silent = false;

    end_late_waiting(redis, now_ms);
    while (redis->sent.first != NULL &&
           redis->sent.first->deadline_ms <= now_ms) {
        struct request *request = redis->sent.first;
        uint64_t submitted_ms = request->deadline_ms - redis->timeout_ms;

        if (request == redis->sent.last &&
            state__redis_link_is_busy(&redis->link)) {
            /*
             * Its value is still being sent, and that must stop before its
             * owner has it back. This ends the request as lost.
             */
            state__redis_link_drop(&redis->link, now_ms,
                                   "it did not take a value in time");
            break;
        }
        is_silent = is_silent || redis->link.read_ms < submitted_ms;
        unlink_request(&redis->sent, request);
        state__operation_fail(request->operation, STATE_TIMEOUT,
                              "outcome unknown: redis did not answer "
                              "within %u ms",
                              redis->timeout_ms);
        complete(request);
    }
    /*
     * Not a byte since before a late request was sent: the connection is
     * given up, so that operations hear at once that Redis is away instead of
     * each waiting for its timeout.
     */
    if (is_silent && redis->link.context != NULL)
        state__redis_link_drop(&redis->link, now_ms,
                               "it has stopped answering");
    return redis->sent.first != NULL ? redis->sent.first->deadline_ms
                                     : UINT64_MAX;
}

/* Tells the other threads how the link is. Returns whether to go on. */
static bool
publish(struct redis *redis)
{
    bool go_on;

    pthread_mutex_lock(&redis->lock);
    redis->is_ready = redis->link.step == STATE__STEP_READY;
    strcpy(redis->message,
           redis->is_ready ? "ready" : redis->link.message);
    if (!redis->has_attempted && redis->link.attempt_count > 0) {
        redis->has_attempted = true;
        pthread_cond_signal(&redis->attempted);
    }
    go_on = !redis->closing || redis->in_flight > 0;
    pthread_mutex_unlock(&redis->lock);
    return go_on;
}

/* Sleeps until an event or a time, and takes the events. */
static void
wait_for_events(struct redis *redis, uint64_t until_ms)
{
    struct epoll_event events[2];
    uint64_t now_ms = state__redis_now_ms(), count;
    int wait_ms = 0, event_count;

    /* Nothing waits longer than the longest timeout: this fits an int. */
    if (until_ms > now_ms)
        wait_ms = (int)(until_ms - now_ms);
    event_count = epoll_wait(redis->epoll_fd, events, 2, wait_ms);
    now_ms = state__redis_now_ms();
    for (int i = 0; i < event_count; i++) {
        if (events[i].data.ptr == &redis->link)
            state__redis_link_handle(&redis->link, events[i].events, now_ms);
        else if (read(redis->wake_fd, &count, sizeof count) < 0)
            assert(errno == EAGAIN || errno == EINTR);
    }
}

static void *
run(void *argument)
{
    struct redis *redis = argument;

    for (;;) {
        uint64_t now_ms = state__redis_now_ms(), late_ms, tick_ms;

        send_waiting(redis);
        late_ms = end_late(redis, now_ms);
        tick_ms = state__redis_link_tick(&redis->link, now_ms);
        if (!publish(redis))
            break;
        wait_for_events(redis, tick_ms < late_ms ? tick_ms : late_ms);
    }
    return NULL;
}

/* ---- Any thread ---- */

static void
wake(struct redis *redis)
{
    uint64_t one = 1;
    ssize_t written = write(redis->wake_fd, &one, sizeof one);

    /* The counter cannot overflow: the thread empties it. */
    assert(written == sizeof one);
    (void)written;
}

/* Under the lock: why an operation cannot be queued, or STATE_OK. */
static enum state_status
admit(struct redis *redis, struct state_operation *operation, size_t size)
{
    if (redis->closing)
        return state__operation_end(operation, STATE_CLOSED);
    if (!redis->is_ready)
        return state__operation_fail(operation, STATE_UNAVAILABLE, "%s",
                                     redis->message);
    if (redis->in_flight >= redis->in_flight_max)
        return state__operation_fail(operation, STATE_LIMIT,
                                     "%u operations are already on their "
                                     "way to redis",
                                     redis->in_flight);
    if (size > redis->in_flight_bytes_max - redis->in_flight_bytes)
        return state__operation_fail(operation, STATE_LIMIT,
                                     "%zu bytes are already on their way "
                                     "to redis",
                                     redis->in_flight_bytes);
    return STATE_OK;
}

static enum state_status
submit(struct state__backend *backend, struct state_operation *operation)
{
    struct redis *redis = (struct redis *)backend;
    size_t size = operation->key.length_bytes + operation->value.length_bytes;
    struct request *request;
    enum state_status status;
    bool was_empty;

    if (operation->kind == STATE_BATCH)
        return state__operation_fail(operation, STATE_UNSUPPORTED,
                                     "with redis no batch is all or nothing");
    status = state__operation_check_namespace(operation);
    if (status)
        return status;
    if (operation->complete == NULL)
        return state__operation_fail(operation, STATE_INVALID,
                                     "redis needs a `complete`");
    request = malloc(sizeof *request);
    if (request == NULL)
        return state__operation_end(operation, STATE_NO_MEMORY);
    *request = (struct request){
        .redis = redis,
        .operation = operation,
        .deadline_ms = state__redis_now_ms() + redis->timeout_ms,
        .size_bytes = size,
    };
    pthread_mutex_lock(&redis->lock);
    status = admit(redis, operation, size);
    if (status) {
        pthread_mutex_unlock(&redis->lock);
        free(request);
        return status;
    }
    operation->status = STATE_PENDING;
    operation->message = state_status_text(STATE_PENDING);
    was_empty = redis->queue.first == NULL;
    push(&redis->queue, request);
    redis->in_flight++;
    redis->in_flight_bytes += size;
    pthread_mutex_unlock(&redis->lock);
    /* From here on the record may be gone. */
    if (was_empty)
        wake(redis);
    return STATE_PENDING;
}

static void
health(struct state__backend *backend, struct state_health *health)
{
    struct redis *redis = (struct redis *)backend;

    pthread_mutex_lock(&redis->lock);
    health->up = redis->is_ready;
    memcpy(health->message, redis->message, sizeof health->message);
    pthread_mutex_unlock(&redis->lock);
}

static void
close_redis(struct state__backend *backend)
{
    struct redis *redis = (struct redis *)backend;

    if (redis->has_thread) {
        pthread_mutex_lock(&redis->lock);
        redis->closing = true;
        pthread_mutex_unlock(&redis->lock);
        wake(redis);
        pthread_join(redis->thread, NULL);
        state__redis_link_deinit(&redis->link);
    }
    if (redis->wake_fd >= 0)
        close(redis->wake_fd);
    if (redis->epoll_fd >= 0)
        close(redis->epoll_fd);
    pthread_cond_destroy(&redis->attempted);
    pthread_mutex_destroy(&redis->lock);
    free(redis);
}

static const struct state__backend_class redis_class = {
    .name = "redis",
    .submit = submit,
    .health = health,
    .close = close_redis,
};

static struct redis *
create_redis(const struct state_options *options)
{
    struct redis *redis = calloc(1, sizeof *redis);
    pthread_condattr_t monotonic;

    if (redis == NULL)
        return NULL;
    redis->backend.class = &redis_class;
    redis->value_bytes_max = options->value_bytes_max;
    redis->timeout_ms = options->timeout_ms;
    redis->in_flight_max = options->in_flight_max;
    redis->in_flight_bytes_max = options->in_flight_bytes_max;
    redis->epoll_fd = -1;
    redis->wake_fd = -1;
    pthread_mutex_init(&redis->lock, NULL);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_cond_init(&redis->attempted, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return redis;
}

/* Descriptors and the thread. */
static bool
start(struct redis *redis, const struct state__redis_url *url)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = redis};
    sigset_t all, old;

    redis->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    redis->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (redis->epoll_fd < 0 || redis->wake_fd < 0 ||
        epoll_ctl(redis->epoll_fd, EPOLL_CTL_ADD, redis->wake_fd, &event))
        return false;
    state__redis_link_init(&redis->link, url, redis->timeout_ms,
                           redis->epoll_fd);
    strcpy(redis->message, redis->link.message);
    /*
     * The program's signals are no business of the library's thread; and a
     * broken connection shall be an error here, not a SIGPIPE.
     */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    redis->has_thread =
        pthread_create(&redis->thread, NULL, run, redis) == 0;
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    return redis->has_thread;
}

/* Waits for the end of the first attempt, but not for ever. */
static void
wait_for_attempt(struct redis *redis)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += redis->timeout_ms / 1000;
    until.tv_nsec += (long)(redis->timeout_ms % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&redis->lock);
    while (!redis->has_attempted &&
           pthread_cond_timedwait(&redis->attempted, &redis->lock, &until) !=
               ETIMEDOUT)
        ;
    pthread_mutex_unlock(&redis->lock);
}

enum state_status
state__redis_open(const struct state_options *options,
                  struct state__backend **backend, struct state_error *err)
{
    struct state__redis_url url;
    struct redis *redis;
    enum state_status status;

    status = state__redis_url_parse(options->url, &url, err);
    if (status)
        return status;
    redis = create_redis(options);
    if (redis == NULL)
        return state__error_set(err, STATE_NO_MEMORY, "out of memory");
    if (!start(redis, &url)) {
        close_redis(&redis->backend);
        return state__error_set(err, STATE_SYSTEM,
                                "no thread or descriptor for redis: %s",
                                strerror(errno));
    }
    wait_for_attempt(redis);
    *backend = &redis->backend;
    return STATE_OK;
}
