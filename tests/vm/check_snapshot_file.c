/*
 * check_snapshot_file.c - tests of vm/snapshot_file.c: what is saved comes
 * back, and bytes that were never saved do no harm.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_guest.h"
#include "tests/vm/snapshot_guest.h"
#include "vm/snapshot.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#define PAGE 65536u

static struct vm_guest original, guest;
static struct gvm_snapshot *snapshot;
static struct gvm_error err;
static uint64_t system_page;

/* What was saved, and a place for it bent. */
static uint8_t *saved, *bent;
static size_t saved_bytes, room_bytes;

static bool
append(void *data, const void *bytes, size_t length_bytes)
{
    (void)data;
    if (length_bytes > room_bytes - saved_bytes)
        return false;
    memcpy(saved + saved_bytes, bytes, length_bytes);
    saved_bytes += length_bytes;
    return true;
}

static enum gvm_status
save(const struct gvm_snapshot *of)
{
    saved_bytes = 0;
    return gvm_snapshot_save(of, append, NULL, &err);
}

static void
freeze(struct vm_guest *of)
{
    struct gvm_snapshot *frozen;

    ck_assert_int_eq(gvm_snapshot_create(of->instance, &frozen, &err),
                     GVM_OK);
    ck_assert_int_eq(save(frozen), GVM_OK);
    gvm_snapshot_destroy(frozen);
}

static void
open_room(void)
{
    room_bytes = 1u << 20;
    saved = malloc(room_bytes);
    bent = malloc(room_bytes);
    snapshot = NULL;
    system_page = gvm__pages_size();
}

static void
close_room(void)
{
    free(saved);
    free(bent);
}

static void
open_original(int bounds)
{
    vm_guest_open(&original, (enum gvm_bounds)bounds, snapshot_guest(), NULL);
}

static enum gvm_status
load(const uint8_t *bytes, size_t length_bytes)
{
    return gvm_snapshot_load(original.module, NULL, bytes, length_bytes,
                             &snapshot, &err);
}

/* An instance of what was loaded, in a store of its own. */
static void
open_guest(void)
{
    snapshot_guest_thaw(&guest, &original, snapshot);
}

static void
close_guest(void)
{
    snapshot_guest_close(&guest);
    gvm_snapshot_destroy(snapshot);
    snapshot = NULL;
}

#define DO(of, name, ...) \
    vm_guest_expect(&(of), name, SLOTS(__VA_ARGS__), 0, NULL)
#define EXPECT(of, name, result, ...) \
    vm_guest_expect(&(of), name, SLOTS(__VA_ARGS__), 1, SLOTS(result))

/* Something else everywhere, with zero pages between the others. */
static void
change_everything(struct vm_guest *of)
{
    DO(*of, "poke", 70000, 'G');
    DO(*of, "poke", 0, 1);
    EXPECT(*of, "grow", 2, 3);
    DO(*of, "poke", 5 * PAGE - 1, 3);
    DO(*of, "set", 7);
    DO(*of, "aim", 2);
    DO(*of, "take", 1);
    DO(*of, "drop_entry", 3);
    EXPECT(*of, "extend", 4, 10);
    DO(*of, "drop", 0);
}

static void
expect_changes(struct vm_guest *of)
{
    EXPECT(*of, "size", 5, 0);
    EXPECT(*of, "peek", 'G', 70000);
    EXPECT(*of, "peek", 'l', 70001);
    EXPECT(*of, "peek", 1, 0);
    EXPECT(*of, "peek", 0, 2 * PAGE);
    EXPECT(*of, "peek", 3, 5 * PAGE - 1);
    EXPECT(*of, "get", 7, 0);
    EXPECT(*of, "aimed", 1, 0);
    EXPECT(*of, "length", 14, 0);
    EXPECT(*of, "call", 100, 0);
    EXPECT(*of, "call", 102, 1);
    vm_guest_expect_trap(of, "call", SLOTS(3),
                         GVM_TRAP_UNINITIALIZED_ELEMENT);
    EXPECT(*of, "call", 100, 13);
    vm_guest_expect_trap(of, "init", NULL, GVM_TRAP_MEMORY_OUT_OF_BOUNDS);
}

/* The world that saved is gone when another one loads. */
START_TEST(what_was_saved_comes_back_elsewhere)
{
    int times;

    open_original(_i);
    change_everything(&original);
    freeze(&original);
    vm_guest_close(&original);
    open_original(_i);
    ck_assert_msg(load(saved, saved_bytes) == GVM_OK, "%s", err.message);
    open_guest();
    for (times = 0; times < 3; times++) {
        expect_changes(&guest);
        DO(guest, "poke", 2 * PAGE, 9);
        DO(guest, "poke", 70000, 9);
        DO(guest, "set", 9);
        DO(guest, "drop_entry", 0);
        ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    }
    close_guest();
    vm_guest_close(&original);
}
END_TEST

START_TEST(what_was_loaded_is_saved_as_the_same_bytes)
{
    size_t before_bytes;

    open_original(_i);
    change_everything(&original);
    freeze(&original);
    before_bytes = saved_bytes;
    memcpy(bent, saved, saved_bytes);
    ck_assert_int_eq(load(saved, saved_bytes), GVM_OK);
    ck_assert_int_eq(save(snapshot), GVM_OK);
    ck_assert_uint_eq(saved_bytes, before_bytes);
    ck_assert_mem_eq(saved, bent, saved_bytes);
    /* Three pages: zeroes are not written. */
    ck_assert_uint_gt(saved_bytes, 3 * system_page);
    ck_assert_uint_lt(saved_bytes, 4 * system_page);
    gvm_snapshot_destroy(snapshot);
    vm_guest_close(&original);
}
END_TEST

START_TEST(an_empty_module_is_saved_and_comes_back)
{
    struct module_builder *builder = module_builder_create();

    vm_guest_open(&original, (enum gvm_bounds)_i, builder, NULL);
    freeze(&original);
    ck_assert_int_eq(load(saved, saved_bytes), GVM_OK);
    open_guest();
    close_guest();
    vm_guest_close(&original);
}
END_TEST

START_TEST(a_writer_without_room_ends_it)
{
    struct gvm_snapshot *frozen;
    size_t whole_bytes;

    open_original(GVM_BOUNDS_EXPLICIT);
    change_everything(&original);
    freeze(&original);
    whole_bytes = saved_bytes;
    ck_assert_int_eq(gvm_snapshot_create(original.instance, &frozen, &err),
                     GVM_OK);
    room_bytes = whole_bytes;
    ck_assert_int_eq(save(frozen), GVM_OK);
    room_bytes = whole_bytes - 1;
    ck_assert_int_eq(save(frozen), GVM_LIMIT);
    room_bytes = 0;
    ck_assert_int_eq(save(frozen), GVM_LIMIT);
    gvm_snapshot_destroy(frozen);
    vm_guest_close(&original);
}
END_TEST

START_TEST(a_reference_of_the_hosts_is_not_saved)
{
    struct module_builder *builder = module_builder_create();
    struct gvm_snapshot *frozen;
    union gvm_value value = {.externref = &value};

    module_builder_global(builder, 'x', true, BYTES(0xd0, 0x6f, 0x0b));
    module_builder_export(builder, "g", GVM_EXTERN_GLOBAL, 0);
    vm_guest_open(&original, GVM_BOUNDS_EXPLICIT, builder, NULL);
    freeze(&original); /* null is fine */
    gvm_global_set(vm_world_export(original.instance, "g").global, value);
    ck_assert_int_eq(gvm_snapshot_create(original.instance, &frozen, &err),
                     GVM_OK);
    ck_assert_int_eq(save(frozen), GVM_BAD_ARGUMENT);
    gvm_snapshot_destroy(frozen);
    vm_guest_close(&original);
}
END_TEST

/* ---- Bytes that nobody has saved ------------------------------------- */

/* Where the parts lie in what is saved of the guest as it begins. */
enum place {
    MAGIC = 0, FORMAT = 4, PAGE_BYTES = 8,
    MEMORIES = 12, TABLES = 16, GLOBALS = 20, ELEMENTS = 24, DATAS = 28,
    ELEMENT_BITS = 32, DATA_BITS = 33,
    GLOBAL_0 = 34, GLOBAL_1 = 42,
    TABLE_SIZE = 50, ENTRY_0 = 58, ENTRY_3 = 70,
    MEMORY_PAGES = 74, RUNS = 82, RUN_FIRST = 86, RUN_COUNT = 90,
    CONTENT = 94,
};

/* `function_count` is 20: those of the table and the exported ones. */
static const struct bend {
    enum place place;
    size_t length_bytes;
    uint64_t number;
    const char *text; /* NULL: that can be loaded */
} bends[] = {
    {MAGIC, 1, 'G', "none"},
    {FORMAT, 4, 2, "format"},
    {PAGE_BYTES, 4, 512, "another size"},
    {MEMORIES, 4, 2, "another module"},
    {TABLES, 4, 0, "another module"},
    {GLOBALS, 4, 3, "another module"},
    {ELEMENTS, 4, 2, "another module"},
    {DATAS, 4, 1, "another module"},
    {ELEMENT_BITS, 1, 0, NULL},
    {ELEMENT_BITS, 1, 2, "segments"},
    {DATA_BITS, 1, 4, "segments"},
    {GLOBAL_0, 8, UINT32_MAX, NULL},
    {GLOBAL_0, 8, UINT32_MAX + 1ull, "global"},
    {GLOBAL_1, 8, 1, NULL},
    {GLOBAL_1, 8, 20, NULL},
    {GLOBAL_1, 8, 21, "global"},
    {GLOBAL_1, 8, UINT64_MAX, "global"},
    {TABLE_SIZE, 8, 3, "table"},
    {TABLE_SIZE, 8, 2001, "table"},
    {TABLE_SIZE, 8, 2000, "too short"},
    {ENTRY_0, 4, 20, NULL},
    {ENTRY_0, 4, 21, "reference"},
    {ENTRY_3, 4, UINT32_MAX, "reference"},
    {MEMORY_PAGES, 8, 1, "memory"},
    {MEMORY_PAGES, 8, 40, NULL},
    {MEMORY_PAGES, 8, 41, "memory"},
    {RUNS, 4, 0, "too long"},
    {RUNS, 4, 2, "pages"}, /* the content is taken for a run */
    {RUNS, 4, UINT32_MAX, "pages"},
    {RUN_FIRST, 4, 0, NULL},
    {RUN_FIRST, 4, UINT32_MAX, "pages"},
    {RUN_COUNT, 4, 0, "pages"},
    {RUN_COUNT, 4, 2, "too short"},
    {RUN_COUNT, 4, UINT32_MAX, "pages"},
};
#define BEND_COUNT ((int)(sizeof(bends) / sizeof(bends[0])))

static void
put_number(uint8_t *bytes, uint64_t number, size_t length_bytes)
{
    size_t i;

    for (i = 0; i < length_bytes; i++)
        bytes[i] = (uint8_t)(number >> (8 * i));
}

START_TEST(each_number_is_held_against_its_range)
{
    const struct bend *bend = &bends[_i];
    enum gvm_status status;

    open_original(GVM_BOUNDS_EXPLICIT);
    ck_assert_uint_eq(gvm_module_function_count(original.module), 20);
    freeze(&original);
    ck_assert_uint_eq(saved_bytes, CONTENT + system_page);
    put_number(saved + bend->place, bend->number, bend->length_bytes);
    status = load(saved, saved_bytes);
    if (bend->text == NULL) {
        ck_assert_msg(status == GVM_OK, "%s", err.message);
        open_guest();
        close_guest();
    } else {
        ck_assert_int_eq(status, GVM_MALFORMED);
        ck_assert_ptr_null(snapshot);
        ck_assert_msg(strstr(err.message, bend->text) != NULL, "%s",
                      err.message);
        ck_assert_uint_le(err.offset, saved_bytes);
    }
    vm_guest_close(&original);
}
END_TEST

/* Of the system's pages, of which there may be fewer elsewhere. */
START_TEST(a_run_ends_where_the_memory_ends)
{
    uint64_t page_count;

    open_original(GVM_BOUNDS_EXPLICIT);
    page_count = 2 * PAGE / system_page;
    freeze(&original);
    put_number(saved + RUN_FIRST, page_count - 1, 4);
    ck_assert_int_eq(load(saved, saved_bytes), GVM_OK);
    open_guest();
    EXPECT(guest, "peek", 'g', 70000 % system_page + 2 * PAGE - system_page);
    close_guest();
    put_number(saved + RUN_FIRST, page_count, 4);
    ck_assert_int_eq(load(saved, saved_bytes), GVM_MALFORMED);
    vm_guest_close(&original);
}
END_TEST

/* Two runs: in order and with a gap, or they are none. */
static const struct run_pair {
    uint32_t first, count, second;
    enum gvm_status status;
} run_pairs[] = {
    {0, 1, 2, GVM_OK},        {0, 1, 3, GVM_OK},
    {0, 1, 1, GVM_MALFORMED}, {0, 1, 0, GVM_MALFORMED},
    {2, 1, 0, GVM_MALFORMED}, {5, 1, 5, GVM_MALFORMED},
};
#define RUN_PAIR_COUNT ((int)(sizeof(run_pairs) / sizeof(run_pairs[0])))

START_TEST(runs_come_in_order_with_gaps_between_them)
{
    const struct run_pair *row = &run_pairs[_i];

    open_original(GVM_BOUNDS_EXPLICIT);
    DO(original, "poke", 0, 1); /* two runs: this, and "glass" */
    freeze(&original);
    ck_assert_uint_eq(saved_bytes, CONTENT + 8 + 2 * system_page);
    put_number(saved + RUN_FIRST, row->first, 4);
    put_number(saved + RUN_COUNT, row->count, 4);
    put_number(saved + RUN_FIRST + 8, row->second, 4);
    ck_assert_int_eq(load(saved, saved_bytes), row->status);
    gvm_snapshot_destroy(snapshot);
    vm_guest_close(&original);
}
END_TEST

/* Code calls by `funcs`, which has no object for it. */
START_TEST(a_function_that_nothing_can_refer_to_is_no_reference)
{
    struct module_builder *builder = module_builder_create();
    uint32_t i;

    for (i = 0; i < 5; i++)
        module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_export(builder, "one", GVM_EXTERN_FUNC, 1);
    module_builder_start(builder, 3);
    module_builder_global(builder, 'r', true, BYTES(0xd2, 4, 0x0b));
    module_builder_table(builder, 'r', 1, 1);
    vm_guest_open(&original, GVM_BOUNDS_EXPLICIT, builder, NULL);
    freeze(&original);
    ck_assert_uint_eq(saved_bytes, 32 + 8 + 8 + 4);
    for (i = 0; i < 2 * 6; i++) {
        bool referable = i / 2 == 1 || i / 2 == 3 || i / 2 == 4;

        /* In the global, or in the table. */
        put_number(saved + 32, i % 2 == 0 ? i / 2 + 1 : 0, 8);
        put_number(saved + 48, i % 2 == 0 ? 0 : i / 2 + 1, 4);
        ck_assert_int_eq(load(saved, saved_bytes),
                         referable ? GVM_OK : GVM_MALFORMED);
        if (!referable)
            continue;
        open_guest();
        close_guest();
    }
    vm_guest_close(&original);
}
END_TEST

START_TEST(a_module_that_cannot_be_frozen_loads_nothing)
{
    struct gvm_limits limits = {.min = 1};
    struct gvm_extern import = {.kind = GVM_EXTERN_MEMORY};
    struct module_builder *builder = module_builder_create();
    struct vm_world world;
    struct gvm_module *module;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &import.memory),
                     GVM_OK);
    module_builder_import_memory(builder, "m", "m", 1,
                                 MODULE_BUILDER_NO_MAX);
    module = vm_world_load(&world, builder, GVM_FEATURES_DEFAULT);
    ck_assert_int_eq(
        gvm_snapshot_load(module, NULL, saved, 0, &snapshot, &err),
        GVM_MALFORMED);
    vm_world_close(&world);
}
END_TEST

START_TEST(the_totals_of_a_store_hold_for_what_is_loaded)
{
    static const struct {
        struct gvm_store_options options;
        enum gvm_status status;
        const char *text;
    } rows[] = {
        {{.memory_bytes_max = 2 * PAGE, .table_entries_max = 4}, GVM_OK, ""},
        {{.table_entries_max = 3}, GVM_LIMIT, "table"},
        {{.memory_bytes_max = 2 * PAGE - 1}, GVM_LIMIT, "memory"},
    };

    open_original(GVM_BOUNDS_EXPLICIT);
    freeze(&original);
    ck_assert_int_eq(gvm_snapshot_load(original.module, &rows[_i].options,
                                       saved, saved_bytes, &snapshot, &err),
                     rows[_i].status);
    ck_assert((snapshot != NULL) == (rows[_i].status == GVM_OK));
    if (snapshot == NULL)
        ck_assert_ptr_nonnull(strstr(err.message, rows[_i].text));
    gvm_snapshot_destroy(snapshot);
    vm_guest_close(&original);
}
END_TEST

/* ---- Fuzzing --------------------------------------------------------- */

/* Whatever it does, it does inside: the sanitizers and the reset look. */
static void
use_everything(void)
{
    uint64_t i;

    open_guest();
    gvm_call_set_fuel(guest.call, 100000);
    for (i = 0; i < 20; i++)
        vm_guest_call(&guest, "call", SLOTS(i));
    vm_guest_call(&guest, "peek", SLOTS(70000));
    vm_guest_call(&guest, "poke", SLOTS(2 * PAGE - 1, 1));
    vm_guest_call(&guest, "take", SLOTS(0));
    vm_guest_call(&guest, "call", SLOTS(0));
    vm_guest_call(&guest, "grow", SLOTS(1));
    vm_guest_call(&guest, "extend", SLOTS(1));
    vm_guest_call(&guest, "init", NULL);
    ck_assert_int_eq(gvm_instance_reset(guest.instance), GVM_OK);
    ck_assert_int_eq(save(snapshot), GVM_OK);
    close_guest();
}

START_TEST(bytes_cut_short_or_with_one_more_are_refused)
{
    size_t whole_bytes, i;

    open_original(_i);
    change_everything(&original);
    freeze(&original);
    whole_bytes = saved_bytes;
    for (i = 0; i < whole_bytes; i++) {
        /* A block of its own, so that the sanitizer sees a byte past it. */
        uint8_t *cut = malloc(i + 1);

        memcpy(cut, saved, i);
        ck_assert_int_eq(load(cut, i), GVM_MALFORMED);
        free(cut);
    }
    saved[whole_bytes] = 0;
    ck_assert_int_eq(load(saved, whole_bytes + 1), GVM_MALFORMED);
    vm_guest_close(&original);
}
END_TEST

/* xorshift64*: the numbers only need to be the same on every machine. */
static uint64_t
next_random(uint64_t *state)
{
    *state ^= *state >> 12;
    *state ^= *state << 25;
    *state ^= *state >> 27;
    return *state * 0x2545f4914f6cdd1du;
}

/* GLASS_FUZZ_FLIPS is how many to try beyond every single bit. */
START_TEST(flipped_bytes_are_refused_or_do_no_harm)
{
    const char *text = getenv("GLASS_FUZZ_FLIPS");
    int flips = text != NULL ? atoi(text) : 4000;
    uint64_t state = 0x9e3779b97f4a7c15u | 1;
    size_t whole_bytes, head_bytes;
    int loaded_count = 0;
    int i;

    open_original(_i);
    change_everything(&original);
    freeze(&original);
    whole_bytes = saved_bytes;
    head_bytes = CONTENT + 10 * 4 + 2 * 8; /* what is not content */
    memcpy(bent, saved, whole_bytes);
    for (i = 0; i < (int)head_bytes * 8 + flips; i++) {
        uint8_t *bytes = malloc(whole_bytes);

        memcpy(bytes, bent, whole_bytes);
        if (i < (int)head_bytes * 8) { /* every bit by itself */
            bytes[i / 8] ^= (uint8_t)(1 << i % 8);
        } else {
            uint64_t count = next_random(&state) % 4 + 1;

            while (count-- > 0) {
                size_t at = (size_t)(next_random(&state) % head_bytes);

                bytes[at] = (uint8_t)(next_random(&state) >> 32);
            }
        }
        if (load(bytes, whole_bytes) == GVM_OK) {
            loaded_count++;
            use_everything();
        } else {
            ck_assert_ptr_null(snapshot);
        }
        free(bytes);
    }
    /* Globals, entries and runs have bits that may be otherwise. */
    ck_assert_int_gt(loaded_count, 50);
    vm_guest_close(&original);
}
END_TEST

int
main(void)
{
    const TTest *const by_bounds[] = {
        what_was_saved_comes_back_elsewhere,
        what_was_loaded_is_saved_as_the_same_bytes,
        an_empty_module_is_saved_and_comes_back,
        bytes_cut_short_or_with_one_more_are_refused,
        flipped_bytes_are_refused_or_do_no_harm,
    };
    Suite *suite = suite_create("vm/snapshot_file");
    TCase *tests = tcase_create("snapshot_file");
    size_t i;

    tcase_add_checked_fixture(tests, open_room, close_room);
    tcase_set_timeout(tests, getenv("GLASS_FUZZ_FLIPS") ? 3600 : 120);
    for (i = 0; i < sizeof(by_bounds) / sizeof(by_bounds[0]); i++)
        tcase_add_loop_test(tests, by_bounds[i], 0, vm_world_bounds_count());
    tcase_add_test(tests, a_writer_without_room_ends_it);
    tcase_add_test(tests, a_reference_of_the_hosts_is_not_saved);
    tcase_add_loop_test(tests, each_number_is_held_against_its_range, 0,
                        BEND_COUNT);
    tcase_add_test(tests, a_run_ends_where_the_memory_ends);
    tcase_add_loop_test(tests, runs_come_in_order_with_gaps_between_them, 0,
                        RUN_PAIR_COUNT);
    tcase_add_test(
        tests, a_function_that_nothing_can_refer_to_is_no_reference);
    tcase_add_test(tests, a_module_that_cannot_be_frozen_loads_nothing);
    tcase_add_loop_test(
        tests, the_totals_of_a_store_hold_for_what_is_loaded, 0, 3);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
