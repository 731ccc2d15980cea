/* Tests of state/expiry.c. */
#include "state/expiry.h"
#include "tests/state/suite.h"

/* Where the items lie. */
static struct state__slab_pool slab_pool;
static struct state__slab slab;

#define ITEMS 500

static struct state__item *items[ITEMS];
static uint64_t deadlines[ITEMS]; /* 0: none */

/* Holds the heap against the naive list of deadlines. */
static void
check(const struct state__expiry *expiry)
{
    uint64_t first = UINT64_MAX;
    size_t count = 0;

    for (size_t i = 0; i < ITEMS; i++) {
        if ((deadlines[i] > 0) != (items[i]->expiry_place > 0))
            ck_abort_msg("item %zu has lost its place", i);
        if (deadlines[i] == 0)
            continue;
        count++;
        first = deadlines[i] < first ? deadlines[i] : first;
        if (state__expiry_deadline_ms(expiry, items[i]) != deadlines[i])
            ck_abort_msg("item %zu has another deadline", i);
    }
    ck_assert_uint_eq(expiry->count, count);
    ck_assert(count == 0 || expiry->entries[0].deadline_ms == first);
}

START_TEST(the_first_to_expire_comes_first_after_any_changes)
{
    struct state__expiry expiry = {0};
    unsigned random = 3;
    uint64_t last = 0;

    for (size_t i = 0; i < ITEMS; i++)
        items[i] = state__item_create(&slab, 0,
                                      (struct state_bytes){"k", 1}, 0);
    for (int step = 0; step < 30000; step++) {
        size_t i = (random = random * 1664525 + 1013904223) / 65536 % ITEMS;

        if (random % 3 == 0) {
            state__expiry_clear(&expiry, items[i]);
            deadlines[i] = 0;
        } else {
            deadlines[i] = 1 + random / 7 % 1000;
            ck_assert(state__expiry_reserve(&expiry));
            state__expiry_set(&expiry, items[i], deadlines[i]);
        }
        if (step % 499 == 0)
            check(&expiry);
    }
    ck_assert_uint_gt(expiry.count, ITEMS / 2);
    while (expiry.count > 0) {
        ck_assert_uint_ge(expiry.entries[0].deadline_ms, last);
        last = expiry.entries[0].deadline_ms;
        state__expiry_clear(&expiry, expiry.entries[0].item);
    }
    /* An empty heap has given its memory back. */
    ck_assert_ptr_null(expiry.entries);
    for (size_t i = 0; i < ITEMS; i++)
        state__item_destroy(items[i]);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        the_first_to_expire_comes_first_after_any_changes,
        NULL,
    };

    state__slab_pool_init(&slab_pool);
    state__slab_init(&slab, &slab_pool);
    return run_suite("expiry", tests);
}
