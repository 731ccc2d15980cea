/*
 * call.h - one invocation of a function. See runtime.h.
 *
 * A call belongs to one thread at a time, but for its task, which is the
 * scheduler's. What it collects from its guest is in buffers that the host
 * functions append to (host_core.c) and the streams of WASI (call.c).
 */
#ifndef GLASS_RUNTIME_CALL_H
#define GLASS_RUNTIME_CALL_H

#include "runtime/buffer.h"
#include "runtime/chain.h"
#include "runtime/faaslet.h"
#include "runtime/function.h"
#include "runtime/runtime.h"
#include "runtime/scheduler.h"
#include "runtime/wasi.h"

enum { runtime__call_id_bytes = 16 };

struct runtime_call {
    struct runtime__task task;
    struct runtime *runtime;
    struct runtime_function *function; /* counted */
    uint8_t id_bytes[runtime__call_id_bytes];
    char id[RUNTIME_CALL_ID_SIZE];

    /* What the caller has set; zero: the function's own. */
    uint64_t timeout_ms;
    uint64_t fuel;
    struct runtime__texts environment;
    bool has_request;
    char *export_name; /* NULL: what the kind stands for */
    union gvm_value *arguments;

    struct runtime__buffer input;
    size_t input_offset; /* how far a command has read it */

    struct runtime__buffer output;
    /* Not RUNTIME_OK when a command could not write all that it wanted. */
    enum runtime_status output_status;

    struct runtime__buffer log;
    uint64_t log_bytes_dropped;

    /* What fail() said last. */
    bool failed;
    int32_t failure_code;
    char *failure; /* NULL: nothing, or there was no memory for it */

    bool is_admitted; /* counted in the runtime's calls */
    bool started;
    bool is_deferred; /* does not run inside runtime_call_start */

    /* From the start to the end, of the call and of what it runs in. */
    void (*complete)(struct runtime_call *call, void *data);
    void *complete_data;
    struct runtime__limits limits;
    struct runtime__faaslet *faaslet; /* NULL: it has none yet, or no more */
    struct runtime__texts program_arguments;
    struct runtime__texts program_environment;
    uint64_t begun_ns;
    uint64_t queued_ns; /* until its first step */
    uint64_t ready_ns;
    bool has_outlived; /* a slice */
    struct runtime__gate_place gate_place; /* at the function's */
    struct runtime__chain *chain; /* NULL: no call made it, and it made none */

    /* It initialises the function, and nobody else sees it. */
    bool initialises;
    bool has_asked_first; /* for such a call, at least once */
    /* It waits for such a call, in the function's list; or has, and how that
     * ended is its own result so far. Under the function's first_lock. */
    bool is_first_waiting;
    bool is_first_ended;
    struct runtime_call *next_first;

    struct runtime_value *values;
    struct runtime_result result;
};

/* A call of the function, whose reference it takes over, also on failure. */
enum runtime_status
runtime__call_create(struct runtime *runtime,
                     struct runtime_function *function, bool is_admitted,
                     struct runtime_call **call, struct runtime_error *err);

/* The streams of a command: its input, output and log. */
void
runtime__call_streams(struct runtime_call *call,
                      struct runtime_streams *streams);

/*
 * Sees to it that the function is initialised (call_first.c). SLICE: go on.
 * WAIT: the call will be woken. ENDED: that failed, and how is in the result.
 */
enum runtime__step
runtime__call_initialised(struct runtime_call *call);
/* A call that ends does not wait for that any more. */
void
runtime__call_leave_first(struct runtime_call *call);

/* What a call waits for has come; on any thread. */
void
runtime__call_wake(void *call);

/* What the scheduler does with calls. */
extern const struct runtime__scheduler_callbacks runtime__call_callbacks;

/* How long its output may become. */
size_t
runtime__call_output_bytes_max(const struct runtime_call *call);

/* Appends to the output, or returns RUNTIME_LIMIT or RUNTIME_NO_MEMORY. */
enum runtime_status
runtime__call_write_output(struct runtime_call *call, const void *bytes,
                           size_t length_bytes);

/* Whether the function may log so many bytes now; if not, they count as
 * dropped. Asked once for each line. */
bool
runtime__call_may_log(struct runtime_call *call, size_t length_bytes);

/* Appends to the log as much as fits, and counts the rest. */
void
runtime__call_write_log(struct runtime_call *call, const void *bytes,
                        size_t length_bytes);

#endif
