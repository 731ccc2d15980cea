/*
 * call.c - one invocation of a function: what is said of it before it starts,
 * and what the guest writes. How it runs is in call_run.c.
 *
 * One thread at a time uses a call.
 */
#include "runtime/call.h"

#include "runtime/digest.h"
#include "runtime/environment.h"
#include "runtime/error.h"
#include "runtime/internal.h"
#include "runtime/values.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- Creating and destroying -------------------------------------------- */

static bool
make_id(struct runtime_call *call)
{
    if (!runtime__random_fill(&call->runtime->random, call->id_bytes,
                              sizeof(call->id_bytes)))
        return false;
    runtime__digest_to_hex(call->id_bytes, sizeof(call->id_bytes), call->id);
    return true;
}

/* One more, unless there are as many as there may be. */
static bool
count_up(atomic_uint *count, unsigned max)
{
    if (atomic_fetch_add_explicit(count, 1, memory_order_relaxed) < max)
        return true;
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
    return false;
}

static void
count_down(atomic_uint *count)
{
    atomic_fetch_sub_explicit(count, 1, memory_order_relaxed);
}

/* Lets a call in, where both of its limits allow that. */
static enum runtime_status
admit(struct runtime_call *call, struct runtime_error *err)
{
    const struct runtime_options *options = &call->runtime->options;
    struct runtime__tenant *tenant = call->function->tenant;

    if (!count_up(&call->runtime->call_count, options->calls_max)) {
        runtime__error_set(err, RUNTIME_BUSY, "there are %u calls already",
                           options->calls_max);
        return runtime__error_name_limit(err, RUNTIME_BUSY, "calls");
    }
    if (!count_up(&tenant->call_count, options->namespace_calls_max)) {
        count_down(&call->runtime->call_count);
        runtime__error_set(err, RUNTIME_BUSY,
                           "the namespace has %u calls already",
                           options->namespace_calls_max);
        return runtime__error_name_limit(err, RUNTIME_BUSY,
                                         "namespace-calls");
    }
    call->is_admitted = true;
    return RUNTIME_OK;
}

static void
leave(struct runtime_call *call)
{
    if (!call->is_admitted)
        return;
    count_down(&call->function->tenant->call_count);
    count_down(&call->runtime->call_count);
}

enum runtime_status
runtime__call_create(struct runtime *runtime,
                     struct runtime_function *function, bool is_admitted,
                     struct runtime_call **call, struct runtime_error *err)
{
    struct runtime_call *created = calloc(1, sizeof(*created));
    enum runtime_status status = RUNTIME_OK;

    if (!created) {
        runtime_function_put(function);
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a call");
    }
    created->runtime = runtime;
    created->function = function;
    created->task.node.parent = &function->node;
    if (is_admitted)
        status = admit(created, err);
    if (status == RUNTIME_OK && !make_id(created))
        status = runtime__error_set(err, RUNTIME_SYSTEM,
                                    "no random bytes for a call");
    if (status != RUNTIME_OK) {
        runtime_call_destroy(created);
        return status;
    }
    *call = created;
    return RUNTIME_OK;
}

enum runtime_status
runtime_call_create(struct runtime *runtime, const char *namespace_,
                    const char *name, struct runtime_call **call,
                    struct runtime_error *err)
{
    struct runtime_function *function;
    enum runtime_status status =
        runtime_function_get(runtime, namespace_, name, &function, err);

    if (status != RUNTIME_OK)
        return status;
    return runtime__call_create(runtime, function, true, call, err);
}

/* Frees what the call has collected. */
static void
deinit(struct runtime_call *call)
{
    runtime__texts_deinit(&call->environment);
    runtime__texts_deinit(&call->program_arguments);
    runtime__texts_deinit(&call->program_environment);
    runtime__buffer_deinit(&call->input);
    runtime__buffer_deinit(&call->output);
    runtime__buffer_deinit(&call->log);
    free(call->export_name);
    free(call->arguments);
    free(call->failure);
    free(call->values);
}

void
runtime_call_destroy(struct runtime_call *call)
{
    if (!call)
        return;
    leave(call);
    runtime__chain_destroy(call->chain);
    runtime_function_put(call->function);
    deinit(call);
    free(call);
}

const char *
runtime_start_name(enum runtime_start start)
{
    switch (start) {
#define CASE(symbol, name)                                                    \
    case symbol:                                                              \
        return name;
        RUNTIME_START_MAP(CASE)
#undef CASE
    }
    return "unknown";
}

const char *
runtime_call_id(const struct runtime_call *call)
{
    return call->id;
}

const struct runtime_function *
runtime_call_function(const struct runtime_call *call)
{
    return call->function;
}

/* ---- Before it is started ----------------------------------------------- */

enum runtime_status
runtime_call_input_append(struct runtime_call *call, const void *bytes,
                          size_t length_bytes, struct runtime_error *err)
{
    size_t max = call->runtime->options.input_bytes_max;

    assert(!call->started);
    if (length_bytes > max - call->input.length_bytes)
        return runtime__error_set(err, RUNTIME_TOO_BIG,
                                  "the input is longer than %zu bytes", max);
    if (!runtime__buffer_append(&call->input, bytes, length_bytes))
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for an input");
    return RUNTIME_OK;
}

enum runtime_status
runtime_call_set_export(struct runtime_call *call, const char *name,
                        const char *const *arguments, size_t argument_count,
                        struct runtime_error *err)
{
    struct gvm_func_type type;
    union gvm_value *values;

    assert(!call->started);
    if (strlen(name) > RUNTIME_EXPORT_NAME_BYTES_MAX ||
        !runtime__module_find(call->function->module, name, &type))
        return runtime__error_set(err, RUNTIME_NOT_FOUND,
                                  "the module exports no function '%.100s'",
                                  name);
    enum runtime_status status =
        runtime__values_parse(&type, arguments, argument_count, &values, err);
    if (status != RUNTIME_OK)
        return status;
    char *copy = strdup(name);
    if (!copy) {
        free(values);
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for a name");
    }
    free(call->export_name);
    free(call->arguments);
    call->export_name = copy;
    call->arguments = values;
    return RUNTIME_OK;
}

enum runtime_status
runtime_call_set_request(struct runtime_call *call,
                         const struct runtime_request *request,
                         struct runtime_error *err)
{
    assert(!call->started);
    /* Nobody else reads them: faaslets have calls of their own for it. */
    if (call->function->module->kind != RUNTIME_COMMAND)
        return RUNTIME_OK;
    runtime__texts_deinit(&call->environment);
    call->has_request = true;
    return runtime__environment_append_request(&call->environment, request,
                                               err);
}

void
runtime_call_set_timeout_ms(struct runtime_call *call, uint64_t timeout_ms)
{
    call->timeout_ms = timeout_ms;
}

void
runtime_call_set_fuel(struct runtime_call *call, uint64_t fuel)
{
    call->fuel = fuel;
}

void
runtime_call_set_deferred(struct runtime_call *call)
{
    call->is_deferred = true;
}

/* ---- What the guest writes ---------------------------------------------- */

size_t
runtime__call_output_bytes_max(const struct runtime_call *call)
{
    return (size_t)runtime__lower(call->function->config->output_bytes,
                                  call->runtime->options.output_bytes_max);
}

enum runtime_status
runtime__call_write_output(struct runtime_call *call, const void *bytes,
                           size_t length_bytes)
{
    size_t max = runtime__call_output_bytes_max(call);

    if (length_bytes > max - call->output.length_bytes)
        return RUNTIME_LIMIT;
    return runtime__buffer_append(&call->output, bytes, length_bytes)
               ? RUNTIME_OK
               : RUNTIME_NO_MEMORY;
}

bool
runtime__call_may_log(struct runtime_call *call, size_t length_bytes)
{
    struct runtime_function *function = call->function;
    size_t room = RUNTIME_LOG_BYTES_MAX - call->log.length_bytes;

    /* What does not fit is not taken from others. */
    if (room > 0 &&
        runtime__rate_take(&function->log_rate,
                           runtime__lower(
                               function->config->log_bytes_per_s,
                               call->runtime->options.log_bytes_per_s),
                           length_bytes < room ? length_bytes : room,
                           runtime__wait_now_ns()))
        return true;
    call->log_bytes_dropped += length_bytes;
    return false;
}

void
runtime__call_write_log(struct runtime_call *call, const void *bytes,
                        size_t length_bytes)
{
    size_t room = RUNTIME_LOG_BYTES_MAX - call->log.length_bytes;
    size_t kept_bytes = length_bytes < room ? length_bytes : room;

    if (!runtime__buffer_append(&call->log, bytes, kept_bytes))
        kept_bytes = 0;
    call->log_bytes_dropped += length_bytes - kept_bytes;
}

static ptrdiff_t
read_input(void *data, void *buffer, size_t capacity_bytes)
{
    struct runtime_call *call = data;
    size_t left_bytes = call->input.length_bytes - call->input_offset;
    size_t count = left_bytes < capacity_bytes ? left_bytes : capacity_bytes;

    if (count > 0)
        memcpy(buffer, call->input.bytes + call->input_offset, count);
    call->input_offset += count;
    return (ptrdiff_t)count;
}

/*
 * What a command writes past the limit is an error to it; and to the caller
 * as well, since programs that do not look would give half an answer.
 */
static ptrdiff_t
write_output(void *data, const void *bytes, size_t length_bytes)
{
    struct runtime_call *call = data;
    enum runtime_status status =
        runtime__call_write_output(call, bytes, length_bytes);

    if (status == RUNTIME_OK)
        return (ptrdiff_t)length_bytes;
    call->output_status = status;
    return -EFBIG;
}

static ptrdiff_t
write_error(void *data, const void *bytes, size_t length_bytes)
{
    if (runtime__call_may_log(data, length_bytes))
        runtime__call_write_log(data, bytes, length_bytes);
    return (ptrdiff_t)length_bytes;
}

void
runtime__call_streams(struct runtime_call *call,
                      struct runtime_streams *streams)
{
    *streams = (struct runtime_streams){
        .data = call,
        .read_input = read_input,
        .write_output = write_output,
        .write_error = write_error,
    };
}
