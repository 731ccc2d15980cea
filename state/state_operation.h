/*
 * glass/state/state_operation.h - what can be done with the keys of a store,
 * and the one record that asks for it. Part of glass/state.h, which includes
 * it where all that it needs is known, and whose rules hold here.
 */
#ifndef GLASS_STATE_STATE_OPERATION_H
#define GLASS_STATE_STATE_OPERATION_H

#ifdef __cplusplus
extern "C" {
#endif

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
    /* -- Inputs: all that comes before `status` -- */

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

#ifdef __cplusplus
}
#endif

#endif
