/* A clock that the test sets: see test_clock.h. */
#include "tests/state/test_clock.h"

#include <check.h>

_Atomic uint64_t test_now_ms;

uint64_t
test_clock_look(void *data)
{
    (void)data;
    return atomic_load(&test_now_ms);
}

struct state_store *
open_with_test_clock(unsigned shard_count)
{
    struct state_options options = {.shard_count = shard_count,
                                    .now_ms = test_clock_look};
    struct state_store *store = NULL;

    atomic_store(&test_now_ms, 1000);
    ck_assert_int_eq(state_store_open(&options, &store, NULL), STATE_OK);
    return store;
}
