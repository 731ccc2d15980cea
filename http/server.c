/*
 * A server's life: options, loops, drain, end.
 *
 * The loops run from creation to destruction; the acceptor ends when draining
 * begins. A daemon of libmicrohttpd's must not be stopped while one of its
 * connections is suspended: destroy waits for that, and what a connection is
 * suspended for always ends (the store has a timeout for each operation).
 */
#include "http/server.h"

#include "http/request.h"
#include "runtime/runtime.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* How often a drain looks whether it is done. */
#define DRAIN_STEP_MS 2

/* Targets are decoded by us, from their raw form: leave them as they are. */
static size_t
leave_escaped(void *data, struct MHD_Connection *connection, char *text)
{
    (void)data;
    (void)connection;
    return strlen(text);
}

/* The acceptor counts connections in, and the loop counts them out. */
static void
count_closed(void *data, struct MHD_Connection *connection, void **context,
             enum MHD_ConnectionNotificationCode code)
{
    struct http__loop *loop = data;

    (void)connection;
    (void)context;
    if (code == MHD_CONNECTION_NOTIFY_CLOSED)
        atomic_fetch_sub_explicit(&loop->connection_count, 1,
                                  memory_order_relaxed);
}

/* Starts the daemon of one loop, with its thread; false if it cannot. */
static bool
start_loop(struct http__loop *loop)
{
    const struct http_options *options = &loop->server->options;
    unsigned idle_timeout_s = (options->idle_timeout_ms + 999) / 1000;

    /*
     * A loop may get every connection while the others are closing theirs,
     * so each has room for all; the acceptor keeps the sum.
     */
    loop->daemon = MHD_start_daemon(
        MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_NO_LISTEN_SOCKET |
            MHD_USE_ITC | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_TURBO,
        0, NULL, NULL, http__request_handle, loop,
        MHD_OPTION_CONNECTION_LIMIT, options->connection_count_max + 16,
        MHD_OPTION_CONNECTION_MEMORY_LIMIT,
        (size_t)HTTP_CONNECTION_MEMORY_BYTES,
        MHD_OPTION_CONNECTION_TIMEOUT, idle_timeout_s,
        /* What its strictness would refuse is refused by us, as problems. */
        MHD_OPTION_STRICT_FOR_CLIENT, 0,
        MHD_OPTION_URI_LOG_CALLBACK, http__request_arrive, loop,
        MHD_OPTION_UNESCAPE_CALLBACK, leave_escaped, NULL,
        MHD_OPTION_NOTIFY_COMPLETED, http__request_complete, loop,
        MHD_OPTION_NOTIFY_CONNECTION, count_closed, loop,
        MHD_OPTION_END);
    return loop->daemon != NULL;
}

/* Starts all of them; those that run already are stopped by destroy. */
static enum http_status
start_loops(struct http_server *server, struct http_error *err)
{
    unsigned count = server->options.thread_count;
    void *loops = NULL;

    if (posix_memalign(&loops, _Alignof(struct http__loop),
                       count * sizeof(struct http__loop)) != 0)
        return http__error_set(err, HTTP_NO_MEMORY, "no memory for %u threads",
                               count);
    memset(loops, 0, count * sizeof(struct http__loop));
    server->loops = loops;
    for (unsigned index = 0; index < count; index++) {
        server->loops[index].server = server;
        server->loop_count = index + 1;
        if (!start_loop(&server->loops[index]))
            return http__error_set(err, HTTP_SYSTEM,
                                   "thread %u of %u cannot be started",
                                   index + 1, count);
    }
    return HTTP_OK;
}

/* Fills in what is zero; returns false for what makes no sense. */
static bool
complete_options(struct http_options *options)
{
    if (!options->runtime || !options->store)
        return false;
    if (!options->address)
        options->address = "127.0.0.1";
    if (options->thread_count == 0) {
        long cores = sysconf(_SC_NPROCESSORS_ONLN);
        options->thread_count = cores < 1 ? 1 : (unsigned)cores;
        if (options->thread_count > HTTP_THREADS_MAX)
            options->thread_count = HTTP_THREADS_MAX;
    }
    if (options->connection_count_max == 0)
        options->connection_count_max = HTTP_CONNECTIONS_DEFAULT;
    if (options->idle_timeout_ms == 0)
        options->idle_timeout_ms = HTTP_IDLE_TIMEOUT_MS_DEFAULT;
    if (options->module_bytes_max == 0)
        options->module_bytes_max = HTTP_MODULE_BYTES_DEFAULT;
    if (options->value_bytes_max == 0)
        options->value_bytes_max = HTTP_VALUE_BYTES_DEFAULT;
    if (options->input_bytes_max == 0)
        options->input_bytes_max = RUNTIME_INPUT_BYTES_DEFAULT;
    if (options->watcher_count_max == 0)
        options->watcher_count_max = HTTP_WATCHERS_DEFAULT;
    if (options->heartbeat_ms == 0)
        options->heartbeat_ms = HTTP_HEARTBEAT_MS_DEFAULT;
    return options->thread_count <= HTTP_THREADS_MAX &&
           options->connection_count_max <= HTTP_CONNECTIONS_MAX &&
           options->idle_timeout_ms <= HTTP_IDLE_TIMEOUT_MS_MAX &&
           options->watcher_count_max <= HTTP_WATCHERS_MAX &&
           options->heartbeat_ms <= HTTP_HEARTBEAT_MS_MAX;
}

enum http_status
http_server_create(const struct http_options *options,
                   struct http_server **server, struct http_error *err)
{
    struct http_server *created = calloc(1, sizeof(*created));

    if (!created)
        return http__error_set(err, HTTP_NO_MEMORY, "no memory for a server");
    created->options = *options;
    http__waits_init(&created->waits);
    http__waits_init(&created->calls);
    bool watches = http__watch_init(&created->watch, http__request_gone);
    enum http_status auth =
        http__auth_init(&created->auth, options->token_directory, err);
    created->listen_fd = created->stop_fd = -1;
    enum http_status status = HTTP_SYSTEM;
    if (!watches) {
        http__error_set(err, status, "a thread or a descriptor is not there");
        goto fail;
    }
    status = HTTP_INVALID;
    if (!complete_options(&created->options)) {
        http__error_set(err, status, "an option is missing or over its limit");
        goto fail;
    }
    if (auth != HTTP_OK)
        status = auth;
    else
        status = http__acceptor_open(created, err);
    /* The caller's strings end with this call. */
    created->options.address = created->address;
    created->options.token_directory = NULL;
    if (status != HTTP_OK)
        goto fail;
    status = start_loops(created, err);
    if (status != HTTP_OK)
        goto fail;
    status = http__acceptor_start(created, err);
    if (status != HTTP_OK)
        goto fail;
    *server = created;
    return HTTP_OK;

fail:
    http_server_destroy(created);
    return status;
}

enum http_status
http_server_reload(struct http_server *server, struct http_error *err)
{
    return http__auth_reload(&server->auth, err);
}

uint16_t
http_server_port(const struct http_server *server)
{
    return server->port;
}

const char *
http_server_address(const struct http_server *server)
{
    return server->address;
}

/* Requests under way, over all loops. */
static unsigned
count_requests(const struct http_server *server)
{
    unsigned sum = 0;

    for (unsigned index = 0; index < server->loop_count; index++)
        sum += atomic_load_explicit(&server->loops[index].request_count,
                                    memory_order_acquire);
    return sum;
}

/* Requests that wait, and those whose waiting is just being ended. */
static unsigned
count_parked(const struct http_server *server)
{
    unsigned sum = 0;

    for (unsigned index = 0; index < server->loop_count; index++)
        sum += atomic_load(&server->loops[index].parked_count);
    return sum;
}

static void
sleep_one_step(void)
{
    const struct timespec step = {.tv_nsec = DRAIN_STEP_MS * 1000000L};

    nanosleep(&step, NULL);
}

/* Calls that nobody waits for, and that have not ended. */
static uint64_t
count_kept(const struct http_server *server)
{
    struct runtime_kept_statistics statistics;

    runtime_kept_statistics(server->options.runtime, &statistics);
    return statistics.pending_count;
}

/* Whether all requests, and calls, have ended within that time. */
static bool
wait_for_requests(const struct http_server *server, unsigned timeout_ms)
{
    for (unsigned waited_ms = 0;
         count_requests(server) > 0 || count_kept(server) > 0;
         waited_ms += DRAIN_STEP_MS) {
        if (waited_ms >= timeout_ms)
            return false;
        sleep_one_step();
    }
    return true;
}

enum http_status
http_server_drain(struct http_server *server, unsigned timeout_ms)
{
    atomic_store(&server->draining, true);
    http__acceptor_stop(server);
    http__waits_end(&server->waits);
    if (wait_for_requests(server, timeout_ms))
        return HTTP_OK;
    /* Calls end now, and are answered; what else there is stays. */
    bool waits_for_calls =
        count_parked(server) > 0 || count_kept(server) > 0;
    http__waits_end(&server->calls);
    runtime_kept_cancel_all(server->options.runtime);
    return waits_for_calls &&
                   wait_for_requests(server, HTTP_CANCEL_TIMEOUT_MS)
               ? HTTP_OK
               : HTTP_TIMEOUT;
}

void
http_server_destroy(struct http_server *server)
{
    if (!server)
        return;
    atomic_store(&server->draining, true);
    atomic_store(&server->ending, true);
    http__acceptor_stop(server);
    http__waits_end(&server->waits);
    http__waits_end(&server->calls);
    /* What parks has been counted, and nothing more does. */
    while (count_parked(server) > 0)
        sleep_one_step();
    for (unsigned index = 0; index < server->loop_count; index++)
        if (server->loops[index].daemon)
            MHD_stop_daemon(server->loops[index].daemon);
    http__watch_deinit(&server->watch);
    http__waits_deinit(&server->calls);
    http__waits_deinit(&server->waits);
    http__auth_deinit(&server->auth);
    free(server->loops);
    free(server);
}

void
http_set_panic(void (*panic)(void *data, const char *file, unsigned line,
                             const char *reason),
               void *data)
{
    MHD_set_panic_func(panic, data);
}
