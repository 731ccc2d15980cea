/* Tests of state/table.c. */
#include "state/table.h"
#include "tests/state/suite.h"

#include <stdio.h>
#include <string.h>

/* Where the items lie. */
static struct state__slab_pool slab_pool;
static struct state__slab slab;

#define ITEMS 2000

static struct state__item *items[ITEMS];

/*
 * Hashes that bend: the tags of many are the same or next to each other, and
 * some are at the end of the table or zero, which marks a free slot.
 */
static uint64_t
hash_of(size_t i)
{
    static const uint32_t tags[] = {0, 1, 2, 15, 16, UINT32_MAX};
    uint32_t tag = i % 5 == 0 ? tags[i / 5 % 6]
                              : (uint32_t)(i * 2654435761u);

    return (uint64_t)tag << 32 | i;
}

static void
make_items(void)
{
    for (size_t i = 0; i < ITEMS; i++) {
        char key[16];
        int length = snprintf(key, sizeof key, "%zu", i);

        items[i] = state__item_create(
            &slab, (uint32_t)i % 3,
            (struct state_bytes){key, (size_t)length}, 0);
    }
}

static struct state__item *
find(const struct state__table *table, size_t i)
{
    return state__table_find(table, hash_of(i), items[i]->namespace_index,
                             state__item_key(items[i]));
}

static void
end_items(void)
{
    for (size_t i = 0; i < ITEMS; i++)
        state__item_destroy(items[i]);
}

START_TEST(what_is_put_in_is_found_until_it_is_taken_out)
{
    struct state__table table = {0};
    bool is_in[ITEMS] = {false};
    unsigned random = 1;
    size_t count = 0, peak = 0;

    make_items();
    ck_assert_ptr_null(find(&table, 0));
    /* Up to nearly all and down to none, a step forth and back. */
    for (size_t step = 0; step < 40 * ITEMS; step++) {
        size_t i = (random = random * 1664525 + 1013904223) / 65536 % ITEMS;
        bool grows = step < 20 * ITEMS ? random % 4 != 0 : random % 16 == 0;

        if (is_in[i] != grows) {
            if (grows) {
                ck_assert(state__table_reserve(&table));
                state__table_insert(&table, hash_of(i), items[i]);
            } else {
                state__table_remove(&table, hash_of(i), items[i]);
            }
            is_in[i] = grows;
            count += grows ? 1 : (size_t)-1;
        }
        if (state__table_capacity(&table) > peak)
            peak = state__table_capacity(&table);
        if (step % 997 != 0)
            continue;
        ck_assert_uint_eq(table.count, count);
        for (size_t j = 0; j < ITEMS; j++)
            if (find(&table, j) != (is_in[j] ? items[j] : NULL))
                ck_abort_msg("step %zu, item %zu", step, j);
    }
    ck_assert_uint_ge(peak, 2048);
    for (size_t i = 0; i < ITEMS; i++)
        if (is_in[i])
            state__table_remove(&table, hash_of(i), items[i]);
    ck_assert_uint_eq(table.count, 0);
    /* It has given memory back. */
    ck_assert_uint_le(state__table_capacity(&table), 64);
    ck_assert_ptr_null(find(&table, 0));
    state__table_deinit(&table);
    end_items();
}
END_TEST

START_TEST(keys_of_other_namespaces_and_lengths_are_other_keys)
{
    struct state__table table = {0};
    struct state__item *item =
        state__item_create(&slab, 1, (struct state_bytes){"key", 3}, 0);

    ck_assert(state__table_reserve(&table));
    state__table_insert(&table, 7, item);
    ck_assert_ptr_eq(state__table_find(&table, 7, 1,
                                       (struct state_bytes){"key", 3}),
                     item);
    ck_assert_ptr_null(state__table_find(&table, 7, 2,
                                         (struct state_bytes){"key", 3}));
    ck_assert_ptr_null(state__table_find(&table, 7, 1,
                                         (struct state_bytes){"ke", 2}));
    ck_assert_ptr_null(state__table_find(&table, 7, 1,
                                         (struct state_bytes){"kez", 3}));
    state__table_deinit(&table);
    state__item_destroy(item);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        what_is_put_in_is_found_until_it_is_taken_out,
        keys_of_other_namespaces_and_lengths_are_other_keys,
        NULL,
    };

    state__slab_pool_init(&slab_pool);
    state__slab_init(&slab, &slab_pool);
    return run_suite("table", tests);
}
