/*
 * For tests: a shard of the memory backend by itself, with one namespace and
 * a clock that stands still. Each test of a suite has its own.
 */
#ifndef GLASS_TESTS_STATE_ONE_SHARD_H
#define GLASS_TESTS_STATE_ONE_SHARD_H

#include "state/change.h"

#include <check.h>
#include <stdatomic.h>

#define ONE_SHARD_VALUE_MAX (1 << 20)

extern struct state__shard one_shard;
extern struct state__namespace *one_shard_namespace;

/* The time, 1000 at first, and how often it was asked for. */
extern _Atomic uint64_t one_shard_time_ms;
extern atomic_uint one_shard_look_count;

/* Carries out an operation, after freeing its outputs. */
enum state_status
one_shard_submit(struct state_operation *operation);

/* Puts "7" under a key. */
enum state_status
one_shard_put(const char *key, uint64_t ttl_ms);

/* Whether the key is there: STATE_OK or STATE_NOT_FOUND. */
enum state_status
one_shard_stat(const char *key);

/* As run_suite, with a new shard for every test. */
int
one_shard_run(const char *name, const TTest *const *tests);

#endif
