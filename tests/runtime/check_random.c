/* check_random.c - tests of runtime/random.c. */
#include "runtime/random.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

enum { piece_bytes = 16, pieces_count = 10000 };

static struct runtime__random source;

static int
compare(const void *a, const void *b)
{
    return memcmp(a, b, piece_bytes);
}

/* Far more than is fetched ahead at once. */
START_TEST(no_piece_comes_twice)
{
    uint8_t *pieces = malloc(pieces_count * piece_bytes);

    ck_assert_ptr_nonnull(pieces);
    for (size_t i = 0; i < pieces_count; i++)
        ck_assert(runtime__random_fill(&source, pieces + i * piece_bytes,
                                       piece_bytes));
    qsort(pieces, pieces_count, piece_bytes, compare);
    for (size_t i = 1; i < pieces_count; i++)
        ck_assert_mem_ne(pieces + (i - 1) * piece_bytes,
                         pieces + i * piece_bytes, piece_bytes);
    free(pieces);
}
END_TEST

/* Sizes that leave a rest, up to all that is fetched. */
static const size_t sizes[] = {1, 7, 255, RUNTIME__RANDOM_AHEAD_BYTES - 1,
                               RUNTIME__RANDOM_AHEAD_BYTES};

START_TEST(every_byte_is_filled_and_none_behind)
{
    size_t size = sizes[_i];
    uint8_t bytes[RUNTIME__RANDOM_AHEAD_BYTES + 1];
    uint8_t seen[RUNTIME__RANDOM_AHEAD_BYTES] = {0};

    for (int times = 0; times < 200; times++) {
        memset(bytes, 0, sizeof(bytes));
        ck_assert(runtime__random_fill(&source, bytes, size));
        ck_assert_uint_eq(bytes[size], 0);
        for (size_t i = 0; i < size; i++)
            seen[i] |= bytes[i];
    }
    /* 200 zeros in a row do not happen. */
    for (size_t i = 0; i < size; i++)
        ck_assert_uint_ne(seen[i], 0);
}
END_TEST

START_TEST(what_was_handed_out_is_erased)
{
    uint8_t bytes[piece_bytes];

    ck_assert(runtime__random_fill(&source, bytes, sizeof(bytes)));
    for (size_t stripe = 0; stripe < RUNTIME__STRIPES; stripe++) {
        const uint8_t *ahead = source.stripes[stripe].bytes;
        for (size_t i = 0; i + sizeof(bytes) <= RUNTIME__RANDOM_AHEAD_BYTES;
             i++)
            ck_assert_mem_ne(ahead + i, bytes, sizeof(bytes));
    }
}
END_TEST

static void
set_up(void)
{
    runtime__random_init(&source);
}

static void
tear_down(void)
{
    runtime__random_deinit(&source);
}

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, no_piece_comes_twice);
    tcase_add_loop_test(tests, every_byte_is_filled_and_none_behind, 0,
                        (int)(sizeof(sizes) / sizeof(sizes[0])));
    tcase_add_test(tests, what_was_handed_out_is_erased);
}

WORLD_MAIN("random", add_tests)
