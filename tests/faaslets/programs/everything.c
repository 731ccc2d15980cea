/*
 * everything - calls every function of glass.h and checks what it is told: the
 * contracts of the header, seen from the guest. Its input is "some input". It
 * answers "ok", or fails with the first condition that did not hold.
 *
 * The keys that it uses begin with "everything-"; they must be absent.
 */
#include <string.h>

#include "glass.h"

#define TEXT_OF(value) #value
#define LINE_TEXT(line) TEXT_OF(line)
#define CHECK(condition)                                               \
    do {                                                               \
        if (!(condition)) {                                            \
            glass_fail(1, GLASS_TEXT("line " LINE_TEXT(__LINE__) ": "  \
                                     #condition));                     \
            return 1;                                                  \
        }                                                              \
    } while (0)

#define KEY GLASS_TEXT("everything-key")

static int
check_call(void)
{
    char buffer[32];
    uint8_t id[GLASS_CALL_ID_BYTES];
    static const uint8_t no_id[GLASS_CALL_ID_BYTES];

    CHECK(glass_abi_version() == 1);
    CHECK(glass_input_len() == 10);
    CHECK(glass_input_read(0, buffer, sizeof(buffer)) == 10);
    CHECK(memcmp(buffer, "some input", 10) == 0);
    memset(buffer, '.', sizeof(buffer));
    CHECK(glass_input_read(5, buffer, 2) == 5);
    CHECK(memcmp(buffer, "in..", 4) == 0);
    CHECK(glass_input_read(9, buffer, 0) == 1);
    CHECK(glass_input_read(10, buffer, 1) == 0);
    CHECK(glass_input_read(SIZE_MAX, buffer, 1) == 0);

    memcpy(id, no_id, sizeof(id));
    glass_call_id(id);
    CHECK(memcmp(id, no_id, sizeof(id)) != 0);

    int64_t begin = glass_now_ns();
    CHECK(begin > INT64_C(1500000000) * 1000000000);
    CHECK(glass_deadline_ns() > begin);
    CHECK(glass_sleep_ns(1000) == 0);
    CHECK(glass_now_ns() >= begin + 1000);
    CHECK(glass_sleep_ns(-1) == GLASS_INVALID);

    int64_t fuel = glass_fuel_left();
    CHECK(fuel > 0);
    /* It is charged at function entries and loop heads, so work in a loop. */
    for (volatile int turn = 0; turn < 10; turn++)
        ;
    CHECK(glass_fuel_left() < fuel - 10);

    CHECK(glass_config_get(GLASS_TEXT("NO_SUCH"), buffer, 1) ==
          GLASS_NOT_FOUND);
    glass_log(GLASS_INFO, GLASS_TEXT("half of it is checked"));
    return 0;
}

static int
check_values(void)
{
    char buffer[16] = "................";
    int64_t first;
    int64_t second;

    CHECK(glass_state_get(KEY, buffer, sizeof(buffer)) == GLASS_NOT_FOUND);
    CHECK(glass_state_len(KEY) == GLASS_NOT_FOUND);
    CHECK(glass_state_version(KEY) == 0);
    CHECK(glass_state_put(KEY, GLASS_TEXT("x"), 0, GLASS_PUT_IF_PRESENT) ==
          GLASS_CONFLICT);
    first = glass_state_put(KEY, GLASS_TEXT("abcdef"), 0,
                            GLASS_PUT_IF_ABSENT);
    CHECK(first > 0);
    CHECK(glass_state_put(KEY, GLASS_TEXT("x"), 0, GLASS_PUT_IF_ABSENT) ==
          GLASS_CONFLICT);
    CHECK(glass_state_version(KEY) == first);
    CHECK(glass_state_len(KEY) == 6);
    CHECK(glass_state_get(KEY, buffer, 3) == 6);
    CHECK(memcmp(buffer, "abc.", 4) == 0);
    CHECK(glass_state_get_range(KEY, 4, buffer, sizeof(buffer)) == 2);
    CHECK(memcmp(buffer, "efc.", 4) == 0);
    CHECK(glass_state_get_range(KEY, 6, buffer, sizeof(buffer)) == 0);

    CHECK(glass_state_append(KEY, GLASS_TEXT("gh")) == 8);
    second = glass_state_version(KEY);
    CHECK(second > first);
    CHECK(glass_state_cas(KEY, first, GLASS_TEXT("no"), &first) ==
          GLASS_CONFLICT);
    CHECK(first == second);
    CHECK(glass_state_cas(KEY, second, GLASS_TEXT("yes"), &first) == 0);
    CHECK(first > second && glass_state_version(KEY) == first);
    CHECK(glass_state_delete(KEY, second) == GLASS_CONFLICT);
    CHECK(glass_state_delete(KEY, first) == 0);
    CHECK(glass_state_delete(KEY, 0) == GLASS_NOT_FOUND);
    CHECK(glass_state_put("", 0, GLASS_TEXT("x"), 0, 0) == GLASS_INVALID);
    return 0;
}

static int
check_numbers(void)
{
    int64_t sum = 0;

    CHECK(glass_state_incr(KEY, 40, &sum) == 0 && sum == 40);
    CHECK(glass_state_incr(KEY, -82, &sum) == 0 && sum == -42);
    CHECK(glass_state_incr(KEY, INT64_MIN, &sum) == GLASS_INVALID);
    CHECK(sum == -42 && glass_state_len(KEY) == 3);
    CHECK(glass_state_put(KEY, GLASS_TEXT("no number"), 0, 0) > 0);
    CHECK(glass_state_incr(KEY, 1, &sum) == GLASS_INVALID);
    CHECK(glass_state_delete(KEY, 0) == 0);
    return 0;
}

/* Room for one entry of a key of 12 bytes at a time, but not for two. */
static int
check_list(void)
{
    char buffer[sizeof(struct glass_entry) + 12 + 4];
    struct glass_entry *entry = (struct glass_entry *)buffer;
    uint64_t cursor = 0;
    char name[] = "everything-c";
    int64_t versions[3];
    int step = 0;

    for (int index = 2; index >= 0; index--) {
        name[11] = (char)('a' + index);
        versions[index] = glass_state_put(name, 12, name, 12, 0, 0);
        CHECK(versions[index] > 0);
    }
    CHECK(glass_state_list(GLASS_TEXT("everything-"), &cursor, buffer, 8) ==
          GLASS_TOO_BIG);
    cursor = 0;
    do {
        CHECK(glass_state_list(GLASS_TEXT("everything-"), &cursor, buffer,
                               sizeof(buffer)) ==
              (int32_t)sizeof(struct glass_entry) + 12);
        name[11] = (char)('a' + step);
        CHECK(entry->version == versions[step]);
        CHECK(entry->value_length == 12 && entry->key_length == 12);
        CHECK(memcmp(entry->key, name, 12) == 0);
        CHECK(glass_state_delete(name, 12, 0) == 0);
        step++;
    } while (cursor != 0);
    CHECK(step == 3);
    return 0;
}

static int
check_locks(void)
{
    int64_t token = glass_lock(KEY, GLASS_LOCK_ALONE, 0, 1000);

    CHECK(token > 0);
    CHECK(glass_lock(KEY, GLASS_LOCK_SHARED, 0, 0) == GLASS_CONFLICT);
    CHECK(glass_unlock(token) == 0);
    CHECK(glass_unlock(token) == GLASS_CONFLICT);
    return 0;
}

/* The deployment grants itself; what it calls only echoes. */
static int
check_children(void)
{
    char result[8];
    int32_t handles[2] = {
        glass_call(GLASS_TEXT("everything"), GLASS_TEXT("echo 1"), 0),
        glass_call(GLASS_TEXT("everything"), GLASS_TEXT("echo 22"), 10000),
    };

    CHECK(handles[0] > 0 && handles[1] > 0);
    CHECK(glass_call(GLASS_TEXT("nobody"), GLASS_TEXT(""), 0) ==
          GLASS_DENIED);
    CHECK(glass_await(handles[1], -1) == GLASS_END_WELL);
    CHECK(glass_await_any(handles, 2, -1) >= 0);
    CHECK(glass_await(handles[0], 10000) == GLASS_END_WELL);
    CHECK(glass_result_len(handles[1]) == 2);
    CHECK(glass_result_read(handles[0], 0, result, sizeof(result)) == 1);
    CHECK(result[0] == '1');
    CHECK(glass_cancel(handles[0]) == 0);
    CHECK(glass_cancel(handles[0]) == GLASS_INVALID);
    return 0;
}

/* "echo X" prints X. */
static int
echo(void)
{
    char input[16];
    int32_t length = glass_input_read(0, input, sizeof(input));

    return length > 5 && memcmp(input, "echo ", 5) == 0 &&
           glass_output_write(input + 5, (size_t)length - 5) == 0;
}

GLASS_HANDLE(void)
{
    if (echo())
        return 0;
    if (check_children())
        return 1;
    if (check_call() || check_values() || check_numbers() || check_list() ||
        check_locks())
        return 1;
    CHECK(glass_output_write(GLASS_TEXT("forget this")) == 0);
    glass_output_reset();
    CHECK(glass_output_write(GLASS_TEXT("ok")) == 0);
    return 0;
}
