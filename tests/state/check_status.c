/* Tests of state/status.c. */
#include "state/state.h"
#include "tests/state/suite.h"

#include <string.h>

START_TEST(every_status_has_a_name_of_its_own_and_a_text)
{
    for (enum state_status i = STATE_OK; i <= STATE_SYSTEM; i++) {
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
    for (enum state_kind i = STATE_GET; i <= STATE_LIST; i++) {
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
    ck_assert_str_eq(state_status_name(STATE_SYSTEM + 1), "unknown");
    ck_assert_str_eq(state_status_text(STATE_SYSTEM + 1), "unknown status");
    ck_assert_str_eq(state_kind_name(STATE_LIST + 1), "unknown");
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
