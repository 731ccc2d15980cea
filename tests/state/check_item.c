/* Tests of state/item.c. */
#include "state/item.h"
#include "tests/state/suite.h"

#include <stdlib.h>
#include <string.h>

/* Where the items lie. */
static struct state__slab_pool slab_pool;
static struct state__slab slab;

static const size_t lengths[] = {0,  1,  7,  8,   9,   15,  16,  23, 24,
                                 40, 63, 64, 100, 127, 128};
#define LENGTH_COUNT (sizeof lengths / sizeof *lengths)

static void
fill(uint8_t *bytes, size_t length, size_t seed)
{
    for (size_t i = 0; i < length; i++)
        bytes[i] = (uint8_t)(seed * 31 + i);
}

static void
check_value(const struct state__item *item, const uint8_t *bytes,
            size_t length)
{
    ck_assert_uint_eq(item->value_length, length);
    ck_assert(memcmp(state__item_value(item), bytes, length) == 0);
}

START_TEST(an_item_takes_values_of_all_lengths_after_each_other)
{
    /* From every length to every other, in items made for either. */
    for (size_t made = 0; made < LENGTH_COUNT; made++) {
        struct state__item *item =
            state__item_create(&slab, 3, (struct state_bytes){"key", 3},
                               lengths[made]);
        uint8_t bytes[STATE_VALUE_INLINE_MAX];

        ck_assert_uint_le(item->inline_capacity, STATE_VALUE_INLINE_MAX);
        ck_assert_uint_ge(item->inline_capacity, lengths[made]);
        ck_assert_uint_eq(item->version, 0);
        for (size_t i = 0; i < LENGTH_COUNT * LENGTH_COUNT; i++) {
            size_t length = lengths[i % 2 ? i % LENGTH_COUNT
                                          : i / LENGTH_COUNT];
            struct state__value *garbage = NULL;

            fill(bytes, length, i);
            ck_assert(state__item_set(
                item, (struct state_bytes){bytes, length}, &garbage));
            check_value(item, bytes, length);
            ck_assert_uint_eq(item->key_length, 3);
            ck_assert(memcmp(item->bytes, "key", 3) == 0);
            state__value_release(garbage);
        }
        state__item_destroy(item);
    }
}
END_TEST

START_TEST(a_block_that_somebody_reads_is_not_overwritten)
{
    struct state__item *item =
        state__item_create(&slab, 0, (struct state_bytes){"k", 1}, 0);
    struct state__value *block = state__value_create(200), *garbage = NULL;
    uint8_t bytes[100];

    memset(block->bytes, 'o', 200);
    state__item_adopt(item, block, 200, &garbage);
    ck_assert_ptr_null(garbage);
    state__value_acquire(block);
    memset(bytes, 'n', sizeof bytes);
    ck_assert(state__item_set(
        item, (struct state_bytes){bytes, sizeof bytes}, &garbage));
    ck_assert_ptr_eq(garbage, block);
    ck_assert_int_eq(block->bytes[0], 'o');
    check_value(item, bytes, sizeof bytes);
    state__value_release(garbage);
    state__value_release(block);

    /* Read by nobody, the new block serves again. */
    garbage = NULL;
    block = state__item_block(item);
    ck_assert(state__item_set(item, (struct state_bytes){bytes, 90},
                              &garbage));
    ck_assert_ptr_null(garbage);
    ck_assert_ptr_eq(state__item_block(item), block);
    state__item_destroy(item);
}
END_TEST

START_TEST(a_splice_uses_the_room_there_is_and_not_more)
{
    struct state__item *item =
        state__item_create(&slab, 0, (struct state_bytes){"k", 1}, 0);
    struct state__value *block = state__value_create(200), *garbage = NULL;
    struct state_bytes one = {"x", 1};
    size_t capacity = item->inline_capacity;

    for (size_t i = 0; i < capacity; i++)
        ck_assert(state__item_splice(item, item->value_length, one));
    ck_assert(!state__item_splice(item, item->value_length, one));
    ck_assert_uint_eq(item->value_length, capacity);
    ck_assert(state__item_splice(item, item->value_length,
                                 (struct state_bytes){NULL, 0}));
    state__item_adopt(item, block, 198, &garbage);
    ck_assert(state__item_splice(item, item->value_length, one));
    ck_assert(!state__item_splice(item, item->value_length,
                                  (struct state_bytes){"xx", 2}));
    ck_assert(state__item_splice(item, item->value_length, one));
    ck_assert(!state__item_splice(item, item->value_length, one));
    ck_assert_uint_eq(item->value_length, 200);
    state__item_destroy(item);
}
END_TEST

START_TEST(a_splice_fills_gaps_with_zeros_and_leaves_what_readers_have)
{
    struct state__item *item =
        state__item_create(&slab, 0, (struct state_bytes){"k", 1}, 24);
    struct state__value *block = state__value_create(200), *garbage = NULL;
    struct state_bytes two = {"xy", 2};

    memset(item->bytes, '?', 1 + (size_t)item->inline_capacity);
    ck_assert(state__item_splice(item, 3, two));
    check_value(item, (const uint8_t *)"\0\0\0xy", 5);
    ck_assert(state__item_splice(item, 1, two));
    check_value(item, (const uint8_t *)"\0xyxy", 5);
    ck_assert(!state__item_splice(item, item->inline_capacity - 1u, two));
    check_value(item, (const uint8_t *)"\0xyxy", 5);

    memset(block->bytes, '?', 200);
    state__item_adopt(item, block, 150, &garbage);
    state__value_acquire(block);
    ck_assert(!state__item_splice(item, 149, two));
    ck_assert(state__item_splice(item, 150, two));
    state__value_release(block);
    ck_assert(state__item_splice(item, 149, two));
    ck_assert(state__item_splice(item, 198, two));
    ck_assert_uint_eq(item->value_length, 200);
    ck_assert(memcmp(block->bytes + 148, "?xyy\0\0", 6) == 0);
    ck_assert(memcmp(block->bytes + 197, "\0xy", 3) == 0);
    state__item_destroy(item);
}
END_TEST

static const struct order_case {
    uint32_t namespace_index;
    struct state_bytes key;
} in_order[] = {
    {0, {"z", 1}},    {1, {"\0", 1}},    {1, {"a", 1}},   {1, {"a\0", 2}},
    {1, {"ab", 2}},   {1, {"b", 1}},     {1, {"\x80", 1}}, {1, {"\xff", 1}},
    {1, {"\xff\0", 2}}, {2, {"a", 1}},
};

START_TEST(items_are_in_the_order_of_namespace_and_bytes)
{
    size_t count = sizeof in_order / sizeof *in_order;

    for (size_t i = 0; i < count; i++) {
        struct state__item *item = state__item_create(
            &slab, in_order[i].namespace_index, in_order[i].key, 0);

        for (size_t j = 0; j < count; j++) {
            int order = state__item_compare(
                item, in_order[j].namespace_index, in_order[j].key);

            ck_assert_int_eq((order > 0) - (order < 0), (i > j) - (i < j));
        }
        ck_assert_int_gt(state__item_compare(item,
                                             in_order[i].namespace_index,
                                             (struct state_bytes){NULL, 0}),
                         0);
        state__item_destroy(item);
    }
}
END_TEST

START_TEST(a_chain_is_destroyed_with_its_blocks)
{
    struct state__item *chain = NULL;

    for (int i = 0; i < 10; i++) {
        struct state__item *item =
            state__item_create(&slab, 0, (struct state_bytes){"k", 1}, 0);
        struct state__value *garbage = NULL;

        state__item_adopt(item, state__value_create(1000), 1000, &garbage);
        item->left = chain;
        chain = item;
    }
    state__item_destroy_chain(chain); /* the sanitizers count */
    state__item_destroy_chain(NULL);
    state__item_destroy(NULL);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        an_item_takes_values_of_all_lengths_after_each_other,
        a_block_that_somebody_reads_is_not_overwritten,
        a_splice_uses_the_room_there_is_and_not_more,
        a_splice_fills_gaps_with_zeros_and_leaves_what_readers_have,
        items_are_in_the_order_of_namespace_and_bytes,
        a_chain_is_destroyed_with_its_blocks,
        NULL,
    };

    state__slab_pool_init(&slab_pool);
    state__slab_init(&slab, &slab_pool);
    return run_suite("item", tests);
}
