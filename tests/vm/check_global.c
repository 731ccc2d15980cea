/*
 * check_global.c - tests of vm/global.c.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"
#include "vm/instance.h"

#include <check.h>
#include <signal.h>

static const struct kept {
    enum gvm_value_type type;
    uint64_t given, kept;
} kept[] = {
    {GVM_I32, 0, 0},
    {GVM_I32, UINT32_MAX, UINT32_MAX},
    {GVM_I32, 0xabcdef0180000000, 0x80000000}, /* the upper half is cut */
    {GVM_F32, 0xffffffff7fc00001, 0x7fc00001}, /* a NaN keeps its bits */
    {GVM_I64, UINT64_MAX, UINT64_MAX},
    {GVM_F64, 0x7ff8000000000001, 0x7ff8000000000001},
    {GVM_FUNCREF, 0, 0},
    {GVM_EXTERNREF, 0xffff800000000001, 0xffff800000000001},
};
#define KEPT_COUNT ((int)(sizeof(kept) / sizeof(kept[0])))

START_TEST(a_global_keeps_the_value_that_its_type_holds)
{
    const struct kept *row = &kept[_i];
    struct gvm_global *created = NULL, *set = NULL;
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_global_create(world.store, row->type, false,
                                       (union gvm_value){.slot = row->given},
                                       &created),
                     GVM_OK);
    ck_assert_uint_eq(gvm_global_get(created).slot, row->kept);
    ck_assert_int_eq(gvm_global_create(world.store, row->type, true,
                                       (union gvm_value){.slot = 1}, &set),
                     GVM_OK);
    gvm_global_set(set, (union gvm_value){.slot = row->given});
    ck_assert_uint_eq(gvm_global_get(set).slot, row->kept);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_global_of_no_known_type_is_refused)
{
    static const unsigned types[] = {0, GVM_V128, 0x40, 0x6e, 0x71, 0xff};
    struct gvm_global *global = NULL;
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_global_create(world.store,
                                       (enum gvm_value_type)types[_i], true,
                                       (union gvm_value){.slot = 0}, &global),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(global);
    vm_world_close(&world);
}
END_TEST

START_TEST(setting_an_immutable_global_is_a_mistake_of_the_embedder)
{
    struct gvm_global *global = NULL;
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_global_create(world.store, GVM_I32, false,
                                       (union gvm_value){.slot = 0}, &global),
                     GVM_OK);
    gvm_global_set(global, (union gvm_value){.slot = 1});
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/global");
    TCase *tests = tcase_create("global");

    tcase_add_loop_test(tests, a_global_keeps_the_value_that_its_type_holds, 0,
                        KEPT_COUNT);
    tcase_add_loop_test(tests, a_global_of_no_known_type_is_refused, 0, 6);
    tcase_add_test_raise_signal(
        tests, setting_an_immutable_global_is_a_mistake_of_the_embedder,
        SIGABRT);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
