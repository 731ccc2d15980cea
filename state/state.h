/*
 * libglass-state: named bytes with versions, shared by many threads, kept in
 * this process or in a Redis that many processes share.
 *
 * A *namespace* holds *keys*; a key has a *value* (bytes) and a *version*: a
 * number that grows with every write in the namespace, so that two values of
 * a key never have the same version. A key that is not there has version 0.
 *
 * There is one form for everything: the caller fills a struct
 * state_operation and submits it. The operation either ends at once, or it is
 * pending and its `complete` is called later. Each operation is atomic, on
 * every backend and between all nodes that share one.
 *
 *     struct state_operation get = {
 *         .kind = STATE_GET,
 *         .namespace_ = "default",
 *         .key = {"counter", 7},
 *         .complete = wake_me,
 *     };
 *     enum state_status status = state_store_submit(store, &get);
 *     if (status == STATE_PENDING)
 *         status = wait_until_wake_me_was_called(&get);
 *     if (status == STATE_OK)
 *         use(get.result.bytes, get.result.length_bytes, get.version);
 *     state_operation_deinit(&get);
 *
 * What holds for every function here:
 * - Any thread may call it at any time, unless it says otherwise.
 * - It never prints, exits, or throws away an error.
 * - Strings are UTF-8 or ASCII and end with a zero; keys and values are bytes
 *   with a length and may hold any byte.
 * - Outputs are set on success only, except where a contract says otherwise.
 */
#ifndef GLASS_STATE_H
#define GLASS_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/limits.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * How an operation ended: symbol, name, text. The numbers are those of the
 * order here and are not promised to stay between versions of the library.
 */
#define STATE_STATUS_MAP(X)                                                   \
    X(STATE_OK, "ok", "done")                                                 \
    X(STATE_PENDING, "pending", "not finished yet")                           \
    X(STATE_NOT_FOUND, "not-found", "there is no such key")                   \
    X(STATE_CONFLICT, "conflict", "the condition does not hold")              \
    X(STATE_INVALID, "invalid", "the request makes no sense")                 \
    X(STATE_TOO_BIG, "too-big", "the key or the value is too long")           \
    X(STATE_LIMIT, "limit", "a limit is reached")                             \
    X(STATE_NOT_A_NUMBER, "not-a-number",                                     \
      "the value is not a 64-bit decimal number")                             \
    X(STATE_OVERFLOW, "overflow", "the sum does not fit 64 bits")             \
    X(STATE_TIMEOUT, "timeout",                                               \
      "no answer in time: the outcome is unknown")                            \
    X(STATE_UNAVAILABLE, "unavailable", "the backend is away")                \
    X(STATE_BACKEND, "backend", "the backend answered with an error")         \
    X(STATE_CLOSED, "closed", "the store is being closed")                    \
    X(STATE_NO_MEMORY, "no-memory", "out of memory")                          \
    X(STATE_SYSTEM, "system", "the operating system refused")                 \
    X(STATE_UNSUPPORTED, "unsupported", "the backend does not do this")       \
    X(STATE_LOCKED, "locked", "somebody else has the lock")                   \
    X(STATE_COMPACTED, "compacted", "the changes are no longer kept")         \
    X(STATE_ABORTED, "aborted", "another operation of the batch failed")      \
    X(STATE_QUOTA, "quota", "the namespace has all that it may have")

enum state_status {
#define STATE_STATUS_SYMBOL(symbol, name, text) symbol,
    STATE_STATUS_MAP(STATE_STATUS_SYMBOL)
#undef STATE_STATUS_SYMBOL
};

/* The status's short name, "not-found"; "unknown" for any other number. */
const char *
state_status_name(enum state_status status);

/* One clause for people. Neither string is ever freed. */
const char *
state_status_text(enum state_status status);

/* Details of a failure, in memory of the caller's. */
struct state_error {
    char message[STATE_MESSAGE_SIZE];
};

struct state_store;

#ifdef __cplusplus
}
#endif

/* What a namespace is told as a whole, and what is done with its keys. */
#include "state/state_namespace.h"
#include "state/state_operation.h"
#include "state/state_region.h"

#ifdef __cplusplus
extern "C" {
#endif

/* How to open a store; a field of zero means the default in its comment. */
struct state_options {
    /*
     * Where the values live:
     *   "memory" (the default)      this process; gone when it ends
     *   "lmdb:DIR"                  this process, and in files of DIR
     *   "redis://[[USER]:PASSWORD@]HOST[:PORT][/DATABASE]"
     *   "redis+unix:///PATH[?db=N]" or, shorter, "unix:PATH"
     * Parts of a redis URL may be percent-encoded. DIR is made if it is not
     * there, and has one process at a time. The string is copied.
     */
    const char *url;

    /* Shards of the memory backend; a power of two. STATE_SHARDS_DEFAULT */
    unsigned shard_count;

    /* The largest value, in bytes. STATE_VALUE_BYTES_DEFAULT */
    size_t value_bytes_max;

    /* The time for one remote operation. STATE_TIMEOUT_MS_DEFAULT */
    unsigned timeout_ms;

    /* Remote operations under way at once. STATE_IN_FLIGHT_DEFAULT */
    unsigned in_flight_max;

    /*
     * Bytes of their keys and values, at least those of the largest value
     * with the longest key. STATE_IN_FLIGHT_BYTES_DEFAULT
     */
    size_t in_flight_bytes_max;

    /*
     * How durable the namespaces of a store on a disk are, unless it was said
     * of one. STATE_DURABILITY_SYNC
     */
    enum state_durability durability;

    /* How large its files may grow. STATE_DISK_BYTES_DEFAULT */
    size_t disk_bytes_max;

    /*
     * The memory backend's clock in milliseconds, which never goes back, for
     * tests of expiry; called on any thread, also under locks. Null: the
     * system's monotonic clock. Redis expires by its own clock.
     */
    uint64_t (*now_ms)(void *now_data);
    void *now_data;
};

/*
 * Opens a store. `options` may be null; it is copied. `err` may be null.
 *
 * With a remote backend this waits until the first attempt to connect has
 * ended, at most `timeout_ms`. A backend that is away is no error here:
 * operations answer STATE_UNAVAILABLE and state_store_health says why, until
 * it is back. A store on a disk is read into memory.
 *
 * Returns STATE_INVALID for options that make no sense, STATE_SYSTEM when a
 * thread or descriptor or directory cannot be had, or STATE_NO_MEMORY; for a
 * directory also STATE_UNAVAILABLE when another process has it open,
 * STATE_BACKEND when it is damaged or not a store's, and STATE_LIMIT when the
 * disk is full. `err` then says more.
 */
enum state_status
state_store_open(const struct state_options *options,
                 struct state_store **store, struct state_error *err);

/*
 * Closes a store and frees it; null does nothing. Operations under way get
 * their answers first, or after the store's timeout their STATE_TIMEOUT: no
 * `complete` is called after this has returned.
 *
 * No other thread may use the store any more when this is called, except
 * through operations that are under way. Not to be called from `complete`.
 */
void
state_store_close(struct state_store *store);

/* How a store's backend is, for a readiness probe. */
struct state_health {
    /* Whether an operation would be tried; on a disk, whether it gets there. */
    bool up;

    /* "memory", "lmdb" or "redis". Never freed. */
    const char *backend;

    /* "ready", or what is wrong and what happens next. No secrets. */
    char message[STATE_MESSAGE_SIZE];
};

/* Fills `health`. Never waits for the backend. */
void
state_store_health(struct state_store *store, struct state_health *health);

#ifdef __cplusplus
}
#endif

#endif
