/*
 * check_stress.c - the runtime under everything at once: deployments, calls of
 * every length, deadlines, cancellations and the end. What it is for is what
 * the sanitizers say meanwhile; and every call ends, once, in a way that it
 * can.
 *
 * Numbers come from a generator that begins the same every time.
 */
#include "tests/runtime/world.h"
#include "tests/support/idle_guest.h"

#include <check.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

enum {
    callers_count = 3,
    deployers_count = 2,
    pending_max = 8,     /* of one caller */
    calls_count = 1000,  /* of one caller, in a round */
    deployments_count = 60,
    rounds = 3,
};

static struct world world;
static atomic_int wrong_count;
static atomic_uint end_counts[RUNTIME_NO_MEMORY + 1]; /* by status */

static const char *const namespaces[] = {"one", "two"};
static const char *const names[] = {"f", "g"};

static unsigned
random_below(uint64_t *generator, unsigned bound)
{
    *generator ^= *generator << 13;
    *generator ^= *generator >> 7;
    *generator ^= *generator << 17;
    return (unsigned)(*generator % bound);
}

/* `sleep`, `loop`, `count`, and `add` to a key of the state. */
static struct module_builder *
guest(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sleep = idle_guest_import(builder);
    uint32_t incr = module_builder_import_func(builder, "glass",
                                               "state_incr", "iili:i");

    idle_guest_sleep(builder, sleep);
    idle_guest_loop(builder, "l:");
    uint32_t index = module_builder_func(
        builder, "l:", "",
        BYTES(0x03, 0x40, 0x20, 0, 0x42, 1, 0x7d, 0x22, 0, 0x50, 0x45, 0x0d,
              0, 0x0b, 0x0b));
    module_builder_export(builder, "count", GVM_EXTERN_FUNC, index);
    index = module_builder_func(
        builder, "l:i", "",
        BYTES(0x41, 0, 0x41, 1, 0x20, 0, 0x41, 8, 0x10, (uint8_t)incr,
              0x0b));
    module_builder_export(builder, "add", GVM_EXTERN_FUNC, index);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "n", 1);
    return builder;
}

/* ---- Deploying ----------------------------------------------------------- */

static void
deploy(uint64_t *generator)
{
    struct module_builder *builder = guest();
    struct runtime_config config = {
        .fuel = 1000000000 + random_below(generator, 1000),
        .concurrency = random_below(generator, 3) * 2,
        .queue = random_below(generator, 4),
        .queue_ms = random_below(generator, 5),
        .reuse = random_below(generator, 2) ? RUNTIME_REUSE_WARM
                                            : RUNTIME_REUSE_FRESH,
    };
    struct runtime_deployment deployment = {
        .namespace_ = namespaces[random_below(generator, 2)],
        .name = names[random_below(generator, 2)],
        .config = &config,
    };

    deployment.module =
        module_builder_finish(builder, &deployment.module_bytes);
    enum runtime_status status = runtime_function_deploy(
        world.runtime, &deployment, NULL, NULL, NULL);
    if (status != RUNTIME_OK && status != RUNTIME_BUSY)
        atomic_fetch_add(&wrong_count, 1);
    if (random_below(generator, 8) == 0)
        runtime_function_delete(world.runtime, deployment.namespace_,
                                deployment.name, NULL, NULL);
    module_builder_destroy(builder);
}

static void *
deploy_many(void *seed)
{
    uint64_t generator = (uintptr_t)seed;

    for (int i = 0; i < deployments_count; i++)
        deploy(&generator);
    return NULL;
}

/* ---- Calling ------------------------------------------------------------- */

/* A call under way, of one caller. */
struct pending {
    struct runtime_call *call; /* NULL: none */
    atomic_uint end_count;
};

static void
count_end(struct runtime_call *call, void *data)
{
    struct pending *pending = data;

    (void)call;
    atomic_fetch_add(&pending->end_count, 1);
}

static void
expect_end(enum runtime_status status)
{
    atomic_fetch_add(&end_counts[status], 1);
    switch (status) {
    case RUNTIME_OK:
    case RUNTIME_BUSY:
    case RUNTIME_TIMEOUT:
    case RUNTIME_CANCELLED:
        return;
    default:
        fprintf(stderr, "a call ends with %s\n", runtime_status_name(status));
        atomic_fetch_add(&wrong_count, 1);
    }
}

static void
start(struct pending *pending, uint64_t *generator)
{
    static const struct {
        const char *name, *argument;
    } exports[] = {
        {"sleep", "1000"},    {"sleep", "3000000"}, {"sleep", "1000000000"},
        {"loop", "0"},        {"count", "10"},      {"count", "1000000"},
        {"add", "1"},
    };
    struct runtime_call *call;
    unsigned choice = random_below(generator, 7);

    if (runtime_call_create(world.runtime,
                            namespaces[random_below(generator, 2)],
                            names[random_below(generator, 2)], &call,
                            NULL) != RUNTIME_OK) {
        sched_yield();
        return;
    }
    runtime_call_set_export(call, exports[choice].name,
                            &exports[choice].argument, 1, NULL);
    runtime_call_set_timeout_ms(call, 1 + random_below(generator, 15));
    if (random_below(generator, 4) == 0)
        runtime_call_set_deferred(call);
    atomic_store(&pending->end_count, 0);
    pending->call = call;
    enum runtime_status status =
        runtime_call_start(call, count_end, pending);
    if (status == RUNTIME_PENDING)
        return;
    expect_end(status);
    pending->call = NULL;
    runtime_call_destroy(call);
}

/* Looks after one that is under way. */
static void
look(struct pending *pending, uint64_t *generator)
{
    unsigned ends = atomic_load(&pending->end_count);

    if (ends == 0) {
        if (random_below(generator, 50) == 0)
            runtime_call_cancel(pending->call);
        sched_yield();
        return;
    }
    if (ends != 1)
        atomic_fetch_add(&wrong_count, 1);
    expect_end(runtime_call_result(pending->call)->status);
    runtime_call_destroy(pending->call);
    pending->call = NULL;
}

static void *
call_many(void *seed)
{
    uint64_t generator = (uintptr_t)seed;
    struct pending pending[pending_max] = {{NULL}};
    unsigned left = pending_max;

    for (int i = 0; i < calls_count;) {
        struct pending *one = &pending[random_below(&generator, pending_max)];
        if (one->call) {
            look(one, &generator);
        } else {
            start(one, &generator);
            i++;
        }
    }
    /* Their deadlines are near. */
    while (left > 0) {
        left = 0;
        for (int i = 0; i < pending_max; i++) {
            if (pending[i].call)
                look(&pending[i], &generator);
            left += pending[i].call != NULL;
        }
    }
    return NULL;
}

START_TEST(everything_at_once_ends_well)
{
    pthread_t threads[callers_count + deployers_count];

    for (int round = 0; round < rounds; round++) {
        uint64_t generator = 1;
        world_open(&world, NULL);
        for (int i = 0; i < 20; i++)
            deploy(&generator);
        for (int i = 0; i < callers_count + deployers_count; i++)
            ck_assert_int_eq(
                pthread_create(&threads[i], NULL,
                               i < callers_count ? call_many : deploy_many,
                               (void *)(uintptr_t)(i * 977 + round * 13 + 1)),
                0);
        for (int i = 0; i < callers_count + deployers_count; i++)
            pthread_join(threads[i], NULL);
        struct runtime_statistics statistics;
        runtime_statistics(world.runtime, &statistics);
        ck_assert_uint_eq(statistics.call_count, 0);
        ck_assert_uint_eq(statistics.parked_count, 0);
        /* At once: what calls have left behind may still be there. */
        world_close(&world);
    }
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    /* It was about something. */
    ck_assert_uint_gt(atomic_load(&end_counts[RUNTIME_OK]), 0);
    ck_assert_uint_gt(atomic_load(&end_counts[RUNTIME_BUSY]), 0);
    ck_assert_uint_gt(atomic_load(&end_counts[RUNTIME_TIMEOUT]), 0);
    ck_assert_uint_gt(atomic_load(&end_counts[RUNTIME_CANCELLED]), 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, everything_at_once_ends_well);
}

WORLD_MAIN("stress", add_tests)
