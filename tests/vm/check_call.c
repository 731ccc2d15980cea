/*
 * check_call.c - tests of vm/call.c: a call as its embedder sees it.
 *
 * What happens on the way to the host and to other instances is
 * check_slow_call.c's subject, fuel is check_run.c's.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "vm/call.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name

static struct vm_guest guest;

static void
open_function(int bounds, const char *signature, const char *locals,
              const uint8_t *body, size_t body_bytes)
{
    struct module_builder *builder = module_builder_create();

    module_builder_export(builder, "f", GVM_EXTERN_FUNC,
                          module_builder_func(builder, signature, locals,
                                              body, body_bytes));
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
}

/* ---- Arguments and results ----------------------------------------------- */

START_TEST(arguments_of_every_type_arrive_and_results_of_every_type_return)
{
    static const uint64_t arguments[] = {
        0xfedcba98,         0xfedcba9876543210, 0x7fa00001,
        0xfff4000000000001, 0x1000,             0x2000};
    static const uint64_t results[] = {
        0x2000,     0x1000,             0xfff4000000000001,
        0x7fa00001, 0xfedcba9876543210, 0xfedcba98};

    open_function(_i, "ilfdrx:xrdfli", "",
                  BYTES(I(LOCAL_GET), 5, I(LOCAL_GET), 4, I(LOCAL_GET), 3,
                        I(LOCAL_GET), 2, I(LOCAL_GET), 1, I(LOCAL_GET), 0,
                        I(END)));
    vm_guest_expect(&guest, "f", arguments, 6, results);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(there_may_be_more_results_than_parameters)
{
    open_function(_i, "i:iiii", "",
                  BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 0, I(I32_CONST), 1,
                        I(I32_ADD), I(I32_CONST), 7, I(LOCAL_GET), 0,
                        I(END)));
    vm_guest_expect(&guest, "f", SLOTS(5), 4, SLOTS(5, 6, 7, 5));
    vm_guest_close(&guest);
}
END_TEST

/* "lll...:lll..." */
static void
many_signature(char *signature, unsigned parameters, unsigned results)
{
    memset(signature, 'l', parameters + 1 + results);
    signature[parameters] = ':';
    signature[parameters + 1 + results] = '\0';
}

/* f(a, b, ...) = (..., b, a), directly and called by g. */
START_TEST(a_thousand_arguments_and_results_arrive)
{
    struct module_builder *builder = module_builder_create();
    struct byte_buffer reverse = {0}, forward = {0};
    char signature[GVM_PARAMETERS_MAX + GVM_RESULTS_MAX + 2];
    uint64_t arguments[GVM_PARAMETERS_MAX], results[GVM_RESULTS_MAX];
    unsigned i;

    many_signature(signature, GVM_PARAMETERS_MAX, GVM_RESULTS_MAX);
    for (i = 0; i < GVM_PARAMETERS_MAX; i++) {
        arguments[i] = 0x0123456789abcdefull * (i + 1);
        results[GVM_RESULTS_MAX - 1 - i] = arguments[i];
        byte_buffer_put_byte(&reverse, I(LOCAL_GET));
        byte_buffer_put_unsigned(&reverse, GVM_PARAMETERS_MAX - 1 - i);
        byte_buffer_put_byte(&forward, I(LOCAL_GET));
        byte_buffer_put_unsigned(&forward, i);
    }
    byte_buffer_put_byte(&reverse, I(END));
    byte_buffer_put(&forward, BYTES(I(CALL), 0, I(END)));
    module_builder_func(builder, signature, "", reverse.bytes,
                        reverse.length_bytes);
    module_builder_func(builder, signature, "", forward.bytes,
                        forward.length_bytes);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    module_builder_export(builder, "g", GVM_EXTERN_FUNC, 1);
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect(&guest, "f", arguments, GVM_RESULTS_MAX, results);
    vm_guest_expect(&guest, "g", arguments, GVM_RESULTS_MAX, results);
    vm_guest_close(&guest);
    byte_buffer_deinit(&reverse);
    byte_buffer_deinit(&forward);
}
END_TEST

START_TEST(a_call_is_used_again_and_again)
{
    open_function(_i, "ii:i", "",
                  BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(I32_DIV_U),
                        I(END)));
    vm_guest_expect(&guest, "f", SLOTS(42, 7), 1, SLOTS(6));
    vm_guest_expect_trap(&guest, "f", SLOTS(42, 0),
                         GVM_TRAP_DIVIDE_BY_ZERO);
    vm_guest_expect(&guest, "f", SLOTS(9, 2), 1, SLOTS(4));
    vm_guest_close(&guest);
}
END_TEST

START_TEST(locals_begin_as_zero_whatever_the_stack_held_before)
{
    struct module_builder *builder = module_builder_create();

    module_builder_export(
        builder, "fill", GVM_EXTERN_FUNC,
        module_builder_func(
            builder, ":l", "llll",
            BYTES(I(I64_CONST), 0x7f, I(LOCAL_TEE), 0, I(LOCAL_TEE), 1,
                  I(LOCAL_TEE), 2, I(LOCAL_TEE), 3, I(LOCAL_GET), 0,
                  I(LOCAL_GET), 1, I(I64_AND), I(I64_AND), I(END))));
    module_builder_export(
        builder, "read", GVM_EXTERN_FUNC,
        module_builder_func(builder, ":lidf", "lidf",
                            BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1,
                                  I(LOCAL_GET), 2, I(LOCAL_GET), 3,
                                  I(END))));
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect(&guest, "fill", NULL, 1, SLOTS(UINT64_MAX));
    vm_guest_expect(&guest, "read", NULL, 4, SLOTS(0, 0, 0, 0));
    vm_guest_close(&guest);
}
END_TEST

/* ---- Depth --------------------------------------------------------------- */

/* f(n) = n == 0 ? 0 : f(n - 1) + 1 */
static const uint8_t count_body[] = {
    I(LOCAL_GET), 0,         I(I32_EQZ), I(IF),      0x7f,
    I(I32_CONST), 0,         I(ELSE),    I(LOCAL_GET), 0,
    I(I32_CONST), 1,         I(I32_SUB), I(CALL),    0,
    I(I32_CONST), 1,         I(I32_ADD), I(END),     I(END)};

START_TEST(endless_recursion_exhausts_the_stack_and_the_call_goes_on)
{
    open_function(_i, "i:i", "", count_body, sizeof(count_body));
    ck_assert_int_eq(vm_guest_call(&guest, "f", SLOTS(UINT32_MAX)),
                     GVM_EXHAUSTED);
    ck_assert_int_eq(guest.err.status, GVM_EXHAUSTED);
    ck_assert_int_eq(guest.err.trap, GVM_TRAP_NONE);
    ck_assert_uint_eq(guest.err.function, 0);
    ck_assert(strstr(guest.err.message, "call stack exhausted") != NULL);
    vm_guest_expect(&guest, "f", SLOTS(10000), 1, SLOTS(10000));
    ck_assert_int_eq(vm_guest_call(&guest, "f", SLOTS(UINT32_MAX)),
                     GVM_EXHAUSTED);
    vm_guest_expect(&guest, "f", SLOTS(3), 1, SLOTS(3));
    vm_guest_close(&guest);
}
END_TEST

/* The stack of a call is never smaller than what a first call needs. */
START_TEST(the_smallest_value_stack_runs_what_fits)
{
    struct gvm_store_options options = {.value_stack_bytes = 1};
    struct module_builder *builder = module_builder_create();
    struct vm_world world;
    struct gvm_module *module;
    uint32_t depth = 0;

    module_builder_export(builder, "f", GVM_EXTERN_FUNC,
                          module_builder_func(builder, "i:i", "",
                                              count_body,
                                              sizeof(count_body)));
    vm_world_open(&world, (enum gvm_bounds)_i, &options);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, NULL);
    while (vm_guest_call(&guest, "f", SLOTS(depth)) == GVM_OK) {
        ck_assert_uint_eq(vm_guest_result(&guest, 0), depth);
        depth++;
    }
    ck_assert_int_eq(guest.status, GVM_EXHAUSTED);
    /* 64 KiB of frames of a parameter, two links and not much more. */
    ck_assert_uint_gt(depth, 65536 / 128);
    ck_assert_uint_le(depth, 65536 / 24);
    vm_guest_expect(&guest, "f", SLOTS(depth - 1), 1, SLOTS(depth - 1));
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_value_stack_that_cannot_be_had_is_a_status)
{
    struct gvm_store_options options = {.value_stack_bytes = 1ull << 62};
    struct vm_world world;
    struct gvm_call *call = NULL;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, &options);
    ck_assert_int_eq(gvm_call_create(world.store, &call), GVM_NO_MEMORY);
    ck_assert_ptr_null(call);
    gvm_call_destroy(call);
    vm_world_close(&world);
}
END_TEST

/* A function of `locals` locals, on a stack of exactly 64 KiB. */
static enum gvm_status
run_with_locals(unsigned locals)
{
    struct gvm_store_options options = {.value_stack_bytes = 65536};
    struct module_builder *builder = module_builder_create();
    struct byte_buffer body = {0};
    struct vm_world world;
    struct gvm_module *module;
    enum gvm_status status;

    byte_buffer_put_byte(&body, 1);
    byte_buffer_put_unsigned(&body, locals);
    byte_buffer_put(&body, BYTES(GVM_I64, I(LOCAL_GET)));
    byte_buffer_put_unsigned(&body, locals - 1);
    byte_buffer_put_byte(&body, I(END));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC,
                          module_builder_func_raw(builder, ":l", body.bytes,
                                                  body.length_bytes));
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, &options);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, NULL);
    status = vm_guest_call(&guest, "f", NULL);
    if (status == GVM_OK)
        ck_assert_uint_eq(vm_guest_result(&guest, 0), 0);
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
    byte_buffer_deinit(&body);
    return status;
}

START_TEST(a_frame_just_fits_or_is_a_slot_too_large)
{
    enum { STACK_SLOTS = 65536 / 8 };
    unsigned locals = STACK_SLOTS - 100;

    while (run_with_locals(locals) == GVM_OK)
        locals++;
    /* What a frame holds besides its locals is little, and needed. */
    ck_assert_uint_ge(locals, STACK_SLOTS - GVM_FRAME_SLOTS_RESERVED);
    ck_assert_uint_le(locals + GVM__LINK_SLOTS, STACK_SLOTS);
    ck_assert_int_eq(run_with_locals(locals), GVM_EXHAUSTED);
    ck_assert_int_eq(run_with_locals(GVM_LOCALS_MAX), GVM_EXHAUSTED);
}
END_TEST

/* ---- Fuel and suspension as getters tell them ---------------------------- */

START_TEST(fuel_is_what_was_set_and_no_more_than_its_maximum)
{
    open_function(_i, ":", "", BYTES(I(NOP), I(END)));
    ck_assert_uint_eq(gvm_call_fuel(guest.call), UINT64_MAX / 2);
    gvm_call_set_fuel(guest.call, 12);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 12);
    gvm_call_set_fuel(guest.call, UINT64_MAX);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), UINT64_MAX / 2);
    vm_guest_expect(&guest, "f", NULL, 0, NULL);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), UINT64_MAX / 2 - 2);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(a_suspended_call_says_why_until_it_ends)
{
    open_function(_i, ":i", "", BYTES(I(I32_CONST), 9, I(END)));
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_NONE);
    gvm_call_set_fuel(guest.call, 0);
    ck_assert_int_eq(vm_guest_call(&guest, "f", NULL), GVM_SUSPENDED);
    ck_assert_int_eq(guest.err.status, GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_FUEL);
    gvm_call_set_fuel(guest.call, 100);
    gvm_call_interrupt(guest.call);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_suspension(guest.call),
                     GVM_SUSPENSION_INTERRUPT);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_NONE);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 9);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(starting_abandons_what_was_suspended)
{
    open_function(_i, "i:i", "", count_body, sizeof(count_body));
    gvm_call_set_fuel(guest.call, 50);
    ck_assert_int_eq(vm_guest_call(&guest, "f", SLOTS(1000)),
                     GVM_SUSPENDED);
    gvm_call_set_fuel(guest.call, 1000);
    vm_guest_expect(&guest, "f", SLOTS(5), 1, SLOTS(5));
    ck_assert_int_eq(gvm_call_suspension(guest.call), GVM_SUSPENSION_NONE);
    vm_guest_close(&guest);
}
END_TEST

/* ---- Where traps are ----------------------------------------------------- */

START_TEST(a_trap_names_function_offset_and_name)
{
    struct module_builder *builder = module_builder_create();
    const uint8_t *bytes;
    size_t length_bytes, body;
    char expected[100];

    module_builder_func(builder, ":", "", BYTES(I(UNREACHABLE), I(END)));
    module_builder_func(builder, ":", "i",
                        BYTES(I(NOP), I(CALL), 0, I(END)));
    module_builder_name(builder, 0, "abort_now");
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 1);
    bytes = module_builder_finish(builder, &length_bytes);
    body = vm_guest_body_offset(bytes, length_bytes, 0);
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect_trap(&guest, "f", NULL, GVM_TRAP_UNREACHABLE);
    ck_assert_uint_eq(guest.err.function, 0);
    /* One byte of declarations of locals: none. */
    ck_assert_uint_eq(guest.err.offset, body + 1);
    ck_assert_int_eq(guest.err.status, GVM_TRAP);
    snprintf(expected, sizeof(expected),
             "unreachable in function 0 (abort_now) at offset 0x%zx",
             body + 1);
    ck_assert_str_eq(guest.err.message, expected);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(long_names_and_texts_are_cut_and_terminated)
{
    struct module_builder *builder = module_builder_create();
    char name[300];

    memset(name, 'n', sizeof(name));
    name[sizeof(name) - 1] = '\0';
    module_builder_func(builder, ":", "", BYTES(I(UNREACHABLE), I(END)));
    module_builder_name(builder, 0, name);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect_trap(&guest, "f", NULL, GVM_TRAP_UNREACHABLE);
    ck_assert_uint_lt(strlen(guest.err.message), sizeof(guest.err.message));
    ck_assert(strstr(guest.err.message, "nnnnnnnn") != NULL);
    ck_assert(strstr(guest.err.message, "offset") != NULL);
    vm_guest_close(&guest);
}
END_TEST

/* Names come from whoever made the module. */
static const struct name {
    const char *name;
    const char *shown;
} names[] = {
    {"plain", "(plain)"},
    {"two\nlines\r", "(two?lines?)"},
    {"\x1b[31mred\x7f", "(?[31mred?)"},
    /* 63 letters, then one of two bytes, of which the second is too many. */
    {"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk"
     "\xc3\xa9",
     "(abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyzabcdefghijk)"},
};

START_TEST(a_name_in_a_message_stays_one_line_of_text)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func(builder, ":", "", BYTES(I(UNREACHABLE), I(END)));
    module_builder_name(builder, 0, names[_i].name);
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    vm_guest_open(&guest, GVM_BOUNDS_EXPLICIT, builder, NULL);
    vm_guest_expect_trap(&guest, "f", NULL, GVM_TRAP_UNREACHABLE);
    ck_assert_msg(strstr(guest.err.message, names[_i].shown) != NULL, "%s",
                  guest.err.message);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(a_suspended_call_is_nowhere)
{
    open_function(_i, ":i", "", BYTES(I(I32_CONST), 9, I(END)));
    gvm_call_set_fuel(guest.call, 0);
    ck_assert_int_eq(vm_guest_call(&guest, "f", NULL), GVM_SUSPENDED);
    ck_assert_uint_eq(guest.err.function, GVM_NO_FUNCTION);
    ck_assert_uint_eq(guest.err.offset, GVM_NO_OFFSET);
    ck_assert_str_eq(guest.err.message, gvm_status_text(GVM_SUSPENDED));
    vm_guest_close(&guest);
}
END_TEST

START_TEST(errors_may_be_left_out)
{
    struct gvm_extern function;

    open_function(_i, ":", "", BYTES(I(UNREACHABLE), I(END)));
    function = vm_world_export(guest.instance, "f");
    ck_assert_int_eq(
        gvm_call_start(guest.call, function.func, NULL, NULL), GVM_TRAP);
    gvm_call_set_fuel(guest.call, 0);
    ck_assert_int_eq(
        gvm_call_start(guest.call, function.func, NULL, NULL),
        GVM_SUSPENDED);
    ck_assert_int_eq(gvm_call_resume(guest.call, NULL), GVM_SUSPENDED);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(a_call_keeps_a_word_of_its_embedder)
{
    int word;

    open_function(_i, ":", "", BYTES(I(END)));
    ck_assert_ptr_null(gvm_call_data(guest.call));
    gvm_call_set_data(guest.call, &word);
    vm_guest_expect(&guest, "f", NULL, 0, NULL);
    ck_assert_ptr_eq(gvm_call_data(guest.call), &word);
    ck_assert_ptr_null(gvm_call_instance(guest.call));
    vm_guest_close(&guest);
}
END_TEST

static Suite *
call_suite(void)
{
    Suite *suite = suite_create("call");
    TCase *tcase = tcase_create("call");
    const int bounds = vm_world_bounds_count();

    tcase_add_loop_test(
        tcase,
        arguments_of_every_type_arrive_and_results_of_every_type_return, 0,
        bounds);
    tcase_add_loop_test(tcase, there_may_be_more_results_than_parameters, 0,
                        bounds);
    tcase_add_loop_test(tcase, a_thousand_arguments_and_results_arrive, 0,
                        bounds);
    tcase_add_loop_test(tcase, a_call_is_used_again_and_again, 0, bounds);
    tcase_add_loop_test(
        tcase, locals_begin_as_zero_whatever_the_stack_held_before, 0,
        bounds);
    tcase_add_loop_test(
        tcase, endless_recursion_exhausts_the_stack_and_the_call_goes_on, 0,
        bounds);
    tcase_add_loop_test(tcase, the_smallest_value_stack_runs_what_fits, 0,
                        bounds);
    tcase_add_test(tcase, a_value_stack_that_cannot_be_had_is_a_status);
    tcase_add_test(tcase, a_frame_just_fits_or_is_a_slot_too_large);
    tcase_add_loop_test(tcase,
                        fuel_is_what_was_set_and_no_more_than_its_maximum,
                        0, bounds);
    tcase_add_loop_test(tcase, a_suspended_call_says_why_until_it_ends, 0,
                        bounds);
    tcase_add_loop_test(tcase, starting_abandons_what_was_suspended, 0,
                        bounds);
    tcase_add_loop_test(tcase, a_trap_names_function_offset_and_name, 0,
                        bounds);
    tcase_add_loop_test(tcase, long_names_and_texts_are_cut_and_terminated,
                        0, bounds);
    tcase_add_loop_test(tcase, a_name_in_a_message_stays_one_line_of_text,
                        0, (int)COUNT_OF(names));
    tcase_add_loop_test(tcase, a_suspended_call_is_nowhere, 0, bounds);
    tcase_add_loop_test(tcase, errors_may_be_left_out, 0, bounds);
    tcase_add_loop_test(tcase, a_call_keeps_a_word_of_its_embedder, 0,
                        bounds);
    suite_add_tcase(suite, tcase);
    return suite;
}

int
main(void)
{
    return suite_run(call_suite());
}
