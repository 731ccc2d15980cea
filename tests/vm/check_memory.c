/*
 * check_memory.c - tests of vm/memory.c. Most run once for each kind of
 * bounds: what a memory does must not depend on it.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"
#include "vm/instance.h"

#include <check.h>
#include <string.h>
#include <sys/resource.h>

#define PAGE 65536u
/* The largest number of pages that the memory under test may have. */
#define PAGES_MAX GVM_MEMORY_PAGES_MAX

static struct vm_world world;

static void
open_world(int bounds, uint64_t memory_bytes_max)
{
    struct gvm_store_options options = {
        .memory_bytes_max = memory_bytes_max,
    };

    vm_world_open(&world, (enum gvm_bounds)bounds, &options);
}

static struct gvm_memory *
create(uint64_t min, uint64_t max)
{
    struct gvm_limits limits = {
        .min = min,
        .max = max,
        .has_max = max != MODULE_BUILDER_NO_MAX,
    };
    struct gvm_memory *memory = NULL;

    ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory), GVM_OK);
    return memory;
}

static bool
is_zero(const uint8_t *bytes, uint64_t length_bytes)
{
    uint64_t i;

    for (i = 0; i < length_bytes; i++) {
        if (bytes[i] != 0)
            return false;
    }
    return true;
}

START_TEST(a_new_memory_is_zeroed_and_as_large_as_asked)
{
    struct gvm_memory *memory;

    open_world(_i, 0);
    memory = create(3, MODULE_BUILDER_NO_MAX);
    ck_assert_uint_eq(gvm_memory_size_bytes(memory), 3 * PAGE);
    ck_assert_uint_eq(gvm__memory_size(memory->data), 3 * PAGE);
    ck_assert_ptr_eq(gvm_memory_data(memory), memory->data);
    ck_assert(is_zero(memory->data, 3 * PAGE));
    memset(memory->data, 0xff, 3 * PAGE);
    /* Writing all of it leaves the size alone. */
    ck_assert_uint_eq(gvm_memory_size_bytes(memory), 3 * PAGE);
    ck_assert_uint_eq(world.store->memory_bytes, 3 * PAGE);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_memory_without_pages_has_a_size_and_no_data)
{
    struct gvm_memory *memory;

    open_world(_i, 0);
    memory = create(0, MODULE_BUILDER_NO_MAX);
    ck_assert_uint_eq(gvm_memory_size_bytes(memory), 0);
    ck_assert_ptr_null(gvm_memory_data(memory));
    ck_assert_ptr_nonnull(gvm_memory_range(memory, 0, 0));
    ck_assert_ptr_null(gvm_memory_range(memory, 0, 1));
    ck_assert_int_eq(gvm_memory_grow(memory, 1), 0);
    ck_assert_ptr_nonnull(gvm_memory_data(memory));
    ck_assert(is_zero(gvm_memory_data(memory), PAGE));
    vm_world_close(&world);
}
END_TEST

static const struct creation {
    uint64_t min, max; /* pages */
    uint64_t store_bytes;
    enum gvm_status status;
} creations[] = {
    {0, 0, PAGE, GVM_OK},
    {1, 1, PAGE, GVM_OK},
    {2, 2, PAGE, GVM_LIMIT},
    {1, MODULE_BUILDER_NO_MAX, PAGE - 1, GVM_LIMIT},
    {1, PAGES_MAX, 2 * PAGE - 1, GVM_OK},
    {2, PAGES_MAX, 2 * PAGE - 1, GVM_LIMIT},
    {1, PAGES_MAX + 1, PAGE, GVM_LIMIT},
    {1, 0, PAGE, GVM_BAD_ARGUMENT},
    {PAGES_MAX + 1, MODULE_BUILDER_NO_MAX, UINT64_MAX, GVM_LIMIT},
    {PAGES_MAX + 1, PAGES_MAX + 1, UINT64_MAX, GVM_LIMIT},
    {UINT64_MAX / PAGE, MODULE_BUILDER_NO_MAX, UINT64_MAX, GVM_LIMIT},
    {UINT64_MAX, MODULE_BUILDER_NO_MAX, UINT64_MAX, GVM_LIMIT},
};
#define CREATION_COUNT ((int)(sizeof(creations) / sizeof(creations[0])))

START_TEST(limits_and_the_stores_total_decide_what_may_be_created)
{
    const struct creation *row = &creations[_i];
    struct gvm_limits limits = {
        .min = row->min,
        .max = row->max,
        .has_max = row->max != MODULE_BUILDER_NO_MAX,
    };
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct gvm_memory *memory = NULL;

        open_world(bounds, row->store_bytes);
        ck_assert_int_eq(gvm_memory_create(world.store, &limits, &memory),
                         row->status);
        ck_assert((memory != NULL) == (row->status == GVM_OK));
        ck_assert_uint_eq(world.store->memory_bytes,
                          row->status == GVM_OK ? row->min * PAGE : 0);
        vm_world_close(&world);
    }
}
END_TEST

START_TEST(no_limit_stands_before_the_largest_memory)
{
    struct gvm_limits limits = {.min = PAGES_MAX};
    struct gvm_memory *memory;
    enum gvm_status status;

    open_world(_i, (uint64_t)PAGES_MAX * PAGE);
    status = gvm_memory_create(world.store, &limits, &memory);
    /* Whether the machine has 4 GiB to promise is another question. */
    ck_assert(status == GVM_OK || status == GVM_NO_MEMORY);
    if (status == GVM_OK) {
        ck_assert_uint_eq(gvm_memory_size_bytes(memory), 4ull << 30);
        memory->data[(4ull << 30) - 1] = 1;
        ck_assert_int_eq(gvm_memory_grow(memory, 1), -1);
    }
    vm_world_close(&world);
}
END_TEST

static const struct growth {
    uint64_t min, max;
    uint64_t store_pages;
    uint64_t pages;
    int64_t result;
} growths[] = {
    {1, MODULE_BUILDER_NO_MAX, 10, 0, 1},
    {1, MODULE_BUILDER_NO_MAX, 10, 9, 1},
    {1, MODULE_BUILDER_NO_MAX, 10, 10, -1}, /* the store's total */
    {0, 3, 10, 3, 0},
    {0, 3, 10, 4, -1}, /* the declared maximum */
    {3, 3, 10, 0, 3},
    {3, 3, 10, 1, -1},
    {0, MODULE_BUILDER_NO_MAX, PAGES_MAX * 2, PAGES_MAX + 1, -1},
    {1, MODULE_BUILDER_NO_MAX, PAGES_MAX * 2, PAGES_MAX, -1},
    {1, MODULE_BUILDER_NO_MAX, 10, UINT32_MAX, -1},
    {1, MODULE_BUILDER_NO_MAX, 10, UINT64_MAX, -1},
    {1, MODULE_BUILDER_NO_MAX, 10, UINT64_MAX / PAGE + 1, -1},
};
#define GROWTH_COUNT ((int)(sizeof(growths) / sizeof(growths[0])))

START_TEST(growing_gives_the_previous_size_or_minus_one)
{
    const struct growth *row = &growths[_i];
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        uint64_t pages = row->min + (row->result >= 0 ? row->pages : 0);
        struct gvm_memory *memory;

        open_world(bounds, row->store_pages * PAGE);
        memory = create(row->min, row->max);
        ck_assert_int_eq(gvm_memory_grow(memory, row->pages), row->result);
        /* Everybody who knows the size agrees. */
        ck_assert_uint_eq(gvm_memory_size_bytes(memory), pages * PAGE);
        ck_assert_uint_eq(gvm__memory_size(memory->data), pages * PAGE);
        ck_assert_uint_eq(memory->limits.min, pages);
        ck_assert_uint_eq(world.store->memory_bytes, pages * PAGE);
        vm_world_close(&world);
    }
}
END_TEST

START_TEST(growing_keeps_the_contents_and_adds_zeroes)
{
    struct gvm_memory *memory;
    uint64_t pages;

    open_world(_i, 0);
    memory = create(1, MODULE_BUILDER_NO_MAX);
    memset(memory->data, 1, PAGE);
    for (pages = 1; pages < 40; pages++) {
        ck_assert_int_eq(gvm_memory_grow(memory, 1), (int64_t)pages);
        ck_assert(is_zero(memory->data + pages * PAGE, PAGE));
        memset(memory->data + pages * PAGE, (int)pages + 1, PAGE);
    }
    for (pages = 0; pages < 40; pages++) {
        ck_assert_uint_eq(memory->data[pages * PAGE], pages + 1);
        ck_assert_uint_eq(memory->data[pages * PAGE + PAGE - 1], pages + 1);
    }
    vm_world_close(&world);
}
END_TEST

START_TEST(memories_of_one_store_share_its_total)
{
    struct gvm_memory *first, *second;

    open_world(_i, 5 * PAGE);
    first = create(2, MODULE_BUILDER_NO_MAX);
    second = create(1, MODULE_BUILDER_NO_MAX);
    ck_assert_int_eq(gvm_memory_grow(first, 3), -1);
    ck_assert_int_eq(gvm_memory_grow(first, 2), 2);
    ck_assert_int_eq(gvm_memory_grow(second, 1), -1);
    ck_assert_int_eq(gvm_memory_grow(second, 0), 1);
    vm_world_close(&world);
}
END_TEST

/* In a memory of two pages. */
static const struct range {
    uint64_t offset, length_bytes;
    bool inside;
} ranges[] = {
    {0, 0, true},
    {0, 2 * PAGE, true},
    {0, 2 * PAGE + 1, false},
    {2 * PAGE - 1, 1, true},
    {2 * PAGE - 1, 2, false},
    {2 * PAGE, 0, true},
    {2 * PAGE, 1, false},
    {2 * PAGE + 1, 0, false},
    {1, UINT64_MAX, false},
    {UINT64_MAX, 1, false},
    {UINT64_MAX, 0, false},
    {UINT64_MAX, UINT64_MAX, false},
    {PAGE, UINT64_MAX - PAGE + 1, false},
};
#define RANGE_COUNT ((int)(sizeof(ranges) / sizeof(ranges[0])))

START_TEST(a_range_lies_inside_to_the_last_byte_or_not_at_all)
{
    const struct range *row = &ranges[_i];
    int bounds;

    for (bounds = 0; bounds < vm_world_bounds_count(); bounds++) {
        struct gvm_memory *memory;
        uint8_t *expected;

        open_world(bounds, 0);
        memory = create(2, MODULE_BUILDER_NO_MAX);
        expected = row->inside ? memory->data + row->offset : NULL;
        ck_assert_ptr_eq(
            gvm_memory_range(memory, row->offset, row->length_bytes), expected);
        vm_world_close(&world);
    }
}
END_TEST

/*
 * The kernel refuses private writable pages beyond RLIMIT_DATA, whichever
 * call asks for them. The limit stands only while `memory` is asked to grow,
 * or another is created.
 */
static void
forbid_pages(struct rlimit *before)
{
    struct rlimit none;

    ck_assert_int_eq(getrlimit(RLIMIT_DATA, before), 0);
    none = *before;
    none.rlim_cur = 4096; /* not 0, which the kernel excuses */
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &none), 0);
}

START_TEST(a_kernel_that_refuses_pages_leaves_everything_as_it_was)
{
    struct gvm_limits limits = {.min = 500};
    struct gvm_memory *memory, *other = NULL;
    enum gvm_status status;
    struct rlimit before;
    int64_t result;

    open_world(_i, 0);
    memory = create(1, MODULE_BUILDER_NO_MAX);
    memory->data[0] = 7;
    forbid_pages(&before);
    result = gvm_memory_grow(memory, 1000);
    status = gvm_memory_create(world.store, &limits, &other);
    ck_assert_int_eq(setrlimit(RLIMIT_DATA, &before), 0);
    ck_assert_int_eq(result, -1);
    ck_assert_int_eq(status, GVM_NO_MEMORY);
    ck_assert_ptr_null(other);
    ck_assert_uint_eq(gvm_memory_size_bytes(memory), PAGE);
    ck_assert_uint_eq(memory->limits.min, 1);
    ck_assert_uint_eq(memory->data[0], 7);
    ck_assert_uint_eq(world.store->memory_bytes, PAGE);
    /* And it goes on when there are pages again. */
    ck_assert_int_eq(gvm_memory_grow(memory, 1), 1);
    vm_world_close(&world);
}
END_TEST

/* memory.init of the six bytes "abcdef" in a memory of one page. */
static const struct initialisation {
    uint32_t to, from, count;
    enum gvm_trap trap;
    bool dropped;
} initialisations[] = {
    {0, 0, 6, GVM_TRAP_NONE, false},
    {PAGE - 6, 0, 6, GVM_TRAP_NONE, false},
    {PAGE - 5, 0, 6, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {PAGE, 6, 0, GVM_TRAP_NONE, false},
    {PAGE + 1, 0, 0, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {0, 5, 1, GVM_TRAP_NONE, false},
    {0, 5, 2, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {0, 7, 0, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {0, 2, UINT32_MAX, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {0, UINT32_MAX, 2, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {UINT32_MAX, 0, 2, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, false},
    {0, 0, 0, GVM_TRAP_NONE, true},
    {0, 0, 1, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, true},
    {0, 1, 0, GVM_TRAP_MEMORY_OUT_OF_BOUNDS, true},
};
#define INITIALISATION_COUNT \
    ((int)(sizeof(initialisations) / sizeof(initialisations[0])))

START_TEST(memory_init_copies_what_fits_and_nothing_else)
{
    static const uint8_t content[] = "abcdef";
    const struct initialisation *row = &initialisations[_i];
    struct module_builder *builder = module_builder_create();
    static uint8_t expected[PAGE];
    struct gvm_instance *instance;

    module_builder_memory(builder, 1, MODULE_BUILDER_NO_MAX);
    module_builder_data_passive(builder, content, 6);
    open_world(GVM_BOUNDS_EXPLICIT, 0);
    instance = vm_world_instantiate(
        &world, vm_world_load(&world, builder, GVM_FEATURES_DEFAULT), NULL);
    if (row->dropped)
        gvm__data_drop(instance, 0);
    ck_assert_int_eq(
        gvm__memory_init(instance, 0, 0, row->to, row->from, row->count),
        row->trap);
    if (row->trap == GVM_TRAP_NONE)
        memcpy(expected + row->to, content + row->from, row->count);
    ck_assert(memcmp(instance->memories[0]->data, expected, PAGE) == 0);
    vm_world_close(&world);
}
END_TEST

int
main(void)
{
    int bounds = vm_world_bounds_count();
    Suite *suite = suite_create("vm/memory");
    TCase *tests = tcase_create("memory");

    tcase_add_loop_test(tests, a_new_memory_is_zeroed_and_as_large_as_asked, 0,
                        bounds);
    tcase_add_loop_test(tests, a_memory_without_pages_has_a_size_and_no_data, 0,
                        bounds);
    tcase_add_loop_test(tests,
                        limits_and_the_stores_total_decide_what_may_be_created,
                        0, CREATION_COUNT);
    tcase_add_loop_test(tests, no_limit_stands_before_the_largest_memory, 0,
                        bounds);
    tcase_add_loop_test(tests, growing_gives_the_previous_size_or_minus_one, 0,
                        GROWTH_COUNT);
    tcase_add_loop_test(tests, growing_keeps_the_contents_and_adds_zeroes, 0,
                        bounds);
    tcase_add_loop_test(tests, memories_of_one_store_share_its_total, 0,
                        bounds);
    tcase_add_loop_test(tests,
                        a_range_lies_inside_to_the_last_byte_or_not_at_all, 0,
                        RANGE_COUNT);
    tcase_add_loop_test(tests,
                        a_kernel_that_refuses_pages_leaves_everything_as_it_was,
                        0, bounds);
    tcase_add_loop_test(tests, memory_init_copies_what_fits_and_nothing_else, 0,
                        INITIALISATION_COUNT);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
