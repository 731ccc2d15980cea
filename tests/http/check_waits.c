/*
 * check_waits.c - tests of http/waits.c.
 */
#include "http/waits.h"

#include "http/request.h"
#include "tests/support/suite.h"

#include <check.h>

static struct http__request requests[3];
static unsigned ended[3];

static void
end(struct http__request *request)
{
    ended[request - requests]++;
}

static void
expect(unsigned first, unsigned second, unsigned third)
{
    ck_assert_uint_eq(ended[0], first);
    ck_assert_uint_eq(ended[1], second);
    ck_assert_uint_eq(ended[2], third);
}

/* In which order the three come and go; the first to go has left by the end. */
static const int orders[][3] = {{0, 1, 2}, {1, 0, 2}, {2, 1, 0}};

START_TEST(those_in_the_list_are_ended_once)
{
    struct http__waits waits;

    http__waits_init(&waits);
    for (int i = 0; i < 3; i++)
        http__waits_enter(&waits, &requests[i], end);
    expect(0, 0, 0);
    http__waits_leave(&waits, &requests[orders[_i][0]]);
    http__waits_leave(&waits, &requests[orders[_i][0]]);
    http__waits_end(&waits);
    http__waits_end(&waits);
    expect(orders[_i][0] != 0, orders[_i][0] != 1, orders[_i][0] != 2);
    http__waits_leave(&waits, &requests[orders[_i][1]]);
    http__waits_leave(&waits, &requests[orders[_i][2]]);
    ck_assert_ptr_null(waits.first);
    http__waits_deinit(&waits);
}
END_TEST

START_TEST(who_comes_too_late_is_ended_at_once)
{
    struct http__waits waits;

    http__waits_init(&waits);
    http__waits_end(&waits);
    http__waits_enter(&waits, &requests[1], end);
    expect(0, 1, 0);
    http__waits_leave(&waits, &requests[1]);
    http__waits_deinit(&waits);
}
END_TEST

int
main(void)
{
    Suite *suite = suite_create("http/waits");
    TCase *tests = tcase_create("waits");

    tcase_add_loop_test(tests, those_in_the_list_are_ended_once, 0, 3);
    tcase_add_test(tests, who_comes_too_late_is_ended_at_once);
    suite_add_tcase(suite, tests);
    return suite_run(suite);
}
