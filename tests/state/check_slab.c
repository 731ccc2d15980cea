/* Tests of state/slab.c. */
#include "state/slab.h"
#include "tests/state/suite.h"

#include <stdint.h>
#include <string.h>

#define SLOTS 20000

static const size_t sizes[] = {8,   16,  17,  48,  64,  120, 128,
                               129, 255, 300, 511, 648, STATE__SLAB_SLOT_MAX};
#define SIZE_COUNT (sizeof sizes / sizeof *sizes)

static void
fill(void *slot, size_t size, size_t number)
{
    memset(slot, (int)(number % 251), size);
}

static bool
is_filled(const void *slot, size_t size, size_t number)
{
    const uint8_t *bytes = slot;

    for (size_t i = 0; i < size; i++)
        if (bytes[i] != number % 251)
            return false;
    return true;
}

START_TEST(slots_of_all_sizes_are_apart)
{
    static void *slots[SLOTS];
    struct state__slab_pool pool;
    struct state__slab slab;

    state__slab_pool_init(&pool);
    state__slab_init(&slab, &pool);
    for (size_t i = 0; i < SLOTS; i++) {
        slots[i] = state__slab_take(&slab, sizes[i % SIZE_COUNT]);
        ck_assert_ptr_nonnull(slots[i]);
        ck_assert_uint_eq((uintptr_t)slots[i] % STATE__SLAB_STEP, 0);
        fill(slots[i], sizes[i % SIZE_COUNT], i);
    }
    /* Two of three go and come anew. */
    for (size_t i = 0; i < SLOTS; i++)
        if (i % 3 != 0)
            state__slab_give(slots[i]);
    for (size_t i = 0; i < SLOTS; i++)
        if (i % 3 != 0) {
            slots[i] = state__slab_take(&slab, sizes[i % SIZE_COUNT]);
            fill(slots[i], sizes[i % SIZE_COUNT], i);
        }
    for (size_t i = 0; i < SLOTS; i++)
        if (!is_filled(slots[i], sizes[i % SIZE_COUNT], i))
            ck_abort_msg("slot %zu was written over", i);
    state__slab_deinit(&slab);
    state__slab_pool_deinit(&pool);
}
END_TEST

static void
take_many(struct state__slab *slab, void **slots, size_t size)
{
    for (size_t i = 0; i < SLOTS; i++) {
        slots[i] = state__slab_take(slab, size);
        ck_assert_ptr_nonnull(slots[i]);
    }
}

START_TEST(what_was_given_back_serves_other_sizes_and_slabs)
{
    static void *slots[SLOTS];
    struct state__slab_pool pool;
    struct state__slab slab, other;
    const void *newest;

    state__slab_pool_init(&pool);
    state__slab_init(&slab, &pool);
    state__slab_init(&other, &pool);
    take_many(&slab, slots, 128);
    newest = pool.regions;
    /* Other sizes, of which as many need no more: no region comes. */
    for (size_t size = 48; size <= 128; size += 16) {
        for (size_t i = 0; i < SLOTS; i++)
            state__slab_give(slots[i]);
        take_many(size % 32 == 0 ? &slab : &other, slots, size);
        ck_assert_ptr_eq(pool.regions, newest);
    }
    /* And one does for a size that needs more. */
    for (size_t i = 0; i < SLOTS; i++)
        state__slab_give(slots[i]);
    take_many(&slab, slots, 512);
    ck_assert_ptr_ne(pool.regions, newest);
    state__slab_deinit(&slab);
    state__slab_deinit(&other);
    state__slab_pool_deinit(&pool);
}
END_TEST

START_TEST(behind_any_slot_enough_can_be_read)
{
    static void *slots[SLOTS];
    struct state__slab_pool pool;
    struct state__slab slab;

    /* A region is all that can be read; the sanitizers look on as well. */
    state__slab_pool_init(&pool);
    state__slab_init(&slab, &pool);
    take_many(&slab, slots, 16);
    for (size_t i = 0; i < SLOTS; i++) {
        const volatile uint8_t *end =
            (const uint8_t *)slots[i] + STATE__SLAB_SLOT_MAX - 1;

        ck_assert_uint_eq((uintptr_t)end >> 21, (uintptr_t)slots[i] >> 21);
        (void)*end;
    }
    state__slab_deinit(&slab);
    state__slab_pool_deinit(&pool);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        slots_of_all_sizes_are_apart,
        what_was_given_back_serves_other_sizes_and_slabs,
        behind_any_slot_enough_can_be_read,
        NULL,
    };

    return run_suite("slab", tests);
}
