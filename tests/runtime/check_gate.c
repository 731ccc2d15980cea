/* check_gate.c - tests of runtime/gate.c. */
#include "runtime/gate.h"
#include "tests/runtime/world.h"

#include <check.h>

enum { count = 8 };

static struct runtime__gate gate;
static struct runtime__gate_place places[count];
static int woken[count];

static void
wake(struct runtime__gate_place *place)
{
    woken[place - places]++;
}

static void
set_up(void)
{
    runtime__gate_init(&gate);
}

static void
tear_down(void)
{
    ck_assert_uint_eq(gate.inside_count, 0);
    ck_assert_uint_eq(gate.waiting_count, 0);
    runtime__gate_deinit(&gate);
}

static enum runtime__gate_answer
enter(int i)
{
    return runtime__gate_enter(&gate, &places[i], 2, 3);
}

static void
leave(int i)
{
    runtime__gate_leave(&gate, &places[i], wake);
}

START_TEST(two_are_inside_and_three_wait_in_their_order)
{
    for (int times = 0; times < 2; times++) {
        for (int i = 0; i < count; i++)
            ck_assert_int_eq(enter(i), i < 2   ? RUNTIME__GATE_INSIDE
                                       : i < 5 ? RUNTIME__GATE_WAITS
                                               : RUNTIME__GATE_FULL);
    }
    /* Who was not let in leaves nothing behind. */
    leave(7);
    leave(1);
    ck_assert_int_eq(woken[2], 1);
    ck_assert_int_eq(enter(2), RUNTIME__GATE_INSIDE);
    /* Now one more may wait, and nobody is let in before him. */
    ck_assert_int_eq(enter(5), RUNTIME__GATE_WAITS);
    ck_assert_int_eq(enter(6), RUNTIME__GATE_FULL);
    /* One in the middle gives up, and the last, and the first. */
    leave(4);
    leave(5);
    leave(0);
    ck_assert_int_eq(woken[3], 1);
    ck_assert_int_eq(woken[4] + woken[5], 0);
    leave(2);
    leave(3);
    leave(3);
    ck_assert_int_eq(woken[0] + woken[1] + woken[6] + woken[7], 0);
}
END_TEST

START_TEST(who_waits_first_and_gives_up_is_passed_over)
{
    for (int i = 0; i < 4; i++)
        enter(i);
    leave(2);
    leave(0);
    ck_assert_int_eq(woken[2], 0);
    ck_assert_int_eq(woken[3], 1);
    leave(1);
    leave(3);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, set_up, tear_down);
    tcase_add_test(tests, two_are_inside_and_three_wait_in_their_order);
    tcase_add_test(tests, who_waits_first_and_gives_up_is_passed_over);
}

WORLD_MAIN("gate", add_tests)
