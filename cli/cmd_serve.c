/*
 * glass serve: functions and state over HTTP, until it is told to stop.
 *
 * The first SIGTERM or SIGINT drains: new calls are refused, those under way
 * end. The second one ends the process at once. SIGHUP has the tokens read
 * again.
 */
#include "cli/audit.h"
#include "cli/command.h"

#include "http/http.h"
#include "runtime/runtime.h"
#include "state/state.h"

#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#define SERVE_OPTIONS(X, H)                                                   \
    X(H, TEXT, listen, "listen", "ADDRESS:PORT",                              \
      "where to listen; without tokens a loopback one; 127.0.0.1:8080")       \
    X(H, TEXT, port, "port", "PORT",                                          \
      "only the port; 0 lets the system choose")                              \
    X(H, TEXT, data, "data", "DIR",                                           \
      "keep functions there; else they are forgotten; tokens, audit.log")     \
    X(H, TEXT, files, "files", "DIR",                                         \
      "let functions read parts of this directory")                           \
    X(H, TEXT, secrets, "secrets", "FILE",                                    \
      "JSON: by namespace, what functions can be granted")                    \
    X(H, TEXT, state, "state", "URL",                                         \
      "where values live: memory, lmdb:DIR, redis://HOST:PORT")               \
    X(H, TEXT, durability, "durability", "WHEN",                              \
      "a write in lmdb:DIR ends: sync (on the disk), behind, none; sync")     \
    X(H, NUMBER, threads, "threads", "COUNT",                                 \
      "threads that serve connections; one per core")                         \
    X(H, NUMBER, connections, "connections", "COUNT",                         \
      "connections at once; 1024")                                            \
    X(H, DURATION, idle, "idle", "DURATION",                                  \
      "close connections that are silent for this long; 60s")                 \
    X(H, NUMBER, watchers, "watchers", "COUNT",                               \
      "clients that watch keys at once; 256")                                 \
    X(H, DURATION, heartbeat, "heartbeat", "DURATION",                        \
      "how often they hear something in any case; 15s")                       \
    X(H, DURATION, timeout, "timeout", "DURATION",                            \
      "the time that a call has; 30s")                                        \
    X(H, NUMBER, fuel, "fuel", "COUNT",                                       \
      "the instructions that a call has")                                     \
    X(H, SIZE, memory, "memory", "BYTES", "the memory that a call has; 256M") \
    X(H, NUMBER, calls, "calls", "COUNT", "calls at once; 4096")              \
    X(H, NUMBER, calls_namespace, "namespace-calls", "COUNT",                 \
      "of one namespace; three quarters of them")                             \
    X(H, NUMBER, workers, "workers", "COUNT",                                 \
      "threads for calls that do not end at once; one per core")              \
    X(H, SIZE, module, "module-max", "BYTES", "the largest module; 64M")      \
    X(H, SIZE, input, "input-max", "BYTES", "the largest input; 16M")         \
    X(H, SIZE, output, "output-max", "BYTES", "the largest output; 16M")      \
    X(H, NUMBER, tables, "table-entries", "COUNT",                            \
      "entries of all tables of a sandbox; 100000")                           \
    X(H, SIZE, log_rate, "log-rate", "BYTES",                                 \
      "what all calls of a function may log in a second; 1M")                 \
    X(H, SIZE, value, "value-max", "BYTES", "the largest value; 64M")         \
    X(H, DURATION, drain, "drain", "DURATION",                                \
      "how long SIGTERM waits for what is under way; 10s")                    \
    X(H, FLAG, json, "json", NULL, "print the address as JSON")

struct serve_options {
    SERVE_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    SERVE_OPTIONS(OPTION_ROW, struct serve_options)
};

#define DRAIN_MS_DEFAULT 10000

/* Descriptors that are no connections: streams, the state, the functions. */
#define DESCRIPTORS_OWN 100

/* How many there may be of what each takes a descriptor. */
struct descriptors {
    unsigned connections;
    unsigned functions; /* their files and directories */
};

/* What serves; each is there once everything above it is. */
struct service {
    struct state_store *store;
    struct runtime *runtime;
    struct http_server *server;
    int audit_log; /* -1: there is no directory for one */
    struct descriptors descriptors;
};

/* Ends what is there, in reverse: each knows only what it stands on. */
static void
end_service(struct service *service)
{
    http_server_destroy(service->server);
    runtime_destroy(service->runtime);
    state_store_close(service->store);
    if (service->audit_log >= 0)
        close(service->audit_log);
}

/* Takes `127.0.0.1:8080`, `[::1]:8080` or `:8080` apart. */
static bool
parse_listen(const char *text, char address[HTTP_ADDRESS_SIZE],
             unsigned *port)
{
    const char *colon = strrchr(text, ':');
    char *end;

    if (!colon || colon[1] < '0' || colon[1] > '9')
        return false;
    unsigned long number = strtoul(colon + 1, &end, 10);
    if (*end || number > 65535)
        return false;
    size_t length = (size_t)(colon - text);
    if (length >= 2 && text[0] == '[' && text[length - 1] == ']') {
        text++;
        length -= 2;
    }
    if (length >= HTTP_ADDRESS_SIZE)
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    *port = (unsigned)number;
    return true;
}

/* What the runtime skipped in its directory is for the operator to see. */
static void
print_notice(void *data, const char *message)
{
    (void)data;
    fprintf(stderr, "glass serve: %s\n", message);
}

/* What changes the server is in the log, by whom and how it ended. */
static void
audit(void *data, const struct http_act *act)
{
    const struct service *service = data;

    audit_write(service->audit_log, act);
}

/*
 * libmicrohttpd found its own data broken. Going on could answer one client
 * with what belongs to another, so the process ends; a supervisor starts it
 * anew, and what was acknowledged is safe.
 */
static void
panic(void *data, const char *file, unsigned line, const char *reason)
{
    (void)data;
    fprintf(stderr, "glass serve: libmicrohttpd gives up: %s (%s:%u)\n",
            reason ? reason : "no reason", file, line);
    abort();
}

/*
 * Takes as many descriptors as the system grants, and finds out how many
 * connections (0: the default) and, where functions read files, of their files
 * that is enough for; says so when it is less than was wanted.
 */
static struct descriptors
fit_descriptors(unsigned connections, bool has_files)
{
    struct descriptors fit = {
        connections ? connections : HTTP_CONNECTIONS_DEFAULT,
        has_files ? RUNTIME_DESCRIPTORS_DEFAULT : 0,
    };
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
        return fit;
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    rlim_t granted = limit.rlim_max;
    /* Too many are refused as that. */
    if (granted == RLIM_INFINITY || connections > HTTP_CONNECTIONS_MAX ||
        granted >= (rlim_t)fit.connections + fit.functions + DESCRIPTORS_OWN)
        return fit;
    if (fit.functions > granted / 4)
        fit.functions = (unsigned)(granted / 4);
    rlim_t left = granted - fit.functions;
    left = left > DESCRIPTORS_OWN ? left - DESCRIPTORS_OWN : 1;
    if (fit.connections > left)
        fit.connections = (unsigned)left;
    fprintf(stderr, "glass serve: the system grants %llu descriptors: at most "
                    "%u connections",
            (unsigned long long)granted, fit.connections);
    if (has_files)
        fprintf(stderr, ", and %u files and directories of functions",
                fit.functions);
    fputc('\n', stderr);
    return fit;
}

/* What does not fit is over every limit, and is refused as that. */
static unsigned
narrow(uint64_t number)
{
    return number > UINT_MAX ? UINT_MAX : (unsigned)number;
}

/* Finds what --durability names; false after a complaint. */
static bool
find_durability(const char *name, enum state_durability *durability)
{
    static const struct {
        const char *name;
        enum state_durability durability;
    } names[] = {
        {"none", STATE_DURABILITY_NONE},
        {"behind", STATE_DURABILITY_BEHIND},
        {"sync", STATE_DURABILITY_SYNC},
    };

    *durability = STATE_DURABILITY_DEFAULT;
    if (name == NULL)
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i].name) == 0)
            *durability = names[i].durability;
    if (*durability != STATE_DURABILITY_DEFAULT)
        return true;
    command_fail(&cmd_serve, "--durability: none, behind or sync, not %s",
                 name);
    return false;
}

/* Opens the store and the runtime on it; false after a complaint. */
static bool
open_runtime(const struct serve_options *values, struct service *service)
{
    struct state_error state_err;
    struct runtime_error runtime_err;
    struct state_options state_options = {
        .url = values->state,
        .value_bytes_max = (size_t)values->value,
    };
    struct runtime_options runtime_options = {
        .data_dir = values->data,
        .files_dir = values->files,
        .secrets_file = values->secrets,
        .timeout_ms = values->timeout,
        .fuel = values->fuel,
        .memory_bytes = values->memory,
        .calls_max = narrow(values->calls),
        .namespace_calls_max = narrow(values->calls_namespace),
        .worker_count = narrow(values->workers),
        .module_bytes_max = (size_t)values->module,
        .input_bytes_max = (size_t)values->input,
        .output_bytes_max = (size_t)values->output,
        .table_entries_max = values->tables,
        .log_bytes_per_s = values->log_rate,
        .descriptors_max = service->descriptors.functions,
        .notice = print_notice,
    };

    if (!find_durability(values->durability, &state_options.durability))
        return false;
    if (state_store_open(&state_options, &service->store, &state_err) !=
        STATE_OK) {
        command_fail(&cmd_serve, "the state: %s", state_err.message);
        return false;
    }
    runtime_options.store = service->store;
    if (runtime_create(&runtime_options, &service->runtime, &runtime_err) !=
        RUNTIME_OK) {
        command_fail(&cmd_serve, "the runtime: %s", runtime_err.message);
        return false;
    }
    return true;
}

/* Starts to serve; false after a complaint. */
static bool
open_server(const struct serve_options *values, const char *address,
            unsigned port, struct service *service)
{
    struct http_error err;
    struct http_options http_options = {
        .runtime = service->runtime,
        .store = service->store,
        .address = *address ? address : NULL,
        .token_directory = values->data,
        .audit = values->data ? audit : NULL,
        .audit_data = service,
        .port = (uint16_t)port,
        .thread_count = narrow(values->threads),
        .connection_count_max = service->descriptors.connections,
        .idle_timeout_ms = narrow(values->idle),
        .watcher_count_max = narrow(values->watchers),
        .heartbeat_ms = narrow(values->heartbeat),
        .module_bytes_max = (size_t)values->module,
        .value_bytes_max = (size_t)values->value,
        .input_bytes_max = (size_t)values->input,
    };

    if (values->data)
        service->audit_log = audit_open(values->data);
    if (values->data && service->audit_log < 0) {
        command_fail(&cmd_serve, "audit.log: %s", strerror(errno));
        return false;
    }
    http_set_panic(panic, NULL);
    if (http_server_create(&http_options, &service->server, &err) == HTTP_OK)
        return true;
    command_fail(&cmd_serve, "%s", err.message);
    return false;
}

/* The one line of stdout: whoever waits for the server waits for it. */
static void
print_address(const struct serve_options *values,
              const struct http_server *server)
{
    if (values->json)
        printf("{\"url\":\"http://%s\",\"port\":%u,\"pid\":%ld}\n",
               http_server_address(server), http_server_port(server),
               (long)getpid());
    else
        printf("glass serve: ready at http://%s\n",
               http_server_address(server));
    fflush(stdout);
}

/* Those of before stay when it fails: the operator is told. */
static void
reload(struct http_server *server)
{
    struct http_error err;

    if (http_server_reload(server, &err) == HTTP_OK)
        fprintf(stderr, "glass serve: the tokens were read again\n");
    else
        fprintf(stderr, "glass serve: the tokens stay as they are: %s\n",
                err.message);
}

/* Waits for a signal that asks for the end, then drains. */
static int
wait_for_end(const struct serve_options *values, const sigset_t *signals,
             struct http_server *server)
{
    uint64_t drain_ms = values->drain ? values->drain : DRAIN_MS_DEFAULT;
    int number;

    while (sigwait(signals, &number) == 0 && number == SIGHUP)
        reload(server);
    /* From here on the second one has its usual effect; SIGHUP has none. */
    sigset_t deadly = *signals;
    sigdelset(&deadly, SIGHUP);
    pthread_sigmask(SIG_UNBLOCK, &deadly, NULL);
    enum http_status status = http_server_drain(
        server, narrow(drain_ms));
    if (status == HTTP_OK)
        return EXIT_DONE;
    fprintf(stderr, "glass serve: after %llu ms %s; they are cut off\n",
            (unsigned long long)drain_ms, http_status_text(status));
    /*
     * Destroying the server would wait for operations of the store until
     * their own timeout. Nothing is lost by not doing it: what was
     * acknowledged is where it belongs, and files are renamed into their
     * places.
     */
    fflush(NULL);
    _exit(EXIT_DONE);
}

static int
run(char **arguments)
{
    static struct words words;
    struct serve_options values = {0};
    struct service service = {.audit_log = -1};
    char address[HTTP_ADDRESS_SIZE] = "";
    unsigned port = 8080;
    sigset_t signals;
    int status = EXIT_FAILED;

    if (!options_parse("serve", options, cmd_serve.option_count, arguments,
                       &values, &words, NULL))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_usage(&cmd_serve, "'%s' is too much", words.items[0]);
    if (values.listen && !parse_listen(values.listen, address, &port))
        return command_usage(&cmd_serve, "'%s' is no ADDRESS:PORT",
                             values.listen);
    if (values.port) {
        char text[16];
        char ignored[HTTP_ADDRESS_SIZE];
        snprintf(text, sizeof(text), ":%s", values.port);
        if (!parse_listen(text, ignored, &port))
            return command_usage(&cmd_serve, "'%s' is no port", values.port);
    }
    /* All threads inherit the mask: only this one waits for the signals. */
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    sigaddset(&signals, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &signals, NULL);

    service.descriptors =
        fit_descriptors(narrow(values.connections), values.files != NULL);
    if (open_runtime(&values, &service) &&
        open_server(&values, address, port, &service)) {
        print_address(&values, service.server);
        status = wait_for_end(&values, &signals, service.server);
    }
    end_service(&service);
    return status;
}

const struct command cmd_serve = {
    .name = "serve",
    .synopsis = "[OPTION...]",
    .summary = "Serves functions and state over HTTP",
    .details =
        "One line says where it listens, once it is ready. Where --data has\n"
        "tokens (glass token), nobody is answered without one; otherwise it\n"
        "listens on a loopback address only. SIGHUP has them read again.\n"
        "SIGTERM and SIGINT let the calls under way end; then it exits with\n"
        "0.\n",
    .example = "  $ glass serve --listen 127.0.0.1:8080 --data ./data\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
