/*
 * configuration.h - what a deployment may choose for its function. Part of
 * runtime.h, whose rules hold here.
 */
#ifndef GLASS_RUNTIME_CONFIGURATION_H
#define GLASS_RUNTIME_CONFIGURATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One variable: WASI programs see it in their environment, faaslets read it
 * by config_get. The name is not empty and has no '='. */
struct runtime_variable {
    const char *name;
    const char *value;
};

/* What the next call finds in a faaslet's memory. */
enum runtime_reuse {
    RUNTIME_REUSE_FRESH, /* what initialising has left, every time */
    /* What an earlier call has left that ended with RUNTIME_OK, or that: a
     * function may keep there what it can do without. */
    RUNTIME_REUSE_WARM,
};

/* "fresh", "warm". */
const char *
runtime_reuse_name(enum runtime_reuse reuse);

/*
 * A directory of the host that a program sees under the name `guest`, and
 * nothing above it, whatever its paths and links say. The program changes
 * nothing in it that is `read_only`. Writing to a pipe in it that nobody reads
 * is a signal for this process, SIGPIPE: who runs programs ignores it.
 */
struct runtime_directory {
    const char *host;
    const char *guest;
    bool read_only;
};

struct runtime_names {
    const char *const *names;
    size_t count;
};

/*
 * What a function may touch beyond itself. Each list has RUNTIME_GRANTS_MAX
 * texts at most; null stands for the default. What is not granted is refused,
 * which the function, its log and runtime_statistics say.
 */
struct runtime_grants {
    /* Prefixes of the keys of its namespace ("" is all) that it may read and
     * list, and write. Null: all of them. */
    const struct runtime_names *state_read;
    const struct runtime_names *state_write;

    /* Functions that it may call. Null: none. */
    const struct runtime_names *functions;

    /* Secrets of its namespace that it may get. Null: none. */
    const struct runtime_names *secrets;
};

/* What a deployment may choose; zero means the runtime's own. */
struct runtime_config {
    uint64_t timeout_ms;
    uint64_t fuel;
    uint64_t memory_bytes;

    /* RUNTIME_STACK_BYTES_MAX at most, and the others as many as the runtime's
     * options allow: all tables of a sandbox, a call's output, and what all
     * its calls log in a second. */
    uint64_t stack_bytes;
    uint64_t table_entries;
    uint64_t output_bytes;
    uint64_t log_bytes_per_s;
    enum runtime_reuse reuse;

    /* How many of its calls run at once (0: no such bound), how many more wait
     * for one of those to end (0: none; they are RUNTIME_BUSY), and how long
     * (0: until their deadline). */
    uint64_t concurrency;
    uint64_t queue;
    uint64_t queue_ms;

    const struct runtime_variable *variables;
    size_t variable_count;

    /* What its calls read: paths below the runtime's `files_dir`, every one
     * `read_only`. RUNTIME_DIRECTORIES_MAX at most. */
    const struct runtime_directory *directories;
    size_t directory_count;

    struct runtime_grants grants;
};

/* Its numbers, which in JSON have the same names. */
#define RUNTIME_CONFIG_NUMBERS(X)                                             \
    X(timeout_ms)                                                             \
    X(fuel)                                                                   \
    X(memory_bytes)                                                           \
    X(stack_bytes)                                                            \
    X(table_entries)                                                          \
    X(output_bytes)                                                           \
    X(log_bytes_per_s)                                                        \
    X(concurrency)                                                            \
    X(queue)                                                                  \
    X(queue_ms)

#endif
