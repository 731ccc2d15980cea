/*
 * glass-load - sends requests over many connections and counts the answers.
 *
 *     glass-load --port N [--connections 64] [--requests 10000]
 *                [--method POST] --path PATH [--body TEXT]
 *                [--namespace default] [--token TOKEN]
 *                [--seconds 60] [--pid N]
 *
 * One thread, one epoll: each connection sends its next request when the
 * answer before is there. With --pid it also says how much of a processor that
 * process took. Prints one line; exits with 0 when every request was answered
 * with a status from 200 to 299.
 */
#define _GNU_SOURCE /* memmem */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    CONNECTIONS_MAX = 16384,
    REQUESTS_MAX = 10000000,
    ANSWER_SIZE = 65536,
    REQUEST_SIZE = 65536,
};

struct connection {
    int fd;
    size_t sent;     /* of the request that is under way */
    size_t received; /* of its answer */
    uint64_t begun_ns;
    char answer[ANSWER_SIZE];
};

struct load {
    unsigned port;
    unsigned connection_count;
    unsigned request_count;
    unsigned seconds;
    long pid;
    const char *method;
    const char *path;
    const char *body;
    const char *namespace_;
    const char *token; /* null: none */

    char request[REQUEST_SIZE];
    size_t request_length;
    int epoll_fd;
    struct connection *connections;
    unsigned started;
    unsigned answered;
    unsigned failed;
    uint32_t *latencies_us;
};

static uint64_t
now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static void
die(const char *what)
{
    fprintf(stderr, "glass-load: %s: %s\n", what, strerror(errno));
    exit(2);
}

/* Microseconds of processor that a process took so far; 0 if unknown. */
static uint64_t
cpu_us(long pid)
{
    char path[64];
    unsigned long user = 0;
    unsigned long system = 0;

    if (pid <= 0)
        return 0;
    snprintf(path, sizeof(path), "/proc/%ld/stat", pid);
    FILE *file = fopen(path, "r");
    if (!file)
        return 0;
    if (fscanf(file,
               "%*d (%*[^)]) %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u "
               "%lu %lu",
               &user, &system) != 2)
        user = system = 0;
    fclose(file);
    return (user + system) * 1000000u / (uint64_t)sysconf(_SC_CLK_TCK);
}

static void
connect_one(struct load *load, struct connection *connection)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons((uint16_t)load->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    const int on = 1;

    connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connection->fd < 0 ||
        connect(connection->fd, (struct sockaddr *)&address,
                sizeof(address)) != 0)
        die("connect");
    setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    if (epoll_ctl(load->epoll_fd, EPOLL_CTL_ADD, connection->fd, &event) != 0)
        die("epoll_ctl");
}

/* Sends the next request; they are small enough for one write. */
static void
send_next(struct load *load, struct connection *connection)
{
    if (load->started == load->request_count)
        return;
    load->started++;
    connection->received = 0;
    connection->begun_ns = now_ns();
    ssize_t sent = send(connection->fd, load->request, load->request_length,
                        MSG_NOSIGNAL);
    if (sent != (ssize_t)load->request_length)
        die("send");
}

/* The length of the answer that begins at `text`, or 0 if it is not whole. */
static size_t
answer_length(const char *text, size_t received)
{
    const char *end = memmem(text, received, "\r\n\r\n", 4);
    if (!end)
        return 0;
    size_t body = 0;
    for (const char *line = text; line < end; line++)
        if (line[0] == '\n' && !strncasecmp(line + 1, "Content-Length:", 15))
            body = strtoul(line + 16, NULL, 10);
    size_t length = (size_t)(end - text) + 4 + body;
    return length <= received ? length : 0;
}

static void
receive(struct load *load, struct connection *connection)
{
    ssize_t got = recv(connection->fd,
                       connection->answer + connection->received,
                       sizeof(connection->answer) - 1 - connection->received,
                       0);
    if (got <= 0)
        die("the connection was closed");
    connection->received += (size_t)got;
    connection->answer[connection->received] = '\0';
    if (answer_length(connection->answer, connection->received) == 0)
        return;
    load->latencies_us[load->answered++] =
        (uint32_t)((now_ns() - connection->begun_ns) / 1000);
    if (connection->answer[9] != '2' && load->failed++ == 0)
        fprintf(stderr, "glass-load: %s\n", connection->answer);
    send_next(load, connection);
}

static int
compare(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;

    return (a > b) - (a < b);
}

static void
report(struct load *load, uint64_t elapsed_ns, uint64_t spent_us)
{
    double seconds = (double)elapsed_ns / 1e9;
    unsigned count = load->answered;

    qsort(load->latencies_us, count, sizeof(*load->latencies_us), compare);
    printf("%u answers, %u of them errors, in %.3f s: %.0f/s", count,
           load->failed, seconds, count / seconds);
    if (count > 0)
        printf(", p50 %u us, p99 %u us, max %u us",
               load->latencies_us[count / 2],
               load->latencies_us[count - count / 100 - 1],
               load->latencies_us[count - 1]);
    if (spent_us > 0 && count > 0)
        printf(", %.1f us of processor each",
               (double)spent_us / (double)count);
    printf("\n");
}

static void
run(struct load *load)
{
    struct epoll_event events[64];
    uint64_t spent_us = cpu_us(load->pid);
    uint64_t begin_ns = now_ns();
    uint64_t end_ns = begin_ns + load->seconds * UINT64_C(1000000000);

    for (unsigned index = 0; index < load->connection_count; index++)
        send_next(load, &load->connections[index]);
    while (load->answered < load->request_count && now_ns() < end_ns) {
        int count = epoll_wait(load->epoll_fd, events, 64, 1000);
        if (count < 0 && errno != EINTR)
            die("epoll_wait");
        for (int index = 0; index < count; index++)
            receive(load, events[index].data.ptr);
    }
    uint64_t elapsed_ns = now_ns() - begin_ns;
    report(load, elapsed_ns, cpu_us(load->pid) - spent_us);
}

static void
prepare(struct load *load)
{
    int length = snprintf(load->request, sizeof(load->request),
                          "%s %s HTTP/1.1\r\nHost: localhost\r\n"
                          "Glass-Namespace: %s\r\n%s%s%s"
                          "Content-Length: %zu\r\n\r\n%s",
                          load->method, load->path, load->namespace_,
                          load->token ? "Authorization: Bearer " : "",
                          load->token ? load->token : "",
                          load->token ? "\r\n" : "",
                          strlen(load->body), load->body);
    if (length < 0 || (size_t)length >= sizeof(load->request))
        die("the request is too long");
    load->request_length = (size_t)length;
    load->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    load->connections = calloc(load->connection_count,
                               sizeof(*load->connections));
    load->latencies_us = calloc(load->request_count + 1,
                                sizeof(*load->latencies_us));
    if (load->epoll_fd < 0 || !load->connections || !load->latencies_us)
        die("prepare");
    for (unsigned index = 0; index < load->connection_count; index++)
        connect_one(load, &load->connections[index]);
}

static bool
parse(struct load *load, char **words)
{
    for (; words[0]; words += 2) {
        const char *value = words[1];
        if (!value)
            return false;
        unsigned number = (unsigned)strtoul(value, NULL, 10);
        if (strcmp(words[0], "--port") == 0)
            load->port = number;
        else if (strcmp(words[0], "--connections") == 0)
            load->connection_count = number;
        else if (strcmp(words[0], "--requests") == 0)
            load->request_count = number;
        else if (strcmp(words[0], "--seconds") == 0)
            load->seconds = number;
        else if (strcmp(words[0], "--pid") == 0)
            load->pid = (long)number;
        else if (strcmp(words[0], "--method") == 0)
            load->method = value;
        else if (strcmp(words[0], "--path") == 0)
            load->path = value;
        else if (strcmp(words[0], "--body") == 0)
            load->body = value;
        else if (strcmp(words[0], "--namespace") == 0)
            load->namespace_ = value;
        else if (strcmp(words[0], "--token") == 0)
            load->token = value;
        else
            return false;
    }
    return load->port > 0 && load->path && load->connection_count > 0 &&
           load->connection_count <= CONNECTIONS_MAX &&
           load->request_count <= REQUESTS_MAX;
}

int
main(int argc, char **argv)
{
    static struct load load = {
        .connection_count = 64,
        .request_count = 10000,
        .seconds = 60,
        .method = "POST",
        .body = "",
        .namespace_ = "default",
    };

    (void)argc;
    if (!parse(&load, argv + 1)) {
        fprintf(stderr, "usage: glass-load --port N --path PATH ...\n");
        return 2;
    }
    prepare(&load);
    run(&load);
    return load.failed == 0 && load.answered == load.request_count ? 0 : 1;
}
