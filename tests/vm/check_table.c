/*
 * check_table.c - tests of vm/table.c.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"
#include "vm/instance.h"

#include <check.h>

#define NO_MAX MODULE_BUILDER_NO_MAX

static struct vm_world world;

static void
open_world(uint64_t table_entries_max)
{
    struct gvm_store_options options = {
        .table_entries_max = table_entries_max,
    };

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, &options);
}

/* An externref for tests: never followed. */
static union gvm_value
reference(uint64_t number)
{
    return (union gvm_value){.slot = number};
}

static struct gvm_table *
create(uint64_t min, uint64_t max, uint64_t initial)
{
    struct gvm_limits limits = {
        .min = min,
        .max = max,
        .has_max = max != NO_MAX,
    };
    struct gvm_table *table = NULL;

    ck_assert_int_eq(gvm_table_create(world.store, GVM_EXTERNREF, &limits,
                                      reference(initial), &table),
                     GVM_OK);
    return table;
}

static uint64_t
entry(const struct gvm_table *table, uint64_t index)
{
    union gvm_value value = {.slot = 0};

    ck_assert(gvm_table_get(table, index, &value));
    return value.slot;
}

/* Entry i of the table becomes first + i. */
static void
number_entries(struct gvm_table *table, uint64_t first)
{
    uint64_t i;

    for (i = 0; i < gvm_table_size(table); i++)
        ck_assert(gvm_table_set(table, i, reference(first + i)));
}

START_TEST(a_new_table_is_full_of_the_initial_reference)
{
    struct gvm_table *table;
    uint64_t i;

    open_world(0);
    table = create(1000, NO_MAX, _i == 0 ? 0 : 77);
    ck_assert_uint_eq(gvm_table_size(table), 1000);
    for (i = 0; i < 1000; i++)
        ck_assert_uint_eq(entry(table, i), _i == 0 ? 0 : 77);
    ck_assert_uint_eq(world.store->table_entries, 1000);
    vm_world_close(&world);
}
END_TEST

static const struct creation {
    unsigned type;
    uint64_t min, max;
    uint64_t store_entries;
    enum gvm_status status;
} creations[] = {
    {GVM_FUNCREF, 0, 0, 10, GVM_OK},
    {GVM_FUNCREF, 10, 10, 10, GVM_OK},
    {GVM_FUNCREF, 11, NO_MAX, 10, GVM_LIMIT},
    {GVM_EXTERNREF, 10, UINT32_MAX, 10, GVM_OK},
    {GVM_EXTERNREF, 2, 1, 10, GVM_BAD_ARGUMENT},
    {GVM_I32, 1, 1, 10, GVM_BAD_ARGUMENT},
    {0, 1, 1, 10, GVM_BAD_ARGUMENT},
    {GVM_FUNCREF, GVM_TABLE_ENTRIES_MAX, NO_MAX, UINT64_MAX, GVM_OK},
    {GVM_FUNCREF, GVM_TABLE_ENTRIES_MAX + 1, NO_MAX, UINT64_MAX, GVM_LIMIT},
    {GVM_FUNCREF, UINT64_MAX, NO_MAX, UINT64_MAX, GVM_LIMIT},
    {GVM_FUNCREF, GVM_STORE_TABLE_ENTRIES_MAX, NO_MAX, 0, GVM_OK},
    {GVM_FUNCREF, GVM_STORE_TABLE_ENTRIES_MAX + 1, NO_MAX, 0, GVM_LIMIT},
};
#define CREATION_COUNT ((int)(sizeof(creations) / sizeof(creations[0])))

START_TEST(limits_and_the_stores_total_decide_what_may_be_created)
{
    const struct creation *row = &creations[_i];
    struct gvm_limits limits = {
        .min = row->min,
        .max = row->max,
        .has_max = row->max != NO_MAX,
    };
    struct gvm_table *table = NULL;

    open_world(row->store_entries);
    ck_assert_int_eq(gvm_table_create(world.store,
                                      (enum gvm_value_type)row->type, &limits,
                                      reference(0), &table),
                     row->status);
    ck_assert((table != NULL) == (row->status == GVM_OK));
    ck_assert_uint_eq(world.store->table_entries,
                      row->status == GVM_OK ? row->min : 0);
    vm_world_close(&world);
}
END_TEST

START_TEST(entries_outside_are_neither_read_nor_written)
{
    static const uint64_t outside[] = {3, 4, UINT32_MAX, UINT64_MAX};
    union gvm_value value = {.slot = 5};
    struct gvm_table *table;

    open_world(0);
    table = create(3, NO_MAX, 0);
    ck_assert(gvm_table_set(table, 2, reference(9)));
    ck_assert_uint_eq(entry(table, 2), 9);
    ck_assert(!gvm_table_set(table, outside[_i], reference(9)));
    ck_assert(!gvm_table_get(table, outside[_i], &value));
    ck_assert_uint_eq(value.slot, 5);
    vm_world_close(&world);
}
END_TEST

static const struct growth {
    uint64_t min, max, store_entries, count;
    int64_t result;
} growths[] = {
    {0, NO_MAX, 10, 0, 0},
    {0, NO_MAX, 10, 10, 0},
    {0, NO_MAX, 10, 11, -1},
    {3, 5, 10, 2, 3},
    {3, 5, 10, 3, -1},
    {5, 5, 10, 0, 5},
    {5, 5, 10, 1, -1},
    {1, NO_MAX, UINT64_MAX, GVM_TABLE_ENTRIES_MAX - 1, 1},
    {1, NO_MAX, UINT64_MAX, GVM_TABLE_ENTRIES_MAX, -1},
    {1, UINT32_MAX, UINT64_MAX, UINT32_MAX, -1},
    {1, NO_MAX, UINT64_MAX, UINT64_MAX, -1},
};
#define GROWTH_COUNT ((int)(sizeof(growths) / sizeof(growths[0])))

START_TEST(growing_gives_the_previous_size_or_minus_one)
{
    const struct growth *row = &growths[_i];
    uint64_t size = row->min + (row->result >= 0 ? row->count : 0);
    struct gvm_table *table;

    open_world(row->store_entries);
    table = create(row->min, row->max, 1);
    ck_assert_int_eq(gvm__table_grow(table, row->count, reference(2)),
                     row->result);
    ck_assert_uint_eq(gvm_table_size(table), size);
    ck_assert_uint_eq(world.store->table_entries, size);
    if (row->min > 0)
        ck_assert_uint_eq(entry(table, row->min - 1), 1);
    if (size > row->min) {
        ck_assert_uint_eq(entry(table, row->min), 2);
        ck_assert_uint_eq(entry(table, size - 1), 2);
    }
    vm_world_close(&world);
}
END_TEST

START_TEST(growing_entry_by_entry_keeps_what_was_there)
{
    struct gvm_table *table;
    uint64_t i;

    open_world(0);
    table = create(3, 5000, 0);
    number_entries(table, 1);
    for (i = 3; i < 5000; i++)
        ck_assert_int_eq(gvm__table_grow(table, 1, reference(i + 1)),
                         (int64_t)i);
    for (i = 0; i < 5000; i++)
        ck_assert_uint_eq(entry(table, i), i + 1);
    ck_assert_int_eq(gvm__table_grow(table, 1, reference(0)), -1);
    vm_world_close(&world);
}
END_TEST

/* On a table of 8 entries. */
static const struct filling {
    uint32_t to, count;
    enum gvm_trap trap;
} fillings[] = {
    {0, 8, GVM_TRAP_NONE},
    {3, 2, GVM_TRAP_NONE},
    {7, 1, GVM_TRAP_NONE},
    {8, 0, GVM_TRAP_NONE},
    {0, 9, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {7, 2, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {9, 0, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {1, UINT32_MAX, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {UINT32_MAX, UINT32_MAX, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
};
#define FILLING_COUNT ((int)(sizeof(fillings) / sizeof(fillings[0])))

START_TEST(fill_writes_all_of_its_entries_or_none)
{
    const struct filling *row = &fillings[_i];
    struct gvm_table *table;
    uint32_t i;

    open_world(0);
    table = create(8, NO_MAX, 1);
    ck_assert_int_eq(gvm__table_fill(table, row->to, reference(2), row->count),
                     row->trap);
    for (i = 0; i < 8; i++) {
        bool filled = row->trap == GVM_TRAP_NONE && i >= row->to &&
                      i - row->to < row->count;

        ck_assert_uint_eq(entry(table, i), filled ? 2 : 1);
    }
    vm_world_close(&world);
}
END_TEST

/* From a table of 5 entries, or from the table of 8 itself. */
static const struct copying {
    bool itself;
    uint32_t to, from, count;
    enum gvm_trap trap;
} copyings[] = {
    {false, 0, 0, 5, GVM_TRAP_NONE},
    {false, 3, 0, 5, GVM_TRAP_NONE},
    {false, 4, 0, 5, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {false, 0, 1, 5, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {false, 8, 5, 0, GVM_TRAP_NONE},
    {false, 9, 5, 0, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {false, 8, 6, 0, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {false, 1, 1, UINT32_MAX, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
    {true, 0, 1, 7, GVM_TRAP_NONE}, /* overlapping, both directions */
    {true, 1, 0, 7, GVM_TRAP_NONE},
    {true, 1, 0, 8, GVM_TRAP_TABLE_OUT_OF_BOUNDS},
};
#define COPYING_COUNT ((int)(sizeof(copyings) / sizeof(copyings[0])))

START_TEST(copy_moves_all_of_its_entries_or_none)
{
    const struct copying *row = &copyings[_i];
    struct gvm_table *table, *source;
    uint64_t first;
    uint32_t i;

    open_world(0);
    table = create(8, NO_MAX, 0);
    number_entries(table, 100);
    source = row->itself ? table : create(5, NO_MAX, 0);
    first = row->itself ? 100 : 200;
    number_entries(source, first);
    ck_assert_int_eq(
        gvm__table_copy(table, source, row->to, row->from, row->count),
        row->trap);
    for (i = 0; i < 8; i++) {
        bool copied = row->trap == GVM_TRAP_NONE && i >= row->to &&
                      i - row->to < row->count;

        ck_assert_uint_eq(entry(table, i),
                          copied ? first + row->from + i - row->to : 100 + i);
    }
    vm_world_close(&world);
}
END_TEST

/*
 * A table of 4 and two passive segments: 0 holds functions 0, 1, 0, and 1
 * the expressions ref.func 1, ref.null.
 */
static struct gvm_instance *
instance_with_segments(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_func(builder, ":i", "", BYTES(0x41, 1, 0x0b));
    module_builder_table(builder, 'r', 4, NO_MAX);
    module_builder_elements_raw(builder, BYTES(1, 0, 3, 0, 1, 0));
    module_builder_elements_raw(
        builder, BYTES(5, 0x70, 2, 0xd2, 1, 0x0b, 0xd0, 0x70, 0x0b));
    return vm_world_instantiate(
        &world, vm_world_load(&world, builder, GVM_FEATURES_DEFAULT), NULL);
}

static const struct initialisation {
    uint32_t element, to, from, count;
    enum gvm_trap trap;
    bool dropped;
} initialisations[] = {
    {0, 0, 0, 3, GVM_TRAP_NONE, false},
    {0, 1, 0, 3, GVM_TRAP_NONE, false},
    {0, 2, 0, 3, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 0, 1, 2, GVM_TRAP_NONE, false},
    {0, 0, 1, 3, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 4, 3, 0, GVM_TRAP_NONE, false},
    {0, 5, 0, 0, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 0, 4, 0, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 0, 2, UINT32_MAX, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 0, UINT32_MAX, 2, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
    {0, 0, 0, 0, GVM_TRAP_NONE, true},
    {0, 0, 0, 1, GVM_TRAP_TABLE_OUT_OF_BOUNDS, true},
    {1, 2, 0, 2, GVM_TRAP_NONE, false},
    {1, 0, 1, 1, GVM_TRAP_NONE, false},
    {1, 0, 0, 3, GVM_TRAP_TABLE_OUT_OF_BOUNDS, false},
};
#define INITIALISATION_COUNT \
    ((int)(sizeof(initialisations) / sizeof(initialisations[0])))

START_TEST(init_writes_references_of_the_instance_or_nothing)
{
    static const int functions[2][3] = {{0, 1, 0}, {1, -1, -1}};
    const struct initialisation *row = &initialisations[_i];
    struct gvm_instance *instance;
    struct gvm_func *marker;
    uint32_t i;

    open_world(0);
    instance = instance_with_segments();
    /* Something that no segment holds. */
    marker = (struct gvm_func *)(void *)instance;
    gvm__table_fill(instance->tables[0], 0,
                    (union gvm_value){.funcref = marker}, 4);
    if (row->dropped)
        gvm__element_drop(instance, row->element);
    ck_assert_int_eq(gvm__table_init(instance, 0, row->element, row->to,
                                     row->from, row->count),
                     row->trap);
    for (i = 0; i < 4; i++) {
        struct gvm_func *expected = marker;

        if (row->trap == GVM_TRAP_NONE && i >= row->to &&
            i - row->to < row->count) {
            int function = functions[row->element][row->from + i - row->to];

            expected = function < 0 ? NULL : instance->funcs[function];
        }
        ck_assert_ptr_eq(instance->tables[0]->entries[i].funcref, expected);
    }
    vm_world_close(&world);
}
END_TEST

START_TEST(dropping_one_segment_leaves_the_others)
{
    struct gvm_instance *instance;

    open_world(0);
    instance = instance_with_segments();
    gvm__element_drop(instance, 0);
    ck_assert_int_eq(gvm__table_init(instance, 0, 1, 0, 0, 2), GVM_TRAP_NONE);
    /* Twice is as once. */
    gvm__element_drop(instance, 0);
    ck_assert(gvm__element_is_dropped(instance, 0));
    ck_assert(!gvm__element_is_dropped(instance, 1));
    vm_world_close(&world);
}
END_TEST

static Suite *
table_suite(void)
{
    Suite *suite = suite_create("vm/table");
    TCase *tests = tcase_create("table");

    tcase_add_loop_test(tests, a_new_table_is_full_of_the_initial_reference, 0,
                        2);
    tcase_add_loop_test(tests,
                        limits_and_the_stores_total_decide_what_may_be_created,
                        0, CREATION_COUNT);
    tcase_add_loop_test(tests, entries_outside_are_neither_read_nor_written, 0,
                        4);
    tcase_add_loop_test(tests, growing_gives_the_previous_size_or_minus_one, 0,
                        GROWTH_COUNT);
    tcase_add_test(tests, growing_entry_by_entry_keeps_what_was_there);
    tcase_add_loop_test(tests, fill_writes_all_of_its_entries_or_none, 0,
                        FILLING_COUNT);
    tcase_add_loop_test(tests, copy_moves_all_of_its_entries_or_none, 0,
                        COPYING_COUNT);
    tcase_add_loop_test(tests,
                        init_writes_references_of_the_instance_or_nothing, 0,
                        INITIALISATION_COUNT);
    tcase_add_test(tests, dropping_one_segment_leaves_the_others);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(table_suite());
}
