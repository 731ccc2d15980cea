/*
 * parked.c - what calls take that are parked, all at once.
 *
 *     bench-parked MODULE [CALLS [SLEEP_MS [BOUNDS [MB_MAX]]]]
 *
 * Starts CALLS (10000) calls of `nap` of the module, which dirties two pages
 * and its stack, sleeps for SLEEP_MS (10000) and answers 64 bytes that say
 * whether its memory is still its own; BOUNDS is `guard` or `explicit`. Prints
 * the memory (PSS) and the page tables that they take while they sleep, the
 * mappings, and how many ended well. Fails unless all did, and when memory and
 * page tables together are more than MB_MAX.
 */
#define _GNU_SOURCE 1

#include "runtime/runtime.h"
#include "state/state.h"

#include <malloc.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static atomic_uint ended;

static void
fail(const char *what)
{
    fprintf(stderr, "bench-parked: %s\n", what);
    exit(1);
}

static void
say(void *unused, const char *message)
{
    (void)unused;
    fprintf(stderr, "bench-parked: %s\n", message);
}

/* The number behind `name` in a file of the kernel's, in KiB. */
static unsigned long
read_kib(const char *path, const char *name)
{
    FILE *file = fopen(path, "r");
    char line[256];
    unsigned long sum = 0;

    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, name, strlen(name)) == 0)
            sum += strtoul(line + strlen(name), NULL, 10);
    if (file)
        fclose(file);
    return sum;
}

static unsigned long
count_mappings(void)
{
    FILE *file = fopen("/proc/self/maps", "r");
    unsigned long count = 0;
    int byte;

    while (file && (byte = getc(file)) != EOF)
        count += byte == '\n';
    if (file)
        fclose(file);
    return count;
}

static void *
read_module(const char *path, size_t *length)
{
    FILE *file = fopen(path, "rb");
    char *bytes = malloc(16u << 20);

    if (!file || !bytes)
        fail("the module cannot be read");
    *length = fread(bytes, 1, 16u << 20, file);
    fclose(file);
    return bytes;
}

static void
count_end(struct runtime_call *call, void *data)
{
    (void)call;
    (void)data;
    atomic_fetch_add(&ended, 1);
}

static struct runtime_call *
start(struct runtime *runtime, const char *sleep_ms)
{
    struct runtime_call *call;
    struct runtime_error err;

    if (runtime_call_create(runtime, "default", "nap", &call, &err) !=
            RUNTIME_OK ||
        runtime_call_input_append(call, sleep_ms, strlen(sleep_ms), &err) !=
            RUNTIME_OK)
        fail(err.message);
    if (runtime_call_start(call, count_end, NULL) != RUNTIME_PENDING)
        atomic_fetch_add(&ended, 1);
    return call;
}

/* Waits until as many as are asked for sleep, or have ended. */
static void
wait_for_parked(struct runtime *runtime, unsigned count)
{
    struct runtime_statistics statistics;

    do {
        usleep(20000);
        runtime_statistics(runtime, &statistics);
    } while (statistics.parked_count + atomic_load(&ended) < count);
}

/* They are parked when they are started; when no more mappings are made they
 * all sleep. */
static void
wait_for_sleep(void)
{
    unsigned long before, count = 0;

    do {
        before = count;
        usleep(300000);
        count = count_mappings();
    } while (count != before);
}

static double
now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

int
main(int argc, char **argv)
{
    unsigned count = argc > 2 ? (unsigned)atoi(argv[2]) : 10000;
    const char *sleep_ms = argc > 3 ? argv[3] : "10000";
    double mb_max = argc > 5 ? atof(argv[5]) : 1e9;
    bool explicit = argc > 4 && strcmp(argv[4], "explicit") == 0;
    struct runtime_options options = {
        .calls_max = count,
        .namespace_calls_max = count,
        .notice = say,
        .bounds = explicit ? RUNTIME_BOUNDS_EXPLICIT : RUNTIME_BOUNDS_GUARD,
    };
    struct runtime_deployment deployment = {.namespace_ = "default",
                                            .name = "nap"};
    struct runtime *runtime;
    struct runtime_error err;
    unsigned good = 0;

    if (argc < 2)
        fail("which module?");
    deployment.module = read_module(argv[1], &deployment.module_bytes);
    if (runtime_create(&options, &runtime, &err) != RUNTIME_OK ||
        runtime_function_deploy(runtime, &deployment, NULL, NULL, &err) !=
            RUNTIME_OK)
        fail(err.message);
    struct runtime_call **calls = calloc(count, sizeof(*calls));
    unsigned long pss = read_kib("/proc/self/smaps_rollup", "Pss:");
    unsigned long tables = read_kib("/proc/self/status", "VmPTE:");
    unsigned long mappings = count_mappings();
    size_t heap = mallinfo2().uordblks;
    double begun = now();
    for (unsigned i = 0; i < count; i++)
        calls[i] = start(runtime, sleep_ms);
    wait_for_parked(runtime, count);
    wait_for_sleep();
    unsigned early = atomic_load(&ended);
    pss = read_kib("/proc/self/smaps_rollup", "Pss:") - pss;
    tables = read_kib("/proc/self/status", "VmPTE:") - tables;
    mappings = count_mappings() - mappings;
    heap = mallinfo2().uordblks - heap;
    while (atomic_load(&ended) < count)
        usleep(10000);
    for (unsigned i = 0; i < count; i++) {
        const struct runtime_result *result = runtime_call_result(calls[i]);
        good += result->status == RUNTIME_OK && result->output_bytes == 64 &&
                memcmp(result->output, "well", 4) == 0;
        runtime_call_destroy(calls[i]);
    }
    printf("%u calls parked (%u had ended): %.1f MB memory, of which %.1f MB "
           "in blocks, %.1f MB page tables, %lu mappings; %u ended well, "
           "after %.2f s\n",
           count, early, (double)pss * 1024 / 1e6, (double)heap / 1e6,
           (double)tables * 1024 / 1e6, mappings, good, now() - begun);
    runtime_destroy(runtime);
    free(calls);
    if ((double)(pss + tables) * 1024 / 1e6 > mb_max)
        fail("that is too much memory");
    return good == count ? 0 : 1;
}
