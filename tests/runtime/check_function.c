/* check_function.c - tests of runtime/function.c. */
#include "runtime/function.h"
#include "tests/runtime/world.h"

#include <check.h>
#include <string.h>

#define LETTERS_63                                                            \
    "abcdefghijklmnopqrstuvwxyz0123456789-abcdefghijklmnopqrstuvwxyz"

static const struct {
    const char *name;
    bool valid;
} names[] = {
    {"a", true},
    {"0", true},
    {"a-b", true},
    {"a--b", true},
    {"hello", true},
    {LETTERS_63, true},
    {LETTERS_63 "a", false},
    {"", false},
    {"-a", false},
    {"a-", false},
    {"-", false},
    {"A", false},
    {"a_b", false},
    {"a.b", false},
    {"a/b", false},
    {"..", false},
    {"a\n", false},
    {"\xc3\xa4", false},
    {NULL, false},
};

START_TEST(a_name_is_a_dns_label)
{
    ck_assert_int_eq(runtime_name_is_valid(names[_i].name), names[_i].valid);
    /* A function's namespace is one in the state as well. */
    ck_assert_int_eq(state_namespace_is_valid(names[_i].name),
                     names[_i].valid);
    ck_assert_int_eq(runtime__function_check_names("ok", names[_i].name,
                                                   NULL) == RUNTIME_OK,
                     names[_i].valid);
    ck_assert_int_eq(runtime__function_check_names(names[_i].name, "ok",
                                                   NULL) == RUNTIME_OK,
                     names[_i].valid);
}
END_TEST

START_TEST(which_name_is_wrong_is_said)
{
    struct runtime_error err;

    ck_assert_int_eq(runtime__function_check_names("A", "b", &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "namespace"));
    ck_assert_int_eq(runtime__function_check_names("a", "B", &err),
                     RUNTIME_INVALID);
    ck_assert_ptr_nonnull(strstr(err.message, "function"));
}
END_TEST

START_TEST(every_kind_has_a_name)
{
    ck_assert_str_eq(runtime_kind_name(RUNTIME_FAASLET), "faaslet");
    ck_assert_str_eq(runtime_kind_name(RUNTIME_COMMAND), "command");
    ck_assert_str_eq(runtime_kind_name(RUNTIME_EXPORTS), "exports");
    ck_assert_str_eq(runtime_kind_name((enum runtime_kind)3), "unknown");
}
END_TEST

START_TEST(functions_are_ordered_by_namespace_then_name)
{
    struct runtime_function function = {.namespace_ = "b", .name = "b"};

    ck_assert_int_eq(runtime__function_compare(&function, "b", "b"), 0);
    ck_assert_int_gt(runtime__function_compare(&function, "a", "z"), 0);
    ck_assert_int_lt(runtime__function_compare(&function, "c", "a"), 0);
    ck_assert_int_gt(runtime__function_compare(&function, "b", "a"), 0);
    ck_assert_int_lt(runtime__function_compare(&function, "b", "bb"), 0);
}
END_TEST

static void
add_tests(TCase *tests)
{
    tcase_add_loop_test(tests, a_name_is_a_dns_label, 0,
                        sizeof(names) / sizeof(names[0]));
    tcase_add_test(tests, which_name_is_wrong_is_said);
    tcase_add_test(tests, every_kind_has_a_name);
    tcase_add_test(tests, functions_are_ordered_by_namespace_then_name);
}

WORLD_MAIN("function", add_tests)
