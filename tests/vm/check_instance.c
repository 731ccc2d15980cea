/*
 * check_instance.c - tests of vm/instance.c: what instantiation makes, and
 * what is left when it fails.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "vm/instance.h"

#include <check.h>
#include <string.h>

#define PAGE   65536
#define NO_MAX MODULE_BUILDER_NO_MAX

static struct vm_world world;

static struct gvm_instance *
instantiate(struct module_builder *builder, const struct gvm_extern *imports)
{
    return vm_world_instantiate(
        &world, vm_world_load(&world, builder, GVM_FEATURES_DEFAULT), imports);
}

START_TEST(an_empty_module_gives_an_empty_instance)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_instance *instance;
    struct gvm_extern external;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    instance = instantiate(builder, NULL);
    ck_assert_ptr_eq(gvm_instance_module(instance), world.modules[0]);
    ck_assert_ptr_null(gvm_instance_start(instance));
    ck_assert_ptr_null(gvm_instance_memory(instance));
    ck_assert(!gvm_instance_export(instance, "", 0, &external));
    /* What handlers read where there is no memory. */
    ck_assert_uint_eq(gvm__memory_size(instance->memories[0]->data), 0);
    vm_world_close(&world);
}
END_TEST

/* One of each kind, imported and its own; exported as "<kind><index>". */
static struct module_builder *
builder_of_all_kinds(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, "m", "f", ":");
    module_builder_import_global(builder, "m", "g", 'l', false);
    module_builder_import_table(builder, "m", "t", 'r', 1, NO_MAX);
    module_builder_func(builder, ":i", "", BYTES(0x41, 0, 0x0b));
    module_builder_table(builder, 'x', 2, 4);
    module_builder_memory(builder, 1, 2);
    module_builder_global(builder, 'i', true, BYTES(0x41, 0x2a, 0x0b));
    module_builder_export(builder, "f0", GVM_EXTERN_FUNC, 0);
    module_builder_export(builder, "f1", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "t0", GVM_EXTERN_TABLE, 0);
    module_builder_export(builder, "t1", GVM_EXTERN_TABLE, 1);
    module_builder_export(builder, "m0", GVM_EXTERN_MEMORY, 0);
    module_builder_export(builder, "g0", GVM_EXTERN_GLOBAL, 0);
    module_builder_export(builder, "g1", GVM_EXTERN_GLOBAL, 1);
    return builder;
}

static void
offer_imports(struct gvm_extern imports[3])
{
    struct gvm_limits limits = {.min = 1};

    imports[0] = vm_guest_nothing(&world);
    imports[1].kind = GVM_EXTERN_GLOBAL;
    ck_assert_int_eq(gvm_global_create(world.store, GVM_I64, false,
                                       (union gvm_value){.i64 = 1},
                                       &imports[1].global),
                     GVM_OK);
    imports[2].kind = GVM_EXTERN_TABLE;
    ck_assert_int_eq(gvm_table_create(world.store, GVM_FUNCREF, &limits,
                                      (union gvm_value){.slot = 0},
                                      &imports[2].table),
                     GVM_OK);
}

START_TEST(exports_are_imported_objects_or_the_instances_own)
{
    struct gvm_extern imports[3], own;
    struct gvm_instance *instance;
    struct gvm_func_type type;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    offer_imports(imports);
    instance = instantiate(builder_of_all_kinds(), imports);
    ck_assert_ptr_eq(vm_world_export(instance, "f0").func, imports[0].func);
    ck_assert_ptr_eq(vm_world_export(instance, "g0").global, imports[1].global);
    ck_assert_ptr_eq(vm_world_export(instance, "t0").table, imports[2].table);
    own = vm_world_export(instance, "f1");
    ck_assert_int_eq(own.kind, GVM_EXTERN_FUNC);
    gvm_func_type(own.func, &type);
    ck_assert_uint_eq(type.result_count, 1);
    ck_assert_uint_eq(own.func->index, 1);
    ck_assert_ptr_eq(own.func->instance, instance);
    ck_assert_ptr_eq(own.func->function, &world.modules[0]->functions[0]);
    own = vm_world_export(instance, "t1");
    ck_assert_int_eq(own.kind, GVM_EXTERN_TABLE);
    ck_assert_uint_eq(gvm_table_size(own.table), 2);
    own = vm_world_export(instance, "m0");
    ck_assert_int_eq(own.kind, GVM_EXTERN_MEMORY);
    ck_assert_ptr_eq(own.memory, gvm_instance_memory(instance));
    ck_assert_uint_eq(gvm_memory_size_bytes(own.memory), PAGE);
    ck_assert_int_eq(gvm_memory_grow(own.memory, 2), -1);
    own = vm_world_export(instance, "g1");
    ck_assert_int_eq(own.kind, GVM_EXTERN_GLOBAL);
    ck_assert_uint_eq(gvm_global_get(own.global).slot, 42);
    vm_world_close(&world);
}
END_TEST

START_TEST(two_instances_of_one_module_share_nothing_of_their_own)
{
    struct gvm_instance *first, *second;
    struct gvm_extern imports[3];
    struct gvm_module *module;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    offer_imports(imports);
    module = vm_world_load(&world, builder_of_all_kinds(),
                           GVM_FEATURES_DEFAULT);
    first = vm_world_instantiate(&world, module, imports);
    second = vm_world_instantiate(&world, module, imports);
    gvm_memory_data(gvm_instance_memory(first))[0] = 1;
    ck_assert_uint_eq(gvm_memory_data(gvm_instance_memory(second))[0], 0);
    gvm_global_set(first->globals[1], (union gvm_value){.i32 = 7});
    ck_assert_uint_eq(gvm_global_get(second->globals[1]).i32, 42);
    ck_assert_ptr_ne(first->funcs[1], second->funcs[1]);
    ck_assert_ptr_ne(first->tables[1], second->tables[1]);
    ck_assert_ptr_eq(first->tables[0], second->tables[0]);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_start_function_is_given_and_not_run)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_instance *instance;
    struct gvm_extern imported;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    imported = vm_guest_nothing(&world);
    module_builder_import_func(builder, "m", "f", ":");
    module_builder_func(builder, ":", "", BYTES(0x00, 0x0b));
    module_builder_start(builder, (uint32_t)_i);
    instance = instantiate(builder, &imported);
    ck_assert_ptr_eq(gvm_instance_start(instance),
                     _i == 0 ? imported.func : instance->funcs[1]);
    vm_world_close(&world);
}
END_TEST

/* Whether each of 40 functions should have an object: 1 is exported twice,
 * 3 starts, 24 and 39 are elements, 5 is in a global, 9 is both exported and
 * an element. */
static bool
is_referred_to(uint32_t function)
{
    static const uint32_t referred[] = {1, 3, 5, 9, 24, 39};
    size_t i;

    for (i = 0; i < sizeof(referred) / sizeof(referred[0]); i++) {
        if (referred[i] == function)
            return true;
    }
    return false;
}

START_TEST(functions_that_can_be_referred_to_have_one_object)
{
    static const uint32_t elements[] = {24, 39, 9, 9};
    struct module_builder *builder = module_builder_create();
    struct gvm_instance *instance;
    uint32_t i;

    for (i = 0; i < 40; i++)
        module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_table(builder, 'r', 4, NO_MAX);
    module_builder_global(builder, 'r', false, BYTES(0xd2, 5, 0x0b));
    module_builder_export(builder, "a", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "b", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "c", GVM_EXTERN_FUNC, 9);
    module_builder_start(builder, 3);
    module_builder_elements(builder, 0, elements, 4);
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    instance = instantiate(builder, NULL);
    for (i = 0; i < 40; i++) {
        ck_assert((instance->funcs[i] != NULL) == is_referred_to(i));
        if (is_referred_to(i)) {
            ck_assert_uint_eq(instance->funcs[i]->index, i);
            ck_assert_ptr_eq(instance->funcs[i]->function,
                             &world.modules[0]->functions[i]);
        }
    }
    ck_assert_uint_eq(instance->own_func_count, 6);
    ck_assert_ptr_eq(vm_world_export(instance, "a").func,
                     vm_world_export(instance, "b").func);
    ck_assert_ptr_eq(vm_world_export(instance, "c").func,
                     instance->tables[0]->entries[3].funcref);
    ck_assert_ptr_eq(gvm_instance_start(instance), instance->funcs[3]);
    ck_assert_ptr_eq(instance->globals[0]->value.funcref, instance->funcs[5]);
    vm_world_close(&world);
}
END_TEST

START_TEST(globals_begin_with_the_value_of_their_expression)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern imports[2];
    struct gvm_instance *instance;
    struct gvm_global **globals;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    imports[0] = vm_guest_nothing(&world);
    imports[1].kind = GVM_EXTERN_GLOBAL;
    ck_assert_int_eq(gvm_global_create(world.store, GVM_F64, false,
                                       (union gvm_value){.f64 = 1.5},
                                       &imports[1].global),
                     GVM_OK);
    module_builder_import_func(builder, "m", "f", ":");
    module_builder_import_global(builder, "m", "g", 'd', false);
    module_builder_func(builder, ":", "", BYTES(0x0b));
    /* -1, -1, 1.0f, 2.0, global 0, null, func 0, func 1, null */
    module_builder_global(builder, 'i', false, BYTES(0x41, 0x7f, 0x0b));
    module_builder_global(builder, 'l', false, BYTES(0x42, 0x7f, 0x0b));
    module_builder_global(builder, 'f', false,
                          BYTES(0x43, 0, 0, 0x80, 0x3f, 0x0b));
    module_builder_global(builder, 'd', false,
                          BYTES(0x44, 0, 0, 0, 0, 0, 0, 0, 0x40, 0x0b));
    module_builder_global(builder, 'd', true, BYTES(0x23, 0, 0x0b));
    module_builder_global(builder, 'r', true, BYTES(0xd0, 0x70, 0x0b));
    module_builder_global(builder, 'r', true, BYTES(0xd2, 0, 0x0b));
    module_builder_global(builder, 'r', true, BYTES(0xd2, 1, 0x0b));
    module_builder_global(builder, 'x', true, BYTES(0xd0, 0x6f, 0x0b));
    instance = instantiate(builder, imports);
    globals = instance->globals;
    /* Whole slots: 32-bit values have the upper half zero. */
    ck_assert_uint_eq(globals[1]->value.slot, 0xffffffff);
    ck_assert_uint_eq(globals[2]->value.slot, UINT64_MAX);
    ck_assert_uint_eq(globals[3]->value.slot, 0x3f800000);
    ck_assert_uint_eq(globals[4]->value.slot, 0x4000000000000000);
    ck_assert_double_eq(globals[5]->value.f64, 1.5);
    ck_assert_ptr_null(globals[6]->value.funcref);
    /* A reference to an imported function is the original. */
    ck_assert_ptr_eq(globals[7]->value.funcref, imports[0].func);
    ck_assert_ptr_eq(globals[8]->value.funcref, instance->funcs[1]);
    ck_assert_ptr_null(globals[9]->value.externref);
    vm_world_close(&world);
}
END_TEST

START_TEST(active_segments_are_written_in_order_and_dropped)
{
    static const uint32_t functions[] = {1, 0};
    struct module_builder *builder = module_builder_create();
    struct gvm_extern imported;
    struct gvm_instance *instance;
    union gvm_value *entries;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    imported = vm_guest_nothing(&world);
    module_builder_import_func(builder, "m", "f", ":");
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_table(builder, 'r', 4, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_elements(builder, 1, functions, 2);
    module_builder_elements(builder, 2, functions, 1);
    module_builder_elements_raw(builder, BYTES(1, 0, 1, 0)); /* passive */
    module_builder_elements_raw(builder, BYTES(3, 0, 1, 1)); /* declares */
    module_builder_data(builder, 10, "abc", 3);
    module_builder_data(builder, 12, "de", 2);
    module_builder_data_passive(builder, "f", 1);
    module_builder_data(builder, PAGE, "", 0); /* nothing, at the end */
    instance = instantiate(builder, &imported);
    entries = instance->tables[0]->entries;
    ck_assert_ptr_null(entries[0].funcref);
    ck_assert_ptr_eq(entries[1].funcref, instance->funcs[1]);
    ck_assert_ptr_eq(entries[2].funcref, instance->funcs[1]);
    ck_assert_ptr_null(entries[3].funcref);
    ck_assert_mem_eq(instance->memories[0]->data + 10, "abde", 5);
    ck_assert(gvm__element_is_dropped(instance, 0));
    ck_assert(gvm__element_is_dropped(instance, 1));
    ck_assert(!gvm__element_is_dropped(instance, 2));
    ck_assert(gvm__element_is_dropped(instance, 3));
    ck_assert(gvm__data_is_dropped(instance, 0));
    ck_assert(gvm__data_is_dropped(instance, 1));
    ck_assert(!gvm__data_is_dropped(instance, 2));
    ck_assert(gvm__data_is_dropped(instance, 3));
    vm_world_close(&world);
}
END_TEST

START_TEST(an_offset_may_be_an_imported_global_and_is_unsigned)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern imported = {.kind = GVM_EXTERN_GLOBAL};
    struct gvm_instance *instance = NULL;
    struct gvm_module *module;
    struct gvm_error err;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(
        gvm_global_create(world.store, GVM_I32, false,
                          (union gvm_value){.i32 = _i == 0 ? 5 : UINT32_MAX},
                          &imported.global),
        GVM_OK);
    module_builder_import_global(builder, "m", "g", 'i', false);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_data_raw(builder, BYTES(0, 0x23, 0, 0x0b, 1, 'x'));
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    ck_assert_int_eq(
        gvm_instance_create(world.store, module, &imported, 1, &instance, &err),
        _i == 0 ? GVM_OK : GVM_TRAP);
    if (_i == 0)
        ck_assert_uint_eq(instance->memories[0]->data[5], 'x');
    vm_world_close(&world);
}
END_TEST

/*
 * A module on an imported table of 4 and memory of one page that writes
 * function 0 to the table's entry 1 and "a" to the memory's byte 1, then
 * segments at the given offsets: one element, one byte of data.
 */
static struct module_builder *
builder_of_misfits(int32_t element, int32_t data)
{
    static const uint32_t functions[] = {0};
    struct module_builder *builder = module_builder_create();

    module_builder_import_table(builder, "m", "t", 'r', 4, NO_MAX);
    module_builder_import_memory(builder, "m", "m", 1, NO_MAX);
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_elements(builder, 1, functions, 1);
    module_builder_elements(builder, element, functions, 1);
    module_builder_data(builder, 1, "a", 1);
    module_builder_data(builder, data, "b", 1);
    return builder;
}

static const struct misfit {
    int32_t element, data;
    uint32_t features;
    enum gvm_status status;
    enum gvm_trap trap;
    bool elements_written, data_written; /* the first of each */
    const char *message;
} misfits[] = {
    {3, PAGE - 1, GVM_FEATURES_2_0, GVM_OK, GVM_TRAP_NONE, true, true, ""},
    {4, PAGE - 1, GVM_FEATURES_2_0, GVM_TRAP, GVM_TRAP_TABLE_OUT_OF_BOUNDS,
     true, false, "out of bounds table access: element segment 1"},
    {3, PAGE, GVM_FEATURES_2_0, GVM_TRAP, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, true,
     true, "out of bounds memory access: data segment 1"},
    {-1, -1, GVM_FEATURES_2_0, GVM_TRAP, GVM_TRAP_TABLE_OUT_OF_BOUNDS, true,
     false, "out of bounds table access: element segment 1"},
    {3, PAGE - 1, GVM_FEATURES_MVP, GVM_OK, GVM_TRAP_NONE, true, true, ""},
    {4, PAGE - 1, GVM_FEATURES_MVP, GVM_UNLINKABLE, GVM_TRAP_NONE, false, false,
     "elements segment does not fit: 1"},
    {-1, 2, GVM_FEATURES_MVP, GVM_UNLINKABLE, GVM_TRAP_NONE, false, false,
     "elements segment does not fit: 1"},
    {3, PAGE, GVM_FEATURES_MVP, GVM_UNLINKABLE, GVM_TRAP_NONE, false, false,
     "data segment does not fit: 1"},
    {3, -1, GVM_FEATURES_MVP, GVM_UNLINKABLE, GVM_TRAP_NONE, false, false,
     "data segment does not fit: 1"},
};
#define MISFIT_COUNT ((int)(sizeof(misfits) / sizeof(misfits[0])))

START_TEST(a_segment_that_does_not_fit_fails_by_the_rules_of_its_version)
{
    const struct misfit *row = &misfits[_i];
    struct gvm_limits table_limits = {.min = 4}, memory_limits = {.min = 1};
    struct gvm_extern imports[2] = {{.kind = GVM_EXTERN_TABLE},
                                    {.kind = GVM_EXTERN_MEMORY}};
    struct gvm_error err = {.status = GVM_OK};
    struct gvm_instance *instance = NULL;
    struct gvm_module *module;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_table_create(world.store, GVM_FUNCREF, &table_limits,
                                      (union gvm_value){.slot = 0},
                                      &imports[0].table),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_memory_create(world.store, &memory_limits, &imports[1].memory),
        GVM_OK);
    module = vm_world_load(&world, builder_of_misfits(row->element, row->data),
                           row->features);
    ck_assert_int_eq(
        gvm_instance_create(world.store, module, imports, 2, &instance, &err),
        row->status);
    ck_assert((instance != NULL) == (row->status == GVM_OK));
    ck_assert_int_eq(err.trap, row->trap);
    ck_assert_str_eq(err.message, row->message);
    ck_assert((imports[0].table->entries[1].funcref != NULL) ==
              row->elements_written);
    ck_assert((imports[1].memory->data[1] == 'a') == row->data_written);
    vm_world_close(&world);
}
END_TEST

START_TEST(functions_of_a_failed_instance_live_on_in_a_table)
{
    struct gvm_limits table_limits = {.min = 4}, memory_limits = {.min = 1};
    struct gvm_extern imports[2] = {{.kind = GVM_EXTERN_TABLE},
                                    {.kind = GVM_EXTERN_MEMORY}};
    struct gvm_instance *instance = NULL;
    const struct gvm_func *func;
    struct gvm_module *module;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_table_create(world.store, GVM_FUNCREF, &table_limits,
                                      (union gvm_value){.slot = 0},
                                      &imports[0].table),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_memory_create(world.store, &memory_limits, &imports[1].memory),
        GVM_OK);
    module = vm_world_load(&world, builder_of_misfits(3, PAGE),
                           GVM_FEATURES_DEFAULT);
    ck_assert_int_eq(
        gvm_instance_create(world.store, module, imports, 2, &instance, NULL),
        GVM_TRAP);
    func = imports[0].table->entries[1].funcref;
    ck_assert_ptr_eq(func->function, &module->functions[0]);
    ck_assert_ptr_eq(func->instance->memories[0], imports[1].memory);
    vm_world_close(&world);
}
END_TEST

/* What an instance may cost: {table entries, pages} in a store that allows
 * 10 entries and 2 pages. */
static const struct cost {
    uint64_t entries, pages;
    enum gvm_status status;
    const char *message;
} costs[] = {
    {10, 2, GVM_OK, ""},
    {11, 2, GVM_LIMIT,
     "table 0 of 11 entries (one may have 10000000, the store 10)"},
    {10, 3, GVM_LIMIT, "memory 0 of 3 pages (the store may have 131072 bytes)"},
};

START_TEST(an_instance_over_the_stores_total_is_refused_and_costs_nothing)
{
    struct gvm_store_options options = {
        .memory_bytes_max = 2 * PAGE,
        .table_entries_max = 10,
    };
    struct module_builder *builder = module_builder_create();
    struct gvm_error err = {.status = GVM_OK};
    struct gvm_instance *instance = NULL;
    struct gvm_module *module;
    bool ok = costs[_i].status == GVM_OK;
    int i;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, &options);
    module_builder_table(builder, 'r', costs[_i].entries, NO_MAX);
    module_builder_memory(builder, costs[_i].pages, NO_MAX);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    for (i = 0; i < (ok ? 1 : 3); i++) {
        ck_assert_int_eq(
            gvm_instance_create(world.store, module, NULL, 0, &instance, &err),
            costs[_i].status);
        ck_assert_str_eq(err.message, costs[_i].message);
        ck_assert((instance != NULL) == ok);
        ck_assert_uint_eq(world.store->table_entries, ok ? 10 : 0);
        ck_assert_uint_eq(world.store->memory_bytes, ok ? 2 * PAGE : 0);
        ck_assert((world.store->memories != NULL) == ok);
        ck_assert((world.store->tables != NULL) == ok);
    }
    vm_world_close(&world);
}
END_TEST

START_TEST(an_instance_that_does_not_link_at_last_costs_nothing)
{
    static const uint32_t functions[] = {0};
    struct module_builder *builder = module_builder_create();
    struct gvm_memory *memory_before;
    struct gvm_instance *instance = NULL;
    struct gvm_limits limits = {.min = 1};
    struct gvm_module *module;

    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_table(builder, 'r', 1, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_elements(builder, 0, functions, 1);
    module_builder_data(builder, PAGE, "x", 1);
    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module = vm_world_load(&world, builder, GVM_FEATURES_MVP);
    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory_before),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_instance_create(world.store, module, NULL, 0, &instance, NULL),
        GVM_UNLINKABLE);
    ck_assert_uint_eq(world.store->memory_bytes, PAGE);
    ck_assert_uint_eq(world.store->table_entries, 0);
    ck_assert_ptr_eq(world.store->memories, memory_before);
    ck_assert_ptr_null(world.store->tables);
    ck_assert_ptr_null(world.store->instances);
    vm_world_close(&world);
}
END_TEST

static Suite *
instance_suite(void)
{
    int bounds = vm_world_bounds_count();
    Suite *suite = suite_create("vm/instance");
    TCase *tests = tcase_create("instance");

    tcase_add_loop_test(tests, an_empty_module_gives_an_empty_instance, 0,
                        bounds);
    tcase_add_loop_test(
        tests, exports_are_imported_objects_or_the_instances_own, 0, bounds);
    tcase_add_loop_test(tests,
                        two_instances_of_one_module_share_nothing_of_their_own,
                        0, bounds);
    tcase_add_loop_test(tests, the_start_function_is_given_and_not_run, 0, 2);
    tcase_add_test(tests, functions_that_can_be_referred_to_have_one_object);
    tcase_add_test(tests, globals_begin_with_the_value_of_their_expression);
    tcase_add_loop_test(tests, active_segments_are_written_in_order_and_dropped,
                        0, bounds);
    tcase_add_loop_test(
        tests, an_offset_may_be_an_imported_global_and_is_unsigned, 0, 2);
    tcase_add_loop_test(
        tests, a_segment_that_does_not_fit_fails_by_the_rules_of_its_version, 0,
        MISFIT_COUNT);
    tcase_add_test(tests, functions_of_a_failed_instance_live_on_in_a_table);
    tcase_add_loop_test(
        tests, an_instance_that_does_not_link_at_last_costs_nothing, 0, bounds);
    tcase_add_loop_test(
        tests, an_instance_over_the_stores_total_is_refused_and_costs_nothing,
        0, 3);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(instance_suite());
}
