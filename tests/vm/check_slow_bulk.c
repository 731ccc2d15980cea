/*
 * check_slow_bulk.c - tests of vm/slow_bulk.c: bulk operations, whole and in
 * pieces.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "vm/call.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define I(name) GVM__INSN_##name
#define ARGUMENTS I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(LOCAL_GET), 2

/* What a piece of a bulk operation on memory costs. */
#define PIECE_FUEL (GVM__BULK_PIECE_BYTES / GVM__BULK_BYTES_PER_FUEL)
#define PAGES 64u
#define MEMORY_BYTES (PAGES * 65536u)
#define SEGMENT_BYTES (3u << 20)
/* local.get three times, the operation, end */
#define FUNCTION_FUEL 5u

static struct vm_guest guest;
static uint8_t segment[SEGMENT_BYTES];
static uint8_t model[MEMORY_BYTES];

static void
add(struct module_builder *builder, const char *name, const char *signature,
    const uint8_t *body, size_t body_bytes)
{
    module_builder_export(builder, name, GVM_EXTERN_FUNC,
                          module_builder_func(builder, signature, "", body,
                                              body_bytes));
}

/* Fills memory and model with the same bytes, each unlike its neighbours. */
static uint8_t *
scramble(void)
{
    struct gvm_memory *memory = gvm_instance_memory(guest.instance);
    uint8_t *data = gvm_memory_data(memory);

    ck_assert_uint_eq(gvm_memory_size_bytes(memory), MEMORY_BYTES);
    for (uint32_t i = 0; i < MEMORY_BYTES; i++)
        model[i] = (uint8_t)(i * 2654435761u >> 24);
    memcpy(data, model, MEMORY_BYTES);
    return data;
}

static void
open_bulk(int bounds)
{
    struct module_builder *builder = module_builder_create();

    for (uint32_t i = 0; i < SEGMENT_BYTES; i++)
        segment[i] = (uint8_t)(i * 40503u >> 8);
    module_builder_memory(builder, PAGES, MODULE_BUILDER_NO_MAX);
    module_builder_data_passive(builder, segment, SEGMENT_BYTES);
    add(builder, "fill", "iii:",
        BYTES(ARGUMENTS, 0xfc, 11, 0, I(END)));
    add(builder, "copy", "iii:",
        BYTES(ARGUMENTS, 0xfc, 10, 0, 0, I(END)));
    add(builder, "init", "iii:",
        BYTES(ARGUMENTS, 0xfc, 8, 0, 0, I(END)));
    add(builder, "drop", ":", BYTES(0xfc, 9, 0, I(END)));
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
}

/* What the operation does to the model. */
static void
apply(const char *name, uint32_t to, uint32_t from, uint32_t count)
{
    if (name[0] == 'f')
        memset(model + to, (int)from, count);
    else if (name[0] == 'c')
        memmove(model + to, model + from, count);
    else
        memcpy(model + to, segment + from, count);
}

static const struct operation {
    const char *name;
    uint32_t to, from, count;
} operations[] = {
    {"fill", 0, 0x5a, MEMORY_BYTES},
    {"fill", 1, 0x1ff, 65535},
    {"fill", 7, 1, 65536},
    {"fill", 7, 2, 65537},
    {"fill", 100, 3, 0},
    {"fill", 100, 3, 1},
    {"fill", MEMORY_BYTES, 3, 0},
    {"fill", MEMORY_BYTES - 1, 3, 1},
    {"copy", 0, 0, MEMORY_BYTES},
    /* Overlapping both ways, by less and by more than a piece. */
    {"copy", 1, 0, MEMORY_BYTES - 1},
    {"copy", 0, 1, MEMORY_BYTES - 1},
    {"copy", 100000, 0, 3000000},
    {"copy", 0, 100000, 3000000},
    {"copy", 65536, 0, 65537},
    {"copy", 0, 65536, 65537},
    {"copy", 2000000, 1999999, 65536 * 3},
    {"copy", MEMORY_BYTES, 0, 0},
    {"copy", 0, MEMORY_BYTES, 0},
    {"init", 5, 0, SEGMENT_BYTES},
    {"init", MEMORY_BYTES - SEGMENT_BYTES, 0, SEGMENT_BYTES},
    {"init", 0, 65537, 200000},
    {"init", 0, SEGMENT_BYTES, 0},
    {"init", 0, SEGMENT_BYTES - 1, 1},
};

/* The pieces that an operation of so many bytes takes, and their price. */
static uint64_t
price(uint32_t count)
{
    uint32_t rest = count % GVM__BULK_PIECE_BYTES;

    return FUNCTION_FUEL +
           (uint64_t)(count / GVM__BULK_PIECE_BYTES) * PIECE_FUEL +
           rest / GVM__BULK_BYTES_PER_FUEL;
}

START_TEST(bulk_operations_do_what_their_models_do)
{
    const struct operation *o = &operations[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        uint8_t *data;

        open_bulk(bounds);
        data = scramble();
        gvm_call_set_fuel(guest.call, 1u << 20);
        vm_guest_expect(&guest, o->name, SLOTS(o->to, o->from, o->count), 0,
                        NULL);
        ck_assert_uint_eq((1u << 20) - gvm_call_fuel(guest.call),
                          price(o->count));
        apply(o->name, o->to, o->from, o->count);
        ck_assert(memcmp(data, model, MEMORY_BYTES) == 0);
        vm_guest_close(&guest);
    }
}
END_TEST

START_TEST(bulk_operations_stop_after_every_piece_and_go_on)
{
    const struct operation *o = &operations[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        uint64_t granted = FUNCTION_FUEL;
        uint32_t stops = 0;
        uint8_t *data;

        open_bulk(bounds);
        data = scramble();
        gvm_call_set_fuel(guest.call, granted);
        vm_guest_call(&guest, o->name, SLOTS(o->to, o->from, o->count));
        while (guest.status == GVM_SUSPENDED) {
            stops++;
            gvm_call_set_fuel(guest.call,
                              gvm_call_fuel(guest.call) + PIECE_FUEL);
            granted += PIECE_FUEL;
            vm_guest_resume(&guest);
        }
        ck_assert_int_eq(guest.status, GVM_OK);
        /* Less than 64 bytes are free. */
        ck_assert_uint_eq(stops, (o->count + GVM__BULK_PIECE_BYTES -
                                  GVM__BULK_BYTES_PER_FUEL) /
                                     GVM__BULK_PIECE_BYTES);
        ck_assert_uint_eq(granted - gvm_call_fuel(guest.call),
                          price(o->count));
        apply(o->name, o->to, o->from, o->count);
        ck_assert(memcmp(data, model, MEMORY_BYTES) == 0);
        vm_guest_close(&guest);
    }
}
END_TEST

static const struct operation too_far[] = {
    {"fill", 0, 1, MEMORY_BYTES + 1},
    {"fill", MEMORY_BYTES, 1, 1},
    {"fill", MEMORY_BYTES + 1, 1, 0},
    {"fill", UINT32_MAX, 1, UINT32_MAX},
    {"fill", 100, 1, UINT32_MAX - 99},
    {"copy", 1, 0, MEMORY_BYTES},
    {"copy", 0, 1, MEMORY_BYTES},
    {"copy", MEMORY_BYTES + 1, 0, 0},
    {"copy", 0, MEMORY_BYTES + 1, 0},
    {"copy", 0, UINT32_MAX, 2},
    {"copy", UINT32_MAX, 0, 2},
    {"init", 0, 1, SEGMENT_BYTES},
    {"init", 0, SEGMENT_BYTES + 1, 0},
    {"init", 0, UINT32_MAX, 1},
    {"init", MEMORY_BYTES - SEGMENT_BYTES + 1, 0, SEGMENT_BYTES},
    {"init", MEMORY_BYTES + 1, 0, 0},
};

START_TEST(a_bulk_operation_out_of_bounds_traps_and_writes_nothing)
{
    const struct operation *o = &too_far[_i];

    for (int bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        uint8_t *data;

        open_bulk(bounds);
        data = scramble();
        vm_guest_expect_trap(&guest, o->name,
                             SLOTS(o->to, o->from, o->count),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        ck_assert(memcmp(data, model, MEMORY_BYTES) == 0);
        vm_guest_close(&guest);
    }
}
END_TEST

START_TEST(a_dropped_segment_has_no_bytes)
{
    open_bulk(_i);
    vm_guest_expect(&guest, "init", SLOTS(0, 0, 1), 0, NULL);
    vm_guest_expect(&guest, "drop", NULL, 0, NULL);
    vm_guest_expect(&guest, "drop", NULL, 0, NULL);
    vm_guest_expect(&guest, "init", SLOTS(0, 0, 0), 0, NULL);
    vm_guest_expect_trap(&guest, "init", SLOTS(0, 0, 1),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    vm_guest_expect_trap(&guest, "init", SLOTS(0, 1, 0),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    vm_guest_close(&guest);
}
END_TEST

/* While the call is stopped, others may grow the memory, and it may move. */
START_TEST(a_memory_may_grow_while_a_bulk_operation_is_stopped)
{
    struct gvm_memory *memory;

    open_bulk(_i);
    scramble();
    memory = gvm_instance_memory(guest.instance);
    gvm_call_set_fuel(guest.call, FUNCTION_FUEL + PIECE_FUEL);
    ck_assert_int_eq(vm_guest_call(&guest, "fill", SLOTS(3, 9, 200000)),
                     GVM_SUSPENDED);
    ck_assert_int_eq(gvm_memory_grow(memory, 100), PAGES);
    gvm_call_set_fuel(guest.call, 1u << 20);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    apply("fill", 3, 9, 200000);
    ck_assert(memcmp(gvm_memory_data(memory), model, MEMORY_BYTES) == 0);
    vm_guest_close(&guest);
}
END_TEST

START_TEST(a_local_that_is_an_operand_keeps_its_value)
{
    struct module_builder *builder = module_builder_create();

    module_builder_memory(builder, 4, MODULE_BUILDER_NO_MAX);
    add(builder, "f", "iii:iii",
        BYTES(ARGUMENTS, 0xfc, 11, 0, ARGUMENTS, I(END)));
    vm_guest_open(&guest, (enum gvm_bounds)_i, builder, NULL);
    vm_guest_expect(&guest, "f", SLOTS(10, 2, 200000), 3,
                    SLOTS(10, 2, 200000));
    vm_guest_close(&guest);
}
END_TEST

/* ---- Tables -------------------------------------------------------------- */

#define TABLE_ENTRIES 100u

/* Table 0 of functions, table 1 of external references. */
static void
open_tables(int bounds)
{
    struct module_builder *builder = module_builder_create();

    module_builder_table(builder, 'r', TABLE_ENTRIES,
                         MODULE_BUILDER_NO_MAX);
    module_builder_table(builder, 'x', TABLE_ENTRIES, TABLE_ENTRIES * 2);
    /* Passive, of functions 0, 1, 2. */
    module_builder_elements_raw(builder, BYTES(1, 0, 3, 0, 1, 2));
    add(builder, "init", "iii:",
        BYTES(ARGUMENTS, 0xfc, 12, 0, 0, I(END)));
    add(builder, "copy", "iii:",
        BYTES(ARGUMENTS, 0xfc, 14, 1, 1, I(END)));
    add(builder, "fill", "ixi:", BYTES(ARGUMENTS, 0xfc, 17, 1, I(END)));
    add(builder, "grow", "xi:i",
        BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1, 0xfc, 15, 1, I(END)));
    add(builder, "size", ":i", BYTES(0xfc, 16, 1, I(END)));
    add(builder, "get", "i:x",
        BYTES(I(LOCAL_GET), 0, I(TABLE_GET), 1, I(END)));
    add(builder, "set", "ix:",
        BYTES(I(LOCAL_GET), 0, I(LOCAL_GET), 1, I(TABLE_SET), 1, I(END)));
    add(builder, "get_function", "i:r",
        BYTES(I(LOCAL_GET), 0, I(TABLE_GET), 0, I(END)));
    add(builder, "drop", ":", BYTES(0xfc, 13, 0, I(END)));
    vm_guest_open(&guest, (enum gvm_bounds)bounds, builder, NULL);
}

static uint64_t
entry(uint32_t index)
{
    vm_guest_call(&guest, "get", SLOTS(index));
    ck_assert_int_eq(guest.status, GVM_OK);
    return vm_guest_result(&guest, 0);
}

START_TEST(table_operations_do_what_they_say)
{
    open_tables(_i);
    vm_guest_expect(&guest, "fill", SLOTS(10, 0xabc, 20), 0, NULL);
    vm_guest_expect(&guest, "set", SLOTS(11, 0x111), 0, NULL);
    ck_assert_uint_eq(entry(9), 0);
    ck_assert_uint_eq(entry(10), 0xabc);
    ck_assert_uint_eq(entry(11), 0x111);
    ck_assert_uint_eq(entry(30), 0);
    vm_guest_expect(&guest, "copy", SLOTS(11, 10, 30), 0, NULL);
    ck_assert_uint_eq(entry(12), 0x111);
    ck_assert_uint_eq(entry(30), 0xabc);
    ck_assert_uint_eq(entry(31), 0);
    vm_guest_expect(&guest, "copy", SLOTS(5, 11, 10), 0, NULL);
    ck_assert_uint_eq(entry(5), 0xabc);
    ck_assert_uint_eq(entry(6), 0x111);
    vm_guest_expect(&guest, "grow", SLOTS(0x777, 5), 1,
                    SLOTS(TABLE_ENTRIES));
    vm_guest_expect(&guest, "size", NULL, 1, SLOTS(TABLE_ENTRIES + 5));
    ck_assert_uint_eq(entry(TABLE_ENTRIES + 4), 0x777);
    vm_guest_expect(&guest, "grow", SLOTS(0, TABLE_ENTRIES), 1,
                    SLOTS(UINT32_MAX));
    vm_guest_expect(&guest, "grow", SLOTS(0, UINT32_MAX), 1,
                    SLOTS(UINT32_MAX));
    vm_guest_expect(&guest, "size", NULL, 1, SLOTS(TABLE_ENTRIES + 5));
    vm_guest_close(&guest);
}
END_TEST

START_TEST(table_init_writes_functions_until_the_segment_is_dropped)
{
    struct gvm_extern size;

    open_tables(_i);
    size = vm_world_export(guest.instance, "fill");
    vm_guest_expect(&guest, "init", SLOTS(40, 1, 2), 0, NULL);
    vm_guest_expect(&guest, "get_function", SLOTS(41), 1,
                    SLOTS((uint64_t)(uintptr_t)size.func));
    vm_guest_expect(&guest, "get_function", SLOTS(42), 1, SLOTS(0));
    vm_guest_expect(&guest, "drop", NULL, 0, NULL);
    vm_guest_expect(&guest, "init", SLOTS(0, 0, 0), 0, NULL);
    vm_guest_expect_trap(&guest, "init", SLOTS(0, 0, 1),
                         GVM_TRAP_TABLE_OUT_OF_BOUNDS);
    vm_guest_close(&guest);
}
END_TEST

static const struct table_operation {
    const char *name;
    uint64_t arguments[3];
} beyond_table[] = {
    {"init", {0, 0, 4}},
    {"init", {0, 4, 0}},
    {"init", {TABLE_ENTRIES, 0, 1}},
    {"init", {TABLE_ENTRIES + 1, 0, 0}},
    {"init", {0, UINT32_MAX, 2}},
    {"copy", {0, 1, TABLE_ENTRIES}},
    {"copy", {1, 0, TABLE_ENTRIES}},
    {"copy", {TABLE_ENTRIES + 1, 0, 0}},
    {"copy", {0, UINT32_MAX, UINT32_MAX}},
    {"fill", {0, 0x999, TABLE_ENTRIES + 1}},
    {"fill", {TABLE_ENTRIES, 0x999, 1}},
    {"fill", {UINT32_MAX, 0x999, 1}},
    {"get", {TABLE_ENTRIES, 0, 0}},
    {"get", {UINT32_MAX, 0, 0}},
    {"set", {TABLE_ENTRIES, 0x999, 0}},
    {"get_function", {TABLE_ENTRIES, 0, 0}},
};

START_TEST(a_table_operation_out_of_bounds_traps_and_writes_nothing)
{
    open_tables(GVM_BOUNDS_EXPLICIT);
    vm_guest_expect_trap(&guest, beyond_table[_i].name,
                         beyond_table[_i].arguments,
                         GVM_TRAP_TABLE_OUT_OF_BOUNDS);
    for (uint32_t i = 0; i < TABLE_ENTRIES; i++)
        ck_assert_uint_eq(entry(i), 0);
    vm_guest_close(&guest);
}
END_TEST

/* Entries are paid for all at once: eight for a unit. */
START_TEST(table_operations_wait_for_their_fuel)
{
    open_tables(_i);
    gvm_call_set_fuel(guest.call, FUNCTION_FUEL + 9);
    ck_assert_int_eq(vm_guest_call(&guest, "fill", SLOTS(0, 0x42, 80)),
                     GVM_SUSPENDED);
    gvm_call_set_fuel(guest.call, 10);
    ck_assert_int_eq(vm_guest_resume(&guest), GVM_OK);
    ck_assert_uint_eq(gvm_call_fuel(guest.call), 0);
    gvm_call_set_fuel(guest.call, 1000);
    ck_assert_uint_eq(entry(79), 0x42);
    ck_assert_uint_eq(entry(80), 0);
    vm_guest_close(&guest);
}
END_TEST

static Suite *
slow_bulk_suite(void)
{
    Suite *suite = suite_create("slow_bulk");
    TCase *memory = tcase_create("memory");
    TCase *table = tcase_create("table");
    const int bounds = vm_world_bounds_count();

    tcase_add_loop_test(memory, bulk_operations_do_what_their_models_do, 0,
                        (int)COUNT_OF(operations));
    tcase_add_loop_test(memory,
                        bulk_operations_stop_after_every_piece_and_go_on, 0,
                        (int)COUNT_OF(operations));
    tcase_add_loop_test(
        memory, a_bulk_operation_out_of_bounds_traps_and_writes_nothing, 0,
        (int)COUNT_OF(too_far));
    tcase_add_loop_test(memory, a_dropped_segment_has_no_bytes, 0, bounds);
    tcase_add_loop_test(
        memory, a_memory_may_grow_while_a_bulk_operation_is_stopped, 0,
        bounds);
    tcase_add_loop_test(memory, a_local_that_is_an_operand_keeps_its_value,
                        0, bounds);
    tcase_add_loop_test(table, table_operations_do_what_they_say, 0,
                        bounds);
    tcase_add_loop_test(
        table, table_init_writes_functions_until_the_segment_is_dropped, 0,
        bounds);
    tcase_add_loop_test(
        table, a_table_operation_out_of_bounds_traps_and_writes_nothing, 0,
        (int)COUNT_OF(beyond_table));
    tcase_add_loop_test(table, table_operations_wait_for_their_fuel, 0,
                        bounds);
    suite_add_tcase(suite, memory);
    suite_add_tcase(suite, table);
    return suite;
}

int
main(void)
{
    return suite_run(slow_bulk_suite());
}
