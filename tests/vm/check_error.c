/*
 * check_error.c - tests of vm/error.c: texts and the error structure.
 */
#include "vm/module.h"
#include "tests/support/suite.h"

#include <check.h>
#include <string.h>

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

START_TEST(every_status_has_a_text_of_its_own)
{
    static const enum gvm_status statuses[] = {
#define STATUS_ROW(name, value, text) GVM_##name,
        GVM_STATUS_MAP(STATUS_ROW)
#undef STATUS_ROW
    };

    for (size_t i = 0; i < COUNT_OF(statuses); i++) {
        const char *text = gvm_status_text(statuses[i]);

        ck_assert_str_ne(text, gvm_status_text((enum gvm_status)99));
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(text, gvm_status_text(statuses[k]));
        }
    }
    ck_assert_str_eq(gvm_status_text(GVM_MALFORMED), "malformed module");
}
END_TEST

START_TEST(every_trap_has_a_text_of_its_own)
{
    static const enum gvm_trap traps[] = {
#define TRAP_ROW(name, text) GVM_TRAP_##name,
        GVM_TRAP_MAP(TRAP_ROW)
#undef TRAP_ROW
    };

    for (size_t i = 0; i < COUNT_OF(traps); i++) {
        const char *text = gvm_trap_text(traps[i]);

        ck_assert_str_ne(text, gvm_trap_text((enum gvm_trap)99));
        for (size_t k = 0; k < i; k++) {
            ck_assert_str_ne(text, gvm_trap_text(traps[k]));
        }
    }
    ck_assert_str_eq(gvm_trap_text(GVM_TRAP_DIVIDE_BY_ZERO),
                     "integer divide by zero");
}
END_TEST

START_TEST(value_types_are_called_as_in_the_text_format)
{
    ck_assert_str_eq(gvm_value_type_name(GVM_I32), "i32");
    ck_assert_str_eq(gvm_value_type_name(GVM_I64), "i64");
    ck_assert_str_eq(gvm_value_type_name(GVM_F32), "f32");
    ck_assert_str_eq(gvm_value_type_name(GVM_F64), "f64");
    ck_assert_str_eq(gvm_value_type_name(GVM_V128), "v128");
    ck_assert_str_eq(gvm_value_type_name(GVM_FUNCREF), "funcref");
    ck_assert_str_eq(gvm_value_type_name(GVM_EXTERNREF), "externref");
    ck_assert_str_eq(gvm_value_type_name((enum gvm_value_type)1),
                     "unknown type");
}
END_TEST

START_TEST(an_error_is_filled_and_the_status_comes_back)
{
    struct gvm_error err;

    memset(&err, 0x77, sizeof(err));
    ck_assert_int_eq(gvm__error_set(&err, GVM_INVALID, 12, "%s %d", "x", 5),
                     GVM_INVALID);
    ck_assert_int_eq(err.status, GVM_INVALID);
    ck_assert_int_eq(err.trap, GVM_TRAP_NONE);
    ck_assert_uint_eq(err.function, GVM_NO_FUNCTION);
    ck_assert_uint_eq(err.offset, 12);
    ck_assert_str_eq(err.message, "x 5");
    /* Nobody has to want it. */
    ck_assert_int_eq(gvm__error_set(NULL, GVM_LIMIT, 0, "x"), GVM_LIMIT);
}
END_TEST

START_TEST(a_message_too_long_is_cut)
{
    struct gvm_error err;
    char text[1000];

    memset(text, 'm', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    gvm__error_set(&err, GVM_INVALID, 0, "%s", text);
    ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
}
END_TEST

/* A module that is nothing but a name for its function 0. */
struct named {
    struct gvm_module module;
    struct gvm__name name;
    uint8_t bytes[1000];
};

static void
make_named(struct named *named, const char *name, size_t name_bytes)
{
    memset(named, 0, sizeof(*named));
    named->name.offset = 8;
    named->name.length_bytes = (uint32_t)name_bytes;
    memcpy(named->bytes + 8, name, name_bytes);
    named->module.bytes = named->bytes;
    named->module.function_names = &named->name;
    named->module.function_count = 1;
}

static const struct name_case {
    const char *name;
    size_t name_bytes;
    const char *message;
} name_cases[] = {
    {"fib", 3, "trap in function fib"},
    {"", 0, "trap in function "},
    {"a\nb\x7f\x01", 5, "trap in function a?b??"},
    {"a\0b", 3, "trap in function a?b"},
    {"\xc3\xa9t\xc3\xa9", 5, "trap in function \xc3\xa9t\xc3\xa9"},
};

START_TEST(the_function_s_name_joins_the_message_on_one_line)
{
    const struct name_case *row = &name_cases[_i];
    struct gvm_error err;
    struct named named;

    make_named(&named, row->name, row->name_bytes);
    gvm__error_set(&err, GVM_TRAP, 0, "trap");
    gvm__error_set_function(&err, &named.module, 0);
    ck_assert_uint_eq(err.function, 0);
    ck_assert_str_eq(err.message, row->message);
}
END_TEST

START_TEST(a_function_without_a_name_is_a_number)
{
    struct gvm_error err;
    struct named named;

    make_named(&named, "fib", 3);
    gvm__error_set(&err, GVM_TRAP, 0, "trap");
    gvm__error_set_function(&err, &named.module, 1);
    ck_assert_uint_eq(err.function, 1);
    ck_assert_str_eq(err.message, "trap");
    gvm__error_set_function(NULL, &named.module, 1);
}
END_TEST

START_TEST(a_name_does_not_overrun_the_message)
{
    struct gvm_error err;
    struct named named;
    char name[900];

    memset(name, 'n', sizeof(name));
    make_named(&named, name, sizeof(name));
    for (size_t length = 0; length < sizeof(err.message); length++) {
        char text[sizeof(err.message)];

        memset(text, 't', length);
        text[length] = '\0';
        gvm__error_set(&err, GVM_TRAP, 0, "%s", text);
        gvm__error_set_function(&err, &named.module, 0);
        ck_assert_uint_eq(strlen(err.message), sizeof(err.message) - 1);
    }
}
END_TEST

static Suite *
error_suite(void)
{
    Suite *suite = suite_create("vm/error");
    TCase *tests = tcase_create("error");

    tcase_add_test(tests, every_status_has_a_text_of_its_own);
    tcase_add_test(tests, every_trap_has_a_text_of_its_own);
    tcase_add_test(tests, value_types_are_called_as_in_the_text_format);
    tcase_add_test(tests, an_error_is_filled_and_the_status_comes_back);
    tcase_add_test(tests, a_message_too_long_is_cut);
    tcase_add_loop_test(tests,
                        the_function_s_name_joins_the_message_on_one_line, 0,
                        (int)COUNT_OF(name_cases));
    tcase_add_test(tests, a_function_without_a_name_is_a_number);
    tcase_add_test(tests, a_name_does_not_overrun_the_message);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(error_suite());
}
