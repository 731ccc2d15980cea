/*
 * check_store.c - tests of vm/store.c: totals and the arena.
 */
#include "tests/support/suite.h"
#include "tests/support/vm_world.h"
#include "vm/instance.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

START_TEST(options_that_are_zero_mean_the_documented_defaults)
{
    struct gvm_store_options zero = {0};
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, _i == 0 ? NULL : &zero);
    ck_assert_uint_eq(world.store->memory_bytes_max,
                      GVM_STORE_MEMORY_BYTES_MAX);
    ck_assert_uint_eq(world.store->table_entries_max,
                      GVM_STORE_TABLE_ENTRIES_MAX);
    ck_assert_uint_eq(world.store->value_stack_bytes, GVM_VALUE_STACK_BYTES);
    vm_world_close(&world);
}
END_TEST

START_TEST(options_that_are_set_replace_the_defaults)
{
    struct gvm_store_options options = {
        .memory_bytes_max = 1,
        .table_entries_max = 2,
        .value_stack_bytes = 3,
    };
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, &options);
    ck_assert_uint_eq(world.store->memory_bytes_max, 1);
    ck_assert_uint_eq(world.store->table_entries_max, 2);
    ck_assert_uint_eq(world.store->value_stack_bytes, 3);
    vm_world_close(&world);
}
END_TEST

START_TEST(destroying_no_store_does_nothing)
{
    gvm_store_destroy(NULL);
}
END_TEST

/* Around the alignment, the chunks, and what gets a chunk of its own. */
static const size_t piece_sizes[] = {
    1,    15,    16,    17,  511,   512,   513,     1,   1023,   1024,
    1025, 8191, 8192,  8193, 1,     32767, 32768, 32769, 100,    1 << 20, 5,
};
#define PIECE_COUNT (sizeof(piece_sizes) / sizeof(piece_sizes[0]))

static bool
all_bytes_are(const uint8_t *bytes, size_t length_bytes, uint8_t value)
{
    size_t i;

    for (i = 0; i < length_bytes; i++) {
        if (bytes[i] != value)
            return false;
    }
    return true;
}

START_TEST(pieces_of_the_arena_are_zeroed_aligned_and_apart)
{
    uint8_t *pieces[PIECE_COUNT];
    struct vm_world world;
    size_t i;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    for (i = 0; i < PIECE_COUNT; i++) {
        pieces[i] = gvm__store_allocate(world.store, piece_sizes[i]);
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq((uintptr_t)pieces[i] % _Alignof(max_align_t), 0);
        ck_assert(all_bytes_are(pieces[i], piece_sizes[i], 0));
        memset(pieces[i], (int)(i + 1), piece_sizes[i]);
    }
    /* Had two overlapped, the later would have written into the earlier. */
    for (i = 0; i < PIECE_COUNT; i++)
        ck_assert(all_bytes_are(pieces[i], piece_sizes[i], (uint8_t)(i + 1)));
    vm_world_close(&world);
}
END_TEST

START_TEST(ten_thousand_small_pieces_stay_apart)
{
    enum { COUNT = 10000 };
    uint32_t **pieces = malloc(COUNT * sizeof(*pieces));
    struct vm_world world;
    uint32_t i;

    ck_assert_ptr_nonnull(pieces);
    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    for (i = 0; i < COUNT; i++) {
        pieces[i] = gvm__store_allocate(world.store, sizeof(**pieces));
        ck_assert_ptr_nonnull(pieces[i]);
        ck_assert_uint_eq(*pieces[i], 0);
        *pieces[i] = i + 1;
    }
    for (i = 0; i < COUNT; i++)
        ck_assert_uint_eq(*pieces[i], i + 1);
    free(pieces);
    vm_world_close(&world);
}
END_TEST

START_TEST(a_piece_larger_than_the_address_space_is_refused)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 14, SIZE_MAX - 15,
                                   SIZE_MAX - 16};
    struct vm_world world;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    ck_assert_ptr_null(gvm__store_allocate(world.store, sizes[_i]));
    /* And the arena goes on. */
    ck_assert_ptr_nonnull(gvm__store_allocate(world.store, 1));
    vm_world_close(&world);
}
END_TEST

START_TEST(the_empty_memory_has_no_pages_and_cannot_grow)
{
    struct vm_world world;
    struct gvm_memory *empty;

    vm_world_open(&world, GVM_BOUNDS_EXPLICIT, NULL);
    empty = &world.store->empty_memory;
    ck_assert_uint_eq(gvm_memory_size_bytes(empty), 0);
    ck_assert_ptr_null(gvm_memory_data(empty));
    ck_assert_ptr_null(gvm_memory_range(empty, 0, 1));
    ck_assert_int_eq(gvm_memory_grow(empty, 1), -1);
    vm_world_close(&world);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("vm/store");
    TCase *tests = tcase_create("store");

    tcase_add_loop_test(
        tests, options_that_are_zero_mean_the_documented_defaults, 0, 2);
    tcase_add_test(tests, options_that_are_set_replace_the_defaults);
    tcase_add_test(tests, destroying_no_store_does_nothing);
    tcase_add_test(tests, pieces_of_the_arena_are_zeroed_aligned_and_apart);
    tcase_add_test(tests, ten_thousand_small_pieces_stay_apart);
    tcase_add_loop_test(tests, a_piece_larger_than_the_address_space_is_refused,
                        0, 4);
    tcase_add_test(tests, the_empty_memory_has_no_pages_and_cannot_grow);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
