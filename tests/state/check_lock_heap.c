/* Tests of state/lock_heap.c. */
#include "state/lock_heap.h"
#include "tests/state/suite.h"

#define ENDS 500

static struct state__lock_end ends[ENDS];

/* Holds the heap against the naive search for the first. */
static void
check(const struct state__lock_heap *heap)
{
    uint64_t first = UINT64_MAX;
    size_t count = 0;

    for (size_t i = 0; i < ENDS; i++) {
        if (ends[i].place == 0)
            continue;
        count++;
        first = ends[i].due_ms < first ? ends[i].due_ms : first;
        if (heap->ends[ends[i].place - 1] != &ends[i])
            ck_abort_msg("end %zu has lost its place", i);
    }
    ck_assert_uint_eq(heap->count, count);
    ck_assert(count == 0 || state__lock_heap_first(heap)->due_ms == first);
}

START_TEST(the_first_to_end_comes_first_after_any_changes)
{
    struct state__lock_heap heap = {0};
    unsigned random = 7;
    uint64_t last = 0;

    ck_assert_ptr_null(state__lock_heap_first(&heap));
    for (int step = 0; step < 30000; step++) {
        size_t i = (random = random * 1664525 + 1013904223) / 65536 % ENDS;
        uint64_t due_ms = random / 7 % 1000;

        if (ends[i].place == 0)
            ck_assert(state__lock_heap_add(&heap, &ends[i], due_ms));
        else if (random % 3 == 0)
            state__lock_heap_remove(&heap, &ends[i]);
        else
            state__lock_heap_change(&heap, &ends[i], due_ms);
        if (step % 97 == 0)
            check(&heap);
    }
    ck_assert_uint_gt(heap.count, ENDS / 2);
    while (heap.count > 0) {
        struct state__lock_end *first = state__lock_heap_first(&heap);

        ck_assert_uint_ge(first->due_ms, last);
        last = first->due_ms;
        state__lock_heap_remove(&heap, first);
        ck_assert_uint_eq(first->place, 0);
    }
    state__lock_heap_deinit(&heap);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        the_first_to_end_comes_first_after_any_changes,
        NULL,
    };

    return run_suite("lock heap", tests);
}
