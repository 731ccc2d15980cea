/*
 * check_export.c - tests of vm/export.c: decoding, order and search.
 */
#include "vm/module.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "tests/support/load_case.h"
#include "tests/support/suite.h"

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))
#define MVP GVM_FEATURES_MVP

/* A builder with one function, one table, one memory and one global. */
static struct module_builder *
one_of_each(void)
{
    struct module_builder *builder = module_builder_create();

    module_builder_func(builder, ":", "", BYTES(0x0b));
    module_builder_table(builder, 'r', 1, MODULE_BUILDER_NO_MAX);
    module_builder_memory(builder, 1, 2);
    module_builder_global(builder, 'l', false, BYTES(0x42, 0, 0x0b));
    return builder;
}

/* Loads what the builder holds; bytes are copied, the builder destroyed. */
static struct gvm_module *
load(struct gvm_engine *engine, struct module_builder *builder)
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

/* ---- Decoding -------------------------------------------------------- */

START_TEST(an_export_s_index_lies_in_its_space)
{
    static const struct {
        enum gvm_extern_kind kind;
        const char *message;
    } kinds[] = {
        {GVM_EXTERN_FUNC, "unknown function 1"},
        {GVM_EXTERN_TABLE, "unknown table 1"},
        {GVM_EXTERN_MEMORY, "unknown memory 1"},
        {GVM_EXTERN_GLOBAL, "unknown global 1"},
    };

    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        struct module_builder *builder = one_of_each();

        module_builder_export(builder, "x", kinds[i].kind, 0);
        load_case_builder(builder, MVP, GVM_OK, "");
        builder = one_of_each();
        module_builder_export(builder, "x", kinds[i].kind, 1);
        load_case_builder(builder, MVP, GVM_INVALID, kinds[i].message);
    }
}
END_TEST

START_TEST(an_unknown_kind_of_export_is_malformed)
{
    struct module_builder *builder = one_of_each();

    module_builder_export(builder, "x", (enum gvm_extern_kind)4, 0);
    load_case_builder(builder, GVM_FEATURES_2_0, GVM_MALFORMED,
                      "malformed export kind 0x04");
}
END_TEST

START_TEST(a_name_is_exported_once)
{
    static const char *const others[] = {"", "a", "twic", "twicf", "twice2"};
    struct gvm_error err;

    for (size_t i = 0; i <= COUNT_OF(others); i++) {
        struct module_builder *builder = one_of_each();

        /* Of another kind: names are one space. */
        module_builder_export(builder, "twice", GVM_EXTERN_FUNC, 0);
        for (size_t k = 0; k < COUNT_OF(others); k++) {
            module_builder_export(builder, others[k], GVM_EXTERN_FUNC, 0);
        }
        if (i == COUNT_OF(others)) {
            load_case_builder(builder, MVP, GVM_OK, "");
        } else {
            module_builder_export(builder, others[i], GVM_EXTERN_MEMORY, 0);
            err = load_case_builder(builder, MVP, GVM_INVALID,
                                    "duplicate export name");
            ck_assert_uint_gt(err.offset, 8);
        }
    }
}
END_TEST

/* ---- Search ---------------------------------------------------------- */

START_TEST(exports_are_found_by_name_whatever_their_number)
{
    static const unsigned counts[] = {0, 1, 2, 3, 7, 8, 9, 100, 1000};
    struct gvm_engine *engine;

    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    for (size_t c = 0; c < COUNT_OF(counts); c++) {
        struct module_builder *builder = module_builder_create();
        struct gvm_module *module;
        unsigned count = counts[c];
        char name[16];

        for (unsigned i = 0; i < count; i++) {
            module_builder_global(builder, 'i', false, BYTES(0x41, 0, 0x0b));
            /* Neither ascending nor descending, of several lengths. */
            snprintf(name, sizeof(name), "e%u", i * 7919 % 1009);
            module_builder_export(builder, name, GVM_EXTERN_GLOBAL, i);
        }
        module = load(engine, builder);
        ck_assert_uint_eq(gvm_module_export_count(module), count);
        for (unsigned i = 0; i < count; i++) {
            struct gvm_export_info info;

            snprintf(name, sizeof(name), "e%u", i * 7919 % 1009);
            ck_assert(gvm_module_export_find(module, name, strlen(name),
                                             &info));
            ck_assert_uint_eq(info.index, i);
            ck_assert_int_eq(info.type.kind, GVM_EXTERN_GLOBAL);
        }
        ck_assert_ptr_null(gvm__module_export_find(module, "e", 1));
        ck_assert_ptr_null(gvm__module_export_find(module, "", 0));
        ck_assert_ptr_null(gvm__module_export_find(module, "e10090", 6));
        ck_assert_ptr_null(gvm__module_export_find(module, "zzzz", 4));
        gvm_module_destroy(module);
    }
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(a_name_with_nul_is_not_the_name_before_it)
{
    struct module_builder *builder = one_of_each();
    struct gvm_engine *engine;
    struct gvm_module *module;

    /* "a" is function 0, "a\0" memory 0, "" global 0. */
    module_builder_set_content(builder, 7,
                               BYTES(3, 1, 'a', 0, 0, 2, 'a', 0, 2, 0, 0, 3,
                                     0));
    ck_assert_int_eq(gvm_engine_create(NULL, &engine), GVM_OK);
    module = load(engine, builder);
    ck_assert_int_eq(gvm__module_export_find(module, "a", 1)->kind,
                     GVM_EXTERN_FUNC);
    ck_assert_int_eq(gvm__module_export_find(module, "a\0", 2)->kind,
                     GVM_EXTERN_MEMORY);
    ck_assert_int_eq(gvm__module_export_find(module, "", 0)->kind,
                     GVM_EXTERN_GLOBAL);
    gvm_module_destroy(module);
    gvm_engine_destroy(engine);
}
END_TEST

START_TEST(a_million_exports_are_the_most)
{
    struct module_builder *builder = one_of_each();
    uint32_t count = GVM_ITEMS_MAX + (uint32_t)_i;

    for (uint32_t i = 0; i < count; i++) {
        char name[16];

        snprintf(name, sizeof(name), "%u", i);
        module_builder_export(builder, name, GVM_EXTERN_FUNC, 0);
    }
    if (_i == 0) {
        load_case_builder(builder, MVP, GVM_OK, "");
    } else {
        load_case_builder(builder, MVP, GVM_LIMIT,
                          "a vector of 1000001 items, GVM_ITEMS_MAX is "
                          "1000000");
    }
}
END_TEST

static Suite *
export_suite(void)
{
    Suite *suite = suite_create("vm/export");
    TCase *tests = tcase_create("export");

    tcase_add_test(tests, an_export_s_index_lies_in_its_space);
    tcase_add_test(tests, an_unknown_kind_of_export_is_malformed);
    tcase_add_test(tests, a_name_is_exported_once);
    tcase_add_test(tests, exports_are_found_by_name_whatever_their_number);
    tcase_add_test(tests, a_name_with_nul_is_not_the_name_before_it);
    tcase_add_loop_test(tests, a_million_exports_are_the_most, 0, 2);
    suite_add_tcase(suite, tests);
    return suite;
}

int
main(void)
{
    return suite_run(export_suite());
}
