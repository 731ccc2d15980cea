/* Operations on the state out of a function: see guest.h. */
#include "guest.h"

#include "runtime/runtime.h"
#include "state/state.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define OPERATIONS "1000000"
#define ROUNDS 5

static void
fail(const char *what)
{
    fprintf(stderr, "bench-state: in a guest: %s\n", what);
    exit(1);
}

static double
spent_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
    return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

/* Runs one call to its end; returns the processor time that it took. */
static double
run(struct runtime *runtime, const char *input)
{
    struct runtime_call *call;
    struct runtime_error err;
    double spent = spent_ns();

    if (runtime_call_create(runtime, "default", "many", &call, &err) !=
            RUNTIME_OK ||
        runtime_call_input_append(call, input, strlen(input), &err) !=
            RUNTIME_OK)
        fail(err.message);
    if (runtime_call_run(call) != RUNTIME_OK)
        fail(runtime_call_result(call)->error.message);
    spent = spent_ns() - spent;
    runtime_call_destroy(call);
    return spent;
}

static double
best_of(struct runtime *runtime, const char *input)
{
    double best = 1e18;

    for (int i = 0; i < ROUNDS; i++) {
        double spent = run(runtime, input);

        if (spent < best)
            best = spent;
    }
    return best;
}

static struct runtime *
deploy(const char *module, struct state_store *store)
{
    struct runtime_options options = {.store = store};
    static uint8_t bytes[1 << 20];
    struct runtime_deployment deployment = {
        .namespace_ = "default", .name = "many", .module = bytes};
    struct runtime *runtime;
    struct runtime_error err;
    FILE *file = fopen(module, "rb");

    if (file == NULL)
        fail("the module cannot be read");
    deployment.module_bytes = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    if (runtime_create(&options, &runtime, &err) != RUNTIME_OK ||
        runtime_function_deploy(runtime, &deployment, NULL, NULL, &err) !=
            RUNTIME_OK)
        fail(err.message);
    return runtime;
}

void
guest_measure(const char *module)
{
    struct state_store *store;
    struct runtime *runtime;
    double nothing;

    if (state_store_open(NULL, &store, NULL) != STATE_OK)
        fail("no store");
    runtime = deploy(module, store);
    nothing = best_of(runtime, "n");
    run(runtime, "p");
    printf("%-34s %8.1f ns\n", "get over 10,000 keys, by a guest",
           (best_of(runtime, "g" OPERATIONS) - nothing) / atof(OPERATIONS));
    run(runtime, "q");
    printf("%-34s %8.1f ns\n", "increment, by a guest",
           (best_of(runtime, "i" OPERATIONS) - nothing) / atof(OPERATIONS));
    runtime_destroy(runtime);
    state_store_close(store);
}
