/*
 * One connection to Redis that keeps itself up: see redis_link.h.
 *
 * hiredis 0.14 knows no timeouts for asynchronous commands and frees a
 * context that has failed from within; so the hook `cleanup`, which it calls
 * whenever a context goes, is the one place where the link becomes away, and
 * contexts are never freed by us while hiredis is on the stack.
 */
#include "state/redis_link.h"

#include <assert.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>

/* An idle connection is tried at least so often. */
#define PING_MS 1000

/* Where the layout's number is, for the whole database. */
#define LAYOUT_KEY "glass:state:layout"

/* The script of the layout, made from redis_script.lua by the build. */
static const char script_body[] = {
#include "redis_script.inc"
};

static const char function_head[] =
    "#!lua name=" STATE__REDIS_FUNCTION "\n";
static const char function_tail[] =
    "redis.register_function('" STATE__REDIS_FUNCTION "', run)\n"
    "redis.register_function{function_name='" STATE__REDIS_FUNCTION_LEAN
    "', callback=run, flags={'allow-oom'}}\n";
static const char script_tail[] = "return run(KEYS, ARGV)\n";

uint64_t
state__redis_now_ms(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- Failing ---- */

static void
explain(struct state__redis_link *link, const char *reason)
{
    char where[STATE_MESSAGE_SIZE / 2];

    state__redis_url_describe(&link->url, where, sizeof where);
    snprintf(link->message, sizeof link->message, "redis at %s: %.*s", where,
             STATE_MESSAGE_SIZE / 3, reason);
}

/* For callbacks: the connection goes once hiredis is off the stack. */
void
state__redis_link_fail(struct state__redis_link *link, const char *reason)
{
    explain(link, reason);
    link->is_failed = true;
}

/* ---- The adapter between hiredis and epoll ---- */

static void
watch(struct state__redis_link *link, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = link};
    int operation = link->events == 0 ? EPOLL_CTL_ADD : EPOLL_CTL_MOD;

    if (events == link->events)
        return;
    if (events == 0)
        operation = EPOLL_CTL_DEL;
    /* A descriptor that cannot be watched is dropped by the deadline. */
    epoll_ctl(link->epoll_fd, operation, link->context->c.fd, &event);
    link->events = events;
}

static void
add_read(void *data)
{
    struct state__redis_link *link = data;

    watch(link, link->events | EPOLLIN);
}

static void
del_read(void *data)
{
    struct state__redis_link *link = data;

    watch(link, link->events & ~(uint32_t)EPOLLIN);
}

static void
add_write(void *data)
{
    struct state__redis_link *link = data;

    watch(link, link->events | EPOLLOUT);
}

/* Called when all that hiredis had is written: time for the next piece. */
static void
del_write(void *data)
{
    struct state__redis_link *link = data;
    struct state_bytes piece = state__redis_stream_next(&link->stream);

    if (piece.length_bytes == 0)
        watch(link, link->events & ~(uint32_t)EPOLLOUT);
    else if (redisAppendFormattedCommand(&link->context->c, piece.bytes,
                                         piece.length_bytes) != REDIS_OK)
        state__redis_link_fail(link, "out of memory");
}

/* The next attempt comes after a pause that grows from one to the next. */
static void
become_away(struct state__redis_link *link, uint64_t now_ms)
{
    if (link->step != STATE__STEP_READY)
        link->attempt_count++;
    link->step = STATE__STEP_AWAY;
    link->is_failed = false;
    link->stream = (struct state__redis_stream){0};
    link->deadline_ms = now_ms + link->pause_ms;
    link->pause_ms *= 2;
    if (link->pause_ms > STATE_RECONNECT_MS_MAX)
        link->pause_ms = STATE_RECONNECT_MS_MAX;
}

/* hiredis frees the context when this has returned. */
static void
cleanup(void *data)
{
    struct state__redis_link *link = data;

    watch(link, 0);
    link->context = NULL;
    become_away(link, state__redis_now_ms());
}

void
state__redis_link_drop(struct state__redis_link *link, uint64_t now_ms,
                       const char *reason)
{
    explain(link, reason);
    if (link->context != NULL)
        redisAsyncFree(link->context); /* calls cleanup */
    else
        become_away(link, now_ms);
}

static void
on_disconnect(const redisAsyncContext *context, int status)
{
    struct state__redis_link *link = context->data;

    if (status != REDIS_OK && !link->is_failed)
        explain(link, context->c.errstr);
}

/* ---- The steps of a connection ---- */

static void
next_step(struct state__redis_link *link);

static bool
is_error(const redisReply *reply)
{
    return reply->type == REDIS_REPLY_ERROR;
}

/* Ends the steps: commands can be sent. */
static void
become_ready(struct state__redis_link *link)
{
    link->step = STATE__STEP_READY;
    link->pause_ms = STATE_RECONNECT_MS_MIN;
    link->ping_ms = 0;
    link->attempt_count++;
}

/*
 * Redis has no room for the layout's number. Mostly that is there already;
 * and deleting things is all the more wanted.
 */
static bool
is_claim_without_memory(const struct state__redis_link *link,
                        const redisReply *reply)
{
    return link->step == STATE__STEP_CLAIM &&
           strncmp(reply->str, "OOM ", 4) == 0;
}

/* The reply to a step's command. */
static void
on_step(redisAsyncContext *context, void *data, void *privdata)
{
    struct state__redis_link *link = context->data;
    redisReply *reply = data;

    (void)privdata;
    if (reply == NULL || link->is_failed)
        return; /* the connection is going */
    if (link->step == STATE__STEP_FUNCTION) {
        /* An older Redis, or one where functions are forbidden. */
        if (!is_error(reply))
            link->step = STATE__STEP_SCRIPT; /* not needed */
        next_step(link);
        return;
    }
    if (is_error(reply) && !is_claim_without_memory(link, reply)) {
        state__redis_link_fail(link, reply->str);
        return;
    }
    if (link->step == STATE__STEP_LAYOUT &&
        (reply->type != REDIS_REPLY_STRING ||
         strcmp(reply->str, STATE__REDIS_LAYOUT) != 0)) {
        state__redis_link_fail(link, "its database has another layout than "
                         "layout " STATE__REDIS_LAYOUT " of this program");
        return;
    }
    if (link->step == STATE__STEP_SCRIPT &&
        reply->type == REDIS_REPLY_STRING)
        snprintf(link->script, sizeof link->script, "%s", reply->str);
    next_step(link);
}

static void
send_step(struct state__redis_link *link, int count, const char **words)
{
    if (redisAsyncCommandArgv(link->context, on_step, NULL, count, words,
                              NULL) != REDIS_OK)
        state__redis_link_fail(link, "out of memory");
}

/* The library or the script: `head`, the body, and `tail` in one string. */
static char *
join_script(const char *head, const char *tail)
{
    size_t head_length = strlen(head);
    char *text = malloc(head_length + sizeof script_body + strlen(tail) + 1);

    if (text == NULL)
        return NULL;
    memcpy(text, head, head_length);
    memcpy(text + head_length, script_body, sizeof script_body);
    strcpy(text + head_length + sizeof script_body, tail);
    return text;
}

/*
 * REPLACE makes the loading of the same thing by many nodes harmless: the
 * layout's number is in the name.
 */
static void
send_load(struct state__redis_link *link, bool as_functions,
          redisCallbackFn *reply)
{
    char *text = as_functions ? join_script(function_head, function_tail)
                              : join_script("", script_tail);
    const char *functions[] = {"FUNCTION", "LOAD", "REPLACE", text};
    const char *script[] = {"SCRIPT", "LOAD", text};

    if (text == NULL ||
        redisAsyncCommandArgv(link->context, reply, NULL,
                              as_functions ? 4 : 3,
                              as_functions ? functions : script,
                              NULL) != REDIS_OK)
        state__redis_link_fail(link, "out of memory");
    free(text);
}

static void
send_auth(struct state__redis_link *link)
{
    const char *words[3] = {"AUTH"};
    int count = 1;

    if (link->url.user[0] != '\0')
        words[count++] = link->url.user;
    words[count++] = link->url.password;
    send_step(link, count, words);
}

static void
send_select(struct state__redis_link *link)
{
    char number[16];
    const char *words[] = {"SELECT", number};

    snprintf(number, sizeof number, "%u", link->url.database);
    send_step(link, 2, words);
}

/* Goes on to the next step that has something to do. */
static void
next_step(struct state__redis_link *link)
{
    const char *claim[] = {"SETNX", LAYOUT_KEY, STATE__REDIS_LAYOUT};
    const char *layout[] = {"GET", LAYOUT_KEY};

    switch (++link->step) {
    case STATE__STEP_AUTH:
        if (link->url.password[0] != '\0')
            send_auth(link);
        else
            next_step(link);
        break;
    case STATE__STEP_SELECT:
        if (link->url.database != 0)
            send_select(link);
        else
            next_step(link);
        break;
    case STATE__STEP_CLAIM:
        send_step(link, 3, claim);
        break;
    case STATE__STEP_LAYOUT:
        send_step(link, 2, layout);
        break;
    case STATE__STEP_FUNCTION:
        link->script[0] = '\0';
        send_load(link, true, on_step);
        break;
    case STATE__STEP_SCRIPT:
        send_load(link, false, on_step);
        break;
    default:
        become_ready(link);
    }
}

static void
on_connect(const redisAsyncContext *context, int status)
{
    struct state__redis_link *link = context->data;
    int on = 1;

    if (status != REDIS_OK) {
        explain(link, context->c.errstr);
        return;
    }
    /* A command waits for nothing; on a unix socket this has no effect. */
    setsockopt(context->c.fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    next_step(link);
}

static void
connect_now(struct state__redis_link *link, uint64_t now_ms)
{
    redisAsyncContext *context;

    context = link->url.is_unix
                  ? redisAsyncConnectUnix(link->url.host)
                  : redisAsyncConnect(link->url.host, link->url.port);
    link->step = STATE__STEP_CONNECT;
    if (context == NULL || context->err != 0) {
        explain(link, context != NULL ? context->errstr : "out of memory");
        if (context != NULL)
            redisAsyncFree(context);
        become_away(link, now_ms);
        return;
    }
    link->context = context;
    link->events = 0;
    link->deadline_ms = now_ms + link->timeout_ms;
    context->data = link;
    context->ev.data = link;
    context->ev.addRead = add_read;
    context->ev.delRead = del_read;
    context->ev.addWrite = add_write;
    context->ev.delWrite = del_write;
    context->ev.cleanup = cleanup;
    redisAsyncSetDisconnectCallback(context, on_disconnect);
    /* This one also asks for the first event. */
    redisAsyncSetConnectCallback(context, on_connect);
}

/* ---- For the owner ---- */

void
state__redis_link_init(struct state__redis_link *link,
                       const struct state__redis_url *url,
                       unsigned timeout_ms, int epoll_fd)
{
    *link = (struct state__redis_link){
        .url = *url,
        .timeout_ms = timeout_ms,
        .epoll_fd = epoll_fd,
        .step = STATE__STEP_AWAY,
        .pause_ms = STATE_RECONNECT_MS_MIN,
    };
    explain(link, "not connected yet");
}

void
state__redis_link_deinit(struct state__redis_link *link)
{
    if (link->context != NULL)
        redisAsyncFree(link->context);
}

static void
on_ping(redisAsyncContext *context, void *data, void *privdata)
{
    struct state__redis_link *link = context->data;

    (void)privdata;
    if (data != NULL)
        link->ping_ms = 0;
}

/* A ready link: asks an idle Redis whether it is there. */
static uint64_t
tick_ready(struct state__redis_link *link, uint64_t now_ms)
{
    if (link->ping_ms > 0) {
        if (link->read_ms > link->ping_ms)
            link->ping_ms = link->read_ms; /* slow, but not silent */
        if (now_ms < link->ping_ms + link->timeout_ms)
            return link->ping_ms + link->timeout_ms;
        state__redis_link_drop(link, now_ms, "it has stopped answering");
        return link->deadline_ms;
    }
    if (now_ms < link->read_ms + PING_MS)
        return link->read_ms + PING_MS;
    if (state__redis_link_is_busy(link))
        return now_ms + PING_MS; /* whoever waits for it has a timeout */
    if (redisAsyncCommand(link->context, on_ping, NULL, "PING") != REDIS_OK)
        return now_ms + PING_MS;
    link->ping_ms = now_ms;
    return now_ms + link->timeout_ms;
}

uint64_t
state__redis_link_tick(struct state__redis_link *link, uint64_t now_ms)
{
    if (link->step == STATE__STEP_READY)
        return tick_ready(link, now_ms);
    if (now_ms >= link->deadline_ms) {
        if (link->step == STATE__STEP_AWAY)
            connect_now(link, now_ms);
        else
            state__redis_link_drop(link, now_ms, "no answer in time");
    }
    return link->deadline_ms;
}

void
state__redis_link_handle(struct state__redis_link *link, uint32_t events,
                         uint64_t now_ms)
{
    /* Errors show in what reading or writing answers. */
    if (events & (EPOLLERR | EPOLLHUP))
        events |= link->events;
    if (link->context != NULL && (events & EPOLLIN)) {
        link->read_ms = now_ms;
        redisAsyncHandleRead(link->context);
    }
    if (link->context != NULL && (events & EPOLLOUT))
        redisAsyncHandleWrite(link->context);
    if (link->context != NULL && link->is_failed)
        redisAsyncFree(link->context);
}

bool
state__redis_link_send(struct state__redis_link *link,
                       const struct state__redis_command *command,
                       redisCallbackFn *reply, void *data)
{
    char head[STATE__REDIS_FRAME_SIZE];
    size_t head_length;
    int sent;

    assert(link->step == STATE__STEP_READY);
    assert(!state__redis_link_is_busy(link));
    if (state__redis_stream_begin(&link->stream, command, head, &head_length))
        sent = redisAsyncFormattedCommand(link->context, reply, data, head,
                                          head_length);
    else
        sent = redisAsyncCommandArgv(link->context, reply, data,
                                     command->argument_count,
                                     (const char **)command->arguments,
                                     command->lengths);
    if (sent != REDIS_OK)
        link->stream = (struct state__redis_stream){0};
    return sent == REDIS_OK;
}

/* The reply to a load that is no step: what follows it tells enough. */
static void
on_reload(redisAsyncContext *context, void *data, void *privdata)
{
    (void)context;
    (void)data;
    (void)privdata;
}

void
state__redis_link_reload(struct state__redis_link *link)
{
    assert(!state__redis_link_is_busy(link));
    send_load(link, link->script[0] == '\0', on_reload);
}

const char *
state__redis_link_script(const struct state__redis_link *link)
{
    return link->script[0] != '\0' ? link->script : NULL;
}
