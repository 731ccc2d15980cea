/*
 * Programs: modules that are run once, with no name and no state, only WASI
 * and three streams. It needs no runtime; what holds for every function of
 * runtime/runtime.h holds here.
 */
#ifndef GLASS_RUNTIME_PROGRAM_H
#define GLASS_RUNTIME_PROGRAM_H

#include "runtime/runtime.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The three standard streams of a program. Each function returns how many
 * bytes it has moved, or a negative errno value (-EIO); a read of 0 bytes is
 * the end. A null function is an empty input, or an output that goes nowhere.
 * They run on the thread that runs the program and may block it.
 */
struct runtime_streams {
    void *data;
    ptrdiff_t (*read_input)(void *data, void *buffer, size_t capacity_bytes);
    ptrdiff_t (*write_output)(void *data, const void *bytes,
                              size_t length_bytes);
    ptrdiff_t (*write_error)(void *data, const void *bytes,
                             size_t length_bytes);

    /* Bit n: stream n is a terminal, as isatty in the program will say. */
    unsigned terminals;

    /*
     * Bit n: stream n is descriptor n of this process, so a program can wait
     * for it, and a deadline ends such a wait. The others are always ready.
     */
    unsigned waitable;
};

/*
 * A module to run once, with nothing but WASI. Zero means the runtime's
 * default for a limit, except that `timeout_ms` and `fuel` 0 are no limit.
 */
struct runtime_program {
    const uint8_t *module;
    size_t module_bytes;
    enum runtime_bounds bounds;

    /* Null: run `_start`. Else call this export with `arguments` as text. */
    const char *export_name;

    /* The command line, the program's own name first; or the values. */
    const char *const *arguments;
    size_t argument_count;
    const struct runtime_variable *variables;
    size_t variable_count;

    /* RUNTIME_DIRECTORIES_MAX at most. They need openat2(2), Linux 5.6. */
    const struct runtime_directory *directories;
    size_t directory_count;

    struct runtime_streams streams;
    uint64_t timeout_ms;
    uint64_t fuel;
    uint64_t memory_bytes;
};

struct runtime_program_result {
    int32_t exit_code;
    uint64_t fuel_used;
    struct runtime_value *values;
    size_t value_count;
};

/*
 * Runs a program to its end. Returns RUNTIME_OK, RUNTIME_EXITED (`exit_code`
 * is not 0), RUNTIME_NOT_FOUND (no such export), RUNTIME_INVALID,
 * RUNTIME_SYSTEM (a directory cannot be given), RUNTIME_LIMIT,
 * RUNTIME_MALFORMED, RUNTIME_UNLINKABLE or how else the guest ended. `result`
 * is set in each case and to be deinitialised.
 */
enum runtime_status
runtime_program_run(const struct runtime_program *program,
                    struct runtime_program_result *result,
                    struct runtime_error *err);

void
runtime_program_result_deinit(struct runtime_program_result *result);

/*
 * Streams that read and write file descriptors of this process, 0, 1 and 2;
 * interrupted calls are repeated and short writes continued.
 */
void
runtime_streams_standard(struct runtime_streams *streams);

#ifdef __cplusplus
}
#endif

#endif
