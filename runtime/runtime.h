/*
 * libglass-runtime: functions compiled to WebAssembly, kept by namespace and
 * name, and called with bytes or numbers, each call in a sandbox of its own.
 *
 * A *function* is a module that has been deployed under a name. A *call* is
 * one invocation of it: input goes in, the call is started, and the result
 * comes out. A module that is run once, without any of this, is a *program*:
 * runtime/program.h.
 *
 *     struct runtime_call *call;
 *     enum runtime_status status =
 *         runtime_call_create(runtime, "default", "hello", &call, &err);
 *     if (status == RUNTIME_OK)
 *         status = runtime_call_input_append(call, "you", 3, &err);
 *     if (status == RUNTIME_OK)
 *         status = runtime_call_start(call, wake_me, NULL);
 *     if (status == RUNTIME_PENDING)
 *         wait_until_wake_me_was_called();
 *     const struct runtime_result *result = runtime_call_result(call);
 *     if (result->status == RUNTIME_OK)
 *         use(result->output, result->output_bytes);
 *     runtime_call_destroy(call);
 *
 * What holds for every function here:
 * - Any thread may call it at any time, unless it says otherwise. One call
 *   belongs to one thread at a time.
 * - It never prints, exits, or throws away an error.
 * - Strings end with a zero and, unless it says otherwise, are copied.
 * - Outputs are set on success only. `err` may be null; it is filled on
 *   failure.
 * - Whatever has a `destroy` or a `put` takes NULL too.
 */
#ifndef GLASS_RUNTIME_H
#define GLASS_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/configuration.h"
#include "runtime/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How something ended: symbol, name, text. From TRAP to OUT_OF_MEMORY it is
 * the guest that ended so; before and after, it did not get that far. The
 * numbers are those of the order here and may change between versions.
 */
#define RUNTIME_STATUS_MAP(X)                                                 \
    X(RUNTIME_OK, "ok", "done")                                               \
    X(RUNTIME_PENDING, "pending", "not finished yet")                         \
    X(RUNTIME_NOT_FOUND, "not-found", "there is no such thing")               \
    X(RUNTIME_CONFLICT, "conflict", "the condition does not hold")            \
    X(RUNTIME_INVALID, "invalid", "the request makes no sense")               \
    X(RUNTIME_MALFORMED, "malformed", "this is no valid WebAssembly module")  \
    X(RUNTIME_UNLINKABLE, "unlinkable",                                       \
      "the module needs an import that there is not")                         \
    X(RUNTIME_TOO_BIG, "too-big", "more bytes than the limit allows")         \
    X(RUNTIME_LIMIT, "limit", "a limit is reached")                           \
    X(RUNTIME_BUSY, "busy", "too much is going on at once")                   \
    X(RUNTIME_TRAP, "trap", "the function trapped")                           \
    X(RUNTIME_EXHAUSTED, "exhausted", "the function's stack is exhausted")    \
    X(RUNTIME_FAILED, "failed", "the function said that it failed")           \
    X(RUNTIME_EXITED, "exited", "the program's exit code is not 0")           \
    X(RUNTIME_OUT_OF_FUEL, "out-of-fuel", "the fuel is used up")              \
    X(RUNTIME_TIMEOUT, "timeout", "the deadline has passed")                  \
    X(RUNTIME_CANCELLED, "cancelled", "the call was cancelled")               \
    X(RUNTIME_OUT_OF_MEMORY, "out-of-memory",                                 \
      "the function needs more memory than it may have")                      \
    X(RUNTIME_SYSTEM, "system", "the operating system refused")               \
    X(RUNTIME_NO_MEMORY, "no-memory", "this machine is out of memory")

enum runtime_status {
#define RUNTIME_STATUS_SYMBOL(symbol, name, text) symbol,
    RUNTIME_STATUS_MAP(RUNTIME_STATUS_SYMBOL)
#undef RUNTIME_STATUS_SYMBOL
};

/* The status's short name, "not-found"; "unknown" for any other number. */
const char *
runtime_status_name(enum runtime_status status);

/* One clause for people. Neither string is ever freed. */
const char *
runtime_status_text(enum runtime_status status);

#define RUNTIME_NO_FUNCTION UINT32_MAX
#define RUNTIME_NO_OFFSET UINT64_MAX

/*
 * Details of a failure, in memory of the caller's. `message` is one line
 * without a full stop, always terminated and without secrets; it names the
 * function when the module does.
 */
struct runtime_error {
    enum runtime_status status;

    /* The kind of a trap, "integer divide by zero"; else null. Not freed. */
    const char *trap;

    /*
     * Which limit a call has reached: "calls", "namespace-calls",
     * "concurrency", "queue", "queue_ms", "descriptors", "fuel", "deadline",
     * "memory" or "output"; else null. Not freed.
     */
    const char *limit;

    /* An index in the module's functions, or RUNTIME_NO_FUNCTION. */
    uint32_t function;

    /* Bytes from the start of the module, or RUNTIME_NO_OFFSET. */
    uint64_t offset;

    char message[RUNTIME_MESSAGE_SIZE];
};

/* ---- The runtime ------------------------------------------------------ */

struct runtime;
struct state_store;

/* How accesses of guests to their memory are kept inside it. */
enum runtime_bounds {
    RUNTIME_BOUNDS_DEFAULT, /* GUARD where it is supported */
    RUNTIME_BOUNDS_EXPLICIT,
    RUNTIME_BOUNDS_GUARD, /* see gvm_guard_install: it handles SIGSEGV */
};

/* How to create a runtime; a field of zero means the default of limits.h. */
struct runtime_options {
    /*
     * The directory that keeps the functions; it is made when it is missing,
     * and one process at a time may use it. Null: they are forgotten.
     */
    const char *data_dir;

    /*
     * The state that functions share, or null: those that import a function
     * of the group `state` are then unlinkable. It must be closed later than
     * the runtime is destroyed. Not owned.
     */
    struct state_store *store;

    /*
     * The directory of which parts can be given to functions, to be read.
     * Null: they are given none. It needs openat2(2), Linux 5.6.
     */
    const char *files_dir;

    /*
     * A JSON file with the secrets that functions can be granted, by
     * namespace and name: {"default": {"mail-password": "x"}}. It is read
     * once. Null: there are none.
     */
    const char *secrets_file;

    enum runtime_bounds bounds;

    /* What one call may use unless its function's configuration differs. */
    uint64_t timeout_ms;
    uint64_t fuel;
    uint64_t memory_bytes;

    /* How far a configuration may raise those. Zero: their ceilings. */
    uint64_t timeout_ms_max;
    uint64_t fuel_max;
    uint64_t memory_bytes_max;

    size_t module_bytes_max;
    size_t input_bytes_max;
    size_t output_bytes_max;

    /* Entries of all tables of a sandbox, and what all calls of a function
     * may write into their logs in a second. */
    uint64_t table_entries_max;
    uint64_t log_bytes_per_s;

    /* Directories and files that all functions together have open at once. */
    unsigned descriptors_max;

    unsigned calls_max;

    /* How long the results of calls are kept that nobody waits for. */
    uint64_t kept_ms;

    /* Of one namespace; zero: three quarters of all, so that there is always
     * room for the others. */
    unsigned namespace_calls_max;

    /* Threads for what does not end at once; zero: one per core. */
    unsigned worker_count;

    /*
     * Told, in one line, what was skipped in `data_dir` because it is
     * damaged, what is lower than asked for because the system has no more to
     * give, and that others can read `secrets_file`; only during
     * runtime_create, on its thread. May be null.
     */
    void (*notice)(void *notice_data, const char *message);
    void *notice_data;
};

/*
 * Creates a runtime with the functions that `data_dir` keeps. `options` may
 * be null; it is copied. What is damaged there is skipped and left alone.
 *
 * Returns RUNTIME_INVALID for options or secrets that make no sense,
 * RUNTIME_LIMIT or RUNTIME_TOO_BIG for too many secrets, RUNTIME_NOT_FOUND when
 * their file is not there, RUNTIME_BUSY when another process uses the
 * directory, RUNTIME_SYSTEM when it cannot be used, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_create(const struct runtime_options *options,
               struct runtime **runtime, struct runtime_error *err);

/*
 * Destroys it. Its calls must have been destroyed and its functions put
 * back, and no other thread may use it any more.
 */
void
runtime_destroy(struct runtime *runtime);

/* Numbers for people and metrics, read at once but not all at one time. */
struct runtime_statistics {
    uint64_t function_count;
    uint64_t call_count;    /* that exist now */
    uint64_t started_count; /* since the runtime was created */
    uint64_t parked_count;  /* calls that are pending */
    uint64_t idle_count;    /* faaslets that wait for a call */
    uint64_t denied_count;  /* accesses that were not granted, ever */
    bool guard; /* whether guard pages bound the guests' memories */
};

void
runtime_statistics(struct runtime *runtime,
                   struct runtime_statistics *statistics);

/*
 * Whether `name` can be the name of a function, and of a namespace:
 * `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`. Null cannot.
 */
bool
runtime_name_is_valid(const char *name);

/* ---- Functions -------------------------------------------------------- */

struct runtime_function;

/* What a module's exports make of it: symbol and name. */
#define RUNTIME_KIND_MAP(X)                                                   \
    X(RUNTIME_FAASLET, "faaslet") /* glass_handle: () -> i32 */               \
    X(RUNTIME_COMMAND, "command") /* _start: () -> () */                      \
    X(RUNTIME_EXPORTS, "exports") /* functions of numbers, called by name */

enum runtime_kind {
#define RUNTIME_KIND_SYMBOL(symbol, name) symbol,
    RUNTIME_KIND_MAP(RUNTIME_KIND_SYMBOL)
#undef RUNTIME_KIND_SYMBOL
};

const char *
runtime_kind_name(enum runtime_kind kind);

/*
 * Reads a configuration from the `length_bytes` bytes of a JSON object:
 * `timeout_ms`, `fuel`, `memory_bytes`, `concurrency`, `queue`, `queue_ms`
 * (numbers), `reuse` ("fresh" or "warm"),
 * `env` (an object of strings), `dirs` (an object: what the guest calls it,
 * and the directory) and `grants` (an object of arrays of strings, named as in
 * struct runtime_grants), none of them required. Another member is
 * RUNTIME_INVALID, as is what is no JSON; err names it. `config` is one
 * block: free() it.
 */
enum runtime_status
runtime_config_parse(const char *json, size_t length_bytes,
                     struct runtime_config **config,
                     struct runtime_error *err);

/* What must hold for a deployment or a deletion to happen. */
enum runtime_condition {
    RUNTIME_ALWAYS,
    RUNTIME_IF_ABSENT,
    RUNTIME_IF_PRESENT,
    RUNTIME_IF_DIGEST, /* the function has the digest `digest_expected` */
};

/* SHA-256 of the module, in lower case hexadecimal, with the final zero. */
#define RUNTIME_DIGEST_SIZE 65

/* What to deploy. Nothing here is kept. */
struct runtime_deployment {
    const char *namespace_;
    const char *name;
    const uint8_t *module;
    size_t module_bytes;

    /* Null: that of the version before, or else the defaults. */
    const struct runtime_config *config;

    enum runtime_condition condition;
    const char *digest_expected; /* for RUNTIME_IF_DIGEST */
};

/*
 * Deploys a module: checks it whole, links it, initialises it once and keeps
 * what calls will begin with, writes it down, and publishes it in one step.
 * Calls under way finish on the version they began with. Deploying what is
 * there already, module and configuration, changes nothing and is RUNTIME_OK.
 *
 * `created` (may be null) says whether the name is new. `function` (may be
 * null) is what is deployed now: put it back.
 *
 * Returns RUNTIME_INVALID (a name, or the configuration), RUNTIME_TOO_BIG,
 * RUNTIME_MALFORMED (err has the byte offset), RUNTIME_UNLINKABLE (err names
 * the import), RUNTIME_LIMIT, RUNTIME_CONFLICT, whatever the initialisation
 * ended with (RUNTIME_TRAP, RUNTIME_TIMEOUT...), RUNTIME_BUSY (initialising
 * is a call), RUNTIME_SYSTEM or RUNTIME_NO_MEMORY; nothing has changed then.
 */
enum runtime_status
runtime_function_deploy(struct runtime *runtime,
                        const struct runtime_deployment *deployment,
                        struct runtime_function **function, bool *created,
                        struct runtime_error *err);

/*
 * Removes a function; calls under way finish. Returns RUNTIME_NOT_FOUND,
 * RUNTIME_CONFLICT (`digest_expected` is not null and not its digest),
 * RUNTIME_INVALID (a name) or RUNTIME_SYSTEM.
 */
enum runtime_status
runtime_function_delete(struct runtime *runtime, const char *namespace_,
                        const char *name, const char *digest_expected,
                        struct runtime_error *err);

/*
 * Finds a function as it is now. It stays as it is until it is put back, even
 * when another version is deployed meanwhile. Returns RUNTIME_NOT_FOUND or
 * RUNTIME_INVALID (a name).
 */
enum runtime_status
runtime_function_get(struct runtime *runtime, const char *namespace_,
                     const char *name, struct runtime_function **function,
                     struct runtime_error *err);

void
runtime_function_put(struct runtime_function *function);

/* What is known of a function; all of it lives as long as the function. */
struct runtime_function_info {
    const char *namespace_;
    const char *name;
    enum runtime_kind kind;
    const char *digest;
    const uint8_t *module;
    size_t module_bytes;

    /* 1 when the name was new, then one more with every deployment. */
    uint64_t version;

    /* Milliseconds since 1970 (UTC). */
    uint64_t deployed_ms;

    /* As deployed: a zero is the runtime's own. */
    const struct runtime_config *config;
};

void
runtime_function_info(const struct runtime_function *function,
                      struct runtime_function_info *info);

/* A page of a listing. `functions` are `count` functions in name order. */
struct runtime_function_page {
    struct runtime_function **functions;
    size_t count;
    bool more; /* the last name is then the cursor that goes on */
};

/*
 * Lists the functions of a namespace whose names begin with `prefix` and come
 * after `cursor` (each may be null), at most `limit_count` of them (0:
 * RUNTIME_LIST_ITEMS_DEFAULT). Returns RUNTIME_INVALID or RUNTIME_NO_MEMORY;
 * a namespace that nobody has used is empty.
 */
enum runtime_status
runtime_function_list(struct runtime *runtime, const char *namespace_,
                      const char *prefix, const char *cursor,
                      size_t limit_count, struct runtime_function_page *page,
                      struct runtime_error *err);

/* Puts the page's functions back; a page of zeros does nothing. */
void
runtime_function_page_deinit(struct runtime_function_page *page);

/* ---- Calls ------------------------------------------------------------ */

struct runtime_call;

/* 128 random bits in hexadecimal, with the final zero. */
#define RUNTIME_CALL_ID_SIZE 33

/*
 * Begins a call of a function as it is now. Returns RUNTIME_NOT_FOUND,
 * RUNTIME_INVALID (a name), RUNTIME_BUSY (try again later), RUNTIME_SYSTEM or
 * RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_call_create(struct runtime *runtime, const char *namespace_,
                    const char *name, struct runtime_call **call,
                    struct runtime_error *err);

/* Not while it is pending. The result goes with it. */
void
runtime_call_destroy(struct runtime_call *call);

/* Never null; live as long as the call. */
const char *
runtime_call_id(const struct runtime_call *call);
const struct runtime_function *
runtime_call_function(const struct runtime_call *call);

/* -- Before it is started: -- */

/*
 * Appends to the input: stdin of a command. Returns RUNTIME_TOO_BIG, with
 * nothing appended, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_call_input_append(struct runtime_call *call, const void *bytes,
                          size_t length_bytes, struct runtime_error *err);

/*
 * Chooses an export to call, with arguments as text, instead of what the kind
 * stands for; for a function of kind RUNTIME_EXPORTS it has to be done. i32
 * and i64 are decimal or 0x and hexadecimal, anywhere in the signed or the
 * unsigned range; f32 and f64 as strtod reads them in the C locale.
 *
 * Returns RUNTIME_NOT_FOUND (no such function exported), RUNTIME_INVALID (err
 * says which argument and why, or that a type cannot be given as text) or
 * RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_call_set_export(struct runtime_call *call, const char *name,
                        const char *const *arguments, size_t argument_count,
                        struct runtime_error *err);

struct runtime_header {
    const char *name;
    const char *value;
};

/* The HTTP request behind a call, as far as there is one; null: unknown. */
struct runtime_request {
    const char *method;
    const char *path;  /* PATH_INFO */
    const char *query; /* QUERY_STRING, without the question mark */
    const struct runtime_header *headers;
    size_t header_count;
};

/*
 * Gives a command its CGI variables (RFC 3875): REQUEST_METHOD, PATH_INFO,
 * QUERY_STRING, CONTENT_TYPE, CONTENT_LENGTH (of the input, as it is when the
 * call starts) and HTTP_* for the other headers, but for Proxy. Header fields
 * of the same name are joined by ", ". Returns RUNTIME_LIMIT when it is more
 * than RUNTIME_ENVIRONMENT_BYTES_MAX, or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime_call_set_request(struct runtime_call *call,
                         const struct runtime_request *request,
                         struct runtime_error *err);

/*
 * Lowers the call's limits; what is above the function's own counts as that.
 * Zero means the function's own.
 */
void
runtime_call_set_timeout_ms(struct runtime_call *call, uint64_t timeout_ms);
void
runtime_call_set_fuel(struct runtime_call *call, uint64_t fuel);

/* Has runtime_call_start return RUNTIME_PENDING and run nothing of it. */
void
runtime_call_set_deferred(struct runtime_call *call);

/* -- Then: -- */

/*
 * Starts the call, once, and runs it for a slice (RUNTIME_SLICE_FUEL). Returns
 * how it ended, which is also the status of its result; `complete` is not
 * called then. Or it did not end, because it takes longer or has to wait: that
 * is RUNTIME_PENDING, and the rest of it is done on threads of the runtime's.
 * Then `complete` is called exactly once, on any thread, under no lock,
 * possibly before this returns, and until then the call must not be touched
 * but by runtime_call_cancel. `complete` may destroy the call; it must not
 * block.
 */
enum runtime_status
runtime_call_start(struct runtime_call *call,
                   void (*complete)(struct runtime_call *call, void *data),
                   void *data);

/* The same, but waits for the end. Not inside `complete`. */
enum runtime_status
runtime_call_run(struct runtime_call *call);

/*
 * Ends a pending call soon, as RUNTIME_CANCELLED: at once when it waits, after
 * its slice when it runs. `complete` is called as ever. It may end in its own
 * way before that, and who cancels sees to it that the call is not destroyed
 * meanwhile. Any thread.
 */
void
runtime_call_cancel(struct runtime_call *call);

/* A result of a plain export. */
struct runtime_value {
    const char *type; /* "i32", "i64", "f32", "f64"; not freed */

    /*
     * Integers in signed decimal; floats by the fewest digits that read back
     * as the same number, or "nan", "inf", "-inf", which JSON does not know.
     */
    char text[RUNTIME_VALUE_TEXT_SIZE];
};

/* What a call began with: symbol and name. */
#define RUNTIME_START_MAP(X)                                                  \
    X(RUNTIME_START_NONE, "none") /* it did not get that far */               \
    X(RUNTIME_START_COLD, "cold") /* the function was initialised for it */   \
    X(RUNTIME_START_SNAPSHOT, "snapshot") /* as it was initialised before */  \
    X(RUNTIME_START_WARM, "warm") /* as another call left it */

enum runtime_start {
#define RUNTIME_START_SYMBOL(symbol, name) symbol,
    RUNTIME_START_MAP(RUNTIME_START_SYMBOL)
#undef RUNTIME_START_SYMBOL
};

const char *
runtime_start_name(enum runtime_start start);

/* How a call ended. */
struct runtime_result {
    enum runtime_status status;

    /* What went wrong; its message is what fail() said, for RUNTIME_FAILED. */
    struct runtime_error error;

    /* RUNTIME_FAILED: the function's code; RUNTIME_EXITED: the exit code. */
    int32_t code;

    /* What was written until the end, whatever the end was. Never null. */
    const uint8_t *output;
    size_t output_bytes;

    /* Of an export that was called by name. */
    const struct runtime_value *values;
    size_t value_count;

    /*
     * Lines for the operator, "info: text", or what a command's stderr said.
     * Never null; no zero behind them.
     */
    const char *log;
    size_t log_bytes;
    uint64_t log_bytes_dropped;

    enum runtime_start start;
    uint64_t fuel_used;    /* what initialised the function is not counted */
    uint64_t memory_bytes; /* of linear memory, in the end */

    /* How long it took: until its turn came, when it was deferred; to get a
     * sandbox; to run, with all its waiting. */
    uint64_t queue_ns;
    uint64_t init_ns;
    uint64_t run_ns;
};

/* The result of a call that has ended; it lives as long as the call. */
const struct runtime_result *
runtime_call_result(const struct runtime_call *call);

#ifdef __cplusplus
}
#endif

#endif
