/*
 * call.h - one invocation of a function. See runtime.h.
 *
 * A call belongs to one thread at a time. What it collects from its guest is
 * in buffers that the host functions append to (host_core.c) and the streams
 * of WASI (call.c).
 */
#ifndef GLASS_RUNTIME_CALL_H
#define GLASS_RUNTIME_CALL_H

#include "runtime/buffer.h"
#include "runtime/function.h"
#include "runtime/runtime.h"
#include "runtime/wasi.h"

enum { runtime__call_id_bytes = 16 };

struct runtime_call {
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
    bool initialises; /* the function, for the calls to come */
    uint64_t deadline_ns; /* of the monotonic clock, once it runs */
    bool started;

    struct runtime_value *values;
    struct runtime_result result;
};

/* Appends to the output, or returns RUNTIME_LIMIT or RUNTIME_NO_MEMORY. */
enum runtime_status
runtime__call_write_output(struct runtime_call *call, const void *bytes,
                           size_t length_bytes);

/* Appends to the log as much as fits, and counts the rest. */
void
runtime__call_write_log(struct runtime_call *call, const void *bytes,
                        size_t length_bytes);

#endif
