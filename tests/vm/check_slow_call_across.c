/*
 * check_slow_call_across.c - tests of vm/slow_call.c: calls to functions of
 * other instances, and back.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <string.h>

#include "vm/insns.h"

#define I(name) GVM__INSN_##name

static struct vm_world world;
static struct vm_guest guest;

static void
close_all(void)
{
    gvm_call_destroy(guest.call);
    vm_world_close(&world);
}

/*
 * The callee's module: a memory and a global of its own, and
 *   "read" (i:i)        the byte at the address, divided by the global
 *   "spread" (i:lll)    a, a + 1, a + 2
 *   "loop" (i:i)        counts down to 0
 */
static struct gvm_instance *
open_callee(uint8_t first_byte)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_module *module;

    module_builder_func(builder, ":", "", BYTES(I(NOP), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(I32_LOAD8_U), 0, 0,
                              I(GLOBAL_GET), 0, I(I32_DIV_U), I(END)));
    module_builder_func(
        builder, "i:lll", "",
        BYTES(I(LOCAL_GET), 0, I(I64_EXTEND_I32_U), I(LOCAL_GET), 0,
              I(I64_EXTEND_I32_U), I(I64_CONST), 1, I(I64_ADD),
              I(LOCAL_GET), 0, I(I64_EXTEND_I32_U), I(I64_CONST), 2,
              I(I64_ADD), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOOP), 0x40, I(LOCAL_GET), 0, I(I32_CONST),
                              1, I(I32_SUB), I(LOCAL_TEE), 0, I(BR_IF), 0,
                              I(END), I(LOCAL_GET), 0, I(END)));
    module_builder_memory(builder, 1, MODULE_BUILDER_NO_MAX);
    module_builder_data(builder, 0, &first_byte, 1);
    module_builder_global(builder, 'i', true,
                          BYTES(I(I32_CONST), 1, I(END)));
    module_builder_name(builder, 1, "read_byte");
    module_builder_export(builder, "divisor", GVM_EXTERN_GLOBAL, 0);
    module_builder_export(builder, "read", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "spread", GVM_EXTERN_FUNC, 2);
    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, 3);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    return vm_world_instantiate(&world, module, NULL);
}

static struct gvm_instance *callee;

/*
 * The caller imports all three, has them in a table, and a memory whose
 * first byte is 7: "read" gives callee's byte * 256 + its own byte, read
 * after the call; "read_indirect" the same through the table; "spread" the
 * sum; "loop" one more than the callee's.
 */
static void
open_pair(int bounds)
{
    struct module_builder *builder = module_builder_create();
    static const uint32_t all[] = {0, 1, 2};
    struct gvm_extern imports[3];
    struct gvm_module *module;

    vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
    callee = open_callee(3);
    imports[0] = vm_world_export(callee, "read");
    imports[1] = vm_world_export(callee, "spread");
    imports[2] = vm_world_export(callee, "loop");
    module_builder_import_func(builder, "callee", "read", "i:i");
    module_builder_import_func(builder, "callee", "spread", "i:lll");
    module_builder_import_func(builder, "callee", "loop", "i:i");
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(CALL), 0, I(I32_CONST), 8,
                              I(I32_SHL), I(I32_CONST), 0, I(I32_LOAD8_U),
                              0, 0, I(I32_ADD), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(I32_CONST), 0,
                              I(CALL_INDIRECT), 0, 0, I(I32_CONST), 8,
                              I(I32_SHL), I(I32_CONST), 0, I(I32_LOAD8_U),
                              0, 0, I(I32_ADD), I(END)));
    module_builder_func(builder, "i:l", "",
                        BYTES(I(I64_CONST), 10, I(LOCAL_GET), 0, I(CALL), 1,
                              I(I64_MUL), I(I64_SUB), I(I64_ADD), I(END)));
    module_builder_func(builder, "i:i", "",
                        BYTES(I(LOCAL_GET), 0, I(CALL), 2, I(I32_CONST), 1,
                              I(I32_ADD), I(END)));
    module_builder_memory(builder, 1, MODULE_BUILDER_NO_MAX);
    module_builder_data(builder, 0, "\7", 1);
    module_builder_table(builder, 'r', 3, MODULE_BUILDER_NO_MAX);
    module_builder_elements(builder, 0, all, 3);
    module_builder_export(builder, "read", GVM_EXTERN_FUNC, 3);
    module_builder_export(builder, "read_indirect", GVM_EXTERN_FUNC, 4);
    module_builder_export(builder, "spread", GVM_EXTERN_FUNC, 5);
    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, 6);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, imports);
}

START_TEST(a_function_of_another_instance_works_on_its_own_memory)
{
    open_pair(_i);
    vm_guest_expect(&guest, "read", SLOTS(0), 1, SLOTS(3 * 256 + 7));
    vm_guest_expect(&guest, "read_indirect", SLOTS(0), 1,
                    SLOTS(3 * 256 + 7));
    close_all();
}
END_TEST

START_TEST(results_of_another_instance_come_back_in_order)
{
    open_pair(_i);
    /* 10 + (a - (a + 1) * (a + 2)) */
    vm_guest_expect(&guest, "spread", SLOTS(4), 1,
                    SLOTS((uint64_t)(10 + (4 - 5 * 6))));
    close_all();
}
END_TEST

START_TEST(a_trap_in_another_instance_names_its_module_s_function)
{
    union gvm_value zero = {.slot = 0};

    open_pair(_i % 2 % vm_world_bounds_count());
    gvm_global_set(vm_world_export(callee, "divisor").global, zero);
    vm_guest_expect_trap(&guest, _i < 2 ? "read" : "read_indirect",
                         SLOTS(0), GVM_TRAP_DIVIDE_BY_ZERO);
    ck_assert_uint_eq(guest.err.function, 1);
    ck_assert_ptr_nonnull(strstr(guest.err.message, "(read_byte)"));
    vm_guest_expect_trap(&guest, "read", SLOTS(65536),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    ck_assert_uint_eq(guest.err.function, 1);
    ck_assert_ptr_nonnull(strstr(guest.err.message, "(read_byte)"));
    close_all();
}
END_TEST

START_TEST(a_call_is_suspended_in_another_instance_and_goes_on)
{
    unsigned stops = 0;

    open_pair(_i);
    gvm_call_set_fuel(guest.call, 1);
    vm_guest_call(&guest, "loop", SLOTS(50));
    while (guest.status == GVM_SUSPENDED) {
        stops++;
        gvm_call_set_fuel(guest.call, gvm_call_fuel(guest.call) + 3);
        vm_guest_resume(&guest);
    }
    ck_assert_int_eq(guest.status, GVM_OK);
    ck_assert_uint_gt(stops, 50);
    ck_assert_uint_eq(vm_guest_result(&guest, 0), 1);
    close_all();
}
END_TEST

/*
 * Two instances of one module call each other through a table that they
 * share: ping(n) = n == 0 ? 0 : table[1 - me](n - 1) + 1.
 */
static void
open_ping(int bounds)
{
    struct gvm_limits limits = {.min = 2};
    struct gvm_extern imports[2] = {{.kind = GVM_EXTERN_TABLE},
                                    {.kind = GVM_EXTERN_GLOBAL}};
    struct module_builder *builder = module_builder_create();
    union gvm_value null = {.slot = 0};
    struct gvm_module *module;
    struct gvm_instance *other;
    union gvm_value me;

    module_builder_import_table(builder, "", "table", 'r', 2,
                                MODULE_BUILDER_NO_MAX);
    module_builder_import_global(builder, "", "other", 'i', false);
    module_builder_func(
        builder, "i:i", "",
        BYTES(I(LOCAL_GET), 0, I(I32_EQZ), I(IF), 0x7f, I(I32_CONST), 0,
              I(ELSE), I(LOCAL_GET), 0, I(I32_CONST), 1, I(I32_SUB),
              I(GLOBAL_GET), 0, I(CALL_INDIRECT), 0, 0, I(I32_CONST), 1,
              I(I32_ADD), I(END), I(END)));
    module_builder_export(builder, "ping", GVM_EXTERN_FUNC, 0);
    vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
    ck_assert_int_eq(gvm_table_create(world.store, GVM_FUNCREF, &limits,
                                      null, &imports[0].table),
                     GVM_OK);
    ck_assert_int_eq(gvm_global_create(world.store, GVM_I32, false,
                                       (union gvm_value){.i32 = 0},
                                       &imports[1].global),
                     GVM_OK);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    other = vm_world_instantiate(&world, module, imports);
    ck_assert_int_eq(gvm_global_create(world.store, GVM_I32, false,
                                       (union gvm_value){.i32 = 1},
                                       &imports[1].global),
                     GVM_OK);
    vm_guest_open_in(&guest, &world, module, imports);
    me.funcref = vm_world_export(guest.instance, "ping").func;
    ck_assert(gvm_table_set(imports[0].table, 0, me));
    me.funcref = vm_world_export(other, "ping").func;
    ck_assert(gvm_table_set(imports[0].table, 1, me));
}

START_TEST(instances_call_each_other_until_the_stack_is_exhausted)
{
    open_ping(_i);
    vm_guest_expect(&guest, "ping", SLOTS(1001), 1, SLOTS(1001));
    ck_assert_int_eq(vm_guest_call(&guest, "ping", SLOTS(UINT32_MAX)),
                     GVM_EXHAUSTED);
    ck_assert_uint_eq(guest.err.function, 0);
    vm_guest_expect(&guest, "ping", SLOTS(1002), 1, SLOTS(1002));
    close_all();
}
END_TEST

/* f(a, b, ...) = (..., b, a) of another instance. */
START_TEST(a_thousand_values_cross_to_another_instance_and_back)
{
    struct module_builder *builder = module_builder_create();
    struct module_builder *caller = module_builder_create();
    struct byte_buffer reverse = {0}, forward = {0};
    char signature[GVM_PARAMETERS_MAX + GVM_RESULTS_MAX + 2];
    uint64_t arguments[GVM_PARAMETERS_MAX], results[GVM_RESULTS_MAX];
    struct gvm_extern import;
    struct gvm_module *module;
    unsigned i;

    memset(signature, 'l', sizeof(signature));
    signature[GVM_PARAMETERS_MAX] = ':';
    signature[sizeof(signature) - 1] = '\0';
    for (i = 0; i < GVM_PARAMETERS_MAX; i++) {
        arguments[i] = 0x123456789abcdefull * (i + 1);
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
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, 0);
    module_builder_import_func(caller, "", "f", signature);
    module_builder_func(caller, signature, "", forward.bytes,
                        forward.length_bytes);
    module_builder_export(caller, "g", GVM_EXTERN_FUNC, 1);
    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    import = vm_world_export(vm_world_instantiate(&world, module, NULL),
                             "f");
    module = vm_world_load(&world, caller, GVM_FEATURES_DEFAULT);
    vm_guest_open_in(&guest, &world, module, &import);
    vm_guest_expect(&guest, "g", arguments, GVM_RESULTS_MAX, results);
    close_all();
    byte_buffer_deinit(&reverse);
    byte_buffer_deinit(&forward);
}
END_TEST

static Suite *
across_suite(void)
{
    Suite *suite = suite_create("slow_call_across");
    TCase *across = tcase_create("across");
    const int bounds = vm_world_bounds_count();

    tcase_add_loop_test(
        across, a_function_of_another_instance_works_on_its_own_memory, 0,
        bounds);
    tcase_add_loop_test(across,
                        results_of_another_instance_come_back_in_order, 0,
                        bounds);
    tcase_add_loop_test(
        across, a_trap_in_another_instance_names_its_module_s_function, 0,
        4);
    tcase_add_loop_test(
        across, a_call_is_suspended_in_another_instance_and_goes_on, 0,
        bounds);
    tcase_add_loop_test(
        across, instances_call_each_other_until_the_stack_is_exhausted, 0,
        bounds);
    tcase_add_loop_test(
        across, a_thousand_values_cross_to_another_instance_and_back, 0,
        bounds);
    suite_add_tcase(suite, across);
    return suite;
}

int
main(void)
{
    return suite_run(across_suite());
}
