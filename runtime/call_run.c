/*
 * call_run.c - how a call runs: from its start to its result.
 *
 * The way of a call: a sandbox comes from the function's pool; the export
 * that its kind stands for, or that was chosen, runs in slices; what it left
 * behind is read; the sandbox goes back. The first slice is the caller's, in
 * runtime_call_start, and most calls end in it. What does not is the
 * scheduler's: each further step is on a worker. A call that waits is on no
 * thread at all.
 *
 * Whoever runs a step of a call has it for himself. At its end the call is
 * read (conclude), its sandbox is taken from it, and then whoever waits is
 * told; the sandbox is reset after that, where nobody waits for it.
 *
 * Initialising a function is a call as well: see call_first.c.
 */
#include "runtime/call.h"

#include "runtime/directory.h"
#include "runtime/environment.h"
#include "runtime/error.h"
#include "runtime/host_lock.h"
#include "runtime/host_region.h"
#include "runtime/internal.h"
#include "runtime/values.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct runtime_call *
call_of(struct runtime__task *task)
{
    const size_t offset = offsetof(struct runtime_call, task);

    return (struct runtime_call *)(void *)((char *)task - offset);
}

void
runtime__call_wake(void *data)
{
    struct runtime_call *call = data;

    runtime__scheduler_wake(&call->runtime->scheduler, &call->task);
}

/* ---- What it runs in ---------------------------------------------------- */

/* The smallest of the three that is not zero; the last one never is. */
static uint64_t
lowest(uint64_t of_call, uint64_t of_function, uint64_t max)
{
    return runtime__lower(of_call, runtime__lower(of_function, max));
}

static void
choose_limits(struct runtime_call *call)
{
    const struct runtime_options *options = &call->runtime->options;
    const struct runtime_config *config = call->function->config;
    struct runtime__limits *limits = &call->limits;
    uint64_t timeout_ms = lowest(
        call->timeout_ms, config->timeout_ms,
        config->timeout_ms ? options->timeout_ms_max : options->timeout_ms);

    limits->fuel =
        lowest(call->fuel, config->fuel,
               config->fuel ? options->fuel_max : options->fuel);
    limits->memory_bytes = runtime__memory_bytes(call->runtime, config);
    limits->table_entries =
        runtime__lower(config->table_entries, options->table_entries_max);
    limits->stack_bytes =
        runtime__lower(config->stack_bytes, RUNTIME_STACK_BYTES_MAX);
    limits->deadline_ns = call->begun_ns + timeout_ms * 1000000u;
    if (call->chain && limits->deadline_ns > call->chain->deadline_ns_max)
        limits->deadline_ns = call->chain->deadline_ns_max;
    call->task.deadline_ns = limits->deadline_ns;
}

/* The texts that a program reads. */
static enum runtime_status
make_texts(struct runtime_call *call, struct runtime_error *err)
{
    const struct runtime_config *config = call->function->config;
    struct runtime__texts *environment = &call->program_environment;
    char length[24];
    struct runtime_variable content_length = {"CONTENT_LENGTH", length};

    if (!call->function->module->uses_wasi)
        return RUNTIME_OK; /* nobody will ask */
    if (!runtime__texts_append(&call->program_arguments,
                               call->function->name, NULL, NULL))
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

/* From the pool, or one that nobody has initialised, for who does that. */
static enum runtime_status
get_faaslet(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime_function *function = call->function;
    struct gvm_engine *engine = call->runtime->engine;

    if (call->initialises)
        return runtime__faaslet_create(engine, function->module,
                                       &call->limits, &call->faaslet, err);
    enum runtime_status status =
        runtime__pool_get(&function->pool, engine, function->module,
                          &call->limits, &call->faaslet, err);
    if (status == RUNTIME_OK)
        call->result.start = call->faaslet->is_warm ? RUNTIME_START_WARM
                             : call->is_first_ended ? RUNTIME_START_COLD
                                                    : RUNTIME_START_SNAPSHOT;
    return status;
}

static enum runtime_status
attach(struct runtime_call *call, struct runtime_error *err)
{
    struct runtime__faaslet *faaslet = call->faaslet;

    faaslet->call = call;
    faaslet->store = call->runtime->options.store;
    faaslet->namespace_ = call->function->namespace_;
    faaslet->wasi.parks = true;
    faaslet->wasi.budget = &call->runtime->descriptors;
    faaslet->wasi.arguments = &call->program_arguments;
    faaslet->wasi.environment = &call->program_environment;
    runtime__call_streams(call, &faaslet->wasi.streams);
    return runtime__directory_give(call->runtime->files_root,
                                   call->function->config, &faaslet->wasi,
                                   err);
}

/* Adds what was chosen or what the kind stands for. */
static enum runtime_status
add_runs(struct runtime_call *call, struct runtime_error *err)
{
    static const char *const names[] = {
        [RUNTIME_FAASLET] = "glass_handle",
        [RUNTIME_COMMAND] = "_start",
    };
    enum runtime_kind kind = call->function->module->kind;

    if (call->initialises) {
        runtime__faaslet_add_initialisers(call->faaslet);
        return RUNTIME_OK;
    }
    if (!call->export_name && kind == RUNTIME_EXPORTS)
        return runtime__error_set(
            err, RUNTIME_INVALID,
            "the function has plain exports: one has to be chosen");
    runtime__faaslet_add_restored(call->faaslet);
    runtime__faaslet_add(call->faaslet,
                         call->export_name ? call->export_name : names[kind],
                         call->arguments);
    return RUNTIME_OK;
}

static enum runtime_status
prepare(struct runtime_call *call, struct runtime_error *err)
{
    enum runtime_status status = make_texts(call, err);

    if (status == RUNTIME_OK)
        status = get_faaslet(call, err);
    if (status == RUNTIME_OK)
        status = attach(call, err);
    if (status == RUNTIME_OK)
        status = add_runs(call, err);
    call->ready_ns = runtime__wait_now_ns();
    return status;
}

/* ---- The end ------------------------------------------------------------ */

/* What an export has returned. */
static enum runtime_status
read_results(struct runtime_call *call, struct runtime_error *err)
{
    const union gvm_value *results = runtime__faaslet_results(call->faaslet);
    const struct runtime__module *module = call->function->module;
    struct gvm_func_type type;

    if (call->initialises)
        return RUNTIME_OK;
    if (call->export_name) {
        runtime__module_find(module, call->export_name, &type);
        call->values = runtime__values_format(&type, results);
        if (!call->values)
            return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                      "out of memory for results");
        call->result.value_count = type.result_count;
    } else if (module->kind == RUNTIME_FAASLET && results[0].i32 != 0 &&
               !call->failed) {
        call->failed = true;
        call->failure_code = (int32_t)results[0].i32;
    }
    return RUNTIME_OK;
}

static enum runtime_status
fail_output(const struct runtime_call *call, struct runtime_error *err)
{
    runtime__error_set(err, RUNTIME_LIMIT,
                       "the output is longer than %zu bytes",
                       runtime__call_output_bytes_max(call));
    return runtime__error_name_limit(err, RUNTIME_LIMIT, "output");
}

/* What the end means to the caller, beyond how the guest ended. */
static enum runtime_status
judge(struct runtime_call *call, enum runtime_status status,
      struct runtime_error *err)
{
    struct runtime_result *result = &call->result;

    if (status == RUNTIME_EXITED) {
        result->code = call->faaslet->wasi.exit_code;
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
        return fail_output(call, err);
    return status;
}

/* Keeps what initialising has made for the calls to come. */
static enum runtime_status
freeze(struct runtime_call *call, struct runtime_error *err)
{
    struct gvm_snapshot *snapshot;
    enum runtime_status status =
        runtime__faaslet_freeze(call->faaslet, &snapshot, err);

    if (status == RUNTIME_OK)
        runtime__pool_set_snapshot(&call->function->pool, snapshot);
    return status;
}

/* Fills the result of a call of which the guest has ended as `status` says. */
static void
conclude(struct runtime_call *call, enum runtime_status status)
{
    static const uint8_t nothing[1];
    struct runtime_result *result = &call->result;
    struct runtime_error *err = &result->error;

    if (call->faaslet && call->ready_ns) {
        result->init_ns = call->ready_ns - call->begun_ns - call->queued_ns;
        result->run_ns = runtime__wait_now_ns() - call->ready_ns;
        if (status == RUNTIME_OK)
            status = read_results(call, err);
        status = judge(call, status, err);
        if (status == RUNTIME_OK && call->initialises)
            status = freeze(call, err);
        result->fuel_used = runtime__faaslet_fuel_used(call->faaslet);
        result->memory_bytes = runtime__faaslet_memory_bytes(call->faaslet);
    }
    if (status == RUNTIME_OK)
        runtime__error_clear(err);
    result->status = status;
    result->queue_ns = call->queued_ns;
    result->output = call->output.bytes ? call->output.bytes : nothing;
    result->output_bytes = call->output.length_bytes;
    result->values = call->values;
    result->log = call->log.bytes ? (const char *)call->log.bytes : "";
    result->log_bytes = call->log.length_bytes;
    result->log_bytes_dropped = call->log_bytes_dropped;
}

/* Takes the sandbox from the call, which may be gone from then on. */
static struct runtime__faaslet *
detach(struct runtime_call *call)
{
    struct runtime__faaslet *faaslet = call->faaslet;

    call->faaslet = NULL;
    runtime__chain_end(call);
    if (!faaslet)
        return NULL;
    /* From here on no answer can wake the call. */
    if (faaslet->wait)
        faaslet->wait = faaslet->wait->abandon(faaslet->wait);
    /* Who hears of the call's end finds its locks and regions given back. */
    if (faaslet->locks)
        faaslet->locks->release(faaslet);
    if (faaslet->regions)
        faaslet->regions->release(faaslet);
    faaslet->call = NULL;
    faaslet->is_pooled = !call->initialises;
    faaslet->keeps_memory =
        call->result.status == RUNTIME_OK && faaslet->mapped_bytes == 0 &&
        call->function->config->reuse == RUNTIME_REUSE_WARM;
    return faaslet;
}

/* Puts it back, or away. The function, whose pool it is, has to stay. */
static void
give_back(struct runtime_function *function, struct runtime__faaslet *faaslet)
{
    if (faaslet && faaslet->is_pooled)
        runtime__pool_put(&function->pool, faaslet, faaslet->keeps_memory);
    else
        runtime__faaslet_destroy(faaslet);
}

/* The same on a thread of the caller's, which has other things to do. */
static void
give_back_soon(struct runtime_call *call, struct runtime__faaslet *faaslet)
{
    if (!faaslet || faaslet->mapped_bytes <= RUNTIME_UNMAP_NOW_BYTES) {
        give_back(call->function, faaslet);
        return;
    }
    faaslet->owner = runtime__function_share(call->function);
    runtime__scheduler_clear(&call->runtime->scheduler, &faaslet->waste);
}

static void
clear(struct runtime__waste *waste)
{
    const size_t offset = offsetof(struct runtime__faaslet, waste);
    struct runtime__faaslet *faaslet =
        (struct runtime__faaslet *)(void *)((char *)waste - offset);
    struct runtime_function *owner = faaslet->owner;

    faaslet->owner = NULL;
    give_back(owner, faaslet);
    runtime_function_put(owner);
}

/* ---- One of several ------------------------------------------------------ */

static void
wake_place(struct runtime__gate_place *place)
{
    const size_t offset = offsetof(struct runtime_call, gate_place);

    runtime__call_wake((char *)place - offset);
}

/* How a call ends that has no turn: which of the function's limits it is. */
static enum runtime__step
fail_busy(struct runtime_call *call, const char *name, uint64_t limit)
{
    struct runtime_result *result = &call->result;

    result->status = runtime__error_set(
        &result->error, RUNTIME_BUSY,
        "the function's limit '%s' of %llu is reached", name,
        (unsigned long long)limit);
    runtime__error_name_limit(&result->error, RUNTIME_BUSY, name);
    return RUNTIME__STEP_ENDED;
}

/* Sees to it that the function allows one more. SLICE: go on. */
static enum runtime__step
pass_gate(struct runtime_call *call)
{
    const struct runtime_config *config = call->function->config;
    uint64_t until_ns = call->begun_ns + config->queue_ms * 1000000u;
    /* See chain.h: who holds a place does not wait for one. */
    uint64_t queue =
        call->chain && call->chain->is_below_gate ? 0 : config->queue;

    if (config->concurrency == 0 || call->initialises)
        return RUNTIME__STEP_SLICE;
    switch (runtime__gate_enter(&call->function->gate, &call->gate_place,
                                config->concurrency, queue)) {
    case RUNTIME__GATE_INSIDE:
        return RUNTIME__STEP_SLICE;
    case RUNTIME__GATE_FULL:
        return queue ? fail_busy(call, "queue", queue)
                     : fail_busy(call, "concurrency", config->concurrency);
    case RUNTIME__GATE_WAITS:
        break;
    }
    if (config->queue_ms && runtime__wait_now_ns() >= until_ns)
        return fail_busy(call, "queue_ms", config->queue_ms);
    call->task.until_ns = config->queue_ms ? until_ns : UINT64_MAX;
    call->is_deferred = true;
    return RUNTIME__STEP_WAIT;
}

static void
leave_gate(struct runtime_call *call)
{
    if (call->function->config->concurrency > 0 && !call->initialises)
        runtime__gate_leave(&call->function->gate, &call->gate_place,
                            wake_place);
}

/* ---- Running ------------------------------------------------------------ */

/* The function's calls are long, or not any more. */
static void
note_length(const struct runtime_call *call, enum runtime__step step)
{
    atomic_uint *outlived = &call->function->outlived;

    if (call->has_outlived || call->initialises)
        return;
    if (step == RUNTIME__STEP_SLICE) {
        atomic_store_explicit(outlived, RUNTIME_SHORT_CALLS_MIN,
                              memory_order_relaxed);
    } else if (step == RUNTIME__STEP_ENDED) {
        unsigned count = atomic_load_explicit(outlived, memory_order_relaxed);
        /* Calls that end at once may both count as one: it is a guess. */
        if (count > 0)
            atomic_store_explicit(outlived, count - 1, memory_order_relaxed);
    }
}

/* Whether getting it ready asks the kernel for files. */
static bool
opens_directories(const struct runtime_call *call)
{
    return call->runtime->files_root >= 0 &&
           call->function->config->directory_count > 0;
}

/* A step of a call: gets it ready, if it is not, and runs it for a slice. */
static enum runtime__step
advance(struct runtime__task *task)
{
    struct runtime_call *call = call_of(task);
    struct runtime_result *result = &call->result;

    if (!call->ready_ns) {
        enum runtime__step step = pass_gate(call);
        if (step == RUNTIME__STEP_SLICE)
            step = runtime__call_initialised(call);
        if (step == RUNTIME__STEP_SLICE && opens_directories(call) &&
            !task->may_block)
            step = RUNTIME__STEP_BLOCK;
        if (step != RUNTIME__STEP_SLICE)
            return step;
        result->status = prepare(call, &result->error);
        if (result->status != RUNTIME_OK)
            return RUNTIME__STEP_ENDED;
    }
    call->faaslet->wasi.may_block = task->may_block;
    enum runtime__step step = runtime__faaslet_step(
        call->faaslet, &result->status, &result->error);
    task->until_ns =
        call->faaslet->until_ns ? call->faaslet->until_ns : UINT64_MAX;
    note_length(call, step);
    if (step == RUNTIME__STEP_SLICE)
        call->has_outlived = true;
    return step;
}

/* What the thread has had of a processor. */
static uint64_t
spent_ns(void)
{
    return runtime__wait_clock_ns(CLOCK_THREAD_CPUTIME_ID);
}

/* A step on a worker. */
static enum runtime__step
advance_queued(struct runtime__task *task)
{
    struct runtime_call *call = call_of(task);
    uint64_t begun_ns = spent_ns();

    if (call->is_deferred && !call->ready_ns && !call->queued_ns)
        call->queued_ns = runtime__wait_now_ns() - call->begun_ns;
    enum runtime__step step = advance(task);
    if (step == RUNTIME__STEP_SLICE)
        runtime__faaslet_fit_slice(call->faaslet, spent_ns() - begun_ns);
    return step;
}

/* The end of a call that was pending. */
static void
finish(struct runtime__task *task, enum runtime__end end)
{
    struct runtime_call *call = call_of(task);
    struct runtime_result *result = &call->result;

    runtime__call_leave_first(call);
    if (end == RUNTIME__END_DEADLINE)
        result->status = runtime__error_set_deadline(&result->error);
    else if (end == RUNTIME__END_CANCELLED)
        result->status = runtime__error_set(
            &result->error, RUNTIME_CANCELLED, "the call was cancelled");
    conclude(call, result->status);
    leave_gate(call);
    struct runtime__scheduler *scheduler = &call->runtime->scheduler;
    struct runtime_function *function =
        runtime__function_share(call->function);
    struct runtime__faaslet *faaslet = detach(call);
    /* What is kept for the next call is there before that can begin. */
    if (faaslet && faaslet->keeps_memory) {
        give_back(function, faaslet);
        faaslet = NULL;
    }
    call->complete(call, call->complete_data);
    if (faaslet && end != RUNTIME__END_OWN) {
        faaslet->owner = function;
        runtime__scheduler_discard(scheduler, &faaslet->waste);
        return;
    }
    give_back(function, faaslet);
    runtime_function_put(function);
}

const struct runtime__scheduler_callbacks runtime__call_callbacks = {
    .advance = advance_queued,
    .finish = finish,
    .clear = clear,
};

enum runtime_status
runtime_call_start(struct runtime_call *call,
                   void (*complete)(struct runtime_call *call, void *data),
                   void *data)
{
    assert(!call->started);
    call->started = true;
    call->complete = complete;
    call->complete_data = data;
    call->begun_ns = runtime__wait_now_ns();
    choose_limits(call);
    runtime__error_clear(&call->result.error);
    if (!call->initialises)
        atomic_fetch_add_explicit(&call->runtime->started_count, 1,
                                  memory_order_relaxed);
    if (atomic_load_explicit(&call->function->outlived,
                             memory_order_relaxed) > 0 &&
        !call->initialises)
        call->is_deferred = true;
    enum runtime__step step = pass_gate(call);
    if (step == RUNTIME__STEP_SLICE && !call->is_deferred)
        step = advance(&call->task);
    if (step == RUNTIME__STEP_ENDED) {
        conclude(call, call->result.status);
        leave_gate(call);
        give_back_soon(call, detach(call));
        return call->result.status;
    }
    assert(complete);
    runtime__scheduler_adopt(&call->runtime->scheduler, &call->task, step);
    return RUNTIME_PENDING;
}

void
runtime_call_cancel(struct runtime_call *call)
{
    runtime__scheduler_cancel(&call->runtime->scheduler, &call->task);
}

const struct runtime_result *
runtime_call_result(const struct runtime_call *call)
{
    return &call->result;
}
