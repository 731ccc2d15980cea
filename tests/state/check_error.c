/* Tests of state/error.c. */
#include "state/error.h"
#include "tests/state/suite.h"

#include <string.h>

START_TEST(an_error_is_written_and_its_status_returned)
{
    struct state_error err = {"before"};

    ck_assert_int_eq(state__error_set(&err, STATE_LIMIT, "%d of %s", 3, "x"),
                     STATE_LIMIT);
    ck_assert_str_eq(err.message, "3 of x");
    ck_assert_int_eq(state__error_set(NULL, STATE_INVALID, "nobody asks"),
                     STATE_INVALID);
}
END_TEST

START_TEST(a_message_that_is_too_long_is_cut)
{
    struct state_error err;
    char text[2 * STATE_MESSAGE_SIZE];

    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    state__error_set(&err, STATE_LIMIT, "%s", text);
    ck_assert_uint_eq(strlen(err.message), STATE_MESSAGE_SIZE - 1);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        an_error_is_written_and_its_status_returned,
        a_message_that_is_too_long_is_cut,
        NULL,
    };

    return run_suite("error", tests);
}
