/* check_program.c - tests of runtime/program.c, by guests/wasi.c. */
#include "runtime/program.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* What the streams of a test read and have written. */
struct console {
    const char *input;
    char output[4096];
    size_t output_bytes;
    char errors[4096];
    size_t errors_bytes;
    size_t piece_bytes; /* at most so many at once; 0: all */
    int error;          /* every stream answers with it, unless 0 */
};

static size_t
piece(const struct console *console, size_t bytes)
{
    return console->piece_bytes && bytes > console->piece_bytes
               ? console->piece_bytes
               : bytes;
}

static ptrdiff_t
read_input(void *data, void *buffer, size_t capacity_bytes)
{
    struct console *console = data;
    size_t count = piece(console, strlen(console->input));

    if (console->error)
        return -console->error;
    if (count > capacity_bytes)
        count = capacity_bytes;
    memcpy(buffer, console->input, count);
    console->input += count;
    return (ptrdiff_t)count;
}

static ptrdiff_t
write_output(void *data, const void *bytes, size_t length_bytes)
{
    struct console *console = data;
    size_t count = piece(console, length_bytes);

    if (console->error)
        return -console->error;
    ck_assert_uint_le(console->output_bytes + count,
                      sizeof(console->output));
    memcpy(console->output + console->output_bytes, bytes, count);
    console->output_bytes += count;
    return (ptrdiff_t)count;
}

static ptrdiff_t
write_error(void *data, const void *bytes, size_t length_bytes)
{
    struct console *console = data;

    memcpy(console->errors + console->errors_bytes, bytes, length_bytes);
    console->errors_bytes += length_bytes;
    return (ptrdiff_t)length_bytes;
}

static uint8_t *module;
static size_t module_bytes;
static struct runtime_error err;

static void
read_module(void)
{
    module = world_guest("wasi", &module_bytes);
}

static void
free_module(void)
{
    free(module);
}

/* The guest with up to two arguments, on the console. */
static struct runtime_program
program_of(struct console *console, const char *const *arguments,
           size_t count)
{
    return (struct runtime_program){
        .module = module,
        .module_bytes = module_bytes,
        .arguments = arguments,
        .argument_count = count,
        .streams = {console, read_input, write_output, write_error, 0, 0},
    };
}

static int32_t
run_mode(struct console *console, const char *mode,
         enum runtime_status expected)
{
    const char *arguments[] = {"wasi", mode};
    struct runtime_program program = program_of(console, arguments, 2);
    struct runtime_program_result result;
    enum runtime_status status = runtime_program_run(&program, &result, &err);

    ck_assert_msg(status == expected, "%s: %s", runtime_status_name(status),
                  err.message);
    int32_t code = result.exit_code;
    runtime_program_result_deinit(&result);
    return code;
}

static const char *const modes[] = {"clocks", "random", "descriptors"};

START_TEST(a_program_finds_what_it_expects)
{
    struct console console = {.input = ""};

    ck_assert_int_eq(run_mode(&console, modes[_i], RUNTIME_OK), 0);
}
END_TEST

START_TEST(arguments_arrive_as_they_are)
{
    static const char *const arguments[] = {"wasi", "arguments", "", "a b",
                                            "\xc3\xa4"};
    struct console console = {.input = ""};
    struct runtime_program program = program_of(&console, arguments, 5);
    struct runtime_program_result result;

    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    ck_assert_str_eq(console.output, "[wasi][arguments][][a b][\xc3\xa4]");
    ck_assert_uint_gt(result.fuel_used, 0);
    runtime_program_result_deinit(&result);
}
END_TEST

START_TEST(the_environment_is_what_was_given_and_nothing_else)
{
    static const struct runtime_variable variables[] = {
        {"MODE", "environment"}, {"EMPTY", ""}};
    static const char *const arguments[] = {"wasi"};
    struct console console = {.input = ""};
    struct runtime_program program = program_of(&console, arguments, 1);
    struct runtime_program_result result;

    program.variables = variables;
    program.variable_count = 2;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    ck_assert_str_eq(console.output, "[MODE=environment][EMPTY=]");
    runtime_program_result_deinit(&result);
}
END_TEST

START_TEST(streams_may_move_bytes_one_by_one)
{
    struct console console = {.input = "a few bytes", .piece_bytes = 1};

    run_mode(&console, "copy", RUNTIME_OK);
    ck_assert_str_eq(console.output, "a few bytes");
}
END_TEST

START_TEST(an_error_of_a_stream_is_the_programs)
{
    struct console console = {.input = "x", .error = EIO};

    ck_assert_int_eq(run_mode(&console, "copy", RUNTIME_EXITED), 1);
}
END_TEST

START_TEST(stderr_is_a_stream_of_its_own)
{
    struct console console = {.input = ""};

    run_mode(&console, "error", RUNTIME_OK);
    ck_assert_str_eq(console.errors, "to stderr\n");
    ck_assert_uint_eq(console.output_bytes, 0);
}
END_TEST

START_TEST(streams_that_are_null_are_empty_and_go_nowhere)
{
    const char *arguments[] = {"wasi", "copy"};
    struct runtime_program program = program_of(NULL, arguments, 2);
    struct runtime_program_result result;

    program.streams = (struct runtime_streams){0};
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    arguments[1] = "arguments";
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
}
END_TEST

START_TEST(terminals_are_those_that_were_said_to_be)
{
    const char *arguments[] = {"wasi", "terminals"};
    struct console console = {.input = ""};

    for (unsigned terminals = 0; terminals < 8; terminals++) {
        struct runtime_program program = program_of(&console, arguments, 2);
        struct runtime_program_result result;
        program.streams.terminals = terminals;
        ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                         RUNTIME_EXITED);
        ck_assert_int_eq(result.exit_code, 10 + (int)terminals);
    }
}
END_TEST

static const struct {
    const char *code;
    enum runtime_status status;
    int32_t exit_code;
} codes[] = {
    {"0", RUNTIME_OK, 0},
    {"1", RUNTIME_EXITED, 1},
    {"134", RUNTIME_EXITED, 134},
    {"-1", RUNTIME_EXITED, -1},
};

START_TEST(the_exit_code_comes_out)
{
    const char *arguments[] = {"wasi", "exit", codes[_i].code};
    struct console console = {.input = ""};
    struct runtime_program program = program_of(&console, arguments, 3);
    struct runtime_program_result result;

    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     codes[_i].status);
    ck_assert_int_eq(result.exit_code, codes[_i].exit_code);
}
END_TEST

START_TEST(an_abort_is_a_trap)
{
    struct console console = {.input = ""};

    run_mode(&console, "abort", RUNTIME_TRAP);
    ck_assert_str_eq(err.trap, "unreachable");
    ck_assert_uint_ne(err.function, RUNTIME_NO_FUNCTION);
}
END_TEST

START_TEST(bounds_are_checked_either_way)
{
    static const enum runtime_bounds bounds[] = {RUNTIME_BOUNDS_EXPLICIT,
                                                 RUNTIME_BOUNDS_DEFAULT};
    const char *arguments[] = {"wasi", "copy"};

    for (size_t i = 0; i < 2; i++) {
        struct console console = {.input = "text"};
        struct runtime_program program = program_of(&console, arguments, 2);
        struct runtime_program_result result;
        program.bounds = bounds[i];
        ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                         RUNTIME_OK);
        ck_assert_str_eq(console.output, "text");
    }
}
END_TEST

START_TEST(fuel_and_time_end_a_program)
{
    struct module_builder *builder = module_builder_create();
    uint32_t start = module_builder_func(
        builder, ":", "", BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x0b));
    struct runtime_program program = {.fuel = 1000};
    struct runtime_program_result result;

    module_builder_export(builder, "_start", GVM_EXTERN_FUNC, start);
    program.module = module_builder_finish(builder, &program.module_bytes);
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OUT_OF_FUEL);
    ck_assert_uint_le(result.fuel_used, 1000);
    program.fuel = 0;
    program.timeout_ms = 20;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_TIMEOUT);
    program.timeout_ms = RUNTIME_TIMEOUT_MS_CEILING + 1ull;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_INVALID);
    module_builder_destroy(builder);
}
END_TEST

START_TEST(an_export_is_run_with_numbers)
{
    static const char *const texts[] = {"40", "2"};
    struct module_builder *builder = module_builder_create();
    uint32_t add = module_builder_func(builder, "ii:i", "",
                                       BYTES(0x20, 0, 0x20, 1, 0x6a, 0x0b));
    struct runtime_program program = {
        .export_name = "add", .arguments = texts, .argument_count = 2};
    struct runtime_program_result result;

    module_builder_export(builder, "add", GVM_EXTERN_FUNC, add);
    program.module = module_builder_finish(builder, &program.module_bytes);
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    ck_assert_uint_eq(result.value_count, 1);
    ck_assert_str_eq(result.values[0].text, "42");
    runtime_program_result_deinit(&result);
    program.argument_count = 1;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_INVALID);
    program.export_name = "sub";
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_NOT_FOUND);
    program.export_name = NULL;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_NOT_FOUND);
    ck_assert_ptr_nonnull(strstr(err.message, "'_start'"));
    module_builder_destroy(builder);
}
END_TEST

START_TEST(what_is_no_program_is_refused)
{
    struct runtime_program program = {.module = (const uint8_t *)"no",
                                      .module_bytes = 2};
    struct runtime_program_result result;

    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_MALFORMED);
    program.module = world_guest("counter", &program.module_bytes);
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_UNLINKABLE);
    ck_assert_ptr_nonnull(strstr(err.message, "glass."));
    free((void *)(uintptr_t)program.module);
}
END_TEST

START_TEST(arguments_hold_as_much_as_their_limit)
{
    /* "wasi", "copy" and one that fills the rest, with a zero each. */
    size_t rest_bytes = RUNTIME_ARGUMENTS_BYTES_MAX - 5 - 5 - 1;
    char *rest = malloc(rest_bytes + 2);
    const char *arguments[] = {"wasi", "copy", rest};
    struct console console = {.input = ""};
    struct runtime_program program = program_of(&console, arguments, 3);
    struct runtime_program_result result;

    memset(rest, 'x', rest_bytes + 1);
    rest[rest_bytes + 1] = '\0';
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_LIMIT);
    rest[rest_bytes] = '\0';
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    free(rest);

    const char **many =
        calloc(RUNTIME_ARGUMENTS_MAX + 1, sizeof(const char *));
    for (size_t i = 0; i <= RUNTIME_ARGUMENTS_MAX; i++)
        many[i] = i == 1 ? "copy" : "";
    program.arguments = many;
    program.argument_count = RUNTIME_ARGUMENTS_MAX;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_OK);
    program.argument_count++;
    ck_assert_int_eq(runtime_program_run(&program, &result, &err),
                     RUNTIME_LIMIT);
    free(many);
}
END_TEST

/* How a program ends that is given directories: `count` of them, or one. */
static enum runtime_status
run_in(const char *host, size_t count)
{
    static struct runtime_directory given[RUNTIME_DIRECTORIES_MAX + 1];
    const char *arguments[] = {"wasi", "descriptors"};
    struct console console = {.input = ""};
    struct runtime_program program = program_of(&console, arguments, 2);
    struct runtime_program_result result;

    for (size_t i = 0; i < count; i++)
        given[i] = (struct runtime_directory){host, "/", false};
    program.directories = given;
    program.directory_count = count;
    enum runtime_status status = runtime_program_run(&program, &result, &err);
    runtime_program_result_deinit(&result);
    return status;
}

START_TEST(directories_are_given_up_to_a_limit)
{
    ck_assert_int_eq(run_in(".", 0), RUNTIME_OK);
    ck_assert_int_eq(run_in(".", 1), RUNTIME_OK);
    /* The guest expects that there is no descriptor 7. */
    ck_assert_int_eq(run_in(".", RUNTIME_DIRECTORIES_MAX), RUNTIME_EXITED);
    ck_assert_int_eq(run_in(".", RUNTIME_DIRECTORIES_MAX + 1),
                     RUNTIME_LIMIT);
    ck_assert_int_eq(run_in("nothing", 1), RUNTIME_SYSTEM);
    ck_assert_ptr_nonnull(strstr(err.message, "nothing"));
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, read_module, free_module);
    tcase_add_loop_test(tests, a_program_finds_what_it_expects, 0,
                        sizeof(modes) / sizeof(modes[0]));
    tcase_add_test(tests, arguments_arrive_as_they_are);
    tcase_add_test(tests,
                   the_environment_is_what_was_given_and_nothing_else);
    tcase_add_test(tests, streams_may_move_bytes_one_by_one);
    tcase_add_test(tests, an_error_of_a_stream_is_the_programs);
    tcase_add_test(tests, stderr_is_a_stream_of_its_own);
    tcase_add_test(tests, streams_that_are_null_are_empty_and_go_nowhere);
    tcase_add_test(tests, terminals_are_those_that_were_said_to_be);
    tcase_add_loop_test(tests, the_exit_code_comes_out, 0,
                        sizeof(codes) / sizeof(codes[0]));
    tcase_add_test(tests, an_abort_is_a_trap);
    tcase_add_test(tests, bounds_are_checked_either_way);
    tcase_add_test(tests, fuel_and_time_end_a_program);
    tcase_add_test(tests, an_export_is_run_with_numbers);
    tcase_add_test(tests, what_is_no_program_is_refused);
    tcase_add_test(tests, arguments_hold_as_much_as_their_limit);
    tcase_add_test(tests, directories_are_given_up_to_a_limit);
}

WORLD_MAIN("program", add_tests)
