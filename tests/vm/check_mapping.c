/*
 * check_mapping.c - tests of vm/mapping.c: files in memories, who may write
 * to them, and what is left when they are taken away.
 */
#define _GNU_SOURCE 1 /* memfd_create */

#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "vm/mapping.h"

#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE       65536u
#define FILE_PAGES 4u
/* Of the guest's memory: as it is made, and its declared maximum. */
#define PAGES     2u
#define PAGES_MAX 20u

/* Two instances of one snapshot, in a store each. */
static struct vm_guest guest, other;
static struct gvm_snapshot *snapshot;
static struct gvm_store *stores[2];
static int file;
static uint64_t address;

static void
add(struct module_builder *builder, const char *name, const char *signature,
    const uint8_t *body, size_t body_bytes)
{
    module_builder_export(builder, name, GVM_EXTERN_FUNC,
                          module_builder_func(builder, signature, "", body,
                                              body_bytes));
}

static struct module_builder *
make_guest(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_memory(builder, PAGES, PAGES_MAX);
    module_builder_data_passive(builder, "passive", 7);
    add(builder, "poke", "ii:",
        BYTES(0x20, 0, 0x20, 1, 0x3a, 0, 0, 0x0b));
    add(builder, "poke8", "il:",
        BYTES(0x20, 0, 0x20, 1, 0x37, 0, 0, 0x0b));
    add(builder, "peek", "i:i", BYTES(0x20, 0, 0x2d, 0, 0, 0x0b));
    add(builder, "fill", "iii:",
        BYTES(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 11, 0, 0x0b));
    add(builder, "copy", "iii:",
        BYTES(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 10, 0, 0, 0x0b));
    add(builder, "init", "iii:",
        BYTES(0x20, 0, 0x20, 1, 0x20, 2, 0xfc, 8, 0, 0, 0x0b));
    add(builder, "grow", "i:i", BYTES(0x20, 0, 0x40, 0, 0x0b));
    add(builder, "size", ":i", BYTES(0x3f, 0, 0x0b));
    return builder;
}

/* Makes `guest`'s instance one of the snapshot, in a store of its own. */
static void
thaw(struct vm_guest *thawed, const struct gvm_store_options *options,
     struct gvm_store **store)
{
    ck_assert_int_eq(gvm_store_create(guest.world.engine, options, store),
                     GVM_OK);
    ck_assert_int_eq(gvm_instance_create_from(*store, snapshot, NULL, 0,
                                              &thawed->instance, NULL),
                     GVM_OK);
    ck_assert_int_eq(gvm_call_create(*store, &thawed->call), GVM_OK);
}

static void
open_guests(int bounds, const struct gvm_store_options *options)
{
    vm_guest_open(&guest, (enum gvm_bounds)bounds, make_guest(), NULL);
    ck_assert_int_eq(gvm_snapshot_create(guest.instance, &snapshot, NULL),
                     GVM_OK);
    gvm_call_destroy(guest.call);
    other = guest;
    thaw(&guest, options, &stores[0]);
    thaw(&other, options, &stores[1]);
    file = memfd_create("file", MFD_CLOEXEC);
    ck_assert_int_ge(file, 0);
    ck_assert_int_eq(ftruncate(file, FILE_PAGES * PAGE), 0);
}

static void
close_guests(void)
{
    close(file);
    gvm_call_destroy(guest.call);
    gvm_call_destroy(other.call);
    gvm_store_destroy(stores[0]);
    gvm_store_destroy(stores[1]);
    gvm_snapshot_destroy(snapshot);
    vm_world_close(&guest.world);
}

static struct gvm_memory *
memory_of(const struct vm_guest *of)
{
    return gvm_instance_memory(of->instance);
}

static enum gvm_status
map(const struct vm_guest *of, uint64_t page_count, bool writable)
{
    return gvm_mapping_create(memory_of(of), file, 0, page_count, writable,
                              &address);
}

static void
expect_byte(struct vm_guest *of, uint64_t at, uint8_t byte)
{
    vm_guest_expect(of, "peek", SLOTS(at), 1, SLOTS(byte));
}

static void
poke(struct vm_guest *of, uint64_t at, uint8_t byte)
{
    vm_guest_expect(of, "poke", SLOTS(at, byte), 0, NULL);
}

static void
expect_size(struct vm_guest *of, uint64_t pages)
{
    vm_guest_expect(of, "size", NULL, 1, SLOTS(pages));
}

/* ---- Sharing ------------------------------------------------------------ */

START_TEST(what_one_writes_the_other_and_the_file_have)
{
    uint64_t mine, its;
    uint8_t byte = 0;

    open_guests(_i, NULL);
    ck_assert_int_eq(pwrite(file, "x", 1, 3 * PAGE - 1), 1);
    ck_assert_int_eq(map(&guest, 3, true), GVM_OK);
    mine = address;
    ck_assert_uint_eq(mine, PAGES * PAGE);
    expect_size(&guest, PAGES + 3);
    ck_assert_int_eq(gvm_mapping_create(memory_of(&other), file, PAGE, 2,
                                        true, &its),
                     GVM_OK);
    expect_byte(&guest, mine + 3 * PAGE - 1, 'x');
    expect_byte(&other, its + 2 * PAGE - 1, 'x');
    poke(&guest, mine + PAGE, 7);
    expect_byte(&other, its, 7);
    poke(&other, its + 1, 8);
    expect_byte(&guest, mine + PAGE + 1, 8);
    ck_assert_int_eq(pread(file, &byte, 1, PAGE + 1), 1);
    ck_assert_uint_eq(byte, 8);
    /* What lies beside it is its own. */
    poke(&guest, mine - 1, 5);
    expect_byte(&other, its - 1, 0);
    vm_guest_expect_trap(&guest, "peek", SLOTS(mine + 3 * PAGE),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    close_guests();
}
END_TEST

/* ---- Only for reading ---------------------------------------------------- */

/* Ranges around a mapping of two pages that begins at its page 2. */
static const struct range {
    int64_t start; /* counted from the mapping's */
    uint64_t length_bytes;
    bool permitted;
} ranges[] = {
    {-1, 1, true},
    {-1, 2, false},
    {-8, 8, true},
    {-8, 9, false},
    {0, 0, true},
    {0, 1, false},
    {1, 0, true},
    {PAGE, 1, false},
    {2 * PAGE - 1, 1, false},
    {2 * PAGE - 1, 2, false},
    {2 * PAGE, 1, true},
    {2 * PAGE, 0, true},
    {-1, 2 * PAGE + 2, false},
    {-(int64_t)PAGE * PAGES, PAGE * PAGES, true},
};
#define RANGE_COUNT ((int)(sizeof ranges / sizeof ranges[0]))

START_TEST(the_host_is_told_what_it_may_write)
{
    const struct range *row = &ranges[_i];
    uint64_t offset;

    open_guests(GVM_BOUNDS_GUARD, NULL);
    ck_assert_int_eq(map(&guest, 2, false), GVM_OK);
    vm_guest_expect(&guest, "grow", SLOTS(1), 1, SLOTS(PAGES + 2));
    offset = address + (uint64_t)row->start;
    ck_assert(gvm_mapping_permits_write(memory_of(&guest), offset,
                                        row->length_bytes) ==
              row->permitted);
    /* Who shares it writes. */
    ck_assert_int_eq(map(&other, 2, true), GVM_OK);
    ck_assert(gvm_mapping_permits_write(memory_of(&other), address, PAGE));
    close_guests();
}
END_TEST

/* Bulk operations on `length` bytes trap, and then have written nothing. */
static const char *const bulk[] = {"fill", "copy", "init"};

START_TEST(bulk_operations_write_all_or_trap)
{
    const char *name = bulk[_i];

    open_guests(GVM_BOUNDS_GUARD, NULL);
    ck_assert_int_eq(map(&guest, 1, false), GVM_OK);
    poke(&guest, 0, 9);
    poke(&guest, address - 1, 0x55);
    vm_guest_expect_trap(&guest, name, SLOTS(address - 1, 0, 2),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    vm_guest_expect_trap(&guest, name, SLOTS(address + PAGE - 1, 0, 1),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_byte(&guest, address - 1, 0x55);
    /* Nothing is nothing, and what ends where it begins is outside. */
    vm_guest_expect(&guest, name, SLOTS(address, 0, 0), 0, NULL);
    vm_guest_expect(&guest, name, SLOTS(address - 1, 0, 1), 0, NULL);
    ck_assert_uint_ne(*(gvm_memory_data(memory_of(&guest)) + address - 1),
                      0x55);
    /* Reading it is fine. */
    vm_guest_expect(&guest, "copy", SLOTS(0, address, PAGE), 0, NULL);
    expect_byte(&guest, 0, 0);
    close_guests();
}
END_TEST

START_TEST(stores_trap_and_loads_see_what_others_write)
{
    open_guests(GVM_BOUNDS_GUARD, NULL);
    ck_assert_int_eq(map(&guest, 2, false), GVM_OK);
    ck_assert_int_eq(map(&other, 2, true), GVM_OK);
    poke(&other, address + PAGE, 3);
    expect_byte(&guest, address + PAGE, 3);
    vm_guest_expect_trap(&guest, "poke", SLOTS(address, 1),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    vm_guest_expect_trap(&guest, "poke", SLOTS(address + 2 * PAGE - 1, 1),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    vm_guest_expect_trap(&guest, "poke8", SLOTS(address - 1, UINT64_MAX),
                         GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
    expect_byte(&other, address, 0);
    poke(&guest, address - 1, 1);
    close_guests();
}
END_TEST

START_TEST(without_guard_pages_nothing_is_only_for_reading)
{
    open_guests(GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(map(&guest, 1, false), GVM_BAD_ARGUMENT);
    expect_size(&guest, PAGES);
    ck_assert_int_eq(map(&guest, 1, true), GVM_OK);
    close_guests();
}
END_TEST

/* ---- Taking away --------------------------------------------------------- */

START_TEST(nothing_is_left_after_a_reset)
{
    int times;

    open_guests(_i, NULL);
    for (times = 0; times < 3; times++) {
        ck_assert_int_eq(map(&guest, 3, true), GVM_OK);
        ck_assert_uint_eq(address, PAGES * PAGE);
        poke(&guest, address + PAGE, 1);
        poke(&guest, 12, 1);
        ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
        expect_size(&guest, PAGES);
        expect_byte(&guest, 12, 0);
        vm_guest_expect_trap(&guest, "peek", SLOTS(PAGES * PAGE),
                             GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
        vm_guest_expect(&guest, "grow", SLOTS(3), 1, SLOTS(PAGES));
        expect_byte(&guest, address + PAGE, 0);
        poke(&guest, address + PAGE, 2);
        ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    }
    /* And it is as it was for who shares it. */
    ck_assert_int_eq(map(&other, 3, true), GVM_OK);
    expect_byte(&other, address + PAGE, 1);
    close_guests();
}
END_TEST

START_TEST(pages_that_lost_their_file_are_zero_and_the_guests_own)
{
    open_guests(_i, NULL);
    ck_assert_int_eq(map(&guest, 2, true), GVM_OK);
    poke(&guest, address, 1);
    ck_assert_int_eq(gvm_mapping_destroy(memory_of(&guest), address + PAGE),
                     GVM_BAD_ARGUMENT);
    ck_assert_int_eq(gvm_mapping_destroy(memory_of(&guest), address),
                     GVM_OK);
    ck_assert_int_eq(gvm_mapping_destroy(memory_of(&guest), address),
                     GVM_BAD_ARGUMENT);
    expect_size(&guest, PAGES + 2);
    expect_byte(&guest, address, 0);
    poke(&guest, address, 2);
    ck_assert_int_eq(map(&other, 2, true), GVM_OK);
    expect_byte(&other, address, 1);
    ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    vm_guest_expect(&guest, "grow", SLOTS(2), 1, SLOTS(PAGES));
    expect_byte(&guest, address, 0);
    close_guests();
}
END_TEST

/* Maps so many pages, which must come to lie at that page. */
static void
expect_place(uint64_t page_count, uint64_t page)
{
    ck_assert_int_eq(map(&guest, page_count, true), GVM_OK);
    ck_assert_uint_eq(address, page * PAGE);
    expect_byte(&guest, address, 'f');
}

static void
destroy_at(uint64_t page)
{
    ck_assert_int_eq(gvm_mapping_destroy(memory_of(&guest), page * PAGE),
                     GVM_OK);
}

START_TEST(what_was_taken_away_makes_room_for_others)
{
    int times;

    open_guests(_i, NULL);
    ck_assert_int_eq(pwrite(file, "f", 1, 0), 1);
    for (times = 0; times < 3; times++) {
        expect_place(4, 2);
        expect_place(1, 6);
        destroy_at(2);
        expect_place(1, 2); /* the front of the hole */
        expect_place(2, 3);
        expect_place(2, 7); /* what is left is too short: behind the end */
        expect_place(1, 5);
        expect_size(&guest, 9);
        destroy_at(3); /* all holes join, in any order */
        destroy_at(6);
        destroy_at(5);
        expect_place(4, 3);
        expect_size(&guest, 9);
        ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    }
    /* Without end. */
    for (times = 0; times < 100; times++) {
        expect_place(4, 2);
        destroy_at(2);
    }
    close_guests();
}
END_TEST

/* ---- Limits -------------------------------------------------------------- */

START_TEST(the_declared_maximum_and_the_stores_total_hold)
{
    struct gvm_store_options options = {.memory_bytes_max = 5 * PAGE};
    struct gvm_limits file_pages = {.min = 0};
    struct gvm_memory *plain;

    open_guests(_i, NULL);
    ck_assert_int_eq(ftruncate(file, PAGES_MAX * PAGE), 0);
    ck_assert_int_eq(map(&guest, PAGES_MAX - PAGES + 1, true),
                     GVM_BAD_ARGUMENT);
    expect_size(&guest, PAGES);
    ck_assert_int_eq(map(&guest, PAGES_MAX - PAGES, true), GVM_OK);
    ck_assert_int_eq(map(&guest, 1, true), GVM_BAD_ARGUMENT);
    ck_assert_int_eq(map(&other, 0, true), GVM_BAD_ARGUMENT);
    ck_assert_int_eq(gvm_mapping_create(memory_of(&other), file, 4096, 1,
                                        true, &address),
                     GVM_BAD_ARGUMENT);
    ck_assert_int_eq(gvm_mapping_create(memory_of(&other), -1, 0, 1, true,
                                        &address),
                     GVM_NO_MEMORY);
    expect_size(&other, PAGES);
    /* A memory that was not made from a snapshot has none. */
    ck_assert_int_eq(gvm_memory_create(stores[0], &file_pages, &plain),
                     GVM_OK);
    ck_assert_int_eq(gvm_mapping_create(plain, file, 0, 1, true, &address),
                     GVM_BAD_ARGUMENT);
    ck_assert_int_eq(gvm_mapping_destroy(plain, 0), GVM_BAD_ARGUMENT);
    ck_assert(gvm_mapping_permits_write(plain, 0, 1));
    close_guests();

    open_guests(_i, &options);
    ck_assert_int_eq(map(&guest, 4, true), GVM_LIMIT);
    expect_size(&guest, PAGES);
    ck_assert_int_eq(map(&guest, 3, true), GVM_OK);
    ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    ck_assert_int_eq(map(&guest, 3, true), GVM_OK);
    close_guests();
}
END_TEST

START_TEST(an_instance_with_a_file_is_not_frozen)
{
    struct gvm_snapshot *again = NULL;
    struct gvm_error err;

    open_guests(_i, NULL);
    ck_assert_int_eq(map(&guest, 1, true), GVM_OK);
    ck_assert_int_eq(gvm_snapshot_create(guest.instance, &again, &err),
                     GVM_BAD_ARGUMENT);
    ck_assert_msg(strstr(err.message, "a file in its memory") != NULL, "%s",
                  err.message);
    ck_assert_int_eq(gvm_mapping_destroy(memory_of(&guest), address),
                     GVM_OK);
    ck_assert_int_eq(gvm_snapshot_create(guest.instance, &again, NULL),
                     GVM_OK);
    gvm_snapshot_destroy(again);
    close_guests();
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/mapping");
    TCase *tests = tcase_create("mapping");
    int bounds = vm_world_bounds_count();
    bool guards = bounds > GVM_BOUNDS_GUARD;

    tcase_add_loop_test(tests, what_one_writes_the_other_and_the_file_have, 0,
                        bounds);
    tcase_add_loop_test(tests, the_host_is_told_what_it_may_write, 0,
                        guards ? RANGE_COUNT : 0);
    tcase_add_loop_test(tests, bulk_operations_write_all_or_trap, 0,
                        guards ? 3 : 0);
    tcase_add_loop_test(tests, stores_trap_and_loads_see_what_others_write, 0,
                        guards);
    tcase_add_test(tests, without_guard_pages_nothing_is_only_for_reading);
    tcase_add_loop_test(tests, nothing_is_left_after_a_reset, 0, bounds);
    tcase_add_loop_test(tests,
                        pages_that_lost_their_file_are_zero_and_the_guests_own,
                        0, bounds);
    tcase_add_loop_test(tests, what_was_taken_away_makes_room_for_others, 0,
                        bounds);
    tcase_add_loop_test(tests, the_declared_maximum_and_the_stores_total_hold,
                        0, bounds);
    tcase_add_loop_test(tests, an_instance_with_a_file_is_not_frozen, 0,
                        bounds);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
