/* check_call.c - tests of runtime/call.c. */
#include "tests/runtime/one_world.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void
reopen(const struct runtime_options *options)
{
    world_close(&world);
    world_open(&world, options);
}

START_TEST(input_goes_in_and_output_comes_out)
{
    world_deploy_guest(&world, "echo");
    struct runtime_call *call = world_call(&world, "echo", "one ");
    ck_assert_int_eq(runtime_call_input_append(call, "two", 3, NULL),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_call_input_append(call, NULL, 0, NULL),
                     RUNTIME_OK);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_uint_eq(result->output_bytes, 7);
    ck_assert_mem_eq(result->output, "one two", 7);
    ck_assert_int_eq(result->error.status, RUNTIME_OK);
    ck_assert_str_eq(result->error.message, "");
    ck_assert_uint_gt(result->fuel_used, 0);
    ck_assert_uint_ge(result->memory_bytes, 65536);
    ck_assert_uint_gt(result->init_ns, 0);
    ck_assert_uint_gt(result->run_ns, 0);
    ck_assert_uint_eq(result->value_count, 0);
    ck_assert_ptr_nonnull(result->log);
    runtime_call_destroy(call);
    runtime_call_destroy(NULL);
    call = world_call(&world, "echo", "");
    ck_assert_ptr_nonnull(world_start(call, RUNTIME_OK)->output);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_id_is_32_digits_and_no_other_calls)
{
    world_deploy_guest(&world, "hello");
    struct runtime_call *a = world_call(&world, "hello", "");
    struct runtime_call *b = world_call(&world, "hello", "");
    ck_assert_uint_eq(strlen(runtime_call_id(a)), RUNTIME_CALL_ID_SIZE - 1);
    ck_assert_uint_eq(strspn(runtime_call_id(a), "0123456789abcdef"),
                      RUNTIME_CALL_ID_SIZE - 1);
    ck_assert_str_ne(runtime_call_id(a), runtime_call_id(b));
    runtime_call_destroy(a);
    runtime_call_destroy(b);
}
END_TEST

START_TEST(a_call_of_nothing_is_not_found_and_of_no_name_invalid)
{
    struct runtime_call *call = NULL;

    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "f", &call,
                                         &world.err),
                     RUNTIME_NOT_FOUND);
    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "F", &call,
                                         &world.err),
                     RUNTIME_INVALID);
    ck_assert_int_eq(
        runtime_call_create(world.runtime, NULL, "f", &call, &world.err),
        RUNTIME_INVALID);
    ck_assert_ptr_null(call);
}
END_TEST

START_TEST(the_input_holds_as_much_as_its_limit)
{
    struct runtime_options options = {.input_bytes_max = 8};

    reopen(&options);
    world_deploy_guest(&world, "echo");
    struct runtime_call *call = world_call(&world, "echo", "1234");
    ck_assert_int_eq(runtime_call_input_append(call, "56789", 5, &world.err),
                     RUNTIME_TOO_BIG);
    ck_assert_int_eq(runtime_call_input_append(call, "5678", 4, &world.err),
                     RUNTIME_OK);
    ck_assert_int_eq(runtime_call_input_append(call, "9", 1, &world.err),
                     RUNTIME_TOO_BIG);
    ck_assert_int_eq(
        runtime_call_input_append(call, "9", SIZE_MAX, &world.err),
        RUNTIME_TOO_BIG);
    ck_assert_uint_eq(world_start(call, RUNTIME_OK)->output_bytes, 8);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(there_are_as_many_calls_as_the_limit)
{
    struct runtime_options options = {.calls_max = 2};
    struct runtime_call *third = NULL;
    struct runtime_statistics statistics;

    reopen(&options);
    world_deploy_guest(&world, "hello");
    struct runtime_call *first = world_call(&world, "hello", "");
    struct runtime_call *second = world_call(&world, "hello", "");
    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "hello",
                                         &third, &world.err),
                     RUNTIME_BUSY);
    ck_assert_str_eq(world.err.limit, "calls");
    ck_assert_ptr_null(third);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.call_count, 2);
    runtime_call_destroy(first);
    third = world_call(&world, "hello", "");
    world_start(third, RUNTIME_OK);
    runtime_call_destroy(second);
    runtime_call_destroy(third);
    runtime_statistics(world.runtime, &statistics);
    ck_assert_uint_eq(statistics.call_count, 0);
    ck_assert_uint_eq(statistics.started_count, 1);
}
END_TEST

START_TEST(a_namespace_leaves_room_for_others)
{
    struct runtime_options options = {.calls_max = 4};
    struct runtime_call *calls[3];
    struct runtime_call *more = NULL;
    size_t length_bytes;
    uint8_t *module = world_guest("hello", &length_bytes);
    struct runtime_deployment deployment = {
        .namespace_ = "other",
        .name = "hello",
        .module = module,
        .module_bytes = length_bytes,
    };

    reopen(&options);
    world_deploy_guest(&world, "hello");
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    free(module);
    for (int i = 0; i < 3; i++)
        calls[i] = world_call(&world, "hello", "");
    ck_assert_int_eq(runtime_call_create(world.runtime, "default", "hello",
                                         &more, &world.err),
                     RUNTIME_BUSY);
    ck_assert_str_eq(world.err.limit, "namespace-calls");
    ck_assert_str_eq(world.err.message,
                     "the namespace has 3 calls already");
    ck_assert_int_eq(runtime_call_create(world.runtime, "other", "hello",
                                         &more, &world.err),
                     RUNTIME_OK);
    runtime_call_destroy(more);
    runtime_call_destroy(calls[0]);
    calls[0] = world_call(&world, "hello", "");
    for (int i = 0; i < 3; i++)
        runtime_call_destroy(calls[i]);
}
END_TEST

/* ---- How a call ends ---------------------------------------------------- */

static const struct {
    const char *name;
    uint8_t body[16];
    size_t body_bytes;
    enum runtime_status status;
    const char *trap;
    const char *message;
} ends[] = {
    {"zero", {0x41, 0, 0x0b}, 3, RUNTIME_OK, NULL, ""},
    {"code", {0x41, 5, 0x0b}, 3, RUNTIME_FAILED, NULL, "with the code 5"},
    {"negative", {0x41, 0x7f, 0x0b}, 3, RUNTIME_FAILED, NULL,
     "with the code -1"},
    {"unreachable", {0x00, 0x0b}, 2, RUNTIME_TRAP, "unreachable",
     "unreachable"},
    {"division", {0x41, 1, 0x41, 0, 0x6d, 0x0b}, 6, RUNTIME_TRAP,
     "integer divide by zero", "integer divide by zero"},
    /* i32.load past the one page that there is */
    {"memory", {0x41, 0x7f, 0x28, 2, 0, 0x0b}, 6, RUNTIME_TRAP,
     "out of bounds memory access", "out of bounds memory access"},
    /* calls itself for ever */
    {"recursion", {0x10, 0, 0x0b}, 3, RUNTIME_EXHAUSTED, NULL, "exhausted"},
    /* loop br 0 end unreachable */
    {"loop", {0x03, 0x40, 0x0c, 0, 0x0b, 0x00, 0x0b}, 7, RUNTIME_OUT_OF_FUEL,
     NULL, "fuel of 5000000 is used up"},
};

START_TEST(every_end_has_its_status)
{
    struct runtime_options options = {.fuel = 5000000};

    reopen(&options);
    world_deploy_built(&world, "f",
                       world_handler("", ends[_i].body, ends[_i].body_bytes));
    struct runtime_call *call = world_call(&world, "f", "");
    const struct runtime_result *result = world_start(call, ends[_i].status);
    ck_assert_int_eq(result->error.status, ends[_i].status);
    if (ends[_i].trap) {
        ck_assert_str_eq(result->error.trap, ends[_i].trap);
        ck_assert_uint_eq(result->error.function, 0);
        ck_assert_uint_ne(result->error.offset, RUNTIME_NO_OFFSET);
    } else {
        ck_assert_ptr_null(result->error.trap);
    }
    ck_assert_msg(strstr(result->error.message, ends[_i].message) != NULL,
                  "%s", result->error.message);
    ck_assert_uint_le(result->fuel_used, 5000000);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_trap_names_the_function_and_the_offset)
{
    world_deploy_guest(&world, "trap");
    struct runtime_call *call = world_call(&world, "trap", "");
    const struct runtime_result *result = world_start(call, RUNTIME_TRAP);
    ck_assert_str_eq(result->error.trap, "unreachable");
    ck_assert_ptr_nonnull(strstr(result->error.message, "give_up"));
    ck_assert_ptr_nonnull(strstr(result->error.message, "0x"));
    ck_assert_uint_ne(result->error.function, RUNTIME_NO_FUNCTION);
    ck_assert_uint_gt(result->error.offset, 8);
    /* What was written until then is there, for whom it may concern. */
    ck_assert_uint_gt(result->output_bytes, 0);
    runtime_call_destroy(call);
}
END_TEST

/* loop br 0 end: until something stops it */
#define FOR_EVER BYTES(0x03, 0x40, 0x0c, 0, 0x0b, 0x00, 0x0b)

START_TEST(a_deadline_ends_a_loop)
{
    struct timespec begin, end;

    world_deploy_built(&world, "f", world_handler("", FOR_EVER));
    clock_gettime(CLOCK_MONOTONIC, &begin);
    struct runtime_call *call = world_call(&world, "f", "");
    runtime_call_set_timeout_ms(call, 20);
    const struct runtime_result *result = world_start(call, RUNTIME_TIMEOUT);
    clock_gettime(CLOCK_MONOTONIC, &end);
    /* Since it was made: on a busy machine it may not even have begun. */
    ck_assert_int_ge((end.tv_sec - begin.tv_sec) * 1000000000 + end.tv_nsec -
                         begin.tv_nsec,
                     20000000);
    ck_assert_ptr_nonnull(strstr(result->error.message, "deadline"));
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_configuration_lowers_and_raises_limits_and_a_call_lowers_them)
{
    struct runtime_options options = {.fuel = 1000, .timeout_ms = 3600000};
    struct runtime_config config = {.fuel = 2000};
    static const uint64_t of_call[] = {0, 500, 3000};
    static const uint64_t expected[] = {2000, 500, 2000};
    size_t length_bytes;

    reopen(&options);
    struct module_builder *builder = world_handler("", FOR_EVER);
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);
    struct runtime_deployment deployment = {
        "default", "f", bytes, length_bytes, &config, RUNTIME_ALWAYS, NULL};
    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    for (size_t i = 0; i < 3; i++) {
        struct runtime_call *call = world_call(&world, "f", "");
        runtime_call_set_fuel(call, of_call[i]);
        const struct runtime_result *result =
            world_start(call, RUNTIME_OUT_OF_FUEL);
        ck_assert_uint_le(result->fuel_used, expected[i]);
        ck_assert_uint_gt(result->fuel_used, expected[i] - 10);
        runtime_call_destroy(call);
    }
    module_builder_destroy(builder);
}
END_TEST

START_TEST(fuel_that_is_enough_is_enough)
{
    uint64_t needed;

    world_deploy_guest(&world, "hello");
    struct runtime_call *call = world_call(&world, "hello", "");
    needed = world_start(call, RUNTIME_OK)->fuel_used;
    runtime_call_destroy(call);
    call = world_call(&world, "hello", "");
    runtime_call_set_fuel(call, needed);
    ck_assert_uint_eq(world_start(call, RUNTIME_OK)->fuel_used, needed);
    runtime_call_destroy(call);
    call = world_call(&world, "hello", "");
    runtime_call_set_fuel(call, needed - 1);
    world_start(call, RUNTIME_OUT_OF_FUEL);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_call_that_needs_many_slices_counts_them_all)
{
    /* local 0 = 1000000; loop local 0 -= 1; br_if 0 end; 0 */
    world_deploy_built(
        &world, "f",
        world_handler("i", BYTES(0x41, 0xc0, 0x84, 0x3d, 0x21, 0, 0x03, 0x40,
                                 0x20, 0, 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0,
                                 0x0b, 0x41, 0, 0x0b)));
    struct runtime_call *call = world_call(&world, "f", "");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    /* Five instructions a round, in more than one slice. */
    ck_assert_uint_ge(result->fuel_used, 5000000);
    ck_assert_uint_le(result->fuel_used, 6000100);
    ck_assert_uint_gt(result->fuel_used, 2 * RUNTIME_SLICE_FUEL);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(nothing_of_one_call_is_seen_by_the_next)
{
    /* Adds 1 to the word at 0 and returns it: a fresh one gives 1. */
    world_deploy_built(&world, "f",
                       world_handler("", BYTES(0x41, 0, 0x41, 0, 0x28, 2, 0,
                                               0x41, 1, 0x6a, 0x36, 2, 0,
                                               0x41, 0, 0x28, 2, 0, 0x0b)));
    for (int i = 0; i < 3; i++) {
        struct runtime_call *call = world_call(&world, "f", "");
        ck_assert_int_eq(world_start(call, RUNTIME_FAILED)->code, 1);
        runtime_call_destroy(call);
    }
}
END_TEST

/* ---- Plain exports ------------------------------------------------------ */

static void
deploy_numbers(void)
{
    struct module_builder *builder = module_builder_create();
    uint32_t add = module_builder_func(builder, "ii:i", "",
                                       BYTES(0x20, 0, 0x20, 1, 0x6a, 0x0b));
    uint32_t swap = module_builder_func(builder, "fl:lf", "",
                                        BYTES(0x20, 1, 0x20, 0, 0x0b));
    uint32_t nothing = module_builder_func(builder, ":", "", BYTES(0x0b));

    module_builder_export(builder, "add", GVM_EXTERN_FUNC, add);
    module_builder_export(builder, "swap", GVM_EXTERN_FUNC, swap);
    module_builder_export(builder, "nothing", GVM_EXTERN_FUNC, nothing);
    world_deploy_built(&world, "numbers", builder);
}

START_TEST(an_export_is_called_with_numbers)
{
    static const char *const texts[] = {"1.5", "-7"};

    deploy_numbers();
    ck_assert_str_eq(world_ask(&world, "numbers", "add", "2 3", RUNTIME_OK),
                     "5");
    ck_assert_str_eq(world_ask(&world, "numbers", "add", "0x7fffffff 1",
                               RUNTIME_OK),
                     "-2147483648");
    ck_assert_str_eq(world_ask(&world, "numbers", "nothing", "", RUNTIME_OK),
                     "");
    struct runtime_call *call = world_call(&world, "numbers", "");
    ck_assert_int_eq(
        runtime_call_set_export(call, "swap", texts, 2, &world.err),
        RUNTIME_OK);
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_uint_eq(result->value_count, 2);
    ck_assert_str_eq(result->values[0].type, "i64");
    ck_assert_str_eq(result->values[0].text, "-7");
    ck_assert_str_eq(result->values[1].type, "f32");
    ck_assert_str_eq(result->values[1].text, "1.5");
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_export_that_cannot_be_called_is_refused_before)
{
    static const char *const texts[] = {"1", "x"};
    char name[RUNTIME_EXPORT_NAME_BYTES_MAX + 2];

    deploy_numbers();
    struct runtime_call *call = world_call(&world, "numbers", "");
    ck_assert_int_eq(
        runtime_call_set_export(call, "sub", texts, 2, &world.err),
        RUNTIME_NOT_FOUND);
    ck_assert_int_eq(
        runtime_call_set_export(call, "add", texts, 1, &world.err),
        RUNTIME_INVALID);
    ck_assert_int_eq(
        runtime_call_set_export(call, "add", texts, 2, &world.err),
        RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(world.err.message, "argument 2"));
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    ck_assert_int_eq(
        runtime_call_set_export(call, name, texts, 2, &world.err),
        RUNTIME_NOT_FOUND);
    /* Plain exports have nothing that is meant when none is chosen. */
    world_start(call, RUNTIME_INVALID);
    runtime_call_destroy(call);
}
END_TEST

/* ---- Commands ----------------------------------------------------------- */

/* Deploys wasi.c with MODE and one variable more. */
static void
deploy_command(const char *mode)
{
    struct runtime_variable variables[] = {{"MODE", mode},
                                           {"HTTP_HOST", "mine"}};
    struct runtime_config config = {.variables = variables,
                                    .variable_count = 2};
    size_t length_bytes;
    uint8_t *bytes = world_guest("wasi", &length_bytes);
    struct runtime_deployment deployment = {
        "default", "wasi", bytes, length_bytes, &config, RUNTIME_ALWAYS, NULL};

    ck_assert_int_eq(runtime_function_deploy(world.runtime, &deployment, NULL,
                                             NULL, &world.err),
                     RUNTIME_OK);
    free(bytes);
}

static void
expect_output(const struct runtime_result *result, const char *expected)
{
    ck_assert_uint_eq(result->output_bytes, strlen(expected));
    ck_assert_mem_eq(result->output, expected, strlen(expected));
}

START_TEST(a_command_reads_the_input_and_writes_the_output)
{
    deploy_command("copy");
    struct runtime_call *call = world_call(&world, "wasi", "through\n");
    expect_output(world_start(call, RUNTIME_OK), "through\n");
    runtime_call_destroy(call);
    call = world_call(&world, "wasi", "");
    expect_output(world_start(call, RUNTIME_OK), "");
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_command_has_its_name_for_argument)
{
    deploy_command("arguments");
    struct runtime_call *call = world_call(&world, "wasi", "");
    expect_output(world_start(call, RUNTIME_OK), "[wasi]");
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_command_sees_its_configuration_before_the_request)
{
    static const struct runtime_header headers[] = {{"Host", "theirs"},
                                                    {"Accept", "*/*"}};
    static const struct runtime_request request = {
        .method = "POST",
        .path = "/p",
        .query = "q",
        .headers = headers,
        .header_count = 2,
    };

    deploy_command("environment");
    struct runtime_call *call = world_call(&world, "wasi", "12345");
    ck_assert_int_eq(runtime_call_set_request(call, &request, NULL),
                     RUNTIME_OK);
    /* The second one counts. */
    ck_assert_int_eq(runtime_call_set_request(call, &request, NULL),
                     RUNTIME_OK);
    expect_output(world_start(call, RUNTIME_OK),
                  "[MODE=environment][HTTP_HOST=mine]"
                  "[GATEWAY_INTERFACE=CGI/1.1][REQUEST_METHOD=POST]"
                  "[PATH_INFO=/p][QUERY_STRING=q][HTTP_HOST=theirs]"
                  "[HTTP_ACCEPT=*/*][CONTENT_LENGTH=5]");
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_exit_code_is_a_result)
{
    deploy_command("exit");
    struct runtime_call *call = world_call(&world, "wasi", "");
    const struct runtime_result *result = world_start(call, RUNTIME_EXITED);
    ck_assert_int_eq(result->code, 7);
    ck_assert_ptr_nonnull(strstr(result->error.message, "7"));
    runtime_call_destroy(call);
    deploy_command("exit-zero");
    call = world_call(&world, "wasi", "");
    ck_assert_int_eq(world_start(call, RUNTIME_OK)->code, 0);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(what_a_command_says_to_stderr_is_the_log)
{
    deploy_command("error");
    struct runtime_call *call = world_call(&world, "wasi", "");
    const struct runtime_result *result = world_start(call, RUNTIME_OK);
    ck_assert_uint_eq(result->log_bytes, 10);
    ck_assert_mem_eq(result->log, "to stderr\n", 10);
    ck_assert_uint_eq(result->output_bytes, 0);
    runtime_call_destroy(call);
}
END_TEST

START_TEST(a_command_that_writes_too_much_does_not_succeed)
{
    struct runtime_options options = {.output_bytes_max = 8};

    reopen(&options);
    deploy_command("copy");
    struct runtime_call *call = world_call(&world, "wasi", "12345678");
    expect_output(world_start(call, RUNTIME_OK), "12345678");
    runtime_call_destroy(call);
    /* The program sees the error too, and says so by its exit code. */
    call = world_call(&world, "wasi", "123456789");
    const struct runtime_result *result = world_start(call, RUNTIME_EXITED);
    ck_assert_uint_le(result->output_bytes, 8);
    runtime_call_destroy(call);
    /* One that does not look is told from one that wrote all. */
    deploy_command("arguments");
    reopen(&(struct runtime_options){.output_bytes_max = 3});
    deploy_command("arguments");
    call = world_call(&world, "wasi", "");
    result = world_start(call, RUNTIME_LIMIT);
    ck_assert_ptr_nonnull(strstr(result->error.message, "3 bytes"));
    runtime_call_destroy(call);
}
END_TEST

START_TEST(an_environment_that_is_too_long_is_a_limit)
{
    size_t value_bytes = RUNTIME_ENVIRONMENT_BYTES_MAX;
    char *value = malloc(value_bytes + 1);
    struct runtime_header header = {"Long", value};
    struct runtime_request request = {.headers = &header, .header_count = 1};

    memset(value, 'x', value_bytes);
    value[value_bytes] = '\0';
    deploy_command("copy");
    struct runtime_call *call = world_call(&world, "wasi", "");
    ck_assert_int_eq(runtime_call_set_request(call, &request, NULL),
                     RUNTIME_LIMIT);
    runtime_call_destroy(call);
    free(value);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_checked_fixture(tests, open_world, close_world);
    tcase_add_test(tests, a_namespace_leaves_room_for_others);
    tcase_add_test(tests, input_goes_in_and_output_comes_out);
    tcase_add_test(tests, an_id_is_32_digits_and_no_other_calls);
    tcase_add_test(tests,
                   a_call_of_nothing_is_not_found_and_of_no_name_invalid);
    tcase_add_test(tests, the_input_holds_as_much_as_its_limit);
    tcase_add_test(tests, there_are_as_many_calls_as_the_limit);
    tcase_add_loop_test(tests, every_end_has_its_status, 0,
                        sizeof(ends) / sizeof(ends[0]));
    tcase_add_test(tests, a_trap_names_the_function_and_the_offset);
    tcase_add_test(tests, a_deadline_ends_a_loop);
    tcase_add_test(
        tests,
        a_configuration_lowers_and_raises_limits_and_a_call_lowers_them);
    tcase_add_test(tests, fuel_that_is_enough_is_enough);
    tcase_add_test(tests, a_call_that_needs_many_slices_counts_them_all);
    tcase_add_test(tests, nothing_of_one_call_is_seen_by_the_next);
    tcase_add_test(tests, an_export_is_called_with_numbers);
    tcase_add_test(tests, an_export_that_cannot_be_called_is_refused_before);
    tcase_add_test(tests, a_command_reads_the_input_and_writes_the_output);
    tcase_add_test(tests, a_command_has_its_name_for_argument);
    tcase_add_test(tests,
                   a_command_sees_its_configuration_before_the_request);
    tcase_add_test(tests, an_exit_code_is_a_result);
    tcase_add_test(tests, what_a_command_says_to_stderr_is_the_log);
    tcase_add_test(tests, a_command_that_writes_too_much_does_not_succeed);
    tcase_add_test(tests, an_environment_that_is_too_long_is_a_limit);
}

WORLD_MAIN("call", add_tests)
