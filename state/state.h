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

#include "state/bounds.h"
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

/* Details of a failed open, in memory of the caller's. */
struct state_error {
    char message[STATE_MESSAGE_SIZE];
};

/* ---- The store -------------------------------------------------------- */

struct state_store;

/*
 * What survives when the process or the machine dies, for each namespace of
 * a store on a disk.
 */
enum state_durability {
    STATE_DURABILITY_DEFAULT, /* that of the options; there, SYNC */

    /* Nothing: the namespace is in memory only. */
    STATE_DURABILITY_NONE,

    /*
     * All but what was acknowledged in the last STATE_BEHIND_MS. Writes end
     * at once, except while the disk takes longer than that: then they wait.
     */
    STATE_DURABILITY_BEHIND,

    /*
     * All that was acknowledged. Writes end once they are on the disk, and
     * so does what has seen one that was not yet there.
     */
    STATE_DURABILITY_SYNC,
};

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

/*
 * Says how durable a namespace of a store on a disk is from now on; it need
 * not be there yet. The store remembers it. Returns once it is on the disk, so
 * not to be called from `complete`. `err` may be null.
 *
 * Between NONE and the others a namespace can only go while it has no keys:
 * otherwise STATE_CONFLICT. Returns STATE_INVALID for a bad name or
 * durability, STATE_UNSUPPORTED where nothing is on a disk, or what a write
 * would; then it is as before.
 */
enum state_status
state_store_set_durability(struct state_store *store, const char *namespace_,
                           enum state_durability durability,
                           struct state_error *err);

/* ---- Namespaces ------------------------------------------------------- */

/*
 * Sets the quota of a namespace, which need not be there yet. What it already
 * has too much stays, with STATE_POLICY_REJECT; otherwise it goes before this
 * returns. Writes that make nothing larger are never refused. With
 * STATE_POLICY_LRU a namespace may pass its bounds by what is being written
 * at the moment, and one value that is larger than all may be is STATE_QUOTA.
 *
 * The quota is not stored anywhere: whoever opens the store sets it.
 *
 * Returns STATE_INVALID for a name or numbers that make no sense (a rate is
 * at most STATE_RATE_MAX), STATE_LIMIT for one namespace too many,
 * STATE_NO_MEMORY, or STATE_UNSUPPORTED on Redis; `err`, which may be null,
 * then says more, and nothing has changed.
 */
enum state_status
state_store_set_quota(struct state_store *store, const char *namespace_,
                      const struct state_quota *quota,
                      struct state_error *err);

/*
 * Fills the figures of a namespace. STATE_NOT_FOUND when nobody has written
 * to it, STATE_UNSUPPORTED on Redis.
 */
enum state_status
state_store_stats(struct state_store *store, const char *namespace_,
                  struct state_stats *stats);

/* ---- Operations ------------------------------------------------------- */

/*
 * What an operation does: symbol and name. Their inputs beyond namespace and
 * key, and their outputs, are:
 *
 *   GET               result, version
 *   STAT              size_bytes, version and expires_in_ms, not the value;
 *                     this is also how to ask whether a key exists
 *   PUT               value, condition, ttl_ms or keep_expiry; version
 *   DELETE            condition; version (that of the deletion)
 *   INCREMENT         delta, condition, ttl_ms; number (the sum) and version
 *   COMPARE_AND_SWAP  PUT under STATE_IF_VERSION, whatever `condition` says
 *   APPEND            value, condition, ttl_ms; size_bytes and version
 *   LIST              prefix, cursor, limit instead of key; entries, more,
 *                     cursor_next
 *   GET_RANGE         range_offset_bytes, range_length_bytes; result,
 *                     size_bytes (of the whole value), version
 *   PUT_RANGE         range_offset_bytes, value, condition, ttl_ms;
 *                     size_bytes and version
 *   EXPIRE            ttl_ms, which is not zero, condition; version
 *   PERSIST           condition; version
 *   LOCK              is_shared, lease_ms, timeout_ms; token
 *   UNLOCK            lock_token
 *   EXTEND            lock_token, lease_ms
 *   BATCH             operations, operation_count, all_or_nothing instead of
 *                     namespace and key; failed_index
 *   WATCH             prefix, watch_from, limit_count, timeout_ms instead of
 *                     key; entries, more, version
 *
 * INCREMENT takes an absent key for 0. A value is a number when it is ASCII
 * decimal as this library writes it: an optional minus sign and digits
 * without leading zeros, within 64 signed bits. Otherwise the answer is
 * STATE_NOT_A_NUMBER, or STATE_OVERFLOW for the sum, and nothing changes.
 *
 * APPEND takes an absent key for the empty value; a sum of lengths past the
 * store's limit is STATE_TOO_BIG, and nothing changes.
 *
 * GET_RANGE answers the part of the value that the range covers: nothing, for
 * a range behind its end.
 *
 * PUT_RANGE lays the bytes of `value` over the key's from the offset on. An
 * absent key is taken for the empty value; what lies between the old end and
 * the offset becomes zeros, also when `value` is empty. An end past the
 * store's limit is STATE_TOO_BIG, and nothing changes.
 *
 * EXPIRE gives a key another time to live and PERSIST takes it away. Both
 * leave the value and its version as they are, and answer STATE_NOT_FOUND for
 * an absent key.
 *
 * LOCK locks a key, which need not be there: for its owner alone, or shared
 * with others who share it. It waits in turn: who came first has it first,
 * and who would share waits behind who would not. The lock is its owner's
 * until UNLOCK or until its lease ends, which EXTEND puts off to `lease_ms`
 * from then. The answers are STATE_OK with a token; STATE_LOCKED when it was
 * not to be had within `timeout_ms`, at once if that is zero; or STATE_CLOSED
 * when the store is closed meanwhile.
 *
 * A token is a number above zero, below 2^53 in this century, and greater
 * than all that were given for the key before. It is good while the lock is
 * held. Then UNLOCK, EXTEND and writes that carry it are STATE_CONFLICT with
 * `lock_lost`, and nothing changes. Locks are advisory: who writes without a
 * token is not held up.
 *
 * BATCH carries out many operations, in their order, each with a status of
 * its own; the batch's is then STATE_OK. With `all_or_nothing` nobody sees
 * only some of them done, each sees what those before it did, and if one
 * fails nothing at all has happened: the batch then has its status, and the
 * others STATE_ABORTED. STATE_NOT_FOUND counts as an answer, not as a failure
 * (a write under STATE_IF_PRESENT fails instead). No batch in a batch, and no
 * LIST where it is all or nothing; more operations or bytes of values than
 * STATE_BATCH_OPERATIONS_MAX and STATE_BATCH_BYTES_MAX are STATE_TOO_BIG.
 *
 * WATCH tells of the changes to keys that begin with `prefix` and are later
 * than the version `watch_from`, in the order of their versions: puts and
 * their like, deletions, and that a key vanished by itself; not of changes of
 * an expiry alone. It waits for one for at most `timeout_ms` and then answers
 * STATE_OK with as many as there are, or none. To go on, submit it again from
 * `version`, up to which all has been told. A `watch_from` of zero means from
 * now on. Changes are kept from a namespace's first WATCH on, and the last
 * STATE_WATCH_EVENTS_MAX of them: where older ones are asked for (or later
 * ones than there are, as after a restart) the answer is STATE_COMPACTED, and
 * `version` is where to go on once the keys have been read anew. A change that
 * an all-or-nothing batch has taken back may be told of too.
 */
#define STATE_KIND_MAP(X)                                                     \
    X(STATE_GET, "get")                                                       \
    X(STATE_STAT, "stat")                                                     \
    X(STATE_PUT, "put")                                                       \
    X(STATE_DELETE, "delete")                                                 \
    X(STATE_INCREMENT, "increment")                                           \
    X(STATE_COMPARE_AND_SWAP, "compare-and-swap")                             \
    X(STATE_APPEND, "append")                                                 \
    X(STATE_LIST, "list")                                                     \
    X(STATE_GET_RANGE, "get-range")                                           \
    X(STATE_PUT_RANGE, "put-range")                                           \
    X(STATE_EXPIRE, "expire")                                                 \
    X(STATE_PERSIST, "persist")                                               \
    X(STATE_LOCK, "lock")                                                     \
    X(STATE_UNLOCK, "unlock")                                                 \
    X(STATE_EXTEND, "extend")                                                 \
    X(STATE_BATCH, "batch")                                                   \
    X(STATE_WATCH, "watch")

enum state_kind {
#define STATE_KIND_SYMBOL(symbol, name) symbol,
    STATE_KIND_MAP(STATE_KIND_SYMBOL)
#undef STATE_KIND_SYMBOL
};

/* The kind's name, "compare-and-swap"; "unknown" for any other number. */
const char *
state_kind_name(enum state_kind kind);

/*
 * What must hold for a write to happen. It is looked at first, before
 * anything else about the key; otherwise the answer is STATE_CONFLICT and
 * nothing changes. Reads take no condition.
 */
enum state_condition {
    STATE_ALWAYS,
    STATE_IF_ABSENT,
    STATE_IF_PRESENT,
    STATE_IF_VERSION, /* the key has `version_expected`; 0: it is absent */
};

/* Bytes that belong to somebody else, who says how long they stay. */
struct state_bytes {
    const void *bytes;
    size_t length_bytes;
};

/* What happened to a key that is watched. */
enum state_change {
    STATE_KEY_WRITTEN,
    STATE_KEY_DELETED,
    STATE_KEY_VANISHED, /* it has expired, or made room */
};

/* A key found by LIST, or a change told by WATCH. */
struct state_entry {
    struct state_bytes key;
    uint64_t version;
    uint64_t size_bytes;      /* of the value; 0 without one */
    enum state_change change; /* WATCH */
};

/*
 * One operation, from question to answer: plain data that the caller owns.
 * Start from a record of zeros and fill in what the kind needs.
 *
 * From the submission until it has ended, the record and all that its inputs
 * point to must stay where they are and unchanged. Afterwards the inputs are
 * as they were, and the outputs belong to the record until it is submitted
 * again (which frees them) or state_operation_deinit is called. The record
 * must not be copied while it holds outputs: some lie inside it. Its inputs
 * must not point into its own outputs, with one exception: to go on with a
 * LIST, set `cursor` to `cursor_next` and submit the record again.
 */
struct state_operation {
    /* -- Inputs -- */

    enum state_kind kind;
    enum state_condition condition;

    /* `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`; it need not be created. */
    const char *namespace_;

    /* 1..STATE_KEY_BYTES_MAX bytes, any bytes. Not for LIST. */
    struct state_bytes key;

    /*
     * Up to the store's value_bytes_max. For PUT and its like, APPEND and
     * PUT_RANGE.
     */
    struct state_bytes value;

    /*
     * GET_RANGE reads so many bytes from there on, or as many as there are;
     * UINT64_MAX reads to the end. PUT_RANGE writes `value` there.
     */
    uint64_t range_offset_bytes;
    uint64_t range_length_bytes;

    /* For STATE_IF_VERSION and COMPARE_AND_SWAP. */
    uint64_t version_expected;

    /*
     * Milliseconds from now until the key vanishes by itself, at most
     * STATE_TTL_MS_MAX. Zero: PUT leaves a key that stays; INCREMENT, APPEND
     * and PUT_RANGE leave the expiry that there was.
     */
    uint64_t ttl_ms;

    /* PUT with no ttl_ms leaves the expiry that there was. */
    bool keep_expiry;

    /* What INCREMENT adds. */
    int64_t delta;

    /*
     * The token of a lock on the key. A write that carries one happens only
     * while the lock is held, and exclusively; this is looked at before its
     * condition. Zero: none. Reads take none.
     */
    uint64_t lock_token;

    /* LOCK: whether others may have it at the same time in this way. */
    bool is_shared;

    /*
     * LOCK, EXTEND: how long the lock is held if nobody unlocks it, at most
     * STATE_LEASE_MS_MAX; zero: STATE_LEASE_MS_DEFAULT. It begins when the
     * lock is given, not when it is asked for.
     */
    uint64_t lease_ms;

    /*
     * How long to wait, at most: LOCK STATE_LOCK_TIMEOUT_MS_MAX, WATCH
     * STATE_WATCH_TIMEOUT_MS_MAX.
     */
    uint64_t timeout_ms;

    /* WATCH: the version after which to begin; zero: from now on. */
    uint64_t watch_from;

    /*
     * LIST names the keys that begin with `prefix` (empty: all) and come
     * after `cursor` (empty: from the start), at most `limit_count` of them
     * (up to STATE_LIST_ITEMS_MAX; zero: STATE_LIST_ITEMS_DEFAULT), in the
     * order of their bytes. A key that is there during the whole listing is
     * in it; one that comes or goes meanwhile may be.
     */
    struct state_bytes prefix;
    struct state_bytes cursor;
    unsigned limit_count;

    /*
     * BATCH: records that are filled in and handled as if each had been
     * submitted by itself, except that their `complete` is not called. They
     * are the library's until the batch has ended.
     */
    struct state_operation *operations;
    size_t operation_count;
    bool all_or_nothing;

    /*
     * Called once if the submission returned STATE_PENDING, not otherwise;
     * see state_store_submit. Memory alone needs it only for a LOCK that may
     * wait; otherwise null is fine there, and on a disk or a remote backend
     * STATE_INVALID.
     */
    void (*complete)(struct state_operation *operation);

    /* The caller's; the library never looks at it. */
    void *data;

    /* -- Outputs -- */

    /* What submit returned, or once completed, how it ended. */
    enum state_status status;

    /*
     * Why it failed, in one line without secrets; "" after STATE_OK. Set by
     * every end, never null then.
     */
    const char *message;

    /*
     * The key's version that was read or has been written. After
     * STATE_CONFLICT: the version that the key has, 0 if it is absent.
     */
    uint64_t version;

    /* After STATE_CONFLICT: it was the lock that did not hold. */
    bool lock_lost;

    uint64_t token; /* LOCK */
    int64_t number; /* INCREMENT */

    /* The value's, after everything but DELETE, EXPIRE, PERSIST and LIST. */
    uint64_t size_bytes;

    /* STAT: until the key vanishes by itself; 0: it stays. */
    uint64_t expires_in_ms;

    /* GET and GET_RANGE; `bytes` is never null after STATE_OK. */
    struct state_bytes result;

    /*
     * LIST. When `more`, there may be further keys, and `cursor_next` is the
     * cursor that goes on; a page can then even be empty.
     */
    struct state_entry *entries;
    size_t entry_count;
    bool more;
    struct state_bytes cursor_next;
    size_t failed_index; /* BATCH, all or nothing: which one was why */

    /* -- The library's; zero at first, not to be touched -- */

    struct {
        void *owned;                  /* a block that holds outputs */
        void (*release)(void *owned); /* how it is given back */
        void *previous;               /* the same of the page before, */
        void (*release_previous)(void *owned);
        const void *cursor; /* which is where the cursor lies */
        struct state_operation *next; /* who waits or ends after it */
        uint64_t wait_for;            /* the number that it waits for, */
        unsigned char lane;           /* in its lane, */
        bool must_wait;               /* if it has to */
        bool has_changed;             /* rather than seen */
        enum state_status outcome;    /* its status then, */
        enum state_status failure;    /* unless that of its own change */
        const void *found; /* the namespace found last, by the store */
        uint64_t found_by;
        struct state_operation *batch; /* that the operation belongs to, */
        void (*batch_complete)(struct state_operation *operation);
        size_t batch_left; /* and how many of its own have not ended */
        uint64_t small[STATE_VALUE_INLINE_MAX / sizeof(uint64_t)];
    } private_;
};

/*
 * Submits an operation. What a record of an earlier use still held is freed.
 *
 * Returns how it ended, which is also in `operation->status`; then `complete`
 * is not called. Or returns STATE_PENDING: then `complete` is called exactly
 * once, on any thread, under no lock of the library's, possibly before this
 * returns, so the caller must not touch the record after STATE_PENDING until
 * then. `complete` may submit operations and may free the record; it must not
 * block, since other completions wait behind it.
 *
 * The memory backend ends everything at once but a LOCK that waits; a store on
 * a disk also leaves pending what waits for the disk. A remote backend answers
 * STATE_UNAVAILABLE at once while it is away; STATE_TIMEOUT means that the
 * operation may or may not have happened, or may still happen.
 */
enum state_status
state_store_submit(struct state_store *store,
                   struct state_operation *operation);

/*
 * Ends a LOCK or a WATCH that waits with STATE_CLOSED, soon: `complete` is
 * called as usual, possibly before this returns. Nothing happens to an
 * operation that does not wait, or no longer; who calls this sees to it that
 * the record is there until it has returned.
 */
void
state_store_cancel(struct state_store *store,
                   struct state_operation *operation);

/*
 * Frees what the record's outputs hold and clears the outputs; the inputs
 * stay. Null and a record never submitted do nothing. Not while it is
 * pending. The thread that submitted need not be the one that calls this.
 */
void
state_operation_deinit(struct state_operation *operation);

/*
 * Whether `name` can be a namespace's name. Null cannot.
 */
bool
state_namespace_is_valid(const char *name);

#ifdef __cplusplus
}
#endif

#endif
