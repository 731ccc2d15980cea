/* check_error.c - tests of runtime/error.c. */
#include "runtime/error.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

START_TEST(every_status_has_a_name_and_a_text_of_its_own)
{
    static const struct {
        enum runtime_status status;
        const char *name;
    } statuses[] = {
#define ROW(symbol, name, text) {symbol, name},
        RUNTIME_STATUS_MAP(ROW)
#undef ROW
    };
    size_t count = sizeof(statuses) / sizeof(statuses[0]);

    ck_assert_int_eq(RUNTIME_OK, 0);
    for (size_t i = 0; i < count; i++) {
        ck_assert_str_eq(runtime_status_name(statuses[i].status),
                         statuses[i].name);
        ck_assert_uint_gt(strlen(runtime_status_text(statuses[i].status)),
                          0);
        for (size_t j = 0; j < i; j++)
            ck_assert_str_ne(runtime_status_name(statuses[i].status),
                             runtime_status_name(statuses[j].status));
    }
    ck_assert_str_eq(runtime_status_name((enum runtime_status)count),
                     "unknown");
    ck_assert_str_eq(runtime_status_text((enum runtime_status)-1),
                     "unknown");
}
END_TEST

START_TEST(setting_an_error_clears_what_was_there)
{
    struct runtime_error err;

    memset(&err, 0xa5, sizeof(err));
    ck_assert_int_eq(runtime__error_set(&err, RUNTIME_LIMIT, "at %d", 7),
                     RUNTIME_LIMIT);
    ck_assert_int_eq(err.status, RUNTIME_LIMIT);
    ck_assert_ptr_null(err.trap);
    ck_assert_ptr_null(err.limit);
    ck_assert_uint_eq(err.function, RUNTIME_NO_FUNCTION);
    ck_assert_uint_eq(err.offset, RUNTIME_NO_OFFSET);
    ck_assert_str_eq(err.message, "at 7");
    ck_assert_int_eq(runtime__error_set(NULL, RUNTIME_LIMIT, "nowhere"),
                     RUNTIME_LIMIT);
}
END_TEST

START_TEST(a_text_that_is_too_long_is_cut)
{
    struct runtime_error err;

    runtime__error_set(&err, RUNTIME_LIMIT, "%*s", RUNTIME_MESSAGE_SIZE, "x");
    ck_assert_uint_eq(strlen(err.message), RUNTIME_MESSAGE_SIZE - 1);
}
END_TEST

START_TEST(a_message_is_one_line)
{
    struct runtime_error err;

    runtime__error_set(&err, RUNTIME_LIMIT, "%s", "a\nb");
    ck_assert_str_eq(err.message, "a b");
}
END_TEST

static const struct {
    struct gvm_error from;
    enum runtime_status status;
    const char *trap;
    const char *message;
} from_vm[] = {
    {{.status = GVM_MALFORMED, .message = "m"}, RUNTIME_MALFORMED, NULL, "m"},
    {{.status = GVM_INVALID, .message = "m"}, RUNTIME_MALFORMED, NULL, "m"},
    {{.status = GVM_UNLINKABLE, .message = "m"}, RUNTIME_UNLINKABLE, NULL,
     "m"},
    {{.status = GVM_EXHAUSTED, .message = "m"}, RUNTIME_EXHAUSTED, NULL, "m"},
    {{.status = GVM_LIMIT, .message = "m"}, RUNTIME_LIMIT, NULL, "m"},
    {{.status = GVM_NO_MEMORY, .message = "m"}, RUNTIME_NO_MEMORY, NULL,
     "m"},
    {{.status = GVM_BAD_ARGUMENT, .message = "m"}, RUNTIME_INVALID, NULL,
     "m"},
    {{.status = GVM_TRAP, .trap = GVM_TRAP_DIVIDE_BY_ZERO, .message = "m"},
     RUNTIME_TRAP, "integer divide by zero", "m"},
    {{.status = GVM_TRAP, .trap = GVM_TRAP_OUT_OF_MEMORY, .message = "m"},
     RUNTIME_OUT_OF_MEMORY, "out of memory", "m"},
    /* Who says nothing is quoted by its status. */
    {{.status = GVM_EXHAUSTED}, RUNTIME_EXHAUSTED, NULL,
     "call stack exhausted"},
};

START_TEST(what_the_engine_says_becomes_the_runtimes)
{
    struct runtime_error err;
    struct gvm_error from = from_vm[_i].from;

    from.function = 3;
    from.offset = 77;
    ck_assert_int_eq(runtime__error_from_vm(&err, &from),
                     from_vm[_i].status);
    ck_assert_int_eq(err.status, from_vm[_i].status);
    if (from_vm[_i].trap)
        ck_assert_str_eq(err.trap, from_vm[_i].trap);
    else
        ck_assert_ptr_null(err.trap);
    ck_assert_uint_eq(err.function, 3);
    ck_assert_uint_eq(err.offset, 77);
    ck_assert_str_eq(err.message, from_vm[_i].message);
    ck_assert_int_eq(runtime__error_from_vm(NULL, &from),
                     from_vm[_i].status);
}
END_TEST

START_TEST(no_place_stays_no_place)
{
    struct runtime_error err;
    struct gvm_error from = {
        .status = GVM_LIMIT,
        .function = GVM_NO_FUNCTION,
        .offset = GVM_NO_OFFSET,
    };

    runtime__error_from_vm(&err, &from);
    ck_assert_uint_eq(err.function, RUNTIME_NO_FUNCTION);
    ck_assert_uint_eq(err.offset, RUNTIME_NO_OFFSET);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_test(tests, every_status_has_a_name_and_a_text_of_its_own);
    tcase_add_test(tests, setting_an_error_clears_what_was_there);
    tcase_add_test(tests, a_text_that_is_too_long_is_cut);
    tcase_add_test(tests, a_message_is_one_line);
    tcase_add_loop_test(tests, what_the_engine_says_becomes_the_runtimes, 0,
                        sizeof(from_vm) / sizeof(from_vm[0]));
    tcase_add_test(tests, no_place_stays_no_place);
}

WORLD_MAIN("error", add_tests)
