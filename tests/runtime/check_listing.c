/* check_listing.c - tests of runtime/listing.c. */
#include "runtime/listing.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

static struct runtime__faaslet faaslet;

static void
begin(void)
{
    memset(&faaslet, 0, sizeof(faaslet));
}

static void
end(void)
{
    free(faaslet.listings);
}

static struct state_entry entries[] = {
    {{"a", 1}, 0x0102030405060708, 3, STATE_KEY_WRITTEN},
    {{"bc", 2}, 2, 0x1122334455667788, STATE_KEY_WRITTEN},
};

START_TEST(entries_are_written_as_far_as_they_fit)
{
    static const uint8_t expected[] = {
        8, 7, 6, 5, 4, 3, 2, 1, 3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 'a',
        2, 0, 0, 0, 0, 0, 0, 0, 0x88, 0x77, 0x66, 0x55, 0x44, 0x33, 0x22,
        0x11, 2, 0, 0, 0, 'b', 'c'};
    static const struct {
        uint32_t capacity_bytes, written_bytes;
        size_t count;
    } rows[] = {{0, 0, 0},   {20, 0, 0},  {21, 21, 1},
                {42, 21, 1}, {43, 43, 2}, {99, 43, 2}};
    struct state_operation operation = {.entries = entries,
                                        .entry_count = 2};

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        uint8_t target[99];
        uint32_t written_bytes;
        memset(target, 0xee, sizeof(target));
        ck_assert_uint_eq(runtime__listing_write(&operation, target,
                                                 rows[i].capacity_bytes,
                                                 &written_bytes),
                          rows[i].count);
        ck_assert_uint_eq(written_bytes, rows[i].written_bytes);
        ck_assert_mem_eq(target, expected, written_bytes);
        ck_assert_uint_eq(target[written_bytes], 0xee);
    }
}
END_TEST

START_TEST(a_list_goes_on_after_what_was_written)
{
    struct state_operation operation = {
        .entries = entries, .entry_count = 2, .cursor_next = {"bc", 2}};
    struct runtime__listing *listing = runtime__listing_find(&faaslet, 0);

    /* One did not fit. */
    uint64_t number = runtime__listing_keep(&faaslet, listing, &operation, 1);
    ck_assert_uint_ne(number, 0);
    ck_assert_ptr_eq(runtime__listing_find(&faaslet, number), listing);
    ck_assert_uint_eq(listing->cursor_bytes, 1);
    ck_assert_mem_eq(listing->cursor, "a", 1);
    /* All did, and there are more. */
    operation.more = true;
    ck_assert_uint_eq(
        runtime__listing_keep(&faaslet, listing, &operation, 2), number);
    ck_assert_mem_eq(listing->cursor, "bc", 2);
    /* That was all: the number is no list's any more. */
    operation.more = false;
    ck_assert_uint_eq(
        runtime__listing_keep(&faaslet, listing, &operation, 2), 0);
    ck_assert_ptr_null(runtime__listing_find(&faaslet, number));
}
END_TEST

START_TEST(so_many_lists_are_unfinished_and_no_more)
{
    struct state_operation operation = {.more = true,
                                        .cursor_next = {"a", 1}};
    uint64_t last = 0;

    for (int i = 0; i < RUNTIME__LISTINGS_MAX; i++) {
        struct runtime__listing *listing = runtime__listing_find(&faaslet, 0);
        ck_assert_ptr_nonnull(listing);
        uint64_t number =
            runtime__listing_keep(&faaslet, listing, &operation, 0);
        ck_assert_uint_gt(number, last);
        last = number;
    }
    ck_assert_ptr_null(runtime__listing_find(&faaslet, 0));
    ck_assert_ptr_null(runtime__listing_find(&faaslet, last + 1));
    operation.more = false;
    runtime__listing_keep(&faaslet, runtime__listing_find(&faaslet, last),
                          &operation, 0);
    ck_assert_ptr_nonnull(runtime__listing_find(&faaslet, 0));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, begin, end);
    tcase_add_test(tests, entries_are_written_as_far_as_they_fit);
    tcase_add_test(tests, a_list_goes_on_after_what_was_written);
    tcase_add_test(tests, so_many_lists_are_unfinished_and_no_more);
}

WORLD_MAIN("listing", add_tests)
