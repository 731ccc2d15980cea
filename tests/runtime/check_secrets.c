/*
 * check_secrets.c - what a call can see of the calls before it: nothing.
 *
 * The guest writes a pattern wherever it can: its memory, also what it grows
 * to, its globals, its table, which it grows too, and its stack of locals. Then
 * it or another tenant's reads all of that and hashes it. Each hash must be
 * that of a sandbox that nobody has used.
 */
#include "tests/runtime/world.h"

#include <check.h>
#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

/* The thread sanitizer is slow; what it looks for shows early. */
#ifdef __SANITIZE_THREAD__
enum { rounds_count = 1000, threads_count = 2 };
#else
enum { rounds_count = 10000, threads_count = 2 };
#endif

static struct world world;
static atomic_int wrong_count;

/*
 * stain(pattern): memory.grow to the maximum, memory.fill of all of it, the
 * globals, table.grow to the maximum, table.fill with null.
 */
static void
add_stain(struct module_builder *builder)
{
    uint32_t stain = module_builder_func(
        builder, "l:i", "llllllll",
        BYTES(0x41, 3, 0x40, 0, 0x1a,         /* memory.grow 3 */
              0x41, 0, 0x20, 0, 0xa7,         /* 0, pattern, */
              0x3f, 0, 0x41, 16, 0x74,        /* memory.size << 16 */
              0xfc, 11, 0,                    /* memory.fill */
              0x20, 0, 0x24, 0,               /* global.set 0 */
              0x20, 0, 0xbf, 0x24, 1,         /* global.set 1, f64 */
              0xd0, 0x70, 0x41, 6, 0xfc, 15, 0, 0x1a, /* table.grow 6 */
              0x41, 0, 0xd0, 0x70, 0xfc, 16, 0, 0xfc, 17, 0, /* table.fill */
              0x20, 0, 0x22, 1, 0x22, 2, 0x22, 3, 0x22, 4, 0x22, 5, 0x22, 6,
              0x22, 7, 0x21, 8,               /* all locals */
              0x3f, 0, 0x0b));

    module_builder_export(builder, "stain", GVM_EXTERN_FUNC, stain);
}

/*
 * inspect(): hash = rotate(hash, 7) ^ word over all of the memory, then its
 * size, the globals, and which entries of the table are null.
 */
static void
add_inspect(struct module_builder *builder)
{
    uint32_t inspect = module_builder_func(
        builder, ":l", "ill",
        BYTES(0x03, 0x40,                        /* loop */
              0x20, 1, 0x42, 7, 0x89,            /* rotl */
              0x20, 0, 0x29, 3, 0, 0x85, 0x21, 1, /* ^ i64.load */
              0x20, 0, 0x41, 8, 0x6a, 0x22, 0,   /* address += 8 */
              0x3f, 0, 0x41, 16, 0x74, 0x49, 0x0d, 0, 0x0b, /* < size */
              0x20, 1, 0x3f, 0, 0xad, 0x7c,      /* + memory.size */
              0x23, 0, 0x85, 0x23, 1, 0xbd, 0x42, 9, 0x89, 0x85,
              0xfc, 16, 0, 0xad, 0x42, 40, 0x86, 0x85, /* table.size << 40 */
              0x41, 0, 0x25, 0, 0xd1, 0xad, 0x42, 50, 0x86, 0x85,
              0x41, 1, 0x25, 0, 0xd1, 0xad, 0x42, 51, 0x86, 0x85,
              0x20, 2, 0x85,                     /* a local, still zero */
              0x0b));

    module_builder_export(builder, "inspect", GVM_EXTERN_FUNC, inspect);
}

static void
deploy(const char *namespace_, enum runtime_reuse reuse)
{
    static const char secret[] = "what the module says itself";
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.reuse = reuse};

    module_builder_memory(builder, 1, 4);
    module_builder_table(builder, 'r', 2, 8);
    module_builder_global(builder, 'l', true, BYTES(0x42, 11, 0x0b));
    module_builder_global(builder, 'd', true,
                          BYTES(0x44, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x0b));
    add_stain(builder);
    add_inspect(builder);
    module_builder_elements(builder, 0, (const uint32_t[]){0, 1}, 2);
    module_builder_data(builder, 5000, secret, sizeof(secret));
    world_deploy_as(&world, namespace_, "f", &config, builder);
}

/* The export's result as text; false when the call fails. */
static bool
ask(const char *namespace_, const char *export_name, const char *argument,
    char answer[RUNTIME_VALUE_TEXT_SIZE])
{
    struct runtime_call *call;
    bool done =
        runtime_call_create(world.runtime, namespace_, "f", &call, NULL) ==
            RUNTIME_OK &&
        runtime_call_set_export(call, export_name, &argument,
                                argument ? 1 : 0, NULL) == RUNTIME_OK &&
        runtime_call_run(call) == RUNTIME_OK;

    if (done)
        strcpy(answer, runtime_call_result(call)->values[0].text);
    runtime_call_destroy(call);
    return done;
}

static char clean[RUNTIME_VALUE_TEXT_SIZE];

static void
expect(bool right)
{
    if (!right)
        atomic_fetch_add(&wrong_count, 1);
}

static void *
stain_and_inspect(void *data)
{
    char answer[RUNTIME_VALUE_TEXT_SIZE];

    for (int i = 0; i < rounds_count / threads_count; i++) {
        const char *pattern = i % 2 ? "-1" : "0x5555555555555555";

        expect(ask("first", "stain", pattern, answer) &&
               !strcmp(answer, "4"));
        expect(ask("second", "inspect", NULL, answer) &&
               !strcmp(answer, clean));
        expect(ask("first", "inspect", NULL, answer) &&
               !strcmp(answer, clean));
    }
    return data;
}

/* In one runtime, on two threads that take each other's sandboxes. */
START_TEST(a_call_sees_the_snapshot_and_nothing_else)
{
    static const enum runtime_bounds bounds[] = {RUNTIME_BOUNDS_DEFAULT,
                                                 RUNTIME_BOUNDS_EXPLICIT};
    struct runtime_options options = {.bounds = bounds[_i]};
    char stained[RUNTIME_VALUE_TEXT_SIZE];
    pthread_t threads[threads_count];

    world_open(&world, &options);
    deploy("first", RUNTIME_REUSE_FRESH);
    deploy("second", RUNTIME_REUSE_FRESH);
    deploy("third", RUNTIME_REUSE_WARM);
    ck_assert(ask("first", "inspect", NULL, clean));
    /* The hash tells: here the pattern is still there. */
    ck_assert(ask("third", "inspect", NULL, stained));
    ck_assert_str_eq(stained, clean);
    ck_assert(ask("third", "stain", "-1", stained));
    ck_assert(ask("third", "inspect", NULL, stained));
    ck_assert_str_ne(stained, clean);
    for (size_t i = 0; i < threads_count; i++)
        ck_assert_int_eq(pthread_create(&threads[i], NULL,
                                        stain_and_inspect, NULL),
                         0);
    for (size_t i = 0; i < threads_count; i++)
        pthread_join(threads[i], NULL);
    ck_assert_int_eq(atomic_load(&wrong_count), 0);
    world_close(&world);
}
END_TEST

static void
add_tests(TCase *tests)
{
    /* The sanitizers are slow, and look at all memory after each call. */
    tcase_set_timeout(tests, 280);
    tcase_add_loop_test(tests, a_call_sees_the_snapshot_and_nothing_else, 0,
                        2);
}

WORLD_MAIN("secrets", add_tests)
