/*
 * libglass-http: a runtime's functions and a store's values over HTTP/1.1.
 *
 * A server owns one thread that accepts connections and, per core, one thread
 * that serves them; each connection stays with the thread that it was given
 * to. A call runs right on that thread. What cannot end at once (a remote
 * state operation) suspends its connection until it has ended, and the thread
 * serves others meanwhile.
 *
 * Requests need tokens once there is a file of them (http_token.h). A server
 * without binds to a loopback address only, and refuses requests whose Host or
 * Origin is not of this machine: a browser on it must not become somebody's
 * tool.
 *
 * What holds for every function here: any thread may call it, unless it says
 * otherwise; it never prints or exits; outputs are set on success only.
 */
#ifndef GLASS_HTTP_H
#define GLASS_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "http/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

struct runtime;
struct state_store;

/* How a function here ended: symbol, name, text. */
#define HTTP_STATUS_MAP(X)                                                    \
    X(HTTP_OK, "ok", "done")                                                  \
    X(HTTP_INVALID, "invalid", "the options make no sense")                   \
    X(HTTP_NOT_LOOPBACK, "not-loopback",                                      \
      "without authentication the address must be a loopback address")        \
    X(HTTP_NOT_FOUND, "not-found", "there is no such thing")                  \
    X(HTTP_LIMIT, "limit", "a limit is reached")                              \
    X(HTTP_IN_USE, "in-use", "the address is in use")                         \
    X(HTTP_TIMEOUT, "timeout", "requests were still under way")               \
    X(HTTP_NO_MEMORY, "no-memory", "out of memory")                           \
    X(HTTP_SYSTEM, "system", "the operating system refused")

enum http_status {
#define HTTP_STATUS_SYMBOL(symbol, name, text) symbol,
    HTTP_STATUS_MAP(HTTP_STATUS_SYMBOL)
#undef HTTP_STATUS_SYMBOL
};

/* The status's short name, "in-use"; "unknown" for any other number. */
const char *
http_status_name(enum http_status status);

/* One clause for people. Neither string is ever freed. */
const char *
http_status_text(enum http_status status);

/* Details of a failure, in memory of the caller's. */
struct http_error {
    char message[HTTP_MESSAGE_SIZE];
};

struct http_server;

/*
 * Something that changed the server rather than what it serves: a deployment,
 * a deletion. The texts last until the function that it is given to returns.
 */
struct http_act {
    const char *method;
    const char *route; /* as the list at `/` has it: "/v1/functions/{name}" */
    const char *name;  /* what the braces stood for */
    const char *namespace_; /* null: it was refused before that was known */
    const char *token;      /* the identity; null without authentication */
    unsigned status;        /* of the answer; 0: there was none */
};

/* How to serve; a field of zero means the default in its comment. */
struct http_options {
    /* What is served. Both are kept, not owned, and must outlive the server. */
    struct runtime *runtime;
    struct state_store *store;

    /*
     * An address in digits, "127.0.0.1" or "::1", or "localhost", which is
     * 127.0.0.1. Null: "127.0.0.1". Without authentication it has to be a
     * loopback address. It is copied.
     */
    const char *address;

    /*
     * Where the file of tokens is, if there is one. Null: nowhere. It is
     * copied.
     */
    const char *token_directory;

    /* Told of each act, on any of the server's threads. Null: nobody is. */
    void (*audit)(void *data, const struct http_act *act);
    void *audit_data;

    /* Zero: the system picks one; see http_server_port. */
    uint16_t port;

    /* Threads that serve connections. Zero: one per core. */
    unsigned thread_count;

    /* HTTP_CONNECTIONS_DEFAULT */
    unsigned connection_count_max;

    /* HTTP_IDLE_TIMEOUT_MS_DEFAULT; rounded up to whole seconds. */
    unsigned idle_timeout_ms;

    /* HTTP_MODULE_BYTES_DEFAULT and HTTP_VALUE_BYTES_DEFAULT. */
    size_t module_bytes_max;
    size_t value_bytes_max;

    /* Who may watch keys at once. HTTP_WATCHERS_DEFAULT */
    unsigned watcher_count_max;

    /* From one sign of life to the next. HTTP_HEARTBEAT_MS_DEFAULT */
    unsigned heartbeat_ms;

    /* The input of a call, as the runtime's. RUNTIME_INPUT_BYTES_DEFAULT */
    size_t input_bytes_max;
};

/*
 * Binds, listens and starts the threads: on return, requests are answered.
 * `options` is copied; `err` may be null.
 *
 * Returns HTTP_INVALID, HTTP_NOT_LOOPBACK, HTTP_IN_USE, HTTP_LIMIT,
 * HTTP_SYSTEM or HTTP_NO_MEMORY; `err` then says more.
 */
enum http_status
http_server_create(const struct http_options *options,
                   struct http_server **server, struct http_error *err);

/*
 * Reads the file of tokens again: requests that come from now on need those.
 * When that fails, those of before stay. A server that had no file so far
 * begins to ask for tokens when there is one; one that had, goes on asking
 * with HTTP_NOT_FOUND.
 *
 * Returns HTTP_NOT_FOUND, HTTP_INVALID, HTTP_LIMIT, HTTP_SYSTEM or
 * HTTP_NO_MEMORY. One thread at a time.
 */
enum http_status
http_server_reload(struct http_server *server, struct http_error *err);

/* The port that is listened on. */
uint16_t
http_server_port(const struct http_server *server);

/* "127.0.0.1:8080", as a URL wants it. Belongs to the server. */
const char *
http_server_address(const struct http_server *server);

/*
 * Stops accepting connections, answers new requests on the open ones with 503
 * (`/readyz` says so first), and waits until the requests under way have
 * ended, `timeout_ms` at most. Calls that have not are cancelled then, and
 * answered with 503. May be called again to wait longer.
 *
 * Returns HTTP_TIMEOUT when some requests are still under way. One thread at a
 * time.
 */
enum http_status
http_server_drain(struct http_server *server, unsigned timeout_ms);

/*
 * Closes every connection, ends the threads and frees the server; null does
 * nothing. Requests that are being received or sent are cut off, and calls are
 * cancelled; operations of the store that are under way are waited for, which
 * ends with their own timeout.
 */
void
http_server_destroy(struct http_server *server);

/*
 * What happens when libmicrohttpd finds its own data broken, or the system
 * refuses a mutex: `panic` is called with where and why, and must not return.
 * Process-wide, so it is the program that decides it, before it creates its
 * first server; without it libmicrohttpd prints and aborts.
 */
void
http_set_panic(void (*panic)(void *data, const char *file, unsigned line,
                             const char *reason),
               void *data);

#ifdef __cplusplus
}
#endif

#include "http/http_token.h"

#endif
