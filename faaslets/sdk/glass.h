/*
 * glass.h - what a function in C calls of Glass.
 *
 * A function is a WebAssembly module that exports
 *
 *     GLASS_HANDLE(void) { ...; return 0; }
 *
 * which runs once per call in a sandbox of its own: memory and globals are as
 * they were after initialisation, so nothing of one call is seen by the next.
 * Returning 0 is success; anything else is the call's failure code.
 *
 * Compile it as a reactor, a module that is called and has no main():
 *
 *     clang --target=wasm32-wasi -O2 -mexec-model=reactor -I faaslets/sdk \
 *         hello.c -o hello.wasm
 *
 * Conventions, for every function below:
 * - Data are a pointer and a length in bytes; nothing is terminated by NUL.
 * - A negative result is an error, one of enum glass_error.
 * - A read returns the full length of what there is to read, even when the
 *   buffer is shorter and only its `capacity` first bytes were written: call
 *   with capacity 0 to learn the length.
 * - A pointer or a length that leaves the module's memory traps.
 * - A function that has to wait for something parks the call, which costs its
 *   caller time but no thread.
 *
 * The names in C begin with glass_; the imports that they stand for are those
 * of the module "glass" without it.
 */
#ifndef GLASS_H
#define GLASS_H

#include <stddef.h>
#include <stdint.h>

/* Declares a function that Glass provides under the name `name`. */
#define GLASS_IMPORT(name) \
    __attribute__((import_module("glass"), import_name(#name)))

/* Opens the definition of the function's entry. */
#define GLASS_HANDLE(arguments)                      \
    __attribute__((export_name("glass_handle"))) int \
    glass_handle(arguments)

/* A string literal as the pair of arguments that the functions here take. */
#define GLASS_TEXT(literal) (literal), (sizeof(literal) - 1)

/* What a negative result says. */
enum glass_error {
    GLASS_NOT_FOUND = -1,
    GLASS_CONFLICT = -2,    /* the version or the condition did not hold */
    GLASS_INVALID = -3,     /* an argument, or a value of the wrong form */
    GLASS_DENIED = -4,      /* the deployment did not grant it */
    GLASS_LIMIT = -5,       /* a quota is used up */
    GLASS_TIMEOUT = -6,     /* the outcome is unknown, but of a lock */
    GLASS_UNAVAILABLE = -7, /* the state's backend is away */
    GLASS_TOO_BIG = -8,
    GLASS_CLOSED = -9,
};

/* The length of a call's identity. */
#define GLASS_CALL_ID_BYTES 16

/* Levels of glass_log. */
enum glass_level {
    GLASS_DEBUG = 0,
    GLASS_INFO = 1,
    GLASS_WARNING = 2,
    GLASS_ERROR = 3,
};

/* ------------------------------------------------------- the call itself */

/* The version of this interface that the host provides; this is 1. */
GLASS_IMPORT(abi_version)
int32_t
glass_abi_version(void);

/* The bytes of the call's input. */
GLASS_IMPORT(input_len)
int32_t
glass_input_len(void);

/*
 * Copies up to `capacity` bytes of the input, from `offset` on, to `buffer`.
 * Returns how many bytes the input holds from `offset` on, 0 past its end.
 */
GLASS_IMPORT(input_read)
int32_t
glass_input_read(size_t offset, void *buffer, size_t capacity);

/*
 * Appends to the call's output. The caller of the function sees it when the
 * function has returned 0. Returns 0, or GLASS_TOO_BIG when the output would
 * pass its limit; then nothing was appended.
 */
GLASS_IMPORT(output_write)
int32_t
glass_output_write(const void *bytes, size_t length);

/* Forgets the output that was written so far. */
GLASS_IMPORT(output_reset)
void
glass_output_reset(void);

/*
 * Makes the call one that failed with `code`, which is not 0, and a message
 * for who called, whatever the handler returns then. The last one counts. It
 * does return: leave the handler after it.
 */
GLASS_IMPORT(fail)
void
glass_fail(int32_t code, const char *message, size_t length);

/* Writes a line to the function's log; `level` is one of enum glass_level. */
GLASS_IMPORT(log)
void
glass_log(int32_t level, const char *message, size_t length);

/* Writes the call's identity, which no other call has, to `id`. */
GLASS_IMPORT(call_id)
void
glass_call_id(uint8_t id[GLASS_CALL_ID_BYTES]);

/* Nanoseconds since 1970 (UTC). */
GLASS_IMPORT(now_ns)
int64_t
glass_now_ns(void);

/* When the call will be stopped, by the clock of glass_now_ns. */
GLASS_IMPORT(deadline_ns)
int64_t
glass_deadline_ns(void);

/* Waits. Returns 0, or GLASS_INVALID for a negative duration. */
GLASS_IMPORT(sleep_ns)
int32_t
glass_sleep_ns(int64_t duration_ns);

/* How many WebAssembly instructions the call may still run. */
GLASS_IMPORT(fuel_left)
int64_t
glass_fuel_left(void);

/*
 * Copies up to `capacity` bytes of a variable of the function's configuration
 * to `buffer`. Returns its length or GLASS_NOT_FOUND.
 */
GLASS_IMPORT(config_get)
int32_t
glass_config_get(const char *name, size_t name_length, void *buffer,
                 size_t capacity);

/*
 * Copies up to `capacity` bytes of a secret of the server's to `buffer`.
 * Returns its length, GLASS_NOT_FOUND, or GLASS_DENIED when the deployment
 * does not grant it. While the function is initialised it is always denied,
 * since calls would begin with an old one: get it in the handler or in
 * `glass_restored`.
 */
GLASS_IMPORT(secret_get)
int32_t
glass_secret_get(const char *name, size_t name_length, void *buffer,
                 size_t capacity);

/* ------------------------------------------------------------------ state */
/*
 * Keys are 1..480 bytes of any value, in the namespace of the function. Every
 * operation is atomic. A version is a number that grows with every write in
 * the namespace; a key that is absent has version 0.
 *
 * Besides what is named, each may return GLASS_DENIED for a key that the
 * deployment does not grant, GLASS_INVALID for a key of a wrong length,
 * GLASS_UNAVAILABLE and GLASS_TIMEOUT when the state's backend is away or
 * silent, and writes GLASS_LIMIT and GLASS_TOO_BIG.
 */

/* For `flags` of glass_state_put. */
enum glass_put {
    GLASS_PUT_ALWAYS = 0,
    GLASS_PUT_IF_ABSENT = 1,
    GLASS_PUT_IF_PRESENT = 2,
    GLASS_PUT_KEEP_TTL = 4, /* keep the expiry that the key has */
};

/*
 * Copies up to `capacity` bytes of the value of a key to `buffer`. Returns the
 * value's length or GLASS_NOT_FOUND.
 */
GLASS_IMPORT(state_get)
int32_t
glass_state_get(const void *key, size_t key_length, void *buffer,
                size_t capacity);

/*
 * The same from `offset` on. Returns how many bytes the value has from there,
 * 0 past its end, or GLASS_NOT_FOUND.
 */
GLASS_IMPORT(state_get_range)
int32_t
glass_state_get_range(const void *key, size_t key_length, int64_t offset,
                      void *buffer, size_t capacity);

/* The length of a key's value, or GLASS_NOT_FOUND. */
GLASS_IMPORT(state_len)
int32_t
glass_state_len(const void *key, size_t key_length);

/* The version of a key, 0 when it is absent. */
GLASS_IMPORT(state_version)
int64_t
glass_state_version(const void *key, size_t key_length);

/*
 * Sets a key. `ttl_ms` is the time until it vanishes, 0 for never. Returns the
 * new version, or GLASS_CONFLICT when the condition in `flags` did not hold.
 */
GLASS_IMPORT(state_put)
int64_t
glass_state_put(const void *key, size_t key_length, const void *value,
                size_t value_length, int64_t ttl_ms, int32_t flags);

/*
 * Appends to the value of a key; one that is absent is empty. Returns the
 * value's new length.
 */
GLASS_IMPORT(state_append)
int64_t
glass_state_append(const void *key, size_t key_length, const void *bytes,
                   size_t length);

/*
 * Lays `length` bytes over the value of a key from `offset` on; where the
 * value is shorter than that, zeros come in between, and an absent key is
 * empty. Returns the value's new length.
 */
GLASS_IMPORT(state_put_range)
int64_t
glass_state_put_range(const void *key, size_t key_length, int64_t offset,
                      const void *bytes, size_t length);

/*
 * Lets a key vanish in `ttl_ms` milliseconds, or stay for ever; its value and
 * version are as they were. Returns 0, GLASS_NOT_FOUND, or GLASS_INVALID for
 * a time that is not above zero.
 */
GLASS_IMPORT(state_expire)
int32_t
glass_state_expire(const void *key, size_t key_length, int64_t ttl_ms);
GLASS_IMPORT(state_persist)
int32_t
glass_state_persist(const void *key, size_t key_length);

/*
 * Adds `delta` to the decimal number in a key, 0 when it is absent, and stores
 * the sum in the key and in `*sum`: one step that nothing can come between,
 * however many calls do it at once. Returns 0, or GLASS_INVALID when the value
 * is no number or the sum has more than 64 bits; then nothing changed.
 */
GLASS_IMPORT(state_incr)
int32_t
glass_state_incr(const void *key, size_t key_length, int64_t delta,
                 int64_t *sum);

/*
 * Sets a key whose version is `expected`, 0 for one that is absent. Returns 0
 * or GLASS_CONFLICT; either way `*version` is the version that it then has.
 */
GLASS_IMPORT(state_cas)
int32_t
glass_state_cas(const void *key, size_t key_length, int64_t expected,
                const void *value, size_t value_length, int64_t *version);

/*
 * Removes a key whose version is `expected`, or in any version when that is 0.
 * Returns 0, GLASS_NOT_FOUND or GLASS_CONFLICT.
 */
GLASS_IMPORT(state_delete)
int32_t
glass_state_delete(const void *key, size_t key_length, int64_t expected);

/*
 * What glass_state_list writes for each key, without padding behind; the next
 * entry follows at once, so it may be unaligned.
 */
struct __attribute__((packed)) glass_entry {
    int64_t version;
    int64_t value_length;
    uint32_t key_length;
    char key[];
};

/*
 * Writes the keys that begin with a prefix, in their order, to `buffer`, as
 * many as fit. `*cursor` is 0 at first; call again with what it became until
 * it is 0 again. Returns how many bytes were written; GLASS_TOO_BIG when not
 * even one entry fits, GLASS_LIMIT for too many lists that were not ended.
 */
GLASS_IMPORT(state_list)
int32_t
glass_state_list(const void *prefix, size_t prefix_length, uint64_t *cursor,
                 void *buffer, size_t capacity);

/* What an operation of a batch does. */
enum glass_kind {
    GLASS_GET = 0,
    GLASS_GET_RANGE = 1,
    GLASS_STAT = 2,
    GLASS_PUT = 3,
    GLASS_PUT_RANGE = 4,
    GLASS_APPEND = 5,
    GLASS_INCR = 6,
    GLASS_DELETE = 7,
    GLASS_EXPIRE = 8,
    GLASS_PERSIST = 9,
};

/* For `flags` of an operation, beside enum glass_put. */
#define GLASS_IF_VERSION 8

/* For `flags` of a batch. */
#define GLASS_ALL_OR_NOTHING 1

/* What a batch begins with. */
struct __attribute__((packed)) glass_batch {
    uint32_t flags;
    uint32_t count; /* of operations, up to 1,000 */
};

/* What is in front of each operation's key; the value follows that. */
struct __attribute__((packed)) glass_operation {
    uint8_t kind;
    uint8_t flags;
    uint16_t key_length;
    uint32_t value_length; /* GLASS_GET_RANGE: the most to read; no value */
    int64_t number;        /* GLASS_INCR: delta; the ranges: offset */
    int64_t expected;      /* GLASS_IF_VERSION */
    int64_t ttl_ms;
    char key[];
};

/* How an operation of a batch ended. */
struct glass_result {
    int32_t status;  /* 0, an error, or GLASS_ABORTED */
    uint32_t length; /* of what was read */
    int64_t version;
    int64_t number; /* GLASS_INCR: the sum; else the value's length */
    int64_t expires_in_ms; /* GLASS_STAT; 0: never */
};

/* The status of an operation that did not happen because another failed. */
#define GLASS_ABORTED 1

/*
 * Carries out many operations, in their order: `operations` is a glass_batch
 * and behind it, for each, a glass_operation, its key and its value, without
 * padding. `buffer` gets a glass_result for each, and behind those the bytes
 * that were read, in order, as far as they fit. Returns the length of all
 * that; the error of the one that failed, when it was to be all or nothing;
 * GLASS_INVALID for what is no batch, and GLASS_TOO_BIG when there is no room
 * for the results: then nothing has happened.
 */
GLASS_IMPORT(state_batch)
int64_t
glass_state_batch(const void *operations, size_t operations_length,
                  void *buffer, size_t capacity);

/* How a key is locked. */
enum glass_lock_mode {
    GLASS_LOCK_ALONE = 0,
    GLASS_LOCK_SHARED = 1,
};

/*
 * Locks a key, waiting for at most `timeout_ms`, for `lease_ms` or until it is
 * unlocked or the call ends; a lease of 0 is 30 seconds. Until then the call's
 * writes to the key happen only while the lock is held, and alone; otherwise
 * they return GLASS_CONFLICT. Returns a token above 0; GLASS_TIMEOUT when
 * others have it; GLASS_CONFLICT when the call has locked the key already.
 */
GLASS_IMPORT(lock)
int64_t
glass_lock(const void *key, size_t key_length, enum glass_lock_mode mode,
           int64_t lease_ms, int64_t timeout_ms);

/* Gives a lock back. Returns 0, or GLASS_CONFLICT: it was not held any more. */
GLASS_IMPORT(unlock)
int32_t
glass_unlock(int64_t token);

/* How a value is mapped. */
enum glass_map_flags {
    GLASS_MAP_READ_ONLY = 0,
    GLASS_MAP_WRITABLE = 1,
};

/*
 * Maps a value, from `offset` on (a multiple of 65536), into the memory, and
 * returns its address: value and memory are then the same bytes for everybody
 * who has it mapped. `size` bytes, 0 to the value's end; what is too short, or
 * absent, becomes so long where it is mapped writable. Stores into one that is
 * not trap. The end of the call unmaps it.
 *
 * Returns GLASS_NOT_FOUND; GLASS_INVALID behind the value's end or past the
 * memory's declared maximum; GLASS_LIMIT past the memory that the function may
 * have, or for more than 16 regions; GLASS_TOO_BIG, also for a value that
 * would have to become longer while others have it mapped; or GLASS_DENIED,
 * always while the function is initialised.
 */
GLASS_IMPORT(state_map)
int64_t
glass_state_map(const void *key, size_t key_length, int64_t offset,
                int64_t size, enum glass_map_flags flags);

/*
 * Unmaps what begins there: the memory is zero then, until glass_state_map
 * uses it again. Returns 0 or GLASS_INVALID.
 */
GLASS_IMPORT(state_unmap)
int32_t
glass_state_unmap(void *address);

/*
 * Waits until somebody calls glass_region_notify for a word of a region, in
 * whatever memory he has it. Returns 0, GLASS_CONFLICT at once when the word
 * is not `expected`, GLASS_TIMEOUT (below 0: the end of the call), or
 * GLASS_INVALID when it is not aligned or in no region.
 */
GLASS_IMPORT(region_wait)
int32_t
glass_region_wait(const void *word, uint32_t expected, int64_t timeout_ns);

/* Wakes up to `count` who wait for the word; returns how many there were. */
GLASS_IMPORT(region_notify)
int32_t
glass_region_notify(const void *word, uint32_t count);

/* ---------------------------------------------------------------- calls */
/*
 * A function calls others of its namespace, which its deployment grants it.
 * They run beside it, under limits of their own but for their time, which ends
 * with the caller's; so do they, when the caller ends first. A call that waits
 * for another takes no thread.
 *
 * How many there may be: 1,024 handles at once, with 64 MiB of inputs and
 * results, calls of calls 1,024 deep, and 16,384 that came of one, ever. One
 * whose `concurrency` is bounded keeps its place while it waits, so what it
 * calls is let in at once or refused with GLASS_LIMIT.
 */

/* How a call ended. */
enum glass_end {
    GLASS_END_WELL = 0,
    GLASS_END_FAILED = 1, /* it said so */
    GLASS_END_TRAPPED = 2,
    GLASS_END_TIMEOUT = 3, /* its time was used up, and so on */
    GLASS_END_OUT_OF_FUEL = 4,
    GLASS_END_OUT_OF_MEMORY = 5,
    GLASS_END_LIMIT = 6, /* its output or result is too long */
    GLASS_END_CANCELLED = 7,
    GLASS_END_SYSTEM = 8, /* the server's fault */
};

/*
 * Calls a function with an input, for at most `timeout_ms`, or as long as it
 * may when that is 0. Returns a handle above 0, or GLASS_DENIED,
 * GLASS_NOT_FOUND, GLASS_TOO_BIG for the input, GLASS_LIMIT, or GLASS_INVALID
 * for what is no name, or the name of a function of plain exports. While the
 * caller is initialised it is always denied.
 */
GLASS_IMPORT(call)
int32_t
glass_call(const char *name, size_t name_length, const void *input,
           size_t input_length, int64_t timeout_ms);

/*
 * Waits for a call's end for at most `timeout_ms`, or for as long as the
 * caller may when that is below 0. Returns how it ended, one of enum
 * glass_end; or GLASS_TIMEOUT: it has not; or GLASS_INVALID.
 */
GLASS_IMPORT(await)
int32_t
glass_await(int32_t handle, int64_t timeout_ms);

/*
 * Waits in the same way until one of `count` calls has ended. Returns the
 * place in the list of the first that has, or GLASS_TIMEOUT, GLASS_INVALID,
 * or GLASS_LIMIT for more than a call can have. Take it out of the list.
 */
GLASS_IMPORT(await_any)
int32_t
glass_await_any(const int32_t *handles, size_t count, int64_t timeout_ms);

/*
 * What a call left behind that has ended: its output or, when it did not end
 * well, a message. The length; or up to `capacity` bytes of it, copied from
 * `offset` on, and how many there are from there. GLASS_CONFLICT when it has
 * not ended, or GLASS_INVALID.
 */
GLASS_IMPORT(result_len)
int32_t
glass_result_len(int32_t handle);
GLASS_IMPORT(result_read)
int32_t
glass_result_read(int32_t handle, size_t offset, void *buffer,
                  size_t capacity);

/*
 * Gives a handle up, and what the call left behind; one that has not ended is
 * ended. Returns 0 or GLASS_INVALID.
 */
GLASS_IMPORT(cancel)
int32_t
glass_cancel(int32_t handle);

#endif
