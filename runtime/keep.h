/*
 * keep.h - the functions on the disk:
 *
 *     DIR/lock                            held while a runtime uses it
 *     DIR/modules/SHA256.wasm             each module once
 *     DIR/functions/NAMESPACE/NAME.json   what is deployed under the name
 *
 * Every file is either there whole or not at all (files.h), and a module is
 * written before the function that needs it; so a crash can leave a module
 * too much, never one too few. One thread at a time.
 */
#ifndef GLASS_RUNTIME_KEEP_H
#define GLASS_RUNTIME_KEEP_H

#include "runtime/function.h"

struct runtime__keep;

/* RUNTIME_BUSY when another process has it, RUNTIME_SYSTEM, NO_MEMORY. */
enum runtime_status
runtime__keep_open(const char *data_dir, struct runtime__keep **keep,
                   struct runtime_error *err);
void
runtime__keep_close(struct runtime__keep *keep);

/* What a function's file says. */
struct runtime__kept {
    char digest[RUNTIME_DIGEST_SIZE];
    uint64_t version;
    uint64_t deployed_ms;
    struct runtime_config *config; /* a block of its own */
};

/*
 * Calls `visit` for every function that has a file, in no order. What else
 * is in the directories is told to `notice` and left alone.
 */
enum runtime_status
runtime__keep_each(struct runtime__keep *keep,
                   void (*visit)(void *data, const char *namespace_,
                                 const char *name),
                   void (*notice)(void *data, const char *message),
                   void *data, struct runtime_error *err);

/* RUNTIME_INVALID when the file is damaged, or as runtime__files_read. */
enum runtime_status
runtime__keep_read_function(struct runtime__keep *keep,
                            const char *namespace_, const char *name,
                            struct runtime__kept *kept,
                            struct runtime_error *err);

/*
 * Reads a module into a malloc'ed block; RUNTIME_INVALID when it has another
 * digest than its name says.
 */
enum runtime_status
runtime__keep_read_module(struct runtime__keep *keep, const char *digest,
                          size_t bytes_max, uint8_t **bytes,
                          size_t *length_bytes, struct runtime_error *err);

enum runtime_status
runtime__keep_write_module(struct runtime__keep *keep,
                           const struct runtime__module *module,
                           struct runtime_error *err);
enum runtime_status
runtime__keep_write_function(struct runtime__keep *keep,
                             const struct runtime_function *function,
                             struct runtime_error *err);
enum runtime_status
runtime__keep_remove_function(struct runtime__keep *keep,
                              const char *namespace_, const char *name,
                              struct runtime_error *err);

/* One that stays by a failure is swept at the next start. */
void
runtime__keep_remove_module(struct runtime__keep *keep, const char *digest);

/* Removes the modules that `is_used` denies, and unfinished ones. */
void
runtime__keep_sweep_modules(struct runtime__keep *keep,
                            bool (*is_used)(void *data, const char *digest),
                            void *data);

#endif
