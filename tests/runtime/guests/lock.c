/*
 * lock.c - a guest that tests the imports lock and unlock: each export is a
 * test. What happens between two calls is the host's part, in
 * check_host_lock.c.
 */
#include "check.h"

#define KEY GLASS_TEXT("key")
#define HOUR 3600000

TEST(a_key_is_locked_once)
{
    int64_t first = glass_lock(KEY, GLASS_LOCK_ALONE, 0, 0);

    CHECK(first > 0);
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, 0, HOUR / 6) == GLASS_CONFLICT);
    CHECK(glass_lock(KEY, GLASS_LOCK_SHARED, 0, 0) == GLASS_CONFLICT);
    CHECK(glass_unlock(first) == 0);
    CHECK(glass_unlock(first) == GLASS_CONFLICT);
    CHECK(glass_lock(KEY, GLASS_LOCK_SHARED, HOUR, 0) > first);
}

TEST(writes_carry_the_token)
{
    int64_t sum;
    int64_t token = glass_lock(KEY, GLASS_LOCK_ALONE, 0, 0);
    int64_t version = glass_state_put(KEY, GLASS_TEXT("1"), 0, 0);

    CHECK(token > 0 && version > 0);
    CHECK(glass_state_incr(KEY, 1, &sum) == 0);
    CHECK(glass_state_append(KEY, GLASS_TEXT("0")) == 2);
    version = glass_state_version(KEY);
    CHECK(glass_state_cas(KEY, version, GLASS_TEXT("2"), &version) == 0);
    CHECK(glass_state_delete(KEY, 0) == 0);
    CHECK(glass_unlock(token) == 0);
}

TEST(a_shared_lock_is_for_reading)
{
    int64_t sum, version;

    CHECK(glass_state_put(KEY, GLASS_TEXT("1"), 0, 0) > 0);
    int64_t token = glass_lock(KEY, GLASS_LOCK_SHARED, 0, 0);
    CHECK(token > 0);
    CHECK(glass_state_len(KEY) == 1);
    CHECK(glass_state_put(KEY, GLASS_TEXT("1"), 0, 0) == GLASS_CONFLICT);
    CHECK(glass_state_incr(KEY, 1, &sum) == GLASS_CONFLICT);
    CHECK(glass_state_append(KEY, GLASS_TEXT("0")) == GLASS_CONFLICT);
    CHECK(glass_state_cas(KEY, glass_state_version(KEY), GLASS_TEXT("2"),
                          &version) == GLASS_CONFLICT);
    CHECK(glass_state_delete(KEY, 0) == GLASS_CONFLICT);
    /* Other keys are another matter. */
    CHECK(glass_state_put(GLASS_TEXT("ke"), GLASS_TEXT("1"), 0, 0) > 0);
    CHECK(glass_unlock(token) == 0);
    CHECK(glass_state_put(KEY, GLASS_TEXT("1"), 0, 0) > 0);
}

TEST(what_makes_no_sense_is_invalid)
{
    static char long_key[481];

    CHECK(glass_lock("", 0, 0, 0, 0) == GLASS_INVALID);
    CHECK(glass_lock(long_key, 481, 0, 0, 0) == GLASS_TOO_BIG);
    CHECK(glass_lock(KEY, 2, 0, 0) == GLASS_INVALID);
    CHECK(glass_lock(KEY, 0, HOUR + 1, 0) == GLASS_INVALID);
    CHECK(glass_lock(KEY, 0, -1, 0) == GLASS_INVALID);
    CHECK(glass_lock(KEY, 0, 0, HOUR / 6 + 1) == GLASS_INVALID);
    CHECK(glass_lock(KEY, 0, 0, -1) == GLASS_INVALID);
    CHECK(glass_unlock(0) == GLASS_CONFLICT);
    CHECK(glass_unlock(-1) == GLASS_CONFLICT);
    CHECK(glass_lock(long_key, 480, 0, HOUR, HOUR / 6) > 0);
}

TEST(a_call_has_so_many_locks_and_no_more)
{
    int64_t tokens[16];
    char key = 'a';

    for (int i = 0; i < 16; i++, key++)
        CHECK((tokens[i] = glass_lock(&key, 1, 0, 0, 0)) > 0);
    CHECK(glass_lock(&key, 1, 0, 0, 0) == GLASS_LIMIT);
    CHECK(glass_unlock(tokens[7]) == 0);
    CHECK(glass_lock(&key, 1, 0, 0, 0) > 0);
}

TEST(take_the_lock)
{
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, HOUR, 0) > 0);
}

TEST(take_the_lock_and_trap)
{
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, HOUR, 0) > 0);
    __builtin_trap();
}

TEST(find_it_locked)
{
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, 0, 0) == GLASS_TIMEOUT);
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, 0, 5) == GLASS_TIMEOUT);
}

TEST(wait_for_ever)
{
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, HOUR, HOUR / 6) > 0);
}

/* The lease ends while it sleeps; somebody else may have had it. */
TEST(oversleep)
{
    int64_t token = glass_lock(KEY, GLASS_LOCK_ALONE, 1, 0);

    CHECK(token > 0);
    CHECK(glass_sleep_ns(20000000) == 0);
    CHECK(glass_state_put(KEY, GLASS_TEXT("1"), 0, 0) == GLASS_CONFLICT);
    CHECK(glass_lock(KEY, GLASS_LOCK_ALONE, 0, 0) == GLASS_CONFLICT);
    CHECK(glass_unlock(token) == GLASS_CONFLICT);
    CHECK(glass_state_put(KEY, GLASS_TEXT("1"), 0, 0) > 0);
}

/* Adds 1 in two steps, which only the lock makes one. */
GLASS_HANDLE(void)
{
    char digit = '0';
    int64_t token = glass_lock(KEY, GLASS_LOCK_ALONE, HOUR, HOUR / 6);

    if (token < 0)
        return 1;
    glass_state_get(KEY, &digit, 1);
    digit++;
    return glass_state_put(KEY, &digit, 1, 0, 0) > 0 ? 0 : 2;
}
