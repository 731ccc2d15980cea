/*
 * glass run: a module as a program of its own, with nothing but WASI.
 *
 * The program's streams are those of this process, without a buffer between:
 * what it writes is there when it traps, and what it does not read is left for
 * whoever reads next. So nothing is printed to stdout before it has ended.
 */
#include "cli/command.h"

#include "cli/dispatches.h"
#include "cli/file.h"
#include "runtime/program.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RUN_OPTIONS(X, H)                                                     \
    X(H, TEXT, invoke, "invoke", "EXPORT",                                    \
      "call this function with the words after FILE")                         \
    X(H, LIST, env, "env", "NAME=VALUE",                                      \
      "a variable of the environment; may be repeated")                       \
    X(H, LIST, dir, "dir", "HOST[::GUEST]",                                   \
      "give this directory, under this name; may be repeated")                \
    X(H, LIST, dir_read, "dir-read", "HOST[::GUEST]",                         \
      "the same, and nothing in it can be changed")                           \
    X(H, NUMBER, fuel, "fuel", "COUNT",                                       \
      "stop after this many instructions; no limit")                          \
    X(H, DURATION, timeout, "timeout", "DURATION",                            \
      "stop after this time; no limit")                                       \
    X(H, SIZE, memory_max, "memory-max", "BYTES",                             \
      "all of its linear memory; 256M")                                       \
    X(H, FLAG, json, "json", NULL, "print results and failures as JSON")      \
    DISPATCHES_OPTIONS(X, H)

struct run_options {
    RUN_OPTIONS(OPTION_MEMBER, _)
};

static const struct option options[] = {
    RUN_OPTIONS(OPTION_ROW, struct run_options)
};

/* What a program that was stopped ends with, as with timeout(1). */
#define EXIT_STOPPED 124

/* A copy of the first bytes of a text, to be freed; there is one. */
static char *
copy_text(const char *text, size_t length_bytes)
{
    char *copy = strndup(text, length_bytes);

    if (!copy) {
        fputs("glass run: out of memory\n", stderr);
        exit(EXIT_FAILED);
    }
    return copy;
}

/*
 * Splits `NAME=VALUE` words; `copies` keeps the names and is to be freed, as
 * is `variables`. Returns the word that is none, or null.
 */
static const char *
split_variables(const struct words *words, struct runtime_variable *variables,
                char **copies)
{
    for (size_t index = 0; index < words->count; index++) {
        const char *equals = strchr(words->items[index], '=');
        if (!equals || equals == words->items[index])
            return words->items[index];
        copies[index] =
            copy_text(words->items[index], strlen(words->items[index]));
        char *value = copies[index] + (equals - words->items[index]);
        *value = '\0';
        variables[index] = (struct runtime_variable){copies[index], value + 1};
    }
    return NULL;
}

/*
 * Splits `HOST[::GUEST]` words and adds them to the program's directories.
 * Copies keep the names and are to be freed. Returns the word that is none, or
 * null.
 */
static const char *
split_directories(const struct words *words, bool read_only,
                  struct runtime_directory *directories, char **copies,
                  size_t *count)
{
    for (size_t index = 0; index < words->count; index++) {
        size_t host_bytes;
        const char *guest =
            options_split_directory(words->items[index], &host_bytes);
        if (!guest)
            return words->items[index];
        char *host = copy_text(words->items[index], host_bytes);
        copies[*count] = host;
        directories[*count] =
            (struct runtime_directory){host, guest, read_only};
        ++*count;
    }
    return NULL;
}

/* Prints what an export returned: a line each, or one JSON object. */
static void
print_results(const struct runtime_program_result *result, bool json)
{
    if (!json) {
        for (size_t index = 0; index < result->value_count; index++)
            printf("%s\n", result->values[index].text);
        return;
    }
    printf("{\"results\":[");
    for (size_t index = 0; index < result->value_count; index++) {
        const struct runtime_value *value = &result->values[index];
        /* JSON has no word for what is not finite. */
        bool quoted = value->type[0] == 'f' &&
                      !isfinite(strtod(value->text, NULL));
        printf(quoted ? "%s\"%s\"" : "%s%s", index > 0 ? "," : "",
               value->text);
    }
    printf("],\"fuel_used\":%" PRIu64 "}\n", result->fuel_used);
}

/* A text in quotation marks, as JSON has it. Bytes above 0x7f are taken for
 * UTF-8, which names of modules are. */
static void
print_json_text(const char *text)
{
    fputc('"', stderr);
    for (; *text; text++) {
        if (*text == '"' || *text == '\\')
            fprintf(stderr, "\\%c", *text);
        else if ((unsigned char)*text < 0x20)
            fprintf(stderr, "\\u%04x", (unsigned)*text);
        else
            fputc(*text, stderr);
    }
    fputc('"', stderr);
}

/* Says on stderr why it ended, for machines. */
static void
print_failure_json(const struct runtime_error *err)
{
    fprintf(stderr, "{\"status\":");
    print_json_text(runtime_status_name(err->status));
    fprintf(stderr, ",\"message\":");
    print_json_text(err->message);
    if (err->trap) {
        fprintf(stderr, ",\"trap\":");
        print_json_text(err->trap);
    }
    if (err->function != RUNTIME_NO_FUNCTION)
        fprintf(stderr, ",\"function_index\":%" PRIu32, err->function);
    if (err->offset != RUNTIME_NO_OFFSET)
        fprintf(stderr, ",\"offset\":%" PRIu64, err->offset);
    fprintf(stderr, "}\n");
}

/* The same in one line for people. */
static void
print_failure(const struct runtime_error *err)
{
    fprintf(stderr, "glass run: %s", runtime_status_text(err->status));
    if (err->trap && !strstr(err->message, err->trap))
        fprintf(stderr, ": %s", err->trap);
    if (*err->message)
        fprintf(stderr, ": %s", err->message);
    /* Most messages say where it was. */
    if (err->offset != RUNTIME_NO_OFFSET && !strstr(err->message, "offset"))
        fprintf(stderr, " at offset 0x%" PRIx64, err->offset);
    fprintf(stderr, "\n");
}

/* How the process ends: as the program did, or as a shell would say it. */
static int
exit_code_of(enum runtime_status status,
             const struct runtime_program_result *result)
{
    switch (status) {
    case RUNTIME_OK:
        return EXIT_DONE;
    case RUNTIME_EXITED:
        return result->exit_code;
    case RUNTIME_TRAP:
    case RUNTIME_EXHAUSTED:
        return EXIT_TRAP;
    case RUNTIME_OUT_OF_FUEL:
    case RUNTIME_TIMEOUT:
        return EXIT_STOPPED;
    default:
        return EXIT_FAILED;
    }
}

/* Runs it and prints its results or its failure; returns the exit code. */
static int
run_program(const struct runtime_program *program,
            const struct run_options *values)
{
    bool json = values->json;
    struct runtime_program_result result;
    struct runtime_error err;

    enum runtime_status status = runtime_program_run(program, &result, &err);
    int code = exit_code_of(status, &result);
    if (status == RUNTIME_OK && program->export_name)
        print_results(&result, json);
    else if (status != RUNTIME_OK && status != RUNTIME_EXITED && json)
        print_failure_json(&err);
    else if (status != RUNTIME_OK && status != RUNTIME_EXITED)
        print_failure(&err);
#ifdef GVM_COUNT_DISPATCHES
    if (values->dispatches > 0)
        dispatches_print(result.fuel_used, values->dispatches);
#endif
    runtime_program_result_deinit(&result);
    return code;
}

/* The directories of the options, then as the others. */
static int
run_in_directories(const struct run_options *values,
                   struct runtime_program *program)
{
    static struct runtime_directory directories[2 * CLI_WORDS_MAX];
    static char *copies[2 * CLI_WORDS_MAX];
    int status = EXIT_USAGE;

    const char *bad =
        split_directories(&values->dir, false, directories, copies,
                          &program->directory_count);
    if (!bad)
        bad = split_directories(&values->dir_read, true, directories, copies,
                                &program->directory_count);
    program->directories = directories;
    if (bad)
        command_usage(&cmd_run, "'%s' is no HOST[::GUEST]", bad);
    else
        status = run_program(program, values);
    for (size_t index = 0; index < program->directory_count; index++)
        free(copies[index]);
    return status;
}

/* Runs the module with the words that are its own. */
static int
run_file(const struct run_options *values, const struct words *words,
         struct words *rest, struct runtime_program *program)
{
    static struct runtime_variable variables[CLI_WORDS_MAX];
    static char *copies[CLI_WORDS_MAX];
    static struct words own;
    int status = EXIT_USAGE;

    /* A program's first argument is its name; a function has none. */
    if (!values->invoke)
        own.items[own.count++] = words->items[0];
    for (size_t index = 1; index < words->count; index++)
        own.items[own.count++] = words->items[index];
    for (size_t index = 0; index < rest->count && own.count < CLI_WORDS_MAX;
         index++)
        own.items[own.count++] = rest->items[index];
    program->arguments = own.items;
    program->argument_count = own.count;
    program->variables = variables;
    program->variable_count = values->env.count;

    const char *bad = split_variables(&values->env, variables, copies);
    if (bad)
        command_usage(&cmd_run, "--env '%s' is no NAME=VALUE", bad);
    else
        status = run_in_directories(values, program);
    for (size_t index = 0; index < values->env.count; index++)
        free(copies[index]);
    return status;
}

static int
run(char **arguments)
{
    static struct run_options values;
    static struct words words;
    static struct words rest;
    size_t length;

    if (!options_parse("run", options, cmd_run.option_count, arguments,
                       &values, &words, &rest))
        return EXIT_USAGE;
    if (words.count == 0)
        return command_usage(&cmd_run, "which FILE?");
    if (words.count > 1 && !values.invoke)
        return command_usage(&cmd_run,
                             "arguments of the program come after '--'");
    unsigned char *module = file_read(words.items[0], &length);
    if (!module)
        return command_fail(&cmd_run, "%s: %s", words.items[0],
                            strerror(errno));
    struct runtime_program program = {
        .module = module,
        .module_bytes = length,
        .export_name = values.invoke,
        .timeout_ms = values.timeout,
        .fuel = values.fuel,
        .memory_bytes = values.memory_max,
    };
    runtime_streams_standard(&program.streams);
    int status = run_file(&values, &words, &rest, &program);
    free(module);
    return status;
}

const struct command cmd_run = {
    .name = "run",
    .synopsis = "FILE.wasm [OPTION...] [--invoke EXPORT ARGUMENT...] "
                "[-- ARGUMENT...]",
    .summary = "Runs a WASI program, or calls an exported function",
    .details =
        "The program has the streams of this process and the arguments after\n"
        "`--`; its exit code becomes that of this command. A trap prints its\n"
        "kind, function and offset and exits with 134, fuel or time that is\n"
        "used up with 124.\n",
    .example = "  $ glass run wordcount.wasm < README.md\n"
               "  $ glass run sort.wasm --dir in --dir out::/out -- in/a\n"
               "  $ glass run math.wasm --invoke add 2 3\n"
               "  5\n",
    .options = options,
    .option_count = sizeof(options) / sizeof(*options),
    .run = run,
};
