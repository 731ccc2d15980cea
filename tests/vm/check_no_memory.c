/*
 * check_no_memory.c - what a store and a module do when the C heap is
 * exhausted: the n-th allocation fails, for every n, until all of the work
 * succeeds.
 *
 * The linker puts the functions below in front of the C library's (--wrap),
 * for the engine's code as for this.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "vm/snapshot.h"

#include <check.h>
#include <string.h>

#define NO_MAX MODULE_BUILDER_NO_MAX
/* Nothing here needs as many allocations as that. */
#define ALLOCATIONS_MAX 1000

void *__real_calloc(size_t count, size_t size_bytes);
void *__real_malloc(size_t size_bytes);
void *__real_realloc(void *old, size_t size_bytes);
void *__wrap_calloc(size_t count, size_t size_bytes);
void *__wrap_malloc(size_t size_bytes);
void *__wrap_realloc(void *old, size_t size_bytes);

/* How many allocations succeed before one fails, and only that one: what
 * overlooks it must not be saved by the next. Negative: all succeed. */
static int allocations_left = -1;

static bool
allowed(void)
{
    if (allocations_left < 0)
        return true;
    return allocations_left-- > 0;
}

void *
__wrap_calloc(size_t count, size_t size_bytes)
{
    return allowed() ? __real_calloc(count, size_bytes) : NULL;
}

void *
__wrap_malloc(size_t size_bytes)
{
    return allowed() ? __real_malloc(size_bytes) : NULL;
}

void *
__wrap_realloc(void *old, size_t size_bytes)
{
    return allowed() ? __real_realloc(old, size_bytes) : NULL;
}

/* A module with something of each kind, and too much of some for the first
 * chunk of a store's arena. */
static struct gvm_module *
load_module(struct vm_world *world)
{
    struct module_builder *builder = module_builder_create();
    uint32_t functions[1500];
    uint32_t i;

    module_builder_import_func(builder, "m", "f", ":");
    for (i = 0; i < 1500; i++)
        functions[i] = module_builder_func(builder, ":i", "",
                                           BYTES(0x41, 0, 0x0b));
    for (i = 0; i < 900; i++)
        module_builder_global(builder, 'i', true, BYTES(0x41, 1, 0x0b));
    module_builder_table(builder, 'r', 1500, NO_MAX);
    module_builder_table(builder, 'x', 2000, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_elements(builder, 0, functions, 1500);
    module_builder_data(builder, 0, "x", 1);
    return vm_world_load(world, builder, GVM_FEATURES_DEFAULT);
}

/*
 * A store, host functions, an instance and a grown table; the status of the
 * first that fails. `*whole` becomes false when what failed gave something
 * or left something behind. Asserts would allocate.
 */
static enum gvm_status
build(struct vm_world *world, struct gvm_module *module,
      struct gvm_store **store, bool *whole)
{
    static const uint8_t types[] = {GVM_I64};
    const struct gvm_func_type other = {types, types, 1, 1};
    struct gvm_extern import = {.kind = GVM_EXTERN_FUNC};
    struct gvm_instance *instance = NULL;
    struct gvm_func *func = NULL;
    enum gvm_status status;

    *whole = true;
    status = gvm_store_create(world->engine, NULL, store);
    if (status != GVM_OK)
        return status;
    status = gvm_func_create(*store, &other, vm_guest_do_nothing, NULL, &func);
    *whole = (func != NULL) == (status == GVM_OK);
    if (status != GVM_OK)
        return status;
    status = gvm_func_create_import(*store, module, 0, vm_guest_do_nothing,
                                    NULL, &import.func);
    *whole = (import.func != NULL) == (status == GVM_OK);
    if (status != GVM_OK)
        return status;
    status = gvm_instance_create(*store, module, &import, 1, &instance, NULL);
    if (status != GVM_OK) {
        *whole = instance == NULL && (*store)->memory_bytes == 0 &&
                 (*store)->table_entries == 0 && (*store)->instances == NULL;
        return status;
    }
    if (gvm__table_grow(instance->tables[1], 1, (union gvm_value){.slot = 0}) <
        0) {
        *whole = gvm_table_size(instance->tables[1]) == 2000 &&
                 (*store)->table_entries == 3500;
        return GVM_NO_MEMORY;
    }
    return GVM_OK;
}

START_TEST(every_allocation_that_fails_is_told_and_leaves_a_whole_store)
{
    enum gvm_status status = GVM_NO_MEMORY;
    struct gvm_module *module;
    struct vm_world world;
    int n;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module = load_module(&world);
    for (n = 0; n < ALLOCATIONS_MAX && status != GVM_OK; n++) {
        struct gvm_store *store = NULL;
        bool whole;

        allocations_left = n;
        status = build(&world, module, &store, &whole);
        allocations_left = -1;
        ck_assert_msg(whole, "allocation %d leaves something behind", n);
        if (status != GVM_OK)
            ck_assert_int_eq(status, GVM_NO_MEMORY);
        gvm_store_destroy(store);
    }
    ck_assert_int_eq(status, GVM_OK);
    /* The store, its chunks, the type and the table: some did fail. */
    ck_assert_int_gt(n, 5);
    vm_world_close(&world);
}
END_TEST

/* A module that takes every path of the decoder that allocates, and has
 * bodies to translate. */
static struct module_builder *
build_module(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, "m", "f", "il:");
    module_builder_import_global(builder, "m", "g", 'r', false);
    module_builder_func(builder, ":i", "il",
                        BYTES(0x02, 0x40, 0x20, 0, 0x0e, 1, 0, 0, 0x0b, 0x41,
                              1, 0x42, 2, 0x10, 0, 0x41, 7, 0x0b));
    module_builder_table(builder, 'r', 4, NO_MAX);
    module_builder_memory(builder, 1, NO_MAX);
    module_builder_global(builder, 'i', true, BYTES(0x41, 1, 0x0b));
    module_builder_export(builder, "a", GVM_EXTERN_FUNC, 1);
    module_builder_export(builder, "b", GVM_EXTERN_FUNC, 0);
    module_builder_elements(builder, 0, (const uint32_t[]){0, 1}, 2);
    module_builder_elements_raw(
        builder, BYTES(5, 0x70, 2, 0xd2, 1, 0x0b, 0x23, 0, 0x0b));
    module_builder_data(builder, 0, "x", 1);
    module_builder_name(builder, 1, "name");
    return builder;
}

/* Bit 0 of the loop's index: eager, bit 1: a copy of the bytes. */
START_TEST(every_allocation_that_fails_refuses_a_module_and_leaves_nothing)
{
    struct gvm_module_options options = {
        .eager = (_i & 1) != 0,
        .copy_bytes = (_i & 2) != 0,
    };
    struct module_builder *builder = build_module();
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    enum gvm_status status = GVM_NO_MEMORY;
    int n;

    for (n = 0; n < ALLOCATIONS_MAX && status != GVM_OK; n++) {
        struct gvm_engine *engine = NULL;
        struct gvm_module *module = NULL;
        struct gvm_error err = {.status = GVM_OK};

        allocations_left = n;
        status = gvm_engine_create(NULL, &engine);
        if (status == GVM_OK)
            status = gvm_module_load(engine, &options, bytes, length_bytes,
                                     &module, &err);
        allocations_left = -1;
        ck_assert((module != NULL) == (status == GVM_OK));
        if (status != GVM_OK) {
            ck_assert_int_eq(status, GVM_NO_MEMORY);
            ck_assert(engine == NULL || err.status == GVM_NO_MEMORY);
        }
        gvm_module_destroy(module);
        gvm_engine_destroy(engine);
    }
    ck_assert_int_eq(status, GVM_OK);
    /* At least one for each thing of the module above. */
    ck_assert_int_gt(n, 12);
    module_builder_destroy(builder);
}
END_TEST

/* What was saved: no allocation of its own. */
static uint8_t saved[1u << 16];
static size_t saved_bytes;

static bool
append(void *data, const void *bytes, size_t length_bytes)
{
    (void)data;
    if (length_bytes > sizeof(saved) - saved_bytes)
        return false;
    memcpy(saved + saved_bytes, bytes, length_bytes);
    saved_bytes += length_bytes;
    return true;
}

/* The snapshot in place of what it is when it was saved. */
static enum gvm_status
save_and_load(struct gvm_snapshot **snapshot)
{
    struct gvm_module *module = (*snapshot)->module;
    struct gvm_snapshot *loaded = NULL;
    enum gvm_status status;

    saved_bytes = 0;
    status = gvm_snapshot_save(*snapshot, append, NULL, NULL);
    if (status == GVM_OK)
        status = gvm_snapshot_load(module, NULL, saved, saved_bytes, &loaded,
                                   NULL);
    if (status != GVM_OK)
        return status;
    gvm_snapshot_destroy(*snapshot);
    *snapshot = loaded;
    return GVM_OK;
}

/* A snapshot, saved and loaded, an instance from it, a write, a reset; the
 * status of the first that fails. What they make is the caller's. */
static enum gvm_status
freeze_and_thaw(struct gvm_instance *instance, struct gvm_store *store,
                const struct gvm_extern *import,
                struct gvm_snapshot **snapshot)
{
    struct gvm_instance *thawed = NULL;
    enum gvm_status status = gvm_snapshot_create(instance, snapshot, NULL);

    if (status == GVM_OK)
        status = save_and_load(snapshot);
    if (status != GVM_OK)
        return status;
    status =
        gvm_instance_create_from(store, *snapshot, import, 1, &thawed, NULL);
    if (status != GVM_OK)
        return status;
    gvm_memory_data(gvm_instance_memory(thawed))[0] = 'y';
    status = gvm_instance_reset(thawed);
    if (status == GVM_OK &&
        gvm_memory_data(gvm_instance_memory(thawed))[0] != 'x')
        return GVM_BAD_ARGUMENT; /* no assert: it would allocate */
    return status;
}

START_TEST(every_allocation_that_fails_is_told_by_snapshots_and_resets)
{
    struct gvm_extern import = {.kind = GVM_EXTERN_FUNC};
    enum gvm_status status = GVM_NO_MEMORY;
    struct gvm_instance *instance;
    struct gvm_module *module;
    struct vm_world world;
    int n;

    vm_world_open(&world, (enum gvm_bounds)_i, NULL);
    module = load_module(&world);
    ck_assert_int_eq(gvm_func_create_import(world.store, module, 0,
                                            vm_guest_do_nothing, NULL,
                                            &import.func),
                     GVM_OK);
    instance = vm_world_instantiate(&world, module, &import);
    for (n = 0; n < ALLOCATIONS_MAX && status != GVM_OK; n++) {
        struct gvm_snapshot *snapshot = NULL;
        struct gvm_store *store = NULL;

        ck_assert_int_eq(gvm_store_create(world.engine, NULL, &store),
                         GVM_OK);
        ck_assert_int_eq(gvm_func_create_import(store, module, 0,
                                                vm_guest_do_nothing, NULL,
                                                &import.func),
                         GVM_OK);
        allocations_left = n;
        status = freeze_and_thaw(instance, store, &import, &snapshot);
        allocations_left = -1;
        if (status != GVM_OK)
            ck_assert_int_eq(status, GVM_NO_MEMORY);
        gvm_store_destroy(store);
        gvm_snapshot_destroy(snapshot);
    }
    ck_assert_int_eq(status, GVM_OK);
    /* The snapshot's parts, the store's chunks, the list of pages. */
    ck_assert_int_gt(n, 20);
    vm_world_close(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/no_memory");
    TCase *tests = tcase_create("no_memory");

    tcase_add_loop_test(
        tests, every_allocation_that_fails_is_told_and_leaves_a_whole_store, 0,
        vm_world_bounds_count());
    tcase_add_loop_test(
        tests, every_allocation_that_fails_refuses_a_module_and_leaves_nothing,
        0, 4);
    tcase_add_loop_test(
        tests, every_allocation_that_fails_is_told_by_snapshots_and_resets, 0,
        vm_world_bounds_count());
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
