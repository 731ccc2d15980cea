/*
 * core.c - for tests: the group core, seen from a guest. Each TEST is an
 * export that check_host_core.c calls; the input is "the input".
 */
#include "check.h"

#include <string.h>

static int initialised;

__attribute__((constructor)) static void
initialise(void)
{
    initialised++;
}

TEST(the_constructors_have_run_once)
{
    CHECK(initialised == 1);
}

TEST(the_version_is_one)
{
    CHECK(glass_abi_version() == 1);
}

TEST(the_input_is_read_in_pieces)
{
    char buffer[16] = "................";

    CHECK(glass_input_len() == 9);
    CHECK(glass_input_read(0, buffer, 0) == 9);
    CHECK(buffer[0] == '.');
    CHECK(glass_input_read(0, buffer, 3) == 9);
    CHECK(memcmp(buffer, "the.", 4) == 0);
    CHECK(glass_input_read(4, buffer, sizeof(buffer)) == 5);
    CHECK(memcmp(buffer, "input.", 6) == 0);
    CHECK(glass_input_read(9, buffer, sizeof(buffer)) == 0);
    CHECK(glass_input_read(10, buffer, sizeof(buffer)) == 0);
    CHECK(glass_input_read(0xffffffff, buffer, sizeof(buffer)) == 0);
    CHECK(memcmp(buffer, "input.", 6) == 0);
}

TEST(the_output_is_appended_and_reset)
{
    CHECK(glass_output_write(GLASS_TEXT("forgotten")) == 0);
    glass_output_reset();
    CHECK(glass_output_write(GLASS_TEXT("one ")) == 0);
    CHECK(glass_output_write(NULL, 0) == 0);
    CHECK(glass_output_write(GLASS_TEXT("two")) == 0);
}

/* The test has set the limit of the output to 8 bytes. */
TEST(the_output_has_a_limit)
{
    CHECK(glass_output_write(GLASS_TEXT("1234567")) == 0);
    CHECK(glass_output_write(GLASS_TEXT("89")) == GLASS_TOO_BIG);
    CHECK(glass_output_write(GLASS_TEXT("8")) == 0);
    CHECK(glass_output_write(GLASS_TEXT("9")) == GLASS_TOO_BIG);
    CHECK(glass_output_write(NULL, 0) == 0);
}

TEST(the_log_has_levels)
{
    glass_log(GLASS_DEBUG, GLASS_TEXT("a"));
    glass_log(GLASS_INFO, GLASS_TEXT("b\n"));
    glass_log(GLASS_WARNING, GLASS_TEXT(""));
    glass_log(GLASS_ERROR, GLASS_TEXT("c"));
    glass_log(4, GLASS_TEXT("d"));
    glass_log(-1, GLASS_TEXT("e"));
}

TEST(the_log_fills_up)
{
    static char text[1000];

    memset(text, 'x', sizeof(text));
    for (int i = 0; i < 100; i++)
        glass_log(GLASS_DEBUG, text, sizeof(text));
}

TEST(the_last_failure_counts)
{
    glass_fail(1, GLASS_TEXT("first"));
    glass_fail(-7, GLASS_TEXT("second"));
}

TEST(a_failure_may_be_silent)
{
    glass_fail(3, NULL, 0);
}

TEST(a_failure_may_not_be_zero)
{
    glass_fail(0, GLASS_TEXT("nothing"));
}

TEST(a_failure_is_cut)
{
    static char text[5000];

    memset(text, 'x', sizeof(text));
    glass_fail(1, text, sizeof(text));
}

TEST(the_id_is_written)
{
    unsigned char id[GLASS_CALL_ID_BYTES + 1];

    memset(id, 0xa5, sizeof(id));
    glass_call_id(id);
    CHECK(id[GLASS_CALL_ID_BYTES] == 0xa5);
    glass_output_write(id, GLASS_CALL_ID_BYTES);
}

/* Under a timeout of an hour. */
TEST(the_clock_goes_on_towards_the_deadline)
{
    const int64_t second_ns = 1000000000;
    int64_t begun_ns = glass_now_ns();
    int64_t deadline_ns = glass_deadline_ns();

    CHECK(begun_ns > 1700000000 * second_ns);
    CHECK(deadline_ns > begun_ns);
    CHECK(deadline_ns <= glass_now_ns() + 3600 * second_ns);
    CHECK(glass_sleep_ns(1000000) == 0);
    CHECK(glass_now_ns() >= begun_ns);
    CHECK(glass_sleep_ns(0) == 0);
    CHECK(glass_sleep_ns(-1) == GLASS_INVALID);
}

/* Under any timeout: it ends inside. */
TEST(sleeping_past_the_deadline_ends_the_call)
{
    glass_sleep_ns(INT64_MAX);
    glass_output_write(GLASS_TEXT("never"));
}

TEST(fuel_becomes_less)
{
    int64_t before = glass_fuel_left();

    for (volatile int i = 0; i < 1000; i++)
        ;
    int64_t after = glass_fuel_left();
    CHECK(after > 0);
    CHECK(before - after >= 1000);
    CHECK(before - after < 100000);
}

/* The configuration is A=1, EMPTY=, LONG=0123456789. */
TEST(the_configuration_is_read)
{
    char buffer[16] = "................";

    CHECK(glass_config_get(GLASS_TEXT("A"), buffer, sizeof(buffer)) == 1);
    CHECK(memcmp(buffer, "1.", 2) == 0);
    CHECK(glass_config_get(GLASS_TEXT("LONG"), buffer, 4) == 10);
    CHECK(memcmp(buffer, "0123.", 5) == 0);
    CHECK(glass_config_get(GLASS_TEXT("LONG"), NULL, 0) == 10);
    CHECK(glass_config_get(GLASS_TEXT("EMPTY"), buffer, 16) == 0);
    CHECK(glass_config_get(GLASS_TEXT("NONE"), buffer, 16) ==
          GLASS_NOT_FOUND);
    CHECK(glass_config_get(GLASS_TEXT(""), buffer, 16) == GLASS_NOT_FOUND);
    CHECK(glass_config_get(GLASS_TEXT("LON"), buffer, 16) ==
          GLASS_NOT_FOUND);
}
