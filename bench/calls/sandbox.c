/*
 * bench-sandbox PAGE_WASM - what it costs to have a fresh sandbox.
 *
 * Each figure is the best of many batches, as processor time of the thread,
 * so that neighbours count as little as possible:
 *
 *   take     get one from the pool and put it back, which resets it, after
 *            two pages were dirtied; the dirtying itself is not counted
 *   two      the same while a second thread does so too, with its own pool or
 *            the same
 *   256 MiB  the same for a memory of that size
 *   grow     make one more for the pool: store, instance, mappings
 *   call     a whole call of the runtime, with PAGE_WASM
 */
#define _GNU_SOURCE 1

#include "runtime/engine.h"
#include "runtime/internal.h"
#include "runtime/pool.h"

#include "state/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { batches = 400, batch = 50 };

static const struct runtime__limits limits = {
    .fuel = 1000000,
    .memory_bytes = UINT64_C(512) << 20,
    .deadline_ns = UINT64_MAX,
};

struct sandbox {
    struct gvm_engine *engine;
    struct runtime__module *module;
    struct runtime__pool pool;
    struct runtime__idle idle;
};

static void
fail(const char *what)
{
    fprintf(stderr, "bench-sandbox: %s failed\n", what);
    exit(1);
}

static uint64_t
spent_ns(void)
{
    struct timespec time;

    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

static void
ignore(void *data)
{
    (void)data;
}

/* (memory PAGES), a page of data, and touch(): writes to two pages. */
static const uint8_t touching[] = {
    0, 'a', 's', 'm', 1, 0, 0, 0,
    1, 4, 1, 0x60, 0, 0,                    /* type: () -> () */
    3, 2, 1, 0,                             /* function */
    5, 5, 1, 0, 0x80, 0x80, 0,              /* memory, two bytes of pages */
    7, 9, 1, 5, 't', 'o', 'u', 'c', 'h', 0, 0,
    10, 21, 1, 19, 0,                       /* code */
    0x41, 0x80, 0x20, 0x41, 7, 0x36, 2, 0,  /* i32.store 4096 */
    0x41, 0x80, 0xc0, 0, 0x41, 7, 0x36, 2, 0, /* i32.store 8192 */
    0x0b,
    11, 10, 1, 0, 0x41, 0x80, 0x20, 0x0b, 3, 'a', 'b', 'c', /* data */
};

static void
open_sandbox(struct sandbox *sandbox, unsigned pages)
{
    static uint8_t bytes[4][sizeof(touching)];
    static unsigned used;
    uint8_t *module = bytes[used++];
    struct runtime__faaslet *faaslet;
    struct gvm_snapshot *snapshot = NULL;
    struct runtime_error err;
    bool guard;

    memcpy(module, touching, sizeof(touching));
    module[22] = (uint8_t)(0x80 | (pages & 127));
    module[23] = (uint8_t)(0x80 | (pages >> 7 & 127));
    module[24] = (uint8_t)(pages >> 14);
    if (runtime__engine_create(RUNTIME_BOUNDS_DEFAULT, &sandbox->engine,
                               &guard, &err) != RUNTIME_OK)
        fail("the engine");
    if (runtime__module_load(sandbox->engine, module, sizeof(touching), false,
                             RUNTIME__GROUP_wasi, NULL, &sandbox->module,
                             &err) != RUNTIME_OK) {
        fprintf(stderr, "%s\n", err.message);
        fail("the module");
    }
    if (runtime__faaslet_create(sandbox->engine, sandbox->module, &limits,
                                &faaslet, &err) != RUNTIME_OK ||
        runtime__faaslet_freeze(faaslet, &snapshot, &err) != RUNTIME_OK)
        fail("the snapshot");
    runtime__faaslet_destroy(faaslet);
    runtime__pool_init(&sandbox->pool);
    sandbox->idle =
        (struct runtime__idle){.max = 1000, .reclaim = ignore};
    sandbox->pool.idle = &sandbox->idle;
    runtime__pool_set_snapshot(&sandbox->pool, snapshot);
}

static void
close_sandbox(struct sandbox *sandbox)
{
    runtime__pool_deinit(&sandbox->pool);
    runtime__module_put(sandbox->module);
    gvm_engine_destroy(sandbox->engine);
}

static struct runtime__faaslet *
take(struct sandbox *sandbox)
{
    struct runtime__faaslet *faaslet;

    if (runtime__pool_get(&sandbox->pool, sandbox->engine, sandbox->module,
                          &limits, &faaslet, NULL) != RUNTIME_OK)
        fail("taking");
    return faaslet;
}

/* Nanoseconds of one get and put around `touch`, or around nothing. */
static double
best_of(struct sandbox *sandbox, bool touches, bool takes)
{
    double best = 1e9;

    for (int i = 0; i < batches; i++) {
        struct runtime__faaslet *faaslet = takes ? NULL : take(sandbox);
        uint64_t begun = spent_ns();

        for (int j = 0; j < batch; j++) {
            if (takes)
                faaslet = take(sandbox);
            if (touches && runtime__faaslet_run(faaslet, "touch", NULL, NULL,
                                                NULL) != RUNTIME_OK)
                fail("touching");
            if (takes)
                runtime__pool_put(&sandbox->pool, faaslet, false);
        }
        double spent = (double)(spent_ns() - begun) / batch;
        if (!takes)
            runtime__pool_put(&sandbox->pool, faaslet, false);
        if (spent < best)
            best = spent;
    }
    return best;
}

/* What taking and resetting add to a call that dirties two pages. */
static double
measure(struct sandbox *sandbox)
{
    double alone;

    /* Fuel for all the touching of a faaslet that is not put back. */
    alone = best_of(sandbox, true, false);
    return best_of(sandbox, true, true) - alone;
}

static atomic_bool stop;

static void *
keep_taking(void *sandbox)
{
    while (!atomic_load(&stop)) {
        struct runtime__faaslet *faaslet = take(sandbox);
        runtime__faaslet_run(faaslet, "touch", NULL, NULL, NULL);
        runtime__pool_put(&((struct sandbox *)sandbox)->pool, faaslet, false);
    }
    return NULL;
}

static double
measure_beside(struct sandbox *sandbox, struct sandbox *other)
{
    pthread_t thread;

    atomic_store(&stop, false);
    if (pthread_create(&thread, NULL, keep_taking, other))
        fail("a thread");
    double spent = measure(sandbox);
    atomic_store(&stop, true);
    pthread_join(thread, NULL);
    return spent;
}

/* One more sandbox for the pool, its first call not included. */
static void
measure_growth(struct sandbox *sandbox)
{
    enum { count = 40 };
    struct runtime__faaslet *all[count];
    double best = 1e9, best_first = 1e9;

    for (int i = 0; i < 50; i++) {
        for (int j = 0; j < count; j++) {
            uint64_t begun = spent_ns();
            if (runtime__faaslet_create_from(
                    sandbox->engine, sandbox->module,
                    runtime__pool_snapshot(&sandbox->pool), &limits, &all[j],
                    NULL) != RUNTIME_OK)
                fail("growing");
            uint64_t made = spent_ns();
            runtime__faaslet_run(all[j], "touch", NULL, NULL, NULL);
            runtime__faaslet_end(all[j], false);
            uint64_t ended = spent_ns();
            if ((double)(made - begun) < best)
                best = (double)(made - begun);
            if ((double)(ended - made) < best_first)
                best_first = (double)(ended - made);
        }
        for (int j = 0; j < count; j++)
            runtime__faaslet_destroy(all[j]);
    }
    printf("grow by one                        %8.0f ns\n", best);
    printf("its first call and reset           %8.0f ns\n", best_first);
}

static void
measure_calls(const char *path)
{
    static uint8_t bytes[1 << 20];
    static const char input[64] = "x";
    struct state_store *store;
    struct runtime_options options = {0};
    struct runtime *runtime;
    struct runtime_call *call;
    FILE *file = fopen(path, "rb");
    double best = 1e9;

    if (!file)
        fail(path);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "page",
        .module = bytes,
        .module_bytes = fread(bytes, 1, sizeof(bytes), file),
    };
    fclose(file);
    if (state_store_open(NULL, &store, NULL) != STATE_OK)
        fail("the store");
    options.store = store;
    if (runtime_create(&options, &runtime, NULL) != RUNTIME_OK ||
        runtime_function_deploy(runtime, &deployment, NULL, NULL, NULL) !=
            RUNTIME_OK)
        fail("deploying");
    for (int i = 0; i < batches; i++) {
        uint64_t begun = spent_ns();
        for (int j = 0; j < batch; j++) {
            if (runtime_call_create(runtime, "default", "page", &call,
                                    NULL) != RUNTIME_OK ||
                runtime_call_input_append(call, input, sizeof(input), NULL) !=
                    RUNTIME_OK ||
                runtime_call_run(call) != RUNTIME_OK)
                fail("a call");
            runtime_call_destroy(call);
        }
        double spent = (double)(spent_ns() - begun) / batch;
        if (spent < best)
            best = spent;
    }
    printf("a whole call of page.wasm          %8.0f ns\n", best);
    runtime_destroy(runtime);
    state_store_close(store);
}

int
main(int argc, char **argv)
{
    struct sandbox small, other, large;

    open_sandbox(&small, 2);
    open_sandbox(&other, 2);
    open_sandbox(&large, 4096);
    printf("take + reset, 128 KiB              %8.0f ns\n", measure(&small));
    printf("take + reset, 256 MiB              %8.0f ns\n", measure(&large));
    printf("128 KiB, a second thread elsewhere %8.0f ns\n",
           measure_beside(&small, &other));
    printf("128 KiB, a second thread, one pool %8.0f ns\n",
           measure_beside(&small, &small));
    measure_growth(&small);
    close_sandbox(&small);
    close_sandbox(&other);
    close_sandbox(&large);
    if (argc > 1)
        measure_calls(argv[1]);
    return 0;
}
