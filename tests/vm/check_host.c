/*
 * check_host.c - tests of vm/host.c: host functions and external types.
 * Calling them is check_call.c's subject.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "vm/instance.h"

#include <check.h>
#include <string.h>

static struct vm_world world;

static enum gvm_status
create(const struct gvm_func_type *type, struct gvm_func **func)
{
    return gvm_func_create(world.store, type, vm_guest_do_nothing, NULL,
                           func);
}

START_TEST(a_host_function_keeps_a_copy_of_its_type)
{
    uint8_t parameters[] = {GVM_I32, GVM_F64, GVM_EXTERNREF};
    uint8_t results[] = {GVM_I64};
    struct gvm_func_type type = {parameters, results, 3, 1};
    struct gvm_func_type copy;
    struct gvm_func *func = NULL;
    int data;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(
        gvm_func_create(world.store, &type, vm_guest_do_nothing, &data, &func),
        GVM_OK);
    memset(parameters, 0, sizeof(parameters));
    memset(results, 0, sizeof(results));
    gvm_func_type(func, &copy);
    ck_assert_uint_eq(copy.parameter_count, 3);
    ck_assert_uint_eq(copy.result_count, 1);
    ck_assert_uint_eq(copy.parameters[0], GVM_I32);
    ck_assert_uint_eq(copy.parameters[1], GVM_F64);
    ck_assert_uint_eq(copy.parameters[2], GVM_EXTERNREF);
    ck_assert_uint_eq(copy.results[0], GVM_I64);
    ck_assert_ptr_eq(func->data, &data);
    ck_assert(func->host == vm_guest_do_nothing);
    ck_assert_ptr_null(func->instance);
    ck_assert_ptr_null(func->function);
    vm_world_close(&world);
}
END_TEST

START_TEST(equal_types_have_one_identity_and_others_another)
{
    static const uint8_t types[] = {GVM_I32, GVM_I32, GVM_I64};
    /* The second is (i32) -> (i32), the third () -> (i32, i32). */
    static const struct gvm_func_type different[] = {
        {types, NULL, 2, 0},     {types, types, 1, 1}, {NULL, types, 0, 2},
        {types + 1, NULL, 2, 0}, {NULL, NULL, 0, 0},
    };
    struct gvm_func *funcs[5], *again;
    int i, j;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    for (i = 0; i < 5; i++)
        ck_assert_int_eq(create(&different[i], &funcs[i]), GVM_OK);
    for (i = 0; i < 5; i++) {
        ck_assert_int_eq(create(&different[i], &again), GVM_OK);
        for (j = 0; j < 5; j++)
            ck_assert((again->type_id == funcs[j]->type_id) == (i == j));
    }
    vm_world_close(&world);
}
END_TEST

static const struct size {
    uint32_t parameter_count, result_count;
    enum gvm_status status;
} sizes[] = {
    {0, 0, GVM_OK},
    {GVM_PARAMETERS_MAX, GVM_RESULTS_MAX, GVM_OK},
    {GVM_PARAMETERS_MAX + 1, 0, GVM_LIMIT},
    {0, GVM_RESULTS_MAX + 1, GVM_LIMIT},
    {UINT32_MAX, UINT32_MAX, GVM_LIMIT},
};

START_TEST(a_type_may_have_as_many_values_as_the_limits_say)
{
    uint8_t types[GVM_PARAMETERS_MAX + GVM_RESULTS_MAX];
    struct gvm_func_type type = {types, types, sizes[_i].parameter_count,
                                 sizes[_i].result_count};
    struct gvm_func *func = NULL;

    memset(types, GVM_I64, sizeof(types));
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(create(&type, &func), sizes[_i].status);
    ck_assert((func != NULL) == (sizes[_i].status == GVM_OK));
    vm_world_close(&world);
}
END_TEST

START_TEST(a_function_of_values_that_no_slot_holds_is_refused)
{
    static const uint8_t bad[] = {GVM_V128, 0, 0x40, 0x6e, 0xff};
    uint8_t types[] = {GVM_I32, bad[_i]};
    struct gvm_func_type as_parameter = {types, NULL, 2, 0};
    struct gvm_func_type as_result = {NULL, types, 0, 2};
    struct gvm_func_type without = {types, types, 1, 1};
    struct gvm_func *func = NULL;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(create(&as_parameter, &func), GVM_BAD_ARGUMENT);
    ck_assert_int_eq(create(&as_result, &func), GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(func);
    ck_assert_int_eq(create(&without, &func), GVM_OK);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_host_function_without_a_function_is_refused)
{
    struct gvm_func_type type = {NULL, NULL, 0, 0};
    struct gvm_func *func = NULL;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_func_create(world.store, &type, NULL, NULL, &func),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(func);
    vm_world_close(&world);
}
END_TEST

/* Import 0 is a global, 1 is () -> (), 2 is (i32) -> (i64). */
static struct gvm_module *
module_with_imports(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_global(builder, "m", "g", 'i', false);
    module_builder_import_func(builder, "m", "f", ":");
    module_builder_import_func(builder, "m", "h", "i:l");
    return vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
}

START_TEST(a_function_made_for_an_import_has_its_type)
{
    static const uint8_t types[] = {GVM_I32, GVM_I64};
    const struct gvm_func_type equal = {types, types + 1, 1, 1};
    struct gvm_func *made = NULL, *other = NULL;
    struct gvm_module *module;
    struct gvm_func_type type;
    int data;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    module = module_with_imports();
    ck_assert_int_eq(gvm_func_create_import(world.store, module, 2,
                                            vm_guest_do_nothing, &data,
                                            &made),
                     GVM_OK);
    gvm_func_type(made, &type);
    ck_assert_uint_eq(type.parameter_count, 1);
    ck_assert_uint_eq(type.parameters[0], GVM_I32);
    ck_assert_uint_eq(type.result_count, 1);
    ck_assert_uint_eq(type.results[0], GVM_I64);
    ck_assert_ptr_eq(made->data, &data);
    ck_assert(made->host == vm_guest_do_nothing);
    ck_assert_ptr_null(made->instance);
    /* It is the type that everybody else means by it. */
    ck_assert_int_eq(create(&equal, &other), GVM_OK);
    ck_assert_uint_eq(made->type_id, other->type_id);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_function_is_made_for_imported_functions_only)
{
    /* {import, of another engine, without a function} */
    static const struct wrong {
        uint32_t import;
        bool foreign, missing;
    } wrongs[] = {
        {0, false, false}, {3, false, false}, {UINT32_MAX, false, false},
        {1, true, false},  {1, false, true},
    };
    struct gvm_func *func = NULL;
    struct gvm_module *module;
    struct vm_world foreign;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    vm_world_open(&foreign, GVM_BOUNDS_EXPLICIT, NULL);
    module = module_with_imports();
    ck_assert_int_eq(gvm_func_create_import(
                         wrongs[_i].foreign ? foreign.store : world.store,
                         module, wrongs[_i].import,
                         wrongs[_i].missing ? NULL : vm_guest_do_nothing,
                         NULL, &func),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(func);
    vm_world_close(&foreign);
    vm_world_close(&world);
}
END_TEST

/* Nobody else asks the engine meanwhile, so a freed identity is the next
 * one that it hands out. */
START_TEST(a_destroyed_store_gives_its_types_identities_back)
{
    static const uint8_t types[] = {GVM_I32, GVM_I64};
    const struct gvm_func_type first = {types, NULL, 2, 0};
    const struct gvm_func_type second = {NULL, types, 0, 2};
    struct gvm_store *other = NULL;
    struct gvm_func *func = NULL;
    uint32_t id;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_store_create(world.engine, NULL, &other), GVM_OK);
    ck_assert_int_eq(gvm_func_create(other, &first, vm_guest_do_nothing, NULL,
                                     &func),
                     GVM_OK);
    id = func->type_id;
    gvm_store_destroy(other);
    ck_assert_int_eq(create(&second, &func), GVM_OK);
    ck_assert_uint_eq(func->type_id, id);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_type_of_a_function_is_its_signature)
{
    static const uint8_t types[] = {GVM_I32, GVM_I64};
    struct gvm_func_type type = {types, types + 1, 1, 1};
    struct gvm_extern external = {.kind = GVM_EXTERN_FUNC};
    struct gvm_extern_type got;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(create(&type, &external.func), GVM_OK);
    gvm_extern_type(&external, &got);
    ck_assert_int_eq(got.kind, GVM_EXTERN_FUNC);
    ck_assert_uint_eq(got.func.parameter_count, 1);
    ck_assert_uint_eq(got.func.parameters[0], GVM_I32);
    ck_assert_uint_eq(got.func.result_count, 1);
    ck_assert_uint_eq(got.func.results[0], GVM_I64);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_type_of_a_memory_has_its_present_size)
{
    struct gvm_limits limits = {.min = 1, .max = 5, .has_max = true};
    struct gvm_extern external = {.kind = GVM_EXTERN_MEMORY};
    struct gvm_extern_type got;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &external.memory),
                     GVM_OK);
    ck_assert_int_eq(gvm_memory_grow(external.memory, 2), 1);
    gvm_extern_type(&external, &got);
    ck_assert_int_eq(got.kind, GVM_EXTERN_MEMORY);
    ck_assert_uint_eq(got.limits.min, 3);
    ck_assert(got.limits.has_max);
    ck_assert_uint_eq(got.limits.max, 5);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_type_of_a_table_has_its_present_size)
{
    struct gvm_limits limits = {.min = 1};
    struct gvm_extern external = {.kind = GVM_EXTERN_TABLE};
    union gvm_value null = {.slot = 0};
    struct gvm_extern_type got;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_table_create(world.store, GVM_EXTERNREF, &limits, null,
                                      &external.table),
                     GVM_OK);
    ck_assert_int_eq(gvm__table_grow(external.table, 2, null), 1);
    gvm_extern_type(&external, &got);
    ck_assert_int_eq(got.kind, GVM_EXTERN_TABLE);
    ck_assert_int_eq(got.value_type, GVM_EXTERNREF);
    ck_assert_uint_eq(got.limits.min, 3);
    ck_assert(!got.limits.has_max);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_type_of_a_global_is_its_value_type_and_mutability)
{
    struct gvm_extern external = {.kind = GVM_EXTERN_GLOBAL};
    struct gvm_extern_type got;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_global_create(world.store, GVM_F32, _i != 0,
                                       (union gvm_value){.slot = 0},
                                       &external.global),
                     GVM_OK);
    gvm_extern_type(&external, &got);
    ck_assert_int_eq(got.kind, GVM_EXTERN_GLOBAL);
    ck_assert_int_eq(got.value_type, GVM_F32);
    ck_assert(got.mutable_ == (_i != 0));
    vm_world_close(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/host");
    TCase *tests = tcase_create("host");

    tcase_add_test(tests, a_host_function_keeps_a_copy_of_its_type);
    tcase_add_test(tests, equal_types_have_one_identity_and_others_another);
    tcase_add_loop_test(tests, a_type_may_have_as_many_values_as_the_limits_say,
                        0, 5);
    tcase_add_loop_test(
        tests, a_function_of_values_that_no_slot_holds_is_refused, 0, 5);
    tcase_add_test(tests, a_host_function_without_a_function_is_refused);
    tcase_add_test(tests, a_function_made_for_an_import_has_its_type);
    tcase_add_loop_test(tests, a_function_is_made_for_imported_functions_only,
                        0, 5);
    tcase_add_test(tests, a_destroyed_store_gives_its_types_identities_back);
    tcase_add_test(tests, the_type_of_a_function_is_its_signature);
    tcase_add_test(tests, the_type_of_a_memory_has_its_present_size);
    tcase_add_test(tests, the_type_of_a_table_has_its_present_size);
    tcase_add_loop_test(
        tests, the_type_of_a_global_is_its_value_type_and_mutability, 0, 2);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
