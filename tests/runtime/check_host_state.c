/* check_host_state.c - tests of runtime/host_state.c, by guests/state.c. */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state_store *store;
static _Atomic uint64_t clock_ms; /* the sweeper reads it too */

static uint64_t
now_ms(void *data)
{
    (void)data;
    return clock_ms;
}

static void
open_state(void)
{
    struct state_options small = {.value_bytes_max = 1000,
                                  .now_ms = now_ms};
    struct runtime_options options = {0};

    ck_assert_int_eq(state_store_open(&small, &store, NULL), STATE_OK);
    options.store = store;
    world_open(&world, &options);
    world_deploy_guest(&world, "state");
}

static void
close_state(void)
{
    world_close(&world);
    state_store_close(store);
}

/* Each checks itself, on an empty state. */
static const char *const exports[] = {
    "a_value_is_put_and_got",
    "a_range_is_got",
    "a_range_is_put",
    "an_expiry_comes_and_goes",
    "length_and_version_are_told",
    "a_put_may_have_a_condition",
    "flags_and_times_that_make_no_sense_are_invalid",
    "keys_have_1_to_480_bytes",
    "values_have_a_limit",
    "appending_tells_the_length",
    "numbers_are_added",
    "a_value_is_swapped_by_its_version",
    "a_key_is_deleted_by_its_version_or_in_any",
    "a_list_comes_in_key_order",
    "a_list_goes_on_where_the_buffer_ended",
    "an_entry_that_does_not_fit_is_too_big",
    "unfinished_lists_are_few",
};

START_TEST(a_guest_finds_what_it_expects)
{
    world_ask(&world, "state", exports[_i], "", RUNTIME_OK);
}
END_TEST

/* What the state has for a key in a namespace; "" when it is absent. */
static const char *
look(const char *namespace_, const char *key)
{
    static char value[64];
    struct state_operation get = {
        .kind = STATE_GET,
        .namespace_ = namespace_,
        .key = {key, strlen(key)},
    };

    value[0] = '\0';
    if (state_store_submit(store, &get) == STATE_OK) {
        memcpy(value, get.result.bytes, get.result.length_bytes);
        value[get.result.length_bytes] = '\0';
    }
    state_operation_deinit(&get);
    return value;
}

START_TEST(a_function_has_the_state_of_its_own_namespace)
{
    size_t length_bytes;
    uint8_t *bytes = world_guest("state", &length_bytes);
    struct runtime_deployment deployment = {
        .namespace_ = "tenant",
        .name = "state",
        .module = bytes,
        .module_bytes = length_bytes,
    };
    struct runtime_call *call;

    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_call_create(world.runtime, "tenant", "state",
                                         &call, NULL),
                     RUNTIME_OK);
    world_start(call, RUNTIME_OK);
    runtime_call_destroy(call);
    ck_assert_str_eq(look("tenant", "counter"), "1");
    ck_assert_str_eq(look("default", "counter"), "");
    free(bytes);
}
END_TEST

START_TEST(a_time_to_live_and_its_keeping_reach_the_state)
{
    /* put(time, flags) puts "k", with itself for a value. */
    struct module_builder *builder = module_builder_create();
    uint32_t put = module_builder_import_func(builder, "glass", "state_put",
                                              "iiiili:l");
    uint32_t one = module_builder_func(
        builder, "li:l", "",
        BYTES(0x41, 0, 0x41, 1, 0x41, 0, 0x41, 1, 0x20, 0, 0x20, 1, 0x10,
              (uint8_t)put, 0x0b));

    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "k", 1);
    module_builder_export(builder, "put", GVM_EXTERN_FUNC, one);
    world_deploy_built(&world, "put", builder);
    /* The longest time there is, and one past it. */
    ck_assert_int_gt(atoll(world_ask(&world, "put", "put",
                                     "3153600000000 0", RUNTIME_OK)),
                     0);
    ck_assert_str_eq(world_ask(&world, "put", "put", "3153600000001 0",
                               RUNTIME_OK),
                     "-3");
    /* The flag 4 keeps the expiry that there is, no flag takes it away. */
    world_ask(&world, "put", "put", "1000 0", RUNTIME_OK);
    world_ask(&world, "put", "put", "0 4", RUNTIME_OK);
    clock_ms += 999;
    ck_assert_str_eq(look("default", "k"), "k");
    clock_ms += 1;
    ck_assert_str_eq(look("default", "k"), "");
    world_ask(&world, "put", "put", "1000 0", RUNTIME_OK);
    world_ask(&world, "put", "put", "0 0", RUNTIME_OK);
    clock_ms += 1000;
    ck_assert_str_eq(look("default", "k"), "k");
}
END_TEST

START_TEST(an_expiry_that_is_set_or_taken_reaches_the_state)
{
    world_ask(&world, "state", "an_expiry_comes_and_goes", "", RUNTIME_OK);
    clock_ms += 999;
    ck_assert_str_eq(look("default", "goes"), "a");
    clock_ms += 1;
    ck_assert_str_eq(look("default", "goes"), "");
    ck_assert_str_eq(look("default", "key"), "a");
}
END_TEST

START_TEST(an_answer_that_has_no_place_leaves_the_state_alone)
{
    struct module_builder *builder = module_builder_create();
    uint32_t incr =
        module_builder_import_func(builder, "glass", "state_incr", "iili:i");
    uint32_t cas = module_builder_import_func(builder, "glass", "state_cas",
                                              "iiliii:i");
    /* With the key "k" and the place for the answer as the argument. */
    uint32_t call_incr = module_builder_func(
        builder, "i:i", "",
        BYTES(0x41, 0, 0x41, 1, 0x42, 5, 0x20, 0, 0x10, (uint8_t)incr, 0x0b));
    uint32_t call_cas = module_builder_func(
        builder, "i:i", "",
        BYTES(0x41, 0, 0x41, 1, 0x42, 0, 0x41, 0, 0x41, 1, 0x20, 0, 0x10,
              (uint8_t)cas, 0x0b));

    module_builder_memory(builder, 1, 1);
    module_builder_data(builder, 0, "k", 1);
    module_builder_export(builder, "incr", GVM_EXTERN_FUNC, call_incr);
    module_builder_export(builder, "cas", GVM_EXTERN_FUNC, call_cas);
    world_deploy_built(&world, "f", builder);
    world_ask(&world, "f", "incr", "65529", RUNTIME_TRAP);
    world_ask(&world, "f", "cas", "65529", RUNTIME_TRAP);
    ck_assert_str_eq(look("default", "k"), "");
    world_ask(&world, "f", "incr", "65528", RUNTIME_OK);
    ck_assert_str_eq(look("default", "k"), "5");
}
END_TEST

START_TEST(an_import_of_the_state_needs_a_state)
{
    struct runtime *runtime;
    size_t length_bytes;
    uint8_t *bytes = world_guest("state", &length_bytes);
    struct runtime_deployment deployment = {
        .namespace_ = "default",
        .name = "state",
        .module = bytes,
        .module_bytes = length_bytes,
    };
    struct runtime_error err;

    ck_assert_int_eq(runtime_create(NULL, &runtime, NULL), RUNTIME_OK);
    ck_assert_int_eq(
        runtime_function_deploy(runtime, &deployment, NULL, NULL, &err),
        RUNTIME_UNLINKABLE);
    ck_assert_ptr_nonnull(strstr(err.message, "no state"));
    runtime_destroy(runtime);
    free(bytes);
}
END_TEST

/* ---- Fuel --------------------------------------------------------------- */

/* put(length), the same twice, and get(length) with the key of one byte at 0,
 * and bytes from 0 on, in a memory of 64 MiB. */
static void
deploy_moving(uint64_t fuel)
{
    struct module_builder *builder = module_builder_create();
    struct runtime_config config = {.fuel = fuel};
    uint32_t put = module_builder_import_func(builder, "glass", "state_put",
                                              "iiiili:l");
    uint32_t get = module_builder_import_func(builder, "glass", "state_get",
                                              "iiii:i");
    uint32_t call_put = module_builder_func(
        builder, "i:l", "",
        BYTES(0x41, 0, 0x41, 1, 0x41, 0, 0x20, 0, 0x42, 0, 0x41, 0, 0x10,
              (uint8_t)put, 0x0b));
    uint32_t call_get = module_builder_func(
        builder, "i:i", "",
        BYTES(0x41, 0, 0x41, 1, 0x41, 0, 0x20, 0, 0x10, (uint8_t)get, 0x0b));

    uint32_t twice = module_builder_func(
        builder, "i:l", "",
        BYTES(0x20, 0, 0x10, (uint8_t)call_put, 0x1a, 0x20, 0, 0x10,
              (uint8_t)call_put, 0x0b));
    module_builder_memory(builder, 1024, 1024);
    module_builder_export(builder, "twice", GVM_EXTERN_FUNC, twice);
    module_builder_export(builder, "put", GVM_EXTERN_FUNC, call_put);
    module_builder_export(builder, "get", GVM_EXTERN_FUNC, call_get);
    world_deploy_as(&world, "default", "moving", &config, builder);
}

static uint64_t
fuel_of(const char *name, const char *argument,
        enum runtime_status expected)
{
    struct runtime_call *call = world_call(&world, "moving", "");

    ck_assert_int_eq(
        runtime_call_set_export(call, name, &argument, 1, &world.err),
        RUNTIME_OK);
    uint64_t fuel = world_start(call, expected)->fuel_used;
    runtime_call_destroy(call);
    return fuel;
}

START_TEST(bytes_that_are_moved_take_fuel)
{
    deploy_moving(0);
    uint64_t alone = fuel_of("put", "0", RUNTIME_OK);
    ck_assert_uint_gt(alone, RUNTIME_HOST_STATE_FUEL);
    ck_assert_uint_lt(alone, RUNTIME_HOST_STATE_FUEL + 20);
    ck_assert_uint_eq(fuel_of("put", "63", RUNTIME_OK), alone);
    ck_assert_uint_eq(fuel_of("put", "64", RUNTIME_OK), alone + 1);
    ck_assert_uint_eq(fuel_of("put", "1000", RUNTIME_OK), alone + 15);
    /* Of what is read, what is copied. */
    alone = fuel_of("get", "0", RUNTIME_OK);
    ck_assert_uint_eq(fuel_of("get", "640", RUNTIME_OK), alone + 10);
    ck_assert_uint_eq(fuel_of("get", "5000", RUNTIME_OK), alone + 15);
}
END_TEST

/* Four slices and more, whether or not the state takes it. */
START_TEST(many_bytes_take_more_than_a_slice)
{
    enum { bytes = 64 << 20, price = bytes / RUNTIME_HOST_BYTES_PER_FUEL };
    char text[16];

    deploy_moving(0);
    snprintf(text, sizeof(text), "%d", bytes);
    uint64_t alone = fuel_of("put", "0", RUNTIME_OK);
    ck_assert_uint_eq(fuel_of("put", text, RUNTIME_OK), alone + price);
    deploy_moving(alone + price);
    fuel_of("put", text, RUNTIME_OK);
    /* What is not there is not taken, but then nothing is left. */
    deploy_moving(alone + price - 1);
    ck_assert_uint_eq(fuel_of("put", text, RUNTIME_OK), alone + price - 1);
    ck_assert_uint_eq(fuel_of("twice", text, RUNTIME_OUT_OF_FUEL),
                      alone + price - 1);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_state, close_state);
    tcase_add_loop_test(tests, a_guest_finds_what_it_expects, 0,
                        sizeof(exports) / sizeof(exports[0]));
    tcase_add_test(tests, a_function_has_the_state_of_its_own_namespace);
    tcase_add_test(tests, a_time_to_live_and_its_keeping_reach_the_state);
    tcase_add_test(tests,
                   an_expiry_that_is_set_or_taken_reaches_the_state);
    tcase_add_test(tests,
                   an_answer_that_has_no_place_leaves_the_state_alone);
    tcase_add_test(tests, an_import_of_the_state_needs_a_state);
    tcase_add_test(tests, bytes_that_are_moved_take_fuel);
    tcase_add_test(tests, many_bytes_take_more_than_a_slice);
}

WORLD_MAIN("host_state", add_tests)
