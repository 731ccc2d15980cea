/*
 * call.c - one invocation of a function, from the first byte of its input to
 * the last of its result.
 *
 * The way of a call: a sandbox comes from the function's pool; the export
 * that its kind stands for, or that was chosen, runs in slices; what it left
 * behind is read; the sandbox goes back. It all happens in runtime_call_start,
 * on the caller's thread, which also waits for the state (wait.c).
 *
 * Initialising a function is a call as well, which nobody else sees: what the
 * guest writes in it is lost, and its sandbox is frozen. It happens at the
 * deployment, or at the first call after a restart that found no snapshot.
 *
 * One thread at a time uses a call.
 */
#include "runtime/call.h"

#include "runtime/digest.h"
#include "runtime/directory.h"
#include "runtime/environment.h"
#include "runtime/error.h"
#include "runtime/faaslet.h"
#include "runtime/internal.h"
#include "runtime/values.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
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

/* One call more, unless there are as many as there may be. */
static bool
admit(struct runtime *runtime)
{
    unsigned before = atomic_fetch_add_explicit(&runtime->call_count, 1,
                                                memory_order_relaxed);

    if (before < runtime->options.calls_max)
        return true;
    atomic_fetch_sub_explicit(&runtime->call_count, 1, memory_order_relaxed);
    return false;
}

static void
leave(struct runtime *runtime)
{
    atomic_fetch_sub_explicit(&runtime->call_count, 1, memory_order_relaxed);
}

/* Takes over the reference of `function`, also on failure. */
static enum runtime_status
create(struct runtime *runtime, struct runtime_function *function,
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
    created->is_admitted = admit(runtime);
    if (!created->is_admitted)
        status = runtime__error_set(err, RUNTIME_BUSY,
                                    "there are %u calls already",
                                    runtime->options.calls_max);
    else if (!make_id(created))
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
    return create(runtime, function, call, err);
}

/* Frees what the call has collected. */
static void
deinit(struct runtime_call *call)
{
    runtime__texts_deinit(&call->environment);
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
    if (call->is_admitted)
        leave(call->runtime);
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

/* ---- What the guest writes ---------------------------------------------- */

enum runtime_status
runtime__call_write_output(struct runtime_call *call, const void *bytes,
                           size_t length_bytes)
{
    size_t max = call->runtime->options.output_bytes_max;

    if (length_bytes > max - call->output.length_bytes)
        return RUNTIME_LIMIT;
    return runtime__buffer_append(&call->output, bytes, length_bytes)
               ? RUNTIME_OK
               : RUNTIME_NO_MEMORY;
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
    runtime__call_write_log(data, bytes, length_bytes);
    return (ptrdiff_t)length_bytes;
}

/* ---- Running ------------------------------------------------------------ */

/* The smallest of the three that is not zero; the last one never is. */
static uint64_t
lowest(uint64_t of_call, uint64_t of_function, uint64_t max)
{
    uint64_t value = of_function && of_function < max ? of_function : max;

    return of_call && of_call < value ? of_call : value;
}

static void
choose_limits(const struct runtime_call *call, uint64_t now_ns,
              struct runtime__limits *limits)
{
    const struct runtime_options *options = &call->runtime->options;
    const struct runtime_config *config = call->function->config;
    uint64_t timeout_ms = lowest(
        call->timeout_ms, config->timeout_ms,
        config->timeout_ms ? options->timeout_ms_max : options->timeout_ms);

    limits->fuel =
        lowest(call->fuel, config->fuel,
               config->fuel ? options->fuel_max : options->fuel);
    limits->memory_bytes = runtime__memory_bytes(call->runtime, config);
    limits->deadline_ns = now_ns + timeout_ms * 1000000u;
}

/* The texts that a program reads; they stay with the caller. */
static enum runtime_status
make_texts(const struct runtime_call *call, struct runtime__texts *arguments,
           struct runtime__texts *environment, struct runtime_error *err)
{
    const struct runtime_config *config = call->function->config;
    char length[24];
    struct runtime_variable content_length = {"CONTENT_LENGTH", length};

    if (!call->function->module->uses_wasi)
        return RUNTIME_OK; /* nobody will ask */
    if (!runtime__texts_append(arguments, call->function->name, NULL, NULL))
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for arguments");
    enum runtime_status status = runtime__environment_append(
        environment, config->variables, config->variable_count, err);
    if (status == RUNTIME_OK && call->has_request) {
        snprintf(length, sizeof(length), "%zu", call->input.length_bytes);
        status = runtime__environment_append_texts(
            environment, &call->environment, err);
        if (status == RUNTIME_OK)
            status = runtime__environment_append(environment,
                                                 &content_length, 1, err);
    }
    return status;
}

static enum runtime_status
attach(struct runtime_call *call, struct runtime__faaslet *faaslet,
       const struct runtime__texts *arguments,
       const struct runtime__texts *environment, struct runtime_error *err)
{
    faaslet->call = call;
    faaslet->store = call->runtime->options.store;
    faaslet->namespace_ = call->function->namespace_;
    faaslet->wasi.arguments = arguments;
    faaslet->wasi.environment = environment;
    faaslet->wasi.streams = (struct runtime_streams){
        .data = call,
        .read_input = read_input,
        .write_output = write_output,
        .write_error = write_error,
    };
    return runtime__directory_give(call->runtime->files_root,
                                   call->function->config, &faaslet->wasi,
                                   err);
}

/* Runs what was chosen or what the kind stands for, and reads its results. */
static enum runtime_status
run_export(struct runtime_call *call, struct runtime__faaslet *faaslet,
           struct runtime_error *err)
{
    static const char *const names[] = {
        [RUNTIME_FAASLET] = "glass_handle",
        [RUNTIME_COMMAND] = "_start",
    };
    enum runtime_kind kind = call->function->module->kind;
    bool chosen = call->export_name != NULL;
    const union gvm_value *results;
    struct gvm_func_type type;

    if (!chosen && kind == RUNTIME_EXPORTS)
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "the function has plain exports: one has to be chosen");
    const char *name = chosen ? call->export_name : names[kind];
    enum runtime_status status = runtime__faaslet_run(
        faaslet, name, call->arguments, &results, err);
    if (status != RUNTIME_OK)
        return status;
    if (chosen) {
        runtime__module_find(call->function->module, name, &type);
        call->values = runtime__values_format(&type, results);
        if (!call->values)
            return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                      "out of memory for results");
        call->result.value_count = type.result_count;
    } else if (kind == RUNTIME_FAASLET && results[0].i32 != 0 &&
               !call->failed) {
        call->failed = true;
        call->failure_code = (int32_t)results[0].i32;
    }
    return RUNTIME_OK;
}

/* What the end means to the caller, beyond how the guest ended. */
static enum runtime_status
judge(struct runtime_call *call, const struct runtime__faaslet *faaslet,
      enum runtime_status status, struct runtime_error *err)
{
    struct runtime_result *result = &call->result;

    if (status == RUNTIME_EXITED) {
        result->code = faaslet->wasi.exit_code;
        if (result->code == 0)
            status = RUNTIME_OK;
    }
    if (status == RUNTIME_OK && call->failed) {
        result->code = call->failure_code;
        if (call->failure)
            return runtime__error_set(err, RUNTIME_FAILED, "%s",
                                      call->failure);
        return runtime__error_set(err, RUNTIME_FAILED,
                                  "the function failed with the code %d",
                                  (int)result->code);
    }
    if (status == RUNTIME_OK && call->output_status == RUNTIME_NO_MEMORY)
        return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                  "out of memory for an output");
    if (status == RUNTIME_OK && call->output_status == RUNTIME_LIMIT)
        return runtime__error_set(
            err, RUNTIME_LIMIT, "the output is longer than %zu bytes",
            call->runtime->options.output_bytes_max);
    return status;
}

/* Runs what initialises, and keeps what comes of it for the calls to come. */
static enum runtime_status
initialise(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime_function *function = call->function;
    struct runtime__limits limits;
    struct runtime__texts arguments = {0};
    struct runtime__texts environment = {0};
    struct runtime__faaslet *faaslet = NULL;
    struct gvm_snapshot *snapshot;

    call->initialises = true;
    choose_limits(call, runtime__wait_now_ns(), &limits);
    call->deadline_ns = limits.deadline_ns;
    enum runtime_status status =
        make_texts(call, &arguments, &environment, err);
    if (status == RUNTIME_OK)
        status = runtime__faaslet_create(call->runtime->engine,
                                         function->module, &limits, &faaslet,
                                         err);
    if (status == RUNTIME_OK)
        status = attach(call, faaslet, &arguments, &environment, err);
    if (status == RUNTIME_OK) {
        status = runtime__faaslet_initialise(faaslet, err);
        status = judge(call, faaslet, status, err);
    }
    if (status == RUNTIME_OK)
        status = runtime__faaslet_freeze(faaslet, &snapshot, err);
    runtime__faaslet_destroy(faaslet);
    if (status == RUNTIME_OK)
        runtime__pool_set_snapshot(&function->pool, snapshot);
    runtime__texts_deinit(&arguments);
    runtime__texts_deinit(&environment);
    return status;
}

/* From the pool; the first call after a restart initialises the function,
 * under the function's own limits. */
static enum runtime_status
get_faaslet(struct runtime_call *call, const struct runtime__limits *limits,
            struct runtime__faaslet **faaslet, struct runtime_error *err)
{
    struct runtime *runtime = call->runtime;
    struct runtime_function *function = call->function;
    enum runtime_start start = RUNTIME_START_SNAPSHOT;
    enum runtime_status status = RUNTIME_OK;

    if (!runtime__pool_snapshot(&function->pool)) {
        struct runtime_call first = {.runtime = runtime,
                                     .function = function};
        if (!make_id(&first))
            return runtime__error_set(err, RUNTIME_SYSTEM,
                                      "no random bytes for a call");
        status = initialise(&first, err);
        deinit(&first);
        start = RUNTIME_START_COLD;
        if (status == RUNTIME_OK)
            runtime__deploy_keep_snapshot(runtime, function);
    }
    if (status == RUNTIME_OK)
        status = runtime__pool_get(&function->pool, runtime->engine,
                                   function->module, limits, faaslet, err);
    if (status == RUNTIME_OK)
        call->result.start =
            (*faaslet)->is_warm ? RUNTIME_START_WARM : start;
    return status;
}

/* Fills all of the result but its status. */
static enum runtime_status
run(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime_result *result = &call->result;
    struct runtime__limits limits;
    struct runtime__texts arguments = {0};
    struct runtime__texts environment = {0};
    struct runtime__faaslet *faaslet = NULL;
    uint64_t begun_ns = runtime__wait_now_ns();
    bool keeps_memory = false;

    choose_limits(call, begun_ns, &limits);
    call->deadline_ns = limits.deadline_ns;
    enum runtime_status status =
        make_texts(call, &arguments, &environment, err);
    if (status == RUNTIME_OK)
        status = get_faaslet(call, &limits, &faaslet, err);
    if (status == RUNTIME_OK)
        status = attach(call, faaslet, &arguments, &environment, err);
    if (status != RUNTIME_OK)
        goto done;
    uint64_t ready_ns = runtime__wait_now_ns();
    result->init_ns = ready_ns - begun_ns;
    status = runtime__faaslet_restored(faaslet, err);
    if (status == RUNTIME_OK)
        status = run_export(call, faaslet, err);
    result->run_ns = runtime__wait_now_ns() - ready_ns;
    status = judge(call, faaslet, status, err);
    result->fuel_used = runtime__faaslet_fuel_used(faaslet);
    result->memory_bytes = runtime__faaslet_memory_bytes(faaslet);
    keeps_memory = status == RUNTIME_OK &&
                   call->function->config->reuse == RUNTIME_REUSE_WARM;
done:
    runtime__pool_put(&call->function->pool, faaslet, keeps_memory);
    runtime__texts_deinit(&arguments);
    runtime__texts_deinit(&environment);
    return status;
}

enum runtime_status
runtime_call_start(struct runtime_call *call,
                   void (*complete)(struct runtime_call *call, void *data),
                   void *data)
{
    static const uint8_t nothing[1];
    struct runtime_result *result = &call->result;

    /* Nothing waits elsewhere yet, so every call ends here. */
    (void)complete;
    (void)data;
    assert(!call->started);
    call->started = true;
    atomic_fetch_add_explicit(&call->runtime->started_count, 1,
                              memory_order_relaxed);
    runtime__error_clear(&result->error);
    result->status = run(call, &result->error);
    if (result->status == RUNTIME_OK)
        runtime__error_clear(&result->error);
    result->output = call->output.bytes ? call->output.bytes : nothing;
    result->output_bytes = call->output.length_bytes;
    result->values = call->values;
    result->log = call->log.bytes ? (const char *)call->log.bytes : "";
    result->log_bytes = call->log.length_bytes;
    result->log_bytes_dropped = call->log_bytes_dropped;
    return result->status;
}

const struct runtime_result *
runtime_call_result(const struct runtime_call *call)
{
    return &call->result;
}

enum runtime_status
runtime__call_initialise(struct runtime *runtime,
                         struct runtime_function *function,
                         struct runtime_error *err)
{
    struct runtime_call *call;
    enum runtime_status status =
        create(runtime, runtime__function_share(function), &call, err);

    if (status != RUNTIME_OK)
        return status;
    status = initialise(call, err);
    runtime_call_destroy(call);
    return status;
}
