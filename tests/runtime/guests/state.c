/*
 * state.c - for tests: the group state, seen from a guest. Each TEST is an
 * export that check_host_state.c calls, each on an empty state.
 */
#include "check.h"

#include <string.h>

#define KEY GLASS_TEXT("key")

static char buffer[4096];

TEST(a_value_is_put_and_got)
{
    CHECK(glass_state_get(KEY, buffer, 16) == GLASS_NOT_FOUND);
    int64_t version = glass_state_put(KEY, GLASS_TEXT("value"), 0, 0);
    CHECK(version > 0);
    CHECK(glass_state_get(KEY, NULL, 0) == 5);
    memset(buffer, '.', 8);
    CHECK(glass_state_get(KEY, buffer, 3) == 5);
    CHECK(memcmp(buffer, "val.", 4) == 0);
    CHECK(glass_state_get(KEY, buffer, sizeof(buffer)) == 5);
    CHECK(memcmp(buffer, "value.", 6) == 0);
    CHECK(glass_state_put(KEY, NULL, 0, 0, 0) > version);
    CHECK(glass_state_get(KEY, buffer, sizeof(buffer)) == 0);
}

TEST(a_range_is_got)
{
    memset(buffer, '.', 8);
    CHECK(glass_state_get_range(KEY, 0, buffer, 4) == GLASS_NOT_FOUND);
    glass_state_put(KEY, GLASS_TEXT("0123456789"), 0, 0);
    CHECK(glass_state_get_range(KEY, 7, buffer, 2) == 3);
    CHECK(memcmp(buffer, "78.", 3) == 0);
    CHECK(glass_state_get_range(KEY, 7, buffer, 8) == 3);
    CHECK(memcmp(buffer, "789.", 4) == 0);
    CHECK(glass_state_get_range(KEY, 10, buffer, 8) == 0);
    CHECK(glass_state_get_range(KEY, -1, buffer, 8) == 0);
    CHECK(glass_state_get_range(KEY, INT64_MAX, buffer, 8) == 0);
    CHECK(memcmp(buffer, "789.", 4) == 0);
}

TEST(a_range_is_put)
{
    CHECK(glass_state_put_range(KEY, 2, GLASS_TEXT("ab")) == 4);
    CHECK(glass_state_get(KEY, buffer, sizeof(buffer)) == 4);
    CHECK(memcmp(buffer, "\0\0ab", 4) == 0);
    CHECK(glass_state_put_range(KEY, 1, GLASS_TEXT("x")) == 4);
    CHECK(glass_state_get(KEY, buffer, sizeof(buffer)) == 4);
    CHECK(memcmp(buffer, "\0xab", 4) == 0);
    CHECK(glass_state_put_range(KEY, 999, GLASS_TEXT("y")) == 1000);
    CHECK(glass_state_put_range(KEY, 1000, GLASS_TEXT("y")) ==
          GLASS_TOO_BIG);
    CHECK(glass_state_put_range(KEY, -1, GLASS_TEXT("y")) == GLASS_TOO_BIG);
    CHECK(glass_state_len(KEY) == 1000);
}

TEST(an_expiry_comes_and_goes)
{
    CHECK(glass_state_expire(KEY, 1000) == GLASS_NOT_FOUND);
    CHECK(glass_state_persist(KEY) == GLASS_NOT_FOUND);
    int64_t version = glass_state_put(KEY, GLASS_TEXT("a"), 0, 0);
    CHECK(glass_state_expire(KEY, 0) == GLASS_INVALID);
    CHECK(glass_state_expire(KEY, -1) == GLASS_INVALID);
    CHECK(glass_state_expire(KEY, 1000) == 0);
    CHECK(glass_state_version(KEY) == version);
    CHECK(glass_state_persist(KEY) == 0);
    /* For whoever looks after a while: this one goes, that one stays. */
    glass_state_put(GLASS_TEXT("goes"), GLASS_TEXT("a"), 0, 0);
    CHECK(glass_state_expire(GLASS_TEXT("goes"), 1000) == 0);
}

TEST(length_and_version_are_told)
{
    CHECK(glass_state_len(KEY) == GLASS_NOT_FOUND);
    CHECK(glass_state_version(KEY) == 0);
    int64_t version = glass_state_put(KEY, GLASS_TEXT("12345"), 0, 0);
    CHECK(glass_state_len(KEY) == 5);
    CHECK(glass_state_version(KEY) == version);
}

TEST(a_put_may_have_a_condition)
{
    CHECK(glass_state_put(KEY, GLASS_TEXT("a"), 0, GLASS_PUT_IF_PRESENT) ==
          GLASS_CONFLICT);
    CHECK(glass_state_put(KEY, GLASS_TEXT("b"), 0, GLASS_PUT_IF_ABSENT) > 0);
    CHECK(glass_state_put(KEY, GLASS_TEXT("c"), 0, GLASS_PUT_IF_ABSENT) ==
          GLASS_CONFLICT);
    CHECK(glass_state_put(KEY, GLASS_TEXT("d"), 0, GLASS_PUT_IF_PRESENT) > 0);
    CHECK(glass_state_get(KEY, buffer, 1) == 1);
    CHECK(buffer[0] == 'd');
}

TEST(flags_and_times_that_make_no_sense_are_invalid)
{
    CHECK(glass_state_put(KEY, GLASS_TEXT("a"), 0, 3) == GLASS_INVALID);
    CHECK(glass_state_put(KEY, GLASS_TEXT("a"), 0, 8) == GLASS_INVALID);
    CHECK(glass_state_put(KEY, GLASS_TEXT("a"), 0, -1) == GLASS_INVALID);
    CHECK(glass_state_put(KEY, GLASS_TEXT("a"), -1, 0) == GLASS_INVALID);
    CHECK(glass_state_len(KEY) == GLASS_NOT_FOUND);
}

TEST(keys_have_1_to_480_bytes)
{
    static char key[481];

    memset(key, 'k', sizeof(key));
    CHECK(glass_state_put(key, 0, GLASS_TEXT("a"), 0, 0) == GLASS_INVALID);
    CHECK(glass_state_get(key, 0, buffer, 1) == GLASS_INVALID);
    CHECK(glass_state_put(key, 480, GLASS_TEXT("a"), 0, 0) > 0);
    CHECK(glass_state_put(key, 481, GLASS_TEXT("a"), 0, 0) == GLASS_TOO_BIG);
    CHECK(glass_state_get(key, 481, buffer, 1) == GLASS_TOO_BIG);
    key[0] = 0;
    CHECK(glass_state_put(key, 1, GLASS_TEXT("b"), 0, 0) > 0);
    CHECK(glass_state_get(key, 1, buffer, 1) == 1);
}

/* The store of the test takes values up to 1000 bytes. */
TEST(values_have_a_limit)
{
    CHECK(glass_state_put(KEY, buffer, 1000, 0, 0) > 0);
    CHECK(glass_state_put(KEY, buffer, 1001, 0, 0) == GLASS_TOO_BIG);
    CHECK(glass_state_append(KEY, buffer, 1) == GLASS_TOO_BIG);
    CHECK(glass_state_len(KEY) == 1000);
}

TEST(appending_tells_the_length)
{
    CHECK(glass_state_append(KEY, GLASS_TEXT("abc")) == 3);
    CHECK(glass_state_append(KEY, GLASS_TEXT("")) == 3);
    CHECK(glass_state_append(KEY, GLASS_TEXT("de")) == 5);
    CHECK(glass_state_get(KEY, buffer, 16) == 5);
    CHECK(memcmp(buffer, "abcde", 5) == 0);
}

TEST(numbers_are_added)
{
    int64_t sum = 77;

    CHECK(glass_state_incr(KEY, 5, &sum) == 0 && sum == 5);
    CHECK(glass_state_incr(KEY, -8, &sum) == 0 && sum == -3);
    CHECK(glass_state_get(KEY, buffer, 16) == 2);
    CHECK(memcmp(buffer, "-3", 2) == 0);
    CHECK(glass_state_incr(KEY, INT64_MIN, &sum) == GLASS_INVALID);
    CHECK(sum == -3);
    glass_state_put(KEY, GLASS_TEXT("three"), 0, 0);
    CHECK(glass_state_incr(KEY, 1, &sum) == GLASS_INVALID);
    CHECK(sum == -3);
}

TEST(a_value_is_swapped_by_its_version)
{
    int64_t first = 0;
    int64_t second = 0;
    int64_t found = 77;

    CHECK(glass_state_cas(KEY, 1, GLASS_TEXT("x"), &found) == GLASS_CONFLICT);
    CHECK(found == 0);
    CHECK(glass_state_cas(KEY, 0, GLASS_TEXT("a"), &first) == 0);
    CHECK(first > 0);
    CHECK(glass_state_cas(KEY, 0, GLASS_TEXT("x"), &found) == GLASS_CONFLICT);
    CHECK(found == first);
    CHECK(glass_state_cas(KEY, first, GLASS_TEXT("b"), &second) == 0);
    CHECK(second > first);
    CHECK(glass_state_version(KEY) == second);
    CHECK(glass_state_get(KEY, buffer, 1) == 1 && buffer[0] == 'b');
}

TEST(a_key_is_deleted_by_its_version_or_in_any)
{
    CHECK(glass_state_delete(KEY, 0) == GLASS_NOT_FOUND);
    int64_t version = glass_state_put(KEY, GLASS_TEXT("a"), 0, 0);
    CHECK(glass_state_delete(KEY, version + 1) == GLASS_CONFLICT);
    CHECK(glass_state_delete(KEY, version) == 0);
    CHECK(glass_state_len(KEY) == GLASS_NOT_FOUND);
    glass_state_put(KEY, GLASS_TEXT("a"), 0, 0);
    CHECK(glass_state_delete(KEY, 0) == 0);
    CHECK(glass_state_len(KEY) == GLASS_NOT_FOUND);
}

/* Puts k0..k9 with values of as many bytes, and one key beside them. */
static void
put_ten(void)
{
    char key[2] = {'k', 0};

    for (int i = 9; i >= 0; i--) {
        key[1] = (char)('0' + i);
        glass_state_put(key, 2, buffer, (size_t)i, 0, 0);
    }
    glass_state_put(GLASS_TEXT("other"), GLASS_TEXT("x"), 0, 0);
}

/* How many entries `length` bytes at `entries` are, if they go on from
 * `next`; -1 when they are not what put_ten has put. */
static int
count_entries(const char *entries, int32_t length, int next)
{
    int count = 0;

    while (length > 0) {
        uint64_t version;
        uint64_t size;
        uint32_t key_length;
        memcpy(&version, entries, 8);
        memcpy(&size, entries + 8, 8);
        memcpy(&key_length, entries + 16, 4);
        if (version == 0 || size != (uint64_t)(next + count) ||
            key_length != 2 || entries[20] != 'k' ||
            entries[21] != '0' + next + count)
            return -1;
        entries += 22;
        length -= 22;
        count++;
    }
    return length == 0 ? count : -1;
}

TEST(a_list_comes_in_key_order)
{
    uint64_t cursor = 0;

    put_ten();
    int32_t length =
        glass_state_list(GLASS_TEXT("k"), &cursor, buffer, sizeof(buffer));
    CHECK(count_entries(buffer, length, 0) == 10);
    CHECK(cursor == 0);
    length = glass_state_list(GLASS_TEXT("none"), &cursor, buffer, 100);
    CHECK(length == 0);
    CHECK(cursor == 0);
    length = glass_state_list(NULL, 0, &cursor, buffer, sizeof(buffer));
    CHECK(length == 10 * 22 + 25);
}

TEST(a_list_goes_on_where_the_buffer_ended)
{
    uint64_t cursor = 0;
    int seen = 0;

    put_ten();
    for (int round = 0; round < 20; round++) {
        /* Three entries fit, and a part of a fourth. */
        int32_t length =
            glass_state_list(GLASS_TEXT("k"), &cursor, buffer, 3 * 22 + 21);
        int count = count_entries(buffer, length, seen);
        CHECK(count >= 0 && count <= 3);
        seen += count;
        if (cursor == 0)
            break;
    }
    CHECK(seen == 10);
}

TEST(an_entry_that_does_not_fit_is_too_big)
{
    uint64_t cursor = 0;

    put_ten();
    CHECK(glass_state_list(GLASS_TEXT("k"), &cursor, buffer, 21) ==
          GLASS_TOO_BIG);
    CHECK(glass_state_list(GLASS_TEXT("k"), &cursor, NULL, 0) ==
          GLASS_TOO_BIG);
    CHECK(cursor == 0);
    CHECK(glass_state_list(GLASS_TEXT("k"), &cursor, buffer, 22) == 22);
    CHECK(cursor != 0);
}

TEST(unfinished_lists_are_few)
{
    uint64_t cursors[9] = {0};

    put_ten();
    for (int i = 0; i < 8; i++)
        CHECK(glass_state_list(GLASS_TEXT("k"), &cursors[i], buffer, 22) ==
              22);
    CHECK(glass_state_list(GLASS_TEXT("k"), &cursors[8], buffer, 22) ==
          GLASS_LIMIT);
    /* One that is read to its end gives its place back. */
    while (cursors[3])
        CHECK(glass_state_list(GLASS_TEXT("k"), &cursors[3], buffer, 22) >=
              0);
    CHECK(glass_state_list(GLASS_TEXT("k"), &cursors[8], buffer, 22) == 22);
    CHECK(count_entries(buffer, 22, 0) == 1);
    uint64_t unknown = 12345;
    CHECK(glass_state_list(GLASS_TEXT("k"), &unknown, buffer, 22) ==
          GLASS_INVALID);
}

/* For tests of many calls at once. */
GLASS_HANDLE(void)
{
    int64_t sum;

    if (glass_state_incr(GLASS_TEXT("counter"), 1, &sum) < 0)
        return 1;
    return 0;
}
