/* check_call_first.c - tests of runtime/call_first.c. */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdatomic.h>
#include <stdio.h>

/* glass_init sleeps 20 ms, once; `number` says how often it has been called
 * in its memory. */
static struct module_builder *
sleepy(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t sleep =
        module_builder_import_func(builder, "glass", "sleep_ns", "l:i");
    uint32_t incr = module_builder_import_func(builder, "glass",
                                               "state_incr", "iili:i");
    /* sleep_ns(20000000); state_incr("n", 1, 1, 8) */
    uint32_t index = module_builder_func(
        builder, ":i", "",
        BYTES(0x42, 0x80, 0xda, 0xc4, 9, 0x10, (uint8_t)sleep, 0x1a, 0x41, 0,
              0x41, 1, 0x42, 1, 0x41, 8, 0x10, (uint8_t)incr, 0x1a, 0x41,
              0, 0x0b));

    module_builder_export(builder, "glass_init", GVM_EXTERN_FUNC, index);
    index = module_builder_func(builder, ":i", "",
                                BYTES(0x41, 8, 0x28, 2, 0, 0x0b));
    module_builder_export(builder, "number", GVM_EXTERN_FUNC, index);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "n", 1);
    return builder;
}

/* Deploys, restarts, and starts as many calls as there are at once. */
START_TEST(first_calls_wait_for_one_initialisation)
{
    enum { count = 20 };
    static struct runtime_call *calls[count];
    char path[64];
    char snapshots[80];
    atomic_uint ends = 0;
    struct runtime_options options = {.data_dir = path};

    world_directory_make(path);
    world_open(&world, &options);
    world_deploy_built(&world, "f", sleepy());
    world_close(&world);
    snprintf(snapshots, sizeof(snapshots), "%s/snapshots", path);
    world_directory_remove(snapshots);
    world_open(&world, &options);
    for (int i = 0; i < count; i++) {
        calls[i] = world_call(&world, "f", "");
        ck_assert_int_eq(runtime_call_set_export(calls[i], "number", NULL, 0,
                                                 &world.err),
                         RUNTIME_OK);
        /* The last gives up before that; and it is not initialised anew. */
        if (i == count - 1)
            runtime_call_set_timeout_ms(calls[i], 1);
        ck_assert_int_eq(runtime_call_start(calls[i], count_end, &ends),
                         RUNTIME_PENDING);
    }
    wait_for(&ends, count);
    for (int i = 0; i < count; i++) {
        const struct runtime_result *result = runtime_call_result(calls[i]);
        if (i == count - 1) {
            ck_assert_int_eq(result->status, RUNTIME_TIMEOUT);
        } else {
            ck_assert_int_eq(result->status, RUNTIME_OK);
            ck_assert_int_eq(result->start, RUNTIME_START_COLD);
            /* The store is new: this was the first increment of all. */
            ck_assert_str_eq(result->values[0].text, "1");
        }
        runtime_call_destroy(calls[i]);
    }
    world_close(&world);
    world_directory_remove(path);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, first_calls_wait_for_one_initialisation);
}

WORLD_MAIN("call_first", add_tests)
