/*
 * keep.h - the functions on the disk:
 *
 *     DIR/lock                            held while a runtime uses it
 *     DIR/modules/SHA256.wasm             each module once
 *     DIR/functions/NAMESPACE/NAME.json   what is deployed under the name
 *     DIR/snapshots/NAMESPACE.NAME        what its calls begin with
 *
 * Every file is either there whole or not at all (files.h), and a module is
 * written before the function that needs it; so a crash can leave a module
 * too much, never one too few. Snapshots come last and can be missing: they
 * can be made anew (keep_snapshot.c). One thread at a time.
 */
#ifndef GLASS_RUNTIME_KEEP_H
#define GLASS_RUNTIME_KEEP_H

#include "runtime/function.h"

/* Descriptors; -1: not open. */
struct runtime__keep {
    int directory;
    int lock;
    int modules;
    int functions;
    int snapshots;
};

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
    /* The digest of the file itself. */
    char record[RUNTIME_DIGEST_SIZE];
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
/* Sets the function's `record`. */
enum runtime_status
runtime__keep_write_function(struct runtime__keep *keep,
                             struct runtime_function *function,
                             struct runtime_error *err);
/* And its snapshot. */
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

/* ---- Snapshots (keep_snapshot.c) ---------------------------------------- */

/*
 * Writes the snapshot of a function that has been written, or removes the one
 * that there is when `snapshot` is NULL or cannot be kept: RUNTIME_TOO_BIG
 * above RUNTIME_SNAPSHOT_BYTES_MAX, RUNTIME_SYSTEM or RUNTIME_NO_MEMORY.
 */
enum runtime_status
runtime__keep_write_snapshot(struct runtime__keep *keep,
                             const struct runtime_function *function,
                             const struct gvm_snapshot *snapshot,
                             struct runtime_error *err);

/*
 * Reads the snapshot of a function for stores with these totals. Whatever
 * the file holds, the worst is an error: RUNTIME_NOT_FOUND when there is none
 * of this deployment, RUNTIME_INVALID when it is damaged, RUNTIME_LIMIT,
 * RUNTIME_NO_MEMORY, or as runtime__files_read.
 */
enum runtime_status
runtime__keep_read_snapshot(struct runtime__keep *keep,
                            const struct runtime_function *function,
                            const struct gvm_store_options *totals,
                            struct gvm_snapshot **snapshot,
                            struct runtime_error *err);

/* One that stays by a failure is swept at the next start. */
void
runtime__keep_remove_snapshot(struct runtime__keep *keep,
                              const char *namespace_, const char *name);

/* Removes the snapshots of functions that `is_function` denies, and
 * unfinished ones. What is named otherwise is left alone. */
void
runtime__keep_sweep_snapshots(struct runtime__keep *keep,
                              bool (*is_function)(void *data,
                                                  const char *namespace_,
                                                  const char *name),
                              void *data);

#endif
