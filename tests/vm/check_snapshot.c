/*
 * check_snapshot.c - tests of vm/snapshot.c: what a snapshot keeps, what an
 * instance made from one begins with, and what a reset undoes.
 */
#define _GNU_SOURCE 1 /* mincore */

#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "tests/vm/snapshot_guest.h"
#include "vm/call.h"
#include "vm/snapshot.h"

#include <check.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>

#define PAGE 65536u

static struct vm_guest original, guest;
static struct gvm_snapshot *snapshot;

static void
open_guest(void)
{
    snapshot_guest_thaw(&guest, &original, snapshot);
}

static void
freeze(void)
{
    struct gvm_error err;
    enum gvm_status status =
        gvm_snapshot_create(original.instance, &snapshot, &err);

    ck_assert_msg(status == GVM_OK, "%s", err.message);
}

/* The guest as the module initialises it, frozen. */
static void
open_all(int bounds)
{
    vm_guest_open(&original, (enum gvm_bounds)bounds, snapshot_guest(), NULL);
    freeze();
    open_guest();
}

static void
close_all(void)
{
    snapshot_guest_close(&guest);
    gvm_snapshot_destroy(snapshot);
    snapshot = NULL;
    vm_guest_close(&original);
}

static void
reset(void)
{
    ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
}

#define DO(of, name, ...) \
    vm_guest_expect(&(of), name, SLOTS(__VA_ARGS__), 0, NULL)
#define EXPECT(of, name, result, ...) \
    vm_guest_expect(&(of), name, SLOTS(__VA_ARGS__), 1, SLOTS(result))

/* What the module says. */
static void
expect_initial(struct vm_guest *of)
{
    uint64_t i;

    EXPECT(*of, "size", 2, 0);
    EXPECT(*of, "peek", 'g', 70000);
    EXPECT(*of, "peek", 's', 70004);
    EXPECT(*of, "peek", 0, 70005);
    EXPECT(*of, "peek", 0, 0);
    EXPECT(*of, "peek", 0, 2 * PAGE - 1);
    vm_guest_expect_trap(of, "peek", SLOTS(2 * PAGE),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    EXPECT(*of, "get", 42, 0);
    EXPECT(*of, "aimed", 0, 0);
    EXPECT(*of, "length", 4, 0);
    for (i = 0; i < 4; i++)
        EXPECT(*of, "call", 100 + i, i);
    vm_guest_expect_trap(of, "call", SLOTS(4), GVM_TRAP_UNDEFINED_ELEMENT);
}

/* Something else everywhere. */
static void
change_everything(struct vm_guest *of)
{
    DO(*of, "poke", 70000, 'G');
    DO(*of, "poke", 0, 1);
    DO(*of, "poke", 2 * PAGE - 1, 1);
    EXPECT(*of, "grow", 2, 3);
    DO(*of, "poke", 2 * PAGE, 1);
    DO(*of, "poke", 5 * PAGE - 1, 1);
    DO(*of, "set", 7);
    DO(*of, "aim", 2);
    DO(*of, "take", 1);
    DO(*of, "drop_entry", 3);
    EXPECT(*of, "extend", 4, 10);
    EXPECT(*of, "call", 102, 1);
    EXPECT(*of, "call", 100, 13);
    DO(*of, "drop", 0);
}

START_TEST(an_instance_begins_as_the_one_that_was_frozen)
{
    open_all(_i);
    expect_initial(&guest);
    close_all();
}
END_TEST

START_TEST(what_was_changed_before_is_in_the_snapshot)
{
    vm_guest_open(&original, (enum gvm_bounds)_i, snapshot_guest(), NULL);
    change_everything(&original);
    freeze();
    open_guest();
    EXPECT(guest, "size", 5, 0);
    EXPECT(guest, "peek", 'G', 70000);
    EXPECT(guest, "peek", 'l', 70001);
    EXPECT(guest, "peek", 1, 5 * PAGE - 1);
    EXPECT(guest, "get", 7, 0);
    EXPECT(guest, "aimed", 1, 0);
    EXPECT(guest, "length", 14, 0);
    EXPECT(guest, "call", 100, 0);
    EXPECT(guest, "call", 102, 1);
    vm_guest_expect_trap(&guest, "call", SLOTS(3),
                         GVM_TRAP_UNINITIALIZED_ELEMENT);
    EXPECT(guest, "call", 100, 13);
    vm_guest_expect_trap(&guest, "init", NULL,
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    close_all();
}
END_TEST

START_TEST(what_is_changed_later_is_not)
{
    open_all(_i);
    change_everything(&original);
    expect_initial(&guest);
    change_everything(&guest);
    snapshot_guest_close(&guest);
    open_guest();
    expect_initial(&guest);
    close_all();
}
END_TEST

START_TEST(a_reset_undoes_everything_any_number_of_times)
{
    int times;

    open_all(_i);
    for (times = 0; times < 200; times++) {
        change_everything(&guest);
        reset();
        expect_initial(&guest);
        /* And nothing is left of the growing. */
        EXPECT(guest, "grow", 2, 3);
        EXPECT(guest, "peek", 0, 2 * PAGE);
        EXPECT(guest, "peek", 0, 5 * PAGE - 1);
        reset();
        DO(guest, "init", 0);
        EXPECT(guest, "peek", 'p', 0);
        reset();
        reset();
    }
    ck_assert_uint_eq(guest.world.store->memory_bytes, 2 * PAGE);
    ck_assert_uint_eq(guest.world.store->table_entries, 4);
    close_all();
}
END_TEST

START_TEST(functions_of_a_reset_instance_are_its_own)
{
    struct gvm_table *table;
    union gvm_value entry;

    open_all(_i);
    change_everything(&guest);
    reset();
    table = vm_world_export(guest.instance, "table").table;
    ck_assert(gvm_table_get(table, 3, &entry));
    ck_assert_ptr_eq(entry.funcref->instance, guest.instance);
    ck_assert_uint_eq(entry.funcref->index, 3);
    close_all();
}
END_TEST

/* Every page a write, in an order that leaves no long runs. */
START_TEST(a_reset_finds_every_page_wherever_it_is)
{
    uint64_t page, round;

    open_all(_i);
    EXPECT(guest, "grow", 2, 38);
    for (round = 0; round < 3; round++) {
        for (page = 0; page < 40 * PAGE / 4096; page++) {
            uint64_t place = page * 7 % (40 * PAGE / 4096);

            if (place % 3 != round)
                DO(guest, "poke", place * 4096 + place, 0xa5);
        }
        reset();
        ck_assert(gvm__image_matches(guest.instance->memories[0]));
        EXPECT(guest, "grow", 2, 38);
        for (page = 2 * PAGE; page < 40 * PAGE; page += 997)
            EXPECT(guest, "peek", 0, page);
    }
    close_all();
}
END_TEST

/* A sweep gives pages back; what comes into their place is the image. */
START_TEST(a_reset_is_whole_before_and_after_a_sweep)
{
    uint64_t i, round;

    open_all(_i);
    for (round = 0; round < 4; round++) {
        DO(guest, "fill", 0, 0x11 + round, 2 * PAGE);
        for (i = 0; i < GVM__RESETS_PER_SWEEP + 1; i++) {
            reset();
            ck_assert(gvm__image_matches(guest.instance->memories[0]));
            DO(guest, "poke", 4096 * (i % 32), 0xff);
        }
    }
    close_all();
}
END_TEST

START_TEST(what_the_host_writes_is_undone_too)
{
    struct gvm_memory *memory;
    struct gvm_table *table;

    open_all(_i);
    reset();
    memory = gvm_instance_memory(guest.instance);
    table = vm_world_export(guest.instance, "table").table;
    memset(gvm_memory_range(memory, 60000, 20000), 0xcc, 20000);
    ck_assert_int_eq(gvm_memory_grow(memory, 1), 2);
    memset(gvm_memory_range(memory, 2 * PAGE, PAGE), 0xcc, PAGE);
    ck_assert(gvm_table_set(table, 0, (union gvm_value){.slot = 0}));
    reset();
    expect_initial(&guest);
    close_all();
}
END_TEST

/* A thread's part: the guest's page `number` is written. */
static void *
poke_on_a_thread(void *number)
{
    DO(guest, "poke", (uint64_t)(uintptr_t)number * 4096 + 1, 0x77);
    return NULL;
}

/* The faults are then another thread's than the one that resets. */
START_TEST(what_calls_on_other_threads_write_is_undone_too)
{
    uintptr_t number;

    open_all(_i);
    for (number = 0; number < 32; number++) {
        pthread_t thread;

        /* Certain of its own faults, and the same number before and after. */
        DO(guest, "poke", 100, 1);
        reset();
        reset();
        ck_assert_int_eq(pthread_create(&thread, NULL, poke_on_a_thread,
                                        (void *)number),
                         0);
        pthread_join(thread, NULL);
        reset();
        expect_initial(&guest);
        ck_assert(gvm__image_matches(guest.instance->memories[0]));
    }
    close_all();
}
END_TEST

START_TEST(a_call_that_was_given_up_leaves_nothing)
{
    struct module_builder *builder = module_builder_create();
    uint32_t loop;

    /* Writes upwards for ever. */
    loop = module_builder_func(
        builder, ":", "i",
        BYTES(0x03, 0x40, 0x20, 0, 0x41, 1, 0x6a, 0x22, 0, 0x41, 7, 0x3a, 0,
              0, 0x0c, 0, 0x0b, 0x0b));
    module_builder_export(builder, "loop", GVM_EXTERN_FUNC, loop);
    module_builder_memory(builder, 2, 2);
    vm_guest_open(&original, (enum gvm_bounds)_i, builder, NULL);
    freeze();
    open_guest();
    gvm_call_set_fuel(guest.call, 100000);
    ck_assert_int_eq(vm_guest_call(&guest, "loop", NULL), GVM_SUSPENDED);
    reset();
    ck_assert(gvm__image_matches(guest.instance->memories[0]));
    /* The call is good for another one. */
    gvm_call_set_fuel(guest.call, 100000000);
    ck_assert_int_eq(vm_guest_call(&guest, "loop", NULL), GVM_TRAP);
    reset();
    ck_assert(gvm__image_matches(guest.instance->memories[0]));
    close_all();
}
END_TEST

START_TEST(a_snapshot_of_an_instance_from_a_snapshot_is_whole)
{
    struct gvm_snapshot *second;
    struct gvm_instance *instance;
    struct gvm_store *other;

    open_all(_i);
    DO(guest, "poke", 5, 5);
    ck_assert_int_eq(gvm_snapshot_create(guest.instance, &second, NULL),
                     GVM_OK);
    ck_assert_int_eq(gvm_store_create(original.world.engine, NULL, &other),
                     GVM_OK);
    ck_assert_int_eq(
        gvm_instance_create_from(other, second, NULL, 0, &instance, NULL),
        GVM_OK);
    ck_assert_uint_eq(
        *gvm_memory_range(gvm_instance_memory(instance), 5, 1), 5);
    ck_assert_uint_eq(
        *gvm_memory_range(gvm_instance_memory(instance), 70000, 1), 'g');
    gvm_store_destroy(other);
    gvm_snapshot_destroy(second);
    close_all();
}
END_TEST

/* How many pages of the value stack are there beyond what is kept. */
static size_t
stack_pages_there(const struct gvm_call *call)
{
    uint64_t page_bytes = gvm__pages_size();
    unsigned char there[GVM_VALUE_STACK_BYTES / 4096];
    size_t length_bytes = call->stack_bytes - GVM_VALUE_STACK_KEPT_BYTES;
    size_t count = 0, i;

    ck_assert_int_eq(mincore((uint8_t *)call->stack +
                                 GVM_VALUE_STACK_KEPT_BYTES,
                             length_bytes, there),
                     0);
    for (i = 0; i < length_bytes / page_bytes; i++)
        count += there[i] & 1;
    return count;
}

START_TEST(a_stack_that_was_deep_is_given_back)
{
    struct module_builder *builder = module_builder_create();
    uint32_t f;

    /* f(n): n == 0 ? 0 : f(n - 1). */
    f = module_builder_func(
        builder, "i:i", "",
        BYTES(0x20, 0, 0x45, 0x04, 0x7f, 0x41, 0, 0x05, 0x20, 0, 0x41, 1,
              0x6b, 0x10, 0, 0x0b, 0x0b));
    module_builder_export(builder, "f", GVM_EXTERN_FUNC, f);
    if (_i % 2 == 0)
        module_builder_memory(builder, 1, 1);
    vm_guest_open(&original, (enum gvm_bounds)(_i / 2), builder, NULL);
    freeze();
    open_guest();
    EXPECT(guest, "f", 0, 100000);
    ck_assert_uint_gt(stack_pages_there(guest.call), 100);
    reset();
    gvm_call_trim(guest.call);
    ck_assert_uint_eq(stack_pages_there(guest.call), 0);
    EXPECT(guest, "f", 0, 100000);
    close_all();
}
END_TEST

START_TEST(an_instance_of_no_snapshot_is_not_reset)
{
    open_all(_i);
    ck_assert_int_eq(gvm_instance_reset(original.instance),
                     GVM_BAD_ARGUMENT);
    close_all();
}
END_TEST

/* A module with a table that none of its instructions writes to. */
static struct gvm_table *
open_table_guest(int bounds)
{
    struct module_builder *builder = module_builder_create();
    uint32_t zero =
        module_builder_func(builder, ":i", "", BYTES(0x41, 0, 0x0b));

    module_builder_table(builder, 'r', 3, 9);
    module_builder_export(builder, "t", GVM_EXTERN_TABLE, 0);
    module_builder_elements(builder, 1, &zero, 1);
    vm_guest_open(&original, (enum gvm_bounds)bounds, builder, NULL);
    freeze();
    open_guest();
    return vm_world_export(guest.instance, "t").table;
}

static void
expect_table(const struct gvm_table *table)
{
    union gvm_value entry;
    uint64_t i;

    ck_assert_uint_eq(gvm_table_size(table), 3);
    for (i = 0; i < 3; i++) {
        ck_assert(gvm_table_get(table, i, &entry));
        ck_assert((entry.funcref != NULL) == (i == 1));
    }
}

START_TEST(a_table_that_only_others_write_to_is_reset)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_extern import = {.kind = GVM_EXTERN_TABLE};
    struct gvm_instance *writer;
    union gvm_value null = {.slot = 0};
    int times;

    import.table = open_table_guest(_i);
    for (times = 0; times < 3; times++) {
        ck_assert(gvm_table_set(import.table, 1, null));
        reset();
        expect_table(import.table);
        ck_assert_int_eq(gvm__table_grow(import.table, 2, null), 3);
        reset();
        expect_table(import.table);
    }
    /* Another instance, which clears the entry whenever it is made. */
    module_builder_import_table(builder, "m", "t", 'r', 3, 9);
    module_builder_elements_raw(
        builder, BYTES(4, 0x41, 1, 0x0b, 1, 0xd0, 0x70, 0x0b));
    struct gvm_module *module = vm_world_load(&original.world, builder,
                                              GVM_FEATURES_DEFAULT);
    for (times = 0; times < 3; times++) {
        ck_assert_int_eq(
            gvm_instance_create(guest.world.store, module, &import, 1,
                                &writer, NULL),
            GVM_OK);
        ck_assert(gvm_table_get(import.table, 1, &null));
        ck_assert_ptr_null(null.funcref);
        reset();
        expect_table(import.table);
    }
    close_all();
}
END_TEST

START_TEST(an_instance_without_memory_table_or_global_is_reset)
{
    struct module_builder *builder = module_builder_create();
    uint32_t one =
        module_builder_func(builder, ":i", "", BYTES(0x41, 1, 0x0b));

    module_builder_export(builder, "one", GVM_EXTERN_FUNC, one);
    vm_guest_open(&original, (enum gvm_bounds)_i, builder, NULL);
    freeze();
    open_guest();
    reset();
    EXPECT(guest, "one", 1, 0);
    reset();
    close_all();
}
END_TEST

int
main(void)
{
    const TTest *const by_bounds[] = {
        an_instance_begins_as_the_one_that_was_frozen,
        what_was_changed_before_is_in_the_snapshot,
        what_is_changed_later_is_not,
        a_reset_undoes_everything_any_number_of_times,
        functions_of_a_reset_instance_are_its_own,
        a_reset_finds_every_page_wherever_it_is,
        a_reset_is_whole_before_and_after_a_sweep,
        what_the_host_writes_is_undone_too,
        what_calls_on_other_threads_write_is_undone_too,
        a_call_that_was_given_up_leaves_nothing,
        a_snapshot_of_an_instance_from_a_snapshot_is_whole,
        an_instance_of_no_snapshot_is_not_reset,
        a_table_that_only_others_write_to_is_reset,
        an_instance_without_memory_table_or_global_is_reset,
    };
    Suite *suite = suite_create("vm/snapshot");
    TCase *tests = tcase_create("snapshot");
    size_t i;

    for (i = 0; i < sizeof(by_bounds) / sizeof(by_bounds[0]); i++)
        tcase_add_loop_test(tests, by_bounds[i], 0, vm_world_bounds_count());
    tcase_add_loop_test(tests, a_stack_that_was_deep_is_given_back, 0,
                        2 * vm_world_bounds_count());
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
