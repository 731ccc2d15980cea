/*
 * glass demo: three faaslets at once, one counter, nothing lost.
 *
 * The module is faaslets/examples/counter.c, compiled by the build and carried
 * inside of this program. Each of three threads makes a real call of it, with
 * the input 20, through the runtime; the state is a real store. What is
 * printed is what the host knows of each call: the sum that it was answered,
 * and hence the value that its atomic addition read.
 */
#include "cli/command.h"

#include "runtime/runtime.h"
#include "state/state.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEMO_OPTIONS(X, H)                                                    \
    X(H, TEXT, state, "state", "URL",                                         \
      "where the counter lives: memory, redis://HOST:PORT, unix:PATH")

struct demo_options {
    DEMO_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    DEMO_OPTIONS(OPTION_ROW, struct demo_options)
};

enum { FAASLET_COUNT = 3, COUNTER_BEGIN = 100, COUNTER_STEP = 20 };

/* A namespace of its own, so that a shared backend keeps what it has. */
static const char demo_namespace[] = "demo";

/* The counter's module: see glass_embed in CMakeLists.txt. */
extern const unsigned char demo_counter[];
extern const unsigned char demo_counter_end[];

/* What the three share. */
struct demo {
    struct state_store *store;
    struct runtime *runtime;
    pthread_mutex_t lock; /* of stdout: a call's lines stay together */
};

/* ---- Waiting ---------------------------------------------------------- */

/* One thing that may end on another thread. */
struct waiter {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool done;
};

#define WAITER_BEGIN                                                          \
    {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false}

/* Ends the waiting, once. */
static void
wake(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    waiter->done = true;
    pthread_cond_signal(&waiter->changed);
    pthread_mutex_unlock(&waiter->lock);
}

/* Returns after wake() was called, however early that was. */
static void
wait(struct waiter *waiter)
{
    pthread_mutex_lock(&waiter->lock);
    while (!waiter->done)
        pthread_cond_wait(&waiter->changed, &waiter->lock);
    pthread_mutex_unlock(&waiter->lock);
}

static void
operation_complete(struct state_operation *operation)
{
    wake(operation->data);
}

/* ---- The counter ------------------------------------------------------ */

/* Submits an operation on the counter and waits for its end. */
static enum state_status
operate(struct demo *demo, struct state_operation *operation)
{
    struct waiter waiter = WAITER_BEGIN;

    operation->namespace_ = demo_namespace;
    operation->key = (struct state_bytes){"counter", 7};
    operation->complete = operation_complete;
    operation->data = &waiter;
    enum state_status status = state_store_submit(demo->store, operation);
    if (status == STATE_PENDING) {
        wait(&waiter);
        status = operation->status;
    }
    if (status != STATE_OK)
        command_fail(&cmd_demo, "the counter: %s", operation->message);
    return status;
}

/* Sets the counter to where it begins; false after a complaint. */
static bool
set_counter(struct demo *demo)
{
    char text[24];
    int length = snprintf(text, sizeof(text), "%d", COUNTER_BEGIN);
    struct state_operation put = {
        .kind = STATE_PUT,
        .value = {text, (size_t)length},
    };
    bool done = operate(demo, &put) == STATE_OK;

    state_operation_deinit(&put);
    return done;
}

/* Reads the counter as text; false after a complaint. */
static bool
get_counter(struct demo *demo, char *text, size_t capacity)
{
    struct state_operation get = {.kind = STATE_GET};
    bool done = operate(demo, &get) == STATE_OK;

    if (done)
        snprintf(text, capacity, "%.*s", (int)get.result.length_bytes,
                 (const char *)get.result.bytes);
    state_operation_deinit(&get);
    return done;
}

/* ---- The calls -------------------------------------------------------- */

/* One of the three. */
struct instance {
    struct demo *demo;
    int number;
    bool done;
};

/* Prints what the host saw of a call that has ended well. */
static bool
report(const struct instance *instance, const struct runtime_result *result)
{
    char text[24];
    char *end;

    snprintf(text, sizeof(text), "%.*s", (int)result->output_bytes,
             (const char *)result->output);
    long long sum = strtoll(text, &end, 10);
    if (end == text) {
        command_fail(&cmd_demo, "instance %d answered '%s'", instance->number,
                     text);
        return false;
    }
    pthread_mutex_lock(&instance->demo->lock);
    printf("HOST: Read state 'counter' with value %lld\n"
           "HOST: State 'counter' set to %lld\n"
           "Instance %d completed successfully\n",
           sum - COUNTER_STEP, sum, instance->number);
    pthread_mutex_unlock(&instance->demo->lock);
    return true;
}

/* Starts the call, waits for its end, and reports it. */
static bool
call_once(const struct instance *instance, struct runtime_call *call)
{
    struct runtime_error err;
    char input[24];
    int length = snprintf(input, sizeof(input), "%d", COUNTER_STEP);

    if (runtime_call_input_append(call, input, (size_t)length, &err) !=
        RUNTIME_OK) {
        command_fail(&cmd_demo, "%s", err.message);
        return false;
    }
    runtime_call_run(call);
    const struct runtime_result *result = runtime_call_result(call);
    if (result->status == RUNTIME_OK)
        return report(instance, result);
    command_fail(&cmd_demo, "instance %d: %s: %s", instance->number,
                 runtime_status_text(result->status), result->error.message);
    return false;
}

/* One thread: a call of its own, with an instance of its own. */
static void *
run_instance(void *data)
{
    struct instance *instance = data;
    struct runtime_call *call;
    struct runtime_error err;

    if (runtime_call_create(instance->demo->runtime, demo_namespace,
                            "counter", &call, &err) != RUNTIME_OK) {
        command_fail(&cmd_demo, "%s", err.message);
        return NULL;
    }
    instance->done = call_once(instance, call);
    runtime_call_destroy(call);
    return NULL;
}

/* Runs the three at once; returns whether all of them did well. */
static bool
run_instances(struct demo *demo)
{
    struct instance instances[FAASLET_COUNT];
    pthread_t threads[FAASLET_COUNT];
    int started = 0;
    bool done = true;

    for (; started < FAASLET_COUNT; started++) {
        instances[started] = (struct instance){demo, started + 1, false};
        if (pthread_create(&threads[started], NULL, run_instance,
                           &instances[started]) != 0) {
            command_fail(&cmd_demo, "a thread cannot be had");
            done = false;
            break;
        }
    }
    for (int index = 0; index < started; index++) {
        pthread_join(threads[index], NULL);
        done = done && instances[index].done;
    }
    return done;
}

/* Makes the embedded module a function; false after a complaint. */
static bool
deploy(struct demo *demo)
{
    const struct runtime_deployment deployment = {
        .namespace_ = demo_namespace,
        .name = "counter",
        .module = demo_counter,
        .module_bytes = (size_t)(demo_counter_end - demo_counter),
    };
    struct runtime_error err;

    if (runtime_function_deploy(demo->runtime, &deployment, NULL, NULL,
                                &err) == RUNTIME_OK)
        return true;
    command_fail(&cmd_demo, "the module: %s", err.message);
    return false;
}

/* The demonstration itself: what is printed is in this order. */
static int
show(struct demo *demo)
{
    const int expected = COUNTER_BEGIN + FAASLET_COUNT * COUNTER_STEP;
    char text[24];

    if (!deploy(demo) || !set_counter(demo))
        return EXIT_FAILED;
    printf("--- Running %d Faaslets Concurrently ---\n", FAASLET_COUNT);
    fflush(stdout);
    if (!run_instances(demo) || !get_counter(demo, text, sizeof(text)))
        return EXIT_FAILED;
    printf("--- Final State of 'counter': %s ---\n", text);
    if (atoi(text) == expected)
        return EXIT_DONE;
    return command_fail(&cmd_demo, "the counter should be at %d", expected);
}

static int
run(char **arguments)
{
    static struct words words;
    struct demo_options values = {0};
    struct demo demo = {.lock = PTHREAD_MUTEX_INITIALIZER};
    struct state_error state_err;
    struct runtime_error runtime_err;
    int status = EXIT_FAILED;

    if (!options_parse("demo", options, cmd_demo.option_count, arguments,
                       &values, &words, NULL))
        return EXIT_USAGE;
    if (words.count > 0)
        return command_usage(&cmd_demo, "'%s' is too much", words.items[0]);
    const struct state_options state_options = {.url = values.state};
    if (state_store_open(&state_options, &demo.store, &state_err) != STATE_OK)
        return command_fail(&cmd_demo, "the state: %s", state_err.message);
    const struct runtime_options runtime_options = {.store = demo.store};
    if (runtime_create(&runtime_options, &demo.runtime, &runtime_err) !=
        RUNTIME_OK)
        command_fail(&cmd_demo, "the runtime: %s", runtime_err.message);
    else
        status = show(&demo);
    runtime_destroy(demo.runtime);
    state_store_close(demo.store);
    return status;
}

const struct command cmd_demo = {
    .name = "demo",
    .synopsis = "[OPTION...]",
    .summary = "Shows three faaslets that share a counter",
    .details =
        "Each adds 20 to a counter that begins at 100. They run at the same\n"
        "time, in any order, and the end is always 160.\n",
    .example = "  $ glass demo\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
