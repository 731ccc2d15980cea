/*
 * check_snapshot_refused.c - tests of vm/snapshot.c: what cannot be frozen,
 * and where limits stand before what is thawed.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "tests/vm/snapshot_guest.h"
#include "vm/snapshot.h"

#include <check.h>
#include <string.h>

#define PAGE 65536u

static struct vm_world world;
static struct gvm_snapshot *snapshot;

/* An instance of the snapshot in a store with these limits. */
static enum gvm_status
thaw(const struct gvm_store_options *options, struct gvm_store **store)
{
    struct gvm_instance *instance;

    ck_assert_int_eq(gvm_store_create(world.engine, options, store), GVM_OK);
    return gvm_instance_create_from(*store, snapshot, NULL, 0, &instance,
                                    NULL);
}

/* The guest has 2 pages and 4 entries of a table. */
static const struct gvm_store_options enough[] = {
    {.memory_bytes_max = 2 * PAGE},
    {.table_entries_max = 4},
};
static const struct gvm_store_options too_little[] = {
    {.memory_bytes_max = 2 * PAGE - 1},
    {.table_entries_max = 3},
};

START_TEST(limits_of_the_store_hold_for_what_is_thawed)
{
    struct gvm_store *store;
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct gvm_instance *instance;

        vm_world_open(&world, (enum gvm_bounds)bounds, NULL);
        instance = vm_world_instantiate(
            &world,
            vm_world_load(&world, snapshot_guest(), GVM_FEATURES_DEFAULT),
            NULL);
        ck_assert_int_eq(gvm_snapshot_create(instance, &snapshot, NULL),
                         GVM_OK);
        ck_assert_int_eq(thaw(&enough[_i], &store), GVM_OK);
        gvm_store_destroy(store);
        ck_assert_int_eq(thaw(&too_little[_i], &store), GVM_LIMIT);
        ck_assert_uint_eq(store->memory_bytes, 0);
        ck_assert_uint_eq(store->table_entries, 0);
        gvm_store_destroy(store);
        gvm_snapshot_destroy(snapshot);
        vm_world_close(&world);
    }
}
END_TEST

START_TEST(what_is_thawed_grows_to_the_limits_and_no_further)
{
    struct gvm_store_options options = {.memory_bytes_max = 4 * PAGE,
                                        .table_entries_max = 6};
    struct vm_guest guest = {0};
    struct gvm_store *store;
    int times;

    vm_guest_open(&guest, (enum gvm_bounds)_i, snapshot_guest(), NULL);
    world = guest.world;
    ck_assert_int_eq(gvm_snapshot_create(guest.instance, &snapshot, NULL),
                     GVM_OK);
    gvm_call_destroy(guest.call);
    ck_assert_int_eq(thaw(&options, &store), GVM_OK);
    guest.instance = store->instances;
    ck_assert_int_eq(gvm_call_create(store, &guest.call), GVM_OK);
    for (times = 0; times < 3; times++) {
        vm_guest_expect(&guest, "grow", SLOTS(3), 1, SLOTS(UINT32_MAX));
        vm_guest_expect(&guest, "grow", SLOTS(2), 1, SLOTS(2));
        vm_guest_expect(&guest, "extend", SLOTS(3), 1, SLOTS(UINT32_MAX));
        vm_guest_expect(&guest, "extend", SLOTS(2), 1, SLOTS(4));
        ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    }
    gvm_call_destroy(guest.call);
    guest.call = NULL;
    gvm_store_destroy(store);
    gvm_snapshot_destroy(snapshot);
    vm_world_close(&guest.world);
}
END_TEST

/* What another instance could not have. */
static void
expect_refusal(struct module_builder *builder,
               const struct gvm_extern *imports, const char *text)
{
    struct gvm_snapshot *refused = NULL;
    struct gvm_error err;
    struct gvm_instance *instance = vm_world_instantiate(
        &world,
        vm_world_load(&world, builder, GVM_FEATURES_DEFAULT),
        imports);

    ck_assert_int_eq(gvm_snapshot_create(instance, &refused, &err),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(refused);
    ck_assert_msg(strstr(err.message, text) != NULL, "%s", err.message);
}

START_TEST(what_is_imported_and_can_change_is_not_frozen)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_limits limits = {.min = 1};
    struct gvm_extern import;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module_builder_import_memory(builder, "m", "m", 1, 1);
    import.kind = GVM_EXTERN_MEMORY;
    limits.max = 1;
    limits.has_max = true;
    ck_assert_int_eq(
        gvm_memory_create(world.store, &limits, &import.memory),
        GVM_OK);
    expect_refusal(builder, &import, "an imported memory");

    builder = module_builder_create();
    module_builder_import_table(builder, "m", "t", 'r', 1, 1);
    import.kind = GVM_EXTERN_TABLE;
    ck_assert_int_eq(gvm_table_create(world.store, GVM_FUNCREF,
                                      &limits, (union gvm_value){.slot = 0},
                                      &import.table),
                     GVM_OK);
    expect_refusal(builder, &import, "an imported table");

    builder = module_builder_create();
    module_builder_import_global(builder, "m", "g", 'i', true);
    import.kind = GVM_EXTERN_GLOBAL;
    ck_assert_int_eq(gvm_global_create(world.store, GVM_I32, true,
                                       (union gvm_value){.slot = 0},
                                       &import.global),
                     GVM_OK);
    expect_refusal(builder, &import, "an imported global");
    vm_world_close(&world);
}
END_TEST

/* An imported function is in every instance; one of the host's is not. */
START_TEST(references_are_to_functions_that_every_instance_has)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern import, stranger;
    struct gvm_instance *instance, *thawed;
    struct gvm_table *table;
    union gvm_value entry;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module_builder_import_func(builder, "m", "f", ":");
    module_builder_table(builder, 'r', 1, 1);
    module_builder_export(builder, "t", GVM_EXTERN_TABLE, 0);
    module_builder_elements(builder, 0, (uint32_t[]){0}, 1);
    import = vm_guest_nothing(&world);
    stranger = vm_guest_nothing(&world);
    instance = vm_world_instantiate(
        &world,
        vm_world_load(&world, builder, GVM_FEATURES_DEFAULT),
        &import);
    ck_assert_int_eq(gvm_snapshot_create(instance, &snapshot, NULL), GVM_OK);
    /* Another function for the import: the reference is to that one. */
    ck_assert_int_eq(gvm_instance_create_from(world.store, snapshot,
                                              &stranger, 1, &thawed, NULL),
                     GVM_OK);
    table = vm_world_export(thawed, "t").table;
    ck_assert(gvm_table_get(table, 0, &entry));
    ck_assert_ptr_eq(entry.funcref, stranger.func);

    table = vm_world_export(instance, "t").table;
    entry.funcref = stranger.func;
    ck_assert(gvm_table_set(table, 0, entry));
    struct gvm_snapshot *refused = NULL;
    ck_assert_int_eq(gvm_snapshot_create(instance, &refused, NULL),
                     GVM_BAD_ARGUMENT);
    ck_assert_ptr_null(refused);
    gvm_store_destroy(world.store);
    world.store = NULL;
    gvm_snapshot_destroy(snapshot);
    vm_world_close(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/snapshot_refused");
    TCase *tests = tcase_create("snapshot_refused");
    int bounds = vm_world_bounds_count();

    tcase_add_loop_test(tests, limits_of_the_store_hold_for_what_is_thawed, 0,
                        2);
    tcase_add_loop_test(tests,
                        what_is_thawed_grows_to_the_limits_and_no_further, 0,
                        bounds);
    tcase_add_loop_test(tests, what_is_imported_and_can_change_is_not_frozen,
                        0, bounds);
    tcase_add_loop_test(tests,
                        references_are_to_functions_that_every_instance_has,
                        0, bounds);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
