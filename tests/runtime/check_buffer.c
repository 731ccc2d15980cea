/* check_buffer.c - tests of runtime/buffer.c. */
#include "runtime/buffer.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

START_TEST(pieces_follow_each_other)
{
    struct runtime__buffer buffer = {0};

    ck_assert(runtime__buffer_append(&buffer, "one", 3));
    ck_assert(runtime__buffer_append(&buffer, NULL, 0));
    ck_assert(runtime__buffer_append(&buffer, " two", 4));
    ck_assert_uint_eq(buffer.length_bytes, 7);
    ck_assert_mem_eq(buffer.bytes, "one two", 7);
    runtime__buffer_deinit(&buffer);
    ck_assert_ptr_null(buffer.bytes);
    ck_assert_uint_eq(buffer.length_bytes, 0);
}
END_TEST

START_TEST(room_grows_past_its_first_size)
{
    struct runtime__buffer buffer = {0};

    for (unsigned i = 0; i < 100000; i++) {
        uint8_t byte = (uint8_t)(i % 251);
        ck_assert(runtime__buffer_append(&buffer, &byte, 1));
    }
    ck_assert_uint_eq(buffer.length_bytes, 100000);
    for (unsigned i = 0; i < 100000; i++)
        ck_assert_uint_eq(buffer.bytes[i], i % 251);
    runtime__buffer_deinit(&buffer);
}
END_TEST

START_TEST(a_length_that_is_no_length_changes_nothing)
{
    struct runtime__buffer buffer = {0};

    ck_assert(runtime__buffer_append(&buffer, "x", 1));
    ck_assert(!runtime__buffer_reserve(&buffer, SIZE_MAX));
    ck_assert(!runtime__buffer_reserve(&buffer, SIZE_MAX / 2 + 1));
    ck_assert_uint_eq(buffer.length_bytes, 1);
    ck_assert_mem_eq(buffer.bytes, "x", 1);
    runtime__buffer_deinit(&buffer);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, pieces_follow_each_other);
    tcase_add_test(tests, room_grows_past_its_first_size);
    tcase_add_test(tests, a_length_that_is_no_length_changes_nothing);
}

WORLD_MAIN("buffer", add_tests)
