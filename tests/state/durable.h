/*
 * For tests: a disk that each test of a suite has to itself, and stores on
 * it. make_disk and remove_disk are the suite's fixture.
 */
#ifndef GLASS_TESTS_STATE_DURABLE_H
#define GLASS_TESTS_STATE_DURABLE_H

#include "state/state.h"
#include "tests/state/disk.h"

extern struct disk disk;

void
make_disk(void);
void
remove_disk(void);

/* Opens a store on the disk; `store` is null when that fails. */
enum state_status
try_open(struct state_options options, struct state_store **store,
         struct state_error *err);

/* The same with two options that may be 0, or the test fails. */
struct state_store *
open_durable(enum state_durability durability, size_t disk_bytes_max);

#endif
