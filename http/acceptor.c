/*
 * The acceptor: one thread that takes connections off the listening socket and
 * gives each to the loop that has the fewest.
 *
 * It shares with the loops nothing but their counters and what
 * MHD_add_connection does under its own lock.
 */
#define _GNU_SOURCE /* accept4 */

#include "http/server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Connections that the system holds until they are accepted. */
#define BACKLOG 1024

/* How long to leave the socket alone when descriptors have run out. */
#define EXHAUSTED_PAUSE_MS 20

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

/* Reads the address's digits; returns its length, or 0 if they are none. */
static socklen_t
parse_address(const char *text, uint16_t port, union address *address)
{
    memset(address, 0, sizeof(*address));
    if (strcmp(text, "localhost") == 0)
        text = "127.0.0.1";
    if (inet_pton(AF_INET, text, &address->ipv4.sin_addr) == 1) {
        address->ipv4.sin_family = AF_INET;
        address->ipv4.sin_port = htons(port);
        return sizeof(address->ipv4);
    }
    if (inet_pton(AF_INET6, text, &address->ipv6.sin6_addr) == 1) {
        address->ipv6.sin6_family = AF_INET6;
        address->ipv6.sin6_port = htons(port);
        return sizeof(address->ipv6);
    }
    return 0;
}

/* 127.0.0.0/8 and ::1; not the addresses that map one to the other. */
static bool
is_loopback(const union address *address)
{
    if (address->any.sa_family == AF_INET)
        return ntohl(address->ipv4.sin_addr.s_addr) >> 24 == 127;
    return IN6_IS_ADDR_LOOPBACK(&address->ipv6.sin6_addr);
}

/* Learns the port that the system chose, and writes the address for URLs. */
static bool
learn_address(struct http_server *server)
{
    union address address;
    socklen_t length = sizeof(address);
    char digits[INET6_ADDRSTRLEN];

    if (getsockname(server->listen_fd, &address.any, &length) != 0)
        return false;
    bool six = address.any.sa_family == AF_INET6;
    const void *bytes = six ? (const void *)&address.ipv6.sin6_addr
                            : (const void *)&address.ipv4.sin_addr;
    if (!inet_ntop(address.any.sa_family, bytes, digits, sizeof(digits)))
        return false;
    server->port =
        ntohs(six ? address.ipv6.sin6_port : address.ipv4.sin_port);
    snprintf(server->address, sizeof(server->address),
             six ? "[%.46s]:%u" : "%.46s:%u", digits, server->port);
    return true;
}

enum http_status
http__acceptor_open(struct http_server *server, struct http_error *err)
{
    const struct http_options *options = &server->options;
    union address address;
    const int on = 1;
    socklen_t length =
        parse_address(options->address, options->port, &address);

    if (length == 0)
        return http__error_set(err, HTTP_INVALID, "'%s' is no address",
                               options->address);
    if (!is_loopback(&address) && !http__auth_is_on(&server->auth))
        return http__error_set(err, HTTP_NOT_LOOPBACK,
                               "%s is no loopback address, and there are no "
                               "tokens that could guard it",
                               options->address);
    server->listen_fd =
        socket(address.any.sa_family,
               SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listen_fd < 0)
        return http__error_set(err, HTTP_SYSTEM, "socket: %s",
                               strerror(errno));
    setsockopt(server->listen_fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(server->listen_fd, &address.any, length) != 0 ||
        listen(server->listen_fd, BACKLOG) != 0)
        return http__error_set(
            err, errno == EADDRINUSE ? HTTP_IN_USE : HTTP_SYSTEM,
            "%s port %u: %s", options->address, options->port,
            strerror(errno));
    if (!learn_address(server))
        return http__error_set(err, HTTP_SYSTEM, "getsockname: %s",
                               strerror(errno));
    return HTTP_OK;
}

/* The loop with the fewest connections; `total` is the sum of all. */
static struct http__loop *
least_loaded(struct http_server *server, unsigned *total)
{
    struct http__loop *least = NULL;
    unsigned least_count = 0;

    *total = 0;
    for (unsigned index = 0; index < server->loop_count; index++) {
        struct http__loop *loop = &server->loops[index];
        unsigned count = atomic_load_explicit(&loop->connection_count,
                                              memory_order_relaxed);
        *total += count;
        if (!least || count < least_count) {
            least = loop;
            least_count = count;
        }
    }
    return least;
}

/* Tells a client that there are too many, as well as one write can. */
static void
turn_away(int fd)
{
    static const char body[] =
        "{\"type\":\"urn:glass:problem:connections\","
        "\"title\":\"There are too many connections\",\"status\":503}\n";
    char answer[384];
    int length = snprintf(answer, sizeof(answer),
                          "HTTP/1.1 503 Service Unavailable\r\n"
                          "Connection: close\r\n"
                          "Retry-After: 1\r\n"
                          "Content-Type: application/problem+json\r\n"
                          "Content-Length: %zu\r\n"
                          "\r\n%s",
                          sizeof(body) - 1, body);

    if (send(fd, answer, (size_t)length, MSG_NOSIGNAL) >= 0)
        shutdown(fd, SHUT_WR);
    close(fd);
}

/* Accepts one connection; returns false when there is none to be had now. */
static bool
accept_one(struct http_server *server)
{
    union address address;
    socklen_t length = sizeof(address);
    unsigned total;

    int fd = accept4(server->listen_fd, &address.any, &length,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS ||
            errno == ENOMEM) {
            struct pollfd stop = {.fd = server->stop_fd, .events = POLLIN};
            poll(&stop, 1, EXHAUSTED_PAUSE_MS);
        }
        /* A client that gave up while it waited is no end of the queue. */
        return errno == ECONNABORTED || errno == EINTR;
    }
    struct http__loop *loop = least_loaded(server, &total);
    if (total >= server->options.connection_count_max) {
        turn_away(fd);
        return true;
    }
    atomic_fetch_add_explicit(&loop->connection_count, 1,
                              memory_order_relaxed);
    /* It closes the socket itself when it fails. */
    if (MHD_add_connection(loop->daemon, fd, &address.any, length) != MHD_YES)
        atomic_fetch_sub_explicit(&loop->connection_count, 1,
                                  memory_order_relaxed);
    return true;
}

/* The thread: it sleeps until somebody connects or the server drains. */
static void *
accept_all(void *data)
{
    struct http_server *server = data;
    struct pollfd fds[] = {
        {.fd = server->listen_fd, .events = POLLIN},
        {.fd = server->stop_fd, .events = POLLIN},
    };

    for (;;) {
        if (poll(fds, 2, -1) < 0 && errno != EINTR)
            return NULL;
        if (fds[1].revents)
            return NULL;
        while (accept_one(server))
            ;
    }
}

enum http_status
http__acceptor_start(struct http_server *server, struct http_error *err)
{
    server->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (server->stop_fd < 0)
        return http__error_set(err, HTTP_SYSTEM, "eventfd: %s",
                               strerror(errno));
    int error = pthread_create(&server->acceptor, NULL, accept_all, server);
    if (error != 0)
        return http__error_set(err, HTTP_SYSTEM, "a thread: %s",
                               strerror(error));
    server->acceptor_runs = true;
    return HTTP_OK;
}

void
http__acceptor_stop(struct http_server *server)
{
    if (server->acceptor_runs) {
        const uint64_t one = 1;
        /* An eventfd takes eight bytes whenever it is not full. */
        (void)!write(server->stop_fd, &one, sizeof(one));
        pthread_join(server->acceptor, NULL);
        server->acceptor_runs = false;
    }
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    if (server->stop_fd >= 0)
        close(server->stop_fd);
    server->listen_fd = server->stop_fd = -1;
}
