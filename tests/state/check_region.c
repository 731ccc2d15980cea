/* Regions as files in memory, and who waits for their words (region.c). */
#include "tests/state/region_view.h"

#include <string.h>
#include <unistd.h>

START_TEST(a_file_cannot_be_cut_short)
{
    struct view mapped;

    begin(_i);
    put("k", 'a', 200);
    mapped = view("k", 0, true);
    ck_assert_int_ne(ftruncate(state_mapping_file(mapped.mapping), 0), 0);
    ck_assert_uint_eq(mapped.bytes[199], 'a');
    end_view(&mapped);
    finish();
}
END_TEST

static void
count_wake(struct state_region_waiter *waiter)
{
    ++*(int *)waiter->data;
}

START_TEST(those_who_wait_for_a_word_are_woken_in_turn)
{
    int woken[4] = {0};
    struct state_region_waiter waiters[4];
    struct view whole, part;
    uint32_t count;

    begin(_i);
    put("k", 0, 2 * PAGE);
    whole = view("k", 0, true);
    part = view("k", PAGE, true);
    for (int i = 0; i < 4; i++)
        waiters[i] = (struct state_region_waiter){.wake = count_wake,
                                                  .data = &woken[i]};
    memcpy(whole.bytes + PAGE + 8, &(uint32_t){5}, 4);
    ck_assert_int_eq(state_region_wait(whole.mapping, PAGE + 8, 4,
                                       &waiters[0]),
                     STATE_CONFLICT);
    /* The same word by two ways, and another one. */
    ck_assert_int_eq(state_region_wait(whole.mapping, PAGE + 8, 5,
                                       &waiters[0]),
                     STATE_PENDING);
    ck_assert_int_eq(state_region_wait(whole.mapping, PAGE + 4, 0,
                                       &waiters[3]),
                     STATE_PENDING);
    ck_assert_int_eq(state_region_wait(part.mapping, 8, 5, &waiters[1]),
                     STATE_PENDING);
    ck_assert_int_eq(state_region_wait(part.mapping, 8, 5, &waiters[2]),
                     STATE_PENDING);
    ck_assert_int_eq(state_region_notify(part.mapping, 8, 0, &count),
                     STATE_OK);
    ck_assert_uint_eq(count, 0);
    /* Who has left is not woken. */
    ck_assert(!state_region_leave(part.mapping, &waiters[1]));
    ck_assert_int_eq(state_region_notify(part.mapping, 8, 1, &count),
                     STATE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(woken[0], 1);
    ck_assert(state_region_leave(whole.mapping, &waiters[0]));
    ck_assert_int_eq(state_region_notify(whole.mapping, PAGE + 8, UINT32_MAX,
                                         &count),
                     STATE_OK);
    ck_assert_uint_eq(count, 1);
    ck_assert_int_eq(woken[1], 0);
    ck_assert_int_eq(woken[2], 1);
    ck_assert_int_eq(woken[3], 0);
    ck_assert(!state_region_leave(whole.mapping, &waiters[3]));
    end_view(&part);
    end_view(&whole);
    finish();
}
END_TEST

START_TEST(words_are_aligned_and_inside)
{
    static const uint64_t outside[] = {1, 2, 3, STATE_REGION_PAGE_BYTES,
                                       UINT64_MAX - 3};
    struct state_region_waiter waiter = {.wake = count_wake};
    struct view mapped;
    uint32_t count;

    begin(_i);
    put("k", 0, 10);
    mapped = view("k", 0, true);
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        ck_assert_int_eq(state_region_wait(mapped.mapping, outside[i], 0,
                                           &waiter),
                         STATE_INVALID);
        ck_assert_int_eq(state_region_notify(mapped.mapping, outside[i], 1,
                                             &count),
                         STATE_INVALID);
    }
    ck_assert_int_eq(state_region_wait(mapped.mapping, PAGE - 4, 0, &waiter),
                     STATE_PENDING);
    ck_assert(!state_region_leave(mapped.mapping, &waiter));
    end_view(&mapped);
    finish();
}
END_TEST

int
main(void)
{
    const TTest *const tests[] = {
        a_file_cannot_be_cut_short,
        those_who_wait_for_a_word_are_woken_in_turn,
        words_are_aligned_and_inside,
        NULL,
    };

    return run_loops("state/region", tests, 0, 2);
}
