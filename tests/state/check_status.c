/* Tests of state/status.c. */
#include "state/state.h"
#include "tests/state/suite.h"

#include <string.h>

#define ONE(...) +1
#define STATUS_COUNT ((enum state_status)(STATE_STATUS_MAP(ONE)))
#define KIND_COUNT ((enum state_kind)(STATE_KIND_MAP(ONE)))

START_TEST(every_status_has_a_name_of_its_own_and_a_text)
{
    for (enum state_status i = STATE_OK; i < STATUS_COUNT; i++) {
        ck_assert_str_ne(state_status_name(i), "unknown");
        ck_assert_str_ne(state_status_text(i), "unknown status");
        for (enum state_status j = STATE_OK; j < i; j++) {
            ck_assert_str_ne(state_status_name(i), state_status_name(j));
            ck_assert_str_ne(state_status_text(i), state_status_text(j));
        }
    }
    ck_assert_int_eq(STATE_OK, 0);
    ck_assert_str_eq(state_status_name(STATE_NOT_A_NUMBER), "not-a-number");
}
END_TEST

START_TEST(every_kind_has_a_name_of_its_own)
{
    for (enum state_kind i = STATE_GET; i < KIND_COUNT; i++) {
        ck_assert_str_ne(state_kind_name(i), "unknown");
        for (enum state_kind j = STATE_GET; j < i; j++)
            ck_assert_str_ne(state_kind_name(i), state_kind_name(j));
    }
    ck_assert_str_eq(state_kind_name(STATE_COMPARE_AND_SWAP),
                     "compare-and-swap");
}
END_TEST

START_TEST(other_numbers_are_unknown)
{
    ck_assert_str_eq(state_status_name(STATUS_COUNT), "unknown");
    ck_assert_str_eq(state_status_text(STATUS_COUNT), "unknown status");
    ck_assert_str_eq(state_kind_name(KIND_COUNT), "unknown");
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        every_status_has_a_name_of_its_own_and_a_text,
        every_kind_has_a_name_of_its_own,
        other_numbers_are_unknown,
        NULL,
    };

    return run_suite("status", tests);
}
