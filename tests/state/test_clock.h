/* For tests: a clock that the test sets, and a store in memory that has it. */
#ifndef GLASS_TESTS_STATE_TEST_CLOCK_H
#define GLASS_TESTS_STATE_TEST_CLOCK_H

#include "state/state.h"

#include <stdatomic.h>

/* What the clock says; the sweeper's thread looks at it, too. */
extern _Atomic uint64_t test_now_ms;

/* As `now_ms` of the options. */
uint64_t
test_clock_look(void *data);

/*
 * Sets the clock to 1000 and opens a store with so many shards (0: the
 * default), or the test fails.
 */
struct state_store *
open_with_test_clock(unsigned shard_count);

#endif
