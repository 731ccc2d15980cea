/*
 * program.c - a module that is run once, with nothing but WASI.
 *
 * It is a call without all that a call has: no name, no state, no input that
 * was read before. It needs the engine, a faaslet and WASI, and so a command
 * that only runs programs needs no more of Glass than that.
 *
 * Any thread may call it.
 */
#include "runtime/program.h"

#include "runtime/engine.h"
#include "runtime/environment.h"
#include "runtime/error.h"
#include "runtime/faaslet.h"
#include "runtime/values.h"
#include "runtime/wasi_preopen.h"

#include <stdlib.h>
#include <string.h>

/* A program and what it needs while it runs. */
struct running {
    const struct runtime_program *program;
    struct gvm_engine *engine;
    struct runtime__module *module;
    struct runtime__texts arguments;
    struct runtime__texts environment;
    struct runtime__faaslet *faaslet;
    union gvm_value *values; /* arguments of an export */
};

static void
deinit(struct running *running)
{
    runtime__faaslet_destroy(running->faaslet);
    free(running->values);
    runtime__texts_deinit(&running->environment);
    runtime__texts_deinit(&running->arguments);
    runtime__module_put(running->module);
    gvm_engine_destroy(running->engine);
}

/* The command line, and the environment. */
static enum runtime_status
make_texts(struct running *running, struct runtime_error *err)
{
    const struct runtime_program *program = running->program;

    if (program->argument_count > RUNTIME_ARGUMENTS_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "a program has at most %d arguments",
                                  RUNTIME_ARGUMENTS_MAX);
    for (size_t i = 0; i < program->argument_count; i++) {
        if (!runtime__texts_append(&running->arguments,
                                   program->arguments[i], NULL, NULL))
            return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                      "out of memory for arguments");
        if (running->arguments.buffer.length_bytes >
            RUNTIME_ARGUMENTS_BYTES_MAX)
            return runtime__error_set(
                err, RUNTIME_LIMIT, "the arguments are longer than %d bytes",
                (int)RUNTIME_ARGUMENTS_BYTES_MAX);
    }
    return runtime__environment_append(&running->environment,
                                       program->variables,
                                       program->variable_count, err);
}

/* The type of the export to run, `_start` or the chosen one. */
static enum runtime_status
find_export(struct running *running, struct gvm_func_type *type,
            struct runtime_error *err)
{
    const struct runtime_program *program = running->program;
    const char *name = program->export_name ? program->export_name : "_start";

    if (!runtime__module_find(running->module, name, type))
        return runtime__error_set(err, RUNTIME_NOT_FOUND,
                                  "the module exports no function '%.100s'",
                                  name);
    if (program->export_name)
        return runtime__values_parse(type, program->arguments,
                                     program->argument_count,
                                     &running->values, err);
    return make_texts(running, err);
}

static enum runtime_status
prepare(struct running *running, struct gvm_func_type *type,
        struct runtime_error *err)
{
    const struct runtime_program *program = running->program;
    bool guard;
    struct runtime__limits limits = {
        .fuel = program->fuel ? program->fuel : UINT64_MAX / 2,
        .memory_bytes = program->memory_bytes ? program->memory_bytes
                                              : RUNTIME_MEMORY_BYTES_DEFAULT,
        .deadline_ns = UINT64_MAX,
    };

    enum runtime_status status = runtime__engine_create(
        program->bounds, &running->engine, &guard, err);
    if (status == RUNTIME_OK)
        status = runtime__module_load(
            running->engine, program->module, program->module_bytes, false,
            RUNTIME__GROUP_wasi, NULL, &running->module, err);
    if (status == RUNTIME_OK)
        status = runtime__module_check_procedures(running->module, err);
    if (status == RUNTIME_OK)
        status = find_export(running, type, err);
    if (status != RUNTIME_OK)
        return status;
    if (program->timeout_ms > RUNTIME_TIMEOUT_MS_CEILING)
        return runtime__error_set(err, RUNTIME_INVALID,
                                  "the timeout is above %d ms",
                                  RUNTIME_TIMEOUT_MS_CEILING);
    if (program->timeout_ms)
        limits.deadline_ns =
            runtime__wait_now_ns() + program->timeout_ms * 1000000u;
    return runtime__faaslet_create(running->engine, running->module, &limits,
                                   &running->faaslet, err);
}

/* What the program may see of the file system; in the table they are 3, 4 and
 * so on, once the streams are there. */
static enum runtime_status
open_directories(struct running *running, struct runtime_error *err)
{
    const struct runtime_program *program = running->program;
    enum runtime_status status = RUNTIME_OK;

    if (program->directory_count > RUNTIME_DIRECTORIES_MAX)
        return runtime__error_set(err, RUNTIME_LIMIT,
                                  "a program has at most %d directories",
                                  RUNTIME_DIRECTORIES_MAX);
    for (size_t i = 0; i < program->directory_count && status == RUNTIME_OK;
         i++)
        status = runtime__wasi_preopen(&running->faaslet->wasi, -1,
                                       &program->directories[i], err);
    return status;
}

static enum runtime_status
run(struct running *running, const struct gvm_func_type *type,
    struct runtime_program_result *result, struct runtime_error *err)
{
    const char *export_name = running->program->export_name;
    struct runtime__faaslet *faaslet = running->faaslet;
    const union gvm_value *results;

    faaslet->wasi.arguments = &running->arguments;
    faaslet->wasi.environment = &running->environment;
    faaslet->wasi.streams = running->program->streams;
    enum runtime_status status = open_directories(running, err);
    if (status == RUNTIME_OK) {
        runtime__faaslet_add_initialisers(faaslet);
        status = runtime__faaslet_finish(faaslet, err);
    }
    if (status == RUNTIME_OK)
        status = runtime__faaslet_run(faaslet,
                                      export_name ? export_name : "_start",
                                      running->values, &results, err);
    if (status == RUNTIME_OK && export_name) {
        result->values = runtime__values_format(type, results);
        if (!result->values)
            return runtime__error_set(err, RUNTIME_NO_MEMORY,
                                      "out of memory for results");
        result->value_count = type->result_count;
    }
    return status;
}

enum runtime_status
runtime_program_run(const struct runtime_program *program,
                    struct runtime_program_result *result,
                    struct runtime_error *err)
{
    struct running running = {.program = program};
    struct gvm_func_type type;

    *result = (struct runtime_program_result){0};
    enum runtime_status status = prepare(&running, &type, err);
    if (status == RUNTIME_OK) {
        status = run(&running, &type, result, err);
        result->fuel_used = runtime__faaslet_fuel_used(running.faaslet);
        result->exit_code = running.faaslet->wasi.exit_code;
        if (status == RUNTIME_EXITED && result->exit_code == 0)
            status = RUNTIME_OK;
    }
    deinit(&running);
    return status;
}

void
runtime_program_result_deinit(struct runtime_program_result *result)
{
    free(result->values);
    *result = (struct runtime_program_result){0};
}
