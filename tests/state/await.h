/*
 * For tests: operations that wait for their end, and short ways to write the
 * usual ones. Each returns the status and leaves the outputs in the record.
 */
#ifndef GLASS_TESTS_STATE_AWAIT_H
#define GLASS_TESTS_STATE_AWAIT_H

#include "state/state.h"

/* Submits an operation and waits until it has ended. Uses `data`. */
enum state_status
await(struct state_store *store, struct state_operation *operation);

/* The bytes of a string literal or another string. */
struct state_bytes
text(const char *string);

/* Whether the operation's result is this string. */
bool
result_is(const struct state_operation *operation, const char *string);

/* A patient store with that URL, or the test fails. */
struct state_store *
open_store(const char *url);

/* Get, put and increment without conditions; the record is given by kind. */
enum state_status
await_get(struct state_store *store, const char *namespace_, const char *key,
          struct state_operation *operation);

enum state_status
await_put(struct state_store *store, const char *namespace_, const char *key,
          const char *value, struct state_operation *operation);

enum state_status
await_increment(struct state_store *store, const char *namespace_,
                const char *key, int64_t delta,
                struct state_operation *operation);

/* The version of a key; 0 when it is not there. */
uint64_t
version_of(struct state_store *store, const char *namespace_,
           const char *key);

/*
 * Waits for the health to change; the test's timeout ends a wait in vain. Up
 * means ready, and down says something else.
 */
void
wait_for_health(struct state_store *store, bool up);

/* A few milliseconds of sleep, between two looks at something. */
void
doze(void);

#endif
