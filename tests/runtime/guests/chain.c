/*
 * chain.c - a guest that calls itself, under the name "chain". Its input says
 * what it is to do, by the first letter; each export is a test. The host's
 * part is in check_host_chain.c.
 */
#include "check.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ME GLASS_TEXT("chain")
#define MS 1000000
#define FOR_EVER (-1)

enum { piece = 16 << 20, handles_max = 1024 };

static char text[256]; /* the input, with a zero behind it */
static char large[piece];
static int32_t handles[handles_max + 1];

static int32_t
call_text(const char *input)
{
    return glass_call(ME, input, strlen(input), 0);
}

/* Whether the call has ended well and left `expected` behind. */
static bool
left(int32_t handle, const char *expected)
{
    char result[256] = "";

    return glass_await(handle, FOR_EVER) == GLASS_END_WELL &&
           glass_result_len(handle) == (int32_t)strlen(expected) &&
           glass_result_read(handle, 0, result, sizeof(result)) ==
               (int32_t)strlen(expected) &&
           !strcmp(result, expected);
}

static int
print(unsigned long number)
{
    char line[24];

    glass_output_write(line, (size_t)sprintf(line, "%lu", number));
    return 0;
}

/* ---- What a call can be told to do -------------------------------------- */

/* "d3": calls "d2", and so on; tells how many came below it. */
static int
go_deep(long depth)
{
    char result[64] = "";

    if (depth == 0)
        return print(0);
    sprintf(text, "d%ld", depth - 1);
    int32_t handle = call_text(text);
    if (handle < 0) {
        glass_fail(1, text, (size_t)sprintf(text, "refused: %d", (int)handle));
        return 1;
    }
    int32_t end = glass_await(handle, FOR_EVER);
    int32_t length = glass_result_read(handle, 0, result, sizeof(result) - 1);
    if (end == GLASS_END_WELL)
        return print(strtoul(result, NULL, 10) + 1);
    glass_fail(1, result, (size_t)length);
    return 1;
}

/* "w1000": that many at once, each tells its number; the sum of them. */
static int
go_wide(long width)
{
    unsigned long sum = 0;
    int32_t left_over = (int32_t)width;

    for (long i = 0; i < width; i++) {
        char number[24];
        sprintf(number, "e%ld", i);
        handles[i] = call_text(number);
        if (handles[i] < 0)
            return (int)handles[i];
    }
    while (left_over > 0) {
        char result[24] = "";
        int32_t i = glass_await_any(handles, (size_t)left_over, FOR_EVER);
        if (i < 0 || glass_await(handles[i], 0) != GLASS_END_WELL ||
            glass_result_read(handles[i], 0, result, sizeof(result)) < 1 ||
            glass_cancel(handles[i]) != 0)
            return 1;
        sum += strtoul(result, NULL, 10);
        handles[i] = handles[--left_over];
    }
    return print(sum);
}

/* "t": two children, of which each has one. */
static int
go_forked(void)
{
    int32_t first = call_text("d1");
    int32_t second = call_text("d1");

    return left(first, "1") && left(second, "1") ? 0 : 1;
}

GLASS_HANDLE(void)
{
    int32_t length = glass_input_read(0, text, sizeof(text) - 1);
    long number = length > 0 ? strtol(text + 1, NULL, 10) : 0;

    switch (text[0]) {
    case 'e':
        return glass_output_write(text + 1, (size_t)length - 1);
    case 'f':
        glass_fail(7, GLASS_TEXT("as told"));
        return 0;
    case 'c':
        return (int)number;
    case 'n':
        return print((unsigned long)(glass_deadline_ns() / 1000000000));
    case 'x':
        __builtin_trap();
    case 's':
        return glass_sleep_ns((int64_t)number * MS);
    case 'l':
        for (;;)
            __asm__ volatile("");
    case 'b':
        return glass_output_write(large, (size_t)number);
    case 'd':
        return go_deep(number);
    case 'w':
        return go_wide(number);
    case 't':
        return go_forked();
    case 'p': /* leaves a child behind, and one that has ended */
        return left(call_text("e"), "") && call_text("s60000") > 0 ? 0 : 1;
    case 'g': /* until somebody sets a key */
        while (glass_state_len(GLASS_TEXT("go")) < 0)
            glass_sleep_ns(500 * MS);
        return glass_output_write(GLASS_TEXT("gone"));
    case 'h': /* awaits one that does that */
        return left(call_text("g"), "gone") ? 0 : 1;
    case 'a': /* awaits one that takes long */
        return glass_await(call_text("s60000"), FOR_EVER);
    default:
        return 1;
    }
}

/* ---- Tests of itself ---------------------------------------------------- */

TEST(a_result_is_read_by_its_handle)
{
    char part[4] = "????";
    int32_t handle = call_text("ehello");

    CHECK(handle > 0);
    CHECK(left(handle, "hello"));
    CHECK(left(handle, "hello"));
    CHECK(glass_result_read(handle, 3, part, 1) == 2);
    CHECK(part[0] == 'l' && part[1] == '?');
    CHECK(glass_result_read(handle, 5, part, 1) == 0);
    CHECK(glass_result_read(handle, (size_t)-1, part, 1) == 0);
    CHECK(glass_cancel(handle) == 0);
    CHECK(glass_cancel(handle) == GLASS_INVALID);
    CHECK(glass_result_len(handle) == GLASS_INVALID);
}

/* A place that is used again has another handle. */
TEST(a_handle_that_was_given_up_is_none)
{
    int32_t first = call_text("e1");

    CHECK(left(first, "1"));
    CHECK(glass_cancel(first) == 0);
    int32_t second = call_text("e2");
    CHECK(second > 0 && second != first);
    CHECK(glass_await(first, 0) == GLASS_INVALID);
    CHECK(left(second, "2"));
}

TEST(what_is_no_handle_is_invalid)
{
    static const int32_t none[] = {0, -1, 1, 1023, 1024, 1025, INT32_MAX,
                                   INT32_MIN};
    char byte;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 8; i++) {
            if (round == 1 && none[i] == handles[0])
                continue;
            CHECK(glass_await(none[i], 0) == GLASS_INVALID);
            CHECK(glass_await_any(&none[i], 1, 0) == GLASS_INVALID);
            CHECK(glass_result_len(none[i]) == GLASS_INVALID);
            CHECK(glass_result_read(none[i], 0, &byte, 1) == GLASS_INVALID);
            CHECK(glass_cancel(none[i]) == GLASS_INVALID);
        }
        /* Again when there is one. */
        handles[0] = call_text("e");
        CHECK(handles[0] > 0);
    }
    handles[1] = 0;
    CHECK(glass_await_any(handles, 2, FOR_EVER) == GLASS_INVALID);
}

TEST(what_makes_no_sense_is_invalid)
{
    static char long_name[64];

    memset(long_name, 'a', sizeof(long_name));
    CHECK(glass_call("", 0, "", 0, 0) == GLASS_INVALID);
    CHECK(glass_call(GLASS_TEXT("Chain"), "", 0, 0) == GLASS_INVALID);
    CHECK(glass_call(GLASS_TEXT("chain\0"), "", 0, 0) == GLASS_INVALID);
    CHECK(glass_call(long_name, 64, "", 0, 0) == GLASS_INVALID);
    CHECK(glass_call(ME, "", 0, -1) == GLASS_INVALID);
    CHECK(glass_await_any(handles, 0, 0) == GLASS_INVALID);
    CHECK(glass_await_any(handles, handles_max + 1, 0) == GLASS_LIMIT);
    /* Granted, but of plain exports, or not there. */
    CHECK(glass_call(GLASS_TEXT("plain"), "", 0, 0) == GLASS_INVALID);
    CHECK(glass_call(long_name, 63, "", 0, 0) == GLASS_NOT_FOUND);
}

TEST(what_is_not_granted_is_denied)
{
    CHECK(glass_call(GLASS_TEXT("other"), "", 0, 0) == GLASS_DENIED);
    CHECK(glass_call(GLASS_TEXT("chai"), "", 0, 0) == GLASS_DENIED);
}

/* How each ends, and what it leaves behind. */
TEST(an_end_says_how_it_was)
{
    static const struct {
        const char *input;
        int32_t end;
        const char *result;
    } ends[] = {
        {"e", GLASS_END_WELL, ""},
        {"f", GLASS_END_FAILED, "as told"},
        {"c5", GLASS_END_FAILED, "the function failed with the code 5"},
        {"x", GLASS_END_TRAPPED, "unreachable"},
    };
    char result[256];

    for (int i = 0; i < 4; i++) {
        int32_t handle = call_text(ends[i].input);
        memset(result, 0, sizeof(result));
        CHECK(glass_await(handle, FOR_EVER) == ends[i].end);
        CHECK(glass_await(handle, 0) == ends[i].end);
        CHECK(glass_result_read(handle, 0, result, sizeof(result) - 1) ==
              glass_result_len(handle));
        CHECK(!strncmp(result, ends[i].result, strlen(ends[i].result)));
    }
}

TEST(a_child_has_its_own_deadline)
{
    int32_t sleeps = glass_call(ME, GLASS_TEXT("s60000"), 20);
    int32_t loops = glass_call(ME, GLASS_TEXT("l"), 20);

    CHECK(glass_await(sleeps, FOR_EVER) == GLASS_END_TIMEOUT);
    CHECK(glass_await(loops, FOR_EVER) == GLASS_END_TIMEOUT);
}

/* Called with much less time than the function may have. */
TEST(a_child_has_no_more_time_than_its_parent)
{
    int64_t own_s = glass_deadline_ns() / 1000000000;
    int32_t handle = call_text("n");

    CHECK(glass_await(handle, FOR_EVER) == GLASS_END_WELL);
    CHECK(glass_result_read(handle, 0, text, sizeof(text) - 1) > 0);
    CHECK(strtol(text, NULL, 10) <= own_s + 2);
}

TEST(a_wait_has_an_end_of_its_own)
{
    int32_t handle = call_text("s60000");
    int64_t begun_ns = glass_now_ns();

    CHECK(glass_result_len(handle) == GLASS_CONFLICT);
    CHECK(glass_result_read(handle, 0, text, 1) == GLASS_CONFLICT);
    CHECK(glass_await(handle, 0) == GLASS_TIMEOUT);
    CHECK(glass_await(handle, 20) == GLASS_TIMEOUT);
    CHECK(glass_await_any(&handle, 1, 20) == GLASS_TIMEOUT);
    CHECK(glass_now_ns() - begun_ns >= (int64_t)40 * MS);
    /* That was of the wait alone. */
    int32_t other = call_text("s30");
    CHECK(glass_await(other, FOR_EVER) == GLASS_END_WELL);
    CHECK(glass_cancel(handle) == 0);
    CHECK(glass_await(handle, 0) == GLASS_INVALID);
}

TEST(the_first_in_the_list_that_has_ended_is_told)
{
    int32_t list[3] = {call_text("s60000"), call_text("e1"), call_text("e2")};

    CHECK(glass_await(list[1], FOR_EVER) == GLASS_END_WELL);
    CHECK(glass_await(list[2], FOR_EVER) == GLASS_END_WELL);
    CHECK(glass_await_any(list, 3, 0) == 1);
    CHECK(glass_await_any(list + 2, 1, 0) == 0);
    CHECK(glass_await_any(list, 1, 0) == GLASS_TIMEOUT);
}

TEST(a_call_has_so_many_handles_and_no_more)
{
    for (int i = 0; i < handles_max; i++)
        CHECK((handles[i] = call_text("s60000")) > 0);
    CHECK(call_text("e") == GLASS_LIMIT);
    CHECK(glass_await_any(handles, handles_max, 0) == GLASS_TIMEOUT);
    CHECK(glass_cancel(handles[500]) == 0);
    CHECK(left(call_text("e1"), "1"));
    CHECK(call_text("e") == GLASS_LIMIT);
}

/* 64 MiB: inputs while they run... */
TEST(inputs_are_so_long_and_no_longer)
{
    large[0] = 's';
    memcpy(large + 1, "60000", 5);
    for (int i = 0; i < 4; i++)
        CHECK((handles[i] = glass_call(ME, large, piece, 0)) > 0);
    CHECK(call_text("e") == GLASS_LIMIT);
    CHECK(glass_call(ME, "", 0, 0) > 0);
    CHECK(glass_cancel(handles[0]) == 0);
    CHECK(left(call_text("e1"), "1"));
}

/* ...and results when they have ended, whoever comes first. */
TEST(results_are_so_long_and_no_longer)
{
    char number[24];

    sprintf(number, "b%d", piece);
    for (int i = 0; i < 4; i++)
        CHECK(glass_await(handles[i] = call_text(number), FOR_EVER) ==
              GLASS_END_WELL);
    CHECK(call_text("e") == GLASS_LIMIT);
    /* It needs no room itself, and finds none for its result. */
    int32_t handle = glass_call(GLASS_TEXT("printing"), "", 0, 0);
    CHECK(glass_await(handle, FOR_EVER) == GLASS_END_LIMIT);
    CHECK(glass_result_len(handle) > 0);
    CHECK(glass_cancel(handles[2]) == 0);
    handle = glass_call(GLASS_TEXT("printing"), "", 0, 0);
    CHECK(left(handle, "!"));
}

TEST(an_input_can_be_too_big)
{
    CHECK(glass_call(ME, large, 1025, 0) == GLASS_TOO_BIG);
    CHECK(glass_call(ME, large, 1024, 0) > 0);
}
