/* check_faaslet.c - tests of runtime/faaslet.c. */
#include "runtime/faaslet.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct gvm_engine *engine;
static struct module_builder *builder;
static struct runtime__module *module;
static struct runtime__faaslet *faaslet;
static struct runtime_error err;

static void
set_up(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    builder = module_builder_create();
}

static void
tear_down(void)
{
    runtime__faaslet_destroy(faaslet);
    runtime__module_put(module);
    module_builder_destroy(builder);
    gvm_engine_destroy(engine);
}

/* Makes a faaslet of what the builder holds. */
static enum runtime_status
make(uint64_t fuel, uint64_t memory_bytes)
{
    struct runtime__limits limits = {
        .fuel = fuel,
        .memory_bytes = memory_bytes,
        .deadline_ns = UINT64_MAX,
    };
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    ck_assert_int_eq(runtime__module_load(engine, bytes, length_bytes, false,
                                          RUNTIME__GROUP_wasi, NULL, &module,
                                          &err),
                     RUNTIME_OK);
    return runtime__faaslet_create(engine, module, &limits, &faaslet, &err);
}

/* A function that appends a digit to the number in the global 0. */
static void
add_step(const char *name, uint8_t digit)
{
    uint32_t index = module_builder_func(
        builder, ":", "",
        BYTES(0x23, 0, 0x41, 10, 0x6c, 0x41, digit, 0x6a, 0x24, 0, 0x0b));

    if (name)
        module_builder_export(builder, name, GVM_EXTERN_FUNC, index);
    else
        module_builder_start(builder, index);
}

static void
add_number(void)
{
    uint32_t index =
        module_builder_func(builder, ":i", "", BYTES(0x23, 0, 0x0b));

    module_builder_global(builder, 'i', true, BYTES(0x41, 0, 0x0b));
    module_builder_export(builder, "number", GVM_EXTERN_FUNC, index);
}

static enum runtime_status
initialise(void)
{
    runtime__faaslet_add_initialisers(faaslet);
    return runtime__faaslet_finish(faaslet, &err);
}

static uint32_t
ask_number(void)
{
    const union gvm_value *results;

    ck_assert_int_eq(
        runtime__faaslet_run(faaslet, "number", NULL, &results, &err),
        RUNTIME_OK);
    return results[0].i32;
}

START_TEST(what_initialises_runs_in_its_order)
{
    add_number();
    add_step("_faasm_zygote", 4);
    add_step("glass_init", 3);
    add_step("_initialize", 2);
    add_step(NULL, 1);
    ck_assert_int_eq(make(100000, 65536), RUNTIME_OK);
    ck_assert_int_eq(initialise(), RUNTIME_OK);
    /* glass_init takes the place of _faasm_zygote. */
    ck_assert_uint_eq(ask_number(), 123);
}
END_TEST

START_TEST(a_zygote_runs_when_there_is_no_init)
{
    add_number();
    add_step("_faasm_zygote", 4);
    add_step(NULL, 1);
    ck_assert_int_eq(make(100000, 65536), RUNTIME_OK);
    ck_assert_int_eq(initialise(), RUNTIME_OK);
    ck_assert_uint_eq(ask_number(), 14);
}
END_TEST

START_TEST(fuel_is_counted_over_all_that_runs)
{
    add_number();
    add_step("step", 1);
    ck_assert_int_eq(make(1000, 65536), RUNTIME_OK);
    ck_assert_uint_eq(runtime__faaslet_fuel_used(faaslet), 0);
    ck_assert_uint_eq(runtime__faaslet_fuel_left(faaslet), 1000);
    ck_assert_int_eq(runtime__faaslet_run(faaslet, "step", NULL, NULL, &err),
                     RUNTIME_OK);
    uint64_t once = runtime__faaslet_fuel_used(faaslet);
    ck_assert_uint_gt(once, 0);
    ck_assert_int_eq(runtime__faaslet_run(faaslet, "step", NULL, NULL, &err),
                     RUNTIME_OK);
    ck_assert_uint_eq(runtime__faaslet_fuel_used(faaslet), 2 * once);
    ck_assert_uint_eq(runtime__faaslet_fuel_left(faaslet), 1000 - 2 * once);
    enum runtime_status status = RUNTIME_OK;
    for (uint64_t i = 2; i < 1000 && status == RUNTIME_OK; i++) {
        status = runtime__faaslet_run(faaslet, "step", NULL, NULL, &err);
        ck_assert_uint_le(runtime__faaslet_fuel_used(faaslet), 1000);
    }
    ck_assert_int_eq(status, RUNTIME_OUT_OF_FUEL);
    ck_assert_uint_lt(runtime__faaslet_fuel_left(faaslet), once);
}
END_TEST

START_TEST(memory_and_tables_have_their_limits)
{
    module_builder_memory(builder, 2, 100);
    ck_assert_int_eq(make(1000, 2 * 65536), RUNTIME_OK);
    ck_assert_uint_eq(runtime__faaslet_memory_bytes(faaslet), 2 * 65536);
    runtime__faaslet_destroy(faaslet);
    runtime__module_put(module);
    faaslet = NULL;
    module = NULL;
    ck_assert_int_eq(make(1000, 2 * 65536 - 1), RUNTIME_OUT_OF_MEMORY);
    ck_assert_int_eq(err.status, RUNTIME_OUT_OF_MEMORY);
    runtime__module_put(module);
    module = NULL;
    module_builder_table(builder, 'r', GVM_STORE_TABLE_ENTRIES_MAX + 1,
                         MODULE_BUILDER_NO_MAX);
    ck_assert_int_eq(make(1000, 2 * 65536), RUNTIME_OUT_OF_MEMORY);
}
END_TEST

START_TEST(a_segment_that_does_not_fit_is_a_trap)
{
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 65535, "ab", 2);
    ck_assert_int_eq(make(1000, 65536), RUNTIME_TRAP);
    ck_assert_ptr_null(faaslet);
}
END_TEST

START_TEST(a_deadline_that_has_passed_ends_what_outlives_a_slice)
{
    uint32_t index = module_builder_func(
        builder, ":", "", BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x0b));

    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(make(UINT64_MAX / 2, 65536), RUNTIME_OK);
    faaslet->limits.deadline_ns = 0;
    ck_assert_int_eq(runtime__faaslet_run(faaslet, "loop", NULL, NULL, &err),
                     RUNTIME_TIMEOUT);
    ck_assert_uint_le(runtime__faaslet_fuel_used(faaslet),
                      RUNTIME_SLICE_FUEL);
}
END_TEST

/* Steps until something else than the end of a slice. */
static enum runtime__step
step_on(unsigned *slices, enum runtime_status *status)
{
    enum runtime__step step;

    for (*slices = 0;; (*slices)++) {
        step = runtime__faaslet_step(faaslet, status, &err);
        if (step != RUNTIME__STEP_SLICE)
            return step;
    }
}

START_TEST(a_step_is_a_slice_of_fuel)
{
    enum runtime_status status = RUNTIME_OK;
    unsigned slices;
    uint32_t index = module_builder_func(
        builder, ":", "", BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x0b));

    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(make(10 * RUNTIME_SLICE_FUEL, 65536), RUNTIME_OK);
    runtime__faaslet_add(faaslet, "loop", NULL);
    ck_assert_int_eq(runtime__faaslet_step(faaslet, &status, &err),
                     RUNTIME__STEP_SLICE);
    ck_assert_uint_gt(runtime__faaslet_fuel_used(faaslet),
                      RUNTIME_SLICE_FUEL - 100);
    ck_assert_uint_le(runtime__faaslet_fuel_used(faaslet),
                      RUNTIME_SLICE_FUEL);
    /* Or less, where slices take too long. */
    uint64_t before = runtime__faaslet_fuel_used(faaslet);
    faaslet->slice_fuel = RUNTIME_SLICE_FUEL_MIN;
    ck_assert_int_eq(runtime__faaslet_step(faaslet, &status, &err),
                     RUNTIME__STEP_SLICE);
    ck_assert_uint_le(runtime__faaslet_fuel_used(faaslet) - before,
                      RUNTIME_SLICE_FUEL_MIN + 100);
    faaslet->slice_fuel = 0;
    ck_assert_int_eq(step_on(&slices, &status), RUNTIME__STEP_ENDED);
    ck_assert_int_eq(status, RUNTIME_OUT_OF_FUEL);
    ck_assert_uint_eq(slices, 8);
}
END_TEST

/* A function so long that entering it costs more than a slice. */
START_TEST(what_costs_more_than_a_slice_runs_after_several)
{
    enum runtime_status status = RUNTIME_FAILED;
    unsigned slices;
    size_t length = 2 * RUNTIME_SLICE_FUEL + 1000;
    uint8_t *body = malloc(length + 1);

    ck_assert_ptr_nonnull(body);
    memset(body, 0x01, length); /* nop */
    body[length] = 0x0b;
    uint32_t index = module_builder_func(builder, ":", "", body, length + 1);
    free(body);
    module_builder_export(builder, "long", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(make(10 * RUNTIME_SLICE_FUEL, 65536), RUNTIME_OK);
    runtime__faaslet_add(faaslet, "long", NULL);
    ck_assert_int_eq(step_on(&slices, &status), RUNTIME__STEP_ENDED);
    ck_assert_int_eq(status, RUNTIME_OK);
    ck_assert_uint_eq(slices, 2);
}
END_TEST

/* However often it waits, it does not save up fuel for a longer slice. */
START_TEST(a_wait_leaves_no_more_than_a_slice)
{
    enum runtime_status status = RUNTIME_OK;
    uint32_t poll = module_builder_import_func(
        builder, "wasi_snapshot_preview1", "poll_oneoff", "iiii:i");
    /* A clock at 0, 1 ms from now, for ever. */
    uint32_t index = module_builder_func(
        builder, ":", "",
        BYTES(0x03, 0x40, 0x41, 0, 0x41, 0xc0, 0, 0x41, 1, 0x41, 0x80, 1,
              0x10, (uint8_t)poll, 0x1a, 0x0c, 0, 0x0b, 0x0b));
    static const uint8_t one_ms[] = {0x40, 0x42, 0x0f};

    module_builder_export(builder, "sleep", GVM_EXTERN_FUNC, index);
    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 24, one_ms, sizeof(one_ms));
    ck_assert_int_eq(make(100 * RUNTIME_SLICE_FUEL, 65536), RUNTIME_OK);
    faaslet->wasi.parks = true;
    runtime__faaslet_add(faaslet, "sleep", NULL);
    for (int i = 0; i < 3; i++) {
        uint64_t now_ns = runtime__wait_now_ns();
        ck_assert_int_eq(runtime__faaslet_step(faaslet, &status, &err),
                         RUNTIME__STEP_WAIT);
        ck_assert_uint_ge(faaslet->until_ns, now_ns);
        ck_assert_uint_le(faaslet->fuel_granted -
                              runtime__faaslet_fuel_used(faaslet),
                          RUNTIME_SLICE_FUEL);
        while (runtime__wait_now_ns() < faaslet->until_ns)
            ;
    }
}
END_TEST

START_TEST(more_imports_than_most_have_are_linked)
{
    for (int i = 0; i < 40; i++)
        module_builder_import_func(builder, "wasi_snapshot_preview1",
                                   "sched_yield", ":i");
    uint32_t index =
        module_builder_func(builder, ":i", "", BYTES(0x10, 39, 0x0b));
    const union gvm_value *results;

    module_builder_export(builder, "last", GVM_EXTERN_FUNC, index);
    ck_assert_int_eq(make(1000, 65536), RUNTIME_OK);
    ck_assert_int_eq(
        runtime__faaslet_run(faaslet, "last", NULL, &results, &err),
        RUNTIME_OK);
    ck_assert_uint_eq(results[0].i32, 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, what_initialises_runs_in_its_order);
    tcase_add_test(tests, a_zygote_runs_when_there_is_no_init);
    tcase_add_test(tests, fuel_is_counted_over_all_that_runs);
    tcase_add_test(tests, memory_and_tables_have_their_limits);
    tcase_add_test(tests, a_segment_that_does_not_fit_is_a_trap);
    tcase_add_test(tests,
                   a_deadline_that_has_passed_ends_what_outlives_a_slice);
    tcase_add_test(tests, a_step_is_a_slice_of_fuel);
    tcase_add_test(tests, what_costs_more_than_a_slice_runs_after_several);
    tcase_add_test(tests, a_wait_leaves_no_more_than_a_slice);
    tcase_add_test(tests, more_imports_than_most_have_are_linked);
}

WORLD_MAIN("faaslet", add_tests)
