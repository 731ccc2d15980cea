/*
 * check_decode_names.c - tests of vm/decode_names.c: the name section.
 */
#include <check.h>
#include <string.h>

#include "tests/support/module_builder.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static struct gvm_engine *engine;

static void
open_engine(void)
{
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
}

static void
close_engine(void)
{
    gvm_engine_destroy(engine);
}

/* Three functions: one imported, two defined. */
static struct module_builder *
three_functions(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_import_func(builder, "env", "f", ":");
    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_func(builder, ":", "", BYTES(0x0b));
    return builder;
}

static struct gvm_module *
load(struct module_builder *builder)
{
    struct gvm_module_options options = {.copy_bytes = true};
    struct gvm_module *module = NULL;
    size_t length_bytes;
    const uint8_t *bytes = module_builder_finish(builder, &length_bytes);

    ck_assert_int_eq(gvm_module_load(engine, &options, bytes, length_bytes,
                                     &module, NULL),
                     GVM_OK);
    module_builder_destroy(builder);
    return module;
}

/* `expected` NULL: the function has no name. */
static void
check_name(const struct gvm_module *module, uint32_t function,
           const char *expected)
{
    const char *name = NULL;
    size_t name_bytes = 0;
    bool found =
        gvm_module_function_name(module, function, &name, &name_bytes);

    ck_assert(found == (expected != NULL));
    if (found) {
        ck_assert_uint_eq(name_bytes, strlen(expected));
        ck_assert(memcmp(name, expected, name_bytes) == 0);
    }
}

START_TEST(functions_have_the_names_of_the_name_section)
{
    struct module_builder *builder = three_functions();
    struct gvm_module *module;

    module_builder_name(builder, 0, "imported");
    module_builder_name(builder, 2, "");
    module = load(builder);
    check_name(module, 0, "imported");
    check_name(module, 1, NULL);
    check_name(module, 2, "");
    check_name(module, 3, NULL);
    check_name(module, UINT32_MAX, NULL);
    gvm_module_destroy(module);

    module = load(three_functions());
    check_name(module, 0, NULL);
    gvm_module_destroy(module);
}
END_TEST

static const struct names_case {
    const char *what;
    uint8_t length_bytes;
    uint8_t bytes[24];
    const char *name; /* of function 1 */
} names_cases[] = {
    {"one name", 6, {1, 4, 1, 1, 1, 'a'}, "a"},
    {"behind other subsections",
     11,
     {0, 2, 1, 'm', 9, 0, 1, 3, 1, 1, 0},
     ""},
    {"before other subsections", 9, {1, 4, 1, 1, 1, 'a', 2, 1, 0}, "a"},
    {"before a broken subsection", 8, {1, 4, 1, 1, 1, 'a', 2, 99}, "a"},
    {"nothing", 0, {0}, NULL},
    {"no names", 3, {1, 1, 0}, NULL},
    {"only other subsections", 4, {0, 2, 1, 'm'}, NULL},
    {"a subsection past the end", 6, {1, 5, 1, 1, 1, 'a'}, NULL},
    {"a count past the end", 6, {1, 4, 2, 1, 1, 'a'}, NULL},
    {"a name past the end", 6, {1, 4, 1, 1, 2, 'a'}, NULL},
    {"a function that is not there", 6, {1, 4, 1, 3, 1, 'a'}, NULL},
    {"one name twice", 9, {1, 7, 2, 1, 1, 'a', 1, 1, 'b'}, NULL},
    {"names in the wrong order", 9, {1, 7, 2, 1, 1, 'a', 0, 1, 'b'}, NULL},
    {"a name that is not UTF-8", 6, {1, 4, 1, 1, 1, 0xff}, NULL},
    {"good names, then a broken one",
     9,
     {1, 7, 2, 1, 1, 'a', 2, 1, 0x80},
     NULL},
    {"a number too long",
     11,
     {1, 9, 1, 0x81, 0x80, 0x80, 0x80, 0x80, 0, 1, 'a'},
     NULL},
};

START_TEST(a_broken_name_section_is_ignored_as_a_whole)
{
    const struct names_case *row = &names_cases[_i];
    struct module_builder *builder = three_functions();
    struct gvm_module *module;

    module_builder_custom(builder, 0, "name", row->bytes,
                          row->length_bytes);
    module = load(builder);
    check_name(module, 1, row->name);
    gvm_module_destroy(module);
}
END_TEST

START_TEST(the_first_name_section_counts_wherever_it_stands)
{
    static const uint8_t first[] = {1, 4, 1, 1, 1, 'a'};
    static const uint8_t second[] = {1, 4, 1, 1, 1, 'b'};
    struct module_builder *builder = three_functions();
    struct gvm_module *module;

    /* Even before the functions that it names. */
    module_builder_custom(builder, 1, "name", first, sizeof(first));
    module_builder_custom(builder, 0, "name", second, sizeof(second));
    module_builder_custom(builder, 1, "names", second, sizeof(second));
    module = load(builder);
    check_name(module, 1, "a");
    gvm_module_destroy(module);
}
END_TEST

START_TEST(errors_name_the_function)
{
    struct module_builder *builder = three_functions();
    struct gvm_module *module = NULL;
    struct gvm_error err;
    size_t length_bytes;
    const uint8_t *bytes;

    module_builder_func(builder, ":i", "", BYTES(0x0b));
    module_builder_name(builder, 3, "culprit");
    bytes = module_builder_finish(builder, &length_bytes);
    ck_assert_int_eq(gvm_module_load(engine, NULL, bytes, length_bytes,
                                     &module, &err),
                     GVM_INVALID);
    ck_assert_uint_eq(err.function, 3);
    ck_assert_str_eq(err.message, "type mismatch: end expects i32, found "
                                  "nothing in function culprit");
    module_builder_destroy(builder);
}
END_TEST

static Suite *
decode_names_suite(void)
{
    Suite *suite = suite_create("vm/decode_names");
    TCase *tests = tcase_create("decode_names");

    tcase_add_checked_fixture(tests, open_engine, close_engine);
    tcase_add_test(tests, functions_have_the_names_of_the_name_section);
    tcase_add_loop_test(tests, a_broken_name_section_is_ignored_as_a_whole,
                        0, (int)COUNT_OF(names_cases));
    tcase_add_test(tests, the_first_name_section_counts_wherever_it_stands);
    tcase_add_test(tests, errors_name_the_function);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(decode_names_suite());
}
