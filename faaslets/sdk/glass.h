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
    GLASS_TIMEOUT = -6,     /* the outcome is unknown */
    GLASS_UNAVAILABLE = -7, /* the state's backend is away */
    GLASS_TOO_BIG = -8,
    GLASS_CLOSED = -9,
};

/* Levels of glass_log. */
enum glass_level {
    GLASS_DEBUG = 0,
    GLASS_INFO = 1,
    GLASS_WARNING = 2,
    GLASS_ERROR = 3,
};

/* ------------------------------------------------------- input and output */

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

/*
 * Ends the call as failed with `code`, which is not 0, and a message for who
 * called. Only the last failure counts. It returns: leave the handler after it.
 */
GLASS_IMPORT(fail)
void
glass_fail(int32_t code, const char *message, size_t length);

/* Writes a line to the function's log; `level` is one of enum glass_level. */
GLASS_IMPORT(log)
void
glass_log(int32_t level, const char *message, size_t length);

/* ------------------------------------------------------------------ state */
/*
 * Keys are 1..480 bytes of any value, in the namespace of the function. Every
 * operation is atomic. A version is a number that grows with every write in
 * the namespace; a key that is absent has version 0.
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
 * Sets a key. `ttl_ms` is the time until it vanishes, 0 for never. Returns the
 * new version, or GLASS_CONFLICT when the condition in `flags` did not hold.
 */
GLASS_IMPORT(state_put)
int64_t
glass_state_put(const void *key, size_t key_length, const void *value,
                size_t value_length, int64_t ttl_ms, int32_t flags);

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
 * Removes a key whose version is `expected`, or in any version when that is 0.
 * Returns 0, GLASS_NOT_FOUND or GLASS_CONFLICT.
 */
GLASS_IMPORT(state_delete)
int32_t
glass_state_delete(const void *key, size_t key_length, int64_t expected);

#endif
