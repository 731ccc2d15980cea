/* Tests of state/watch_ring.c. */
#include "state/watch_ring.h"

#include "tests/state/suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct state__watch_ring ring;

static void
add(uint64_t version, const char *key)
{
    state__watch_ring_add(&ring, version,
                          (struct state_bytes){key, strlen(key)},
                          STATE_KEY_WRITTEN, version * 10);
}

static bool
is_at(uint64_t number, uint64_t version, const char *expected)
{
    struct state_bytes key;
    const struct state__watch_event *event =
        state__watch_ring_at(&ring, number, &key);

    return event->version == version && event->size_bytes == version * 10 &&
           key.length_bytes == strlen(expected) &&
           memcmp(key.bytes, expected, key.length_bytes) == 0;
}

START_TEST(changes_are_found_by_their_versions)
{
    static const struct {
        uint64_t version, number;
    } finds[] = {{4, 0}, {5, 1}, {6, 1}, {7, 2}, {8, 2}, {9, 3}, {99, 3}};

    ring.forgotten = 4;
    ck_assert_uint_eq(state__watch_ring_last(&ring), 4);
    ck_assert_uint_eq(state__watch_ring_find(&ring, 4), 0);
    add(5, "five");
    add(7, "seven");
    add(9, "nine");
    for (size_t i = 0; i < sizeof finds / sizeof *finds; i++)
        ck_assert_uint_eq(state__watch_ring_find(&ring, finds[i].version),
                          finds[i].number);
    ck_assert(is_at(0, 5, "five"));
    ck_assert(is_at(1, 7, "seven"));
    ck_assert(is_at(2, 9, "nine"));
    ck_assert_uint_eq(ring.forgotten, 4);
    ck_assert_uint_eq(state__watch_ring_last(&ring), 9);
}
END_TEST

START_TEST(a_full_ring_forgets_the_oldest_change_and_says_so)
{
    for (unsigned i = 1; i <= STATE_WATCH_EVENTS_MAX; i++)
        add(i, "key");
    ck_assert_uint_eq(ring.forgotten, 0);
    add(STATE_WATCH_EVENTS_MAX + 1, "key");
    ck_assert_uint_eq(ring.forgotten, 1);
    ck_assert_uint_eq(state__watch_ring_find(&ring, 1), 1);
    ck_assert(is_at(1, 2, "key"));
}
END_TEST

/* Keys of many lengths, against a list of all that were ever added. */
START_TEST(keys_stay_whole_as_long_as_they_are_there)
{
    enum { count = 20000 };
    static char keys[count][STATE_KEY_BYTES_MAX + 1];
    unsigned random = 1;

    for (unsigned i = 0; i < count; i++) {
        size_t length = 1 + (random = random * 1664525 + 1013904223) / 65536 %
                                STATE_KEY_BYTES_MAX;

        memset(keys[i], 'a' + (int)(i % 26), length);
        add(i + 1, keys[i]);
        if (i % 251 != 0)
            continue;
        ck_assert_uint_eq(ring.forgotten, ring.first);
        for (uint64_t number = ring.first; number < ring.end; number++)
            if (!is_at(number, number + 1, keys[number]))
                ck_abort_msg("change %u: key %llu", i,
                             (unsigned long long)number);
    }
    /* It keeps as many of the longest as there is room for. */
    ck_assert_uint_gt(ring.end - ring.first,
                      STATE_WATCH_KEY_BYTES_MAX / STATE_KEY_BYTES_MAX - 2);
}
END_TEST

START_TEST(a_prefix_is_what_a_key_begins_with)
{
    static const struct {
        struct state_bytes key, prefix;
        bool fits;
    } cases[] = {
        {{"a", 1}, {NULL, 0}, true},  {{"ab", 2}, {"a", 1}, true},
        {{"ab", 2}, {"ab", 2}, true}, {{"ab", 2}, {"abc", 3}, false},
        {{"ab", 2}, {"b", 1}, false}, {{"a\0b", 3}, {"a\0", 2}, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        ck_assert(state__watch_ring_fits(cases[i].key, cases[i].prefix) ==
                  cases[i].fits);
}
END_TEST

int
main(void)
{
    const TTest *tests[] = {
        changes_are_found_by_their_versions,
        a_full_ring_forgets_the_oldest_change_and_says_so,
        keys_stay_whole_as_long_as_they_are_there,
        a_prefix_is_what_a_key_begins_with,
        NULL,
    };

    return run_suite("watch ring", tests);
}
